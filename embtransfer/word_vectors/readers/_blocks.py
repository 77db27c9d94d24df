"""What the readers share: blocks of words and rows, and .npy files mapped into memory.

Nothing pickled is loaded; sizes in headers are checked against the file before anything is allocated.
"""

from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
import pyarrow as pa

from ._stored_table import StoredTable

_BLOCK = 8 << 20  # bytes of matrix handed over at a time


def table_of(path: Path, words: pa.LargeStringArray, matrix: np.ndarray, **more) -> StoredTable:
    """A StoredTable of words and a matrix in memory or memory-mapped, equal in number."""
    check_counts(path, len(words), len(matrix))
    return StoredTable(matrix.shape[1], iter_blocks(words, matrix), len(words), **more)


def iter_blocks(words, matrix, rows=None) -> Iterator[tuple[pa.LargeStringArray, np.ndarray]]:
    """Cut into blocks of about 8 MB; word i has the row i, or rows[i] where `rows` is given."""
    step = block_rows(matrix.shape[1])
    for start in range(0, len(words), step):
        here = slice(start, start + step)
        yield words[here], as_block(matrix[here] if rows is None else matrix[rows[here]])


def block_rows(d: int) -> int:
    """Rows of d numbers in a block."""
    return max(1, _BLOCK // (4 * d))


def as_block(rows) -> np.ndarray:
    """A copy in memory: float16 as it is, all else float32."""
    with np.errstate(over="ignore"):  # WordVectors refuses infinity
        return np.array(rows, np.float16 if rows.dtype == np.float16 else np.float32, order="C", subok=False)


def as_words(words, where) -> pa.LargeStringArray:
    """An Arrow array of a list of str; lone surrogates, which no file can hold, are refused."""
    try:
        return pa.array(words, pa.large_string())
    except UnicodeEncodeError as error:
        raise ValueError(f"{where}: got {error.object!r:.60}, a word that is no text ({error}).") from None


def check_counts(path, n_words, n_rows):
    if n_words != n_rows:
        raise ValueError(
            f"{path}: got {n_words:,} words and {n_rows:,} rows. Expected one word a row: "
            "the list of words belongs to another matrix, or one of both is cut short."
        )


# ---------------------------------------------------------------- .npy
def map_matrix(path: Path) -> np.ndarray:
    """The 2-D array of numbers of an .npy file, memory-mapped, read-only."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        dtype, shape, order, start = npy_header(file, size, path)
    check_matrix(path, dtype, shape)
    return np.memmap(path, dtype, "r", start, shape, order).view(np.ndarray)


def npy_header(file, size, where):
    """dtype, shape, "C" or "F", and where the numbers begin, in an open .npy of `size` bytes."""
    try:
        version = np.lib.format.read_magic(file)
        parse = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = parse[version](file)
        shape = tuple(map(int, shape))
        if max(shape, default=0) > 2**48:  # products of sizes stay small numbers
            raise ValueError(f"a size of more than {2**48:,}")
    except Exception as error:  # a damaged header is parsed as Python's literals and fails in many ways
        raise ValueError(
            f"{where}: got a damaged .npy header ({error}). Expected what numpy.save writes."
        ) from (error)
    if dtype.hasobject:
        raise ValueError(
            f"{where}: got pickled objects, which are never loaded. Save an array of numbers or str."
        )
    start, n_bytes = file.tell(), prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or start + n_bytes != size:
        raise ValueError(
            f"{where}: got {size - start:,} bytes of numbers, the header says {shape} of {dtype}, "
            f"which takes {n_bytes:,}. The file is cut short or damaged."
        )
    return dtype, shape, "F" if fortran else "C", start


def check_matrix(where, dtype, shape):
    if len(shape) != 2 or dtype.kind not in "fiu" or prod(shape) == 0:
        raise ValueError(
            f"{where}: got an array of shape {shape} and {dtype}. "
            "Expected numbers in two dimensions, one row a word, at least one."
        )
