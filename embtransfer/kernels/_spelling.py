"""Compiled search for words within one edit of an unknown word."""

import numpy as np

from ._compiling import njit
from ._tokens import _find

_NONE = np.int64(1) << np.int64(62)


@njit
def _better(best, scratch, length, index):
    row = _find(scratch, 0, length, index)
    return row if 0 <= row < best else best


@njit
def _without_repeats(data, begin, end, keep, scratch):
    """Copy a word with each run of letters cut to `keep`; return its new length."""
    length, run = 0, 0
    for i in range(begin, end):
        run = run + 1 if i > begin and data[i] == data[i - 1] else 1
        if run <= keep:
            scratch[length] = data[i]
            length += 1
    return length


@njit
def _one_edit(data, begin, n, scratch, index):
    best = _NONE
    for i in range(n + 1):  # inserted before i
        scratch[:i] = data[begin : begin + i]
        scratch[i + 1 : n + 1] = data[begin + i : begin + n]
        for letter in range(97, 123):
            scratch[i] = letter
            best = _better(best, scratch, n + 1, index)
    for i in range(n):  # left out, replaced, swapped with the next
        scratch[:i] = data[begin : begin + i]
        scratch[i : n - 1] = data[begin + i + 1 : begin + n]
        best = _better(best, scratch, n - 1, index)
        scratch[:n] = data[begin : begin + n]
        for letter in range(97, 123):
            scratch[i] = letter
            best = _better(best, scratch, n, index)
        if i + 1 < n:
            scratch[i], scratch[i + 1] = data[begin + i + 1], data[begin + i]
            best = _better(best, scratch, n, index)
    return best


@njit
def nearest(data, offsets, min_letters, index):
    """See `_spelling.nearest_rows`; data are UTF-8 bytes, offsets int64 (n + 1,)."""
    rows = np.full(len(offsets) - 1, -1, np.int64)
    longest_word = np.int64(0)  # in the table; longer ones need no search, which takes n * n steps
    for row in range(len(index[1]) - 1):
        longest_word = max(longest_word, index[1][row + 1] - index[1][row])
    for w in range(len(rows)):
        begin, end = offsets[w], offsets[w + 1]
        n = end - begin
        plain = n >= min_letters
        longest, run = 1, 1
        for i in range(begin, end):
            plain = plain and 97 <= data[i] | 0x20 <= 122
            run = run + 1 if i > begin and data[i] == data[i - 1] else 1
            longest = max(longest, run)
        if not plain:
            continue
        scratch = np.zeros(n + 32, np.uint8)
        best = _NONE
        if longest > 2:
            for keep in (2, 1):
                length = _without_repeats(data, begin, end, keep, scratch)
                best = _better(best, scratch, length, index)
        if best == _NONE and n <= longest_word + 1:
            best = _one_edit(data, begin, n, scratch, index)
        rows[w] = best if best < _NONE else -1
    return rows
