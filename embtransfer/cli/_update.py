"""`embtransfer update`: a saved model fitted anew with labels of the target."""

import re
from glob import has_magic
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from ._inputs import for_card, load_sources, load_target
from ._models import split_names
from ._options import (
    Cleaning,
    Columns,
    DomainColumn,
    EmbedVectors,
    Overwrite,
    Scoring,
    Sources,
    Target,
    Trusted,
    with_groups,
)
from ._rounds import CONFIDENCE, read_filled_in, say_scores
from ._row_columns import columns_of_model, name_of_rows
from ._source_options import about_source
from ._terminal import clear_errors, command_to_copy, talk


@with_groups
def update(
    model: Annotated[Path, typer.Argument(help="A model folder, from embtransfer fit.")],
    source: Sources,
    target: Target,
    labels: Annotated[
        list[str],
        typer.Option(
            help="Files of embtransfer label that are filled in: a file or a folder of them, or --labels "
            "several times."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model folder to make.")],
    *,
    columns: Columns,
    cleaning: Cleaning,
    domain_column: DomainColumn = None,
    random_state: Annotated[
        int | None, typer.Option(help="Seed of what draws in the model. By default as it was.")
    ] = None,
    accuracy: Annotated[
        float | None,
        typer.Option(
            help="Also say the --reject-below of embtransfer score that leaves labels which are right this "
            "often, such as 0.9."
        ),
    ] = None,
    next_labels: Annotated[
        int,
        typer.Option(
            "--next",
            min=0,
            help="Say what so many more labels are expected to bring: fits once more. 0 does not.",
        ),
    ] = 50,
    scoring: Scoring = "accuracy",
    trusted: Trusted = "",
    overwrite: Overwrite = False,
    embed_vectors: EmbedVectors = False,
):
    """Fit a saved model anew, with labels of the target that were filled in, and say how good it is.

    It keeps its steps and options: one that was fitted with --html takes HTML out again.
    """
    from ..labelling import check_takes_labels, refitted, scorer_of_labels
    from ..persistence import check_destination, load_pipeline, save_pipeline

    with clear_errors():
        check_destination(output, overwrite)  # before the work, not after it
        if accuracy is not None and not 0 < accuracy < 1:
            raise ValueError(f"Got --accuracy {accuracy:g}. Expected a number between 0 and 1, such as 0.9.")
        before = load_pipeline(model, trusted=split_names(trusted))
        check_takes_labels(before)
        scorer_of_labels(scoring, before.classes_)
        own = columns.text_column, columns.vector_column
        of_source = columns_of_model(before, *own)
        X, y, _, domain, _ = load_sources(None, source, columns, None, cleaning, domain_column, of_source)
        _check_spellings(model, before, y)
        of_target = columns_of_model(before, *own, columns.target_text_column)
        X_target = load_target(None, target, columns, of_rows=of_target)[0]
        rounds = read_filled_in(labels, X_target, y, target, columns)
        with talk.status("Fitting"):
            after = refitted(before, X, y, X_target, rounds.learned, random_state, domain)
        about = for_card(source, target, X, y, X_target, len(rounds.learned))
        about |= about_source(source, columns, cleaning, domain_column, scoring)
        replaced = output.resolve() == model.resolve()
        models = {} if replaced else {str(model): before}
        models |= _before_self_training(after) | {str(output): after}
        if score := say_scores(models, X_target, rounds, scoring, kept="" if replaced else str(model)):
            about["score"] = score
        save_pipeline(after, output, overwrite=overwrite, embed_vectors=embed_vectors, about=about)
        if accuracy is not None:
            _say_threshold(after, output, X_target, rounds, accuracy)
        left = len(X_target) - len(rounds.rows)  # that nobody has been given to label
        if n_next := min(next_labels, left):
            _say_gain(after, X, y, X_target, rounds, n_next, domain)
        kind = name_of_rows(X)
        talk.print(
            f"Fitted on {len(X):,} source {kind}, {len(X_target):,} target {kind} and "
            f"{len(rounds.learned):,} of their labels. Saved to {output}. "
            f"{'Texts to label next:' if left else 'All of the target has been given to label.'}"
        )
        if not left:
            return
        words = ["label", output, target, "-o", _next_file(Path(labels[-1]))]
        options = columns.to_read_target()
        talk.print("  " + command_to_copy(*words, labels=labels, trusted=trusted, **options))


def _before_self_training(model):
    """The same model without what it learned from the target's texts at its end, by name, if it has that."""
    from sklearn.pipeline import Pipeline

    if not (isinstance(model, Pipeline) and hasattr(model[-1], "unadapted_estimator_")):
        return {}
    steps = [*model.steps[:-1], ("classifier", model[-1].unadapted_estimator_)]
    return {"without self-training and labels": Pipeline(steps)}


def _check_spellings(name, model, y):
    """Refuse labels that differ from the model's by case or white space: they would become classes."""
    from .._names import spellings

    own = [label for label in getattr(model, "classes_", ()) if isinstance(label, str)]
    for label, meant in sorted(spellings(own, y).items()):
        if meant in own and label not in own:
            raise ValueError(
                f"Got the source label {label!r}, but {name} knows {meant!r}. Pass --merge-labels, which "
                "makes one of labels that differ by case or white space only."
            )


def _say_threshold(model, name, X_target, rounds, accuracy):
    """Print the confidence from which on labels are right as often as asked, or why none is known."""
    from ..labelling import confidence_threshold

    options = {"probability": rounds.probability, "accuracy": accuracy, "confidence": CONFIDENCE}
    try:
        found = confidence_threshold(model, X_target, rounds.labels, **options)
    except ValueError as error:
        talk.print(str(error), style="yellow")
        return
    talk.print(
        f"Labels of which {100 * accuracy:.0f} % are right, in {100 * CONFIDENCE:.0f} % of such cases:"
    )
    talk.print("  " + command_to_copy("score", name, "FILE", "-o", "scored.csv", reject_below=repr(found)))


def _say_gain(model, X, y, X_target, rounds, n, domain):
    """Print what the next n labels are expected to bring, as many of them learned from as of those so far."""
    from ..labelling import expected_gain

    n_learned = max(round(n * len(rounds.learned) / len(rounds.labels)), 1)
    try:
        with talk.status("Fitting"):
            found = expected_gain(model, X, y, X_target, rounds.learned, n=n_learned, domain=domain)
    except ValueError as error:
        talk.print(str(error), style="yellow")
        return
    low, high = (100 * end for end in found.interval)
    talk.print(
        f"The next {n:,} labels are expected to change the label of {100 * found.changed:.1f} % of the "
        f"target, and accuracy by {low:+.1f} to {high:+.1f} points."
    )


def _next_file(last):
    """A name that is free, for the round after the last file, or in the folder or pattern of rounds."""
    folder, name = last.parent, re.sub(r"\d+$", "", last.stem)
    name += "_" * (name == last.stem)
    if last.is_dir() or has_magic(str(last)):
        folder, name = last if last.is_dir() else folder, ""
    return next(file for i in count(2) if not (file := folder / f"{name}{i}.csv").exists())
