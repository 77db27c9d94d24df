"""Source texts far shorter than the target's, joined until they are as long."""

from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.base import clone

from ..copies._groups import complete_folds, identical
from ._logistic import fit_classifier, held_out_proba

_FAR = 2.0  # times as many words: joining fewer has cost more than it has brought
_LEAST_ROWS = 10  # of a class that must be left


def as_long(view, y, n_folds, rng):
    """The view, and its rows' classes, with as many words a source row as the target's rows have.

    Of counts of words alone, and only where the target's rows hold at least twice as many: then each of their
    words votes as one of a short text would, and a whole domain falls to one class. Some texts of a class are
    one text more of it. Their number is the least that makes them as long, and leaves ten rows of each class.

    y : ndarray of shape (n_source,)
        Numbers of the classes.
    """
    source, target, most = view.source, view.target, np.bincount(y).min() // _LEAST_ROWS
    if not sparse.issparse(source) or (source.data % 1).any() or most < 2:
        return view, y
    wanted = _words_a_row(target)
    n_joined = int(wanted / max(_words_a_row(source), 1))
    if n_joined < _FAR:
        return view, y
    groups = identical(source)
    order = np.lexsort((rng.permutation(groups.max() + 1)[groups], y))  # copies stand side by side
    for n in range(min(n_joined, most), most + 1):
        joined, of_joined = _joined(source, y, order, n)
        if _words_a_row(joined) >= wanted:
            break
    splits = complete_folds(of_joined, identical(joined), n_folds, rng)
    if not splits:
        return view, y
    classifier = view.classifier
    held_out = held_out_proba(classifier, joined, of_joined, splits)
    of_target = fit_classifier(clone(classifier), joined, of_joined).predict_proba(target)
    return replace(view, source=joined, held_out=held_out, of_target=of_target, said=[]), of_joined


def _words_a_row(rows):
    return rows.nnz / rows.shape[0]


def _joined(source, y, order, n):
    """Sums of n rows of a class or more, and their classes; of presences, presences.

    `order` are the rows by class.
    """
    n_rows, of_class = np.bincount(y), y[order]
    sizes = n_rows // n
    place = np.arange(len(y)) - np.searchsorted(of_class, of_class)  # within its class
    number = (np.cumsum(sizes) - sizes)[of_class] + place * sizes[of_class] // n_rows[of_class]
    which = sparse.csr_array((np.ones(len(y), source.dtype), (number, order)), (sizes.sum(), len(y)))
    joined = (which @ source).tocsr()
    if (source.data == 1).all():
        joined.data[:] = 1
    joined.sort_indices()
    return joined, np.repeat(np.arange(len(sizes)), sizes)
