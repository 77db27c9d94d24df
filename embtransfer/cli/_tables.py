"""Tables as text: for the eye, or for the next program."""

import math
import sys
from enum import StrEnum
from numbers import Integral
from typing import TYPE_CHECKING

from ..system._escape import visible

if TYPE_CHECKING:  # help, and commands without a table, do not wait for it
    import pandas as pd

_HEADERS = {
    "source_cv": "source cv",
    "target_score": "target",
    "fit_seconds": "fit s",
    "texts_per_second": "texts/s",
    "share_of_unknown": "of all unknown",
    "source_accuracy": "source cv",
    "reverse_accuracy": "reverse",
}


class Output(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    markdown = "markdown"


def print_comparison(
    frame: "pd.DataFrame", output: Output, title: str, scoring: str, of_classes: bool
) -> None:
    """Print what `compare` returned, for people the best on the target first."""
    if output not in (Output.table, Output.markdown):
        print_table(frame, output, title)
        return
    if not frame["error"].any():
        frame = frame.drop(columns="error")
    frame = frame.sort_values("target_score", ascending=False, kind="stable")  # as it is where all are NaN
    caption = best = None
    if output is Output.table:
        n, error = frame.attrs["target_texts_scored"], standard_error(frame, scoring)
        seen = "seen" if (frame["target_texts"] == "seen").all() else "unseen"
        of = f"{n:,} texts {seen}" if n else f"texts {seen}"
        caption = (
            f"target: {scoring} on {of} while adapting{f', standard error {error:.3f}' if error else ''}"
        )
        caption += "; gain: against no adaptation"
        best = 0 if n else None
        if n and of_classes:
            caption += "; majority: the most frequent class of the target itself"
        frame = frame.drop(columns="target_texts")
    print_table(frame, output, title, caption, best)


def standard_error(frame: "pd.DataFrame", scoring: str) -> float | None:
    """Of the best score on the target; None where it is no share of texts that are right."""
    n, score = frame.attrs["target_texts_scored"], frame["target_score"].max()
    return math.sqrt(score * (1 - score) / n) if n and scoring == "accuracy" else None


def print_table(
    frame: "pd.DataFrame", output: Output, title: str, caption: str | None = None, best: int | None = None
) -> None:
    """Print a table to stdout; csv and json carry all digits. A star marks the row at the place `best`."""
    if output is Output.csv:
        frame.to_csv(sys.stdout, index=False)
        return
    if output is Output.json:
        print(frame.to_json(orient="records", indent=2, default_handler=str))
        return
    rows = [
        [visible(_cell(*cell)) for cell in zip(frame, row, strict=True)]
        for row in frame.itertuples(index=False)
    ]
    if output is Output.markdown:
        for row in [[visible(name) for name in frame], ["---"] * len(frame.columns), *rows]:
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(visible(title)), caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    if best is not None:
        table.add_column("")
        rows = [["*" if place == best else "", *row] for place, row in enumerate(rows)]
    for column in frame:
        right = frame[column].dtype.kind in "fi"
        table.add_column(Text(visible(_HEADERS.get(column, column))), justify="right" if right else "left")
    for place, row in enumerate(rows):
        table.add_row(*map(Text, row), style="bold" if place == best else None)  # no markup: of brackets
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)


def _cell(column, value):
    import pandas as pd

    if value is None or value is pd.NA:
        return "-"
    if isinstance(value, Integral):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if value != value:
        return "-"
    style = {"source_cv": ".3f", "target_score": ".3f", "gain": "+.3f", "fit_seconds": ".2f"}
    style |= {"score": ".3f", "spread": ".3f", "seconds": ".2f", "MB": ",.1f", "share_of_unknown": ".1%"}
    style |= {"consensus": ".3f", "source_accuracy": ".3f", "reverse_accuracy": ".3f"}
    style |= dict.fromkeys(("precision", "recall", "f1", "confidence", "accuracy", "low", "high"), ".3f")
    return format(value, style.get(column, ",.0f"))
