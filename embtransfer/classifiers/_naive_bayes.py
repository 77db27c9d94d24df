"""NaiveBayesLogisticRegression: logistic regression on words weighted by their log-count ratios."""

from numbers import Real
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import normalize
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted, validate_data

from .._texts import plain_labels
from .._types import Labels, Rows
from ._base import check_weights, classes_of
from ._newton import fit_logistic

_DTYPES = [np.float64, np.float32]


class NaiveBayesLogisticRegression(ClassifierMixin, BaseEstimator):
    r"""Logistic regression on rows of words, each word weighted by how unevenly the classes use it.

    A strong classifier of text by itself, and the stronger in self-training: each round weighs the words
    anew, so that words that carry the label in the target alone come to count.

    Parameters
    ----------
    C : float, default=10.0
        Inverse strength of the regularisation, as in LogisticRegression. Rows have length 1, hence not 1.
    smoothing : float, default=1.0
        Added to each word's count in each class.
    binarize : bool, default=True
        Whether a word counts once a row. Its second occurrence says little about sentiment or topic.
    max_iter : int, default=300
        Of the solver.
    class_weight : dict of label to weight, "balanced" or None, default=None
        Of a row's part in the loss, by its label, as in LogisticRegression; of more than two classes, in each
        one's regression against the others. "balanced": each class has the same sum, so that a rare one is
        found at the price of more false alarms. A label that the dict lacks has weight 1.

    Attributes
    ----------
    weights_ : ndarray of shape (n_classes or 1, n_features)
        Of each class against the others (one row for two classes), the words' weights |r|.
    coef_ : ndarray of shape (n_classes or 1, n_features)
        Of the weighted rows of length 1.
    intercept_ : ndarray of shape (n_classes or 1,)
    n_iter_ : ndarray of shape (n_classes or 1,)
        Of the solver.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int

    Raises
    ------
    ValueError
        At `fit`, if a row holds a negative number.

    See Also
    --------
    NGramVectorizer : Makes the rows.
    SelfTrainingClassifier : Takes this one as its estimator.

    Notes
    -----
    With the sums p and q of the rows of a class and of all others, each plus the smoothing,
    :math:`r = \ln\frac{p / |p|_1}{q / |q|_1}`; logistic regression sees :math:`x \circ |r|` at length 1. More
    than two classes: one against the others each, probabilities normalised.

    References
    ----------
    S. Wang, C. Manning. "Baselines and bigrams: simple, good sentiment and topic classification." ACL 2012.

    Examples
    --------
    >>> from embtransfer import NaiveBayesLogisticRegression
    >>> rows = [[2, 1, 0], [1, 1, 0], [0, 1, 1], [0, 1, 3]]
    >>> NaiveBayesLogisticRegression().fit(rows, ["a", "a", "b", "b"]).predict([[1, 5, 0], [0, 5, 1]])
    array(['a', 'b'], dtype='<U1')
    """

    _parameter_constraints = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "smoothing": [Interval(Real, 0, None, closed="neither")],
        "binarize": ["boolean"],
        "max_iter": [Interval(Real, 1, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def __init__(
        self,
        C: float = 10.0,
        *,
        smoothing: float = 1.0,
        binarize: bool = True,
        max_iter: int = 300,
        class_weight: dict | Literal["balanced"] | None = None,
    ):
        self.C = C
        self.smoothing = smoothing
        self.binarize = binarize
        self.max_iter = max_iter
        self.class_weight = class_weight

    def fit(self, X: Rows, y: Labels, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the weights and the logistic regression.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            Counts or other weights of words, none negative.
        y : array-like of shape (n_rows,)
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows, none negative: one of weight 2 counts as two rows. None: all alike.

        Returns
        -------
        self
        """
        self._validate_params()
        X, y = validate_data(self, X, plain_labels(y), dtype=_DTYPES, accept_sparse="csr")
        if X.shape[0] and (X.data if sparse.issparse(X) else X).min(initial=0) < 0:
            raise ValueError(
                "Negative values in data passed to NaiveBayesLogisticRegression. Expected counts of words, "
                "as NGramVectorizer gives."
            )
        self.classes_ = classes_of(y)
        X = self._rows(X)
        counts = check_weights(sample_weight, y)
        losses = self._loss_weights(y, counts)
        labels = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        parts = [self._fit_one(X, y == label, counts, losses) for label in labels]
        weights, coefs, intercepts, n_iter = zip(*parts, strict=True)
        self.n_iter_ = np.array(n_iter)
        self.weights_, self.coef_ = np.stack(weights), np.stack(coefs).astype(X.dtype)
        self.intercept_ = np.array(intercepts, X.dtype)
        return self

    def _rows(self, X):
        X = sparse.csr_array(X)
        if self.binarize:
            X = X.astype(X.dtype)  # a copy
            X.data = (X.data > 0).astype(X.dtype)
        return X

    def _loss_weights(self, y, counts):
        weight = self.class_weight
        if weight is None:
            return counts
        counts = np.ones(len(y)) if counts is None else counts
        if weight == "balanced":
            sums = np.array([counts[y == label].sum() for label in self.classes_])
            factors = sums.mean() / np.maximum(sums, np.finfo(float).tiny)
            weight = dict(zip(self.classes_, factors, strict=True))
        return counts * compute_sample_weight(weight, y)

    def _fit_one(self, X, positive, counts, losses):
        inside = self.smoothing + _sums(X, positive, counts)
        outside = self.smoothing + _sums(X, ~positive, counts)
        ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
        weights = np.abs(ratio).astype(X.dtype)
        C = self.C if losses is None else self.C * losses
        return weights, *fit_logistic(_weighted(X, weights), positive, C, self.max_iter)

    def decision_function(self, X: Rows) -> np.ndarray:
        """Log-odds: (n_rows,) for two classes, (n_rows, n_classes) of each against the others for more."""
        check_is_fitted(self)
        X = self._rows(validate_data(self, X, dtype=_DTYPES, accept_sparse="csr", reset=False))
        parts = zip(self.weights_, self.coef_, self.intercept_, strict=True)
        scores = np.stack([_weighted(X, weights) @ coef + offset for weights, coef, offset in parts], axis=1)
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: Rows) -> np.ndarray:
        """Class probabilities: array of shape (n_rows, n_classes)."""
        proba = expit(self.decision_function(X))
        if proba.ndim == 1:
            return np.stack([1 - proba, proba], axis=1)
        return proba / np.maximum(proba.sum(axis=1, keepdims=True), np.finfo(proba.dtype).tiny)

    def predict(self, X: Rows) -> np.ndarray:
        """Labels: array of shape (n_rows,)."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.classifier_tags.poor_score = True  # on numbers that are no counts
        return tags


def _sums(X, rows, counts):
    """Of the columns over some rows, each as often as it counts."""
    return X[rows].sum(axis=0) if counts is None else counts[rows] @ X[rows]


def _weighted(X, weights):
    """Rows with weighted columns, at length 1."""
    weighted = sparse.csr_array((X.data * weights[X.indices], X.indices, X.indptr), X.shape)
    return normalize(weighted, copy=False)
