"""CORAL: the source takes the target's covariance."""

from numbers import Real
from typing import Literal

from sklearn.utils._param_validation import Interval, StrOptions

from .._types import Rows
from ..priors import PRIORS
from ._base import AffineMap
from ._moments import Moments, power
from ._summing import SummingAdapter


class CORAL(SummingAdapter):
    r"""Correlation alignment: centre both domains, and give the source the target's covariance.

    Parameters
    ----------
    shrinkage : "auto" or float in [0, 1], default="auto"
        How far each covariance is drawn towards a multiple of the identity. "auto" is the
        Ledoit-Wolf estimate, which needs no choice; 0 is the plain covariance. Some shrinkage is needed
        where a domain has fewer rows than columns.
    priors : {"estimated", "source", "uniform"} or array-like of shape (n_classes,), default="estimated"
        The classes' shares in the target, which the source is given before the domains are compared:
        estimated, as in the source, equal, or known. Without y the source is taken as it is. In a
        TransferPipeline of texts their words tell the shares beside the rows.

    Attributes
    ----------
    source_map_, target_map_ : AffineMap
    source_maps_ : dict of name to AffineMap
        Of each source, if `fit` was told the domains.
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
    Source rows become :math:`(x - \mu_s) C_s^{-1/2} C_t^{1/2}`, target rows :math:`x - \mu_t`. The paper
    leaves the means alone; aligning them too is what works on embeddings. Covariances are products of
    float32 rows summed in float64, decomposed in float64; the source's eigenvalues below 1e-6 of the largest
    are raised to that, so that directions without variance are not blown up. O(n d^2 + d^3) time, O(d^2)
    memory beside the rows.

    With y and a target the source is given the target's class shares first, and each of several sources its
    own map, see DomainCentering.

    References
    ----------
    B. Sun, J. Feng, K. Saenko. "Return of frustratingly easy domain adaptation." AAAI 2016.
    O. Ledoit, M. Wolf. "A well-conditioned estimator for large-dimensional covariance matrices."
    Journal of Multivariate Analysis 88, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import CORAL
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(500, 2)), rng.normal(size=(500, 2)) * [1, 5] + 3
    >>> adapted = CORAL(shrinkage=0).fit_transform(source, X_target=target)
    >>> np.allclose(np.cov(adapted.T), np.cov(target.T))
    True
    """

    _parameter_constraints = {
        "shrinkage": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="both")],
        "priors": PRIORS,
    }
    _min_rows = 2
    _maps_each = True

    def __init__(
        self,
        shrinkage: float | Literal["auto"] = "auto",
        *,
        priors: Literal["estimated", "source", "uniform"] | Rows = "estimated",
    ):
        self.priors = priors
        self.shrinkage = shrinkage

    def _summarise(self, X):
        return Moments(X)

    def _maps(self, source, target):
        weight = self._weight(source.covariance(self.shrinkage), target.covariance(self.shrinkage))
        return (
            AffineMap(source.mean.astype(source.dtype), weight.astype(source.dtype)),
            AffineMap(target.mean.astype(target.dtype)),
        )

    def _weight(self, source, target):
        """The map (d, d) from one covariance to the other; rows are multiplied from the left."""
        return power(source, -0.5) @ power(target, 0.5)
