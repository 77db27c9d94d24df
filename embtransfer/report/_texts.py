"""A report as Markdown, and as what JSON can hold."""

import numpy as np
import pandas as pd

from ..system._escape import escape_markdown
from ._blocks import Bars, Chart, Code, Headline, Table


def markdown(title, lead, sections) -> str:
    """The report as Markdown; of charts the title and what they show in words."""
    parts = [f"# {escape_markdown(title)}", escape_markdown(lead)]
    for section in sections:
        parts.append(f"## {escape_markdown(section.heading)}")
        if section.left_out:
            parts.append(f"Left out: {escape_markdown(section.left_out)}")
        parts += [_markdown_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _markdown_block(block):
    if isinstance(block, Chart):
        return f"**{escape_markdown(block.title)}.** {escape_markdown(block.description)}"
    if isinstance(block, Headline):
        return f"**{escape_markdown(block.text)}**"
    if isinstance(block, Bars):
        rows = [f"- {escape_markdown(row.name)}: {block.value(row)}" for row in block.frame.itertuples()]
        return "\n".join([f"**{escape_markdown(block.title)}**", "", *rows])
    if isinstance(block, Code):
        fence = "`" * max(3, 1 + max((len(run) for run in _runs_of_backticks(block.text)), default=0))
        caption = f"{escape_markdown(block.caption)}:\n\n" if block.caption else ""
        return f"{caption}{fence}\n{block.text}\n{fence}"
    if isinstance(block, Table):
        return _markdown_table(block)
    return escape_markdown(block)


def _runs_of_backticks(text):
    return "".join(char if char == "`" else " " for char in text).split()


def _markdown_table(table):
    columns = list(table.frame)
    lines = [
        [escape_markdown(table.header(column)) for column in columns],
        ["---:" if table.is_number(column) else "---" for column in columns],
    ]
    for values in table.frame.itertuples(index=False, name=None):
        pairs = zip(columns, values, strict=True)
        lines.append([escape_markdown(table.cell(column, value)) for column, value in pairs])
    rows = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"**{escape_markdown(table.caption)}**\n\n{rows}"


def dictionary(section) -> dict:
    """A section as lists, dicts, str, numbers and None."""
    result = {"key": section.key, "heading": section.heading, "left_out": section.left_out}
    result |= {"headline": None, "texts": [], "bars": [], "tables": [], "charts": [], "code": []}
    for block in section.blocks:
        if isinstance(block, Table):
            result["tables"].append(
                {"name": block.name, "caption": block.caption, "rows": _records(block.frame)}
            )
        elif isinstance(block, Chart):
            result["charts"].append(
                {
                    "name": block.name,
                    "title": block.title,
                    "description": block.description,
                    "points": _records(block.points),
                }
            )
        elif isinstance(block, Bars):
            result["bars"].append({"name": block.name, "title": block.title, "rows": _records(block.frame)})
        elif isinstance(block, Headline):
            result["headline"] = block.text
        elif isinstance(block, Code):
            result["code"].append(block.text)
        else:
            result["texts"].append(block)
    return result


def _records(frame):
    return [
        {str(column): _plain(value) for column, value in zip(frame, values, strict=True)}
        for values in frame.itertuples(index=False, name=None)
    ]


def _plain(value):
    """NumPy's numbers as Python's; what is missing or infinite, which JSON lacks, as None."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value
