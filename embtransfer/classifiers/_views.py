"""Views of one or several classifiers: steps fitted once, and anew in folds where they learn from labels."""

from copy import copy
from functools import reduce
from numbers import Real

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from .._parts import learns_from_labels, takes
from .._rows import of_one_kind, stack_rows, summed
from ..copies._groups import complete_folds, identical, joined
from ..priors import LEAST
from ..priors._logistic import fit_classifier
from ._base import weights_of


class View:
    """A classifier to be fitted, its source and target rows, and weights of the source rows or None.

    `fold(y, seen, unseen)` gives the source rows at the first and the second positions, made without the
    labels of the second.
    """

    def __init__(self, classifier, source, target, weights=None, fold=None):
        self.classifier, self.weights = classifier, weights
        self.source, self.target = of_one_kind(source, target)
        self.fold = fold or (lambda y, *places: [_safe_indexing(self.source, place) for place in places])

    def fit(self, y, guessed=None, known=None, target_weight=1.0):
        """Fitted on source rows and on target rows of which labels are guessed or known (`Known`).

        One of a guessed label counts as a source row does on the mean, of a known one `target_weight` times.
        """
        parts = [part for part in (guessed, known) if part is not None and len(part.rows)]
        if not parts:
            return fit_classifier(clone(self.classifier), self.source, y, **weights_of(self.weights))
        rows, weights = np.concatenate([part.rows for part in parts]), self.weights
        if weights is not None or (target_weight != 1 and parts[-1] is known):
            weights = np.ones(len(y)) if weights is None else weights
            counts = [np.full(len(part.rows), target_weight if part is known else 1.0) for part in parts]
            weights = np.concatenate([weights, *(weights.mean() * count for count in counts)])
        both = _stack(self.source, _safe_indexing(self.target, rows))
        labels = np.concatenate([y, *(part.labels for part in parts)])
        return fit_classifier(clone(self.classifier), both, labels, **weights_of(weights))


def _stack(first, second):
    if hasattr(first, "iloc"):
        return pd.concat([first, second], ignore_index=True)
    if hasattr(first, "vstack"):  # a polars DataFrame
        return first.vstack(second)
    if sparse.issparse(first) or getattr(first, "dtype", None) in (np.float32, np.float64):
        return stack_rows(first, second)
    return np.concatenate([first, second]) if isinstance(first, np.ndarray) else [*first, *second]


def probabilities(model, rows):
    """In float64, (n_rows, n_classes)."""
    return np.asarray(model.predict_proba(rows), np.float64)


def held_out(views, index, y, cv, rng, more=()):
    """Of each view, the probabilities of each source row by classifiers that did not see it, or a copy.

    Copies are equal rows of a view, or of `more`. None where a class has too few rows to hold any out.
    """
    groups = reduce(joined, [identical(rows) for rows in [*(view.source for view in views), *more]])
    splits = complete_folds(index, groups, cv, rng)
    if not splits:
        return None
    out = [np.zeros((len(y), index.max() + 1)) for _ in views]
    for seen, unseen in splits:
        for view, of_view in zip(views, out, strict=True):
            some, others = view.fold(y, seen, unseen)
            weights = weights_of(view.weights, seen)
            model = fit_classifier(clone(view.classifier), some, y[seen], **weights)
            of_view[unseen] = probabilities(model, others)
    return out


def pooled(probas, weights):
    """The weighted mean of the views' probabilities: (n_rows, n_classes)."""
    equal = len(set(np.asarray(weights).tolist())) == 1
    return np.mean(probas, axis=0) if equal else np.average(probas, axis=0, weights=weights)


def pool_weights(held_out, y):
    """Of each view the share of its log-probabilities in the sum that tells the labels best; none is 0."""
    logits = np.log(np.maximum(held_out, LEAST))  # (n_views, n_rows, n_classes)
    attained = logits[:, np.arange(len(y)), y].mean(axis=1)

    def loss(factors):
        scores = np.tensordot(factors, logits, 1)
        norm = logsumexp(scores, axis=1)
        proba = np.exp(scores - norm[:, None])
        gradient = np.einsum("ij,vij->v", proba, logits) / len(y) - attained
        return norm.mean() - factors @ attained, gradient

    start = np.full(len(logits), 1 / len(logits))
    bounds = [(1e-3, 1e3)] * len(logits)  # labels that are told without error leave the loss no minimum
    factors = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return factors / factors.sum()


def takes_target(estimator):
    """Whether a step before the classifier asks for X_target."""
    return isinstance(estimator, Pipeline) and len(estimator) > 1 and takes(estimator[:-1], "X_target")


def fit_steps(estimator, X, y, X_target, domain=None, y_target=None):
    """The view's classifier with its rows, and the fitted steps that made them."""
    target = X if X_target is None else X_target
    if not isinstance(estimator, Pipeline):
        return View(estimator, _taken(X), _taken(target)), None
    classifier = estimator.steps[-1][1]
    if len(estimator.steps) == 1:
        return View(classifier, _taken(X), _taken(target)), []
    steps = clone(estimator)[:-1]
    taken = {"X_target": X_target} if X_target is not None and takes_target(estimator) else {}
    if domain is not None and takes(steps, "domain"):
        taken["domain"] = domain
    if y_target is not None and takes(steps, "y_target"):
        taken["y_target"] = y_target
    source = _taken(steps.fit_transform(X, y, **taken))
    mapped = source if X_target is None else _taken(steps.transform(X_target))
    return View(classifier, source, mapped, fold=_fold(steps, X, X_target)), steps.steps


def _fold(steps, X, X_target):
    """For a View: what makes its rows of a fold, where a step learns from labels; None where none does."""
    at = next((i for i, (_, step) in enumerate(steps.steps) if learns_from_labels(step)), None)
    if at is None:
        return None
    rows = _of_source(steps[:at], X) if at else X
    taken = {}
    if X_target is not None and takes(steps[at:], "X_target"):
        taken["X_target"] = steps[:at].transform(X_target) if at else X_target

    def fold(y, seen, unseen):
        anew = clone(steps[at:])
        some = anew.fit_transform(_safe_indexing(rows, seen), y[seen], **taken)
        return _taken(some), _taken(_of_source(anew, _safe_indexing(rows, unseen)))

    return fold


def _of_source(steps, X):
    return (steps.source_view() if hasattr(steps, "source_view") else steps).transform(X)


def _taken(rows):
    """Sparse rows as csr, a list of rows of numbers as an array; others, such as texts, as they are."""
    if sparse.issparse(rows):
        return summed(rows.tocsr())
    first = rows[0] if isinstance(rows, list | tuple) and len(rows) else None
    of_numbers = isinstance(first, list | tuple | np.ndarray) and len(first) and isinstance(first[0], Real)
    return np.asarray(rows) if of_numbers else rows


def join(estimator, steps, classifier):
    """The view with fitted steps and a fitted classifier."""
    if steps is None:
        return classifier
    joined = copy(estimator)
    joined.steps = [*steps, (estimator.steps[-1][0], classifier)]
    return joined
