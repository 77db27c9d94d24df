"""How sure a model is of the labels that it gives, and how often labels of some confidence are right."""

import numpy as np


def confidences(labels, proba, classes) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the probability of its label, and by how much that exceeds every other's: two (n_rows,).

    The second is negative where the label is not the most probable one, as with a tuned threshold.
    """
    proba = np.array(proba, np.float64)  # a copy, as precise as the numbers that it is compared with
    order = np.argsort(classes)
    own = np.arange(len(labels)), order[np.searchsorted(classes, labels, sorter=order)]
    confidence, proba[own] = proba[own], 0
    return confidence, confidence - proba.max(axis=1, initial=0)


def effective_size(weights) -> float:
    """As many rows drawn evenly say as much."""
    return weights.sum() ** 2 / (weights**2).sum() if len(weights) else 0.0


def lower_end(right, weights, confidence) -> float:
    """The lower end of Clopper and Pearson's interval of the share that is right, of one side."""
    from scipy.stats import beta  # here, for compiled models run without SciPy

    n, share = effective_size(weights), weights @ right / weights.sum()
    return float(beta.ppf(1 - confidence, n * share, n * (1 - share) + 1)) if share else 0.0


def shortest(low, high) -> float:
    """The number of fewest digits above low, and at most high."""
    for digits in range(1, 17):
        number = float(np.floor(high * 10.0**digits) / 10.0**digits)
        if low < number <= high:
            return number
    return float(high)
