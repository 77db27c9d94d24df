"""The data of a comparison: source, target texts seen while adapting, target texts scored."""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from .._texts import check_texts, text_list


class Split:
    """The data of a comparison: source, target texts seen while adapting, target texts scored.

    Target texts without a label (None, NaN) are seen, never scored.
    """

    def __init__(self, X_source, y_source, X_target, y_target, transductive, test_size, random_state):
        self.source, target = text_list(check_texts(X_source)), text_list(check_texts(X_target))
        self.y = np.asarray(y_source)
        _check_labels(self.source, self.y, "source")
        if missing := np.count_nonzero(pd.isna(self.y)):
            raise ValueError(f"Got {missing:,} source texts without a label. Leave them out.")
        self.target_texts = "seen"
        self.seen = self.scored = target
        self.y_scored = None
        if y_target is None:
            return
        y_target = np.asarray(y_target)
        _check_labels(target, y_target, "target")
        labelled = np.flatnonzero(~pd.isna(y_target))
        if len(target) and not len(labelled):
            return
        self.y_scored = y_target
        if len(labelled) < len(target):
            self.scored = [target[i] for i in labelled]
            self.y_scored = known(y_target, labelled)
        whole = self.y.dtype.kind in "biu" and self.y_scored.dtype.kind == "f"
        if whole and (self.y_scored % 1 == 0).all():  # NaN beside them made them floating-point numbers
            self.y_scored = self.y_scored.astype(int)
        if transductive:
            return
        if not 0 < test_size < 1:
            raise ValueError(f"Got test_size={test_size!r}. Expected a share between 0 and 1.")
        order = np.random.default_rng(random_state).permutation(len(labelled))
        n_scored = round(test_size * len(labelled))
        if not 0 < n_scored < len(labelled):
            what = "target texts" if len(labelled) == len(target) else "target texts with a label"
            raise ValueError(f"Got {len(labelled)} {what}, too few to split with test_size={test_size}.")
        scored = np.sort(order[:n_scored])
        held_back = set(labelled[scored].tolist())
        self.target_texts = "unseen"
        self.seen = [text for i, text in enumerate(target) if i not in held_back]
        self.scored, self.y_scored = [self.scored[i] for i in scored], self.y_scored[scored]

    def make_folds(self, cv, random_state):
        classes, counts = np.unique(self.y, return_counts=True)
        if len(classes) < 2 or counts.min() < cv:
            smallest = counts.min() if len(classes) else 0
            raise ValueError(
                f"Got {len(classes)} source classes, the smallest with {smallest} texts. "
                f"Expected at least 2 classes of at least cv={cv} texts."
            )
        splitter = StratifiedKFold(cv, shuffle=True, random_state=random_state)
        self.splits = list(splitter.split(self.y, self.y))

    def check_labels_in_common(self):
        if self.y_scored is None:
            return
        known, found = set(self.y.tolist()), set(self.y_scored.tolist())
        if found and not known & found:
            raise ValueError(
                f"Got source labels {_some(known)} and target labels {_some(found)}, none in common. "
                "Give both the same labels, of the same type."
            )


def known(y, rows):
    """The labels at these positions, none of them missing, as an array of their own type."""
    return np.array(y[rows].tolist())


def _check_labels(texts, y, domain):
    if y.ndim != 1 or len(y) != len(texts):
        raise ValueError(
            f"Got {len(texts)} {domain} texts and labels of shape {y.shape}. Expected one a text."
        )


def _some(labels):
    """Up to five labels, for a message."""
    return ", ".join(sorted(map(repr, labels))[:5]) + (", ..." if len(labels) > 5 else "")
