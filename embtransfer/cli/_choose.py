"""embtransfer choose: search without target labels, and save the model."""

from pathlib import Path
from typing import Annotated

import typer

from ._inputs import cleaned, for_card, load_sources, load_target, say_check
from ._labels import parse_shares
from ._models import make_models, split_names
from ._options import (
    Adapters,
    Classifiers,
    Cleaning,
    Columns,
    DatasetOption,
    DomainColumn,
    Embedders,
    Embedding,
    Format,
    GroupColumn,
    Html,
    Jobs,
    Overwrite,
    Recipes,
    Scoring,
    Sources,
    Target,
    TargetShares,
    with_groups,
)
from ._rounds import n_labels, read_filled_in, say_scores
from ._row_columns import columns_asked
from ._source_options import about_source
from ._tables import Output, print_table
from ._terminal import clear_errors, progress_bar, talk
from ._verdict import after_choice, say_choice, say_next, say_several

_COLUMNS = ["embedder", "adapter", "classifier", "consensus", "source_accuracy", "reverse_accuracy", "rows"]


@with_groups
def choose(
    context: typer.Context,
    source: Sources,
    target: Target,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The model folder to make, of the best model.")
    ] = None,
    *,
    columns: Columns,
    cleaning: Cleaning,
    html: Html = False,
    domain_column: DomainColumn = None,
    group_column: GroupColumn = None,
    target_shares: TargetShares = None,
    target_labels: Annotated[
        list[str] | None,
        typer.Option(
            help="Files of embtransfer label that are filled in, as --labels of update: those of random "
            "texts help to choose the model and score it, and it learns from the others if it can."
        ),
    ] = None,
    dataset: DatasetOption = None,
    embedders: Embedders = None,
    adapters: Adapters = "none,centering,coral,subspace",
    classifiers: Classifiers = "logistic,self_training",
    recipes: Recipes = None,
    embedding: Embedding,
    scoring: Scoring = "accuracy",
    guard: Annotated[
        bool, typer.Option(help="Do not adapt where the evidence is that it does not help.")
    ] = True,
    overwrite: Overwrite = False,
    random_state: Annotated[int, typer.Option(help="Seed of the subsamples and folds.")] = 0,
    jobs: Jobs = 1,
    format: Format = Output.table,
):
    """Choose a model for the target without its labels, or with few, say how good it will be, and save it."""
    from ..persistence import check_destination, save_pipeline
    from ..trials.search import TransferSearch
    from ..trials.search._candidates import EMBEDDERS, RECIPES

    with clear_errors():
        if output is not None:
            check_destination(output, overwrite)  # before the work, not after it
        of_source, of_target = columns_asked(context, columns)
        more = group_column, cleaning, domain_column
        X, y, groups, domain, _ = load_sources(dataset, source, columns, *more, of_source)
        of_labels = columns.label_column
        X_target, own = load_target(dataset, target, columns, of_labels, cleaning=cleaning, of_rows=of_target)
        rounds = read_filled_in(target_labels, X_target, y, target, columns) if target_labels else None
        learned, given = {}, {}
        if rounds:
            learned = rounds.learned
            given["y_target"] = [rounds.labels.get(row) for row in range(len(X_target))]
            given["probability"] = rounds.probability
        usual = ",".join(EMBEDDERS), ",".join(RECIPES)
        made, models = make_models(embedders, recipes, usual, embedding, X_target)
        X, X_target = cleaned(html, X, X_target)
        say_check(X, y, X_target, embedders=made.values())
        with progress_bar() as progress:
            search = TransferSearch(
                made,
                split_names(adapters),
                split_names(classifiers),
                models,
                target_shares=parse_shares(target_shares, y),
                scoring=scoring,
                guard=guard,
                random_state=random_state,
                n_jobs=jobs,
                progress=progress,
            ).fit(X, y, X_target=X_target, groups=groups, domain=domain, **given)
        table = search.results_.sort_values("rank")
        if format is Output.table:
            table = table[[*_COLUMNS, "error"] if table["error"].any() else _COLUMNS]
        caption = "consensus: how far the views of the texts agree with a model; rows: texts it was judged by"
        best = table.index.get_loc(search.best_index_)
        used = f"{len(rounds.labels):,}" if rounds else "no"
        title = f"{', '.join(source)} -> {target}, {used} target labels used"
        print_table(table, format, title, caption, best)
        say_choice(search, scoring, bool(rounds))
        if own is not None and dataset is None:
            talk.print("The label column of the target is not used. Labels to use go to --target-labels.")
        if rounds:
            _say_labels(search, X_target, rounds)
        if output is not None:
            search._begin_with("html" if html else None)
            about = for_card(source, target, X, y, X_target, len(learned))
            texts_beside = of_source.vectors and of_source.as_table and None in of_source.holds.values()
            if not dataset:
                about |= about_source(source, columns, cleaning, domain_column, scoring, texts_beside)
            save_pipeline(search, output, overwrite=overwrite, about=about)
            if search._worth is not None:  # what the labels are worth is not saved
                talk.print("The saved model gives the most probable of its labels, whatever --scoring says.")
            talk.print(f"Saved {search.best_name_} to {output}")
            say_several(of_source)
            say_next(*after_choice(output, target, dataset, columns, target_labels))
        else:
            say_next("the same with -o MODEL, which saves it")


def _say_labels(search, X_target, rounds):
    """Print what labels of the target did, and the score that the random ones give."""
    from .._parts import learns_target_labels

    n_random = len(rounds.labels) - len(rounds.learned)
    if n_random:
        talk.print(
            f"{n_labels(n_random)} of random texts of the target helped to choose the model, so that the "
            "score by such labels is a little too good."
        )
    if rounds.learned:
        others = f"{n_labels(len(rounds.learned), 'other ')} of the target"
        learns = learns_target_labels(search._fitted)
        talk.print(f"It learned from {others}." if learns else f"Its classifier cannot learn from {others}.")
    say_scores({search.best_name_: search.best_estimator_}, X_target, rounds, *_score_of_labels(search))


def _score_of_labels(search):
    """Which score labels of random texts can give the best model, and what it is called."""
    if search._worth is not None:  # the model by itself gives the most probable labels
        return "accuracy", "Accuracy of the most probable labels"
    return "accuracy" if search.scoring == "neg_log_loss" else search.scoring, ""
