"""numba kernels over the bytes of csv and jsonl files: where rows end, and rows joined with what is added.

They release the GIL, and numba keeps them on disk (`cache=True`).
"""

import numpy as np

from ._compiling import njit

ROW, FIELD, PLAIN, QUOTED, QUOTE, CR = range(6)  # what was read last: see `_next`
_LF, _CR, _QUOTE = 10, 13, 34
_SPACES = (32, 9, 13)


@njit
def _next(state, byte, delimiter):
    """State after a byte of csv, by the rules of pyarrow's parser.

    A quote opens a quoted value only as the value's first byte. Within it two quotes are one; after the quote
    that closes it the value goes on as plain text. A row ends with LF, CR or CR LF.
    """
    if state == QUOTED:
        return QUOTE if byte == _QUOTE else QUOTED
    if byte == _QUOTE:
        return PLAIN if state == PLAIN else QUOTED
    if byte == _LF:
        return ROW
    if byte == _CR:
        return CR
    return FIELD if byte == delimiter else PLAIN


@njit
def last_row_end(data, start, state, only_first, delimiter):
    """End of the last (or first) row that is sure to end within data[start:], or -1; the state after."""
    end = -1
    for i in range(start, len(data)):
        byte = data[i]
        if state == CR and byte != _LF:  # the row ended before this byte
            end = i
            if only_first:
                return end, ROW
        state = _next(state, byte, delimiter)
        if byte == _LF and state == ROW:
            end = i + 1
            if only_first:
                return end, ROW
    return end, state


@njit
def csv_rows(data, ends, n_fields, delimiter):
    """Fill in each row's end and number of fields, if the arrays are as long; the number of rows."""
    state, n, fields, start = ROW, 0, 1, 0
    for i in range(len(data)):
        byte = data[i]
        if state == CR and byte != _LF:
            if n < len(ends):
                ends[n], n_fields[n] = i, fields
            n, fields, start = n + 1, 1, i
        state = _next(state, byte, delimiter)
        if state == FIELD:
            fields += 1
        elif state == ROW and byte == _LF:
            if n < len(ends):
                ends[n], n_fields[n] = i + 1, fields
            n, fields, start = n + 1, 1, i + 1
    if start < len(data):
        if n < len(ends):
            ends[n], n_fields[n] = len(data), fields
        n += 1
    return n


@njit
def count_lines(data):
    """Number of line ends: LF, CR or CR LF. Without branches, so that it is done 32 bytes at a time."""
    n = 0
    for i in range(len(data)):
        n += data[i] == _LF
    returns = 0
    for i in range(len(data)):
        returns += data[i] == _CR
    if returns:
        for i in range(len(data)):
            n += data[i] == _CR and (i + 1 == len(data) or data[i + 1] != _LF)
    return n


@njit
def split_lines(data, starts, ends, numbers):
    """Fill in where lines that are not blank start and end, without spaces around, and their numbers."""
    n = line = start = 0
    for i in range(len(data) + 1):
        if i < len(data) and data[i] != _LF:
            continue
        a, b = start, i
        while a < b and data[a] in _SPACES:
            a += 1
        while b > a and data[b - 1] in _SPACES:
            b -= 1
        if b > a:
            starts[n], ends[n], numbers[n] = a, b, line
            n += 1
        line, start = line + 1, i + 1
    return n


@njit
def join_objects(data, starts, ends, added, offsets, out):
    """Write JSON objects without their last byte, each followed by its bytes of `added` (", ...}" and LF)."""
    at = 0
    for row in range(len(starts)):
        size = ends[row] - 1 - starts[row]
        out[at : at + size] = data[starts[row] : ends[row] - 1]
        at += size
        first = offsets[row]
        if size == 1:  # an object without fields takes no comma
            first += 2
        size = offsets[row + 1] - first
        out[at : at + size] = added[first : offsets[row + 1]]
        at += size
    return at


@njit
def quoted_json_size(data, n_texts):
    """Bytes that `quoted_json` writes."""
    size = len(data) + 2 * n_texts
    short = control = 0
    for i in range(len(data)):  # without branches, so that it is done many bytes at a time
        byte = data[i]
        short += (byte == _QUOTE) | (byte == 92) | (byte == _LF) | (byte == _CR) | (byte == 9)
        control += byte < 32
    if control:
        for i in range(len(data)):
            byte = data[i]
            size += 5 * (byte < 32 and byte != _LF and byte != _CR and byte != 9)
    return size + short


@njit
def quoted_json(data, offsets, out, out_offsets):
    """Write texts as JSON strings, one after the other."""
    at = 0
    for row in range(len(offsets) - 1):
        out_offsets[row] = at
        out[at] = _QUOTE
        at += 1
        for i in range(offsets[row], offsets[row + 1]):
            byte = data[i]
            if byte >= 32 and byte != _QUOTE and byte != 92:
                out[at] = byte
                at += 1
                continue
            out[at] = 92
            short = 0
            if byte == _QUOTE or byte == 92:
                short = byte
            elif byte == _LF:
                short = 110  # n
            elif byte == _CR:
                short = 114  # r
            elif byte == 9:
                short = 116  # t
            if short:
                out[at + 1] = short
                at += 2
            else:
                out[at + 1], out[at + 2], out[at + 3] = 117, 48, 48  # u00
                out[at + 4] = 48 + (byte >> 4)
                low = byte & 15
                out[at + 5] = low + (48 if low < 10 else 87)
                at += 6
        out[at] = _QUOTE
        at += 1
    out_offsets[len(offsets) - 1] = at
    return at


def byte_array(buffer) -> np.ndarray:
    """The bytes of a buffer as a read-only uint8 array: kernels compile for one kind of array."""
    data = np.frombuffer(buffer, np.uint8) if len(buffer) else np.empty(0, np.uint8)
    data.flags.writeable = False
    return data
