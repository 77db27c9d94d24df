"""Rows of features, symbolically: what the steps of a pipeline make of the words of a text.

`Rows` are blocks of columns side by side. Each block is a sum over leaves (pooled words, counted terms, or
columns that a step does not let through linearly), each times a matrix, plus a constant. Linear steps change
the matrices alone; at the end each matrix is multiplied into its leaf's table.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..compiled._program import Dense, Program, TermSums, WordSums
from ..compiled._vocabulary import Vocabulary

_BLOCK = 1 << 14  # rows of a table that are multiplied at a time: float64 of all of them is not needed


_LARGEST = 10**8  # numbers of a matrix that selects columns


class CannotFold(ValueError):
    """A step that a compiled pipeline cannot hold; the message says why."""


@dataclass(eq=False)
class Words:
    """Pooled vectors: rows of the table times their weights, added up and divided; see WordSums."""

    vocabulary: Vocabulary
    table: np.ndarray
    divisor: str = "count"
    weights: np.ndarray | None = None

    @property
    def width(self):
        return self.table.shape[1]


@dataclass(eq=False)
class Terms:
    """Counted terms, a column each, times their weights, and of length 1 if asked; see TermSums."""

    vocabulary: Vocabulary
    width: int  # columns: the first rows of the vocabulary, or those that `columns` names
    counting: str = "count"
    weights: np.ndarray | None = None
    normalised: bool = False
    columns: np.ndarray | None = None


@dataclass(eq=False)
class Inner:
    """All columns of rows, through a step that does not fold; see Dense."""

    rows: "Rows"
    step: str

    @property
    def width(self):
        return self.rows.width * (2 if self.step == "squares" else 1)


@dataclass(eq=False)
class Block:
    """Columns: the sum of leaf @ matrix (None for the identity, 1-D for a diagonal), plus a constant."""

    width: int
    terms: list = field(default_factory=list)
    constant: Any = None

    def __post_init__(self):
        self.constant = np.zeros(self.width) if self.constant is None else self.constant

    def scaled(self, factor):
        """Columns times a vector, or a number."""
        factor = np.broadcast_to(np.asarray(factor, np.float64), (self.width,))
        terms = [(leaf, factor if matrix is None else matrix * factor) for leaf, matrix in self.terms]
        return Block(self.width, terms, self.constant * factor)

    def times(self, matrix):
        """Columns times a matrix."""
        terms = []
        for leaf, before in self.terms:
            if before is None:
                terms.append((leaf, matrix))
            else:
                terms.append((leaf, before[:, None] * matrix if before.ndim == 1 else before @ matrix))
        return Block(matrix.shape[1], terms, self.constant @ matrix)


class Rows:
    """Blocks side by side."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.width = sum(block.width for block in blocks)

    @classmethod
    def of(cls, leaf):
        return cls([Block(leaf.width, [(leaf, None)])])

    def affine(self, matrix=None, before=None, after=None):
        """(x - before) @ matrix + after; a 1-D matrix is a diagonal, None the identity."""
        rows = self if before is None else self._shifted(-np.asarray(before, np.float64))
        if matrix is not None:
            matrix = np.asarray(matrix, np.float64)
            parts = rows._cut(matrix)
            if matrix.ndim < 2:
                rows = Rows([block.scaled(part) for block, part in parts])
            else:
                done = [block.times(part) for block, part in parts]
                terms = [term for block in done for term in block.terms]
                rows = Rows([Block(matrix.shape[1], terms, sum(block.constant for block in done))])
        return rows if after is None else rows._shifted(np.asarray(after, np.float64))

    def _cut(self, values):
        """Each block with the entries (or rows) of values that belong to its columns."""
        if values.ndim == 0:
            return [(block, values) for block in self.blocks]
        if len(values) != self.width:
            raise CannotFold(f"it takes {len(values)} columns, but the steps before it give {self.width}")
        at, parts = 0, []
        for block in self.blocks:
            parts.append((block, values[at : at + block.width]))
            at += block.width
        return parts

    def _shifted(self, constant):
        parts = self._cut(constant)
        return Rows([Block(b.width, b.terms, b.constant + part) for b, part in parts])

    def select(self, columns):
        """The columns by number."""
        if self.width * len(columns) > _LARGEST:
            raise CannotFold(f"{len(columns):,} of {self.width:,} columns make too large a matrix")
        matrix = np.zeros((self.width, len(columns)))
        matrix[columns, np.arange(len(columns))] = 1
        return self.affine(matrix)

    def through(self, step):
        """Rows of length 1 ("l2"), or columns and their squares ("squares")."""
        leaf = self.plain_terms()
        if step == "l2" and leaf is not None:
            return Rows.of(replace(leaf, normalised=True))
        return Rows.of(Inner(self, step))

    def plain_terms(self):
        """The counted terms, weighted and not yet of length 1, that the rows are; or None."""
        if len(self.blocks) != 1 or len(self.blocks[0].terms) != 1 or self.blocks[0].constant.any():
            return None
        leaf, matrix = self.blocks[0].terms[0]
        if not isinstance(leaf, Terms) or leaf.normalised or (matrix is not None and matrix.ndim == 2):
            return None
        return leaf if matrix is None else replace(leaf, weights=_product(leaf.weights, matrix))

    def program(self):
        """What a compiled pipeline runs."""
        spans, first = {}, 0  # leaf -> where its columns go
        for block in self.blocks:
            for leaf, matrix in block.terms:
                spans.setdefault(leaf, []).append((matrix, first, first + block.width))
            first += block.width
        parts = [_lowered(leaf, found) for leaf, found in spans.items() if not isinstance(leaf, Terms)]
        terms = [(leaf, *span) for leaf, found in spans.items() if isinstance(leaf, Terms) for span in found]
        constant = np.concatenate([block.constant for block in self.blocks])
        return Program(constant, parts + _lowered_terms(terms))


def _product(weights, factor):
    return factor if weights is None else weights * factor


def _lowered(leaf, spans):
    """One part for all columns that a leaf has a share in, so that its texts are read once."""
    first, stop = min(begin for _, begin, _ in spans), max(end for _, _, end in spans)
    matrix = spans[0][0]
    if len(spans) > 1:
        matrix = np.zeros((leaf.width, stop - first))
        for one, begin, end in spans:
            one = np.ones(leaf.width) if one is None else one
            matrix[:, begin - first : end - first] += np.diag(one) if one.ndim == 1 else one
    if isinstance(leaf, Inner):
        full = np.diag(matrix) if matrix is not None and matrix.ndim == 1 else matrix
        return Dense(leaf.rows.program(), leaf.step, full, first)
    if matrix is not None and matrix.ndim == 2 and matrix.shape[1] > leaf.width:
        # more columns than the table has: one product a text is less work than longer rows
        vectors = _lowered(leaf, [(None, 0, leaf.width)])
        return Dense(Program(np.zeros(leaf.width), [vectors]), "none", matrix, first)
    table = _times(leaf.table, matrix)
    if leaf.weights is not None:
        table *= leaf.weights[:, None]
    if leaf.divisor == "weights":
        table = np.concatenate([table, leaf.weights[:, None].astype(np.float32)], axis=1)
    return WordSums(leaf.vocabulary, table, leaf.divisor, first)


def _times(table, matrix):
    """The table times a matrix, computed in float64: float32."""
    if matrix is None:
        return np.array(table, np.float32)
    width = len(matrix) if matrix.ndim == 1 else matrix.shape[1]
    result = np.empty((len(table), width), np.float32)
    for start in range(0, len(table), _BLOCK):
        here = slice(start, start + _BLOCK)
        rows = np.asarray(table[here], np.float64)
        result[here] = rows * matrix if matrix.ndim == 1 else rows @ matrix
    return result


def _lowered_terms(terms):
    """One part for all terms of a vocabulary that are counted alike."""
    groups = {}
    for leaf, matrix, first, _ in terms:
        groups.setdefault((leaf.vocabulary, leaf.counting), []).append((leaf, matrix, first))
    parts = []
    for group in groups.values():
        start = min(first for _, _, first in group)
        spans = [(_term_columns(leaf, matrix), leaf, first - start) for leaf, matrix, first in group]
        width = max(first + columns.shape[1] for columns, _, first in spans)
        overlap = sum(columns.shape[1] for columns, _, _ in spans) > width
        if overlap or any(columns.shape[1] > 64 for columns, _, _ in spans):
            parts += [_term_sums([(columns, leaf, 0)], start + first) for columns, leaf, first in spans]
        else:
            parts.append(_term_sums(spans, start))
    return parts


def _term_sums(spans, start):
    vocabulary, width = spans[0][1].vocabulary, max(first + c.shape[1] for c, _, first in spans)
    squares = list(dict.fromkeys(leaf for _, leaf, _ in spans if leaf.normalised))
    table = np.zeros((len(vocabulary), width + len(squares)), np.float32)
    norm_of = np.full(width, -1)
    for columns, leaf, first in spans:
        table[:, first : first + columns.shape[1]] = columns
        if leaf.normalised:
            place = squares.index(leaf)
            norm_of[first : first + columns.shape[1]] = place
            weights = np.ones(leaf.width) if leaf.weights is None else leaf.weights
            table[:, width + place] = _by_row(leaf, np.square(weights)[:, None])[:, 0]
    return TermSums(vocabulary, table, norm_of, spans[0][1].counting, start)


def _term_columns(leaf, matrix):
    """Scores of each row of the vocabulary, float64 (n_rows, n_columns)."""
    if matrix is None or matrix.ndim == 1:
        if leaf.width > 4096:
            raise CannotFold(f"it leaves {leaf.width:,} columns; put a classifier last")
        matrix = np.diag(np.ones(leaf.width) if matrix is None else matrix)
    weights = 1.0 if leaf.weights is None else np.asarray(leaf.weights, np.float64)[:, None]
    return _by_row(leaf, matrix * weights)


def _by_row(leaf, values):
    if leaf.columns is None:
        return values
    rows = np.zeros((len(leaf.vocabulary), values.shape[1]))
    rows[leaf.columns] = values
    return rows
