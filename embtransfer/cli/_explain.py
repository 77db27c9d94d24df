"""`embtransfer explain`: the share of each word in a decision."""

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from ..system._escape import visible
from ._models import load_quickly, split_names
from ._options import ModelFolder, Trusted
from ._terminal import clear_errors


class Form(StrEnum):
    table = "table"
    json = "json"
    html = "html"


def explain(
    model: ModelFolder,
    text: Annotated[str, typer.Argument(help="The text, in quotes; - is all of stdin.")],
    trusted: Trusted = "",
    top: Annotated[int, typer.Option(min=1, help="Words to show.")] = 20,
    label: Annotated[
        str | None, typer.Option(help="The class to explain. By default the predicted one.")
    ] = None,
    format: Annotated[Form, typer.Option(help="How to print; html is a page of its own.")] = Form.table,
):
    """Show how much each word of a text speaks for the predicted label, exactly."""
    from ..explaining import explain as run

    with clear_errors():
        loaded = load_quickly(model, split_names(trusted))
        text = sys.stdin.read() if text == "-" else text
        by_name = {str(one): one for one in getattr(loaded, "classes_", ())}  # of numbers there are none
        explanation = run(loaded, text, label=None if label is None else by_name.get(label, label))
        if format is Form.json:
            print(json.dumps(explanation.to_dict(top), indent=2))
        elif format is Form.html:
            head = '<meta charset="utf-8"><meta name="color-scheme" content="light dark">'
            title = "<title>Explanation</title>"
            body = f"<body>{explanation.to_html(top)}</body>"
            print(f"<!doctype html><html><head>{head}{title}</head>{body}</html>")
        else:
            print(visible(explanation.to_text(top)))
