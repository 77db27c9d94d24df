"""The contract of classifiers and regressors that also see unlabelled target rows."""

from abc import ABCMeta, abstractmethod
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from .._rows import summed
from .._texts import plain_labels
from .._types import Labels, Rows
from ..priors._target_labels import known_labels

_DTYPES = [np.float64, np.float32]


def refuse_missing(y):
    """Refuse labels of which some are missing."""
    if np.ndim(y) == 1 and len(missing := np.flatnonzero(pd.isna(y))):
        raise ValueError(
            f"Got {len(missing):,} missing labels (None, NaN, pandas.NA), the first in row {missing[0]}. "
            "Leave these rows out of the source; without labels they can be part of X_target."
        )


def classes_of(y):
    """The labels that there are, sorted; labels that are no classes, missing, or all one, are refused."""
    refuse_missing(y)
    try:
        check_classification_targets(y)
    except ValueError as error:
        if not type_of_target(y).startswith("continuous"):
            raise
        first = next(one for one in np.ravel(y) if one % 1)
        raise ValueError(
            f"Unknown label type: got labels with decimals, such as {first}. Expected classes. Make classes "
            "of them, or predict numbers: end the model with make_regressor('ridge')."
        ) from error
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(f"Got 1 class, {classes.tolist()[0]!r}. Expected labels of at least two classes.")
    return classes


def logistic_or(estimator):
    """A new copy of the classifier; logistic regression with C = 10 where none was given."""
    return LogisticRegression(C=10.0, max_iter=1000) if estimator is None else clone(estimator)


def check_weights(sample_weight, y, of_classes=True):
    """Weights of the rows, float64, or None; refused where they leave rows of fewer than two classes."""
    if sample_weight is None:
        return None
    weights = _check_sample_weight(sample_weight, y, dtype=np.float64, ensure_non_negative=True)
    if of_classes and len(left := np.unique(y[weights > 0])) < 2:
        raise ValueError(
            f"Got sample_weight that is zero on all rows but those of the classes {left.tolist()}. Expected "
            "rows of at least two classes with weight."
        )
    return weights


def weights_of(weights, rows=slice(None)):
    """What a classifier's `fit` is given for rows: nothing where there are no weights."""
    return {} if weights is None else {"sample_weight": weights[rows]}


def _inner_has(method):
    def has(self):
        return hasattr(getattr(self, "estimator_", None) or self._make_estimator(), method)

    return available_if(has)


class BaseTransferPredictor(MetaEstimatorMixin, BaseEstimator, metaclass=ABCMeta):
    """A wrapper that fits a classifier or regressor on labelled source rows and unlabelled target rows.

    A subclass supplies `_fit(X, y, X_target, sample_weight)`, which sets `estimator_`. Rows are dense or
    sparse, float32 or float64. Predictions are for target rows. As the last step of a TransferPipeline it
    gets both domains as the adapter maps them. Without a target the target is the source.

    Attributes
    ----------
    estimator_ : the fitted classifier or regressor that predicts
    n_features_in_ : int
    """

    _parameter_constraints: dict = {"estimator": [HasMethods(["fit", "predict"]), None]}

    # scikit-learn routes X_target here from a pipeline, without set_fit_request
    __metadata_request__fit = {"X_target": True}

    @abstractmethod
    def _fit(self, X, y, X_target, sample_weight):
        """Set `estimator_`, fitted on labels as given; `classes_` is set, all rows are checked."""

    def fit(
        self, X: Rows, y: Labels, X_target: Rows | None = None, *, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_source, n_features)
            Source rows.
        y : array-like of shape (n_source,)
            Source labels, or numbers for a regressor.
        X_target : {array-like, sparse matrix} of shape (n_target, n_features), default=None
            Unlabelled target rows. None: the target is the source.
        sample_weight : array-like of shape (n_source,), default=None
            Weights of the source rows, none negative. None: all alike.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the rows hold NaN or infinity, differ in width, or y has fewer than two classes; or with
            sample_weight, if the classifier's `fit` takes none.
        """
        X, y, X_target = self._check_fit(X, y, X_target)
        self._fit(X, y, X_target, self._check_weights(sample_weight, y))
        return self

    def _check_fit(self, X, y, X_target):
        self._validate_params()
        X, y = validate_data(self, X, plain_labels(y), dtype=_DTYPES, accept_sparse="csr")
        X = summed(X)
        self._check_labels(y)
        if X_target is None:
            return X, y, X
        given = X_target
        X_target = check_array(X_target, dtype=_DTYPES, accept_sparse="csr", input_name="X_target")
        if X_target.shape[1] != X.shape[1]:
            raise ValueError(
                f"X_target has {X_target.shape[1]} features, but X has {X.shape[1]}. "
                "Send source and target through the same steps."
            )
        validate_data(self, given, reset=False, skip_check_array=True)  # names and order of columns
        return X, y, summed(X_target)

    @abstractmethod
    def _check_labels(self, y):
        """Refuse what the classifier or regressor cannot learn; a classifier sets `classes_`."""

    @abstractmethod
    def _make_estimator(self):
        """A new copy of the classifier or regressor; a plain linear one where none was given."""

    def _check_weights(self, sample_weight, y):
        if sample_weight is not None:
            self._check_takes_weights()
        return check_weights(sample_weight, y, is_classifier(self))

    def _fitted_with_weights(self):
        """All that gets the rows' weights."""
        return [self._make_estimator()]

    def _check_takes_weights(self, target_weight=None):
        for estimator in self._fitted_with_weights():
            if has_fit_parameter(estimator, "sample_weight"):
                continue
            asked = "" if target_weight is None else f", and target_weight={target_weight!r}"
            raise ValueError(
                f"Got {type(estimator).__name__}, whose fit takes no sample_weight{asked}. Expected one that "
                f"takes it, such as LogisticRegression(), LinearSVC() or, of numbers, Ridge()"
                f"{'; or target_weight=1' if asked else ''}."
            )

    def _check_rows(self, X):
        check_is_fitted(self)
        return summed(validate_data(self, X, dtype=_DTYPES, accept_sparse="csr", reset=False))

    def predict(self, X: Rows) -> np.ndarray:
        """Predict labels, or numbers, of target rows: array of shape (n_rows,)."""
        X = self._check_rows(X)
        return self.estimator_.predict(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class BaseTransferClassifier(ClassifierMixin, BaseTransferPredictor):
    """A wrapper of a classifier: see BaseTransferPredictor.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    """

    def _check_labels(self, y):
        self.classes_ = classes_of(y)

    def _make_estimator(self):
        return logistic_or(self.estimator)

    @_inner_has("predict_proba")
    def predict_proba(self, X: Rows) -> np.ndarray:
        """Predict class probabilities of target rows: array of shape (n_rows, n_classes)."""
        X = self._check_rows(X)
        return self.estimator_.predict_proba(X)

    @_inner_has("decision_function")
    def decision_function(self, X: Rows) -> np.ndarray:
        """Signed distances of target rows, shaped as the inner classifier gives them."""
        X = self._check_rows(X)
        return self.estimator_.decision_function(X)


class BaseLabelledTargetClassifier(BaseTransferClassifier):
    """A wrapper of a classifier that also takes the labels of some target rows: see BaseTransferPredictor.

    A subclass supplies `_fit(X, y, X_target, known, sample_weight)`; `known` has the positions of the target
    rows whose labels are known, none or more, and their labels.

    Attributes
    ----------
    n_target_labels_ : int
        Labelled target rows.
    """

    __metadata_request__fit = {"X_target": True, "y_target": True}

    @abstractmethod
    def _fit(self, X, y, X_target, known, sample_weight):
        """Set `estimator_`, fitted on labels as given; `classes_` is set, all rows are checked."""

    def fit(
        self,
        X: Rows,
        y: Labels,
        X_target: Rows | None = None,
        y_target: Labels | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_source, n_features)
            Source rows.
        y : array-like of shape (n_source,)
            Source labels.
        X_target : {array-like, sparse matrix} of shape (n_target, n_features), default=None
            Target rows. None: the target is the source.
        y_target : array-like of shape (n_target,), default=None
            Their labels, with None, NaN or pandas.NA where not known. None: none is known.
        sample_weight : array-like of shape (n_source,), default=None
            Weights of the source rows, none negative. None: all alike.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y has fewer than two classes; if y_target comes without X_target or in another length, holds
            no label or one that y does not hold; if rows hold NaN or infinity or differ in width; or, with
            weights of rows, if the classifier's `fit` takes none.
        """
        if y_target is not None and X_target is None:
            raise ValueError("Got y_target, but no X_target. Pass the rows that the labels are of.")
        X, y, X_target = self._check_fit(X, y, X_target)
        known = known_labels(y_target, X_target.shape[0], self.classes_)
        self.n_target_labels_ = len(known.rows)
        self._fit(X, y, X_target, known, self._check_weights(sample_weight, y))
        return self
