"""Lines of JSON as Arrow batches of one schema."""

import json
from itertools import islice

import pyarrow as pa

_SURROGATE_MARKS = (b"\\ud", b"\\uD", b"\xed")
_LONGEST = 1 << 29  # bytes of a line, as in _blocks
AS_JSON = {b"embtransfer": b"json"}  # marks a text column whose values are JSON


def read_jsonl(path, batch_size):
    """Two passes: the first finds every column and a type that holds all its values.

    Values that fit no one type become JSON text, in columns whose field says so; the jsonl writer turns
    them back.
    """
    kinds: dict[str, set] = {}
    for row in _json_rows(path):
        add_kinds(row, kinds)
    schema = schema_of(kinds)
    rows = _json_rows(path)
    while batch := list(islice(rows, batch_size)):
        yield pa.RecordBatch.from_arrays([json_column(batch, field) for field in schema], schema=schema)
    if not schema.names:
        yield pa.RecordBatch.from_pylist([], schema)


def add_kinds(row: dict, kinds: dict[str, set]) -> None:
    """Add the kinds of values of an object to those of its fields."""
    for name, value in row.items():
        kinds.setdefault(name, set()).add(_kind(value))


def schema_of(kinds: dict[str, set]) -> pa.Schema:
    """Columns for the kinds of values that fields have."""
    return pa.schema([_json_field(name, found - {None}) for name, found in kinds.items()])


def line_blocks(file, name, size=1 << 20):
    """Yield the bytes of a file in blocks of whole lines."""
    rest = []  # joined once, so that a long line takes no longer than its length
    while data := file.read(size):
        lines, end, last = data.rpartition(b"\n")
        if end:
            yield b"".join((*rest, lines, end))
            rest = [last]
        else:
            rest.append(data)
            if len(rest) * size > _LONGEST:
                raise ValueError(f"{name} has a line longer than {_LONGEST >> 20} MB.")
    if any(rest):
        yield b"".join(rest)


def _json_rows(path):
    with open(path, "rb") as file:
        for number, row, error in parsed_lines(file):
            if error:
                raise ValueError(f"{path}, line {number}: got no JSON ({error}).") from None
            if not isinstance(row, dict):
                raise ValueError(f"{path}, line {number}: got {type(row).__name__}. Expected an object.")
            yield row


def parsed_lines(lines):
    """Yield number, value, error for each line that is not blank."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = problem = None
        try:
            row = json.loads(line)
            if any(mark in line for mark in _SURROGATE_MARKS):  # JSON has lone surrogates, UTF-8 has not
                row = json.loads(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            problem = error
        yield number, row, problem


def _kind(value):
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return "long" if -(2**63) <= value < 2**63 else "other"
    return {type(None): None, str: "text", bool: "bool", int: "int", float: "float"}.get(type(value), "other")


def _json_field(name, kinds):
    for type_, fits in (
        (pa.string(), {"text"}),
        (pa.bool_(), {"bool"}),
        (pa.int64(), {"int", "long"}),
        (pa.float64(), {"int", "float"}),  # a long integer would lose digits
    ):
        if kinds <= fits:
            return pa.field(name, type_)
    return pa.field(name, pa.string(), metadata=AS_JSON)


def json_column(rows, field):
    """Values of one field of objects, by the field's type."""
    values = (row.get(field.name) for row in rows)
    if field.metadata == AS_JSON:
        values = (None if value is None else json.dumps(value) for value in values)
    return pa.array(values, field.type)
