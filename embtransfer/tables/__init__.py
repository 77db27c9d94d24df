"""Tables of csv, jsonl and parquet: batches in and out, and blocks of files of any size."""

from ._batches import (
    FORMATS,
    check_columns,
    column_names,
    column_texts,
    column_values,
    iter_batches,
    open_writer,
    read_columns,
)

__all__ = [
    "FORMATS",
    "check_columns",
    "column_names",
    "column_texts",
    "column_values",
    "iter_batches",
    "open_writer",
    "read_columns",
]
