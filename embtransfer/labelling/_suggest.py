"""suggest_labels: which target texts to label first."""

from collections.abc import Mapping
from numbers import Integral
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from .._names import check_name
from .._texts import without_text
from .._types import Estimator, Labels, Rows, Seed
from ..copies._groups import identical
from ._clusters import clusters, short
from ._draw import draw, spread
from ._known import by_row, check_classes
from ._views import disagreement, margin, see

METHODS = ("default", "random", "typical", "margin", "diverse", "disagreement")
EVERY = 5  # of so many suggestions of the default one is random
MOST_CLUSTERS = 500


def suggest_labels(
    model: Estimator,
    X_target: Rows,
    n: int = 50,
    *,
    y_target: Labels | Mapping | None = None,
    method: Literal["default", "random", "typical", "margin", "diverse", "disagreement"] = "default",
    random_state: Seed = 0,
) -> pd.DataFrame:
    """Suggest the target rows whose labels are worth most, and some that say how good the model is.

    Parameters
    ----------
    model : fitted classifier
        Such as a TransferPipeline, a CoTrainingClassifier or a TransferSearch.
    X_target : like the target rows that the model takes
    n : int, default=50
        How many, at most; of texts that are the same but for case, white space, links, @names and a leading
        RT, as retweets are, one is suggested.
    y_target : mapping or array-like of shape (n_target,), default=None
        Labels that are known: of rows by their positions, or one a row with None, NaN or pandas.NA where not
        known. These rows, and copies of them, are not suggested again.
    method : {"default", "random", "typical", "margin", "diverse", "disagreement"}, default="default"
        "random": drawn, all rows with the same chance. "typical": nearest to the centres of clusters, the
        largest first. "margin": where the first class is hardly more probable than the second. "diverse":
        typical ones of the half with the smaller margins, where rows count for more the smaller theirs is.
        "disagreement": where views differ most: those of a CoTrainingClassifier, or a self-trained classifier
        before and after. "default": diverse, and every fifth one random, drawn with a chance that grows with
        the model's doubt.
    random_state : int, RandomState instance or None, default=0
        Seeds draws and clusters.

    Returns
    -------
    DataFrame
        In the order to label: "row", the position in X_target; "why", one of the methods; "probability" of
        having been drawn, NaN for rows that were not drawn at random, by which nothing can be scored. All
        but random rows are spread over the predicted classes in their shares, typical ones over clusters.

    Raises
    ------
    ValueError
        If n is no positive number, there is no such method, "disagreement" is asked of a model with one view,
        or y_target is of another length or holds what is no class of the model.
    TypeError
        If the model is no classifier of one label a row.

    See Also
    --------
    estimate_score : What the random ones are for. Keep them out of what the model learns from.

    Notes
    -----
    Time and memory grow with the number of rows. Clusters are those of mini-batch k-means on the rows before
    the classifier, of sparse ones on 50 directions that a sample of 5,000 gives.

    References
    ----------
    G. Hacohen, A. Dekel, D. Weinshall. "Active learning on a budget: opposite strategies suit high and low
    budgets." ICML 2022 (TypiClust).
    F. Zhdanov. "Diverse mini-batch active learning." 2019, arXiv 1901.05954.

    Examples
    --------
    >>> from embtransfer import make_recipe, suggest_labels
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> model = make_recipe("words").fit(films.data, films.target, X_target=pans.data)
    >>> to_label = suggest_labels(model, pans.data, 10)
    >>> to_label["why"].value_counts().to_dict()
    {'diverse': 8, 'random': 2}
    """
    check_name("method", method, METHODS)
    if not isinstance(n, Integral) or n < 1:
        raise ValueError(f"Got n={n!r}. Expected a whole number of rows to label, 1 or more.")
    rng, seen = check_random_state(random_state), see(model, X_target)
    n_rows = len(seen.proba)
    labels = by_row(y_target, n_rows, "y_target")
    known = np.flatnonzero(labels != None)  # noqa: E711
    check_classes(labels[known], seen.classes)
    if method == "disagreement" and len(seen.views) < 2:
        raise ValueError(
            f"Got method='disagreement' and a {type(model).__name__} with one view. Expected a "
            "CoTrainingClassifier or a self-trained model. Take method='margin'."
        )
    groups = identical(X_target, near=True)
    free = ~np.isin(groups, groups[np.concatenate([known, _empty(X_target)])])
    texts = _one_of_each(groups, free)
    plan = _plan(method, min(n, len(texts)))
    margins, sizes = margin(seen.proba), np.bincount(groups)[groups[texts]]
    # equal chances where all are drawn; where few are, those that say most of the score
    weights = np.ones(len(texts)) if method == "random" else spread(margins[texts])
    drawn, chances = draw(margins[texts], sizes, weights, plan.count("random"), rng)
    drawn = texts[drawn].tolist()
    free &= ~np.isin(groups, groups[drawn])
    among, n_clusters = np.arange(n_rows), n + len(known)
    if "diverse" in plan:
        method, n_clusters = "diverse", plan.count("diverse")
        among = _doubtful(texts[free[texts]], margins, n_clusters)
    preference, cluster = _preferred(method, seen, margins, among, min(n_clusters, MOST_CLUSTERS), rng)
    choice = _Choice(preference, seen.proba.argmax(axis=1), cluster, groups, known, free, among)
    suggested = []
    for why in plan:
        if why != "random":
            suggested.append((choice.best(), why, np.nan))
        elif drawn:
            suggested.append((drawn.pop(0), why, chances[-1 - len(drawn)]))
    return pd.DataFrame(suggested, columns=["row", "why", "probability"])


def _one_of_each(groups, free):
    """A row of each group that is free: any, since near copies may get other predictions."""
    rows = np.random.RandomState(0).permutation(len(groups))
    rows = rows[free[rows]]
    return rows[np.unique(groups[rows], return_index=True)[1]]


def _empty(X_target):
    """Rows without a text, which nobody can label."""
    if len(getattr(X_target, "shape", (0,))) != 1:
        return np.empty(0, int)
    return np.flatnonzero(without_text(X_target))


def _doubtful(rows, margins, least):
    """Half of the rows, those of smaller margins, and no fewer than `least`."""
    return rows[np.argsort(margins[rows], kind="stable")[: max(len(rows) // 2, least)]]


def _preferred(method, seen, margins, among, n_clusters, rng):
    """How much each row is wanted, the more the better, and its cluster, of those `among` which there are."""
    preference, cluster = -margins, np.zeros(len(margins), int)
    if method == "disagreement":
        preference = disagreement(seen.views)
    elif method in ("typical", "diverse"):
        doubt = 1 / np.cosh(np.minimum(margins[among], 30) / 2) ** 2  # 4 p (1 - p) of two classes
        weights = doubt if method == "diverse" else None
        rows = short(seen.rows, rng)[among]
        cluster[among], away = clusters(rows, min(n_clusters, len(among)), rng, weights)
        alike = cluster[among] * len(seen.classes) + seen.proba[among].argmax(axis=1)
        alike = np.unique(alike, return_inverse=True)[1]
        preference[among] = np.bincount(alike)[alike] - away  # of the most alike the nearest
    return preference, cluster


def _plan(method, n):
    """Why each of n rows is to be suggested."""
    if method != "default":
        return [method] * n
    plan = ["diverse"] * n
    plan[EVERY - 1 :: EVERY] = ["random"] * (n // EVERY)
    return plan


class _Choice:
    """Rows `among` others that are free, and how many are labelled or chosen of each class and cluster."""

    def __init__(self, preference, predicted, cluster, groups, known, free, among):
        self.preference = preference
        self.predicted, self.cluster, self.groups = predicted, cluster, groups
        self.shares = np.bincount(predicted[among], minlength=predicted.max() + 1) / len(among)
        known = np.intersect1d(known, among)
        self.of_class = np.bincount(predicted[known], minlength=len(self.shares))
        self.in_cluster = np.bincount(cluster[known], minlength=cluster.max() + 1)
        self.free = np.zeros(len(free), bool)
        self.free[among] = free[among]

    def best(self):
        """The most preferred row of the class most behind, in a cluster of which fewest are chosen."""
        rows = np.flatnonzero(self.free)
        behind = self.shares * (self.of_class.sum() + 1) - self.of_class
        left = np.unique(self.predicted[rows])
        rows = rows[self.predicted[rows] == left[behind[left].argmax()]]
        chosen = self.in_cluster[self.cluster[rows]]
        rows = rows[chosen == chosen.min()]
        row = int(rows[self.preference[rows].argmax()])
        self.of_class[self.predicted[row]] += 1
        self.in_cluster[self.cluster[row]] += 1
        self.free[self.groups == self.groups[row]] = False
        return row
