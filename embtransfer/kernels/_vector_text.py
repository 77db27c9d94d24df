"""Compiled parsers of vector files: blocks of bytes -> words and float32 rows."""

import numpy as np

from ._compiling import njit
from ._instructions import load64, trailing_zeros

_POWERS = 10.0 ** np.arange(23)  # exact in float64, so that one product or quotient is rounded right
_EXACT = np.uint64(1) << np.uint64(53)  # integers below are exact in float64 too

_ZEROS = np.uint64(0x3030303030303030)
_CARRY = np.uint64(0x7676767676767676)  # carries into the high bit of a byte over 9
_HIGH_BITS = np.uint64(0x8080808080808080)
_TENS = 10 ** np.arange(9, dtype=np.uint64)


@njit
def _digits(x, n):
    """The number of the first n bytes of x, each 0 to 9: pairs, then fours, then all eight."""
    if n == 0:
        return np.uint64(0)
    x <<= np.uint64(64 - 8 * n)
    x = (x * np.uint64(10) + (x >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    x = (x * np.uint64(100) + (x >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return (x * np.uint64(10000) + (x >> np.uint64(32))) & np.uint64(0xFFFFFFFF)


@njit
def _number(data, i):
    """Parse a decimal number at i: (value, where it ends), or (0.0, -1) where Python must do it."""
    negative = data[i] == 45  # -
    i += np.int64(negative) | np.int64(data[i] == 43)  # a branch here is mispredicted half of the time
    mantissa, n_digits, scale = np.uint64(0), 0, 0
    while np.uint8(data[i] - 48) <= 9:
        mantissa = mantissa * np.uint64(10) + np.uint64(data[i] - 48)
        n_digits += 1
        i += 1
    if data[i] == 46:  # .
        i += 1
        begin = i
        while i + 8 <= len(data):  # eight characters together
            x = load64(np.uint64(data.ctypes.data) + np.uint64(i)) ^ _ZEROS
            n = trailing_zeros(((x + _CARRY) | x) & _HIGH_BITS) >> 3  # digits before the first other
            mantissa = mantissa * _TENS[n] + _digits(x, n)
            i += n
            if n < 8:
                break
        while np.uint8(data[i] - 48) <= 9:
            mantissa = mantissa * np.uint64(10) + np.uint64(data[i] - 48)
            i += 1
        scale = begin - i
        n_digits -= scale
    if n_digits == 0 or n_digits > 19:  # 19 digits always fit in 64 bits
        return 0.0, -1
    if data[i] | 0x20 == 101:  # e
        i += 1
        minus = data[i] == 45
        if minus or data[i] == 43:
            i += 1
        begin, power = i, 0
        while np.uint8(data[i] - 48) <= 9 and i < begin + 4:
            power = power * 10 + np.int64(data[i] - 48)
            i += 1
        if i == begin:
            return 0.0, -1
        scale += -power if minus else power
    if mantissa >= _EXACT or scale > 22 or scale < -22:
        return 0.0, -1
    value = np.float64(mantissa)
    value = value / _POWERS[-scale] if scale < 0 else value * _POWERS[scale]
    return -value if negative else value, i


@njit
def parse_lines(data, separator, rows, words, ends, hard):
    """Parse lines "word number ... number": the last n_columns fields are the numbers.

    data: uint8, whole lines, the last byte a newline. Fills rows float32 (n_lines, n_columns), the words'
    bytes one after another, their ends int64 (n_lines,), and hard int64 (m, 4): (row, column, begin,
    end) of the numbers that are left to Python. Returns (rows parsed, hard numbers, byte where it
    stopped, fields after the word there): at the end of data, at an empty line, at a line with too few
    fields, or at one for which `hard` has no room.
    """
    n_columns = rows.shape[1]
    row, n_hard, filled, i, end = 0, 0, 0, 0, len(data)
    while i < end:
        start = i
        while data[i] != separator and data[i] != 10:
            i += 1
        word_end = i
        column = 0
        while column < n_columns and data[i] == separator:
            value, after = _number(data, i + 1)
            if after < 0:
                break
            rows[row, column] = value
            column += 1
            i = after
        while data[i] == separator or data[i] == 13:
            i += 1
        if column < n_columns or data[i] != 10:  # a word with separators, an odd number, or damage
            while data[i] != 10:
                i += 1
            stop = i
            while stop > start and (
                data[stop - 1] == separator or data[stop - 1] == 13 or data[stop - 1] == 32
            ):
                stop -= 1
            if n_hard + n_columns > len(hard):
                return row, n_hard, start, n_columns
            field_end, at = stop, stop
            for missing in range(n_columns):
                while at > start and data[at - 1] != separator:
                    at -= 1
                if at == start:
                    return row, n_hard, start, missing
                value, after = _number(data, at)
                if after == field_end:
                    rows[row, n_columns - 1 - missing] = value
                else:
                    hard[n_hard] = row, n_columns - 1 - missing, at, field_end
                    n_hard += 1
                at -= 1
                field_end = at
            word_end = field_end
        for k in range(start, word_end):
            words[filled] = data[k]
            filled += 1
        ends[row] = filled
        row += 1
        i += 1
    return row, n_hard, end, n_columns


@njit
def parse_binary(data, rows, words, ends):
    """Parse "word space n_columns float32" records; newlines before a word are skipped.

    Returns (rows parsed, byte after the last whole record).
    """
    size = 4 * rows.shape[1]
    row, filled, i, end = 0, 0, 0, len(data)
    flat = rows.view(np.uint8)
    while row < len(rows):
        start = i
        while start < end and data[start] == 10:
            start += 1
        stop = start
        while stop < end and data[stop] != 32:
            stop += 1
        if stop + 1 + size > end:
            break
        for k in range(start, stop):
            words[filled] = data[k]
            filled += 1
        flat[row, :] = data[stop + 1 : stop + 1 + size]
        ends[row] = filled
        row += 1
        i = stop + 1 + size
    return row, i
