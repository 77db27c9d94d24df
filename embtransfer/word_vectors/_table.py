"""A table of vectors in memory: its words and rows, the index of its words, its checksum."""

import hashlib
import warnings
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .._texts import is_text_type, text_buffers
from .readers import Subwords


@dataclass
class Table:
    """Words, their rows, and what else a table came with; the arrays may be memory-mapped."""

    words: pa.LargeStringArray
    matrix: np.ndarray  # float32 or float16 (n_words, n_dimensions)
    slots: np.ndarray | None = None  # uint64, as _tokens.build_index fills it
    subwords: Subwords | None = None
    tokenizer: str | None = None
    manifest: dict | None = None  # of the folder that it is mapped from


def as_arrow(words) -> pa.LargeStringArray:
    """The words of a table, each of them a str."""
    if isinstance(words, pa.Array | pa.ChunkedArray):
        words = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
        if not (words.null_count == 0 and is_text_type(words.type)):
            row = int(np.argmax(words.is_null())) if words.null_count else 0
            raise TypeError(f"Got {words[row]!r} of {words.type} as word {row}. Expected a str.")
        return words.cast(pa.large_string())
    if isinstance(words, str | bytes):
        raise TypeError("Got a single string as words. Expected one str a row.")
    words = list(words)
    for row, word in enumerate(words):
        if not isinstance(word, str):
            raise TypeError(f"Got {word!r:.80} ({type(word).__name__}) as word {row}. Expected a str.")
    return pa.array(words, pa.large_string())


def check_finite(words, matrix) -> None:
    """Refuse NaN and infinity, naming the word."""
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(matrix.sum(axis=1, dtype=np.float64))
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(
            f"Got NaN or infinity in row {row} ({words[row].as_py()!r}), as {matrix.dtype}. Clean the matrix."
        )


def index_of(words) -> tuple[pa.LargeStringArray, np.ndarray | None, np.ndarray]:
    """(words, each once, their rows if some came more than once, hash table for the kernels)."""
    slots, duplicates = _hashed(words)
    if not len(duplicates):
        return words, None, slots
    warnings.warn(
        f"{len(duplicates):,} words came more than once (the first: {words[int(duplicates[0])].as_py()!r} in "
        f"row {duplicates[0]}); their first vectors are kept.",
        UserWarning,
        stacklevel=3,
    )
    kept = np.setdiff1d(np.arange(len(words)), duplicates)
    words = words.take(pa.array(kept))
    return words, kept, _hashed(words)[0]


def float_rows(matrix) -> np.ndarray:
    """A matrix as the kernels add up its rows: float32, at least 16 columns, read-only."""
    rows = np.ascontiguousarray(matrix, np.float32).view(np.ndarray)
    if rows.shape[1] < 16:
        rows = np.pad(rows, ((0, 0), (0, 16 - rows.shape[1])))
    rows.flags.writeable = False
    return rows


def padded_buffers(words) -> tuple[np.ndarray, np.ndarray]:
    """Bytes and offsets of words as the kernels look them up: they read 16 bytes from each word's start."""
    data, offsets = text_buffers(words)
    data = np.append(data, np.zeros(16, np.uint8))
    data.flags.writeable = False
    return data, offsets


def _hashed(words):
    """(hash table for the kernels, rows of words that came before)."""
    from ..kernels import _tokens  # compiles: not at import

    data, offsets = padded_buffers(words)
    slots = np.zeros((1 << int(2 * len(words)).bit_length(), 4), np.uint64)
    return slots, _tokens.build_index(data, offsets, slots)


def checksum_of(
    words, matrix, subwords=None, tokenizer=None, matrix_sha256=None, subwords_sha256=None
) -> str:
    """SHA-256 over dtype, shape and the SHA-256 of each part, in hexadecimal."""
    data, offsets = text_buffers(words)
    parts = [data[offsets[0] : offsets[-1]], offsets - offsets[0]]
    digests = [hashlib.sha256(np.ascontiguousarray(part).data).hexdigest() for part in parts]
    digests.append(matrix_sha256 or hashlib.sha256(np.ascontiguousarray(matrix).data).hexdigest())
    if subwords is not None:
        rows = subwords_sha256 or hashlib.sha256(subwords.rows.data).hexdigest()
        digests.append(f"{subwords.min_n} {subwords.max_n} {rows}")
    if tokenizer is not None:
        digests.append(hashlib.sha256(tokenizer.encode()).hexdigest())
    return hashlib.sha256(f"{matrix.dtype.str}{matrix.shape}{digests}".encode()).hexdigest()
