"""What a fitted model makes of target rows: vectors, and class probabilities by each of its views."""

from typing import NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from .._rows import unwrapped
from ..classifiers import CoTrainingClassifier
from ..classifiers._views import pooled
from ..trials.search._evidence import probabilities


class Seen(NamedTuple):
    """Rows before the classifier, and probabilities, (n_rows, n_classes)."""

    rows: object
    proba: np.ndarray
    views: list  # of probabilities; of one view those before self-training, too, if there was any
    classes: np.ndarray
    found: np.ndarray  # the number of each row's label: with a threshold not always the most probable one


def see(model, X) -> Seen:
    """Rows as a fitted classifier sees them; the views are those that a CoTrainingClassifier predicts with.

    Of a self-trained model they are the classifier before and after.

    Raises
    ------
    TypeError
        If the model is no classifier of one label a row.
    """
    given = getattr(model, "best_estimator_", model)
    model = unwrapped(given)
    if isinstance(model, CoTrainingClassifier):
        weights = model._weights()
        parts = [see(model.views_[name], X) for name in weights]
        views = [part.proba for part in parts]
        mean = pooled(views, list(weights.values()))
        return Seen(parts[-1].rows, mean, views, model.classes_, _labels(given, X, mean))
    last, rows = model.steps[-1][1] if isinstance(model, Pipeline) else model, X
    if hasattr(last, "multilabel_") or not is_classifier(model):
        raise TypeError(
            f"Got {type(model).__name__}. Expected a fitted pipeline or classifier of one label a row (not "
            "its compiled form: that has no vectors)."
        )
    if last is not model and len(model.steps) > 1:
        rows = model[:-1].transform(X)
    views = [probabilities(last, rows, model.classes_)]
    if hasattr(last, "unadapted_estimator_"):
        views.append(probabilities(last.unadapted_estimator_, rows, model.classes_))
    given, rows_given = (last, rows) if given is model else (given, X)
    return Seen(rows, views[0], views, model.classes_, _labels(given, rows_given, views[0]))


def _labels(model, X, proba):
    """Numbers of the labels that a model gives: the most probable ones, if it or its end has no threshold."""
    if not hasattr(model, "response_method"):
        return proba.argmax(axis=1)
    return np.searchsorted(model.classes_, model.predict(X))


def predicted(model, X) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Labels, class probabilities, and distances where there are none; the steps before the last run once."""
    if isinstance(model, Pipeline) and len(model.steps) > 1:
        X, model = model[:-1].transform(X), model[-1]
    labels = np.asarray(model.predict(X))
    if hasattr(model, "predict_proba"):
        return labels, np.asarray(model.predict_proba(X)), None
    has_distances = hasattr(model, "decision_function")
    return labels, None, np.asarray(model.decision_function(X)) if has_distances else None


def no_probabilities(last) -> TypeError:
    """That a model's last step gives no probabilities of one label a row."""
    return TypeError(
        f"Got a model that ends with {type(last).__name__}. Expected a classifier of one label a row with "
        "predict_proba, such as make_classifier('logistic')."
    )


def margin(proba) -> np.ndarray:
    """By how much the log-probability of the first class exceeds that of the second: (n_rows,)."""
    two = np.log(np.maximum(np.partition(proba, -2, axis=1)[:, -2:], np.finfo(np.float64).tiny))
    return two[:, 1] - two[:, 0]


def disagreement(views) -> np.ndarray:
    """Jensen-Shannon divergence of the views' probabilities: (n_rows,)."""

    def entropy(p):
        return -np.sum(p * np.log(np.maximum(p, np.finfo(np.float64).tiny)), axis=1)

    return entropy(np.mean(views, axis=0)) - np.mean([entropy(view) for view in views], axis=0)
