"""Rows of what `compare` returned, as reports show them."""

import pandas as pd

from ._blocks import without_home


def name_of(row) -> str:
    """Embedder, adapter and classifier of a row."""
    if row["embedder"] == "-":
        return "the most frequent class"
    parts = row["embedder"], row["adapter"], row["classifier"]
    return " + ".join(str(part) for part in parts if part != "-")


def clean(frame):
    """A copy whose texts name no home folder, with a fresh index."""
    frame = frame.reset_index(drop=True)
    for column in frame.columns[[dtype.kind not in "fiub" for dtype in frame.dtypes]]:
        frame[column] = [None if _missing(v) else without_home(str(v)) for v in frame[column]]
    return frame


def _missing(value):
    return value is None or value is pd.NA or (isinstance(value, float) and value != value)
