"""Names of table files, their formats, and their bytes unpacked."""

import codecs
import glob
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from .._types import FilePath
from ._dialect import BOM, looks_like_utf8, marked_encoding, unmarked_encoding
from ._partitions import files_below

FORMATS = (".csv", ".jsonl", ".parquet")  # beside .tsv, which is csv with tabs
CODECS = {"": None, ".gz": "gzip", ".zst": "zstd"}
_KINDS = {kind + codec: kind for kind in (".csv", ".tsv", ".jsonl") for codec in CODECS}
_KINDS[".parquet"] = ".parquet"
ENDINGS = tuple(_KINDS)
STDIN = "-"
_HEAD = 1 << 12  # bytes looked at for the encoding
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1")


def file_format(name: FilePath) -> tuple[str, str | None]:
    """Kind (".csv", ".tsv", ".jsonl" or ".parquet") and codec of a file's name or ending.

    Raises
    ------
    ValueError
        If the ending is none of these.
    """
    for ending in ENDINGS:
        if str(name).lower().endswith(ending):
            kind = _KINDS[ending]
            return kind, CODECS[ending.removeprefix(kind)]
    raise ValueError(
        f"Got {Path(name).name!r}. Expected a file that ends in one of: {', '.join(ENDINGS)}. "
        "Save a spreadsheet as CSV UTF-8; for scoring, input_format (--input-format) and output_format "
        "(--output-format) name what the ending does not."
    )


def check_not_read(output, files) -> None:
    """Refuse an output that is one of the files that are read."""
    if any(file != STDIN and Path(file).resolve() == Path(output).resolve() for file in files):
        raise ValueError(f"Got {output} as input and output. Choose another name for the output.")


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
            found = [p for p in files_below(path) if p.name.lower().endswith(ENDINGS)]
            found = [p for p in found if not p.name.endswith(".rejected.jsonl")]
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
    """Bytes of a file or stdin, unpacked and in UTF-8; what was read too far is put back in `rest`.

    Attributes
    ----------
    encoding : str
        By the mark at the beginning, else as given, else by looking.
    is_doubtful : bool
        Whether it was given, and the file looks like UTF-8.
    """

    def __init__(self, path, codec, encoding=None):
        self.is_stdin, self.rest, self.at = path == STDIN, b"", 0
        self.taken = 0  # bytes that came in
        if self.is_stdin:
            self.file = pa.PythonFile(sys.stdin.buffer, mode="r") if codec else sys.stdin.buffer
        else:
            self.file = pa.OSFile(os.fsencode(path))
        self.stream = pa.CompressedInputStream(self.file, codec) if codec else self.file
        self._decoder = None
        head = self.read(_HEAD)
        self.encoding = marked_encoding(head) or encoding or unmarked_encoding(head)
        self.is_doubtful = self.encoding == encoding != "utf-8" and looks_like_utf8(head)
        if self.encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(self.encoding)()
        self.rest = self._decoded(head)

    def read(self, size):
        """As many bytes, fewer only at the end, after those put back."""
        pieces, self.rest = [self.rest[:size]] if self.rest else [], self.rest[size:]
        size -= sum(map(len, pieces))
        while size > 0:
            raw = self.stream.read(size)
            self.taken += len(raw)
            if piece := self._decoded(raw):
                pieces.append(piece[:size])
                self.rest = piece[size:]
                size -= len(pieces[-1])
            if not raw:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def peek(self, size):
        """The next bytes, which stay."""
        data = self.read(size)
        self.rest = data + self.rest
        return data

    def take(self, size):
        """Bytes read as their own part of the file."""
        self.at += size
        return self.read(size)

    def _decoded(self, raw):
        return raw if self._decoder is None else self._decoder.decode(raw, not raw).encode()

    def skip(self, size):
        if self.stream is self.file and not self.is_stdin and self._decoder is None:
            self.file.seek(size)
            self.rest = b""
        else:
            left = size
            while left and (piece := self.read(min(left, 1 << 23))):
                left -= len(piece)
        self.at = size

    def skip_mark(self):
        if self.peek(len(BOM)) == BOM:
            self.take(len(BOM))

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
    head = stream.peek(_HEAD)
    if not head:
        raise ValueError("Got nothing from stdin, which can be read once. Expected a table.")
    if head.startswith(_PACKED):
        raise ValueError(
            "Got .gz, .zst or parquet from stdin. Pass the file's name, unpack it before, or score it with "
            "input_format (--input-format), such as csv.gz."
        )
    return "jsonl" if head.removeprefix(BOM).lstrip().startswith(b"{") else "csv"
