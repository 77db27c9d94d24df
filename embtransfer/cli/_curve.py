"""`embtransfer curve`: how many labels are enough."""

from pathlib import Path
from typing import Annotated

import typer

from ..system._folders import new_files
from ._inputs import load_domains, say_check
from ._labels import parse_shares
from ._models import beside_plain, make_models, split_names
from ._options import Embedders, Embedding, Format, Jobs, Recipes, Scoring, Texts, with_groups
from ._row_columns import columns_asked
from ._tables import Output, print_table
from ._terminal import clear_errors, progress_bar, talk

_SIZES = 'Numbers of {} labels, with commas, or "all". By default {}, each four times as many, and all.'


@with_groups
def curve(
    context: typer.Context,
    texts: Texts,
    embedders: Embedders = None,
    recipes: Recipes = None,
    *,
    embedding: Embedding,
    scoring: Scoring = "accuracy",
    sizes: Annotated[str | None, typer.Option(help=_SIZES.format("source", "16, 64, 256"))] = None,
    target_sizes: Annotated[str | None, typer.Option(help=_SIZES.format("target", "0, 16, 64"))] = None,
    repeats: Annotated[int, typer.Option(help="How often to draw anew which texts have labels.")] = 3,
    test_size: Annotated[float, typer.Option(help="Share of the labelled target texts held back.")] = 0.5,
    random_state: Annotated[int, typer.Option(help="Seed of what is held back and of the labels.")] = 0,
    jobs: Jobs = 1,
    format: Format = Output.table,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A file to write: a picture (.png, .svg, .pdf), or every fit (.csv)."
        ),
    ] = None,
):
    """Show how the score on the target grows with source labels and with target labels."""
    from ..trials import learning_curve, summarize_learning_curve
    from ..trials._curve_plot import import_matplotlib
    from ..trials.search._candidates import EMBEDDERS, RECIPES

    with clear_errors():
        if output is not None and output.suffix not in (".csv", ".png", ".svg", ".pdf"):
            raise ValueError(f"Got --output {output}. Expected a name that ends in .csv, .png, .svg or .pdf.")
        if output is not None and output.suffix != ".csv":
            import_matplotlib()  # before the work, not after it
        data, groups, _ = load_domains(texts, None, columns_asked(context, texts.columns))
        by_default = ",".join(EMBEDDERS), ",".join(RECIPES)
        made, named_recipes = make_models(embedders, recipes, by_default, embedding, data[2])
        say_check(*data, embedders=made.values(), scoring=scoring)
        models = beside_plain(made, data[2]) | named_recipes
        with progress_bar() as progress:
            frame = learning_curve(
                *data,
                groups=groups,
                target_shares=parse_shares(texts.target_shares, data[1]),
                models=models,
                source_sizes=_sizes(sizes, "--sizes"),
                target_sizes=_sizes(target_sizes, "--target-sizes"),
                scoring=scoring,
                n_repeats=repeats,
                test_size=test_size,
                random_state=random_state,
                n_jobs=jobs,
                progress=progress,
            )
        for name, error in frame.loc[frame["error"] != "", ["model", "error"]].drop_duplicates().values:
            talk.print(f"{name}: {error}", style="yellow")
        table = summarize_learning_curve(frame)
        print_table(
            table.drop(columns="scored") if format is Output.table else table,
            format,
            f"{', '.join(texts.source)} -> {texts.target}",
            f"score: {scoring} on {_scored(table)} texts held back; spread: over the repeats",
        )
        if output is not None:
            _write(frame, output)
            talk.print(f"Wrote {output}")
        if frame["score"].isna().all():
            talk.print("Every fit failed.", style="red")
            raise typer.Exit(1)


def _scored(table):
    return "target" if (table["scored"] == "target").all() else "source"


def _sizes(text, option):
    if text is None:
        return None
    try:
        return [name if name == "all" else int(name) for name in split_names(text)]
    except ValueError:
        raise ValueError(f'Got {option} {text}. Expected numbers with commas, or "all".') from None


def _write(frame, output):
    """Write the fits or their picture."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with new_files(output) as (file,):
        if output.suffix == ".csv":
            frame.to_csv(file, index=False)
        else:
            from ..trials import plot_learning_curve

            plot_learning_curve(frame).figure.savefig(file, dpi=150, format=output.suffix[1:])
