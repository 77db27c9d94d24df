"""align_word_vectors: one rotation between two tables of word vectors."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._types import Progress
from ..word_vectors import WordVectors
from ._retrieval import blocks, crowding, normalised, procrustes
from ._seeds import read_pairs
from ._self_learning import agreement, induced, spectral_start

_START = 2000  # words of each table from which an alignment is started or checked: a few seconds, not minutes
_CHECK_ROUNDS = 5
_RELIABLE = 0.5  # in trials good dictionaries came to 0.8 to 1, failed and poor starts to 0.3 at most


@dataclass(frozen=True, eq=False)
class WordAlignment:
    """Two tables of word vectors in one space, as `align_word_vectors` returns them.

    Attributes
    ----------
    source, target : WordVectors
        Rows of length 1, whose cosines compare across the tables. They are without subword vectors.
    rotation_ : ndarray of shape (n_dimensions, n_dimensions), float32
        What the normalised source rows were multiplied by: orthogonal.
    pairs_ : list of (str, str)
        The pairs of words that it was learned from in the end.
    n_seeds_ : int
        Pairs of the dictionary that both tables have; 0 without a dictionary.
    agreement_ : float
        From 0 to 1: how far two alignments, from two halves of the dictionary or two random starts, find
        the same pairs among the first 2,000 words, before refinement sees all `max_words`.
    reliable_ : bool
        Whether the agreement is at least 0.5.
    """

    source: WordVectors
    target: WordVectors
    rotation_: np.ndarray
    pairs_: list
    n_seeds_: int
    agreement_: float
    reliable_: bool
    _crowding: np.ndarray

    def translate(self, words, k=1) -> list[list[str]]:
        """Find the k target words nearest to each source word by CSLS, best first.

        Candidates are the first `max_words` words of the target.

        Raises
        ------
        KeyError
            If the source table lacks a word.
        """
        if isinstance(words, str):
            raise TypeError(f"Got a single string, {words!r}. Expected a sequence of words, as [{words!r}].")
        rows, others = self.source[words], self.target.matrix[: len(self._crowding)]
        names, result = self.target.words[: len(others)], []
        for _, scores in blocks(rows, others):
            scores -= self._crowding / 2
            for line in np.argsort(-scores, axis=1, kind="stable")[:, :k]:
                result.append([names[at] for at in line])
        return result


def align_word_vectors(
    source: WordVectors,
    target: WordVectors,
    dictionary: Any = None,
    *,
    refinement: int = 5,
    csls_k: int = 10,
    max_words: int = 20_000,
    random_state: int = 0,
    progress: Progress | None = None,
) -> WordAlignment:
    r"""Rotate one table of word vectors into the space of another, such as that of another language.

    A classifier that was trained on source texts, embedded with the aligned source table, then predicts
    target texts, embedded with the aligned target table.

    Parameters
    ----------
    source, target : WordVectors
        Tables of equal width, most frequent words first.
    dictionary : pairs of str, dict of str -> str or list of str, path, "identical" or None, default=None
        Words and their translations. A path is a text file of two columns, or a dictd dictionary (.index
        or .dict.dz, both side by side), such as those of FreeDict. A word that a table lacks is looked
        up in lower case, and then left out. "identical" takes the words that both tables have: enough where
        the languages share names and numbers. None takes nothing but the two tables: a last resort.
    refinement : int, default=5
        Rounds in which the dictionary is replaced by the words that are nearest to each other. 0 keeps
        the given one.
    csls_k : int, default=10
        Neighbours that the crowding of a word is measured by; the value of the paper.
    max_words : int, default=20_000
        The most frequent words that refinement and translation see; rare words have poor vectors. Time
        grows with its square. All words of both tables are mapped.
    random_state : int, default=0
        Seed of the halves of the dictionary and of what is drawn without one.
    progress : callable (done, total, description), default=None
        Called after each step.

    Returns
    -------
    WordAlignment
        With `source` and `target`, the tables in one space, `translate(words, k)`, `rotation_`, `pairs_`,
        `n_seeds_`, `agreement_` and `reliable_`.

    Raises
    ------
    TypeError
        If a table is no WordVectors, or the dictionary has none of the forms above.
    ValueError
        If the tables differ in width, the tables have no pair of the dictionary, or a file is damaged.
    FileNotFoundError
        If the dictionary's file is not there.

    Warns
    -----
    UserWarning
        If `agreement_` is below 0.5: look at translations before relying on the alignment. Refinement over
        more words may have made up for it; a higher one is no proof either.

    See Also
    --------
    WordEmbedder : Pools the vectors of either table.
    CORAL : Aligns what differs still between the embedded texts.

    Notes
    -----
    Rows are scaled to length 1, centred, and scaled again. The rotation :math:`U V^\top`, from
    :math:`X^\top Y = U \Sigma V^\top` over the rows of the pairs, is the orthogonal matrix with the least
    :math:`\|X W - Y\|_F`. Neighbours are those of the largest :math:`2 \cos(x, y) - r(x) - r(y)`, with r
    the mean cosine of a word to its k nearest words of the other table, as some words are near to all.

    Without a dictionary the first pairs are words of alike sorted similarities to all words of their own
    table; they are refined while most candidates are left out at random, fewer and fewer. This needs tables
    alike in shape: large corpora of the same kind and languages that are related. It fails on small or
    unlike corpora, where even a poor dictionary does not.

    References
    ----------
    P. Schönemann. "A generalized solution of the orthogonal Procrustes problem." Psychometrika 31, 1966.
    C. Xing, D. Wang, C. Liu, Y. Lin. "Normalized word embedding and orthogonal transform for bilingual word
    translation." NAACL 2015.
    S. L. Smith, D. Turban, S. Hamblin, N. Hammerla. "Offline bilingual word vectors, orthogonal
    transformations and the inverted softmax." ICLR 2017.
    A. Conneau, G. Lample, M. Ranzato, L. Denoyer, H. Jégou. "Word translation without parallel data." ICLR
    2018.
    M. Artetxe, G. Labaka, E. Agirre. "A robust self-learning method for fully unsupervised cross-lingual
    mappings of word embeddings." ACL 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import WordVectors, align_word_vectors
    >>> glove = WordVectors.bundled()
    >>> words, matrix = glove.words[:500], glove.matrix[:500]
    >>> rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(50, 50)))[0]
    >>> other = WordVectors([word[::-1] + "?" for word in words], matrix @ rotation)
    >>> seeds = [(word, word[::-1] + "?") for word in words[:100]]
    >>> align_word_vectors(WordVectors(words, matrix), other, seeds).translate(["good", "year"])
    [['doog?'], ['raey?']]
    """
    _check_tables(source, target)
    if refinement < 0 or csls_k < 1 or max_words < 2:
        raise ValueError(
            f"Got refinement={refinement!r}, csls_k={csls_k!r} and max_words={max_words!r}. Expected at "
            "least 0, 1 and 2."
        )
    report = progress or (lambda done, total, description: None)
    total, rng = refinement + 2, np.random.default_rng(random_state)
    S, T = (normalised(table.matrix, max_words) for table in (source, target))
    few_s, few_t = S[: min(max_words, _START)], T[: min(max_words, _START)]
    if dictionary is None:
        pairs, agreed = spectral_start(few_s, few_t, csls_k, rng)
        n_seeds = 0
    else:
        pairs = _seed_rows(source, target, dictionary, max_words)
        n_seeds, agreed = len(pairs), 0.0
        if n_seeds > 1:
            shuffled = rng.permutation(pairs)
            agreed = agreement(*(_refine(few_s, few_t, S, T, half, csls_k) for half in _halves(shuffled)))
    report(1, total, "First pairs")
    rotation = procrustes(S[pairs[:, 0]], T[pairs[:, 1]])
    for done in range(refinement):
        pairs, _ = induced(S[:max_words] @ rotation, T[:max_words], csls_k)
        rotation = procrustes(S[pairs[:, 0]], T[pairs[:, 1]])
        report(2 + done, total, "Refining the pairs")
    if agreed < _RELIABLE:
        warnings.warn(
            f"The alignment of {source.name} and {target.name} is not to be relied on: two attempts agree in "
            f"{agreed:.0%} of the pairs. Check some translations; give a dictionary, a larger one, or tables "
            "of larger corpora.",
            stacklevel=2,
        )
    S = S @ rotation
    crowded = crowding(T[:max_words], S[:max_words], csls_k)
    tables = [
        WordVectors(table._words, rows, f"{table.name} aligned", tokenizer=table.tokenizer)
        for table, rows in ((source, S), (target, T))
    ]
    words = [[table._words[int(row)].as_py() for row in pairs[:, at]] for at, table in enumerate(tables)]
    report(total, total, "Mapped")
    found = list(zip(*words, strict=True))
    return WordAlignment(tables[0], tables[1], rotation, found, n_seeds, agreed, agreed >= _RELIABLE, crowded)


def _check_tables(source, target):
    for table in (source, target):
        if not isinstance(table, WordVectors):
            raise TypeError(f"Got {type(table).__name__}. Expected WordVectors: see WordVectors.load.")
    widths = [table.matrix.shape[1] for table in (source, target)]
    if widths[0] != widths[1]:
        raise ValueError(
            f"Got {widths[0]} dimensions in {source.name} and {widths[1]} in {target.name}. Expected as many "
            "in both: train them so, or reduce the wider one by PCA."
        )


def _halves(pairs):
    return np.array_split(pairs, 2)


def _refine(few_s, few_t, S, T, pairs, k):
    """The pairs among the first words that refinement comes to from these seeds."""
    for _ in range(_CHECK_ROUNDS):
        rotation = procrustes(S[pairs[:, 0]], T[pairs[:, 1]])
        pairs, _ = induced(few_s @ rotation, few_t, k)
    return pairs


def _seed_rows(source, target, dictionary, max_words):
    """Rows of the dictionary's pairs, int64 (n, 2): those that both tables have, each once."""
    if isinstance(dictionary, str) and dictionary == "identical":
        words = source.words[:max_words]
        pairs = list(zip(words, words, strict=True))
    else:
        pairs = read_pairs(dictionary)
    columns = list(zip(*pairs, strict=True)) or [(), ()]
    rows = np.stack([_rows_of(t, words) for t, words in zip((source, target), columns, strict=True)], axis=1)
    rows = np.unique(rows[(rows >= 0).all(axis=1)], axis=0)
    if len(rows) == 0:
        raise ValueError(
            f"Got a dictionary of {len(pairs):,} pairs, none of which has its first word in {source.name} "
            f"and its second in {target.name}. Give words of both tables, source words first."
        )
    return rows


def _rows_of(table, words):
    rows = table.rows_of(words)
    return np.where(rows < 0, table.rows_of([word.lower() for word in words]), rows)
