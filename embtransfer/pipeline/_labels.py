"""Labels that a pipeline learns from: refused at fit where its last step, or what comes after, would fail."""

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.dummy import DummyClassifier
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline

from ..classifiers._base import refuse_missing
from ..classifiers._label_matrix import several_labels

SEVERAL = (
    "Several labels a text need MultiLabelClassifier(...) around the classifier: of lists of labels, or of a "
    "matrix of 0 and 1, it fits one classifier a label."
)


def check_labels(y, last):
    """Refuse labels of another shape than one a row, unless the last step takes several, and missing ones.

    Raises
    ------
    ValueError
    """
    while isinstance(last, Pipeline | BaseSearchCV):
        last = last.steps[-1][1] if isinstance(last, Pipeline) else last.estimator
    if isinstance(last, DummyClassifier):
        return  # the majority of each label, as compare wants it
    if hasattr(type(last), "multilabel_") or not (is_classifier(last) or is_regressor(last)):
        return
    y = y if sparse.issparse(y) or isinstance(y, list | tuple) else np.asarray(y)
    if getattr(y, "ndim", 1) == 1 and (several := several_labels(y)) is not None:
        raise ValueError(f"Got labels such as {several!r:.80}. Expected one label a text. {SEVERAL}")
    shape = np.shape(y)
    if len(shape) == 2 and shape[1] > 1:
        raise ValueError(
            f"Got labels of shape {shape}. Expected one a text: shape ({shape[0]},). {SEVERAL} Columns that "
            "hold more than 0 and 1 need a pipeline each."
        )
    refuse_missing(y)
