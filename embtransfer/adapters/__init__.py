"""Adapters: source and target matrices -> rows in one shared space."""

from ._base import BaseAdapter
from ._centering import DomainCentering
from ._coral import CORAL
from ._none import NoAdaptation
from ._subspace import SubspaceAlignment

__all__ = ["CORAL", "BaseAdapter", "DomainCentering", "NoAdaptation", "SubspaceAlignment"]
