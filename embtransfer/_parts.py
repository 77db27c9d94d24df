"""What a model is made of: its parts, a copy with other parts, whether one sees the target or labels."""

from collections.abc import Iterator
from copy import copy
from inspect import signature

import numpy as np
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from ._rows import cleans_texts
from ._texts import check_domain


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


def first_steps(estimator) -> list:
    """The steps that make rows of what the user gives: the first of a pipeline, of each view of several."""
    parts = children(estimator)
    if not parts:
        return [estimator]
    if isinstance(estimator, Pipeline):
        parts = [part for part in parts if not cleans_texts(part)][:1]
    return [leaf for part in parts for leaf in first_steps(part)]


def last_step(model):
    """The classifier at the end of a pipeline; of anything else the model itself."""
    return model.steps[-1][1] if hasattr(model, "steps") else model


def takes(estimator, name) -> bool:
    """Whether it, or a step within it, asks scikit-learn's metadata routing for X_target or y_target at fit.

    Whether a `fit` that is called by itself has the parameter is for has_fit_parameter to say.
    """
    if not hasattr(estimator, "get_metadata_routing"):
        return False
    return bool(estimator.get_metadata_routing().consumes("fit", [name]))


def learns_target_labels(model) -> bool:
    """Whether it, or the last step of a pipeline, learns from labels of the target, not shares alone."""
    return takes(last_step(model), "y_target")


def learns_from_labels(estimator, but=()) -> bool:
    """Whether it, or a part within it, is fitted to y: says so, needs y, or selects columns.

    `but`: types of parts that do not count.
    """
    inner = estimator.get_params().values() if hasattr(estimator, "get_params") else ()
    return any(_is_fitted_to_labels(part) for part in (estimator, *inner) if not isinstance(part, but))


def _is_fitted_to_labels(part):
    if isinstance(part, type) or not hasattr(part, "fit"):
        return False
    if getattr(part, "_uses_labels", False) or isinstance(part, SelectorMixin):
        return True
    y = signature(part.fit).parameters.get("y")
    return y is not None and y.default is y.empty


def by_domain(model, ask, X, domain=None):
    """What `ask(view, rows)` finds of source rows; `domain` names that of all, of each, or is None."""
    if domain is None or np.isscalar(domain):
        return ask(for_source(model, domain), X)
    names = check_domain(domain, _num_samples(X))
    found = {}
    for name in dict.fromkeys(names.tolist()):
        rows = np.flatnonzero(names == name)
        found.update(zip(rows, ask(for_source(model, name), _safe_indexing(X, rows)), strict=True))
    return np.array([found[row] for row in range(len(names))])


def for_source(model, domain=None):
    """A fitted model as it predicts source rows, of one domain where that is named."""
    if not hasattr(model, "source_view"):
        return model
    return model.source_view(domain) if domain is not None and takes(model, "domain") else model.source_view()


def _attribute(estimator):
    """Where a composite lists (name, part); a class of ours says it itself."""
    if isinstance(estimator, Pipeline):
        return "steps"
    if isinstance(estimator, FeatureUnion):
        return "transformer_list"
    return getattr(estimator, "_parts_parameter", None)


def settled(fitted, unfitted):
    """The unfitted estimator, with what a fitted one chose by evidence, if it chose anything."""
    return fitted.settled() if hasattr(fitted, "settled") else unfitted
