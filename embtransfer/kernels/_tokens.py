"""Compiled kernels: UTF-8 bytes -> tokens -> rows of a word table.

Texts pass tight loops, some 64 kB together: those of `_cutting` lower-case them and find where tokens begin
and end, and `_lookup` finds each token in an open-addressing table whose key is the token's first 16 bytes
and its length.

numba compiles at the first call and keeps the result on disk (`cache=True`). All functions release the GIL
and keep no state: threads may share a table.
"""

import numpy as np

from ._compiling import njit
from ._cutting import GROUP, PAD, copy_texts, drop_single_characters, edges_of
from ._instructions import load64, trailing_zeros

_U = np.uint64  # addresses and bit masks; never mixed with signed integers, which numba would make float64
_MIX_1, _MIX_2 = _U(0x9E3779B97F4A7C15), _U(0xC2B2AE3D27D4EB4F)
_ALL = _U(0xFFFFFFFFFFFFFFFF)


# ---------------------------------------------------------------- tokens -> rows
@njit
def _key(address, length):
    """The first 16 bytes as two integers, bytes past the length zero."""
    low = load64(address)
    high = load64(address + _U(8))
    first = min(length, _U(8))
    second = min(length, _U(16)) - first
    low &= _ALL >> (_U(64) - (first << _U(3)))  # length 0 is never looked up
    high = high & (_ALL >> (_U(64) - (second << _U(3)))) if second > _U(0) else _U(0)
    return low, high


@njit
def _same_tail(a, i, b, j, length):
    for k in range(16, length):  # noqa: SIM110 - numba compiles a loop, not all()
        if a[i + k] != b[j + k]:
            return False
    return True


@njit
def _hash_shift(slots):
    """How far the 64-bit hash goes right to number the slots, a power of two."""
    return _U(64 - trailing_zeros(_U(len(slots))))


@njit
def build_index(words, offsets, slots):
    """Fill an open-addressing table of words; return the rows of words seen before.

    words: UTF-8 bytes with 16 bytes to spare at the end; offsets (V + 1,); slots: zeros of shape (a power
    of two, 4), which become (bytes 0-7, bytes 8-15, length << 32 | row, unused). Rows come in order of
    frequency, so that frequent words sit where the first probe looks.
    """
    address, last, shift = _U(words.ctypes.data), _U(len(slots) - 1), _hash_shift(slots)
    duplicates = [0 for _ in range(0)]
    empty_seen = False
    for row in range(len(offsets) - 1):
        length = offsets[row + 1] - offsets[row]
        if length == 0:  # in no slot: the kernel never looks it up
            if empty_seen:
                duplicates.append(row)
            empty_seen = True
            continue
        low, high = _key(address + _U(offsets[row]), _U(length))
        meta = _U(length) << _U(32) | _U(row)
        at = (low * _MIX_1 + high * _MIX_2) >> shift
        while slots[at, 2] != _U(0):
            if slots[at, 0] == low and slots[at, 1] == high and slots[at, 2] >> _U(32) == _U(length):
                other = np.int64(slots[at, 2] & _U(0xFFFFFFFF))
                if _same_tail(words, offsets[row], words, offsets[other], length):
                    duplicates.append(row)
                    break
            at = (at + _U(1)) & last
        else:
            slots[at, 0], slots[at, 1], slots[at, 2] = low, high, meta
    return np.array(duplicates, np.int64)


@njit
def _lookup(scratch, edges, n_edges, starts, min_length, index, keep_unknown, ids, count, indptr, text):
    """Append the rows of the known tokens to ids[count:], and where each text's end to indptr[text:].

    With keep_unknown a token that the table lacks gets the row V. Returns the new count.
    """
    words, offsets, slots = index
    address, last, shift = _U(scratch.ctypes.data), _U(len(slots) - 1), _hash_shift(slots)
    group, n_texts = 0, len(starts) - 1
    for i in range(0, n_edges, 2):
        begin = np.int64(edges[i])
        while begin >= starts[group + 1]:
            indptr[text + group] = count
            group += 1
        length = _U(edges[i + 1] - begin)
        low, high = _key(address + _U(begin), length)
        at = (low * _MIX_1 + high * _MIX_2) >> shift
        while True:
            meta = slots[at, 2]
            if (slots[at, 0] == low) & (slots[at, 1] == high) & (meta >> _U(32) == length):
                row = np.int64(meta & _U(0xFFFFFFFF))
                if length <= _U(16) or _same_tail(scratch, begin, words, offsets[row], np.int64(length)):
                    ids[count] = row
                    count += 1 if length >= min_length else 0  # too short: overwritten by the next
                    break
            elif meta == _U(0):
                if keep_unknown and length >= min_length:
                    ids[count] = len(offsets) - 1
                    count += 1
                break
            at = (at + _U(1)) & last
    indptr[text + group : text + n_texts] = count
    return count


@njit
def text_rows(data, offsets, unicode, lowercase, min_length, index, keep_unknown):
    """Rows of the known tokens of all texts: ids uint32 (n_tokens,), indptr int64 (n_texts + 1,).

    With keep_unknown a token that the table lacks is there too, with row V.
    """
    n_texts = len(offsets) - 1
    size = GROUP
    for i in range(n_texts):
        size = max(size, (offsets[i + 1] - offsets[i]) * 3 // 2)
    size += 3 * PAD
    scratch, edges = np.zeros(size, np.uint8), np.empty(size + PAD, np.int32)
    starts = np.empty(n_texts + 1, np.int64)
    ids, indptr = np.empty(offsets[-1] - offsets[0] + 1, np.uint32), np.zeros(n_texts + 1, np.int64)
    text, count = np.int64(0), np.int64(0)  # a literal 0 would compile the callees once more
    while text < n_texts:
        n, any_high = copy_texts(data, offsets, text, scratch, unicode, lowercase, starts)
        n_edges = edges_of(scratch, starts[n], edges)
        if any_high and min_length > _U(1):
            drop_single_characters(scratch, edges, n_edges)
        group = starts[: n + 1]
        tokens = scratch, edges, n_edges, group
        count = _lookup(*tokens, min_length, index, keep_unknown, ids, count, indptr, text + 1)
        text += n
    return ids[:count], indptr


@njit
def _find(data, begin, length, index):
    """The row of the word data[begin : begin + length], or -1; 16 bytes from its start are readable."""
    words, offsets, slots = index
    if length == 0:  # in no slot
        empty = np.flatnonzero(offsets[1:] == offsets[:-1])
        return empty[0] if len(empty) else -1
    last = _U(len(slots) - 1)
    low, high = _key(_U(data.ctypes.data) + _U(begin), _U(length))
    at = (low * _MIX_1 + high * _MIX_2) >> _hash_shift(slots)
    while slots[at, 2] != _U(0):
        if slots[at, 0] == low and slots[at, 1] == high and slots[at, 2] >> _U(32) == _U(length):
            row = np.int64(slots[at, 2] & _U(0xFFFFFFFF))
            if _same_tail(data, begin, words, offsets[row], length):
                return row
        at = (at + _U(1)) & last
    return -1


@njit
def find_words(data, offsets, index):
    """Rows of whole words, UTF-8 with 16 bytes to spare at the end: int64 (n,), -1 where there is none."""
    rows = np.empty(len(offsets) - 1, np.int64)
    for i in range(len(rows)):
        rows[i] = _find(data, offsets[i], offsets[i + 1] - offsets[i], index)
    return rows


@njit
def _lookup_all(scratch, edges, n_edges, starts, min_length, index, joined, phrases, ids, indptr, unknown):
    """As `_lookup`, with phrases joined and unknown tokens kept.

    joined: uint8, room for a phrase; phrases: whether tokens that the table has joined by "_" are one.
    ids[count:] get rows, or V + the number of the unknown token; unknown is (bytes, ends, state), state
    int64 (count of ids, unknown tokens, text of which indptr is written next).
    """
    n_words = len(index[1]) - 1
    unknown_bytes, unknown_ends, state = unknown
    count, n_unknown, text = state
    filled = unknown_ends[n_unknown - 1] if n_unknown else 0
    group, n_texts = 0, len(starts) - 1
    i = 0
    while i < n_edges:
        begin, end = np.int64(edges[i]), np.int64(edges[i + 1])
        while begin >= starts[group + 1]:
            indptr[text + group] = count
            group += 1
        i += 2
        if end - begin < min_length:
            continue
        row = _find(scratch, begin, end - begin, index)
        if phrases:
            length = end - begin
            joined[:length] = scratch[begin:end]
            j = i
            while j < n_edges and edges[j] < starts[group + 1]:
                more = np.int64(edges[j + 1]) - np.int64(edges[j])
                if more >= min_length:
                    joined[length] = 0x5F
                    joined[length + 1 : length + 1 + more] = scratch[edges[j] : edges[j + 1]]
                    phrase = _find(joined, 0, length + 1 + more, index)
                    if phrase < 0:
                        break
                    row, length, i = phrase, length + 1 + more, j + 2
                j += 2
        if row < 0:
            unknown_bytes[filled : filled + end - begin] = scratch[begin:end]
            filled += end - begin
            unknown_ends[n_unknown] = filled
            row = n_words + n_unknown
            n_unknown += 1
        ids[count] = row
        count += 1
    indptr[text + group : text + n_texts] = count
    state[0], state[1], state[2] = count, n_unknown, text + n_texts


@njit
def text_tokens(data, offsets, unicode, lowercase, min_length, index, phrases):
    """Rows of all tokens: ids int64 (n_tokens,), indptr int64 (n_texts + 1,), and the unknown tokens.

    An id of V + k is the k-th unknown token; these are UTF-8 bytes in a row and their offsets.
    """
    n_texts, n_bytes = len(offsets) - 1, offsets[-1] - offsets[0]
    size = GROUP
    for i in range(n_texts):
        size = max(size, (offsets[i + 1] - offsets[i]) * 3 // 2)
    size += 3 * PAD
    scratch, edges = np.zeros(size, np.uint8), np.empty(size + PAD, np.int32)
    joined = np.zeros(size if phrases else 0, np.uint8)
    starts, ids = np.empty(n_texts + 1, np.int64), np.empty(n_bytes + 1, np.int64)
    indptr = np.zeros(n_texts + 1, np.int64)
    ends, state = np.zeros(n_bytes + 2, np.int64), np.array([0, 0, 1])
    unknown = np.empty(n_bytes * 3 // 2 + 1, np.uint8), ends[1:], state
    text = np.int64(0)
    while text < n_texts:
        n, any_high = copy_texts(data, offsets, text, scratch, unicode, lowercase, starts)
        n_edges = edges_of(scratch, starts[n], edges)
        if any_high and min_length > _U(1):
            drop_single_characters(scratch, edges, n_edges)
        group = starts[: n + 1]
        _lookup_all(scratch, edges, n_edges, group, min_length, index, joined, phrases, ids, indptr, unknown)
        text += n
    return ids[: state[0]], indptr, unknown[0][: ends[state[1]]], ends[: state[1] + 1]
