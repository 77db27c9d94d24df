"""Of judged candidates: which one, whether adapting helps, and how accurate it will be."""

import numpy as np

from . import _criteria

_Z90, _Z95 = 1.645, 2.0  # two-sided, of the normal distribution
_UNKNOWN = 0.8  # width of the interval of a class share of which the texts say next to nothing
_ALIKE = "consensus in which adapted and unadapted models have the same say"  # not that of the table
# of the farthest that a class share may be off, which the score may lie lower: measured on 142 tasks
_SHARES = 0.7


def choose(candidates, found, criterion, guard=True):
    """(Place of the candidate to take, whether the guard stepped in, why)."""
    first, why = best_of(found, list(found.evidence), criterion)
    name, counterpart = candidates[first].name, candidates[first].unadapted
    if counterpart == first:
        return first, False, f"{name} {why}; it does not adapt."
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
        f"{name} came first, but the evidence is that adapting does not help ({evidence}): "
        f"{candidates[instead].name} is the best that does not adapt.",
    )


def best_of(found, places, criterion):
    """(The place with the best criterion, why in words)."""
    chosen = found.criteria.loc[places, criterion].idxmax()
    parts = ("consensus", "source_accuracy") if criterion == "consensus_and_source" else (criterion,)
    named = [(name.replace("_", " "), found.criteria.loc[chosen, name]) for name in parts]
    shown = ", ".join(f"{name} {score:.3f}" for name, score in named)
    return chosen, f"has the best {criterion.replace('_', ' ')} ({shown})"


def adapting_helps(found, place, counterpart):
    """(Whether a candidate holds against its unadapted counterpart; the figures of it).

    By two differences over texts, each against its standard error: with a consensus that favours neither
    kind, and in reverse accuracy. It does not hold if both are against it by two standard errors: either
    alone is often wrong, since unadapted models err together where the domains lie far apart.
    """
    by_views = _gains(found, place, found.balanced) - _gains(found, counterpart, found.balanced)
    (one, weights), (other, _) = (
        _criteria.reverse_gains(found.evidence[p], found.y, found.judging.ratio, found.metric)
        for p in (place, counterpart)
    )
    in_reverse = (one - other) * weights
    shown, holds = [], False
    in_reverse = in_reverse, np.ones(len(in_reverse))
    for name, differences in ((_ALIKE, (by_views, found.weights)), ("reverse accuracy", in_reverse)):
        gain, error = _mean(*differences)
        holds |= bool(gain >= -_Z95 * error)
        shown.append(f"{name} {100 * gain:+.1f} points, standard error {100 * error:.1f}")
    return holds, "; ".join(shown)


def _mean(values, weights):
    """The weighted mean, and its standard error."""
    weights = weights / weights.sum()
    mean = weights @ values
    return mean, np.sqrt(weights**2 @ (values - mean) ** 2)


def _gains(found, place, q):
    return found.metric.gains(found.evidence[place].target, q, found.judging.target)


def expected_score(found, place):
    """(Expected score on the target, (low, high)), see `TransferSearch`."""
    evidence, metric, ratio = found.evidence[place], found.metric, found.judging.ratio
    by_source = _criteria.source_score(evidence, found.y, ratio, metric)
    by_views = metric.value(evidence.target, found.consensus, found.judging.target)
    estimates = [by_source, by_views]
    if metric.name == "accuracy":
        estimates.append(thresholded_confidence(evidence, found.y, ratio))
    one_hot = np.eye(len(ratio))[found.y]
    gains = metric.gains(evidence.source, one_hot, weights=ratio[found.y])
    spread = np.sqrt(np.average((gains - by_source) ** 2, weights=ratio[found.y]))
    error = _Z90 * spread / np.sqrt(len(found.consensus))
    low, high = min(estimates) - error, max(estimates) + error
    # labels given by wrong shares are wrong, and no estimate sees it
    low -= _SHARES * np.abs(found.priors.intervals - found.priors.target[:, None]).max()
    if metric.costs is None and metric.name != "neg_log_loss":
        low, high = max(low, 0.0), min(high, 1.0)
    return (by_source + by_views) / 2, (float(low), float(high))


def unknown_shares(priors, classes) -> str:
    """That the target's class shares could not be estimated, and what to do; "" if they could."""
    low, high = priors.intervals.T
    widest = int(np.round(high - low, 6).argmax())  # those of two classes are as wide but for rounding
    if high[widest] - low[widest] < _UNKNOWN:
        return ""
    return (
        "How often each class occurs in the target could not be estimated from these texts: "
        f"{classes[widest]}: {100 * low[widest]:.0f} to {100 * high[widest]:.0f} %. Taking wrong shares for "
        "right can cost ten points of accuracy and more. If you know them, give target_shares "
        "(--target-shares); else label 30 of the target's texts: the labels say it."
    )


def thresholded_confidence(evidence, y, ratio) -> float:
    """Share of target rows of more confidence than a threshold that as many source rows pass as are right.

    Of the rows at the threshold the same part passes in both domains: trees and nearest neighbours have few
    distinct confidences.

    S. Garg, S. Balakrishnan, Z. Lipton, B. Neyshabur, H. Sedghi. "Leveraging unlabeled data to predict
    out-of-distribution performance." ICLR 2022.
    """
    right = _criteria.source_accuracy(evidence, y, ratio)
    # rounded: means of equal parts differ in the last bits
    of_source, of_target = (np.round(rows.max(axis=1), 9) for rows in (evidence.source, evidence.target))
    weights = ratio[y] / ratio[y].sum()
    order = np.argsort(-of_source)
    passed = int(np.searchsorted(np.cumsum(weights[order]), right))
    threshold = of_source[order[min(passed, len(order) - 1)]]
    above, tied = weights[of_source > threshold].sum(), weights[of_source == threshold].sum()
    part = np.clip((right - above) / tied, 0, 1) if tied > 0 else 0.0
    return float(np.mean(of_target > threshold) + part * np.mean(of_target == threshold))
