"""Tables of csv, jsonl and parquet: files of any size found, checked, cut into blocks, read and written."""

from ._batches import TableReader, column_values
from ._blocks import check_columns
from ._files import FORMATS

__all__ = ["FORMATS", "TableReader", "check_columns", "column_values"]
