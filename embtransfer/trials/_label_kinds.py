"""What kind of labels a comparison is of (a class, several labels or a number a text), and what fits them."""

import warnings

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import f1_score, make_scorer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MultiLabelBinarizer

from .._parts import children, rebuilt
from ..classifiers import MultiLabelClassifier, make_classifier, make_regressor
from ..classifiers._multi_label import label_matrix, several_labels
from ..recipes import make_recipe
from ._scoring import scorer

CLASSES, SEVERAL, NUMBERS = "classes", "several labels", "numbers"
OF_NUMBERS = {"r2", "explained_variance", "d2_absolute_error_score"}  # beside errors and deviances


def kind_of(y, scoring) -> str:
    """The kind of labels: numbers where the score is of numbers."""
    if isinstance(scoring, str) and (scoring in OF_NUMBERS or scoring.endswith(("_error", "_deviance"))):
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
    return matrix.toarray().astype(int), None if y_target is None else _by_names(names, y_target)


def _numbers(y):
    try:
        return np.asarray(y, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Got labels that are no numbers: {error!s:.100}.") from None


def _by_names(names, y_target):
    """Columns of 0 and 1 for the source's labels; NaN in rows whose labels are not known (None)."""
    if isinstance(y_target, pd.DataFrame):
        y_target = y_target.reindex(columns=names.tolist()).to_numpy(dtype=float)
    if sparse.issparse(y_target):
        y_target = y_target.toarray()
    if getattr(y_target, "ndim", 1) == 2:
        if y_target.shape[1] != len(names):
            raise ValueError(
                f"Got source labels in {len(names)} columns and target labels in {y_target.shape[1]}. "
                "Expected the same columns."
            )
        return np.asarray(y_target, dtype=float)
    rows = [set(one) if np.iterable(one) and not isinstance(one, str) else None for one in y_target]
    alone = [one for one, row in zip(y_target, rows, strict=True) if row is None and not pd.isna(one)]
    if alone:
        raise ValueError(
            f"Got several labels for each source text, and the target label {alone[0]}. Expected a list of "
            "labels, or None where they are not known."
        )
    unknown = sorted({str(label) for one in rows if one for label in one} - set(map(str, names)))
    if unknown:
        some = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        warnings.warn(
            f"Got {len(unknown)} target labels that no source text has: {some}. No model can predict "
            "them: they are left out of the score.",
            UserWarning,
            stacklevel=4,
        )
    known, names = [row is not None for row in rows], names.tolist()
    matrix = np.full((len(rows), len(names)), np.nan)
    binarizer = MultiLabelBinarizer(classes=names)
    matrix[known] = binarizer.fit_transform([row.intersection(names) for row in rows if row is not None])
    return matrix


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
