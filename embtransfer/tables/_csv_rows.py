"""Rows of a block of csv, every value as text as it stands, and those that are malformed."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from ..kernels._table_rows import byte_array, csv_rows
from ._dialect import BOM
from ._json_lines import is_utf8

_LF, _CR = 10, 13


@dataclass(frozen=True)
class Rejected:
    """A malformed row: its line in the block (from 0), what is wrong, and its bytes."""

    line: int
    reason: str
    raw: bytes


def read_csv(data, names, wanted, delimiter, unclosed, wrong=None):
    """Rows of a block of csv, every value as text as it stands, and those that are malformed.

    `wrong` says what else is wrong with some of the rows that it gave without, by their numbers.
    """
    try:
        # pyarrow checks the columns it converts; whether a row is malformed is no matter of which they are
        if wrong or unclosed or (len(wanted) < len(names) and not is_utf8(data)):
            raise pa.ArrowInvalid
        return _parse_csv(data, names, wanted, delimiter), []
    except pa.ArrowInvalid:
        good, n_good, rejected = _sort_out(byte_array(data), names, ord(delimiter), unclosed, wrong or {})
        table = _parse_csv(pa.py_buffer(good), names, wanted, delimiter)
        if table.num_rows != n_good:
            raise ValueError(f"Got {table.num_rows} rows of csv where {n_good} were counted.") from None
        return table, rejected


def _parse_csv(data, names, wanted, delimiter):
    if not len(data):
        return pa.schema([(name, pa.string()) for name in wanted]).empty_table()
    if bytes(data[: len(BOM)]) == BOM:  # of files that were joined; pyarrow takes the first away
        data = pa.py_buffer(BOM + bytes(data))
    return pa_csv.read_csv(
        pa.BufferReader(data),
        pa_csv.ReadOptions(column_names=names, use_threads=False, block_size=max(len(data), 1)),
        # one column: an empty line is a row with an empty text; more: it can only be padding
        pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=len(names) > 1),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=wanted,
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )


def _sort_out(data, names, delimiter, unclosed, wrong):
    """The good rows of a block of csv, their number, and the others."""
    n = csv_rows(data, np.empty(0, np.int64), np.empty(0, np.int64), delimiter)
    ends, n_fields = np.empty(n, np.int64), np.empty(n, np.int64)
    csv_rows(data, ends, n_fields, delimiter)
    starts = np.concatenate([[0], ends[:-1]])
    lines = np.searchsorted(_line_ends(data), starts)
    rejected, good, n_read = [], [], 0
    whole = data.tobytes()
    for row in range(n):
        raw = whole[starts[row] : ends[row]]
        content = raw.rstrip(b"\r\n")
        if not content and len(names) > 1:
            continue
        if unclosed and row == n - 1:
            reason = "a quote that opens here never closes"
        elif n_fields[row] != len(names):
            reason = f"got {n_fields[row]} fields, expected {len(names)}"
        elif not raw.isascii() and not is_utf8(pa.py_buffer(raw)):
            reason = "not UTF-8"
        else:
            n_read += 1
            reason = wrong.get(n_read - 1)
        if not reason:
            good.append(content + b"\n")  # one kind of end: CR and the LF of an empty row would be one
            continue
        rejected.append(Rejected(int(lines[row]), reason, content))
    return b"".join(good), len(good), rejected


def _line_ends(data):
    ends = data == _LF
    returns = np.flatnonzero(data == _CR)
    if len(returns):  # CR LF is one end
        after = np.minimum(returns + 1, len(data) - 1)
        ends[returns[(data[after] != _LF) | (returns == len(data) - 1)]] = True
    return np.flatnonzero(ends)
