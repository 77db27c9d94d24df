"""What a compiled pipeline does to texts: parts that add up to scores.

A `Program` is a constant and parts; each part gives some columns of scores for a chunk of texts. Words that
fold are one sum of table rows (`WordSums`, `TermSums`); what does not fold, such as rows of length 1, is a
program of its own whose columns go through it and one matrix product (`Dense`).
"""

from dataclasses import dataclass, replace

import numpy as np

from ..kernels._cache_lines import aligned
from ..system._html import chunk_without_html
from ._vocabulary import Remade, Vocabulary

DIVISORS = ("count", "weights", "sqrt")
COUNTING = ("binary", "count", "log")  # in the order of kernels/_scores.py
STEPS = ("none", "l2", "squares")
_NO_WEIGHTS = np.empty(0, np.float32)


@dataclass(eq=False)
class WordSums(Remade):
    """Rows of a table, one a token, added up and divided.

    Attributes
    ----------
    vocabulary : Vocabulary
    table : ndarray of shape (n_rows, n_columns), float32
        With the divisor "weights" the last column holds each token's weight.
    divisor : {"count", "weights", "sqrt"}
        Number of known tokens, sum of their weights, or the square root of their number.
    first : int
        The first of the columns of scores that this part adds to.
    filled : bool
        Whether the slots of the vocabulary hold the table's numbers, beside the words' keys.
    """

    vocabulary: Vocabulary
    table: np.ndarray
    divisor: str
    first: int = 0
    filled: bool = False

    def __post_init__(self):
        self.width = self.table.shape[1] - (self.divisor == "weights")
        if self.table.shape[1] > 2 or self.vocabulary.longest > 1:
            self._wide = aligned(self.table)
            self._wide.flags.writeable = False  # kernels compile for one kind of array
            return
        from ..kernels._scores import VALUES

        if not self.filled:
            slots = self.vocabulary.slots.copy()
            used = slots[:, 2] != 0
            rows = (slots[used, 2] & np.uint64(0xFFFFFFFF)).astype(np.int64)
            slots.view(np.float32)[used, VALUES : VALUES + self.table.shape[1]] = self.table[rows]
            self.vocabulary, self.filled = replace(self.vocabulary, slots=slots), True
        self._values = self.vocabulary._index[2].view(np.float32)

    def __call__(self, chunk):
        """Scores of a chunk of texts: float64 or float32 (n_texts, width)."""
        if self.filled:
            from ..kernels import _scores

            sums, counts = _scores.score_words(*self.vocabulary.text_arguments(chunk), self._values)
            return _divided(sums, counts, self.divisor, self.width)
        from ..kernels import _pool

        ids, indptr = self.vocabulary.rows(chunk)
        means = np.empty((len(chunk), self._wide.shape[1]), np.float32)
        _pool.pool_rows(ids, indptr, self._wide, _NO_WEIGHTS, False, means)
        means = means[:, : self.table.shape[1]]
        if self.divisor == "count":
            return means
        counts = np.diff(indptr)
        if self.divisor == "sqrt":
            return means * np.sqrt(counts)[:, None].astype(np.float32)
        return _divided(means, np.ones(len(counts)), self.divisor, self.width)


def _divided(sums, counts, divisor, width):
    by = {"count": counts, "sqrt": np.sqrt(counts), "weights": sums[:, -1]}[divisor]
    return sums[:, :width] / np.where(by > 0, by, 1)[:, None]


@dataclass(eq=False)
class TermSums(Remade):
    r"""Rows of a table, one a term, times a function of its count; divided by lengths of rows.

    Attributes
    ----------
    vocabulary : Vocabulary
    table : ndarray of shape (n_rows, n_columns + n_norms), float32
        Columns of scores, then squared weights whose sums are the squared lengths.
    norm_of : ndarray of shape (n_columns,), int64
        Which length a column is divided by; -1 for none.
    counting : {"binary", "count", "log"}
        What a term that comes c times counts: 1, c, or 1 + ln c.
    first : int
        The first of the columns of scores that this part adds to.
    """

    vocabulary: Vocabulary
    table: np.ndarray
    norm_of: np.ndarray
    counting: str
    first: int = 0

    def __post_init__(self):
        self.width = len(self.norm_of)
        self._table = np.ascontiguousarray(self.table, np.float32).view()
        self._table.flags.writeable = False

    def __call__(self, chunk):
        """Scores of a chunk of texts: float64 (n_texts, width)."""
        from ..kernels import _scores

        ids, indptr = self.vocabulary.rows(chunk)
        sums = np.empty((len(chunk), self.table.shape[1]))
        counting = COUNTING.index(self.counting)
        _scores.sum_terms(ids, indptr, self._table, self.width, counting, sums)
        scores, lengths = sums[:, : self.width], np.sqrt(sums[:, self.width :])
        divided = np.flatnonzero(self.norm_of >= 0)
        if len(divided):
            lengths = lengths[:, self.norm_of[divided]]
            scores[:, divided] /= np.where(lengths > 0, lengths, 1)
        return scores


@dataclass(eq=False)
class Dense(Remade):
    """Columns of an inner program, through a step that does not fold, times a matrix.

    Attributes
    ----------
    program : Program
    step : {"none", "l2", "squares"}
        Nothing; rows of length 1; or the columns and then their squares.
    weight : ndarray of shape (n_inner or 2 n_inner, n_columns), or None for the identity
    first : int
        The first of the columns of scores that this part adds to.
    """

    program: "Program"
    step: str
    weight: np.ndarray
    first: int = 0

    def __post_init__(self):
        inner = self.program.width * (2 if self.step == "squares" else 1)
        self.width = inner if self.weight is None else self.weight.shape[1]

    def __call__(self, chunk):
        """Scores of a chunk of texts: float64 (n_texts, width)."""
        rows = self.program(chunk)
        if self.step == "l2":
            lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
            rows /= np.where(lengths > 0, lengths, 1)[:, None]
        elif self.step == "squares":
            rows = rows.astype(np.float64)
            rows = np.concatenate([rows, rows * rows], axis=1)
        return rows if self.weight is None else rows @ self.weight


@dataclass(eq=False)
class Program(Remade):
    """A constant and the parts that are added to it.

    Attributes
    ----------
    constant : ndarray of shape (width,), float64
    parts : list of WordSums, TermSums and Dense
    html : bool
        Whether HTML is taken out of the texts first.
    """

    constant: np.ndarray
    parts: list
    html: bool = False

    @property
    def width(self):
        return len(self.constant)

    @property
    def vocabularies(self):
        """Those of all parts, each once."""
        found = {}
        for part in self.parts:
            inner = part.program.vocabularies if isinstance(part, Dense) else [part.vocabulary]
            found |= dict.fromkeys(inner)
        return list(found)

    def __call__(self, chunk):
        """Scores of a chunk of texts (pyarrow.LargeStringArray): float64 (n_texts, width)."""
        return self.scores(self.cleaned(chunk))

    def cleaned(self, chunk):
        """The texts as they are cut into words."""
        return chunk_without_html(chunk) if self.html else chunk

    def scores(self, chunk):
        """Scores of texts that are cleaned."""
        first = self.parts[0] if self.parts else None
        if len(self.parts) == 1 and first.width == self.width:
            return first(chunk) + self.constant
        scores = np.tile(self.constant, (len(chunk), 1))
        for part in self.parts:
            scores[:, part.first : part.first + part.width] += part(chunk)
        return scores
