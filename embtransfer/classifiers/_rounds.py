"""The rounds in which classifiers learn from target rows that they label, for one view or several."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from .._parts import settled
from ..priors import LEAST, ShareView, TargetPriors, calibrate, check_priors, matched, target_priors
from ..priors._target_labels import Known
from ._sureness import tempered
from ._views import held_out, pool_weights, pooled, probabilities


class Trained(NamedTuple):
    """Of each view the classifier of the source alone, that of the last round, and how much it counts.

    `taken`: of each view, the target rows that the last round learned from under guessed labels; None if it
    took none. `expected`: what the source alone says of all target rows, calibrated and under the target's
    shares, (n_target, n_classes).
    """

    first: list
    last: list
    weights: np.ndarray
    taken: list[Known] | None
    expected: np.ndarray


def train(options, views, y, labels_from, known, found=None, fit_weights=False):
    """Fit the views' classifiers round by round: Trained. Writes what was learned on options.

    `found`: shares that are known, so that they are not estimated again.
    """
    classes, rng = options.classes_, check_random_state(options.random_state)
    index, told = np.searchsorted(classes, y), np.searchsorted(classes, known.labels)
    first = last = [view.fit(y) for view in views]
    for view, model in zip(views, first, strict=True):
        view.classifier = settled(model, view.classifier)
    probas = [probabilities(model, view.target) for model, view in zip(first, views, strict=True)]
    unseen = held_out(views, index, y, options.cv, rng)
    weights = np.full(len(views), 1 / len(views))
    if fit_weights and unseen is not None:
        weights = pool_weights(unseen, index)
    unadapted = pooled(probas, weights)
    if unseen is None:
        unseen = [probabilities(model, view.source) for model, view in zip(first, views, strict=True)]
    slope = calibrate(np.log(np.maximum(pooled(unseen, weights), LEAST)), index, "temperature")[0]
    options.temperature_ = float(1 / slope)
    found = found or _priors(options.priors, views, index, unseen, probas, Known(known.rows, told), rng)
    options.source_priors_, options.priors_, options.prior_intervals_ = (
        found.source,
        found.target,
        found.intervals,
    )

    def fit(taken):
        """Classifiers that also learn from guessed labels, and what they say of the target's other rows."""
        fitted = [
            view.fit(y, some, known, options.target_weight) for view, some in zip(views, taken, strict=True)
        ]
        said = [probabilities(model, view.target) for model, view in zip(fitted, views, strict=True)]
        for proba in said:
            proba[known.rows] = np.eye(len(classes))[told]
        return fitted, said

    if len(known.rows):
        last, probas = fit([None] * len(views))
    every = list(range(len(views)))
    others = [[j for j in every if j != i] or every for i in every]  # one view has no others
    teachers = {"all": [every] * len(views), "others": others, "own": [[i] for i in every]}[labels_from]
    options.history_, before = [], [(b"", b"")] * len(views)
    for r in range(1, options.n_rounds + 1):
        share = options.share * r / options.n_rounds
        taken, confidence = [], []
        for theirs in teachers:
            some = pooled([probas[j] for j in theirs], weights[theirs])
            rows, labels, sure = _surest(some, slope, share, options)
            guessed = ~np.isin(rows, known.rows)
            taken.append(Known(rows[guessed], classes[labels[guessed]]))
            confidence.append(sure[guessed])
        now = [(some.rows.tobytes(), some.labels.tobytes()) for some in taken]
        if now == before:
            continue  # the classifiers would stay the same; a later round's larger share may not be
        before = now
        last, probas = fit(taken)
        same = pooled(probas, weights).argmax(axis=1) == unadapted.argmax(axis=1)
        confidence = np.concatenate(confidence)
        options.history_.append(
            {
                "n_added": len(taken[0].rows),
                "confidence": float(confidence.mean()) if len(confidence) else float("nan"),
                "agreement": float(same.mean()),
            }
        )
    adapting = any(view.target is not view.source for view in views)
    if last is first and options.n_rounds and adapting:
        surest = _confidences(pooled(probas, weights), slope, options).max()
        warnings.warn(
            f"Got {len(unadapted)} target rows and took none in any round: the surest has a calibrated "
            f"confidence of {surest:.2f}, with min_confidence={options.min_confidence} and "
            f"share={options.share}. The classifier is that of the source alone. Lower min_confidence, raise "
            "share or give more target rows to learn from them.",
            UserWarning,
            stacklevel=4,
        )
    learned = taken if options.history_ else None
    expected = _confidences(unadapted, slope, options)
    return Trained(first, last, weights, learned, expected)


def _confidences(proba, slope, options):
    """Calibrated probabilities, under the target's shares: else a class that moved far away never has any."""
    return matched(tempered(proba, 1 / slope), options.priors_)


def _surest(proba, slope, share, options):
    """Rows to take, their labels as numbers, their calibrated confidences."""
    sure = matched(proba, options.priors_)
    labels = sure.argmax(axis=1)
    confidence = _confidences(proba, slope, options)[np.arange(len(labels)), labels]
    own = sure[np.arange(len(labels)), labels]
    order = np.lexsort((-own, labels))  # by class, the surest first
    order = order[confidence[order] >= options.min_confidence]
    of_class = labels[order]
    place = np.arange(len(order)) - np.searchsorted(of_class, of_class)  # within its class
    quotas = np.round(share * options.priors_ * len(labels), 9)
    whole = np.floor(quotas)
    taken = place < whole[of_class]
    # largest remainder: one more of each class with a row left, as far as the rows of all quotas go
    left = (quotas - whole)[of_class]
    following = np.flatnonzero((place == whole[of_class]) & (left > 0))
    following = following[np.lexsort((-own[order[following]], -left[following]))]
    taken[following[: round(quotas.sum() - whole.sum())]] = True
    rows = np.sort(order[taken])
    return rows, labels[rows], confidence[rows]


def _priors(wanted, views, y, held_out, target, known, rng):
    """Shares of the classes to take rows by; known ones are their own interval."""
    n_classes = held_out[0].shape[1]
    wanted = check_priors(wanted, n_classes)
    source = np.bincount(y) / len(y)
    if not isinstance(wanted, str):
        found = wanted
    elif wanted == "uniform":
        found = np.full(n_classes, 1 / n_classes)
    elif wanted == "source" or all(view.target is view.source for view in views):
        found = source
    else:
        parts = zip(views, held_out, target, strict=True)
        seen = [ShareView(view.classifier, view.source, view.target, *probas) for view, *probas in parts]
        return target_priors(seen, y, rng, known=known)
    return TargetPriors(source, found, np.stack([found, found], axis=1))
