"""Pretrained embeddings, shallow domain adaptation and fast CPU scoring as scikit-learn pipelines."""

from ._version import __version__
from .adapters import CORAL, DomainCentering, NoAdaptation, SubspaceAlignment
from .classifiers import make_classifier
from .embedders import WordEmbedder
from .pipeline import Target, TransferPipeline, make_transfer_pipeline, source_scorer
from .word_vectors import WordVectors

__all__ = [
    "CORAL",
    "DomainCentering",
    "NoAdaptation",
    "SubspaceAlignment",
    "Target",
    "TransferPipeline",
    "WordEmbedder",
    "WordVectors",
    "__version__",
    "make_classifier",
    "make_transfer_pipeline",
    "source_scorer",
]
