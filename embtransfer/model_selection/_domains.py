"""Rows that carry the mark of their domain, and labels of which some are missing."""

import numpy as np
import pandas as pd
from scipy import sparse

from .._types import Labels, Rows

DOMAIN = "domain"  # the name of the index that says of each row where it is from


def mark_domains(X: Rows, domains: Labels) -> pd.Series | pd.DataFrame:
    """Mark each row with its domain, in an index that scikit-learn's tools keep with the row.

    Parameters
    ----------
    X : 1-D sequence of texts, or array-like or DataFrame of shape (n_rows, n_features)
        Any container that pandas can hold; no sparse matrix.
    domains : str or array-like of shape (n_rows,)
        The domain of each row, or of all.

    Returns
    -------
    Series or DataFrame
        The rows, indexed by their domains. The index they had is gone.

    Raises
    ------
    TypeError
        If X is a sparse matrix.
    ValueError
        If there are not as many domains as rows.

    See Also
    --------
    stack_domains : One source and one target.

    Examples
    --------
    >>> from embtransfer import mark_domains
    >>> mark_domains(["a good plot", "a good pan"], ["films", "kitchen"]).loc["films"]
    'a good plot'
    """
    frame = _to_pandas(X)
    names = np.full(len(frame), domains, object) if isinstance(domains, str) else np.asarray(domains)
    if len(names) != len(frame):
        raise ValueError(f"Got {len(names)} domains for {len(frame)} rows. Expected one a row.")
    return frame.set_axis(pd.Index(names, name=DOMAIN))


def stack_domains(
    X_source: Rows, y_source: Labels, X_target: Rows, y_target: Labels | None = None
) -> tuple[pd.Series | pd.DataFrame, np.ndarray]:
    """Stack source rows and target rows, marked "source" and "target", for cross-validation.

    Parameters
    ----------
    X_source, X_target : 1-D sequences of texts, or array-likes or DataFrames of shape (n_rows, n_features)
    y_source : array-like of shape (n_source,)
    y_target : array-like of shape (n_target,), default=None
        None, NaN or pandas.NA where a label is not known; None: none is.

    Returns
    -------
    X : Series or DataFrame of n_source + n_target rows
        Source rows first. Its index, "domain", is the mark.
    y : ndarray of shape (n_source + n_target,)
        Labels. Where some are missing, numbers are float64 with NaN, and others objects with None.

    Raises
    ------
    ValueError
        If labels are not as many as rows or not of one type, or the domains have other columns.

    See Also
    --------
    mark_domains : More than two domains.
    TargetKFold, TargetShuffleSplit : Split what this returns.

    Examples
    --------
    >>> from embtransfer import stack_domains
    >>> X, y = stack_domains(["good plot", "dull film"], [1, 0], ["good pan", "poor pot"], [1, None])
    >>> X.index.tolist(), y.tolist()
    (['source', 'source', 'target', 'target'], [1.0, 0.0, 1.0, nan])
    """
    source, target = mark_domains(X_source, "source"), mark_domains(X_target, "target")
    if source.ndim != target.ndim or (source.ndim == 2 and list(source.columns) != list(target.columns)):
        columns = ["texts" if part.ndim == 1 else list(part.columns) for part in (source, target)]
        raise ValueError(
            f"Got source columns {columns[0]} and target columns {columns[1]}. Expected the same."
        )
    parts = [np.asarray(part) for part in (y_source, [None] * len(target) if y_target is None else y_target)]
    for rows, part, name in zip((source, target), parts, ("source", "target"), strict=True):
        if len(part) != len(rows):
            raise ValueError(f"Got {len(rows)} {name} rows and {len(part)} labels. Expected one a row.")
    labels = [label for part in parts for label in part.tolist()]
    return pd.concat([source, target]), _labels_of_one_type(labels)


def is_marked(X):
    index = getattr(X, "index", None)
    return isinstance(index, pd.Index) and index.names == [DOMAIN]


def domains_of(X):
    if not is_marked(X):
        raise ValueError(
            f"Got a {type(X).__name__} without marks of the domains. Expected what stack_domains or "
            "mark_domains returned."
        )
    return X.index.to_numpy()


def stratified_order(codes, rng):
    """A random order of rows of which every beginning has about the classes' shares of the whole.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows,)
        Class numbers.
    rng : numpy.random.Generator
    """
    rank = np.empty(len(codes))
    for code in np.unique(codes):
        rows = rng.permutation(np.flatnonzero(codes == code))
        rank[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return np.argsort(rank)


def _to_pandas(X):
    if isinstance(X, pd.Series | pd.DataFrame):
        return X
    if sparse.issparse(X):
        raise TypeError(
            "Got a sparse matrix. Expected texts or dense rows: put the vectorizer in the pipeline."
        )
    if hasattr(X, "to_pandas"):  # polars, pyarrow
        return X.to_pandas()
    if isinstance(X, list | tuple) and not (len(X) and np.ndim(X[0])):
        return pd.Series(list(X), dtype=object)  # an array of str would be as wide as the longest text
    X = np.asarray(X)
    return pd.Series(X) if X.ndim == 1 else pd.DataFrame(X)


def _labels_of_one_type(labels):
    """An array of the labels, missing ones as NaN among numbers and None among others."""
    missing = [not isinstance(label, str) and bool(pd.isna(label)) for label in labels]
    numbers = {
        isinstance(label, int | float) for label, gone in zip(labels, missing, strict=True) if not gone
    }
    if len(numbers) > 1:
        raise ValueError(
            "Got labels of which some are numbers and some are not. Give both domains the same labels."
        )
    if not any(missing):
        return np.array(labels)
    numeric = numbers == {True}
    nothing = np.nan if numeric else None
    filled = [nothing if gone else label for label, gone in zip(labels, missing, strict=True)]
    return np.array(filled, dtype=np.float64 if numeric else object)
