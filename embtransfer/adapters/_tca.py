"""TCA: transfer component analysis, linear in rows."""

from numbers import Integral, Real
from typing import Literal

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from .._types import Rows, Seed
from ..priors import PRIORS
from ..system._memory import check_memory
from ._base import BaseAdapter
from ._kernel import LandmarkFeatures, RBFKernel, RowFeatures, TransferProblem, check_squares, moments


class TCA(BaseAdapter):
    r"""Transfer component analysis: components of large variance on which the domains' means agree.

    Parameters
    ----------
    n_components : int, default=100
        Components, lowered to what the rows carry. A hundred keep most of the variance of embeddings of 300
        columns.
    kernel : {"rbf", "linear"}, default="rbf"
        Whose means are to agree. With "rbf" they are those of all functions of a row, so that distributions
        are compared; "linear" compares the means of the columns alone, which DomainCentering aligns for
        less, but is a linear map, and faster.
    gamma : float or "median", default="median"
        Of the kernel "rbf", :math:`\exp(-\gamma \|x - z\|^2)`. "median" is 1 / (2 m), m the median of the
        squared distances between landmarks: it follows the scale of the rows.
    mu : float, default=0.01
        Weight of :math:`\|W\|^2` against the difference of the domains' means; more of it lets the
        domains differ more. At 0.01 the means of averaged word vectors lie ten times as close as at 1, while
        the source is classified as well. It has the unit of the squared kernel: with "linear" it depends
        on the rows' scale.
    n_landmarks : int or None, default=500
        Rows, half of each domain, that span the components (Nystroem). None takes all rows: exact, with a
        matrix of rows by rows. "linear" is exact without landmarks where the columns are no more than the
        rows (if these are sparse, than the landmarks).
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
    JointDistributionAdaptation : Also lets the classes' means agree.
    DomainCentering : Aligns the means of the columns.

    Notes
    -----
    The components of rows with kernel matrix :math:`K` are :math:`K W`, where :math:`W` minimises
    :math:`\mathrm{tr}(W^\top K L K W) + \mu \|W\|^2` for given variances :math:`W^\top K H K W`: the leading
    eigenvectors of :math:`(K L K + \mu I)^{-1} K H K`. :math:`\mathrm{tr}(W^\top K L K W)` is the squared
    distance of the domains' means, H centres. The eigenvectors' lengths are free; here
    :math:`W^\top (K L K + \mu I) W` is a multiple of the identity, so that a component's variance is in
    proportion to its eigenvalue and one in which the domains differ stays small (with variances all made
    equal such components would come back). The variances average to 1, whatever the number of rows, and
    both domains together have mean 0.

    L has rank 1, and with m landmarks (or columns) all matrices are m x m: O(n m (d + m) + m^3) time, O(m^2)
    memory beside the rows. Sparse rows are never made dense as a whole.

    With y and a target the source is given the target's class shares first, see DomainCentering.

    References
    ----------
    S. J. Pan, I. W. Tsang, J. T. Kwok, Q. Yang. "Domain adaptation via transfer component analysis." IEEE
    Transactions on Neural Networks 22, 2011.
    C. Williams, M. Seeger. "Using the Nystroem method to speed up kernel machines." NIPS 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import TCA
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(80, 5)), rng.normal(size=(60, 5)) + [3, 0, 0, 0, 0]
    >>> tca = TCA(2, kernel="linear").fit(source, X_target=target)
    >>> apart = tca.transform_source(source).mean(axis=0) - tca.transform(target).mean(axis=0)
    >>> bool(np.abs(apart).max() < 0.1)
    True
    """

    _parameter_constraints = {
        "priors": PRIORS,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "kernel": [StrOptions({"rbf", "linear"})],
        "gamma": [StrOptions({"median"}), Interval(Real, 0, None, closed="neither")],
        "mu": [Interval(Real, 0, None, closed="neither")],
        "n_landmarks": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }
    _accepts_sparse = _one_map = True

    def __init__(
        self,
        n_components: int = 100,
        kernel: Literal["rbf", "linear"] = "rbf",
        gamma: float | Literal["median"] = "median",
        mu: float = 0.01,
        n_landmarks: int | None = 500,
        random_state: Seed = 0,
        *,
        priors: Literal["estimated", "source", "uniform"] | Rows = "estimated",
    ):
        self.priors = priors
        self.n_components = n_components
        self.kernel = kernel
        self.gamma = gamma
        self.mu = mu
        self.n_landmarks = n_landmarks
        self.random_state = random_state

    def _fit(self, source, target, y):
        features = self._features(source, target)
        both = (moments(features, X) for X in (source, target))
        problem = TransferProblem(*both, self.mu, source.dtype)
        weight = problem.solve(problem.marginal, self.n_components)
        return self._one_map_of(features, problem, weight, source)

    def _features(self, source, target):
        n_source, n_target = source.shape[0], target.shape[0]
        n, d = n_source + n_target, source.shape[1]
        m = n if self.n_landmarks is None else min(self.n_landmarks, n)
        self.gamma_, name = None, type(self).__name__
        check_squares(name, source, target)
        any_sparse = sparse.issparse(source) or sparse.issparse(target)
        if self.kernel == "linear" and d <= (m if any_sparse else n):
            check_memory(8 * 8 * d**2, f"{name} of {d:,} columns", "Reduce the columns first.")
            return RowFeatures()
        check_memory(8 * 8 * m**2, f"{name} with {m:,} landmarks", "Lower n_landmarks.")
        rng = check_random_state(self.random_state)
        of_source = min(n_source, max(m - n_target, (m + 1) // 2))
        drawn = [
            X[np.sort(rng.choice(X.shape[0], size, replace=False))]
            for X, size in ((source, of_source), (target, m - of_source))
        ]
        landmarks = sparse.csr_matrix(sparse.vstack(drawn)) if any_sparse else np.concatenate(drawn)
        if self.kernel == "linear":
            offset = np.asarray(source.sum(axis=0) + target.sum(axis=0), np.float64).ravel() / n
            return LandmarkFeatures(landmarks, None, offset)
        kernel = RBFKernel(landmarks, self.gamma)
        self.gamma_ = kernel.gamma
        return LandmarkFeatures(landmarks, kernel)

    def _one_map_of(self, features, problem, weight, source):
        """The map of both domains, twice, in the dtype of the source rows."""
        self.n_components_ = weight.shape[1]
        one = features.map(weight, problem.mean)
        one.weight = one.weight.astype(source.dtype)
        return one, one
