"""The texts of two domains, and how a trial cuts them: seen and scored, draws of labels, folds."""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from .._texts import check_texts, text_list
from ..model_selection import stratified_order


class Domains:
    """Texts and labels of both domains, checked; `labelled`: positions of the target texts with a label."""

    def __init__(self, X_source, y_source, X_target, y_target=None):
        self.source, self.target = text_list(check_texts(X_source)), text_list(check_texts(X_target))
        self.y, self.y_target = _labels(y_source, self.source, "source"), None
        if missing := np.count_nonzero(pd.isna(self.y)):
            raise ValueError(f"Got {missing:,} source texts without a label. Leave them out.")
        self.labelled = np.arange(0)
        if y_target is not None:
            self.y_target = _labels(y_target, self.target, "target")
            self.labelled = np.flatnonzero(~pd.isna(self.y_target))


class Split(Domains):
    """The data of a comparison: source, target texts seen while adapting, target texts scored.

    Target texts without a label (None, NaN) are seen, never scored.
    """

    def __init__(self, X_source, y_source, X_target, y_target, transductive, test_size, random_state):
        super().__init__(X_source, y_source, X_target, y_target)
        self.target_texts, self.y_scored = "seen", None
        self.seen = self.scored = self.target
        if self.y_target is None or (self.target and not len(self.labelled)):
            return
        all_labelled = len(self.labelled) == len(self.target)
        self.y_scored = self.y_target if all_labelled else known(self.y_target, self.labelled)
        whole = self.y.dtype.kind in "biu" and self.y_scored.dtype.kind == "f"
        if whole and (self.y_scored % 1 == 0).all():  # NaN beside them made them floating-point numbers
            self.y_scored = self.y_scored.astype(int)
        scored = np.arange(len(self.labelled))
        if not transductive:
            what = "target texts" if all_labelled else "target texts with a label"
            order = np.random.default_rng(random_state).permutation(scored)
            scored = np.sort(_hold_back(order, test_size, what)[0])
            held_back = set(self.labelled[scored].tolist())
            self.target_texts = "unseen"
            self.seen = [text for i, text in enumerate(self.target) if i not in held_back]
        if len(scored) < len(self.target):
            self.scored = [self.target[i] for i in self.labelled[scored]]
            self.y_scored = self.y_scored[scored]

    def make_folds(self, cv, random_state):
        classes, counts = np.unique(self.y, return_counts=True)
        if len(classes) < 2 or counts.min() < cv:
            smallest = counts.min() if len(classes) else 0
            raise ValueError(
                f"Got {len(classes)} source classes, the smallest with {smallest} texts. "
                f"Expected at least 2 classes of at least cv={cv} texts."
            )
        self.splits = stratified_folds(self.y, cv, random_state)

    def check_labels_in_common(self):
        if self.y_scored is not None:
            _check_in_common(self.y, self.y_scored)


class Draw(NamedTuple):
    """Positions of texts in one repeat."""

    held_back: np.ndarray
    source_order: np.ndarray  # of the texts that get labels, one after the other
    target_order: np.ndarray
    seen: np.ndarray  # target texts that models adapt to


class Draws(Domains):
    """The data of a learning curve: what a repeat holds back, and in which order the others get labels."""

    def __init__(self, X_source, y_source, X_target, y_target, test_size, random_state):
        super().__init__(X_source, y_source, X_target, y_target)
        if self.y_target is not None:
            _check_in_common(self.y, known(self.y_target, self.labelled))
        self.source, self.target = _text_array(self.source), _text_array(self.target)
        self.test_size, self.random_state = test_size, random_state

    def draw(self, repeat):
        rng = np.random.default_rng([self.random_state, repeat])
        source_order, everything = _by_class(self.y, rng), np.arange(len(self.target))
        if self.y_target is None:
            held_back, source_order = _hold_back(source_order, self.test_size, "source texts")
            return Draw(held_back, source_order, source_order[:0], everything)
        order = self.labelled[_by_class(self.y_target[self.labelled], rng)]
        held_back, target_order = _hold_back(order, self.test_size, "target texts with a label")
        return Draw(held_back, source_order, target_order, np.setdiff1d(everything, held_back))


def stratified_folds(y, n_folds, random_state):
    """(train, test) rows of each fold, with the classes in about their shares."""
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    with warnings.catch_warnings():  # one text of a class is held out once, and not learned from then
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(folds.split(y, y))


def known(y, rows):
    """The labels at these positions, none of them missing, as an array of their own type."""
    return np.array(y[rows].tolist())


def _labels(y, texts, domain):
    y = np.asarray(y)
    if y.ndim != 1 or len(y) != len(texts):
        raise ValueError(
            f"Got {len(texts)} {domain} texts and labels of shape {y.shape}. Expected one a text."
        )
    return y


def _hold_back(order, test_size, what):
    """What is scored of texts in random order, and the others."""
    if not 0 < test_size < 1:
        raise ValueError(f"Got test_size={test_size!r}. Expected a share between 0 and 1.")
    n = round(test_size * len(order))
    if not 0 < n < len(order):
        raise ValueError(f"Got {len(order)} {what}, too few to split with test_size={test_size}.")
    return order[:n], order[n:]


def _by_class(y, rng):
    return stratified_order(pd.factorize(y)[0], rng)


def _check_in_common(y, y_target):
    labels, found = set(y.tolist()), set(y_target.tolist())
    if found and not labels & found:
        raise ValueError(
            f"Got source labels {_some(labels)} and target labels {_some(found)}, none in common. "
            "Give both the same labels, of the same type."
        )


def _some(labels):
    """Up to five labels, for a message."""
    return ", ".join(sorted(map(repr, labels))[:5]) + (", ..." if len(labels) > 5 else "")


def _text_array(texts):
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
