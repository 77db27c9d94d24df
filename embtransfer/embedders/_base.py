"""The contract of every embedder."""

from abc import ABCMeta, abstractmethod
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._texts import check_texts, text_list
from .._types import Labels, Matrix, Rows, Texts
from ..system._memory import check_memory


class BaseEmbedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """Texts in, a float32 matrix out; a subclass supplies `_fit` and `_transform`.

    `fit` loads what the embedder needs and learns what it learns from the texts; `__init__` only stores.
    Texts come as a list, tuple, numpy array, pandas Series, pyarrow or polars column; missing values are
    empty texts.
    """

    @abstractmethod
    def _fit(self, texts):
        """Learn from texts that passed `check_texts`; set `_n_features_out`."""

    @abstractmethod
    def _transform(self, texts):
        """Return a float32 array of shape (len(texts), _n_features_out)."""

    def fit(self, X: Texts, y: object = None) -> Self:
        """Load the embedding, and learn from the texts what the pooling needs.

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
            If X is not a 1-D sequence, or is empty, or a parameter is invalid. Elements are checked where
            they are read: here only if the pooling learns from them, in `transform` always.
        """
        self._fit(self._texts_to_fit(X))
        return self

    def _texts_to_fit(self, X):
        """The texts to fit on, with parameters that are valid."""
        self._validate_params()
        texts = check_texts(X)
        if len(texts) == 0:
            raise ValueError("Got no texts (n_samples=0). Expected at least one text to fit on.")
        return texts

    def transform(self, X: Texts) -> Matrix:
        """Embed texts.

        Parameters
        ----------
        X : 1-D sequence of str

        Returns
        -------
        ndarray of shape (n_texts, n_dimensions), float32

        Raises
        ------
        TypeError, ValueError
            If X is not a 1-D sequence of texts.
        NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self)
        return self._transform(check_texts(X)).astype(np.float32, copy=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def empty_rows(n_texts, width):
    """A float32 array to fill, (n_texts, width), if memory can hold it."""
    advice = "Embed fewer texts at a time; fit_files and score_file read files batch by batch."
    check_memory(4 * n_texts * width, f"The vectors of {n_texts:,} texts, {width:,} numbers each,", advice)
    return np.empty((n_texts, width), np.float32)


class TwoDomainEmbedder(BaseEmbedder):
    """An embedder that learns from the texts of both domains; `_fit` gets one list of them."""

    # scikit-learn routes X_target here from a pipeline, without set_fit_request
    __metadata_request__fit = {"X_target": True}

    def fit(self, X: Texts, y: object = None, X_target: Texts | None = None) -> Self:
        """Learn from the texts of both domains.

        Parameters
        ----------
        X : 1-D sequence of str
            Source texts.
        y : ignored
        X_target : 1-D sequence of str, default=None
            Unlabelled target texts.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If X or X_target is not a 1-D sequence of texts, or is empty; if a parameter is invalid, or the
            texts are too few to learn from.
        """
        texts = text_list(self._texts_to_fit(X))
        if X_target is not None:
            target = text_list(check_texts(X_target))
            if not target:
                raise ValueError("Got no target texts. Expected at least one, or X_target=None.")
            texts += target
        self._fit(texts)
        return self

    def fit_transform(self, X: Texts, y: Labels | None = None, X_target: Rows | None = None) -> Matrix:
        """Learn from both domains and embed the source: `fit(X, y, X_target).transform(X)`."""
        return self.fit(X, y, X_target).transform(X)
