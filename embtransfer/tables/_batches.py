"""Batches of csv, jsonl and parquet tables, in and out; memory stays that of one batch."""

import csv
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ._files import stamp
from ._jsonl import AS_JSON, read_jsonl

FORMATS = (".csv", ".jsonl", ".parquet")
_CSV_BLOCK = 1 << 26  # bytes; pyarrow needs each csv row to fit one block


def read_columns(path, columns: list[str], batch_size: int = 10_000) -> list[list]:
    """Read whole columns of a table as lists; missing values are None.

    Raises
    ------
    ValueError
        If the format is unknown, a column is missing or the file is damaged.
    OSError
        If the file cannot be read.
    """
    result: list[list] = [[] for _ in columns]
    for batch in iter_batches(path, batch_size, columns):
        for values, column in zip(result, columns, strict=True):
            values.extend(column_values(batch, column))
    return result


def column_values(batch: pa.RecordBatch, column: str) -> list:
    """Values of one column as Python objects, JSON text turned back."""
    values = batch.column(column).to_pylist()
    if batch.schema.field(column).metadata == AS_JSON:
        return [None if value is None else json.loads(value) for value in values]
    return values


def column_texts(batch: pa.RecordBatch, column: str) -> pa.Array | list:
    """A column for an embedder: as Arrow, or as `column_values` where not all are texts."""
    return (
        column_values(batch, column)
        if batch.schema.field(column).metadata == AS_JSON
        else batch.column(column)
    )


def column_names(path) -> list[str]:
    """Names of a table's columns; errors as in `read_columns`."""
    return next(iter_batches(path)).schema.names


def iter_batches(path, batch_size: int = 10_000, columns: list[str] = ()) -> Iterator[pa.RecordBatch]:
    """Yield a table's rows in order, batch by batch, at least one batch even if there is no row.

    Columns of csv come as text, exactly as they stand; those of jsonl and parquet with their types. What
    fits no one type in jsonl comes as JSON text.

    Parameters
    ----------
    path : str or path
        A file ending in .csv, .jsonl or .parquet.
    batch_size : int, default=10_000
        Most rows a batch.
    columns : list of str, default=()
        Columns that must be there; all are read.

    Raises
    ------
    ValueError, OSError
        As in `read_columns`, and if the file changes meanwhile.
    """
    path = Path(path)
    suffix = _suffix(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    reader = {".csv": _read_csv, ".jsonl": read_jsonl, ".parquet": _read_parquet}[suffix]
    before = stamp(path)
    try:
        for batch in reader(path, batch_size):
            if not batch.schema.names and suffix == ".jsonl":  # no rows: nothing tells the columns
                batch = _no_rows(columns)
            check_columns(path, batch.schema.names, columns)
            for start in range(0, max(batch.num_rows, 1), batch_size):
                yield batch.slice(start, batch_size)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        check_unchanged(path, before)
        if "straddl" in str(error):
            error = f"it has a row longer than {_CSV_BLOCK >> 20} MB. Write it as .jsonl or .parquet"
        elif "invalid UTF8" in str(error):
            error = f"it is not UTF-8 ({error}). Save it as UTF-8"
        raise ValueError(f"{path} is damaged: {error}") from None
    except OSError as error:
        raise OSError(f"{path}: {error}") from error
    check_unchanged(path, before)


def check_unchanged(path, before) -> None:
    """Refuse a file whose `stamp` is another than before: its rows may be of two files.

    Raises
    ------
    ValueError, FileNotFoundError
    """
    if stamp(path) != before:
        raise ValueError(f"{path} changed while it was read. Leave it in peace, and begin anew.")


def _no_rows(names):
    return pa.RecordBatch.from_pylist([], pa.schema([(name, pa.string()) for name in names]))


def _suffix(path):
    if path.suffix not in FORMATS:
        raise ValueError(f"Got {path.name!r}. Expected a file that ends in one of: {', '.join(FORMATS)}.")
    return path.suffix


def check_columns(path, names, wanted):
    for name in wanted:
        if name not in names:
            hint = (
                " Fields of csv are parted by commas."
                if any(";" in name or "\t" in name for name in names)
                else ""
            )
            raise ValueError(f"Got column {name!r}, but {path.name} has columns: {', '.join(names)}.{hint}")
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"{path.name} has more than one column named {', '.join(sorted(repeated))}.")


def _read_csv(path, batch_size):
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty. Expected a header line.")
    read = pa_csv.ReadOptions(block_size=_CSV_BLOCK, use_threads=False)  # threads read far ahead
    try:
        with pa_csv.open_csv(path, read, pa_csv.ParseOptions(newlines_in_values=True)) as reader:
            names = reader.schema.names
    except pa.ArrowInvalid as error:
        names = _lone_header(path) if "Empty CSV" in str(error) else []
        if not names:
            raise
        yield _no_rows(names)
        return
    # one column: an empty line is a row with an empty text; more: it can only be padding
    parse = pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(names) > 1)
    as_text = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=False,
        quoted_strings_can_be_null=False,
    )
    last = None
    with pa_csv.open_csv(path, read, parse, as_text) as reader:
        yield pa.RecordBatch.from_pylist([], reader.schema)
        for batch in reader:
            if batch.num_rows:
                last = batch.column(batch.num_columns - 1)[-1]
            yield batch
    if last is not None and "\n" in last.as_py() and not _ends_with_quote(path):
        raise ValueError(f"{path} is damaged: a quote that opens in its last row never closes.")


def _lone_header(path):
    """Column names of a csv file of one line without an end, which pyarrow refuses; else nothing."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        try:
            lines = list(islice(csv.reader(file), 2))
        except csv.Error as error:
            raise ValueError(f"{path} is damaged: its header cannot be read ({error}).") from None
    return lines[0] if len(lines) == 1 else []


def _ends_with_quote(path):
    with open(path, "rb") as file:
        file.seek(max(path.stat().st_size - (1 << 16), 0))
        return file.read().rstrip().endswith(b'"')


def _read_parquet(path, batch_size):
    with pq.ParquetFile(path) as file:
        yield pa.RecordBatch.from_pylist([], file.schema_arrow)
        if file.num_row_groups:  # pyarrow 18 refuses a file of none, which a writer leaves that got no rows
            yield from file.iter_batches(batch_size)


@contextmanager
def open_writer(path):
    """Yield a function that writes one RecordBatch; the file appears at the end, or not at all.

    Raises
    ------
    ValueError
        If the format is unknown, or a batch has other columns or types than the first.
    OSError
        If the file cannot be written.
    """
    path = Path(path)
    writer = _WRITERS[_suffix(path)]
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        temporary.touch(exist_ok=False)
        with writer(temporary) as write:
            yield write
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _write_jsonl(path):
    with open(path, "w", encoding="utf-8", newline="\n") as file:

        def write(batch):
            names = batch.schema.names
            columns = [column_values(batch, name) for name in names]
            for values in zip(*columns, strict=True):
                row = dict(zip(names, values, strict=True))
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")

        yield write


def _arrow_writer(open_file):
    @contextmanager
    def writer(path):
        file = schema = None

        def write(batch):
            nonlocal file, schema
            if file is None:
                schema = batch.schema
                file = open_file(path, schema)
            if batch.schema.names != schema.names:
                raise ValueError(
                    f"Got columns {', '.join(batch.schema.names)} after {', '.join(schema.names)}. "
                    "Write to .jsonl, where rows may differ."
                )
            for old, new in zip(schema, batch.schema, strict=True):
                if new.type != old.type and not pa.types.is_null(new.type):
                    raise ValueError(f"Column {old.name!r} changes from {old.type} to {new.type}.")
            file.write(pa.Table.from_batches([batch]).cast(schema))

        try:
            yield write
        finally:
            if file is not None:
                file.close()

    return writer


class _CSVFile:
    """A csv writer that turns nested values, which csv cannot hold, into JSON text."""

    def __init__(self, path, schema):
        self.writer = pa_csv.CSVWriter(path, flat(schema.empty_table()).schema)

    def write(self, table):
        self.writer.write(flat(table))

    def close(self):
        self.writer.close()


def flat(table):
    for i, field in enumerate(table.schema):
        if pa.types.is_string_view(field.type) or pa.types.is_dictionary(field.type):
            plain = pa.string() if pa.types.is_string_view(field.type) else field.type.value_type
            table = table.set_column(i, field.name, table.column(i).cast(plain))
        elif pa.types.is_nested(field.type):
            text = [None if v is None else json.dumps(v, default=str) for v in table.column(i).to_pylist()]
            table = table.set_column(i, field.name, pa.array(text, pa.string()))
    return table


_WRITERS = {
    ".csv": _arrow_writer(_CSVFile),
    ".jsonl": _write_jsonl,
    ".parquet": _arrow_writer(pq.ParquetWriter),
}
