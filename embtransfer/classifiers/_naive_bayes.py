"""NaiveBayesLogisticRegression: logistic regression on words weighted by their log-count ratios."""

from collections.abc import Iterable
from functools import partial
from itertools import repeat
from numbers import Real
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.preprocessing import normalize
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted, validate_data

from .._rows import summed
from .._texts import plain_labels
from .._types import Labels, Rows
from ..copies._groups import complete_folds, identical
from ..priors import stratified_rows
from ..priors._logistic import fit_logistic
from ._base import check_weights, classes_of, weights_of

_DTYPES = [np.float64, np.float32]
_FOLDS = 3
_FEW = 50  # rows a class: counts of fewer say little, and held-out rows seldom which weighting is better
_MOST_JUDGED = 10_000  # rows that say which weighting is better


class NaiveBayesLogisticRegression(ClassifierMixin, BaseEstimator):
    r"""Logistic regression on rows of words, each word weighted by how unevenly the classes use it.

    A strong classifier of text by itself, and the stronger in self-training: each round weighs the words
    anew, so that words that carry the label in the target alone come to count.

    Parameters
    ----------
    weighting : {"log_count_ratio", "idf", "both", "auto"}, default="log_count_ratio"
        "log_count_ratio": the size of r of the Notes, of each class against the others. "idf": inverse
        document frequency, the same for all classes. "auto": of two classes the first; of more, where "the
        others" are many things, the second, unless the classes have fifty rows on the mean and the first is
        better on held-out ones by a standard error (of 10,000, where there are more). "both": of two classes
        a regression of each, whose log-odds are averaged, since they err on different rows; of more as
        "auto".
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
    weighting_ : {"log_count_ratio", "idf", "both"}
    weights_ : ndarray of shape (n_regressions, n_features)
        The words' weights, of each class against the others (one row for two classes); of "both" first by
        log-count ratios, then by inverse document frequencies.
    coef_ : ndarray of shape (n_regressions, n_features)
        Of the weighted rows of length 1.
    intercept_ : ndarray of shape (n_regressions,)
    n_iter_ : ndarray of shape (n_regressions,)
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
    than two classes: one against the others each, probabilities normalised. Of N rows, df of which hold a
    word, :math:`idf = \ln\frac{1 + N}{1 + df} + 1` takes the place of \|r\|; "both" decides by
    :math:`(z_r + z_{idf}) / 2`.

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
        "weighting": [StrOptions({"log_count_ratio", "idf", "both", "auto"})],
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
        weighting: Literal["log_count_ratio", "idf", "both", "auto"] = "log_count_ratio",
        smoothing: float = 1.0,
        binarize: bool = True,
        max_iter: int = 300,
        class_weight: dict | Literal["balanced"] | None = None,
    ):
        self.C = C
        self.weighting = weighting
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
        X = summed(X)
        if X.shape[0] and (X.data if sparse.issparse(X) else X).min(initial=0) < 0:
            raise ValueError(
                "Negative values in data passed to NaiveBayesLogisticRegression. Expected counts of words, "
                "as NGramVectorizer gives."
            )
        self.classes_ = classes_of(y)
        counts = check_weights(sample_weight, y)
        self.weighting_ = self._chosen(X, y, counts)
        X = self._rows(X)
        losses = self._loss_weights(y, counts)
        labels = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        C = self.C if losses is None else self.C * losses
        regressions: list = []
        for weighting in self._weightings():
            if weighting == "idf":
                weights = [_idf(X, counts)] * len(labels)
                weighted: Iterable = repeat(_weighted(X, weights[0]), len(labels))
            else:
                weights = [self._ratios(X, y == label, counts) for label in labels]
                weighted = map(partial(_weighted, X), weights)
            regressions += [
                (own, *fit_logistic(rows, y == label, C, self.max_iter))
                for own, rows, label in zip(weights, weighted, labels, strict=True)
            ]
        of_words, coefs, intercepts, n_iter = zip(*regressions, strict=True)
        self.n_iter_ = np.array(n_iter)
        self.weights_, self.coef_ = np.stack(of_words), np.stack(coefs).astype(X.dtype)
        self.intercept_ = np.array(intercepts, X.dtype)
        return self

    def _weightings(self):
        return ["log_count_ratio", "idf"] if self.weighting_ == "both" else [self.weighting_]

    def parts(self) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
        """Of each weighting, whose log-odds are averaged: its name, weights, coefficients and intercepts.

        Of shapes (n_labels, n_features) twice and (n_labels,), n_labels being 1 for two classes.
        """
        names = self._weightings()
        of_each = (np.split(of, len(names)) for of in (self.weights_, self.coef_, self.intercept_))
        return list(zip(names, *of_each, strict=True))

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

    def _chosen(self, X, y, weights):
        if self.weighting not in ("auto", "both"):
            return self.weighting
        if len(self.classes_) == 2:
            return "both" if self.weighting == "both" else "log_count_ratio"
        return self._better(X, y, weights)

    def _better(self, X, y, weights):
        """Of many classes "idf", if the other is not better on held-out rows by a standard error."""
        if len(y) < _FEW * len(self.classes_):
            return "idf"
        index, gains = np.searchsorted(self.classes_, y), []
        if len(y) > _MOST_JUDGED:
            some = stratified_rows(index, np.bincount(index) / len(y), _MOST_JUDGED)
            X, y, index, weights = X[some], y[some], index[some], None if weights is None else weights[some]
        for seen, unseen in complete_folds(index, identical(X), _FOLDS, np.random.RandomState(0)):
            right = []
            for weighting in ("log_count_ratio", "idf"):
                model = clone(self).set_params(weighting=weighting)
                model.fit(X[seen], y[seen], **weights_of(weights, seen))
                right.append(model.predict(X[unseen]) == y[unseen])
            gains.append(np.subtract(*right, dtype=np.float64) * (1 if weights is None else weights[unseen]))
        gain = np.concatenate(gains) if gains else np.zeros(1)
        better = gain.sum() > np.sqrt(gain.var() * len(gain))
        return "log_count_ratio" if better else "idf"

    def _ratios(self, X, positive, counts):
        inside = self.smoothing + _sums(X, positive, counts)
        outside = self.smoothing + _sums(X, ~positive, counts)
        ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
        return np.abs(ratio).astype(X.dtype)

    def decision_function(self, X: Rows) -> np.ndarray:
        """Log-odds: (n_rows,) for two classes, (n_rows, n_classes) of each against the others for more."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_DTYPES, accept_sparse="csr", reset=False)
        X = self._rows(summed(X))
        said = [self._scores(X, *part) for part in self.parts()]
        scores = sum(said) / len(said)
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def _scores(self, X, weighting, weights, coefs, offsets):
        if weighting == "idf":
            return _weighted(X, weights[0]) @ coefs.T + offsets
        columns = [_weighted(X, of_words) @ coef for of_words, coef in zip(weights, coefs, strict=True)]
        return np.stack(columns, axis=1) + offsets

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

    def settled(self) -> Self:
        """An unfitted one like this, of the weighting that "auto" or "both" came to."""
        check_is_fitted(self)
        return clone(self).set_params(weighting=self.weighting_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.classifier_tags.poor_score = True  # on numbers that are no counts
        return tags


def _sums(X, rows, counts):
    """Of the columns over some rows, each as often as it counts."""
    return X[rows].sum(axis=0) if counts is None else counts[rows] @ X[rows]


def _idf(X, counts):
    n_rows = X.shape[0] if counts is None else counts.sum()
    return (np.log((1 + n_rows) / (1 + _sums(X > 0, slice(None), counts))) + 1).astype(X.dtype)


def _weighted(X, weights):
    """Rows with weighted columns, at length 1."""
    weighted = sparse.csr_array((X.data * weights[X.indices], X.indices, X.indptr), X.shape)
    return normalize(weighted, copy=False)
