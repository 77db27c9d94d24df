"""How a trial cuts the rows of two domains: seen, scored, folds, draws of labels."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from .._rows import n_rows, take
from ..copies._groups import stratified_folds
from ..model_selection import stratified_order
from ._domains import Domains, known
from ._learned import check_n_labels, draw_learned


class Split(Domains):
    """The data of a comparison: source, target texts seen while adapting, target texts scored.

    Target texts without a label (None, NaN) are seen, never scored.

    Attributes
    ----------
    learned : positions of the `n_target_labels` target texts whose labels models learn from, and none scores
    y_seen : labels of the seen texts, None but for those; None if there are none to learn from
    """

    def __init__(
        self,
        X_source,
        y_source,
        X_target,
        y_target,
        transductive,
        test_size,
        random_state,
        groups=None,
        of_classes=True,
        n_target_labels=0,
        domain=None,
        tables=False,
    ):
        super().__init__(X_source, y_source, X_target, y_target, groups, of_classes, domain, tables)
        self.target_texts, self.y_scored = "seen", None
        self.seen = self.scored = self.target
        self.learned, self.y_seen = np.arange(0), None
        check_n_labels(n_target_labels, self)
        if self.y_target is None or (n_rows(self.target) and not len(self.labelled)):
            return
        all_labelled = len(self.labelled) == n_rows(self.target)
        self.y_scored = self.y_target if all_labelled else known(self.y_target, self.labelled)
        whole = self.y.dtype.kind in "biu" and self.y_scored.dtype.kind == "f"
        if whole and (self.y_scored % 1 == 0).all():  # NaN beside them made them floating-point numbers
            self.y_scored = self.y_scored.astype(int)
        scored, seen = np.arange(len(self.labelled)), np.arange(n_rows(self.target))
        if not transductive:
            what = f"target {self.kind}{'' if all_labelled else ' with a label'}"
            order = np.random.default_rng(random_state).permutation(scored)
            groups = self.target_groups[self.labelled[order]]
            scored = np.sort(_hold_back(order, groups, test_size, what)[0])
            self.target_texts = "unseen"
            seen = np.setdiff1d(seen, self.labelled[scored])
            self.seen = take(self.target, seen)
        if n_target_labels:
            self.learned, scored = draw_learned(self, seen, scored, n_target_labels, random_state)
            self.y_seen = self.labels_at(self.learned)[seen]
        self.n_to_score = len(scored)
        scored = _not_in_source(scored, self.in_source[self.labelled], self.kind)
        self.n_left_out = self.n_to_score - len(scored)
        if len(scored) < n_rows(self.target):
            self.scored = take(self.target, self.labelled[scored])
            self.y_scored = self.y_scored[scored]

    def make_folds(self, cv, random_state):
        self.check_groups(cv, "cv=")
        y = self.y if self.of_classes else np.zeros(len(self.y), int)
        self.splits = stratified_folds(y, self.groups, cv, random_state)


class Draw(NamedTuple):
    """Positions of texts in one repeat."""

    held_back: np.ndarray
    source_order: np.ndarray  # of the texts that get labels, one after the other
    target_order: np.ndarray
    seen: np.ndarray  # target texts that models adapt to


class Draws(Domains):
    """The data of a learning curve: what a repeat holds back, and in which order the others get labels."""

    def __init__(self, X_source, y_source, X_target, y_target, test_size, random_state, groups=None):
        super().__init__(X_source, y_source, X_target, y_target, groups, tables=True)
        if self.kind == "texts":
            self.source, self.target = _text_array(self.source), _text_array(self.target)
        if not isinstance(random_state, Integral):
            random_state = check_random_state(random_state).randint(1 << 31)
        self.test_size, self.random_state = test_size, random_state
        self.n_to_score = len(self.labelled)
        self.n_left_out = int(np.count_nonzero(self.in_source[self.labelled]))

    def draw(self, repeat):
        rng = np.random.default_rng([self.random_state, repeat])
        source_order, everything = _by_class(self.y, rng), np.arange(n_rows(self.target))
        if self.y_target is None:
            groups = self.groups[source_order]
            held_back, source_order = _hold_back(source_order, groups, self.test_size, f"source {self.kind}")
            return Draw(held_back, source_order, source_order[:0], everything)
        order = self.labelled[_by_class(self.y_target[self.labelled], rng)]
        groups, what = self.target_groups[order], f"target {self.kind} with a label"
        held_back, target_order = _hold_back(order, groups, self.test_size, what)
        seen = np.setdiff1d(everything, held_back)
        return Draw(_not_in_source(held_back, self.in_source, self.kind), source_order, target_order, seen)


def _not_in_source(rows, in_source, kind):
    """The rows to be scored but those that are in the source, and whose label was learned from."""
    kept = rows[~in_source[rows]]
    if len(rows) and not len(kept):
        raise ValueError(
            f"Got {len(rows):,} target {kind} to score, and all stand in the source as well. Expected some "
            f"that models do not learn from: leave the target's {kind} out of the source."
        )
    return kept


def _hold_back(order, groups, test_size, what):
    """What is scored of texts in random order, and the others; `groups`, of each of them, stay whole."""
    if not 0 < test_size < 1:
        raise ValueError(f"Got test_size={test_size!r}. Expected a share between 0 and 1.")
    n = round(test_size * len(order))
    numbers = pd.factorize(groups)[0]
    sizes = np.cumsum(np.bincount(numbers))
    held_back = numbers <= np.searchsorted(sizes, n)
    if n < 1 or held_back.all():
        raise ValueError(f"Got {len(order)} {what}, too few to split with test_size={test_size}.")
    return order[held_back], order[~held_back]


def _by_class(y, rng):
    return stratified_order(pd.factorize(y)[0], rng)


def _text_array(texts):
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
