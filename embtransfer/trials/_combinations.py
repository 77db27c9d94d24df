"""What compare does for each row of its table: an embedder's rows, adapted, learned from and scored."""

from itertools import product
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from joblib import delayed
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from .._parts import by_domain, takes
from .._rows import n_rows, take
from ..diagnostics import domain_shift
from ..embedders import BaseEmbedder
from ..pipeline import class_shares, for_source
from ._progress import line
from ._sources import EACH, POOLED, alone
from ._store import learn, target_for

NAMES = ("embedder", "adapter", "classifier")


def names_of(blocks, recipes, several):
    """The names of each row, and which sources it learns from, if there are several."""
    rows = [
        (
            block.embedder,
            adapter,
            classifier,
            (EACH if told else POOLED) if block.source is None else block.source,
        )
        for block in blocks
        for (adapter, _, told), (classifier, _) in product(block.adapters, block.classifiers)
    ]
    rows += [("recipe", "-", name, EACH if told else POOLED) for name, _, told in recipes]
    columns = (*NAMES, *(["sources"] if several else []))
    return [dict(zip(columns, names, strict=False)) for names in rows]


class Block(NamedTuple):
    """Rows of one embedder: its name, adapters (name, adapter, whether it is told the domains), classifiers.

    `joint`: it learns from both domains. `source`: the one that it learns from alone; None for all.
    """

    embedder: str
    made: Any
    joint: bool
    adapters: list
    classifiers: list
    source: Any = None


def trials(blocks, recipes, data, score, diagnostics, folds):
    """A task for each row; an embedder runs here, once, before the first of its rows."""
    for block in blocks:
        parts = product(block.adapters, block.classifiers)
        try:
            of_block = data if block.source is None else alone(data, block.source, *folds)
            embedded = _Embedded(block.made, of_block, block.joint)
        except Exception as error:
            yield from (delayed(_failed)(line(error)) for _ in parts)
        else:
            yield from (
                delayed(_tried)(_evaluate, embedded, of_block, adapter, classifier, score, diagnostics, told)
                for (_, adapter, told), (_, classifier) in parts
            )
    for _, model, told in recipes:
        yield delayed(_tried)(_evaluate_recipe, model, data, score, told)


@config_context(transform_output="default")  # rows are cut by their numbers
def _tried(evaluate, *arguments):
    """Figures, class shares and error of a row; a failed combination is a row of the table, not its end."""
    try:
        return *evaluate(*arguments), ""
    except Exception as error:
        return _failed(line(error))


def _failed(error):
    return {}, None, error


class _Embedded:
    """The matrices of one embedder, and how long they took."""

    @config_context(transform_output="default")
    def __init__(self, embedder, data, joint):
        takes_target = has_fit_parameter(embedder, "X_target")
        if isinstance(embedder, BaseEmbedder) and not takes_target:  # kernels and tables load off the clock
            clone(embedder).fit(data.source[:1]).transform(data.source[:1])
        embedder = clone(embedder)
        start = perf_counter()
        if joint or takes_target:
            self.source = learn(embedder, data.source, data.seen, joint).transform(data.source)
        else:  # TF-IDF reads texts once, to learn and to embed
            self.source = embedder.fit_transform(data.source)
        seen_start = perf_counter()
        self.seen = embedder.transform(data.seen)
        end = perf_counter()
        self.fit_seconds, self.score_seconds = end - start, end - seen_start
        self.scored = self.seen
        if data.scored is not data.seen:
            self.scored = embedder.transform(data.scored)
            self.score_seconds = perf_counter() - end


def _evaluate(embedded, data, adapter, classifier, score, diagnostics, told):
    start, named = perf_counter(), _names(data, told)
    target = embedded.seen, data.y_seen
    adapter_, classifier_, source = _fit(adapter, classifier, embedded.source, data.y, *target, named())
    fit_seconds = embedded.fit_seconds + perf_counter() - start
    start = perf_counter()
    rows = adapter_.transform(embedded.scored)
    classifier_.predict(rows)
    score_seconds = embedded.score_seconds + perf_counter() - start
    scores = []
    for train, test in data.splits:
        fold = _fit(adapter, classifier, embedded.source[train], data.y[train], *target, named(train))
        to_space = getattr(fold[0], "transform_source", fold[0].transform)
        held_out = to_space(embedded.source[test], *([named(test)] if told else []))
        scores.append(score(for_source(fold[1]), held_out, data.y[test]))
    shift = domain_shift(source, adapter_.transform(embedded.seen)).to_dict() if diagnostics else {}
    target_score = np.nan if data.y_scored is None else score(classifier_, rows, data.y_scored)
    figures = _figures(scores, target_score, fit_seconds, n_rows(data.scored) / score_seconds)
    figures |= _labels_learned(classifier, data) | shift
    return figures, class_shares(Pipeline([("adapter", adapter_), ("classifier", classifier_)]))


def _names(data, told):
    """What gives the domains of some source rows, None where the row of the table is not told them."""
    return lambda rows=slice(None): data.domain[rows] if told else None


def _fit(adapter, classifier, source, y, seen, y_seen, domain):
    """The fitted adapter and classifier, and the source rows as the adapter maps them."""
    adapter, classifier = clone(adapter), clone(classifier)
    rows = adapter.fit_transform(source, y, **target_for(adapter, seen, domain=domain))
    takes_target = has_fit_parameter(classifier, "X_target")
    target = target_for(classifier, adapter.transform(seen), y_seen) if takes_target else {}
    return adapter, classifier.fit(rows, y, **target), rows


def _evaluate_recipe(model, data, score, told):
    start, named = perf_counter(), _names(data, told)
    target = data.seen, data.y_seen
    fitted = clone(model).fit(data.source, data.y, **target_for(model, *target, named()))
    fit_seconds = perf_counter() - start
    start = perf_counter()
    fitted.predict(data.scored)
    score_seconds = perf_counter() - start
    scores = []
    for train, test in data.splits:
        some, held_out = (take(data.source, part) for part in (train, test))
        fold = clone(model).fit(some, data.y[train], **target_for(model, *target, named(train)))
        view = _BySource(fold, named(test)) if told else for_source(fold)
        scores.append(score(view, held_out, data.y[test]))
    target_score = np.nan if data.y_scored is None else score(fitted, data.scored, data.y_scored)
    figures = _figures(scores, target_score, fit_seconds, n_rows(data.scored) / score_seconds)
    return figures | _labels_learned(model, data), class_shares(fitted)


class _BySource(ClassifierMixin, BaseEstimator):
    """A fitted model as it predicts source rows that are of these domains, for a scorer."""

    def __init__(self, model, domain):
        self.model = model
        self.domain = domain

    @property
    def classes_(self):
        return self.model.classes_

    def predict(self, X):
        return by_domain(self.model, lambda view, rows: view.predict(rows), X, self.domain)

    def predict_proba(self, X):
        return by_domain(self.model, lambda view, rows: view.predict_proba(rows), X, self.domain)

    def __sklearn_is_fitted__(self):
        return True


def _labels_learned(model, data):
    """How many target labels a model learned from, for its row, where there are any to learn from."""
    return {} if data.y_seen is None else {"target_labels": len(data.learned) * takes(model, "y_target")}


def _figures(source_scores, *others):
    """What a row of the table says, by column."""
    columns = "source_cv", "target_score", "fit_seconds", "texts_per_second"
    return dict(zip(columns, (float(np.mean(source_scores)), *others), strict=True))
