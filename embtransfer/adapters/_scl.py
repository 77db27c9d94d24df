"""SCL: structural correspondence learning."""

from numbers import Integral, Real

import numpy as np
from scipy import sparse
from scipy.linalg import solve
from scipy.special import rel_entr
from sklearn.utils._param_validation import Interval

from ._base import BaseAdapter

_DIRECT = 6000  # columns up to which the normal equations are solved directly: a few seconds
_ITERATIONS, _TOL = 200, 1e-4  # of conjugate gradients, for more columns


class PivotProjection:
    """Rows x -> [x, x @ weight], csr where x is.

    Parameters
    ----------
    weight : ndarray of shape (n_features, n_components)
    """

    def __init__(self, weight):
        self.weight = weight

    def n_outputs(self, n_features):
        return n_features + self.weight.shape[1]

    def __call__(self, X):
        projected = X @ self.weight.astype(X.dtype, copy=False)
        if sparse.issparse(X):
            return sparse.hstack([X, type(X)(projected)], format="csr")
        return np.hstack([X, projected])


class SCL(BaseAdapter):
    r"""Structural correspondence learning: beside each row, projections that predict pivots.

    Pivots are features frequent in both domains that tell the labels apart, such as "excellent". Words that
    predict the same pivots, each in its domain ("sturdy", "gripping"), fall on the same projections.

    Parameters
    ----------
    n_pivots : int, default=500
        How many pivots; lowered to half of the columns, and to the features that are frequent enough.
    n_components : int, default=50
        How many projections, as in the papers; lowered to the rank of the pivot predictors.
    min_frequency : int, default=5
        In how many rows of each domain a pivot occurs at least.
    alpha : float, default=1.0
        Ridge penalty of the pivot predictors, in units of the mean squared norm of the rows, so that it means
        the same on counts and on normalised TF-IDF rows.
    scale : float, default=1.0
        Root mean square of the projections, in units of that of the input rows: how loud they are beside
        the input.

    Attributes
    ----------
    pivots_ : ndarray of shape (n_pivots,)
        Columns that are pivots, best first.
    source_map_, target_map_ : PivotProjection
    n_features_in_ : int

    See Also
    --------
    MSDA : Reconstructs all frequent features, without labels.

    Notes
    -----
    A feature occurs where it is above 0. Pivots are those of the largest mutual information between
    occurrence and the source labels; without labels the most frequent, by the lower of both domains'
    frequencies.
    One ridge regression for each pivot, on source and target rows without the pivots, predicts its
    occurrence. The projections are the first left singular vectors of the weights (columns without
    pivots x pivots), scaled together. Both domains go through the same map.

    The papers train each predictor by the modified Huber loss; squared loss has all of them solved at
    once, by Cholesky or, for many columns, conjugate gradients on the sparse rows, centred
    implicitly. Time and memory are linear in rows; the weights take columns x pivots numbers. If no feature
    can be a pivot, rows stay as they are.

    References
    ----------
    J. Blitzer, R. McDonald, F. Pereira. "Domain adaptation with structural correspondence learning."
    EMNLP 2006.
    J. Blitzer, M. Dredze, F. Pereira. "Biographies, Bollywood, boom-boxes and blenders: domain adaptation for
    sentiment classification." ACL 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import SCL
    >>> books = np.array([[1, 0, 1, 0, 0], [0, 1, 0, 0, 0]] * 5)  # good, bad, gripping, sturdy, the
    >>> pans = np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 0]] * 5)
    >>> scl = SCL(n_pivots=2, n_components=1).fit(books, ["+", "-"] * 5, X_target=pans)
    >>> scl.transform([[0, 0, 1, 0, 0], [0, 0, 0, 1, 0]])[:, -1].round(1)
    array([1.7, 1.7])
    """

    _parameter_constraints = {
        "n_pivots": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "scale": [Interval(Real, 0, None, closed="neither")],
    }
    _accepts_sparse = _one_map = _uses_labels = True

    def __init__(
        self,
        n_pivots: int = 500,
        n_components: int = 50,
        min_frequency: int = 5,
        alpha: float = 1.0,
        scale: float = 1.0,
    ):
        self.n_pivots = n_pivots
        self.n_components = n_components
        self.min_frequency = min_frequency
        self.alpha = alpha
        self.scale = scale

    def _fit(self, source, target, y):
        self.pivots_ = self._choose(source, target, y)
        weight = np.zeros((source.shape[1], 0))
        if len(self.pivots_):
            rows = (sparse.vstack if sparse.issparse(source) else np.vstack)([source, target])
            weight = self._projections(rows.astype(np.float64))
        projection = PivotProjection(weight.astype(source.dtype))
        return projection, projection

    def _choose(self, source, target, y):
        """Columns of the pivots, best first."""
        occurs = sparse.csr_matrix(source > 0, dtype=np.float64)
        frequency = np.minimum(_sums(occurs), _sums(target > 0))
        merit = frequency if y is None else mutual_information(occurs, y)
        candidates = np.flatnonzero(frequency >= self.min_frequency)
        best = candidates[np.argsort(-merit[candidates], kind="stable")]
        return best[: min(self.n_pivots, source.shape[1] // 2)]

    def _projections(self, rows):
        """(n_features, n_components): zero for pivots, orthogonal axes of one length for other columns."""
        squares = rows.multiply(rows) if sparse.issparse(rows) else rows**2
        norm = squares.sum() / rows.shape[0]  # mean squared
        others = np.setdiff1d(np.arange(rows.shape[1]), self.pivots_)
        pivots = sparse.csr_matrix(rows[:, self.pivots_] > 0, dtype=np.float64)
        predictors = ridge(rows[:, others], pivots, self.alpha * norm)
        values, right = np.linalg.eigh(predictors.T @ predictors)
        values, right = values[::-1][: self.n_components], right[:, ::-1][:, : self.n_components]
        keep = values > max(values[0] * 1e-10, np.finfo(float).tiny)
        axes = predictors @ right[:, keep] / np.sqrt(values[keep])
        axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
        projected = np.sum((rows[:, others] @ axes) ** 2) / rows.shape[0]
        weight = np.zeros((rows.shape[1], axes.shape[1]))
        weight[others] = axes * (self.scale * np.sqrt(norm / projected) if projected else 0)
        return weight


def mutual_information(occurs, y):
    """Mutual information, in nats, of the labels and of the occurrence (0 or 1) of each column (d,)."""
    classes, number = np.unique(y, return_inverse=True)
    n = len(number)
    members = sparse.csr_matrix((np.ones(n), (number, np.arange(n))), shape=(len(classes), n))
    with_it = (members @ occurs).toarray() / n  # (n_classes, d)
    of_class = np.bincount(number)[:, None] / n
    total = np.zeros(occurs.shape[1])
    for joint in (with_it, of_class - with_it):
        joint = np.maximum(joint, 0)
        expected = of_class * joint.sum(axis=0)
        total += np.sum(rel_entr(joint, expected), axis=0)
    return total


def ridge(X, Y, alpha):
    """Ridge regression of all columns of Y at once, with an intercept: weights (n_features, n_outputs).

    (Xc' Xc + alpha I) W = Xc' Y, with Xc the centred rows, never formed. Conjugate gradients with the
    diagonal as preconditioner where there are too many columns for Cholesky.
    """
    n = X.shape[0]
    mean = _sums(X) / n
    squares = X.multiply(X) if sparse.issparse(X) else X**2
    inverse = 1 / (_sums(squares) - n * mean**2 + alpha)[:, None]
    XT = X.T.tocsr() if sparse.issparse(X) else X.T
    residual = np.asarray((XT @ Y).todense() if sparse.issparse(XT) else (Y.T @ X).T)
    residual = residual - np.outer(mean, _sums(Y))
    if X.shape[1] <= _DIRECT:
        gram = XT @ X
        gram = (gram.toarray() if sparse.issparse(gram) else gram) - n * np.outer(mean, mean)
        gram.flat[:: X.shape[1] + 1] += alpha
        return solve(gram, residual, assume_a="pos", overwrite_a=True)
    weights = np.zeros_like(residual)
    scaled = inverse * residual
    direction, size = scaled.copy(), _dots(residual, scaled)
    enough = _TOL**2 * size
    for _ in range(_ITERATIONS):
        if np.all(size <= enough):
            break
        product = XT @ (X @ direction) - np.outer(n * mean, mean @ direction) + alpha * direction
        step = _ratio(size, _dots(direction, product))
        weights += step * direction
        residual -= step * product
        scaled = inverse * residual
        before, size = size, _dots(residual, scaled)
        direction *= _ratio(size, before)
        direction += scaled
    return weights


def _sums(X):
    return np.asarray(X.sum(axis=0), dtype=np.float64).ravel()


def _dots(A, B):
    return np.einsum("ij,ij->j", A, B)


def _ratio(above, below):
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
