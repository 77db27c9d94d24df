"""Labels of the target that were filled in: read for `update` and `choose`, and what they say of models."""

from ._row_columns import texts_to_show
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

    table = TableReader(target, *columns.dialect_of_target)
    return texts_to_show(table, columns.texts_of_target, {})[0]


def n_labels(n: int, kind: str = "") -> str:
    """So many labels, of one kind, as a sentence counts them."""
    return f"{n:,} {kind}label{'s' * (n != 1)}"


def say_scores(models, X_target, rounds, scoring="accuracy", what="", kept="") -> str | None:
    """Print the score of each model by the random labels, or how to get some; and if the last is worse.

    `kept` is that of them which stays where it is saved. Returns what the card says of the last; None where
    its score is not known.
    """
    from ..labelling import estimate_score

    n_random = len(rounds.labels) - len(rounds.learned)
    if not n_random:
        talk.print(
            "No label of a random text: nothing says how good the model is. Every fifth text that "
            "embtransfer label suggests is random, with --method random all are.",
            style="yellow",
        )
        return None
    what = what or ("Accuracy" if scoring == "accuracy" else scoring)
    what += f" on the target, by {n_labels(n_random)} of random texts, which no model learns from:"
    talk.print(what)
    scores, said = {}, ""
    for name, model in models.items():
        if lacking := sorted({str(one) for one in rounds.labels.values()} - {*map(str, model.classes_)}):
            talk.print(f"  {name}: not known, it lacks the class {lacking[0]}")
            said = ""
            continue
        options = {"probability": rounds.probability, "scoring": scoring, "confidence": CONFIDENCE}
        scores[name] = found = estimate_score(model, X_target, rounds.labels, **options)
        low, high = found.interval
        said = f"{found.score:.3f} ({100 * CONFIDENCE:.0f} % interval {low:.3f} to {high:.3f})"
        talk.print(f"  {name}: {said}")
    if len(scores) > 1:
        _say_if_worse(*scores.items(), kept=kept)
    return f"{what} {said}" if said else None


def _say_if_worse(before, *others, kept):
    """That the last model's score is below others', and whether that may be chance."""
    last, score = others[-1]
    better = {name: one for name, one in (before, *others[:-1]) if one.score > score.score}
    if not better:
        return
    by = " and than ".join(
        f"{name} by {100 * (one.score - score.score):.1f} points" for name, one in better.items()
    )
    sure = score.interval[1] < max(one.interval[0] for one in better.values())
    why = "more than chance explains" if sure else "which may be chance: the intervals overlap"
    said = f"By these labels {last} is worse than {by}, {why}.{f' {kept} is still there.' if kept else ''}"
    talk.print(said, style="yellow")
