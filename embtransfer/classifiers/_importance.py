"""Importance weighting: source rows count as much as the target has rows like them."""

import warnings
from numbers import Integral, Real
from typing import Literal

import numpy as np
from sklearn.base import RegressorMixin, clone
from sklearn.linear_model import Ridge
from sklearn.utils._param_validation import Interval, StrOptions

from .._types import Estimator, Seed
from ._base import BaseLabelledTargetClassifier, BaseTransferPredictor
from ._density_ratio import METHODS, learning_weights
from ._views import View

_FEW = 0.05  # share of the rows below which weights leave too little to learn from


class _ImportanceWeighted(BaseTransferPredictor):
    """Weights of the source rows, whatever learns from them."""

    _parameter_constraints = {
        **BaseTransferPredictor._parameter_constraints,
        "weights": [StrOptions(set(METHODS))],
        "flatten": [Interval(Real, 0, 1, closed="both")],
        "clip": [StrOptions({"sqrt"}), Interval(Real, 1, None, closed="left"), None],
        "max_rows": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Estimator = None,
        weights: Literal["classifier", "kliep", "kmm", "nearest"] = "nearest",
        *,
        flatten: float = 1.0,
        clip: float | Literal["sqrt"] | None = "sqrt",
        max_rows: int = 1000,
        random_state: Seed = 0,
    ):
        self.estimator = estimator
        self.weights = weights
        self.flatten = flatten
        self.clip = clip
        self.max_rows = max_rows
        self.random_state = random_state

    def _weigh(self, X, X_target, sample_weight):
        """Weights of the source rows to learn by."""
        self._check_takes_weights()
        self.weights_ = self._weights(X, X_target)
        self.effective_sample_size_ = float(self.weights_.sum() ** 2 / (self.weights_**2).sum())
        if self.effective_sample_size_ < _FEW * len(self.weights_):
            warnings.warn(
                f"The weights leave an effective sample of {self.effective_sample_size_:.1f} of "
                f"{len(self.weights_)} source rows: few of them are like the target's. Put an adapter "
                "first, or lower flatten or clip.",
                UserWarning,
                stacklevel=4,
            )
        return self.weights_ if sample_weight is None else self.weights_ * sample_weight

    def _weights(self, X, X_target):
        if X_target is X:
            return np.ones(X.shape[0])
        weights = learning_weights(
            X, X_target, self.weights, max_rows=self.max_rows, random_state=self.random_state
        )
        weights **= self.flatten
        weights /= weights.mean()
        if self.clip is not None:
            most = np.sqrt(len(weights)) if self.clip == "sqrt" else self.clip
            weights = np.minimum(weights, most)
        weights = np.maximum(weights, 1e-6)
        return weights / weights.mean()


class ImportanceWeightedClassifier(_ImportanceWeighted, BaseLabelledTargetClassifier):
    r"""Fit a classifier on source rows weighted by p_target(x) / p_source(x).

    Parameters
    ----------
    estimator : classifier whose `fit` takes `sample_weight`, default=None
        None: logistic regression with C = 10.
    weights : {"nearest", "classifier", "kliep", "kmm"}, default="nearest"
        How to estimate the ratio; see `density_ratio`. "nearest" did best on the Amazon pairs
        (docs/measured.md); it compares all source rows with all target rows, the others are linear in rows.
    flatten : float in [0, 1], default=1.0
        Exponent of the ratio. 1 is unbiased for the target, 0 is no weighting; between them bias is traded
        for variance.
    clip : "sqrt", float or None, default="sqrt"
        Largest weight, where their mean is 1. "sqrt" is the square root of the number of source rows, which
        keeps the weighted mean consistent and its variance finite; None leaves the weights alone.
    max_rows : int, default=1000
        Rows of a domain that the kernel methods take together.
    random_state : int, RandomState instance or None, default=0
        For folds and subsamples of the ratio's estimate.
    target_weight : float, default=3.0
        How many times a target row of a known label (`y_target` of `fit`) counts as much as the mean source
        row, as in SelfTrainingClassifier.

    Attributes
    ----------
    estimator_ : the fitted classifier
    weights_ : ndarray of shape (n_source,)
        Weights of the source rows, with mean 1. The classifier gets them times `sample_weight`, where given.
    effective_sample_size_ : float
        :math:`(\sum w)^2 / \sum w^2`: so many rows of equal weight vary as little. n_source where all
        weights are equal, 1 where one row has all the weight.
    n_target_labels_ : int
        Target rows whose labels it learned from.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    Warns
    -----
    UserWarning
        If the effective sample size is below 5 % of the source rows.

    See Also
    --------
    density_ratio : The weights alone.
    ImportanceWeightedRegressor : For numbers.

    Notes
    -----
    Covariate shift: p(y | x) is the same in both domains, and only p(x) differs. Then
    :math:`\sum_i w(x_i) \ell(x_i, y_i) / n_s` with :math:`w = p_t / p_s` estimates the target's loss. Where
    the domains hardly overlap (a classifier tells them apart without error) there is nothing to weight: an
    adapter comes first then. Without a target all weights are 1. Weights are no less than 1e-6, so that
    no class vanishes.

    The ratios of "nearest" are counts, most of them 0, and are drawn half way to 1 first:
    :math:`(w + 1) / 2` makes of the source a mixture of itself and the target.

    References
    ----------
    H. Shimodaira. "Improving predictive inference under covariate shift by weighting the log-likelihood
    function." Journal of Statistical Planning and Inference 90, 2000.
    E. Ionides. "Truncated importance sampling." Journal of Computational and Graphical Statistics 17, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import ImportanceWeightedClassifier
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(0, 1, (400, 2)), rng.normal(1, 1, (400, 2))
    >>> model = ImportanceWeightedClassifier().fit(source, source[:, 0] > 0, X_target=target)
    >>> bool(model.weights_[source.sum(axis=1) > 2].mean() > model.weights_.mean())
    True
    >>> bool(model.effective_sample_size_ < 400)
    True
    """

    _parameter_constraints = {
        **_ImportanceWeighted._parameter_constraints,
        "target_weight": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        estimator: Estimator = None,
        weights: Literal["classifier", "kliep", "kmm", "nearest"] = "nearest",
        *,
        flatten: float = 1.0,
        clip: float | Literal["sqrt"] | None = "sqrt",
        max_rows: int = 1000,
        random_state: Seed = 0,
        target_weight: float = 3.0,
    ):
        super().__init__(
            estimator, weights, flatten=flatten, clip=clip, max_rows=max_rows, random_state=random_state
        )
        self.target_weight = target_weight

    def _fit(self, X, y, X_target, known, sample_weight):
        weights = self._weigh(X, X_target, sample_weight)
        view = View(self._make_estimator(), X, X_target, weights)
        self.estimator_ = view.fit(y, known=known, target_weight=self.target_weight)


class ImportanceWeightedRegressor(RegressorMixin, _ImportanceWeighted):
    """Fit a regressor on source rows weighted by p_target(x) / p_source(x).

    Parameters
    ----------
    estimator : regressor whose `fit` takes `sample_weight`, default=None
        None: ridge regression with alpha = 1.
    weights, flatten, clip, max_rows, random_state
        As in ImportanceWeightedClassifier, as are the formula and its source.

    Attributes
    ----------
    estimator_ : the fitted regressor
    weights_ : ndarray of shape (n_source,)
    effective_sample_size_ : float
    n_features_in_ : int

    Raises
    ------
    ValueError
        If the rows hold NaN or infinity, or y is no numbers.

    Warns
    -----
    UserWarning
        If the effective sample size is below 5 % of the source rows.

    See Also
    --------
    ImportanceWeightedClassifier : For classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from embtransfer import ImportanceWeightedRegressor
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(0, 1, (400, 1)), rng.normal(1, 0.5, (400, 1))
    >>> y, y_target = source[:, 0] ** 2, target[:, 0] ** 2  # nearly straight where the target is
    >>> model = ImportanceWeightedRegressor().fit(source, y, X_target=target)
    >>> bool(model.score(target, y_target) > Ridge().fit(source, y).score(target, y_target))
    True
    """

    def _check_labels(self, y):
        if np.asarray(y).dtype.kind not in "biuf":
            raise ValueError(f"Got labels such as {np.asarray(y)[0]!r}. Expected numbers.")

    def _make_estimator(self):
        return Ridge() if self.estimator is None else clone(self.estimator)

    def _fit(self, X, y, X_target, sample_weight):
        weights = self._weigh(X, X_target, sample_weight)
        self.estimator_ = self._make_estimator().fit(X, y, sample_weight=weights)
