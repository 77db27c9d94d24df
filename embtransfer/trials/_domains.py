"""The texts or vectors of two domains and their labels, checked: what repeats, what stands in both."""

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import type_of_target

from .._names import first_few
from .._rows import check_both, kind_of_rows, n_rows, stack_rows
from .._texts import check_domain, plain_labels, without_text
from ..classifiers._label_matrix import several_labels
from ..copies._groups import fewest_groups, identical, joined
from ._named_estimators import views_of

_OTHERS = "compare takes several labels a text, too, and numbers, with scoring='r2' and the like."


class Domains:
    """Rows and labels of both domains, checked.

    Attributes
    ----------
    source, target : lists of texts, or matrices of vectors
    kind : "texts" or "vectors", or "rows" of a table, where `tables` may be
    views : what models can see of a row, as `views_of` says
    labelled : positions of the target texts with a label
    domain : the name of each source row's domain, (n_source,); None if not told
    groups, target_groups : numbers of the texts, equal where folds keep them together: those that are the
        same but for case and white space, and source texts of a group that was given
    of_classes : whether a text has one label, a class; else several, as columns of 0 and 1, or a number
    empty, target_empty : whether each text is missing or blank
    n_repeated, n_repeated_target : texts that repeat one before them in their domain; empty ones are none
    in_source : whether a target text stands in the source as well; an empty one does not
    n_left_out : of the `n_to_score` target texts with a label that are to be scored, so many are not, since
        they stand in the source
    """

    def __init__(
        self,
        X_source,
        y_source,
        X_target,
        y_target=None,
        groups=None,
        of_classes=True,
        domain=None,
        tables=False,
    ):
        self.of_classes = of_classes
        self.source, self.target = check_both(X_source, X_target, tables)
        self.views = views_of(self.source)
        self.kind, n, n_target = kind_of_rows(self.source), n_rows(self.source), n_rows(self.target)
        self.y, self.y_target = _labels(y_source, n, f"source {self.kind[:-1]}", of_classes), None
        if len(missing := np.flatnonzero(_missing(self.y))):
            raise ValueError(
                f"Got {len(missing):,} source {self.kind} without a label, the first is {self.kind[:-1]} "
                f"{missing[0] + 1}. Leave them out."
            )
        self.labelled, self._unknown = np.arange(0), ""
        if y_target is not None:
            self.y_target = _labels(y_target, n_target, f"target {self.kind[:-1]}", of_classes)
            self._find_labelled()
        self.n_to_score = self.n_left_out = 0
        numbers = identical(stack_rows(self.source, self.target))
        self.groups, self.target_groups = numbers[:n], numbers[n:]
        n_distinct = self.groups.max(initial=-1) + 1
        self.empty, self.target_empty = (
            without_text(rows) if self.kind == "texts" else np.zeros(n_rows(rows), bool)
            for rows in (self.source, self.target)
        )
        self.n_repeated = _n_repeated(self.groups[~self.empty])
        self.n_repeated_target = _n_repeated(self.target_groups[~self.target_empty])
        self.in_source = (self.target_groups < n_distinct) & ~self.target_empty
        if groups is not None:
            self.groups = joined(self.groups, _group_numbers(groups, n))
        self.domain = None if domain is None else check_domain(domain, n)

    def repeated(self) -> str:
        """How many source texts repeat another, in a sentence; "" if none."""
        said = self._repeat(self.n_repeated, len(self.y), "source")
        return said and f"{said} Folds keep them together."

    def repeated_in_target(self) -> str:
        """How many target texts repeat another, in a sentence; "" if none."""
        said = self._repeat(self.n_repeated_target, n_rows(self.target), "target")
        return said and f"{said} Class shares and scores count each of them."

    def _repeat(self, n, of, name):
        but = ", but for case and white space" if self.kind == "texts" else ""
        return f"{n:,} of {of:,} {name} {self.kind} repeat another{but}." if n else ""

    def overlapping(self) -> str:
        """How many target texts stand in the source as well, in a sentence; "" if none."""
        n = np.count_nonzero(self.in_source)
        n_target = n_rows(self.target)
        return f"{n:,} of {n_target:,} target {self.kind} stand in the source as well." if n else ""

    def _find_labelled(self):
        """Target texts whose label the source has: no model can give another."""
        labelled = np.flatnonzero(~_missing(self.y_target))
        if not self.of_classes:
            self.labelled = labelled
            return
        labels, of_source = known(self.y_target, labelled).tolist(), set(self.y.tolist())
        _check_in_common(of_source, set(labels))
        lacking = np.array([label not in of_source for label in labels], bool)
        self.labelled = labelled[~lacking]
        if lacking.any():
            names, first = first_few(sorted(map(repr, set(labels) - of_source))), labelled[lacking][0] + 1
            self._unknown = (
                f"{lacking.sum():,} of {len(labels):,} labelled target {self.kind} have labels that the "
                f"source lacks: {names}; the first is {self.kind[:-1]} {first}. They are not scored. If they "
                "are other names of the same classes, make the names alike."
            )

    def labels_at(self, rows) -> np.ndarray:
        """Labels of the target texts at these positions, None at all others."""
        found = np.full(n_rows(self.target), None, object)
        found[rows] = self.y_target[rows].tolist()
        return found

    def left_out(self) -> str:
        """Which target texts have a label, and are not scored all the same, in sentences; "" if none."""
        if not self.n_left_out:
            return self._unknown
        said = (
            f"{self.n_left_out:,} of {self.n_to_score:,} target {self.kind} to score stand in the source as "
            "well. They are left out of the score."
        )
        return f"{self._unknown} {said}".strip()

    def check_groups(self, least, name=""):
        """Refuse classes whose texts, those that folds keep together counted once, are fewer than `least`."""
        if not self.of_classes:
            if len(np.unique(self.groups)) < least:
                raise ValueError(
                    f"Got {len(self.y)} source {self.kind}. Expected at least {name}{least} that are not the "
                    "same."
                )
            return
        n_classes = len(np.unique(self.y))
        smallest = fewest_groups(self.y, self.groups) if n_classes else 0
        if n_classes < 2 or smallest < least:
            counts = pd.Series(self.groups).groupby(self.y).nunique()
            few = [f"{label!r} ({n})" for label, n in counts.items() if n < least]
            what = f": {', '.join(few[:5])}{', ...' * (len(few) > 5)}" if few else ""
            alone = len(np.unique(self.groups)) == len(self.y)
            once = "" if alone else ", those that folds keep together counted once"
            raise ValueError(
                f"Got {n_classes} source classes, the smallest with {smallest} {self.kind}{once}{what}. "
                f"Expected at least 2 classes of at least {name}{least} {self.kind}. Give such classes more, "
                "mend labels that are misspelt, or leave theirs out."
            )


def _n_repeated(numbers):
    return len(numbers) - len(np.unique(numbers))


def known(y, rows):
    """The labels at these positions, none of them missing, as an array of their own type."""
    return np.array(y[rows].tolist())


def _missing(y):
    """Whether each row lacks its label, or one of several."""
    missing = pd.isna(y)
    return missing.any(axis=1) if missing.ndim == 2 else missing


def _labels(y, n, what, of_classes):
    y = plain_labels(y)
    if of_classes and getattr(y, "ndim", 1) == 1 and (several := several_labels(y)) is not None:
        raise ValueError(f"Got labels such as {several!r:.60} of a {what}. Expected one a text. {_OTHERS}")
    y = np.asarray(y)
    if (y.ndim != 1 and of_classes) or y.shape[:1] != (n,):
        others = f" {_OTHERS}" if y.ndim == 2 else ""
        raise ValueError(f"Got {n} {what}s and labels of shape {y.shape}. Expected one a {what[7:]}.{others}")
    if of_classes and y.dtype.kind == "f" and type_of_target(y[~np.isnan(y)]) == "continuous":
        raise ValueError(
            f"Got {what[:6]} labels that are numbers, such as {y[0]}. Expected classes. {_OTHERS}"
        )
    return y


def _group_numbers(groups, n):
    groups = np.asarray(groups)
    if groups.shape != (n,):
        raise ValueError(f"Got {n} source texts and groups of shape {groups.shape}. Expected one a text.")
    numbers = pd.factorize(groups)[0]
    return np.where(numbers < 0, n + np.arange(n), numbers)  # a text of no group is one by itself


def _check_in_common(labels, found):
    if found and labels and not labels & found:
        raise ValueError(
            f"Got source labels {first_few(sorted(map(repr, labels)))} and target labels "
            f"{first_few(sorted(map(repr, found)))}, none in common. "
            "Give both the same labels, of the same type."
        )
