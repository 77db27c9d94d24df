"""Columns of texts, of vectors and of numbers that a model takes together, as a table."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from ._rows import plain_texts, wrong_text
from ._vectors import Vectors, is_number


class ModelTable:
    """A model's columns, by what they hold: how wide vectors are, 0 of numbers, None of texts.

    `Vectors` is one column alone. The width of vectors may be -1: that of the first.
    """

    def __init__(self, columns: Mapping[str, int | None]):
        self.names = list(columns)
        self.texts = [name for name, width in columns.items() if width is None]
        self.vectors = {
            name: Vectors(name, width if width > 0 else None) for name, width in columns.items() if width
        }
        self.numbers = [name for name, width in columns.items() if width == 0]
        self.fields = {name: pa.field(name, pa.large_string()) for name in self.texts}
        self.fields |= {name: pa.field(name, pa.float64()) for name in self.numbers}
        for one in self.vectors.values():
            self.fields |= one.fields

    def check_schema(self, schema: pa.Schema, file: str) -> None:
        """Refuse columns of other types, or of vectors of another length.

        Raises
        ------
        ValueError, TypeError
        """
        for one in self.vectors.values():
            one.check_schema(schema, file)
        for name in self.texts:
            plain_texts(pa.chunked_array([], schema.field(name).type))
        for name in self.numbers:
            kind = schema.field(name).type
            if not (is_number(kind) or pa.types.is_boolean(kind) or kind in (pa.string(), pa.null())):
                raise ValueError(
                    f"Got the column {name!r} of {kind} in {file}. Expected numbers, as the model has "
                    "learned from."
                )

    def read_table(self, table: pa.Table) -> tuple[pa.Table | None, dict[int, str]]:
        """The columns as the model takes them, and what is wrong, by row; none of them if anything is."""
        arrays: list = []
        wrong: dict[int, str] = {}
        for name in self.names:
            array, bad = self._read(name, table[name])
            arrays.append(array)
            wrong = bad | wrong
        return None if wrong else pa.table(arrays, self.names), wrong

    def _read(self, name, column):
        if name in self.texts:
            return plain_texts(column), {}
        if name in self.numbers:
            return _numbers(name, column)
        rows, bad = self.vectors[name].read(column)
        return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1] or 1), bad

    def wrong_in(self, row: dict) -> str | None:
        """What is wrong with an object of JSON, if anything is."""
        for name in self.texts:
            if reason := wrong_text(row, name):
                return reason
        for name in self.numbers:
            value = row.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float | None):
                return f"got {value!r:.80} in {name!r}. Expected a number"
        return next(filter(None, (one.wrong_in(row) for one in self.vectors.values())), None)


def _numbers(name, column):
    """Numbers as they are, of csv parsed; an empty one is missing. And what is wrong."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column, {}
    column = pc.utf8_trim_whitespace(column)
    column = pc.if_else(pc.equal(column, ""), None, column)
    try:
        return column.cast(pa.float64()), {}
    except pa.ArrowInvalid:
        values = column.to_pylist()
    wrong = {row: one for row, one in enumerate(values) if not _is_number(one)}
    return None, {row: f"got {one!r:.80} in {name!r}. Expected a number" for row, one in wrong.items()}


def _is_number(text):
    try:
        pa.scalar(text).cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
