"""What `choose` and `compare` end in: which model, why, how good it will be, and what to do next."""

from dataclasses import asdict

from ._tables import standard_error
from ._terminal import command_to_copy, say_shares, talk

_NAMED = 5  # classes


def say_choice(search, scoring, labelled=False) -> None:
    """Print what a search comes to, and that labels of the target would help if there are none."""
    from ..pipeline import class_shares, shares_in_words

    why = (
        "It gives the labels that several views of the target's texts agree on, and of such models it is the "
        "most accurate on the source."
    )
    if search.guarded_:
        why = "Adapting seems to do harm, and of the models that do not adapt it is the best."
    talk.print(f"Take {search.best_name_}. {why}", style="bold")
    talk.print(f"Evidence: {search._why}")  # the check of the data has said the rest
    low, high = search.score_interval_
    talk.print(f"Expected {scoring} on the target: {search.expected_score_:.2f} ({low:.2f} to {high:.2f})")
    say_shares(shares_in_words(class_shares(search)))
    counts = search._labels_given
    named = sorted(counts.most_common(_NAMED), key=lambda one: str(one[0]))
    said = [f"{label} {100 * count / counts.total():.0f} %" for label, count in named]
    more = len(counts) - len(named)
    others = f", {more:,} more classes" if more else ""
    talk.print(f"Labels that it gives the target's texts: {', '.join(said)}{others}")
    if high - low > 0.2 and not labelled:
        talk.print("That interval is wide. Some dozen labels of the target would narrow it.")


def say_next(*commands) -> None:
    """Print commands to copy."""
    talk.print("Next:")
    for command in commands:
        talk.print(f"  {command}")


def after_choice(output, target, dataset, columns, labels=None) -> list[str]:
    """Commands that follow on a saved model."""
    file = "FILE" if dataset is not None or target == "-" else target
    options = columns.to_read_target()
    return [
        command_to_copy("score", output, file, "--proba", "-o", "scored.csv", **options),
        command_to_copy("label", output, file, "-o", "to_label.csv", labels=labels, **options),
    ]


def say_comparison(table, scoring, commands=()) -> None:
    """Print what a comparison comes to."""
    from ..trials._combinations import MAJORITY, name_of

    if table["target_score"].isna().all():
        talk.print("The target has no labels, and no score here says what carries over to it.")
        if commands:
            say_next(*commands)
        return
    row, error = table.loc[table["target_score"].idxmax()], standard_error(table, scoring)
    others = table.drop(index=row.name)
    plain = others[(others["adapter"] == "none") & (others["embedder"] == row["embedder"])]
    baseline, beside = others[others["embedder"] == "-"], []
    for name, rows in (
        ("without adapting", plain[plain["classifier"] == row["classifier"]]),
        ("TF-IDF", others[(others["embedder"] == "tfidf") & (row["embedder"] != "tfidf")]),
        *((name_of(one), baseline) for _, one in baseline.iterrows()),
    ):
        score = rows["target_score"].max()
        if score == score:
            beside.append(f"{name} {score:.3f}")
    within = "" if error is None else f" with a standard error of {error:.3f}"
    n = table.attrs["target_texts_scored"]
    talk.print(
        f"Best on the target: {name_of(row)}, {scoring} {row['target_score']:.3f}{within} on {n:,} texts"
        f"{'; ' * bool(beside)}{', '.join(beside)}.",
        style="bold",
    )
    if row["embedder"] == "-":
        by_texts = name_of(row) == MAJORITY and scoring == "accuracy"
        rare = " Where rare classes matter, try --scoring balanced_accuracy."
        said = f"No model beats always giving {name_of(row)}."
        talk.print(f"{said}{rare * by_texts}", style="yellow")
    near = 0 if error is None else int((others["target_score"] > row["target_score"] - 2 * error).sum())
    as_good = f" {near:,} others within two standard errors may be as good." if near else ""
    talk.print(f"These labels picked it out: expect a little less on new texts.{as_good}")
    if commands:
        say_next(*commands)


def after_comparison(table, texts, embedding, of_classes, domain_column=None) -> list[str]:
    """The command that fits the best model, if `fit` has it; without labels the one that chooses."""
    from ..trials._sources import EACH, POOLED

    ran = table.dropna(subset=["target_score"])
    if not of_classes:
        return []
    given = asdict(texts.columns) | asdict(texts.cleaning) | asdict(embedding)
    given |= {"dataset": texts.dataset, "target_shares": texts.target_shares, "domain_column": domain_column}
    given |= {"html": texts.html}
    command, parts = "choose", {}
    if len(ran):
        row = ran.loc[ran["target_score"].idxmax()]
        name, command = row["embedder"], "fit"
        told = ran[(ran.get("sources") == EACH) & (ran["adapter"] == row["adapter"])]
        one_alone = name == "tfidf" and row.get("sources", POOLED) != POOLED
        if name == "-" or one_alone or (len(told) and row["sources"] == POOLED):
            return []  # `fit` learns from all sources, and maps each
        parts = {name: row[name] for name in ("embedder", "adapter", "classifier")}
        parts |= {"embedder": "ngrams", "adapter": "none"} if name == "tfidf" else {}
        parts = {"recipe": row["classifier"]} if name == "recipe" else parts
        if table["embedder"].str.contains(" of ").any():  # rows of several columns
            part = "recipe" if name == "recipe" else "embedder"
            parts[part], _, column = parts[part].partition(" of ")
            if parts[part] != "columns":
                given["vector_column"] = [column] if column else None
        if not name.startswith(("word_", "static_")):
            given["vectors"] = None
        if not name.startswith(("word_", "domain_words")):
            given |= dict.fromkeys(("unknown", "phrases", "cased", "tokens"))
        if not {name, row["classifier"]} & {"sentence", "distilled", "sentences"}:
            given |= {"model": None, "backend": None}
    usual = {"text_column": "text", "label_column": "label", "unknown": "skip", "tokens": "words"}
    usual["backend"] = "torch"
    options = {name: one for name, one in given.items() if one and str(one) != usual.get(name)}
    options = {name: one if isinstance(one, list | bool) else str(one) for name, one in options.items()}
    sources = [word for name in texts.source for word in ("--source", name)]
    words = command, *sources, "--target", texts.target, "-o", "model"
    return [command_to_copy(*words, **parts, **options)]


def say_several(of_rows):
    """That models of rows with several columns do not fold."""
    if len(of_rows.holds) > 1:
        talk.print("A model of rows with several columns is not compiled, nor explained word by word.")
