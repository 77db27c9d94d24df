"""What the views say together: labels of the target rows that nobody gave, and how sure they are."""

import numpy as np
from scipy.special import softmax

from ...priors import calibrate, matched
from ._criteria import source_accuracy

_LEAST = 1e-7
_BEST = 3  # candidates that speak for how good a view is


def calibrated(evidence, y, priors):
    """Target probabilities (n_target, n_classes) at the temperature that fits held-out source rows best.

    Then matched to the classes' shares in the target.
    """
    slope = calibrate(np.log(np.maximum(evidence.source, _LEAST)), y, "temperature")[0]
    return matched(softmax(slope * np.log(np.maximum(evidence.target, _LEAST)), axis=1), priors.target)


def consensus(evidences, views, adapted, y, priors, *, balanced=False) -> np.ndarray:
    r"""Class probabilities of the target rows, (n_target, n_classes), by the views together.

    Parameters
    ----------
    evidences : list of Evidence
    views : list of str or None
        What each sees of a text. None, several views: no say, or it would count for these a second time.
    adapted : list of bool
        Whether each learns from the target's texts.
    y : ndarray of shape (n_source,)
        Numbers of the classes.
    priors : TargetPriors
    balanced : bool
        A view is spoken for by its candidates that learn from the target, if there are any; True: these
        and by the others, with the same weight, which favours neither kind.

    Notes
    -----
    :math:`q = \sum_v w_v \bar p_v / \sum_v w_v` with the mean calibrated probabilities of those that speak
    for view v and :math:`w_v = (a_v - 1 / K)^2`, where a is the mean accuracy on held-out source rows of the
    view's best three candidates and K the number of classes. Of three and more views, a is then replaced by
    what the view's agreement with the others on the target says, if they err independently:
    :math:`agree = a a' + (1 - a)(1 - a') / (K - 1)` with the mean accuracy a' of the others.
    """
    n_classes = evidences[0].target.shape[1]
    names = sorted({view for view in views if view is not None}) or [None]
    proba, accuracy = [], []
    for name in names:
        of_view = [i for i, view in enumerate(views) if view == name]
        kinds = [[i for i in of_view if adapted[i]], [i for i in of_view if not adapted[i]]]
        kinds = [kind for kind in kinds if kind]
        spoken = [
            np.mean([calibrated(evidences[i], y, priors) for i in kind], axis=0)
            for kind in (kinds if balanced else kinds[:1])
        ]
        proba.append(np.mean(spoken, axis=0))
        accuracy.append(
            np.sort([source_accuracy(evidences[i], y, priors.ratio) for i in of_view])[-_BEST:].mean()
        )
    weights = _weights(accuracy, n_classes)
    if len(names) > 2:
        found = []
        for v in range(len(names)):
            others = [u for u in range(len(names)) if u != v]
            theirs = np.average([proba[u] for u in others], axis=0, weights=weights[others])
            right = np.average([accuracy[u] for u in others], weights=weights[others])
            agree = np.mean(proba[v].argmax(axis=1) == theirs.argmax(axis=1))
            by_chance = (1 - right) / (n_classes - 1)
            found.append((agree - by_chance) / max(right - by_chance, 0.05))
        weights = _weights(np.clip(found, 0, 1), n_classes)
    return np.average(proba, axis=0, weights=weights)


def _weights(accuracy, n_classes):
    return np.maximum(np.asarray(accuracy) - 1 / n_classes, 0.01) ** 2
