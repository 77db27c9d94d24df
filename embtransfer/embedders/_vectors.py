"""VectorEmbedder: rows that are vectors already, passed through."""

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .._rows import are_texts, check_vectors
from .._types import Matrix, Rows


class VectorEmbedder(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Take rows that are vectors already, of whatever made them, as they are.

    It stands where a model of texts has its embedder: a model that begins with it wants vectors of one
    width, and says so of anything else. float32 and float64 are kept and not copied, other numbers become
    float32 (float16) or float64; sparse rows stay sparse.

    Parameters
    ----------
    accept_sparse : bool, default=True
        Whether sparse rows are taken.

    Attributes
    ----------
    n_features_in_ : int
        Columns of the vectors.

    See Also
    --------
    make_recipe : ``make_recipe("vectors")``, a whole model of vectors.

    Examples
    --------
    >>> from embtransfer import VectorEmbedder
    >>> VectorEmbedder().fit_transform([[0.5, 1.0], [2.0, 0.0]])
    array([[0.5, 1. ],
           [2. , 0. ]])
    """

    _parameter_constraints: dict = {"accept_sparse": ["boolean"]}
    _takes_vectors = True  # so that who scores can ask without an import, which takes seconds

    def __init__(self, accept_sparse: bool = True):
        self.accept_sparse = accept_sparse

    def fit(self, X: Rows, y: object = None) -> Self:
        """Learn how many columns there are.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If X is texts, or sparse without `accept_sparse`.
        ValueError
            If X is no matrix of finite numbers.
        """
        self._check(X, first=True)
        return self

    def transform(self, X: Rows) -> Matrix:
        """Check rows and pass them through.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, n_features)

        Returns
        -------
        ndarray or sparse matrix of shape (n_rows, n_features)

        Raises
        ------
        TypeError
            If X is texts.
        ValueError
            If X is no matrix of finite numbers, or has other columns than at `fit`.
        NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self)
        return self._check(X, first=False)

    def _check(self, X, first):
        width = "" if first else f" of {self.n_features_in_} columns"
        if are_texts(X):
            raise TypeError(
                f"Got texts. Expected vectors{width}, a matrix of numbers with a row each. Embed the texts "
                "by what made the vectors, or take a model of texts."
            )
        if _are_nested(X):
            raise TypeError(
                f"Got a {type(X).__name__} of vectors. Expected a matrix of numbers with a row each: "
                "np.stack(X)."
            )
        if hasattr(X, "columns") and not first and not hasattr(self, "feature_names_in_"):
            X = X.to_numpy()  # whose names nobody knows
        if getattr(X, "dtype", None) == np.float16:
            X = X.astype(np.float32)
        options = {"dtype": [np.float64, np.float32], "ensure_all_finite": False}
        options["accept_sparse"] = "csr" if self.accept_sparse else False
        return check_vectors(validate_data(self, X, reset=first, **options))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.accept_sparse
        return tags


def _are_nested(X):
    """Whether X is a column, or an array in one dimension, whose elements are vectors."""
    of_objects = getattr(getattr(X, "dtype", None), "kind", "") == "O"
    return of_objects and len(X.shape) == 1 and isinstance(next(iter(X), None), list | tuple | np.ndarray)
