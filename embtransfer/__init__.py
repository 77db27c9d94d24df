"""Pretrained embeddings, shallow domain adaptation and fast CPU scoring as scikit-learn pipelines."""

from ._version import __version__
from .adapters import (
    CORAL,
    MSDA,
    SCL,
    DomainCentering,
    LinearOT,
    NoAdaptation,
    SubspaceAlignment,
    make_adapter,
)
from .classifiers import CORALClassifier, make_classifier
from .compare import compare
from .embedders import Coverage, SentenceEmbedder, StaticEmbedder, WordEmbedder, make_embedder
from .persistence import load_pipeline, save_pipeline
from .pipeline import Target, TransferPipeline, make_transfer_pipeline, source_scorer
from .scoring import score_file
from .word_vectors import WordVectors

__all__ = [
    "CORAL",
    "MSDA",
    "SCL",
    "CORALClassifier",
    "Coverage",
    "DomainCentering",
    "LinearOT",
    "NoAdaptation",
    "SentenceEmbedder",
    "StaticEmbedder",
    "SubspaceAlignment",
    "Target",
    "TransferPipeline",
    "WordEmbedder",
    "WordVectors",
    "__version__",
    "compare",
    "load_pipeline",
    "make_adapter",
    "make_classifier",
    "make_embedder",
    "make_transfer_pipeline",
    "save_pipeline",
    "score_file",
    "source_scorer",
]
