"""Folding: a fitted pipeline -> a CompiledPipeline."""

from dataclasses import replace

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._types import Estimator
from ..compiled import CompiledPipeline
from ..embedders import HTMLCleaner
from ._classifiers import Scores, fold_model, found_by
from ._rows import CannotFold, Rows

__all__ = ["CannotFold", "compile_pipeline"]


def compile_pipeline(pipeline: Estimator, n_jobs: int | None = None) -> CompiledPipeline:
    r"""Fold a fitted pipeline into tables of scores, to score texts several times as fast.

    A pipeline of pooled words, linear steps and a linear classifier is one linear function of the words'
    counts: the classifier's weights are multiplied into the table of vectors, and a text's score is the sum
    of its words' scores.

    Parameters
    ----------
    pipeline : fitted estimator that takes texts
        A Pipeline, TransferPipeline, CoTrainingClassifier, soft VotingClassifier, or a search over one.
    n_jobs : int or None, default=None
        Threads as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.

    Returns
    -------
    CompiledPipeline
        Its decisions are those of the pipeline within 1e-5 of their size.

    Raises
    ------
    CannotFold
        A ValueError that names the step that does not fold. `score_file` and `spark.score` take the pipeline
        itself, too.
    NotFittedError
        If the pipeline is not fitted.

    See Also
    --------
    CompiledPipeline : What comes out.

    Notes
    -----
    With vectors :math:`v_t`, an affine step :math:`A, b` and a classifier :math:`W, c`:
    :math:`W (A \frac{1}{n} \sum_t v_t + b) + c = \frac{1}{n} \sum_t (W A v_t) + (W b + c)`.

    What folds: WordEmbedder with mean, idf, sif or usif pooling, DistilledEmbedder, NGramVectorizer,
    CountVectorizer and TfidfVectorizer of words, HTMLCleaner as the very first step; adapters whose map is
    linear (centering, CORAL, linear optimal transport, subspace alignment, geodesic flow kernel, linear TCA,
    SCL, LengthScaling); scalers, PCA, TruncatedSVD, random projections, selectors, TfidfTransformer,
    FeatureUnion, nested pipelines; linear classifiers, naive Bayes, nearest centroid,
    NaiveBayesLogisticRegression, the wrappers of this package, MultiLabelClassifier, calibration and
    thresholds; linear regression, such as Ridge. Rows of length 1
    (Normalizer) and naive Bayes with other variances in each class do not fold: embedding, that step and one
    product run instead, to the same numbers.

    Examples
    --------
    >>> from embtransfer import DomainCentering, WordEmbedder, compile_pipeline, make_classifier
    >>> from embtransfer import make_transfer_pipeline
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    >>> _ = pipeline.fit(["good pan", "bad pan"], ["+", "-"], X_target=["good film", "dull film"])
    >>> compile_pipeline(pipeline).predict(["a good film"])
    array(['+'], dtype='<U1')
    """
    check_is_fitted(pipeline)
    scores = Scores()
    try:
        html, bare = _apart_from_cleaning(pipeline)
        head = fold_model(bare, None, scores)
    except CannotFold as error:
        raise CannotFold(f"Cannot compile {error}. It scores as it is, only slower.") from None
    classes = np.empty(0) if head["kind"] == "number" else np.asarray(pipeline.classes_)
    program = replace(Rows(scores.blocks).program(), html=html)
    return CompiledPipeline(program, head, classes, n_jobs)


def _apart_from_cleaning(model):
    """Whether a model begins by taking HTML out of texts, and the model without that step."""
    if hasattr(model, "best_estimator_"):
        return _apart_from_cleaning(found_by(model))
    begins = isinstance(model, Pipeline) and isinstance(model.steps[0][1], HTMLCleaner)
    return begins, Pipeline(model.steps[1:]) if begins else model
