"""Distances between domains that a linear model sees, and all of them in a row."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import cross_val_predict

from .._types import Rows
from ..adapters._moments import mean_and_covariance
from ..copies._groups import complete_folds, identical
from ._mmd import mmd
from ._rows import check_domains, stack

_COLUMNS = 512  # of a covariance of sparse rows that are in memory at a time
_ROWS = 1000  # of sparse rows multiplied at a time
_ENTRIES = 1 << 23  # of sparse columns' products in memory at a time, if all are there


def proxy_a_distance(X_source: Rows, X_target: Rows, *, cv: int = 5, random_state: int = 0) -> float:
    r"""Tell how well a linear classifier tells the domains apart.

    Parameters
    ----------
    X_source : array-like or sparse matrix of shape (n_source, n_features)
    X_target : array-like or sparse matrix of shape (n_target, n_features)
    cv : int, default=5
        Folds; fewer where a domain has fewer distinct rows. Each row is predicted by a classifier that has
        seen neither it nor an equal row, or many columns would tell any two samples apart.
    random_state : int, default=0
        Seed of the folds.

    Returns
    -------
    float
        From 0, no better than chance, to 2, told apart without error.

    Raises
    ------
    ValueError
        If the rows hold NaN or infinity, differ in width, or a domain has fewer than two.

    See Also
    --------
    mmd : A distance with a p-value.

    Notes
    -----
    :math:`2 (1 - 2\epsilon)`, no less than 0, with :math:`\epsilon` the mean of the error on source rows and
    that on target rows, so that a domain with many rows counts as much as one with few. The classifier
    is logistic regression (C=10, domains weighted equally) on rows that are centred, unless sparse, and
    divided by the root of their total variance: the distance does not change with the unit of the rows.

    References
    ----------
    S. Ben-David, J. Blitzer, K. Crammer, F. Pereira. "Analysis of representations for domain adaptation."
    NIPS 2007.
    S. Ben-David, J. Blitzer, K. Crammer, A. Kulesza, F. Pereira, J. Wortman Vaughan. "A theory of learning
    from different domains." Machine Learning 79, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import proxy_a_distance
    >>> rng = np.random.default_rng(0)
    >>> round(proxy_a_distance(rng.normal(size=(100, 2)), rng.normal(size=(200, 2)) + 9), 2)
    2.0
    """
    X_source, X_target = check_domains(X_source, X_target, min_rows=2)
    if cv < 2:
        raise ValueError(f"Got cv={cv!r}. Expected at least 2 folds.")
    X = stack(X_source, X_target)
    domain = np.repeat([0, 1], [X_source.shape[0], X_target.shape[0]])
    splits = complete_folds(domain, identical(X), cv, random_state)
    if not splits:  # a domain is one row, again and again: there is nothing to hold out
        splits = complete_folds(domain, np.arange(len(domain)), cv, random_state)
    mean = np.asarray(X.mean(axis=0, dtype=np.float64)).ravel()
    if not sp.issparse(X):
        X -= mean.astype(X.dtype)
        mean[:] = 0
    squares = X.data if sp.issparse(X) else X.ravel()
    variance = np.vdot(squares, squares) / len(domain) - mean @ mean
    X *= X.dtype.type(1 / np.sqrt(variance) if variance > 0 else 1)
    classifier = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    error = 1 - balanced_accuracy_score(domain, cross_val_predict(classifier, X, domain, cv=splits))
    return float(max(0.0, 2 * (1 - 2 * error)))


def covariance_distance(X_source: Rows, X_target: Rows, *, relative: bool = False) -> float:
    r"""Measure how far the covariances of the domains are apart: the CORAL loss.

    Parameters
    ----------
    X_source : array-like or sparse matrix of shape (n_source, n_features)
    X_target : array-like or sparse matrix of shape (n_target, n_features)
    relative : bool, default=False
        Whether to divide by the covariances' own size, which makes embeddings of different scale and
        width comparable.

    Returns
    -------
    float
        0 where the covariances are equal; at most 1 if relative.

    Raises
    ------
    ValueError
        If the rows hold NaN or infinity, differ in width, or a domain has fewer than two.

    See Also
    --------
    CORAL : The adapter that makes it 0.

    Notes
    -----
    :math:`\|C_s - C_t\|_F^2 / (4 d^2)`, or relative
    :math:`\|C_s - C_t\|_F^2 / (\|C_s\|_F^2 + \|C_t\|_F^2)`, with covariances divided by n - 1. It is above 0
    by chance too where rows are few. The covariance of sparse rows is never in memory as a whole.

    References
    ----------
    B. Sun, K. Saenko. "Deep CORAL: correlation alignment for deep domain adaptation." ECCV Workshops 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import covariance_distance
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> covariance_distance(X, X + 1) < 1e-20, round(covariance_distance(X, 2 * X, relative=True), 3)
    (True, 0.529)
    """
    X_source, X_target = check_domains(X_source, X_target, min_rows=2)
    if sp.issparse(X_source) or sp.issparse(X_target):
        X_source, X_target = sp.csr_matrix(X_source), sp.csr_matrix(X_target)
        n, d = X_source.shape[0] + X_target.shape[0], X_source.shape[1]
        if min(n**2, _products_of_columns(X_source, X_target)) < d**2:  # or else by whole covariances
            apart, own = _of_wide(X_source, X_target)
            size = own if relative else 4 * X_source.shape[1] ** 2
            return float(apart / size) if size > 0 else 0.0
    parts = zip(_covariances(X_source), _covariances(X_target), strict=True)
    sums = np.sum([[np.sum((s - t) ** 2), np.sum(s**2) + np.sum(t**2)] for s, t in parts], axis=0)
    size = sums[1] if relative else 4 * X_source.shape[1] ** 2
    return float(sums[0] / size) if size > 0 else 0.0


def _of_wide(source, target):
    """|C_s - C_t|^2 and |C_s|^2 + |C_t|^2 of sparse rows, without d x d numbers.

    By products of rows, in time of their square, or of columns that meet in a row, in time of the rows:
    whichever are fewer.
    """
    if (source.shape[0] + target.shape[0]) ** 2 > _products_of_columns(source, target):
        return _by_columns(source, target)
    own = _inner(source, source) + _inner(target, target)
    return max(own - 2 * _inner(source, target), 0.0), own


def _products_of_columns(source, target):
    """How many pairs of columns meet in the rows."""
    return sum(np.sum(np.diff(X.indptr).astype(np.float64) ** 2) for X in (source, target))


def _by_columns(source, target):
    """The same, with C = S - c m m', S = X'X / (n - 1): its squares from those of S, which is sparse."""
    used = np.unique(np.concatenate([source.indices, target.indices]))
    rows = [X.astype(np.float64)[:, used] for X in (source, target)]
    weights = np.array([1 / (X.shape[0] - 1) for X in rows])
    means = np.stack([np.asarray(X.mean(axis=0)).ravel() for X in rows])
    factors = np.array([X.shape[0] for X in rows]) * weights
    columns, squares = [X.tocsc() for X in rows], np.zeros(3)
    width = max(_ENTRIES // max(len(used), 1), 1)
    for start in range(0, len(used), width):
        block = slice(start, start + width)
        s, t = (w * (C[:, block].T.tocsr() @ X) for w, C, X in zip(weights, columns, rows, strict=True))
        squares += [np.sum(part.data**2) for part in (s - t, s, t)]
    # |S + sum_k c_k m_k m_k'|^2 = |S|^2 + 2 sum_k c_k m_k' S m_k + sum_kl c_k c_l (m_k' m_l)^2
    through = np.array(
        [[w * np.sum((X @ m) ** 2) for m in means] for w, X in zip(weights, rows, strict=True)]
    )
    meet = (means @ means.T) ** 2
    found = [
        max(square + 2 * (signs @ through) @ c + c @ meet @ c, 0.0)
        for square, signs in zip(squares, np.array([[1, -1], [1, 0], [0, 1]]), strict=True)
        for c in [-signs * factors]
    ]
    return found[0], found[1] + found[2]


def _inner(one, other):
    """The sum of the products of the entries of two covariances, from sparse rows."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    means = [np.asarray(X.mean(axis=0)).ravel() for X in (one, other)]
    of_other = other @ means[0]
    total = 0.0
    for start in range(0, one.shape[0], _ROWS):
        block = one[start : start + _ROWS]
        products = (block @ other.T).toarray()
        products += means[0] @ means[1] - (block @ means[1])[:, None] - of_other
        total += np.einsum("ij,ij->", products, products)
    return total / ((one.shape[0] - 1) * (other.shape[0] - 1))


def _covariances(X):
    """The covariance of rows, divided by n - 1, as blocks of its rows in float64."""
    n, d = X.shape
    if not sp.issparse(X):
        yield mean_and_covariance(X, 0)[1] * (n / (n - 1))
        return
    X = X.astype(np.float64)
    mean, columns = np.asarray(X.mean(axis=0)).ravel(), X.tocsc()
    for start in range(0, d, _COLUMNS):
        block = slice(start, start + _COLUMNS)
        yield ((columns[:, block].T @ X).toarray() - n * np.outer(mean[block], mean)) / (n - 1)


def domain_shift(X_source: Rows, X_target: Rows, *, random_state: int = 0) -> pd.Series:
    """Measure the distance between the domains in every way of this module.

    Parameters
    ----------
    X_source : array-like or sparse matrix of shape (n_source, n_features)
    X_target : array-like or sparse matrix of shape (n_target, n_features)
    random_state : int, default=0
        Seed of folds and permutations.

    Returns
    -------
    Series of float with the index
        proxy_a_distance : as `proxy_a_distance`
        squared_mmd, mmd_p_value : as `mmd`
        coral_loss : as `covariance_distance`
        covariance_distance : the same, relative

    Raises
    ------
    ValueError
        If the rows hold NaN or infinity, differ in width, or a domain has fewer than two.

    See Also
    --------
    word_shift : Which words make the difference.

    Notes
    -----
    A small distance does not promise that a classifier carries over: the labels may depend on the rows in
    another way.

    Examples
    --------
    >>> from embtransfer import WordEmbedder, domain_shift
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> embedder = WordEmbedder().fit(films.data)
    >>> shift = domain_shift(embedder.transform(films.data), embedder.transform(pans.data))
    >>> bool(shift["proxy_a_distance"] > 1)
    True
    """
    test = mmd(X_source, X_target, random_state=random_state)
    values = {
        "proxy_a_distance": proxy_a_distance(X_source, X_target, random_state=random_state),
        "squared_mmd": test.squared_mmd,
        "mmd_p_value": test.p_value,
        "coral_loss": covariance_distance(X_source, X_target),
        "covariance_distance": covariance_distance(X_source, X_target, relative=True),
    }
    return pd.Series(values)
