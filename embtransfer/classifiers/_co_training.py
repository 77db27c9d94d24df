"""Co-training: views of the same texts learn from one another's surest target rows."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from ._self_training import CONSTRAINTS, View, train


class CoTrainingClassifier(ClassifierMixin, BaseEstimator):
    """Several views of the same texts, whose classifiers learn from one another's surest target rows.

    Parameters
    ----------
    estimators : list of (str, estimator)
        The views: pipelines from texts to a classifier with `predict_proba`, such as TF-IDF with logistic
        regression and a TransferPipeline with DistilledEmbedder. Their steps before the classifier are
        fitted once, with `X_target` where they take it. A classifier by itself takes the rows as they are.
    labels_from : {"others", "all"}, default="others"
        Which views' mean probability labels the target rows that a view learns from. "others" is co-training
        proper: a view does not repeat its own errors.
    n_rounds : int, default=5
        Rounds at most; each labels the target rows anew and takes more of them. 0 trains the views on the
        source alone and averages them.
    share, priors, min_confidence, cv, random_state
        As in SelfTrainingClassifier.

    Attributes
    ----------
    views_ : dict of str to fitted Pipeline
        The views after the last round. Each can be used by itself, say the fast ones without the slow.
    unadapted_views_ : dict of str to fitted Pipeline
        The same, with classifiers fitted on source rows alone.
    history_ : list of dict
        As in SelfTrainingClassifier, with the views' mean probabilities; "n_added" is the first view's.
    temperature_ : float
    priors_ : ndarray of shape (n_classes,)
    classes_ : ndarray of shape (n_classes,)

    See Also
    --------
    SelfTrainingClassifier : One view, as the last step of a pipeline.

    Notes
    -----
    Predictions are those of the views' mean probability.

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
    (160,)
    """

    _parameter_constraints = {
        **CONSTRAINTS,
        "n_rounds": [Interval(Integral, 0, None, closed="left")],
        "estimators": [list],
        "labels_from": [StrOptions({"others", "all"})],
    }

    __metadata_request__fit = {"X_target": True}

    def __init__(
        self,
        estimators,
        *,
        labels_from="others",
        n_rounds=5,
        share=0.8,
        priors="source",
        min_confidence=0.5,
        cv=5,
        random_state=0,
    ):
        self.estimators = estimators
        self.labels_from = labels_from
        self.n_rounds = n_rounds
        self.share = share
        self.priors = priors
        self.min_confidence = min_confidence
        self.cv = cv
        self.random_state = random_state

    def fit(self, X, y, X_target=None):
        """Fit all views on the source, then on the target rows that they label.

        Parameters
        ----------
        X : what the views take, such as a 1-D sequence of texts
            Source.
        y : array-like of shape (n_source,)
            Source labels.
        X_target : like X, default=None
            Unlabelled target. None: the target is the source.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If two views have one name, a view ends in no classifier with `predict_proba`, or y has fewer
            than two classes.
        """
        self._validate_params()
        self._check_views()
        y = column_or_1d(y)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"Got 1 class, {self.classes_[0]!r}. Expected labels of at least two classes.")
        views = [_view_of(estimator, X, y, X_target) for _, estimator in self.estimators]
        first, last = train(self, views, y, self.labels_from)
        names = [name for name, _ in self.estimators]
        self.unadapted_views_ = dict(zip(names, map(View.joined, views, first), strict=True))
        self.views_ = dict(zip(names, map(View.joined, views, last), strict=True))
        return self

    def _check_views(self):
        names = [name for name, _ in self.estimators]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"Got views named {names}. Expected at least one, each with its own name.")
        for name, estimator in self.estimators:
            last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
            if not hasattr(last, "predict_proba"):
                raise ValueError(
                    f"Got the view {name!r}, which ends in {type(last).__name__} without predict_proba. "
                    "Expected a classifier such as LogisticRegression()."
                )

    def predict_proba(self, X):
        """Mean of the views' class probabilities: array of shape (n_rows, n_classes)."""
        check_is_fitted(self)
        return np.mean([view.predict_proba(X) for view in self.views_.values()], axis=0)

    def predict(self, X):
        """Predict labels of target rows: array of shape (n_rows,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _view_of(estimator, X, y, X_target):
    if not isinstance(estimator, Pipeline) or len(estimator.steps) == 1:
        classifier = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
        return View(classifier, X, X if X_target is None else X_target)
    steps = clone(estimator)[:-1]
    target = {"X_target": X_target} if has_fit_parameter(steps, "X_target") else {}
    source = steps.fit_transform(X, y, **target)
    return View(
        estimator.steps[-1][1], source, source if X_target is None else steps.transform(X_target), steps
    )
