"""Embedders: texts -> float32 matrix, one row a text."""

from ._base import BaseEmbedder
from ._word import WordEmbedder

__all__ = ["BaseEmbedder", "WordEmbedder"]
