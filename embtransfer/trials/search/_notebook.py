"""A search as a notebook shows it: the model that was chosen, how good it will be, and what was tried."""

from sklearn.utils import estimator_html_repr

from ...pipeline import class_shares
from ...system._escape import escape

_BLUE = "33,102,172"  # see-through: both light and dark pages do
_SHOWN = 10  # classes, candidates
_COLUMNS = ["embedder", "adapter", "classifier", "consensus", "source_accuracy", "rows"]
_LEFT = "padding:0.1em 0.6em;text-align:left"
_RIGHT = "padding:0.1em 0.6em;text-align:right;font-variant-numeric:tabular-nums"


class NotebookCard:
    """Mixin: once fitted, notebooks show a card instead of scikit-learn's diagram."""

    def _repr_html_(self):
        return card(self) if hasattr(self, "results_") else estimator_html_repr(self)

    def _repr_mimebundle_(self, **_):  # scikit-learn's, which notebooks ask first, has the diagram
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def card(search) -> str:
    """A fragment of HTML without style sheets or scripts, which notebooks strip."""
    low, high = search.score_interval_
    scoring = search.scoring if isinstance(search.scoring, str) else "worth of its labels"
    score = f"{search.expected_score_:.3f} ({low:.3f} to {high:.3f})"
    return (
        '<div style="line-height:1.5;max-width:60em">'
        f'<p style="font-size:1.2em;margin:0.3em 0"><b>{escape(search.best_name_)}</b></p>'
        f"<p>Expected {escape(scoring)} on the target: <b>{score}</b>"
        f"{_interval(search.expected_score_, low, high)}</p>"
        f"<p>{escape(search.reason_)}</p>{_shares(class_shares(search))}{_candidates(search)}</div>"
    )


def _interval(score, low, high):
    """A line from 0 to 1 with the interval as a band; nothing for scores of another scale."""
    if not 0 <= low <= score <= high <= 1:
        return ""
    return (
        '<span style="display:block;position:relative;height:0.7em;max-width:24em;margin:0.3em 0;'
        'border-radius:0.2em;background:rgba(128,128,128,0.25)">'
        f'<span style="position:absolute;height:100%;left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%;'
        f'background:rgba({_BLUE},0.6)"></span>'
        f'<span style="position:absolute;height:100%;left:{100 * score:.1f}%;width:2px;'
        'background:currentColor"></span></span>'
    )


def _shares(shares):
    if shares is None:
        return ""
    shown = shares.head(_SHOWN)
    rows = [
        [row.Index, f"{row.source:.0%}", f"{row.target:.0%}", _between(row.low, row.high)]
        for row in shown.itertuples()
    ]
    more = f"<p>{len(shares) - _SHOWN:,} more classes</p>" if len(shares) > _SHOWN else ""
    return _table(["class", "share in the source", "in the target", "95 % interval"], rows, n_names=1) + more


def _between(low, high):
    return f"{low:.0%} to {high:.0%}" if low < high else ""


def _candidates(search):
    """The candidates, folded, the chosen one first."""
    table = search.results_.sort_values("rank")
    places = [search.best_index_, *(place for place in table.index if place != search.best_index_)][:_SHOWN]
    rows = [[_cell(value) for value in row] for row in table.loc[places, _COLUMNS].itertuples(index=False)]
    names = [column.replace("_", " ") for column in _COLUMNS]
    count = f"{len(table):,} candidates" + (f", {_SHOWN} of them" if len(table) > _SHOWN else "")
    return (
        f'<details><summary style="cursor:pointer">{count}; the first was chosen</summary>'
        f"{_table(names, rows, n_names=3)}</details>"
    )


def _cell(value):
    if isinstance(value, float):
        return f"{value:.3f}" if value == value else "-"
    return str(value)


def _table(names, rows, n_names):
    """A table whose first columns are names and the others numbers."""
    styles = [_LEFT if place < n_names else _RIGHT for place in range(len(names))]
    head = "".join(f'<th style="{style}">{escape(n)}</th>' for n, style in zip(names, styles, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{s}">{escape(c)}</td>' for c, s in zip(row, styles, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<table style="margin:0.5em 0"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
