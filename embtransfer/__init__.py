"""Pretrained embeddings, shallow domain adaptation and fast CPU scoring as scikit-learn pipelines."""

from ._version import __version__
from .embedders import WordEmbedder
from .word_vectors import WordVectors

__all__ = ["WordEmbedder", "WordVectors", "__version__"]
