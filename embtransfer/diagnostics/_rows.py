"""Rows of two domains: checked, and stacked."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import check_array

from .._rows import are_texts, check_columns, summed


def check_domains(X_source, X_target, min_rows):
    """Both as float rows, dense or csr."""
    for name, X in (("X_source", X_source), ("X_target", X_target)):
        if are_texts(X):
            raise TypeError(
                f"Got texts as {name}. Expected vectors, a matrix of numbers with a row each. Embed the "
                "texts of both domains by one embedder; word_shift takes texts as they are."
            )
    check_columns(X_source, X_target)
    options = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}
    X_source = summed(check_array(X_source, input_name="X_source", **options))
    X_target = summed(check_array(X_target, input_name="X_target", **options))
    if X_source.shape[1] != X_target.shape[1]:
        raise ValueError(
            f"X_source has {X_source.shape[1]} features, but X_target has {X_target.shape[1]}. "
            "Embed source and target texts with the same embedder."
        )
    for name, X in (("X_source", X_source), ("X_target", X_target)):
        if X.shape[0] < min_rows:
            raise ValueError(
                f"{name} has n_samples={X.shape[0]}, but at least {min_rows} rows of each domain are needed. "
                "Give more rows."
            )
    return X_source, X_target


def stack(source, target):
    """One new matrix of both domains' rows; sparse if both are."""
    if sp.issparse(source) and sp.issparse(target):
        return sp.vstack([source, target], format="csr")
    return np.vstack([X.toarray() if sp.issparse(X) else X for X in (source, target)])
