"""Several labels a text: a classifier for each label, one against the rest."""

import warnings
from copy import copy
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from .._names import first_few
from .._parts import takes
from .._texts import plain_labels
from .._types import Estimator, Rows
from ._base import logistic_or
from ._label_matrix import label_matrix, labels_by_names, of_zeros_and_ones

CERTAIN = 40.0  # the decision where all source texts have a label, or none: a probability of 1 - 4e-18


def _all_have(method):
    return available_if(lambda self: hasattr(self._make_estimator(), method))


class MultiLabelClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    r"""Predict several labels a text: a classifier for each label, one against the rest.

    For tags, topics or kinds of toxicity, where a text may have one, many or none. Each label has its own
    copy of the classifier, which adapts to the target by itself: self-training and label shift work as for
    two classes.

    Parameters
    ----------
    estimator : classifier, default=None
        Of rows, or a whole model of texts. Each copy learns whether a row has the label: 1, or 0. None:
        logistic regression with C = 10. A RidgeClassifier solves all labels at once.
    n_jobs : int or None, default=None
        Processes as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.
        Each fits a label at a time.

    Attributes
    ----------
    classes_ : ndarray of shape (n_labels,)
        The labels, sorted, if `fit` was given lists of them; names of the columns of a DataFrame; or numbers.
    estimators_ : list of n_labels classifiers, or of one RidgeClassifier
        A label that all source texts have, or none, has a DummyClassifier.
    multilabel_ : True

    See Also
    --------
    sklearn.preprocessing.MultiLabelBinarizer : From lists of labels to a matrix and back.

    Notes
    -----
    Labels are independent given the rows (binary relevance): that one makes another likely is not learned.

    Examples
    --------
    >>> from embtransfer import MultiLabelClassifier, NGramVectorizer, make_transfer_pipeline
    >>> model = make_transfer_pipeline(NGramVectorizer(), MultiLabelClassifier())
    >>> texts = ["fast ship, sunk", "fast train", "late train", "ship sunk"]
    >>> tags = [["sea", "accident"], ["rail"], ["rail"], ["sea", "accident"]]
    >>> model.fit(texts, tags).predict(["a fast train", "a ship"])
    array([[0, 1, 0],
           [1, 0, 1]])
    >>> model.classes_.tolist()
    ['accident', 'rail', 'sea']
    """

    __metadata_request__fit = {"X_target": True, "y_target": True}

    multilabel_ = True

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "n_jobs": [Integral, None],
    }

    def __init__(self, estimator: Estimator = None, *, n_jobs: int | None = None):
        self.estimator = estimator
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Rows,
        y: ArrayLike,
        X_target: Rows | None = None,
        y_target: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit a classifier for each label.

        Parameters
        ----------
        X : what the classifier takes, of n_source rows
            Source rows or texts.
        y : sequence of n_source collections of labels, or matrix of shape (n_source, n_labels)
            The labels of each row; or 0 and 1, bool or numbers, as an array, a DataFrame or a sparse matrix.
        X_target : like X, default=None
            Target rows, for classifiers that take them.
        y_target : like y, of n_target rows, default=None
            Labels of some target rows, None or a row of NaN where not known, for classifiers that take them.
            A known row says of each label whether it has it.
        sample_weight : array-like of shape (n_source,), default=None
            Weights of the source rows, for classifiers that take them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y is of another shape, or its length is not that of X; if y_target comes without X_target, in
            another length, without a known label, or for a classifier that takes none.

        Warns
        -----
        UserWarning
            If target rows have labels that no source row has.
            If all source rows have a label, or none has it: it is predicted for all rows, or for none.
        """
        self._validate_params()
        self.classes_, labels = label_matrix(y)
        check_consistent_length(X, labels)
        estimator = self._make_estimator()
        given = {"X_target": X_target, "sample_weight": sample_weight}
        if X_target is not None and not has_fit_parameter(estimator, "X_target"):
            del given["X_target"]  # the adapter before it takes it
        given = {name: value for name, value in given.items() if value is not None}
        known = self._known(estimator, X_target, y_target)
        if isinstance(estimator, RidgeClassifier) and labels.shape[1] > 1:
            self.estimators_ = [estimator.fit(X, labels.toarray(), **given)]
            return self
        counts = np.diff(labels.indptr)
        constant = self.classes_[(counts == 0) | (counts == labels.shape[0])].tolist()
        if constant:
            warnings.warn(
                f"All source rows have the same of {len(constant)} labels, have it or lack it: "
                f"{first_few(constant)}. So will all predictions.",
                UserWarning,
                stacklevel=2,
            )
        columns = (labels[:, [k]].toarray().ravel() for k in range(labels.shape[1]))
        tasks = (
            delayed(_fit_one)(estimator, X, column, given | told)
            for column, told in zip(columns, known, strict=True)
        )
        self.estimators_ = Parallel(self.n_jobs)(tasks)
        return self

    def _known(self, estimator, X_target, y_target):
        """For each label what its classifier is told of target rows: whether they have it."""
        if y_target is None:
            return [{}] * len(self.classes_)
        if X_target is None:
            raise ValueError("Got y_target, but no X_target. Pass the rows that the labels are of.")
        if not takes(estimator, "y_target"):
            raise ValueError(
                f"Got y_target, which {type(estimator).__name__} does not take. Pass a classifier that does, "
                "such as MultiLabelClassifier(SelfTrainingClassifier())."
            )
        labels = labels_by_names(self.classes_, y_target)
        check_consistent_length(X_target, labels)
        return [{"y_target": column} for column in labels.T]

    def _make_estimator(self):
        return logistic_or(self.estimator)

    def source_view(self) -> Self:
        """A copy that predicts source rows: each classifier by its own source view, where it has one."""
        view = copy(self)
        view.estimators_ = [getattr(one, "source_view", lambda one=one: one)() for one in self.estimators_]
        return view

    def predict(self, X: Rows) -> np.ndarray:
        """Predict labels of target rows: 0 or 1, array of shape (n_rows, n_labels), int64."""
        check_is_fitted(self)
        return _columns([np.asarray(one.predict(X)) for one in self.estimators_]).astype(np.int64)

    @_all_have("predict_proba")
    def predict_proba(self, X: Rows) -> np.ndarray:
        """Predict the probability of each label: array of shape (n_rows, n_labels)."""
        check_is_fitted(self)
        return _columns([_share(one, X) for one in self.estimators_])

    @_all_have("decision_function")
    def decision_function(self, X: Rows) -> np.ndarray:
        """Signed distances of target rows for each label: array of shape (n_rows, n_labels)."""
        check_is_fitted(self)
        return _columns([_decision(one, X) for one in self.estimators_])

    def score(self, X: Rows, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Share of the rows whose labels are all right, none missing and none too many; y as in `fit`."""
        names, found, y = self.classes_.tolist(), self.predict(X), plain_labels(y)
        if isinstance(y, pd.DataFrame) and {*y.columns} == {*names}:
            y = y[names]  # in whatever order they come
        elif getattr(y, "ndim", 1) == 1 and of_zeros_and_ones(y) and len(next(iter(y))) == len(names):
            y = np.array(list(y))
        if getattr(y, "ndim", 1) == 2:
            right = (found == (y.toarray() if sparse.issparse(y) else np.asarray(y))).all(axis=1)
        else:
            sets = ({name for name, has in zip(names, row, strict=True) if has} for row in found)
            right = [own == set(labels) for own, labels in zip(sets, y, strict=True)]
        weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        return float(np.average(right, weights=weights))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.single_output = False
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = True
        return tags


def _fit_one(estimator, X, y, given):
    if y.min() == y.max():
        return DummyClassifier(strategy="most_frequent").fit(X, y)
    return clone(estimator).fit(X, y, **given)


def _columns(parts):
    """A column a label; the one RidgeClassifier of all labels gives all of them."""
    return parts[0] if parts[0].ndim == 2 else np.stack(parts, axis=1)


def _share(one, X):
    if len(one.classes_) == 1:
        return np.full(_n_rows(X), float(one.classes_[0]))
    return one.predict_proba(X)[:, 1]


def _decision(one, X):
    if len(one.classes_) == 1:
        return np.full(_n_rows(X), CERTAIN if one.classes_[0] else -CERTAIN)
    return one.decision_function(X)


def _n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)
