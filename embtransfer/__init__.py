"""Pretrained embeddings, shallow domain adaptation and fast CPU scoring as scikit-learn pipelines.

Names are imported at first use: a compiled pipeline runs where scikit-learn is not installed.
"""

from importlib import import_module

from ._version import __version__ as __version__

_NAMES_OF = {
    "adapters": """CORAL DomainCentering GeodesicFlowKernel JointDistributionAdaptation LengthScaling LinearOT
        MSDA NoAdaptation OptimalTransport SCL SubspaceAlignment TCA make_adapter""",
    "alignment": "align_word_vectors",
    "cascade": "CascadeClassifier",
    "classifiers": """CORALClassifier CoTrainingClassifier FeatureAugmentationClassifier
        ImportanceWeightedClassifier ImportanceWeightedRegressor LabelShiftClassifier MultiLabelClassifier
        NaiveBayesLogisticRegression PooledClassifier SelfTrainingClassifier density_ratio make_classifier
        make_regressor""",
    "compiled": "CompiledPipeline",
    "diagnostics": "covariance_distance domain_shift mmd proxy_a_distance word_shift",
    "embedders": """ColumnEmbedder Coverage DistilledEmbedder DomainWordEmbedder HTMLCleaner NGramVectorizer
        SentenceEmbedder StaticEmbedder VectorEmbedder WordEmbedder make_embedder""",
    "explaining": "Explanation explain word_weights",
    "folding": "compile_pipeline",
    "labelling": """Evaluation ExpectedGain ScoreEstimate confidence_threshold estimate_score evaluate
        expected_gain suggest_labels suspicious_labels""",
    "model_selection": """LeaveOneDomainOut StackedDomains TargetKFold TargetShuffleSplit mark_domains
        stack_domains""",
    "persistence": "load_pipeline push_to_hub save_pipeline",
    "pipeline": "Target TransferPipeline class_shares make_transfer_pipeline source_scorer",
    "priors": "estimate_priors",
    "recipes": "make_recipe",
    "report": "Report make_report",
    "scoring": "ScoreReport score_file",
    "streaming": "fit_files",
    "trials": """DomainCheck TransferSearch check_domains compare learning_curve plot_learning_curve
        summarize_learning_curve""",
    "word_vectors": "WordVectors",
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names.split()}
__all__ = sorted([*_MODULE_OF, "__version__"])


def __getattr__(name):
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
