"""What embedders that pool the rows of a table have in common."""

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from numbers import Integral, Real
from os import PathLike
from typing import Self

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from .._texts import iter_text_chunks
from .._types import FilePath, Texts
from ..system._threads import n_threads
from ..word_vectors import WordVectors
from . import _pooling
from ._base import BaseEmbedder, empty_rows


class PooledEmbedder(BaseEmbedder):
    """Tokens -> rows of a table -> one vector a text; a subclass supplies `_load` and `_rows`."""

    _parameter_constraints = {
        "vectors": [WordVectors, str, PathLike, None],
        "pooling": [StrOptions(set(_pooling.POOLINGS))],
        "sif_a": [Interval(Real, 0, None, closed="neither")],
        "powers": [tuple, list],
        "n_jobs": [Integral, None],
    }

    @abstractmethod
    def _load(self) -> WordVectors:
        """The table, and whatever else tokenising needs."""

    @abstractmethod
    def _rows(self, chunk):
        """Rows of a chunk's tokens: ids (n,), indptr int64 (n_texts + 1,), and more rows or None.

        The ids from V on are rows of the float32 array (m, d) of vectors that the table lacks.
        """

    def _fit(self, texts):
        self._begin()
        self._learn(texts)

    def _learn(self, texts):
        self._count(texts)
        self._weigh()
        self._learn_components(texts)

    def partial_fit(self, X: Texts, y: object = None) -> Self:
        """Learn from more texts, for a corpus that does not fit in memory.

        Counts add up, so that the weights are those of one `fit` on all texts. Common components come
        from texts as weighed when they were seen, so that they settle with the number of texts and are
        not those of one `fit` to the last digit.

        Parameters
        ----------
        X : 1-D sequence of str
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            As in `fit`.
        """
        texts = self._texts_to_fit(X)
        if not hasattr(self, "vectors_"):
            self._begin()
        elif self._pooling != self.pooling:
            raise ValueError(
                f"Got pooling={self.pooling!r}, but partial_fit began with {self._pooling!r}. "
                "Call fit first, or clone the embedder."
            )
        self._learn(texts)
        return self

    def _begin(self):
        if self.pooling == "power_means" and not self.powers:
            raise ValueError("Got powers=() for power_means. Expected at least one power.")
        if self.pooling == "power_means" and not all(_is_power(power) for power in self.powers):
            raise ValueError(f"Got powers={self.powers!r}. Expected positive integers and +-inf.")
        self.vectors_ = self._load()
        d = self.vectors_.matrix.shape[1]
        powers = self.powers if self.pooling == "power_means" else _pooling.POWERS.get(self.pooling, ())
        self._powers = np.array(powers, np.float64)
        self._n_features_out = d * max(len(self._powers), 1)
        self.n_zero_rows_ = 0
        self.weights_ = self.components_ = self.component_strengths_ = None
        self._pooling, self._n_documents = self.pooling, 0
        n_counted = len(self.vectors_) if self.pooling in ("idf", "sif", "usif") else 0
        self._term_counts = np.zeros(n_counted, np.int64)
        self._document_counts = self._term_counts.copy()
        self._gram = np.zeros((d, d) if self.pooling in _pooling.N_COMPONENTS else (0, 0))

    def _count(self, texts):
        """Add the texts to the counts of terms and documents."""
        if not len(self._term_counts):
            return
        from ..kernels import _pool

        seen_in = np.full(len(self.vectors_), -1)
        for start, chunk in iter_text_chunks(texts):
            ids, indptr, more = self._rows(chunk)
            if more is not None:  # rows that are made up as texts come have no counts
                ids, indptr = keep_tokens(ids, indptr, ids < len(self.vectors_))
            ids = ids.astype(np.uint32, copy=False)
            _pool.count_rows(ids, indptr, self._term_counts, self._document_counts, seen_in, start)
        self._n_documents += len(texts)

    def _weigh(self):
        if self._pooling == "idf":
            self.weights_ = _pooling.idf_weights(self._document_counts, self._n_documents)
        elif self._pooling == "sif":
            self.weights_ = _pooling.sif_weights(self._term_counts, self.sif_a)
        elif self._pooling == "usif":
            self.weights_ = _pooling.usif_weights(self._term_counts, self._n_documents)

    def _weight_of_more(self):
        """The weight of rows that the table lacks: that of a word that never came."""
        if self._pooling == "idf":
            return _pooling.idf_weights(np.zeros(1), self._n_documents)[0]
        return {"sif": 1, "usif": 2}.get(self._pooling, 0)

    def _learn_components(self, texts):
        if not len(self._gram):
            return
        for start in range(0, len(texts), 1 << 15):
            vectors, _ = self._pool(texts[start : start + (1 << 15)])
            self._gram += vectors.T.astype(np.float64) @ vectors
        self.components_, self.component_strengths_ = _pooling.common_components(self._gram, self._pooling)

    def _transform(self, texts):
        out, n_known = self._pool(texts)
        self.n_zero_rows_ = int(np.count_nonzero(n_known == 0))
        if self.components_ is not None:
            _pooling.remove_components(out, self.components_, self.component_strengths_)
        return out

    def _pool(self, texts):
        """Pooled vectors float32 (n, d), common components still in; known tokens a text int32 (n,)."""
        width = self._n_features_out if len(self._powers) else self.vectors_._table.shape[1]
        out = empty_rows(len(texts), width)
        n_known = np.zeros(len(texts), np.int32)

        def pool(start, chunk):
            here = slice(start, start + len(chunk))
            n_known[here] = self._pool_chunk(chunk, out[here])

        for_chunks(texts, self.n_jobs, pool)
        return np.ascontiguousarray(out[:, : self._n_features_out]), n_known

    def _pool_chunk(self, chunk, out):
        """Write the pooled vectors of a chunk; return its known tokens a text."""
        from ..kernels import _pool

        ids, indptr, more = self._rows(chunk)
        table = self.vectors_._floats if len(self._powers) else self.vectors_._table
        weights = np.empty(0, np.float32) if self.weights_ is None else self.weights_.view(np.ndarray)
        if more is not None:
            ids, table, weights = _with_more(ids, self.vectors_.matrix, weights, more, self._weight_of_more())
        ids, table, weights = ids.astype(np.uint32, copy=False), table.view(), weights.view()
        weights.flags.writeable = table.flags.writeable = False  # kernels compile for one kind of array
        if len(self._powers):
            _pool.pool_powers(ids, indptr, table, self._powers, out)
        else:
            _pool.pool_rows(ids, indptr, table, weights, self._pooling == "idf", out)
        return np.diff(indptr)

    def __getstate__(self):
        state = dict(super().__getstate__())  # it is the embedder's own dictionary
        if "_term_counts" in state:  # few words of a table come in a corpus
            terms, documents = state.pop("_term_counts"), state.pop("_document_counts")
            rows = np.flatnonzero(terms)
            state["_counts"] = len(terms), rows, terms[rows], documents[rows]
        return state

    def __setstate__(self, state):
        state = dict(state)
        if "_counts" in state:
            n, rows, *counts = state.pop("_counts")
            for name, count in zip(("_term_counts", "_document_counts"), counts, strict=True):
                state[name] = np.zeros(n, np.int64)
                state[name][rows] = count
        if "vectors_" in state:
            _check_state(state)
        super().__setstate__(state)


def _check_state(state):
    """Refuse what would send a kernel outside its arrays: a file may be made to deceive."""
    vectors, weights, powers = state["vectors_"], state["weights_"], state["_powers"]
    sound = isinstance(vectors, WordVectors) and isinstance(powers, np.ndarray) and powers.ndim == 1
    width = vectors.matrix.shape[1] * max(len(powers), 1) if sound else 0
    if weights is not None:
        sound = sound and isinstance(weights, np.ndarray) and weights.dtype == np.float32
        sound = sound and weights.shape == (len(vectors),)
    if not sound or state["_n_features_out"] != width:
        raise ValueError("Got vectors, weights and powers that contradict one another. The file is damaged.")


def for_chunks(texts, n_jobs, function):
    """Call function(first row, Arrow array) for each chunk of texts, in threads."""
    chunks = iter_text_chunks(texts)
    if (n := n_threads(n_jobs)) == 1:
        for start, chunk in chunks:
            function(start, chunk)
        return
    with ThreadPoolExecutor(n) as threads:
        # a few chunks at a time, so that converted texts do not pile up
        while batch := list(islice(chunks, 4 * n)):
            list(threads.map(lambda item: function(*item), batch))


def keep_tokens(ids, indptr, kept):
    """Ids and indptr of the tokens for which the mask `kept` is true."""
    return ids[kept], np.concatenate([[0], np.cumsum(kept)])[indptr]


def _with_more(ids, matrix, weights, more, weight):
    """Ids, table and weights of the rows in use alone, with rows that the matrix lacks."""
    used, ids = np.unique(ids, return_inverse=True)
    n, d = np.searchsorted(used, len(matrix)), matrix.shape[1]
    rows = np.zeros((len(used), max(d, 16)), np.float32)  # the kernel takes 16 columns or more
    rows[:n, :d], rows[n:, :d] = matrix[used[:n]], more[used[n:] - len(matrix)]
    if len(weights):
        weights = np.append(weights[used[:n]], np.full(len(used) - n, weight, np.float32))
    return ids, rows, weights


def table_of(given: WordVectors | FilePath) -> WordVectors:
    """A table itself, or the one that a path or name stands for."""
    return given if isinstance(given, WordVectors) else WordVectors.load(given)


def _is_power(power):
    return isinstance(power, Real) and (np.isinf(power) or (power >= 1 and power == int(power)))
