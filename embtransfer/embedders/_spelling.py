"""The word of a table that is spelled nearest to an unknown one."""

import numpy as np
import pyarrow as pa

from .._texts import text_buffers
from ..word_vectors import WordVectors

MIN_LETTERS = 4  # shorter words have too many neighbours


def nearest_rows(words: list[str], vectors: WordVectors) -> np.ndarray:
    """Row of the nearest word for each word: int64 (n,), -1 where there is none.

    Of words with repeated letters ("sooo") those with the repeats cut to two and to one, else of all
    words within one edit (Damerau), the first in the table, which is the most frequent. Edits insert and
    replace a to z; words of other letters than these, or fewer than four, have no neighbours.
    """
    from ..kernels._spelling import nearest

    data, offsets = text_buffers(pa.array(words, pa.large_string()))
    return nearest(data, offsets, MIN_LETTERS, vectors._index)
