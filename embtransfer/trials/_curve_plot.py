"""Learning curves, summed up and drawn."""

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STYLES = {"source": "-", "target": "--", "both": ":"}
_NAMES = {"source": "source labels", "target": "target labels", "both": "target labels + all of the source"}


def summarize_learning_curve(frame: pd.DataFrame) -> pd.DataFrame:
    """Mean and spread of the scores over the repeats.

    Parameters
    ----------
    frame : DataFrame, as learning_curve returns it

    Returns
    -------
    DataFrame with a row a point of the curves, in the order of `frame`, and the columns
        model, labels, n_source, n_target, scored : as in `frame`
        score : mean over the repeats that did not fail
        spread : their standard deviation (n - 1), NaN where there is one only
        seconds : mean
        n_repeats : repeats that did not fail

    Examples
    --------
    >>> import pandas as pd
    >>> from embtransfer import summarize_learning_curve
    >>> point = {"model": "tfidf", "labels": "source", "n_source": 16, "n_target": 0, "scored": "target"}
    >>> frame = pd.DataFrame([{**point, "score": score, "seconds": 1.0} for score in (0.5, 0.7)])
    >>> summarize_learning_curve(frame)[["score", "n_repeats"]].round(3).values.tolist()
    [[0.6, 2.0]]
    """
    points = frame.groupby(["model", "labels", "n_source", "n_target", "scored"], sort=False)
    return points.agg(
        score=("score", "mean"),
        spread=("score", "std"),
        seconds=("seconds", "mean"),
        n_repeats=("score", "count"),
    ).reset_index()


def plot_learning_curve(frame: pd.DataFrame, ax: "Axes | None" = None) -> "Axes":
    """Draw a learning curve: the mean score against the number of labels, with bars of one deviation.

    Parameters
    ----------
    frame : DataFrame, as learning_curve returns it
    ax : matplotlib Axes, default=None
        None: new ones.

    Returns
    -------
    matplotlib Axes
        A colour a model; solid lines for source labels, dashed for target labels, dotted for target
        labels beside all source labels. Numbers of labels on a logarithmic scale.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If no fit succeeded.

    Examples
    --------
    >>> from embtransfer import learning_curve, plot_learning_curve
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> curve = learning_curve(films.data, films.target, pans.data, models=["word_mean"], n_repeats=2)
    >>> plot_learning_curve(curve).get_ylabel()
    'score on held-out source texts'
    """
    Figure, Line2D = import_matplotlib()
    points = summarize_learning_curve(frame).dropna(subset="score")
    if points.empty:
        raise ValueError("Got a learning curve without any score. Its column error says what failed.")
    if ax is None:  # not pyplot, which would keep every figure and choose a screen
        ax = Figure(figsize=(8, 5), layout="constrained").add_subplot()
    models, kinds = points["model"].unique(), points["labels"].unique()
    colours = {model: f"C{k % 10}" for k, model in enumerate(models)}
    for (model, labels), line in points.groupby(["model", "labels"], sort=False):
        x = line["n_source" if labels == "source" else "n_target"]
        style: dict[str, Any] = {"color": colours[model], "linestyle": _STYLES[labels], "marker": "."}
        ax.errorbar(x, line["score"], line["spread"], **style, elinewidth=0.8, capsize=2)
    ax.set_xscale("log", base=2)
    ticks = sorted({*points["n_source"], *points["n_target"]} - {0})
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    where = "target" if (points["scored"] == "target").all() else "held-out source"
    ax.set(xlabel="labels", ylabel=f"score on {where} texts")
    ax.grid(alpha=0.3)
    handles = [Line2D([], [], color=colours[model], label=str(model)) for model in models]
    if len(kinds) > 1:
        handles += [
            Line2D([], [], color="0.4", linestyle=_STYLES[kind], label=_NAMES[kind]) for kind in kinds
        ]
    ax.legend(handles=handles, fontsize="small")
    return ax


def import_matplotlib():
    """matplotlib's Figure and Line2D, or ImportError that says how to install them."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
    except ImportError as error:
        raise ImportError('plot_learning_curve needs matplotlib: pip install "embtransfer[plot]"') from error
    return Figure, Line2D
