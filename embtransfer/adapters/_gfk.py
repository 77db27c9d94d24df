"""GeodesicFlowKernel: all subspaces between the source's and the target's."""

from typing import Literal

import numpy as np

from .._types import Rows
from ._base import AffineMap, BaseAdapter
from ._subspace import SubspaceAlignment, _n_components, _principal


class GeodesicFlowKernel(BaseAdapter):
    r"""Project rows on every subspace along the geodesic from the source's to the target's.

    Parameters
    ----------
    n_components : int, float in (0, 1), or None, default=0.95
        Dimensions of each domain's subspace. An int is lowered to what both samples can carry,
        min(n_source - 1, n_target - 1, n_features // 2): of subspaces of more than half the columns a part
        is common to both whatever the data. A float takes as many principal components as explain that
        share of the variance in both domains. None takes all that can be carried.
    priors : {"estimated", "source", "uniform"} or array-like of shape (n_classes,), default="estimated"
        The classes' shares in the target, which the source is given before the domains are compared:
        estimated, as in the source, equal, or known. Without y the source is taken as it is. In a
        TransferPipeline of texts their words tell the shares beside the rows.

    Attributes
    ----------
    n_components_ : int
        Dimensions in use.
    source_map_, target_map_ : AffineMap
    source_priors_, priors_ : ndarray of shape (n_classes,), or None without y or X_target
        Class shares of the source, and those taken for the target; classes as sorted.
    prior_intervals_ : ndarray of shape (n_classes, 2), or None
        Of `priors_`: 95 % confidence.
    n_features_in_ : int

    See Also
    --------
    SubspaceAlignment : Turns one subspace onto the other at once.

    Notes
    -----
    With the domains' principal components as ends of a geodesic :math:`\Phi(t)` of subspaces,
    :math:`G = \int_0^1 \Phi(t) \Phi(t)^\top dt`, in closed form by the principal angles. Source rows
    become :math:`(x - \mu_s) G^{1/2}`, target rows :math:`(x - \mu_t) G^{1/2}`, whose inner products are
    the kernel. Each domain is centred on its own mean, as its principal components are. O(n d^2 + d^3) time,
    O(d^2) memory beside the rows.

    With y and a target the source is given the target's class shares first, see DomainCentering.

    References
    ----------
    B. Gong, Y. Shi, F. Sha, K. Grauman. "Geodesic flow kernel for unsupervised domain adaptation." CVPR 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import GeodesicFlowKernel
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(40, 6)), rng.normal(size=(30, 6))
    >>> adapter = GeodesicFlowKernel(2).fit(source, X_target=target)
    >>> int(np.linalg.matrix_rank(adapter.transform(target)))  # two subspaces of two dimensions
    4
    """

    _parameter_constraints = SubspaceAlignment._parameter_constraints
    _min_rows = 2

    def __init__(
        self,
        n_components: float | None = 0.95,
        *,
        priors: Literal["estimated", "source", "uniform"] | Rows = "estimated",
    ):
        self.priors = priors
        self.n_components = n_components

    def _fit(self, source, target, y):
        source_mean, source_values, source_axes = _principal(source)
        target_mean, target_values, target_axes = _principal(target)
        carried = min(len(source) - 1, len(target) - 1, max(source.shape[1] // 2, 1))
        self.n_components_ = k = _n_components(self.n_components, carried, source_values, target_values)
        weight = flow_root(source_axes[:, :k], target_axes[:, :k])
        return (
            AffineMap(source_mean.astype(source.dtype), weight.astype(source.dtype)),
            AffineMap(target_mean.astype(target.dtype), weight.astype(target.dtype)),
        )


def flow_root(source, target):
    """G^(1/2) (d, d) for two orthonormal bases (d, k).

    For each principal angle the flow turns one vector a of the source towards one of the target in the plane
    of a and an orthogonal b: cos(t angle) a + sin(t angle) b. G has one 2 x 2 matrix for each plane.
    """
    left, cosines, right = np.linalg.svd(source.T @ target)
    a = source @ left
    across = target @ right.T - a * cosines
    sines = np.linalg.norm(across, axis=0)
    b = across / np.where(sines > 0, sines, 1)
    double = 2 * np.arctan2(sines, cosines)
    # integrals of cos^2, cos sin and sin^2 from 0 to the angle, divided by it; sinc(x) is sin(pi x) / (pi x)
    even = np.sinc(double / np.pi)
    odd = np.sin(double / 2) * np.sinc(double / 2 / np.pi)
    planes = np.stack([(1 + even) / 2, odd / 2, odd / 2, (1 - even) / 2], axis=1).reshape(-1, 2, 2)
    # the root of a 2 x 2 matrix M is (M + s I) / sqrt(tr M + 2 s), s the root of its determinant; tr M = 1
    s = np.sqrt(np.maximum(np.linalg.det(planes), 0))
    roots = (planes + s[:, None, None] * np.eye(2)) / np.sqrt(1 + 2 * s)[:, None, None]
    cross = (a * roots[:, 0, 1]) @ b.T
    return (a * roots[:, 0, 0]) @ a.T + cross + cross.T + (b * roots[:, 1, 1]) @ b.T
