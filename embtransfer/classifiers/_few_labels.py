"""Classifiers for a source with labels and a target with a few of them."""

from copy import copy
from numbers import Real
from typing import Literal

import numpy as np
from scipy import sparse
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._rows import stack_rows
from .._types import Estimator
from ..priors._logistic import fit_classifier
from ._base import BaseLabelledTargetClassifier


class _FewLabelsClassifier(BaseLabelledTargetClassifier):
    """Fits on source rows and the labelled ones of the target rows, none or more."""

    _parameter_constraints = {
        **BaseLabelledTargetClassifier._parameter_constraints,
        "target_weight": [StrOptions({"balanced"}), Interval(Real, 0, None, closed="neither")],
    }

    def _fit_both(self, rows, y, n_source, sample_weight):
        """Fit on rows of the source followed by rows of the target, weighted."""
        estimator, n_target = self._make_estimator(), len(y) - n_source
        weight = self.target_weight
        if weight == "balanced":
            weight = n_source / max(n_target, 1)
        if sample_weight is None and (weight == 1 or n_target == 0):
            return fit_classifier(estimator, rows, y)
        self._check_takes_weights(self.target_weight)
        of_source = np.ones(n_source) if sample_weight is None else sample_weight
        of_target = np.full(n_target, weight * of_source.mean())
        return fit_classifier(estimator, rows, y, np.concatenate([of_source, of_target]))


class PooledClassifier(_FewLabelsClassifier):
    """Fit one classifier on the source rows and the labelled target rows together.

    Parameters
    ----------
    estimator : classifier, default=None
        None: logistic regression with C = 10.
    target_weight : "balanced" or float, default="balanced"
        Weight of a labelled target row, where source rows have 1 on the mean. "balanced" gives both domains
        the same sum, n_source / n_labelled: otherwise thousands of source rows outvote a few target rows.

    Attributes
    ----------
    estimator_ : the fitted classifier
    n_target_labels_ : int
        Labelled target rows.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    See Also
    --------
    FeatureAugmentationClassifier : Lets the domains differ in what a feature says.

    Notes
    -----
    Minimises :math:`\\sum_{source} \\ell(x, y) + c \\sum_{target} \\ell(x, y)`, c being `target_weight`.
    Without `y_target` it is the classifier on source rows alone.

    References
    ----------
    H. Daume III. "Frustratingly easy domain adaptation." ACL 2007 (its baselines "All" and "Weighted").

    Examples
    --------
    >>> from embtransfer import PooledClassifier
    >>> X, X_target = [[0.0], [1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]
    >>> model = PooledClassifier().fit(X, [0, 0, 1, 1], X_target=X_target, y_target=[0, None, 1])
    >>> model.n_target_labels_
    2
    """

    def __init__(self, estimator: Estimator = None, target_weight: float | Literal["balanced"] = "balanced"):
        self.estimator = estimator
        self.target_weight = target_weight

    def _fit(self, X, y, X_target, known, sample_weight):
        rows = stack_rows(X, X_target[known.rows]) if len(known.rows) else X
        self.estimator_ = self._fit_both(rows, np.concatenate([y, known.labels]), X.shape[0], sample_weight)


class FeatureAugmentationClassifier(_FewLabelsClassifier):
    """Give each domain its own copy of the features, beside a copy that both share.

    Parameters
    ----------
    estimator : classifier, default=None
        None: logistic regression with C = 10. Meant for linear classifiers with a penalty on the weights.
    target_weight : "balanced" or float, default=1.0
        Weight of a labelled target row, where source rows have 1 on the mean, as in the paper: the copy of
        its own lets the target differ already. "balanced" gives both domains the same sum.

    Attributes
    ----------
    estimator_ : the fitted classifier
        Of 3 n_features columns: shared, source, target; of n_features where it saw no target label.
    n_target_labels_ : int
        Labelled target rows.
    domain_ : {"target", "source"}
        Whose rows `predict` takes; "source" in a `source_view`.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    See Also
    --------
    PooledClassifier : Both domains share all weights.

    Notes
    -----
    Source rows become [x, x, 0], target rows [x, 0, x]. A linear classifier so has the weights
    :math:`w + w_s` on the source and :math:`w + w_t` on the target, and the penalty :math:`|w|^2 + |w_s|^2 +
    |w_t|^2` lets them differ as far as the labels ask for. Without `y_target` it is the
    classifier on source rows as they are. Takes three times the memory of dense rows, and twice that of
    sparse ones.

    References
    ----------
    H. Daume III. "Frustratingly easy domain adaptation." ACL 2007.

    Examples
    --------
    >>> from embtransfer import FeatureAugmentationClassifier
    >>> X, X_target = [[-2.0], [-1.0], [1.0], [2.0]] * 5, [[-1.0], [1.0], [3.0]] * 5
    >>> model = FeatureAugmentationClassifier()
    >>> model.fit(X, ["-", "-", "+", "+"] * 5, X_target=X_target, y_target=["+", "-", None] * 5)
    FeatureAugmentationClassifier()
    >>> model.predict([[-2.0], [2.0]]), model.source_view().predict([[-2.0], [2.0]])
    (array(['+', '-'], dtype='<U1'), array(['-', '+'], dtype='<U1'))
    """

    def __init__(self, estimator: Estimator = None, target_weight: float | Literal["balanced"] = 1.0):
        self.estimator = estimator
        self.target_weight = target_weight

    def _fit(self, X, y, X_target, known, sample_weight):
        self.domain_ = "target"
        if len(known.rows):
            X = _augment(X, X_target[known.rows])
        self.estimator_ = self._fit_both(X, np.concatenate([y, known.labels]), len(y), sample_weight)

    def source_view(self) -> Estimator:
        """The fitted classifier for source rows, which it takes as [x, x, 0]."""
        check_is_fitted(self)
        view = copy(self)
        view.domain_ = "source"
        return view

    def _check_rows(self, X):
        X = super()._check_rows(X)
        if self.n_target_labels_ == 0:
            return X
        return _augment(X, X[:0]) if self.domain_ == "source" else _augment(X[:0], X)


def _augment(source, target):
    """Rows [x, x, 0] of the source, then rows [x, 0, x] of the target."""
    (n, d), n_target = source.shape, target.shape[0]
    if sparse.issparse(source) or sparse.issparse(target):
        own = sparse.block_diag([source, target], format="csr", dtype=source.dtype)
        return sparse.hstack([stack_rows(source, target), own], format="csr")
    rows = np.zeros((n + n_target, 3 * d), source.dtype)
    rows[:n, :d] = rows[:n, d : 2 * d] = source
    rows[n:, :d] = rows[n:, 2 * d :] = target
    return rows
