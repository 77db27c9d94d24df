"""NGramVectorizer: sparse rows of words and n-grams, on a vocabulary of both domains."""

from numbers import Integral
from typing import Literal

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ._base import TwoDomainEmbedder
from ._ngrams import NGrams, find_words
from ._pooled import for_chunks
from ._pooling import idf_weights

_LONG = 30  # words
_LOOKED_AT = 10_000  # texts, at most, to see how long they are


class NGramVectorizer(TwoDomainEmbedder, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    r"""Count words and n-grams, as scikit-learn's vectorizers do, in the compiled kernels.

    The vocabulary comes from the texts of both domains, so that words of the target alone have a column too:
    self-training can learn what they mean. Rows are sparse.

    Parameters
    ----------
    weighting : {"tfidf", "count", "binary"}, default="tfidf"
        "tfidf": (1 + ln count) times inverse document frequency, rows of length 1. "count" and "binary" are
        what NaiveBayesLogisticRegression takes.
    max_ngram : int or "auto", default=2
        Words of the longest n-gram. "auto": 3 where texts have 30 words or more on the mean, else 2; of short
        texts few triples come twice.
    min_df : int, default=2
        Texts of both domains that a word or n-gram must come in; of one text nothing carries over.
    max_features : int, default=200_000
        At most so many columns: the most frequent words, then n-grams.
    lowercase : bool, default=True
        Lower-case texts before they are cut into words.
    n_jobs : int or None, default=None
        Threads as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.

    Attributes
    ----------
    idf_ : ndarray of shape (n_columns,), float32, or None
        For "tfidf".
    n_zero_rows_ : int
        Texts without any known word in the latest `fit_transform` or `transform`; 0 after `fit`.

    See Also
    --------
    DistilledEmbedder : Dense vectors of the same words and n-grams.

    Notes
    -----
    Words are those of WordEmbedder: two or more letters and digits in a row, with their combining marks. With
    N texts and df of them holding a column's word,
    :math:`idf = \ln\frac{1 + N}{1 + df} + 1`. Columns: words by falling document frequency, then n-grams.

    Examples
    --------
    >>> from embtransfer import NGramVectorizer
    >>> vectorizer = NGramVectorizer(weighting="count", min_df=1).fit(["not good"], X_target=["very good"])
    >>> vectorizer.get_feature_names_out().tolist()
    ['good', 'not', 'very', 'not good', 'very good']
    >>> vectorizer.transform(["Not good, not good"]).toarray()
    array([[2., 2., 0., 2., 0.]], dtype=float32)
    """

    _parameter_constraints = {
        "weighting": [StrOptions({"tfidf", "count", "binary"})],
        "max_ngram": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "min_df": [Interval(Integral, 1, None, closed="left")],
        "max_features": [Interval(Integral, 1, None, closed="left")],
        "lowercase": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        weighting: Literal["tfidf", "count", "binary"] = "tfidf",
        *,
        max_ngram: int | Literal["auto"] = 2,
        min_df: int = 2,
        max_features: int = 200_000,
        lowercase: bool = True,
        n_jobs: int | None = None,
    ):
        self.weighting = weighting
        self.max_ngram = max_ngram
        self.min_df = min_df
        self.max_features = max_features
        self.lowercase = lowercase
        self.n_jobs = n_jobs

    def _fit(self, texts):
        limits = {"min_df": self.min_df, "max_features": self.max_features, "lowercase": self.lowercase}
        longest = self.max_ngram
        if longest == "auto":
            some = texts[:: len(texts) // _LOOKED_AT + 1]
            longest = 3 if np.mean([len(text.split()) for text in some]) >= _LONG else 2
        self._found = NGrams.learn(texts, *find_words(texts, None, **limits), longest=longest, **limits)
        self._n_features_out = len(self._found)
        self.idf_, self.n_zero_rows_ = None, 0
        if self.weighting == "tfidf":
            counts = self._counts(texts)
            self.idf_ = idf_weights(np.bincount(counts.indices, minlength=counts.shape[1]), counts.shape[0])

    def _transform(self, texts):
        rows = self._counts(texts)
        self.n_zero_rows_ = int(np.count_nonzero(np.diff(rows.indptr) == 0))
        if self.weighting == "binary":
            rows.data[:] = 1
        elif self.weighting == "tfidf":
            rows.data = (1 + np.log(rows.data)) * self.idf_[rows.indices]
            normalize(rows, copy=False)
        return rows

    def _counts(self, texts):
        """Counts, csr float32 (n_texts, n_columns)."""
        found = {}

        def count(start, chunk):
            ids, indptr = self._found.rows(chunk)
            shape = len(chunk), self._n_features_out
            part = sparse.csr_matrix((np.ones(len(ids), np.float32), ids.astype(np.int32), indptr), shape)
            part.sum_duplicates()
            found[start] = part

        for_chunks(texts, self.n_jobs, count)
        if not found:
            return sparse.csr_matrix((0, self._n_features_out), dtype=np.float32)
        return sparse.vstack([found[start] for start in sorted(found)], format="csr")

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """The words and n-grams: ndarray of str, of shape (n_columns,)."""
        check_is_fitted(self)
        names = self._found.words.words
        for prefix, word in self._found.ngrams.tolist():
            names.append(f"{names[prefix]} {names[word]}")
        return np.array(names, object)
