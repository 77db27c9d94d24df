"""make_report, and the report that it makes."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from .._rows import n_rows, to_show
from .._types import Estimator, FilePath, Labels, Rows, Seed
from .._version import __version__
from ..adapters import DomainCentering
from ..classifiers import make_classifier
from ..embedders import VectorEmbedder, WordEmbedder
from ..pipeline import class_shares, make_transfer_pipeline, shares_in_words
from ..system._escape import plain
from ..system._folders import new_files
from ..trials._compare import COLUMNS
from ..trials._named_estimators import of_view
from ..trials._progress import Steps
from ..trials._splits import Split
from . import _choice, _curves, _domains, _html, _mistakes, _plots, _texts, _verdict
from ._blocks import without_home
from ._data import data_check
from ._described import Described
from ._reproduce import reproduce

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NUMBERS = count()  # of fragments: two in one notebook must not share ids


class Report:
    """A comparison for people and programs; made by `make_report`.

    Parameters
    ----------
    title, lead, created, sections, table, model, pictures
        What `make_report` gathers.

    Attributes
    ----------
    title : str
    created : str
        Date and time in UTC.
    model : estimator
        The fitted copy of the model that the report describes; None if it could not be fitted.
    table : DataFrame or None
        What `compare` returned.
    left_out : dict of str to str
        Key of a section -> why it is left out.

    See Also
    --------
    make_report : Makes it.

    Examples
    --------
    >>> from embtransfer import make_report
    >>> report = make_report(["good film", "bad film"] * 6, [1, 0] * 6, ["good pan", "bad pan"] * 6)
    >>> report.to_markdown().partition("\\n")[0]
    '# Transfer report'
    """

    def __init__(
        self,
        title: str,
        lead: str,
        created: str,
        sections: list,
        table: pd.DataFrame,
        model: str,
        pictures: dict,
    ):
        self.title, self.lead, self.created, self.table, self.model = title, lead, created, table, model
        self.left_out = {section.key: section.left_out for section in sections if section.left_out}
        self._sections, self._pictures = sections, pictures

    def to_html(self) -> str:
        """One page that needs nothing else: no network, script file, font or image."""
        return _html.page(self.title, self.lead, self._sections)

    def to_markdown(self) -> str:
        """The same in Markdown; charts in words."""
        return _texts.markdown(self.title, self.lead, self._sections)

    def to_dict(self) -> dict:
        """The same in what JSON can hold: sections with texts, tables, charts with their points."""
        about = {"title": self.title, "created": self.created, "embtransfer": __version__, "lead": self.lead}
        return {**about, "sections": [_texts.dictionary(section) for section in self._sections]}

    def _repr_html_(self):
        return _html.fragment(self.title, self.lead, self._sections, f"et{next(_NUMBERS)}")

    def __repr__(self):
        return f"Report({self.title!r}, {len(self._sections) - len(self.left_out)} sections)"

    def save(self, folder: FilePath) -> list[Path]:
        """Write report.html, report.md and report.json to a folder, which is made if need be.

        Returns
        -------
        list of Path
            The three files. Those of an earlier report are replaced.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        contents = {
            "report.html": self.to_html(),
            "report.md": self.to_markdown(),
            "report.json": json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False) + "\n",
        }
        places = [folder / name for name in contents]
        with new_files(*places, what=f"the report to {folder}") as files:
            for file, text in zip(files, contents.values(), strict=True):
                file.write_bytes(text.encode("utf-8", "replace"))
        return places

    def plot_tradeoff(self, ax: "Axes | None" = None) -> "Axes":
        """Plot score against texts per second on matplotlib axes (new ones if None) and return them."""
        return _plots.tradeoff(self._picture("tradeoff"), _plots.new_axes(ax))

    def plot_projection(self, ax: "Axes | None" = None, *, when: str = "after") -> "Axes":
        """Plot source and target in two components, `when` "before" or "after" adaptation."""
        pictures = self._picture("projection")
        if when not in pictures:
            raise ValueError(f"Got when={when!r}. This report has: {', '.join(pictures)}.")
        groups = _domains.marks_of(pictures[when])
        return _plots.projection(groups, f"{when} adaptation", _plots.new_axes(ax))

    def plot_confusion(self, ax: "Axes | None" = None) -> "Axes":
        """Plot the confusion matrix."""
        return _plots.confusion(self._picture("confusion"), _plots.new_axes(ax))

    def _picture(self, key):
        if self._pictures[key] is None:
            raise ValueError(f"There is nothing to plot: {self.left_out[key]}")
        return self._pictures[key]


def make_report(
    X_source: Rows,
    y_source: Labels,
    X_target: Rows,
    y_target: Labels | None = None,
    *,
    table: pd.DataFrame | None = None,
    model: Estimator = None,
    title: str = "Transfer report",
    curves: pd.DataFrame | None = None,
    selection: object = None,
    command: str | Sequence[str] | None = None,
    transductive: bool = False,
    test_size: float = 0.5,
    n_target_labels: int = 0,
    random_state: Seed = 0,
    progress: Callable | None = None,
) -> Report:
    """Make a report: what to use, how good and how fast, where the domains differ, how to reproduce it.

    A section whose data are missing is left out, with a sentence that says why. Target labels give scores
    and nothing else; where a sentence picks a row by them, it says so.

    Parameters
    ----------
    X_source : 1-D sequence of str of length n_source, or vectors of shape (n_source, n_features)
        Or a table, as in `compare`. Vectors have no words, and sections on words are left out.
    y_source : array-like of shape (n_source,)
        Labels of the source.
    X_target : 1-D sequence of str of length n_target, or vectors of shape (n_target, n_features)
    y_target : array-like of shape (n_target,), default=None
        Labels of the target, if there are any; texts without one (None, NaN) are adapted to, not scored.
    table : DataFrame, default=None
        What `compare` returned for the same data.
    model : estimator, default=None
        The model that pictures, mistakes, words and distances are of. A clone of it is fitted, on the texts
        that `compare` fits on; a FrozenEstimator holds one that was fitted on these already. None is mean
        word vectors, or the vectors given (of a table those of its last column), each domain centred, and
        logistic regression: it is fast, and taken without a look at any score.
    title : str, default="Transfer report"
    curves : DataFrame, default=None
        What `learning_curve` returned: columns model, labels, n_source, n_target, score.
    selection : object, default=None
        A choice without target labels: attributes `best_name_`, `reason_`, `expected_score_`,
        `score_interval_` and `results_`.
    command : str or sequence of str, default=None
        The command line that made it; a sequence is quoted for a shell.
    transductive, test_size, n_target_labels, random_state
        As in `compare`: with the same values the report scores the same texts, and learns from the same.
    progress : callable (done, total, description), default=None
        Called before each step and at the end.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If lengths differ, a domain is too small for the split, or `table` or `curves` lack a column.
    TypeError
        If X_source and X_target are not both texts, both vectors or both tables.

    See Also
    --------
    compare : Makes the table.

    Examples
    --------
    >>> from embtransfer import compare, make_report
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> data = films.data, films.target, pans.data, pans.target
    >>> report = make_report(*data, table=compare(*data), title="films to kitchenware")
    >>> report
    Report('films to kitchenware', 10 sections)
    >>> report.left_out
    {'curves': 'No learning curves were given (curves=learning_curve(...)).'}
    """
    cut = {"transductive": transductive, "test_size": test_size, "n_target_labels": n_target_labels}
    data = Split(X_source, y_source, X_target, y_target, random_state=random_state, tables=True, **cut)
    _check_inputs(table, curves, selection)
    steps = Steps(progress, total=5, of="report: ")
    chosen = selection is not None and model is not None and data.y_scored is not None
    if model is None:
        columns, kind = data.views[-1]  # of a table vectors, if it has some
        embedder = of_view(WordEmbedder() if kind == "texts" else VectorEmbedder(), columns)
        model = make_transfer_pipeline(embedder, DomainCentering(), make_classifier("logistic"))
    created = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    steps("fitting the model")
    described = Described(model, data, random_state)
    steps("predicting")
    counts, what, no_counts = _mistakes.confusion(described)
    right = _mistakes.accuracy(counts) if chosen and counts is not None else None
    shares = _shares(selection, described)
    verdict = _verdict.recommendation(selection, table, data, right, shares)
    steps("projecting")
    points, no_points = _choice.tradeoff_points(table)
    pictures, no_pictures = _domains.projection_points(described)
    sections = [
        verdict,
        data_check(to_show(data.source), y_source, to_show(data.target), y_target),
        _choice.comparison(table),
        _choice.tradeoff(points, no_points),
        _domains.projection(pictures, no_pictures, described),
        _mistakes.mistakes(counts, what, no_counts),
    ]
    steps("counting words")
    sections += [_domains.coverage(data, described), _domains.words(data, described)]
    steps("measuring distances")
    sections += [
        _curves.learning_curves(curves),
        _domains.shift(described),
        reproduce(command, described, data, created, random_state),
    ]
    steps("done")
    left_out = f" {data.left_out()}" if data.left_out() else ""
    shares = f" {shares}" if shares and verdict.left_out else ""  # else the verdict says them
    lead = (
        f"{len(data.y):,} labelled source {data.kind}, {_target_texts(data)}.{shares}{left_out} "
        f"Made {created} by embtransfer {__version__}. "
        f"Pictures, mistakes and distances are of one model: {described.name}."
    )
    kept = {"tradeoff": points, "projection": pictures, "confusion": counts}
    return Report(plain(without_home(title)), lead, created, sections, table, described.fitted, kept)


def _target_texts(data):
    if data.y_scored is None:
        return f"{n_rows(data.seen):,} unlabelled target {data.kind}"
    learned = f", {len(data.learned):,} of them with labels to learn from" if len(data.learned) else ""
    if data.scored is data.seen:
        return f"{n_rows(data.seen):,} target {data.kind}, seen while adapting and scored"
    n_seen, n_scored = n_rows(data.seen), n_rows(data.scored)
    return f"{n_seen:,} target {data.kind} seen while adapting{learned} and {n_scored:,} others scored"


def _shares(selection, described):
    """How often each class occurs in the domains, by the search; or by the model, if there was none."""
    found = (class_shares(model) for model in (selection, described.fitted))
    shares = next((one for one in found if one is not None), None)
    return "" if shares is None else f"Class shares: {plain(shares_in_words(shares))}."


def _check_inputs(table, curves, selection):
    if table is not None:
        missing = [column for column in COLUMNS if column not in getattr(table, "columns", ())]
        if missing:
            raise ValueError(
                f"Got a table without {', '.join(missing)}. Expected the DataFrame of compare. "
                "Pass table=compare(...)."
            )
    if curves is not None:
        _curves.check_curves(curves)
    if selection is not None:
        names = ("best_name_", "reason_", "expected_score_", "score_interval_")
        missing = [name for name in names if not hasattr(selection, name)]
        if missing:
            raise ValueError(
                f"Got a {type(selection).__name__} without {', '.join(missing)} as selection. Expected a "
                "fitted search. Call its fit first."
            )
