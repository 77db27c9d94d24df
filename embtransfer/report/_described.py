"""The model that a report describes: fitted on its own split, as compare does."""

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from .._parts import nested
from .._rows import n_rows, take
from ..copies._groups import complete_folds
from ..pipeline import for_source
from ..trials._progress import line
from ..trials._store import target_for

MAX_ROWS = 1000  # of a domain, for distances: as many as mmd uses


class Described:
    """A copy of a model, fitted on the source and the seen target texts, or a frozen one as it is.

    Attributes
    ----------
    name : its steps
    error : why it could not be fitted, or ""
    before, after : (source rows, target rows) of a sample, before and after the adapter, or None
    no_rows : why `before` or `after` is None
    """

    def __init__(self, model, data, random_state):
        frozen = isinstance(model, FrozenEstimator)
        self.model = model.estimator if frozen else model
        self.name, self.data, self.random_state = model_name(self.model), data, random_state
        self.error, self.fitted, self.before, self.after = "", None, None, None
        self.no_rows = "it is not a Pipeline, whose steps could be looked at"
        try:
            self.fitted = self.model if frozen else self._fit(data.source, data.y)
        except Exception as error:  # the comparison, made before, is worth a report all the same
            self.error = line(error)
            return
        rng = np.random.default_rng(random_state)
        self.drawn = [rng.permutation(n_rows(rows))[:MAX_ROWS] for rows in (data.source, data.seen)]
        if isinstance(self.fitted, Pipeline):
            self._send_through()

    def _fit(self, texts, y):
        target = target_for(self.model, self.data.seen, self.data.y_seen)
        with threadpool_limits(1, "blas"):  # many small solves: threads would wait for one another
            return clone(self.model).fit(texts, y, **target)

    def _send_through(self):
        source, target = map(take, (self.data.source, self.data.seen), self.drawn)
        adapter = next((i for i, (_, step) in enumerate(self.fitted.steps) if _adapts(step)), None)
        if adapter == 0:
            self.no_rows = "its first step adapts already, and there are no rows before it"
            return
        self.no_rows = "it has no step that adapts rows"
        views = for_source(self.fitted).steps[:-1]
        for i, ((_, view), (_, step)) in enumerate(zip(views, self.fitted.steps[:-1], strict=True)):
            if i == adapter:
                self.before = source, target
            if step not in (None, "passthrough"):
                source, target = view.transform(source), step.transform(target)
        if adapter is None:
            self.before = (source, target) if hasattr(source, "shape") else None
        else:
            self.after = source, target

    def predictions(self):
        """(true, predicted, what the texts are): on scored target texts, or on held-out source texts.

        None, if there is no target label, and of a class one distinct source text.
        """
        data = self.data
        if data.y_scored is not None:
            what = f"{n_rows(data.scored):,} target {data.kind} {data.target_texts} while adapting"
            return data.y_scored, self.fitted.predict(data.scored), what
        splits = complete_folds(data.y, data.groups, 4, self.random_state)
        if not splits:
            return None
        train, test = splits[0]
        fitted = self._fit(take(data.source, train), data.y[train])
        predicted = for_source(fitted).predict(take(data.source, test))
        return data.y[test], predicted, f"{len(test):,} held-out source {data.kind}: the target has no labels"

    def word_embedders(self):
        """Fitted steps that know which words their table has."""
        return [step for step in nested(self.fitted) if hasattr(step, "coverage")]


def model_name(model):
    if isinstance(model, Pipeline):
        return " + ".join(type(step).__name__ for _, step in model.steps)
    return type(model).__name__


def _adapts(step):
    return any(hasattr(part, "transform_source") for part in nested(step))
