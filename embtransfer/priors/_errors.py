"""By what class shares of the target, estimated by one view of the texts, may be off."""

import numpy as np
from scipy.special import softmax
from scipy.stats import norm

from ._estimate import LEAST, calibrate


def to_odds(n_classes):
    """Log-odds in centred logarithms of shares: of two classes they are twice that."""
    return n_classes / (n_classes - 1)


def calibrated(held_out, y, of_target):
    """Probabilities of both domains, of least log-loss on the source's."""
    held_out, of_target = (np.log(np.maximum(proba, LEAST)) for proba in (held_out, of_target))
    slope, *biases = calibrate(held_out, y, "bcts")
    return [softmax(slope * scores + biases, axis=1) for scores in (held_out, of_target)]


def distance(held_out, y):
    """Of two classes in standard deviations, which would be told apart as well: the mean of the recalls.

    A shift of all scores moves shares the less the farther the classes lie apart; and views that tell them
    apart badly are shifted the more, measured.
    """
    right = held_out.argmax(axis=1) == y
    recall = np.mean([right[y == k].mean() for k in range(y.max() + 1)])
    return _apart(recall, y.max() + 1)


def _apart(right, n_classes):
    by_chance = 1 / n_classes
    return 2 * norm.ppf(np.clip(0.5 + (right - by_chance) / (1 - by_chance) / 2, 0.55, 0.999))


def nearer(held_out, of_target):
    """By how much the classes lie nearer to each other in the target, as distances of mean confidences.

    By calibrated probabilities. Of other topics, say, a classifier knows few words: shares by the few may be
    any.
    """
    source, target = (_apart(proba.max(axis=1).mean(), proba.shape[1]) for proba in (held_out, of_target))
    return max(source - target, 0.0)


def outside(held_out, y, of_target):
    """How far the target's mean log-probabilities lie outside all mixtures of the classes' means."""
    held_out = np.log(np.maximum(held_out, 1e-6))
    means = np.stack([held_out[y == k].mean(axis=0) for k in range(y.max() + 1)], axis=1)
    heavy = 1e3  # on the equation that the shares sum to 1
    equations = np.vstack([means, np.full(means.shape[1], heavy)])
    wanted = np.append(np.log(np.maximum(of_target, 1e-6)).mean(axis=0), heavy)
    return max(0.0, -np.linalg.lstsq(equations, wanted)[0].min())


def noise(of_source, of_target):
    r"""Variances of the centred log-shares for want of rows, (n_classes,).

    A share's log-odds have the variance :math:`1 / (n_t v_t) + (m_t / v_t)^2 / (n_s m_s)`, of rows that are
    of the class with probabilities p of variance v, m being the mean of p (1 - p), in source and target: by
    Fisher's information, first of the target's rows, then of an intercept that is fitted on the source's.
    """
    proba = of_target / of_target.sum(axis=1, keepdims=True)
    spread = np.maximum(proba.var(axis=0), 1e-3)
    within, of_intercept = ((p * (1 - p)).mean(axis=0) for p in (proba, of_source))
    intercept = (within / spread) ** 2 / (len(of_source) * np.maximum(of_intercept, 1e-3))
    return (1 / (len(proba) * spread) + intercept) / to_odds(proba.shape[1]) ** 2
