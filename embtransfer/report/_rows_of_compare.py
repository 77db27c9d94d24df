"""Rows of what `compare` returned, as reports show them."""

import pandas as pd

from ._blocks import without_home


def clean(frame):
    """A copy whose texts name no home folder, with a fresh index."""
    frame = frame.reset_index(drop=True)
    for column in frame.columns[[dtype.kind not in "fiub" for dtype in frame.dtypes]]:
        frame[column] = [None if _missing(v) else without_home(str(v)) for v in frame[column]]
    return frame


def _missing(value):
    return value is None or value is pd.NA or (isinstance(value, float) and value != value)
