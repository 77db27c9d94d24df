"""Blocks of scored rows as finished bytes of csv, jsonl or parquet, to be put one after the other."""

import json
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from .._texts import text_buffers
from ..kernels._table_rows import join_objects, quoted_json, quoted_json_size
from ._parquet_footer import MAGIC, make_footer, row_groups, split_file
from ._rows import Rows

_GROUP_ROWS = 100_000  # most rows of a parquet row group, which readers hold at a time
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_VIEWS = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}  # csv does not take them
_GZIP_LEVEL = 5  # a third faster than the usual 6, files 2 % larger


class Writer:
    """Turns rows and the columns added to them into bytes.

    Parameters
    ----------
    kind : {".csv", ".tsv", ".jsonl", ".parquet"}
    codec : {None, "gzip", "zstd"}
        Each block is a member (gzip) or frame (zstd) of its own; together they are one valid file.
    schema : pyarrow.Schema
        Of the carried columns; empty where objects of jsonl are carried.
    added : pyarrow.Schema
    """

    def __init__(self, kind, codec, schema, added):
        self.kind, self.codec = kind, codec
        self.schema = pa.schema([*(schema or ()), *added], schema.metadata if schema else None)
        if kind == ".parquet":
            _, self.footer = split_file(_parquet(self.schema.empty_table()))

    def begin(self) -> bytes:
        """Bytes before the first block."""
        if self.kind == ".parquet":
            return MAGIC
        if self.kind in _DELIMITERS:
            return self._packed(self._csv(self.schema.empty_table(), include_header=True))
        return self._packed(b"") if self.codec else b""

    def block(self, rows: Rows, added: dict[str, pa.Array]) -> tuple[memoryview | bytes, list[dict]]:
        """Bytes of one block, and its row groups where it is parquet."""
        if self.kind == ".jsonl":
            data = _objects(rows, added) if rows.objects else _records(rows.table, added, len(rows.texts))
            return self._packed(data), []
        if not len(rows.texts):
            return b"", []
        fields = [*rows.table.schema, *(pa.field(name, values.type) for name, values in added.items())]
        table = pa.table([*rows.table.columns, *added.values()], pa.schema(fields))
        if self.kind in _DELIMITERS:
            return self._packed(self._csv(table, include_header=False)), []
        body, footer = split_file(_parquet(table.cast(self.schema)))
        return body, row_groups(footer)

    def end(self, groups: list[bytes], n_rows: int) -> bytes:
        """Bytes after the last block; `groups` of `move_row_group`."""
        return make_footer(self.footer, groups, n_rows) if self.kind == ".parquet" else b""

    def _csv(self, table, include_header):
        sink = pa.BufferOutputStream()
        options = pa_csv.WriteOptions(include_header=include_header, delimiter=_DELIMITERS[self.kind])
        pa_csv.write_csv(_flat(table), sink, options)
        return sink.getvalue()

    def _packed(self, data):
        if self.codec == "gzip":
            packer = zlib.compressobj(_GZIP_LEVEL, wbits=31)  # a header without time and name: the same bytes
            return packer.compress(data) + packer.flush()
        return pa.Codec("zstd").compress(data, asbytes=True) if self.codec else memoryview(data)


def _flat(table):
    for i, field in enumerate(table.schema):
        if field.type in _VIEWS or pa.types.is_dictionary(field.type):
            plain = _VIEWS.get(field.type) or field.type.value_type
            table = table.set_column(i, field.name, table.column(i).cast(plain))
        elif pa.types.is_nested(field.type):
            text = [None if v is None else json.dumps(v, default=_plain) for v in table.column(i).to_pylist()]
            table = table.set_column(i, field.name, pa.array(text, pa.string()))
    return table


def _parquet(table):
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema) as writer:
        if table.num_rows:
            writer.write_table(table, row_group_size=_GROUP_ROWS)
    return sink.getvalue()


def _objects(rows, added):
    """Objects of jsonl with fields added at their end; their own bytes stay as they are."""
    data, starts, ends = rows.objects
    offsets, more = _fields(added, ", ", len(starts))
    out = np.empty(int((ends - starts).sum()) + len(more), np.uint8)
    size = join_objects(data, starts, ends, more, offsets, out)
    return out[:size]


def _records(table, added, n_rows):
    columns = {name: table[name].combine_chunks() for name in table.schema.names} | added
    _, data = _fields(columns, "{", n_rows)
    return data


def _fields(columns, begin, n_rows):
    """For each row the fields as JSON, from `begin` to the object's end and LF: offsets and bytes."""
    if not n_rows:
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    pieces = []
    for name, values in columns.items():
        pieces += [
            f"{begin if not pieces else ', '}{json.dumps(name, ensure_ascii=False)}: ",
            _as_json(values),
        ]
    if not pieces:
        pieces = [pa.array([begin] * n_rows)]
    texts = [
        pa.scalar(p, pa.large_string()) if isinstance(p, str) else p.cast(pa.large_string()) for p in pieces
    ]
    end = pa.scalar("}\n", pa.large_string())
    joined = pc.binary_join_element_wise(*texts, end, pa.scalar("", pa.large_string()))
    data, offsets = text_buffers(joined)
    return offsets - offsets[0], data[offsets[0] : offsets[-1]]


def _as_json(values):
    """A column's values as JSON, each a text."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _as_json(values.dictionary).take(values.indices).fill_null("null")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _quoted(values)
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return values.cast(pa.string()).fill_null("null")
    if pa.types.is_floating(kind):
        return _numbers(values).fill_null("null")
    if pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type) and not values.null_count:
        size = kind.list_size
        flat_values = _numbers(values.flatten()).fill_null("null")
        offsets = pa.array(np.arange(0, size * len(values) + 1, size), pa.int32())
        lists = pa.ListArray.from_arrays(offsets, flat_values)
        return pc.binary_join_element_wise("[", pc.binary_join(lists, ", "), "]", "")
    texts = [json.dumps(value, ensure_ascii=False, default=_plain) for value in values.to_pylist()]
    return pa.array(texts, pa.large_string())


def _plain(value):
    """Text for what JSON has no form for; bytes are text where they can be."""
    try:
        return value.decode()
    except (AttributeError, UnicodeDecodeError):
        return str(value)


def _numbers(values):
    """Numbers that read back the same, whole ones with ".0"; NaN and Infinity as Python's json has them."""
    texts = values.cast(pa.string())
    whole = pc.match_substring_regex(texts, r"^-?\d+$")
    if pc.any(whole).as_py():
        texts = pc.if_else(whole, pc.binary_join_element_wise(texts, ".0", ""), texts)
    if not pc.all(pc.is_finite(values), skip_nulls=True).as_py():
        texts = pc.replace_substring(pc.replace_substring(texts, "nan", "NaN"), "inf", "Infinity")
    return texts


def _quoted(values):
    missing = values.is_null() if values.null_count else None
    texts = values.cast(pa.large_string()).fill_null("")
    data, offsets = text_buffers(texts)
    part = data[offsets[0] : offsets[-1]]
    out = np.empty(quoted_json_size(part, len(texts)), np.uint8)
    out_offsets = np.empty(len(texts) + 1, np.int64)
    quoted_json(part, offsets - offsets[0], out, out_offsets)
    buffers = [None, pa.py_buffer(out_offsets), pa.py_buffer(out)]
    quoted = pa.Array.from_buffers(pa.large_string(), len(texts), buffers)
    return quoted if missing is None else pc.if_else(missing, "null", quoted)
