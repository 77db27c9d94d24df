"""Texts drawn at random, evenly over the model's confidence, each with a known probability."""

import numpy as np
from scipy.special import expit
from scipy.stats import norm, rankdata

# The log-odds of being right before any label is known: at the median margin, and how they grow with the
# normal score of its rank; seen on two pairs of Amazon reviews (books to dvd, books to kitchen).
PRIOR = 2.1, 1.1


def normal_scores(margins):
    """Ranks of margins as quantiles of the normal distribution: they say the same of any model."""
    return norm.ppf((rankdata(margins) - 0.5) / len(margins))


def spread(margins):
    """The standard deviation of being right that is expected: what chances are best in proportion to."""
    right = expit(PRIOR[0] + PRIOR[1] * normal_scores(margins))
    return np.sqrt(right * (1 - right))


def draw(margins, sizes, weights, n, rng):
    """Positions of about n texts in random order, and the probability of each one's row to have been drawn.

    A text is drawn with a chance in proportion to its weight and to how many rows have it, `sizes`: so rows
    of one weight have the same chance. Systematic: the sums of chances, by margin, are cut evenly.
    """
    if not n:
        return np.empty(0, int), np.empty(0)
    order = np.argsort(margins, kind="stable")
    chances = (weights * sizes)[order]
    chances *= n / chances.sum()
    cuts = np.arange(n) + rng.random_sample()
    places = np.unique(np.minimum(np.searchsorted(np.cumsum(chances), cuts, "right"), len(order) - 1))
    places = rng.permutation(places)
    drawn = order[places]
    return drawn, np.minimum(chances[places], 1) / sizes[drawn]
