"""Pretrained embeddings, shallow domain adaptation and fast CPU scoring as scikit-learn pipelines."""

from ._version import __version__
from .adapters import CORAL, DomainCentering, LinearOT, NoAdaptation, SubspaceAlignment, make_adapter
from .classifiers import (
    FeatureAugmentationClassifier,
    ImportanceWeightedClassifier,
    LabelShiftClassifier,
    PooledClassifier,
    density_ratio,
    estimate_priors,
    make_classifier,
)
from .compare import compare
from .embedders import Coverage, SentenceEmbedder, StaticEmbedder, WordEmbedder, make_embedder
from .persistence import load_pipeline, save_pipeline
from .pipeline import Target, TransferPipeline, make_transfer_pipeline, source_scorer
from .scoring import score_file
from .word_vectors import WordVectors

__all__ = [
    "CORAL",
    "Coverage",
    "DomainCentering",
    "FeatureAugmentationClassifier",
    "ImportanceWeightedClassifier",
    "LabelShiftClassifier",
    "LinearOT",
    "NoAdaptation",
    "PooledClassifier",
    "SentenceEmbedder",
    "StaticEmbedder",
    "SubspaceAlignment",
    "Target",
    "TransferPipeline",
    "WordEmbedder",
    "WordVectors",
    "__version__",
    "compare",
    "density_ratio",
    "estimate_priors",
    "load_pipeline",
    "make_adapter",
    "make_classifier",
    "make_embedder",
    "make_transfer_pipeline",
    "save_pipeline",
    "score_file",
    "source_scorer",
]
