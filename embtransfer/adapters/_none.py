"""NoAdaptation: the source-only baseline."""

import numpy as np

from ._base import AffineMap, BaseAdapter


class NoAdaptation(BaseAdapter):
    """Leave both domains as they are: the baseline that every adapter has to beat.

    A step "passthrough" does not take X_target; this one does.

    Examples
    --------
    >>> from embtransfer import NoAdaptation
    >>> NoAdaptation().fit_transform([[1.0, 2.0]], X_target=[[5.0, 6.0]])
    array([[1., 2.]])
    """

    _parameter_constraints = {}

    def _fit(self, source, target):
        same = AffineMap(np.zeros(source.shape[1], source.dtype))
        return same, same
