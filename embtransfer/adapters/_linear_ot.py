"""LinearOT: the optimal transport map between Gaussians."""

from ._coral import CORAL
from ._moments import power


class LinearOT(CORAL):
    r"""Linear optimal transport: move source rows onto the target as cheaply as an affine map can.

    Both domains are taken for Gaussians. Like CORAL it gives the source the target's mean and covariance;
    of all maps that do, this one moves rows least, and so turns no direction that need not turn.

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
    CORAL : Aligns the covariance by another map.

    Notes
    -----
    Source rows become :math:`(x - \mu_s) A`, target rows :math:`x - \mu_t`, with
    :math:`A = C_s^{-1/2} (C_s^{1/2} C_t C_s^{1/2})^{1/2} C_s^{-1/2}`: Monge's map for squared distances,
    both domains then centred. The source's eigenvalues are floored as in CORAL. O(n d^2 + d^3) time, O(d^2)
    memory beside the rows.

    With y and a target the source is given the target's class shares first, and each of several sources its
    own map, see DomainCentering.

    References
    ----------
    R. Flamary, K. Lounici, A. Ferrari. "Concentration bounds for linear Monge mapping estimation and optimal
    transport domain adaptation." arXiv:1905.10155, 2019.
    M. Knott, C. Smith. "On the optimal mapping of distributions." Journal of Optimization Theory and
    Applications 43, 1984.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import LinearOT
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(500, 2)), rng.normal(size=(500, 2)) * [1, 5] + 3
    >>> adapted = LinearOT(shrinkage=0).fit_transform(source, X_target=target)
    >>> np.allclose(np.cov(adapted.T), np.cov(target.T))
    True
    """

    def _weight(self, source, target):
        root, inverse = power(source, 0.5), power(source, -0.5)
        return inverse @ power(root @ target @ root, 0.5) @ inverse
