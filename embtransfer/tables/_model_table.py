"""Columns of texts and of vectors that a model takes together, as a table."""

import pyarrow as pa

from ._rows import plain_texts, wrong_text
from ._vectors import Vectors


class ModelTable:
    """A model's columns: names of those of texts, and those of vectors. `Vectors` is one such alone."""

    def __init__(self, texts: list[str], vectors: list[Vectors]):
        self.texts, self.vectors = texts, vectors
        self.names = [*texts, *(one.name for one in vectors)]
        self.fields = {name: pa.field(name, pa.large_string()) for name in texts}
        for one in vectors:
            self.fields |= one.fields

    def check_schema(self, schema: pa.Schema, file: str) -> None:
        """Refuse columns of other types, or of vectors of another length.

        Raises
        ------
        ValueError, TypeError
        """
        for one in self.vectors:
            one.check_schema(schema, file)
        for name in self.texts:
            plain_texts(pa.chunked_array([], schema.field(name).type))

    def read_table(self, table: pa.Table) -> tuple[pa.Table | None, dict[int, str]]:
        """The columns as the model takes them, and what is wrong, by row; none of them if anything is."""
        arrays = [plain_texts(table[name]) for name in self.texts]
        wrong: dict[int, str] = {}
        for one in self.vectors:
            rows, bad = one.read(table[one.name])
            wrong = bad | wrong
            if not bad:
                arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1] or 1))
        return None if wrong else pa.table(arrays, self.names), wrong

    def wrong_in(self, row: dict) -> str | None:
        """What is wrong with an object of JSON, if anything is."""
        for name in self.texts:
            if reason := wrong_text(row, name):
                return reason
        return next(filter(None, (one.wrong_in(row) for one in self.vectors)), None)
