"""TransferSearch: choose embedder, adapter and classifier for a target without its labels, or by few."""

from collections import Counter
from collections.abc import Mapping
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from ..._parts import first_steps, takes
from ..._rows import column_names, is_vectors, n_rows
from ..._types import Estimator, Labels, Progress, Rows, Seed
from ...pipeline import CLEANING, for_source, with_cleaning
from ...priors import known_priors, leave_priors_open
from .._named_estimators import left_out
from .._store import Store, with_embedders
from ._candidates import make_candidates
from ._choice import choose, expected_score, unknown_shares
from ._evidence import fit, probabilities
from ._inputs import check, roles, told
from ._metric import Metric, at_threshold
from ._notebook import NotebookCard
from ._rounds import CRITERIA, Asked, halve, nested_order, results_table, sizes


def _best_has(method):
    return available_if(lambda search: hasattr(search.best_estimator_, method))


class TransferSearch(NotebookCard, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Choose embedder, adapter and classifier without target labels or by few, and say how good it will be.

    Parameters
    ----------
    embedders, adapters, classifiers, recipes : sequence of str or estimator, or dict of name -> either
        As in `compare`: all combinations of the first three, and whole models. TF-IDF with logistic
        regression, with and without corrected class shares, is always among the candidates, and so is, of
        each candidate, the one that learns nothing from the target. Embedders None: "word_mean" and
        "domain_words", recipes None: "words"; of vectors, where these take the place of TF-IDF, both
        "vectors".
    parameters : dict of str to list, default=None
        Settings to try, such as ``{"classifier__C": [1, 10], "embedder__pooling": ["mean", "sif"]}``; each
        goes to the candidates that have it.
    target_shares : dict of label -> float, default=None
        How often each class occurs in the target, if that is known. None: estimated.
    scoring : str or array-like of shape (n_classes, n_classes), default="accuracy"
        What is to be good: "accuracy", "balanced_accuracy", "f1_macro", "f1:LABEL" (one class's),
        "neg_log_loss", or what it costs to give a text of a class (row) a label (column), classes sorted.
        The choice, the guard, `expected_score_`, its interval and `predict` follow it; `best_estimator_` by
        itself does so for two classes, as a FixedThresholdClassifier, and of more gives the most probable.
        In `results_` "consensus", "source_accuracy" and "reverse_accuracy" are of it.
    criterion : {"consensus_and_source", "consensus", "source_accuracy", "weighted_accuracy", \
            "reverse_accuracy", "negative_entropy", "mutual_information", "neighbourhood_density"}, \
            default="consensus_and_source"
        "consensus_and_source": a mean of both, in which the consensus counts four times: it had the least
        regret on the mean of four data sets (docs/measured.md). All are columns of `results_`.
    guard : bool, default=True
        Whether to take the best candidate that learns nothing from the target where the evidence is that
        learning from it does not help.
    cv : int, default=3
        Folds of the source, at most the texts of the smallest class; groups and equal texts stay together.
    min_rows, max_rows : int, default=500, 8000
        Texts of each domain in the first and the last round of successive halving: each round takes four
        times as many texts, and the better third of the candidates. `best_estimator_` is fitted on all.
    random_state : int, RandomState instance or None, default=0
        For subsamples and folds.
    clean : {"html"} or None, default=None
        "html": HTML is taken out of all texts, and `best_estimator_` begins with an HTMLCleaner.
    n_jobs : int or None, default=None
        Processes as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.
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
        Why this one; that the target's class shares could not be estimated, if so; which embedders and
        recipes do not take vectors, if the rows are vectors; and how many source rows are repeated, or target
        rows stand in the source.
    guarded_ : bool
        Whether the guard put an unadapted candidate in the place of the first.
    expected_score_ : float
        Expected `scoring` of `predict` on the target.
    score_interval_ : (float, float)
        Within which the score was in about 90 % of the cases measured, by benchmarks.choosing.
    results_ : DataFrame
        A row a candidate: embedder, adapter, classifier, parameters (names); the criteria, the larger the
        better; `rows`, texts of a domain that it was judged by; `fit_seconds`, embedding apart; `rank`, by
        rows and then by the criterion; `error`.
    consensus_ : ndarray of shape (n_rows, n_classes)
        Of the last round's target texts.
    source_priors_, target_priors_ : ndarray of shape (n_classes,)
        Class shares of the source, and those of the target that the candidates were told.
    prior_intervals_ : ndarray of shape (n_classes, 2)
        Of `target_priors_`: 95 % confidence.
    classes_ : ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        At `fit`, if a domain has fewer than 10 texts, y fewer than two classes or a class with one text, a
        name is unknown, `target_shares` are no shares of the labels, or no candidate could be fitted.

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
    target. Where all share one view of texts, the bundled word vectors or TF-IDF give their opinion, too;
    vectors are one view, and agree among themselves.

    **guard**: the counterpart of the best candidate is the same without adapter, self-training or
    co-training. If the counterpart is better by more than two standard errors of the difference, both in
    reverse accuracy and by a consensus in which both kinds speak with the same weight, then the best
    candidate that learns nothing from the target's texts is taken.

    **Labels of the target**: the candidates are fitted without, under class shares that the labels tell,
    too. In the consensus such a text has its label, and two hundred of them count as much as all others
    together. `best_estimator_` learns from them if its classifier does.

    **Class shares**: the target's are estimated once a round, from one embedder's rows for each view, and
    given to every part of a candidate that has a parameter `priors` and leaves it open. With few signs
    that shares differ the source's are kept. In the last round candidates are judged under
    :math:`(1 - u_k) \\hat\\pi_k + u_k \\pi_{s,k}`, divided by their sum: the more the source's
    :math:`\\pi_s` the less is known of class k, of which :math:`u_k` is the width of its interval in
    `prior_intervals_` to the power of the number of classes. All accuracies are of source texts weighed to
    these shares, and the views' probabilities are matched to them. Labels that were given by wrong shares
    agree with one another; under the shares by which they were given they would look right.

    The other criteria are published ones, see `embtransfer/trials/search/_criteria.py`. **weighted_accuracy**
    takes the weights "nearest" of ImportanceWeightedClassifier.

    **score_interval_** spans three estimates of the accuracy (on held-out source texts; the consensus;
    average thresholded confidence, of accuracy alone) and the error of a score of as many texts; its lower
    end lies deeper by 0.7 of the farthest that a class share may be off (by `prior_intervals_`), which no
    estimate sees.
    `expected_score_` is the mean of the first two, which err to opposite sides. The target's texts are seen:
    score on others, or say so.

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
        "target_shares": [Mapping, None],
        "scoring": [str, "array-like"],
        "criterion": [StrOptions({*CRITERIA})],
        "guard": ["boolean"],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "min_rows": [Interval(Integral, 20, None, closed="left")],
        "max_rows": [Interval(Integral, 20, None, closed="left")],
        "random_state": ["random_state"],
        "clean": [StrOptions({*CLEANING}), None],
        "n_jobs": [Integral, None],
        "progress": [callable, None],
    }

    __metadata_request__fit = {"X_target": True, "y_target": True, "domain": True}

    def __init__(
        self,
        embedders: Estimator = None,
        adapters: Estimator = ("none", "centering", "coral", "subspace"),
        classifiers: Estimator = ("logistic", "self_training"),
        recipes: Estimator = None,
        *,
        parameters: dict[str, list] | None = None,
        target_shares: Mapping[Any, float] | None = None,
        scoring: str | Rows = "accuracy",
        criterion: str = "consensus_and_source",
        guard: bool = True,
        cv: int = 3,
        min_rows: int = 500,
        max_rows: int = 8000,
        random_state: Seed = 0,
        clean: str | None = None,
        n_jobs: int | None = None,
        progress: Progress | None = None,
    ):
        self.embedders = embedders
        self.adapters = adapters
        self.classifiers = classifiers
        self.recipes = recipes
        self.parameters = parameters
        self.target_shares = target_shares
        self.scoring = scoring
        self.criterion = criterion
        self.guard = guard
        self.cv = cv
        self.min_rows = min_rows
        self.max_rows = max_rows
        self.random_state = random_state
        self.clean = clean
        self.n_jobs = n_jobs
        self.progress = progress

    def fit(
        self,
        X: Rows,
        y: Labels,
        X_target: Rows,
        groups: Labels | None = None,
        y_target: Labels | None = None,
        domain: Labels | None = None,
        probability: ArrayLike | Mapping | None = None,
    ) -> Self:
        """Judge all candidates and fit the best.

        Parameters
        ----------
        X : 1-D sequence of str of length n_source, or vectors of shape (n_source, n_features), or a table
            Vectors are a matrix of numbers: of NumPy, SciPy (sparse), pandas or polars. Of a table with
            columns of texts and of vectors, as in `compare`, each view and all together are candidates.
        y : array-like of shape (n_source,)
        X_target : like X, of length n_target; or a Target
        groups : array-like of shape (n_source,), default=None
            As in `compare`: source texts of one group stay in one fold.
        y_target : array-like of shape (n_target,), default=None
            Labels of some target texts, None, NaN or pandas.NA where not known; a Target may hold them.
        domain : array-like of shape (n_source,), default=None
            The name of each source row's domain, where there are several, for the adapters that map each by
            itself.
        probability : mapping of row to float, or array-like of shape (n_target,), default=None
            With which probability a labelled text was drawn, NaN or missing where it was chosen otherwise,
            as `suggest_labels` says. Texts drawn at random then judge the candidates, and the best learns
            from the others: texts that one model found doubtful speak against it. None: all do both.

        Returns
        -------
        self
        """
        self._validate_params()
        data = check(X, y, X_target, groups, y_target, domain, self.clean)
        self.classes_ = np.unique(data.y)
        judging, learned = roles(data, probability)
        best, store, found, metric = self._choose(data, judging)
        self._fit_best(best, store, found, metric, data, learned)._begin_with(self.clean)
        if hasattr(X, "columns") and is_vectors(X) and all(isinstance(name, str) for name in column_names(X)):
            for step in first_steps(self._fitted):
                if hasattr(step, "n_features_in_"):
                    validate_data(
                        step, X, skip_check_array=True
                    )  # it was fitted without the names of columns
        return self

    @config_context(transform_output="default")  # rows are cut by their numbers
    def _choose(self, data, judging):
        source, target, labels = data.source, data.target, data.y
        metric, rng = Metric(self.scoring, self.classes_), check_random_state(self.random_state)
        parts = self.embedders, self.adapters, self.classifiers, self.recipes
        candidates, aside = make_candidates(data.views, *parts, self.parameters)
        store = Store(source, target)
        by_class = nested_order(np.searchsorted(self.classes_, labels), rng)
        shuffled, seed = rng.permutation(n_rows(target)), rng.randint(2**31)
        known, judges = (told(data, self.classes_, rows) for rows in (data.labelled, judging))
        if known is not None:
            shuffled = shuffled[np.argsort(known[shuffled] < 0, kind="stable")]  # each round has the labelled
        priors: Any = "estimated" if self.target_shares is None else known_priors(self.target_shares, labels)
        asked = Asked(self.classes_, self.cv, seed, priors, metric, self.n_jobs, known, judges)
        most = min(self.max_rows, max(len(labels), n_rows(target)))
        numbers = sizes(self.min_rows, most, len(candidates))
        orders = by_class, shuffled
        found, tables, errors = halve(
            candidates, store, data, orders, numbers, asked, self.criterion, self.progress
        )
        chosen, self.guarded_, why = choose(candidates, found, self.criterion, self.guard)
        shares = "" if known is not None else unknown_shares(found.priors, self.classes_)
        self._why = " ".join(filter(None, (why, shares, left_out(aside), data.left_out())))
        self.reason_ = " ".join(filter(None, (self._why, data.repeated(), data.overlapping())))
        self.source_priors_, self.target_priors_ = found.priors.source, found.priors.target
        self.prior_intervals_, self.consensus_ = found.priors.intervals, found.consensus
        self.results_ = results_table(candidates, tables, errors, self.criterion)
        self.best_index_, self.best_name_ = chosen, candidates[chosen].name
        self.expected_score_, self.score_interval_ = expected_score(found, chosen)
        return candidates[chosen].estimator, store, found, metric

    def _fit_best(self, best, store, found, metric, data, learned):
        model, *rows = store.to_fit(best, store.source_numbers, store.target_numbers)
        priors, y_target = found.priors.target, None
        if len(learned) and takes(model, "y_target"):
            y_target = data.labels_at(learned)
        with threadpool_limits(1):
            fitted: Any = fit(model, rows[0], data.y, rows[1], self.classes_, priors, y_target, data.domain)
            of_target, given = probabilities(fitted, rows[1], self.classes_), fitted.predict(rows[1])
        if self.target_shares is None:
            leave_priors_open(fitted, model, found.priors)
        self.best_estimator_ = self._fitted = fitted if model is best else with_embedders(fitted)
        self._worth = None if metric.most_probable else metric.worth(of_target, found.priors.target)
        if self._worth is not None:
            given = self.classes_[(of_target @ self._worth).argmax(axis=1)]
        self._labels_given = Counter(given.tolist())  # to the target's rows
        if self._worth is not None and (model := at_threshold(self._fitted, self._worth, self.classes_)):
            self.best_estimator_, self._worth = model, None
        return self

    def _begin_with(self, clean):
        """Let the best candidate clean what it is given, as what it was fitted on has been cleaned."""
        for name in ("_fitted", "best_estimator_"):
            setattr(self, name, with_cleaning(getattr(self, name), clean))
        return self

    @_best_has("predict_proba")
    def predict_proba(self, X: Rows) -> np.ndarray:
        """Class probabilities of target texts by the best candidate: (n_texts, n_classes)."""
        check_is_fitted(self)
        return self.best_estimator_.predict_proba(X)

    def predict(self, X: Rows) -> np.ndarray:
        """Labels of target texts by the best candidate, those that `scoring` wants: (n_texts,)."""
        check_is_fitted(self)
        if self._worth is None:
            return self.best_estimator_.predict(X)
        proba = probabilities(self.best_estimator_, X, self.classes_)
        return self.classes_[(proba @ self._worth).argmax(axis=1)]

    def source_view(self, domain: str | None = None) -> Estimator:
        """The best candidate as it predicts source texts, of one domain, the most probable labels."""
        check_is_fitted(self)
        return for_source(self._fitted, domain)
