"""Embedders: texts -> float32 matrix, one row a text."""

from .._names import check_name
from .._types import FilePath
from ..word_vectors import WordVectors
from ._base import BaseEmbedder
from ._columns import ColumnEmbedder
from ._coverage import Coverage
from ._distilled import DistilledEmbedder
from ._domain_words import DomainWordEmbedder
from ._html import HTMLCleaner
from ._lexical import NGramVectorizer
from ._ngrams import NGrams as NGrams
from ._pooling import POOLINGS
from ._sentence import SentenceEmbedder
from ._static import StaticEmbedder
from ._vectors import VectorEmbedder
from ._word import WordEmbedder

__all__ = [
    "EMBEDDERS",
    "BaseEmbedder",
    "ColumnEmbedder",
    "Coverage",
    "DistilledEmbedder",
    "DomainWordEmbedder",
    "HTMLCleaner",
    "NGramVectorizer",
    "SentenceEmbedder",
    "StaticEmbedder",
    "VectorEmbedder",
    "WordEmbedder",
    "make_embedder",
]

_POOLED = tuple(f"{kind}_{pooling}" for kind in ("word", "static") for pooling in POOLINGS)
EMBEDDERS = (*_POOLED, "domain_words", "sentence", "distilled", "ngrams", "vectors")


def make_embedder(name: str, vectors: WordVectors | FilePath | None = None) -> BaseEmbedder | VectorEmbedder:
    """Make an embedder by name.

    Parameters
    ----------
    name : str
        ``"word_"`` or ``"static_"`` and a pooling: WordEmbedder or StaticEmbedder with that pooling, such as
        "word_mean", "word_sif", "static_mean". "domain_words": DomainWordEmbedder. "sentence":
        SentenceEmbedder, by sentence. "distilled": DistilledEmbedder with that as its teacher. "ngrams":
        NGramVectorizer, sparse TF-IDF rows. "vectors": VectorEmbedder, for rows that are vectors already.
    vectors : WordVectors, path, name or None, default=None
        The table; None is the bundled GloVe subset for words, wordllama for ``"static_"``. For
        "sentence" and "distilled" the folder or name of the model; None is SentenceEmbedder's. "ngrams" and
        "vectors" take none.

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
    kind, _, pooling = name.partition("_")
    if name == "domain_words":
        return DomainWordEmbedder(vectors)
    if kind == "word":
        return WordEmbedder(vectors, pooling=pooling)
    if name in ("ngrams", "vectors"):
        return NGramVectorizer() if name == "ngrams" else VectorEmbedder()
    if name in ("sentence", "distilled"):
        teacher = SentenceEmbedder(by_sentence=True)
        if vectors is not None:
            teacher.set_params(model=vectors)
        return teacher if name == "sentence" else DistilledEmbedder(teacher)
    return StaticEmbedder("wordllama" if vectors is None else vectors, pooling=pooling)
