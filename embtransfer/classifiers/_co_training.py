"""Co-training: views of the same texts learn from one another's surest target rows."""

from copy import copy
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _num_samples, check_is_fitted, has_fit_parameter

from .._parts import by_domain, for_source
from .._texts import check_domain, plain_labels
from .._types import Estimator, Labels, Rows, Seed
from ..priors import check_priors
from ..priors._target_labels import known_labels, unwrap
from ._base import check_weights, classes_of
from ._rounds import train
from ._self_training import CONSTRAINTS
from ._sureness import target_temperature, tempered
from ._views import fit_steps, join, pooled, probabilities, takes_target


class CoTrainingClassifier(ClassifierMixin, _BaseComposition):
    r"""Several views of the same texts, whose classifiers learn from one another's surest target rows.

    Parameters
    ----------
    estimators : list of (str, estimator)
        The views: pipelines from texts to a classifier with `predict_proba`, such as TF-IDF with logistic
        regression and a TransferPipeline with DistilledEmbedder. Their steps before the classifier are
        fitted once, with `X_target` and `y_target` where they take these; the classifier is fitted without.
        A classifier by itself takes the rows as they are.
    labels_from : {"others", "all", "own"}, default="others"
        Which views' mean probability labels the target rows that a view learns from. "others" is co-training
        proper: a view does not repeat its own errors. "all" is for views of which one is much the weaker:
        it would teach the others its errors. "own": each view is self-trained by itself, and they agree on
        the class shares alone, so that their errors stay apart and their mean has fewer; for views of which
        each is good.
    predict_with : list of str, default=None
        Names of the views that predict: the others teach only, so that a slow one is not needed any more.
        None: all.
    weights : {"equal", "held_out"}, default="equal"
        How much each view counts in mean probabilities. "held_out": in proportion to the factors of the
        views' log-probabilities whose sum tells the labels of held-out source rows best; for views of which
        one says more, such as good vectors beside words.
    n_rounds : int, default=5
        Rounds at most; each labels the target rows anew and takes more of them. 0 trains the views on the
        source alone and averages them.
    share, priors, min_confidence, target_weight, cv, random_state
        As in SelfTrainingClassifier.

    Attributes
    ----------
    views_ : dict of str to fitted estimator
        The views after the last round. Each can be used by itself, say the fast ones without the slow.
    unadapted_views_ : dict of str to fitted estimator
        The same, with classifiers fitted on source rows alone.
    weights_ : dict of str to float
        How much each view counts; they sum to 1.
    history_ : list of dict
        As in SelfTrainingClassifier: "n_added" of the first view, "confidence" the mean over all views'
        rows, "agreement" of the views' mean probabilities.
    temperature_ : float
        As in SelfTrainingClassifier.
    target_temperature_ : float
        By which the logarithms of the mean probability are divided: see Notes there. 1 where there was
        nothing to learn from.
    source_priors_, priors_, prior_intervals_ : ndarray
        As in SelfTrainingClassifier; estimated by all views together.
    n_target_labels_ : int
        Labelled target rows. They keep their labels in every round of every view.
    classes_ : ndarray of shape (n_classes,)

    See Also
    --------
    SelfTrainingClassifier : One view, as the last step of a pipeline.

    Notes
    -----
    Predictions are those of the views' mean probability,
    :math:`p_{ik} = \sum_v w_v p_{vik}`, and `predict_proba` gives
    :math:`p_{ik}^{1/T}`, scaled to sum 1, with T as in SelfTrainingClassifier. With ``weights="held_out"``
    the w are in proportion to the :math:`\beta_v \ge 0` that minimise the log-loss of
    :math:`\mathrm{softmax}_k(\sum_v \beta_v \log p_{vik})` on source rows that the
    classifiers did not see. The temperature for `min_confidence` is fitted to the mean, too. Shares of the
    target's classes are estimated by each view as in SelfTrainingClassifier, and averaged, each with the
    weight of its certainty; where views disagree, the interval widens and the estimate is drawn towards the
    source's shares. Steps of a view that learn from labels, such as SelectKBest, are fitted anew in each
    fold.

    As with TransferPipeline, predictions are for *target* rows, and `predict_source` is for source rows: in
    model selection use `source_scorer`, and `Target` for X_target. Parameters of a view go as
    `view__step__parameter`.

    References
    ----------
    A. Blum, T. Mitchell. "Combining labeled and unlabeled data with co-training." COLT 1998.
    M. Chen, K. Weinberger, J. Blitzer. "Co-training for domain adaptation." NIPS 2011.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from embtransfer import (CoTrainingClassifier, DomainCentering, WordEmbedder, make_classifier,
    ...                          make_transfer_pipeline)
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> words = make_transfer_pipeline(TfidfVectorizer(), LogisticRegression(C=10))
    >>> vectors = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    >>> model = CoTrainingClassifier([("words", words), ("vectors", vectors)])
    >>> model.fit(films.data, films.target, X_target=pans.data).predict(pans.data).shape
    (320,)
    """

    _parameter_constraints = {
        **CONSTRAINTS,
        "n_rounds": [Interval(Integral, 0, None, closed="left")],
        "estimators": [list],
        "labels_from": [StrOptions({"others", "all", "own"})],
        "predict_with": [list, None],
        "weights": [StrOptions({"equal", "held_out"})],
    }

    __metadata_request__fit = {"X_target": True, "y_target": True, "domain": True}
    _parts_parameter = "estimators"  # so that a walk through a model finds the views

    def __init__(
        self,
        estimators: list[tuple[str, Estimator]],
        *,
        labels_from: Literal["others", "all", "own"] = "others",
        predict_with: list[str] | None = None,
        weights: Literal["equal", "held_out"] = "equal",
        n_rounds: int = 5,
        share: float = 0.8,
        priors: str | ArrayLike = "estimated",
        min_confidence: float = 0.5,
        target_weight: float = 3.0,
        cv: int = 5,
        random_state: Seed = 0,
    ):
        self.estimators = estimators
        self.labels_from = labels_from
        self.predict_with = predict_with
        self.weights = weights
        self.n_rounds = n_rounds
        self.share = share
        self.priors = priors
        self.min_confidence = min_confidence
        self.target_weight = target_weight
        self.cv = cv
        self.random_state = random_state

    def fit(
        self,
        X: Rows,
        y: Labels,
        X_target: Rows | None = None,
        y_target: Labels | None = None,
        *,
        domain: Labels | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit all views on the source, then on the target rows that they label.

        Parameters
        ----------
        X : what the views take, such as a 1-D sequence of texts
            Source.
        y : array-like of shape (n_source,)
            Source labels.
        X_target : like X, or Target, default=None
            Target. None: the target is the source.
        y_target : array-like of shape (n_target,), default=None
            Its labels, with None, NaN or pandas.NA where not known. A Target may hold them instead. For the
            classifiers that end the views, and for the class shares that adapters estimate.
        domain : array-like of shape (n_source,), default=None
            The name of each source row's domain, where there are several. For the adapters in the views.
        sample_weight : array-like of shape (n_source,), default=None
            Weights of the source rows, none negative. For the classifiers that end the views.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If views have no names of their own, one ends in no classifier with `predict_proba` or has an
            adapter in a plain Pipeline, or y has fewer than two classes; if y_target comes without X_target,
            twice, in another length, without a known label or with one that y does not hold; or with
            sample_weight or y_target, if a view's classifier takes no weights.
        """
        self._validate_params()
        X_target, y_target = unwrap(X_target, y_target)
        weighted = ["sample_weight"] if sample_weight is not None else []
        if y_target is not None and self.target_weight != 1:
            weighted.append(f"y_target with target_weight={self.target_weight!r}")
        self._check_views(weighted)
        y = column_or_1d(plain_labels(y))
        check_consistent_length(X, y)
        self.classes_ = classes_of(y)
        check_priors(self.priors, len(self.classes_))
        weights = check_weights(sample_weight, y)
        domains = None if domain is None else check_domain(domain, _num_samples(y))
        parts = [fit_steps(estimator, X, y, X_target, domains, y_target) for _, estimator in self.estimators]
        for view, _ in parts:
            view.weights = weights
        known = known_labels(y_target, 0 if y_target is None else _num_samples(X_target), self.classes_)
        self.n_target_labels_ = len(known.rows)
        views = [view for view, _ in parts]
        trained = train(self, views, y, self.labels_from, known, fit_weights=self.weights != "equal")
        names = [name for name, _ in self.estimators]
        self.weights_ = dict(zip(names, trained.weights.tolist(), strict=True))
        self.target_temperature_ = self._temperature(dict(zip(names, views, strict=True)), y, trained, known)
        self.unadapted_views_, self.views_ = (
            {
                name: join(estimator, steps, classifier)
                for (name, estimator), (_, steps), classifier in zip(
                    self.estimators, parts, classifiers, strict=True
                )
            }
            for classifiers in (trained.first, trained.last)
        )
        return self

    def _temperature(self, views, y, trained, known):
        """Of the mean probability of the views that predict."""
        if trained.taken is None:
            return 1.0
        taken, weights = dict(zip(views, trained.taken, strict=True)), self._weights(views)

        def sure(models, rows):
            probas = [probabilities(*one) for one in zip(models, rows, strict=True)]
            said = pooled(probas, list(weights.values()))
            return lambda temperature: tempered(said, temperature)

        some = [views[name] for name in weights], [taken[name] for name in weights]
        return target_temperature(*some, y, trained.expected, known, self.target_weight, sure)

    def _check_views(self, weighted):
        pairs = [pair for pair in self.estimators if isinstance(pair, tuple) and len(pair) == 2]
        if len(pairs) < len(self.estimators) or not all(isinstance(name, str) for name, _ in pairs):
            raise ValueError(f"Got estimators={self.estimators!r}. Expected a list of (name, estimator).")
        names = [name for name, _ in self.estimators]
        taken = self.get_params(deep=False)
        if not names or len(set(names)) < len(names) or any("__" in n or n in taken for n in names):
            raise ValueError(
                f"Got views named {names}. Expected at least one, each with its own name, without '__' and "
                "other than this class's parameters."
            )
        if self.predict_with is not None and not (self.predict_with and set(self.predict_with) <= set(names)):
            raise ValueError(
                f"Got predict_with={self.predict_with}. Expected None or names of views, of: {names}."
            )
        for name, estimator in self.estimators:
            last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
            if not hasattr(last, "predict_proba"):
                raise ValueError(
                    f"Got the view {name!r}, which ends in {type(last).__name__} without predict_proba. "
                    "Expected a classifier such as LogisticRegression()."
                )
            if weighted and not has_fit_parameter(last, "sample_weight"):
                raise ValueError(
                    f"Got {' and '.join(weighted)}, but the view {name!r} ends in {type(last).__name__}, "
                    "whose fit takes no sample_weight. Expected a classifier that takes it, such as "
                    "LogisticRegression()."
                )
            if takes_target(estimator) and not has_fit_parameter(estimator, "X_target"):
                raise ValueError(
                    f"Got the view {name!r}, a Pipeline with an adapter, which would not hand it X_target. "
                    "Make it with make_transfer_pipeline."
                )

    def predict_proba(self, X: Rows) -> np.ndarray:
        """Class probabilities, of the views' mean: array of shape (n_rows, n_classes)."""
        proba, temperature = self._mean(X), getattr(self, "target_temperature_", 1.0)
        return proba if temperature == 1 else tempered(proba, temperature)

    def _mean(self, X):
        check_is_fitted(self)
        weights = self._weights()
        return pooled([self.views_[name].predict_proba(X) for name in weights], list(weights.values()))

    def _weights(self, views=None):
        """Of each view that predicts, how much it counts; models that were saved before know none."""
        names, known = self.predict_with or views or self.views_, getattr(self, "weights_", {})
        return {name: known.get(name, 1.0) for name in names}

    def predict(self, X: Rows) -> np.ndarray:
        """Predict labels of target rows: array of shape (n_rows,)."""
        best = self._mean(X).argmax(axis=1)
        return self.classes_[best]

    def source_view(self, domain: str | None = None) -> Estimator:
        """The classifier for source rows, of one domain: views send them through `transform_source`."""
        check_is_fitted(self)
        view = copy(self)
        view.views_ = {name: for_source(part, domain) for name, part in self.views_.items()}
        return view

    def predict_source(self, X: Rows, domain: Labels | None = None) -> np.ndarray:
        """Predict labels of source rows, of all or each of which `domain` names the one: (n_rows,)."""
        return by_domain(self, lambda view, rows: view.predict(rows), X, domain)

    def predict_proba_source(self, X: Rows, domain: Labels | None = None) -> np.ndarray:
        """Predict class probabilities of source rows: array of shape (n_rows, n_classes)."""
        return by_domain(self, lambda view, rows: view.predict_proba(rows), X, domain)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters, those of the views as `view__parameter`."""
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, or a whole view by its name."""
        return self._set_params("estimators", **params)
