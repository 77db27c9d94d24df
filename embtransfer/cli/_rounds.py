"""Labels of the target that were filled in: read for `update` and `choose`, and what they say of models."""

from ._terminal import talk

CONFIDENCE = 0.9


def read_filled_in(files, X_target, y, target, columns):
    """Rounds of `embtransfer label`, with at least one label, all of them among the source's labels y.

    Where X_target are no texts, those that they are of are read from `target`.

    Raises
    ------
    ValueError
        If there are none, or they cannot be right.
    """
    from ..labelling import read_rounds
    from ..trials._label_kinds import SEVERAL, kind_of

    if kind_of(y, "accuracy") == SEVERAL:
        raise ValueError("Got several labels a text. Expected one in the source's label column.")
    rounds = read_rounds(files, _texts_of(X_target, target, columns), sorted(set(y), key=str))
    if not rounds.labels:
        raise ValueError(
            f"Got no label in {', '.join(files)}. Fill in the column label, of some rows at least."
        )
    return rounds


def _texts_of(X_target, target, columns):
    if isinstance(X_target, list):
        return X_target
    from ..tables import TableReader

    text_column = columns.texts_of_target
    table = TableReader(target, *columns.dialect_of_target)
    table.check_columns({"text_column": text_column})
    return table.columns([text_column], text_column)[0]


def say_scores(models, X_target, rounds, what="Accuracy") -> None:
    """Print the accuracy of each model by the random labels, or how to get some."""
    from ..labelling import estimate_score

    n_random = len(rounds.labels) - len(rounds.learned)
    if not n_random:
        talk.print(
            "No label of a random text: nothing says how good the model is. Every fifth text that "
            "embtransfer label suggests is random, with --method random all are.",
            style="yellow",
        )
        return
    talk.print(f"{what} on the target, by {n_random:,} labels of random texts, which no model learns from:")
    for name, model in models.items():
        if lacking := sorted({str(one) for one in rounds.labels.values()} - {*map(str, model.classes_)}):
            talk.print(f"  {name}: not known, it lacks the class {lacking[0]}")
            continue
        found = estimate_score(
            model, X_target, rounds.labels, probability=rounds.probability, confidence=CONFIDENCE
        )
        low, high = found.interval
        talk.print(f"  {name}: {found.score:.3f} ({CONFIDENCE:.0%} interval: {low:.3f} to {high:.3f})")
