"""A page to label the texts of a round in a browser, which needs no server and saves the round's csv."""

import csv
import json
from pathlib import Path

from ..labelling import COLUMNS, label_cell
from ..system._escape import escape
from ..system._folders import json_checksum, new_files
from ._html import document, read

KEYS = "123456789abcdefghijklmnopqrstuvwxyz"  # 0 is for "none of these"
_MARK = '<script type="application/json" id="et-round">'
_WHY = {
    "random": "drawn at random, to score models",
    "typical": "typical of many texts",
    "margin": "the model is in doubt",
    "diverse": "the model is in doubt of such texts",
    "disagreement": "views of the model disagree",
}


def check_label_page(path: Path, overwrite: bool) -> None:
    """Refuse a name that is taken, even if it may be overwritten by something else than such a page.

    Raises
    ------
    FileExistsError
    """
    if not path.exists():
        return
    if not overwrite:
        raise FileExistsError(f"{path} is there already. Choose another name, or pass --overwrite.")
    if not path.is_file() or _MARK.encode() not in path.read_bytes():
        raise FileExistsError(f"{path} is no page of embtransfer label. Choose another name.")


def write_label_page(path: Path, file: Path, texts, classes) -> None:
    """Write the page of a round that `write_round` has written to `file`.

    Parameters
    ----------
    path : Path
    file : Path
        The csv. The page has its cells as they are, and saves them with the labels.
    texts : sequence of str, or dict of row (from 0) -> str
        What to show of the round's rows.
    classes : sequence
        Labels to choose from.
    """
    with open(file, encoding="utf-8-sig", newline="") as opened:
        header, *rows = csv.reader(opened)
    names = [str(one).strip() for one in classes]
    content = {
        "file": file.name,
        "header": header,
        "rows": [_row(dict(zip(header, cells, strict=True)), texts) for cells in rows],
        "classes": [{"name": name, "cell": label_cell(name)} for name in names],
        "keys": [*KEYS],
    }
    content["storage"] = f"embtransfer-{json_checksum(content)}"  # of these texts alone
    with new_files(path) as [part]:
        part.write_text(_page(file.name, content, names), "utf-8", newline="\n")


def _row(cells, texts):
    *others, _ = cells.values()
    named = [f"{name}: {cell}" for name, cell in cells.items() if name not in COLUMNS]
    about = [f"row {cells['row']}", *named, _WHY.get(cells["why"], cells["why"])]
    return {"cells": others, "text": texts[int(cells["row"]) - 1] or "", "about": " · ".join(about)}


def _page(name, content, classes):
    by_typing = len(classes) > len(KEYS)
    keys = [""] * len(classes) if by_typing else [f"<kbd>{key}</kbd>" for key in KEYS[: len(classes)]]
    items = "".join(
        f'<li><button type="button" aria-pressed="false">{key}<bdi>{escape(label)}</bdi></button></li>'
        for key, label in zip(keys, classes, strict=True)
    )
    find = (
        '<label for="et-filter">Type a part of the label, then Enter; arrow keys for the next ones</label>'
        '<input id="et-filter" type="text" autocomplete="off" autocapitalize="off" spellcheck="false">'
    )
    data = json.dumps(content).replace("<", r"\u003c")  # no text ends the script, or is not ASCII
    title, none = f"Label {name}", "Space" if by_typing else "0"
    body = f"""<header><h1 class="et-title"><bdi>{escape(title)}</bdi></h1></header>
<main><div class="et-about"><strong id="et-at"></strong><span id="et-count"></span></div>
<progress id="et-done" max="{len(content["rows"])}" value="0" aria-label="Texts done"></progress>
<div aria-live="polite" aria-atomic="true"><div class="et-text" id="et-text" dir="auto" role="group"
 aria-label="Text to label"></div><p class="et-soft" id="et-about" dir="auto"></p></div>
{find if by_typing else ""}
<ul class="et-buttons{" et-many" if by_typing else ""}" id="et-classes" aria-label="Labels">{items}</ul>
<div class="et-buttons">
<button type="button" id="et-skip" aria-pressed="false"><kbd>{none}</kbd>None of these</button>
<button type="button" id="et-back"><kbd>←</kbd>Back</button>
<button type="button" id="et-on"><kbd>→</kbd>On</button>
<button type="button" id="et-undo"><kbd>Backspace</kbd>Undo</button>
<button type="button" id="et-save"><kbd>Ctrl S</kbd>Save the csv</button></div>
<p class="et-said" id="et-said" role="status"></p>
<p class="et-soft"><span id="et-kept"></span> Save <bdi>{escape(name)}</bdi> at the end, in the place of the
file of that name, or pass the saved one to embtransfer update --labels.</p>
<noscript><p>This page needs JavaScript. The csv can be filled in with any spreadsheet, too.</p></noscript>
</main>
{_MARK}{data}</script>"""
    return document(title, read("label.css"), body, read("csv.js") + read("label.js"))
