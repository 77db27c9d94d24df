"""Adapters: source and target matrices -> rows in one shared space."""

from .._validation import check_name
from ._base import BaseAdapter
from ._centering import DomainCentering
from ._coral import CORAL
from ._linear_ot import LinearOT
from ._msda import MSDA
from ._none import NoAdaptation
from ._scl import SCL
from ._subspace import SubspaceAlignment

__all__ = [
    "ADAPTERS",
    "CORAL",
    "MSDA",
    "SCL",
    "BaseAdapter",
    "DomainCentering",
    "LinearOT",
    "NoAdaptation",
    "SubspaceAlignment",
    "make_adapter",
]

_CLASSES = {
    "none": NoAdaptation,
    "centering": DomainCentering,
    "coral": CORAL,
    "linear_ot": LinearOT,
    "subspace": SubspaceAlignment,
    "msda": MSDA,
    "scl": SCL,
}
ADAPTERS = tuple(_CLASSES)


def make_adapter(name: str) -> BaseAdapter:
    """Make an adapter with its default parameters.

    Parameters
    ----------
    name : {"none", "centering", "coral", "linear_ot", "subspace", "msda", "scl"}

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
