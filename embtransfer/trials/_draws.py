"""The texts of a learning curve: what is held back, and in which order the others get labels."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from .._texts import check_texts, text_list
from ..model_selection import stratified_order


class Draw(NamedTuple):
    """Positions of texts in one repeat."""

    held_back: np.ndarray
    source_order: np.ndarray  # of the texts that get labels, one after the other
    target_order: np.ndarray
    seen: np.ndarray  # target texts that models adapt to


class Data:
    """The texts of both domains and their labels."""

    def __init__(self, X_source, y_source, X_target, y_target, test_size, random_state):
        if not 0 < test_size < 1:
            raise ValueError(f"Got test_size={test_size!r}. Expected a share between 0 and 1.")
        self.source, self.target = (_text_array(texts) for texts in (X_source, X_target))
        self.y, self.codes = _labels(y_source, self.source, "source")
        if (self.codes < 0).any():
            raise ValueError("Got source texts without a label. Leave them out.")
        self.y_target = None
        if y_target is not None:
            self.y_target, self.target_codes = _labels(y_target, self.target, "target")
            if not set(self.y.tolist()) & set(self.y_target[self.target_codes >= 0].tolist()):
                raise ValueError(
                    "Got source and target labels with none in common. Give both the same labels."
                )
        self.test_size, self.random_state = test_size, random_state

    def draw(self, repeat):
        """What is held back in a repeat, and the order in which the other texts get labels."""
        rng = np.random.default_rng([self.random_state, repeat])
        source_order = stratified_order(self.codes, rng)
        if self.y_target is None:
            held_back, source_order = self._cut(source_order, "source")
            return Draw(held_back, source_order, source_order[:0], np.arange(len(self.target)))
        labelled = np.flatnonzero(self.target_codes >= 0)
        held_back, target_order = self._cut(
            labelled[stratified_order(self.target_codes[labelled], rng)], "labelled target"
        )
        return Draw(
            held_back, source_order, target_order, np.setdiff1d(np.arange(len(self.target)), held_back)
        )

    def _cut(self, order, what):
        n = round(self.test_size * len(order))
        if not 0 < n < len(order):
            raise ValueError(f"Got {len(order)} {what} texts, too few for test_size={self.test_size}.")
        return order[:n], order[n:]


def _text_array(X):
    texts = text_list(check_texts(X))
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def _labels(y, texts, domain):
    """Labels, and their class numbers: -1 where one is missing."""
    y = np.asarray(y)
    if y.ndim != 1 or len(y) != len(texts):
        raise ValueError(
            f"Got {len(texts)} {domain} texts and labels of shape {y.shape}. Expected one a text."
        )
    return y, pd.factorize(y)[0]
