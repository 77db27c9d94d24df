"""Choosing embedder, adapter and classifier without target labels."""

from ._rounds import CRITERIA
from ._search import TransferSearch

__all__ = ["CRITERIA", "TransferSearch"]
