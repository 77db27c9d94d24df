"""TransferSearch: choose embedder, adapter and classifier for a target without any of its labels."""

from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ..._types import Estimator, Labels, Progress, Seed, Texts
from ...pipeline import Target, for_source
from .._progress import Steps
from .._splits import Domains
from .._store import Store, with_embedders
from ._candidates import make_candidates
from ._choice import choose, expected_accuracy
from ._evidence import fit
from ._rounds import CRITERIA, judge, nested_order, sizes, survivors


def _best_has(method):
    return available_if(lambda search: hasattr(search.best_estimator_, method))


class TransferSearch(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    r"""Choose embedder, adapter and classifier without target labels, and say how good it will be.

    Parameters
    ----------
    embedders, adapters, classifiers, recipes : sequence of str or estimator, or dict of name -> either
        As in `compare`: all combinations of the first three, and whole models. TF-IDF with logistic
        regression is always among the candidates, and so is, of each candidate, the one that learns nothing
        from the target.
    parameters : dict of str to list, default=None
        Settings to try, such as ``{"classifier__C": [1, 10], "embedder__pooling": ["mean", "sif"]}``; each
        goes to the candidates that have it.
    criterion : {"aggregate", "consensus", "source_accuracy", "weighted_accuracy", "embedded_accuracy", \
            "reverse_accuracy", "negative_entropy", "mutual_information", "neighbourhood_density"}, \
            default="aggregate"
        "aggregate": the best source accuracy among the candidates whose consensus is as good as the best,
        within a standard error. The others are columns of `results_`. On the mean of four data sets
        "aggregate" had the least regret, by far (docs/measured.md).
    guard : bool, default=True
        Whether to take the best candidate that learns nothing from the target where the evidence is that
        learning from it does not help.
    cv : int, default=3
        Folds of the source; texts that are the same, and those of a group, stay together. Lowered to the
        texts of the smallest class.
    min_rows, max_rows : int, default=500, 8000
        Texts of each domain in the first and the last round of successive halving: each round takes four
        times as many texts, and the better third of the candidates. `best_estimator_` is fitted on all.
    random_state : int, RandomState instance or None, default=0
        For subsamples and folds.
    progress : callable (done, total, description), default=None
        Called before each candidate and at the end of each round.

    Attributes
    ----------
    best_estimator_ : fitted estimator
        From texts to labels, on all source and target texts.
    best_name_ : str
    best_index_ : int
        Its row of `results_`.
    reason_ : str
        Why this one, in a sentence or two; and if source texts are repeated, or target texts stand in the
        source, how many.
    guarded_ : bool
        Whether the guard put an unadapted candidate in the place of the first.
    expected_score_ : float
        Expected accuracy of `best_estimator_` on the target.
    score_interval_ : (float, float)
        Within which the accuracy was in about 90 % of the cases measured, by benchmarks.choosing.
    results_ : DataFrame
        A row a candidate: embedder, adapter, classifier, parameters (names); the criteria, the larger the
        better; `rows`, texts of a domain that it was judged by; `fit_seconds`, embedding apart; `rank`, by
        rows and then by the criterion ("aggregate": by the consensus); `error`.
    consensus_ : ndarray of shape (n_rows, n_classes)
        Of the last round's target texts.
    classes_ : ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        At `fit`, if a domain has fewer than 10 texts, y fewer than two classes or a class with one text, a
        name is unknown, or no candidate could be fitted (with the first one's error).

    See Also
    --------
    compare : The table with scores by target labels, where there are some.

    Notes
    -----
    **consensus**: candidates that see a text in another way (its words; vectors of words; a sentence model)
    err in other places. A view's say is the square of how much better than chance it is: on held-out source
    texts, and from three views on by its agreement with the others on the target. q are the class
    probabilities that the views give a target text together, and a candidate's criterion is the mean
    probability under q of the labels that it gives. For a view speak its candidates that learn from the
    target. Where all candidates share one view, the bundled word vectors or TF-IDF give their opinion, too.

    **guard**: the counterpart of the best candidate is the same without adapter, self-training or
    co-training. If the counterpart is better by more than two standard errors of the difference, both in
    reverse accuracy and by a consensus in which both kinds speak with the same weight, then the best
    candidate that learns nothing from the target's texts is taken.

    What no criterion can know is whether the classes come in other shares in the target: centering,
    self-training and co-training take them to be as in the source, and then cost accuracy. If you know that
    they differ, search among adapters=["none"], classifiers=["logistic", "label_shift"].

    The other criteria are published ones, see `embtransfer/trials/search/_criteria.py`. **weighted_accuracy**
    takes the weights "nearest" of `density_ratio`; **embedded_accuracy** those of "classifier", clipped at
    the square root of the number of texts, since they collapse to a few texts otherwise.

    **score_interval_** spans three estimates of the accuracy (on held-out source texts; the consensus;
    average thresholded confidence) and the error of a share of as many texts. `expected_score_` is the mean
    of the first two, which err to opposite sides.

    No labels of the target are used, and the target's texts are: score on others, or say that they were seen.

    References
    ----------
    E. Platanios, A. Blum, T. Mitchell. "Estimating accuracy from unlabeled data." UAI 2014.
    K. Jamieson, A. Talwalkar. "Non-stochastic best arm identification and hyperparameter optimization."
    AISTATS 2016.

    Examples
    --------
    >>> from embtransfer import TransferSearch
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> search = TransferSearch(embedders=["word_mean"], adapters=["none", "centering"])
    >>> search.fit(films.data, films.target, X_target=pans.data).predict(["A lovely pan."]).tolist()
    [1]
    >>> search.results_.shape[0] > 4
    True
    """

    _parameter_constraints = {
        "embedders": "no_validation",
        "adapters": "no_validation",
        "classifiers": "no_validation",
        "recipes": "no_validation",
        "parameters": [dict, None],
        "criterion": [StrOptions({"aggregate", *CRITERIA})],
        "guard": ["boolean"],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "min_rows": [Interval(Integral, 20, None, closed="left")],
        "max_rows": [Interval(Integral, 20, None, closed="left")],
        "random_state": ["random_state"],
        "progress": [callable, None],
    }

    __metadata_request__fit = {"X_target": True}

    def __init__(
        self,
        embedders: Estimator = ("word_mean", "word_sif"),
        adapters: Estimator = ("none", "centering", "coral", "subspace"),
        classifiers: Estimator = ("logistic", "self_training"),
        recipes: Estimator = ("words",),
        *,
        parameters: dict[str, list] | None = None,
        criterion: str = "aggregate",
        guard: bool = True,
        cv: int = 3,
        min_rows: int = 500,
        max_rows: int = 8000,
        random_state: Seed = 0,
        progress: Progress | None = None,
    ):
        self.embedders = embedders
        self.adapters = adapters
        self.classifiers = classifiers
        self.recipes = recipes
        self.parameters = parameters
        self.criterion = criterion
        self.guard = guard
        self.cv = cv
        self.min_rows = min_rows
        self.max_rows = max_rows
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Texts, y: Labels, X_target: Texts, groups: Labels | None = None) -> Self:
        """Judge all candidates and fit the best.

        Parameters
        ----------
        X : 1-D sequence of str of length n_source
        y : array-like of shape (n_source,)
        X_target : 1-D sequence of str of length n_target, or Target
            Unlabelled.
        groups : array-like of shape (n_source,), default=None
            As in `compare`: source texts of one group stay in one fold.

        Returns
        -------
        self
        """
        self._validate_params()
        data = self._check(X, y, X_target, groups)
        source, target, labels = data.source, data.target, data.y
        rng = check_random_state(self.random_state)
        candidates = make_candidates(
            self.embedders, self.adapters, self.classifiers, self.recipes, self.parameters
        )
        store, tables = Store(source, target), []
        errors: dict[int, str] = {}
        by_class = nested_order(np.searchsorted(self.classes_, labels), rng)
        shuffled, seed = rng.permutation(len(target)), rng.randint(2**31)
        alive = list(range(len(candidates)))
        most = max(len(source), len(target))
        for size in sizes(self.min_rows, min(self.max_rows, most), len(alive)):
            some, others = np.sort(by_class[:size]), len(source) + np.sort(shuffled[:size])
            tick = Steps(self.progress, len(alive), f"{size:,} texts: ")
            texts = some, labels[some], data.groups[some], others
            found = judge(candidates, alive, store, *texts, self.classes_, self.cv, seed, tick, errors)
            tick("done")
            tables.append(found.criteria)
            alive = survivors(candidates, found, self.criterion)
        chosen, self.guarded_, self.reason_ = choose(candidates, found, self.criterion, self.guard)
        self.reason_ = " ".join(filter(None, (self.reason_, data.repeated(), data.overlapping())))
        self.results_ = self._table(candidates, tables, errors)
        self.best_index_, self.best_name_ = chosen, candidates[chosen].name
        self.consensus_ = found.consensus
        self.expected_score_, self.score_interval_ = expected_accuracy(
            found.evidence[chosen], found.consensus, found.y
        )
        estimator, fitted = candidates[chosen].estimator, found.evidence[chosen].fitted
        stored = store.stored(estimator)
        if size < most:
            rows = (store.source_numbers, store.target_numbers) if stored is not None else (source, target)
            fitted = fit(estimator if stored is None else stored, rows[0], labels, rows[1])
        self.best_estimator_: Any = fitted if stored is None else with_embedders(fitted)
        return self

    def _check(self, X, y, X_target, groups):
        if isinstance(X_target, Target):
            if X_target.y_target is not None:
                raise ValueError("Got a Target with y_target. TransferSearch takes no target labels.")
            X_target = X_target.X_target
        data = Domains(X, column_or_1d(y), X_target, groups=groups)
        check_classification_targets(data.y)
        for name, texts in (("source", data.source), ("target", data.target)):
            if len(texts) < 10:
                raise ValueError(f"Got {len(texts)} {name} texts. Expected at least 10.")
        data.check_groups(2)
        self.classes_ = np.unique(data.y)
        return data

    def _table(self, candidates, tables, errors):
        names = [
            [c.embedder, c.adapter, c.classifier, ", ".join(f"{k}={v}" for k, v in c.parameters.items())]
            for c in candidates
        ]
        frame = pd.DataFrame(names, columns=["embedder", "adapter", "classifier", "parameters"])
        judged = tables[0].reindex(columns=[*CRITERIA, "rows", "fit_seconds"])
        for table in tables[1:]:
            judged.loc[table.index] = table[judged.columns]
        frame = frame.join(judged)
        by = "consensus" if self.criterion == "aggregate" else self.criterion
        order = frame.sort_values(["rows", by], ascending=False, na_position="last").index
        frame["rank"] = pd.Series(np.arange(1, len(order) + 1), order)
        frame["rows"] = frame["rows"].astype("Int64")
        frame["error"] = [errors.get(place, "") for place in range(len(candidates))]
        return frame

    @_best_has("predict_proba")
    def predict_proba(self, X: Texts) -> np.ndarray:
        """Class probabilities of target texts by the best candidate: (n_texts, n_classes)."""
        check_is_fitted(self)
        return self.best_estimator_.predict_proba(X)

    def predict(self, X: Texts) -> np.ndarray:
        """Labels of target texts by the best candidate: (n_texts,)."""
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    def source_view(self) -> Estimator:
        """The best candidate as it predicts source texts."""
        check_is_fitted(self)
        return for_source(self.best_estimator_)
