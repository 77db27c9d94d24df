"""Words and frequent n-grams of a corpus, and their rows in any text."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from .._texts import iter_text_chunks
from .._words import words_of
from ..compiled._vocabulary import Remade, Vocabulary
from ..word_vectors import WordVectors

_MIN_LENGTH = 2  # of a word, in characters, as in scikit-learn's vectorizers


@dataclass
class NGrams(Remade):
    """What a vocabulary of words and n-grams finds in texts.

    Rows are numbered: first the n_corpus words that form n-grams, then the other words of `words`, then
    the n-grams. `ngrams`, int64 (n_ngrams, 2), has of each the row of all its words but the last, and the
    row of the last.
    """

    words: WordVectors
    n_corpus: int
    ngrams: np.ndarray
    longest: int
    lowercase: bool
    marks: bool = False  # as in Vocabulary; models of earlier versions lack it

    def __post_init__(self):
        words = *self.words._index, self.lowercase, _MIN_LENGTH
        self.vocabulary = Vocabulary(*words, self.ngrams, self.longest, self.n_corpus, self.marks)

    def __setstate__(self, state):
        """Refuse what would send a kernel outside its arrays: a file may be made to deceive."""
        sound = _can_be_indexed(**state)
        if sound:
            super().__setstate__(state)
        if not (sound and self.vocabulary.ngrams_are_sound()):
            raise ValueError("Got words and n-grams that contradict one another. The file is damaged.")

    def __len__(self):
        return len(self.vocabulary)

    def rows(self, chunk):
        """Rows of the words and n-grams of a chunk of texts: ids uint32, indptr int64 (n_texts + 1,)."""
        return self.vocabulary.rows(chunk)

    @classmethod
    def learn(cls, texts, words, n_corpus, *, longest, min_df, max_features, lowercase):
        """Find the n-grams of the first n_corpus words that come in at least min_df texts.

        At most max_features - n_corpus of them, the most frequent; those of two words go before longer ones.
        """
        from ..kernels import _tokens

        vocabulary = Vocabulary(*words._index, lowercase, _MIN_LENGTH, marks=True)
        chunks = (vocabulary.text_arguments(chunk) for _, chunk in iter_text_chunks(texts))
        found = [_tokens.text_rows(*arguments, True) for arguments in chunks]
        ids = np.concatenate([ids for ids, _ in found]).astype(np.int64)
        lengths = np.concatenate([np.diff(indptr) for _, indptr in found])
        text = np.repeat(np.arange(len(lengths)), lengths)
        ids[ids >= n_corpus] = -1
        prefix, room = ids, max_features - n_corpus
        ngrams = [np.zeros((0, 2), np.int64)]
        first = len(words)
        for _ in range(1, longest):
            # at each word the row of the n-gram that ends there, -1 where there is none
            together = (prefix[:-1] >= 0) & (ids[1:] >= 0) & (text[:-1] == text[1:])
            key = prefix[:-1][together] << 32 | ids[1:][together]
            frequent, at = _frequent(key, text[1:][together], min_df, room)
            ngrams.append(np.stack([frequent >> 32, frequent & 0xFFFFFFFF], axis=1))
            room -= len(frequent)
            prefix = np.full(len(ids), -1)
            prefix[1:][together] = np.where(at >= 0, first + at, -1)
            first += len(frequent)
        return cls(words, n_corpus, np.concatenate(ngrams), longest, lowercase, True)


def _can_be_indexed(words, n_corpus, ngrams, longest, lowercase, marks=False):
    return (
        isinstance(words, WordVectors)
        and isinstance(ngrams, np.ndarray)
        and ngrams.dtype == np.int64
        and ngrams.shape[1:] == (2,)
        and type(longest) is int
        and 1 <= longest <= 100
        and type(n_corpus) is int
        and n_corpus >= 0
    )


def find_words(texts, pretrained, *, min_df, max_features, lowercase):
    """A table, without vectors yet, of the words of a corpus and then those that a table has beside them.

    Returns (WordVectors of zeros, how many words come from the corpus). Of the pretrained table (or None)
    words are left out that no text is cut into.
    """
    counts: Counter[str] = Counter()  # of texts
    for text in texts:
        counts.update(set(words_of(text, lowercase)))
    frequent = sorted((-count, word) for word, count in counts.items() if count >= min_df)
    if not frequent:
        raise ValueError(
            f"Got {len(texts)} texts, and no word of two or more characters comes in min_df={min_df} of "
            "them. Expected texts of more words, or a lower min_df; of scripts without spaces, such as "
            "Chinese, texts that are cut into words, with spaces between."
        )
    corpus = [word for _, word in frequent[:max_features]]
    words = list(corpus)
    if pretrained is not None:
        if pretrained.tokenizer is not None:
            raise ValueError(
                f"Got the table {pretrained.name}, whose rows are tokens of a tokenizer, not words. Pass a "
                "table of words, or vectors=None."
            )
        known = set(corpus)
        more = (word for word in pretrained.words if word not in known)
        words += [word for word in more if words_of(word, lowercase) == [word]]
    return WordVectors(words, np.zeros((len(words), 1), np.float32)), len(corpus)


def document_counts(ids, indptr, n_rows):
    """Texts that each row comes in: int64 (n_rows,)."""
    text = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    pairs = np.unique(text * n_rows + ids)
    return np.bincount(pairs % n_rows, minlength=n_rows)


def _frequent(key, text, min_df, most):
    """The keys of at least min_df texts, ascending; at most so many, those of most texts.

    And for each one given the number of its key among these, or -1. `text` ascends.
    """
    order = np.argsort(key, kind="stable")
    key, text = key[order], text[order]
    first = np.ones(len(key), bool)
    first[1:] = key[1:] != key[:-1]
    of_key = np.cumsum(first) - 1
    new = first.copy()
    new[1:] |= text[1:] != text[:-1]
    counts = np.bincount(of_key[new])
    kept = np.flatnonzero(counts >= min_df)
    if len(kept) > most:
        kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")[: max(most, 0)]])
    number = np.full(len(counts), -1)
    number[kept] = np.arange(len(kept))
    at = np.empty(len(key), np.int64)
    at[order] = number[of_key]
    return key[first][kept], at
