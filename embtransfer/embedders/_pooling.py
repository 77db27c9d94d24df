r"""How the vectors of a text's words become one: published weights, and the common components.

With vectors :math:`v_t` of the tokens :math:`t` of a text that the table knows, :math:`n` of them:

- "mean": :math:`\frac{1}{n}\sum_t v_t`
- "idf": :math:`\sum_t w_t v_t / \sum_t w_t`, :math:`w = \ln\frac{1 + N}{1 + df} + 1`
- "sif": :math:`\frac{1}{n}\sum_t w_t v_t`, :math:`w = a / (a + p)`,
  less its projection on the common component
- "usif": :math:`\frac{1}{n}\sum_t w_t v_t`, :math:`w = a / (a / 2 + p)`,
  less a part of its projections on five components
- "max", "mean_max_min", "power_means": :math:`(\frac{1}{n}\sum_t v_t^p)^{1/p}` for each power, side by side
"""

import numpy as np

POOLINGS = ("mean", "idf", "sif", "usif", "max", "mean_max_min", "power_means")
POWERS = {"max": (np.inf,), "mean_max_min": (1, np.inf, -np.inf)}
N_COMPONENTS = {"sif": 1, "usif": 5}  # common components taken away


def idf_weights(document_counts: np.ndarray, n_documents: int) -> np.ndarray:
    """ln((1 + n) / (1 + df)) + 1: the smoothed form of scikit-learn's TfidfTransformer; float32 (V,)."""
    return (np.log((1 + n_documents) / (1 + document_counts)) + 1).astype(np.float32)


def sif_weights(term_counts: np.ndarray, a: float) -> np.ndarray:
    """a / (a + p(w)), p the share of all tokens (Arora, Liang, Ma, ICLR 2017, equation 3); float32 (V,)."""
    share = term_counts / max(term_counts.sum(), 1)
    return (a / (a + share)).astype(np.float32)


def usif_weights(term_counts: np.ndarray, n_documents: int) -> np.ndarray:
    """a / (a / 2 + p(w)) (Ethayarajh, RepL4NLP 2018); float32 (V,).

    a = (1 - alpha) / (alpha Z), Z = V / 2, alpha the share of words with p(w) > 1 - (1 - 1 / V) ** n: those
    expected in a text of average length n; it and 1 - alpha are at least 1 / V. V counts the words that were
    seen. Vectors keep their lengths, which are weights too in tables trained for the mean: on the development
    set of the STS Benchmark unit lengths are worth +0.3 points with GloVe and -2.8 with wordllama.
    """
    n_tokens = float(max(int(term_counts.sum()), 1))
    n_seen = float(max(int(np.count_nonzero(term_counts)), 1))
    share = term_counts / n_tokens
    threshold = 1 - (1 - 1 / n_seen) ** (n_tokens / max(n_documents, 1))
    alpha = max(int(np.count_nonzero(share > threshold)), 1) / n_seen
    a = max(1 - alpha, 1 / n_seen) / (alpha * n_seen / 2)
    return (a / (a / 2 + share)).astype(np.float32)


def common_components(gram: np.ndarray, pooling: str) -> tuple[np.ndarray, np.ndarray]:
    """Right singular vectors of the texts' matrix, not centred, from its Gram matrix (d, d).

    Returns components float32 (m, d), zeros where the texts span fewer, and how much of each is taken
    away, float32 (m,): all for "sif", its share of the m squared singular values for "usif". Signs are
    fixed for reproducibility.
    """
    m = min(N_COMPONENTS[pooling], len(gram))
    values, vectors = np.linalg.eigh(gram)
    values, components = values[::-1][:m].clip(0), vectors.T[::-1][:m]
    components = components * np.sign(components[np.arange(m), np.abs(components).argmax(axis=1)])[:, None]
    components[values <= values[0] * 1e-12] = 0
    strengths = np.ones(m) if pooling == "sif" else values / max(values.sum(), np.finfo(float).tiny)
    return components.astype(np.float32), strengths.astype(np.float32)


def remove_components(vectors: np.ndarray, components: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """v - sum_i s_i (v . c_i) c_i for each row v, in place."""
    with np.errstate(invalid="ignore"):  # of finite numbers: BLAS, which pads single rows, flags it at times
        vectors -= (vectors @ components.T * strengths) @ components
    return vectors
