"""embtransfer choose: search without target labels, and save the model."""

from pathlib import Path
from typing import Annotated

import typer

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
    ADAPTERS,
    CLASSIFIERS,
    DATASETS,
    RECIPES,
    Dataset,
    LabelColumn,
    Source,
    Target,
    TargetTextColumn,
    TextColumn_,
    load_source,
    load_target,
    recipes_by_name,
    split_names,
)
from ._tables import Output, print_table
from ._terminal import clear_errors, progress_bar, steps, talk

_COLUMNS = ["embedder", "adapter", "classifier", "consensus", "source_accuracy", "reverse_accuracy", "rows"]


def choose(
    source: Source,
    target: Target,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The model folder to make, of the best model.")
    ] = None,
    text_column: TextColumn_ = "text",
    label_column: LabelColumn = "label",
    target_text_column: TargetTextColumn = None,
    dataset: Annotated[Dataset | None, typer.Option(help=DATASETS)] = None,
    embedders: Annotated[
        str, typer.Option(help=f"Embedders, with commas. {EMBEDDER_NAMES}")
    ] = "word_mean,word_sif",
    adapters: Annotated[
        str, typer.Option(help=f"Adapters, with commas: {ADAPTERS}.")
    ] = "none,centering,coral,subspace",
    classifiers: Annotated[
        str, typer.Option(help=f"Classifiers, with commas: {CLASSIFIERS}.")
    ] = "logistic,self_training",
    recipes: Annotated[str, typer.Option(help=f"Recipes, with commas: {RECIPES}.")] = "words",
    vectors: Vectors = None,
    model: Model = None,
    unknown: Unknown = UnknownWords.skip,
    phrases: Phrases = False,
    cased: Cased = False,
    guard: Annotated[
        bool, typer.Option(help="Do not adapt where the evidence is that it does not help.")
    ] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there.")] = False,
    random_state: Annotated[int, typer.Option(help="Seed of the subsamples and folds.")] = 0,
    format: Annotated[Output, typer.Option(help="How to print the table.")] = Output.table,
):
    """Choose a model for the target without any of its labels, say how good it will be, and save it."""
    from ..persistence import check_destination, save_pipeline
    from ..trials.search import TransferSearch

    with clear_errors():
        if output is not None:
            check_destination(output, overwrite)  # before the work, not after it
        X, y = load_source(dataset, source, text_column, label_column)
        X_target = load_target(dataset, target, text_column, None, target_text_column)[0]
        wanted = split_names(recipes)
        made = make_embedders(
            split_names(embedders), vectors, model, unknown, phrases, cased, set(wanted) - {"words"}
        )
        say_what_is_unknown(made, X_target)
        with progress_bar() as bar:
            search = TransferSearch(
                made,
                split_names(adapters),
                split_names(classifiers),
                recipes_by_name(wanted, model),
                guard=guard,
                random_state=random_state,
                progress=steps(bar),
            ).fit(X, y, X_target=X_target)
        table = search.results_.sort_values("rank")
        columns = [*_COLUMNS, "error"] if table["error"].any() else _COLUMNS
        if format is Output.table:
            table = table[columns]
        caption = "consensus: how far the views of the texts agree with a model; rows: texts it was judged by"
        print_table(table, format, f"{source} -> {target}, no target labels used", caption)
        low, high = search.score_interval_
        talk.print(search.reason_)
        talk.print(f"Expected accuracy on the target: {search.expected_score_:.2f} ({low:.2f} to {high:.2f})")
        if output is not None:
            save_pipeline(search.best_estimator_, output, overwrite=overwrite)
            talk.print(f"Saved {search.best_name_} to {output}")
