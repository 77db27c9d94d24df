"""Class shares of the target from embedded rows of both domains, by logistic regression."""

from threading import Lock

import joblib
import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_random_state

from .._parts import settled
from ..copies._groups import complete_folds, identical
from ._logistic import fit_classifier, held_out_proba
from ._target import ShareView, TargetPriors, check_priors, is_estimated, rows_for_priors, target_priors

_FOLDS = 3
_MOST = 20  # views that are kept
# by the hash of rows and labels: adapters and numbers of target labels tried on the same texts ask again
_kept: dict[str, tuple] = {}
_lock = Lock()


def priors_by_rows(wanted, domains, index, of_words=None, known=((), ()), words=None) -> TargetPriors:
    """Shares of the target's classes, as given or estimated from embedded rows.

    Parameters
    ----------
    wanted : {"estimated", "source", "uniform"} or array-like of shape (n_classes,)
    domains : list of (source, target)
        Rows (n_source, d) and (n_target, d) of each way to embed the texts, dense or csr.
    index : ndarray of shape (n_source,)
        Numbers of the source rows' classes.
    of_words : classifier, default=None
        For csr rows. None: logistic regression with C = 10; on log-count ratios it is better.
    known : (rows, classes)
        As in `target_priors`.
    words : pipeline._words.Words, default=None
        Of the texts that the rows are of, which tell more of the shares than most vectors do.
    """
    source = np.bincount(index) / len(index)
    wanted = check_priors(wanted, len(source))
    if is_estimated(wanted):
        return _estimated(domains, index, of_words, known, words) or _known(source, source)
    if isinstance(wanted, str):
        wanted = source if wanted == "source" else np.full(len(source), 1 / len(source))
    return _known(source, wanted)


def shares_found(steps) -> TargetPriors | None:
    """What an adapter among fitted (name, step) pairs has estimated, if one has.

    Rows whose means it matched under these shares tell the same again, and err more: who comes after it
    takes them over.
    """
    for _, step in steps:
        if is_estimated(getattr(step, "priors", None)) and step.priors_ is not None:
            return TargetPriors(step.source_priors_, step.priors_, step.prior_intervals_)
    return None


def _known(source, target):
    return TargetPriors(source, target, np.stack([target, target], axis=1))


def _estimated(domains, index, of_words, known, words):
    """On the rows; of dense ones also on centred ones, the source's mean weighed by these shares.

    A shift of all rows moves the first, and the second is drawn to the shares that it assumes: the mean of
    their logarithms counts, the interval holds both. None where a class has too few distinct rows to be held
    out.
    """
    some, others = rows_for_priors(index, domains[0][1].shape[0])
    others = np.union1d(others, np.asarray(known[0], int))
    known = np.searchsorted(others, known[0]), known[1]
    domains = [(source[some], target[others]) for source, target in domains]
    counts = None if words is None else words.rows(some, others)
    if counts is not None:
        domains, of_words = [counts, *domains], words.classifier
    n_classes, index = index.max() + 1, index[some]
    rng = check_random_state(0)
    splits = complete_folds(index, identical(domains[0][0]), _FOLDS, rng)
    if not splits or len(np.unique(index)) < n_classes:
        return None
    domains = [_scaled(*rows) for rows in domains]
    views = [_view(*rows, index, splits, of_words) for rows in domains]
    found = target_priors(views, index, rng, known=known)
    if all(sparse.issparse(source) for source, _ in domains):
        return found
    centred = [_centred(*rows, index, found.target) for rows in domains]
    views = [_view(*rows, index, splits, of_words) for rows in centred]
    again = target_priors(views, index, rng, known=known)
    both = found.target * again.target
    ends = np.stack([found.intervals, again.intervals])
    intervals = np.stack([ends[..., 0].min(axis=0), ends[..., 1].max(axis=0)], axis=1)
    return TargetPriors(found.source, np.sqrt(both) / np.sqrt(both).sum(), intervals)


def _scaled(source, target):
    """Dense rows less the source's mean and of mean squared length 1, float64: then C = 1 is middling."""
    if sparse.issparse(source):
        return source, target
    source, target = (rows.astype(np.float64) for rows in (source, target))
    mean = source.mean(axis=0)
    source, target = source - mean, target - mean
    length = np.sqrt(np.einsum("ij,ij->", source, source) / len(source)) or 1.0
    return source / length, target / length


def _centred(source, target, index, priors):
    if sparse.issparse(source):
        return source, target
    means = np.stack([source[index == k].mean(axis=0) for k in range(len(priors))])
    return source - priors @ means, target - target.mean(axis=0)


def _view(source, target, index, splits, of_words):
    """ShareView of the rows, with what is kept of it."""
    of_words = of_words if sparse.issparse(source) else None
    key = joblib.hash((source, target, index, splits, of_words))
    with _lock:
        kept = _kept.pop(key, None)
    kept = kept or _asked(source, target, index, splits, of_words)
    with _lock:
        _kept[key] = kept
        if len(_kept) > _MOST:
            del _kept[next(iter(_kept))]
    classifier, *found = kept
    return ShareView(classifier, source, target, *found)


def _asked(source, target, index, splits, of_words):
    classifier = LogisticRegression(C=10.0 if sparse.issparse(source) else 1.0, max_iter=200)
    if of_words is not None:
        classifier = of_words
    of_target = fit_classifier(classifier, source, index).predict_proba(target)
    classifier = settled(classifier, classifier)
    return classifier, held_out_proba(classifier, source, index, splits), of_target, []
