"""Ridge regression from the words of texts to vectors, by conjugate gradients in the pooling kernel."""

import numpy as np
from scipy import sparse

from ..kernels._cache_lines import MIN_COLUMNS, aligned

STRENGTHS = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3)  # what "auto" tries, strongest first
_PRECISION = 1e-3  # of each column's residual, as a share of its targets
_MAX_ITERATIONS = 300
_TINY = np.finfo(np.float32).tiny


class WordRidge:
    r"""U = S R' (R S R' + alpha I)^-1 T: vectors of words whose weighted sums over texts are near T.

    R has w_t / sqrt(n) for each of a text's n tokens t. S = diag(own) + b G G' is what is expected of the
    vectors before any text is seen: rows with a vector of their own vary freely, and rows with alike
    pretrained vectors G vary together.

    Parameters
    ----------
    ids, indptr : uint32 (n_tokens,), int64 (n_texts + 1,)
        Rows of the tokens of all texts.
    weights : ndarray of shape (n_rows,), float32
    own : ndarray of shape (n_rows,), bool
    prior : ndarray of shape (n_rows, n_features), float32, or None
        G.
    prior_weight : float
        How much of the texts' rows G explains, beside 1 for diag(own); b follows from it.
    """

    def __init__(self, ids, indptr, weights, own, prior, prior_weight):
        n_tokens = np.diff(indptr)
        self.ids, self.indptr, self.weights, self.own = ids, indptr, weights, own
        self.per_text = (1 / np.sqrt(np.maximum(n_tokens, 1))).astype(np.float32)
        # the same tokens sorted by row, as rows of texts
        order = np.argsort(ids, kind="stable")
        self.texts = np.repeat(np.arange(len(n_tokens), dtype=np.uint32), n_tokens)[order]
        self.row_indptr = np.concatenate([[0], np.cumsum(np.bincount(ids, minlength=len(weights)))])
        texts = np.repeat(np.arange(len(n_tokens)), n_tokens)
        counts = sparse.csr_array(
            (np.ones(len(ids), np.float32), (texts, ids)), (len(n_tokens), len(weights))
        )
        explained = self.per_text**2 @ (counts.power(2) @ np.where(own, weights, 0) ** 2)
        self.scale = explained / len(n_tokens) or 1.0  # mean squared length of the rows
        self.prior, self.spread = prior, 0.0
        if prior is not None:
            by_prior = np.sum(self.texts_of(prior) ** 2, dtype=np.float64)
            self.spread = prior_weight * explained / by_prior if by_prior > 0 else 0.0

    def texts_of(self, table):
        """R table: float32 (n_texts, d)."""
        return token_sums(self.ids, self.indptr, table, self.weights) * self.per_text[:, None]

    def rows_of(self, vectors):
        """S R' vectors, float32 (n_rows, d), and the map from G to what it adds, float32 (n_features, d)."""
        rows = token_sums(self.texts, self.row_indptr, vectors, self.per_text)
        rows *= self.weights[:, None]
        if self.prior is None:
            return rows * self.own[:, None], None
        by_prior = np.float32(self.spread) * (self.prior.T @ rows)
        return rows * self.own[:, None] + self.prior @ by_prior, by_prior

    def solve(self, targets, alpha, dual=None):
        """(R S R' + alpha I)^-1 T, float32 (n_texts, d), from a start; `rows_of` it is U.

        targets : float32 (n_texts, d); alpha : as a multiple of the mean squared length of the rows
        """
        alpha = np.float32(alpha * self.scale)
        dual = np.zeros_like(targets) if dual is None else dual.copy()

        def product(vectors):
            return self.texts_of(self.rows_of(vectors)[0]) + alpha * vectors

        residual = targets - product(dual) if dual.any() else targets.copy()
        direction, length = residual.copy(), _dots(residual, residual)
        enough = _PRECISION**2 * _dots(targets, targets)
        for _ in range(_MAX_ITERATIONS):
            going = length > enough  # a column that went on would end in rounding errors
            if not going.any():
                break
            image = product(direction)
            step = np.where(going, length / np.maximum(_dots(direction, image), _TINY), 0)
            dual += step * direction
            residual -= step * image
            length, before = _dots(residual, residual), length
            direction *= np.where(going, length / np.maximum(before, _TINY), 0)
            direction += residual
        return dual


def similarities(ids, indptr, targets, rng, *more):
    """Strength -> cosine between student and teacher over a fifth of the texts, held out, both centred.

    targets : float32 (n_texts, d); more : what WordRidge takes after the tokens
    """
    order = rng.permutation(len(targets))
    n_held = max(len(order) // 5, 1)
    held, kept = np.sort(order[:n_held]), np.sort(order[n_held:])
    student = WordRidge(*_take(ids, indptr, kept), *more)
    wanted = targets[held] - targets[held].mean(axis=0)
    found, dual = {}, None
    for alpha in STRENGTHS:
        dual = student.solve(targets[kept], alpha, dual)
        table = student.rows_of(dual)[0] * student.weights[:, None]
        table, vectors = aligned(table), np.empty((n_held, max(table.shape[1], MIN_COLUMNS)), np.float32)
        text_vectors(*_take(ids, indptr, held), table, vectors)
        vectors = vectors[:, : wanted.shape[1]]
        vectors -= vectors.mean(axis=0)
        lengths = np.sqrt(np.sum(_dots(vectors, vectors)) * np.sum(_dots(wanted, wanted)))
        found[alpha] = float(np.sum(_dots(vectors, wanted)) / lengths) if lengths > 0 else 0.0
    return found


def text_vectors(ids, indptr, table, out):
    """Sum of the rows of each text over the square root of their number, into out, float32 (n_texts, d).

    table: float32 (n_rows, d), d >= 16, see `aligned`
    """
    _means(ids, indptr, table, np.empty(0, np.float32), out)
    out *= np.sqrt(np.diff(indptr))[:, None].astype(np.float32)


def token_sums(ids, indptr, table, weights):
    """Sum of the weighted rows of each text: float32 (n_texts, d)."""
    d = table.shape[1]
    if d < MIN_COLUMNS:
        table = aligned(table)
    out = np.empty((len(indptr) - 1, table.shape[1]), np.float32)
    _means(ids, indptr, table, weights, out)
    out *= np.diff(indptr)[:, None].astype(np.float32)
    return out[:, :d]


def _means(ids, indptr, table, weights, out):
    from ..kernels import _pool

    table, weights = np.ascontiguousarray(table).view(), weights.view()
    table.flags.writeable = weights.flags.writeable = False  # kernels compile for one kind of array
    _pool.pool_rows(ids, indptr, table, weights, False, out)


def _dots(a, b):
    """Products of the columns of two matrices: float32 (d,)."""
    return np.einsum("ij,ij->j", a, b, dtype=np.float64).astype(np.float32)


def _take(ids, indptr, texts):
    """The tokens of some texts."""
    n_tokens = np.diff(indptr)[texts]
    ends = np.concatenate([[0], np.cumsum(n_tokens)])
    return ids[np.arange(ends[-1]) + np.repeat(indptr[texts] - ends[:-1], n_tokens)], ends
