"""Tables of csv, jsonl and parquet as Arrow batches, one after the other: memory stays that of a block."""

import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ._blocks import Block, check_columns
from ._npy import open_source
from ._partitions import with_partition
from ._vectors import LISTS, Vectors

if TYPE_CHECKING:
    from ._model_table import ModelTable  # imports numba

_BLOCK_SIZE = 8 << 20  # bytes


class TableReader:
    """The rows of files in batches, as often as wanted; of stdin once.

    Parameters
    ----------
    source : str, path or list of these
        Files of one format, a folder of such, a pattern such as "logs/*.csv", or "-" for stdin, csv or jsonl.
        The endings are .csv, .tsv, .jsonl and .parquet; all but the last may be followed by .gz or .zst.
        Folders such as lang=en that the files lie in are columns.
    delimiter, encoding : str, default=None
        What parts the fields of csv, and the encoding of csv and jsonl, such as "cp1252". None: a mark at the
        beginning names the encoding, header and first row show the delimiter, or else it is UTF-8 with commas
        (.tsv: tabs). A mark counts more than what is given.
    vector_columns : list of str, default=()
        Names of columns that end in .npy are of files beside those of csv: see `_npy.open_source`.

    Attributes
    ----------
    name : str
    schema : pyarrow.Schema
        Of all columns. Those of csv are text, exactly as it stands; those of jsonl and parquet have types.
        What fits no one type in jsonl is text of JSON; BINARY of parquet is text.

    Raises
    ------
    ValueError
        If the format is unknown, files differ in columns, or one is damaged.
    OSError
        If a file cannot be read.

    Warns
    -----
    UserWarning
        If an encoding or a delimiter was found by looking.
    """

    def __init__(
        self,
        source,
        delimiter: str | None = None,
        encoding: str | None = None,
        vector_columns: Iterable[str] = (),
    ):
        self._source = open_source(source, None, _BLOCK_SIZE, delimiter, encoding, vector_columns)
        self._starts: list[tuple[int, int]] = []  # the first row of each file, of those of all
        self.name = "stdin" if self._source.is_stdin else str(source)

    @cached_property
    def schema(self) -> pa.Schema:
        from ._json_lines import jsonl_schema  # imports numba
        from ._rows import is_binary

        if self._source.schema is None:
            schema = jsonl_schema(block.data for block in self._blocks())
            return with_partition(schema, self._source.partitions[0])
        return pa.schema(
            [
                field.with_type(pa.string()) if is_binary(field.type) else field
                for field in self._source.schema
            ]
        )

    @cached_property
    def _held(self) -> list[Block]:
        """All blocks of stdin: jsonl is read twice, first for its columns."""
        return list(self._source.blocks())

    def _blocks(self, columns=None):
        if self._source.is_stdin and self._source.kind == ".jsonl":
            return self._held
        return self._source.blocks(columns=columns)

    def batches(
        self, columns: list[str] | None = None, batch_size: int = 10_000, text_column: str | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, at least one batch even if there is no row.

        Parameters
        ----------
        columns : list of str, default=None
            None: all.
        batch_size : int, default=10_000
            Most rows a batch.
        text_column : str, default=None
            One of the columns, which must be of texts; rows of jsonl must have it. Missing is null.

        Raises
        ------
        ValueError
            If a column is missing, a row is malformed, or a file is damaged or changes meanwhile.
        TypeError
            If the texts of parquet are something else.
        OSError
            If a file cannot be read.
        """
        names = self.schema.names
        columns = names if columns is None else list(dict.fromkeys(columns))
        self.check_columns(columns)
        text = pa.string()
        schema = pa.schema([self.schema.field(n) if n in names else pa.field(n, text) for n in columns])
        if text_column is not None and self._source.kind == ".jsonl":
            schema = schema.set(columns.index(text_column), pa.field(text_column, text))
        n_rows = 0
        for rows in self._checked(text_column, columns, schema):
            n_rows += rows.table.num_rows
            yield from rows.table.to_batches(batch_size)
        if not n_rows:
            yield pa.RecordBatch.from_pylist([], schema)

    def _checked(self, text_column, columns, schema, vectors=None):
        """Yield the rows of each block; a malformed row ends it with an error."""
        from ._rows import read_rows  # imports numba

        source, read = self._source, list(columns) + (vectors.names if vectors else [])
        n_rows, file, lines, self._starts = 0, -1, 0, []
        for block in self._blocks(read):
            if block.file != file:
                file, lines = block.file, source.header_lines[block.file]
                self._starts.append((n_rows, file))
            rows = read_rows(source, block, text_column, columns, schema, vectors=vectors)
            if rows.rejected:
                source.check_unchanged(file)
                bad = rows.rejected[0]
                raise ValueError(f"{source.bad_row(file, lines, bad)}.")
            yield rows
            n_rows, lines = n_rows + rows.n_read, lines + rows.n_lines

    def place(self, row: int) -> str:
        """File and row, counted from 1 after the header, of a row of the last pass, counted from 0."""
        start, file = max(one for one in self._starts if one[0] <= row)
        return f"{self._source.name(file)}, row {row - start + 1}"

    def check_columns(self, wanted: dict[str, str] | list[str], hint: str = "Name one of these.") -> None:
        """Refuse columns that are not there, but of jsonl without rows: nothing tells its columns."""
        if self.schema.names or self._source.kind != ".jsonl":
            check_columns(Path(self._source.name(0)), self.schema.names, wanted, hint)

    def columns(self, names: list[str], text_column: str | None = None) -> list[list]:
        """Whole columns as lists; missing values are None. Parameters and errors as for `batches`."""
        result: list[list] = [[] for _ in names]
        for batch in self.batches(names, text_column=text_column):
            for values, name in zip(result, names, strict=True):
                values.extend(column_values(batch, name))
        return result

    def rows(
        self, of_model: "Vectors | ModelTable", names: list[str]
    ) -> tuple[np.ndarray | pa.Table, list[list]]:
        """Rows for a model, one matrix or a table of several columns, and whole other columns as lists.

        Raises
        ------
        ValueError
            As for `batches`; if a column of vectors holds no lists of numbers, or a list is missing, of
            another length than the first, or holds NaN or infinity; if one of numbers holds something else.
        TypeError
            If one of texts holds something else.
        """
        self.check_columns([*of_model.names, *names])
        kind, file = self._source.kind, self.name
        vectors = [name for name, field in of_model.fields.items() if field.type == LISTS]
        if kind == ".csv" and vectors:
            raise ValueError(
                f"Got the vectors' column {vectors[0]!r} of {file}, which is csv: that has no lists of "
                "numbers. Write them to parquet or jsonl, or to a .npy file beside it, and name that."
            )
        if kind not in (".csv", ".jsonl"):
            of_model.check_schema(self.schema, file)
        schema = pa.schema([self.schema.field(name) for name in names])
        parts: list = []
        others: list[list] = [[] for _ in names]
        for rows in self._checked(None, names, schema, of_model):
            parts.append(rows.texts)
            for values, name in zip(others, names, strict=True):
                for batch in rows.table.to_batches():
                    values.extend(column_values(batch, name))
        parts = [part for part in parts if len(part)]
        if not parts:
            what = f"vectors in {vectors[0]!r}" if vectors else "rows"
            raise ValueError(f"{file} holds no {what}.")
        if isinstance(of_model, Vectors):
            return np.concatenate(parts), others
        return pa.concat_tables(parts, promote_options="permissive"), others


def column_values(batch: pa.RecordBatch, column: str) -> list:
    """Values of one column as Python objects, JSON text turned back."""
    from ._json_lines import AS_JSON

    values = batch.column(column).to_pylist()
    if batch.schema.field(column).metadata == AS_JSON:
        return [None if value is None else json.loads(value) for value in values]
    return values
