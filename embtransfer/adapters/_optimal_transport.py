"""OptimalTransport: source rows move to where an entropic transport plan sends them."""

import warnings
from numbers import Integral, Real
from typing import Literal

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets

from .._types import Rows, Seed
from ..priors import PRIORS
from ..system._memory import check_memory
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
        Weight of the plan's entropy, where 1 is the median cost. More makes the plan blurred and fast to
        find; far below 0.01 Sinkhorn's iterations do not converge. The default spreads a row of
        averaged word vectors over about a tenth of the target.
    class_reg : float, default=0.0
        Weight of the group regularisation that, given y, keeps a target row from receiving from source rows
        of several classes. In units of the median cost as well.
    n_samples : int or None, default=1000
        Rows drawn of each domain for the plan, whose time and memory grow with their square. None takes all.
    random_state : int, RandomState instance or None, default=0
        Draws the rows.
    priors : {"estimated", "source", "uniform"} or array-like of shape (n_classes,), default="estimated"
        The classes' shares in the target, which the source is given before the domains are compared:
        estimated, as in the source, equal, or known. Without y the source is taken as it is. In a
        TransferPipeline of texts their words tell the shares beside the rows.

    Attributes
    ----------
    source_map_ : DisplacementMap
    target_map_ : Identity
    source_priors_, priors_ : ndarray of shape (n_classes,), or None without y or X_target
        Class shares of the source, and those taken for the target; classes as sorted.
    prior_intervals_ : ndarray of shape (n_classes, 2), or None
        Of `priors_`: 95 % confidence.
    n_features_in_ : int

    See Also
    --------
    LinearOT : The plan between Gaussians: an affine map, without parameters of regularisation.

    Notes
    -----
    The plan minimises :math:`\langle P, C \rangle + r \sum P \log P`, C being squared distances divided
    by their median, and sends a row of the sample to the mean of the target rows, weighted by its row of P
    (barycentric mapping). Any other row moves by as much as the nearest row of the sample. Target rows stay.
    The entropy draws the moved rows together, so that even copies of the target's rows move a little; without
    X_target nothing does.

    With class_reg the cost of a source row grows by class_reg times the derivative of
    :math:`\sum_c (\sum_{i \in c} P_{ij} + 10^{-3})^{1/2}` at the plan before, in ten rounds. O(n m d) time
    and O(m^2) memory beside the rows, m the samples.

    With y and a target the source is given the target's class shares first, see DomainCentering.

    References
    ----------
    N. Courty, R. Flamary, D. Tuia, A. Rakotomamonjy. "Optimal transport for domain adaptation." IEEE
    Transactions on Pattern Analysis and Machine Intelligence 39, 2017.
    S. Ferradans, N. Papadakis, G. Peyré, J.-F. Aujol. "Regularized discrete optimal transport." SIAM Journal
    on Imaging Sciences 7, 2014 (rows outside the sample).

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
        "priors": PRIORS,
        "reg": [Interval(Real, 0, None, closed="neither")],
        "class_reg": [Interval(Real, 0, None, closed="left")],
        "n_samples": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }
    _uses_labels = True

    def __init__(
        self,
        reg: float = 0.05,
        class_reg: float = 0.0,
        n_samples: int | None = 1000,
        random_state: Seed = 0,
        *,
        priors: Literal["estimated", "source", "uniform"] | Rows = "estimated",
    ):
        self.priors = priors
        self.reg = reg
        self.class_reg = class_reg
        self.n_samples = n_samples
        self.random_state = random_state

    def _fit(self, source, target, y):
        if self.class_reg:
            if y is None:
                raise ValueError(
                    f"Got class_reg={self.class_reg} without y. Pass source labels, or class_reg=0."
                )
            check_classification_targets(y)
        if source is target:
            return Identity(), Identity()
        n, m = (min(len(X), self.n_samples or len(X)) for X in (source, target))
        what = f"A transport plan between {n:,} and {m:,} rows"
        check_memory(14 * 8 * n * m, what, "Lower n_samples.")  # of POT's copies, measured
        drawn, onto = self._sample(source), target[self._sample(target)].astype(np.float64)
        sample = source[drawn].astype(np.float64)
        cost = _import_pot().dist(sample - onto.mean(axis=0), onto - onto.mean(axis=0))
        cost /= np.median(cost) or 1.0
        plan = self._plan(cost)
        if self.class_reg:
            member = y[drawn, None] == np.unique(y)
            for _ in range(_ROUNDS - 1):
                mass = member.T @ plan
                plan = self._plan(cost + self.class_reg * (member @ (0.5 / np.sqrt(mass + 1e-3))))
        image = plan @ onto / plan.sum(axis=1, keepdims=True)
        return DisplacementMap(source[drawn], (image - sample).astype(source.dtype)), Identity()

    def _sample(self, X):
        if self.n_samples is None or len(X) <= self.n_samples:
            return np.arange(len(X))
        return np.sort(check_random_state(self.random_state).choice(len(X), self.n_samples, replace=False))

    def _plan(self, cost):
        # the plan is the same, and no row is so far from all that its weights underflow
        cost = cost - cost.min(axis=1, keepdims=True)
        cost -= cost.min(axis=0)
        sinkhorn = _import_pot().sinkhorn
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # one warning instead, which says what to do
            plan, log = sinkhorn([], [], cost, self.reg, numItermax=_ITERATIONS, warn=False, log=True)
        if not (np.isfinite(plan).all() and plan.sum(axis=1).all()):
            raise ValueError(
                f"With reg={self.reg} the transport plan is lost to rounding: rows lie too far apart for so "
                "little entropy. Give a larger reg, or remove outliers."
            )
        if not log["err"][-1] < 0.01 / np.sqrt(cost.shape[1]):  # a hundredth of the length of the weights
            warnings.warn(
                f"The transport plan with reg={self.reg} did not converge in {_ITERATIONS} iterations. "
                "Give a larger reg.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return plan


def _import_pot():
    try:
        import ot
    except ImportError as error:
        raise ImportError('OptimalTransport needs POT: pip install "embtransfer[ot]"') from error
    return ot
