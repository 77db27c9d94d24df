"""compare: every row is what a pipeline made by hand scores, and target labels touch nothing but scores."""

import copy
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from embtransfer import (
    CORAL,
    DistilledEmbedder,
    LabelShiftClassifier,
    NoAdaptation,
    SelfTrainingClassifier,
    SubspaceAlignment,
    Target,
    WordEmbedder,
    WordVectors,
    compare,
    domain_shift,
    make_adapter,
    make_classifier,
    make_embedder,
    make_recipe,
    make_transfer_pipeline,
    source_scorer,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.priors import with_priors
from embtransfer.trials._splits import Split

COLUMNS = [
    "embedder",
    "adapter",
    "classifier",
    "source_cv",
    "target_score",
    "gain",
    "fit_seconds",
    "texts_per_second",
    "target_texts",
    "error",
]
TIMES = ["fit_seconds", "texts_per_second"]
BASELINES = [
    ("-", "none", "majority"),
    ("tfidf", "none", "logistic"),
    ("tfidf", "joint", "logistic"),
]
POSITIVE = ["good", "great", "fine", "excellent", "wonderful", "lovely"]
NEGATIVE = ["bad", "terrible", "poor", "awful", "horrible", "boring"]
FILMS = ["film", "plot", "actor", "script", "story", "director", "scene"]
PANS = ["pan", "pot", "knife", "lid", "kettle", "blender", "handle"]


def make_domain(things, n, seed):
    """Texts that say two opinions of a thing, one in eight of them the wrong one; labels 0 and 1."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    opinions = np.where((rng.random(n) < 0.125) ^ (y == 1), "+", "-")
    texts = []
    for opinion in opinions:
        first, second = rng.choice(POSITIVE if opinion == "+" else NEGATIVE, 2)
        texts.append(f"a {first} {rng.choice(things)}, {second} {rng.choice(things)}")
    return texts, y


X, Y = make_domain(FILMS, 48, 0)
X_TARGET, Y_TARGET = make_domain(PANS, 41, 1)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The matrices are small: threads would only wait for one another."""
    with threadpool_limits(1):
        yield


def run(X=X, y=Y, X_target=X_TARGET, y_target=Y_TARGET, **options):
    return compare(
        X,
        y,
        X_target,
        y_target,
        **{"adapters": "none", "classifiers": "ridge", "recipes": (), "cv": 2, **options},
    )


@pytest.fixture(scope="module")
def plain():
    return run()


def names(table):
    return list(table[["embedder", "adapter", "classifier"]].itertuples(index=False, name=None))


def ours(table):
    """The rows below the baselines."""
    return table.iloc[3:].reset_index(drop=True)


def test_the_majority_is_that_of_each_domain_itself():
    rows = np.flatnonzero((Y_TARGET == 1) | (np.arange(41) < 8))
    table = run(
        y=np.arange(48) % 4 // 3,
        X_target=[X_TARGET[i] for i in rows],
        y_target=Y_TARGET[rows],
        transductive=True,
    )
    assert table.loc[0, ["source_cv", "target_score"]].tolist() == [
        0.75,
        pytest.approx((Y_TARGET[rows] == 1).mean()),
    ]
    assert table.attrs["target_texts_scored"] == len(rows)


def same_but(table, other, columns):
    pd.testing.assert_frame_equal(table.drop(columns=columns), other.drop(columns=columns))


def split(n, test_size=0.5, seed=0):
    """The documented split: a permutation drawn with the seed, its first part scored, both in order."""
    order = np.random.default_rng(seed).permutation(n)
    n_scored = round(test_size * n)
    return np.sort(order[n_scored:]), np.sort(order[:n_scored])


def take(values, rows):
    return [values[row] for row in rows]


# the table


def test_columns_and_order():
    table = run(
        embedders=["word_mean", "word_sif"], adapters=["none", "coral"], classifiers=["ridge", "centroid"]
    )
    assert list(table) == COLUMNS
    expected = [
        (embedder, adapter, classifier)
        for embedder in ("word_mean", "word_sif")
        for adapter in ("none", "coral")
        for classifier in ("ridge", "centroid")
    ]
    assert names(table) == BASELINES + expected
    assert list(table.index) == list(range(11))
    assert set(table["error"]) == {""}
    assert set(table["target_texts"]) == {"unseen"}
    assert [table[column].dtype for column in COLUMNS[3:8]] == [np.float64] * 5
    assert table[COLUMNS[3:8]].notna().all(axis=None)
    assert (table[TIMES] > 0).all(axis=None)


def test_defaults():
    table = compare(X, Y, X_TARGET, Y_TARGET)
    adapters = ["none", "centering", "coral", "subspace"]
    expected = [("word_mean", adapter, "logistic") for adapter in adapters]
    assert names(table) == [*BASELINES, *expected, ("recipe", "-", "words")]
    assert set(table["error"]) == {""}


def test_the_demo_reviews():
    from embtransfer.datasets import load_demo_reviews

    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    table = compare(films.data, films.target, pans.data, pans.target, adapters="centering", cv=2)
    assert set(table["error"]) == {""}
    assert (ours(table)["target_score"] > 0.6).all()


# each row by hand


OPTIONS = {
    "default": {},
    "other split": {"test_size": 0.3, "random_state": 7},
    "transductive": {"transductive": True},
    "f1": {"scoring": "f1_macro", "cv": 4},
}
EMBEDDERS, ADAPTERS, CLASSIFIERS = (
    ["word_mean", "word_sif"],
    ["none", "coral", "subspace"],
    ["logistic", "ridge"],
)


@pytest.fixture(scope="module", params=OPTIONS)
def table_and_options(request):
    options = OPTIONS[request.param]
    table = run(embedders=EMBEDDERS, adapters=ADAPTERS, classifiers=CLASSIFIERS, **options)
    return table.set_index(["embedder", "adapter", "classifier"]), options


@pytest.mark.parametrize(  # every two of the three parts come together
    ("embedder", "adapter", "classifier"),
    [
        *[("word_mean", "none", "logistic"), ("word_sif", "none", "ridge"), ("word_mean", "coral", "ridge")],
        *[("word_sif", "coral", "logistic"), ("word_mean", "subspace", "logistic")],
        ("word_sif", "subspace", "ridge"),
    ],
)
def test_scores_are_those_of_a_pipeline_made_by_hand(table_and_options, embedder, adapter, classifier):
    table, options = table_and_options
    row = table.loc[(embedder, adapter, classifier)]
    seed, scoring = options.get("random_state", 0), options.get("scoring", "accuracy")
    seen, scored = split(len(X_TARGET), options.get("test_size", 0.5), seed)
    if options.get("transductive"):
        seen = scored = range(len(X_TARGET))
    pipeline = make_transfer_pipeline(
        make_embedder(embedder), make_adapter(adapter), make_classifier(classifier)
    )
    pipeline.fit(X, Y, X_target=take(X_TARGET, seen))
    by_hand = get_scorer(scoring)(pipeline, take(X_TARGET, scored), Y_TARGET[list(scored)])
    assert row["target_score"] == pytest.approx(by_hand, abs=1e-12)
    assert row["target_texts"] == ("seen" if options.get("transductive") else "unseen")
    if embedder == "word_mean":  # the others learn from the source texts; compare embeds once, on all of them
        folds = StratifiedKFold(options.get("cv", 2), shuffle=True, random_state=seed)
        params = {"X_target": Target(take(X_TARGET, seen))}
        scores = cross_val_score(pipeline, X, Y, cv=folds, scoring=source_scorer(scoring), params=params)
        assert row["source_cv"] == pytest.approx(scores.mean(), abs=1e-12)


def test_baselines_by_hand():
    table = run()
    seen, scored = split(len(X_TARGET))
    texts, y = take(X_TARGET, scored), Y_TARGET[scored]
    assert table["target_score"][0] == DummyClassifier(strategy="most_frequent").fit(X, Y).score(texts, y)
    tfidf = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    classifier = LogisticRegression(C=10.0, max_iter=1000)
    assert table["target_score"][1] == make_pipeline(tfidf, classifier).fit(X, Y).score(texts, y)
    tfidf.fit(X + take(X_TARGET, seen))
    by_hand = classifier.fit(tfidf.transform(X), Y).score(tfidf.transform(texts), y)
    assert table["target_score"][2] == by_hand
    assert table["source_cv"][0] == pytest.approx(0.5)


# target labels


def test_target_labels_change_only_scores():
    options = {"embedders": ["word_mean", "word_idf"], "adapters": ["none", "coral"]}
    table = run(**options)
    shuffled = run(y_target=np.random.default_rng(3).permutation(Y_TARGET), **options)
    same_but(table, shuffled, [*TIMES, "target_score", "gain"])
    assert not table["target_score"].equals(shuffled["target_score"])
    inverted = run(y_target=1 - Y_TARGET, **options)
    same_but(table, inverted, [*TIMES, "target_score", "gain"])
    np.testing.assert_allclose(table["target_score"], 1 - inverted["target_score"])


def test_without_target_labels_all_target_texts_are_seen():
    table = run(y_target=None, adapters=["none", "coral"])
    assert table["target_score"].isna().all()
    assert table["gain"].isna().all()
    assert set(table["target_texts"]) == {"seen"}
    assert set(table["error"]) == {""}
    transductive = run(transductive=True, adapters=["none", "coral"])
    same_but(table, transductive, [*TIMES, "target_score", "gain"])
    assert (table["texts_per_second"] > 0).all()


@pytest.mark.parametrize(
    ("to_labels", "missing"),
    [(str, None), (str, float("nan")), (int, None), (int, float("nan")), (str, pd.NA)],
)
def test_texts_without_a_label_are_seen_and_not_scored(to_labels, missing):
    y = [to_labels(label) for label in Y]
    some = [missing if i % 3 == 0 else to_labels(label) for i, label in enumerate(Y_TARGET)]
    table = run(y=y, y_target=pd.Series(some), adapters=["none", "coral"], transductive=True)
    whole = run(y=y, y_target=None, adapters=["none", "coral"])
    same_but(table, whole, [*TIMES, "target_score", "gain"])  # all are adapted to
    labelled = [i for i in range(len(some)) if i % 3]
    pipeline = make_transfer_pipeline(WordEmbedder(), CORAL(), make_classifier("ridge"))
    predicted = pipeline.fit(X, y, X_target=X_TARGET).predict(take(X_TARGET, labelled))
    share = np.mean(predicted == np.array(take(some, labelled)))
    assert table.loc[table["adapter"] == "coral", "target_score"].tolist() == [share]
    held_back = run(y=y, y_target=pd.Series(some), adapters="coral")
    assert held_back["target_score"].notna().all()
    assert set(held_back["target_texts"]) == {"unseen"}
    none = run(y=y, y_target=pd.Series([missing] * len(some), dtype=object))
    assert none["target_score"].isna().all()


def test_unseen_texts_have_no_part_in_adapting():
    _, scored = split(len(X_TARGET))
    changed = list(X_TARGET)
    for row in scored:
        changed[row] = "some other words entirely" + row * "!"
    options = {"embedders": ["word_mean", "word_sif"], "adapters": ["none", "coral"]}
    same_but(run(**options), run(X_target=changed, **options), [*TIMES, "target_score", "gain"])


def test_gain():
    table = run(
        embedders=["word_mean", "word_idf"], adapters=["coral", "none"], classifiers=["ridge", "logistic"]
    )
    scores = table.set_index(["embedder", "adapter", "classifier"])["target_score"]
    for (embedder, adapter, classifier), gain in zip(names(table), table["gain"], strict=True):
        expected = scores[embedder, adapter, classifier] - scores[embedder, "none", classifier]
        assert gain == pytest.approx(expected)
    assert (table["gain"][table["adapter"] == "none"] == 0).all()


def test_gain_without_the_unadapted_row():
    table = ours(run(adapters=["coral", "centering"]))
    assert table["gain"].isna().all()
    assert table["target_score"].notna().all()


def test_gain_beside_an_unadapted_row_that_fails():
    table = ours(run(adapters=["none", "coral"], classifiers=[MultinomialNB()]))
    assert table["gain"].isna().all()


SVD = make_pipeline(TfidfVectorizer(), TruncatedSVD(4, random_state=0))
TWICE = {
    "embedders": {"embedders": ["word_mean", "word_mean"]},
    "adapters": {"adapters": ["none", NoAdaptation(), "coral"]},
    "classifiers": {"classifiers": ["ridge", "ridge"]},
    "name of a baseline": {"embedders": {"tfidf": SVD}},
}


@pytest.mark.parametrize("options", TWICE.values(), ids=TWICE)
def test_a_name_that_comes_twice_gives_both_rows(options):
    table = ours(run(**{"adapters": ["none", "coral"], "classifiers": "logistic", **options}))
    (part,) = options.values()
    assert len(table) == (len(part) if "adapters" in options else 2 * len(part))
    assert set(table["error"]) == {""}
    unadapted = table["adapter"] == "none"
    assert (table["gain"][unadapted] == 0).all()
    first = table["target_score"][unadapted].iloc[0]
    np.testing.assert_allclose(table["gain"], table["target_score"] - first)


# failures are rows


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_combination_that_fails_is_a_row(n_jobs):
    table = ours(
        run(
            n_jobs=n_jobs,
            embedders={"missing": WordEmbedder("missing-file.txt"), "fine": "word_mean"},
            adapters=["none", "coral"],
            classifiers={"counts": MultinomialNB(), "ridge": "ridge"},
        )
    )
    failed = table["error"] != ""
    assert [(e, a, c) for (e, a, c), bad in zip(names(table), failed, strict=True) if not bad] == [
        ("fine", "none", "ridge"),
        ("fine", "coral", "ridge"),
    ]
    assert table["error"][failed & (table["embedder"] == "missing")].str.contains("missing-file.txt").all()
    negative = table["error"][failed & (table["embedder"] == "fine")]
    assert negative.str.startswith("ValueError: Negative values").all()
    assert table[COLUMNS[3:8]][failed].isna().all(axis=None)
    assert set(table["target_texts"]) == {"unseen"}
    alone = ours(run(adapters=["none", "coral"], classifiers={"ridge": "ridge"}))
    np.testing.assert_array_equal(table["target_score"][~failed], alone["target_score"])


def test_baselines_that_fail_are_rows():
    source, target = ["good", "bad", "good.", "bad.", "good!", "bad!"], ["fine" + "!" * i for i in range(6)]
    table = run(source, [1, 0] * 3, target, [1, 1, 0, 0, 1, 0], classifiers="ridge")
    assert len(table) == 4
    assert ours(table)["error"][0] == ""


def test_scoring_that_fails_is_a_row():
    assert run(scoring="f1_samples")["error"].str.contains("Samplewise metrics are not available").all()


# each text once


class Counting(WordEmbedder):
    """Counts the texts that it embeds."""

    n_texts = 0

    def _transform(self, texts):
        Counting.n_texts += len(texts)
        return super()._transform(texts)


@pytest.mark.parametrize(
    "options",
    [{}, {"transductive": True}, {"y_target": None}],
    ids=["unseen", "transductive", "without labels"],
)
def test_each_text_is_embedded_once(options):
    Counting.n_texts = 0
    table = run(
        embedders=[Counting()],
        adapters=["none", "coral", "subspace"],
        classifiers=["ridge", "centroid"],
        **options,
    )
    assert set(table["error"]) == {""}
    warm_up = 1  # one text before the clock starts, to load tables and kernels
    assert Counting.n_texts == len(X) + len(X_TARGET) + warm_up


# what it takes


@pytest.mark.parametrize(
    ("embedders", "expected"),
    [
        ("word_idf", ["word_idf"]),
        (["word_mean"], ["word_mean"]),
        (("word_mean", "word_sif"), ["word_mean", "word_sif"]),
        (WordEmbedder(), ["WordEmbedder()"]),
        ([WordEmbedder(pooling="sif"), "word_mean"], ["WordEmbedder(pooling='sif')", "word_mean"]),
        ({"my own": WordEmbedder(), "named": "word_sif"}, ["my own", "named"]),
        (iter(["word_mean"]), ["word_mean"]),
    ],
)
def test_forms_of_embedders(embedders, expected):
    table = ours(run(embedders=embedders))
    assert list(table["embedder"]) == expected
    assert set(table["error"]) == {""}


@pytest.mark.parametrize(
    ("adapters", "expected"),
    [
        ("coral", ["coral"]),
        (CORAL(), ["CORAL()"]),
        (NoAdaptation(), ["none"]),
        (["none", SubspaceAlignment(3)], ["none", "SubspaceAlignment(n_components=3)"]),
        ({"a": "none", "b": CORAL(shrinkage=0.5)}, ["a", "b"]),
    ],
)
def test_forms_of_adapters(adapters, expected):
    table = ours(run(adapters=adapters))
    assert list(table["adapter"]) == expected
    assert set(table["error"]) == {""}


@pytest.mark.parametrize(
    ("classifiers", "expected"),
    [
        ("lda", ["lda"]),
        (RidgeClassifier(alpha=2.0), ["RidgeClassifier(alpha=2.0)"]),
        (["svm", LogisticRegression()], ["svm", "LogisticRegression()"]),
        ({"scaled": make_pipeline(StandardScaler(), RidgeClassifier())}, ["scaled"]),
        (make_pipeline(StandardScaler(), RidgeClassifier()), None),
    ],
)
def test_forms_of_classifiers(classifiers, expected):
    table = ours(run(classifiers=classifiers))
    assert list(table["classifier"]) == (expected or [repr(classifiers)])
    assert set(table["error"]) == {""}


def test_transformers_of_scikit_learn_in_place_of_ours():
    table = ours(run(adapters={"scaled": StandardScaler()}, embedders={"mean": "word_mean"}))
    assert set(table["error"]) == {""}
    assert table["target_score"].notna().all()


@pytest.mark.parametrize(
    "to_labels",
    [
        lambda y: np.where(y, "good", "bad"),
        lambda y: ["good" if label else "bad" for label in y],
        lambda y: y.astype(bool),
        lambda y: [bool(label) for label in y],
        lambda y: pd.Series(np.where(y, "good", "bad")),
        lambda y: pd.Series(y, index=range(100, 100 + len(y))),
        lambda y: pl.Series(y),
        lambda y: y.astype(np.int8),
        lambda y: np.where(y, "good", "bad").astype(object),
    ],
    ids=["str", "list of str", "bool", "list of bool", "Series", "index", "polars", "int8", "object"],
)
def test_types_of_labels(plain, to_labels):
    same_but(plain, run(y=to_labels(Y), y_target=to_labels(Y_TARGET)), TIMES)


@pytest.mark.parametrize(
    "to_texts",
    [
        tuple,
        lambda texts: np.array(texts, object),
        lambda texts: pd.Series(texts, index=range(100, 100 + len(texts))),
        lambda texts: pl.Series(texts),
    ],
    ids=["tuple", "array", "Series", "polars"],
)
def test_types_of_texts(plain, to_texts):
    same_but(plain, run(X=to_texts(X), X_target=to_texts(X_TARGET)), TIMES)


@pytest.mark.filterwarnings("ignore:.* (repeat another|stand in the source)")  # empty texts are equal
@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_texts_are_empty(missing):
    empty = ["", *X[1:-1], ""], ["", *X_TARGET[1:]]
    table = run(X=empty[0], X_target=empty[1], adapters="coral")
    assert set(table["error"]) == {""}
    X_missing, target_missing = ([text or missing for text in texts] for texts in empty)
    same_but(table, run(X=X_missing, X_target=target_missing, adapters="coral"), TIMES)
    series = {"X": pd.Series(X_missing, dtype="str"), "X_target": pd.Series(target_missing, dtype="str")}
    same_but(table, run(**series, adapters="coral"), TIMES)


def test_three_classes():
    table = run(y=np.arange(len(X)) % 3, y_target=np.arange(len(X_TARGET)) % 3, cv=4)
    assert set(table["error"]) == {""}
    assert table["source_cv"][0] == pytest.approx(1 / 3)


# seeds


def test_the_seed_fixes_everything():
    forest = {"forest": RandomForestClassifier(5, random_state=0)}
    options = {"adapters": ["none", "coral"], "classifiers": forest, "random_state": 5}
    same_but(run(**options), run(**options), TIMES)


def test_nothing_passed_in_is_modified():
    data = {"X": list(X), "y": Y.copy(), "X_target": list(X_TARGET), "y_target": Y_TARGET.copy()}
    options = {
        "embedders": {"a": WordEmbedder(WordVectors.bundled()), "b": "word_sif"},
        "adapters": [NoAdaptation(), CORAL()],
        "classifiers": [LogisticRegression(), RidgeClassifier()],
    }
    kept = copy.deepcopy(data), {key: copy.copy(value) for key, value in options.items()}
    states = [vars(part).copy() for part in (*options["adapters"], *options["classifiers"])]
    run(**data, **options)
    for key, value in kept[0].items():
        np.testing.assert_array_equal(data[key], value)
    assert options == kept[1]
    assert [vars(part) for part in (*options["adapters"], *options["classifiers"])] == states
    assert not hasattr(options["embedders"]["a"], "vectors_")


def test_progress():
    calls = []
    table = run(
        adapters=["none", "coral"],
        classifiers=["ridge", "centroid"],
        progress=lambda *call: calls.append(call),
    )
    assert [done for done, _, _ in calls] == list(range(8))
    assert {total for _, total, _ in calls} == {7} == {len(table)}
    assert [what for _, _, what in calls] == [*map(" + ".join, names(table)), "done"]


# errors


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": Y[:-1]}, r"Got 48 source texts and labels of shape \(47,\)\. Expected one a text"),
        ({"y": np.c_[Y, Y]}, r"Got several labels for each source text, and the target label [01]\."),
        (
            {"y_target": Y_TARGET[1:]},
            r"Got 41 target texts and labels of shape \(40,\)\. Expected one a text",
        ),
        ({"y_target": 1}, r"Got 41 target texts and labels of shape \(\)\. Expected one a text"),
        ({"y": Y * 0}, r"Got 1 source classes, .*Expected at least 2 classes of at least cv=3"),
        (
            {"y": np.arange(48) < 2},
            r"the smallest with 2 texts: .*\. Expected at least 2 classes of at least cv=3",
        ),
        ({"X": [], "y": []}, r"Got (0|no) source (classes|texts)"),
        ({"X_target": ["one"], "y_target": [1]}, r"Got 1 target texts, too few to split with test_size=0\.5"),
        ({"X_target": [], "y_target": []}, r"Got 0 target texts, too few to split"),
        ({"test_size": 0.01}, r"Got 41 target texts, too few to split with test_size=0\.01"),
        ({"test_size": 0.0}, r"Got test_size=0\.0\. Expected a share between 0 and 1"),
        ({"test_size": 1.0}, r"Got test_size=1\.0\. Expected a share between 0 and 1"),
        ({"test_size": -0.5}, r"Got test_size=-0\.5\. Expected a share between 0 and 1"),
        ({"test_size": 20}, r"Got test_size=20\. Expected a share between 0 and 1"),
        ({"test_size": float("nan")}, r"Got test_size=nan\. Expected a share between 0 and 1"),
        (
            {"embedders": ["word2vec"]},
            r"Got embedder 'word2vec'\. Expected one of: word_mean, word_idf, word_sif",
        ),
        (
            {"adapters": "Coral"},
            r"Got adapter 'Coral'\. Expected one of: none, centering, coral, linear_ot, subspace, gfk, tca, ",
        ),
        (
            {"classifiers": {"mine": "forest"}},
            r"Got classifier 'forest'\. Expected one of: logistic, ridge, svm",
        ),
        ({"embedders": []}, r"Got an empty list of embedders, adapters or classifiers"),
        ({"adapters": ()}, r"Got an empty list of embedders, adapters or classifiers"),
        ({"classifiers": {}}, r"Got an empty list of embedders, adapters or classifiers"),
        ({"scoring": "accurate"}, r"Got scoring 'accurate'\. Expected a name of .* f1_macro, .* f1:LABEL"),
        ({"cv": 1}, r"cv|n_splits"),
        ({"y": [None, *Y[1:]]}, r"Got 1 source texts without a label, the first is text 1\. Leave them out"),
        (
            {"y_target": [1, *[None] * 40]},
            r"Got 1 target texts with a label, too few to split",
        ),
        ({"X": np.array([X, X])}, r"shape \(2, 48\)\. Expected a 1-D sequence of str"),
    ],
)
def test_value_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        run(**{"cv": 3, **changes})


@pytest.mark.parametrize("part", ["X", "X_target"])
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("a text", "Got a single str"),
        ([1, 2, 3] * 16, r"Got 1 \(int\) as text 0"),
        (np.ones(48), "Got an array of float64"),
        (None, "Got NoneType"),
    ],
)
def test_type_errors(part, texts, message):
    with pytest.raises(TypeError, match=message):
        run(**{part: texts})


@pytest.mark.parametrize("y_target", [["good", "bad"] * 10, ["0", "1"] * 10])
def test_labels_without_any_in_common(y_target):
    with pytest.raises(ValueError, match=r"Got source labels 0, 1 and target labels .*, none in common"):
        run(X_target=X_TARGET[:20], y_target=y_target)


# ---------------------------------------------------------------- parts that see the target
def test_the_recipe_words_is_there_by_default_and_is_what_a_fit_by_hand_gives():
    table = compare(X, Y, X_TARGET, Y_TARGET, adapters="none", cv=3)
    assert names(table)[-1] == ("recipe", "-", "words")
    row = table.iloc[-1]
    seen, scored = split(len(X_TARGET))
    model = make_recipe("words").fit(X, Y, X_target=take(X_TARGET, seen))
    assert row["target_score"] == model.score(take(X_TARGET, scored), Y_TARGET[scored])
    folds = []
    for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(X, Y):
        fold = with_priors(make_recipe("words"), model[-1].priors_)
        fold.fit(take(X, train), Y[train], X_target=take(X_TARGET, seen))
        folds.append(np.mean(fold.predict_source(take(X, test)) == Y[test]))
    assert row["source_cv"] == pytest.approx(np.mean(folds))
    assert row["error"] == ""


def test_a_recipe_that_fails_is_a_row_with_its_error():
    broken = make_recipe("words").set_params(ngramvectorizer__min_df=10_000)
    row = run(recipes={"broken": broken}).iloc[-1]
    assert "no word of two or more characters" in row["error"]
    assert np.isnan(row["target_score"])


@pytest.mark.parametrize("transductive", [False, True])
def test_embedders_adapters_and_classifiers_get_the_seen_target(transductive):
    student = DistilledEmbedder(WordEmbedder(), alpha=1.0, min_df=1)
    table = run(
        embedders={"student": student},
        adapters=["centering"],
        classifiers={"trained": SelfTrainingClassifier()},
        transductive=transductive,
    )
    seen, scored = (np.arange(len(X_TARGET)),) * 2 if transductive else split(len(X_TARGET))
    pipeline = make_transfer_pipeline(student, make_adapter("centering"), SelfTrainingClassifier())
    pipeline.fit(X, Y, X_target=take(X_TARGET, seen))
    assert table.iloc[-1]["error"] == ""
    assert table.iloc[-1]["target_score"] == pipeline.score(take(X_TARGET, scored), Y_TARGET[scored])


def test_sparse_rows_pass_the_adapters_that_take_them():
    table = ours(run(embedders="ngrams", adapters=["none", "scl", "coral"], classifiers="log_count_ratio"))
    assert list(table["error"].str.contains("sparse", case=False)) == [False, False, True]


def test_diagnostics_are_those_of_the_mapped_rows():
    table = run(adapters=["none", "centering"], diagnostics=True)
    assert list(table)[: len(COLUMNS)] == COLUMNS
    embedder, adapter = WordEmbedder(), make_adapter("centering")
    seen, _ = split(len(X_TARGET))
    source, target = embedder.fit_transform(X), embedder.transform(take(X_TARGET, seen))
    fitted = make_transfer_pipeline(embedder, adapter).fit(X, Y, X_target=take(X_TARGET, seen))  # reads texts
    mapped, adapter = fitted.source_view().transform(X), fitted[-1]
    for place, expected in (
        (-2, domain_shift(source, target)),
        (-1, domain_shift(mapped, adapter.transform(target))),
    ):
        for name, value in expected.items():
            assert table.iloc[place][name] == pytest.approx(value), name
    assert list(run())[len(COLUMNS) :] == []


def test_source_folds_of_a_label_shift_classifier_are_scored_with_the_source_priors():
    classifier = LabelShiftClassifier(n_bootstrap=0)
    row = run(adapters="none", classifiers={"shift": classifier}).iloc[-1]
    seen, _ = split(len(X_TARGET))
    pipeline = make_transfer_pipeline(WordEmbedder(), NoAdaptation(), classifier)
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    target = Target(take(X_TARGET, seen))
    scores = cross_val_score(
        pipeline, X, Y, cv=folds, params={"X_target": target}, scoring=source_scorer("accuracy")
    )
    assert row["source_cv"] == pytest.approx(scores.mean())


class TestTextsThatAreRepeated:
    FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    QUICK = {"adapters": ["none"], "recipes": []}

    def split(self, transductive=False, n=40, **more):
        target, y = [*self.PANS.data, *map(str.upper, self.FILMS.data[:n])], [*self.PANS.target, *[1] * n]
        return Split(self.FILMS.data, self.FILMS.target, target, y, transductive, 0.5, 0, **more)

    @pytest.mark.parametrize("transductive", [False, True])
    def test_target_texts_of_the_source_are_not_scored(self, transductive):
        split = self.split(transductive)
        assert not {text.lower() for text in split.scored} & {text.lower() for text in self.FILMS.data}
        assert len(split.y_scored) == len(split.scored) == split.n_to_score - split.n_left_out
        assert split.n_left_out == 40 if transductive else 10 < split.n_left_out < 30

    def test_copies_in_the_target_are_on_one_side(self):
        data = self.FILMS.data, self.FILMS.target, [*self.PANS.data] * 3, np.tile(self.PANS.target, 3)
        split = Split(*data, False, 0.5, 0)
        assert not set(split.scored) & set(split.seen)
        assert len(split.scored) == pytest.approx(480, abs=3)

    def test_the_score_is_that_of_the_others_and_it_is_said(self):
        data = self.FILMS.data, self.FILMS.target, self.PANS.data, self.PANS.target
        target, labels = [*data[2], *data[0]], np.concatenate([data[3], data[1]])
        with pytest.warns(UserWarning, match="320 of 640 target texts to score stand in the source as well"):
            table = compare(*data[:2], target, labels, transductive=True, **self.QUICK)
        counts = {"source_texts_repeated": 0, "target_texts_left_out": 320, "target_texts_scored": 320}
        shares = {"class_shares": "", "class_shares_by": ""}
        assert table.attrs == {**counts, **shares, "scoring": "accuracy"}
        model = make_transfer_pipeline(WordEmbedder(), NoAdaptation(), make_classifier("logistic"))
        expected = model.fit(*data[:2]).score(*data[2:])
        assert table["target_score"].iloc[-1] == pytest.approx(expected)

    def test_nothing_else_to_score(self):
        data = self.FILMS.data, self.FILMS.target
        with pytest.raises(ValueError, match="Got 160 target texts to score, and all stand in the source"):
            compare(*data, *data)

    def test_a_source_repeated_is_cross_validated_as_without(self):
        data = self.FILMS.data, self.FILMS.target, self.PANS.data, self.PANS.target
        plain = compare(*data, **self.QUICK)
        with pytest.warns(UserWarning, match="960 of 1,280 source texts repeat another, but"):
            repeated = compare([*data[0]] * 4, np.tile(data[1], 4), *data[2:], **self.QUICK)
        assert repeated["source_cv"].to_numpy() == pytest.approx(plain["source_cv"].to_numpy(), abs=0.03)

    def test_folds_keep_groups_and_copies_together(self):
        groups = [None] * 160 + list("abcdefghij" * 16)
        split = self.split(groups=groups)
        split.make_folds(5, 0)
        for train, test in split.splits:
            assert not {groups[i] for i in train if groups[i]} & {groups[i] for i in test if groups[i]}
        assert sorted(np.concatenate([test for _, test in split.splits])) == list(range(320))


class TestClassShares:
    FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    SOME = np.concatenate([np.flatnonzero(PANS.target == 0), np.flatnonzero(PANS.target == 1)[:40]])
    DATA = FILMS.data, FILMS.target, np.array(PANS.data)[SOME].tolist(), PANS.target[SOME]

    def test_they_are_said_by_the_best_that_estimates_them(self):
        table = compare(*self.DATA, adapters=["none", "centering"], recipes=[])
        assert table.attrs["class_shares_by"] == "word_mean, centering, logistic"
        assert re.match(r"0: 50 % in the source, \d+ % \(", table.attrs["class_shares"])

    def test_known_shares_reach_adapters_classifiers_and_recipes(self):
        options = {"adapters": ["none", "centering"], "classifiers": ["logistic", "label_shift"], "cv": 2}
        estimated = compare(*self.DATA, **options)
        known = compare(*self.DATA, target_shares={1: 0.2, 0: 0.8}, **options)
        assert known.attrs["class_shares"].endswith("1: 50 % in the source, 20 % in the target")
        same = (known["target_score"] == estimated["target_score"]).to_list()
        assert same[:4] == [True] * 4  # the baselines, and what does not see the target
        assert not any(same[i] for i in (4, 5, 7))

    def test_shares_of_other_labels(self):
        with pytest.raises(ValueError, match="Got target_shares of '1', but the source's labels are 0, 1"):
            compare(*self.DATA, target_shares={0: 0.8, "1": 0.2})


def test_target_labels_that_the_source_lacks_are_told_and_not_scored():
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    y_target = np.array(["-", "+"])[pans.target].astype(object)
    y_target[[4, 9]] = "neutral"
    options = {"adapters": ["none"], "recipes": [], "transductive": True}
    y = np.array(["-", "+"])[films.target]
    message = r"2 of 320 labelled .* source lacks: 'neutral'; the first is text 5\. They are not scored"
    with pytest.warns(UserWarning, match=message):
        table = compare(films.data, y, pans.data, y_target, **options)
    y_target[[4, 9]] = None
    unlabelled = compare(films.data, y, pans.data, y_target, **options)
    assert list(table["target_score"]) == list(unlabelled["target_score"])


def test_classes_that_are_too_small_are_named():
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    y = np.array(["-", "+"])[films.target].astype(object)
    y[0] = "rare"
    said = r"smallest with 1 texts: 'rare' \(1\)\. .*, mend labels that are misspelt, or leave theirs out"
    with pytest.raises(ValueError, match=said):
        compare(films.data, y, pans.data, None)
