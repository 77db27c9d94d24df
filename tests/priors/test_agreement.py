"""Class shares of the target by how parts of the columns agree on its rows."""

import numpy as np
import pytest
from scipy.special import expit

from embtransfer.priors._agreement import N_PARTS, with_agreement


def parts_of(y, z, weaker, rng, together=0.6):
    """Probabilities by parts that correlate within classes; those of the target tell its classes worse."""

    def proba(labels, strength):
        common = together * rng.normal(size=len(labels))
        scores = rng.normal(size=(N_PARTS, len(labels))) + common + strength * (labels - 0.5)
        p = expit(scores / 2)
        return np.stack([1 - p, p], axis=2)

    return list(zip(proba(y, 1.6), proba(z, 1.6 * weaker), strict=True))


def log_odds(mean):
    return 2 * mean[1]


@pytest.mark.parametrize(("share", "left"), [(0.1, 0.65), (0.3, 0.25), (0.8, 0.25), (0.9, 0.65)])
def test_many_rows_mend_an_estimate_that_is_off(share, left):
    rng = np.random.default_rng(0)
    y, z = np.arange(2000) % 2, (rng.random(20_000) < share).astype(int)
    off = np.log(share / (1 - share)) + 0.8 * (1 if share < 0.5 else -1)
    mean = np.array([-off, off]) / 2
    found, variance = with_agreement(mean, 0.25, parts_of(y, z, 0.8, rng), y, np.arange(len(z)))
    assert abs(expit(log_odds(found)) - share) < left * abs(expit(off) - share)
    assert variance < 0.11


def test_few_rows_say_little_and_fewer_than_fifty_nothing():
    rng = np.random.default_rng(0)
    y, z = np.arange(2000) % 2, (np.arange(100) < 80).astype(int)
    mean, parts = np.array([0.0, 0.0]), parts_of(y, z, 0.8, rng)
    found, variance = with_agreement(mean, 0.25, parts, y, np.arange(100))
    assert 0 < log_odds(found) < np.log(4)
    assert 0.15 < variance < 0.25
    same, before = with_agreement(mean, 0.25, parts, y, np.arange(100) % 49)
    assert same is mean
    assert before == 0.25


def test_copies_count_as_rows_but_are_drawn_together():
    rng = np.random.default_rng(0)
    y, z = np.arange(2000) % 2, (np.arange(500) < 400).astype(int)
    mean, parts = np.array([0.0, 0.0]), parts_of(y, z, 0.8, rng)
    alone = with_agreement(mean, 0.25, parts, y, np.arange(500))
    copied = [(held_out, np.tile(of_target, (8, 1))) for held_out, of_target in parts]
    known = with_agreement(mean, 0.25, copied, y, np.tile(np.arange(500), 8))
    as_if_new = with_agreement(mean, 0.25, copied, y, np.arange(4000))
    np.testing.assert_allclose(known[0], alone[0], atol=0.02)
    np.testing.assert_allclose(known[1], alone[1], rtol=0.05)
    assert as_if_new[1] < 0.7 * alone[1]


def test_scores_that_say_nothing_leave_the_estimate():
    rng = np.random.default_rng(0)
    y, z = np.arange(2000) % 2, (np.arange(500) < 400).astype(int)
    mean, half = np.array([-0.4, 0.4]), np.full((500, 2), 0.5)
    same = [(held_out, half) for held_out, _ in parts_of(y, z, 0.8, rng)]
    found, variance = with_agreement(mean, 0.25, same, y, np.arange(500))
    np.testing.assert_allclose(found, mean, atol=1e-3)
    np.testing.assert_allclose(variance, 0.25, rtol=1e-2)


def test_classes_told_apart_without_an_error_are_counted():
    y, z = np.arange(200) % 2, (np.arange(500) < 400).astype(int)
    sure = [(np.eye(2)[y], np.eye(2)[z])] * N_PARTS
    found, variance = with_agreement(np.array([-0.4, 0.4]), 0.25, sure, y, np.arange(500))
    assert expit(log_odds(found)) == pytest.approx(0.8, abs=0.02)
    assert 0 < variance < 0.02
