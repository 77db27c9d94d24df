"""What a candidate shows without target labels: its predictions, held out, on the target, and in reverse."""

from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np
from scipy.special import softmax
from sklearn.utils import _safe_indexing

from ..._parts import by_domain
from .._store import fit


@dataclass
class Evidence:
    """Predictions of one candidate.

    `source`: (n_source, n_classes), of models that did not see the row's label, by the source path.
    `target`: (n_target, n_classes). `back`: (n_source,), numbers of the classes that a model gives which was
    fitted on the target rows with their predicted labels and adapted to the source; -1 for the rows whose
    labels the predicting model saw, since it may give them back from memory. `seconds`: of one fit,
    embedding apart.
    """

    source: np.ndarray
    target: np.ndarray
    back: np.ndarray
    seconds: float


def collect(estimator, source, y, target, classes, splits, priors=None, domain=None) -> Evidence:
    """Fit a candidate on all source rows, on each fold, and in reverse from the first fold.

    Parameters
    ----------
    estimator : classifier, unfitted
    source, target : what its `fit` takes as X and X_target, indexable by arrays
    y : ndarray of shape (n_source,)
        Labels.
    classes : ndarray
        Sorted; some may not occur.
    splits : list of (train, test)
        Folds of the source.
    priors : ndarray of shape (n_classes,), default=None
        Shares of the classes in the target, which every fit is told, but the one in reverse, whose target is
        the source. None: not told.
    domain : ndarray of shape (n_source,), default=None
        Names of the source rows' domains.
    """
    start = perf_counter()
    fitted = fit(estimator, source, y, target, classes, priors, domain=domain)
    seconds = perf_counter() - start
    of_target = probabilities(fitted, target, classes)
    of_source = np.empty((len(y), len(classes)))
    back = np.full(len(y), -1)
    for i, (train, test) in enumerate(splits):
        seen, unseen = (None if domain is None else domain[part] for part in (train, test))
        some, held_out = (_safe_indexing(source, part) for part in (train, test))
        fold = fit(estimator, some, y[train], target, classes, priors, domain=seen)
        of_source[test] = by_domain(fold, partial(probabilities, classes=classes), held_out, unseen)
        if i == 0:
            labels = classes[probabilities(fold, target, classes).argmax(axis=1)]
            given = _in_reverse(estimator, source, y[train], test, target, labels, classes)
            back[test] = np.searchsorted(classes, given)
    return Evidence(of_source, of_target, back, seconds)


def _in_reverse(estimator, source, y, held_out, target, labels, classes):
    """Labels of held-out source rows by a model of the target rows with `labels`, adapted to the source.

    Whose class shares it is told, those of y.
    """
    if len(np.unique(labels)) == 1:
        return np.full(len(held_out), labels[0])
    shares = np.mean(y[:, None] == classes, axis=0)
    return fit(estimator, target, labels, source, classes, shares).predict(_safe_indexing(source, held_out))


def probabilities(model, rows, classes) -> np.ndarray:
    """Class probabilities, (n_rows, n_classes); of decisions, if the model has nothing better."""
    if hasattr(model, "predict_proba"):
        found = np.asarray(model.predict_proba(rows), np.float64)
    elif hasattr(model, "decision_function"):
        scores = np.asarray(model.decision_function(rows), np.float64)
        two = np.stack([-scores, scores], axis=1) / 2 if scores.ndim == 1 else scores
        found = softmax(two, axis=1)
    else:
        found = (np.asarray(model.predict(rows))[:, None] == model.classes_).astype(np.float64)
    out = np.zeros((len(found), len(classes)))
    out[:, np.searchsorted(classes, model.classes_)] = found
    return out
