"""`embtransfer compare`: embedders x adapters x classifiers, as a table."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ._inputs import load_domains, say_check
from ._labels import parse_shares
from ._models import make_models, split_names
from ._options import (
    Adapters,
    DomainColumn,
    Embedders,
    Embedding,
    Format,
    Jobs,
    Scoring,
    Texts,
    with_groups,
)
from ._report import check_folder, write_report
from ._row_columns import columns_asked
from ._tables import Output, print_comparison
from ._terminal import clear_errors, progress_bar, say_shares, talk
from ._verdict import after_comparison, say_comparison


@with_groups
def compare(
    context: typer.Context,
    texts: Texts,
    embedders: Embedders = None,
    adapters: Adapters = "none,centering,coral,subspace",
    classifiers: Annotated[
        str | None,
        typer.Option(
            help="Classifiers, with commas: {classifiers}; of numbers {regressors}. Without it logistic, or "
            "ridge; choose tries self_training, too."
        ),
    ] = None,
    recipes: Annotated[
        str | None,
        typer.Option(help="Recipes, with commas: {recipes}. Without it words, or vectors; of numbers none."),
    ] = None,
    *,
    embedding: Embedding,
    scoring: Scoring = "accuracy",
    diagnostics: Annotated[
        bool, typer.Option("--diagnostics", help="Add how far apart the adapted domains are still.")
    ] = False,
    n_target_labels: Annotated[
        int,
        typer.Option(
            min=0, help="So many labels of target texts, which are then not scored, are learned from."
        ),
    ] = 0,
    transductive: Annotated[
        bool, typer.Option("--transductive", help="Score the same target texts that the adapters see.")
    ] = False,
    test_size: Annotated[float, typer.Option(help="Share of the target texts held back for scoring.")] = 0.5,
    random_state: Annotated[int, typer.Option(help="Seed of the split and the folds.")] = 0,
    domain_column: DomainColumn = None,
    jobs: Jobs = 1,
    format: Format = Output.table,
    report: Annotated[
        Path | None, typer.Option(help="A folder for a report: report.html, report.md, report.json.")
    ] = None,
):
    """Try embedders x adapters x classifiers on a source and a target, and print the table."""
    from ..trials import compare as run
    from ..trials._label_kinds import CLASSES, kind_of, makers

    with clear_errors():
        check_folder(report)
        data, groups, domain = load_domains(texts, domain_column, columns_asked(context, texts.columns))
        shares = parse_shares(texts.target_shares, data[1])
        kind = kind_of(data[1], scoring)
        if report is not None and kind != CLASSES:
            raise ValueError(f"Got --report with {kind}. Reports are of one class a text: leave it out.")
        _, _, usual, usual_recipes = makers(kind)
        names = list(usual) if classifiers is None else split_names(classifiers)
        by_default = "word_mean", ",".join(usual_recipes)
        made, models = make_models(embedders, recipes, by_default, embedding, data[2])
        say_check(*data, embedders=made.values(), scoring=scoring)
        split: dict[str, Any] = {
            "transductive": transductive,
            "test_size": test_size,
            "n_target_labels": n_target_labels,
            "random_state": random_state,
        }
        with progress_bar() as progress:
            table = run(
                *data,
                groups=groups,
                domain=domain,
                target_shares=shares,
                embedders=made,
                adapters=split_names(adapters),
                classifiers=names,
                recipes=models,
                scoring=scoring,
                diagnostics=diagnostics,
                **split,
                n_jobs=jobs,
                progress=progress,
            )
        title = f"{', '.join(texts.source)} -> {texts.target}"
        print_comparison(table, format, title, scoring, kind == CLASSES)
        asked = table[table["embedder"].isin(list(made))]
        if len(asked) and (asked["error"] != "").all():
            talk.print("Every combination failed; the table says why.", style="red")
            raise typer.Exit(1)
        say_shares(table.attrs["class_shares"], table.attrs["class_shares_by"])
        commands = after_comparison(table, texts, embedding, kind == CLASSES, domain_column)
        say_comparison(table, scoring, commands)
        if report is not None:
            parts = made, split_names(adapters), names, models
            write_report(report, context, data, groups, shares, table, parts, split, scoring, jobs)
