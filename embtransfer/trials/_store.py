"""Each embedder learns once and embeds each text once: what it learns from, and rows kept for many fits."""

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from .._parts import children, rebuilt, takes
from .._rows import cleans_texts, n_rows, stack_rows, take
from ..classifiers import CoTrainingClassifier
from ..pipeline import TransferPipeline
from ..priors import with_priors
from ..word_vectors import WordVectors


def learn(embedder, source, target, joint=False):
    """Fit an embedder on source rows, and on target rows too, if it takes them or all are to be `joint`."""
    if joint:
        return embedder.fit(stack_rows(source, target))
    return embedder.fit(source, **target_for(embedder, target))


def target_for(estimator, target, y_target=None, domain=None) -> dict:
    """Target, labels of it and domains of the source rows, as parameters of a `fit` that takes them."""
    given = {"X_target": target} if has_fit_parameter(estimator, "X_target") else {}
    more = {"y_target": y_target, "domain": domain}
    return given | {name: one for name, one in more.items() if one is not None and takes(estimator, name)}


def fit(estimator, source, y, target, classes, priors, y_target=None, domain=None, words=None):
    """A fitted clone, which saw the target if one of its steps takes it, and was told its class shares.

    Those of the classes in y: a fold may lack one, and predicted labels often do. Labels of the target, if
    there are any, are for whoever takes them; `words` of the texts for a pipeline of embedded rows.
    """
    if priors is not None:
        own = priors[np.isin(classes, y)]
        estimator = with_priors(estimator, own / own.sum() if own.sum() > 0 else None)
    blind = isinstance(estimator, TransferPipeline) and not takes(estimator, "X_target")
    given = {} if blind else target_for(estimator, target, y_target, domain)
    made = clone(estimator)
    if words is not None:
        made._words = words
    try:
        return made.fit(source, y, **given)
    finally:
        vars(made).pop("_words", None)


class StoredRows(TransformerMixin, BaseEstimator):
    """A fitted embedder and the rows of all texts; `transform` takes numbers of texts."""

    def __init__(self, embedder, rows):
        self.embedder = embedder
        self.rows = rows

    def __sklearn_clone__(self):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return self.rows[np.asarray(X)]


def description(estimator, *, seeds=True) -> str:
    """Equal for estimators of the same type and parameters, seeds too unless told; tables by identity."""
    found: list = [type(estimator).__qualname__]
    for key, value in sorted(estimator.get_params().items()):
        if hasattr(value, "get_params"):
            value = type(value).__qualname__  # its own parameters follow
        elif isinstance(value, WordVectors):
            value = id(value)
        if key != "steps" and (seeds or not key.endswith("random_state")):
            found.append((key, value))
    return repr(found)


class Store:
    """Rows of all texts of a search, by embedder.

    Source texts are numbered from 0, target texts after them.
    """

    def __init__(self, source, target):
        self.source, self.target = source, target
        self.n_source = n_rows(source)
        numbers = np.arange(self.n_source + n_rows(target))
        self.source_numbers, self.target_numbers = numbers[: self.n_source], numbers[self.n_source :]
        self.made: dict[str, StoredRows] = {}

    def texts(self, numbers):
        """The texts, or vectors, of some numbers: of source rows, then of target rows."""
        of_source = numbers < self.n_source
        source, target = numbers[of_source], numbers[~of_source] - self.n_source
        return stack_rows(take(self.source, source), take(self.target, target))

    def rows(self, embedder) -> StoredRows:
        """The rows of an embedder; equal ones (by their parameters) run once."""
        key = description(embedder)
        if key not in self.made:
            fitted = learn(clone(embedder), self.source, self.target)
            rows = fitted.transform(stack_rows(self.source, self.target))
            self.made[key] = StoredRows(fitted, rows.tocsr() if hasattr(rows, "tocsr") else rows)
        return self.made[key]

    def stored(self, estimator):
        """An estimator that takes numbers of texts where this one takes texts; None if it cannot be had."""
        parts = children(estimator)
        if not parts:
            makes_rows = hasattr(estimator, "transform") and not cleans_texts(estimator)
            return self.rows(estimator) if makes_rows else None
        n_text_steps = 1 if isinstance(estimator, Pipeline) else len(parts)
        first = [self.stored(part) for part in parts[:n_text_steps]]
        if any(part is None for part in first):
            return None
        return rebuilt(estimator, [*first, *map(clone, parts[n_text_steps:])])

    def to_fit(self, estimator, source, target):
        """(estimator, X, X_target) of texts of these numbers: of stored rows, or else the texts."""
        stored = self.stored(estimator)
        named = get_config()["transform_output"] != "default"  # steps learn names, which stored rows have not
        if stored is None or named:
            return estimator, self.texts(source), self.texts(target)
        return stored, source, target


def with_embedders(fitted):
    """A fitted estimator on row numbers as the fitted estimator on texts that it stands for."""
    if isinstance(fitted, StoredRows):
        return fitted.embedder
    made = rebuilt(fitted, map(with_embedders, children(fitted)))
    if isinstance(fitted, CoTrainingClassifier):
        for views in ("views_", "unadapted_views_"):
            setattr(made, views, {name: with_embedders(v) for name, v in getattr(fitted, views).items()})
    return made
