"""DomainCentering: each domain minus its own mean."""

from typing import Literal

from .._types import Rows
from ..priors import PRIORS
from ._base import AffineMap
from ._moments import Moments
from ._summing import SummingAdapter


class DomainCentering(SummingAdapter):
    r"""Subtract each domain's own mean, and optionally divide by its own standard deviation.

    The cheapest adaptation, and on averaged word vectors often the best of the linear ones: most of the
    difference between two domains' averages is a shift.

    Parameters
    ----------
    with_std : bool, default=False
        Also divide each column by the domain's standard deviation; a constant column is only centred.
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
    CORAL : Also aligns the covariances.

    Notes
    -----
    Source rows become :math:`(x - \mu_s) / \sigma_s`, target rows :math:`(x - \mu_t) / \sigma_t`, with
    the standard deviation divided by n.

    With y and a target the domains are compared as if the source had the target's class shares, `priors_`:
    each class's rows count as often as it takes. Means and covariances differ by the classes' shares, too,
    and to align these would move one class onto the other. `fit` and `fit_files`, not `partial_fit`, estimate
    shares: by logistic regression as in SelfTrainingClassifier, and again on rows centred with them; the
    logarithms of both are averaged, the interval holds both. SelfTrainingClassifier takes them over from an
    adapter before it in a TransferPipeline.

    Of several sources (`domain` of `fit`) each is compared with the target by itself, at these shares; one of
    fewer than 30 rows, or without a class, goes through the map of all. The target's map is the same.

    References
    ----------
    Y. Li, N. Wang, J. Shi, J. Liu, X. Hou. "Revisiting batch normalization for practical domain
    adaptation." ICLR workshop 2017 (the same idea, inside a network).

    Examples
    --------
    >>> from embtransfer import DomainCentering
    >>> DomainCentering().fit_transform([[1.0], [3.0]], X_target=[[10.0], [14.0]])
    array([[-1.],
           [ 1.]])
    """

    _parameter_constraints = {"with_std": ["boolean"], "priors": PRIORS}

    def __init__(
        self,
        with_std: bool = False,
        *,
        priors: Literal["estimated", "source", "uniform"] | Rows = "estimated",
    ):
        self.priors = priors
        self.with_std = with_std

    _maps_each = True

    def _summarise(self, X):
        return Moments(X, "diagonal" if self.with_std else None)

    def _maps(self, source, target):
        return self._map(source), self._map(target)

    def _map(self, moments):
        mean = moments.mean.astype(moments.dtype)
        return AffineMap(mean, (1 / moments.std()).astype(moments.dtype) if self.with_std else None)
