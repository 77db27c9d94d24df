"""Label shift: the classes come in other proportions in the target than in the source."""

from copy import copy
from numbers import Integral, Real
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import log_softmax, softmax
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._types import Estimator, Rows, Seed
from ..copies._groups import Groups, complete_folds, identical
from ..priors import LEAST, METHODS, calibrate, check_priors, estimate
from ..priors._logistic import fit_classifier
from ._base import BaseLabelledTargetClassifier, weights_of


def _calibration_moves(logits, y, calibration):
    """How much each row, counted once more, moves the calibration: (n_rows, n_parameters).

    A Newton step at the optimum stands for fitting anew: exact up to 1 / n_rows, and a thousand times faster.
    """
    n, n_classes = logits.shape
    biased = len(calibration) > 1
    proba = softmax(calibration[0] * logits + (calibration[1:] if biased else 0.0), axis=1)
    mean = np.einsum("ij,ij->i", proba, logits)
    centred = logits - mean[:, None]
    gradient = [mean - logits[np.arange(n), y]]
    hessian = np.full((1, 1), np.einsum("ij,ij,ij->", proba, centred, centred) / n)
    if biased:
        gradient.extend((proba - np.eye(n_classes)[y]).T)
        cross = np.einsum("ij,ij->j", proba, centred)[:, None] / n
        hessian = np.block([[hessian, cross.T], [cross, np.diag(proba.mean(axis=0)) - proba.T @ proba / n]])
    gradient = np.stack(gradient, axis=1)
    return (gradient.mean(axis=0) - gradient) @ np.linalg.pinv(hessian, rcond=1e-8, hermitian=True) / n


class LabelShiftClassifier(BaseLabelledTargetClassifier):
    r"""Estimate the target's class proportions, and correct a classifier's probabilities for them.

    Parameters
    ----------
    estimator : classifier with `predict_proba` or `decision_function`, default=None
        None: logistic regression with C = 10. `decision_function` alone needs a calibration.
    method : {"em", "bbse"}, default="em"
        See `estimate_priors`. "em" is the more exact on calibrated probabilities.
    priors : array-like of shape (n_classes,), default=None
        Class shares of the target, if they are known, in the order of the sorted labels. None: estimated.
    calibration : {"bcts", "temperature"} or None, default="bcts"
        Bias-corrected temperature scaling: EM is only as good as the calibration, and the biases are
        what it depends on most. "temperature" has none; None takes the probabilities as they are.
    cv : int, default=5
        Folds, stratified, for the scores of source rows that calibration and estimate rest on; equal rows
        stay together. Lowered to the distinct rows of the smallest class; with a class of one, the scores are
        those of the fitted rows.
    n_bootstrap : int, default=200
        Repetitions for the intervals; 0 for none.
    confidence : float in (0, 1), default=0.95
        Of the intervals.
    random_state : int, RandomState instance or None, default=0
        For folds and bootstrap.

    Attributes
    ----------
    estimator_ : the classifier fitted on all source rows, uncorrected
    source_priors_ : ndarray of shape (n_classes,)
        Share of each class among the source labels.
    target_priors_ : ndarray of shape (n_classes,)
    prior_intervals_ : ndarray of shape (n_classes, 2)
        Lower and upper end for each of `target_priors_`: NaN without bootstrap, itself if known.
    prior_ratio_ : ndarray of shape (n_classes,)
        What calibrated probabilities are multiplied with.
    slope_ : float
        Of the calibration: 1 / temperature.
    biases_ : ndarray of shape (n_classes,)
        Of the calibration.
    classes_ : ndarray of shape (n_classes,)
    n_target_labels_ : int
        Labelled target rows, which count in the shares by their labels.
    n_features_in_ : int

    See Also
    --------
    estimate_priors : The estimate alone, from probabilities.

    Notes
    -----
    Label shift: p(x | y) is the same in both domains, and only p(y) differs. Then :math:`p_t(y | x) \propto
    p_s(y | x) \, q(y) / p(y)`. Probabilities are :math:`softmax(a z + b)` of logits z (logarithms of
    `predict_proba`, or `decision_function`), with a and b of least log-loss on held-out source rows.

    The intervals are percentiles over repetitions that draw target rows, and held-out source rows within each
    class, with replacement, and calibrate (by one Newton step) and estimate anew: intervals for the shares in
    the population that the target rows come from. Equal rows are drawn together: a copy is no evidence. The
    classifier itself is not fitted anew.

    Steps that learn from labels, such as SelectKBest, belong inside, as `LabelShiftClassifier(make_pipeline(
    SelectKBest(), LogisticRegression()))`: there each fold fits them anew.

    `sample_weight` reaches the classifier, in the folds too. Calibration and shares count rows: leave out
    rows whose labels are not to be believed, instead of weighing them little.

    Where p(x | y) differs too, as between texts of two domains, the priors may be off by more than the
    intervals say. After an adapter the domains are alike in x already, and in label proportions too, as
    far as they show in means and covariances: use `NoAdaptation` before this one. `predict_source` of a
    pipeline predicts without the ratio. Without a target the priors are the source's.

    References
    ----------
    A. Alexandari, A. Kundaje, A. Shrikumar. "Maximum likelihood with bias-corrected calibration is
    hard-to-beat at label shift adaptation." ICML 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import LabelShiftClassifier
    >>> rng = np.random.default_rng(0)
    >>> y, y_target = np.repeat([0, 1], 200), np.repeat([0, 1], [360, 40])
    >>> X, X_target = (rng.normal(size=(400, 2)) + 2 * labels[:, None] for labels in (y, y_target))
    >>> model = LabelShiftClassifier(n_bootstrap=50).fit(X, y, X_target=X_target)
    >>> model.source_priors_, model.target_priors_.round(1)
    (array([0.5, 0.5]), array([0.9, 0.1]))
    """

    _holds_labels_out = True  # steps before it that learn from labels spoil that
    _parameter_constraints = {
        **BaseLabelledTargetClassifier._parameter_constraints,
        "method": [StrOptions(set(METHODS))],
        "priors": ["array-like", None],
        "calibration": [StrOptions({"bcts", "temperature"}), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_bootstrap": [Interval(Integral, 0, None, closed="left")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Estimator = None,
        method: Literal["em", "bbse"] = "em",
        *,
        priors: Rows | None = None,
        calibration: Literal["bcts", "temperature"] | None = "bcts",
        cv: int = 5,
        n_bootstrap: int = 200,
        confidence: float = 0.95,
        random_state: Seed = 0,
    ):
        self.estimator = estimator
        self.method = method
        self.priors = priors
        self.calibration = calibration
        self.cv = cv
        self.n_bootstrap = n_bootstrap
        self.confidence = confidence
        self.random_state = random_state

    def _fit(self, X, y, X_target, known, sample_weight):
        self._check_estimator()
        given = self.priors
        if given is not None:
            given = check_priors(given, len(self.classes_), "None, to estimate them")
        if len(known.rows) and self.method == "bbse":
            raise ValueError(
                "Got y_target and method='bbse', to which labels are of use only if their rows were drawn at "
                "random. Take method='em', to which those of any rows are."
            )
        rng = check_random_state(self.random_state)
        index = np.searchsorted(self.classes_, y)
        self.source_priors_ = np.bincount(index) / len(index)
        self.estimator_ = fit_classifier(self._make_estimator(), X, y, **weights_of(sample_weight))
        groups = identical(X)
        source = self._held_out(X, y, groups, sample_weight, rng)
        target = source if X_target is X else self._logits(self.estimator_, X_target)
        calibration = np.ones(1)
        if self.calibration is not None:
            calibration = calibrate(source, index, self.calibration)
        self.slope_ = calibration[0]
        self.biases_ = np.zeros(len(self.classes_))
        self.biases_ += calibration[1:] if len(calibration) > 1 else 0
        if given is not None:
            before = softmax(self.slope_ * source + self.biases_, axis=1).mean(axis=0)
            self.target_priors_, self.prior_ratio_ = given, given / np.maximum(before, LEAST)
            self.prior_intervals_ = np.stack([given, given], axis=1)
            return
        told = np.full(len(target), -1)
        told[known.rows] = np.searchsorted(self.classes_, known.labels)
        self.target_priors_, self.prior_ratio_ = self._shift(calibration, source, index, target, told)
        self.prior_intervals_ = np.full((len(self.classes_), 2), np.nan)
        if self.n_bootstrap:
            of_target = groups if X_target is X else identical(X_target)
            drawn = self._drawn(calibration, source, index, groups, target, told, of_target, rng)
            ends = (1 - self.confidence) / 2, (1 + self.confidence) / 2
            self.prior_intervals_ = np.quantile(drawn, ends, axis=0).T

    def _shift(self, calibration, source, y, target, told):
        """Priors of the target and the ratio to correct by, from logits; `told` has known classes, or -1."""
        biases = calibration[1:] if len(calibration) > 1 else 0.0
        source, target = (softmax(calibration[0] * logits + biases, axis=1) for logits in (source, target))
        target[told >= 0] = np.eye(len(self.classes_))[told[told >= 0]]
        return estimate(source, y, target, self.method)

    def _drawn(self, calibration, source, y, groups, target, told, of_target, rng):
        """Priors of the target by rows drawn anew, (n_bootstrap, n_classes)."""
        n_classes = len(self.classes_)
        repeated = np.empty((self.n_bootstrap, n_classes))
        own, classes = pd.factorize(groups * n_classes + y)  # of a class each
        by_class = [np.flatnonzero(classes % n_classes == k) for k in range(n_classes)]
        own, of_target = Groups(own), Groups(of_target)
        moves = np.zeros((len(source), 1))
        if self.calibration is not None:
            moves = _calibration_moves(source, y, calibration)
        for row in range(self.n_bootstrap):
            drawn = own.rows(np.concatenate([rng.choice(some, len(some)) for some in by_class]))
            from_target = drawn if target is source else of_target.draw(rng)
            moved = calibration + moves[drawn].sum(axis=0)
            moved[0] = max(moved[0], 1e-3)
            of_these = target[from_target], told[from_target]
            repeated[row] = self._shift(moved, source[drawn], y[drawn], *of_these)[0]
        return repeated

    def _check_estimator(self):
        estimator = self._make_estimator()
        needed = "predict_proba" if self.calibration is None else "predict_proba or decision_function"
        if not any(hasattr(estimator, method) for method in needed.split(" or ")):
            raise ValueError(
                f"Got {type(estimator).__name__} with calibration={self.calibration!r}. "
                f"Expected a classifier with {needed}, such as LogisticRegression()."
            )

    def _held_out(self, X, y, groups, sample_weight, rng):
        """Logits of each source row by a classifier that did not see it."""
        splits = complete_folds(y, groups, self.cv, rng)
        if not splits:
            return self._logits(self.estimator_, X)
        logits = np.empty((X.shape[0], len(self.classes_)))
        for train, test in splits:
            weights = weights_of(sample_weight, train)
            fitted = fit_classifier(self._make_estimator(), X[train], y[train], **weights)
            logits[test] = self._logits(fitted, X[test])
        return logits

    def _logits(self, estimator, X):
        if hasattr(estimator, "predict_proba"):
            return np.log(np.maximum(estimator.predict_proba(X).astype(np.float64), LEAST))
        logits = np.asarray(estimator.decision_function(X), dtype=np.float64)
        return logits if logits.ndim == 2 else np.stack([np.zeros_like(logits), logits], axis=1)

    def source_view(self) -> Estimator:
        """The fitted classifier for source rows: without the ratio of priors."""
        check_is_fitted(self)
        view = copy(self)
        view.prior_ratio_ = np.ones_like(self.prior_ratio_)
        return view

    def _log_proba(self, X):
        X = self._check_rows(X)
        logits = self.slope_ * self._logits(self.estimator_, X) + self.biases_
        log_proba = log_softmax(logits + np.log(np.maximum(self.prior_ratio_, LEAST)), axis=1)
        return log_proba.astype(X.dtype, copy=False)

    def predict(self, X: Rows) -> np.ndarray:
        """Predict labels of target rows: array of shape (n_rows,)."""
        best = self._log_proba(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X: Rows) -> np.ndarray:
        """Predict class probabilities of target rows: array of shape (n_rows, n_classes)."""
        return np.exp(self._log_proba(X))

    def decision_function(self, X: Rows) -> np.ndarray:
        """Log-odds of the second of two classes, shape (n_rows,), or log-probabilities of more classes."""
        log_proba = self._log_proba(X)
        return log_proba[:, 1] - log_proba[:, 0] if log_proba.shape[1] == 2 else log_proba
