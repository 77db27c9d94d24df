"""Scores of some of the texts that a model has spoken of, with intervals."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if

from .._names import first_few
from ..scoring._confidence import confidences
from ..trials._scoring import lacks_classes, scorer
from ._estimate import wilson
from ._views import predicted

_DRAWS = 300  # of the texts, for intervals of scores that are no share
_ROWS = 2000  # that a share of errors is laid over


class Said(ClassifierMixin, BaseEstimator):
    """What a model says of rows, as a model of their numbers: scorers ask it as often as they like."""

    def __init__(self, model, rows):
        self.classes_, (self.found, self.proba, self.distances) = model.classes_, predicted(model, rows)
        self.sure = np.full(len(self.found), np.nan)
        if self.proba is not None:
            self.sure = confidences(self.found, self.proba, self.classes_)[0]

    def predict(self, numbers):
        return self.found[numbers]

    @available_if(lambda said: said.proba is not None)
    def predict_proba(self, numbers):
        return self.proba[numbers]

    @available_if(lambda said: said.distances is not None)
    def decision_function(self, numbers):
        return self.distances[numbers]


class Scores:
    """(Score, low, high) of some of the texts, by their numbers."""

    def __init__(self, said, truth, scoring, confidence, random_state):
        self.said, self.truth, self.scoring, self.confidence = said, truth, scoring, confidence
        self.score, self.random_state = scorer(scoring, said.classes_), random_state
        if said.proba is None and getattr(self.score, "_response_method", "") == "predict_proba":
            raise ValueError(
                f"Got scoring={scoring!r}, which needs probabilities, and a model without. Expected a score "
                "of labels, such as f1_macro, or a classifier that has them, such as logistic."
            )

    def __call__(self, numbers, draws=_DRAWS):
        with warnings.catch_warnings():  # classes that some texts lack
            warnings.simplefilter("ignore")
            score = self._of(numbers)
            if self.scoring == "accuracy":
                return score, *wilson(score, len(numbers), self.confidence)
            if np.isnan(score) and draws:
                raise ValueError(
                    f"Got scoring={self.scoring!r}, which is not defined of labels such as these: "
                    f"{first_few(np.unique(self.truth))}. Expected some of each class, or another score."
                )
            rng = np.random.default_rng(self.random_state)
            found = [self._of(rng.choice(numbers, len(numbers))) for _ in range(draws)]
            if not found:
                return score, np.nan, np.nan
            tail = (1 - self.confidence) / 2
            low, high = map(float, np.nanquantile(found, [tail, 1 - tail]))
            if low == high:  # of texts that are all right every sample is, and says nothing of others
                low, high = sorted((score, self._with_others(numbers, rng)))
        return score, low, high

    def _of(self, numbers):
        if lacks_classes(self.scoring, self.truth[numbers], self.said.classes_):
            return np.nan
        return float(self.score(self.said, numbers, self.truth[numbers]))

    def _with_others(self, numbers, rng):
        """The score if as many labels were others as the interval of accuracy allows for where none is."""
        classes, rows = self.said.classes_, np.tile(numbers, 1 + _ROWS // len(numbers))
        share = 1 - wilson(1.0, len(numbers), self.confidence)[0]
        some = rng.choice(len(rows), round(share * len(rows)), replace=False)
        codes = np.searchsorted(classes, self.truth[rows])
        codes[some] += rng.integers(1, len(classes), len(some))
        return float(self.score(self.said, rows, classes[codes % len(classes)]))
