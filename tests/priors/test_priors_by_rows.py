"""Class shares of the target from embedded rows: one view and two, dense and sparse, given and estimated."""

import numpy as np
import pytest
from scipy import sparse

from embtransfer import NaiveBayesLogisticRegression
from embtransfer.priors import _rows, priors_by_rows

Y = np.arange(200) % 2
TARGET = np.random.default_rng(7).random(200) < 0.8


def dense(seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(2, 8))
    source, target = rng.normal(size=(2, 200, 8))
    return source + means[Y], target + means[TARGET.astype(int)] + shift


def counts(seed=0):
    rng = np.random.default_rng(seed)
    chances = np.where(np.arange(60) // 30 == np.arange(2)[:, None], 0.4, 0.2)
    source, target = rng.random(size=(2, 200, 60))
    domains = source < chances[Y], target < chances[TARGET.astype(int)]
    return tuple(sparse.csr_array(rows.astype(float)) for rows in domains)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("source", [0.5, 0.5]), ("uniform", [0.5, 0.5]), ([0.3, 0.7], [0.3, 0.7]), ((0, 1), [0, 1])],
    ids=str,
)
def test_known_shares_are_their_own_interval(wanted, expected):
    found = priors_by_rows(wanted, [dense()], Y)
    assert found.source.tolist() == [0.5, 0.5]
    assert found.target.tolist() == expected
    assert found.intervals.tolist() == [[share, share] for share in expected]


def test_uniform_shares_of_a_source_whose_classes_are_not():
    found = priors_by_rows("uniform", [dense()], (np.arange(200) < 150).astype(int))
    assert found.source.tolist() == [0.25, 0.75]
    assert found.target.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    "domains", [[dense()], [counts()], [dense(), counts()]], ids=["dense", "counts", "both"]
)
def test_estimated_by_any_views(domains):
    found = priors_by_rows("estimated", domains, Y)
    assert abs(found.target[1] - TARGET.mean()) < 0.1
    assert found.intervals[1, 0] < TARGET.mean() < found.intervals[1, 1]


def test_a_shift_and_a_scale_of_dense_rows_is_taken_off_before():
    source, target = dense()
    expected = priors_by_rows("estimated", [(source, target)], Y).target
    found = priors_by_rows("estimated", [(100 * source + 7, 100 * target + 7)], Y).target
    np.testing.assert_allclose(found, expected, atol=1e-2)


def test_the_same_rows_give_the_same_shares_and_float32_nearly_so(monkeypatch):
    source, target = dense()
    first = priors_by_rows("estimated", [(source, target)], Y).target
    monkeypatch.setattr(_rows, "_kept", {})
    np.testing.assert_array_equal(priors_by_rows("estimated", [(source, target)], Y).target, first)
    single = [(source.astype(np.float32), target.astype(np.float32))]
    np.testing.assert_allclose(priors_by_rows("estimated", single, Y).target, first, atol=2e-3)


def test_what_was_found_is_kept_for_the_same_rows_labels_and_classifier(monkeypatch):
    monkeypatch.setattr(_rows, "_kept", {})
    monkeypatch.setattr(_rows, "_MOST", 4)
    source, target = counts()
    asked = [(source, target, Y, None), (source, target, 1 - Y, None), (source, target[1:], Y, None)]
    asked.append((source, target, Y, NaiveBayesLogisticRegression()))
    found = [priors_by_rows("estimated", [(s, t)], y, c).target for s, t, y, c in asked]
    assert len({tuple(shares) for shares in found}) == len(_rows._kept) == 4
    first = next(iter(_rows._kept))
    again = priors_by_rows("estimated", [(source.copy(), target.copy())], Y.copy()).target
    np.testing.assert_array_equal(again, found[0])
    assert list(_rows._kept)[-1] == first  # asked again, it is the last to go
    priors_by_rows("estimated", [(source[1:], target)], Y[1:])
    assert len(_rows._kept) == 4
    assert first in _rows._kept


def test_a_class_of_one_row_leaves_the_sources_shares():
    index = np.zeros(200, int)
    index[0] = 1
    found = priors_by_rows("estimated", [dense()], index)
    np.testing.assert_array_equal(found.target, found.source)
