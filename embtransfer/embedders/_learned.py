"""Word vectors learned from texts: which words come near which, beside a pretrained table."""

from collections import Counter
from numbers import Integral
from os import PathLike

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.utils._param_validation import Interval, validate_params

from .._texts import check_texts, text_list
from .._types import FilePath, Texts
from .._words import words_of
from ..word_vectors import WordVectors
from ._pooled import table_of

WINDOW = 20  # words to each side
_CONTEXTS = 2000  # the most frequent words; all of them cost twice the time and gain nothing
_SMOOTHING = 0.75  # of the contexts' counts


@validate_params(
    {
        "vectors": [WordVectors, str, PathLike, None],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "lowercase": ["boolean"],
        "random_state": ["random_state"],
        "name": [str],
    },
    prefer_skip_nested_validation=True,
)
def learn_word_vectors(
    texts: Texts,
    vectors: WordVectors | FilePath | None = "glove-6b-50d-subset",
    *,
    n_components: int = 100,
    min_count: int = 2,
    lowercase: bool = True,
    random_state: int = 0,
    name: str = "learned",
) -> WordVectors:
    r"""Learn a table of word vectors from unlabelled texts, side by side with a pretrained one.

    What a word means in your domains, from the words that come near it there, beside what it means
    elsewhere. Give all texts without labels that you have, of both domains; then `WordEmbedder(table)`.

    Parameters
    ----------
    texts : 1-D sequence of str
    vectors : WordVectors, path, name or None, default="glove-6b-50d-subset"
        The pretrained table; None: the learned columns alone. Words of the texts that it lacks have zeros
        in its columns.
    n_components : int, default=100
        Learned columns; fewer where the texts have fewer words.
    min_count : int, default=2
        How often a word must come to be in the table.
    lowercase : bool, default=True
        Lower-case texts before they are cut into words, which are those of WordEmbedder.
    random_state : int, default=0
        Seed of the singular vectors.
    name : str, default="learned"
        What the table is called in reports.

    Returns
    -------
    WordVectors
        Words that the texts have, the most frequent first; the pretrained columns, then the learned.

    Raises
    ------
    TypeError, ValueError
        If texts is not a 1-D sequence of texts or no word of them comes often enough; if a parameter is
        invalid or the table is one of tokens.

    See Also
    --------
    WordEmbedder : Pools the table.
    DistilledEmbedder : Learns vectors of words and pairs of words from a teacher.

    Notes
    -----
    With :math:`n_{wc}`, how often the word c comes within 20 words of w, each time weighed by 1 / distance,
    c of the 2,000 most frequent words, :math:`n_w = \sum_c n_{wc}` and :math:`p_c` the share of
    :math:`n_c^{0.75}`: :math:`M_{wc} = \max(0, \ln \frac{n_{wc}}{n_w p_c}) \approx U S V^\top`, and the
    learned vectors are the rows of :math:`U \sqrt S`. Both tables lose their mean and have mean squared
    length 1, words weighed by the logarithm of one more than their count. Time and memory are linear in the
    texts.

    References
    ----------
    O. Levy, Y. Goldberg, I. Dagan. "Improving distributional similarity with lessons learned from word
    embeddings." TACL 3, 2015.
    P. K. Sarma, Y. Liang, W. Sethares. "Domain adapted word embeddings for improved sentiment
    classification." ACL 2018 (which joins two tables by CCA; side by side was better here).

    Examples
    --------
    >>> from embtransfer import WordEmbedder, learn_word_vectors
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films").data, load_demo_reviews("kitchenware").data
    >>> table = learn_word_vectors([*films, *pans])
    >>> table.matrix.shape[1]
    150
    >>> WordEmbedder(table).fit_transform(["A lovely, well balanced knife."]).shape
    (1, 150)
    """
    texts = text_list(check_texts(texts))
    pretrained = None if vectors is None else table_of(vectors)
    if pretrained is not None and pretrained.tokenizer is not None:
        raise ValueError(
            f"Got the table {pretrained.name}, whose rows are tokens of a tokenizer, not words. Pass a table "
            "of words, or vectors=None."
        )
    words, counts, ids, text = numbered(texts, min_count, lowercase)
    weights = np.log1p(counts)
    near = neighbours(ids, text, len(words), WINDOW, min(_CONTEXTS, len(words)))
    parts = [scaled(_associations(near, n_components, random_state), weights)]
    if pretrained is not None:
        rows = pretrained.rows_of(words)
        known = rows >= 0
        given = np.where(known[:, None], pretrained.matrix[rows], 0).astype(np.float32)
        parts.insert(0, scaled(given, weights * known) * known[:, None])
    return WordVectors(words, np.hstack(parts).astype(np.float32), name)


def numbered(texts, min_count, lowercase):
    """Words by frequency, their counts, and of each token that is one of them its word and its text."""
    found = Counter()
    for text in texts:
        found.update(words_of(text, lowercase))
    words = sorted(
        (word for word, n in found.items() if n >= min_count), key=lambda word: (-found[word], word)
    )
    if len(words) < 2:
        raise ValueError(
            f"Got {len(texts)} texts in which {len(words)} words of two or more characters come "
            f"min_count={min_count} times. Expected two such words. Give more texts or a lower min_count."
        )
    row_of = {word: row for row, word in enumerate(words)}
    rows = [
        np.array([row_of.get(word, -1) for word in words_of(text, lowercase)], np.int32) for text in texts
    ]
    text = np.repeat(np.arange(len(rows)), [len(some) for some in rows])
    return words, np.array([found[word] for word in words]), np.concatenate(rows), text


def neighbours(ids, text, n_words, window, n_contexts=None):
    """How often each word has each of the first n_contexts near it, weighed by 1 / distance: csr."""
    n_contexts = n_contexts or n_words
    found = sparse.csr_matrix((n_words, n_contexts))
    for distance in range(1, min(window, len(ids) - 1) + 1):
        together = (text[:-distance] == text[distance:]) & (ids[:-distance] >= 0) & (ids[distance:] >= 0)
        pair = ids[:-distance][together], ids[distance:][together]
        for word, context in (pair, pair[::-1]):
            kept = context < n_contexts
            weight = np.full(np.count_nonzero(kept), 1 / distance)
            found += sparse.csr_matrix((weight, (word[kept], context[kept])), found.shape)
    return found


def _associations(near, n_components, random_state):
    """U sqrt(S) of the positive pointwise mutual information."""
    near = near.tocoo()
    context = np.asarray(near.sum(axis=0)).ravel() ** _SMOOTHING
    expected = np.asarray(near.sum(axis=1)).ravel()[near.row] * (context / context.sum())[near.col]
    information = sparse.csr_matrix((np.log(near.data / expected).clip(0), (near.row, near.col)), near.shape)
    svd = TruncatedSVD(min(n_components, *near.shape), n_iter=4, random_state=random_state)
    return svd.fit_transform(information) / np.sqrt(svd.singular_values_).clip(1e-9)


def scaled(matrix, weights):
    """Rows less their mean, of mean squared length 1, as weighed."""
    share = weights / max(weights.sum(), 1e-9)
    centred = matrix - share @ matrix
    return centred / max(np.sqrt(share @ (centred**2).sum(axis=1)), 1e-9)
