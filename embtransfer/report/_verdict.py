"""What to use, how good it is expected and measured to be, and whether adapting helps."""

from typing import Any

import numpy as np
import pandas as pd

from ..labelling._estimate import wilson
from ..trials._combinations import MAJORITY, name_of
from ._blocks import Bars, Headline, Section, Table, without_home
from ._rows_of_compare import clean

_LEVEL = 0.9  # of intervals
_BY_CHANCE = 1.64  # standard errors of a difference, which chance exceeds in one of ten


def recommendation(selection, table, data, right=None, shares="") -> Section:
    """`right`: (share, number) of the scored target texts that the chosen model, fitted, gets right."""
    section = Section("recommendation", "Verdict")
    best: Any = None
    if table is not None and table["target_score"].notna().any():
        models = table[(table["embedder"] != "-") & table["target_score"].notna()]
        best = table.loc[(models if len(models) else table)["target_score"].idxmax()]
    if selection is None and table is None:
        section.left_out = "Nothing was chosen: there is neither a selection nor a table of compare."
        return section
    selected = selection
    if selection is not None:
        name, said = (without_home(str(of)) for of in (selection.best_name_, selection.reason_))
        row, headline = _row_of(selection, table) if best is not None else None, f"Use {name}"
        gain, error = (0, 0) if row is None else _gain(table, best, row)
        if row is not None and gain > _BY_CHANCE * error:
            headline, expected = f"Best on the target: {name_of(best)}", selection.expected_score_
            said = (
                f"Its labels picked that out: expect a little less on new ones. Without them {name} was "
                f"chosen, expected {expected:.3f}, measured {row['target_score']:.3f}. Why: {said}"
            )
            row, selected = best, None
    elif best is not None:
        row = best
        headline = f"Best on the target: {name_of(best)}"
        said = (
            f"Nothing was chosen without target labels; by the labels of {len(data.y_scored):,} target "
            f"{data.kind} {name_of(best)} has the highest score, {best['target_score']:.3f}, and since these "
            "labels picked it out, expect a little less on new ones."
        )
    else:
        row, headline = None, "Nothing was chosen"
        said = (
            "Nothing was chosen: the target has no labels, and scores on the source do not tell how well a "
            "model carries over."
        )
    bars = _bars(selected, table, row, right)
    section.blocks = [Headline(headline), *bars, said]
    if row is not None:
        section.blocks += _adapting(table, row)
    if selection is not None and row is not None and best["target_score"] > row["target_score"]:
        section.blocks.append(
            f"By these labels {name_of(best)} is the best, {best['target_score']:.3f}; since they picked it "
            "out, expect a little less on new ones."
        )
    if best is not None and table["target_score"].max() > best["target_score"]:
        section.blocks.append(
            f"No model beats always giving {MAJORITY}. Where rare classes matter, compare by "
            "balanced_accuracy."
        )
    section.blocks += [shares] * bool(shares)
    results = getattr(selection, "results_", None)
    if results is not None:
        caption = "All candidates of the selection"
        frame = clean(results)
        empty = [name for name in ("parameters", "error") if name in frame and not frame[name].any()]
        frame = frame.drop(columns=empty)
        section.blocks.append(Table("selection", caption, frame, sortable=True, folded=True))
    return section


def _row_of(selection, table):
    """The row of the table that is of the chosen model, or None."""
    rows = table.drop(columns="sources", errors="ignore").iterrows()  # a search has no names for them
    names = pd.Series([name_of(row).removeprefix("recipe + ") for _, row in rows], table.index)
    chosen = str(selection.best_name_).removeprefix("recipe + ")
    found = table[(names == chosen) & table["target_score"].notna()]
    return found.iloc[0] if len(found) else None


def _bars(selection, table, row, right):
    """Expected and measured scores of the model, and of what it must beat."""
    found = []
    if selection is not None and selection.expected_score_ == selection.expected_score_:
        name = f"expected{_of(selection, table)}"
        found.append((name, selection.expected_score_, *selection.score_interval_))
    if row is not None:
        found.append(("measured", row["target_score"], *interval(table, row["target_score"])))
    elif right is not None:
        found.append(("measured, accuracy", right[0], *wilson(*right, _LEVEL)))
    if table is not None:
        for name, other in _beside(table, row):
            found.append((name, other["target_score"], *interval(table, other["target_score"])))
    if not found:
        return []
    frame = pd.DataFrame(found, columns=["name", "score", "low", "high"])
    frame["best"] = ~frame["name"].isin(["without adapting", "TF-IDF", MAJORITY])
    expected = " (expected: without its labels)" * found[0][0].startswith("expected")
    return [Bars("verdict", f"Score on the target{expected}", frame)]


def _of(selection, table):
    """What the expected score is of, where the table measures another one."""
    scoring = getattr(selection, "scoring", None)
    measured = scoring if table is None else table.attrs.get("scoring", scoring)
    return f", {scoring}" if isinstance(scoring, str) and measured != scoring else ""


def _beside(table, row):
    """(What it is, its row): the same without adapting, TF-IDF, the majority; of those that ran."""
    others = table.dropna(subset=["target_score"])
    same = none = others["adapter"] == "none"
    if row is None:
        same = none & False
    else:
        others = others.drop(index=row.name)
        none = none[others.index]
        same = none & (others["embedder"] == row["embedder"]) & (others["classifier"] == row["classifier"])
    for name, rows in (
        ("without adapting", others[same]),
        ("TF-IDF", others[none & (others["embedder"] == "tfidf") & ~same]),
        (MAJORITY, others[others["embedder"] == "-"]),
    ):
        if len(rows):
            yield name, rows.loc[rows["target_score"].idxmax()]


def _adapting(table, row):
    """Whether adapting helps, in a sentence, where the same was tried without."""
    beside = dict(_beside(table, row))
    what = next((name for name in ("without adapting", "TF-IDF") if name in beside), None)
    if what is None or (row["adapter"] == "none" and row["embedder"] != "recipe"):
        return []
    gain, error = _gain(table, row, beside[what])
    against = "the same without it" if what == "without adapting" else "TF-IDF without it"
    if error != error:
        return [f"Adapting changes the score by {gain:+.3f} against {against}."]
    helps = "makes no difference that these texts could show" if abs(gain) < _BY_CHANCE * error else "hurts"
    helps = "helps" if helps == "hurts" and gain > 0 else helps
    return [f"Adapting {helps}: {gain:+.3f} against {against}, with a standard error of {error:.3f} at most."]


def _gain(table, row, other):
    """How much more a row scores than another, and the standard error of that at most; NaN if not known."""
    scores = np.array([row["target_score"], other["target_score"]])
    n = table.attrs.get("target_texts_scored", 0)
    known = table.attrs.get("scoring") == "accuracy" and n
    return scores[0] - scores[1], np.sqrt((scores * (1 - scores)).sum() / n) if known else np.nan


def interval(table, score):
    """Of accuracy on a sample of texts, 90 %; NaN of other scores."""
    n = table.attrs.get("target_texts_scored", 0)
    if table.attrs.get("scoring") != "accuracy" or not n or score != score:
        return np.nan, np.nan
    return wilson(score, n, _LEVEL)
