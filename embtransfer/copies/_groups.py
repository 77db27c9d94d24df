"""Rows that are copies of one another: their groups, which folds and draws keep together."""

import re
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedKFold

from .._rows import column_names, is_table

# what differs where somebody passes on what another wrote: links, names, and that it is passed on
_PASSED_ON = re.compile(r"https?:\S*|www\.\S+|@\w+:?|^\W*rt\b:?")


def identical(rows, near: bool = False) -> np.ndarray:
    """Number the distinct rows, in the order in which they come: (n_rows,).

    Of numbers, dense or sparse; of tables; or of texts, which are the same if they differ in case and white
    space alone; with `near` also if they do in links, @names, a leading RT and punctuation at the ends.
    """
    if is_table(rows):  # of which all columns are to be the same
        columns = [identical(list(rows[name]), near).tolist() for name in column_names(rows)]
        numbers = _hashed(zip(*columns, strict=True))
    elif sparse.issparse(rows):
        numbers = _hashed(_bytes_of(rows.tocsr()))
    else:
        rows = rows if isinstance(rows, list | tuple) else np.asarray(rows)
        dense = isinstance(rows, np.ndarray) and rows.dtype.kind in "biuf"
        key = _bare if near else _plain
        numbers = _equal_up_to_rounding(rows.reshape(len(rows), -1)) if dense else _hashed(map(key, rows))
    return pd.factorize(numbers)[0]


def _hashed(keys):
    return np.fromiter(map(hash, keys), np.int64)


def _bytes_of(rows):
    rows = rows if rows.has_sorted_indices else rows.sorted_indices()
    for start, end in pairwise(rows.indptr.tolist()):
        yield rows.indices[start:end].tobytes() + rows.data[start:end].tobytes()


def _plain(row):
    if isinstance(row, str):
        return " ".join(row.lower().split())
    return repr(row.tolist() if isinstance(row, np.ndarray) else row)


def _bare(row):
    plain = _plain(row)
    bare = " ".join(_PASSED_ON.sub(" ", plain).split()).strip(" .…:\"'“”-") if isinstance(row, str) else ""
    return bare or plain  # a link by itself is that link


def _equal_up_to_rounding(rows):
    """The product of a matrix with equal rows has rows that differ in the last bits, by their place in it.

    So rows are compared that are neighbours along a random direction.
    """
    rows = rows if rows.dtype.kind == "f" else rows.astype(np.float64)
    direction = np.random.default_rng(0).normal(size=rows.shape[1])
    along = np.einsum("ij,j->i", rows, direction, dtype=np.float64)
    least = 64 * np.finfo(rows.dtype).eps * np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    order = np.argsort(along, kind="stable")
    before, after = order[:-1], order[1:]
    same = along[after] - along[before] <= least[before]
    near = np.flatnonzero(same)
    same[near] = np.abs(rows[after[near]] - rows[before[near]]).max(axis=1, initial=0) <= least[before[near]]
    numbers = np.zeros(len(rows), np.int64)
    numbers[after] = np.cumsum(~same)
    return numbers


def joined(groups, others) -> np.ndarray:
    """Number the groups of rows that either puts together, directly or through other rows."""
    n, m = groups.max(initial=-1) + 1, others.max(initial=-1) + 1
    links = sparse.coo_array((np.ones(len(groups)), (groups, n + others)), shape=(n + m, n + m))
    return pd.factorize(connected_components(links, directed=False)[1][groups])[0]


def fewest_groups(y, groups) -> int:
    """Of the class that is in the fewest groups, in how many."""
    return int(pd.DataFrame({"y": y, "group": groups}).groupby("y")["group"].nunique().min())


def stratified_folds(y, groups, n_folds, random_state):
    """(train, test) rows of each fold: groups whole, the classes in about their shares.

    A group goes where its first row does. Where each row is a group, these are the folds of StratifiedKFold.
    """
    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    labels = np.asarray(y)[first]
    if np.unique(labels, return_counts=True)[1].max() < n_folds:  # few groups, of several classes each
        labels = np.zeros(len(first), int)
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    with warnings.catch_warnings():  # one group of a class is held out once, and not learned from then
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        fold = np.empty(len(first), int)
        for k, (_, test) in enumerate(folds.split(labels, labels)):
            fold[test] = k
    return [(np.flatnonzero(fold[number] != k), np.flatnonzero(fold[number] == k)) for k in range(n_folds)]


def complete_folds(y, groups, n_folds, random_state):
    """The same, at most as many as the rarest class has groups; none unless each learns of all classes."""
    n_folds = min(n_folds, fewest_groups(y, groups))
    splits = stratified_folds(y, groups, n_folds, random_state) if n_folds > 1 else []
    n_classes = len(np.unique(y))
    return splits if all(len(np.unique(y[train])) == n_classes for train, _ in splits) else []


class Groups:
    """Groups that are drawn: `rows(drawn)` are the rows of groups, by number, as often as these come."""

    def __init__(self, groups):
        self.sizes = np.bincount(groups)
        self._order = np.argsort(groups, kind="stable")
        self._starts = np.cumsum(self.sizes) - self.sizes

    def rows(self, drawn):
        sizes = self.sizes[drawn]
        places = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return self._order[np.repeat(self._starts[drawn], sizes) + places]

    def draw(self, rng):
        """Rows of as many groups as there are, drawn with replacement."""
        return self.rows(rng.randint(len(self.sizes), size=len(self.sizes)))
