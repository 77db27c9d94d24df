"""The command line: parse, call one function, print. Results go to stdout, talk to stderr."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from .._version import __version__
from ._choose import choose
from ._curve import curve
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
from ._explain import explain
from ._inputs import (
    ADAPTERS,
    CLASSIFIERS,
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
from ._report import check_folder, write_report
from ._score import compile_model, score
from ._tables import Output, print_comparison
from ._terminal import BAR, clear_errors, progress_bar, steps, talk
from ._vectors import vectors_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(vectors_app, name="vectors")


def _print_version(asked: bool):
    if asked:
        print(f"embtransfer {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
):
    """Transfer text classifiers between domains with pretrained embeddings, on a CPU."""


@app.command()
def demo():
    """Carry a classifier from film reviews over to kitchenware reviews, with bundled vectors and texts."""
    from ..adapters import DomainCentering
    from ..classifiers import make_classifier
    from ..datasets import load_demo_reviews
    from ..embedders import WordEmbedder
    from ..pipeline import make_transfer_pipeline
    from ..trials import compare

    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    talk.print(
        f"Source: {len(films.data)} labelled film reviews. Target: {len(pans.data)} kitchenware reviews,\n"
        "half of them seen without labels while adapting, the other half scored.\n"
        "Vectors: the bundled GloVe 6B 50d subset."
    )
    with progress_bar() as bar:
        table = compare(
            films.data,
            films.target,
            pans.data,
            pans.target,
            embedders=["word_mean", "word_sif"],
            progress=steps(bar),
        )
    print_comparison(table, Output.table, "films -> kitchenware")
    pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    pipeline.fit(films.data, films.target, X_target=pans.data)
    print("\nWhat the centred pipeline says of three kitchenware sentences:")
    for text in (
        "The lid fits perfectly and the handle stays cool, a joy to cook with.",
        "Cheap plastic that broke within a week. A complete waste of money.",
        "Sharp, well balanced and easy to clean.",
    ):
        share = pipeline.predict_proba([text])[0, 1]
        print(f"  {'positive' if share >= 0.5 else 'negative'} ({max(share, 1 - share):.0%})  {text}")
    print("\nNext: embtransfer compare --help, embtransfer fit --help, embtransfer score --help")


@app.command()
def compare(
    context: typer.Context,
    source: Source,
    target: Target,
    text_column: TextColumn_ = "text",
    label_column: LabelColumn = "label",
    target_text_column: TargetTextColumn = None,
    target_label_column: TargetLabelColumn = None,
    dataset: Annotated[Dataset | None, typer.Option(help=DATASETS)] = None,
    embedders: Annotated[str, typer.Option(help=f"Embedders, with commas. {EMBEDDER_NAMES}")] = "word_mean",
    adapters: Annotated[
        str,
        typer.Option(help=f"Adapters, with commas: {ADAPTERS}."),
    ] = "none,centering,coral,subspace",
    classifiers: Annotated[str, typer.Option(help=f"Classifiers, with commas: {CLASSIFIERS}.")] = "logistic",
    recipes: Annotated[str, typer.Option(help=f"Recipes, with commas: {RECIPES}.")] = "words",
    vectors: Vectors = None,
    model: Model = None,
    unknown: Unknown = UnknownWords.skip,
    phrases: Phrases = False,
    cased: Cased = False,
    diagnostics: Annotated[
        bool, typer.Option("--diagnostics", help="Add how far apart the adapted domains are still.")
    ] = False,
    transductive: Annotated[
        bool, typer.Option("--transductive", help="Score the same target texts that the adapters see.")
    ] = False,
    test_size: Annotated[float, typer.Option(help="Share of the target texts held back for scoring.")] = 0.5,
    random_state: Annotated[int, typer.Option(help="Seed of the split and the folds.")] = 0,
    format: Annotated[Output, typer.Option(help="How to print the table.")] = Output.table,
    report: Annotated[
        Path | None, typer.Option(help="A folder for a report: report.html, report.md, report.json.")
    ] = None,
):
    """Try embedders x adapters x classifiers on a source and a target, and print the table."""
    from ..trials import compare as run

    with clear_errors():
        check_folder(report)
        X, y = load_source(dataset, source, text_column, label_column)
        X_target, y_target = load_target(
            dataset, target, text_column, label_column, target_text_column, target_label_column
        )
        wanted = split_names(recipes)
        candidates = make_embedders(
            split_names(embedders), vectors, model, unknown, phrases, cased, set(wanted) - {"words"}
        )
        say_what_is_unknown(candidates, X_target)
        models = recipes_by_name(wanted, model)
        split = {"transductive": transductive, "test_size": test_size, "random_state": random_state}
        with progress_bar() as bar:
            table = run(
                X,
                y,
                X_target,
                y_target,
                embedders=candidates,
                adapters=split_names(adapters),
                classifiers=split_names(classifiers),
                recipes=models,
                diagnostics=diagnostics,
                **split,
                progress=steps(bar),
            )
        print_comparison(table, format, f"{source} -> {target}")
        asked = table[table["embedder"].isin(list(candidates))]
        if (asked["error"] != "").all():
            talk.print("Every combination failed; the table says why.", style="red")
            raise typer.Exit(1)
        if report is not None:
            parts = candidates, split_names(adapters), split_names(classifiers), models
            write_report(report, context, (X, y, X_target, y_target), table, parts, split)


@app.command()
def fit(
    source: Source,
    output: Annotated[Path, typer.Option("--output", "-o", help="The model folder to make.")],
    target: Annotated[str | None, typer.Option(help="Unlabelled texts of the target domain: a file.")] = None,
    text_column: TextColumn_ = "text",
    label_column: LabelColumn = "label",
    target_text_column: TargetTextColumn = None,
    dataset: Annotated[Dataset | None, typer.Option(help=DATASETS)] = None,
    embedder: Annotated[str, typer.Option(help=EMBEDDER_NAMES)] = "word_mean",
    adapter: Annotated[str, typer.Option(help=f"{ADAPTERS}.")] = "centering",
    classifier: Annotated[str, typer.Option(help=f"{CLASSIFIERS}.")] = "logistic",
    recipe: Annotated[
        str | None,
        typer.Option(help=f"A whole model instead of embedder, adapter and classifier: {RECIPES}."),
    ] = None,
    vectors: Vectors = None,
    model: Model = None,
    unknown: Unknown = UnknownWords.skip,
    phrases: Phrases = False,
    cased: Cased = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Read the files batch by batch: for more than memory holds.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there.")] = False,
    embed_vectors: Annotated[
        bool,
        typer.Option("--embed-vectors", help="Save the word vectors in the model, for other machines."),
    ] = False,
):
    """Fit a pipeline on labelled source texts and unlabelled target texts, and save it as a folder."""
    from ..adapters import make_adapter
    from ..classifiers import make_classifier
    from ..persistence import check_destination, save_pipeline
    from ..pipeline import make_transfer_pipeline

    with clear_errors():
        if embed_vectors and embedder == "sentence":
            raise ValueError(
                "Got --embed-vectors with a sentence model, which is never saved: the machine that scores "
                "needs the same model. Leave the option out."
            )
        if recipe and (embedder, adapter, classifier) != ("word_mean", "centering", "logistic"):
            raise ValueError(
                f"Got --recipe {recipe} with --embedder, --adapter or --classifier. Expected the recipe, "
                "which is a whole model, or the others."
            )
        if stream and (dataset or recipe):
            raise ValueError(
                "Got --stream with --dataset or --recipe, which take all texts at once. Expected files, and "
                "--embedder, --adapter and --classifier, or no --stream."
            )
        check_destination(output, overwrite)  # before the work, not after it
        if recipe is None:
            made = make_embedders([embedder], vectors, model, unknown, phrases, cased)[embedder]
            pipeline = make_transfer_pipeline(made, make_adapter(adapter), make_classifier(classifier))
        else:
            pipeline = recipes_by_name([recipe], model)[recipe]
        X = X_target = None
        if stream:
            n_source, n_target = _fit_files(
                pipeline, source, target, text_column, label_column, target_text_column
            )
        else:
            X, y = load_source(dataset, source, text_column, label_column)
            if target is not None:
                X_target = load_target(dataset, target, text_column, None, target_text_column)[0]
            with talk.status("Fitting"):
                pipeline.fit(X, y, X_target=X_target)
            n_source, n_target = len(X), 0 if X_target is None else len(X_target)
        save_pipeline(pipeline, output, overwrite=overwrite, embed_vectors=embed_vectors)
        seen = f" and {n_target:,} target texts without labels" if target is not None else ""
        talk.print(f"Fitted on {n_source:,} source texts{seen}. Saved to {output}")
        if X is not None and recipe is None and hasattr(pipeline[0], "coverage"):
            found = pipeline[0].coverage(X if X_target is None else X_target)
            words = ", ".join(found.unknown(5)["word"])
            talk.print(f"{found}. Most frequent unknown words: {words or 'none'}")
        if target is None and (recipe or adapter != "none"):
            talk.print(
                f"Without --target there was nothing to adapt to: {recipe or adapter!r} had no effect."
            )


app.command("compile")(compile_model)
app.command()(score)
app.command()(explain)
app.command()(choose)
app.command()(curve)


def main() -> None:
    """Entry point of the console script."""
    app()


def _fit_files(pipeline, source, target, text_column, label_column, target_text_column):
    """Fit from files batch by batch; return how many source and target texts there were."""
    from ..streaming import EMBEDDING_SOURCE, EMBEDDING_TARGET, fit_files

    rows = {}
    columns = SpinnerColumn(), TextColumn("{task.description}: {task.completed:,} rows"), TimeElapsedColumn()
    with Progress(*columns, **BAR) as bar:
        task = bar.add_task("Reading", total=None)

        def progress(what, n):
            rows[what] = n
            bar.update(task, description=what, completed=n)

        fit_files(
            pipeline,
            source,
            target,
            text_column=text_column,
            label_column=label_column,
            target_text_column=target_text_column,
            progress=progress,
        )
    return rows[EMBEDDING_SOURCE], rows.get(EMBEDDING_TARGET, 0)
