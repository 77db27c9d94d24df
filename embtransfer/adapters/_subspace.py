"""SubspaceAlignment: principal components of the source turned onto those of the target."""

from numbers import Integral, Real
from typing import Literal

import numpy as np
from sklearn.utils._param_validation import Interval

from .._types import Rows
from ..priors import PRIORS
from ._base import AffineMap
from ._moments import Moments
from ._summing import SummingAdapter


class SubspaceAlignment(SummingAdapter):
    r"""Project each domain on its own principal components, and turn the source's onto the target's.

    Parameters
    ----------
    n_components : int, float in (0, 1), or None, default=0.95
        How many components. An int is lowered to what both samples can carry, min(n_source - 1,
        n_target - 1, n_features). A float takes as many as explain that share of the variance in both
        domains. None takes all that both samples can carry, which for many rows is centring and a
        rotation; hence the default.
    priors : {"estimated", "source", "uniform"} or array-like of shape (n_classes,), default="estimated"
        The classes' shares in the target, which the source is given before the domains are compared:
        estimated, as in the source, equal, or known. Without y the source is taken as it is. In a
        TransferPipeline of texts their words tell the shares beside the rows.

    Attributes
    ----------
    n_components_ : int
        Components in use.
    source_map_, target_map_ : AffineMap
    source_priors_, priors_ : ndarray of shape (n_classes,), or None without y or X_target
        Class shares of the source, and those taken for the target; classes as sorted.
    prior_intervals_ : ndarray of shape (n_classes, 2), or None
        Of `priors_`: 95 % confidence.
    n_features_in_ : int

    See Also
    --------
    DomainCentering : Aligns the means alone.

    Notes
    -----
    With the first k principal components :math:`P_s, P_t` (d x k), source rows become
    :math:`(x - \mu_s) P_s P_s^\top P_t`, target rows :math:`(x - \mu_t) P_t`.

    With y and a target the source is given the target's class shares first, see DomainCentering.

    References
    ----------
    B. Fernando, A. Habrard, M. Sebban, T. Tuytelaars. "Unsupervised visual domain adaptation using
    subspace alignment." ICCV 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import SubspaceAlignment
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(40, 5)), rng.normal(size=(30, 5))
    >>> SubspaceAlignment(2).fit(source, X_target=target).transform(target).shape
    (30, 2)
    """

    _parameter_constraints = {
        "priors": PRIORS,
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            None,
        ],
    }
    _min_rows = 2
    _worked_out = (*SummingAdapter._worked_out, "n_components_")

    def __init__(
        self,
        n_components: float | None = 0.95,
        *,
        priors: Literal["estimated", "source", "uniform"] | Rows = "estimated",
    ):
        self.priors = priors
        self.n_components = n_components

    def _summarise(self, X):
        return Moments(X)

    def _maps(self, source, target):
        source_values, source_axes = _axes(source)
        target_values, target_axes = _axes(target)
        n_rows = round(min(source.count, target.count))  # of weighted ones that is no integer
        carried = min(n_rows - 1, len(source.mean))
        self.n_components_ = k = _n_components(self.n_components, carried, source_values, target_values)
        source_axes, target_axes = source_axes[:, :k], target_axes[:, :k]
        weight = source_axes @ (source_axes.T @ target_axes)
        return (
            AffineMap(source.mean.astype(source.dtype), weight.astype(source.dtype)),
            AffineMap(target.mean.astype(target.dtype), target_axes.astype(target.dtype)),
        )


def _principal(X):
    """Mean, variances in falling order, and the axes as columns with a fixed sign; float64."""
    moments = Moments(X)
    return moments.mean, *_axes(moments)


def _axes(moments):
    """Variances in falling order, and the principal axes as columns with a fixed sign; float64."""
    values, axes = np.linalg.eigh(moments.covariance(0.0))
    values, axes = np.maximum(values[::-1], 0), axes[:, ::-1]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return values, axes * signs


def _n_components(wanted, carried, *variances):
    """How many axes to take: a number, or as many as carry a share in both domains; all where it is None."""
    if wanted is None:
        return carried
    if not isinstance(wanted, Integral):
        shares = (np.searchsorted(np.cumsum(values), wanted * values.sum()) for values in variances)
        wanted = max(shares) + 1
    return min(int(wanted), carried)
