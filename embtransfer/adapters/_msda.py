"""MSDA: marginalised stacked denoising autoencoders."""

from numbers import Integral, Real

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, get_lapack_funcs
from sklearn.utils._param_validation import Interval

from ..system._memory import check_memory
from ._base import BaseAdapter
from ._moments import ROWS

# reciprocal condition down to which a dtype solves: layers then differ by some 1e-5; what lies below may or
# may not solve, by the order in which a processor adds, and in float32 the products themselves are too coarse
_ENOUGH = {np.float32: 1e-6, np.float64: 1e-14}


class DenoisingLayers:
    """Rows x -> [x, h1, h2, ...]: each layer is tanh of the one before, a one at its end, @ weight.

    Parameters
    ----------
    weights : list of ndarray, the first of shape (n_features + 1, n_hidden), others (n_hidden + 1, n_hidden)
    keep_input : bool
        Whether x stands before the layers.
    """

    def __init__(self, weights, keep_input):
        self.weights = weights
        self.keep_input = keep_input

    def n_outputs(self, n_features):
        return n_features * self.keep_input + self._n_hidden

    @property
    def _n_hidden(self):
        return sum(weight.shape[1] for weight in self.weights)

    def __call__(self, X):
        # beside dense layers csr takes less room only where the input is wider than they are
        beside = self.keep_input and sparse.issparse(X) and X.shape[1] > self._n_hidden
        n_input = X.shape[1] if self.keep_input and not beside else 0
        ends = np.cumsum([n_input, *(weight.shape[1] for weight in self.weights)])
        n_bytes = X.dtype.itemsize * X.shape[0] * ends[-1] * (3 if beside else 1)  # csr has indices too
        advice = "Transform fewer rows at a time, or lower n_features."
        check_memory(n_bytes, f"{X.shape[0]:,} denoised rows of {ends[-1]:,} columns", advice)
        rows = np.empty((X.shape[0], ends[-1]), X.dtype)
        weights = [weight.astype(X.dtype, copy=False) for weight in self.weights]
        for start in range(0, len(rows), ROWS):
            out, layer = rows[start : start + ROWS], X[start : start + ROWS]
            if n_input:
                out[:, :n_input] = to_dense(layer)
            for weight, first, end in zip(weights, ends, ends[1:], strict=False):
                layer = denoise(layer, weight, out=out[:, first:end])
        return sparse.hstack([X, as_csr(rows, type(X))], format="csr") if beside else rows


class MSDA(BaseAdapter):
    r"""Marginalised denoising autoencoders: beside each row, what its words say about the words missing.

    Parameters
    ----------
    noise : float in (0, 1), default=0.5
        Probability p with which a feature is set to zero in training. The paper chooses by cross-validation
        on the source; the published comparisons use 0.5.
    n_layers : int, default=1
        Layers, each trained on the one before. Every further layer adds `n_features` columns and the
        time of another solve: hence 1. The published comparisons stack 5.
    n_features : int, default=5000
        Features reconstructed: those that occur (are not 0) in most rows. Fewer columns than that are all
        reconstructed, exactly as in the paper; for more see Notes. Time grows with its cube, memory with
        its square.
    reg : float, default=1e-5
        What is added to the diagonal of the corrupted scatter: enough for features that never occur.
    keep_input : bool, default=True
        Whether the input stands before the layers, as in the paper. Rows come out dense, on which a
        linear classifier is fastest; but sparse rows with more columns than all layers have come out sparse,
        so that wide input is never made dense.

    Attributes
    ----------
    features_ : ndarray of shape (n_hidden,)
        Columns reconstructed, in order of column; `n_features` or all of them.
    source_map_, target_map_ : DenoisingLayers
    n_features_in_ : int

    See Also
    --------
    SCL : Predicts a few chosen features only, and keeps a low-dimensional projection.

    Notes
    -----
    Over infinitely many corrupted copies of all source and target rows, each with a one at its end that is
    never corrupted, the least-squares reconstruction is :math:`W = E[P] E[Q]^{-1}` in closed form: with the
    scatter matrix S of the rows, :math:`q = (1-p, \dots, 1-p, 1)`,

    .. math:: E[P]_{ij} = S_{ij} q_j, \quad E[Q]_{ij} = S_{ij} q_i q_j \ (i \ne j),
              \quad E[Q]_{ii} = S_{ii} q_i,

    and a layer is :math:`h = \tanh(W [x; 1])`. Both domains go through the same layers.

    Where there are more columns than `n_features`, the columns are dealt by falling frequency into
    K = ceil(columns / n_features) blocks, each reconstructs the same features, and the K reconstructions are
    averaged before tanh. The paper deals at random; this way every block has frequent and rare columns.

    Time is linear in rows and, for sparse rows, in the squares of the entries per row; memory is
    linear in rows: those of one layer are held while the next one is fitted. Solved by Cholesky, for float32
    rows in float32 where the condition number allows it, else in float64.
    Linear classifiers without kernels or trees are meant for what comes out.

    References
    ----------
    M. Chen, Z. Xu, K. Weinberger, F. Sha. "Marginalized denoising autoencoders for domain adaptation."
    ICML 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import MSDA
    >>> books = np.array([[1, 1, 0], [0, 1, 0], [1, 1, 0]])  # great, good, sturdy
    >>> pans = np.array([[0, 1, 1], [0, 0, 1], [0, 1, 1]])
    >>> MSDA(keep_input=False).fit(books, X_target=pans).transform([[0, 0, 1]]).round(1)
    array([[-0. ,  0.5,  0.8]])
    """

    _parameter_constraints = {
        "noise": [Interval(Real, 0, 1, closed="neither")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_features": [Interval(Integral, 1, None, closed="left")],
        "reg": [Interval(Real, 0, None, closed="neither")],
        "keep_input": ["boolean"],
    }
    _accepts_sparse = _one_map = True

    def __init__(
        self,
        noise: float = 0.5,
        n_layers: int = 1,
        n_features: int = 5000,
        reg: float = 1e-5,
        keep_input: bool = True,
    ):
        self.noise = noise
        self.n_layers = n_layers
        self.n_features = n_features
        self.reg = reg
        self.keep_input = keep_input

    def _fit(self, source, target, y):
        rows, weights = [source, target], [self._first(source, target)]
        for _ in range(1, self.n_layers):
            rows = [denoise(X, weights[-1]) for X in rows]
            columns = np.arange(rows[0].shape[1])
            weights.append(self._weight(rows, columns, columns).astype(source.dtype))
        layers = DenoisingLayers(weights, bool(self.keep_input))
        return layers, layers

    def _first(self, source, target):
        """The first layer's weights, (n_features_in_ + 1, n_hidden): blocks of columns, averaged."""
        order = np.argsort(-(_occurrences(source) + _occurrences(target)), kind="stable")
        self.features_ = np.sort(order[: self.n_features])
        n_blocks, k = -(-len(order) // self.n_features), len(self.features_)
        n_bytes = 5 * 8 * k**2 + source.dtype.itemsize * len(order) * k
        check_memory(n_bytes, f"Reconstructing {k:,} of {len(order):,} columns", "Lower n_features.")
        weight = np.zeros((len(order) + 1, len(self.features_)), source.dtype)
        for first in range(n_blocks):
            columns = self.features_ if n_blocks == 1 else np.sort(order[first::n_blocks])
            block = self._weight([source, target], columns, self.features_) / n_blocks
            weight[columns] = block[:-1]
            weight[-1] += block[-1]
        return weight

    def _weight(self, rows, columns, features):
        """The transpose of W, (n_columns + 1, n_features): from columns and a one to features."""
        for dtype in dict.fromkeys([rows[0].dtype.type, np.float64]):
            weight = _solve(*self._equations(rows, columns, features, dtype), dtype)
            if weight is not None:
                return weight
        raise ValueError(
            f"Got noise={self.noise} and reg={self.reg}, but columns depend on one another too closely "
            "for one reconstruction. Raise noise or reg."
        )

    def _equations(self, rows, columns, features, dtype):
        """E[Q], and the transpose of E[P]."""
        inputs = _scatter(rows, columns, columns, dtype)
        outputs = inputs if features is columns else _scatter(rows, columns, features, dtype)
        kept = np.append(np.full(len(columns), 1 - self.noise), 1)
        outputs = outputs[:, :-1] * kept[:, None]
        diagonal = inputs.diagonal() * kept + self.reg
        inputs *= kept * kept[:, None]
        np.fill_diagonal(inputs, diagonal)
        return inputs, outputs


def denoise(X, weight, out=None):
    """tanh([x, 1] @ weight) for each row x, dense or sparse; block by block, dense of the dtype of X."""
    out = np.empty((X.shape[0], weight.shape[1]), X.dtype) if out is None else out
    for start in range(0, len(out), ROWS):
        block = slice(start, start + ROWS)
        np.tanh(X[block] @ weight[:-1] + weight[-1], out=out[block])
    return out


def as_csr(rows, container):
    """Dense rows as csr, zeros included: no search for them."""
    n_rows, width = rows.shape
    indices = np.tile(np.arange(width, dtype=np.int32), n_rows)
    return container((rows.ravel(), indices, np.arange(n_rows + 1) * width), shape=rows.shape)


def _occurrences(X):
    """In how many rows each column is not 0."""
    if not sparse.issparse(X):
        return np.count_nonzero(X, axis=0)
    return np.bincount(X.indices[X.data != 0], minlength=X.shape[1])


def _scatter(rows, left, right, dtype):
    """Sums of products of the columns `left` and of `right`, each with a column of ones at its end.

    Products are in the dtype given, or in that of the rows if it is wider; their sums are in float64.
    """
    total = np.zeros((len(left) + 1, len(right) + 1))
    for X in rows:
        for start in range(0, X.shape[0], ROWS):
            block = X[start : start + ROWS].astype(np.promote_types(X.dtype, dtype), copy=False)
            total[:-1, :-1] += to_dense(block[:, left].T @ block[:, right])
            sums = np.asarray(block.sum(axis=0)).ravel()
            total[:-1, -1] += sums[left]
            total[-1, :-1] += sums[right]
            total[-1, -1] += block.shape[0]
    return total


def _solve(matrix, right, dtype):
    """The solution of a symmetric positive definite system, or None if the dtype is not precise enough.

    Overwrites both. Scaled to a unit diagonal, the matrix is mostly so well conditioned that float32 is
    enough for float32 rows.
    """
    scale = 1 / np.sqrt(matrix.diagonal())
    matrix *= scale * scale[:, None]
    right *= scale[:, None]
    potrf, pocon = get_lapack_funcs(("potrf", "pocon"), dtype=dtype)
    norm = np.abs(matrix).sum(axis=0).max()
    factor, info = potrf(matrix.astype(dtype, order="F"), lower=True, overwrite_a=True)
    if info or not pocon(factor, norm, uplo="L")[0] > _ENOUGH[dtype]:
        return None
    return cho_solve((factor, True), right.astype(dtype, copy=False), overwrite_b=True) * scale[:, None]


def to_dense(X):
    return X.toarray() if sparse.issparse(X) else X
