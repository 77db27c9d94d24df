"""The contract of every adapter, and the affine maps that the linear ones consist of."""

from abc import ABCMeta, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from ._moments import ROWS

_DTYPES = [np.float64, np.float32]


class AffineMap:
    """Rows x -> (x - offset) @ weight, or (x - offset) * weight where the weight is a vector.

    Parameters
    ----------
    offset : ndarray of shape (n_features,)
    weight : ndarray of shape (n_features, n_components) or (n_features,), or None for the identity
    """

    def __init__(self, offset, weight=None):
        self.offset = offset
        self.weight = weight

    def n_outputs(self, n_features):
        """Columns that come out where `n_features` go in."""
        return n_features if self.weight is None else self.weight.shape[-1]

    def __call__(self, X):
        offset = self.offset.astype(X.dtype, copy=False)
        if self.weight is None:
            return X - offset
        weight = self.weight.astype(X.dtype, copy=False)
        if weight.ndim == 1:
            return (X - offset) * weight
        # centred block by block: no second copy of X, and no cancellation as in X @ w - offset @ w
        result = np.empty((len(X), weight.shape[1]), X.dtype)
        for start in range(0, len(X), ROWS):
            block = slice(start, start + ROWS)
            np.matmul(X[block] - offset, weight, out=result[block])
        return result


class Identity:
    """Rows, dense or sparse, as they are: a copy."""

    def n_outputs(self, n_features):
        return n_features

    def __call__(self, X):
        return X.copy()


class BaseAdapter(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """Two maps into one space, learned from source rows and unlabelled target rows.

    A subclass supplies `_fit(source, target, y)`, which returns the two maps: picklable callables from rows
    to rows of the same dtype, with `n_outputs(n_features)`. `transform` maps target rows: it is what a
    fitted pipeline applies to new data. `transform_source` and `fit_transform` map source rows: it is what
    the classifier is trained on. Without a target both domains are the same, and so are both maps.

    Attributes
    ----------
    source_map_, target_map_ : callable
    n_features_in_ : int
    """

    _min_rows = 1  # rows a domain must have
    _accepts_sparse = False  # whether rows may be scipy.sparse (csr arrives at _fit and at the maps)
    _uses_labels = False  # whether y changes the maps
    _one_map = False  # whether both domains go through the same map even where they differ

    # scikit-learn routes X_target here from a pipeline, without set_fit_request
    __metadata_request__fit = {"X_target": True}

    @abstractmethod
    def _fit(self, source, target, y):
        """Return (map of source rows, map of target rows) for two float matrices of equal width.

        y : source labels, ndarray of shape (n_source,), or None; always None unless `_uses_labels`
        """

    def fit(self, X, y=None, X_target=None):
        """Learn both maps.

        Parameters
        ----------
        X : array-like of shape (n_source, n_features)
            Source rows; a sparse matrix where the method takes one.
        y : array-like of shape (n_source,), default=None
            Source labels, for the methods that use them; others ignore it.
        X_target : array-like of shape (n_target, n_features), default=None
            Unlabelled target rows. None: the target is the source, and nothing shifts.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the rows hold NaN or infinity, differ in width, or are too few for the method.
        """
        self._validate_params()
        X = validate_data(self, X, dtype=_DTYPES, accept_sparse=self._sparse)
        self._check_rows(X, "X")
        y = self._check_labels(X, y)
        if X_target is None:
            _, self.target_map_ = self._fit(X, X, y)
            self.source_map_ = self.target_map_
        else:
            given = X_target
            X_target = check_array(X_target, dtype=_DTYPES, accept_sparse=self._sparse, input_name="X_target")
            if X_target.shape[1] != X.shape[1]:
                raise ValueError(
                    f"X_target has {X_target.shape[1]} features, but X has {X.shape[1]}. "
                    "Embed source and target texts with the same embedder."
                )
            validate_data(self, given, reset=False, skip_check_array=True)  # names and order of columns
            self._check_rows(X_target, "X_target")
            self.source_map_, self.target_map_ = self._fit(X, X_target, y)
        self._n_features_out = self.target_map_.n_outputs(X.shape[1])
        return self

    @property
    def _sparse(self):
        return "csr" if self._accepts_sparse else False

    def _check_labels(self, X, y):
        if y is None or not self._uses_labels:
            return None
        y = column_or_1d(y)
        check_consistent_length(X, y)
        return y

    def _check_rows(self, X, name):
        if X.shape[0] < self._min_rows:
            raise ValueError(
                f"{name} has n_samples={X.shape[0]}, but {type(self).__name__} needs at least "
                f"{self._min_rows} rows of each domain. Give more rows, or use NoAdaptation."
            )

    def fit_transform(self, X, y=None, X_target=None):
        """Learn both maps and map the source rows: `fit(X, y, X_target).transform_source(X)`.

        Returns
        -------
        ndarray of shape (n_source, n_components), of the dtype of X (float32 or float64)
        """
        return self.fit(X, y, X_target=X_target).transform_source(X)

    def transform(self, X):
        """Map target rows into the shared space.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_rows, n_components), of the dtype of X (float32 or float64)
        """
        check_is_fitted(self)
        return self.target_map_(self._check(X))

    def transform_source(self, X):
        """Map source rows into the shared space; shapes as in `transform`."""
        check_is_fitted(self)
        return self.source_map_(self._check(X))

    def _check(self, X):
        return validate_data(self, X, dtype=_DTYPES, accept_sparse=self._sparse, reset=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = self._accepts_sparse
        return tags
