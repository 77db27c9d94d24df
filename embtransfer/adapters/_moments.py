"""Means and covariances of tall matrices, block by block, that add up over batches."""

import numpy as np

from ..system._memory import check_memory

ROWS = 4096  # rows centred at a time: no centred copy of a whole matrix is ever made


def no_squares(largest, dtype, needs) -> ValueError:
    return ValueError(
        f"Got rows of numbers up to {largest:.3g}, whose squares {dtype} cannot hold, and {needs} them. "
        "Scale the rows, or pass float64."
    )


class Moments:
    """Count, mean and centred sums of rows; `a + b` are those of the rows of both, `a * 2` of each row twice.

    With rows y from which the mean is taken, `scatter` is the sum of y y' (d, d), of the squares of y alone
    (d,), or None; `third` that of |y|^2 y and `fourth` that of |y|^4, which Ledoit-Wolf shrinkage needs.
    All in float64. Sums follow Chan, Golub and LeVeque (1983): no cancellation, so that neither the order nor
    the size of batches matters.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), float32 or float64
        Products are in its dtype, their sums in float64.
    scatter : {"full", "diagonal", None}
    """

    def __init__(self, X, scatter="full"):
        self.count, d = X.shape
        self.dtype = X.dtype.str
        self.mean = X.mean(axis=0, dtype=np.float64)
        self.scatter, self.third, self.fourth = None, None, 0.0
        if scatter == "diagonal":
            self.scatter = np.zeros(d)
            for block in _centred(X, self.mean):
                self.scatter += np.einsum("ij,ij->j", block, block, dtype=np.float64)
        elif scatter == "full":
            # ten of these at a time, measured: both domains', their roots, and what the eigensolver takes
            advice = "Reduce the columns first, as TruncatedSVD(300) does, or use DomainCentering."
            check_memory(10 * 8 * d**2, f"Aligning the covariances of {d:,} columns", advice)
            self.scatter, self.third = np.zeros((d, d)), np.zeros(d)
            with np.errstate(over="ignore", invalid="ignore"):
                for block in _centred(X, self.mean):
                    self.scatter += block.T @ block
                    norms = np.einsum("ij,ij->i", block, block)
                    self.third += norms @ block
                    norms = norms.astype(np.float64)
                    self.fourth += norms @ norms
            if not np.isfinite(self.scatter).all():
                raise no_squares(abs(X).max(), X.dtype, "covariances need")

    def __add__(self, other):
        if np.shape(self.scatter) != np.shape(other.scatter):
            raise ValueError(
                f"Got sums of shape {np.shape(other.scatter)} after {np.shape(self.scatter)}: a parameter "
                "changed since partial_fit began. Call fit first, or clone the adapter."
            )
        both = object.__new__(Moments)
        both.count = self.count + other.count
        both.dtype = min(self.dtype, other.dtype)  # "<f4" before "<f8": no better than the worse of the two
        both.mean = self.mean + (other.mean - self.mean) * (other.count / both.count)
        both.scatter, both.third, both.fourth = (
            None if mine is None else mine + others
            for mine, others in zip(self._about(both.mean), other._about(both.mean), strict=True)
        )
        return both

    def __mul__(self, times):
        scaled = object.__new__(Moments)
        scaled.count, scaled.dtype, scaled.mean = self.count * times, self.dtype, self.mean
        scaled.scatter, scaled.third = (
            None if mine is None else mine * times for mine in (self.scatter, self.third)
        )
        scaled.fourth = self.fourth * times
        return scaled

    def _about(self, centre):
        """`scatter`, `third` and `fourth` of the rows less another centre than their mean."""
        if self.scatter is None:
            return None, None, 0.0
        shift = self.mean - centre
        if self.scatter.ndim == 1:
            return self.scatter + self.count * shift**2, None, 0.0
        trace, length, turned = np.trace(self.scatter), shift @ shift, self.scatter @ shift
        scatter = self.scatter + self.count * np.outer(shift, shift)
        third = self.third + (trace + self.count * length) * shift + 2 * turned
        fourth = self.fourth + 4 * shift @ (self.third + turned) + (2 * trace + self.count * length) * length
        return scatter, third, fourth

    def std(self):
        """Standard deviation (divided by n) of each column; 1 for a constant column."""
        square = self.scatter if self.scatter.ndim == 1 else self.scatter.diagonal()
        std = np.sqrt(square / self.count)
        std[std <= self._rounding()] = 1.0
        return std

    def covariance(self, shrinkage):
        """Covariance (d, d), divided by n and shrunk towards a multiple of the identity.

        (1 - s) C + s tr(C) / d I, where s is the shrinkage; "auto" takes the s of Ledoit and Wolf (2004),
        which needs only the squared norms of the centred rows beside C.
        """
        n, d = self.count, len(self.mean)
        covariance = self.scatter / n
        if covariance.diagonal().max() <= self._rounding().max() ** 2:
            covariance[:] = 0
        average = np.trace(covariance) / d
        if shrinkage == "auto":
            # beta / delta, both divided by d: how far C is from its expectation, and from the identity
            square = np.sum(covariance**2)
            delta = (square - d * average**2) / d
            beta = min((self.fourth / n - square) / (n * d), delta)
            shrinkage = beta / delta if beta > 0 and delta > 0 else 0.0
        covariance *= 1 - shrinkage
        covariance.flat[:: d + 1] += shrinkage * average
        return covariance

    def _rounding(self):
        """What the standard deviation of a constant column may come to, which must not be blown up."""
        relative = 10 * np.finfo(self.dtype).eps + self.count * np.finfo(np.float64).eps
        return relative * np.abs(self.mean)

    def __getstate__(self):
        """A pickle holds one triangle of the symmetric scatter."""
        state = vars(self).copy()
        if np.ndim(self.scatter) == 2:
            state["scatter"] = self.scatter[np.triu_indices(len(self.mean))]
        return state

    def __setstate__(self, state):
        vars(self).update(state)
        if self.third is not None:
            triangle, d = self.scatter, len(self.mean)
            self.scatter = np.zeros((d, d))
            self.scatter[np.triu_indices(d)] = triangle
            self.scatter += np.triu(self.scatter, 1).T


def mean_and_covariance(X, shrinkage):
    """Mean (d,) and covariance (d, d), float64, as in `Moments.covariance`."""
    moments = Moments(X)
    return moments.mean, moments.covariance(shrinkage)


def power(covariance, exponent):
    """A covariance to a power; zeros where it is all zero.

    For negative powers eigenvalues below 1e-6 of the largest are raised to that, so that directions without
    variance are not blown up.
    """
    values, vectors = np.linalg.eigh(covariance)
    if values[-1] <= 0:
        return np.zeros_like(covariance)
    floor = 1e-6 * values[-1] if exponent < 0 else 0
    return (vectors * np.maximum(values, floor) ** exponent) @ vectors.T


def _centred(X, mean):
    mean = mean.astype(X.dtype)
    for start in range(0, len(X), ROWS):
        yield X[start : start + ROWS] - mean
