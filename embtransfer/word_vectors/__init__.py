"""Word vectors: tables of words and rows, from memory, files or names."""

from ._pickling import embedded_tables
from ._word_vectors import WordVectors

__all__ = ["WordVectors", "embedded_tables"]
