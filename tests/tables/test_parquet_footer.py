"""The row groups of many small parquet files under one footer are one file that every reader takes."""

import io
from datetime import datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embtransfer.tables._parquet_footer import MAGIC, make_footer, move_row_group, row_groups, split_file

TABLE = pa.table(
    {
        "text": ["a", None, "é👍" * 100, ""] * 250,
        "n": pa.array([1, None, 3, -(2**40)] * 250, pa.int64()),
        "x": [0.5, None, float("nan"), float("inf")] * 250,
        "small": pa.array([True, False, None, True] * 250),
        "kind": pa.array(["red", "blue", None, "red"] * 250).dictionary_encode(),
        "tags": [["a", None], [], None, ["b"]] * 250,
        "meta": [{"x": 1, "y": ["u"]}, None, {"x": None, "y": None}, {"x": 2, "y": []}] * 250,
        "when": pa.array([datetime(2020, 1, 1), None] * 500, pa.timestamp("us")),
        "money": [Decimal("1.23"), None] * 500,
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(np.arange(3000, dtype=np.float32)), 3),
    },
    metadata={"ours": "kept"},
)


def join(tables, **options):
    def small(table):
        sink = io.BytesIO()
        with pq.ParquetWriter(sink, TABLE.schema, **options) as writer:
            if len(table):
                writer.write_table(table)
        return split_file(sink.getvalue())

    out, groups = bytearray(MAGIC), []
    for table in tables:
        body, footer = small(table)
        groups += [move_row_group(g, len(out) - 4, len(groups) + i) for i, g in enumerate(row_groups(footer))]
        out += body
    return bytes(out) + make_footer(small(TABLE[:0])[1], groups, sum(map(len, tables)))


OPTIONS = {
    "plain": {},
    "indexes": {"write_page_index": True, "write_statistics": True},
    "no dictionaries": {"use_dictionary": False, "compression": "zstd"},
    "old": {"version": "1.0", "compression": "none", "coerce_timestamps": "us"},
    "new pages": {"data_page_version": "2.0", "data_page_size": 100},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("size", [1000, 70])
def test_joined_files_read_as_one(tmp_path, options, size):
    path = tmp_path / "a.parquet"
    path.write_bytes(join([TABLE[i : i + size] for i in range(0, 1000, size)], **options))
    with pq.ParquetFile(path) as file:
        assert file.metadata.num_row_groups == -(-1000 // size)
        assert file.metadata.num_rows == 1000
        assert file.schema_arrow.field("kind").type == TABLE.schema.field("kind").type
        assert file.schema_arrow.metadata[b"ours"] == b"kept"
        assert file.read().to_pydict()["text"] == TABLE["text"].to_pylist()
    back = pq.read_table(path)
    for name in TABLE.column_names:
        assert str(back[name].to_pylist()) == str(TABLE[name].to_pylist()), name
    frame = pl.read_parquet(path)
    assert frame["text"].to_list() == TABLE["text"].to_pylist()
    assert frame["kind"].to_list() == TABLE["kind"].to_pylist()
    assert frame["meta"].to_list() == TABLE["meta"].to_pylist()
    some = pl.scan_parquet(path).filter(pl.col("n") == 3).collect()  # statistics of the right row group
    assert len(some) == 250


def test_filters_use_the_statistics_of_each_group(tmp_path):
    (tmp_path / "a.parquet").write_bytes(join([TABLE[:4], TABLE[4:6], TABLE[6:8]], write_page_index=True))
    found = pq.read_table(tmp_path / "a.parquet", filters=[("n", "=", 3)])
    assert len(found) == 2


def test_no_rows(tmp_path):
    (tmp_path / "a.parquet").write_bytes(join([]))
    back = pq.read_table(tmp_path / "a.parquet")
    pq.write_table(TABLE[:0], tmp_path / "b.parquet")
    assert back.schema.equals(pq.read_schema(tmp_path / "b.parquet"), check_metadata=True)
    assert len(back) == 0


def test_more_groups_than_an_ordinal_can_count(tmp_path):
    sink = io.BytesIO()
    pq.write_table(pa.table({"n": [7]}), sink)
    body, footer = split_file(sink.getvalue())
    out = bytearray(MAGIC)
    groups = []
    n = 2**15 + 10
    for i in range(n):
        groups.append(move_row_group(row_groups(footer)[0], len(out) - 4, i))
        out += body
    (tmp_path / "a.parquet").write_bytes(bytes(out) + make_footer(footer, groups, n))
    with pq.ParquetFile(tmp_path / "a.parquet") as file:
        assert (file.metadata.num_row_groups, file.metadata.num_rows) == (n, n)
        some = [0, 2**15 - 1, 2**15, n - 1]
        assert file.read_row_groups(some)["n"].to_pylist() == [7] * len(some)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"\xff" * 20 + b"PAR1", b"text that is no parquet"])
def test_what_is_no_file(data):
    with pytest.raises(ValueError, match="no whole parquet file"):
        split_file(data)
