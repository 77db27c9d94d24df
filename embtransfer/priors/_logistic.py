"""Logistic regression by Newton steps in as many numbers as rows."""

import warnings

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils import _safe_indexing

from .._rows import as_floats

_TOLERANCE = 1e-4  # of the gradient's length, against that of the first step
_MOST_FORCED = 0.25  # of the gradient that the conjugate gradients may leave in a step
_MAX_PRODUCTS = 1000  # of a step
_WIDE = 5_000  # columns times classes of dense rows, whose products take longer than all else
_HUGE = 1e15  # numbers of which products of float32 may overflow
_OF_ANY_SOLVER = ("C", "max_iter", "random_state", "n_jobs")  # parameters


def fit_classifier(classifier, X, y, sample_weight=None):
    """Fit a classifier that is to be fitted many times, and return it.

    Plain LogisticRegression goes to `fit_logistic`, which ends nearer to the optimum and takes a third of the
    time of its own solver of sparse rows, and three quarters of dense ones, unless these are wide and of many
    classes; all others fit themselves.
    """
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    if not _is_plain(classifier) or not isinstance(X, np.ndarray | sparse.csr_array | sparse.csr_matrix):
        return classifier.fit(X, y, **weights)
    classes, index = np.unique(y, return_inverse=True)
    X = as_floats(X)
    numbers = X.data if sparse.issparse(X) else X
    wide = len(classes) > 2 and not sparse.issparse(X) and len(classes) * X.shape[1] > _WIDE
    ends = numbers.min(initial=0), numbers.max(initial=0)
    if len(classes) < 2 or wide or not np.abs(ends).max() < _HUGE:
        return classifier.fit(X, y, **weights)
    C = classifier.C if sample_weight is None else classifier.C * sample_weight
    wanted = index == 1 if len(classes) == 2 else index == np.arange(len(classes))[:, None]
    coef, intercept, n_iter = fit_logistic(X, wanted, C, classifier.max_iter)
    classifier.classes_, classifier.n_features_in_ = classes, X.shape[1]
    classifier.coef_ = np.atleast_2d(coef.T).astype(X.dtype)
    classifier.intercept_ = np.atleast_1d(intercept).astype(X.dtype)
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
        name: value
        for name, value in vars(classifier).items()
        if not name.endswith("_") and name != "_metadata_request"
    }


def fit_logistic(rows, wanted, C, max_iter):
    r"""Coefficients, intercepts and Newton steps.

    Parameters
    ----------
    rows : csr array or ndarray of shape (n_rows, n_columns), float32 or float64
        Products with csr rows are in their precision, all else is in float64.
    wanted : bool ndarray of shape (n_rows,), or (n_classes, n_rows)
        Which rows are of the second of two classes; or of each of more.
    C : float or ndarray of shape (n_rows,)
        As in LogisticRegression: the weight of the rows' losses beside half the squared coefficients.
    max_iter : int
        Newton steps.

    Returns
    -------
    (coefficients of shape (n_columns,) or (n_columns, n_classes), intercept or intercepts, steps)

    Notes
    -----
    The coefficients, all steps and all gradients are :math:`w = Z^\top a` of the rows Z. Conjugate gradients
    carry a and :math:`K a = Z Z^\top a`, and pay two products with Z a step; vectors as long as there are
    columns, which L-BFGS spends most of its time on, occur in these products alone. Two classes are a softmax
    of one score and of 0.
    """
    rows = _Rows(rows)
    problem = _Problem(np.atleast_2d(wanted).astype(np.float64), np.broadcast_to(C, rows.n_rows))
    now = problem.start()
    value, first = problem.value(now), None
    for n_iter in range(max_iter + 1):
        left, proba = problem.slope(now)
        down = rows.vector(*left)
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
        step = _newton_step(rows, problem, down, proba, (length / first) ** 0.25)
        now, value = _along(problem, now, value, step, -down.dot(step))
    coef = rows.columns_of(now.a)
    return (coef[:, 0], float(now.offset[0]), n_iter) if np.ndim(wanted) == 1 else (coef, now.offset, n_iter)


class _Rows:
    """Z, and its products with the a of each score, of shape (n_scores, n_rows)."""

    def __init__(self, rows):
        if not sparse.issparse(rows):  # BLAS rounds by the number of its threads, in float32 visibly
            rows = rows.astype(np.float64, copy=False)
        self.rows, self.columns, self.n_rows = rows, rows.T, rows.shape[0]

    def columns_of(self, a):
        """Z'a of each, (n_columns, n_scores)."""
        if len(a) == 1:  # sparse products with one vector are faster than with one column
            return (self.columns @ a[0].astype(self.rows.dtype))[:, None]
        return self.columns @ a.T.astype(self.rows.dtype)

    def vector(self, a, offset):
        coef = self.columns_of(a)
        if len(a) == 1:
            return _Vector(a, (self.rows @ coef[:, 0])[None].astype(np.float64), offset)
        return _Vector(a, (self.rows @ coef).T.astype(np.float64, order="C"), offset)


class _Problem:
    """The loss, its slope and its curvature at coefficients; classes go before rows."""

    def __init__(self, wanted, C):
        self.wanted, self.C = wanted, C
        self.rounding = (1e-12 * C.sum()) ** 2  # of a squared gradient

    def start(self):
        share = np.maximum((self.C * self.wanted).sum(axis=1) / self.C.sum(), 1e-12)
        offset = np.log(share / (1 - share)) if len(share) == 1 else np.log(share) - np.log(share).mean()
        return _Vector(np.zeros(self.wanted.shape), np.zeros(self.wanted.shape), offset)

    def _norm(self, scores):
        if len(scores) == 1:
            return np.logaddexp(0, scores[0])
        most = scores.max(axis=0)
        return np.log(np.exp(scores - most).sum(axis=0)) + most

    def value(self, at):
        scores = at.of_rows + at.offset[:, None]
        losses = self.C * (self._norm(scores) - (self.wanted * scores).sum(axis=0))
        return losses.sum() + (at.a * at.of_rows).sum() / 2

    def slope(self, at):
        """(Downhill in a, in the offsets), and the probabilities, of which the curvature is made."""
        scores = at.of_rows + at.offset[:, None]
        proba = np.exp(scores - self._norm(scores))
        pull = self.C * (self.wanted - proba)
        return (pull - at.a, pull.sum(axis=1)), proba

    def bent(self, proba, direction):
        """The curvature of the losses times a direction."""
        moved = proba * (direction.of_rows + direction.offset[:, None])
        return self.C * (moved - proba * moved.sum(axis=0))


class _Vector:
    """Coefficients Z'a and intercepts, with the rows' products Z Z'a."""

    def __init__(self, a, of_rows, offset):
        self.a, self.of_rows, self.offset = a, of_rows, offset

    def dot(self, other):
        # not by BLAS, whose sums of many rows differ with the number of threads
        return (self.a * other.of_rows).sum() + (self.offset * other.offset).sum()

    def plus(self, factor, other):
        return _Vector(
            self.a + factor * other.a,
            self.of_rows + factor * other.of_rows,
            self.offset + factor * other.offset,
        )


def _newton_step(rows, problem, down, proba, forced):
    """Conjugate gradients for Hessian @ step = down, until a share of it is left."""
    step = _Vector(*np.zeros((2, *proba.shape)), np.zeros(len(proba)))
    left, direction, length = down, down, down.dot(down)
    enough = min(_MOST_FORCED, forced) ** 2 * length
    for _ in range(_MAX_PRODUCTS):
        bent = problem.bent(proba, direction)
        bent_a, bent_offset = direction.a + bent, bent.sum(axis=1)
        # the Hessian's product with the direction is Z' bent_a: its Z Z' is never needed
        factor = length / ((bent_a * direction.of_rows).sum() + (bent_offset * direction.offset).sum())
        step = step.plus(factor, direction)
        left = rows.vector(left.a - factor * bent_a, left.offset - factor * bent_offset)
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
