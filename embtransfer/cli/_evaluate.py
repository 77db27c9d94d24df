"""`embtransfer evaluate`: how good a saved model is on a labelled file."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from .._names import first_few, spellings
from ._labels import as_known, missing_labels
from ._models import split_names
from ._options import (
    Delimiter,
    Encoding,
    MergeLabels,
    ModelFolder,
    Scoring,
    TextColumn,
    Trusted,
    VectorColumn,
)
from ._row_columns import columns_of_model
from ._tables import Output, print_table
from ._terminal import clear_errors, talk

_CLASSES, _GROUPS = 10, 20  # that are shown


class Form(StrEnum):
    table = "table"
    json = "json"


def evaluate(
    model: ModelFolder,
    file: Annotated[str, typer.Argument(help="Labelled texts: a file, folder, quoted pattern or -.")],
    text_column: TextColumn = "text",
    vector_column: VectorColumn = None,
    label_column: Annotated[str, typer.Option(help="The column with the labels.")] = "label",
    by: Annotated[
        str | None, typer.Option(help="A column with groups, such as country: the score of each.")
    ] = None,
    merge_labels: MergeLabels = False,
    scoring: Scoring = "accuracy",
    trusted: Trusted = "",
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    format: Annotated[Form, typer.Option(help="How to print.")] = Form.table,
):
    """Score a model on labelled texts that it did not learn from: by class, by confidence, by group."""
    from ..labelling import evaluate as run
    from ..persistence import load_model

    with clear_errors():
        loaded = load_model(model, split_names(trusted))
        of_rows = columns_of_model(loaded, text_column, vector_column)
        table = of_rows.open(file, delimiter, encoding)
        groups = {"by": by} if by else {}
        of_rows.check(table, {"label_column": label_column} | groups)
        X, labels, *others = of_rows.read(table, [label_column, *groups.values()])
        classes = loaded.classes_.tolist() if hasattr(loaded, "classes_") else []
        by_name, gone = {str(one): one for one in classes}, missing_labels(labels)
        y: Any = [None if no else one for no, one in zip(gone, labels, strict=True)]
        y = as_known(y, classes)  # of csv all labels are texts
        alike = spellings(list(by_name), y).items()
        meant = {one: by_name[name] for one, name in alike if name in by_name and one not in by_name}
        if merge_labels:
            y = [meant.get(one, one) for one in y]
        named = {str(one) for one in y if one is not None and not isinstance(one, list)}
        unknown = sorted(named - set(by_name))
        if unknown and by_name:  # which models of numbers have none of
            names = first_few(unknown, form=repr)
            merge = " --merge-labels takes those that differ by case or white space only for the model's."
            hint = merge if set(unknown) & set(meant) else ""
            talk.print(f"Labels that the model does not know: {names}.{hint}", style="yellow")
        found = run(loaded, X, y, *others, scoring=scoring)
        if found.n_left_out:
            n_gone, n_left_out = sum(gone), found.n_left_out
            said = (
                f"{n_gone:,} without a label, {n_left_out - n_gone:,} with one that the model does not know"
            )
            talk.print(f"Left out: {n_left_out:,} of {len(y):,} rows, {said}.")
        if format is Form.json:
            print(json.dumps(found.to_dict(), indent=2, default=str, allow_nan=False))
        else:
            _print(found, by)


def _print(found, by):
    print(f"{found}\n")
    by_class = found.by_class.sort_values("texts", ascending=False, kind="stable")
    print_table(by_class[:_GROUPS].reset_index(), Output.table, _first("By class", by_class))
    if len(by_class) <= _CLASSES:
        counts = found.confusion.rename(columns=lambda label: f"-> {label}")
        print_table(counts.reset_index(), Output.table, "Labels, and what the model says")
    else:
        print_table(found.confused(_CLASSES), Output.table, "Most frequent confusions")
    if len(found.calibration):
        caption = "a fifth of the texts a row, the least sure first"
        print_table(found.calibration, Output.table, "How sure, and how often right", caption)
    if found.by is not None:
        frame = found.by[:_GROUPS].rename_axis(by).dropna(axis=1, how="all").reset_index()
        print_table(frame, Output.table, _first(f"{found.scoring} by {by}", found.by))


def _first(title, frame):
    return title if len(frame) <= _GROUPS else f"{title}: the {_GROUPS} largest of {len(frame):,}"
