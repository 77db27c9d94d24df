"""Files of tables found, checked and cut into blocks, the same blocks whenever they are cut."""

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ._cutting import cut_csv, cut_lines, cut_stream
from ._dialect import COMMA, NAME_ENCODING, TAB, check_dialect, read_header
from ._files import STDIN, ByteStream, file_format, find_files, guess_format, stamp
from ._partitions import partition_of, with_partition

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
    names : list of str
        The columns that each file of csv itself has.
    partitions : list of dict
        Columns, and their one value, that each file has by the folders in which it lies, such as lang=en.
    header_lines : list of int
        Lines of each file before its first row.
    delimiters : list of str
        Of each file of csv.
    stamps : list of [name, size, mtime_ns]
        What the files were when they were found; nothing for stdin.
    beside : list of str
        The columns that lie in files of their own: see `_npy`.
    stamps_beside : list of [name, size, mtime_ns]
    """

    beside: list[str] = []
    stamps_beside: list[list] = []

    def __init__(self, source, input_format, block_size: int, delimiter=None, encoding=None):
        self._given, self._encoding = check_dialect(delimiter, encoding)
        self.files = find_files(source, input_format is not None)
        self.block_size = block_size
        self.is_stdin, self._stdin = self.files == [STDIN], None
        if self.is_stdin and input_format is None:
            self._stdin = self._open(STDIN, None)
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
        self._usual = TAB if self.kind == ".tsv" else COMMA
        self.kind = ".csv" if self.kind == ".tsv" else self.kind
        self.stamps = [] if self.is_stdin else [stamp(file) for file in self.files]
        self.partitions = [{} if self.is_stdin else partition_of(file) for file in self.files]
        self.header_lines, self.delimiters = [0] * len(self.files), [self._usual] * len(self.files)
        self.names: list[list[str]] = [[]] * len(self.files)
        self._seen: dict[str, list[str]] = {}  # how files are read by looking -> their names
        schemas = [self._schema(i) for i in range(len(self.files))]
        self._say_what_was_seen()
        self.schema: Any = schemas[0]
        for i, schema in enumerate(schemas):
            if not schema.equals(self.schema):
                raise ValueError(
                    f"{self.files[i]} has columns {_columns(schema)}, but {self.files[0]} has "
                    f"{_columns(self.schema)}. Pass files of the same columns."
                )
        if self.kind == ".jsonl":  # its rows tell it
            self.schema = None

    @property
    def n_bytes(self) -> int | None:
        return None if self.is_stdin else sum(size for _, size, _ in self.stamps)

    def name(self, file: int) -> str:
        return "stdin" if self.is_stdin else str(self.files[file])

    def place(self, file: int, row: int) -> str:
        """Where a row, counted from 1, is: of text files the line, of tables the row."""
        return f"{self.name(file)}, {'line' if self.kind in ('.csv', '.jsonl') else 'row'} {row}"

    def bad_row(self, file: int, lines: int, bad) -> str:
        """What is wrong with a malformed row, `Rejected`, of a block with so many lines before it."""
        hint = f"{NAME_ENCODING}Or mend" if "not UTF-8" in bad.reason and self.kind != ".parquet" else "Mend"
        return f"{self.place(file, lines + bad.line + 1)}: {bad.reason}. {hint} the row"

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
            with self._errors(i):
                yield from self._file_blocks(i, at, before, columns)
            self.check_unchanged(i)
            at = 0
            before += self.stamps[i][1] if self.stamps else 0

    def _file_blocks(self, i, at, before, columns):
        if self.kind == ".parquet":
            return self._parquet_blocks(i, at, before, columns)
        return self._byte_blocks(i, at, before)

    def check_unchanged(self, i: int) -> None:
        if self.stamps and stamp(self.files[i]) != self.stamps[i]:
            raise ValueError(f"{self.files[i]} changed while it was read. Leave it in peace, and begin anew.")

    @contextmanager
    def _errors(self, i):
        """Name the file in what the libraries say of it."""
        try:
            yield
        except UnicodeDecodeError as error:
            self.check_unchanged(i)
            raise ValueError(f"{self.name(i)} is not {error.encoding} ({error}). {NAME_ENCODING}") from None
        except pa.ArrowInvalid as error:
            self.check_unchanged(i)
            raise ValueError(f"{self.name(i)} is damaged: {error}") from None
        except OSError as error:
            self.check_unchanged(i)
            raise OSError(f"{self.name(i)}: {error}") from error

    def _open(self, file, codec):
        return ByteStream(file, codec, self._encoding)

    def _schema(self, i):
        """Columns of a file, but for jsonl, and of the folders it lies in."""
        with self._errors(i):
            if self.kind == ".parquet":
                try:
                    with pq.ParquetFile(_parquet_file(self.files[i])) as file:
                        schema = file.schema_arrow
                except OSError as error:  # what a damaged file raises, too
                    raise ValueError(f"{self.files[i]} is damaged: {error}") from None
            else:
                stream = self._stdin or self._open(self.files[i], self.codecs[i])
                schema = self._header(i, stream) if self.kind == ".csv" else pa.schema([])
                self._see(i, stream)
                if self.is_stdin:
                    self._stdin = stream
                else:
                    stream.close()
        self.partitions[i] = {k: v for k, v in self.partitions[i].items() if k not in schema.names}
        return with_partition(schema, self.partitions[i])

    def _header(self, i, stream):
        found = read_header(stream, self.name(i), self._given, self._usual)
        self.names[i], self.header_lines[i], self.delimiters[i] = found
        return pa.schema([(name, pa.string()) for name in self.names[i]])

    def _see(self, i, stream):
        """Keep what the user may want to know of how a file is read."""
        seen = [] if stream.encoding in ("utf-8", self._encoding) else [f"as {stream.encoding}"]
        if self.delimiters[i] not in (self._usual, self._given):
            seen.append(f"with fields parted by {self.delimiters[i]!r}")
        what = f"is read {' and '.join(seen)}, as it looks" if seen else ""
        if stream.is_doubtful:
            what = f"is read as {stream.encoding}, as encoding (--encoding) says, but looks like UTF-8"
        if what:
            self._seen.setdefault(what, []).append(self.name(i))

    def _say_what_was_seen(self):
        for what, names in self._seen.items():
            more = f" (and {len(names) - 1:,} more)" if len(names) > 1 else ""
            warnings.warn(
                f"{names[0]}{more} {what}. To say how it is written pass delimiter and encoding "
                "(--delimiter, --encoding).",
                UserWarning,
                stacklevel=4,
            )

    def _byte_blocks(self, i, at, before):
        stream = self._stdin or self._open(self.files[i], self.codecs[i])
        try:
            if at:
                stream.skip(at)
            elif self.kind == ".jsonl":
                stream.skip_mark()
            elif not self._stdin:
                read_header(stream, self.name(i), self.delimiters[i], self._usual)
            cut = cut_lines if self.kind == ".jsonl" else partial(cut_csv, ord(self.delimiters[i]))
            for start, data, unclosed in cut_stream(stream, self.block_size, cut, self.name(i)):
                yield Block(i, start, start + len(data), before + stream.tell(), data, unclosed)
        finally:
            stream.close()

    def _parquet_blocks(self, i, at, before, columns):
        if columns is not None:
            columns = [name for name in columns if name not in self.partitions[i]]
        with pq.ParquetFile(
            _parquet_file(self.files[i]), buffer_size=1 << 20
        ) as file:  # buffered: pages, not whole columns
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


def check_columns(
    path, names, wanted: dict[str, str] | Iterable[str], hint: str = "Name one of these."
) -> None:
    """Refuse columns that are not there or there twice.

    `wanted` are names, or names by the parameters that have them.
    """
    options = wanted if isinstance(wanted, dict) else {}
    wanted = list(options.values() or wanted)
    called = {name: f"{option} (--{option.replace('_', '-')})" for option, name in options.items()}
    lacking = [f"{called.get(name, 'column')} {name!r}" for name in wanted if name not in names]
    if lacking:
        if any(set(name) & set(",;\t|") for name in names):
            hint = "If their fields are parted by something else, say so: delimiter (--delimiter)."
        shown = ", ".join(name if name == name.strip() else repr(name) for name in names)
        raise ValueError(f"Got {' and '.join(lacking)}, but {path.name} has columns: {shown}. {hint}")
    repeated = sorted({name for name in wanted if names.count(name) > 1})
    if repeated:
        or_not = "" if set(repeated) <= set(called) else ", or do not carry them through: columns (--columns)"
        raise ValueError(
            f"{path.name} has more than one column named {', '.join(repeated)}. Rename them{or_not}."
        )


def _parquet_file(path):
    return pa.OSFile(os.fsencode(path))  # pyarrow takes names that are not UTF-8 as bytes alone


def _columns(schema):
    names = [f.name if pa.types.is_string(f.type) else f"{f.name} ({f.type})" for f in schema]
    return ", ".join(names) or "none, by the folders it lies in"
