"""Adapters: source and target matrices -> rows in one shared space.

Maps and moments have a public path here, too: saved models name them by it.
"""

from .._names import check_name
from ._base import AffineMap as AffineMap, BaseAdapter, Identity as Identity
from ._centering import DomainCentering
from ._coral import CORAL
from ._gfk import GeodesicFlowKernel
from ._jda import JointDistributionAdaptation
from ._kernel import KernelMap as KernelMap, LinearMap as LinearMap, RBFKernel as RBFKernel
from ._length import LengthScaling, ScaleMap as ScaleMap
from ._linear_ot import LinearOT
from ._moments import Moments as Moments
from ._msda import MSDA, DenoisingLayers as DenoisingLayers
from ._none import NoAdaptation
from ._optimal_transport import DisplacementMap as DisplacementMap, OptimalTransport
from ._scl import SCL, PivotProjection as PivotProjection
from ._subspace import SubspaceAlignment
from ._tca import TCA

__all__ = [
    "ADAPTERS",
    "CORAL",
    "MSDA",
    "SCL",
    "TCA",
    "BaseAdapter",
    "DomainCentering",
    "GeodesicFlowKernel",
    "JointDistributionAdaptation",
    "LengthScaling",
    "LinearOT",
    "NoAdaptation",
    "OptimalTransport",
    "SubspaceAlignment",
    "make_adapter",
]

_CLASSES = {
    "none": NoAdaptation,
    "centering": DomainCentering,
    "coral": CORAL,
    "linear_ot": LinearOT,
    "subspace": SubspaceAlignment,
    "gfk": GeodesicFlowKernel,
    "tca": TCA,
    "jda": JointDistributionAdaptation,
    "ot": OptimalTransport,
    "msda": MSDA,
    "scl": SCL,
}
ADAPTERS = tuple(_CLASSES)


def make_adapter(name: str) -> BaseAdapter:
    """Make an adapter with its default parameters.

    Parameters
    ----------
    name : {"none", "centering", "coral", "linear_ot", "subspace", "gfk", "tca", "jda", "ot", "msda", "scl"}

    Raises
    ------
    ValueError
        If there is no adapter of that name.

    Examples
    --------
    >>> from embtransfer import make_adapter
    >>> make_adapter("coral")
    CORAL()
    """
    check_name("adapter", name, ADAPTERS)
    return _CLASSES[name]()
