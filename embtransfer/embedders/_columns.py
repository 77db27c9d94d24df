"""ColumnEmbedder: one column of a table, of texts or of vectors, handed to an embedder."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Self

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from .._parts import children, rebuilt, takes
from .._rows import column_names, is_table, is_vectors
from .._types import Estimator, Matrix, Rows


class ColumnEmbedder(TransformerMixin, BaseEstimator):
    """Take one column of a table, of texts or of vectors, and embed it.

    The first step of a pipeline whose rows are those of a table: of pandas, polars or pyarrow. A column of
    vectors holds a list or an array of numbers in each row, all of one length.

    Parameters
    ----------
    column : str
        The column's name.
    embedder : transformer
        What the column goes to: of texts any embedder or vectorizer, of vectors `VectorEmbedder()`.

    Attributes
    ----------
    embedder_ : fitted transformer
    width_ : int or None
        How many numbers each vector of the column holds; None of a column of texts.

    See Also
    --------
    make_recipe : ``make_recipe("columns", vector_column="embedding")``, texts and vectors co-trained.
    CoTrainingClassifier : Columns as views that learn from one another.

    Examples
    --------
    >>> import pandas as pd
    >>> from embtransfer import ColumnEmbedder, VectorEmbedder
    >>> table = pd.DataFrame({"text": ["good pan", "bad pan"], "vector": [[0.5, 1.0], [2.0, 0.0]]})
    >>> ColumnEmbedder("vector", VectorEmbedder()).fit_transform(table)
    array([[0.5, 1. ],
           [2. , 0. ]])
    """

    __metadata_request__fit = {"X_target": True}
    _takes_column = True  # so that a model made of such says which columns it wants
    _parameter_constraints: dict = {"column": [str], "embedder": [HasMethods(["fit", "transform"])]}

    def __init__(self, column: str, embedder: Estimator):
        self.column = column
        self.embedder = embedder

    def fit(self, X: Rows, y: object = None, X_target: Rows | None = None) -> Self:
        """Fit the embedder to the column.

        Parameters
        ----------
        X : table of n_rows
            Source: a DataFrame of pandas or polars, or a Table of pyarrow.
        y : ignored
        X_target : like X, default=None
            Target, for embedders that take it, such as NGramVectorizer.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If X is no table, or the column holds neither texts nor vectors.
        ValueError
            If the table lacks the column, or a vector is missing, of another length than the first, or holds
            NaN or infinity.
        """
        self._validate_params()
        embedder = clone(self.embedder)
        given = {}
        if X_target is not None and takes(embedder, "X_target"):
            given["X_target"] = self._column(X_target, "X_target")
        rows = self._column(X, "X")
        self.embedder_ = embedder.fit(rows, **given)
        self.width_ = rows.shape[1] if is_vectors(rows) else None
        return self

    def transform(self, X: Rows) -> Matrix:
        """Embed the column.

        Parameters
        ----------
        X : table of n_rows
            With the column that `fit` saw; others may differ.

        Returns
        -------
        ndarray or sparse matrix of shape (n_rows, n_features)

        Raises
        ------
        TypeError, ValueError
            As for `fit`.
        NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self)
        return self.embedder_.transform(self._column(X, "X", self.width_))

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the embedder's columns, after that of the table's: array of str."""
        check_is_fitted(self)
        names = self.embedder_.get_feature_names_out()
        return np.array([f"{self.column}__{name}" for name in names], dtype=object)

    def _column(self, X, name, width=None):
        """Texts, or vectors as a matrix of float32 or float64."""
        from ..tables._vectors import Vectors

        if not is_table(X):
            raise TypeError(
                f"Got {name}, a {type(X).__name__}. Expected a table with a column {self.column!r}: a "
                "DataFrame of pandas or polars."
            )
        if self.column not in (names := column_names(X)):
            raise ValueError(
                f"Got {name} without a column {self.column!r}: it has {', '.join(map(str, names))}. Give it "
                "that name, or make the model with another."
            )
        lists = as_lists(X[self.column])
        if lists is None:
            return X[self.column]
        vectors = Vectors(self.column, width)
        rows, wrong = vectors.read(lists)
        if wrong:
            first = min(wrong)
            raise ValueError(
                f"Got {name} with {len(wrong):,} malformed vectors, the first in row {first} (counted from "
                f"0): {wrong[first]}. Leave such rows out, or mend them."
            )
        return rows


def of_columns(model: Estimator, columns: Sequence[str]) -> Estimator:
    """The same model, unfitted, for rows of a table: what takes its rows takes each column by itself.

    What the columns become stands side by side. Joined to one text they say less: a good title is told from
    a good word in the body no more.
    """
    parts = children(model)
    if not parts:
        taken = [(name, ColumnEmbedder(name, model)) for name in columns]
        return FeatureUnion(taken) if len(taken) > 1 else taken[0][1]
    n_first = 1 if isinstance(model, Pipeline) else len(parts)
    first = [of_columns(part, columns) for part in parts[:n_first]]
    return rebuilt(model, [*first, *parts[n_first:]])


def as_lists(column) -> pa.Array | pa.ChunkedArray | None:
    """A column of vectors as Arrow; None of texts, numbers and what is of mixed types."""
    from ..tables._vectors import is_lists

    if hasattr(column, "to_arrow"):
        column = column.to_arrow()
    elif not isinstance(column, pa.Array | pa.ChunkedArray):
        if isinstance(next((one for one in column if one is not None), None), str):
            return None
        rows, errors = column, (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError)
        for kind in (None, pa.list_(pa.float64())):  # the latter of float32 and float64 in one column
            with suppress(*errors):
                column = pa.array(rows, from_pandas=True, type=kind)
                break
        else:
            return None
    return column if is_lists(column.type) else None
