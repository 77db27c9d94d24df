"""Names of table files, their formats, and their bytes unpacked."""

import csv
import glob
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from .._types import FilePath

FORMATS = (".csv", ".jsonl", ".parquet")
CODECS = {"": None, ".gz": "gzip", ".zst": "zstd"}
STREAMED = [kind + codec for kind in (".csv", ".jsonl") for codec in CODECS]
ENDINGS = (*STREAMED, ".parquet")
STDIN = "-"
_LONGEST = 1 << 26  # bytes of a header
BOM = b"\xef\xbb\xbf"
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1")


def file_format(name: FilePath) -> tuple[str, str | None]:
    """Kind (".csv", ".jsonl" or ".parquet") and codec of a file's name or ending.

    Raises
    ------
    ValueError
        If the ending is none of these.
    """
    for ending in ENDINGS:
        if str(name).endswith(ending):
            kind = next(kind for kind in FORMATS if ending.startswith(kind))
            return kind, CODECS[ending.removeprefix(kind)]
    raise ValueError(
        f"Got {Path(name).name!r}. Expected a file that ends in one of: {', '.join(ENDINGS)}. "
        "Or score it with input_format (--input-format) or output_format (--output-format)."
    )


def find_files(source, any_ending: bool = False) -> list[str | Path]:
    """The files that a name, a list of names, a folder or a pattern stands for; of the last two sorted.

    Raises
    ------
    FileNotFoundError
        If there is none.
    TypeError
        If it is no name, such as a table in memory.
    """
    names = (
        [source] if isinstance(source, str | os.PathLike) or not isinstance(source, Iterable) else [*source]
    )
    if hasattr(source, "columns") or not all(isinstance(name, str | os.PathLike) for name in names):
        raise TypeError(
            f"Got {type(source).__name__}. Expected the name of a file, a folder or a pattern, or a list of "
            "names. For texts in memory call the model's predict."
        )
    files = []
    for name in names:
        path = Path(name)
        if str(name) == STDIN or path.is_file():
            files.append(STDIN if str(name) == STDIN else path)
        elif path.is_dir():
            found = [p for p in sorted(path.iterdir()) if p.name.endswith(ENDINGS) and p.is_file()]
            found = [
                p for p in found if not p.name.startswith(".") and not p.name.endswith(".rejected.jsonl")
            ]
            if not found:
                raise FileNotFoundError(f"{path} holds no file that ends in one of: {', '.join(ENDINGS)}.")
            files += found
        else:
            if not glob.has_magic(str(name)) and not any_ending:
                file_format(path)  # an ending that is none of ours is the likelier slip
            found = [Path(p) for p in sorted(glob.glob(str(name), recursive=True)) if Path(p).is_file()]
            if not found:
                raise FileNotFoundError(f"There is no file {name}.")
            files += found
    if not files:
        raise ValueError("Got no input file. Pass a file, a folder or a pattern.")
    if STDIN in files and len(files) > 1:
        raise ValueError("Got - (stdin) beside other files. Expected either.")
    return files


def stamp(path) -> list:
    """Name, size and time of a file, which differ after a change.

    Raises
    ------
    FileNotFoundError
        If it is gone.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {path} any more.") from None
    return [str(path), found.st_size, found.st_mtime_ns]


class ByteStream:
    """Bytes of a file or stdin, unpacked; what was read too far is put back in `rest`."""

    def __init__(self, path, codec):
        if path == STDIN:
            self.file = pa.PythonFile(sys.stdin.buffer, mode="r") if codec else sys.stdin.buffer
        else:
            self.file = pa.OSFile(str(path))
        self.stream = pa.CompressedInputStream(self.file, codec) if codec else self.file
        self.is_stdin, self.rest, self.at = path == STDIN, b"", 0
        self.taken = 0  # bytes that came in

    def read(self, size):
        """As many bytes, fewer only at the end, after those put back."""
        pieces, self.rest = [self.rest[:size]] if self.rest else [], self.rest[size:]
        size -= sum(map(len, pieces))
        while size > 0 and (piece := self.stream.read(size)):
            pieces.append(piece)
            size -= len(piece)
            self.taken += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def skip(self, size):
        if self.stream is self.file and not self.is_stdin:
            self.file.seek(size)
        else:
            left = size
            while left and (piece := self.stream.read(min(left, 1 << 23))):
                left -= len(piece)
        self.at = size

    def skip_mark(self):
        data = self.read(len(BOM))
        self.at = len(BOM) * (data == BOM)
        self.rest = (b"" if data == BOM else data) + self.rest

    def tell(self):
        return self.taken if self.is_stdin else self.file.tell()

    def close(self):
        if not self.is_stdin:
            self.stream.close()
            self.file.close()


def guess_format(stream):
    """The format of what stdin begins with, "jsonl" or "csv"; it is put back.

    Raises
    ------
    ValueError
        If there is nothing, or what must be unpacked first.
    """
    stream.rest = head = stream.read(1 << 12)
    if not head:
        raise ValueError("Got nothing from stdin, which can be read once. Expected a table.")
    if head.startswith(_PACKED):
        raise ValueError(
            "Got .gz, .zst or parquet from stdin. Pass the file's name, unpack it before, or score it with "
            "input_format (--input-format), such as csv.gz."
        )
    return "jsonl" if head.removeprefix(BOM).lstrip().startswith(b"{") else "csv"


def read_header(stream, name):
    """Column names of a csv file, and the lines up to its first row, where the stream is then."""
    from ..kernels._table_rows import byte_array, last_row_end

    stream.skip_mark()
    n_lines = 0
    while True:
        size = 1 << 16
        data = stream.read(size)
        while (end := last_row_end(byte_array(data), 0, 0, True)[0]) < 0 and len(data) == size:
            if size >= _LONGEST:
                raise ValueError(
                    f"{name} has a header longer than {_LONGEST >> 20} MB. Does a quote there never close?"
                )
            stream.rest, size = data + stream.rest, size * 2
            data = stream.read(size)
        end = len(data) if end < 0 else end
        row = data[:end]
        n_lines += row.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n")
        stream.rest, stream.at = data[end:] + stream.rest, stream.at + end
        if row.strip(b"\r\n"):
            break
        if not row:
            raise ValueError(f"{name} is empty. Expected a header line.")
    try:
        return next(csv.reader(io.StringIO(row.decode(), newline=""))), n_lines
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is damaged: its header is not UTF-8 ({error}). Save it as UTF-8.") from None
    except csv.Error as error:
        raise ValueError(f"{name} is damaged: its header cannot be read ({error}).") from None
