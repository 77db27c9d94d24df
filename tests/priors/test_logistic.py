"""Logistic regression by Newton steps in as many numbers as rows."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from embtransfer.priors._logistic import fit_classifier, fit_logistic


def wide(n_rows=80, n_columns=600, seed=0):
    rows = sparse.random_array((n_rows, n_columns), density=0.05, format="csr", rng=seed)
    return sparse.csr_array(normalize(rows)), np.random.default_rng(seed).random(n_rows) < 0.3


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0, 10_000.0])
def test_it_ends_at_the_optimum(C):
    rows, positive = wide()
    coef, intercept, n_iter = fit_logistic(rows, positive, C, 300)
    best = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12).fit(rows, positive)
    here, there = rows @ coef + intercept, best.decision_function(rows)
    np.testing.assert_allclose(here, there, atol=2e-3 * np.abs(there).max())
    assert 0 < n_iter < 40


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_weight_for_each_row_is_a_row_as_often(n_classes):
    rows, rng = wide()[0], np.random.default_rng(1)
    often, y = rng.integers(0, 4, rows.shape[0]), rng.integers(0, n_classes, rows.shape[0])
    weighted = fit_classifier(LogisticRegression(C=2.0), rows, y, often.astype(float))
    repeated = np.repeat(np.arange(len(y)), often)
    again = fit_classifier(LogisticRegression(C=2.0), rows[repeated], y[repeated])
    np.testing.assert_allclose(weighted.coef_, again.coef_, atol=1e-4 * np.abs(again.coef_).max())
    np.testing.assert_allclose(weighted.predict_proba(rows), again.predict_proba(rows), rtol=1e-4)


@pytest.mark.parametrize("dense", [False, True], ids=["csr", "dense"])
def test_counts_that_are_whole_numbers_are_those_that_are_not(dense):
    rows = sparse.csr_array((wide()[0] > 0).astype(np.int64))
    rows, y = rows.toarray() if dense else rows, wide()[1]
    whole, same = (fit_classifier(LogisticRegression(), given, y) for given in (rows, rows.astype(float)))
    np.testing.assert_array_equal(whole.predict_proba(rows), same.predict_proba(rows))


@pytest.mark.parametrize("dense", [False, True], ids=["csr", "dense"])
def test_more_classes_end_at_the_optimum(dense):
    rows = wide()[0].toarray() if dense else wide()[0]
    y = np.random.default_rng(3).integers(0, 4, 80)
    weights = np.random.default_rng(2).random(len(y))
    mine = fit_classifier(LogisticRegression(C=10.0), rows, y, weights)
    best = LogisticRegression(C=10.0, max_iter=1000, tol=1e-8).fit(rows, y, weights)
    assert mine.n_iter_ < best.n_iter_
    np.testing.assert_allclose(mine.predict_proba(rows), best.predict_proba(rows), atol=1e-3)
    np.testing.assert_allclose(mine.coef_, best.coef_, atol=1e-2 * np.abs(best.coef_).max())
    assert (mine.coef_.shape, mine.intercept_.shape) == (best.coef_.shape, best.intercept_.shape)


def test_rows_of_zeros_leave_the_share():
    positive = np.arange(10) < 3
    coef, intercept, _ = fit_logistic(sparse.csr_array((10, 4)), positive, 1.0, 10)
    np.testing.assert_array_equal(coef, 0)
    np.testing.assert_allclose(intercept, np.log(3 / 7))


def test_too_few_steps_are_said():
    rows, positive = wide()
    with pytest.warns(ConvergenceWarning, match=r"Got max_iter=1, in which .* Raise it\."):
        fit_logistic(rows, positive, 100.0, 1)


@pytest.mark.parametrize("dense", [False, True], ids=["csr", "dense"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_a_plain_classifier_is_that_of_scikit_learn(dense, weighted):
    rows, positive = wide()
    rows, y = (rows.toarray() if dense else rows).astype(np.float32), np.where(positive, "yes", "no")
    weights = np.random.default_rng(2).random(len(y)) if weighted else None
    mine = fit_classifier(LogisticRegression(C=10.0, max_iter=1000), rows, y, weights)
    best = LogisticRegression(C=10.0, max_iter=1000, tol=1e-8).fit(rows.astype(np.float64), y, weights)
    np.testing.assert_allclose(mine.predict_proba(rows), best.predict_proba(rows), atol=1e-3)
    assert {name: np.asarray(value).dtype.kind for name, value in vars(mine).items()} == {
        name: np.asarray(value).dtype.kind for name, value in vars(best).items()
    }
    assert mine.coef_.dtype == np.float32
    assert mine.n_iter_ != best.n_iter_


@pytest.mark.parametrize(
    "classifier",
    [LogisticRegression(tol=1e-3), LogisticRegression(class_weight="balanced"), LogisticRegression(C=2.0)],
)
def test_what_is_not_plain_or_is_wide_and_of_many_classes_fits_itself(classifier):
    rows, y = wide()[0], np.arange(80) % 2
    if classifier.C == 2:
        rows, y = rows.toarray(), np.arange(80) % 10
    mine = fit_classifier(clone(classifier), rows, y)
    np.testing.assert_array_equal(mine.coef_, clone(classifier).fit(rows, y).coef_)


def test_rows_that_are_no_numbers_are_refused_as_by_scikit_learn():
    rows = np.array([[0.0, np.nan], [1.0, 0.0], [2.0, 1.0]])
    with pytest.raises(ValueError, match="contains NaN"):
        fit_classifier(LogisticRegression(), rows, [0, 1, 1])


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_numbers_whose_products_overflow_are_left_to_scikit_learn(container):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    rows = container((1e18 * (rng.random((40, 4)) + y[:, None])).astype(np.float32))
    expected = LogisticRegression().fit(rows, y).coef_
    np.testing.assert_array_equal(fit_classifier(LogisticRegression(), rows, y).coef_, expected)
