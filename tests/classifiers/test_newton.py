"""Logistic regression by Newton steps in as many numbers as rows."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from embtransfer.classifiers._newton import fit_logistic


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


def test_a_weight_for_each_row_is_a_row_as_often():
    rows, positive = wide()
    often = np.random.default_rng(1).integers(0, 4, len(positive))
    coef, intercept, _ = fit_logistic(rows, positive, 2.0 * often, 300)
    repeated = np.repeat(np.arange(len(positive)), often)
    again, offset, _ = fit_logistic(rows[repeated], positive[repeated], 2.0, 300)
    np.testing.assert_allclose(coef, again, atol=1e-3 * np.abs(again).max())
    np.testing.assert_allclose(intercept, offset, atol=1e-3)


def test_rows_of_zeros_leave_the_share():
    positive = np.arange(10) < 3
    coef, intercept, _ = fit_logistic(sparse.csr_array((10, 4)), positive, 1.0, 10)
    np.testing.assert_array_equal(coef, 0)
    np.testing.assert_allclose(intercept, np.log(3 / 7))


def test_too_few_steps_are_said():
    rows, positive = wide()
    with pytest.warns(ConvergenceWarning, match=r"Got max_iter=1, in which .* Raise it\."):
        fit_logistic(rows, positive, 100.0, 1)
