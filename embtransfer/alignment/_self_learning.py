"""Dictionaries that two tables of unit rows give by themselves."""

import numpy as np

from ._retrieval import crowding, nearest, normalised, procrustes

_PATIENCE = 5  # rounds without a better dictionary after which more candidates are kept
_GAIN = 1e-4  # of the mean cosine: what counts as better


def induced(S, T, k, keep=1.0, rng=None):
    """Rows of words that are each other's nearest, int64 (n, 2), and the mean cosine of all nearest.

    With keep < 1 each candidate is left out with probability 1 - keep, and the nearest of either direction
    count: hardly any two would be each other's.
    """
    there, cosines_there = nearest(S, T, crowding(T, S, k), keep, rng)
    back, cosines_back = nearest(T, S, crowding(S, T, k), keep, rng)
    score = float(cosines_there.mean() + cosines_back.mean()) / 2
    forth = np.stack([np.arange(len(S)), there], axis=1)
    if keep < 1:
        return np.concatenate([forth, np.stack([back, np.arange(len(T))], axis=1)]), score
    return forth[back[there] == np.arange(len(S))], score


def agreement(first, second):
    """Share of the pairs of two dictionaries that are in both (Dice)."""
    one, other = (set(map(tuple, pairs.tolist())) for pairs in (first, second))
    return 2 * len(one & other) / max(len(one) + len(other), 1)


def spectral_start(S, T, k, rng):
    """Pairs of rows found without any dictionary, int64 (n, 2), and how far two random runs agree."""
    n = min(len(S), len(T))
    first, _ = induced(_signatures(S[:n]), _signatures(T[:n]), k)
    runs = [_self_learned(S, T, first, k, generator) for generator in rng.spawn(2)]
    best = max(runs, key=lambda run: run[1])
    return best[0], agreement(runs[0][0], runs[1][0])


def _signatures(X):
    """Sorted similarities of each row to all rows, by the square root of the matrix of similarities."""
    left, values, _ = np.linalg.svd(X, full_matrices=False)
    similarities = (left * values) @ left.T
    similarities.sort(axis=1)
    return normalised(similarities, len(similarities))


def _self_learned(S, T, pairs, k, rng):
    """The pairs and their score when a round with all candidates brings nothing more."""
    keep, best, stale = 0.1, -1.0, 0
    while True:
        rotation = procrustes(S[pairs[:, 0]], T[pairs[:, 1]])
        pairs, score = induced(S @ rotation, T, k, keep, rng)
        stale = 0 if score > best + _GAIN else stale + 1
        best = max(score, best)
        if stale >= _PATIENCE:
            if keep >= 1:
                return pairs, score
            keep, stale = min(1.0, 2 * keep), 0
