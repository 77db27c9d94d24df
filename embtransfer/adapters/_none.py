"""NoAdaptation: the source-only baseline."""

from ._base import Identity
from ._summing import SummingAdapter


class NoAdaptation(SummingAdapter):
    """Leave both domains as they are: the baseline that every adapter has to beat.

    A step "passthrough" does not take X_target; this one does. Sparse rows stay sparse.

    Examples
    --------
    >>> from embtransfer import NoAdaptation
    >>> NoAdaptation().fit_transform([[1.0, 2.0]], X_target=[[5.0, 6.0]])
    array([[1., 2.]])
    """

    _accepts_sparse = _one_map = True

    def _summarise(self, X):
        return 0

    def _maps(self, source, target):
        return Identity(), Identity()
