"""CascadeClassifier: who answers, what is lost, and that it is an estimator like any other."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from embtransfer import (
    CascadeClassifier,
    CompiledPipeline,
    DomainCentering,
    NGramVectorizer,
    NoAdaptation,
    Target,
    WordEmbedder,
    compile_pipeline,
    load_pipeline,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
    score_file,
)
from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews
from embtransfer.priors import with_priors

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
FAST = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
SLOW = make_transfer_pipeline(NGramVectorizer(), NoAdaptation(), LogisticRegression(C=10))


@pytest.fixture(scope="module")
def cascade():
    model = CascadeClassifier(FAST, SLOW, max_loss=5)
    return model.fit(FILMS.data, FILMS.target, X_target=PANS.data)


class Reader(GaussianNB):
    """A classifier that keeps the rows that it was last asked about."""

    def predict_proba(self, X):
        self.read_ = X
        return super().predict_proba(X)


def world(seed, n, better=3.0):
    """Rows of two columns: the label with noise, and again, `better` / 2 times as loud."""
    rng = np.random.RandomState(seed)
    y = rng.randint(2, size=n)
    signs = 2 * y - 1
    return np.stack([signs + 1.5 * rng.randn(n), better * signs / 2 + 1.5 * rng.randn(n)], axis=1), y


def models(columns=(0, 1), **options):
    """A classifier that looks at the first column alone, and one that looks at `columns`, fitted, frozen."""
    X, y = world(0, 400, **options)
    return tuple(
        FrozenEstimator(
            make_pipeline(make_column_transformer(("passthrough", some)), LogisticRegression()).fit(X, y)
        )
        for some in ([0], list(columns))
    )


# ---------------------------------------------------------------- who answers
def test_each_row_is_answered_by_the_fast_model_where_it_is_sure_and_else_by_the_slow(cascade):
    proba = cascade.predict_proba(PANS.data)
    fast, slow = (model.predict_proba(PANS.data) for model in (cascade.fast_, cascade.slow_))
    kept = fast.max(axis=1) >= cascade.threshold_
    assert 0 < kept.mean() < 1
    np.testing.assert_allclose(proba, np.where(kept[:, None], fast, slow), atol=1e-6)
    assert cascade.answered_by(PANS.data).tolist() == np.where(kept, "fast", "slow").tolist()
    assert cascade.predict(PANS.data).tolist() == proba.argmax(axis=1).tolist()


def test_the_slow_model_reads_deferred_rows_alone():
    X, y = world(0, 300)
    model = CascadeClassifier(LogisticRegression(), Reader(), max_loss=3).fit(X, y, X_target=X)
    by = model.answered_by(X)
    model.predict(X)
    np.testing.assert_array_equal(model.slow_.read_, X[by == "slow"])
    model.slow_.read_ = None
    assert (model.answers(X[by == "fast"])[2] == "fast").all()
    assert model.slow_.read_ is None


def test_a_fast_model_that_folds_predicts_folded(cascade):
    assert isinstance(cascade._quick(), CompiledPipeline)
    assert isinstance(CascadeClassifier(*models(), max_loss=5).fit(*world(1, 300))._quick(), FrozenEstimator)


# ---------------------------------------------------------------- the threshold
def test_the_threshold_is_the_least_that_keeps_the_share_of_disagreements_below_max_loss():
    fast, slow = models()
    X, _ = world(1, 1000)
    model = CascadeClassifier(fast, slow, max_loss=1, held_out=1.0).fit(*world(0, 400), X_target=X)
    sure, differ = fast.predict_proba(X).max(axis=1), fast.predict(X) != slow.predict(X)
    kept = sure >= model.threshold_
    assert (differ & kept).sum() + 1 <= 0.01 * 1001
    assert model.expected_loss_ == pytest.approx(100 * ((differ & kept).sum() + 1) / 1001)
    more = sure >= np.sort(sure)[::-1][int(kept.sum()) + 5]  # another half percent
    assert (differ & more).sum() + 1 > 0.01 * 1001
    assert model.share_deferred_ == 1 - kept.mean()


@pytest.mark.parametrize("n_labels", [0, 100])
def test_no_more_is_lost_than_promised_on_the_mean_of_many_targets(n_labels):
    fast, slow = models(better=1.5)
    lost, deferred = [], []
    for seed in range(40):
        (X, y), (new, wanted) = world(seed + 1, 400, better=1.5), world(seed + 1000, 2000, better=1.5)
        known = np.where(np.arange(400) < n_labels, y, None) if n_labels else None
        model = CascadeClassifier(fast, slow, max_loss=2, held_out=1.0)
        model.fit(*world(0, 400), X_target=X, y_target=known)
        labels, _, by = model.answers(new)
        lost.append(100 * ((slow.predict(new) == wanted).mean() - (labels == wanted).mean()))
        deferred.append((by == "slow").mean())
    assert np.mean(lost) <= 2
    assert np.mean(deferred) < 0.9


def test_labels_let_a_fast_model_that_is_as_good_answer_more():
    fast, slow = models(columns=[1], better=2.0)
    given = CascadeClassifier(fast, slow, max_loss=2, held_out=1.0)
    X, y = world(3, 800, better=2.0)
    blind = clone(given).fit(X, y, X_target=X)
    told = clone(given).fit(X, y, X_target=X, y_target=y)
    assert blind.n_target_labels_ == 0
    assert told.n_target_labels_ == (fast.predict(X) != slow.predict(X)).sum()
    assert told.share_deferred_ < blind.share_deferred_ - 0.2
    assert told.expected_loss_ <= 2


def test_labels_are_learned_from_by_no_model_and_their_rows_are_held_out():
    few = np.array([label if i % 8 == 0 else None for i, label in enumerate(PANS.target)], object)
    model = CascadeClassifier(FAST, SLOW, max_loss=5).fit(FILMS.data, FILMS.target, PANS.data, few)
    rest, held, more = model._split(len(few), None, np.flatnonzero(few != None))  # noqa: E711
    assert set(np.flatnonzero(few != None)) <= {*held, *more}  # noqa: E711
    expected = clone(FAST).fit(FILMS.data, FILMS.target, X_target=[PANS.data[i] for i in rest])
    np.testing.assert_allclose(model.fast_.predict_proba(PANS.data), expected.predict_proba(PANS.data))
    by_target = clone(model).fit(FILMS.data, FILMS.target, Target(PANS.data, few))
    assert by_target.threshold_ == model.threshold_


def test_half_of_the_target_is_left_to_adapt_to_whatever_is_labelled():
    model = CascadeClassifier(FAST, SLOW)
    rest, held, more = model._split(100, None, np.arange(100))
    assert (len(rest), len(held), len(more)) == (50, 25, 25)


def test_without_a_target_a_part_of_the_source_is_held_out_with_its_labels():
    X, y = world(0, 400)
    y[:397] = 0, *y[1:397]
    model = CascadeClassifier(LogisticRegression(), GaussianNB(), max_loss=5).fit(X, y)
    rest, held, _ = model._split(400, y, np.arange(400))
    assert set(y[rest]) == {0, 1}
    assert model.n_held_out_ == len(held) == 100
    assert model.fast_.coef_ == pytest.approx(LogisticRegression().fit(X[rest], y[rest]).coef_)


def test_without_a_target_models_with_an_adapter_adapt_nothing():
    X, y = world(0, 400)
    fast = make_transfer_pipeline(DomainCentering(), LogisticRegression())
    model = CascadeClassifier(fast, GaussianNB(), max_loss=5).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), model.predict_source(X))


def test_too_few_rows_to_promise_so_little_are_all_deferred_with_a_warning():
    with pytest.warns(UserWarning, match=r"by 80 rows held out .* 0\.5 points .* fewer than 199"):
        model = CascadeClassifier(FAST, SLOW).fit(FILMS.data, FILMS.target, X_target=PANS.data)
    assert model.threshold_ == np.inf
    assert (model.share_deferred_, model.expected_loss_) == (1.0, 0.0)
    assert set(model.answered_by(PANS.data)) == {"slow"}


def test_max_loss_of_100_lets_the_fast_model_answer_what_was_held_out():
    fast, slow = models()
    X, _ = world(1, 300)
    model = CascadeClassifier(fast, slow, max_loss=100, held_out=1.0).fit(*world(0, 400), X_target=X)
    assert set(model.answered_by(X)) == {"fast"}
    assert model.share_deferred_ == 0


# ---------------------------------------------------------------- an estimator like any other
def test_it_is_cloned_and_its_models_parameters_are_set_through_it():
    model = clone(CascadeClassifier(FAST, make_recipe("words")))
    model.set_params(max_loss=2, fast__logisticregression__C=3)
    assert model.fast[-1].C == 3
    assert model.get_params()["slow__selftrainingclassifier__n_rounds"] == 5
    told = with_priors(model, np.array([0.2, 0.8]))
    assert told.slow[-1].priors == [0.2, 0.8]
    assert told.fast[1].priors == [0.2, 0.8]


def test_saved_and_loaded_it_predicts_the_same(cascade, tmp_path):
    loaded = load_pipeline(save_pipeline(cascade, tmp_path / "model"))
    for model in (loaded, pickle.loads(pickle.dumps(cascade))):
        for found, expected in zip(model.answers(PANS.data), cascade.answers(PANS.data), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_a_scored_file_says_who_answered_where_margins_are_asked_for(cascade, tmp_path):
    texts = [text.replace("\n", " ") for text in PANS.data]
    pd.DataFrame({"text": texts}).to_csv(tmp_path / "a.csv", index=False)
    score_file(cascade, tmp_path / "a.csv", tmp_path / "b.csv", margin=True, proba=True, columns=[])
    found, (labels, proba, by) = pd.read_csv(tmp_path / "b.csv"), cascade.answers(texts)
    assert list(found) == [
        "prediction",
        "confidence",
        "margin",
        "answered_by",
        "prediction_0",
        "prediction_1",
    ]
    assert found["answered_by"].tolist() == by.tolist()
    assert found["prediction"].tolist() == labels.tolist()
    np.testing.assert_allclose(found[["prediction_0", "prediction_1"]], proba, atol=1e-6)
    folder = save_pipeline(cascade, tmp_path / "model")
    command = ["score", str(folder), str(tmp_path / "a.csv"), "-o", str(tmp_path / "c.csv"), "--margin"]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert pd.read_csv(tmp_path / "c.csv")["answered_by"].tolist() == by.tolist()
    score_file(cascade, tmp_path / "a.csv", tmp_path / "d.csv")
    assert list(pd.read_csv(tmp_path / "d.csv")) == ["text", "prediction"]


@pytest.mark.parametrize(
    "kind", [tuple, np.array, pd.Series, pl.Series, pa.array], ids=lambda kind: kind.__name__
)
def test_texts_come_in_any_container(cascade, kind):
    model = clone(cascade).fit(kind(FILMS.data), FILMS.target, X_target=kind(PANS.data))
    assert model.threshold_ == cascade.threshold_
    assert model.predict(kind(PANS.data)).tolist() == cascade.predict(PANS.data).tolist()
    assert model.predict(kind(PANS.data)[:0]).tolist() == []


def test_rows_may_be_sparse():
    X, y = world(0, 300)
    given = CascadeClassifier(LogisticRegression(), LogisticRegression(C=0.01), max_loss=5)
    found = clone(given).fit(sparse.csr_matrix(X), y).predict(sparse.csr_matrix(X))
    assert found.tolist() == given.fit(X, y).predict(X).tolist()
    found = clone(given).fit(sparse.coo_matrix(X), y).predict(sparse.coo_matrix(X))
    assert found.tolist() == given.predict(X).tolist()


def test_source_rows_go_through_the_source_path_of_both_models(cascade):
    proba = cascade.predict_proba_source(FILMS.data)
    fast, slow = (m.predict_proba_source(FILMS.data) for m in (cascade.fast_, cascade.slow_))
    kept = fast.max(axis=1) >= cascade.threshold_
    np.testing.assert_allclose(proba, np.where(kept[:, None], fast, slow), atol=1e-6)
    assert cascade.predict_source(FILMS.data).tolist() == proba.argmax(axis=1).tolist()


# ---------------------------------------------------------------- what is refused
def test_a_plain_pipeline_with_an_adapter_is_refused():
    plain = make_pipeline(WordEmbedder(), DomainCentering(), LogisticRegression())
    with pytest.raises(ValueError, match=r"as the slow model, .* Make it with make_transfer_pipeline"):
        CascadeClassifier(FAST, plain).fit(FILMS.data, FILMS.target, X_target=PANS.data)


def test_a_frozen_model_of_other_classes_is_refused():
    fast, slow = models()
    X, y = world(0, 400)
    with pytest.raises(ValueError, match=r"The fast model has classes \[0, 1\]\. Expected y's: \['a', 'b'\]"):
        CascadeClassifier(fast, slow).fit(X, np.where(y, "a", "b"))


def test_labels_without_a_target_are_refused():
    with pytest.raises(ValueError, match=r"Got y_target, but no X_target"):
        CascadeClassifier(FAST, SLOW).fit(FILMS.data, FILMS.target, y_target=PANS.target)


def test_a_cascade_does_not_compile_and_says_that_its_fast_model_does(cascade):
    with pytest.raises(ValueError, match=r"Cannot compile a cascade .* its fast model is folded"):
        compile_pipeline(cascade)
