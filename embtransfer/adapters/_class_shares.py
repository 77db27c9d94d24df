"""The source with the target's class shares: what an adapter that matches moments must match."""

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions

from ..priors import TargetPriors, check_priors, stratified_rows, target_priors

PRIORS = [StrOptions({"source", "uniform", "estimated"}), "array-like"]  # what the parameter takes
_ROWS = 4000  # of a domain, which estimate shares within a hundredth
_FOLDS = 3


def class_shares(wanted, X, index, X_target) -> TargetPriors:
    """Shares of the target's classes, as given or estimated from rows of both domains.

    `index`: numbers of the source rows' classes.
    """
    source = np.bincount(index) / len(index)
    wanted = check_priors(wanted, len(source))
    if not isinstance(wanted, str):
        found = wanted
    elif wanted == "uniform":
        found = np.full(len(source), 1 / len(source))
    elif wanted == "source" or np.bincount(index).min() < 2:
        found = source
    else:
        return _estimated(X, index, X_target)
    return TargetPriors(source, found, np.stack([found, found], axis=1))


def _estimated(X, index, X_target):
    """By logistic regression on the rows, then on both domains centred, the source's mean weighed by these."""
    rng = check_random_state(0)
    some = stratified_rows(index, np.bincount(index) / len(index), min(len(index), _ROWS))
    others = np.sort(rng.permutation(X_target.shape[0])[:_ROWS])
    source, target, index = X[some], X_target[others], index[some]
    if sparse.issparse(source):
        return _by_regression(10.0, source, index, target, rng)
    centre = source.mean(axis=0)  # of both, at mean squared length 1: then C = 1 is middling
    source, target = source - centre, target - centre
    length = np.sqrt(np.einsum("ij,ij->", source, source, dtype=np.float64) / len(source)) or 1.0
    source, target = source / length, target / length
    found = _by_regression(1.0, source, index, target, rng)
    means = np.stack([source[index == k].mean(axis=0) for k in range(len(found.target))])
    centres = (found.target @ means).astype(source.dtype), target.mean(axis=0)
    return _by_regression(1.0, source - centres[0], index, target - centres[1], rng)


def _by_regression(C, source, index, target, rng):
    classifier = LogisticRegression(C=C, max_iter=200)
    held_out = np.empty((len(index), index.max() + 1))
    folds = StratifiedKFold(min(_FOLDS, np.bincount(index).min()), shuffle=True, random_state=rng)
    for seen, unseen in folds.split(index, index):
        held_out[unseen] = classifier.fit(source[seen], index[seen]).predict_proba(source[unseen])
    of_target = classifier.fit(source, index).predict_proba(target)
    return target_priors([(classifier, source, target, held_out, of_target)], index, rng)
