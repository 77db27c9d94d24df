"""DomainWordEmbedder: word vectors learned from the texts, of which words come near which."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from numbers import Integral
from typing import Literal

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.utils._param_validation import Interval, StrOptions

from .._types import FilePath, Seed
from ..word_vectors import WordVectors
from ._base import TwoDomainEmbedder
from ._cutting import cutter
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
    n_components : int, default=100
        Learned columns; fewer where the texts have fewer words.
    min_count : int, default=2
        How often a word must come to be learned.
    pooling, token_pattern, lowercase, sif_a, powers :
        As in WordEmbedder.
    unknown : {"skip", "nearest"}, default="skip"
        What becomes of words that were not learned, as in WordEmbedder.
    phrases : bool, default=False
        Whether neighbouring words that the pretrained table has joined by "_" are learned as one.
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
        **WordEmbedder._parameter_constraints,
        "unknown": [StrOptions({"skip", "nearest"})],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }
    _tells_words = True  # what it tells of the class shares the texts' words tell already

    def __init__(
        self,
        vectors: WordVectors | FilePath | None = None,
        *,
        n_components: int = 100,
        min_count: int = 2,
        pooling: str = "mean",
        token_pattern: str | Callable = "words",
        lowercase: bool = True,
        unknown: Literal["skip", "nearest"] = "skip",
        phrases: bool = False,
        sif_a: float = 1e-3,
        powers: Sequence[float] = (1, 3, np.inf, -np.inf),
        random_state: Seed = 0,
        n_jobs: int | None = None,
    ):
        super().__init__(
            vectors,
            pooling=pooling,
            token_pattern=token_pattern,
            lowercase=lowercase,
            unknown=unknown,
            phrases=phrases,
            sif_a=sif_a,
            powers=powers,
            n_jobs=n_jobs,
        )
        self.n_components = n_components
        self.min_count = min_count
        self.random_state = random_state

    @property
    def partial_fit(self) -> None:  # type: ignore[override]
        raise AttributeError("DomainWordEmbedder learns from all texts at once")

    def _fit(self, texts):
        self.vectors_ = super()._load()  # which knows phrases
        cut = cutter(self.token_pattern, self.lowercase)
        tokens = [cut(text) for text in texts[:: -(-len(texts) // _MOST)]]
        tokens = [self._join_phrases(some) for some in tokens] if self.phrases else tokens
        self.vectors_ = learned_table(self.vectors_, tokens, self)
        super()._fit(texts)

    def _load(self):
        return self.vectors_


def learned_table(pretrained, tokens, options) -> WordVectors:
    """A table's columns for the words of texts, each a list of tokens, and beside them the learned ones."""
    words, counts, ids, text = numbered(tokens, options.min_count)
    weights = np.log1p(counts)
    near = neighbours(ids, text, len(words), WINDOW, min(_CONTEXTS, len(words)))
    learned = scaled(_associations(near, options.n_components, options.random_state), weights)
    rows = pretrained.rows_of(words)
    known = rows >= 0
    given = np.where(known[:, None], pretrained.matrix[rows], 0).astype(np.float32)
    given = scaled(given, weights * known) * known[:, None]
    return WordVectors(words, np.hstack([given, learned]).astype(np.float32), f"{pretrained.name}, learned")


def numbered(tokens, min_count):
    """Words by frequency, their counts, and of each token the number of its word, or -1, and of its text."""
    found = Counter(chain.from_iterable(tokens))
    words = sorted(
        (word for word, n in found.items() if n >= min_count), key=lambda word: (-found[word], word)
    )
    if len(words) < 2:
        raise ValueError(
            f"Got {len(tokens)} texts in which {len(words)} words come min_count={min_count} times. Expected "
            "two such words. Give more texts or a lower min_count."
        )
    row_of = {word: row for row, word in enumerate(words)}
    ids = np.array([row_of.get(word, -1) for word in chain.from_iterable(tokens)], np.int32)
    text = np.repeat(np.arange(len(tokens)), [len(some) for some in tokens])
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
    svd.set_output(transform="default")
    return svd.fit_transform(information) / np.sqrt(svd.singular_values_).clip(1e-9)


def scaled(matrix, weights):
    """Rows less their mean, of mean squared length 1, as weighed."""
    share = weights / max(weights.sum(), 1e-9)
    centred = matrix - share @ matrix
    return centred / max(np.sqrt(share @ (centred**2).sum(axis=1)), 1e-9)
