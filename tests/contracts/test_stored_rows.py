"""Rows however they are stored: every part gives of the same numbers the same results."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from embtransfer import (
    MSDA,
    SCL,
    TCA,
    CORALClassifier,
    CoTrainingClassifier,
    FeatureAugmentationClassifier,
    ImportanceWeightedClassifier,
    JointDistributionAdaptation,
    LabelShiftClassifier,
    LengthScaling,
    NaiveBayesLogisticRegression,
    NoAdaptation,
    PooledClassifier,
    SelfTrainingClassifier,
    TransferSearch,
    check_domains,
    compare,
    covariance_distance,
    density_ratio,
    learning_curve,
    make_transfer_pipeline,
    mmd,
    proxy_a_distance,
)

LOGISTIC = LogisticRegression(max_iter=500)
VIEWS = CoTrainingClassifier([("one", LOGISTIC), ("other", LogisticRegression(C=0.1, max_iter=500))])
CLASSIFIERS = [
    *(ImportanceWeightedClassifier(weights=name) for name in ("nearest", "classifier", "kliep", "kmm")),
    *(SelfTrainingClassifier(), LabelShiftClassifier(n_bootstrap=2), PooledClassifier(), CORALClassifier()),
    *(FeatureAugmentationClassifier(), VIEWS),
]
ADAPTERS = MSDA(), SCL(3), TCA(2), JointDistributionAdaptation(2), LengthScaling(), NoAdaptation()
PARTS = [*CLASSIFIERS, *(make_transfer_pipeline(adapter, LOGISTIC) for adapter in ADAPTERS)]
every_part = pytest.mark.parametrize("part", PARTS, ids=repr)


def counts(seed=0):
    """Counts of words in two domains, and classes."""
    rng = np.random.default_rng(seed)
    y = np.arange(60) % 2
    source, target = rng.poisson(1.0, (60, 8)), rng.poisson(1.0, (50, 8))
    source[:, 0] += 2 * y
    target[:25, 0] += 2
    target[:, 1] += 1
    return source.astype(float), y, target.astype(float)


def in_halves(rows):
    """Each entry stored as two, as who makes a csr matrix of the words' positions by hand leaves them."""
    rows = sparse.csr_matrix(rows)
    return sparse.csr_matrix(
        (np.repeat(rows.data / 2, 2), np.repeat(rows.indices, 2), 2 * rows.indptr), shape=rows.shape
    )


def probabilities(part, source, y, target):
    return clone(part).fit(source, y, X_target=target).predict_proba(target)


@every_part
def test_an_entry_stored_in_parts_is_their_sum(part):
    source, y, target = counts()
    whole = probabilities(part, sparse.csr_matrix(source), y, sparse.csr_matrix(target))
    halves = in_halves(source), in_halves(target)
    np.testing.assert_allclose(probabilities(part, halves[0], y, halves[1]), whole, atol=1e-9)
    assert halves[0].nnz == 2 * np.count_nonzero(source)  # what was given is as it was


def test_words_stored_in_parts_are_counted_once():
    source, y, target = counts()
    model = NaiveBayesLogisticRegression(binarize=True)
    whole = model.fit(sparse.csr_matrix(source), y).predict_proba(target)
    np.testing.assert_allclose(model.fit(in_halves(source), y).predict_proba(in_halves(target)), whole)


@pytest.mark.parametrize("of", [density_ratio, lambda *rows: mmd(*rows, n_permutations=2).squared_mmd])
def test_distances_of_entries_stored_in_parts(of):
    source, _, target = counts()
    whole = of(sparse.csr_matrix(source), sparse.csr_matrix(target))
    np.testing.assert_allclose(of(in_halves(source), in_halves(target)), whole)


@every_part
@pytest.mark.parametrize("dense", ["source", "target"])
def test_one_domain_may_be_sparse(part, dense):
    source, y, target = counts()
    both = [sparse.csr_array(source), sparse.csr_array(target)]
    one = [source, both[1]] if dense == "source" else [both[0], target]
    expected = probabilities(part, both[0], y, both[1])
    np.testing.assert_allclose(probabilities(part, one[0], y, one[1]), expected, atol=1e-6)


@pytest.mark.parametrize("of_pandas", ["source", "target"])
def test_views_take_a_table_of_pandas_and_an_array(of_pandas):
    source, y, target = counts()
    expected = probabilities(VIEWS, source, y, target)
    rows = [pd.DataFrame(source), target] if of_pandas == "source" else [source, pd.DataFrame(target)]
    fitted = clone(VIEWS).fit(rows[0], y, X_target=rows[1])
    np.testing.assert_allclose(fitted.predict_proba(target), expected, atol=1e-9)


def test_views_take_a_column_of_texts_and_a_list():
    texts, y = ["good film", "bad plot", "good end", "bad film"] * 5, [1, 0, 1, 0] * 5
    of_texts = CalibratedClassifierCV(make_pipeline(TfidfVectorizer(), LOGISTIC), cv=2)
    model = CoTrainingClassifier([("texts", of_texts)])
    target = ["good pan", "bad pan", "bad lid"] * 4
    expected = probabilities(model, texts, y, target)
    np.testing.assert_array_equal(probabilities(model, pd.Series(texts), y, target), expected)


@pytest.mark.parametrize(
    "asked",
    [
        lambda X, y, Z: mmd(X, Z),
        lambda X, y, Z: proxy_a_distance(X, Z),
        lambda X, y, Z: covariance_distance(X, Z),
        lambda X, y, Z: density_ratio(X, Z),
        check_domains,
        compare,
        lambda X, y, Z: TransferSearch().fit(X, y, Z),
        lambda X, y, Z: learning_curve(X, y, Z),
    ],
)
def test_columns_in_another_order_are_refused(asked):
    source, y, target = counts()
    names = list("abcdefgh")
    source, target = pd.DataFrame(source, columns=names), pd.DataFrame(target, columns=names)
    with pytest.raises(ValueError, match=r"Got 'h' as column 1 of the target, where the source has 'a'"):
        asked(source, y, target[names[::-1]])
