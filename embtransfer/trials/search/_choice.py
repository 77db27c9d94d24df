"""Of judged candidates: which one, whether adapting helps, and how accurate it will be."""

import numpy as np

from . import _criteria
from ._consensus import agreement

_Z90, _Z95 = 1.645, 2.0  # two-sided, of the normal distribution


def choose(candidates, found, criterion, guard=True):
    """(Place of the candidate to take, whether the guard stepped in, why)."""
    first, why = best_of(found, list(found.evidence), criterion)
    name, counterpart = candidates[first].name, candidates[first].unadapted
    if counterpart == first:
        return first, False, f"{name} {why}; it learns nothing from the target's texts."
    if counterpart not in found.evidence:  # it failed
        return first, False, f"{name} {why}."
    holds, evidence = adapting_helps(found, first, counterpart)
    if holds or not guard:
        return first, False, f"{name} {why}. Against the same without the target's texts: {evidence}."
    plain = [place for place in found.evidence if candidates[place].unadapted == place]
    instead, _ = best_of(found, plain, criterion)
    return (
        instead,
        True,
        f"{name} came first, but the evidence is that learning from the target's texts does not help "
        f"({evidence}): {candidates[instead].name} is the best that learns nothing from them.",
    )


def best_of(found, places, criterion):
    """(The place with the best criterion, why in words)."""
    if criterion != "aggregate":
        scores = found.criteria.loc[places, criterion]
        return scores.idxmax(), f"has the best {criterion.replace('_', ' ')} ({scores.max():.3f})"
    agreements = {place: agreement(found.evidence[place], found.consensus) for place in places}
    best = max(places, key=lambda place: agreements[place].mean())
    tied = []
    for place in places:
        less = agreements[best] - agreements[place]
        if less.mean() <= less.std() / np.sqrt(len(less)):
            tied.append(place)
    accuracy = found.criteria.loc[tied, "source_accuracy"]
    chosen = accuracy.idxmax()
    shown = f"consensus {found.criteria.loc[chosen, 'consensus']:.3f}, source accuracy {accuracy.max():.3f}"
    if len(tied) == 1:
        return chosen, f"has the best consensus ({shown})"
    return (
        chosen,
        f"has the best source accuracy of the {len(tied)} whose consensus is as good as the best ({shown})",
    )


def adapting_helps(found, place, counterpart):
    """(Whether a candidate holds against its unadapted counterpart; the figures of it).

    By two differences over texts, each against its standard error: with a consensus that favours neither
    kind, and in reverse accuracy. It does not hold if both are against it by two standard errors: either
    alone is often wrong, since unadapted models err together where the domains lie far apart.
    """
    one, other = found.evidence[place], found.evidence[counterpart]
    by_views = agreement(one, found.balanced) - agreement(other, found.balanced)
    in_reverse = (one.back == found.y).astype(float) - (other.back == found.y)
    in_reverse *= found.priors.ratio[found.y]
    shown, holds = [], False
    for name, difference in (("consensus", by_views), ("reverse accuracy", in_reverse)):
        gain, error = difference.mean(), difference.std() / np.sqrt(len(difference))
        holds |= bool(gain >= -_Z95 * error)
        shown.append(f"{name} {100 * gain:+.1f} points, standard error {100 * error:.1f}")
    return holds, "; ".join(shown)


def expected_accuracy(evidence, q, y, priors):
    """(Expected accuracy on the target, (low, high)), see `TransferSearch`."""
    by_source = _criteria.source_accuracy(evidence, y, priors.ratio)
    by_views = float(agreement(evidence, q).mean())
    by_confidence = thresholded_confidence(evidence, y, priors.ratio)
    found = by_source, by_views, by_confidence
    expected = (by_source + by_views) / 2
    error = _Z90 * np.sqrt(expected * (1 - expected) / len(q))
    low, high = max(min(found) - error, 0.0), min(max(found) + error, 1.0)
    return expected, (float(low), float(high))


def thresholded_confidence(evidence, y, ratio) -> float:
    """Share of target rows of more confidence than a threshold that as many source rows pass as are right.

    S. Garg, S. Balakrishnan, Z. Lipton, B. Neyshabur, H. Sedghi. "Leveraging unlabeled data to predict
    out-of-distribution performance." ICLR 2022.
    """
    right = _criteria.source_accuracy(evidence, y, ratio)
    confidence = evidence.source.max(axis=1)
    order = np.argsort(-confidence)
    passed = np.searchsorted(np.cumsum(ratio[y][order]), right * ratio[y].sum())
    threshold = confidence[order[min(passed, len(order) - 1)]]
    return float(np.mean(evidence.target.max(axis=1) > threshold))
