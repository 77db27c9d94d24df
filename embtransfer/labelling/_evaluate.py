"""evaluate: how good a fitted model is on labelled texts, by class, by confidence and by group."""

import json
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from .._parts import last_step
from .._rows import check_rows, is_table, n_rows, take
from .._types import Estimator, Labels, Rows
from ._known import by_row
from ._scores import Said, Scores

_BINS = 5  # of confidence, with as many texts each


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How good a model is on labelled texts; made by `evaluate`. As a string its main figures.

    Parameters
    ----------
    scoring : str
    score : float
    interval : (float, float)
        In which the score of the domain lies in `confidence_level` of such samples.
    n : int
        Texts that were scored.
    n_left_out : int
        Texts without a label, or with one that the model does not know.
    balanced_accuracy, f1_macro : float
    accuracy, majority : float
        Shares of texts that the model gets right, and that are of the majority class.
    confidence : float
        Mean probability of the labels that the model gives; NaN if it has none.
    by_class : DataFrame
        A row a class: "texts", "predicted", "precision", "recall", "f1".
    confusion : DataFrame
        Counts: a row a true class, a column a predicted one.
    calibration : DataFrame
        A row a fifth of the texts, the least sure first: "texts", "confidence", "accuracy". Empty if the
        model has no probabilities.
    by : DataFrame or None
        A row a group, the largest first: "texts", "score", "low", "high", the last two of accuracy alone.
    confidence_level : float, default=0.9

    Examples
    --------
    >>> from embtransfer import evaluate, make_recipe
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films = load_demo_reviews("films")
    >>> model = make_recipe("words").fit(films.data[:200], films.target[:200])
    >>> print(evaluate(model, films.data[200:], films.target[200:]))  # doctest: +ELLIPSIS
    accuracy 0... (90 % interval 0... to 0...) on 120 texts
    balanced accuracy 0..., macro F1 0...; accuracy of the majority class alone 0...
    mean confidence 0..., ... points ... than accuracy
    """

    scoring: str
    score: float
    interval: tuple[float, float]
    n: int
    n_left_out: int
    accuracy: float
    majority: float
    balanced_accuracy: float
    f1_macro: float
    confidence: float
    by_class: pd.DataFrame
    confusion: pd.DataFrame
    calibration: pd.DataFrame
    by: pd.DataFrame | None
    confidence_level: float = 0.9

    def __str__(self):
        level = "{:.0f} % interval {:.3f} to {:.3f}".format(100 * self.confidence_level, *self.interval)
        beside = "" if self.scoring == "accuracy" else f"accuracy {self.accuracy:.3f}, "
        said = [
            f"{self.scoring} {self.score:.3f} ({level}) on {self.n:,} texts",
            f"{beside}balanced accuracy {self.balanced_accuracy:.3f}, macro F1 {self.f1_macro:.3f}; accuracy "
            f"of the majority class alone {self.majority:.3f}",
        ]
        if self.confidence == self.confidence:
            points = 100 * (self.confidence - self.accuracy)
            than = f"{abs(points):.1f} points {'more' if points >= 0 else 'less'} than accuracy"
            said.append(f"mean confidence {self.confidence:.3f}, {than}")
        return "\n".join(said)

    def to_dict(self) -> dict:
        """All of it in plain numbers, lists and dicts; tables as rows, None for what is not known."""
        found = vars(self) | {"confidence": None if np.isnan(self.confidence) else self.confidence}
        for name in ("by_class", "confusion", "calibration", "by"):
            table = found[name]
            if table is not None:
                table = table.reset_index() if table.index.name else table
                found[name] = json.loads(table.to_json(orient="records", default_handler=str))
        return found

    def confused(self, n: int = 10) -> pd.DataFrame:
        """The n most frequent confusions: columns "label", "predicted", "texts"."""
        counts = self.confusion.to_numpy().copy()
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")[:n]
        rows, columns = np.unravel_index(order[counts.ravel()[order] > 0], counts.shape)
        labels = self.confusion.index.to_numpy()
        return pd.DataFrame(
            {"label": labels[rows], "predicted": labels[columns], "texts": counts[rows, columns]}
        )


def evaluate(
    model: Estimator,
    X: Rows,
    y: Labels,
    by: Labels | None = None,
    *,
    scoring: str = "accuracy",
    confidence: float = 0.9,
    random_state: int = 0,
) -> Evaluation:
    r"""Score a fitted model on labelled texts that it did not learn from.

    Parameters
    ----------
    model : fitted classifier of one label a text
    X : like the target rows that the model takes
    y : array-like of shape (n,)
        Labels; None, NaN or pandas.NA where not known.
    by : array-like of shape (n,), default=None
        Groups of the texts, such as countries, to score one by one.
    scoring : str, default="accuracy"
        A scorer of scikit-learn by name, or "f1:LABEL", the F1 of one class.
    confidence : float, default=0.9
        How often such intervals are to hold.
    random_state : int, default=0
        Seed of the bootstrap.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If y or by have another length than X, no label is known to the model, or scoring or confidence is of
        another kind.
    TypeError
        If the model gives several labels a text, or numbers.

    See Also
    --------
    estimate_score : Of few labels, and of texts that were drawn by doubt.
    compare : Many models on one labelled target.

    Notes
    -----
    The interval of accuracy is Wilson's: with t the quantile of the normal distribution and p the accuracy of
    n texts,

    .. math::

        \frac{p + t^2 / 2n \pm t \sqrt{p (1 - p) / n + t^2 / 4n^2}}{1 + t^2 / n}

    and that of other scores spans the quantiles of 300 samples of the texts with replacement. Where all
    samples have one score, since the model is right of all texts, it ends where the score would be with as
    many other labels as Wilson's interval of no error allows for. All take the texts for a random sample of
    the domain.

    References
    ----------
    E. B. Wilson. "Probable inference, the law of succession, and statistical inference." JASA 22, 1927.

    Examples
    --------
    >>> from embtransfer import evaluate, make_recipe
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> model = make_recipe("words").fit(films.data, films.target, X_target=pans.data[:160])
    >>> found = evaluate(model, pans.data[160:], pans.target[160:])
    >>> found.interval[0] < found.score < found.interval[1], list(found.by_class.columns)
    (True, ['texts', 'predicted', 'precision', 'recall', 'f1'])
    """
    if not (isinstance(confidence, Real) and 0 < confidence < 1):
        raise ValueError(f"Got confidence={confidence!r}. Expected a number between 0 and 1, such as 0.9.")
    several = getattr(last_step(model), "multilabel_", False)
    if several or not hasattr(model, "classes_"):
        got = f"{type(model).__name__} with {'several labels a text' if several else 'no classes'}"
        raise TypeError(f"Got {got}. Expected a fitted classifier of one label a text.")
    rows = X if is_table(X) else check_rows(X)
    labels, classes = by_row(y, n_rows(rows), "y"), model.classes_
    known = set(classes.tolist())
    kept = np.array([row for row, label in enumerate(labels) if label in known], int)
    if not len(kept):
        some = sorted(known, key=str)[:10]
        raise ValueError(f"Got no label that the model knows. Expected some of {some}.")
    said = Said(model, take(rows, kept))
    truth = np.array(labels[kept].tolist(), dtype=classes.dtype)
    of = Scores(said, truth, scoring, confidence, random_state)
    score, low, high = of(np.arange(len(kept)))
    right = said.found == truth
    counts = confusion_matrix(truth, said.found, labels=classes)
    by_class = _by_class(truth, said.found, classes, counts)
    groups = None if by is None else _by(by_row(by, len(labels), "by")[kept], of)
    return Evaluation(
        scoring,
        score,
        (low, high),
        len(kept),
        len(labels) - len(kept),
        float(right.mean()),
        float(counts.sum(axis=1).max() / len(kept)),
        float(by_class.loc[by_class["texts"] > 0, "recall"].mean()),
        float(by_class.loc[by_class[["texts", "predicted"]].any(axis=1), "f1"].mean()),
        float(said.sure.mean()),
        by_class,
        pd.DataFrame(counts, pd.Index(classes, name="label"), pd.Index(classes, name="predicted")),
        _calibration(said.sure, right),
        groups,
        confidence,
    )


def _by_class(truth, found, classes, counts):
    precision, recall, f1, _ = precision_recall_fscore_support(truth, found, labels=classes, zero_division=0)
    table = {"texts": counts.sum(axis=1), "predicted": counts.sum(axis=0)}
    table |= {"precision": precision, "recall": recall, "f1": f1}
    return pd.DataFrame(table, pd.Index(classes, name="class"))


def _calibration(sure, right):
    if np.isnan(sure).any():
        return pd.DataFrame({"texts": [], "confidence": [], "accuracy": []})
    order = np.argsort(sure, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    return pd.DataFrame(
        {
            "texts": [len(part) for part in parts],
            "confidence": [sure[part].mean() for part in parts],
            "accuracy": [right[part].mean() for part in parts],
        }
    )


def _by(groups, of):
    """Scores of groups; only of accuracy an interval costs nothing."""
    numbers = pd.Series(np.arange(len(groups))).groupby(
        pd.Series(groups, dtype=object), sort=True, dropna=False
    )
    rows = {name: (len(some), *of(some.to_numpy(), draws=0)) for name, some in numbers}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["texts", "score", "low", "high"])
    return table.rename_axis("group").sort_values("texts", ascending=False, kind="stable")
