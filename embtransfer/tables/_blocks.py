"""Files of tables found, checked and cut into blocks, the same blocks whenever they are cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ._files import STDIN, ByteStream, file_format, find_files, guess_format, read_header, stamp

_LONGEST = 1 << 29  # bytes of a row: its texts must fit Arrow's 32-bit offsets, several times
_GROUP_ROWS = 1 << 16  # of parquet: most rows a block
_READ_ROWS = 1 << 13  # of parquet: rows decoded at a time


@dataclass(frozen=True)
class Block:
    """Whole rows of one file.

    `start` and `end` are bytes of the unpacked file, or rows of a parquet file; `read` are bytes on disk,
    of all files up to here.
    """

    file: int
    start: int
    end: int
    read: int
    data: pa.Buffer | pa.Table
    unclosed: bool = False  # whether the file ends within quotes


class Source:
    """Files of one format and, for csv and parquet, the same columns.

    Attributes
    ----------
    kind : str
    files : list of path or "-"
    schema : pyarrow.Schema or None
        Of all columns; None for jsonl.
    header_lines : list of int
        Lines of each file before its first row.
    stamps : list of [name, size, mtime_ns]
        What the files were when they were found; nothing for stdin.
    """

    def __init__(self, source, input_format: str | None, block_size: int):
        self.files = find_files(source, input_format is not None)
        self.block_size = block_size
        self.is_stdin, self._stdin = self.files == [STDIN], None
        if self.is_stdin and input_format is None:
            self._stdin = ByteStream(STDIN, None)
            input_format = guess_format(self._stdin)
        formats = [
            file_format(f".{input_format.lstrip('.')}" if input_format else file) for file in self.files
        ]
        self.kind, self.codecs = formats[0][0], [codec for _, codec in formats]
        for file, (kind, _) in zip(self.files, formats, strict=True):
            if kind != self.kind:
                raise ValueError(
                    f"{file} is {kind}, but {self.files[0]} is {self.kind}. Pass files of one format."
                )
        if self.is_stdin and self.kind == ".parquet":
            raise ValueError("Got parquet from stdin, but it is read from its end. Pass the file's name.")
        self.stamps = [] if self.is_stdin else [stamp(file) for file in self.files]
        self.header_lines = [0] * len(self.files)
        schemas = [self._schema(i) for i in range(len(self.files))] if self.kind != ".jsonl" else [None]
        self.schema: Any = schemas[0]
        for file, schema in zip(self.files, schemas, strict=False):
            if schema is not None and not schema.equals(self.schema):
                raise ValueError(
                    f"{file} has columns {_columns(schema)}, but {self.files[0]} has "
                    f"{_columns(self.schema)}. Pass files of the same columns."
                )

    @property
    def n_bytes(self) -> int | None:
        return None if self.is_stdin else sum(size for _, size, _ in self.stamps)

    def name(self, file: int) -> str:
        return "stdin" if self.is_stdin else str(self.files[file])

    def blocks(self, file: int = 0, at: int = 0, columns: list[str] | None = None) -> Iterator[Block]:
        """Yield the blocks from a position on, which is 0 or the end of an earlier block.

        Raises
        ------
        ValueError
            If a file is damaged or changes meanwhile.
        OSError
            If it cannot be read.
        """
        before = sum(stamp[1] for stamp in self.stamps[:file])
        for i in range(file, len(self.files)):
            self.check_unchanged(i)
            try:
                if self.kind == ".parquet":
                    yield from self._parquet_blocks(i, at, before, columns)
                else:
                    yield from self._byte_blocks(i, at, before)
            except pa.ArrowInvalid as error:
                self.check_unchanged(i)
                raise ValueError(f"{self.name(i)} is damaged: {error}") from None
            except OSError as error:
                self.check_unchanged(i)
                raise OSError(f"{self.name(i)}: {error}") from error
            self.check_unchanged(i)
            at = 0
            before += self.stamps[i][1] if self.stamps else 0

    def check_unchanged(self, i: int) -> None:
        if self.stamps and stamp(self.files[i]) != self.stamps[i]:
            raise ValueError(f"{self.files[i]} changed while it was read. Leave it in peace, and begin anew.")

    def _schema(self, i):
        if self.kind == ".parquet":
            try:
                with pq.ParquetFile(self.files[i]) as file:
                    schema = file.schema_arrow
            except (pa.ArrowInvalid, OSError) as error:
                raise ValueError(f"{self.files[i]} is damaged: {error}") from None
        else:
            stream = self._stdin or ByteStream(self.files[i], self.codecs[i])
            try:
                names, self.header_lines[i] = read_header(stream, self.name(i))
            except OSError as error:
                raise OSError(f"{self.name(i)}: {error}") from error
            if self.is_stdin:
                self._stdin = stream
            else:
                stream.close()
            schema = pa.schema([(name, pa.string()) for name in names])
        check_columns(Path(self.name(i)), schema.names, ())
        return schema

    def _byte_blocks(self, i, at, before):
        stream = self._stdin or ByteStream(self.files[i], self.codecs[i])
        try:
            if at:
                stream.skip(at)
            elif self.kind == ".csv" and not self._stdin:
                read_header(stream, self.name(i))
            elif self.kind == ".jsonl":
                stream.skip_mark()
            cut = _cut_csv if self.kind == ".csv" else _cut_lines
            for start, data, unclosed in _cut_stream(stream, self.block_size, cut, self.name(i)):
                yield Block(i, start, start + len(data), before + stream.tell(), data, unclosed)
        finally:
            stream.close()

    def _parquet_blocks(self, i, at, before, columns):
        with pq.ParquetFile(self.files[i], buffer_size=1 << 20) as file:  # buffered: pages, not whole columns
            meta, start = file.metadata, 0
            pending, first = [], at
            for group in range(meta.num_row_groups):
                rows, size = meta.row_group(group).num_rows, meta.row_group(group).total_byte_size
                begin, start = start, start + rows
                if start <= at:
                    continue
                n = max(16, min(_READ_ROWS, self.block_size * rows // max(size, 1)))
                done = begin
                for batch in file.iter_batches(n, row_groups=[group], columns=columns):
                    done += batch.num_rows
                    if done <= at:
                        continue
                    pending.append(batch)
                    if done - first >= _GROUP_ROWS or sum(b.nbytes for b in pending) >= self.block_size:
                        read = before + self.stamps[i][1] * done // meta.num_rows
                        yield Block(i, first, done, read, pa.Table.from_batches(pending))
                        pending, first = [], done
                if done != start:
                    raise ValueError(
                        f"{self.files[i]} is damaged: a row group of {rows} rows gave {done - begin}."
                    )
            if pending:
                read = before + self.stamps[i][1]
                yield Block(i, first, start, read, pa.Table.from_batches(pending))


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


def _columns(schema):
    return ", ".join(f"{f.name}" if pa.types.is_string(f.type) else f"{f.name} ({f.type})" for f in schema)


def _cut_stream(stream, block_size, cut, name):
    while True:
        data = stream.read(block_size)
        ended = len(data) < block_size
        if not data:
            return
        state = end = 0
        scanned = 0
        while True:
            found, state = cut(data, scanned, state, ended)
            end = max(end, found)
            if end > 0 or ended:
                break
            if len(data) >= _LONGEST:
                raise ValueError(
                    f"{name} has a row longer than {_LONGEST >> 20} MB, {stream.at:,} bytes from its start. "
                    "Does a quote there never close?"
                )
            scanned, size = len(data), 2 * len(data)
            data += stream.read(scanned)
            ended = len(data) < size
        unclosed = ended and state == _QUOTED
        end = len(data) if ended else end
        stream.rest = data[end:] + stream.rest
        start = stream.at
        stream.at += end
        yield start, pa.py_buffer(data).slice(0, end), unclosed
        if ended:
            return


_QUOTED = 3  # of _row_kernels, which is imported where needed: importing numba takes a while


def _cut_lines(data, scanned, state, ended):
    return data.rfind(b"\n", scanned) + 1, 0


def _cut_csv(data, scanned, state, ended):
    if not scanned and b'"' not in data and (end := data.rfind(b"\n") + 1):
        return end, 0
    from ..kernels._table_rows import byte_array, last_row_end

    return last_row_end(byte_array(data), scanned, state, False)
