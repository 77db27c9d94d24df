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
    """Lines to copy."""

    text: str


def without_home(text: str) -> str:
    """A report is passed on: paths in it do not give the name of who made it."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text
