"""The public names, as tools that read types see them; `__init__.py` imports them at first use."""

from ._version import __version__ as __version__
from .adapters import (
    CORAL as CORAL,
    MSDA as MSDA,
    SCL as SCL,
    TCA as TCA,
    DomainCentering as DomainCentering,
    GeodesicFlowKernel as GeodesicFlowKernel,
    JointDistributionAdaptation as JointDistributionAdaptation,
    LengthScaling as LengthScaling,
    LinearOT as LinearOT,
    NoAdaptation as NoAdaptation,
    OptimalTransport as OptimalTransport,
    SubspaceAlignment as SubspaceAlignment,
    make_adapter as make_adapter,
)
from .alignment import align_word_vectors as align_word_vectors
from .cascade import CascadeClassifier as CascadeClassifier
from .classifiers import (
    CORALClassifier as CORALClassifier,
    CoTrainingClassifier as CoTrainingClassifier,
    FeatureAugmentationClassifier as FeatureAugmentationClassifier,
    ImportanceWeightedClassifier as ImportanceWeightedClassifier,
    ImportanceWeightedRegressor as ImportanceWeightedRegressor,
    LabelShiftClassifier as LabelShiftClassifier,
    MultiLabelClassifier as MultiLabelClassifier,
    NaiveBayesLogisticRegression as NaiveBayesLogisticRegression,
    PooledClassifier as PooledClassifier,
    SelfTrainingClassifier as SelfTrainingClassifier,
    density_ratio as density_ratio,
    make_classifier as make_classifier,
    make_regressor as make_regressor,
)
from .compiled import CompiledPipeline as CompiledPipeline
from .diagnostics import (
    covariance_distance as covariance_distance,
    domain_shift as domain_shift,
    mmd as mmd,
    proxy_a_distance as proxy_a_distance,
    word_shift as word_shift,
)
from .embedders import (
    ColumnEmbedder as ColumnEmbedder,
    Coverage as Coverage,
    DistilledEmbedder as DistilledEmbedder,
    DomainWordEmbedder as DomainWordEmbedder,
    HTMLCleaner as HTMLCleaner,
    NGramVectorizer as NGramVectorizer,
    SentenceEmbedder as SentenceEmbedder,
    StaticEmbedder as StaticEmbedder,
    VectorEmbedder as VectorEmbedder,
    WordEmbedder as WordEmbedder,
    make_embedder as make_embedder,
)
from .explaining import (
    Explanation as Explanation,
    explain as explain,
    word_weights as word_weights,
)
from .folding import compile_pipeline as compile_pipeline
from .labelling import (
    Evaluation as Evaluation,
    ExpectedGain as ExpectedGain,
    ScoreEstimate as ScoreEstimate,
    confidence_threshold as confidence_threshold,
    estimate_score as estimate_score,
    evaluate as evaluate,
    expected_gain as expected_gain,
    suggest_labels as suggest_labels,
    suspicious_labels as suspicious_labels,
)
from .model_selection import (
    LeaveOneDomainOut as LeaveOneDomainOut,
    StackedDomains as StackedDomains,
    TargetKFold as TargetKFold,
    TargetShuffleSplit as TargetShuffleSplit,
    mark_domains as mark_domains,
    stack_domains as stack_domains,
)
from .persistence import (
    load_pipeline as load_pipeline,
    push_to_hub as push_to_hub,
    save_pipeline as save_pipeline,
)
from .pipeline import (
    Target as Target,
    TransferPipeline as TransferPipeline,
    class_shares as class_shares,
    make_transfer_pipeline as make_transfer_pipeline,
    source_scorer as source_scorer,
)
from .priors import estimate_priors as estimate_priors
from .recipes import make_recipe as make_recipe
from .report import (
    Report as Report,
    make_report as make_report,
)
from .scoring import (
    ScoreReport as ScoreReport,
    score_file as score_file,
)
from .streaming import fit_files as fit_files
from .trials import (
    DomainCheck as DomainCheck,
    TransferSearch as TransferSearch,
    check_domains as check_domains,
    compare as compare,
    learning_curve as learning_curve,
    plot_learning_curve as plot_learning_curve,
    summarize_learning_curve as summarize_learning_curve,
)
from .word_vectors import WordVectors as WordVectors

__all__: list[str]
