"""Nearest neighbours across two tables of unit rows, block by block."""

import numpy as np

_CELLS = 1 << 22  # similarities in memory at a time: 16 MiB


def normalised(matrix, n_words):
    """Rows in float32 of length 1, centred on the mean of the first n_words, of length 1 again."""
    rows = _unit(np.array(matrix, np.float32))
    rows -= rows[:n_words].mean(axis=0, dtype=np.float64).astype(np.float32)
    return _unit(rows)


def _unit(rows):
    """Scale rows in place; a zero row stays."""
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    rows /= np.where(norms > 0, norms, 1).astype(np.float32)[:, None]
    return rows


def procrustes(source, target):
    """The orthogonal matrix, float32 (d, d), that takes source rows as near to target rows as one can."""
    left, _, right = np.linalg.svd((source.T @ target).astype(np.float64))
    return (left @ right).astype(np.float32)


def crowding(rows, others, k):
    """Mean cosine of each row to its k nearest others, float32 (n,)."""
    k, result = min(k, len(others)), np.empty(len(rows), np.float32)
    for block, similarities in blocks(rows, others):
        at = len(others) - k
        similarities.partition(at, axis=1)
        result[block] = similarities[:, at:].mean(axis=1)
    return result


def nearest(rows, others, crowding_of_others, keep=1.0, rng=None):
    """Number of the other that is nearest to each row by CSLS, int64 (n,), and their cosine, float32 (n,).

    With keep < 1 each other is a candidate of a row with that probability only.
    """
    found, cosines = np.empty(len(rows), np.int64), np.empty(len(rows), np.float32)
    for block, similarities in blocks(rows, others):
        similarities -= crowding_of_others / 2  # half of CSLS, without the row's own crowding
        if keep < 1:
            similarities[rng.random(similarities.shape, dtype=np.float32) >= keep] = -np.inf
        best = similarities.argmax(axis=1)
        found[block] = best
        cosines[block] = similarities[np.arange(len(best)), best] + crowding_of_others[best] / 2
    return found, cosines


def blocks(rows, others):
    """(slice, cosines of these rows to all others), in one buffer that is used again."""
    size = max(1, _CELLS // len(others))
    buffer = np.empty((min(size, len(rows)), len(others)), np.float32)
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        yield slice(start, start + size), np.matmul(block, others.T, out=buffer[: len(block)])
