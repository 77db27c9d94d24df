"""Scores other than accuracy by a few labels of random rows: how often each class is taken for which."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from ..trials._scoring import scorer

_PRIOR = 2.0  # labels that the model's own probabilities count for, of the rows with one predicted class
_DRAWS = 200


class _AsPredicted(ClassifierMixin, BaseEstimator):
    """A classifier that gives each row its number in `found`."""

    def __init__(self, classes, found):
        self.classes_, self.found = classes, found

    def predict(self, numbers):
        return self.classes_[self.found[numbers]]


def scorer_of_labels(scoring, classes):
    """The scorer of that name, which needs no probabilities.

    Raises
    ------
    ValueError
        If it does, or there is none.
    """
    score = scorer(scoring, classes)
    if getattr(score, "_response_method", "predict") != "predict":
        raise ValueError(
            f"Got scoring={scoring!r}, which needs probabilities. Expected one of labels alone, such as "
            "accuracy, balanced_accuracy, f1_macro or f1:LABEL."
        )
    return score


def score_by_confusion(scoring, proba, found, classes, at, truth, chances, confidence):
    """(low, score, high) of a scorer that needs labels alone.

    Parameters
    ----------
    proba, found : (n_rows, n_classes) and (n_rows,), of rows that the model did not learn from, and the
        numbers of the labels that it gives them
    at, truth, chances : positions of those that are labelled, the numbers of their classes, and with which
        chances they were drawn
    """
    score = scorer_of_labels(scoring, classes)
    cells = np.indices((len(classes),) * 2).reshape(2, -1)
    model, rows, true = _AsPredicted(classes, cells[1]), np.arange(cells.shape[1]), classes[cells[0]]

    def value(confusion):
        with warnings.catch_warnings():  # classes that are not predicted
            warnings.simplefilter("ignore")
            return score(model, rows, true, sample_weight=confusion.ravel())

    predicted = np.eye(len(classes))[found]
    counts = predicted.sum(axis=0)
    said = (proba.T @ predicted + 1e-3) / (counts + 1e-3 * len(classes))
    weights = 1 / chances
    weights *= weights.sum() / (weights**2).sum()  # as many labels of a plain sample as say the same
    seen = np.zeros_like(said)
    np.add.at(seen, (truth, found[at]), weights)
    posterior = _PRIOR * said + seen
    draws = np.random.RandomState(0).standard_gamma(posterior, size=(_DRAWS, *posterior.shape))
    values = [value(one / np.maximum(one.sum(axis=0), 1e-300) * counts) for one in draws]
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(value(posterior / posterior.sum(axis=0) * counts)), float(high)
