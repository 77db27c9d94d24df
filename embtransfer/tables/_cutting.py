"""Blocks of whole rows cut from the bytes of csv and jsonl."""

import pyarrow as pa

_LONGEST = 1 << 29  # bytes of a row: its texts must fit Arrow's 32-bit offsets, several times
_QUOTED = 3  # of kernels/_table_rows.py, which is imported where needed: importing numba takes a while


def cut_stream(stream, block_size, cut, name):
    """Yield where each block starts, its bytes, and whether the file ends there within quotes."""
    while True:
        data = stream.read(block_size)
        ended = len(data) < block_size
        if not data:
            return
        state = end = 0
        scanned = 0
        while True:
            found, state = cut(data, scanned, state, ended)
            end = max(end, found)
            if end > 0 or ended:
                break
            if len(data) >= _LONGEST:
                raise ValueError(
                    f"{name} has a row longer than {_LONGEST >> 20} MB, {stream.at:,} bytes from its start. "
                    "Does a quote there never close?"
                )
            scanned, size = len(data), 2 * len(data)
            data += stream.read(scanned)
            ended = len(data) < size
        unclosed = ended and state == _QUOTED
        end = len(data) if ended else end
        stream.rest = data[end:] + stream.rest
        start = stream.at
        stream.at += end
        yield start, pa.py_buffer(data).slice(0, end), unclosed
        if ended:
            return


def cut_lines(data, scanned, state, ended):
    return data.rfind(b"\n", scanned) + 1, 0


def cut_csv(delimiter, data, scanned, state, ended):
    if not scanned and b'"' not in data and (end := data.rfind(b"\n") + 1):
        return end, 0
    from ..kernels._table_rows import byte_array, last_row_end

    return last_row_end(byte_array(data), scanned, state, False, delimiter)
