"""JointDistributionAdaptation: means of domains and of classes agree, by pseudo-labels."""

from numbers import Integral, Real
from typing import Literal

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.multiclass import check_classification_targets

from .._types import Estimator, Rows, Seed
from ._kernel import TransferProblem, moments
from ._tca import TCA


class JointDistributionAdaptation(TCA):
    r"""Joint and balanced distribution adaptation: TCA on which the classes' means agree too.

    The target's classes are pseudo-labels: what a classifier trained on the mapped source rows predicts,
    anew in each round. Without y it is TCA.

    Parameters
    ----------
    n_components : int, default=100
        Components, lowered to what the rows carry.
    kernel : {"rbf", "linear"}, default="rbf"
        As in TCA.
    gamma : float or "median", default="median"
        As in TCA.
    mu : float, default=0.01
        Weight of :math:`\|W\|^2` against the differences of means.
    balance : float in [0, 1], default=0.5
        Between the domains' means (0) and the classes' means (1). Balanced distribution adaptation's
        parameter; in the middle both weigh as in joint distribution adaptation.
    n_iter : int, default=10
        Rounds of pseudo-labels at most, as in the papers; it ends when no label changes.
    estimator : classifier, default=None
        Gives the pseudo-labels. None: logistic regression, which needs no choice of neighbours.
    n_landmarks : int or None, default=500
        As in TCA.
    random_state : int, RandomState instance or None, default=0
        Draws the landmarks.
    priors : {"estimated", "source", "uniform"} or array-like of shape (n_classes,), default="estimated"
        The classes' shares in the target, which the source is given before the domains are compared:
        estimated, as in the source, equal, or known. Without y the source is taken as it is. In a
        TransferPipeline of texts their words tell the shares beside the rows.

    Attributes
    ----------
    n_components_ : int
        Components in use.
    n_iter_ : int
        Rounds that changed a pseudo-label; 0 without y.
    gamma_ : float or None
        Of the kernel; None for "linear".
    source_map_, target_map_ : KernelMap or LinearMap
        One map, of both domains.
    source_priors_, priors_ : ndarray of shape (n_classes,), or None without y or X_target
        Class shares of the source, and those taken for the target; classes as sorted.
    prior_intervals_ : ndarray of shape (n_classes, 2), or None
        Of `priors_`: 95 % confidence.
    n_features_in_ : int

    See Also
    --------
    TCA : Lets the domains' means agree alone, and says what the parameters of the kernel do.

    Notes
    -----
    TCA with :math:`L = 2 (1 - b) L_0 + 2 b \sum_c L_c`, where b is the balance and
    :math:`\mathrm{tr}(W^\top K L_c K W)` the squared distance of the two domains' means of class c. A class
    that no target row is predicted to have is left out. The first labels come from TCA. L has rank 1 + the
    number of classes. Features of all rows, n x m, are kept while it fits, in float64, so that labels
    do not hang on rounding; time is that of TCA and, a round, O(n m + m^3) and the classifier.

    With y and a target the source is given the target's class shares first, see DomainCentering.

    References
    ----------
    M. Long, J. Wang, G. Ding, J. Sun, P. S. Yu. "Transfer feature learning with joint distribution
    adaptation." ICCV 2013.
    J. Wang, Y. Chen, S. Hao, W. Feng, Z. Shen. "Balanced distribution adaptation for transfer learning."
    ICDM 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import JointDistributionAdaptation
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 40)
    >>> source, target = rng.normal(size=(80, 5)) + 4 * y[:, None], rng.normal(size=(60, 5)) + 1
    >>> adapter = JointDistributionAdaptation(2).fit(source, y, X_target=target)
    >>> adapter.transform(target).shape
    (60, 2)
    """

    _parameter_constraints = {
        **TCA._parameter_constraints,
        "balance": [Interval(Real, 0, 1, closed="both")],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "estimator": [HasMethods(["fit", "predict"]), None],
    }
    _uses_labels = True

    def __init__(
        self,
        n_components: int = 100,
        kernel: Literal["rbf", "linear"] = "rbf",
        gamma: float | Literal["median"] = "median",
        mu: float = 0.01,
        balance: float = 0.5,
        n_iter: int = 10,
        estimator: Estimator = None,
        n_landmarks: int | None = 500,
        random_state: Seed = 0,
        *,
        priors: Literal["estimated", "source", "uniform"] | Rows = "estimated",
    ):
        super().__init__(n_components, kernel, gamma, mu, n_landmarks, random_state, priors=priors)
        self.balance = balance
        self.n_iter = n_iter
        self.estimator = estimator

    def _fit(self, source, target, y):
        self.n_iter_ = 0
        if y is None:
            return super()._fit(source, target, y)
        check_classification_targets(y)
        features = self._features(source, target)
        # in float64: labels must not hang on where a solver stops in float32, which differs by processor
        of_source, of_target = (features(X.astype(np.float64, copy=False)) for X in (source, target))
        both = (moments(np.asarray, X) for X in (of_source, of_target))
        problem = TransferProblem(*both, self.mu, source.dtype)
        weight = problem.solve(problem.marginal, self.n_components)
        labels = None
        for _ in range(self.n_iter):
            previous, labels = labels, self._pseudo_labels(of_source, of_target, y, problem.mean, weight)
            if np.array_equal(labels, previous):
                break
            self.n_iter_ += 1
            differences = [np.sqrt(2 * (1 - self.balance)) * problem.marginal.ravel()]
            for label in np.unique(labels):
                means = (
                    X[known == label].mean(axis=0, dtype=np.float64)
                    for X, known in ((of_source, y), (of_target, labels))
                )
                differences.append(np.sqrt(2 * self.balance) * np.subtract(*means))
            weight = problem.solve(np.transpose(differences), self.n_components)
        return self._one_map_of(features, problem, weight, source)

    def _pseudo_labels(self, source, target, y, mean, weight):
        if len(np.unique(y)) == 1:  # nothing to learn
            return np.full(len(target), y[0])
        classifier = LogisticRegression(max_iter=1000) if self.estimator is None else clone(self.estimator)
        shift = mean @ weight
        return classifier.fit(source @ weight - shift, y).predict(target @ weight - shift)
