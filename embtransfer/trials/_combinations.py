"""What compare does for each row of its table: an embedder's rows, adapted, learned from and scored."""

from contextlib import suppress
from itertools import product
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from joblib import delayed
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from .._parts import by_domain, for_source, learns_target_labels
from .._rows import n_rows, take
from ..diagnostics import domain_shift
from ..embedders import BaseEmbedder
from ..pipeline import TransferPipeline, class_shares
from ..pipeline._words import words_of
from ._progress import line
from ._sources import EACH, POOLED, alone
from ._store import fit, learn

NAMES = ("embedder", "adapter", "classifier")
MAJORITY = "the majority class"


def name_of(row) -> str:
    """A row of the table in words: its parts, and what it learned from where there are several sources."""
    if row["embedder"] == "-":
        return MAJORITY if row["classifier"] == "majority" else f"the {row['classifier']}"
    name = " + ".join(str(row[part]) for part in NAMES if row[part] != "-")
    return f"{name} ({row['sources']})" if "sources" in row else name


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
    words = words_of(data.source, data.seen)
    for block in blocks:
        parts = product(block.adapters, block.classifiers)
        try:
            of_block = data if block.source is None else alone(data, block.source, *folds)
            embedded = _Embedded(block.made, of_block, block.joint)
            of_texts = words if block.source is None else words_of(of_block.source, data.seen)
        except Exception as error:
            yield from (delayed(_failed)(line(error)) for _ in parts)
        else:
            yield from (
                delayed(_tried)(
                    TransferPipeline([("adapter", adapter), ("classifier", classifier)]),
                    *(embedded, of_block, score, told, diagnostics, of_texts),
                )
                for (_, adapter, told), (_, classifier) in parts
            )
    for _, model, told in recipes:
        yield delayed(_tried)(model, _Texts(data), data, score, told)


@config_context(transform_output="default")  # rows are cut by their numbers
def _tried(*arguments):
    """Figures, class shares and error of a row; a failed combination is a row of the table, not its end."""
    try:
        with threadpool_limits(1, "blas"):  # many small solves: threads would wait for one another
            return *_evaluate(*arguments), ""
    except Exception as error:
        return _failed(line(error))


def _failed(error):
    return {}, None, error


class _Texts:
    """For a recipe, which embeds by itself: the texts as they are."""

    fit_seconds = score_seconds = 0.0

    def __init__(self, data):
        self.source, self.seen, self.scored = data.source, data.seen, data.scored


class _Embedded:
    """The matrices of one embedder, and how long they took."""

    @config_context(transform_output="default")
    def __init__(self, embedder, data, joint):
        takes_target = has_fit_parameter(embedder, "X_target")
        parts = embedder, *embedder.get_params().values()
        if not takes_target and any(isinstance(part, BaseEmbedder) for part in parts):
            first = take(data.source, [0] if isinstance(embedder, BaseEmbedder) else [0, 0])  # n-grams recur
            with suppress(ValueError):  # it has no words
                clone(embedder).fit(first).transform(first)  # kernels and tables load off the clock
        embedder = clone(embedder)
        start = perf_counter()
        if joint or takes_target:
            self.source = learn(embedder, data.source, data.seen, joint).transform(data.source)
        else:  # vectorizers of scikit-learn read texts once, to learn and to embed
            self.source = embedder.fit_transform(data.source)
        seen_start = perf_counter()
        self.seen = embedder.transform(data.seen)
        end = perf_counter()
        self.fit_seconds, self.score_seconds = end - start, end - seen_start
        self.scored = self.seen
        if data.scored is not data.seen:
            self.scored = embedder.transform(data.scored)
            self.score_seconds = perf_counter() - end


def _evaluate(model, rows, data, score, told, diagnostics=False, words=None):
    """Figures of a model of embedded rows, or of texts; its folds are told the class shares that it found."""
    start, named = perf_counter(), _names(data, told)
    fitted = fit(model, rows.source, data.y, rows.seen, None, None, data.y_seen, named(), words)
    fit_seconds = rows.fit_seconds + perf_counter() - start
    start = perf_counter()
    classifier, scored = _mapped(fitted, rows.scored)
    classifier.predict(scored)
    score_seconds = rows.score_seconds + perf_counter() - start
    shares = class_shares(fitted)
    priors = (None, None) if shares is None else (fitted.classes_, shares["target"].to_numpy())
    scores = []
    for train, test in data.splits:
        some, held_out = (take(rows.source, part) for part in (train, test))
        fold = fit(model, some, data.y[train], rows.seen, *priors, data.y_seen, named(train))
        view = _BySource(fold, named(test)) if told else for_source(fold)
        scores.append(score(view, held_out, data.y[test]))
    target_score = np.nan if data.y_scored is None else score(classifier, scored, data.y_scored)
    figures = _figures(scores, target_score, fit_seconds, n_rows(data.scored) / score_seconds)
    if data.y_seen is not None:  # how many labels it learned from, where there are any to learn from
        figures["target_labels"] = len(data.learned) * learns_target_labels(model)
    if diagnostics:
        source = by_domain(fitted, lambda view, some: view[:-1].transform(some), rows.source, named())
        figures |= domain_shift(source, fitted[:-1].transform(rows.seen)).to_dict()
    return figures, shares


def _mapped(fitted, rows):
    """The classifier of a fitted model, and rows as its steps before make them, so that it is asked twice."""
    if isinstance(fitted, Pipeline) and len(fitted) > 1:
        return fitted[-1], fitted[:-1].transform(rows)
    return fitted, rows


def _names(data, told):
    """What gives the domains of some source rows, None where the row of the table is not told them."""
    return lambda rows=slice(None): data.domain[rows] if told else None


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


def _figures(source_scores, *others):
    """What a row of the table says, by column."""
    columns = "source_cv", "target_score", "fit_seconds", "texts_per_second"
    return dict(zip(columns, (float(np.mean(source_scores)), *others), strict=True))
