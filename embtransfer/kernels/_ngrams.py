"""Compiled kernel: rows of words -> rows of words and of the n-grams that they form.

An n-gram is known by the row of its first n - 1 words and the row of its last word, so that neither strings
nor their hashes are made. As in `_tokens`, all functions release the GIL, and the compiled result is kept.
"""

import numpy as np

from ._compiling import njit
from ._instructions import prefetch

_U = np.uint64
_MIX = _U(0x9E3779B97F4A7C15)
_AHEAD = 12  # words whose slots are asked for before they are looked at: the table is larger than the caches


@njit
def _slot(key, slots, shift):
    """Where a key is, or where it would be: the first free place."""
    last = _U(len(slots) - 1)
    at = (key * _MIX) >> shift
    while slots[at, 1] != _U(0) and slots[at, 0] != key:
        at = (at + _U(1)) & last
    return at


@njit
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


@njit
def _next_order(ids, indptr, n_words, order, before, slots, shift, found):
    """Rows of the n-grams of order + 1 words that end at each word, from those of one word less before it."""
    last, address = _U(len(slots) - 1), _U(slots.ctypes.data)
    for i in range(len(indptr) - 1):
        begin, end = indptr[i], indptr[i + 1]
        found[begin : min(begin + order, end)] = -1
        for k in range(begin + order, end):
            ahead = k + _AHEAD  # of another text or not: it is only asked for
            if ahead < len(ids):
                key = _U(before[ahead - 1]) << _U(32) | _U(ids[ahead])
                prefetch(address + (((key * _MIX) >> shift) << _U(4)))
            prefix, word = before[k - 1], np.int64(ids[k])
            row = np.int64(-1)
            if prefix >= 0 and word < n_words:
                key = _U(prefix) << _U(32) | _U(word)
                at = (key * _MIX) >> shift
                while slots[at, 0] != key and slots[at, 1] != _U(0):
                    at = (at + _U(1)) & last
                row = np.int64(slots[at, 1]) - 1  # a free slot holds 0
            found[k] = row


@njit
def ngram_rows(ids, indptr, n_words, unknown, longest, slots, shift):
    """Rows of the known words and n-grams of each text: ids uint32, indptr int64 (n_texts + 1,).

    ids: rows of all words in a row; `unknown` stands for a word that no table has, and n_words to unknown - 1
    for words that form no n-gram. longest: words of the longest n-gram.
    """
    n = len(ids)
    rows = np.empty((longest, n), np.int64)  # by order: of the n-gram that ends at each word, or -1
    for k in range(n):
        rows[0, k] = ids[k] if ids[k] < n_words else -1
    for order in range(1, longest):
        _next_order(ids, indptr, n_words, order, rows[order - 1], slots, shift, rows[order])
    out = np.empty(longest * n + longest, np.uint32)
    ends = np.zeros(len(indptr), np.int64)
    count = 0
    for i in range(len(indptr) - 1):
        for k in range(indptr[i], indptr[i + 1]):
            out[count] = ids[k]  # overwritten by the next unless it counts: no branch to mispredict
            count += np.int64(ids[k] < unknown)
            for order in range(longest - 1, 0, -1):
                out[count] = rows[order, k]
                count += np.int64(rows[order, k] >= 0)
        ends[i + 1] = count
    return out[:count], ends
