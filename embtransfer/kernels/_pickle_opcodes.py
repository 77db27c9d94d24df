"""Compiled walk through the opcodes of a pickle: what Python's unpickler would be asked to allocate.

numba compiles at the first call and keeps the result on disk; import this only inside functions.
"""

import numpy as np

from ._compiling import njit

LINE, TWO_LINES, BYTE, FOUR, EIGHT, OTHER = -1, -2, -3, -4, -5, -6
_STOP, _PUT, _LONG_BINPUT, _FRAME = 0x2E, 0x70, 0x72, 0x95


@njit
def _little_endian(data, at, size):
    value = np.uint64(0)
    for i in range(size):
        value |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return np.int64(min(value, np.uint64(1) << np.uint64(62)))


@njit
def largest_size(data, arguments):
    """The largest size of a value, or number of an entry of the memo, that a pickle (uint8) names.

    arguments: int64 (256,), of each opcode the bytes of its argument; or LINE or TWO_LINES, where these end
    with newlines; BYTE, FOUR or EIGHT, where so many bytes hold its size; OTHER, where none is known.
    """
    largest, at = np.int64(0), 0
    while at < len(data):
        code = data[at]
        argument = arguments[code]
        at += 1
        if code == _STOP or argument == OTHER:
            break
        if argument in (LINE, TWO_LINES):
            number = np.int64(0)
            for _ in range(-argument):
                while at < len(data) and data[at] != 10:
                    if code == _PUT and 48 <= data[at] < 58:
                        number = min(number * 10 + data[at] - 48, 1 << 55)
                    at += 1
                at += 1
            largest = max(largest, number)
            continue
        size = argument if argument >= 0 else 1 if argument == BYTE else 4 if argument == FOUR else 8
        if at + size > len(data):
            break
        number = np.int64(0)
        if argument < 0 or code in (_LONG_BINPUT, _FRAME):
            number = _little_endian(data, at, size)
        largest = max(largest, number)
        at += size
        if argument < 0:
            if number > len(data) - at:
                return max(largest, len(data) + 1)
            at += number
    return largest
