"""Adapters: source and target matrices -> rows in one shared space."""

from .._validation import check_name
from ._base import BaseAdapter
from ._centering import DomainCentering
from ._coral import CORAL
from ._gfk import GeodesicFlowKernel
from ._jda import JointDistributionAdaptation
from ._length import LengthScaling
from ._linear_ot import LinearOT
from ._msda import MSDA
from ._none import NoAdaptation
from ._optimal_transport import OptimalTransport
from ._scl import SCL
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
