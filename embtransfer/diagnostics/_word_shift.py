"""The words that moved between two domains."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer

from .._texts import check_texts, iter_text_chunks
from .._types import Texts
from .._words import words_of


def word_shift(
    texts_source: Texts,
    texts_target: Texts,
    *,
    top: int | None = 20,
    vectorizer: Any = None,
    prior_words: float = 500,
) -> pd.DataFrame:
    r"""List the words that are most typical of one domain against the other.

    Parameters
    ----------
    texts_source : 1-D sequence of str
    texts_target : 1-D sequence of str
    top : int or None, default=20
        Words of each domain; None gives all.
    vectorizer : CountVectorizer, default=None
        What counts the words; it is cloned. None counts words as WordEmbedder cuts them.
    prior_words : float, default=500
        Weight of the prior, in words of text: enough to keep words that are seen a few times from the
        top, little against any corpus. More draws rare words closer to 0.

    Returns
    -------
    DataFrame with a row a word, from the most typical of the target to that of the source, and the columns
        word : str
        source_count, target_count : how often it comes
        source_rate, target_rate : the same as a share of the domain's words
        log_odds : above 0 where it is more frequent in the target
        z : log_odds over its standard deviation

    Raises
    ------
    TypeError, ValueError
        If the texts are no 1-D sequences of str, or hold fewer than two words; if a parameter is out of
        range.

    See Also
    --------
    domain_shift : Distances between the domains' embeddings.

    Notes
    -----
    With counts :math:`y` of a word among :math:`n` words, and a Dirichlet prior of :math:`\alpha_0` words,
    :math:`\alpha` of them this one, in the proportions of both domains together:

    .. math::

        \delta = \ln\frac{y_t + \alpha}{n_t + \alpha_0 - y_t - \alpha}
        - \ln\frac{y_s + \alpha}{n_s + \alpha_0 - y_s - \alpha}, \quad
        z = \delta \Big/ \sqrt{\frac{1}{y_t + \alpha} + \frac{1}{y_s + \alpha}}

    References
    ----------
    B. L. Monroe, M. P. Colaresi, K. M. Quinn. "Fightin' words: lexical feature selection and evaluation for
    identifying the content of political conflict." Political Analysis 16, 2008.

    Examples
    --------
    >>> from embtransfer import word_shift
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> list(word_shift(films.data, pans.data, top=1)["word"])
    ['these', 'is']
    """
    if top is not None and top < 1:
        raise ValueError(f"Got top={top!r}. Expected a number of words above 0, or None for all.")
    if not prior_words > 0:
        raise ValueError(f"Got prior_words={prior_words!r}. Expected a number above 0.")
    source, target = check_texts(texts_source), check_texts(texts_target)
    vectorizer = CountVectorizer(analyzer=words_of) if vectorizer is None else clone(vectorizer)
    counts = vectorizer.fit_transform(text for texts in (source, target) for text in _iterate(texts))
    words = vectorizer.get_feature_names_out()
    if len(words) < 2:
        raise ValueError(f"Got texts with one word, {words[0]!r}, again and again. Expected at least two.")
    pair = [np.asarray(part.sum(axis=0)).ravel() for part in (counts[: len(source)], counts[len(source) :])]
    prior = prior_words * (pair[0] + pair[1]) / (pair[0].sum() + pair[1].sum())
    pseudo = [y + prior for y in pair]
    odds = [np.log(y / (y.sum() - y)) for y in pseudo]
    log_odds = odds[1] - odds[0]
    rates = [y / max(y.sum(), 1) for y in pair]
    table = pd.DataFrame(
        {
            "word": words,
            "source_count": pair[0],
            "target_count": pair[1],
            "source_rate": rates[0],
            "target_rate": rates[1],
            "log_odds": log_odds,
            "z": log_odds / np.sqrt(1 / pseudo[0] + 1 / pseudo[1]),
        }
    ).sort_values("z", ascending=False, kind="stable", ignore_index=True)
    if top is None or 2 * top >= len(table):
        return table
    return pd.concat([table.head(top), table.tail(top)], ignore_index=True)


def _iterate(texts):
    return (text for _, chunk in iter_text_chunks(texts) for text in chunk.to_pylist())
