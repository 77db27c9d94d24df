"""WordEmbedder: pooled word vectors."""

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from numbers import Integral, Real
from os import PathLike

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils._param_validation import Interval, StrOptions

from .._unicode import unicode_table
from .._validation import iter_text_chunks, text_buffers
from ..word_vectors import WordVectors
from . import _pooling
from ._base import BaseEmbedder

# patterns whose tokens are all runs of word characters of at least so many
_KERNEL_PATTERNS = {
    r"(?u)\b\w\w+\b": 2,
    r"\b\w\w+\b": 2,
    r"\w\w+": 2,
    r"(?u)\b\w+\b": 1,
    r"\b\w+\b": 1,
    r"(?u)\w+": 1,
    r"\w+": 1,
}


class WordEmbedder(BaseEmbedder):
    r"""Embed texts by pooling the vectors of their words.

    Words that the table lacks are skipped; a text without any known word gives the zero vector.

    Parameters
    ----------
    vectors : WordVectors, path or None, default=None
        The table. A path is read at `fit` by `WordVectors.load`. None is the bundled GloVe 6B 50d subset.
    pooling : {"mean", "idf", "sif"}, default="mean"
        "mean" is the plain average. "idf" weighs each token by its word's inverse document frequency in
        the texts given to `fit`. "sif" weighs by smooth inverse frequency and removes the common
        component, both learned from the texts given to `fit`. The default learns nothing from
        texts.
    token_pattern : str or callable, default=r"(?u)\b\w\w+\b"
        What a token is: a regular expression with at most one group, or a function from a text to a list
        of str. The default (words of two or more characters, as in scikit-learn) and a few like it run in
        a compiled kernel, ten times as fast as any other pattern, which runs in Python; the tokens and
        vectors are the same.
    lowercase : bool, default=True
        Lower-case texts before they are cut into tokens. Set False for a table with capitals.
    sif_a : float, default=1e-3
        The smoothing parameter of "sif"; the paper recommends 1e-4 to 1e-3.
    n_jobs : int or None, default=None
        Threads that `transform` uses; None is 1, -1 all cores.

    Attributes
    ----------
    vectors_ : WordVectors
        The table in use.
    weights_ : ndarray of shape (n_words,), float32, or None
        Weight of each word; None for "mean", where all weigh the same.
    component_ : ndarray of shape (n_dimensions,), float32, or None
        The common component that "sif" removes.
    n_zero_rows_ : int
        Texts without any known word in the latest `fit_transform` or `transform`; 0 after `fit`.

    See Also
    --------
    make_transfer_pipeline : Joins an embedder, an adapter and a classifier.

    Notes
    -----
    With weight :math:`w_t` and vector :math:`v_t` of the known tokens :math:`t` of a text:
    mean :math:`\frac{1}{n}\sum_t v_t`; idf :math:`\sum_t w_t v_t / \sum_t w_t` with
    :math:`w = \ln\frac{1 + N}{1 + df} + 1`; sif :math:`s - u u^\top s` with
    :math:`s = \frac{1}{n}\sum_t \frac{a}{a + p_t} v_t` and :math:`u` the first right singular vector of
    the training texts' matrix.

    References
    ----------
    S. Arora, Y. Liang, T. Ma. "A simple but tough-to-beat baseline for sentence embeddings." ICLR 2017.

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
        "vectors": [WordVectors, str, PathLike, None],
        "pooling": [StrOptions({"mean", "idf", "sif"})],
        "token_pattern": [str, callable],
        "lowercase": ["boolean"],
        "sif_a": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        vectors=None,
        *,
        pooling="mean",
        token_pattern=r"(?u)\b\w\w+\b",
        lowercase=True,
        sif_a=1e-3,
        n_jobs=None,
    ):
        self.vectors = vectors
        self.pooling = pooling
        self.token_pattern = token_pattern
        self.lowercase = lowercase
        self.sif_a = sif_a
        self.n_jobs = n_jobs

    def _fit(self, texts):
        self._tokenizer()  # refuses a bad pattern
        if self.vectors is None:
            self.vectors_ = WordVectors.bundled()
        elif isinstance(self.vectors, WordVectors):
            self.vectors_ = self.vectors
        else:
            self.vectors_ = WordVectors.load(self.vectors)
        self._n_features_out = self.vectors_.matrix.shape[1]
        self.n_zero_rows_ = 0
        self.weights_ = self.component_ = None
        self._by_weight = self.pooling == "idf"  # whether sums are divided by the weights or by the number
        if self.pooling != "mean":
            term_counts, document_counts = self._count(texts)
            if self.pooling == "idf":
                self.weights_ = _pooling.idf_weights(document_counts, len(texts))
            else:
                self.weights_ = _pooling.sif_weights(term_counts, self.sif_a)
                self.component_ = _pooling.common_component(self._pool(texts)[0])

    def _transform(self, texts):
        out, n_known = self._pool(texts)
        self.n_zero_rows_ = int(np.count_nonzero(n_known == 0))
        if self.component_ is not None:
            _pooling.remove_component(out, self.component_)
        return out

    def _count(self, texts):
        from .. import _kernels

        n_words = len(self.vectors_)
        terms, documents = np.zeros(n_words, np.int64), np.zeros(n_words, np.int64)
        seen_in = np.full(n_words, -1)
        for start, chunk in iter_text_chunks(texts):
            ids, indptr = self._rows(chunk)
            _kernels.count_rows(ids, indptr, terms, documents, seen_in, start)
        return terms, documents

    def _pool(self, texts):
        """Pooled vectors (n, d) float32, the common component still in; known tokens a text (n,) int32."""
        out = np.empty((len(texts), self.vectors_._table.shape[1]), np.float32)
        n_known = np.zeros(len(texts), np.int32)
        weights = np.empty(0, np.float32) if self.weights_ is None else self.weights_.view(np.ndarray)
        weights.flags.writeable = False

        def pool(start, chunk):
            here = slice(start, start + len(chunk))
            self._pool_chunk(chunk, weights, out[here], n_known[here])

        chunks = iter_text_chunks(texts)
        n_threads = effective_n_jobs(self.n_jobs)
        if n_threads == 1:
            for start, chunk in chunks:
                pool(start, chunk)
        else:
            with ThreadPoolExecutor(n_threads) as threads:
                # a few chunks at a time, so that converted texts do not pile up
                while batch := list(islice(chunks, 4 * n_threads)):
                    list(threads.map(lambda item: pool(*item), batch))
        return np.ascontiguousarray(out[:, : self._n_features_out]), n_known

    def _pool_chunk(self, chunk, weights, out, n_known):
        from .. import _kernels

        ids, indptr = self._rows(chunk)
        n_known[:] = np.diff(indptr)
        _kernels.pool_rows(ids, indptr, self.vectors_._table, weights, self._by_weight, out)

    def _rows(self, chunk):
        """Table rows of the known tokens of a chunk: ids uint32, indptr int64 (n + 1,)."""
        tokenizer = self._tokenizer()
        if not callable(tokenizer):
            from .. import _kernels

            return _kernels.text_rows(
                *text_buffers(chunk),
                unicode_table(bool(self.lowercase)),
                np.uint64(self.lowercase),
                np.uint64(tokenizer),
                self.vectors_._index,
            )
        row_of, ids, indptr = self.vectors_._row_of, [], [0]
        for text in chunk.to_pylist():
            tokens = tokenizer(text.lower() if self.lowercase else text)
            ids.extend(row_of[token] for token in tokens if token in row_of)
            indptr.append(len(ids))
        return np.array(ids, np.uint32), np.array(indptr, np.int64)

    def _tokenizer(self):
        """The kernel's minimal token length, or a function from a text to its tokens."""
        if callable(self.token_pattern):
            return self.token_pattern
        if self.token_pattern in _KERNEL_PATTERNS:
            return _KERNEL_PATTERNS[self.token_pattern]
        try:
            pattern = re.compile(self.token_pattern)
        except re.error as error:
            raise ValueError(f"Got token_pattern={self.token_pattern!r}: {error}.") from error
        if pattern.groups > 1:
            raise ValueError(
                f"Got token_pattern={self.token_pattern!r} with {pattern.groups} groups. Expected at most "
                "one; write (?:...) for groups that only bracket."
            )
        return pattern.findall
