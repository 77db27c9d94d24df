"""`embtransfer curve`: how many labels are enough."""

from pathlib import Path
from typing import Annotated

import typer

from ..system._folders import new_files
from ._embedders import (
    EMBEDDER_NAMES,
    Cased,
    Model,
    Phrases,
    Unknown,
    UnknownWords,
    Vectors,
    make_embedders,
    say_what_is_unknown,
)
from ._inputs import (
    DATASETS,
    RECIPES,
    Dataset,
    LabelColumn,
    Source,
    Target,
    TargetLabelColumn,
    TargetTextColumn,
    TextColumn_,
    load_source,
    load_target,
    recipes_by_name,
    split_names,
)
from ._tables import Output, print_table
from ._terminal import clear_errors, progress_bar, steps, talk

_SIZES = 'Numbers of {} labels, with commas, or "all". By default {}, each four times as many, and all.'


def curve(
    source: Source,
    target: Target,
    text_column: TextColumn_ = "text",
    label_column: LabelColumn = "label",
    target_text_column: TargetTextColumn = None,
    target_label_column: TargetLabelColumn = None,
    dataset: Annotated[Dataset | None, typer.Option(help=DATASETS)] = None,
    embedders: Annotated[
        str, typer.Option(help=f"Embedders, with commas. {EMBEDDER_NAMES}")
    ] = "word_mean,word_sif",
    recipes: Annotated[str, typer.Option(help=f"Recipes, with commas: {RECIPES}.")] = "words",
    vectors: Vectors = None,
    model: Model = None,
    unknown: Unknown = UnknownWords.skip,
    phrases: Phrases = False,
    cased: Cased = False,
    sizes: Annotated[str | None, typer.Option(help=_SIZES.format("source", "16, 64, 256"))] = None,
    target_sizes: Annotated[str | None, typer.Option(help=_SIZES.format("target", "0, 16, 64"))] = None,
    repeats: Annotated[int, typer.Option(help="How often to draw anew which texts have labels.")] = 3,
    test_size: Annotated[float, typer.Option(help="Share of the labelled target texts held back.")] = 0.5,
    random_state: Annotated[int, typer.Option(help="Seed of what is held back and of the labels.")] = 0,
    jobs: Annotated[int, typer.Option(help="Processes; -1 all processors.")] = 1,
    format: Annotated[Output, typer.Option(help="How to print the table.")] = Output.table,
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

    with clear_errors():
        if output is not None and output.suffix not in (".csv", ".png", ".svg", ".pdf"):
            raise ValueError(f"Got --output {output}. Expected a name that ends in .csv, .png, .svg or .pdf.")
        if output is not None and output.suffix != ".csv":
            import_matplotlib()  # before the work, not after it
        X, y = load_source(dataset, source, text_column, label_column)
        X_target, y_target = load_target(
            dataset, target, text_column, label_column, target_text_column, target_label_column
        )
        wanted = split_names(recipes)
        made = make_embedders(
            split_names(embedders), vectors, model, unknown, phrases, cased, set(wanted) - {"words"}
        )
        say_what_is_unknown(made, X_target)
        # TF-IDF beside the embeddings always: it shows when they pay
        models = {"tfidf": "tfidf"} | made | recipes_by_name(wanted, model)
        with progress_bar() as bar:
            frame = learning_curve(
                X,
                y,
                X_target,
                y_target,
                models=models,
                source_sizes=_sizes(sizes, "--sizes"),
                target_sizes=_sizes(target_sizes, "--target-sizes"),
                n_repeats=repeats,
                test_size=test_size,
                random_state=random_state,
                n_jobs=jobs,
                progress=steps(bar),
            )
        for name, error in frame.loc[frame["error"] != "", ["model", "error"]].drop_duplicates().values:
            talk.print(f"{name}: {error}", style="yellow")
        table = summarize_learning_curve(frame)
        print_table(
            table.drop(columns="scored") if format is Output.table else table,
            format,
            f"{source} -> {target}",
            f"score: accuracy on {_scored(table)} texts held back; spread: over the repeats",
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
    with new_files(output) as (file,):
        if output.suffix == ".csv":
            frame.to_csv(file, index=False)
        else:
            from ..trials import plot_learning_curve

            plot_learning_curve(frame).figure.savefig(file, dpi=150, format=output.suffix[1:])
