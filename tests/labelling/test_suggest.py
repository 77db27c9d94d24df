"""suggest_labels: rows worth labelling, spread, without copies, and how they were drawn."""

from time import perf_counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier

from embtransfer import (
    CoTrainingClassifier,
    NaiveBayesLogisticRegression,
    NGramVectorizer,
    SelfTrainingClassifier,
    WordEmbedder,
    compile_pipeline,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
    suggest_labels,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.labelling._draw import draw, spread
from embtransfer.labelling._views import disagreement, margin

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
METHODS = ("default", "random", "typical", "margin", "diverse", "disagreement")


@pytest.fixture(scope="module")
def words():
    return make_recipe("words").fit(FILMS.data, FILMS.target, X_target=PANS.data)


def two_blobs(n=400, seed=0):
    rng = np.random.RandomState(seed)
    y = np.arange(n) % 2
    return rng.normal(size=(n, 2)) + 3 * y[:, None], y


@pytest.mark.parametrize("method", METHODS)
def test_rows_are_distinct_unlabelled_and_repeat_by_seed(words, method):
    known = dict.fromkeys(range(100), 1)
    options = {"y_target": known, "method": method, "random_state": 3}
    found = suggest_labels(words, PANS.data, 40, **options)
    assert found.columns.tolist() == ["row", "why", "probability"]
    assert len(found) == found["row"].nunique() == 40
    assert found["row"].min() >= 100
    pd.testing.assert_frame_equal(found, suggest_labels(words, PANS.data, 40, **options))
    assert found["probability"].notna().equals(found["why"] == "random")


def test_the_default_is_diverse_and_every_fifth_random(words):
    found = suggest_labels(words, PANS.data, 30)["why"].tolist()
    assert found == [*["diverse"] * 4, "random"] * 6


def test_labels_come_as_a_dict_or_one_a_row(words):
    given = suggest_labels(words, PANS.data, 10, y_target={2: 1, 5: 0})
    column = pd.Series([np.nan, np.nan, 1, np.nan, np.nan, 0, *[np.nan] * (len(PANS.data) - 6)])
    for labels in (column, column.astype("Int64"), [None if pd.isna(v) else int(v) for v in column]):
        pd.testing.assert_frame_equal(suggest_labels(words, PANS.data, 10, y_target=labels), given)


def test_copies_are_suggested_once_and_not_if_one_is_labelled(words):
    texts = [*PANS.data[:40], *("  " + text.upper() for text in PANS.data[:40])]
    for method in METHODS:
        rows = suggest_labels(words, texts, 80, method=method)["row"].to_numpy() % 40
        assert len(np.unique(rows)) == len(rows) == 40
        rows = suggest_labels(words, texts, 80, y_target={45: 1}, method=method)["row"].to_numpy() % 40
        assert 5 not in rows
        assert len(rows) == 39


def test_retweets_and_texts_with_other_links_are_suggested_once(words):
    texts = PANS.data[:30]
    passed_on = [f"RT @cook_{i}: {text} http://t.co/{i}" for i, text in enumerate(texts)]
    for method in METHODS:
        rows = suggest_labels(words, [*texts, *passed_on], 80, method=method)["row"].to_numpy()
        assert len(np.unique(rows % 30)) == len(rows) == 30
        rows = suggest_labels(words, [*texts, *passed_on], 80, y_target={35: 1}, method=method)["row"]
        assert len(rows) == 29
        assert not {5, 35} & {*rows}


@pytest.mark.parametrize("method", METHODS)
def test_texts_without_a_word_in_common_are_suggested_too(words, method):
    found = suggest_labels(words, ["good qqq", "bad vvv", "xxx", "zzz"], 2, method=method)
    assert len(found) == 2
    assert sorted(suggest_labels(words, ["good", "bad pan"], 5, method=method)["row"]) == [0, 1]


def test_of_near_copies_any_may_be_drawn(words):
    texts = [*PANS.data[:30], *(f"{text} https://t.co/x" for text in PANS.data[:30])]
    found = suggest_labels(words, texts, 30, method="random")
    assert 5 < (found["row"] < 30).sum() < 25
    assert set(found["probability"]) == {0.5}


def test_each_method_takes_what_it_says():
    X, y = two_blobs()
    model = SelfTrainingClassifier().fit(X[:40], y[:40], X_target=X)
    near = margin(model.predict_proba(X))
    rows = suggest_labels(model, X, 10, method="margin")["row"]
    assert near[rows].max() < np.median(near)
    rows = suggest_labels(model, X, 10, method="diverse")["row"]
    assert near[rows].max() <= np.median(near)
    apart = np.linalg.norm(X[rows][:, None] - X[rows], axis=2)
    assert apart[np.triu_indices(10, 1)].min() > 0.2
    views = [model.predict_proba(X), model.unadapted_estimator_.predict_proba(X)]
    apart = disagreement(views)
    assert apart[suggest_labels(model, X, 10, method="disagreement")["row"]].min() > np.median(apart)
    typical = suggest_labels(model, X, 2, method="typical")["row"]
    centres = np.stack([X[y == label].mean(axis=0) for label in (0, 1)])
    away = np.linalg.norm(X[typical][:, None] - centres, axis=2)
    assert sorted(away.argmin(axis=1)) == [0, 1]


def test_classes_come_in_their_predicted_shares():
    X, y = two_blobs()
    model = LogisticRegression().fit(X, y)
    some = np.flatnonzero((y == 0) | (np.arange(len(y)) % 8 == 1))  # 20 % of class 1
    for method in ("typical", "margin"):
        rows = suggest_labels(model, X[some], 20, method=method)["row"]
        assert (model.predict(X[some])[rows] == 1).sum() in (3, 4, 5)


def test_every_row_is_drawn_as_often_as_is_said():
    rng = np.random.RandomState(0)
    margins, sizes = rng.rand(30), rng.randint(1, 4, size=30)
    weights = spread(margins)
    drawn, said = np.zeros(30), np.zeros(30)
    for _ in range(20_000):
        rows, chances = draw(margins, sizes, weights, 6, rng)
        drawn[rows] += 1
        said[rows] = chances
    np.testing.assert_allclose(drawn / 20_000, said * sizes, atol=0.015)
    assert weights[margins.argmin()] > weights[margins.argmax()]


def test_random_rows_have_one_chance(words):
    found = suggest_labels(words, PANS.data, 32, method="random")
    assert set(found["probability"]) == {0.1}


@pytest.mark.parametrize(
    ("model", "X"),
    [
        (LogisticRegression(), np.asarray),
        (LogisticRegression(), sparse.csr_array),
        (RidgeClassifier(), pd.DataFrame),
    ],
)
def test_rows_of_numbers(model, X):
    rows, y = two_blobs(60)
    found = suggest_labels(model.fit(rows, y), X(rows), 25)
    assert set(found["why"]) == {"diverse", "random"}


def test_a_threshold_changes_no_suggestion(words):
    by_threshold = FixedThresholdClassifier(FrozenEstimator(words), threshold=0.7).fit(PANS.data, PANS.target)
    found = suggest_labels(by_threshold, PANS.data, 10)
    pd.testing.assert_frame_equal(found, suggest_labels(words, PANS.data, 10))


def test_the_views_are_those_that_predict():
    views = [
        ("words", make_transfer_pipeline(NGramVectorizer(), NaiveBayesLogisticRegression())),
        ("vectors", make_transfer_pipeline(WordEmbedder(), make_classifier("logistic"))),
    ]
    model = CoTrainingClassifier(views, n_rounds=1).fit(FILMS.data, FILMS.target, X_target=PANS.data)
    assert len(suggest_labels(model, PANS.data, 5, method="disagreement")) == 5
    model.predict_with = ["words"]
    with pytest.raises(ValueError, match=r"CoTrainingClassifier with one view"):
        suggest_labels(model, PANS.data, 5, method="disagreement")


def test_what_is_refused(words):
    numbers = make_transfer_pipeline(WordEmbedder(), LinearRegression()).fit(FILMS.data, FILMS.target)
    ask = suggest_labels
    with pytest.raises(ValueError, match=r"Got n=0. Expected a whole number"):
        ask(words, PANS.data, 0)
    with pytest.raises(ValueError, match=r"method 'sure'"):
        ask(words, PANS.data, method="sure")
    with pytest.raises(
        ValueError, match=r"y_target of row 320. Expected positions in X_target, from 0 to 319"
    ):
        ask(words, PANS.data, y_target={320: 1})
    with pytest.raises(ValueError, match=r"y_target of row True\. Expected positions in X_target"):
        ask(words, PANS.data, y_target={True: 1})
    with pytest.raises(ValueError, match=r"y_target has 2 values, but X_target has 320 rows"):
        ask(words, PANS.data, y_target=[1, None])
    with pytest.raises(ValueError, match=r"y_target holds 'good', but the classes of the model are \[0, 1\]"):
        ask(words, PANS.data, y_target={0: "good"})
    with pytest.raises(TypeError, match=r"Got TransferPipeline. Expected a fitted pipeline or classifier"):
        ask(numbers, PANS.data)
    with pytest.raises(TypeError, match=r"Got CompiledPipeline\..*not its compiled form"):
        ask(compile_pipeline(words), PANS.data)


def test_time_grows_with_rows_and_no_faster():
    """A matrix of row against row would have 1.6 billion cells."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40_000, 16)).astype(np.float32)
    model = LogisticRegression().fit(X[:200], X[:200, 0] > 0)
    start = perf_counter()
    for method in ("typical", "diverse"):
        assert len(suggest_labels(model, X, 50, method=method)) == 50
    assert perf_counter() - start < 60


@pytest.mark.parametrize("method", ["default", "random", "margin", "diverse"])
def test_texts_without_a_letter_are_not_suggested(words, method):
    found = suggest_labels(words, [" ", None, *PANS.data[:40]], 42, method=method)
    assert sorted(found["row"]) == list(range(2, 42))


@pytest.mark.parametrize("kind", [pa.array, pd.Series, np.array])
def test_texts_come_in_any_container(words, kind):
    expected = suggest_labels(words, PANS.data[:40], 8)
    pd.testing.assert_frame_equal(suggest_labels(words, kind(PANS.data[:40]), 8), expected)
