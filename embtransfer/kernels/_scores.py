"""Compiled kernels: texts or rows of words -> scores of a folded pipeline.

`score_words` goes from bytes to scores in one pass, for at most two numbers a word: they lie in the table's
slots, beside the key, so that finding a word finds its scores. `sum_terms` takes rows of words and n-grams
and counts each once a text. As in `_tokens`, all functions release the GIL and the compiled result is kept.
"""

import numpy as np

from ._compiling import njit
from ._cutting import GROUP, PAD, copy_texts, drop_single_characters, edges_of
from ._tokens import _MIX_1, _MIX_2, _hash_shift, _key, _same_tail

_U = np.uint64
VALUES = 6  # the columns of the slots, seen as float32, that hold a word's two numbers: 6 and 7
BINARY, COUNT, LOG = 0, 1, 2  # what a term that comes more than once counts


@njit
def _sum_slots(scratch, edges, n_edges, starts, min_length, index, values, sums, counts, text):
    """Add up the two numbers of the known tokens of each text of a group, and count the tokens."""
    words, offsets, slots = index
    address, last, shift = _U(scratch.ctypes.data), _U(len(slots) - 1), _hash_shift(slots)
    group, n_texts = 0, len(starts) - 1
    first, second, count = 0.0, 0.0, 0
    for i in range(0, n_edges, 2):
        begin = np.int64(edges[i])
        while begin >= starts[group + 1]:
            sums[text + group, 0], sums[text + group, 1], counts[text + group] = first, second, count
            first, second, count = 0.0, 0.0, 0
            group += 1
        length = _U(edges[i + 1] - begin)
        low, high = _key(address + _U(begin), length)
        at = (low * _MIX_1 + high * _MIX_2) >> shift
        while True:
            meta = slots[at, 2]
            if (slots[at, 0] == low) & (slots[at, 1] == high) & (meta >> _U(32) == length):
                row = np.int64(meta & _U(0xFFFFFFFF))
                if length <= _U(16) or _same_tail(scratch, begin, words, offsets[row], np.int64(length)):
                    if length >= min_length:
                        first += values[at, VALUES]
                        second += values[at, VALUES + 1]
                        count += 1
                    break
            elif meta == _U(0):
                break
            at = (at + _U(1)) & last
    sums[text + group, 0], sums[text + group, 1], counts[text + group] = first, second, count
    for rest in range(text + group + 1, text + n_texts):
        sums[rest, 0], sums[rest, 1], counts[rest] = 0.0, 0.0, 0


@njit
def check_slots(offsets, slots):
    """Whether every filled slot has a row and the length of its word, and one slot is free."""
    filled = 0
    for at in range(len(slots)):
        meta = slots[at, 2]
        if meta != _U(0):
            filled += 1
            row = np.int64(meta & _U(0xFFFFFFFF))
            if row >= len(offsets) - 1 or np.int64(meta >> _U(32)) != offsets[row + 1] - offsets[row]:
                return False
    return filled < len(slots)


@njit
def score_words(data, offsets, unicode, lowercase, min_length, index, values):
    """Sums of two numbers a token, float64 (n_texts, 2), and known tokens, int64 (n_texts,).

    values: the slots of the index as float32, (n_slots, 8)
    """
    n_texts = len(offsets) - 1
    size = GROUP
    for i in range(n_texts):
        size = max(size, (offsets[i + 1] - offsets[i]) * 3 // 2)
    size += 3 * PAD
    scratch, edges = np.zeros(size, np.uint8), np.empty(size + PAD, np.int32)
    starts = np.empty(n_texts + 1, np.int64)
    sums, counts = np.empty((n_texts, 2)), np.empty(n_texts, np.int64)
    text = np.int64(0)
    while text < n_texts:
        n, any_high = copy_texts(data, offsets, text, scratch, unicode, lowercase, starts)
        n_edges = edges_of(scratch, starts[n], edges)
        if any_high and min_length > _U(1):
            drop_single_characters(scratch, edges, n_edges)
        _sum_slots(scratch, edges, n_edges, starts[: n + 1], min_length, index, values, sums, counts, text)
        text += n
    return sums, counts


@njit
def sum_terms(ids, indptr, table, squares_at, counting, out):
    """Sums over the terms of each text, each term once, by its count c.

    ids: uint32; table: float32 (n_rows, m), whose columns before `squares_at` are added up times f and the
    others times f squared; f is 1 (BINARY), c (COUNT) or 1 + ln c (LOG); out: float64 (n_texts, m).
    """
    m = table.shape[1]
    text_of, counts = np.full(len(table), -1, np.int32), np.empty(len(table), np.int32)
    longest = 0
    for i in range(len(indptr) - 1):
        longest = max(longest, indptr[i + 1] - indptr[i])
    terms = np.empty(longest, np.uint32)
    for i in range(len(indptr) - 1):
        n = 0
        for k in range(indptr[i], indptr[i + 1]):
            term = ids[k]
            if text_of[term] != i:
                text_of[term], counts[term] = i, 1
                terms[n] = term
                n += 1
            else:
                counts[term] += 1
        out[i] = 0
        for k in range(n):
            term = terms[k]
            factor = 1.0
            if counting != BINARY and counts[term] > 1:
                factor = np.float64(counts[term]) if counting == COUNT else 1 + np.log(counts[term])
            for j in range(squares_at):
                out[i, j] += factor * table[term, j]
            factor *= factor
            for j in range(squares_at, m):
                out[i, j] += factor * table[term, j]
