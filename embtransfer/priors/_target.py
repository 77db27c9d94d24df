r"""The classes' shares in a target that differs from the source in more than these shares.

Expectation maximisation is right where only the shares differ. Where the domains use other words too, its
estimate moves with every word that lost or won some class's texts for another reason, and no figure says by
how much. Here each view of the rows gives several estimates that err for different reasons:

- Of counts of words only the columns speak whose frequency in the target is within a factor of two of what
  the classes' frequencies in the source give under assumed shares. Words that came or went with the domain
  are no evidence of shares. Assumed are once the source's shares and once the estimate of all columns,
  which err to opposite sides.
- Each of these with one half of its columns, drawn at random, and with the other: by how much the halves
  differ says how far the estimate hangs on which words there are.
- Of two classes, by how parts of the columns agree with one another on the target's rows (`_agreement`),
  which asks nothing of the source's rates of error.
- All of it on texts as long as the target's, which short ones of the source are joined to.

The logarithms of the shares are averaged over the estimates. The result is their posterior mean under a
prior that the shares are those of the source, or else spread around them.
"""

from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logit, softmax
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils._param_validation import StrOptions

from .._types import Rows
from ._errors import distance, to_odds
from ._estimate import LEAST
from ._lengths import as_long
from ._view import FOLDS, LEAST_SHARE, log_shares, said_by

PRIORS = [StrOptions({"source", "uniform", "estimated"}), "array-like"]  # what the parameter takes

# measured on half of the domains of four data sets, and reported on the other (docs/measured.md)
_UNCHANGED = 0.3  # prior probability that the shares are those of the source
_PRIOR_SD = 1.5  # of the target's log-shares around the source's, if they are not
_NEARLY_AS_FAR = 0.75  # of the best view's distance between classes: views of less have no say
_ROWS = 4000  # of a domain, which estimate shares within a hundredth
# labels of the target on the mean of the classes from which they measure the shares: with fewer of 64 and 77
# intents the shares moved by chance, and self-training lost 1 to 5 points; with 5 and 10 it is all the same
_LABELS_A_CLASS = 5
_STEPS = 50  # at most


@dataclass
class TargetPriors:
    """Shares of the classes, (n_classes,) in each domain; `intervals` (n_classes, 2) of the target's."""

    source: np.ndarray
    target: np.ndarray
    intervals: np.ndarray

    @property
    def ratio(self):
        """By what a source row of each class counts: share in the target by share in the source."""
        return self.target / np.maximum(self.source, LEAST)


@dataclass
class ShareView:
    """A way to see the rows: an unfitted classifier with `predict_proba`, and what it says.

    `source` and `target` are the rows of both domains, dense, csr or any container; `held_out` the
    probabilities (n_source, n_classes) that it gives source rows without having seen them, `of_target` those
    of the target rows; `said` what `said_by` makes of them, kept where views are asked again.
    """

    classifier: BaseEstimator
    source: Rows
    target: Rows
    held_out: np.ndarray
    of_target: np.ndarray
    said: list = field(default_factory=list)


def check_priors(wanted, n_classes, otherwise="one of: source, uniform, estimated"):
    """The parameter as it is, or as an array if it holds numbers."""
    if isinstance(wanted, str):
        return wanted
    try:
        priors = np.asarray(wanted, np.float64)
    except (TypeError, ValueError):
        priors = np.empty(0)
    if priors.shape != (n_classes,) or not (priors >= 0).all() or not np.isclose(priors.sum(), 1):
        raise ValueError(
            f"Got priors={wanted!r}. Expected {n_classes} numbers of at least 0 with sum 1, in the order of "
            f"the sorted labels, or {otherwise}."
        )
    return priors


def is_estimated(wanted) -> bool:
    """Whether the parameter asks for an estimate."""
    return isinstance(wanted, str) and wanted == "estimated"


def matched(proba, priors):
    r"""Probabilities of target rows for these shares: :math:`p_{ik} \pi_k / \bar p_k`, of sum 1."""
    found = proba * (priors / np.maximum(proba.mean(axis=0), LEAST))
    return found / np.maximum(found.sum(axis=1, keepdims=True), LEAST)


def weights_by_class(y, priors):
    """How often a row of each class counts (n_classes,) for the classes to have these shares; 1 on the mean.

    y : ndarray of shape (n_source,)
        Numbers of the classes.
    """
    return len(y) * priors / np.maximum(np.bincount(y, minlength=len(priors)), 1)


def stratified_rows(y, priors, n_rows):
    """`n_rows` rows, sorted, of which the classes have these shares; each class's rows about equally often.

    y : ndarray of shape (n_source,)
        Numbers of the classes. A class of share 0 is left out.
    """
    order = np.argsort(y, kind="stable")
    ends = np.cumsum(weights_by_class(y, priors)[y[order]])
    steps = (np.arange(n_rows) + 0.5) / n_rows * ends[-1]
    return np.sort(order[np.searchsorted(ends, steps)])


def target_priors(views, y, rng, confidence=0.95, known=((), ())) -> TargetPriors:
    """Estimate the shares of the target's classes by all views.

    Parameters
    ----------
    views : list of ShareView
    y : ndarray of shape (n_source,)
        Numbers of the classes.
    rng : RandomState
        Each view draws from it as it is here, so that what it says hangs on no other.
    confidence : float
        Of the intervals.
    known : (rows, classes)
        Positions of labelled target rows and the numbers of their classes, each (n_known,). Fewer than five
        a class say nothing.
    """
    source = np.bincount(y) / len(y)
    told = len(known[0]) >= _LABELS_A_CLASS * len(source)
    distances = [distance(view.held_out, y) for view in views]
    views = [v for v, d in zip(views, distances, strict=True) if d >= _NEARLY_AS_FAR * max(distances)]
    some, others = rows_for_priors(y, len(views[0].of_target))
    for view in views:
        if not view.said:
            own_rng = deepcopy(rng)
            here, of_rows = as_long(_at(view, some, others), y[some], FOLDS, own_rng)
            view.said.extend(said_by(here, of_rows, source, own_rng))
    found = [view.said for view in views]
    means, weights = np.stack([mean for mean, _ in found]), np.stack([1 / variance for _, variance in found])
    mean = np.average(means, axis=0, weights=weights)
    between = np.average((means - mean) ** 2, axis=0, weights=weights)
    odds = to_odds(len(source))
    of_target = np.mean([view.of_target for view in views], axis=0)
    shares = np.maximum(softmax(mean), LEAST_SHARE)
    sampling = 1 / (shares * (1 - shares)) / len(of_target) / odds**2
    variance = np.maximum(1 / weights.sum(axis=0), between)
    # a small share has a logarithm known badly, and is small for all that
    variance = np.minimum(variance, variance.mean())
    moved, variance = _posterior(mean - log_shares(source), variance)
    # rounded: what solvers' rounding moves would draw other rows
    target = softmax(log_shares(source) + np.round(moved, 3))
    if told:
        target, variance = _told(target, variance, of_target, *known)
    # these rows are a sample, whatever shares they come from
    reach = norm.ppf((1 + confidence) / 2) * np.sqrt(variance + sampling) * odds
    ends = expit(logit(target)[:, None] + np.stack([-reach, reach], axis=1))
    return TargetPriors(source, target, ends)


def rows_for_priors(index, n_target):
    """Numbers of the rows of each domain that speak of the shares: all, or some thousands."""
    some = stratified_rows(index, np.bincount(index) / len(index), min(len(index), _ROWS))
    return some, np.sort(check_random_state(0).permutation(n_target)[:_ROWS])


def _at(view, some, others):
    source, target = _safe_indexing(view.source, some), _safe_indexing(view.target, others)
    return ShareView(view.classifier, source, target, view.held_out[some], view.of_target[others])


def _posterior(difference, variance):
    """Means and variances of the log-shares less the source's: as they are there, or normals.

    All may be moved by the same, which moves no share.
    """
    total = variance + _PRIOR_SD**2
    evidence = _log_likelihood(difference, total) - _log_likelihood(difference, variance)
    changed = expit(evidence + logit(1 - _UNCHANGED))
    mean = _PRIOR_SD**2 / total * (difference - np.average(difference, weights=1 / total))
    variance = variance * _PRIOR_SD**2 / total
    return changed * mean, changed * variance + changed * (1 - changed) * mean**2


def _log_likelihood(difference, variance):
    """Of normals around any common mean."""
    weights = 1 / (variance * to_odds(len(variance)))  # of logarithms that are not centred
    apart = difference - np.average(difference, weights=weights)
    return (np.log(weights).sum() - np.log(weights.sum()) - weights @ apart**2) / 2


def _told(target, variance, of_target, rows, classes):
    r"""Shares and variances of their logarithms when labels of some target rows are known: at the mode.

    However the rows were chosen by what is seen of them, their labels have the probabilities
    :math:`q_{ik} \propto p_{ik} e^{m_k}`. The m under which the q have the shares that were estimated are as
    well known as these; the more probable the labels, the likelier the m. Shares are the means of the q.
    """
    logs, wanted = np.log(np.maximum(of_target, LEAST)), np.eye(len(target))[classes]
    added = np.zeros(len(target))
    for _ in range(_STEPS):
        step = np.log(np.maximum(target, LEAST)) - np.log(softmax(logs + added, axis=1).mean(axis=0))
        added += step
        if np.abs(step).max() < 1e-6:
            break
    moved = np.zeros(len(target))
    for _ in range(_STEPS):
        p = softmax(logs[rows] + added + moved, axis=1)
        curvature = np.diag(p.sum(axis=0)) - p.T @ p + np.diag(1 / variance)
        step = np.linalg.solve(curvature, (wanted - p).sum(axis=0) - moved / variance)
        moved += np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    q = softmax(logs + added + moved, axis=1)
    q[rows] = wanted
    # less where all logarithms move alike, of which only the prior speaks
    centre = np.eye(len(moved)) - 1 / len(moved)
    return q.mean(axis=0), np.diag(centre @ np.linalg.inv(curvature) @ centre) * to_odds(len(moved))
