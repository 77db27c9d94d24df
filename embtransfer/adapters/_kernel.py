"""Kernel features of rows, the maps they give, and the eigenproblem of transfer component analysis."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg import eigh
from sklearn.utils.extmath import row_norms

from ._base import AffineMap
from ._moments import ROWS, no_squares


def blocks(X):
    """Rows in slices, dense or sparse."""
    for start in range(0, X.shape[0], ROWS):
        block = X[start : start + ROWS]
        yield block if sparse.issparse(block) else np.ascontiguousarray(block)


def dense(X):
    return X.toarray() if sparse.issparse(X) else X


def check_squares(name, *domains):
    """Refuse rows whose squared distances their type cannot hold."""
    largest = max(float(abs(block).max()) for X in domains for block in blocks(X))
    kind, square = np.finfo(domains[0].dtype), largest * largest
    most = float(kind.max) / (4 * domains[0].shape[1])
    if largest and not float(kind.tiny) / float(kind.eps) < square < most:
        raise no_squares(largest, kind.dtype, f"{name} needs")


class LinearMap(AffineMap):
    """Rows x -> (x - offset) @ weight, for sparse rows too: x @ weight - offset @ weight."""

    def __call__(self, X):
        if not sparse.issparse(X):
            return super().__call__(X)
        return np.asarray(X @ self.weight.astype(X.dtype)) - (self.offset @ self.weight).astype(X.dtype)


class RBFKernel:
    r"""Rows x -> :math:`\exp(-\gamma \|x - z\|^2)` for each landmark z.

    Parameters
    ----------
    landmarks : {ndarray, sparse matrix} of shape (n_landmarks, n_features)
    gamma : float, or "median": 1 / (2 m), m the median of the squared distances between different landmarks
    """

    def __init__(self, landmarks, gamma):
        # distances come from inner products, which lose digits far from the origin
        self.offset = None if sparse.issparse(landmarks) else landmarks.mean(axis=0)
        self.landmarks = landmarks if self.offset is None else landmarks - self.offset
        self.gamma = gamma
        if gamma == "median":
            squares = self._squares(landmarks.astype(np.float64))[np.triu_indices(landmarks.shape[0], 1)]
            squares = squares[squares > np.finfo(landmarks.dtype).eps * squares.max(initial=0)]
            self.gamma = 1 / (2 * float(np.median(squares))) if squares.size else 1.0

    def _squares(self, X):
        if self.offset is not None:
            X = dense(X) - self.offset.astype(X.dtype)
        landmarks = self.landmarks.astype(X.dtype, copy=False)
        squares = dense(X @ landmarks.T)
        squares *= -2
        squares += row_norms(X, squared=True)[:, None]
        squares += row_norms(landmarks, squared=True)
        return np.maximum(squares, 0, out=squares)

    def __call__(self, X):
        squares = self._squares(X)
        squares *= -self.gamma
        return np.exp(squares, out=squares)


class KernelMap:
    """Rows x -> kernel(x) @ weight - shift, block by block.

    Parameters
    ----------
    kernel : RBFKernel
    weight : ndarray of shape (n_landmarks, n_components)
    shift : ndarray of shape (n_components,)
    """

    def __init__(self, kernel, weight, shift):
        self.kernel = kernel
        self.weight = weight
        self.shift = shift

    def n_outputs(self, n_features):
        return self.weight.shape[1]

    def __call__(self, X):
        weight, shift = self.weight.astype(X.dtype, copy=False), self.shift.astype(X.dtype, copy=False)
        return np.vstack([self.kernel(block) @ weight - shift for block in blocks(X)])


class RowFeatures:
    """The rows themselves: the features of the linear kernel."""

    def __call__(self, X):
        return dense(X)

    def map(self, weight, mean):
        return LinearMap(mean, weight)


class LandmarkFeatures:
    """Rows x -> k(x, Z) K_ZZ^(-1/2): inner products of these are the kernel, exact on the landmarks Z.

    Parameters
    ----------
    landmarks : {ndarray, sparse matrix} of shape (n_landmarks, n_features)
    kernel : RBFKernel, or None for the linear kernel
    offset : ndarray of shape (n_features,), mean of the rows; for the linear kernel alone
    """

    def __init__(self, landmarks, kernel, offset=None):
        self.landmarks = landmarks
        self.kernel = kernel
        self.offset = offset
        values, vectors = eigh(self._kernel(landmarks.astype(np.float64)))
        # rounding of the rows, not structure, lies below this share
        kept = values > len(values) * np.finfo(landmarks.dtype).eps * values[-1]
        self.root = vectors[:, kept] / np.sqrt(values[kept])
        self.rows = vectors[:, kept] * np.sqrt(values[kept])  # the landmarks' own features

    def _kernel(self, X):
        if self.kernel is None:
            return dense(X @ self.landmarks.astype(X.dtype, copy=False).T)
        return self.kernel(X)

    def __call__(self, X):
        root = self.root.astype(X.dtype)
        return np.vstack([self._kernel(block) @ root for block in blocks(X)])

    def map(self, weight, mean):
        # the axes of the features have whatever sign the solver gave them: rows tell that of a component
        outputs = self.rows @ weight - mean @ weight
        weight = weight * np.sign(outputs[np.abs(outputs).argmax(axis=0), np.arange(weight.shape[1])])
        if self.kernel is None:
            return LinearMap(self.offset, np.asarray(self.landmarks.T @ (self.root @ weight)))
        return KernelMap(self.kernel, self.root @ weight, mean @ weight)


class Moments(NamedTuple):
    """Rows, their mean (d,), and their scatter (d, d): the sum of products of centred rows. float64."""

    n: int
    mean: np.ndarray
    scatter: np.ndarray

    def __add__(self, other):
        n, apart = self.n + other.n, other.mean - self.mean
        between = self.n * other.n / n * np.outer(apart, apart)
        return Moments(n, self.mean + other.n / n * apart, self.scatter + other.scatter + between)


def moments(features, X):
    """Moments of features of X, in one pass of blocks; products in the dtype of X, sums in float64."""
    total = None
    for block in map(features, blocks(X)):
        mean = block.mean(axis=0, dtype=np.float64)
        block = block - mean.astype(block.dtype)
        own = Moments(len(block), mean, (block.T @ block).astype(np.float64))
        total = own if total is None else total + own
    return total


class TransferProblem:
    """Directions of large scatter in which the domains' means agree.

    With features F (n, d) of all rows, the kernel K = F F', and differences of means E (d, r): the leading
    eigenvectors w of (K L K + mu I)^-1 K H K, where K L K = F E E' F' has rank r. As the directions are
    v = F'w and |w|^2 = v' (F'F)^+ v at its least, d x d matrices are enough. With B B' = F'F and v = B u it
    is (B'E E'B + mu I)^-1 B' S B u = lambda u, S the scatter; the inverse square root needs r directions.
    """

    def __init__(self, source, target, mu, dtype):
        self.n, self.mean, scatter = source + target
        self.mu = mu
        self.marginal = (source.mean - target.mean)[:, None]
        eps = np.finfo(dtype).eps
        rounding = (10 * eps + self.n * np.finfo(np.float64).eps) * np.abs(self.mean).max()
        if scatter.diagonal().max() <= self.n * rounding**2:  # all rows equal
            scatter = np.zeros_like(scatter)
        values, vectors = eigh(scatter + self.n * np.outer(self.mean, self.mean))
        kept = values > len(values) * eps * max(values[-1], 0)
        self.root = vectors[:, kept] * np.sqrt(values[kept])
        self.scatter = self.root.T @ scatter @ self.root

    def solve(self, differences, n_components):
        """Weights (d, at most n_components) by falling eigenvalues, which the outputs' variances follow."""
        inverse = self._inverse_root(self.root.T @ differences)
        rank = len(inverse)
        if not self.scatter.any():
            return np.zeros((len(self.mean), 1))
        values, vectors = eigh(
            inverse @ self.scatter @ inverse, subset_by_index=[max(rank - n_components, 0), rank - 1]
        )
        values, vectors = values[::-1], vectors[:, ::-1]
        kept = values > 1e-10 * values[0]  # values are squares; what lies below is mostly rounding
        weight = self.root @ (inverse @ vectors[:, kept]) * np.sqrt(self.n / values[kept].mean())
        return weight * np.sign(weight[np.abs(weight).argmax(axis=0), np.arange(weight.shape[1])])

    def _inverse_root(self, differences):
        """(D D' + mu I)^(-1/2)."""
        axes, lengths, _ = np.linalg.svd(differences, full_matrices=False)
        shrink = 1 - np.sqrt(self.mu / (self.mu + lengths**2))
        return (np.eye(len(axes)) - (axes * shrink) @ axes.T) / np.sqrt(self.mu)
