"""Arrays and tables: .npy and .npz beside a list of words, parquet and Arrow files."""

import lzma
import struct
import zipfile
import zlib
from math import prod
from pathlib import Path

import numpy as np

from ...system._unpacking import check_packing, check_unpacked
from ._blocks import (
    as_words,
    block_rows,
    check_counts,
    check_matrix,
    iter_blocks,
    map_matrix,
    npy_header,
    table_of,
)
from ._stored_table import StoredTable
from ._tables import read_index, read_table

_MATRIX_NAMES = ("vectors", "embeddings", "matrix")
_WORD_NAMES = ("words", "vocab")

_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    UnicodeDecodeError,
)


def recognise(path: Path) -> bool:
    """Whether the file is .npy, .npz, parquet or Arrow, by its first bytes."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        head = file.read(8)
    if head.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith(".npy") for name in archive.namelist())
        except (*_ZIP_ERRORS, ValueError):
            return False
    return head.startswith((b"\x93NUMPY", b"PAR1", b"ARROW1"))


def read(path: Path) -> StoredTable:
    """Read an array with its words, or a table with a column of words.

    Parameters
    ----------
    path : Path
        An .npy or .npz file, its words one a line in <stem>.words.txt, <stem>.vocab, <stem>.txt, vocab.txt
        or words.txt beside it, in a parquet index beside it (a column of words, and of row numbers where
        these are not in order), or in an array `words` or `vocab` of the .npz. Or a parquet or Arrow file
        with one column of words and either one column of lists or columns of numbers.

    Returns
    -------
    StoredTable

    Raises
    ------
    ValueError
        If words and rows differ in number, a row is ragged or missing, or the file is damaged.
    """
    with open(path, "rb") as file:
        head = file.read(8)
    if head.startswith((b"PAR1", b"ARROW1")):
        return read_table(path, head.startswith(b"PAR1"))
    if head.startswith(b"PK"):
        return _read_npz(path)
    matrix = map_matrix(path)
    words, beside = _words_beside(path)
    return table_of(path, words, matrix, files=(path, beside))


# ---------------------------------------------------------------- lists of words
def _words_beside(path):
    names = [f"{path.stem}.words.txt", f"{path.stem}.vocab", f"{path.stem}.txt", "vocab.txt", "words.txt"]
    for name in names:
        if path.with_name(name).is_file():
            return _read_lines(path.with_name(name)), path.with_name(name)
    indices = [path.with_suffix(".parquet")]
    if not indices[0].is_file():
        indices = sorted(path.parent.glob("*.parquet"))
    if len(indices) != 1:
        raise ValueError(
            f"{path}: got no list of its words. Expected beside it one of {', '.join(names)}, "
            f"one word a line, or one parquet file with a column of words (found {len(indices)})."
        )
    return read_index(indices[0]), indices[0]


def _read_lines(path):
    data = path.read_bytes()
    try:
        words = data.decode().split("\n")  # only there: a word may hold what str.splitlines breaks at
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: got bytes that are not UTF-8. Save it as UTF-8.") from None
    return as_words(words[:-1] if words[-1] == "" else words, path)


# ---------------------------------------------------------------- .npz
def _read_npz(path):
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            matrices = [name for name in _MATRIX_NAMES if name in members]
            lists = [name for name in _WORD_NAMES if name in members]
            if len(matrices) != 1 or len(lists) > 1:
                raise ValueError(
                    f"{path}: got arrays {', '.join(members)}. Expected one of {', '.join(_MATRIX_NAMES)} "
                    f"and at most one of {', '.join(_WORD_NAMES)}."
                )
            for info in members.values():
                check_packing(archive.fp, info, path)
            info = members[matrices[0]]
            for member in (info, *(members[name] for name in lists)):
                check_unpacked(member.file_size, member.compress_size, f"{path}, {member.filename}")
            with archive.open(info) as file:
                dtype, shape, order, _ = npy_header(file, info.file_size, f"{path}, {info.filename}")
            words = _words_inside(path, archive, members[lists[0]]) if lists else None
    except _ZIP_ERRORS as error:
        raise ValueError(f"{path}: damaged or cut short ({error}).") from error
    check_matrix(f"{path}, {info.filename}", dtype, shape)
    words, *beside = _words_beside(path) if words is None else (words,)
    check_counts(path, len(words), shape[0])
    blocks = _iter_npz(path, info, words, dtype, shape, order)
    return StoredTable(shape[1], blocks, len(words), files=(path, *beside))


def _iter_npz(path, info, words, dtype, shape, order):
    """Blocks straight from the archive: only a matrix in Fortran's order is ever whole in memory."""
    d = shape[1]
    step = block_rows(d) if order == "C" else len(words)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(info) as file:
            npy_header(file, info.file_size, path)
            for start in range(0, len(words), step):
                here = words[start : start + step]
                data = file.read(len(here) * d * dtype.itemsize)
                if len(data) != len(here) * d * dtype.itemsize:
                    raise EOFError(
                        f"{info.filename} ends within row {start + len(data) // d // dtype.itemsize}"
                    )
                rows = np.frombuffer(data, dtype).reshape((len(here), d), order=order)
                yield from iter_blocks(here, rows)
    except _ZIP_ERRORS as error:
        raise ValueError(f"{path}: damaged or cut short ({error}).") from error


def _words_inside(path, archive, info):
    where = f"{path}, {info.filename}"
    with archive.open(info) as file:
        dtype, shape, _, _ = npy_header(file, info.file_size, where)
        data = file.read()
    if dtype.kind not in "US" or len(shape) != 1 or len(data) != prod(shape) * dtype.itemsize:
        raise ValueError(f"{where}: got an array of shape {shape} and {dtype}. Expected a list of str.")
    if dtype.kind == "U" and (np.frombuffer(data, dtype.str.replace("U", "u4")[:3]) > 0x10FFFF).any():
        raise ValueError(f"{where}: got characters that are none. Expected a list of str. It is damaged.")
    words = np.frombuffer(data, dtype) if dtype.itemsize else np.zeros(shape, dtype)
    try:
        return as_words((np.char.decode(words, "utf-8") if dtype.kind == "S" else words).tolist(), where)
    except UnicodeDecodeError as error:
        raise ValueError(f"{where}: got {error.object[:40]!r}, which is not UTF-8.") from None
