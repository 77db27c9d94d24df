"""Scores against the number of labels, from a frame of learning_curve."""

import numpy as np

from . import _svg
from ._blocks import Chart, Mark, Section, Table

COLUMNS = ["model", "labels", "n_source", "n_target", "score"]
_WHAT = {
    "source": ("n_source", "Labels of the source", "source labels"),
    "target": ("n_target", "Labels of the target alone", "target labels"),
    "both": ("n_target", "Labels of both domains", "target labels"),
}


def check_curves(curves):
    """Refuse what learning_curve did not make.

    Raises
    ------
    ValueError
    """
    missing = [column for column in COLUMNS if column not in getattr(curves, "columns", ())]
    if missing:
        raise ValueError(
            f"Got curves without {', '.join(missing)}. Expected the DataFrame of learning_curve, with the "
            f"columns {', '.join(COLUMNS)}. Pass curves=learning_curve(...)."
        )


def learning_curves(curves) -> Section:
    section = Section("curves", "Scores against the number of labels")
    if curves is None:
        section.left_out = "No learning curves were given (curves=learning_curve(...))."
        return section
    ran = curves[curves["score"].notna()]
    if ran.empty:
        section.left_out = "No model of the learning curves ran."
        return section
    if "scored" in ran and (ran["scored"] == "source").all():
        section.blocks.append("Scores are those of held-out source texts: the target has no labels.")
    grouped = ran.groupby(["model", "labels", "n_source", "n_target"], sort=False)["score"]
    means = grouped.agg(mean="mean", lowest="min", highest="max", repeats="size").reset_index()
    means["model"] = means["model"].astype(str)
    models = list(dict.fromkeys(means["model"]))
    for labels, (x, title, axis) in _WHAT.items():
        rows = means[means["labels"] == labels]
        groups, ends = [], []
        for i, model in enumerate(models):
            some = rows[rows["model"] == model].sort_values(x)
            some = some[some[x] > 0]
            if len(some):
                n = len(_svg.SHAPES)
                mark = Mark(model, _svg.SHAPES[(i + i // n) % n], i % n)
                groups.append((mark, some[x].to_numpy(float), some["mean"].to_numpy()))
                ends.append(f"{model} {some['mean'].iloc[0]:.3f} to {some['mean'].iloc[-1]:.3f}")
        if groups:
            low, high = (int(f([f(g[1]) for g in groups])) for f in (np.min, np.max))
            section.blocks.append(
                Chart(
                    f"curve_{labels}",
                    title,
                    f"Mean score from {low:,} to {high:,} {axis}: {'; '.join(ends)}.",
                    _svg.draw(groups, x=f"{axis} (log)", y="score", log_x=True, lines=True, size=4.0),
                    [group[0] for group in groups],
                    rows,
                )
            )
    headers = {"n_source": "source labels", "n_target": "target labels"}
    means = means[["model", "labels", "mean", "n_source", "n_target", "lowest", "highest", "repeats"]]
    caption = "Mean and range of the scores"
    section.blocks.append(Table("curves", caption, means, headers, sortable=True, folded=True))
    return section
