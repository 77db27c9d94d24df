"""How sure a self-trained classifier may be: as sure of the target as the classifier of the source is."""

from copy import copy

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.utils import _safe_indexing

from ..priors import LEAST
from ..priors._target_labels import Known
from ._naive_bayes import NaiveBayesLogisticRegression

_ROWS = 2000  # that one number is fitted to
_LEAST, _MOST = 0.5, 20.0  # classes that the source tells without error leave no minimum; seen are .6 to 8


def divides(classifier) -> bool:
    """Whether `divided` can have its log-odds."""
    return isinstance(classifier, (LogisticRegression, NaiveBayesLogisticRegression))


def divided(classifier, temperature):
    """A copy of a linear classifier, its log-odds divided by the temperature; labels stay."""
    made = copy(classifier)
    made.coef_, made.intercept_ = classifier.coef_ / temperature, classifier.intercept_ / temperature
    return made


def tempered(proba, temperature):
    """Probabilities whose logarithms are divided by the temperature."""
    return softmax(np.log(np.maximum(proba, LEAST)) / temperature, axis=1)


def target_temperature(views, taken, y, expected, known, target_weight, sure) -> float:
    """The temperature at which what the views say of target rows is nearest to what is expected of these.

    Classifiers are surer of rows that they learned from than of others. So these here learn from every other
    row that was taken, and speak of the rest. `sure(models, rows)`, of each view, gives a function from the
    temperature to probabilities.
    """
    judged = np.setdiff1d(np.arange(1, len(expected), 2), known.rows)[:_ROWS]
    if not len(judged):
        return 1.0
    models, rows = [], []
    for view, some in zip(views, taken, strict=True):
        half = some.rows % 2 == 0
        models.append(view.fit(y, Known(some.rows[half], some.labels[half]), known, target_weight))
        rows.append(_safe_indexing(view.target, judged))
    of, wanted = sure(models, rows), expected[judged]

    def loss(logarithm):
        return -np.mean(wanted * np.log(np.maximum(of(np.exp(logarithm)), LEAST)))

    best = minimize_scalar(loss, bounds=np.log([_LEAST, _MOST]), method="bounded", options={"xatol": 1e-4}).x
    return float(np.round(np.exp(best), 3))  # rounded: solvers' rounding moves the digits behind
