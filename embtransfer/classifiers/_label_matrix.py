"""Several labels a text as a matrix of 0 and 1."""

import warnings
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.preprocessing import MultiLabelBinarizer

from .._names import first_few
from .._texts import plain_labels


def several_labels(y: Any) -> Collection | None:
    """The first collection of labels among those of the rows; None where each row has one label."""
    kind = getattr(y, "dtype", None)
    plain = isinstance(kind, np.dtype) and kind.kind != "O"  # need not be looked through
    rows = y if np.iterable(y) and not plain else ()
    of_several = (one for one in rows if isinstance(one, Collection) and not isinstance(one, str | bytes))
    return next(of_several, None)


def label_matrix(y: Any) -> tuple[np.ndarray, sparse.csc_array]:
    """Names of labels, and whether each row has each: csc, int8, of shape (n, n_labels).

    Raises
    ------
    ValueError
        If y is neither a matrix of 0 and 1 nor collections of labels.
    """
    names, y = None, plain_labels(y)
    if isinstance(y, pd.DataFrame):
        names, y = np.array(y.columns.tolist()), _numbers(y)
    if getattr(y, "ndim", 1) != 2:  # a list, or a column, of one collection a row
        y = list(y)
        wrong = [one for one in y if isinstance(one, str) or not isinstance(one, Collection)]
        if wrong or not y:
            raise ValueError(
                f"Got {f'the label {wrong[0]!r}' if wrong else 'no labels'}. Expected a list of labels for "
                "each text, empty where it has none, or a matrix of 0 and 1 with a column a label."
            )
        if of_zeros_and_ones(y):
            y = np.array(y)
        else:
            binarizer = MultiLabelBinarizer(sparse_output=True)
            y = binarizer.fit_transform(y)
            names = np.array(binarizer.classes_.tolist())
    matrix = sparse.csc_array(y)
    if matrix.dtype == object or not np.isin(matrix.data, (0, 1)).all():
        raise ValueError(
            f"Got a matrix of {matrix.dtype} of shape {matrix.shape} that holds more than 0 and 1. Expected "
            "0 or 1, whether each text has each label: a column a label."
        )
    if not matrix.shape[1]:
        raise ValueError("Got texts without any label. Expected at least one label.")
    matrix.eliminate_zeros()
    return np.arange(matrix.shape[1]) if names is None else names, matrix.astype(np.int8)


def of_zeros_and_ones(y: Collection) -> bool:
    """Whether collections of labels are rows of a matrix of 0 and 1."""
    if len({len(one) for one in y}) != 1 or not all(isinstance(one, list | tuple) for one in y):
        return False
    return all(type(k) is int and k in (0, 1) for one in y for k in one)


def _numbers(table):
    """A DataFrame's values; of nullable columns, or of numbers beside bool, as floats, not as objects."""
    values = table.to_numpy()
    of_objects = values.dtype == object and all(kind.kind in "biuf" for kind in table.dtypes)
    return table.to_numpy(float, na_value=np.nan) if of_objects else values


def labels_by_names(names: np.ndarray, y_target: Any) -> np.ndarray:
    """Columns of 0 and 1 for the source's labels; NaN in rows whose labels are not known (None)."""
    y_target = plain_labels(y_target)
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
        warnings.warn(
            f"Got {len(unknown)} target labels that no source text has: {first_few(unknown)}. No model can "
            "predict them: they are left out.",
            UserWarning,
            stacklevel=5,
        )
    known, names = [row is not None for row in rows], names.tolist()
    matrix = np.full((len(rows), len(names)), np.nan)
    binarizer = MultiLabelBinarizer(classes=names)
    matrix[known] = binarizer.fit_transform([row.intersection(names) for row in rows if row is not None])
    return matrix
