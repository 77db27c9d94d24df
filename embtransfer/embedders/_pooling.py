"""How the vectors of a text's words become one: published weights, and the common component.

A pooled text is sum(w_t v_t) / z over its known tokens t. "mean": w = 1, z the number of tokens.
"idf": w the inverse document frequency, z the sum of the weights. "sif": w = a / (a + p), z the number of
tokens, then the projection on the common component taken away.
"""

import numpy as np


def idf_weights(document_counts: np.ndarray, n_documents: int) -> np.ndarray:
    """ln((1 + n) / (1 + df)) + 1: the smoothed form of scikit-learn's TfidfTransformer; float32 (V,)."""
    return (np.log((1 + n_documents) / (1 + document_counts)) + 1).astype(np.float32)


def sif_weights(term_counts: np.ndarray, a: float) -> np.ndarray:
    """a / (a + p(w)), p the share of all tokens (Arora, Liang, Ma, ICLR 2017, equation 3); float32 (V,)."""
    share = term_counts / max(term_counts.sum(), 1)
    return (a / (a + share)).astype(np.float32)


def common_component(vectors: np.ndarray) -> np.ndarray:
    """First right singular vector of the texts' matrix, not centred; float32 (d,), zero if all rows are.

    It is the leading eigenvector of the d x d Gram matrix; its sign is fixed for reproducibility.
    """
    gram = vectors.T.astype(np.float64) @ vectors
    if not gram.any():
        return np.zeros(vectors.shape[1], np.float32)
    component = np.linalg.eigh(gram)[1][:, -1]
    return (component * np.sign(component[np.abs(component).argmax()])).astype(np.float32)


def remove_component(vectors: np.ndarray, component: np.ndarray) -> np.ndarray:
    """v - (v . u) u for each row v, in place."""
    vectors -= np.outer(vectors @ component, component)
    return vectors
