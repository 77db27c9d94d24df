"""The contract of every adapter, and the affine maps that the linear ones consist of."""

from abc import ABCMeta, abstractmethod
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.metadata_routing import MetadataRequest
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from .._rows import of_one_kind, summed
from .._texts import check_domain
from .._types import Labels, Matrix, Rows
from ..priors import is_estimated, priors_by_rows, stratified_rows
from ..priors._target_labels import known_labels
from ._moments import ROWS

_DTYPES = [np.float64, np.float32]


def are_classes(y):
    """Whether labels are given and name at least two classes."""
    try:
        return (
            y is not None
            and type_of_target(y) in ("binary", "multiclass")
            and len(np.unique(np.asarray(y))) > 1
        )
    except ValueError:  # lists of labels
        return False


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

    The same rows and seed give the same bytes with one number of BLAS threads. With another they differ by
    rounding, by less than a thousandth of the rows' standard deviation: `threadpoolctl.threadpool_limits(1)`
    makes them equal.

    Attributes
    ----------
    source_map_, target_map_ : callable
    n_features_in_ : int
    """

    _min_rows = 1  # rows a domain must have
    _accepts_sparse = False  # whether rows may be scipy.sparse (csr arrives at _fit and at the maps)
    _uses_labels = False  # whether `_fit` wants y
    priors: Any = "source"  # a parameter of the methods that match moments
    _words: Any = None  # of the texts that the rows are of: TransferPipeline sets it while it fits
    _one_map = False  # whether both domains go through the same map even where they differ

    _parameter_constraints: dict = {}  # parameter -> what it may be, as scikit-learn declares it

    # scikit-learn routes X_target here from a pipeline, without set_fit_request
    __metadata_request__fit = {"X_target": True, "domain": True, "y_target": True}

    def __sklearn_clone__(self):
        made = super().__sklearn_clone__()
        if self._words is not None:  # a pipeline with memory fits clones
            made._words = self._words
        return made

    @abstractmethod
    def _fit(self, source, target, y):
        """Return (map of source rows, map of target rows) for two float matrices of equal width.

        y : source labels, ndarray of shape (n_source,), or None; always None unless `_uses_labels`
        """

    def fit(
        self,
        X: Rows,
        y: Labels | None = None,
        X_target: Rows | None = None,
        domain: Labels | None = None,
        y_target: Labels | None = None,
    ) -> Self:
        """Learn both maps.

        Parameters
        ----------
        X : array-like of shape (n_source, n_features)
            Source rows; a sparse matrix where the method takes one.
        y : array-like of shape (n_source,), default=None
            Source labels, for the methods that use them or give the source the target's class shares
            (`priors`); others ignore it.
        X_target : array-like of shape (n_target, n_features), default=None
            Unlabelled target rows. None: the target is the source, and nothing shifts.
        domain : array-like of shape (n_source,), default=None
            The name of each source row's domain, where there are several. DomainCentering, CORAL and LinearOT
            map each by itself; others take them together, as one source.
        y_target : array-like of shape (n_target,), default=None
            Labels of target rows, with None, NaN or pandas.NA where not known. They tell the target's class
            shares where these are estimated; nothing else is learned from them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the rows hold NaN or infinity, differ in width, or are too few for the method; if there are not
            as many domains as source rows; or if y_target comes without y or X_target, in another length,
            without a known label or with one that y does not hold.
        """
        self._validate_params()
        X, X_target = self._check_domains(X, X_target, first=True)
        for rows, name in ((X, "X"), (X_target, "X_target")):
            if rows is not None:
                self._check_rows(rows.shape[0], name)
        of_classes = are_classes(y)
        y = column_or_1d(y) if of_classes else y
        labels = self._check_labels(X, y)
        names = None if domain is None else check_domain(domain, X.shape[0])
        self.source_maps_: dict[Any, Any] = {}
        self.source_priors_ = self.priors_ = self.prior_intervals_ = None
        if y_target is not None and (X_target is None or y is None):
            raise ValueError("Got y_target, but not both X_target and classes as y. Pass these too.")
        if X_target is not None and self._asks_for_priors() and of_classes:
            check_consistent_length(X, y)
            classes, index = np.unique(np.asarray(y), return_inverse=True)
            known = known_labels(y_target, X_target.shape[0], classes)
            numbers = np.searchsorted(classes, known.labels)
            priors = self._find_priors(X, X_target, index, (known.rows, numbers))
            self._learn_as_in_target(X, labels, X_target, index, priors)
        else:
            self._learn(X, labels, X_target)
        if names is not None and X_target is not None:
            self._learn_each(X, y, names)
        self._learn_from_labels(X, y)
        return self

    def _learn_each(self, X, y, names):
        """Learn a map of each domain of the source, if the method has such; rows are checked."""

    def _learn_from_labels(self, X, y):
        """Mend the maps, which are there, by what labels of source rows say, if any; rows are checked."""

    def _asks_for_priors(self):
        return not (isinstance(self.priors, str) and self.priors == "source")

    def _find_priors(self, X, X_target, index, known=((), ())):
        """The target's class shares, from rows and their classes, of the target as far as these are known."""
        words = None if issparse(X) else self._words  # sparse rows count words themselves
        found = priors_by_rows(self.priors, [(X, X_target)], index, known=known, words=words)
        self.source_priors_, self.priors_, self.prior_intervals_ = found.source, found.target, found.intervals
        return found.target

    def _learn_as_in_target(self, X, y, X_target, index, priors):
        """As `_learn`, of a source whose classes have these shares; `index` has the number of each row's."""
        rows = stratified_rows(index, priors, len(index))
        self._learn(X[rows], None if y is None else y[rows], X_target)

    def _learn(self, X, y, X_target):
        """Set both maps; rows and labels are checked."""
        if X_target is None:
            _, target_map = self._fit(X, X, y)
            self._set_maps(target_map, target_map)
        else:
            self._set_maps(*self._fit(X, X_target, y))

    def _set_maps(self, source_map, target_map):
        self.source_map_, self.target_map_ = source_map, target_map
        self._n_features_out = target_map.n_outputs(self.n_features_in_)

    def _check_domains(self, X, X_target, first):
        """Rows of both domains as float matrices, either of them maybe None; `first` sets the columns."""
        for rows, name in ((X, "X"), (X_target, "X_target")):
            self._check_dense(rows, name)
        if X is not None:
            X = summed(validate_data(self, X, dtype=_DTYPES, accept_sparse=self._sparse, reset=first))
        if X_target is not None:
            given = X_target
            X_target = check_array(X_target, dtype=_DTYPES, accept_sparse=self._sparse, input_name="X_target")
            first = first and X is None
            if not first and X_target.shape[1] != self.n_features_in_:
                raise ValueError(
                    f"X_target has {X_target.shape[1]} features, but X has {self.n_features_in_}. "
                    "Embed source and target texts with the same embedder."
                )
            validate_data(self, given, reset=first, skip_check_array=True)  # names and order of columns
        if X is None or X_target is None:
            return X, summed(X_target)
        return of_one_kind(X, summed(X_target))

    def _check_dense(self, rows, name):
        if issparse(rows) and not self._accepts_sparse:
            raise TypeError(
                f"Got {name} as a sparse matrix {rows.shape}, but {type(self).__name__} expects dense rows. "
                "Put TruncatedSVD(300) before it, or take NoAdaptation(), the adapter for words and n-grams, "
                "with SelfTrainingClassifier() after it."
            )

    @property
    def _sparse(self):
        return "csr" if self._accepts_sparse else False

    def _check_labels(self, X, y):
        if y is None or not self._uses_labels:
            return None
        y = column_or_1d(y)
        check_consistent_length(X, y)
        return y

    def _check_rows(self, n_rows, name):
        if n_rows < self._min_rows:
            raise ValueError(
                f"{name} has n_samples={n_rows}, but {type(self).__name__} needs at least "
                f"{self._min_rows} rows of each domain. Give more rows, or use NoAdaptation."
            )

    def fit_transform(
        self,
        X: Rows,
        y: Labels | None = None,
        X_target: Rows | None = None,
        domain: Labels | None = None,
        y_target: Labels | None = None,
    ) -> Matrix:
        """Learn both maps, map the source rows: `fit(...).transform_source(X, domain)`.

        Returns
        -------
        ndarray of shape (n_source, n_components), of the dtype of X (float32 or float64)
        """
        fitted = self.fit(X, y, X_target=X_target, domain=domain, y_target=y_target)
        return fitted.transform_source(X, domain)

    def transform(self, X: Rows) -> Matrix:
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

    def transform_source(self, X: Rows, domain: Labels | None = None) -> Matrix:
        """Map source rows into the shared space; shapes as in `transform`.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
        domain : str or array-like of shape (n_rows,), default=None
            The domain of all rows or of each, as in `fit`. None: the map of all sources together.

        Raises
        ------
        ValueError
            If `fit` was told the domains, and one was not among them.
        """
        check_is_fitted(self)
        return self._map_source(self._check(X), domain)

    def _map_source(self, X, domain):
        return self.source_map_(X)

    def _check(self, X):
        self._check_dense(X, "X")
        return summed(validate_data(self, X, dtype=_DTYPES, accept_sparse=self._sparse, reset=False))

    def get_metadata_routing(self) -> MetadataRequest:
        """What `fit` asks a pipeline for: labels of the target only where they tell its class shares."""
        request = super().get_metadata_routing()
        if not is_estimated(self.priors):
            request.fit.add_request(param="y_target", alias=False)
        return request

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.sparse = self._accepts_sparse
        return tags
