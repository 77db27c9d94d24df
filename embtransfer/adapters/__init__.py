"""Adapters: source and target matrices -> rows in one shared space.

Maps and moments have a public path here, too: saved models name them by it.
"""

from .._names import check_name
from ._base import AffineMap, BaseAdapter, Identity
from ._centering import DomainCentering
from ._coral import CORAL
from ._gfk import GeodesicFlowKernel
from ._jda import JointDistributionAdaptation
from ._kernel import KernelMap, LinearMap, RBFKernel
from ._length import LengthScaling, ScaleMap
from ._linear_ot import LinearOT
from ._moments import Moments
from ._msda import MSDA, DenoisingLayers
from ._none import NoAdaptation
from ._optimal_transport import DisplacementMap, OptimalTransport
from ._scl import SCL, PivotProjection
from ._subspace import SubspaceAlignment
from ._tca import TCA

__all__ = [
    "ADAPTERS",
    "CORAL",
    "MSDA",
    "SCL",
    "TCA",
    "AffineMap",
    "BaseAdapter",
    "DenoisingLayers",
    "DisplacementMap",
    "DomainCentering",
    "GeodesicFlowKernel",
    "Identity",
    "JointDistributionAdaptation",
    "KernelMap",
    "LengthScaling",
    "LinearMap",
    "LinearOT",
    "Moments",
    "NoAdaptation",
    "OptimalTransport",
    "PivotProjection",
    "RBFKernel",
    "ScaleMap",
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
