"""DomainWordEmbedder: word vectors learned from the texts, of which words come near which."""

from collections import Counter
from itertools import chain
from numbers import Integral
from os import PathLike

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.utils._param_validation import Interval, StrOptions

from .._types import FilePath, Seed
from .._words import words_of
from ..word_vectors import WordVectors
from ._base import TwoDomainEmbedder
from ._pooling import POOLINGS
from ._word import WordEmbedder

WINDOW = 20  # words to each side
_CONTEXTS = 2000  # the most frequent words; all of them cost twice the time and gain nothing
_BLOCK = 4096  # words counted at a time
_MOST = 20_000  # texts of both domains that are learned from, evenly spread: a bound on the time
_SMOOTHING = 0.75  # of the contexts' counts


class DomainWordEmbedder(TwoDomainEmbedder, WordEmbedder):
    r"""Embed texts by the mean of word vectors that are learned from them, beside a pretrained table's.

    What a word means in your domains, from the words that come near it there, beside what it means elsewhere:
    the classical counterpart of fine-tuning. It learns from the texts of both domains, without labels. Texts
    are pooled as by WordEmbedder.

    Parameters
    ----------
    vectors : WordVectors, path, name or None, default=None
        The pretrained table. None is the bundled GloVe 6B 50d subset.
    pooling : {"mean", "idf", "sif", "usif", "max", "mean_max_min", "power_means"}, default="mean"
        As in WordEmbedder.
    n_components : int, default=100
        Learned columns; fewer where the texts have fewer words.
    min_count : int, default=2
        How often a word must come to be learned.
    lowercase : bool, default=True
        Lower-case texts before they are cut into words.
    random_state : int, RandomState instance or None, default=0
        Of the singular vectors.
    n_jobs : int or None, default=None
        Threads as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.

    Attributes
    ----------
    vectors_ : WordVectors
        Words that the texts have, the most frequent first; the pretrained columns, zero for words that they
        lack, then the learned.
    weights_, components_, component_strengths_, n_zero_rows_
        As in WordEmbedder.

    See Also
    --------
    WordEmbedder : Pools a table as it is.
    DistilledEmbedder : Learns vectors of words and pairs of words from a teacher.

    Notes
    -----
    With :math:`n_{wc}`, how often the word c comes within 20 words of w, each time weighed by 1 / distance,
    c of the 2,000 most frequent words, :math:`n_w = \sum_c n_{wc}` and :math:`p_c` the share of
    :math:`n_c^{0.75}`: :math:`M_{wc} = \max(0, \ln \frac{n_{wc}}{n_w p_c}) \approx U S V^\top`, and the
    learned vectors are the rows of :math:`U \sqrt S`. Both tables lose their mean and have mean squared
    length 1, words weighed by the logarithm of one more than their count. Of more than 20,000 texts every
    second, or third, and so on, is learned from.

    References
    ----------
    O. Levy, Y. Goldberg, I. Dagan. "Improving distributional similarity with lessons learned from word
    embeddings." TACL 3, 2015.
    P. K. Sarma, Y. Liang, W. Sethares. "Domain adapted word embeddings for improved sentiment
    classification." ACL 2018 (which joins two tables by CCA; side by side was better here).

    Examples
    --------
    >>> from embtransfer import DomainWordEmbedder
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films").data, load_demo_reviews("kitchenware").data
    >>> embedder = DomainWordEmbedder().fit(films, X_target=pans)
    >>> embedder.transform(["A lovely, well balanced knife."]).shape
    (1, 150)
    """

    _parameter_constraints = {
        "vectors": [WordVectors, str, PathLike, None],
        "pooling": [StrOptions(set(POOLINGS))],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "lowercase": ["boolean"],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }
    # of WordEmbedder, as they are by default
    token_pattern, unknown, phrases, sif_a, powers = "words", "skip", False, 1e-3, (1, 3, np.inf, -np.inf)

    def __init__(
        self,
        vectors: WordVectors | FilePath | None = None,
        *,
        pooling: str = "mean",
        n_components: int = 100,
        min_count: int = 2,
        lowercase: bool = True,
        random_state: Seed = 0,
        n_jobs: int | None = None,
    ):
        self.vectors = vectors
        self.pooling = pooling
        self.n_components = n_components
        self.min_count = min_count
        self.lowercase = lowercase
        self.random_state = random_state
        self.n_jobs = n_jobs

    @property
    def partial_fit(self) -> None:  # type: ignore[override]
        raise AttributeError("DomainWordEmbedder learns from all texts at once")

    def _fit(self, texts):
        self.vectors_ = learned_table(super()._load(), texts[:: -(-len(texts) // _MOST)], self)
        super()._fit(texts)

    def _load(self):
        return self.vectors_


def learned_table(pretrained, texts, options) -> WordVectors:
    """A table's columns for the words of these texts, and beside them the learned ones."""
    words, counts, ids, text = numbered(texts, options.min_count, options.lowercase)
    weights = np.log1p(counts)
    near = neighbours(ids, text, len(words), WINDOW, min(_CONTEXTS, len(words)))
    learned = scaled(_associations(near, options.n_components, options.random_state), weights)
    rows = pretrained.rows_of(words)
    known = rows >= 0
    given = np.where(known[:, None], pretrained.matrix[rows], 0).astype(np.float32)
    given = scaled(given, weights * known) * known[:, None]
    return WordVectors(words, np.hstack([given, learned]).astype(np.float32), f"{pretrained.name}, learned")


def numbered(texts, min_count, lowercase):
    """Words by frequency, their counts, and of each token that is one of them its word and its text."""
    cut = [words_of(text, lowercase) for text in texts]
    found = Counter(chain.from_iterable(cut))
    words = sorted(
        (word for word, n in found.items() if n >= min_count), key=lambda word: (-found[word], word)
    )
    if len(words) < 2:
        raise ValueError(
            f"Got {len(texts)} texts in which {len(words)} words of two or more characters come "
            f"min_count={min_count} times. Expected two such words. Give more texts or a lower min_count."
        )
    row_of = {word: row for row, word in enumerate(words)}
    ids = np.array([row_of.get(word, -1) for word in chain.from_iterable(cut)], np.int32)
    text = np.repeat(np.arange(len(cut)), [len(some) for some in cut])
    return words, np.array([found[word] for word in words]), ids, text


def neighbours(ids, text, n_words, window, n_contexts=None):
    """How often each word has each of the first n_contexts near it, weighed by 1 / distance: csr."""
    from ..kernels._near import count_near

    found = []
    for first in range(0, n_words, _BLOCK):
        counts = np.zeros((min(_BLOCK, n_words - first), n_contexts or n_words))
        count_near(ids, text, first, first + len(counts), window, counts)
        found.append(sparse.csr_matrix(counts))
    return sparse.vstack(found, format="csr")


def _associations(near, n_components, random_state):
    """U sqrt(S) of the positive pointwise mutual information."""
    near = near.tocoo()
    context = np.asarray(near.sum(axis=0)).ravel() ** _SMOOTHING
    expected = np.asarray(near.sum(axis=1)).ravel()[near.row] * (context / context.sum())[near.col]
    information = sparse.csr_matrix((np.log(near.data / expected).clip(0), (near.row, near.col)), near.shape)
    svd = TruncatedSVD(min(n_components, *near.shape), n_iter=4, random_state=random_state)
    return svd.fit_transform(information) / np.sqrt(svd.singular_values_).clip(1e-9)


def scaled(matrix, weights):
    """Rows less their mean, of mean squared length 1, as weighed."""
    share = weights / max(weights.sum(), 1e-9)
    centred = matrix - share @ matrix
    return centred / max(np.sqrt(share @ (centred**2).sum(axis=1)), 1e-9)
