"""`embtransfer fit`: a model of the user's choice, saved as a folder."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ._inputs import cleaned, for_card, load_sources, load_target, say_check
from ._labels import parse_shares
from ._models import make_embedders, recipes_by_name
from ._options import (
    EMBEDDER_NAMES,
    Cleaning,
    Columns,
    DatasetOption,
    DomainColumn,
    Embedding,
    EmbedVectors,
    Html,
    Overwrite,
    Sources,
    TargetShares,
    with_groups,
)
from ._row_columns import name_of_rows, row_columns
from ._source_options import about_source
from ._terminal import clear_errors, progress_bar, say_shares, talk
from ._verdict import say_several


@with_groups
def fit(
    source: Sources,
    output: Annotated[Path, typer.Option("--output", "-o", help="The model folder to make.")],
    target: Annotated[str | None, typer.Option(help="Unlabelled texts of the target domain: a file.")] = None,
    *,
    columns: Columns,
    cleaning: Cleaning,
    html: Html = False,
    domain_column: DomainColumn = None,
    target_shares: TargetShares = None,
    dataset: DatasetOption = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A whole model: {recipes}; or columns, of --text-column and one --vector-column or more. "
            "Without it, and without parts of your own, words, or vectors with --vector-column."
        ),
    ] = None,
    embedder: Annotated[
        str | None, typer.Option(help=f"Part of a model of your own. {EMBEDDER_NAMES} Without it word_mean.")
    ] = None,
    adapter: Annotated[
        str | None, typer.Option(help="{adapters}. Without it centering, or none for ngrams.")
    ] = None,
    classifier: Annotated[
        str | None, typer.Option(help="{classifiers}. Without it logistic, or ridge for numbers.")
    ] = None,
    embedding: Embedding,
    numbers: Annotated[
        bool,
        typer.Option(
            "--numbers",
            help="The labels are numbers, such as ratings: predict numbers. --classifier: {regressors}.",
        ),
    ] = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="Read the files batch by batch: for more than memory holds.")
    ] = False,
    overwrite: Overwrite = False,
    embed_vectors: EmbedVectors = False,
):
    """Fit a pipeline on labelled source texts and unlabelled target texts, and save it as a folder."""
    from .._parts import children, nested
    from .._rows import cleans_texts
    from ..adapters import make_adapter
    from ..embedders._columns import of_columns
    from ..persistence import check_destination, save_pipeline
    from ..pipeline import class_shares, make_transfer_pipeline, shares_in_words, with_cleaning
    from ..priors import known_priors, with_priors
    from ..recipes import COLUMNS, TAUGHT, make_recipe
    from ..trials._label_kinds import CLASSES, NUMBERS, SEVERAL, as_arrays, kind_of, makers, one_against_rest

    with clear_errors():
        if embed_vectors and embedder == "sentence":
            raise ValueError(
                "Got --embed-vectors with a sentence model, which is never saved: the machine that scores "
                "needs the same model. Leave the option out."
            )
        parts = embedder, adapter, classifier
        if recipe and any(parts):
            raise ValueError(
                f"Got --recipe {recipe} with --embedder, --adapter or --classifier. Expected the recipe, "
                "which is a whole model, or the others."
            )
        if recipe and numbers:
            raise ValueError(
                f"Got --recipe {recipe} with --numbers, but recipes predict classes. Leave one of them out."
            )
        if stream and (dataset or recipe or target_shares):
            raise ValueError(
                "Got --stream with --dataset, --recipe or --target-shares, which take all texts at once. "
                "Expected files, and --embedder, --adapter and --classifier, or no --stream."
            )
        if stream and (len(source) > 1 or domain_column):
            raise ValueError(
                "Got --stream with several sources, which it takes as one. Pass one --source, a folder or a "
                "quoted pattern, and no --domain-column."
            )
        if stream and (numbers or "," in columns.label_column):
            raise ValueError("Got --stream with numbers or several labels a text. Expected a class a text.")
        if stream and (cleaning.merge_labels or cleaning.drop_unlabelled):
            raise ValueError(
                "Got --stream with --merge-labels or --drop-unlabelled, which look at all labels at once. "
                "Clean the file first, or leave --stream out."
            )
        if stream and columns.vector_column:
            raise ValueError("Got --stream with --vector-column. Expected texts, or no --stream.")
        if stream and (columns.target_delimiter or columns.target_encoding):
            raise ValueError(
                "Got --stream with --target-delimiter or --target-encoding. Expected files that are written "
                "alike, or no --stream."
            )
        if not (recipe or any(parts) or numbers or stream) and embedding == Embedding():
            recipe = "vectors" if columns.vector_column else "words"
        embedder = embedder or ("vectors" if columns.vector_column else "word_mean")
        adapter = adapter or ("none" if embedder == "ngrams" else "centering")
        as_table, own = recipe == COLUMNS, (columns.text_column, columns.vector_column)
        of_source = row_columns(*own, as_table=as_table)
        texts = [name for name, width in of_source.holds.items() if width is None]
        if stream and len(texts) > 1:
            raise ValueError(
                f"Got --stream with --text-column {own[0]}. Expected one column, or no --stream."
            )
        check_destination(output, overwrite)  # before the work, not after it
        if recipe is not None:  # which none of the options of embedders may miss
            make_embedders([], embedding, {recipe} & {*TAUGHT})
        if recipe is None:
            made = make_embedders([embedder], embedding)[embedder]
            make, _, usual, _ = makers(NUMBERS if numbers else CLASSES)
            pipeline = make_transfer_pipeline(made, make_adapter(adapter), make(classifier or usual[0]))
        elif as_table:
            pipeline = make_recipe(recipe, text_column=texts, vector_column=own[1])
        else:
            pipeline = recipes_by_name([recipe], embedding)[recipe]
        if len(texts) > 1 and not as_table:
            pipeline = of_columns(pipeline, texts)
        X, X_target, about, clean = None, None, {}, "html" if html else None
        if stream:
            pipeline = with_cleaning(pipeline, clean)
            n_source, n_target = _fit_files(pipeline, source[0], target, columns)
        else:
            X, y, _, domain, _ = load_sources(
                dataset, source, columns, None, cleaning, domain_column, of_source
            )
            if target is not None:
                of_target = row_columns(*own, columns.target_text_column, as_table)
                X_target = load_target(dataset, target, columns, of_rows=of_target)[0]
            X, X_target = cleaned(html, X, X_target)
            say_check(X, y, X_target, scoring="r2" if numbers else "accuracy")
            about = for_card(source, target, X, None if numbers else y, X_target)
            about |= {} if dataset else about_source(source, columns, cleaning, domain_column)
            if numbers:
                y, _ = as_arrays(NUMBERS, y, None)
            if shares := parse_shares(target_shares, y):
                pipeline = with_priors(pipeline, known_priors(shares, y))
            if not numbers and kind_of(y, "accuracy") == SEVERAL:
                pipeline = one_against_rest(pipeline)
            with talk.status("Fitting"):
                pipeline.fit(X, y, X_target=X_target, domain=domain)
            pipeline = with_cleaning(pipeline, clean)
            n_source, n_target = len(X), 0 if X_target is None else len(X_target)
        save_pipeline(pipeline, output, overwrite=overwrite, embed_vectors=embed_vectors, about=about)
        kind = name_of_rows(X)
        seen = f" and {n_target:,} target {kind} without labels" if target is not None else ""
        talk.print(f"Fitted on {n_source:,} source {kind}{seen}. Saved to {output}")
        say_several(of_source)
        if target is not None or target_shares:
            words = shares_in_words(class_shares(pipeline))
            say_shares(words)
            if target_shares and not words:
                talk.print("No part of the model takes class shares: --target-shares had no effect.")
        if domain_column and not any(getattr(part, "source_maps_", None) for part in nested(pipeline)):
            talk.print("No part of the model maps each source by itself: --domain-column had no effect.")
        first = next(step for step in children(pipeline) if not cleans_texts(step))
        if X is not None and recipe is None and hasattr(first, "coverage"):
            found = first.coverage(X if X_target is None else X_target)
            words = ", ".join(found.unknown(5)["word"])
            talk.print(f"{found}. Most frequent unknown words: {words or 'none'}")
        if target is None and (recipe or adapter != "none"):
            what = (
                f"the recipe {recipe!r} learned"
                if recipe
                else f"{adapter!r} had no effect: the model learned"
            )
            talk.print(f"Without --target there was nothing to adapt to, and {what} from the source alone.")


def _fit_files(pipeline, source, target, columns: Columns):
    """Fit from files batch by batch; return how many source and target texts there were."""
    from ..streaming import EMBEDDING_SOURCE, EMBEDDING_TARGET, fit_files

    rows = {}
    with progress_bar() as show:

        def progress(done, total, description):
            rows[description] = done
            show(done, total, description)

        others = {"vector_column", "target_delimiter", "target_encoding"}
        options = {name: value for name, value in asdict(columns).items() if name not in others}
        fit_files(pipeline, source, target, **options, progress=progress)
    return rows[EMBEDDING_SOURCE], rows.get(EMBEDDING_TARGET, 0)
