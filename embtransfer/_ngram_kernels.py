"""Compiled kernel: rows of words -> rows of words and of the n-grams that they form.

An n-gram is known by the row of its first n - 1 words and the row of its last word, so that neither strings
nor their hashes are made. As in `_kernels`, all functions release the GIL, and the compiled result is kept.
"""

import numpy as np
from numba import njit

_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}
_U = np.uint64
_MIX = _U(0x9E3779B97F4A7C15)


@njit(**_OPTIONS)
def _slot(key, slots, shift):
    """Where a key is, or where it would be: the first free place."""
    last = _U(len(slots) - 1)
    at = (key * _MIX) >> shift
    while slots[at, 1] != _U(0) and slots[at, 0] != key:
        at = (at + _U(1)) & last
    return at


@njit(**_OPTIONS)
def build_ngram_index(ngrams, n_words, slots, shift):
    """Fill an open-addressing table of n-grams.

    ngrams: int64 (m, 2), row of the first n - 1 words and row of the last, those of row n_words on; slots:
    zeros uint64 of shape (a power of two above m, 2), which become (key, row + 1); shift: 64 less the binary
    logarithm of their number.
    """
    for i in range(len(ngrams)):
        key = _U(ngrams[i, 0]) << _U(32) | _U(ngrams[i, 1])
        at = _slot(key, slots, shift)
        slots[at, 0], slots[at, 1] = key, _U(n_words + i + 1)


@njit(**_OPTIONS)
def ngram_rows(ids, indptr, n_words, unknown, longest, slots, shift):
    """Rows of the known words and n-grams of each text: ids uint32, indptr int64 (n_texts + 1,).

    ids: rows of all words in a row; `unknown` stands for a word that no table has, and n_words to unknown - 1
    for words that form no n-gram. longest: words of the longest n-gram.
    """
    out = np.empty(longest * len(ids) + 1, np.uint32)
    ends = np.zeros(len(indptr), np.int64)
    rows = np.empty(longest, np.int64)  # of the n-grams that end at the latest word; -1 where unknown
    count = 0
    for i in range(len(indptr) - 1):
        rows[:] = -1
        for k in range(indptr[i], indptr[i + 1]):
            word = np.int64(ids[k])
            if word < unknown:
                out[count] = word
                count += 1
            if word >= n_words:
                rows[:] = -1
                continue
            for n in range(longest - 1, 0, -1):
                prefix, rows[n] = rows[n - 1], -1
                if prefix >= 0:
                    at = _slot(_U(prefix) << _U(32) | _U(word), slots, shift)
                    if slots[at, 1] != _U(0):
                        rows[n] = np.int64(slots[at, 1]) - 1
                        out[count] = rows[n]
                        count += 1
            rows[0] = word
        ends[i + 1] = count
    return out[:count], ends
