"""A block of a table as rows: texts for the model, columns to carry through, and rows that are malformed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from .._texts import check_texts, is_text_type
from ..kernels._table_rows import byte_array, count_lines
from ._blocks import Block, Source
from ._csv_rows import Rejected, read_csv
from ._json_lines import AS_JSON, is_utf8, json_column, parse, parse_line, split
from ._partitions import add_partition


@dataclass(frozen=True)
class Rows:
    """Rows of a block in order: `texts`, and what is carried through, a table or objects of JSON."""

    texts: Any  # pyarrow.Array, an array of vectors, a pyarrow.Table of both, or None
    table: Any = None  # pyarrow.Table or None
    objects: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None  # bytes, starts, ends
    rejected: list[Rejected] = field(default_factory=list)
    n_read: int = 0
    n_lines: int = 0


def is_binary(kind: pa.DataType) -> bool:
    """Whether a pyarrow type is of bytes of any length."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)


def plain_texts(column: pa.ChunkedArray) -> pa.Array:
    """A column as one Arrow array of texts; missing is empty.

    Raises
    ------
    TypeError
        If it is a column of something else.
    """
    if not (is_text_type(column.type) or is_binary(column.type) or pa.types.is_null(column.type)):
        raise TypeError(f"Got a column of {column.type} as texts. Expected a column of strings.")
    texts = check_texts(column.cast(pa.large_string()) if is_binary(column.type) else column)
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        texts = texts.cast(pa.large_string())
    return texts.fill_null("") if texts.null_count else texts


def read_rows(
    source: Source, block: Block, text_column: str | None, carried, schema=None, added=(), vectors=None
) -> Rows:
    """Rows of a block of any kind.

    Parameters
    ----------
    source, block
    text_column : str or None
        None where no column is to be of texts.
    carried : list of str or None
        Columns to carry through. None for jsonl, whose objects then stay as they stand.
    schema : pyarrow.Schema, default=None
        For jsonl that is to become a table.
    added : list of str, default=()
        Names that objects of jsonl must not have already.
    vectors : Vectors or ModelTable, default=None
        A column of vectors instead of texts, or several columns of either; no vectors of csv.
    """
    partition = source.partitions[block.file]
    if source.kind == ".jsonl":
        own = schema and pa.schema([one for one in schema if one.name not in partition])
        rows = read_jsonl(block.data, text_column, carried, own, added, vectors)
        n_rows, names = rows.n_read - len(rows.rejected), [] if schema is None else schema.names
        return replace(rows, table=add_partition(rows.table, partition, names, n_rows))
    of_model = [text_column] if text_column else vectors.names if vectors else []
    wanted, texts = list(dict.fromkeys([*carried, *of_model])), None
    own = [name for name in wanted if name not in partition]
    if source.kind == ".csv":
        names, delimiter = source.names[block.file], source.delimiters[block.file]
        table, rejected = read_csv(block.data, names, own, delimiter, block.unclosed)
        n_lines = count_lines(byte_array(block.data))
        texts, wrong = vectors.read_table(table) if vectors else (None, {})
        if wrong:
            table, rejected = read_csv(block.data, names, own, delimiter, block.unclosed, wrong)
            texts = vectors.read_table(table)[0]
    else:
        table, rejected, texts = _read_parquet(block.data, own, text_column, schema, vectors)
        n_lines = block.data.num_rows
    table = add_partition(table, partition, wanted, table.num_rows)
    texts = texts if text_column is None else plain_texts(table[text_column])
    carried = _one_chunk(table.select(carried))
    return Rows(texts, carried, None, rejected, table.num_rows + len(rejected), n_lines)


def _read_parquet(table, wanted, text_column, schema, vectors):
    """Rows of a block of parquet, those that are malformed, and vectors, if some are wanted.

    BINARY, by which old writers mean text, has to be text in the texts' column, and where the schema says so.
    """
    of_text = {
        text_column,
        *(vectors.texts if vectors else ()),
        *(field.name for field in schema if field.type == pa.string()),
    }
    asked = [name for name in wanted if name in of_text]
    binary, rejected = [name for name in asked if is_binary(table.schema.field(name).type)], {}
    for name in binary:
        try:
            table[name].cast(pa.string())
        except pa.ArrowInvalid:
            for row, value in enumerate(table[name].to_pylist()):
                if value is not None and not is_utf8(pa.py_buffer(value)):
                    rejected[row] = Rejected(row, f"not UTF-8 in {name!r}", value)
    rows, wrong = vectors.read_table(table) if vectors else (None, {})
    for row, reason in wrong.items():
        raw = ", ".join(str(table[name][row]) for name in vectors.names)
        rejected[row] = Rejected(row, reason, raw.encode())
    if rejected:
        table = table.filter(pa.array([row not in rejected for row in range(table.num_rows)]))
        rows = vectors.read_table(table)[0] if vectors else None
    for name in binary:
        if name in schema.names and schema.field(name).type == pa.string():
            table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.string()))
    return table, [rejected[row] for row in sorted(rejected)], rows


def _one_chunk(table):
    if any(pa.types.is_dictionary(field.type) for field in table.schema):
        table = table.unify_dictionaries()
    return table.combine_chunks()


def read_jsonl(
    data: pa.Buffer,
    text_column: str | None,
    carried: list[str] | None,
    schema,
    added: list[str],
    vectors=None,
) -> Rows:
    """Rows of a block of jsonl: as they stand, with the `carried` fields alone, or as a table of `schema`.

    Raises
    ------
    ValueError
        If a row has a field named as one that is `added`.
    """
    bytes_, starts, ends, lines, n_lines = split(data)
    n, whole = len(starts), data.to_pybytes()

    def line(row):
        return whole[starts[row] : ends[row]]

    as_it_stands = carried is None and schema is None
    as_columns = schema is not None and all(field.metadata != AS_JSON for field in schema)
    columns = {} if text_column is None else {text_column: pa.field(text_column, pa.large_string())}
    if vectors is not None:
        columns = dict(vectors.fields)
    if as_columns:
        columns |= {field.name: field for field in schema}
    parsed = parse(data, bytes_, starts, ends, pa.schema(columns.values()), "ignore") if columns else None
    nulls, of_model = np.zeros(n, bool), None
    if parsed is not None:
        for name in [text_column] if text_column else vectors.texts if vectors else ():
            nulls |= parsed[name].chunk(0).is_null().to_numpy(zero_copy_only=False)
    if vectors is not None and parsed is not None:
        of_model, wrong = vectors.read_table(parsed)
        nulls[list(wrong)] = True
    found: dict[int, Any] = {}  # row -> object, where it was looked at
    rejected: list[Rejected] = []
    kept: Any = slice(None)
    suspects: Iterable[int] = range(n)
    if parsed is not None and (as_columns or (as_it_stands and not _names_in(whole, added))):
        suspects = set(np.flatnonzero(nulls))
    for row in suspects:
        value, reason = _parse_object(line(row), text_column, vectors)
        if reason:
            rejected.append(Rejected(int(lines[row]), reason, line(row)))
        else:
            check_added(value, added if as_it_stands else [])
        found[row] = value
    if rejected:
        kept = [row for row in range(n) if row not in found or found[row] is not None]
        parsed = None if parsed is None else parsed.take(pa.array(kept, pa.int64()))
    good = [value for value in found.values() if value is not None]
    texts, table = of_model, None
    if vectors is not None and (rejected or parsed is None):
        own = parsed
        if parsed is None:
            own = pa.table({name: json_column(good, one) for name, one in vectors.fields.items()})
        texts = vectors.read_table(own)[0]
    objects: tuple | None = (bytes_, starts[kept], ends[kept])
    if text_column is not None and parsed is not None:
        texts = plain_texts(parsed[text_column])
    elif text_column is not None:
        texts = plain_texts(pa.array([row[text_column] for row in good], pa.large_string()))
    if schema is not None:
        objects = None
        if as_columns and parsed is not None:
            values = [parsed[column.name].combine_chunks() for column in schema]
        else:
            values = [json_column(good, column) for column in schema]
        table = pa.table(values, schema=schema)
    elif carried is not None:
        objects = _dump(good, carried)
    return Rows(texts, table, objects, sorted(rejected, key=lambda r: r.line), n, n_lines)


def check_added(names, added: list[str]) -> None:
    """Refuse columns to add that are there.

    Raises
    ------
    ValueError
        If there is one.
    """
    for name in added:
        if name in names:
            raise ValueError(
                f"The input has a column {name!r} already. Choose another name for the output "
                "(output_column, --output-column), or leave that column out (columns, --columns)."
            )


def _names_in(data, names):
    return any(json.dumps(name).encode() in data or f'"{name}"'.encode() in data for name in names)


def _parse_object(line, text_column, vectors=None):
    """The object of a line, or what is wrong with it."""
    value, reason = parse_line(line)
    if reason:
        return None, reason
    if not isinstance(value, dict):
        return None, f"got {type(value).__name__}. Expected an object"
    reason = vectors.wrong_in(value) if vectors else wrong_text(value, text_column) if text_column else None
    return (None, reason) if reason else (value, None)


def wrong_text(row: dict, name: str) -> str | None:
    """Why an object of JSON has no text, or null, in a field, if so."""
    if name not in row:
        return f"got an object without {name!r}"
    text = row[name]
    if text is not None and not isinstance(text, str):
        return f"got {type(text).__name__} in {name!r}. Expected a string"
    return None


def _dump(objects, carried):
    """Objects with the carried fields alone, as JSON."""
    picked = [{name: value[name] for name in carried if name in value} for value in objects]
    lines = [json.dumps(value, ensure_ascii=False).encode() for value in picked]
    ends = np.cumsum([len(line) for line in lines], dtype=np.int64)
    return byte_array(b"".join(lines)), ends - [len(line) for line in lines] if lines else ends, ends
