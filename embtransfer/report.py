"""A comparison as text: for the eye, or for the next program."""

import sys
from enum import StrEnum

import pandas as pd

_HEADERS = {
    "source_cv": "source cv",
    "target_score": "target",
    "fit_seconds": "fit s",
    "texts_per_second": "texts/s",
}


class Output(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    markdown = "markdown"


def print_table(frame: pd.DataFrame, output: Output, title: str) -> None:
    """Print what `compare` returned to stdout; csv and json carry all digits."""
    if output is Output.csv:
        frame.to_csv(sys.stdout, index=False)
        return
    if output is Output.json:
        print(frame.to_json(orient="records", indent=2))
        return
    shown = frame if frame["error"].any() else frame.drop(columns="error")
    rows = [[_cell(*cell) for cell in zip(shown, row, strict=True)] for row in shown.itertuples(index=False)]
    if output is Output.markdown:
        for row in [list(shown), ["---"] * len(shown.columns), *rows]:
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    seen = "seen" if (frame["target_texts"] == "seen").all() else "unseen"
    caption = f"target: score on texts {seen} while adapting; gain: against no adaptation"
    table = Table(title=Text(title), caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in shown.columns.drop("target_texts"):
        right = shown[column].dtype.kind in "fi"
        table.add_column(_HEADERS.get(column, column), justify="right" if right else "left")
    at = list(shown).index("target_texts")
    for row in rows:
        table.add_row(*map(Text, row[:at] + row[at + 1 :]))  # not markup: an error may hold brackets
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)


def _cell(column, value):
    if not isinstance(value, float):
        return str(value)
    if value != value:
        return "-"
    style = {"source_cv": ".3f", "target_score": ".3f", "gain": "+.3f", "fit_seconds": ".2f"}
    return format(value, style.get(column, ",.0f"))
