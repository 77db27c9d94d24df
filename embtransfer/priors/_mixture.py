"""The weights of a mixture that are likeliest by some rows."""

import numpy as np
from scipy.optimize import nnls

_EXACT, _MOST_STEPS = 1e-9, 100  # of a weight; a dozen steps are usual
_LEAST = 1e-300  # of a likelihood, whose logarithm is finite then


def mixture_weights(densities, start):
    r"""Weights w >= 0 of sum 1 that maximise the mean of log(densities @ w).

    Newton's steps under w >= 0, each a least-squares problem of as many rows as weights, halved while they do
    not gain. Unlike expectation maximisation's they are as few where the rows hardly tell the parts apart, or
    a part is absent. Y. Kim and others 2020: see `estimate_priors`.

    Parameters
    ----------
    densities : ndarray of shape (n, n_parts), float64
        At least 0; of each row under each part, up to a factor of the row's.
    start : ndarray of shape (n_parts,)
        Above 0. Parts that the rows do not tell apart keep its proportions.
    """
    weights = start / start.sum()
    likelihood = densities @ weights
    for _ in range(_MOST_STEPS):
        scaled = densities / np.maximum(likelihood, _LEAST)[:, None]
        slope = scaled.mean(axis=0)
        curvature = scaled.T @ scaled / len(densities)
        own = np.diag_indices(len(weights))
        curvature[own] = curvature[own] * (1 + 1e-8) + 1e-12
        root = np.linalg.cholesky(curvature)
        # less 1, the slope of the sum of the weights: so the best have a sum of 1
        linear = np.linalg.solve(root, curvature @ weights + slope - 1)
        wanted = nnls(root.T, linear, maxiter=100 * len(weights))[0]
        step = wanted / wanted.sum() - weights
        gain, ahead, length = slope @ step, densities @ step, 1.0
        while np.abs(length * step).max() > _EXACT:
            following = np.maximum(likelihood + length * ahead, _LEAST)
            if np.log(following / np.maximum(likelihood, _LEAST)).mean() >= 1e-4 * length * gain:
                break
            length /= 2
        else:
            break
        weights, likelihood = weights + length * step, following
    return np.maximum(weights, 0.0)
