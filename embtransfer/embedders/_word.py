"""WordEmbedder: pooled word vectors."""

import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import pyarrow as pa
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from .._texts import check_texts, iter_text_chunks, text_buffers
from .._types import FilePath, Texts
from ..compiled._vocabulary import Vocabulary
from ..word_vectors import WordVectors
from ._coverage import Coverage
from ._cutting import KERNEL_PATTERNS, cutter, left_out
from ._pooled import PooledEmbedder, keep_tokens, table_of
from ._spelling import nearest_rows

_WARN_FROM, _LOOKED_AT = 20, 1000  # texts that `fit` gets, and of them looked at for known words


class WordEmbedder(PooledEmbedder):
    r"""Embed texts by pooling the vectors of their words.

    A text without any known word gives the zero vector; `fit` warns if those are more than a tenth of twenty
    texts or more.

    Parameters
    ----------
    vectors : WordVectors, path, name or None, default=None
        The table. A path or name is read at `fit` by `WordVectors.load`. None is the bundled GloVe 6B 50d
        subset.
    pooling : {"mean", "idf", "sif", "usif", "max", "mean_max_min", "power_means"}, default="mean"
        "mean" is the plain average, the default as it learns nothing from texts. "idf" weighs each token by
        its word's inverse document frequency, "sif" by smooth inverse frequency [1]_, less the common
        component, "usif" by its variant without a parameter [2]_, less a part of five components: all
        learned from the texts given to `fit`. "max" is the largest value of each column, "mean_max_min"
        three vectors side by side, "power_means" [3]_ those of `powers`.
    token_pattern : {"words", "characters"}, str or callable, default="words"
        What a token is. "words": two or more letters, digits and "_" in a row, with the combining marks and
        zero-width joiners after them, of composed text (NFC); whole runs where a script has no spaces.
        "characters": each letter of such a script (Chinese, Japanese, Thai, Lao, Khmer, Burmese) and each
        symbol, such as an emoji, is a token; other scripts' words as before. Or a regular expression with at
        most one group, which means what `re` makes of it, or a function from a text to a list of str.
        "words" and the likes of r"\w\w+" run in a compiled kernel, ten times as fast as Python, where all
        others run.
    lowercase : bool, default=True
        Lower-case texts before they are cut into tokens. Set False for a table with capitals.
    unknown : {"skip", "subwords", "nearest"}, default="skip"
        What becomes of words that the table lacks. "skip" leaves them out. "subwords" takes the mean of
        their character n-grams' vectors, in tables that have them (fastText .bin). "nearest" takes the
        most frequent word within one edit (a letter more, less, changed, or two swapped), or with
        repeated letters ("sooo") cut, of words of four letters or more; letters are a to z, and what is put
        in is in lower case. A word has the same vector whatever texts come with it.
    phrases : bool, default=False
        Whether neighbouring tokens that the table has joined by "_" are one ("new_york"), from the left
        and as many as the table has.
    sif_a : float, default=1e-3
        The smoothing parameter of "sif"; the paper recommends 1e-4 to 1e-3.
    powers : sequence of int or +-inf, default=(1, 3, inf, -inf)
        The powers of "power_means": inf is the maximum, -inf the minimum.
    n_jobs : int or None, default=None
        Threads as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.

    Attributes
    ----------
    vectors_ : WordVectors
        The table in use.
    weights_ : ndarray of shape (n_words,), float32, or None
        Weight of each word; None where all weigh the same.
    components_ : ndarray of shape (n_components, n_dimensions), float32, or None
        The common components that "sif" (one) and "usif" (five) take away.
    component_strengths_ : ndarray of shape (n_components,), float32, or None
        How much of each is taken away, 1 for all of it.
    n_zero_rows_ : int
        Texts without any known word in the latest `fit_transform` or `transform`; 0 after `fit`.

    See Also
    --------
    StaticEmbedder : The same for tables of subword tokens.
    make_transfer_pipeline : Joins an embedder, an adapter and a classifier.

    Notes
    -----
    With weight :math:`w_t` and vector :math:`v_t` of the :math:`n` known tokens :math:`t` of a text:
    mean :math:`\frac{1}{n}\sum_t v_t`; idf :math:`\sum_t w_t v_t / \sum_t w_t` with
    :math:`w = \ln\frac{1 + N}{1 + df} + 1`; sif :math:`s - u u^\top s` with
    :math:`s = \frac{1}{n}\sum_t \frac{a}{a + p_t} v_t` and :math:`u` the first right singular vector of
    the training texts' matrix; usif :math:`s - \sum_{i=1}^5 \lambda_i u_i u_i^\top s` with
    :math:`s = \frac{1}{n}\sum_t \frac{a}{a / 2 + p_t} v_t`, :math:`\lambda_i` the share of
    :math:`u_i` in the first five squared singular values, and :math:`a` from the texts' mean length and
    the vocabulary; power means :math:`(\frac{1}{n}\sum_t v_t^p)^{1/p}`, odd roots with their sign.

    References
    ----------
    .. [1] S. Arora, Y. Liang, T. Ma. "A simple but tough-to-beat baseline for sentence embeddings."
       ICLR 2017.
    .. [2] K. Ethayarajh. "Unsupervised random walk sentence embeddings: a strong but simple baseline."
       RepL4NLP 2018.
    .. [3] A. Rücklé, S. Eger, M. Peyrard, I. Gurevych. "Concatenated power mean word embeddings as
       universal cross-lingual sentence representations." arXiv:1803.01400, 2018.

    Examples
    --------
    >>> from embtransfer import WordEmbedder
    >>> embedder = WordEmbedder()
    >>> embedder.fit_transform(["A fine pan.", "Boring film!", ""]).shape
    (3, 50)
    >>> embedder.n_zero_rows_
    1
    """

    _parameter_constraints = {
        **PooledEmbedder._parameter_constraints,
        "token_pattern": [str, callable],
        "lowercase": ["boolean"],
        "unknown": [StrOptions({"skip", "subwords", "nearest"})],
        "phrases": ["boolean"],
    }

    def __init__(
        self,
        vectors: WordVectors | FilePath | None = None,
        *,
        pooling: str = "mean",
        token_pattern: str | Callable = "words",
        lowercase: bool = True,
        unknown: Literal["skip", "subwords", "nearest"] = "skip",
        phrases: bool = False,
        sif_a: float = 1e-3,
        powers: Sequence[float] = (1, 3, np.inf, -np.inf),
        n_jobs: int | None = None,
    ):
        self.vectors = vectors
        self.pooling = pooling
        self.token_pattern = token_pattern
        self.lowercase = lowercase
        self.unknown = unknown
        self.phrases = phrases
        self.sif_a = sif_a
        self.powers = powers
        self.n_jobs = n_jobs

    def coverage(self, X: Texts) -> "Coverage":
        """Count which tokens of texts the table has, and what of the texts is no token.

        Parameters
        ----------
        X : 1-D sequence of str

        Returns
        -------
        Coverage

        Raises
        ------
        TypeError, ValueError
            If X is not a 1-D sequence of texts.
        NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self)
        texts, found = check_texts(X), Coverage()
        out_of_tokens = left_out(self.token_pattern, self.lowercase)
        for _, chunk in iter_text_chunks(texts):
            ids, indptr, unknown = self._tokens(chunk)
            dropped = [out_of_tokens(text) for text in chunk.to_pylist()]
            found._add(ids < len(self.vectors_), indptr, unknown, dropped)
        return found

    def _fit(self, texts):
        super()._fit(texts)
        if len(texts) >= _WARN_FROM:
            self._warn_of_unknown(texts[:: -(-len(texts) // _LOOKED_AT)])

    def _warn_of_unknown(self, texts):
        """Say it if a table and texts do not fit, as of another language."""
        n_texts = n_unknown = 0
        for _, chunk in iter_text_chunks(texts):
            has_text = np.diff(text_buffers(chunk)[1]) > 0
            n_texts += np.count_nonzero(has_text)
            n_unknown += np.count_nonzero(has_text & (np.diff(self._rows(chunk)[1]) == 0))
        if n_unknown > n_texts / 10:
            warnings.warn(
                f"Got texts of which {n_unknown / n_texts:.0%} have no word that the table "
                f"{self.vectors_.name} has ({n_texts:,} looked at): their rows are zero. Take a table of the "
                "texts' language; coverage(texts) lists what it lacks, and token_pattern='characters' cuts "
                "scripts without spaces, such as Chinese, and emoji.",
                UserWarning,
                stacklevel=3,
            )

    def _load(self):
        cutter(self.token_pattern, self.lowercase)  # refuses a bad pattern
        vectors = WordVectors.bundled() if self.vectors is None else table_of(self.vectors)
        if vectors.tokenizer is not None:
            raise ValueError(
                f"Got the table {vectors.name}, whose rows are tokens of a tokenizer, not words. Use "
                "StaticEmbedder."
            )
        if self.unknown == "subwords" and vectors.subwords is None:
            raise ValueError(
                f"Got unknown='subwords', but {vectors.name} has no vectors of subwords. Load a fastText "
                ".bin, or use unknown='nearest' or 'skip'."
            )
        self._nearest = {}
        return vectors

    def _rows(self, chunk):
        if self.unknown == "skip" and not self.phrases and (vocabulary := self._vocabulary()) is not None:
            return *vocabulary.rows(chunk), None
        ids, indptr, unknown = self._tokens(chunk)
        more = None
        if self.unknown == "subwords":
            ids, more = self._from_subwords(ids, unknown)
        elif self.unknown == "nearest":
            ids = self._from_spelling(ids, unknown)
        n_rows = len(self.vectors_) + (0 if more is None else len(more))
        return *keep_tokens(ids, indptr, ids < n_rows), more

    def _tokens(self, chunk):
        """All tokens of a chunk: ids int64, indptr int64 (n + 1,), and the unknown ones.

        An id of V + k is the k-th of the unknown tokens, a pyarrow LargeStringArray.
        """
        if (vocabulary := self._vocabulary()) is not None:
            from ..kernels import _tokens

            arguments = *vocabulary.text_arguments(chunk), bool(self.phrases)
            ids, indptr, data, offsets = _tokens.text_tokens(*arguments)
            buffers = pa.py_buffer(offsets), pa.py_buffer(data)
            return ids, indptr, pa.LargeStringArray.from_buffers(len(offsets) - 1, *buffers)
        cut, tokens, ends = cutter(self.token_pattern, self.lowercase), [], [0]
        for text in chunk.to_pylist():
            found = cut(text)
            tokens.extend(self._join_phrases(found) if self.phrases else found)
            ends.append(len(tokens))
        ids = self.vectors_.rows_of(tokens)
        unknown = np.flatnonzero(ids < 0)
        ids[unknown] = len(self.vectors_) + np.arange(len(unknown))
        return ids, np.array(ends), pa.array([tokens[at] for at in unknown], pa.large_string())

    def _join_phrases(self, tokens):
        """Join from the left, as long as the table has what is joined."""
        joined = []
        pairs = self.vectors_.rows_of([f"{a}_{b}" for a, b in pairwise(tokens)]) >= 0
        at = 0
        while at < len(tokens):
            phrase, end = tokens[at], at + 1
            if at < len(pairs) and pairs[at]:
                while end < len(tokens) and f"{phrase}_{tokens[end]}" in self.vectors_:
                    phrase, end = f"{phrase}_{tokens[end]}", end + 1
            joined.append(phrase)
            at = end
        return joined

    def _from_subwords(self, ids, unknown):
        """Ids in which unknown tokens go by distinct word, and the words' vectors, float32 (m, d)."""
        from ..word_vectors.readers._fasttext import subword_vectors

        words = unknown.dictionary_encode()
        more, n_ngrams = subword_vectors(words.dictionary, self.vectors_.subwords)
        has_vector = n_ngrams > 0
        number = np.where(has_vector, np.cumsum(has_vector) - 1, has_vector.sum())  # past the last: left out
        ids = ids.copy()
        ids[ids >= len(self.vectors_)] = len(self.vectors_) + number[words.indices.to_numpy()]
        return ids, more[has_vector]

    def _from_spelling(self, ids, unknown):
        """Ids in which an unknown token goes by the row of the word spelled nearest to it."""
        words = unknown.dictionary_encode()
        known = self._nearest  # another thread may begin a new one
        new = [word for word in words.dictionary.to_pylist() if word not in known]
        if new:
            if len(known) > 1 << 20:
                known = self._nearest = {}
                new = words.dictionary.to_pylist()
            known.update(zip(new, nearest_rows(new, self.vectors_).tolist(), strict=True))
        rows = np.array([known[word] for word in words.dictionary.to_pylist()], np.int64)
        rows = np.where(rows < 0, len(self.vectors_), rows)  # past the last: left out
        ids = ids.copy()
        ids[ids >= len(self.vectors_)] = rows[words.indices.to_numpy()]
        return ids

    def __getstate__(self):
        state = super().__getstate__()
        return {**state, "_nearest": {}} if "_nearest" in state else state

    def _vocabulary(self):
        """What the kernel cuts and finds; None for patterns that run in Python."""
        if callable(self.token_pattern) or self.token_pattern not in KERNEL_PATTERNS:
            return None
        min_length, marks = KERNEL_PATTERNS[self.token_pattern]
        return Vocabulary(*self.vectors_._index, self.lowercase, min_length, marks=marks)
