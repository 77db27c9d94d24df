"""suspicious_labels: labels that were changed are found, and clean ones give few."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from embtransfer import (
    CoTrainingClassifier,
    DomainCentering,
    MultiLabelClassifier,
    NGramVectorizer,
    SelfTrainingClassifier,
    WordEmbedder,
    WordVectors,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
    suspicious_labels,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.labelling._suspicious import _error_rates

FILMS = load_demo_reviews("films")


def world(n_classes=2, share=0.0, n=1500, seed=0):
    """Rows, true labels, given labels of which a share is wrong; some rows are hard to tell."""
    rng = np.random.RandomState(seed)
    true = rng.randint(n_classes, size=n)
    X = 3.3 * np.eye(n_classes)[true] + rng.normal(size=(n, n_classes))
    given, wrong = true.copy(), rng.permutation(n)[: int(share * n)]
    given[wrong] = (given[wrong] + rng.randint(1, n_classes, len(wrong))) % n_classes
    return X, true, given


@pytest.mark.parametrize("n_classes", [2, 5])
def test_clean_labels_give_few_though_many_rows_are_hard(n_classes):
    X, true, given = world(n_classes)
    predicted = LogisticRegression().fit(X, true).predict(X)
    hard = (predicted != true).sum()
    assert hard > 8
    assert len(suspicious_labels(LogisticRegression(), X, given)) < hard / 4


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("share", [0.05, 0.15])
def test_wrong_labels_are_found_and_their_number(n_classes, share):
    X, true, given = world(n_classes, share)
    found = suspicious_labels(LogisticRegression(), X, given)
    assert found.columns.tolist() == ["row", "label", "suggested", "suspicion"]
    assert found["suspicion"].is_monotonic_decreasing
    wrong = (true != given)[found["row"]]
    assert 0.6 * share < len(found) / len(X) < 1.1 * share
    assert wrong.mean() > found["suspicion"].mean() > 0.7
    assert wrong.mean() > 0.95
    assert found["label"].tolist() == given[found["row"]].tolist()
    assert (found["suggested"] == true[found["row"]])[wrong].mean() > 0.9


def test_errors_of_one_class_are_laid_to_it():
    X, true, given = world(3, seed=1)
    given[np.flatnonzero(true == 0)[::6]] = 2
    found = suspicious_labels(LogisticRegression(), X, given)[:60]
    assert (found["label"] == 2).mean() > 0.9
    proba = np.eye(3)[true] * 0.9 + 0.1 / 3
    rates = _error_rates(proba, given)
    assert rates.sum(axis=1) == pytest.approx(1)
    assert rates[0, 2] > 0.1 > 5 * max(rates[1, 2], rates[2, 1])


def test_of_equally_sure_rows_all_say_how_many_labels_are_wrong():
    given = np.repeat([0, 1], 50)
    given[:5] = 1
    proba = np.eye(2)[np.repeat([0, 1], 50)] * 0.8 + 0.1
    rates, order = _error_rates(proba, given), np.random.default_rng(0).permutation(100)
    assert rates[0, 1] == pytest.approx((0.1 * 5 + 20 * 0.05) / 25)
    assert _error_rates(proba[order], given[order]) == pytest.approx(rates)


@pytest.mark.parametrize(
    "model",
    [
        make_transfer_pipeline(WordEmbedder(), SelfTrainingClassifier(LogisticRegression())),
        make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic")),
        CoTrainingClassifier(
            [
                ("words", make_transfer_pipeline(NGramVectorizer(), LogisticRegression(C=10))),
                ("vectors", make_transfer_pipeline(WordEmbedder(), LogisticRegression())),
            ]
        ),
    ],
    ids=["self-trained", "vectors", "co-trained"],
)
def test_changed_labels_of_reviews_come_first(model):
    y, changed = FILMS.target.copy(), np.random.RandomState(0).permutation(320)[:32]
    y[changed] = 1 - y[changed]
    found = suspicious_labels(model, FILMS.data, np.array(["bad", "good"])[y])
    assert np.isin(found["row"], changed)[:20].mean() > 3 * 32 / 320
    assert set(found["suggested"]) == {"bad", "good"}
    assert (found["suggested"] != found["label"]).all()


def test_it_is_the_same_of_a_fitted_model_any_container_and_the_same_seed():
    model = make_recipe("words")
    found = suspicious_labels(model, FILMS.data, FILMS.target)
    model.fit(FILMS.data, FILMS.target)
    before = model[-1].estimator_
    pd.testing.assert_frame_equal(suspicious_labels(model, pd.Series(FILMS.data), FILMS.target), found)
    assert model[-1].estimator_ is before


def test_copies_are_held_out_together():
    rng = np.random.RandomState(0)
    letters = np.array([*"abcdefghijklmnopqrstuvwxyz"])
    texts = ["".join(rng.choice(letters, 12)) for _ in range(100)]  # nothing is learned but from copies
    texts += [text.upper() for text in texts]
    y = rng.randint(2, size=100)
    found = suspicious_labels(make_recipe("words"), texts, np.concatenate([y, 1 - y]))
    assert (found["suspicion"] < 0.8).all()


def test_texts_without_spaces_are_judged_by_the_model_alone():
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    others = [*"电影厨房昨天我买了这个刀故事"]
    texts = ["".join(rng.permutation([*rng.choice(others, 5), "坏好"[label]])) for label in y]
    table = WordVectors([*others, *"坏好"], 20 * np.eye(len(others) + 2))
    embedder = WordEmbedder(table, token_pattern="characters")
    model = make_transfer_pipeline(embedder, make_classifier("logistic"))
    given = np.where(np.arange(200) < 10, 1 - y, y)
    found = suspicious_labels(model, texts, given)
    assert set(found["row"][:10]) == set(range(10))


def test_rows_of_numbers_and_sparse_ones():
    X, true, given = world(2, 0.1, n=600)
    dense = suspicious_labels(SelfTrainingClassifier(), X, given)
    found = suspicious_labels(SelfTrainingClassifier(), sparse.csr_array(X), given)
    assert np.isin(dense["row"], found["row"]).mean() > 0.9
    assert (true != given)[dense["row"]].mean() > 0.6


def test_what_is_refused():
    X, _, given = world(n=60)
    with pytest.raises(
        TypeError, match=r"ends with RidgeClassifier. Expected a classifier of one label a row"
    ):
        suspicious_labels(RidgeClassifier(), X, given)
    with pytest.raises(
        TypeError, match=r"ends with MultiLabelClassifier. Expected a classifier of one label"
    ):
        suspicious_labels(MultiLabelClassifier().fit(X, [[one] for one in given]), X, given)
    with pytest.raises(ValueError, match=r"The class 'c', or another, has no two distinct rows"):
        suspicious_labels(LogisticRegression(), X, [*np.array(["a", "b"])[given[:-1]], "c"])
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples"):
        suspicious_labels(LogisticRegression(), X, given[1:])
