"""Pretrained embeddings, shallow domain adaptation and fast CPU scoring as scikit-learn pipelines."""

from ._version import __version__
from .adapters import (
    CORAL,
    MSDA,
    SCL,
    TCA,
    DomainCentering,
    GeodesicFlowKernel,
    JointDistributionAdaptation,
    LengthScaling,
    LinearOT,
    NoAdaptation,
    OptimalTransport,
    SubspaceAlignment,
    make_adapter,
)
from .alignment import align_word_vectors
from .classifiers import (
    CORALClassifier,
    CoTrainingClassifier,
    FeatureAugmentationClassifier,
    ImportanceWeightedClassifier,
    LabelShiftClassifier,
    NaiveBayesLogisticRegression,
    PooledClassifier,
    SelfTrainingClassifier,
    density_ratio,
    estimate_priors,
    make_classifier,
)
from .compare import compare
from .diagnostics import covariance_distance, domain_shift, mmd, proxy_a_distance, word_shift
from .embedders import (
    Coverage,
    DistilledEmbedder,
    NGramVectorizer,
    SentenceEmbedder,
    StaticEmbedder,
    WordEmbedder,
    make_embedder,
)
from .persistence import load_pipeline, save_pipeline
from .pipeline import Target, TransferPipeline, make_transfer_pipeline, source_scorer
from .recipes import make_recipe
from .scoring import ScoreReport, score_file
from .word_vectors import WordVectors

__all__ = [
    "CORAL",
    "MSDA",
    "SCL",
    "TCA",
    "CORALClassifier",
    "CoTrainingClassifier",
    "Coverage",
    "DistilledEmbedder",
    "DomainCentering",
    "FeatureAugmentationClassifier",
    "GeodesicFlowKernel",
    "ImportanceWeightedClassifier",
    "JointDistributionAdaptation",
    "LabelShiftClassifier",
    "LengthScaling",
    "LinearOT",
    "NGramVectorizer",
    "NaiveBayesLogisticRegression",
    "NoAdaptation",
    "OptimalTransport",
    "PooledClassifier",
    "ScoreReport",
    "SelfTrainingClassifier",
    "SentenceEmbedder",
    "StaticEmbedder",
    "SubspaceAlignment",
    "Target",
    "TransferPipeline",
    "WordEmbedder",
    "WordVectors",
    "__version__",
    "align_word_vectors",
    "compare",
    "covariance_distance",
    "density_ratio",
    "domain_shift",
    "estimate_priors",
    "load_pipeline",
    "make_adapter",
    "make_classifier",
    "make_embedder",
    "make_recipe",
    "make_transfer_pipeline",
    "mmd",
    "proxy_a_distance",
    "save_pipeline",
    "score_file",
    "source_scorer",
    "word_shift",
]
