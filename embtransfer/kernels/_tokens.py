"""Compiled kernels: UTF-8 bytes -> tokens -> rows of a word table.

Texts pass four tight loops, some 64 kB together. `_copy_texts` puts them side by side, lower-cased: ASCII
64 bytes at a time, a text with any other character through `_fold_unicode`, whose table the running Python's
own `str.lower` and `re` fill, so that both always agree, and `_words`, if marks belong to words. `_edges` turns blocks of 64 bytes into a bit mask of
word characters and writes down where tokens begin and end. `_lookup` finds each token in an open-addressing
table whose key is the token's first 16 bytes and its length.

numba compiles at the first call and keeps the result on disk (`cache=True`). All functions release the GIL
and keep no state: threads may share a table.
"""

import numpy as np

from ._compiling import njit
from ._instructions import bit_count, fold_block, load64, trailing_zeros
from ._unicode import CASED, CODE, COMPOSING, IGNORABLE, MARK, SIGMA, SPECIAL, WORD

_U = np.uint64  # addresses and bit masks; never mixed with signed integers, which numba would make float64
_MIX_1, _MIX_2 = _U(0x9E3779B97F4A7C15), _U(0xC2B2AE3D27D4EB4F)
_ALL = _U(0xFFFFFFFFFFFFFFFF)
_HIGH = _U(0x8080808080808080)
_PAD = 128  # bytes readable and writable past the end of every scratch buffer
_GROUP = 1 << 16  # bytes of text that pass the loops together: they stay in the nearest cache


# ---------------------------------------------------------------- one text in UTF-8
@njit
def _decode(data, i, end):
    """Code point and byte length of the UTF-8 character at i; a space of length 1 where malformed."""
    c = np.int64(data[i])
    if c < 0x80:
        return c, 1
    if 0xC2 <= c < 0xE0 and i + 1 < end:
        if data[i + 1] & 0xC0 == 0x80:
            return (c & 0x1F) << 6 | np.int64(data[i + 1] & 0x3F), 2
    elif 0xE0 <= c < 0xF0 and i + 2 < end:
        if data[i + 1] & 0xC0 == 0x80 and data[i + 2] & 0xC0 == 0x80:
            return (c & 0xF) << 12 | np.int64(data[i + 1] & 0x3F) << 6 | np.int64(data[i + 2] & 0x3F), 3
    elif 0xF0 <= c < 0xF5 and i + 3 < end:
        if data[i + 1] & 0xC0 != 0x80 or data[i + 2] & 0xC0 != 0x80 or data[i + 3] & 0xC0 != 0x80:
            return 0x20, 1
        tail = np.int64(data[i + 1] & 0x3F) << 12 | np.int64(data[i + 2] & 0x3F) << 6
        point = (c & 7) << 18 | tail | np.int64(data[i + 3] & 0x3F)
        if point < 0x110000:
            return point, 4
    return 0x20, 1


@njit
def _is_final_sigma(data, begin, i, end, unicode):
    """Whether the capital sigma at i ends a word: cased before it, not cased after it."""
    entry = np.uint32(0)
    j = i - 1
    while j >= begin:
        while j > begin and data[j] & 0xC0 == 0x80:
            j -= 1
        entry = unicode[_decode(data, j, end)[0]]
        if entry & IGNORABLE == 0:
            break
        j -= 1
    if j < begin or entry & CASED == 0:
        return False
    j = i + 2
    while j < end:
        point, length = _decode(data, j, end)
        if unicode[point] & IGNORABLE == 0:
            return unicode[point] & CASED == 0
        j += length
    return True


@njit
def uncomposed_texts(data, offsets, unicode):
    """Numbers of the texts with a character for which they may not be composed: int64."""
    found = np.empty(len(offsets) - 1, np.int64)
    address, count = _U(data.ctypes.data), 0
    for text in range(len(offsets) - 1):
        i, end = offsets[text], offsets[text + 1]
        while i < end:
            if i + 8 <= end and load64(address + _U(i)) & _HIGH == _U(0):
                i += 8
                continue
            point, length = _decode(data, i, end)
            if unicode[point] & COMPOSING:
                found[count] = text
                count += 1
                break
            i += length
    return found[:count]


@njit
def _ends_word(byte):
    """Whether the last byte that was written is of a word: other characters beyond ASCII became spaces."""
    letter = np.int64(byte) | 0x20
    return byte >= 0x80 or (0x61 <= letter <= 0x7A) or (0x30 <= byte <= 0x39) or byte == 0x5F


@njit
def _fold_unicode(data, begin, end, scratch, at, unicode, lowercase):
    """Rewrite a text to scratch[at:]: word characters mapped, all others a space; return its length.

    Needs 1.5 times the bytes of the text: a lower-case letter may take three where its capital took two.
    """
    o = at
    i = begin
    source, destination = _U(data.ctypes.data), _U(scratch.ctypes.data)
    while i < end:
        if data[i] < 0x80:
            run = 1
            if i + 64 <= end:
                _, high = fold_block(source + _U(i), destination + _U(o), lowercase)
                run = trailing_zeros(high)  # 64 where the whole block is ASCII
            else:
                scratch[o] = unicode[data[i]] & 0x7F
            i += run
            o += run
            continue
        point, length = _decode(data, i, end)
        entry = unicode[point]
        new = np.int64(entry & CODE)
        if entry & SPECIAL and point == SIGMA and _is_final_sigma(data, begin, i, end, unicode):
            new = 0x3C2
        i += length
        is_kept = entry & WORD != 0
        if entry & MARK:
            is_kept = o > at and _ends_word(scratch[o - 1])
        if not is_kept:
            scratch[o] = 0x20
            o += 1
        elif new < 0x80:
            scratch[o] = new
            o += 1
            if entry & SPECIAL:  # the dot of a lower-cased dotted I is no word character
                scratch[o] = 0x20
                o += 1
        elif new < 0x800:
            scratch[o] = 0xC0 | new >> 6
            scratch[o + 1] = 0x80 | new & 0x3F
            o += 2
        elif new < 0x10000:
            scratch[o] = 0xE0 | new >> 12
            scratch[o + 1] = 0x80 | new >> 6 & 0x3F
            scratch[o + 2] = 0x80 | new & 0x3F
            o += 3
        else:
            scratch[o] = 0xF0 | new >> 18
            scratch[o + 1] = 0x80 | new >> 12 & 0x3F
            scratch[o + 2] = 0x80 | new >> 6 & 0x3F
            scratch[o + 3] = 0x80 | new & 0x3F
            o += 4
    return o - at


# ---------------------------------------------------------------- bytes -> tokens
@njit
def _copy_texts(data, offsets, first, scratch, unicode, lowercase, starts):
    """Copy texts into scratch, lower-cased, a space after each, until it is full.

    starts[i] becomes where text first + i begins, with one entry more for the end. Returns (number of
    texts, whether any was not ASCII).
    """
    source, destination = _U(data.ctypes.data), _U(scratch.ctypes.data)
    n, at, any_high = 0, np.int64(0), False
    while first + n < len(offsets) - 1:
        begin, end = offsets[first + n], offsets[first + n + 1]
        if n > 0 and at + (end - begin) * 3 // 2 + 2 * _PAD > len(scratch):
            break
        starts[n] = at
        high = _U(0)
        i = begin
        while i + 64 <= end or (i < end and i + 64 <= len(data)):
            _, block_high = fold_block(source + _U(i), destination + _U(at + i - begin), lowercase)
            if end - i < 64:
                block_high &= (_U(1) << _U(end - i)) - _U(1)
            high |= block_high
            i += 64
        if i < end:  # never read past the buffer
            here = at + i - begin
            for k in range(end - i):
                scratch[here + k] = data[i + k]
                high |= _U(data[i + k] & 0x80)
            fold_block(destination + _U(here), destination + _U(here), lowercase)
        length = end - begin
        if high != _U(0):
            any_high = True
            length = _fold_unicode(data, begin, end, scratch, at, unicode, lowercase)
        scratch[at + length] = 0x20
        at += length + 1
        n += 1
    starts[n] = at
    return n, any_high


@njit
def _edges(scratch, end, edges):
    """Where tokens begin and end, alternating; scratch ends with a space. Returns the number of edges."""
    address = _U(scratch.ctypes.data)
    count, carry = 0, _U(0)
    for base in range(0, end, 64):
        word, _ = fold_block(address + _U(base), address + _U(base), _U(0))
        if end - base < 64:
            word &= (_U(1) << _U(end - base)) - _U(1)
        edge = word ^ (word << _U(1) | carry)
        carry = word >> _U(63)
        found = bit_count(edge)
        # whole groups are written whether all are needed or not: a loop that often ends is mispredicted
        for i in range(16):
            edges[count + i] = base + trailing_zeros(edge)
            edge &= edge - _U(1)
        if found > 16:
            for i in range(16, 32):
                edges[count + i] = base + trailing_zeros(edge)
                edge &= edge - _U(1)
            for i in range(32, found):
                edges[count + i] = base + trailing_zeros(edge)
                edge &= edge - _U(1)
        count += found
    return count


@njit
def _drop_single_characters(scratch, edges, n_edges):
    """Empty the tokens of one multi-byte character, which count as one."""
    for i in range(0, n_edges, 2):
        first = scratch[edges[i]]
        if first >= 0xC0:
            length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            if edges[i + 1] - edges[i] == length:
                edges[i + 1] = edges[i]


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
    size = _GROUP
    for i in range(n_texts):
        size = max(size, (offsets[i + 1] - offsets[i]) * 3 // 2)
    size += 3 * _PAD
    scratch, edges = np.zeros(size, np.uint8), np.empty(size + _PAD, np.int32)
    starts = np.empty(n_texts + 1, np.int64)
    ids, indptr = np.empty(offsets[-1] - offsets[0] + 1, np.uint32), np.zeros(n_texts + 1, np.int64)
    text, count = np.int64(0), np.int64(0)  # a literal 0 would compile the callees once more
    while text < n_texts:
        n, any_high = _copy_texts(data, offsets, text, scratch, unicode, lowercase, starts)
        n_edges = _edges(scratch, starts[n], edges)
        if any_high and min_length > _U(1):
            _drop_single_characters(scratch, edges, n_edges)
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
    size = _GROUP
    for i in range(n_texts):
        size = max(size, (offsets[i + 1] - offsets[i]) * 3 // 2)
    size += 3 * _PAD
    scratch, edges = np.zeros(size, np.uint8), np.empty(size + _PAD, np.int32)
    joined = np.zeros(size if phrases else 0, np.uint8)
    starts, ids = np.empty(n_texts + 1, np.int64), np.empty(n_bytes + 1, np.int64)
    indptr = np.zeros(n_texts + 1, np.int64)
    ends, state = np.zeros(n_bytes + 2, np.int64), np.array([0, 0, 1])
    unknown = np.empty(n_bytes * 3 // 2 + 1, np.uint8), ends[1:], state
    text = np.int64(0)
    while text < n_texts:
        n, any_high = _copy_texts(data, offsets, text, scratch, unicode, lowercase, starts)
        n_edges = _edges(scratch, starts[n], edges)
        if any_high and min_length > _U(1):
            _drop_single_characters(scratch, edges, n_edges)
        group = starts[: n + 1]
        _lookup_all(scratch, edges, n_edges, group, min_length, index, joined, phrases, ids, indptr, unknown)
        text += n
    return ids[: state[0]], indptr, unknown[0][: ends[state[1]]], ends[: state[1] + 1]
