"""Fitting from files larger than memory."""

from ._files import fit_files
from ._passes import EMBEDDING_SOURCE, EMBEDDING_TARGET

__all__ = ["EMBEDDING_SOURCE", "EMBEDDING_TARGET", "fit_files"]
