"""Label shift: the classes come in other proportions in the target than in the source."""

from copy import copy
from numbers import Integral, Real

import numpy as np
from scipy.optimize import minimize, nnls
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_array, check_is_fitted

from .._validation import check_name
from ._base import BaseTransferClassifier

METHODS = ("em", "bbse")
_LEAST = 1e-12  # of a probability, so that its logarithm is finite


def estimate_priors(proba_source, y_source, proba_target, method="em"):
    r"""Estimate how often each class occurs in the target, from a classifier's probabilities.

    Parameters
    ----------
    proba_source : array-like of shape (n_source, n_classes)
        Probabilities of labelled source rows that the classifier was not fitted on; columns in the order of
        the sorted labels.
    y_source : array-like of shape (n_source,)
        Their labels; each class at least once.
    proba_target : array-like of shape (n_target, n_classes)
        Probabilities of target rows.
    method : {"em", "bbse"}, default="em"
        "em": maximum likelihood by expectation maximisation, the more exact where the probabilities are
        calibrated. "bbse": black-box shift estimation, which takes any scores that sum to 1.

    Returns
    -------
    ndarray of shape (n_classes,), float64
        At least 0, with sum 1.

    Raises
    ------
    ValueError
        If shapes do not fit together, or rows are not probabilities.

    See Also
    --------
    LabelShiftClassifier : Calibrates, estimates and corrects.

    Notes
    -----
    "em" repeats :math:`q_k \leftarrow \frac{1}{n_t} \sum_j \frac{q_k / p_k \, f_k(x_j)}{\sum_l q_l / p_l \,
    f_l(x_j)}` from q = p until no entry moves by 1e-8, where p is the mean of `proba_source`: on calibrated
    probabilities the share of each class, and on others what makes "no shift" come out as such.

    "bbse" minimises :math:`|A q - m|^2` over the simplex: column k of A is the mean of `proba_source` over
    rows of class k, m the mean of `proba_target`.

    References
    ----------
    M. Saerens, P. Latinne, C. Decaestecker. "Adjusting the outputs of a classifier to new a priori
    probabilities." Neural Computation 14, 2002.
    Z. Lipton, Y.-X. Wang, A. Smola. "Detecting and correcting for label shift with black box predictors."
    ICML 2018.

    Examples
    --------
    >>> from embtransfer import estimate_priors
    >>> estimate_priors([[0.8, 0.2], [0.2, 0.8]], ["bad", "good"], [[0.2, 0.8]] * 3 + [[0.8, 0.2]], "bbse")
    array([0.25, 0.75])
    """
    check_name("method", method, METHODS)
    source, target = check_array(proba_source), check_array(proba_target)
    y = column_or_1d(y_source)
    check_consistent_length(source, y)
    classes, index = np.unique(y, return_inverse=True)
    if not source.shape[1] == target.shape[1] == len(classes):
        raise ValueError(
            f"proba_source has {source.shape[1]} columns, proba_target {target.shape[1]}, and y_source "
            f"{len(classes)} classes. Expected the same number of each."
        )
    for name, proba in (("proba_source", source), ("proba_target", target)):
        if proba.min() < 0 or np.abs(proba.sum(axis=1) - 1).max() > 1e-3:
            raise ValueError(f"{name} holds rows that are no probabilities. Expected predict_proba's output.")
    return _estimate(source, index, target, method)[0]


def _estimate(source, y, target, method):
    """Priors of the target, and what probabilities are to be multiplied with for it."""
    source, target = (np.asarray(proba, dtype=np.float64) for proba in (source, target))
    if method == "em":
        before = np.maximum(source.mean(axis=0), _LEAST)
        priors = _em(target, before)
        return priors, priors / before
    counts = np.bincount(y)
    confusion = np.stack([source[y == k].mean(axis=0) for k in range(len(counts))], axis=1)
    # the simplex by one more equation, heavy enough to hold: rows of probabilities sum to 1 in any case
    heavy = 1e4
    equations = np.vstack([confusion, np.full(len(counts), heavy)])
    priors = nnls(equations, np.append(target.mean(axis=0), heavy))[0]
    priors /= priors.sum()
    return priors, priors / (counts / counts.sum())


def _em(proba, before, tol=1e-8, max_iter=10_000):
    priors = before / before.sum()
    proba = proba / before
    for _ in range(max_iter):
        joint = proba @ priors
        following = priors * ((1 / np.maximum(joint, 1e-300)) @ proba) / len(proba)
        following /= following.sum()
        moved = np.abs(following - priors).max()
        priors = following
        if moved < tol:
            break
    return priors


def _calibrate(logits, y, kind, start=None):
    """[slope, *biases] of least log-loss of softmax(slope * logits + biases); no biases for "temperature"."""
    n, n_classes = logits.shape
    biased = kind == "bcts"
    shares = np.bincount(y, minlength=n_classes) / n
    attained = logits[np.arange(n), y].mean()

    def loss(parameters):
        slope, biases = parameters[0], parameters[1:] if biased else 0.0
        scores = slope * logits + biases
        norm = logsumexp(scores, axis=1)
        proba = np.exp(scores - norm[:, None])
        gradient = [np.einsum("ij,ij->", proba, logits) / n - attained]
        if biased:
            gradient = np.append(gradient, proba.mean(axis=0) - shares)
        return norm.mean() - slope * attained - np.sum(biases * shares), np.asarray(gradient)

    if start is None:
        start = np.eye(1, 1 + n_classes * biased)[0]
    # bounds, for labels that the scores separate without error: there the loss has no minimum
    bounds = [(1e-3, 1e3)] + [(-30, 30)] * (n_classes * biased)
    options = {"gtol": 1e-7, "ftol": 1e-13}
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x


class LabelShiftClassifier(BaseTransferClassifier):
    r"""Estimate the target's class proportions, and correct a classifier's probabilities for them.

    Parameters
    ----------
    estimator : classifier with `predict_proba` or `decision_function`, default=None
        None: logistic regression with C = 10. `decision_function` alone needs a calibration.
    method : {"em", "bbse"}, default="em"
        See `estimate_priors`. "em" is the more exact on calibrated probabilities.
    calibration : {"bcts", "temperature"} or None, default="bcts"
        Bias-corrected temperature scaling: EM is only as good as the calibration, and the biases are
        what it depends on most. "temperature" has none; None takes the probabilities as they are.
    cv : int, default=5
        Folds, stratified, for the scores of source rows that calibration and estimate rest on. Lowered to the
        rows of the smallest class; with a class of one row, the scores are those of the fitted rows.
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
        Lower and upper end for each of `target_priors_`; NaN without bootstrap.
    prior_ratio_ : ndarray of shape (n_classes,)
        What calibrated probabilities are multiplied with.
    slope_ : float
        Of the calibration: 1 / temperature.
    biases_ : ndarray of shape (n_classes,)
        Of the calibration.
    classes_ : ndarray of shape (n_classes,)
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
    class, with replacement, and calibrate and estimate anew: an interval for the share of the class in
    the population that the target rows come from. The classifier itself is not fitted anew.

    After an adapter the domains are alike in x already, and in label proportions too, as far as they show in
    means and covariances: use `NoAdaptation` before this one. `predict_source` of a pipeline predicts
    without the ratio. Without a target the priors are the source's.

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

    _parameter_constraints = {
        **BaseTransferClassifier._parameter_constraints,
        "method": [StrOptions(set(METHODS))],
        "calibration": [StrOptions({"bcts", "temperature"}), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_bootstrap": [Interval(Integral, 0, None, closed="left")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        method="em",
        *,
        calibration="bcts",
        cv=5,
        n_bootstrap=200,
        confidence=0.95,
        random_state=0,
    ):
        self.estimator = estimator
        self.method = method
        self.calibration = calibration
        self.cv = cv
        self.n_bootstrap = n_bootstrap
        self.confidence = confidence
        self.random_state = random_state

    def _fit(self, X, y, X_target):
        self._check_estimator()
        rng = check_random_state(self.random_state)
        index = np.searchsorted(self.classes_, y)
        self.source_priors_ = np.bincount(index) / len(index)
        self.estimator_ = self._make_estimator().fit(X, y)
        source = self._held_out(X, y, rng)
        target = source if X_target is X else self._logits(self.estimator_, X_target)
        self.slope_, self.biases_, self.target_priors_, self.prior_ratio_ = self._shift(source, index, target)
        repeated = np.full((max(self.n_bootstrap, 1), len(self.classes_)), np.nan)
        by_class = [np.flatnonzero(index == k) for k in range(len(self.classes_))]
        for row in range(self.n_bootstrap):
            drawn = np.concatenate([rng.choice(rows, len(rows)) for rows in by_class])
            from_target = drawn if X_target is X else rng.randint(len(target), size=len(target))
            repeated[row] = self._shift(source[drawn], index[drawn], target[from_target], warm=True)[2]
        ends = (1 - self.confidence) / 2, (1 + self.confidence) / 2
        self.prior_intervals_ = np.quantile(repeated, ends, axis=0).T

    def _check_estimator(self):
        estimator = self._make_estimator()
        needed = "predict_proba" if self.calibration is None else "predict_proba or decision_function"
        if not any(hasattr(estimator, method) for method in needed.split(" or ")):
            raise ValueError(
                f"Got {type(estimator).__name__} with calibration={self.calibration!r}. "
                f"Expected a classifier with {needed}, such as LogisticRegression()."
            )

    def _held_out(self, X, y, rng):
        """Logits of each source row by a classifier that did not see it."""
        folds = min(self.cv, np.unique(y, return_counts=True)[1].min())
        if folds < 2:
            return self._logits(self.estimator_, X)
        logits = np.empty((X.shape[0], len(self.classes_)))
        for train, test in StratifiedKFold(folds, shuffle=True, random_state=rng).split(X, y):
            logits[test] = self._logits(self._make_estimator().fit(X[train], y[train]), X[test])
        return logits

    def _logits(self, estimator, X):
        if hasattr(estimator, "predict_proba"):
            return np.log(np.maximum(estimator.predict_proba(X).astype(np.float64), _LEAST))
        logits = np.asarray(estimator.decision_function(X), dtype=np.float64)
        return logits if logits.ndim == 2 else np.stack([np.zeros_like(logits), logits], axis=1)

    def _shift(self, source, y, target, warm=False):
        """Slope and biases of the calibration, target priors, and the ratio to correct by."""
        slope, biases = 1.0, np.zeros(source.shape[1])
        if self.calibration is not None:
            start = None
            if warm:
                start = np.append(self.slope_, self.biases_ if self.calibration == "bcts" else [])
            slope, *found = _calibrate(source, y, self.calibration, start)
            biases[:] = found or 0
        source, target = (softmax(slope * logits + biases, axis=1) for logits in (source, target))
        return slope, biases, *_estimate(source, y, target, self.method)

    def source_view(self):
        """The fitted classifier for source rows: without the ratio of priors."""
        check_is_fitted(self)
        view = copy(self)
        view.prior_ratio_ = np.ones_like(self.prior_ratio_)
        return view

    def _log_proba(self, X):
        X = self._check_rows(X)
        logits = self.slope_ * self._logits(self.estimator_, X) + self.biases_
        log_proba = log_softmax(logits + np.log(np.maximum(self.prior_ratio_, _LEAST)), axis=1)
        return log_proba.astype(X.dtype, copy=False)

    def predict(self, X):
        """Predict labels of target rows: array of shape (n_rows,)."""
        best = self._log_proba(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X):
        """Predict class probabilities of target rows: array of shape (n_rows, n_classes)."""
        return np.exp(self._log_proba(X))

    def decision_function(self, X):
        """Log-odds of the second of two classes, shape (n_rows,), or log-probabilities of more classes."""
        log_proba = self._log_proba(X)
        return log_proba[:, 1] - log_proba[:, 0] if log_proba.shape[1] == 2 else log_proba
