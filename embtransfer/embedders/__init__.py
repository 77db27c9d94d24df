"""Embedders: texts -> float32 matrix, one row a text."""

from .._validation import check_name
from ._base import BaseEmbedder
from ._sentence import SentenceEmbedder
from ._word import WordEmbedder

__all__ = ["EMBEDDERS", "BaseEmbedder", "SentenceEmbedder", "WordEmbedder", "make_embedder"]

_POOLINGS = {"word_mean": "mean", "word_idf": "idf", "word_sif": "sif"}
EMBEDDERS = tuple(_POOLINGS)


def make_embedder(name: str, vectors=None) -> BaseEmbedder:
    """Make an embedder by name.

    Parameters
    ----------
    name : {"word_mean", "word_idf", "word_sif"}
        WordEmbedder with that pooling.
    vectors : WordVectors, path or None, default=None
        The word vectors; None is the bundled GloVe subset.

    Raises
    ------
    ValueError
        If there is no embedder of that name.

    Examples
    --------
    >>> from embtransfer import make_embedder
    >>> make_embedder("word_sif")
    WordEmbedder(pooling='sif')
    """
    check_name("embedder", name, EMBEDDERS)
    return WordEmbedder(vectors, pooling=_POOLINGS[name])
