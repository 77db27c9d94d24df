"""Batches of csv, jsonl and parquet tables, in and out; memory stays that of one batch."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

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
            values.extend(batch.column(column).to_pylist())
    return result


def column_names(path) -> list[str]:
    """Names of a table's columns (of a jsonl file: of its first rows); errors as in `read_columns`."""
    return next(iter_batches(path)).schema.names


def iter_batches(path, batch_size: int = 10_000, columns: list[str] = ()) -> Iterator[pa.RecordBatch]:
    """Yield a table's rows in order, batch by batch, at least one batch even if there is no row.

    Columns of csv come as text, exactly as they stand; those of jsonl and parquet with their types.

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
        As in `read_columns`.
    """
    path = Path(path)
    suffix = _suffix(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    reader = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}[suffix]
    try:
        for batch in reader(path, batch_size):
            _check_columns(path, batch.schema.names, columns)
            for start in range(0, max(batch.num_rows, 1), batch_size):
                yield batch.slice(start, batch_size)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def _suffix(path):
    if path.suffix not in FORMATS:
        raise ValueError(f"Got {path.name!r}. Expected a file that ends in one of: {', '.join(FORMATS)}.")
    return path.suffix


def _check_columns(path, names, wanted):
    for name in wanted:
        if name not in names:
            raise ValueError(f"Got column {name!r}, but {path.name} has columns: {', '.join(names)}.")
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"{path.name} has more than one column named {', '.join(sorted(repeated))}.")


def _read_csv(path, batch_size):
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty. Expected a header line.")
    read = pa_csv.ReadOptions(block_size=_CSV_BLOCK)
    with pa_csv.open_csv(path, read, pa_csv.ParseOptions(newlines_in_values=True)) as reader:
        names = reader.schema.names
    # one column: an empty line is a row with an empty text; more: it can only be padding
    parse = pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(names) > 1)
    as_text = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=False,
        quoted_strings_can_be_null=False,
    )
    with pa_csv.open_csv(path, read, parse, as_text) as reader:
        yield pa.RecordBatch.from_pylist([], reader.schema)
        yield from reader


def _read_jsonl(path, batch_size):
    rows: list[dict] = []
    names: dict[str, None] = {}
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (json.JSONDecodeError, UnicodeDecodeError) as error:
                raise ValueError(f"{path}, line {number}: got no JSON ({error}).") from error
            if not isinstance(row, dict):
                raise ValueError(f"{path}, line {number}: got {type(row).__name__}. Expected an object.")
            rows.append(row)
            if len(rows) == batch_size:
                yield _from_rows(path, rows, names, number)
                rows = []
    if rows or not names:
        yield _from_rows(path, rows, names, "the last")


def _from_rows(path, rows, names, last):
    for row in rows:
        names.update(dict.fromkeys(row))
    try:
        columns = [[row.get(name) for row in rows] for name in names]
        return pa.RecordBatch.from_arrays([_column(values) for values in columns], list(names))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(
            f"{path}, the {len(rows)} rows up to line {last}: a column mixes types ({error})."
        ) from error


def _column(values):
    try:
        return pa.array(values)
    except UnicodeEncodeError:  # lone surrogates, which JSON can spell and UTF-8 cannot
        return pa.array([v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values])


def _read_parquet(path, batch_size):
    with pq.ParquetFile(path) as file:
        yield pa.RecordBatch.from_pylist([], file.schema_arrow)
        yield from file.iter_batches(batch_size)


@contextmanager
def open_writer(path):
    """Yield a function that writes one RecordBatch; the file appears at the end, or not at all.

    Raises
    ------
    ValueError
        If the format is unknown, or a batch has other columns than the first.
    OSError
        If the file cannot be written.
    """
    path = Path(path)
    suffix = _suffix(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    try:
        with _WRITERS[suffix](temporary) as write:
            yield write
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def _write_jsonl(path):
    with open(path, "w", encoding="utf-8", newline="\n") as file:

        def write(batch):
            for row in batch.to_pylist():
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
        self.writer = pa_csv.CSVWriter(path, _flat(schema.empty_table()).schema)

    def write(self, table):
        self.writer.write(_flat(table))

    def close(self):
        self.writer.close()


def _flat(table):
    for i, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            text = [None if v is None else json.dumps(v, default=str) for v in table.column(i).to_pylist()]
            table = table.set_column(i, field.name, pa.array(text, pa.string()))
    return table


_WRITERS = {
    ".csv": _arrow_writer(_CSVFile),
    ".jsonl": _write_jsonl,
    ".parquet": _arrow_writer(pq.ParquetWriter),
}


def append_columns(batch: pa.RecordBatch, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """Return the batch with columns added at the right.

    Raises
    ------
    ValueError
        If the batch has a column of that name already.
    """
    for name, values in columns.items():
        if name in batch.schema.names:
            raise ValueError(f"The input has a column {name!r} already. Choose another name for the output.")
        batch = batch.append_column(name, values)
    return batch
