"""Logistic regression of two classes, by Newton steps in as many numbers as rows."""

import warnings

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils import _safe_indexing

_TOLERANCE = 1e-4  # of the gradient's length, against that of the first step
_MOST_FORCED = 0.25  # of the gradient that the conjugate gradients may leave in a step
_MAX_PRODUCTS = 1000  # of a step
_OF_ANY_SOLVER = ("C", "max_iter", "random_state", "n_jobs")  # parameters


def fit_classifier(classifier, X, y, sample_weight=None):
    """Fit a classifier that is to be fitted many times, and return it.

    Plain LogisticRegression of two classes goes to `fit_logistic`, which takes a third of the time of its own
    solver or less and ends nearer to the optimum; all others fit themselves.
    """
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    if not _is_plain(classifier) or not isinstance(X, np.ndarray | sparse.csr_array | sparse.csr_matrix):
        return classifier.fit(X, y, **weights)
    classes, index = np.unique(y, return_inverse=True)
    numbers = X.data if sparse.issparse(X) else X
    if len(classes) != 2 or numbers.dtype not in (np.float32, np.float64) or not np.isfinite(numbers.sum()):
        return classifier.fit(X, y, **weights)
    C = classifier.C if sample_weight is None else classifier.C * sample_weight
    coef, intercept, n_iter = fit_logistic(X, index == 1, C, classifier.max_iter)
    classifier.classes_, classifier.n_features_in_ = classes, X.shape[1]
    classifier.coef_ = coef[None, :].astype(X.dtype)
    classifier.intercept_ = np.array([intercept], X.dtype)
    classifier.n_iter_ = np.array([n_iter], np.int32)
    return classifier


def held_out_proba(classifier, X, index, splits):
    """Probabilities of each row by a classifier that did not see it: (n_rows, n_classes).

    index : ndarray of shape (n_rows,)
        Numbers of the rows' classes, all of which each fold holds.
    """
    proba = np.empty((len(index), index.max() + 1))
    for seen, unseen in splits:
        model = fit_classifier(clone(classifier), _safe_indexing(X, seen), index[seen])
        proba[unseen] = model.predict_proba(_safe_indexing(X, unseen))
    return proba


def _is_plain(classifier):
    """Whether this is LogisticRegression as scikit-learn makes it, but for what any solver takes."""
    if type(classifier) is not LogisticRegression:
        return False
    own = {name: vars(classifier)[name] for name in _OF_ANY_SOLVER}
    return vars(LogisticRegression(**own)) == {
        name: value for name, value in vars(classifier).items() if not name.endswith("_")
    }


def fit_logistic(rows, positive, C, max_iter):
    r"""Coefficients, intercept and Newton steps.

    Parameters
    ----------
    rows : csr array or ndarray of shape (n_rows, n_columns), float32 or float64
        Products with them are in their precision, all else is in float64.
    positive : bool ndarray of shape (n_rows,)
    C : float or ndarray of shape (n_rows,)
        As in LogisticRegression: the weight of the rows' losses beside half the squared coefficients.
    max_iter : int
        Newton steps.

    Notes
    -----
    The coefficients, all steps and all gradients are :math:`w = Z^\top a` of the rows Z. Conjugate gradients
    carry a and :math:`K a = Z Z^\top a`, and pay two products with Z a step; vectors as long as there are
    columns, which L-BFGS spends most of its time on, occur in these products alone.
    """
    columns = rows.T  # made once
    problem = _Problem(positive.astype(np.float64), np.broadcast_to(C, len(positive)))
    now = _Vector.zeros(len(positive))
    now.offset = np.log(problem.share / (1 - problem.share))
    value, first = problem.value(now), None
    for n_iter in range(max_iter + 1):
        left, curvature = problem.slope(now)
        down = _Vector.of(rows, columns, *left)
        length = down.dot(down)
        first = length if first is None else first
        if length <= max(_TOLERANCE**2 * first, problem.rounding):
            break
        if n_iter == max_iter:
            warnings.warn(
                f"Got max_iter={max_iter}, in which the solver did not converge. Raise it.",
                ConvergenceWarning,
                stacklevel=2,
            )
            break
        step = _newton_step(rows, columns, down, curvature, (length / first) ** 0.25)
        now, value = _along(problem, now, value, step, -down.dot(step))
    return columns @ now.a.astype(rows.dtype), now.offset, n_iter


class _Problem:
    """The loss, its slope and its curvature at coefficients."""

    def __init__(self, wanted, C):
        self.wanted, self.C = wanted, C
        self.share = float((C * wanted).sum() / C.sum())
        self.rounding = (1e-12 * C.sum()) ** 2  # of a squared gradient

    def value(self, at):
        scores = at.of_rows + at.offset
        losses = self.C * (np.logaddexp(0, scores) - self.wanted * scores)
        return losses.sum() + (at.a * at.of_rows).sum() / 2

    def slope(self, at):
        """(Downhill in a, in the offset), and the curvature of each row's loss."""
        proba = expit(at.of_rows + at.offset)
        pull = self.C * (self.wanted - proba)
        return (pull - at.a, pull.sum()), self.C * proba * (1 - proba)


class _Vector:
    """Coefficients Z'a and an intercept, with the rows' products Z Z'a."""

    def __init__(self, a, of_rows, offset):
        self.a, self.of_rows, self.offset = a, of_rows, offset

    @classmethod
    def zeros(cls, n_rows):
        return cls(np.zeros(n_rows), np.zeros(n_rows), 0.0)

    @classmethod
    def of(cls, rows, columns, a, offset):
        return cls(a, (rows @ (columns @ a.astype(rows.dtype))).astype(np.float64), offset)

    def dot(self, other):
        # not by BLAS, whose sums of many rows differ with the number of threads
        return (self.a * other.of_rows).sum() + self.offset * other.offset

    def plus(self, factor, other):
        return _Vector(
            self.a + factor * other.a,
            self.of_rows + factor * other.of_rows,
            self.offset + factor * other.offset,
        )


def _newton_step(rows, columns, down, curvature, forced):
    """Conjugate gradients for Hessian @ step = down, until a share of it is left."""
    step = _Vector.zeros(len(curvature))
    left, direction, length = down, down, down.dot(down)
    enough = min(_MOST_FORCED, forced) ** 2 * length
    for _ in range(_MAX_PRODUCTS):
        bent = curvature * (direction.of_rows + direction.offset)
        bent_a, bent_offset = direction.a + bent, bent.sum()
        # the Hessian's product with the direction is Z' bent_a: its Z Z' is never needed
        factor = length / ((bent_a * direction.of_rows).sum() + bent_offset * direction.offset)
        step = step.plus(factor, direction)
        left = _Vector.of(rows, columns, left.a - factor * bent_a, left.offset - factor * bent_offset)
        before, length = length, left.dot(left)
        if length <= enough:
            break
        direction = left.plus(length / before, direction)
    return step


def _along(problem, now, value, step, slope):
    """Where the loss falls enough along a step, halved as often as it takes, and the loss there."""
    factor = 1.0
    while True:
        there = now.plus(factor, step)
        found = problem.value(there)
        # the last term: what rounding can hide
        if found <= value + 1e-4 * factor * slope + 1e-12 * abs(value) or factor < 1e-10:
            return there, found
        factor /= 2
