"""parquet and Arrow tables of words and numbers; damage that is named."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from numpy.testing import assert_array_equal

from tests.word_vectors.reading import (
    MATRIX,
    WORDS,
    cut,
    load,
    refuses,
    write_arrow,
    write_feather,
    write_parquet,
)

pytestmark = pytest.mark.usefixtures("small_blocks")

every_table = pytest.mark.parametrize("save", [write_parquet, write_feather, write_arrow])


def lists(kind, matrix=MATRIX):
    return pa.array(matrix.tolist(), kind)


@every_table
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
@pytest.mark.parametrize(
    "vectors",
    [
        {"vector": lists(pa.list_(pa.float32()))},
        {"vector": lists(pa.list_(pa.float32(), 4)), "count": pa.array(range(7))},
        {"vector": lists(pa.large_list(pa.float32()))},
        {f"d{j}": pa.array(MATRIX[:, j]) for j in range(4)},
    ],
    ids=["lists", "fixed-size lists and counts", "large lists", "columns"],
)
def test_tables(tmp_path, save, kind, vectors):
    save(pa.table({"word": pa.array(WORDS).cast(kind), **vectors}), tmp_path / "table")
    found, words, rows = load(tmp_path / "table")
    assert words == WORDS
    assert_array_equal(rows, MATRIX)
    assert found.n_dimensions == 4


@every_table
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(pa.float16(), "f2"), (pa.float64(), "f4"), (pa.int8(), "f4")],
    ids=["float16", "float64", "int8"],
)
def test_types_of_numbers_in_tables(tmp_path, save, kind, dtype):
    whole = np.arange(28).reshape(7, 4).astype(kind.to_pandas_dtype())
    for vectors in (
        {"vector": pa.FixedSizeListArray.from_arrays(pa.array(whole.ravel()), 4)},
        {f"d{j}": pa.array(whole[:, j]) for j in range(4)},
    ):
        save(pa.table({"word": WORDS, **vectors}), tmp_path / "table")
        _, _, rows = load(tmp_path / "table")
        assert rows.dtype == dtype
        assert_array_equal(rows, whole)


def test_a_pandas_frame_with_words_as_index(tmp_path):
    pd.DataFrame(MATRIX, index=WORDS).add_prefix("d").to_parquet(tmp_path / "table.parquet")
    _, words, rows = load(tmp_path / "table.parquet")
    assert words == WORDS
    assert_array_equal(rows, MATRIX)


def replaced(row, value):
    values = MATRIX.tolist()
    values[row] = value
    return values


@every_table
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"word": WORDS, "v": replaced(5, [1.0])}, "row 5: got 1 numbers, row 0 has 4"),
        ({"word": WORDS, "v": replaced(5, None)}, "row 5: got a missing vector"),
        ({"word": WORDS, "v": replaced(0, None)}, "got no vector in the first row"),
        ({"word": WORDS, "v": replaced(5, [1.0, None, 2.0, 3.0])}, "row 5: got a missing number"),
        ({"word": [*WORDS[:6], None], "v": MATRIX.tolist()}, "row 6: got a missing word"),
        (
            {"word": WORDS, "x": [1.0] * 6 + [None], "y": [2.0] * 7},
            "row 6: got a missing number in column 'x'",
        ),
        ({"v": MATRIX.tolist()}, "got 0 columns of text among v (list"),
        (
            {"a": WORDS, "b": WORDS, "v": MATRIX.tolist()},
            "got 2 columns of text among a (string), b (string), v",
        ),
        ({"word": WORDS}, "Expected one column of lists of numbers, or columns of numbers"),
        (
            {"word": WORDS, "count": range(7), "x": [1.0] * 7},
            "got columns word (string), count (int64), x (double)",
        ),
        (
            {"word": WORDS, "v": MATRIX.tolist(), "w": MATRIX.tolist()},
            "Expected one column of lists of numbers",
        ),
        (
            {"word": pa.array([], pa.string()), "x": pa.array([], pa.float32())},
            "got no vector in the first row",
        ),
    ],
)
def test_tables_refused(tmp_path, save, columns, message):
    save(pa.table(columns), tmp_path / "table")
    refuses(tmp_path / "table", message)


def test_a_table_to_which_nothing_was_written(tmp_path):
    schema = pa.table({"word": WORDS, "v": MATRIX.tolist()}).schema
    pa.parquet.ParquetWriter(tmp_path / "table.parquet", schema).close()
    refuses(tmp_path / "table.parquet", "got no vector in the first row")


@every_table
@pytest.mark.parametrize("size", [6, 60, -1, -200])
def test_tables_cut_short(tmp_path, save, size):
    save(pa.table({"word": WORDS, "v": MATRIX.tolist()}), tmp_path / "table")
    refuses(cut(tmp_path / "table", size, tmp_path), "damaged or cut short")
