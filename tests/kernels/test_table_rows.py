"""Rows of csv and lines of jsonl end where pyarrow and Python see their ends."""

import csv
import io
import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from embtransfer.kernels._table_rows import (
    QUOTED,
    byte_array,
    count_lines,
    csv_rows,
    join_objects,
    last_row_end,
    quoted_json,
    quoted_json_size,
    split_lines,
)

RNG = np.random.default_rng(0)
PIECES = [
    b"a",
    b"b",
    b",",
    b",",
    b'"',
    b'"',
    b'""',
    b"\n",
    b"\r\n",
    b"\r",
    b" ",
    "é".encode(),
    b'","',
    b'"\n"',
]


def random_csv(n):
    return b"".join(PIECES[i] for i in RNG.integers(0, len(PIECES), n))


def rows_of(data):
    data = byte_array(data)
    n = csv_rows(data, np.empty(0, np.int64), np.empty(0, np.int64), ord(","))
    ends, n_fields = np.empty(n, np.int64), np.empty(n, np.int64)
    assert csv_rows(data, ends, n_fields, ord(",")) == n
    return ends.tolist(), n_fields.tolist()


def rows_by_pyarrow(data, n_pieces):
    """Numbers of fields of the rows that are not empty, by asking pyarrow for one that no row has."""
    found = []

    def note(row):
        found.append(row.actual_columns)
        return "skip"

    names = [str(i) for i in range(n_pieces + 2)]
    pa_csv.read_csv(
        pa.BufferReader(data),
        pa_csv.ReadOptions(column_names=names, use_threads=False, block_size=1 << 20),
        pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
        pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.binary())),
    )
    return found


@pytest.mark.parametrize("n", [1, 3, 10, 60])
def test_rows_are_those_of_pyarrow(n):
    for _ in range(300):
        data = random_csv(n)
        ends, n_fields = rows_of(data)
        filled = [k for k, a, b in zip(n_fields, [0, *ends], ends, strict=False) if data[a:b].strip(b"\r\n")]
        assert filled == rows_by_pyarrow(data, n), data
        assert ends == sorted(set(ends))
        assert ends[-1] == len(data)


def test_rows_are_those_of_pythons_csv():
    rows = [[RNG.choice(["", "a", 'q"', "n\nl", "c,", "\r\n", "é"]) for _ in range(3)] for _ in range(2_000)]
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    data = file.getvalue().encode()
    ends, n_fields = rows_of(data)
    assert n_fields == [3] * 2_000
    pieces = [data[a:b].decode() for a, b in pairwise([0, *ends])]
    assert [next(csv.reader(io.StringIO(piece, newline=""))) for piece in pieces] == rows


def test_a_scan_that_goes_on_finds_what_one_of_all_does():
    for _ in range(500):
        data = random_csv(40)
        whole, state = last_row_end(byte_array(data), 0, 0, False, ord(","))
        cut = int(RNG.integers(0, len(data)))
        first, before = last_row_end(byte_array(data[:cut]), 0, 0, False, ord(","))
        second, after = last_row_end(byte_array(data), cut, before, False, ord(","))
        assert (max(first, second), after) == (whole, state), (data, cut)
        ends, _ = rows_of(data)
        assert whole in (-1, *ends)


@pytest.mark.parametrize(
    ("data", "first", "last", "quoted"),
    [
        (b"", -1, -1, False),
        (b"a", -1, -1, False),
        (b"a\nb\n", 2, 4, False),
        (b"a\r\nb\r", 3, 3, False),
        (b"a\rb\r\n", 2, 5, False),
        (b'"a\nb"\nc', 6, 6, False),
        (b'a"\n"b\n', 3, 3, True),
        (b'x,"a""\n', -1, -1, True),
    ],
)
def test_ends(data, first, last, quoted):
    end, state = last_row_end(byte_array(data), 0, 0, False, ord(","))
    assert end == last
    assert (state == QUOTED) == quoted
    assert last_row_end(byte_array(data), 0, 0, True, ord(","))[0] == first


def test_lines():
    data = byte_array(b'{"a": 1}\n\n \t\r\n  {"b": 2} \r\n{}')
    starts, ends, numbers = (np.empty(6, np.int64) for _ in range(3))
    n = split_lines(data, starts, ends, numbers)
    assert [data[a:b].tobytes() for a, b in zip(starts[:n], ends[:n], strict=True)] == [
        b'{"a": 1}',
        b'{"b": 2}',
        b"{}",
    ]
    assert numbers[:n].tolist() == [0, 3, 4]
    added = byte_array(b', "p": 1}\n, "p": 22}\n, "p": 3}\n')
    out = np.empty(200, np.uint8)
    size = join_objects(data, starts[:n], ends[:n], added, np.array([0, 10, 21, 31]), out)
    assert out[:size].tobytes() == b'{"a": 1, "p": 1}\n{"b": 2, "p": 22}\n{"p": 3}\n'


def test_quoted_json_is_that_of_python():
    texts = ["", 'a"b', "\\", "".join(map(chr, range(0x250))), "👍🏽\u2028\x7f", "plain"] * 3
    data = "".join(texts).encode()
    offsets = np.cumsum([0, *(len(text.encode()) for text in texts)])
    out = np.empty(quoted_json_size(byte_array(data), len(texts)), np.uint8)
    ends = np.empty(len(offsets), np.int64)
    assert quoted_json(byte_array(data), offsets, out, ends) == len(out)
    got = [out[a:b].tobytes().decode() for a, b in pairwise(ends)]
    assert [json.loads(one) for one in got] == texts
    for one, text in zip(got, texts, strict=True):
        assert one == json.dumps(text, ensure_ascii=False).replace("\\b", "\\u0008").replace("\\f", "\\u000c")


@pytest.mark.parametrize("n", [0, 1, 5, 100])
def test_lines_are_counted_as_editors_do(n):
    for _ in range(200):
        data = random_csv(n)
        whole = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        assert count_lines(byte_array(data)) == whole.count(b"\n")
