"""The pictures of the report as matplotlib axes, for papers and notebooks."""

_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#333333"]
_SHAPES = {"dot": "o", "triangle": "^", "square": "s", "diamond": "D", "plus": "+", "bar": "_", "cross": "x"}


def new_axes(ax):
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            "Plots need matplotlib, which is not installed. Install it with: pip install 'embtransfer[plot]'"
        ) from error
    return pyplot.subplots()[1]


def tradeoff(points, ax):
    """Score against texts per second; combinations that are best for their speed carry their number."""
    best = points["best_to_predict"].to_numpy()
    ax.scatter(points["texts_per_second"][~best], points["score"][~best], c="#777777", label="other")
    front = points[best]
    ax.scatter(
        front["texts_per_second"], front["score"], c=_COLOURS[1], marker="D", label="best for its speed"
    )
    for row in front.itertuples():
        ax.annotate(
            f"{row.number} {row.combination}",
            (row.texts_per_second, row.score),
            xytext=(5, 5),
            textcoords="offset points",
            fontsize="small",
        )
    ax.set(xscale="log", xlabel="texts per second", ylabel=points.attrs["score"])
    ax.legend()
    return ax


def projection(groups, title, ax):
    """Source and target in two components."""
    for mark, x, y in groups:
        ax.scatter(x, y, s=12, c=_COLOURS[mark.colour], marker=_SHAPES[mark.shape], label=mark.label)
    ax.set(xlabel="classes", ylabel="domains", title=title)
    ax.legend()
    return ax


def confusion(counts, ax):
    """Counts, a row a true class and a column a predicted one."""
    table = counts.to_numpy()
    ax.imshow(table, cmap="Blues")
    for (i, j), n in zip(
        ((i, j) for i in range(len(table)) for j in range(len(table))), table.flat, strict=True
    ):
        ax.text(j, i, f"{n:,}", ha="center", va="center", color="white" if n > table.max() / 2 else "black")
    places = range(len(table))
    ax.set_xticks(places, counts.columns, rotation=45, ha="right")
    ax.set_yticks(places, counts.index)
    ax.set(xlabel="predicted class", ylabel="true class")
    return ax
