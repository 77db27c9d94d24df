"""LengthScaling: rows of the length at which LogisticRegression() is right."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from embtransfer import LengthScaling


def rows_of_classes(rng, n=300, apart=4.0):
    """Two classes that columns of noise hide, or that lie far apart."""
    y = np.arange(n) % 2
    X = rng.normal(size=(n, 20))
    X[:, 0] += apart * y
    return X - X.mean(axis=0), y


def test_a_longer_length_is_taken_where_it_tells_held_out_labels_better():
    rng = np.random.default_rng(0)
    (far, y), (near, _) = rows_of_classes(rng, apart=20.0), rows_of_classes(rng, apart=0.5)
    for X, expected in ((far, 10.0), (near, 1.0)):
        scaling = LengthScaling((1.0, 10.0)).fit(X, y, X_target=X[:100])
        assert scaling.length_ == expected
        mapped = np.concatenate([scaling.transform_source(X), scaling.transform(X[:100])])
        squares = [(part**2).sum(axis=1).mean() for part in np.split(mapped, [len(X)])]
        assert np.mean(squares) == pytest.approx(expected**2)


def test_without_labels_and_batch_by_batch_it_is_the_first():
    X, _ = rows_of_classes(np.random.default_rng(0), apart=20.0)
    scaling = LengthScaling((2.0, 10.0))
    assert_allclose((scaling.fit_transform(X) ** 2).sum(axis=1).mean(), 4.0)
    assert scaling.length_ == 2.0
    batches = LengthScaling((2.0, 10.0)).partial_fit(X[:100]).partial_fit(X[100:])
    assert_allclose(batches.transform(X), scaling.transform(X))


def test_copies_of_rows_flatter_no_length():
    rng = np.random.default_rng(0)
    X, _ = rows_of_classes(rng, 60, 0.0)
    y = rng.integers(2, size=60)  # nothing to learn but the rows themselves
    assert LengthScaling((1.0, 10.0)).fit(np.tile(X, (5, 1)), np.tile(y, 5)).length_ == 1.0


@pytest.mark.parametrize("lengths", [(), (0.0, 1.0), (3.0, 1.0), ((1.0,),)])
def test_lengths_that_are_none_are_refused(lengths):
    with pytest.raises(ValueError, match="Expected positive numbers, ascending"):
        LengthScaling(lengths).fit(np.eye(3))
