"""What one view of the rows says of the target's class shares, by several estimates that err otherwise."""

import warnings
from functools import partial

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone

from ..copies._groups import complete_folds, identical
from ._agreement import N_PARTS, with_agreement
from ._errors import calibrated, distance, nearer, noise, outside, to_odds
from ._estimate import estimate
from ._logistic import fit_classifier, held_out_proba

# measured on half of the domains of four data sets, and reported on the other (docs/measured.md);
# _RATES was set with the other half and two more sets in view
_FACTOR = 2.0  # by which a word's frequency may differ
_LEAST_COUNT = 2  # of a word in each domain
# standard error of a log-share that the halves do not show, times distance squared: of counts, of which the
# stable columns speak, and of other rows, whose columns are all moved by the domain
_ERROR, _ERROR_OF_VECTORS = 0.4, 0.8
_OUTSIDE = 5.0  # error for each unit that the mean score lies outside those of the classes
_NEARER = 0.4  # error for each unit of distance that the classes are nearer in the target, by confidence
_RATES = 0.03  # by which rates of error may differ between the domains
LEAST_SHARE = 0.005  # whose logarithm counts in full
FOLDS = 3
_PAIRS = 1  # of halves


def said_by(view, y, shares, rng):
    """Means and variances of the centred log-shares, each (n_classes,), by one view: a `ShareView`."""
    source, target, held_out, of_target = view.source, view.target, view.held_out, view.of_target
    both = calibrated(held_out, y, of_target)
    whole = estimate(both[0], y, both[1], "em")[0]
    error = _ERROR if sparse.issparse(source) else _ERROR_OF_VECTORS
    variance = (error / distance(held_out, y) ** 2) ** 2
    variance += (_OUTSIDE * outside(held_out, y, of_target)) ** 2
    variance += (_NEARER * nearer(*both)) ** 2
    variance = variance + noise(held_out, of_target * (whole / shares))
    if not _in_columns(source):
        return log_shares(whole), variance + _of_rates(log_shares(whole))
    means, apart = [], []
    splits = complete_folds(y, identical(source), FOLDS, rng)
    counts = sparse.issparse(source)
    for assumed in (shares, whole) if counts else (whole,):
        columns = _stable(source, target, y, assumed) if counts else np.arange(source.shape[1])
        if len(columns) < 2 or not splits:
            means.append(log_shares(whole))
            continue
        refitted = partial(_refitted, view.classifier, source, target, y=y, splits=splits)
        means.append(log_shares(_by_rates(y, *refitted(columns)) if counts else whole))
        for _ in range(_PAIRS):
            order = rng.permutation(columns)
            parts = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
            one, other = (log_shares(_by_rates(y, *refitted(part))) for part in parts)
            # the logarithm of a rare class's share may move far, and all the others' with it
            apart.append(_apart(one, other))
    # from the mean distance of two draws of a normal: less moved by one far pair than the mean square
    spread = np.pi / 4 * np.mean(apart, axis=0) ** 2 if apart else 0.0
    mean = np.mean(means, axis=0)
    variance += spread + _of_rates(mean)
    of_words = counts and source.data.min(initial=0) >= 0
    if not of_words or len(shares) > 2 or len(columns) < N_PARTS or not splits:
        return mean, variance
    order = rng.permutation(columns)  # those that are stable under the shares by all columns
    parts = [refitted(np.sort(order[i::N_PARTS])) for i in range(N_PARTS)]
    mean, of_both = with_agreement(mean, variance[1], parts, y, identical(target))
    return mean, np.full(2, of_both)


def _apart(logs, others):
    """By how much two estimates of each class's log-share differ: the mean square of its own and the median.

    One rare class may move far, and the centre of the logarithms with it; a class may be near by chance.
    """
    squares = (logs - others - np.median(logs - others)) ** 2
    return np.sqrt((squares + np.median(squares)) / 2)


def _of_rates(logs):
    """Variance of log-shares where rates of error differ in the target: of a share near 1 it is large."""
    others = max(1 - softmax(logs).max(), LEAST_SHARE)
    return (_RATES / others / to_odds(len(logs))) ** 2


def _in_columns(rows):
    """Whether these are numbers in columns, as texts are not."""
    if hasattr(rows, "iloc"):
        rows = np.asarray(rows)
    numbers = sparse.issparse(rows) or isinstance(rows, np.ndarray)
    return numbers and rows.ndim == 2 and rows.dtype.kind in "biuf"


def _stable(source, target, y, assumed):
    """Columns as frequent in the target, within a factor, as the classes' frequencies under these shares."""
    of_class = np.stack([_frequencies(source[y == k]) for k in range(len(assumed))])
    of_target = _frequencies(target)
    totals = np.maximum(of_class.sum(axis=1, keepdims=True), 1)  # rows may be empty
    expected = np.maximum(assumed, LEAST_SHARE) @ ((of_class + 0.5) / totals)
    ratio = (of_target + 0.5) / max(of_target.sum(), 1) / expected
    enough = (of_class.sum(axis=0) >= _LEAST_COUNT) & (of_target >= _LEAST_COUNT)
    return np.flatnonzero(enough & (ratio <= _FACTOR) & (ratio >= 1 / _FACTOR))


def _frequencies(rows):
    """Rows that hold each column, (n_columns,)."""
    return np.bincount(rows.indices[rows.data != 0], minlength=rows.shape[1]).astype(np.float64)


def _refitted(classifier, source, target, columns, y, splits):
    """Probabilities of source rows, unseen, and of target rows, by the classifier fitted on some columns."""
    source, target = (_only(classifier, rows, columns) for rows in (source, target))
    with warnings.catch_warnings():  # of the other columns, which may be zeros now
        warnings.simplefilter("ignore")
        held_out = held_out_proba(classifier, source, y, splits)
        return held_out, fit_classifier(clone(classifier), source, y).predict_proba(target)


def _by_rates(y, held_out, of_target):
    held_out, of_target = calibrated(held_out, y, of_target)
    return estimate(held_out, y, of_target, "em")[0]


def _only(classifier, rows, columns):
    """Rows of some columns; the others are zeros where columns may be meant by name, place or number."""
    of_parts = any(hasattr(part, "fit") for part in classifier.get_params().values())
    if not of_parts and not hasattr(rows, "iloc"):
        return rows[:, columns]
    kept = np.isin(np.arange(rows.shape[1]), columns)
    if not sparse.issparse(rows):
        return rows * kept
    rows = rows.multiply(kept).tocsr()
    rows.eliminate_zeros()  # of which a step may take the logarithm
    return rows


def log_shares(shares):
    logs = np.log(np.maximum(shares, LEAST_SHARE))
    return logs - logs.mean()
