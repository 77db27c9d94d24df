r"""Shares of two classes by how three parts of the columns agree on the target's rows.

Classifiers of the source, each of a random third of the columns, score the target's rows. Were the scores
independent within the classes, with means :math:`\Delta` apart, each two would have the covariance
:math:`b = \pi (1 - \pi) \Delta^2`, and all three the third moment
:math:`b^{3/2} (1 - 2\pi) / \sqrt{\pi (1 - \pi)}`, with the share :math:`\pi` of the second class: the rarer
class makes the longer tail. This asks nothing of the source's rates of error, which differ in the target, and
says the more, the more rows the target has. Within classes the scores do correlate, by the texts' lengths and
topics: as in the source, up to a factor. Of a covariance c and a variance v, with the correlation
:math:`\rho` within classes, :math:`b = (c - \rho v) / (1 - \rho)` lies between them.

A. Jaffe, B. Nadler, Y. Kluger. "Estimating the accuracies of multiple classifiers without labeled data."
AISTATS 2015 (covariances and third moments; classifiers independent within the classes).
"""

import numpy as np
from scipy.special import expit, logit, logsumexp, softmax
from scipy.stats import norm

N_PARTS = 6  # of the columns: two make a third
_LOG_ODDS = np.linspace(-8, 8, 321)  # of the second class
_LEAST_ROWS = 50  # distinct ones, of the target
_DRAWS = 200
_WEIGHT = 0.5  # of the log-likelihood: it is of the rows by which rates of error were asked
_FACTOR = 0.4  # standard deviation of the logarithm of that factor
_MOST_CORRELATED = 0.95
_LEAST_BETWEEN = 0.02  # of a covariance


def _ways():
    """All fifteen ways to make thirds of six parts."""
    for i in range(1, N_PARTS):
        first, *others = (part for part in range(1, N_PARTS) if part != i)
        for j in others:
            yield (0, i), (first, j), tuple(part for part in others if part != j)


_WAYS = np.array(list(_ways()))  # (15, 3, 2)


def with_agreement(mean, variance, parts, y, groups):
    """Mean (2,) and variance of the centred log-shares, when the parts' agreement is known as well.

    parts : list of (held_out, of_target)
        Probabilities, (n_source, 2) and (n_target, 2), by each of N_PARTS parts of the columns.
    y : ndarray of shape (n_source,)
        Numbers of the classes, 0 and 1.
    groups : ndarray of shape (n_target,)
        Numbers of the distinct rows: copies are drawn together.
    """
    if groups.max() + 1 < _LEAST_ROWS:
        return mean, variance
    half = _LOG_ODDS / 2  # of two classes, the second's centred log-share
    known = norm.logpdf(half, mean[1], np.sqrt(variance))
    weights = softmax(known + _WEIGHT * _log_likelihood(parts, y, groups))
    middle = weights @ half
    step = half[1] - half[0]  # no more exact than the values tried
    return np.array([-middle, middle]), weights @ (half - middle) ** 2 + step**2


def _log_likelihood(parts, y, groups):
    """Of each of _LOG_ODDS, up to a constant."""
    held_out, of_target = (_log_odds(probas) for probas in zip(*parts, strict=True))
    n, rng = groups.max() + 1, np.random.RandomState(0)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=_DRAWS)[:, groups]
    covariance, variance, third = (drawn @ _moments(of_target) / drawn.sum(axis=1, keepdims=True)).T
    within = sum(_moments(held_out[:, y == k]).mean(axis=0) for k in (0, 1))
    correlation = within[0] / max(within[1], 1e-12) * np.exp(_FACTOR * rng.normal(size=_DRAWS))
    correlation = np.minimum(correlation, _MOST_CORRELATED)
    between = (covariance - correlation * variance) / (1 - correlation)
    between = np.maximum(between, _LEAST_BETWEEN * np.abs(covariance))
    share = expit(_LOG_ODDS)
    expected = between[:, None] ** 1.5 * (1 - 2 * share) / np.sqrt(share * (1 - share))
    spread = third.std() / 2 + 1e-12  # half: the draws themselves are spread
    return logsumexp(norm.logpdf(third[:, None], expected, spread), axis=0)


def _log_odds(probas):
    return np.stack([logit(np.clip(proba[:, 1], 1e-4, 1 - 1e-4)) for proba in probas])


def _moments(log_odds):
    """Products of two scores less their means, of each with itself, and of all three: (n_rows, 3)."""
    scores = np.tanh(log_odds[_WAYS].sum(axis=2) / 2)  # 2 p - 1: (15, 3, n_rows)
    x, y, z = np.moveaxis(scores - scores.mean(axis=2, keepdims=True), 1, 0)
    products = (x * y + x * z + y * z) / 3, (x**2 + y**2 + z**2) / 3, x * y * z
    return np.stack([product.mean(axis=0) for product in products], axis=1)
