"""How sure a model is of the labels that it gives."""

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
