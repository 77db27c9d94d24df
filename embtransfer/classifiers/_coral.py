"""CORALClassifier: correlation alignment on the weights of a logistic regression."""

from numbers import Integral, Real
from warnings import warn

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn import config_context
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import Interval

from .._types import Seed
from ._base import BaseTransferClassifier


class CORALClassifier(BaseTransferClassifier):
    r"""Logistic regression with correlation alignment on its weights, for wide sparse rows.

    What `CORAL` followed by logistic regression learns, where no covariance of all columns can be formed
    and centred rows would be dense.

    Parameters
    ----------
    n_components : int, default=100
        Principal components kept of each domain's covariance; lowered to what its rows can carry. The
        variance in all other directions is spread evenly over them. Time grows with it; a few hundred
        columns or fewer may be kept in full.
    shrinkage : float in [0, 1], default=0.1
        How far each covariance is drawn towards a multiple of the identity. Text with more columns than
        rows needs some; there is no Ledoit-Wolf estimate here, which needs the whole covariance.
    C : float, default=1.0
        Inverse of the penalty's strength, as in LogisticRegression.
    max_iter : int, default=1000
        Iterations of L-BFGS; more than enough for TF-IDF rows.
    tol : float, default=1e-4
        L-BFGS stops where no component of the gradient, per row, is larger.
    random_state : int, RandomState instance or None, default=0
        For the starting vector of the eigenvalue solver, which changes the result within its tolerance only.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights for target rows as they are, not centred.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    n_iter_ : int
        Iterations of L-BFGS.
    estimator_ : LogisticRegression
        Holds `coef_` and `intercept_`.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    See Also
    --------
    CORAL : The adapter, for dense rows of a few hundred columns.

    Notes
    -----
    With :math:`A = C_s^{-1/2} C_t^{1/2}`, the classifier of rows :math:`(x - \mu_s) A` with weights w scores
    them :math:`(x - \mu_s) (A w)`, so that the rows need not be mapped: L-BFGS runs over w and multiplies
    by A. Target rows score :math:`(x - \mu_t) w`. Each covariance is

    .. math:: C = (1 - s) (V \Lambda V^\top + \rho (I - V V^\top)) + s \frac{\mathrm{tr}}{d} I,

    with the first principal axes V, the mean :math:`\rho` of the variances left, and the shrinkage s: a
    multiple of the identity plus low rank, as is each power of it. With all components kept it is the
    shrunk covariance of `CORAL`. Time is linear in rows and their entries; memory holds
    n_features x n_components numbers for each domain. `sample_weight` is that of the rows' losses; means and
    covariances count rows.

    References
    ----------
    B. Sun, J. Feng, K. Saenko. "Return of frustratingly easy domain adaptation." AAAI 2016.
    M. Tipping, C. Bishop. "Probabilistic principal component analysis." Journal of the Royal Statistical
    Society B 61, 1999.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from embtransfer import CORALClassifier, make_transfer_pipeline
    >>> books, pans = ["good plot", "bad plot", "good end", "bad end"], ["good pan", "bad pan", "bad lid"]
    >>> vectorizer = TfidfVectorizer().fit(books + pans)
    >>> classifier = CORALClassifier().fit(vectorizer.transform(books), ["+", "-"] * 2,
    ...                                    X_target=vectorizer.transform(pans))
    >>> classifier.predict(vectorizer.transform(["good lid", "bad lid"]))
    array(['+', '-'], dtype='<U1')
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "shrinkage": [Interval(Real, 0, 1, closed="both")],
        "C": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 100,
        shrinkage: float = 0.1,
        C: float = 1.0,
        max_iter: int = 1000,
        tol: float = 1e-4,
        random_state: Seed = 0,
    ):
        self.n_components = n_components
        self.shrinkage = shrinkage
        self.C = C
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def _fit(self, X, y, X_target, sample_weight):
        source_mean, source = self._covariance(X)
        target_mean, target = self._covariance(X_target)
        maps = source.power(-0.5), target.power(0.5)
        weights, intercept = self._minimise(X, y, sample_weight, source_mean, *maps)
        estimator = self._make_estimator()
        estimator.classes_, estimator.n_features_in_ = self.classes_, X.shape[1]
        estimator.coef_ = weights.T.astype(X.dtype)
        estimator.intercept_ = (intercept - target_mean @ weights).astype(X.dtype)
        estimator.n_iter_ = np.array([self.n_iter_], dtype=np.int32)
        self.estimator_ = estimator

    def _covariance(self, X):
        """Mean (d,) and regularised covariance of the rows."""
        n, d = X.shape
        mean = np.asarray(X.mean(axis=0, dtype=np.float64)).ravel()
        squares = X.multiply(X) if sparse.issparse(X) else X**2
        second = np.asarray(squares.mean(axis=0, dtype=np.float64)).ravel()
        variance = np.maximum(second - mean**2, 0)
        variance[variance <= 10 * np.finfo(X.dtype).eps * second] = 0  # constant columns
        trace, k = variance.sum(), min(self.n_components, n - 1, d)
        values, axes = np.zeros(0), np.zeros((d, 0))
        if trace > 0 and k > 0:
            solver = "covariance_eigh" if k == d else "arpack"
            with config_context(array_api_dispatch=False):  # with which arpack is refused
                pca = PCA(k, svd_solver=solver, random_state=self.random_state).fit(X.astype(np.float64))
            values = pca.explained_variance_ * (n - 1) / n
            kept = values > 1e-10 * values[0]  # axes without variance are rounding
            values, axes = values[kept], pca.components_[kept].T
        rest = max(trace - values.sum(), 0) / max(d - len(values), 1)
        share, added = 1 - self.shrinkage, self.shrinkage * trace / d
        return mean, LowRankPlusIdentity(share * values + added, axes, share * rest + added)

    def _minimise(self, X, y, sample_weight, mean, whiten, colour):
        """Weights (d, n_outputs) for rows (x - mean) @ whiten @ colour, and the intercept (n_outputs,)."""
        n, d = X.shape
        number = np.searchsorted(self.classes_, y)
        n_outputs = len(self.classes_) if len(self.classes_) > 2 else 1
        rows = np.arange(n)
        total = n if sample_weight is None else sample_weight.sum()

        def objective(parameters):
            parameters = parameters.reshape(d + 1, n_outputs)
            weights, intercept = parameters[:-1], parameters[-1]
            mapped = whiten(colour(weights))
            scores = X @ mapped.astype(X.dtype) + (intercept - mean @ mapped)
            if n_outputs == 1:
                scores = np.hstack([np.zeros_like(scores), scores])
            logs = log_softmax(scores, axis=1)
            slope = np.exp(logs)
            slope[rows, number] -= 1
            logs, slope = logs[rows, number], slope[:, -n_outputs:]
            if sample_weight is not None:
                logs, slope = logs * sample_weight, slope * sample_weight[:, None]
            slope = slope / total
            sums = slope.sum(axis=0)
            gradient = colour(whiten(X.T @ slope.astype(X.dtype) - np.outer(mean, sums))) + penalty * weights
            value = -np.sum(logs, dtype=np.float64) / total + penalty / 2 * np.sum(weights**2)
            return value, np.vstack([gradient, sums]).ravel().astype(np.float64)

        penalty = 1 / (self.C * total)
        result = minimize(
            objective,
            np.zeros((d + 1) * n_outputs),
            method="L-BFGS-B",
            jac=True,
            options={"maxiter": self.max_iter, "maxfun": 10 * self.max_iter, "gtol": self.tol, "ftol": 1e-15},
        )
        self.n_iter_ = int(result.nit)
        if result.status == 1:
            warn(
                f"L-BFGS stopped at max_iter={self.max_iter} iterations. Raise max_iter, or scale the rows.",
                ConvergenceWarning,
                stacklevel=4,
            )
        parameters = result.x.reshape(d + 1, n_outputs)
        return parameters[:-1], parameters[-1]

    def _make_estimator(self):
        return LogisticRegression(C=self.C, max_iter=self.max_iter, tol=self.tol)

    @property
    def coef_(self) -> np.ndarray:
        return self.estimator_.coef_

    @property
    def intercept_(self) -> np.ndarray:
        return self.estimator_.intercept_


class LowRankPlusIdentity:
    """The symmetric matrix with eigenvalues `values` on orthonormal axes (d, k) and `rest` on all others."""

    def __init__(self, values, axes, rest):
        self.values = values
        self.axes = axes
        self.rest = rest

    def __call__(self, X):
        """The matrix times X (d, m)."""
        return self.rest * X + self.axes @ ((self.values - self.rest)[:, None] * (self.axes.T @ X))

    def power(self, exponent):
        """The matrix to a power, as `adapters` take it of a dense one: all zero stays all zero.

        For negative powers eigenvalues below 1e-6 of the largest are raised to that.
        """
        largest = max(self.values.max(initial=0), self.rest)
        if largest <= 0:
            return LowRankPlusIdentity(0 * self.values, self.axes, 0.0)
        floor = 1e-6 * largest if exponent < 0 else 0
        values, rest = (np.maximum(part, floor) ** exponent for part in (self.values, self.rest))
        return LowRankPlusIdentity(values, self.axes, rest)
