"""DistilledEmbedder: a slow teacher's vectors, learned as one vector a word and a frequent n-gram."""

from numbers import Integral, Real
from os import PathLike
from typing import Literal

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from .._texts import iter_text_chunks
from .._types import Estimator, FilePath
from ..kernels._cache_lines import aligned
from ..word_vectors import WordVectors
from . import _ridge
from ._base import TwoDomainEmbedder, empty_rows
from ._ngrams import NGrams, document_counts, find_words
from ._pooled import for_chunks, table_of
from ._pooling import idf_weights
from ._sentence import SentenceEmbedder

_TRIAL_COMPONENTS = 32  # of the teacher's vectors, by which "auto" compares


class DistilledEmbedder(TwoDomainEmbedder):
    r"""Learn a slow teacher's vectors as one vector for each word and each frequent n-gram of your texts.

    From the unlabelled texts of both domains ridge regression learns vectors whose weighted sum over a text
    is near the teacher's vector of that text. What comes out needs no teacher, embeds some thousand times as
    fast as a sentence model, and carries labels to another domain better than the teacher itself: each
    word's vector is an average over the texts of your domains in which it is used.

    Parameters
    ----------
    teacher : embedder or transformer of texts, default=None
        What is learned: its `fit` and `transform` see the texts of both domains. None is
        SentenceEmbedder(by_sentence=True), multilingual-e5-small, which wants
        `pip install "embtransfer[sentence]"`; `SentenceEmbedder(..., backend="onnx")` wants no torch.
    max_ngram : int, default=2
        Words of the longest n-gram that gets a vector. Pairs of words tell "not good" from "good".
    min_df : int, default=2
        Texts that a word or n-gram must come in; of one text nothing carries over.
    max_features : int, default=200_000
        At most so many words and n-grams of your texts: the most frequent words, then n-grams, shorter
        ones first. Each costs `n_components` numbers, as does each pretrained word.
    n_components : int or None, default=None
        Columns: the teacher's first principal components on your texts. None keeps all columns of the
        teacher.
    alpha : "auto" or float, default="auto"
        Strength of the ridge, as a multiple of the mean squared length of the weighted rows. "auto" learns
        from four fifths of the texts and compares with the teacher on the rest: it takes the strongest of
        100, 30, 10, ..., 0.3 whose similarity to the teacher (the cosine over all centred vectors, in their
        first 32 principal components) is within `tolerance` of the best. Labels play no part.
    tolerance : float in [0, 1), default=0.15
        Share of the best similarity that "auto" gives up for a stronger ridge. 0 imitates the teacher best;
        a stronger ridge averages each word over more texts, which is what carries over to another domain.
    vectors : WordVectors, path, name or None, default="glove-6b-50d-subset"
        Pretrained word vectors in which words that are alike get vectors that are alike, so that words
        that your texts lack have one too. None: such words are left out.
    vectors_weight : float, default=0.1
        How much the pretrained vectors are expected to explain, beside 1 for the words' own vectors.
    lowercase : bool, default=True
        Lower-case texts before they are cut into words.
    n_jobs : int or None, default=None
        Threads as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.
    random_state : int, default=0
        Seed of the texts that "auto" holds out.

    Attributes
    ----------
    vectors_ : WordVectors
        The vectors of all words, weights included: a table like any other.
    ngrams_ : ndarray of shape (n_ngrams, 2), int64
        Each n-gram as the row of its first words and the row of its last word; it is row
        `len(vectors_) + i` itself.
    ngram_vectors_ : ndarray of shape (n_ngrams, n_components), float32
    alpha_ : float
        The strength in use.
    similarities_ : dict of float to float, or None
        Strength -> similarity to the teacher on the texts held out, for "auto".
    mean_ : ndarray of shape (n_teacher,), float32
        The teacher's mean vector, which the student leaves away.
    components_ : ndarray of shape (n_components, n_teacher), float32, or None
        `scale_ * transform(X) @ components_ + mean_` is in the teacher's space.
    scale_ : float
        What all rows were divided by, so that the mean squared length of the texts learned from is 1: those
        of a strong ridge are so short that a classifier's usual regularisation would drown them.
    n_zero_rows_ : int
        Texts without any known word in the latest `fit_transform` or `transform`; 0 after `fit`.

    See Also
    --------
    SentenceEmbedder : The usual teacher.
    WordEmbedder : Takes `vectors_`, without n-grams.

    Notes
    -----
    A text with the words and n-grams :math:`t` (:math:`n` of them) has the vector
    :math:`s = \frac{1}{\sqrt n} \sum_t v_t`, :math:`v_t = w_t u_t`, with
    :math:`w = \ln\frac{1 + N}{1 + df} + 1`. With the rows :math:`R` of these weights and the teacher's
    centred vectors :math:`T`, :math:`U` minimises
    :math:`\|R U - T\|^2 + \alpha \operatorname{tr} U^\top \Sigma^{-1} U`, where
    :math:`\Sigma = I + \beta G G^\top` holds the pretrained vectors :math:`G` of the words. Its solution
    :math:`\Sigma R^\top (R \Sigma R^\top + \alpha I)^{-1} T` comes from conjugate gradients on all columns
    at once, in time and memory linear in the texts. A word that the texts lack has its row of
    :math:`\beta G G^\top R^\top (\ldots)^{-1} T` alone.

    At last all :math:`v_t` are divided by `scale_`.

    Words are those of WordEmbedder: two or more letters and digits in a row, with their combining marks.
    Where both domains matter, give the target to `fit`; in a TransferPipeline that happens by itself.

    References
    ----------
    G. Hinton, O. Vinyals, J. Dean. "Distilling the knowledge in a neural network." arXiv:1503.02531, 2015.
    C. Wieting, M. Bansal, K. Gimpel, K. Livescu. "Towards universal paraphrastic sentence embeddings."
    ICLR 2016 (averages of word vectors that transfer better than deeper models).

    Examples
    --------
    >>> from embtransfer import DistilledEmbedder, WordEmbedder
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films").data, load_demo_reviews("kitchenware").data
    >>> student = DistilledEmbedder(WordEmbedder(pooling="sif")).fit(films, X_target=pans)
    >>> student.transform(["A lovely, well balanced knife."]).shape
    (1, 50)
    """

    _parameter_constraints = {
        "teacher": [HasMethods(["fit", "transform"]), None],
        "max_ngram": [Interval(Integral, 1, None, closed="left")],
        "min_df": [Interval(Integral, 1, None, closed="left")],
        "max_features": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "alpha": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "tolerance": [Interval(Real, 0, 1, closed="left")],
        "vectors": [WordVectors, str, PathLike, None],
        "vectors_weight": [Interval(Real, 0, None, closed="left")],
        "lowercase": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        teacher: Estimator = None,
        *,
        max_ngram: int = 2,
        min_df: int = 2,
        max_features: int = 200_000,
        n_components: int | None = None,
        alpha: float | Literal["auto"] = "auto",
        tolerance: float = 0.15,
        vectors: WordVectors | FilePath | None = "glove-6b-50d-subset",
        vectors_weight: float = 0.1,
        lowercase: bool = True,
        n_jobs: int | None = None,
        random_state: int = 0,
    ):
        self.teacher = teacher
        self.max_ngram = max_ngram
        self.min_df = min_df
        self.max_features = max_features
        self.n_components = n_components
        self.alpha = alpha
        self.tolerance = tolerance
        self.vectors = vectors
        self.vectors_weight = vectors_weight
        self.lowercase = lowercase
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit(self, texts):
        if len(texts) < 2:
            raise ValueError("Got 1 text. Expected at least two to learn from, better thousands.")
        pretrained = None if self.vectors is None else table_of(self.vectors)
        limits = {"min_df": self.min_df, "max_features": self.max_features, "lowercase": self.lowercase}
        words, n_corpus = find_words(texts, pretrained, **limits)
        teacher = SentenceEmbedder(by_sentence=True) if self.teacher is None else clone(self.teacher)
        targets = self._principal(_check_taught(teacher.fit(texts).transform(texts), len(texts)))
        self._found = NGrams.learn(texts, words, n_corpus, longest=self.max_ngram, **limits)
        found = [self._found.rows(chunk) for _, chunk in iter_text_chunks(texts)]
        ids = np.concatenate([ids for ids, _ in found])
        indptr = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(ends) for _, ends in found]))])
        prior = None
        if pretrained is not None:
            prior = np.zeros((len(self._found), pretrained.matrix.shape[1]), np.float32)
            rows = pretrained.rows_of(words._words)
            prior[: len(rows)][rows >= 0] = pretrained.matrix[rows[rows >= 0]]
        weights = idf_weights(document_counts(ids, indptr, len(self._found)), len(texts))
        used, ids = np.unique(ids, return_inverse=True)  # few of the pretrained words come in the texts
        own = (used < n_corpus) | (used >= len(words))
        more = weights[used], own, None if prior is None else prior[used], self.vectors_weight
        ids = ids.astype(np.uint32)
        self.alpha_, self.similarities_ = self.alpha, None
        if self.alpha == "auto":
            rng = check_random_state(self.random_state)
            few = targets @ _axes(targets, _TRIAL_COMPONENTS)  # each strength costs as many columns
            self.similarities_ = _ridge.similarities(ids, indptr, few, rng, *more)
            best = max(self.similarities_.values())
            enough = best - self.tolerance * abs(best)
            self.alpha_ = max(alpha for alpha, found in self.similarities_.items() if found >= enough)
        ridge = _ridge.WordRidge(ids, indptr, *more)
        rows, by_prior = ridge.rows_of(ridge.solve(targets, self.alpha_))
        table = np.zeros((len(self._found), rows.shape[1]), np.float32)
        if by_prior is not None:
            table[:] = prior @ by_prior
        table[used] = rows
        table *= weights[:, None]
        self._n_features_out = table.shape[1]
        self._keep(table)
        self.scale_ = self._mean_length(texts)
        self._keep(table / np.float32(self.scale_))
        self.n_zero_rows_ = 0

    def _keep(self, table):
        """Keep the rows of words and n-grams; `vectors_` and `ngram_vectors_` are its parts, not copies."""
        if not isinstance(self._found, NGrams) or len(table) != len(self._found):
            raise ValueError("Got words, n-grams and rows that contradict one another. The file is damaged.")
        self._table, d = aligned(table), table.shape[1]
        words = self._found.words._words
        self.vectors_ = WordVectors(words, self._table[: len(words), :d], name="distilled")
        self.ngrams_, self.ngram_vectors_ = self._found.ngrams, self._table[len(words) :, :d]

    def _mean_length(self, texts):
        """Root of the mean squared length of the rows of texts; 1 where they are all zero."""
        rows = (self._transform(chunk) for _, chunk in iter_text_chunks(texts))
        square = sum(np.einsum("ij,ij->", part, part, dtype=np.float64) for part in rows) / len(texts)
        return float(np.sqrt(square)) or 1.0

    def _principal(self, taught):
        """The teacher's vectors, centred, in the first principal components."""
        self.mean_ = taught.mean(axis=0)
        self.components_ = None
        taught = taught - self.mean_
        if self.n_components is None or self.n_components >= taught.shape[1]:
            return taught
        self.components_ = _axes(taught, self.n_components).T
        return taught @ self.components_.T

    def _transform(self, texts):
        out = empty_rows(len(texts), self._table.shape[1])
        n_found = np.empty(len(texts), np.int64)

        def embed(start, chunk):
            ids, indptr = self._found.rows(chunk)
            here = slice(start, start + len(chunk))
            n_found[here] = np.diff(indptr)
            _ridge.text_vectors(ids, indptr, self._table, out[here])

        for_chunks(texts, self.n_jobs, embed)
        self.n_zero_rows_ = int(np.count_nonzero(n_found == 0))
        return np.ascontiguousarray(out[:, : self._n_features_out])

    def __getstate__(self):
        state = dict(super().__getstate__())  # it is the embedder's own dictionary
        if "_table" in state:
            state["_table"] = self._table[:, : self._n_features_out]
            for part in ("vectors_", "ngrams_", "ngram_vectors_"):  # see _keep
                del state[part]
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_table" in state:
            self._keep(state["_table"])


def _axes(rows, n):
    """The first n principal axes of centred rows, as columns with a fixed sign: float32 (d, n or d)."""
    _, axes = np.linalg.eigh(rows.T.astype(np.float64) @ rows)
    axes = axes[:, ::-1][:, :n]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.ascontiguousarray(axes, np.float32)


def _check_taught(vectors, n_texts):
    vectors = check_array(vectors, dtype=np.float32, input_name="(the teacher's vectors)")
    if len(vectors) != n_texts:
        raise ValueError(
            f"Got {len(vectors)} vectors from the teacher for {n_texts} texts. Expected one row a text."
        )
    return vectors
