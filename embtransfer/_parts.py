"""What a model is made of: its parts, a copy with other parts, and whether one of them sees the target."""

from collections.abc import Iterator
from copy import copy

from sklearn.pipeline import FeatureUnion, Pipeline


def children(estimator) -> list:
    """Steps of a Pipeline, transformers of a FeatureUnion, views of a co-training classifier; else none."""
    attribute = _attribute(estimator)
    return [part for _, part in getattr(estimator, attribute)] if attribute else []


def rebuilt(estimator, parts):
    """A shallow copy with other parts, in the order of its children and under their names."""
    made, attribute = copy(estimator), _attribute(estimator)
    if attribute:
        names = [name for name, _ in getattr(estimator, attribute)]
        setattr(made, attribute, list(zip(names, parts, strict=True)))
    return made


def nested(estimator) -> Iterator:
    """The steps within an estimator, the innermost first, and itself. Views are models of their own."""
    if isinstance(estimator, Pipeline | FeatureUnion):
        for part in children(estimator):
            yield from nested(part)
    yield estimator


def takes(estimator, name) -> bool:
    """Whether it, or a step within it, asks scikit-learn's metadata routing for X_target or y_target at fit.

    Whether a `fit` that is called by itself has the parameter is for has_fit_parameter to say.
    """
    if not hasattr(estimator, "get_metadata_routing"):
        return False
    return bool(estimator.get_metadata_routing().consumes("fit", [name]))


def _attribute(estimator):
    """Where a composite lists (name, part); a class of ours says it itself."""
    if isinstance(estimator, Pipeline):
        return "steps"
    if isinstance(estimator, FeatureUnion):
        return "transformer_list"
    return getattr(estimator, "_parts_parameter", None)
