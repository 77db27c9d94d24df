"""Word vectors: tables of words and rows, from memory, files or names."""

from ._word_vectors import WordVectors, embedded_tables

__all__ = ["WordVectors", "embedded_tables"]
