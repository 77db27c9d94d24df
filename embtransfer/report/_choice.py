"""Sections from the table of compare: all scores, scores against time."""

import numpy as np
import pandas as pd

from ..trials._combinations import name_of
from . import _svg
from ._blocks import Bars, Chart, Mark, Section, Table, without_home
from ._rows_of_compare import clean
from ._verdict import interval

_HEADERS = {
    "source_cv": "source, cross-validated",
    "target_score": "target",
    "fit_seconds": "fit, s",
    "texts_per_second": "texts/s",
    "target_texts": "target texts",
}
_FORMATS = {"gain": "+.3f", "fit_seconds": ".2f", "texts_per_second": ",.0f"}
_BARS = 12  # of the candidates that are drawn
_NO_TABLE = "No table of compare was given (table=compare(...))."


def comparison(table) -> Section:
    section = Section("comparison", "All combinations")
    if table is None:
        section.left_out = _NO_TABLE
        return section
    frame = clean(table)
    if not frame["error"].any():
        frame = frame.drop(columns="error")
    section.blocks = [
        *_candidates(table),
        "Gain is the score on the target less that of the same embedder and classifier without adaptation. "
        "The cross-validated score on the source is no measure of transfer.",
        Table(
            "comparison",
            "Scores and times of all combinations",
            frame,
            _HEADERS,
            _FORMATS,
            sortable=True,
            folded=True,
        ),
    ]
    return section


def _candidates(table):
    """The best of them as bars."""
    ran = table.dropna(subset=["target_score"]).sort_values("target_score", ascending=False, kind="stable")
    if not len(ran):
        return []
    rows = [
        (without_home(name_of(row)), row["target_score"], *interval(table, row["target_score"]), i == 0)
        for i, (_, row) in enumerate(ran.head(_BARS).iterrows())
    ]
    more = f", the best {_BARS} of {len(ran):,}" if len(ran) > _BARS else ""
    frame = pd.DataFrame(rows, columns=["name", "score", "low", "high", "best"])
    return [Bars("comparison", f"Score on the target{more}", frame)]


def tradeoff_points(table) -> tuple[pd.DataFrame | None, str]:
    """The rows that ran, with their score and whether they are Pareto-best; or why there are none."""
    if table is None:
        return None, _NO_TABLE
    score = "target_score" if table["target_score"].notna().any() else "source_cv"
    ran = table[score].notna() & (table["embedder"] != "-")  # "-": the majority class, which reads no text
    if not ran.any():
        return None, "No combination ran; the table says why."
    rows = table[ran].sort_values(score, ascending=False, kind="stable")
    points = pd.DataFrame(
        {
            "number": np.arange(1, len(rows) + 1),
            "combination": [without_home(name_of(row)) for _, row in rows.iterrows()],
            "score": rows[score].to_numpy(float),
            "texts_per_second": rows["texts_per_second"].to_numpy(float),
            "fit_seconds": rows["fit_seconds"].to_numpy(float),
        }
    )
    points["best_to_predict"] = _pareto(points["score"], points["texts_per_second"])
    points["best_to_fit"] = _pareto(points["score"], -points["fit_seconds"])
    points.attrs["score"] = "score on the target" if score == "target_score" else "score on the source"
    return points, ""


def tradeoff(points, reason) -> Section:
    section = Section("tradeoff", "Score against time", left_out=reason or None)
    if reason:
        return section
    what = points.attrs["score"]
    names = {True: "yes", False: "no"}
    frame = points.assign(
        best_to_predict=points["best_to_predict"].map(names), best_to_fit=points["best_to_fit"].map(names)
    )
    headers = {
        "number": "no.",
        "score": what,
        "texts_per_second": "texts/s",
        "fit_seconds": "fit, s",
        "best_to_predict": "best for its speed",
        "best_to_fit": "best for its fit time",
    }
    section.blocks = [
        "A combination is best for its time if no other is both as fast and as good. The majority class is "
        "not shown: it reads no text.",
        _scatter(points, "texts_per_second", "best_to_predict", "texts per second", what),
        _scatter(points, "fit_seconds", "best_to_fit", "seconds to fit", what),
        Table("tradeoff", "The points of both charts", frame, headers, _FORMATS, sortable=True, folded=True),
    ]
    return section


def _scatter(points, x, best, label, what):
    front = points[best].to_numpy()
    groups = []
    for mark, rows in (
        (Mark("other combinations", "dot", 7), points[~front]),
        (Mark("best for its time, with its number in the table", "diamond", 1), points[front]),
    ):
        if len(rows):
            groups.append((mark, rows[x].to_numpy(), rows["score"].to_numpy()))
    numbers = [(str(row.number), getattr(row, x), row.score) for row in points[front].itertuples()]
    listed = "; ".join(f"{row.number}: {row.combination}" for row in points[front].itertuples())
    title = f"{what.capitalize()} against {label}"
    return Chart(
        f"score_{x}",
        title,
        f"Best for their time: {listed}.",
        _svg.draw(groups, x=f"{label} (log)", y=what, log_x=True, size=4.0, numbers=numbers),
        [group[0] for group in groups],
        points[["number", x, "score"]],
    )


def _pareto(score, merit):
    """Whether no other row is at least as good in both and better in one."""
    score, merit = np.asarray(score), np.asarray(merit)
    at_least = (score >= score[:, None]) & (merit >= merit[:, None])
    better = (score > score[:, None]) | (merit > merit[:, None])
    return ~(at_least & better).any(axis=1)
