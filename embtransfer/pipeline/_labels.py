"""Labels that a pipeline learns from: refused at fit where its last step, or what comes after, would fail."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline

SEVERAL = (
    "Several labels a text need MultiLabelClassifier(...) around the classifier, or as the last step; of lists "
    "of labels or a matrix of 0 and 1 it fits one classifier a label."
)


def check_labels(y, last):
    """Refuse labels of another shape than one a row, unless the last step takes several, and missing ones.

    Raises
    ------
    ValueError
    """
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    # of scikit-learn's OneVsRestClassifier, too
    if getattr(type(last), "multilabel_", None) is not None or not (is_classifier(last) or is_regressor(last)):
        return
    if sparse.issparse(y) or isinstance(y, pd.DataFrame):
        shape = y.shape
    else:
        collection = next((one for one in y if isinstance(one, (list, tuple, set, frozenset))), None)
        if collection is not None and not isinstance(y, np.ndarray):
            raise ValueError(f"Got labels such as {collection!r:.80}. Expected one label a text. {SEVERAL}")
        shape = np.shape(y)
    if len(shape) == 2 and shape[1] > 1:
        raise ValueError(
            f"Got labels of shape {shape}. Expected one a text: shape ({shape[0]},). {SEVERAL} Columns that "
            "hold more than 0 and 1 need a pipeline each."
        )
    missing = np.flatnonzero(pd.isna(y)) if len(shape) == 1 else ()
    if len(missing):
        raise ValueError(
            f"Got {len(missing):,} missing labels (None, NaN, pandas.NA), the first in row {missing[0]}. Leave "
            "these rows out of the source; without labels they can be part of X_target."
        )
