"""Files of vectors: what a file is by its content, and a reader for each format (file -> StoredTable)."""

import errno
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BufferedReader
from pathlib import Path

from ..._types import Progress
from ...system._unpacking import check_packing, check_unpacked
from . import _arrays, _fasttext, _gensim, _spacy, _text, _tokens
from ._stored_table import StoredTable, Subwords

__all__ = ["FORMATS", "StoredTable", "Subwords", "open_vectors"]

_STREAMED = {"glove": _text.read_glove, "word2vec": _text.read_word2vec, "word2vec-binary": _text.read_binary}
_BY_PATH = {"fasttext": _fasttext, "gensim": _gensim, "spacy": _spacy, "tokens": _tokens, "arrays": _arrays}
FORMATS = (*_STREAMED, *_BY_PATH)
_OF_A_FILE = "fasttext", "gensim", "arrays"  # the others may be folders
# fastText, gensim's pickles, numpy, parquet, Arrow
_ONLY_UNPACKED = b"\xba\x16\x4f\x2f", b"\x80", b"\x93NUMPY", b"PAR1", b"ARROW1"
_EXPECTED = (
    "Expected GloVe or word2vec text, word2vec or fastText binary, gensim KeyedVectors, a spaCy vectors "
    "folder, a model2vec folder, safetensors with a tokenizer.json, .npy or .npz with a word "
    "list, parquet or Arrow."
)


@contextmanager
def open_vectors(
    path: Path, format: str | None = None, progress: Progress | None = None
) -> Iterator[StoredTable]:
    """Open vectors for reading; the StoredTable holds for the `with` block.

    path: a file, a folder, or a member of a .zip as `archive.zip/member`. format: one of FORMATS; None
    looks at the content. progress: called with how much is read, of how much, in bytes
    or words, and what is done.

    Raises
    ------
    FileNotFoundError
        If there is nothing of that name.
    ValueError
        If the content is of no known format, or damaged (here, or while the blocks are read).
    """
    if format not in (None, *FORMATS):
        raise ValueError(f"Got format={format!r}. Expected one of {', '.join(map(repr, FORMATS))} or None.")
    archive = _archive_of(path)
    if archive is None and not path.exists():
        raise FileNotFoundError(f"There is no file or folder {path}.")
    with ExitStack() as stack:
        if archive is None and format not in _STREAMED:
            names = [format] if format else [name for name in _BY_PATH if _BY_PATH[name].recognise(path)]
            if names and names[0] in _OF_A_FILE and path.is_dir():
                raise ValueError(f"{path} is a folder, got format={format!r}. Expected a file.")
            if names:
                stored = _BY_PATH[names[0]].read(path)
                blocks = _counted(stored, path, progress)
                yield replace(stored, blocks=blocks, format=names[0], files=stored.files or _all_files(path))
                return
        if archive is None and path.is_dir():
            raise ValueError(f"{path} is a folder without vectors. {_EXPECTED}")
        raw = stack.enter_context(open(archive or path, "rb", buffering=1 << 18))
        with _packing_errors(path):
            try:
                file, name = _unpacked(stack, raw, path)
            except (RuntimeError, IndexError) as error:  # encrypted, of an unknown method, or without a name
                raise ValueError(f"{path}: {error}. Unpack the archive first.") from error
        with _packing_errors(name):
            head = file.peek(1 << 16)[: 1 << 16]
        if not head:
            raise ValueError(f"{name} is empty. {_EXPECTED}")
        if file is not raw and head.startswith(_ONLY_UNPACKED):
            raise ValueError(f"{name} is of a format that is mapped into memory. Unpack the archive first.")
        format = format or _text.recognise(head)
        if format is None:
            raise ValueError(f"{name} begins with {head[:40]!r}. {_EXPECTED}")
        with _packing_errors(name):
            stored = _STREAMED[format](file, name)
        blocks = _watched(stored.blocks, file, raw, name, progress)
        yield replace(stored, blocks=blocks, format=format, files=(archive or path,))


def _archive_of(path):
    """The archive of `archive.zip/member`, or None."""
    if path.exists():
        return None
    return next((parent for parent in path.parents if parent.is_file() and zipfile.is_zipfile(parent)), None)


def _unpacked(stack, raw, path):
    """A buffered reader of what a .gz or .zip holds, or of the file itself, and its name for messages."""
    magic = raw.peek(4)[:4]
    if magic[:2] == b"\x1f\x8b":
        return stack.enter_context(gzip.open(raw)), str(path)
    if magic not in (b"PK\x03\x04", b"PK\x05\x06"):  # a word may begin with PK
        return raw, str(path)
    archive = stack.enter_context(zipfile.ZipFile(raw))
    members = [info.filename for info in archive.infolist() if not info.is_dir()]
    member = path.relative_to(raw.name).as_posix() if str(path) != raw.name else None
    if member is None and len(members) == 1:
        member = members[0]
    if member not in members:
        got = "no member" if member is None else f"the member {member!r}"
        raise ValueError(
            f"Got {got} of {raw.name}, which holds: {', '.join(members[:20])}. Write archive.zip/member."
        )
    info, name = archive.getinfo(member), f"{raw.name}/{member}"
    check_packing(raw, info, raw.name)
    check_unpacked(info.file_size, info.compress_size, name)
    return stack.enter_context(BufferedReader(archive.open(info))), name


def _all_files(path):
    return tuple(sorted(file for file in path.rglob("*") if file.is_file())) if path.is_dir() else (path,)


def _counted(stored, path, progress):
    done = 0
    for words, rows in stored.blocks:
        yield words, rows
        done += len(words)
        if progress and stored.n_words:
            progress(done, stored.n_words, f"Reading {path.name}")


def _watched(blocks, file, raw, name, progress):
    size = Path(raw.name).stat().st_size
    try:
        with _packing_errors(name):
            for block in blocks:
                if isinstance(file, gzip.GzipFile):
                    check_unpacked(file.tell(), size, name)
                yield block
                if progress:
                    progress(min(raw.tell(), size), size, f"Reading {Path(raw.name).name}")
    finally:
        blocks.close()


@contextmanager
def _packing_errors(name):
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, struct.error, zipfile.BadZipFile, OSError) as error:
        if getattr(error, "errno", None) not in (None, errno.EINVAL):  # the system's own: not the content's
            raise
        raise ValueError(f"{name}: {error}. The file is cut short or damaged.") from error
