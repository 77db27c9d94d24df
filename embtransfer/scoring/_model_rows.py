"""Which columns of a table a model reads, and what reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._rows import check_given, columns_of, width_of
from ..tables import check_columns
from ..tables._model_table import ModelTable
from ..tables._vectors import Vectors
from ._model_columns import takes_vectors

RowReader = Vectors | ModelTable


def row_reader(
    model: Any, text_column: str, vector_column: str | Sequence[str] | None = None
) -> RowReader | None:
    """What reads the model's columns, where it takes another than one of texts.

    Raises
    ------
    ValueError
        If the columns that are named are not of the kind that the model takes.
    """
    given = [vector_column] if isinstance(vector_column, str) else list(vector_column or ())
    if wanted := columns_of(model):
        check_given(wanted, text_column, given)
        return ModelTable(wanted)
    if len(given) > 1:
        raise ValueError(
            f"Got vector_column={given} (--vector-column) and a model of one column. Name the one that "
            "it has learned from."
        )
    name = given[0] if given else None
    width = width_of(model)
    if width and not name and takes_vectors(model):
        raise ValueError(
            f"Got a model of vectors of {width} numbers, and no column of them. Pass vector_column "
            "(--vector-column)."
        )
    if name and not width:
        raise ValueError(
            f"Got vector_column={name!r} (--vector-column) and a model of texts. Pass "
            "text_column (--text-column)."
        )
    return Vectors(name, width) if name else None


def check_read(table: Path, names: list[str], reader: RowReader | None, text_column: str) -> None:
    """Refuse a table that lacks a column that the model reads.

    Raises
    ------
    ValueError
    """
    if isinstance(reader, ModelTable):
        check_columns(table, names, reader.names, "The model wants them: rename those that hold them.")
    else:
        by = {"vector_column": reader.names[0]} if reader else {"text_column": text_column}
        check_columns(table, names, by)
