"""Maximum mean discrepancy: a kernel two-sample test."""

from typing import Literal, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics.pairwise import euclidean_distances, linear_kernel

from .._names import check_name
from .._types import Rows
from ..copies._groups import identical
from ..system._memory import check_memory
from ._rows import check_domains, stack


class MMDResult(NamedTuple):
    """Squared maximum mean discrepancy, its p-value, and the gamma of the kernel (None: no gamma)."""

    squared_mmd: float
    p_value: float
    gamma: float | None


def mmd(
    X_source: Rows,
    X_target: Rows,
    *,
    kernel: Literal["rbf", "linear"] = "rbf",
    gamma: float | None = None,
    n_permutations: int = 200,
    max_rows: int = 1000,
    random_state: int = 0,
) -> MMDResult:
    r"""Test whether both domains have the same distribution, by maximum mean discrepancy.

    Parameters
    ----------
    X_source : array-like or sparse matrix of shape (n_source, n_features)
    X_target : array-like or sparse matrix of shape (n_target, n_features)
    kernel : {"rbf", "linear"}, default="rbf"
        "rbf", :math:`\exp(-\gamma \|x - y\|^2)`, sees any difference; "linear" that of the means alone.
    gamma : float, default=None
        None is the median heuristic, :math:`1 / (2 m)` with m the median of the squared distances
        between all rows used: it needs no choice.
    n_permutations : int, default=200
        Random relabellings of the distinct rows that the p-value is counted from. The smallest p-value is
        1 / (n_permutations + 1).
    max_rows : int, default=1000
        Rows used of each domain, drawn at random where it has more: time and memory grow with their square.
    random_state : int, default=0
        Seed of both draws.

    Returns
    -------
    MMDResult
        Named tuple of `squared_mmd`, the unbiased estimate, which may be below 0; `p_value`; `gamma`.

    Raises
    ------
    ValueError
        If the rows hold NaN or infinity, differ in width, or a domain has fewer than two; if a parameter is
        out of range.

    See Also
    --------
    proxy_a_distance : What a linear classifier sees of the difference.

    Notes
    -----
    .. math::

        \frac{\sum_{i \ne j} k(x_i, x_j)}{n (n - 1)} + \frac{\sum_{i \ne j} k(y_i, y_j)}{m (m - 1)}
        - \frac{2 \sum_{i, j} k(x_i, y_j)}{n m}

    Equal rows of a domain are one draw, of so many times the weight: a pair of them does not count, and they
    are relabelled together. The linear kernel is of rows less the mean of all. The kernel matrix is computed
    once; all permutations are products of it with matrices of weights.

    References
    ----------
    A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Schölkopf, A. Smola. "A kernel two-sample test." Journal of
    Machine Learning Research 13, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import mmd
    >>> rng = np.random.default_rng(0)
    >>> mmd(rng.normal(size=(100, 2)), rng.normal(size=(150, 2)) + 1).p_value < 0.01
    True
    """
    check_name("kernel", kernel, ["rbf", "linear"])
    if gamma is not None and not gamma > 0:
        raise ValueError(f"Got gamma={gamma!r}. Expected a number above 0, or None.")
    if n_permutations < 1 or max_rows < 2:
        raise ValueError(
            f"Got n_permutations={n_permutations!r} and max_rows={max_rows!r}. Expected at least 1 and 2."
        )
    rng = np.random.default_rng(random_state)
    domains = check_domains(X_source, X_target, min_rows=2)
    drawn = [_draw(X, max_rows, rng) for X in domains]
    (source, of_source), (target, of_target) = _distinct(*drawn)
    X = stack(source, target)
    check_memory(9 * 8 * X.shape[0] ** 2, f"The kernel matrix of {X.shape[0]:,} rows", "Lower max_rows.")
    if kernel == "linear":
        gram, gamma = _centred_products(X), None
    else:
        gram = euclidean_distances(X, squared=True).astype(np.float64)
        gamma = _median_heuristic(gram) if gamma is None else float(gamma)
        np.exp(np.multiply(gram, -gamma, out=gram), out=gram)
    np.fill_diagonal(gram, 0)
    order = np.repeat(np.arange(X.shape[0])[:, None], n_permutations + 1, axis=1)
    order[:, 1:] = rng.permuted(order[:, 1:], axis=0)
    of_source, of_target = np.append(of_source, 0 * of_target), np.append(0 * of_source, of_target)
    values = _unbiased(gram, of_source[order], of_target[order])
    # relabellings that come to the same value but for rounding count as reaching it
    reached = values[1:] >= values[0] - 1e-9 * np.abs(values).max()
    return MMDResult(float(values[0]), float((1 + reached.sum()) / (1 + n_permutations)), gamma)


def _draw(X, max_rows, rng):
    return X[rng.permutation(X.shape[0])[:max_rows]] if X.shape[0] > max_rows else X


def _distinct(*domains):
    """The distinct rows of each, and how often they come; all rows, if a domain is one row all over."""
    found = [np.unique(identical(X), return_index=True, return_counts=True)[1:] for X in domains]
    if min(len(first) for first, _ in found) < 2:
        return [(X, np.ones(X.shape[0])) for X in domains]
    return [(X[first], counts.astype(float)) for X, (first, counts) in zip(domains, found, strict=True)]


def _centred_products(X):
    """Of rows less their mean, in float64: products of large numbers would drown what differs."""
    X = X.astype(np.float64)
    if not issparse(X):
        return linear_kernel(X - X.mean(axis=0))
    gram = linear_kernel(X)
    return gram - gram.mean(axis=0) - gram.mean(axis=1)[:, None] + gram.mean()


def _median_heuristic(distances):
    """From squared distances (n, n); where more than half are 0 their mean stands in for the median."""
    above = distances[np.triu_indices_from(distances, 1)]
    typical = np.median(above) or above.mean() or 1.0
    return float(1 / (2 * typical))


def _unbiased(gram, source, target):
    """The unbiased estimate for each column of the domains' weights (n, p); `gram` has a zero diagonal."""

    def mean(one, other, product):
        pairs = one[:, 0].sum() * other[:, 0].sum() - one[:, 0] @ other[:, 0]
        return np.einsum("ij,ij->j", one, product) / pairs

    by_source, by_target = gram @ source, gram @ target
    within = mean(source, source, by_source) + mean(target, target, by_target)
    return within - 2 * mean(source, target, by_target)
