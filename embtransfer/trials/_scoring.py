"""The metric by its name: scikit-learn's scorers, and the F1 of one class."""

from collections.abc import Callable

import numpy as np
from sklearn.metrics import f1_score, get_scorer, get_scorer_names, log_loss, make_scorer

from .._names import first_few
from .._types import Labels

COMMON = "accuracy, balanced_accuracy, f1_macro, neg_log_loss, f1:LABEL"
_OF_NUMBERS = {"r2", "explained_variance", "d2_absolute_error_score"}  # beside errors and deviances
_OF_CLASS_1 = "f1", "jaccard", "precision", "recall"
_OF_ITS_PROBABILITY = "average_precision", "neg_brier_score", "d2_brier_score"


def scorer(scoring: str | Callable, y: Labels) -> Callable:
    """A scorer (model, X, y) by name, which may be "f1:LABEL", the F1 of one class; or the callable given.

    Parameters
    ----------
    scoring : str or callable
    y : array-like
        Labels of the source, among which the class is looked up by what it is called: 1 is "1".

    Raises
    ------
    ValueError
        If there is no scorer of that name, or no such label.
    """
    if callable(scoring):
        return scoring
    labels = np.unique(y).tolist()
    kind, colon, name = scoring.partition(":")
    if kind == "f1" and colon:
        found = [label for label in labels if str(label) == name]
        if not found:
            names = ", ".join(map(str, labels))
            raise ValueError(f"Got scoring {scoring!r}. Expected f1: and a label of the source, of: {names}.")
        # pos_label=None, or the scorer wants the label 1
        return make_scorer(f1_score, labels=found, pos_label=None, average="macro", zero_division=0)
    if scoring == "neg_log_loss":  # scikit-learn's wants each class among the labels that it scores
        return make_scorer(log_loss, response_method="predict_proba", greater_is_better=False, labels=labels)
    if scoring not in get_scorer_names():
        raise ValueError(
            f"Got scoring {scoring!r}. Expected a name of scikit-learn's scorers, such as: {COMMON}."
        )
    if of_numbers(scoring) and labels:
        raise ValueError(
            f"Got scoring {scoring!r}, of numbers, and the classes {first_few(labels)}. Expected a score of "
            f"classes, such as: {COMMON}."
        )
    if scoring in _OF_CLASS_1 and labels and (len(labels) > 2 or 1 not in labels):
        raise ValueError(
            f"Got scoring {scoring!r}, a score of the class 1, and the classes {first_few(labels, 10)}. "
            f"Expected f1:{labels[-1]} or the like, the F1 of one class, or {scoring}_macro, of all."
        )
    if scoring in _OF_ITS_PROBABILITY and len(labels) == 2 and 1 not in labels:
        raise ValueError(
            f"Got scoring {scoring!r}, of the probability of the class 1, and the classes "
            f"{first_few(labels)}. Expected roc_auc or neg_log_loss, which no class's name matters to."
        )
    if scoring == "roc_auc" and len(labels) > 2:
        raise ValueError(
            f"Got scoring 'roc_auc', of two classes, and the classes {first_few(labels, 10)}. Expected "
            "roc_auc_ovr or roc_auc_ovo, of more."
        )
    return get_scorer(scoring)


def of_numbers(scoring: str | Callable) -> bool:
    """Whether a score is of numbers."""
    return isinstance(scoring, str) and (scoring in _OF_NUMBERS or scoring.endswith(("_error", "_deviance")))


def lacks_classes(scoring: str | Callable, truth: Labels, classes: Labels) -> bool:
    """Whether a score is not defined of labels of rows, since it sets each class against others."""
    of_each = isinstance(scoring, str) and scoring.startswith("roc_auc")
    return of_each and len(np.unique(truth)) < len(np.unique(classes))
