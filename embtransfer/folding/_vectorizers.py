"""scikit-learn's vectorizers as vocabularies of words and n-grams."""

from dataclasses import replace

import numpy as np

from ..compiled._vocabulary import Vocabulary
from ..embedders._cutting import KERNEL_PATTERNS
from ..word_vectors import WordVectors
from ._rows import CannotFold, Terms


def own_vocabulary(shared):
    """A vocabulary with copies of the index of a WordVectors."""
    offsets, slots = np.array(shared.offsets), np.array(shared.slots)
    words = np.append(shared.words[: offsets[-1]], np.zeros(16, np.uint8))
    return replace(shared, words=words, offsets=offsets, slots=slots, lowercase=bool(shared.lowercase))


def counted_terms(step):
    """The columns of a fitted CountVectorizer or TfidfVectorizer, not yet weighted."""
    longest = step.ngram_range[1]
    plain = (
        step.analyzer == "word"
        and step.tokenizer is None
        and step.preprocessor is None
        and step.strip_accents is None
        and step.input == "content"
        and step.token_pattern in KERNEL_PATTERNS
        and not KERNEL_PATTERNS[step.token_pattern][1]
    )
    if not plain:
        raise CannotFold(
            "words by the default token_pattern fold; an analyzer, tokenizer, preprocessor or strip_accents "
            "of its own runs in Python"
        )
    if step.stop_words is not None and longest > 1:
        raise CannotFold("stop words that n-grams reach across do not fold; leave out stop_words or n-grams")
    terms = {tuple(term.split(" ")): column for term, column in step.vocabulary_.items()}
    # words that are no column of their own may be part of an n-gram that is
    words = sorted({word for term in terms for word in term})
    row_of = {(word,): row for row, word in enumerate(words)}
    pairs = []
    beginnings = {term[: n + 1] for term in terms for n in range(1, len(term))}
    for ngram in sorted(beginnings, key=lambda ngram: (len(ngram), ngram)):
        pairs.append((row_of[ngram[:-1]], row_of[ngram[-1:]]))
        row_of[ngram] = len(words) + len(pairs) - 1
    columns = np.empty(len(terms), np.int64)
    columns[list(terms.values())] = [row_of[term] for term in terms]
    shared = Vocabulary(
        *WordVectors(words, np.zeros((len(words), 1), np.float32))._index,
        step.lowercase,
        KERNEL_PATTERNS[step.token_pattern][0],
        ngrams=np.array(pairs, np.int64).reshape(-1, 2),
        longest=longest if pairs else 1,
        n_forming=len(words),
    )
    return Terms(own_vocabulary(shared), len(terms), "binary" if step.binary else "count", columns=columns)
