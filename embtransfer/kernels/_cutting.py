"""Compiled kernels: UTF-8 bytes -> lower-cased bytes -> where tokens begin and end.

Texts pass in groups of some 64 kB. `copy_texts` puts them side by side, lower-cased: ASCII 64 bytes at a
time, a text with any other character through `_fold_unicode`, whose table the running Python's own
`str.lower` and `re` fill, and `_words` where marks belong to words, so that both always agree. `edges_of`
turns blocks of 64 bytes into a bit mask of word characters and writes down where tokens begin and end.
"""

import numpy as np

from ._compiling import njit
from ._instructions import bit_count, fold_block, load64, trailing_zeros
from ._unicode import CASED, CODE, COMPOSING, IGNORABLE, MARK, SIGMA, SPECIAL, WORD

_U = np.uint64  # addresses and bit masks; never mixed with signed integers, which numba would make float64
_HIGH = _U(0x8080808080808080)
PAD = 128  # bytes readable and writable past the end of every scratch buffer
GROUP = 1 << 16  # bytes of text that pass the loops together: they stay in the nearest cache


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
def copy_texts(data, offsets, first, scratch, unicode, lowercase, starts):
    """Copy texts into scratch, lower-cased, a space after each, until it is full.

    starts[i] becomes where text first + i begins, with one entry more for the end. Returns (number of
    texts, whether any was not ASCII).
    """
    source, destination = _U(data.ctypes.data), _U(scratch.ctypes.data)
    n, at, any_high = 0, np.int64(0), False
    while first + n < len(offsets) - 1:
        begin, end = offsets[first + n], offsets[first + n + 1]
        if n > 0 and at + (end - begin) * 3 // 2 + 2 * PAD > len(scratch):
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
def edges_of(scratch, end, edges):
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
def drop_single_characters(scratch, edges, n_edges):
    """Empty the tokens of one multi-byte character, which count as one."""
    for i in range(0, n_edges, 2):
        first = scratch[edges[i]]
        if first >= 0xC0:
            length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            if edges[i + 1] - edges[i] == length:
                edges[i + 1] = edges[i]
