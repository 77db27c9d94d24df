"""What kind of labels a comparison is of (a class, several labels or a number a text), and what fits them."""

import numpy as np
from scipy import sparse
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import f1_score, make_scorer
from sklearn.pipeline import Pipeline

from .._parts import children, rebuilt
from ..classifiers import MultiLabelClassifier, make_classifier, make_regressor
from ..classifiers._label_matrix import label_matrix, labels_by_names, several_labels
from ..recipes import make_recipe
from ._scoring import of_numbers, scorer

CLASSES, SEVERAL, NUMBERS = "classes", "several labels", "numbers"


def kind_of(y, scoring) -> str:
    """The kind of labels: numbers where the score is of numbers."""
    if of_numbers(scoring):
        return NUMBERS
    if sparse.issparse(y) or getattr(y, "ndim", 1) == 2:
        return SEVERAL
    return CLASSES if several_labels(y) is None else SEVERAL


def as_arrays(kind, y, y_target):
    """Labels as arrays, those of the target by the source's; of several a column of 0 and 1 each."""
    if kind == NUMBERS:
        return _numbers(y), None if y_target is None else _numbers(y_target)
    if kind == CLASSES:
        return y, y_target
    names, matrix = label_matrix(y)
    return matrix.toarray().astype(int), None if y_target is None else labels_by_names(names, y_target)


def _numbers(y):
    try:
        return np.asarray(y, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Got labels that are no numbers: {error!s:.100}.") from None


def makers(kind):
    """(make a classifier by name, make a recipe by name, default classifiers, default recipes)."""
    if kind == NUMBERS:
        return make_regressor, _no_recipe, ("ridge",), ()
    return make_classifier, make_recipe, ("logistic",), ("words",)


def _no_recipe(name):
    raise ValueError(f"Got the recipe {name!r}, which predicts classes. Of numbers leave recipes out.")


def fit_for(kind, pairs):
    """Named classifiers or models, as they predict labels of this kind."""
    return [(name, one_against_rest(model)) for name, model in pairs] if kind == SEVERAL else pairs


def one_against_rest(model):
    """A model whose last step is fitted for each of several labels."""
    if isinstance(model, Pipeline):
        *first, last = children(model)
        return rebuilt(model, [*first, one_against_rest(last)])
    return model if hasattr(type(model), "multilabel_") else MultiLabelClassifier(model)


def score_for(kind, scoring, y):
    """The scorer; the F1 of a label that is neither there nor predicted is 0."""
    average = {"f1_macro": "macro", "f1_micro": "micro", "f1_weighted": "weighted", "f1_samples": "samples"}
    if kind == SEVERAL and scoring in average:
        return make_scorer(f1_score, average=average[scoring], zero_division=0)
    return scorer(scoring, y if kind == CLASSES else ())


def baselines_of(kind):
    """What says nothing of the text, by name, and what learns from TF-IDF rows."""
    if kind == NUMBERS:
        return [("mean", DummyRegressor())], [("ridge", make_regressor("ridge"))]
    majority = DummyClassifier(strategy="most_frequent")
    return [("majority", majority)], fit_for(kind, [("logistic", make_classifier("logistic"))])
