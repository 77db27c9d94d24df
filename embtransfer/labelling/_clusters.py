"""Clusters of rows, dense or sparse, in time linear in them."""

import warnings

import numpy as np
from scipy import sparse
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

N_LEARNED = 5000  # rows from which the directions of sparse ones are learned
N_DIRECTIONS = 50


def clusters(rows, n_clusters, rng, weights=None):
    """Each row's cluster, and its distance from the centre relative to the farthest row's: two (n_rows,)."""
    model = MiniBatchKMeans(n_clusters, n_init=1, random_state=rng)
    with warnings.catch_warnings():  # fewer distinct rows than clusters
        warnings.simplefilter("ignore", ConvergenceWarning)
        cluster = model.fit_predict(rows, sample_weight=weights)
    away = np.linalg.norm(rows - model.cluster_centers_[cluster], axis=1)
    return cluster, away / max(away.max(), np.finfo(away.dtype).tiny)


def short(rows, rng):
    """Dense rows of length 1; of sparse ones the leading directions of their TF-IDF."""
    if not sparse.issparse(rows):
        rows = np.asarray(rows, np.float64)
        return normalize(rows - rows.mean(axis=0))
    some = rng.permutation(rows.shape[0])[:N_LEARNED]
    common = np.flatnonzero(np.bincount(rows[some].indices, minlength=rows.shape[1]) > 1)
    if len(common) == 0:  # texts that have no word in common
        return np.zeros((rows.shape[0], 1))
    if len(common) <= N_DIRECTIONS:
        return normalize(rows[:, common].toarray().astype(np.float64))
    rows = TfidfTransformer(sublinear_tf=True).fit(rows[:, common]).transform(rows[:, common])
    return normalize(TruncatedSVD(N_DIRECTIONS, random_state=rng).fit(rows[some]).transform(rows))
