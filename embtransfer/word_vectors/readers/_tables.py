"""Tables: parquet and Arrow files with a column of words and their numbers; an index of words in parquet."""

from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..._texts import is_text_type
from ._blocks import as_block, block_rows
from ._stored_table import StoredTable

_DAMAGED = (pa.ArrowException, OSError, UnicodeDecodeError)


def read_table(path: Path, is_parquet: bool) -> StoredTable:
    import pyarrow.parquet

    try:
        if is_parquet:
            file = pyarrow.parquet.ParquetFile(path, memory_map=True)
            schema, n = file.schema_arrow, file.metadata.num_rows
        else:
            file = pa.ipc.open_file(pa.memory_map(str(path)))
            schema, n = file.schema, None
        names = schema.names  # fails where one is not UTF-8
    except _DAMAGED as error:
        raise ValueError(f"{path}: damaged or cut short ({error}).") from error
    text, numbers = _text_column(path, schema), _number_columns(path, schema)
    kind = schema.types[numbers[0]]
    d = len(numbers) if _is_number(kind) else kind.list_size if pa.types.is_fixed_size_list(kind) else None
    if is_parquet:
        wanted = [names[i] for i in (text, *numbers)]
        n_rows = 4096 if d is None else block_rows(max(d, 1))
        # pyarrow 18 refuses a file of no row group
        batches = file.iter_batches(n_rows, columns=wanted) if file.num_row_groups else iter(())
    else:
        batches = (file.get_batch(i) for i in range(file.num_record_batches))
    batches = (batch for batch in _guard(path, batches) if len(batch))
    first = next(batches, None)
    if d is None and first is not None:  # lists of any length: the first says which
        value = first.column(names[numbers[0]])[0]
        d = len(value) if value.is_valid else 0
    if first is None or not d:
        raise ValueError(f"{path}: got no vector in the first row. Expected at least one row of numbers.")
    blocks = _iter_table(path, chain([first], batches), names[text], [names[i] for i in numbers], d)
    return StoredTable(d, blocks, n)


def _guard(path, batches):
    """Batches that were checked; Arrow's own errors name the file."""
    try:
        for batch in batches:
            batch.validate(full=True)  # offsets in a damaged file may point anywhere
            yield batch
    except _DAMAGED as error:
        raise ValueError(f"{path}: damaged or cut short ({error}).") from error


def _iter_table(path, batches, text, numbers, d):
    start = 0
    for batch in batches:
        for begin in range(0, len(batch), block_rows(d)):
            block = batch.slice(begin, block_rows(d))
            words = _text(path, block.column(text), start)
            columns = [block.column(name) for name in numbers]
            yield (
                words,
                _list_rows(path, columns[0], d, start)
                if not _is_number(columns[0].type)
                else (_number_rows(path, columns, numbers, start)),
            )
            start += len(block)


def _list_rows(path, column, d, start):
    from pyarrow.compute import list_value_length

    _check_nulls(path, column, start, "vector")
    if not pa.types.is_fixed_size_list(column.type):
        lengths = list_value_length(column).to_numpy()
        if (lengths != d).any():
            row = int(np.argmax(lengths != d))
            raise ValueError(f"{path}, row {start + row}: got {lengths[row]} numbers, row 0 has {d}.")
    values = column.flatten()
    if values.null_count:
        row = start + int(np.argmax(values.is_null())) // d
        raise ValueError(f"{path}, row {row}: got a missing number. Fill or drop it.")
    return as_block(values.to_numpy().reshape(-1, d))


def _number_rows(path, columns, names, start):
    halves = all(pa.types.is_float16(column.type) for column in columns)
    rows = np.empty((len(columns[0]), len(columns)), np.float16 if halves else np.float32)
    for j, (column, name) in enumerate(zip(columns, names, strict=True)):
        _check_nulls(path, column, start, f"number in column {name!r}")
        with np.errstate(over="ignore"):
            rows[:, j] = column.to_numpy()
    return rows


def _text(path, column, start):
    _check_nulls(path, column, start, "word")
    column = column.cast(pa.large_string())
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _check_nulls(path, column, start, what):
    if column.null_count:
        row = start + int(np.argmax(column.is_null()))
        raise ValueError(f"{path}, row {row}: got a missing {what}. Fill or drop it.")


def _text_column(path, schema):
    texts = [i for i, kind in enumerate(schema.types) if is_text_type(kind)]
    if len(texts) != 1 or len(set(schema.names)) < len(schema.names):
        kinds = ", ".join(
            f"{name} ({kind})" for name, kind in list(zip(schema.names, schema.types, strict=True))[:10]
        )
        raise ValueError(
            f"{path}: got {len(texts)} columns of text among {kinds}. Expected exactly one, the words, "
            "and no name twice. Drop the others."
        )
    return texts[0]


def _is_number(kind):
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)


def _number_columns(path, schema):
    """The one column of lists, or all columns of numbers."""
    tests = pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list
    kinds = list(enumerate(schema.types))
    lists = [i for i, k in kinds if any(test(k) for test in tests) and _is_number(k.value_type)]
    numbers = [i for i, kind in kinds if _is_number(kind)]
    if len(lists) == 1:
        return lists  # numbers beside it are counts or the like
    floats = [i for i in numbers if pa.types.is_floating(schema.types[i])]
    if lists or not numbers or (floats and len(floats) < len(numbers)):
        kinds = ", ".join(f"{schema.names[i]} ({kind})" for i, kind in kinds[:10])
        raise ValueError(
            f"{path}: got columns {kinds}. Expected one column of lists of numbers, or columns of numbers of "
            "one kind, all of them the vector. Drop the others."
        )
    return numbers


def read_index(path: Path) -> pa.LargeStringArray:
    """Words of a parquet file; an integer column says which row each has."""
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
        table.validate(full=True)
    except _DAMAGED as error:
        raise ValueError(f"{path}: damaged or cut short ({error}).") from error
    words = _text(path, table.column(_text_column(path, table.schema)).combine_chunks(), 0)
    numbers = [i for i, kind in enumerate(table.schema.types) if pa.types.is_integer(kind)]
    if not numbers:
        return words
    if len(numbers) > 1:
        names = ", ".join(table.schema.names[i] for i in numbers)
        raise ValueError(f"{path}: got columns of integers {names}. Expected at most one, the row numbers.")
    rows = table.column(numbers[0]).to_numpy()
    order = np.argsort(rows, kind="stable")
    wrong = np.flatnonzero(rows[order] != np.arange(len(rows)))
    if len(wrong):
        row = int(order[wrong[0]])
        raise ValueError(
            f"{path}, row {row}: got row number {rows[row]} ({words[row].as_py()!r}). "
            f"Expected each of 0 to {len(rows) - 1:,} once."
        )
    return words.take(pa.array(order))
