"""Of judged candidates: which one, whether adapting helps, and how accurate it will be."""

import numpy as np

from . import _criteria
from ._consensus import agreement

_Z90 = 1.645  # two-sided 90 % of the normal distribution


def choose(candidates, found, criterion, guard=True):
    """(Place of the candidate to take, whether the guard stepped in, why)."""
    scores = found.criteria[criterion]
    first = scores.idxmax()
    name, counterpart = candidates[first].name, candidates[first].unadapted
    best = f"{name} has the best {criterion.replace('_', ' ')} ({scores[first]:.3f})"
    if counterpart == first:
        return first, False, f"{best}; it learns nothing from the target's texts."
    if counterpart not in found.evidence:  # it failed
        return first, False, f"{best}."
    helps, evidence = adapting_helps(found, first, counterpart)
    if helps or not guard:
        return first, False, f"{best}. Evidence that the target's texts help: {evidence}."
    plain = [place for place in found.evidence if candidates[place].unadapted == place]
    instead = scores[plain].idxmax()
    return (
        instead,
        True,
        (
            f"{name} came first, but the evidence is that it does not help ({evidence}): "
            f"{candidates[instead].name} is the best that learns nothing from them."
        ),
    )


def adapting_helps(found, place, counterpart):
    """(Whether a candidate holds against its unadapted counterpart; the figures of it).

    By two differences over texts, each against its standard error: with a consensus that favours neither
    kind, and in reverse accuracy. It does not hold if both are against it: either alone is often wrong, since
    unadapted models err together where the domains lie far apart.
    """
    one, other = found.evidence[place], found.evidence[counterpart]
    by_views = agreement(one, found.balanced) - agreement(other, found.balanced)
    in_reverse = (one.back == found.y).astype(float) - (other.back == found.y)
    shown, holds = [], False
    for name, difference in (("consensus", by_views), ("reverse accuracy", in_reverse)):
        gain, error = difference.mean(), difference.std() / np.sqrt(len(difference))
        holds |= bool(gain >= -error)
        shown.append(f"{name} {100 * gain:+.1f} points, standard error {100 * error:.1f}")
    return holds, "; ".join(shown)


def expected_accuracy(evidence, q, y):
    """(Expected accuracy on the target, (low, high)), see `TransferSearch`."""
    by_source = _criteria.source_accuracy(evidence, y)
    by_views = float(agreement(evidence, q).mean())
    by_confidence = thresholded_confidence(evidence, y)
    found = by_source, by_views, by_confidence
    expected = (by_source + by_views) / 2
    error = _Z90 * np.sqrt(expected * (1 - expected) / len(q))
    low, high = max(min(found) - error, 0.0), min(max(found) + error, 1.0)
    return expected, (float(low), float(high))


def thresholded_confidence(evidence, y) -> float:
    """Share of target rows of more confidence than a threshold that as many source rows pass as are right.

    S. Garg, S. Balakrishnan, Z. Lipton, B. Neyshabur, H. Sedghi. "Leveraging unlabeled data to predict
    out-of-distribution performance." ICLR 2022.
    """
    right = _criteria.source_accuracy(evidence, y)
    threshold = np.quantile(evidence.source.max(axis=1), 1 - right)
    return float(np.mean(evidence.target.max(axis=1) > threshold))
