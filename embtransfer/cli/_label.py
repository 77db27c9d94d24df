"""`embtransfer label`: a table of target texts to label, for a spreadsheet."""

import re
from collections import Counter
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import typer

from .._names import first_few
from ._models import split_names
from ._options import Delimiter, Encoding, TextColumn, Trusted, VectorColumn
from ._row_columns import columns_of_model, texts_to_show
from ._source_options import source_options
from ._terminal import clear_errors, command_to_copy, talk


class Method(StrEnum):
    default = "default"
    random = "random"
    typical = "typical"
    margin = "margin"
    diverse = "diverse"
    disagreement = "disagreement"


def label(
    model: Annotated[Path, typer.Argument(help="A model folder, from embtransfer fit.")],
    target: Annotated[
        str,
        typer.Argument(help="Texts of the target domain: a file, folder, quoted pattern or -, as for score."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .csv to make, for a spreadsheet.")],
    n: Annotated[int, typer.Option("-n", help="How many texts, at most.")] = 50,
    text_column: TextColumn = "text",
    vector_column: VectorColumn = None,
    id_column: Annotated[
        str | None, typer.Option(help="A column to write beside each text, such as one that names it.")
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            help="Earlier rounds: a file or a folder of them, or --labels several times. None of their texts "
            "is suggested again."
        ),
    ] = None,
    method: Annotated[
        Method,
        typer.Option(
            help="default: diverse, and every fifth at random, to score it; else all random, typical ones, "
            "smallest margin, diverse ones (typical of where the model is in doubt), or where views of the "
            "model disagree most."
        ),
    ] = Method.default,
    random_state: Annotated[int, typer.Option(help="Seed of draws and clusters.")] = 0,
    page: Annotated[
        bool,
        typer.Option(
            "--page",
            help="Also make a page of this name, .html, to label in a browser with keys: it saves the .csv.",
        ),
    ] = False,
    trusted: Trusted = "",
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file of this command that holds no labels.")
    ] = False,
):
    """Write the target texts that are worth most to label, with a column to fill in."""
    from ..labelling import check_output, read_rounds, suggest_labels, write_round
    from ..persistence import load_pipeline
    from ..report import check_label_page, write_label_page

    html = output.with_suffix(".html")
    with clear_errors():
        check_output(output, overwrite)  # before the work, not after it
        if page:
            check_label_page(html, overwrite)
        loaded = load_pipeline(model, trusted=split_names(trusted))
        why_not, given = _why_it_learns_none(loaded), source_options(model)
        of_rows = columns_of_model(loaded, text_column, vector_column)
        if why_not and of_rows.as_table:  # choose reads the texts of its rows beside the labels
            text_column = given.get("text_column", text_column)
        rows, texts, ids = _load_texts(target, text_column, of_rows, id_column, delimiter, encoding)
        if not texts:
            raise ValueError(f"{target} has no row. Expected texts to label.")
        classes = loaded.classes_.tolist() if hasattr(loaded, "classes_") else []  # of numbers there are none
        known = {}
        if labels:
            rounds = read_rounds(labels, texts, classes, but=output)
            # texts that were left empty are not suggested again: somebody has seen them; any class says that
            known = dict.fromkeys(rounds.rows, classes[0]) | rounds.labels
        with talk.status("Choosing"):
            suggested = suggest_labels(
                loaded, rows, n, y_target=known, method=method.value, random_state=random_state
            )
        if not len(suggested):
            raise ValueError(f"All {len(texts):,} texts of {target} were suggested already, or are empty.")
        if why_not:
            talk.print(
                f"embtransfer update could not learn from such labels: fit another model for it. {why_not}",
                style="yellow",
            )
        write_round(output, suggested, texts, ids)
        if page:
            write_label_page(html, output, _as_read(loaded, texts, suggested["row"]), classes)
        why = ", ".join(f"{count:,} {name}" for name, count in Counter(suggested["why"]).items())
        talk.print(f"{len(suggested):,} texts to label ({why}). Wrote {output}" + f" and {html}" * page)
        if page:
            talk.print(f"Open {html} in a browser, and put what it saves in the place of {output}. Or:")
        if all(suggested["why"] == "random"):
            talk.print("All of them will score the model, and it will learn from none.", style="yellow")
        talk.print(
            f"Fill in the column label: {first_few(classes, 10)}. Leave it empty where none fits. Then:"
        )
        files = labels or []
        if not any(Path(name).resolve() in output.resolve().parents for name in files):
            files = [*files, str(output)]
        sources = [word for name in given.pop("source", ["SOURCE"]) for word in ("--source", name)]
        vectors = given.pop("vector_column", None)
        if why_not:
            vector_column = vectors or vector_column
        else:
            if of_rows.as_table:  # the model knows its columns: what update is told are those shown
                given["text_column"] = text_column
            if given.get("scoring") == "neg_log_loss":  # which few labels do not tell
                del given["scoring"]
        own = {"text_column": text_column, "delimiter": delimiter, "encoding": encoding}
        usual = {"text_column": "text"}
        options: dict[str, Any] = {
            f"target_{name}": one for name, one in own.items() if one != given.get(name, usual.get(name))
        }
        options |= given
        words = ["choose"] if why_not else ["update", model]
        words += [*sources, "--target", target, "-o", _next_model(model)]
        options["vector_column"] = vector_column
        options |= {"target_labels": files} if why_not else {"labels": files, "trusted": trusted}
        talk.print("  " + command_to_copy(*words, **options))


def _why_it_learns_none(model):
    """Why `update` cannot fit a model with labels of the target; None if it can."""
    from ..labelling import check_takes_labels

    try:
        check_takes_labels(model)
    except TypeError as error:
        return error
    return None


def _next_model(model):
    """A name that is free, for the model of the next round."""
    name = re.sub(r"\d+$", "", model.name)
    return next(place for i in count(2) if not (place := model.with_name(f"{name}{i}")).exists())


def _as_read(model, texts, rows):
    """row -> its text as the model reads it: without HTML, if it takes that out."""
    from .._rows import cleaners

    shown = [texts[row] or "" for row in rows]
    for step in cleaners(model):
        shown = step.transform(shown)
    return dict(zip(rows, shown, strict=True))


def _load_texts(target, text_column, of_rows, id_column, delimiter, encoding):
    """Rows for the model, texts to show, and the column that names them by its name, if there is one."""
    from ..labelling import COLUMNS

    if id_column in COLUMNS and id_column is not None:
        raise ValueError(
            f"Got --id-column {id_column}, but the file has such a column of its own, beside "
            f"{', '.join(name for name in COLUMNS if name != id_column)}. Rename it in {target}."
        )
    table = of_rows.open(target, delimiter, encoding)
    more = {"id_column": id_column} if id_column else {}
    hint = ["Whoever labels vectors must see what they are of: name that column."] if of_rows.vectors else []
    texts, *ids = texts_to_show(table, text_column, more, *hint)
    rows = of_rows.read(table)[0] if of_rows.vectors or of_rows.as_table else texts
    return rows, texts, {id_column: ids[0]} if ids else None
