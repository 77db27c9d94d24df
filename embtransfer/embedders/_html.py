"""HTMLCleaner: texts without HTML, before they are embedded."""

from typing import Any, Self

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, TransformerMixin

from .._rows import column_names, is_table
from .._texts import check_texts, is_text_type, iter_text_chunks
from .._types import Rows
from ..system._html import chunk_without_html


class HTMLCleaner(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Take tags out of texts and turn entities into characters: the first step of a pipeline.

    A step, and no option of each embedder, so that one word says it for all: `fit`, `predict`, folds,
    `save_pipeline`, `score_file`, `compile_pipeline` (which keeps it, if it comes first) and Spark go through
    it, and whoever scores need not know. Without it texts are read as they are.

    See Also
    --------
    make_recipe : ``make_recipe("words", clean="html")``, a whole model that begins with it.
    TransferSearch : ``TransferSearch(clean="html")``.
    check_domains : How many texts hold HTML.

    Notes
    -----
    A tag is one by the name of an element of HTML, such as <br> or </p>, and leaves a space; comments,
    scripts and styles go with what is in them. Entities end with a semicolon. Those that were escaped twice
    are unescaped twice. Of a table the columns of texts are cleaned. Missing texts become empty ones.

    Examples
    --------
    >>> from embtransfer import HTMLCleaner
    >>> HTMLCleaner().transform(["I <3 it.<br />Don&#39;t wait", "fish &amp; chips"])
    ["I <3 it. Don't wait", 'fish & chips']
    """

    _parameter_constraints: dict = {}
    _cleans_texts = True  # so that who looks for the step that makes rows of texts passes it over

    def fit(self, X: Rows, y: object = None) -> Self:
        """Learn nothing.

        Parameters
        ----------
        X, y : ignored

        Returns
        -------
        self
        """
        return self

    def transform(self, X: Rows) -> Rows:
        """Clean texts.

        Parameters
        ----------
        X : 1-D sequence of str, or a table of pandas, polars or pyarrow with columns of texts

        Returns
        -------
        list of str, or what X is if that is of Arrow or a table
            As many texts, in their order; a table of polars becomes one of pyarrow.

        Raises
        ------
        TypeError, ValueError
            If X is not a 1-D sequence of texts.
        """
        if is_table(X):
            return _clean_table(X)
        texts = check_texts(X)
        chunks = [chunk_without_html(chunk) for _, chunk in iter_text_chunks(texts)]
        if isinstance(X, pa.Array | pa.ChunkedArray):
            return pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_string())
        return [text for chunk in chunks for text in chunk.to_pylist()]

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """One name, "text"."""
        return np.array(["text"], object)

    def set_output(self, *, transform: Any = None) -> Self:
        """Texts stay texts, whatever other steps give."""
        return self

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _clean_table(table):
    """The table with its columns of texts cleaned."""
    clean = HTMLCleaner().transform
    if hasattr(table, "iloc"):
        return table.assign(**{name: clean(table[name]) for name in table if _holds_texts(table[name])})
    table = table.to_arrow() if hasattr(table, "to_arrow") else table
    for i, name in enumerate(column_names(table)):
        if is_text_type(table.column(i).type):
            table = table.set_column(i, name, clean(table.column(i)))
    return table


def _holds_texts(column):
    some = (one for one in column if isinstance(one, str | list | tuple | np.ndarray))
    return column.dtype.kind == "O" and isinstance(next(some, None), str)
