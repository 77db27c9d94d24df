"""Means and covariances of tall matrices, block by block."""

import numpy as np

ROWS = 4096  # rows centred at a time: no centred copy of a whole matrix is ever made


def mean_and_std(X):
    """Mean and standard deviation (divided by n) of each column, float64 (d,); 1 for a constant column."""
    mean = X.mean(axis=0, dtype=np.float64)
    square = np.zeros(X.shape[1])
    for block in _centred(X, mean):
        square += np.einsum("ij,ij->j", block, block, dtype=np.float64)
    std = np.sqrt(square / len(X))
    std[std <= _rounding(X, mean)] = 1.0
    return mean, std


def mean_and_covariance(X, shrinkage):
    """Mean (d,) and covariance (d, d), float64, divided by n and shrunk towards a multiple of the identity.

    (1 - s) C + s tr(C) / d I, where s is the shrinkage; "auto" takes the s of Ledoit and Wolf (2004),
    which needs only the squared norms of the centred rows beside C. Products are in the dtype of X, their
    sums in float64.
    """
    n, d = X.shape
    mean = X.mean(axis=0, dtype=np.float64)
    covariance, fourth = np.zeros((d, d)), 0.0
    for block in _centred(X, mean):
        covariance += block.T @ block
        norms = np.einsum("ij,ij->i", block, block).astype(np.float64)
        fourth += norms @ norms
    covariance /= n
    if covariance.diagonal().max() <= _rounding(X, mean).max() ** 2:
        covariance[:] = 0
    average = np.trace(covariance) / d
    if shrinkage == "auto":
        # beta / delta, both divided by d: how far C is from its expectation, and from the identity
        square = np.sum(covariance**2)
        delta = (square - d * average**2) / d
        beta = min((fourth / n - square) / (n * d), delta)
        shrinkage = beta / delta if beta > 0 and delta > 0 else 0.0
    covariance *= 1 - shrinkage
    covariance.flat[:: d + 1] += shrinkage * average
    return mean, covariance


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


def _rounding(X, mean):
    """What the standard deviation of a constant column may come to, which must not be blown up."""
    relative = 10 * np.finfo(X.dtype).eps + len(X) * np.finfo(np.float64).eps
    return relative * np.abs(mean)
