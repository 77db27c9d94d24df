"""A fitted pipeline for source rows, and scores of held-out ones."""

from collections.abc import Callable

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import check_scoring

from .._parts import children, for_source, rebuilt, takes


def source_scorer(scoring: str | Callable | None = "accuracy") -> Callable:
    """A scorer for held-out source rows, for GridSearchCV, cross_val_score and their like.

    Cross-validation of an adapted pipeline holds out source rows, and `predict` would take them for
    target rows. This scorer sends them through the source path.

    Parameters
    ----------
    scoring : str, callable or None, default="accuracy"
        What scikit-learn takes as `scoring`.

    Returns
    -------
    callable (estimator, X, y) -> float
        Its estimator must be a TransferPipeline.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from embtransfer import (CORAL, Target, WordEmbedder, make_classifier, make_transfer_pipeline,
    ...                          source_scorer)
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), CORAL(), make_classifier("logistic"))
    >>> cross_val_score(pipeline, ["good pan", "bad pot"] * 6, [1, 0] * 6, cv=3,
    ...                 params={"X_target": Target(["good film", "dull plot"])},
    ...                 scoring=source_scorer("accuracy"))
    array([1., 1., 1.])
    """
    return _SourceScorer(scoring)


class _SourceScorer:
    def __init__(self, scoring):
        self.scoring = scoring

    def __call__(self, estimator, X, y=None, **params):
        estimator = getattr(estimator, "best_estimator_", estimator)  # a search inside cross-validation
        if not hasattr(estimator, "source_view"):
            raise TypeError(
                f"Got {type(estimator).__name__}. source_scorer scores a TransferPipeline; put wrappers "
                "such as CalibratedClassifierCV inside the pipeline, as its last step."
            )
        view = estimator.source_view()
        return check_scoring(view, self.scoring)(view, X, y, **params)

    def __repr__(self):
        return f"source_scorer({self.scoring!r})"


def source_view(step, domain=None):
    """What stands for a fitted step where source rows come in; a step with two paths says so itself."""
    if hasattr(step, "transform_source"):
        view = _SourcePath(step, domain if takes(step, "domain") else None)
        if hasattr(step, "_sklearn_output_config"):
            view._sklearn_output_config = step._sklearn_output_config
        return view
    if hasattr(step, "source_view"):
        return for_source(step, domain)
    if parts := children(step):
        return rebuilt(step, [source_view(part, domain) for part in parts])
    inners = step.get_params().values() if hasattr(step, "get_params") else ()
    if any(hasattr(inner, "transform_source") or hasattr(inner, "source_view") for inner in inners):
        raise TypeError(
            f"Got an adapter inside a {type(step).__name__}, or a classifier with a source path of its own. "
            "Make it a step of its own, or put the adapter in a FeatureUnion."
        )
    return step


class _SourcePath(TransformerMixin, BaseEstimator):
    """A fitted adapter whose `transform` is its `transform_source`, of one source where it is named."""

    def __init__(self, adapter, domain=None):
        self.adapter = adapter
        self.domain = domain

    def fit(self, X, y=None):
        raise TypeError("A source view is fitted already; fit the TransferPipeline it was made from.")

    def transform(self, X):
        named = {} if self.domain is None else {"domain": self.domain}
        return self.adapter.transform_source(X, **named)

    def get_feature_names_out(self, input_features=None):
        return self.adapter.get_feature_names_out(input_features)

    def __sklearn_is_fitted__(self):
        return True
