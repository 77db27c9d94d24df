"""Words and n-grams of texts, against scikit-learn's CountVectorizer and a loop."""

import pickle
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_array_equal
from sklearn.feature_extraction.text import CountVectorizer

from embtransfer import WordVectors
from embtransfer._words import words_of
from embtransfer.embedders import _ngrams
from embtransfer.embedders._ngrams import NGrams, document_counts, find_words

CORPUS = [
    "not good, not GOOD at all",
    "a good film a very good film",
    "",
    "film",
    "not a good film; very good",
    "the été of 中文 ΟΔΟΣ\tis not good",
    "ÉTÉ of 中文 οδος is very, very, very good",
    "I x y",
]
# few words, so that n-grams come again; some of one character, some unknown, some that case changes
WORD = st.sampled_from(
    ["good", "Good", "film", "x", "中文", "ÉTÉ", "été", "ΟΔΟΣ", "zq", "straße", "a_b", "I"]
)
TEXT = st.one_of(
    st.lists(WORD, max_size=12).map(" ".join),
    st.lists(st.one_of(WORD, st.text(max_size=3)), max_size=8).map(", ".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


def count_vectorizer(longest, min_df=1, lowercase=True):
    """scikit-learn's n-grams of our words: `\\w\\w+` would cut "हि" at its vowel sign."""
    cut = partial(words_of, lowercase=lowercase)
    return CountVectorizer(
        ngram_range=(1, longest), min_df=min_df, lowercase=False, tokenizer=cut, token_pattern=None
    )


def learn(texts, longest, min_df=1, max_features=10**6, lowercase=True, pretrained=None):
    limits = {"min_df": min_df, "max_features": max_features, "lowercase": lowercase}
    words, n_corpus = find_words(texts, pretrained, **limits)
    return NGrams.learn(texts, words, n_corpus, longest=longest, **limits)


def names(ngrams):
    """Every row as the words that it stands for, joined by spaces."""
    names = ngrams.words.words
    for first, last in ngrams.ngrams:
        names.append(f"{names[first]} {names[last]}")
    return names


def found_names(ngrams, texts):
    """The sorted words and n-grams of each text."""
    ids, indptr = ngrams.rows(pa.array(texts, pa.large_string()))
    assert (ids.dtype, indptr.dtype) == (np.uint32, np.int64)
    named = names(ngrams)
    return [sorted(named[i] for i in ids[a:b]) for a, b in pairwise(indptr)]


def expected_names(texts, vocabulary, longest, lowercase=True):
    """The same by CountVectorizer's own n-grams, those of a vocabulary, as often as they come."""
    analyze = count_vectorizer(longest, lowercase=lowercase).build_analyzer()
    return [sorted(token for token in analyze(text) if token in vocabulary) for text in texts]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("min_df", [1, 2, 3])
@pytest.mark.parametrize("longest", [1, 2, 3, 5])
def test_the_vocabulary_is_that_of_count_vectorizer(longest, min_df, lowercase):
    ngrams = learn(CORPUS, longest, min_df, lowercase=lowercase)
    counter = count_vectorizer(longest, min_df, lowercase).fit(CORPUS)
    assert sorted(names(ngrams)) == sorted(counter.vocabulary_)
    assert len(ngrams) == len(counter.vocabulary_)
    expected = expected_names(CORPUS, counter.vocabulary_, longest, lowercase)
    assert found_names(ngrams, CORPUS) == expected


@settings(max_examples=150, deadline=None)
@given(
    corpus=st.lists(TEXT, max_size=8),
    texts=st.lists(TEXT, max_size=5),
    longest=st.integers(1, 4),
    min_df=st.integers(1, 2),
)
def test_any_texts(corpus, texts, longest, min_df):
    corpus = [*corpus, "good film", "good film"]
    ngrams = learn(corpus, longest, min_df)
    vocabulary = count_vectorizer(longest, min_df).fit(corpus).vocabulary_
    assert sorted(names(ngrams)) == sorted(vocabulary)
    assert found_names(ngrams, corpus + texts) == expected_names(corpus + texts, vocabulary, longest)


def test_words_that_the_corpus_lacks_break_ngrams():
    pretrained = WordVectors(["plot", "good", "Lower", "x", "two words", "of"], np.eye(6))
    ngrams = learn(["good film of mine", "good film of mine"], 3, 2, pretrained=pretrained)
    assert ngrams.words.words == ["film", "good", "mine", "of", "plot"]  # what texts are cut into
    assert ngrams.n_corpus == 4
    assert found_names(ngrams, ["good plot film", "good zq film", "good x film", "of mine plot of mine"]) == [
        ["film", "good", "plot"],
        ["film", "good"],
        ["film", "good", "good film"],  # of one character: no word at all
        ["mine", "mine", "of", "of", "of mine", "of mine", "plot"],
    ]


def test_ngrams_end_with_the_text():
    ngrams = learn(["good film", "good film"], 2, 2)
    assert found_names(ngrams, ["good", "film good", "film", ""]) == [
        ["good"],
        ["film", "good"],
        ["film"],
        [],
    ]
    assert names(learn(["good", "film"] * 5, 3)) == ["film", "good"]


@pytest.mark.parametrize("max_features", [1, 3, 6, 9, 12, 100])
@pytest.mark.parametrize("longest", [1, 2, 3])
def test_max_features_keeps_the_most_frequent(max_features, longest):
    ngrams = learn(CORPUS, longest, max_features=max_features)
    counter = CountVectorizer(ngram_range=(1, longest), binary=True)
    counts = dict(
        zip(
            counter.fit(CORPUS).get_feature_names_out(),
            counter.transform(CORPUS).sum(axis=0).A1,
            strict=True,
        )
    )
    named, room = names(ngrams), max_features
    for n in range(1, longest + 1):
        kept = {name for name in named if name.count(" ") == n - 1}
        # a longer n-gram needs the one that it begins with
        possible = [k for k in counts if k.count(" ") == n - 1 and (n == 1 or k.rpartition(" ")[0] in named)]
        possible = [k for k in possible if all(word in named for word in k.split(" "))]
        assert len(kept) == min(room, len(possible))
        left_out = [counts[name] for name in possible if name not in kept]
        assert max(left_out, default=0) <= min((counts[name] for name in kept), default=len(CORPUS))
        room -= len(kept)
    assert found_names(ngrams, CORPUS) == expected_names(CORPUS, set(named), longest)


def test_any_chunks_give_the_same_rows():
    texts = CORPUS * 3
    ngrams = learn(texts, 3, 2)
    ids, indptr = ngrams.rows(pa.array(texts, pa.large_string()))
    for size in (1, 2, 5):
        parts = [
            ngrams.rows(pa.array(texts, pa.large_string())[at : at + size])
            for at in range(0, len(texts), size)
        ]
        assert_array_equal(np.concatenate([part for part, _ in parts]), ids)
        assert_array_equal(np.concatenate([np.diff(ends) for _, ends in parts]), np.diff(indptr))


def test_learning_in_chunks(monkeypatch):
    texts = CORPUS * 4
    whole = learn(texts, 3, 2)
    chunks = _ngrams.iter_text_chunks

    def small(texts):
        for start, chunk in chunks(texts):
            for at in range(0, len(chunk), 3):
                yield start + at, chunk[at : at + 3]

    monkeypatch.setattr(_ngrams, "iter_text_chunks", small)
    assert_array_equal(learn(texts, 3, 2).ngrams, whole.ngrams)


def test_many_ngrams_in_the_table():
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{i}" for i in rng.zipf(1.3, 40).clip(max=3000)) for _ in range(400)]
    ngrams = learn(texts, 3)
    assert len(ngrams.ngrams) > 10_000
    vocabulary = CountVectorizer(ngram_range=(1, 3)).fit(texts).vocabulary_
    assert found_names(ngrams, texts) == expected_names(texts, vocabulary, 3)


def test_pickle_makes_the_table_again():
    ngrams = learn(CORPUS, 3)
    again = pickle.loads(pickle.dumps(ngrams))
    assert "vocabulary" not in ngrams.__getstate__()
    assert found_names(again, CORPUS) == found_names(ngrams, CORPUS)


def test_document_counts():
    ids, indptr = np.array([2, 2, 0, 2, 4, 4], np.uint32), np.array([0, 3, 3, 6])
    assert_array_equal(document_counts(ids, indptr, 6), [1, 0, 2, 0, 1, 0])
    assert_array_equal(document_counts(ids[:0], indptr[:1], 3), [0, 0, 0])


@pytest.mark.parametrize(
    ("texts", "min_df"), [(["", "x"], 1), (["good", "film"], 2), (["good film"], 2), (["..."], 1)]
)
def test_no_words(texts, min_df):
    message = rf"Got {len(texts)} texts, and no word of two or more .* in min_df={min_df} of them\. Expected"
    with pytest.raises(ValueError, match=message):
        learn(texts, 2, min_df)


def test_tables_of_tokens_are_refused():
    vectors = WordVectors(["go", "##od"], np.eye(2), "tokens", tokenizer="{}")
    with pytest.raises(ValueError, match=r"Got the table tokens, whose rows are tokens .* or vectors=None"):
        learn(["good"], 1, pretrained=vectors)
