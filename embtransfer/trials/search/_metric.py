"""The user's metric: what a label is worth where the class is known with some probability."""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier

from ...priors import LEAST, matched

METRICS = ("accuracy", "balanced_accuracy", "f1_macro", "neg_log_loss")
_ROUNDS = 3  # of decisions by the gains of the decisions before


class Metric:
    r"""A score of labels as a function of the confusion matrix C, whose entries are shares of all rows.

    "accuracy" :math:`\sum_k C_{kk}`; "balanced_accuracy" the mean of :math:`C_{kk} / C_{k \cdot}`; "f1_macro"
    the mean of :math:`F_k = 2 C_{kk} / (C_{k \cdot} + C_{\cdot k})`, "f1:LABEL" that of one class; costs c
    :math:`-\sum_{kj} c_{kj} C_{kj}`. "neg_log_loss" is of probabilities: the mean logarithm of the class's.

    Parameters
    ----------
    scoring : str, or array-like of shape (n_classes, n_classes)
        A name, or what it costs to give a row of class k (row) the label j (column); classes as sorted.
    classes : ndarray of shape (n_classes,)
    """

    def __init__(self, scoring, classes):
        self.name, self.costs, self.of_class = scoring, None, None
        if not isinstance(scoring, str):
            self.name, self.costs = "negative cost", _costs(scoring, len(classes))
        elif scoring.startswith("f1:"):
            labels = [str(label) for label in classes]
            if scoring[3:] not in labels:
                raise ValueError(f"Got scoring={scoring!r}. Expected a label of the source: {labels}.")
            self.of_class = labels.index(scoring[3:])
        elif scoring not in METRICS:
            raise ValueError(
                f"Got scoring={scoring!r}. Expected one of {', '.join(METRICS)}, f1: and a label, or costs "
                "(n_classes, n_classes)."
            )
        self.most_probable = self.name in ("accuracy", "neg_log_loss")  # is the label to give

    def value(self, proba, truth, priors=None, weights=None) -> float:
        """The score of rows whose classes have the probabilities `truth`, (n_rows, n_classes)."""
        if self.name == "neg_log_loss":
            return float(np.average(self.gains(proba, truth, priors), weights=weights))
        return self.of(_confusion(self.labels(proba, priors), truth, weights))

    def gains(self, proba, truth, priors=None, weights=None) -> np.ndarray:
        """What each row adds to the score, (n_rows,), which is their mean; linear near these labels."""
        if self.name == "neg_log_loss":
            return (truth * np.log(np.maximum(proba, LEAST))).sum(axis=1)
        labels = self.labels(proba, priors)
        confusion = _confusion(labels, truth, weights)
        slope = self._slope(confusion)
        # of F1, which is not linear, the slope alone would favour whoever gives the class too seldom
        rest = self.of(confusion) - (slope * confusion).sum()
        return np.einsum("ij,ji->i", truth, slope[:, labels]) + rest

    def labels(self, proba, priors=None) -> np.ndarray:
        """Numbers of the labels that are worth most; priors : shares of the classes in these rows."""
        if self.most_probable:
            return proba.argmax(axis=1)
        return (proba @ self.worth(proba, priors)).argmax(axis=1)

    def worth(self, proba, priors=None) -> np.ndarray:
        """What each label (column) is worth by class (row), in the light of these probabilities.

        With priors, the shares of the classes in these rows, rows are multiplied by what matches them.
        """
        likely = proba if priors is None else matched(proba, priors)
        labels = likely.argmax(axis=1)
        for _ in range(_ROUNDS):
            slope = self._slope(_confusion(labels, likely))
            labels = (likely @ slope).argmax(axis=1)
        if priors is None:
            return slope
        return (priors / np.maximum(proba.mean(axis=0), LEAST))[:, None] * slope

    def of(self, confusion) -> float:
        """The score of a confusion matrix, of labels alone."""
        rows, right = np.maximum(confusion.sum(axis=1), LEAST), confusion.diagonal()
        if self.costs is not None:
            return -float((self.costs * confusion).sum())
        if self.name == "accuracy":
            return float(right.sum())
        if self.name == "balanced_accuracy":
            return float((right / rows).mean())
        f1 = 2 * right / (rows + confusion.sum(axis=0))
        return float(f1.mean() if self.of_class is None else f1[self.of_class])

    def _slope(self, confusion):
        """Derivative of the score by each entry, the classes' shares held."""
        n, rows = len(confusion), np.maximum(confusion.sum(axis=1), LEAST)
        if self.costs is not None:
            return -self.costs
        if self.name == "accuracy":
            return np.eye(n)
        if self.name == "balanced_accuracy":
            return np.diag(1 / rows) / n
        both = rows + confusion.sum(axis=0)
        slope = (2 * np.eye(n) - 2 * confusion.diagonal() / both) / both
        if self.of_class is None:
            return slope / n
        return slope * (np.arange(n) == self.of_class)


def at_threshold(model, worth, classes):
    """The fitted model, giving the second of two classes where proba @ worth is larger for it; else None."""
    rights_are_worth_more = worth.trace() > worth[::-1].trace()
    if len(classes) != 2 or not hasattr(model, "predict_proba") or not rights_are_worth_more:
        return None
    first, second = worth[:, 0] - worth[:, 1]  # what the first label is worth more, by class
    return FixedThresholdClassifier(
        FrozenEstimator(model),
        threshold=first / (first - second),
        pos_label=classes[1],
        response_method="predict_proba",
    ).fit(None, classes)


def _confusion(labels, truth, weights=None):
    """Shares of rows by class and label, (n_classes, n_classes)."""
    if weights is not None:
        truth = truth * (weights / weights.mean())[:, None]
    return truth.T @ np.eye(truth.shape[1])[labels] / len(truth)


def _costs(scoring, n_classes):
    try:
        costs = np.asarray(scoring, np.float64)
    except (TypeError, ValueError):
        costs = np.empty(0)
    if costs.shape != (n_classes, n_classes) or not np.isfinite(costs).all():
        raise ValueError(
            f"Got scoring of type {type(scoring).__name__}, shape {costs.shape}. Expected a name, or costs "
            f"of shape ({n_classes}, {n_classes}), classes in rows and labels in columns."
        )
    return costs
