"""Columns of vectors: read as one matrix, and refused with file, row and column."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embtransfer.tables import TableReader
from embtransfer.tables._vectors import LISTS, Vectors

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)
KINDS = {
    "fixed": lambda numbers: pa.list_(numbers, 3),
    "list": pa.list_,
    "large": pa.large_list,
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def write(path, lists, kind=LISTS):
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"id": range(len(lists)), "v": pa.array(lists, kind)}), path)
    else:
        rows = [{"id": i, "v": row} for i, row in enumerate(lists)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@every_kind
@pytest.mark.parametrize(
    ("numbers", "dtype"),
    [("float16", "float32"), ("float32", "float32"), ("float64", "float64"), ("int32", "float64")],
)
def test_lists_of_any_kind_are_a_matrix(tmp_path, kind, numbers, dtype):
    file = write(tmp_path / "a.parquet", ROWS.tolist(), kind(pa.type_for_alias(numbers)))
    found, [ids] = TableReader(file).rows(Vectors("v"), ["id"])
    assert (found.dtype, ids) == (dtype, [0, 1, 2, 3])
    np.testing.assert_array_equal(found, ROWS)


def test_jsonl_has_vectors_of_float64(tmp_path):
    found, [ids] = TableReader(write(tmp_path / "a.jsonl", ROWS.tolist())).rows(Vectors("v"), ["id"])
    assert (found.dtype, ids) == ("float64", [0, 1, 2, 3])
    np.testing.assert_array_equal(found, ROWS)


@every_kind
def test_several_pieces_are_one_matrix(kind):
    column = pa.array(ROWS.tolist(), kind(pa.float32()))
    found, bad = Vectors("v").read(pa.chunked_array([column[1:], column[:2]]))
    assert not bad
    np.testing.assert_array_equal(found, ROWS[[1, 2, 3, 0, 1]])
    assert len(Vectors("v", 3).read(pa.chunked_array([], column.type))[0]) == 0


@every_kind
def test_one_piece_is_not_copied(kind):
    column = pa.array(ROWS.tolist(), kind(pa.float32()))
    found, bad = Vectors("v").read(pa.chunked_array([column[1:]]))
    assert not bad
    np.testing.assert_array_equal(found, ROWS[1:])
    assert found.__array_interface__["data"][0] == column.values.buffers()[1].address + ROWS[:1].nbytes


WRONG = {
    "missing": (None, "no vector in 'v'"),
    "ragged": ([1.0, 2.0], "got 2 numbers in 'v', expected 3"),
    "empty": ([], "got 0 numbers in 'v', expected 3"),
    "nan": ([1.0, float("nan"), 2.0], "NaN, infinity or nothing among the numbers of 'v'"),
    "infinite": ([1.0, float("inf"), 2.0], "NaN, infinity or nothing"),
    "null": ([1.0, None, 2.0], "NaN, infinity or nothing"),
}


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_vector_is_refused_with_its_place(tmp_path, suffix, wrong, message):
    file = write(tmp_path / f"a{suffix}", [*ROWS.tolist(), wrong])
    place = "row" if suffix == ".parquet" else "line"
    with pytest.raises(ValueError, match=rf"a{suffix}, {place} 5: {message}.*\. Mend the row\."):
        TableReader(file).rows(Vectors("v"), [])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("text", "got str in 'v'. Expected a list of numbers"),
        ([1, True, 2], "got bool among the numbers of 'v'"),
    ],
)
def test_what_is_no_list_of_numbers_in_jsonl_is_refused(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=f"line 5: {message}"):
        TableReader(write(tmp_path / "a.jsonl", [*ROWS.tolist(), wrong])).rows(Vectors("v"), [])


def test_columns_of_something_else_are_refused(tmp_path):
    file = write(tmp_path / "a.parquet", ["text"], pa.string())
    with pytest.raises(ValueError, match=r"Got the column 'v' of string in .*a\.parquet\. Expected vectors"):
        TableReader(file).rows(Vectors("v"), [])
    (tmp_path / "a.csv").write_text("v\n[1 2]\n")
    with pytest.raises(ValueError, match=r"is csv: that has no lists of numbers\. Write them to parquet"):
        TableReader(tmp_path / "a.csv").rows(Vectors("v"), [])
    with pytest.raises(ValueError, match="has columns: id, v"):
        TableReader(file).rows(Vectors("w"), [])
