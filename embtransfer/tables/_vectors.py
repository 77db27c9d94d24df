"""Columns of vectors: lists of numbers as the rows of one matrix, and what is wrong with the others."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .._rows import as_floats, not_finite

LISTS = pa.list_(pa.float64())  # what lists in JSON are read as


class Vectors:
    """A column of vectors, all of one width: that of the model, or of the first vector seen."""

    texts = numbers = ()  # no columns of these beside it: see ModelTable

    def __init__(self, name: str, width: int | None = None):
        self.name, self.width = name, width
        self.names, self.fields = [name], {name: pa.field(name, LISTS)}

    def check_schema(self, schema: pa.Schema, file: str) -> None:
        """`check_type` of its column."""
        self.check_type(schema.field(self.name).type, file)

    def read_table(self, table: pa.Table) -> tuple[np.ndarray, dict[int, str]]:
        """`read` of its column."""
        return self.read(table[self.name])

    def wrong_in(self, row: dict) -> str | None:
        """What is wrong with an object of JSON, if anything is."""
        return self.wrong(row.get(self.name))

    def check_type(self, kind: pa.DataType, file: str) -> None:
        """Refuse a column that holds no lists of numbers, or lists of another length.

        Raises
        ------
        ValueError
        """
        if not is_lists(kind) or not is_number(kind.value_type):
            raise ValueError(
                f"Got the column {self.name!r} of {kind} in {file}. Expected vectors: lists of numbers, in "
                "parquet or jsonl. Name their column: vector_column (--vector-column)."
            )
        size = kind.list_size if pa.types.is_fixed_size_list(kind) else self.width
        if self.width is not None and size != self.width:
            raise ValueError(
                f"Got vectors of {size} numbers in the column {self.name!r} of {file}. Expected "
                f"{self.width}, as the model has learned from. Take vectors of the same embedder."
            )

    def read(self, column: pa.ChunkedArray) -> tuple[np.ndarray, dict[int, str]]:
        """The vectors, float32 or float64, without a copy where they lie in one piece; and what is wrong.

        Rows that are wrong, by their number, are not among the vectors.
        """
        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        lists = (
            chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks) if chunks else column.combine_chunks()
        )
        lengths = np.full(len(lists), getattr(lists.type, "list_size", 0))
        if not pa.types.is_fixed_size_list(lists.type):
            lengths = pc.list_value_length(lists).fill_null(0).to_numpy()
        missing = lists.is_null().to_numpy(zero_copy_only=False)
        if self.width is None and len(seen := np.flatnonzero(~missing & (lengths > 0))):
            self.width = int(lengths[seen[0]])
        wrong = missing | (lengths != (self.width or -1))
        bad = {
            row: self._length(None if missing[row] else lengths[row])
            for row in np.flatnonzero(wrong).tolist()
        }
        if bad:
            lists = lists.filter(pa.array(~wrong))
        numbers = lists.flatten().to_numpy(zero_copy_only=False)  # nothing becomes NaN
        rows = as_floats(numbers).reshape(len(lists), self.width or 0)
        if len(odd := not_finite(rows)):
            bad |= dict.fromkeys(np.flatnonzero(~wrong)[odd].tolist(), self._odd())
            rows = np.delete(rows, odd, axis=0)
        return rows, bad

    def wrong(self, value) -> str | None:
        """What is wrong with a value of JSON, if anything is."""
        if value is not None and not isinstance(value, list):
            return f"got {type(value).__name__} in {self.name!r}. Expected a list of numbers"
        odd = [one for one in value or () if not isinstance(one, int | float) or isinstance(one, bool)]
        if any(one is not None for one in odd):
            return f"got {type(odd[0]).__name__} among the numbers of {self.name!r}"
        if self.width is None and value:
            self.width = len(value)
        if not value or len(value) != self.width:
            return self._length(None if value is None else len(value))
        if odd or not all(map(math.isfinite, value)):
            return self._odd()
        return None

    def _odd(self):
        return f"NaN, infinity or nothing among the numbers of {self.name!r}"

    def _length(self, length):
        if length is None:
            return f"no vector in {self.name!r}"
        expected = "some" if self.width is None else self.width
        return f"got {length} numbers in {self.name!r}, expected {expected}"


def is_lists(kind: pa.DataType) -> bool:
    """Whether a pyarrow type is of lists of any kind."""
    lists = pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list
    return any(is_list(kind) for is_list in lists)


def is_number(kind: pa.DataType) -> bool:
    """Whether a pyarrow type is of numbers."""
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)
