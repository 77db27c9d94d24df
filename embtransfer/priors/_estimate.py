"""Priors: how often each class occurs in the target."""

from typing import Literal

import numpy as np
from scipy.optimize import minimize, nnls
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import check_array

from .._names import check_name
from .._types import Labels, Rows
from ._mixture import mixture_weights

METHODS = ("em", "bbse")
LEAST = 1e-12  # of a probability, so that its logarithm is finite


def estimate_priors(
    proba_source: Rows, y_source: Labels, proba_target: Rows, method: Literal["em", "bbse"] = "em"
) -> np.ndarray:
    r"""Estimate how often each class occurs in the target, from a classifier's probabilities.

    Parameters
    ----------
    proba_source : array-like of shape (n_source, n_classes)
        Probabilities of labelled source rows that the classifier was not fitted on; columns in the order of
        the sorted labels.
    y_source : array-like of shape (n_source,)
        Their labels; each class at least once.
    proba_target : array-like of shape (n_target, n_classes)
        Probabilities of target rows.
    method : {"em", "bbse"}, default="em"
        "em": maximum likelihood, as by expectation maximisation, the more exact where the probabilities are
        calibrated. "bbse": black-box shift estimation, which takes any scores that sum to 1.

    Returns
    -------
    ndarray of shape (n_classes,), float64
        At least 0, with sum 1.

    Raises
    ------
    ValueError
        If shapes do not fit together, or rows are not probabilities.

    See Also
    --------
    LabelShiftClassifier : Calibrates, estimates and corrects.

    Notes
    -----
    "em" maximises :math:`\sum_j \log \sum_k \frac{q_k}{p_k} f_k(x_j)` over the simplex, where p is the mean
    of `proba_source`: on calibrated probabilities the share of each class, and on others what makes "no
    shift" come out as such. Expectation maximisation converges to it; Newton's steps come to it sooner.

    "bbse" minimises :math:`|A q - m|^2` over the simplex: column k of A is the mean of `proba_source` over
    rows of class k, m the mean of `proba_target`. In directions in which A is no longer than three times its
    standard error, the shares stay the source's: scores that say nothing of the classes say nothing of their
    shares.

    References
    ----------
    M. Saerens, P. Latinne, C. Decaestecker. "Adjusting the outputs of a classifier to new a priori
    probabilities." Neural Computation 14, 2002.
    Y. Kim, P. Carbonetto, M. Stephens, M. Anitescu. "A fast algorithm for maximum likelihood estimation of
    mixture proportions using sequential quadratic programming." Journal of Computational and Graphical
    Statistics 29, 2020 (the steps).
    Z. Lipton, Y.-X. Wang, A. Smola. "Detecting and correcting for label shift with black box predictors."
    ICML 2018.

    Examples
    --------
    >>> from embtransfer import estimate_priors
    >>> estimate_priors([[0.8, 0.2], [0.2, 0.8]], ["bad", "good"], [[0.2, 0.8]] * 3 + [[0.8, 0.2]], "bbse")
    array([0.25, 0.75])
    """
    check_name("method", method, METHODS)
    source, target = check_array(proba_source), check_array(proba_target)
    y = column_or_1d(y_source)
    check_consistent_length(source, y)
    classes, index = np.unique(y, return_inverse=True)
    if not source.shape[1] == target.shape[1] == len(classes):
        raise ValueError(
            f"proba_source has {source.shape[1]} columns, proba_target {target.shape[1]}, and y_source "
            f"{len(classes)} classes. Expected the same number of each."
        )
    for name, proba in (("proba_source", source), ("proba_target", target)):
        if proba.min() < 0 or np.abs(proba.sum(axis=1) - 1).max() > 1e-3:
            raise ValueError(f"{name} holds rows that are no probabilities. Expected predict_proba's output.")
    return estimate(source, index, target, method)[0]


def estimate(source, y, target, method):
    """Priors of the target, and what probabilities are to be multiplied with for it."""
    source, target = (np.asarray(proba, dtype=np.float64) for proba in (source, target))
    if method == "em":
        before = np.maximum(source.mean(axis=0), LEAST)
        priors = mixture_weights(target / before, before)
        return priors, priors / before
    counts = np.bincount(y)
    confusion = np.stack([source[y == k].mean(axis=0) for k in range(len(counts))], axis=1)
    shares = counts / counts.sum()
    # the simplex by one more equation, heavy enough to hold: rows of probabilities sum to 1 in any case
    heavy = 1e4 * np.vstack([np.ones(len(counts)), _not_told_apart(source, y, confusion, shares)])
    equations = np.vstack([confusion, heavy])
    priors = nnls(equations, np.append(target.mean(axis=0), heavy @ shares))[0]
    priors /= priors.sum()
    return priors, priors / shares


def _not_told_apart(source, y, confusion, shares):
    """Directions (n, n_classes) of which the confusion matrix says no more than its own noise.

    Those of (q - p) / sqrt(p), as multiples of q: classes that are not told apart keep their proportion.
    """
    root = np.sqrt(shares)
    noise = np.mean([source[y == k].var(axis=0).sum() for k in range(len(shares))]) / len(y)
    scaled = confusion * root
    _, sizes, directions = np.linalg.svd(scaled - np.outer(scaled @ root, root))
    return directions[sizes < 3 * np.sqrt(noise)] / root


def calibrate(logits, y, kind):
    """[slope, *biases] of least log-loss of softmax(slope * logits + biases); no biases for "temperature"."""
    n, n_classes = logits.shape
    biased = kind == "bcts"
    shares = np.bincount(y, minlength=n_classes) / n
    attained = logits[np.arange(n), y].mean()
    of_class = np.ascontiguousarray(logits.T)  # sums over few classes are slow along rows

    def loss(parameters):
        slope, biases = parameters[0], parameters[1:] if biased else np.zeros(n_classes)
        scores = slope * of_class + biases[:, None]
        most = scores.max(axis=0)
        proba = np.exp(scores - most)
        norm = proba.sum(axis=0)
        proba /= norm
        gradient = [np.einsum("ij,ij->", proba, of_class) / n - attained]
        if biased:
            gradient = np.append(gradient, proba.mean(axis=1) - shares)
        value = (np.log(norm) + most).mean() - slope * attained - biases @ shares
        return value, np.asarray(gradient)

    start = np.eye(1, 1 + n_classes * biased)[0]
    # bounds, for labels that the scores separate without error: there the loss has no minimum
    bounds = [(1e-3, 1e3)] + [(-30, 30)] * (n_classes * biased)
    options = {"gtol": 1e-7, "ftol": 1e-13}
    return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
