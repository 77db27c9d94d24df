"""How much denser the target is than the source at each source row: p_target(x) / p_source(x)."""

import warnings
from typing import Literal

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import pairwise_distances_argmin
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import check_array

from .._names import check_name
from .._rows import check_columns, stack_rows, summed
from .._types import Rows, Seed
from ..copies._groups import complete_folds, identical
from ..priors._mixture import mixture_weights
from ._base import _DTYPES

METHODS = ("classifier", "kliep", "kmm", "nearest")
_FOLDS = 5
_STRENGTHS = 10.0 ** np.arange(-2, 4)  # C of the domain classifier, for rows of norm about 1
_WIDTHS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # of KLIEP's kernel, in median distances
_CENTERS = 100  # of KLIEP's kernel, as in the paper


def density_ratio(
    X_source: Rows,
    X_target: Rows,
    method: Literal["classifier", "kliep", "kmm", "nearest"] = "classifier",
    *,
    max_rows: int = 1000,
    random_state: Seed = 0,
) -> np.ndarray:
    r"""Estimate p_target(x) / p_source(x) at each source row.

    Parameters
    ----------
    X_source : {array-like, sparse matrix} of shape (n_source, n_features)
    X_target : {array-like, sparse matrix} of shape (n_target, n_features)
    method : {"classifier", "kliep", "kmm", "nearest"}, default="classifier"
        "classifier": the odds that a row is of the target, by logistic regression. It alone of the four
        scales to sparse rows of many columns, which have no meaningful distances: hence the default.
        "kliep": a sum of Gaussian kernels at target rows. "kmm": kernel mean matching. "nearest": how many
        target rows have the row as their nearest.
    max_rows : int, default=1000
        Rows of a domain that the kernel methods take together, in time and memory of its square.
    random_state : int, RandomState instance or None, default=0
        For folds and subsamples.

    Returns
    -------
    ndarray of shape (n_source,), float64
        At least 0, with mean 1, as the true ratio has under the source.

    Raises
    ------
    ValueError
        If there is no method of that name, or the domains differ in width.

    See Also
    --------
    ImportanceWeightedClassifier : Fits a classifier on rows weighted so.

    Notes
    -----
    "classifier": :math:`\frac{n_s}{n_t} \frac{p(target | x)}{p(source | x)}`, each row judged by a classifier
    that saw neither it nor an equal row; of six regularisation strengths the one of least log-loss on
    held-out rows, domain labels being all it needs. With fewer than two distinct rows in a domain the weights
    are 1.

    "kliep": :math:`\sum_l a_l \exp(-|x - c_l|^2 / 2 s^2)` with at most 100 target rows as centres; maximises
    the mean logarithm over target rows with mean 1 over source rows, and chooses s by the same quantity on
    held-out target rows, equal ones together. The fit sees at most `max_rows` rows of each domain; all rows
    are weighted. The problem is that of the weights of a mixture.

    "kmm": :math:`\min_w \frac12 w^T K w - k^T w` with :math:`w \ge 0` and mean 1, K the Gaussian kernel
    between source rows and :math:`k_i = \frac{n_s}{n_t} \sum_j k(x_i, t_j)`, its width the median distance
    between source and target rows; solved by accelerated projected gradient. The source is cut at random
    into parts of at most `max_rows` rows, each matched to a sample of `max_rows` target rows by itself.

    "nearest": the number of target rows nearest to the row; equal rows share theirs. It compares all source
    rows with all target rows, a block at a time. Many weights are 0: `ImportanceWeightedClassifier` draws
    them half way to 1.

    The other three are linear in rows. The weights of "kmm" and "nearest" are right on the average of
    neighbouring rows, not one by one, and so leave a smaller effective sample. Kernels and
    distances take the rows as they are: scale the columns first.

    References
    ----------
    S. Bickel, M. Brueckner, T. Scheffer. "Discriminative learning under covariate shift." JMLR 10, 2009.
    M. Sugiyama et al. "Direct importance estimation for covariate shift adaptation." Annals of the
    Institute of Statistical Mathematics 60, 2008.
    J. Huang, A. Gretton, K. Borgwardt, B. Schoelkopf, A. Smola. "Correcting sample selection bias by
    unlabeled data." NIPS 2006.
    M. Loog. "Nearest neighbor-based importance weighting." MLSP 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import density_ratio
    >>> rng = np.random.default_rng(0)
    >>> weights = density_ratio(rng.normal(0, 1, (500, 1)), rng.normal(1, 1, (500, 1)))
    >>> weights.shape, float(weights.mean().round(6))
    ((500,), 1.0)
    """
    check_name("method", method, METHODS)
    check_columns(X_source, X_target)
    source, target = (
        summed(check_array(rows, dtype=_DTYPES, accept_sparse="csr", input_name=name))
        for rows, name in ((X_source, "X_source"), (X_target, "X_target"))
    )
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"X_target has {target.shape[1]} features, but X_source has {source.shape[1]}. "
            "Send source and target through the same steps."
        )
    rng = check_random_state(random_state)
    if method == "classifier":
        weights = _classifier(source, target, rng)
    elif method == "kliep":
        weights = _kliep(source, target, max_rows, rng)
    elif method == "kmm":
        weights = _kmm(source, target, max_rows, rng)
    else:
        weights = _nearest(source, target)
    return weights / weights.mean()


def learning_weights(X_source, X_target, method, **options):
    """The ratio as learners and scores take it: of nearest neighbours, rough as counts are, half way to 1."""
    ratio = density_ratio(X_source, X_target, method, **options)
    return (ratio + 1) / 2 if method == "nearest" else ratio


def _nearest(source, target):
    counts = np.bincount(pairwise_distances_argmin(target, source), minlength=source.shape[0])
    groups = identical(source)
    return (np.bincount(groups, weights=counts) / np.bincount(groups))[groups]


def _classifier(source, target, rng):
    n_source, n_target = source.shape[0], target.shape[0]
    rows = stack_rows(source, target)
    is_target = np.arange(n_source + n_target) >= n_source
    splits = complete_folds(is_target, identical(rows), _FOLDS, rng)
    if not splits:
        return np.ones(n_source)
    if issparse(rows):
        norm = np.sqrt(rows.multiply(rows).sum() / rows.shape[0])
    else:
        rows -= rows.mean(axis=0, dtype=np.float64).astype(rows.dtype)
        norm = np.sqrt(np.einsum("ij,ij->", rows, rows, dtype=np.float64) / len(rows))
    rows = rows / rows.dtype.type(norm or 1)
    odds, least = None, np.inf
    for strength in _STRENGTHS:
        held_out = np.empty(len(is_target))  # log-odds
        for train, test in splits:
            model = LogisticRegression(C=strength, max_iter=300)
            with warnings.catch_warnings():  # short of the optimum the loss on held-out rows still holds
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(rows[train], is_target[train])
            # folds hold the domains in slightly other shares: all odds as if these were equal
            share = is_target[train].mean()
            held_out[test] = model.decision_function(rows[test]) - np.log(share / (1 - share))
        in_shares = held_out + np.log(n_target / n_source)
        loss = np.logaddexp(0, np.where(is_target, -in_shares, in_shares)).mean()
        if loss < least:
            odds, least = held_out[:n_source], loss
    return np.exp(odds - odds.max())


def _sample(rows, n, rng):
    if rows.shape[0] <= n:
        return rows
    return rows[np.sort(rng.choice(rows.shape[0], n, replace=False))]


def _kliep(source, target, max_rows, rng):
    sample = _sample(target, max_rows, rng)
    centers = _sample(sample, _CENTERS, rng)
    from_source, from_target = (
        euclidean_distances(rows, centers, squared=True).astype(np.float64, copy=False)
        for rows in (_sample(source, max_rows, rng), sample)
    )
    median = np.median(from_source) or 1.0
    groups = identical(sample)
    fold = (rng.permutation(groups.max() + 1) % _FOLDS)[groups]
    best, gamma = -np.inf, 0.5 / median
    for width in _WIDTHS if groups.max() + 1 >= _FOLDS else ():
        at_source = np.exp(-from_source / (2 * width**2 * median)).mean(axis=0)
        kernel = np.exp(-from_target / (2 * width**2 * median))
        score = 0.0
        for held_out in range(_FOLDS):
            test = fold == held_out
            score += _log(kernel[test] @ mixture(kernel[~test], at_source)).sum()
        if score > best:
            best, gamma = score, 0.5 / (width**2 * median)
    coefficients = mixture(np.exp(-gamma * from_target), np.exp(-gamma * from_source).mean(axis=0))
    weights = np.empty(source.shape[0])
    for block in gen_batches(source.shape[0], 4096):
        weights[block] = rbf_kernel(source[block], centers, gamma=gamma) @ coefficients
    return weights if weights.any() else np.ones_like(weights)


def _log(values):
    return np.log(np.maximum(values, 1e-300))


def mixture(kernel, at_source):
    """Coefficients a >= 0 with at_source @ a == 1 that maximise the mean of log(kernel @ a).

    With a_l = p_l / at_source_l it is the maximum likelihood of mixture weights p.
    """
    reached = at_source > 1e-12  # a centre with no source row near could only blow weights up
    coefficients = np.zeros(len(at_source))
    if reached.any():
        ratios = kernel[:, reached] / at_source[reached]
        coefficients[reached] = mixture_weights(ratios, np.ones(ratios.shape[1])) / at_source[reached]
    return coefficients


def _kmm(source, target, max_rows, rng):
    target = _sample(target, max_rows, rng)
    some = _sample(source, max_rows, rng)
    gamma = 0.5 / (np.median(euclidean_distances(some, target, squared=True)) or 1.0)
    n = source.shape[0]
    weights = np.empty(n)
    for part in np.array_split(rng.permutation(n), -(-n // max_rows)):
        rows = source[part]
        linear = len(part) * rbf_kernel(rows, target, gamma=gamma).mean(axis=1)
        weights[part] = match(rbf_kernel(rows, gamma=gamma).astype(np.float64, copy=False), linear)
    return weights


def match(kernel, linear, tol=1e-6, max_iter=2000):
    """Minimise w K w / 2 - linear @ w over w >= 0 with mean 1, to `tol` of the minimum's scale."""
    n = len(linear)
    step = 1 / kernel.sum(axis=1).max()  # row sums of a non-negative matrix bound its eigenvalues
    weights = ahead = np.ones(n)
    momentum = 1.0
    for _ in range(max_iter):
        following = _onto_simplex(ahead - step * (kernel @ ahead - linear), n)
        if (ahead - following) @ (following - weights) > 0:  # past the minimum: start the momentum again
            momentum = 1.0
        longer = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / longer * (following - weights)
        weights, momentum = following, longer
        gradient = kernel @ weights - linear
        if gradient @ weights - n * gradient.min() <= tol * np.abs(linear @ weights):
            break
    return weights


def _onto_simplex(values, total):
    """The nearest point without negative entries that sums to `total`."""
    falling = np.sort(values)[::-1]
    excess = (np.cumsum(falling) - total) / np.arange(1, len(values) + 1)
    return np.maximum(values - excess[np.flatnonzero(falling > excess)[-1]], 0)
