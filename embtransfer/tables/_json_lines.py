"""Blocks of lines of JSON by pyarrow's parser, which is taken only where it agrees with Python's."""

import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.json as pa_json

from ..kernels._table_rows import byte_array, split_lines

AS_JSON = {b"embtransfer": b"json"}  # marks a text column whose values are JSON
_LF = 10
_EXACT = 2**53  # whole numbers up to it are float64 exactly
_ROOM = 32  # bytes of columns for each byte of lines: a name of its own in each line would fill memory


def split(data: pa.Buffer):
    """Bytes of a block, and of its lines that are not blank starts, ends and numbers; the number of all."""
    bytes_ = byte_array(data)
    n_lines = int(np.count_nonzero(bytes_ == _LF))
    starts, ends, numbers = (np.empty(n_lines + 1, np.int64) for _ in range(3))
    n = split_lines(bytes_, starts, ends, numbers)
    return bytes_, starts[:n], ends[:n], numbers[:n], n_lines


def parse(data: pa.Buffer, bytes_, starts, ends, schema: pa.Schema, others: str) -> pa.Table | None:
    """The lines as a table; nothing where a line may not be one object of such columns by Python's json.

    Parameters
    ----------
    data, bytes_, starts, ends
        As `split` gives them.
    schema : pa.Schema
        Types to read: string, bool, int64 or float64.
    others : {"ignore", "error"}
        What is done with columns that the schema lacks.
    """
    if not len(starts) or (bytes_[starts] != ord("{")).any() or (bytes_[ends - 1] != ord("}")).any():
        return None
    if len(schema) * len(starts) * 8 > _ROOM * len(data) or not is_utf8(data):
        return None
    read = pa_json.ReadOptions(use_threads=False, block_size=len(data) + 1)
    options = pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=others)
    try:
        table = pa_json.read_json(pa.BufferReader(data), read, options)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    # no object ends with "}" at a line's end and goes on with "{": as many objects as lines are one a line
    if table.num_rows != len(starts):
        return None
    table = table.select(schema.names).combine_chunks()
    return None if any(_rounded(column) for column in table.columns) else table


def _rounded(column):
    """Whether a whole number in a column of float64 may be another one there: 2**53 + 1 is 2**53; or -0."""
    if column.type != pa.float64():
        return False
    values = column.to_numpy()
    return bool((np.abs(values) >= _EXACT).any() or (np.signbit(values) & (values == 0)).any())


def is_utf8(data: pa.Buffer) -> bool:
    offsets = pa.py_buffer(np.array([0, len(data)], np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, data]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def parse_line(line: bytes) -> tuple[object, str | None]:
    """The value of a line, or why it has none."""
    try:
        value = json.loads(line.decode())
        if b"\\ud" in line or b"\\uD" in line:  # JSON has lone surrogates, UTF-8 has not
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except UnicodeDecodeError:
        return None, "got no JSON (not UTF-8)"
    except (ValueError, RecursionError) as error:
        return None, f"got no JSON ({error})"
    return value, None


def json_column(rows: list[dict], field: pa.Field) -> pa.Array:
    """Values of one field of objects, by the field's type."""
    values = (row.get(field.name) for row in rows)
    if field.metadata == AS_JSON:
        values = (None if value is None else json.dumps(value) for value in values)
    return pa.array(values, field.type)


def jsonl_schema(blocks: Iterable[pa.Buffer], text_column: str | None = None) -> pa.Schema:
    """Schema of all fields of the lines of blocks, by one pass over them; malformed lines are passed over.

    Values that fit no one type are text of JSON, in a column whose field says so (`AS_JSON`). The texts are a
    string column, and there even if there are no rows.
    """
    kinds: dict[str, set] = {}
    for data in blocks:
        if not _is_known(data, kinds):
            _learn(data, kinds)
    schema = _schema_of(kinds)
    if text_column is None:
        return schema
    text, at = pa.field(text_column, pa.string()), schema.get_field_index(text_column)
    return schema.append(text) if at < 0 else schema.set(at, text)


def _is_known(data, kinds):
    """Whether the lines of a block have nothing but the kinds of values that lines before them had."""
    schema = _schema_of(kinds)
    if not kinds or any(field.metadata == AS_JSON for field in schema):
        return False
    bytes_, starts, ends, _, _ = split(data)
    table = parse(data, bytes_, starts, ends, schema, "error")
    return table is not None and not any(
        _is_long(table[name]) for name, found in kinds.items() if "long" not in found
    )


def _is_long(column):
    if column.type != pa.int64() or column.null_count == len(column):
        return False
    values = column.drop_null().to_numpy()
    return bool((np.abs(values) > _EXACT).any() or values.min() < -_EXACT)


def _learn(data, kinds):
    """Add the kinds of values that fields of objects have."""
    for line in data.to_pybytes().split(b"\n"):
        row = parse_line(line)[0] if line.strip() else None
        for name, value in row.items() if isinstance(row, dict) else ():
            kinds.setdefault(name, set()).add(_kind(value))


def _kind(value):
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _EXACT:
        return "long" if -(2**63) <= value < 2**63 else "other"
    return {type(None): None, str: "text", bool: "bool", int: "int", float: "float"}.get(type(value), "other")


def _schema_of(kinds):
    return pa.schema([_field(name, found - {None}) for name, found in kinds.items()])


def _field(name, kinds):
    for type_, fits in (
        (pa.string(), {"text"}),
        (pa.bool_(), {"bool"}),
        (pa.int64(), {"int", "long"}),
        (pa.float64(), {"int", "float"}),  # a long integer would lose digits
    ):
        if kinds <= fits:
            return pa.field(name, type_)
    return pa.field(name, pa.string(), metadata=AS_JSON)
