"""What every reader of vectors returns."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa


@dataclass
class Subwords:
    """fastText's vectors of character n-grams: the row of an n-gram is its hash modulo the rows."""

    min_n: int
    max_n: int
    rows: np.ndarray  # float32 (n_buckets, n_dimensions); may be memory-mapped


@dataclass
class StoredTable:
    """A table as it lies in a file, read block by block so that it need not fit in memory.

    `blocks` yields (words, rows): a pyarrow LargeStringArray without nulls and a float32 or float16
    C-contiguous array of shape (len(words), n_dimensions). It may raise ValueError, naming file and line.
    """

    n_dimensions: int
    blocks: Iterator[tuple[pa.LargeStringArray, np.ndarray]]
    n_words: int | None = None  # where the file says so before its end
    subwords: Subwords | None = None
    tokenizer: str | None = None  # the content of a Hugging Face tokenizer.json: words are its tokens
    format: str = ""  # filled in by open_vectors
    files: tuple[Path, ...] = ()  # what it was read from; () is the path given, with all that a folder holds
