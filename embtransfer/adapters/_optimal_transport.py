"""OptimalTransport: source rows move to where an entropic transport plan sends them."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets

from ._base import BaseAdapter, Identity

_ITERATIONS = 1000  # of Sinkhorn at most
_ROUNDS = 10  # of the class regularisation


class DisplacementMap:
    """Rows x -> x + the displacement of the nearest of some sampled rows.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_features)
    displacements : ndarray of shape (n_samples, n_features)
    """

    def __init__(self, samples, displacements):
        self.samples = samples
        self.displacements = displacements

    def n_outputs(self, n_features):
        return n_features

    def __call__(self, X):
        # whatever their size, distances are computed a few rows at a time
        nearest = pairwise_distances_argmin(X, self.samples.astype(X.dtype, copy=False))
        result = self.displacements.astype(X.dtype, copy=False)[nearest]
        result += X
        return result


class OptimalTransport(BaseAdapter):
    r"""Entropic optimal transport: move source rows onto the target by a transport plan.

    Needs POT: `pip install "embtransfer[ot]"`.

    Parameters
    ----------
    reg : float, default=0.05
        Weight of the plan's entropy, where 1 is the median cost. More makes the plan blurred and fast to find;
        far below 0.01 Sinkhorn's iterations do not converge.
    class_reg : float, default=0.0
        Weight of the group regularisation that, given y, keeps a target row from receiving from source rows
        of several classes. In units of the median cost as well; 0, the default, needs no labels.
    debias : bool, default=True
        Whether to take away what the entropy alone does: it draws rows together, so that even a source that
        is the target would move. False is the plain barycentric map of the paper.
    n_samples : int or None, default=1000
        Rows drawn of each domain for the plan, whose time and memory grow with their square. None takes all.
    random_state : int, RandomState instance or None, default=0
        Draws the rows.

    Attributes
    ----------
    source_map_ : DisplacementMap
    target_map_ : Identity
    n_features_in_ : int

    See Also
    --------
    LinearOT : The plan between Gaussians: an affine map, without parameters of regularisation.

    Notes
    -----
    The plan minimises :math:`\langle P, C \rangle + r \sum P \log P`, C being squared distances divided
    by their median, and sends row :math:`x_i` of the sample to the mean :math:`T_{st}(x_i)` of the target rows,
    weighted by its row of P. With :math:`T_{ss}` for the plan of the source onto itself, it moves by
    :math:`T_{st}(x_i) - T_{ss}(x_i)`, the gradient of the Sinkhorn divergence, or without debias by
    :math:`T_{st}(x_i) - x_i`. Any other row moves as the nearest row of the sample does. Target rows stay. With
    class_reg the cost of a source row grows by class_reg times the derivative of
    :math:`\sum_c (\sum_{i \in c} P_{ij} + \epsilon)^{1/2}`, in ten rounds. O(n m d) time and O(m^2) memory
    beside the rows, m the samples.

    References
    ----------
    N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy. "Optimal transport for domain adaptation." IEEE
    Transactions on Pattern Analysis and Machine Intelligence 39, 2017.
    S. Ferradans, N. Papadakis, G. Peyré, J.-F. Aujol. "Regularized discrete optimal transport." SIAM Journal
    on Imaging Sciences 7, 2014 (rows outside the sample).
    J. Feydy, T. Séjourné, F.-X. Vialard, S. Amari, A. Trouvé, G. Peyré. "Interpolating between optimal
    transport and MMD using Sinkhorn divergences." AISTATS 2019 (debias).

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import OptimalTransport
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(80, 2)), rng.normal(size=(60, 2)) + 3
    >>> moved = OptimalTransport().fit_transform(source, X_target=target)
    >>> np.allclose(moved.mean(axis=0), target.mean(axis=0), atol=0.1)
    True
    """

    _parameter_constraints = {
        "reg": [Interval(Real, 0, None, closed="neither")],
        "class_reg": [Interval(Real, 0, None, closed="left")],
        "debias": ["boolean"],
        "n_samples": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }
    _uses_labels = True

    def __init__(self, reg=0.05, class_reg=0.0, debias=True, n_samples=1000, random_state=0):
        self.reg = reg
        self.class_reg = class_reg
        self.debias = debias
        self.n_samples = n_samples
        self.random_state = random_state

    def _fit(self, source, target, y):
        groups = None
        if self.class_reg:
            if y is None:
                raise ValueError(
                    f"Got class_reg={self.class_reg}, but y=None. Expected source labels: pass y, or class_reg=0."
                )
            check_classification_targets(y)
            groups = np.unique(y, return_inverse=True)[1]
        if source is target:
            return Identity(), Identity()
        kept, among = (self._sample(len(X)) for X in (source, target))
        sample, onto = source[kept].astype(np.float64), target[among].astype(np.float64)
        image = self._barycentres(sample, onto, None if groups is None else groups[kept])
        start = self._barycentres(sample, sample, None) if self.debias else sample
        displacements = (image - start).astype(source.dtype)
        return DisplacementMap(source[kept], displacements), Identity()

    def _sample(self, n):
        if self.n_samples is None or n <= self.n_samples:
            return np.arange(n)
        return np.sort(check_random_state(self.random_state).choice(n, self.n_samples, replace=False))

    def _barycentres(self, source, target, groups):
        """Where the plan sends each source row: float64, as the source."""
        # centred first: distances lose digits far from the origin
        middle = target.mean(axis=0)
        ot = _import_pot()
        cost = ot.dist(source - middle, target - middle)
        cost /= np.median(cost) or 1.0
        plan = self._plan(cost)
        if groups is not None:
            member = np.eye(groups.max() + 1)[groups]
            for _ in range(_ROUNDS - 1):
                mass = member.T @ plan
                plan = self._plan(cost + self.class_reg * (member @ (0.5 / np.sqrt(mass + 1e-3))))
        return plan @ target / plan.sum(axis=1, keepdims=True)

    def _plan(self, cost):
        # the plan is the same, and a row far from all has a scaling that does not overflow
        cost = cost - cost.min(axis=1, keepdims=True)
        cost -= cost.min(axis=0)
        plan, log = _import_pot().sinkhorn(
            [], [], cost, self.reg, numItermax=_ITERATIONS, warn=False, log=True
        )
        if log["err"][-1] > 1e-2 / np.sqrt(
            cost.shape[1]
        ):  # a hundredth of the length of the target's weights
            warnings.warn(
                f"The transport plan did not converge in {_ITERATIONS} iterations with reg={self.reg}. "
                "Give a larger reg.",
                ConvergenceWarning,
                stacklevel=5,
            )
        return plan


def _import_pot():
    try:
        import ot
    except ImportError as error:
        raise ImportError('OptimalTransport needs POT: pip install "embtransfer[ot]"') from error
    return ot
