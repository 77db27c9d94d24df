"""What a report is made of: sections of paragraphs, tables, charts and code, before any format."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd


@dataclass
class Table:
    """A table; columns of text hold str, so that a label 1234 is not printed as 1,234."""

    name: str
    caption: str
    frame: pd.DataFrame
    headers: dict = field(default_factory=dict)
    formats: dict = field(default_factory=dict)
    sortable: bool = False
    shade: pd.DataFrame | None = None  # shares from 0 to 1 of the cells, column by column
    folded: bool = False  # on a page: a line until it is asked for
    beside: bool = False  # on a wide page: next to the one before or after it

    def cell(self, column, value):
        """A value as people read it."""
        if value is None or value is pd.NA or value != value:
            return "–"
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "yes" if value else "no"
        default = "," if self.is_whole(column) else ".3f"
        return format(value, self.formats.get(column, default))

    def is_number(self, column):
        return self.frame[column].dtype.kind in "fiu"

    def is_whole(self, column):
        return self.frame[column].dtype.kind in "iu"

    def header(self, column):
        return self.headers.get(column, str(column).replace("_", " "))


@dataclass
class Headline:
    """What can be read from across a room."""

    text: str


@dataclass
class Bars:
    """Scores as bars of one scale, best first as they are given.

    `frame` has a row a bar: "name", "score", "low", "high" (an interval, NaN if not known) and "best".
    """

    name: str
    title: str
    frame: pd.DataFrame

    def places(self):
        """Ends of the bars and of their intervals from 0 to 1: columns "score", "low", "high"."""
        found = self.frame[["score", "low", "high"]].astype(float)
        if found.min().min() >= 0 and found.max().max() <= 1:
            return found
        least, most = min(0.0, found.min().min()), max(0.0, found.max().max())
        return (found - least) / ((most - least) or 1.0)

    def value(self, row):
        """A score, and its interval where there is one."""
        within = f" ({row.low:.3f} to {row.high:.3f})" if row.low == row.low else ""
        return f"{row.score:.3f}{within}"


@dataclass
class Mark:
    """A shape and a colour of the palette, and what they stand for."""

    label: str
    shape: str
    colour: int


@dataclass
class Chart:
    """A drawing, in words, and its points."""

    name: str
    title: str
    description: str
    svg: str
    legend: list[Mark]
    points: pd.DataFrame


@dataclass
class Section:
    """A part of the report: strings are paragraphs; `left_out` says why there is nothing else."""

    key: str
    heading: str
    blocks: list = field(default_factory=list)
    left_out: str | None = None


@dataclass
class Code:
    """Lines to copy; under a caption they are folded on a page."""

    text: str
    caption: str = ""


def without_home(text: str) -> str:
    """A report is passed on: paths in it do not give the name of who made it."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text
