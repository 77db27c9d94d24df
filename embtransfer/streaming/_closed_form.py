"""Classifiers whose solution is made of sums over the rows, fitted in passes over blocks of them."""

from numbers import Real

import numpy as np
from scipy import linalg, sparse
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestCentroid

from ..adapters._moments import Moments

_COVARIANCE_BYTES = 1 << 28  # of covariances that one pass gathers


def has_closed_form(classifier):
    """Whether `fit_by_sums` takes the classifier, as its parameters are."""
    return _solution(classifier) is not None


def fit_by_sums(classifier, blocks, classes):
    """Fit a classifier to what its `fit` on all rows gives, up to rounding.

    Parameters
    ----------
    classifier : one for which `has_closed_form` is true
    blocks : callable
        Each call yields all rows anew: pairs of rows (n, d) and numbers (n,) of their classes.
    classes : ndarray of shape (n_classes,), sorted
    """
    # two rows a class, that have its mean and variance: sets all that does not depend on the sums
    sums = _ClassSums(blocks, len(classes))
    spread = np.sqrt(sums.variances)
    rows = np.concatenate([sums.means + spread, sums.means - spread])
    wanted, easy = classifier.get_params(deep=False), {"alpha": 1.0, "solver": "cholesky"}
    if isinstance(classifier, LinearDiscriminantAnalysis):
        easy["solver"] = "lsqr"
    easy = {name: value for name, value in easy.items() if name in wanted}
    classifier.set_params(**easy).fit(rows.astype(np.float32), np.concatenate([classes, classes]))
    classifier.set_params(**{name: wanted[name] for name in easy})
    for name, value in _solution(classifier)(classifier, sums, blocks).items():
        setattr(classifier, name, value)
    return classifier


def _solution(classifier):
    kind = type(classifier)
    if kind is RidgeClassifier and not classifier.positive and isinstance(classifier.alpha, Real):
        return _ridge
    if kind is LinearDiscriminantAnalysis and classifier.solver in ("lsqr", "eigen"):
        return _discriminant if classifier.covariance_estimator is None else None
    if kind is NearestCentroid and classifier.metric == "euclidean" and not classifier.shrink_threshold:
        return _centroids
    return _gaussian if kind is GaussianNB else None


class _ClassSums:
    """Rows, mean and variances of each class, and mean and variances of all rows; float64."""

    def __init__(self, blocks, n_classes):
        self.counts, sums, squares = np.zeros(n_classes), 0.0, 0.0
        for X, numbers in blocks():
            self.counts += np.bincount(numbers, minlength=n_classes)
            sums += _indicator(numbers, n_classes) @ X.astype(np.float64)
        self.n = self.counts.sum()
        self.means = sums / self.counts[:, None]
        for X, numbers in blocks():
            squares += _indicator(numbers, n_classes) @ (X - self.means[numbers]) ** 2
        self.variances = squares / self.counts[:, None]
        self.priors = self.counts / self.n
        self.mean = self.priors @ self.means
        self.within = self.priors @ self.variances
        self.variance = self.within + self.priors @ (self.means - self.mean) ** 2


def _indicator(numbers, n_classes):
    n = len(numbers)
    return sparse.csr_matrix((np.ones(n), (numbers, np.arange(n))), (n_classes, n))


def _ridge(classifier, sums, blocks):
    k, d = sums.means.shape
    weights = np.ones(k)
    if classifier.class_weight == "balanced":
        weights = sums.n / (k * sums.counts)
    elif classifier.class_weight is not None:
        weights = np.array(
            [classifier.class_weight.get(label, 1.0) for label in classifier.classes_.tolist()]
        )
    mass = weights * sums.counts
    centre = mass @ sums.means / mass.sum() if classifier.fit_intercept else np.zeros(d)
    roots, left = np.sqrt(weights), classifier.alpha * np.eye(d)
    for X, numbers in blocks():
        centred = (X - centre) * roots[numbers, None]
        left += centred.T @ centred
    codes = np.array([[-1.0], [1.0]]) if k == 2 else 2 * np.eye(k) - 1
    right = ((sums.means - centre) * mass[:, None]).T @ codes
    try:
        coef = linalg.cho_solve(linalg.cho_factor(left), right).T
    except linalg.LinAlgError:  # without alpha, columns that depend on one another
        coef = linalg.lstsq(left, right)[0].T
    intercept = mass @ codes / mass.sum() - coef @ centre
    found = {
        "coef_": coef.astype(np.float32).reshape(classifier.coef_.shape)
    }  # versions differ for two classes
    if classifier.fit_intercept:
        found["intercept_"] = intercept.astype(np.float32).reshape(np.shape(classifier.intercept_))
    return found


def _discriminant(classifier, sums, blocks):
    priors = sums.priors if classifier.priors is None else np.asarray(classifier.priors_, np.float64)
    within = 0.0
    for prior, one in zip(priors, _covariances(blocks, sums.means, sums.variances, classifier), strict=True):
        within = within + prior * one
    found = {"priors_": priors, "means_": sums.means, "covariance_": within}
    if classifier.solver == "eigen":

        def as_one_class():
            return ((X, np.zeros(len(X), np.intp)) for X, _ in blocks())

        (total,) = _covariances(as_one_class, sums.mean[None], sums.variance[None], classifier)
        values, vectors = linalg.eigh(total - within, within)
        found["scalings_"] = vectors = vectors[:, ::-1]
        shares = np.sort(values / values.sum())[::-1]
        found["explained_variance_ratio_"] = shares[: classifier._max_components]
        coef = sums.means @ vectors @ vectors.T
    else:
        coef = linalg.lstsq(within, sums.means.T)[0].T
    intercept = np.log(priors) - np.einsum("ij,ij->i", sums.means, coef) / 2
    if len(priors) == 2:
        coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    found |= {"coef_": coef, "intercept_": intercept}
    return {name: value.astype(np.float32) for name, value in found.items()}


def _covariances(blocks, means, variances, classifier):
    """Yield each class's covariance, shrunk as in LinearDiscriminantAnalysis: "auto" standardises before."""
    n_classes, d = means.shape
    shrinkage = 0.0 if classifier.shrinkage is None else classifier.shrinkage
    scales = np.ones_like(means)
    if shrinkage == "auto":
        scales = np.sqrt(variances)
        scales[scales <= 1e-12 * np.abs(means)] = 1.0
    at_once = max(_COVARIANCE_BYTES // (8 * d * d), 1)
    for first in range(0, n_classes, at_once):
        found = {}
        for X, numbers in blocks():
            for number in np.intersect1d(numbers, np.arange(first, min(first + at_once, n_classes))):
                moments = Moments((X[numbers == number] - means[number]) / scales[number])
                found[number] = found[number] + moments if number in found else moments
        for number in sorted(found):
            yield found[number].covariance(shrinkage) * np.outer(scales[number], scales[number])


def _gaussian(classifier, sums, blocks):
    epsilon = classifier.var_smoothing * sums.variance.max()
    found = {"theta_": sums.means, "var_": sums.variances + epsilon, "epsilon_": epsilon}
    found["class_count_"] = sums.counts
    return found if classifier.priors is not None else found | {"class_prior_": sums.priors}


def _centroids(classifier, sums, blocks):
    n, k = sums.n, len(sums.counts)
    within = np.sqrt(sums.within * n / (n - k))
    scale = np.sqrt(1 / sums.counts - 1 / n)[:, None] * (within + np.median(within))
    found = {"centroids_": sums.means, "within_class_std_dev_": within}
    found["deviations_"] = (sums.means - sums.mean) / scale
    return found | {"class_prior_": sums.priors} if classifier.priors == "empirical" else found
