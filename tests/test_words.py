"""What a word is, in many scripts: lists of tokens, and Unicode's own word boundaries as a second reading."""

import unicodedata
import warnings

import numpy as np
import pytest
import regex
from hypothesis import given, settings, strategies as st
from sklearn.linear_model import LogisticRegression

from embtransfer import (
    CompiledPipeline,
    NGramVectorizer,
    WordEmbedder,
    WordVectors,
    compile_pipeline,
    explain,
    make_transfer_pipeline,
    word_shift,
)
from embtransfer._texts import check_texts, iter_text_chunks
from embtransfer._words import composed_spans, words_of
from embtransfer.embedders._ngrams import NGrams

# text, its words, its tokens with "characters" where they are others
CASES = {
    "Hindi": ("हिन्दी में लिखा, अच्छी क़लम", "हिन्दी में लिखा अच्छी क़लम", None),
    "Tamil": ("தமிழ் மொழி நன்று", "தமிழ் மொழி நன்று", None),
    "Bengali": ("বাংলা ভাষা খুব ভালো", "বাংলা ভাষা খুব ভালো", None),
    "Thai": ("ภาษาไทย ดี", "ภาษาไทย ดี", "ภ า ษ า ไ ท ย ดี"),
    "Korean": ("한국어 텍스트", "한국어 텍스트", None),
    "Korean in jamo": (unicodedata.normalize("NFD", "한국어 텍스트"), "한국어 텍스트", None),
    "Arabic": ("العَرَبِيَّة كتاب", "العَرَبِيَّة كتاب", None),
    "Persian": ("می\u200cخواهم بروم", "می\u200cخواهم بروم", None),
    "Hebrew": ("שָׁלוֹם עולם", "שָׁלוֹם עולם", None),
    "Turkish": ("İstanbul ISPARTA ığdır", "istanbul isparta ığdır", None),
    "German": ("Straße STRASSE GROẞ", "straße strasse groß", None),
    "Greek": ("ΟΔΥΣΣΕΥΣ", "οδυσσευς", None),
    "Vietnamese": ("Tiếng Việt", "tiếng việt", None),
    "Vietnamese apart": (unicodedata.normalize("NFD", "Tiếng Việt"), "tiếng việt", None),
    "French apart": ("Cafe\u0301 CRE\u0300ME", "café crème", None),
    "Chinese": ("我喜欢iPhone手机", "我喜欢iphone手机", "我 喜 欢 iphone 手 机"),
    "Japanese": ("ひらがなと漢字", "ひらがなと漢字", "ひ ら が な と 漢 字"),
    "emoji": ("Good 👍 😀😀", "good", "good 👍 😀 😀"),
    "money": ("costs 50 €", "costs 50", "costs 50 €"),
}


def boundaries(text):
    """Unicode's default word segmentation (UAX 29), lower-cased, of the text composed."""
    text = unicodedata.normalize("NFC", text)
    parts = [part.lower().replace("i\u0307", "i") for part in regex.split(r"(?wV1)\b", text)]
    return [part for part in parts if regex.search(r"[\p{L}\p{N}\p{S}]", part)]


def kernel_tokens(texts, **params):
    """Tokens as the embedder finds them, with a table that has none."""
    embedder = WordEmbedder(WordVectors(["\ue000"], [[1.0]]), **params).fit(["-"])
    parts = [embedder._tokens(chunk) for _, chunk in iter_text_chunks(check_texts(texts))]
    return [[unknown[i - 1].as_py() for i in ids] for ids, _, unknown in parts]


@pytest.mark.parametrize("case", CASES)
def test_tokens_of_many_scripts(case):
    text, words, characters = CASES[case]
    assert words_of(text) == words.split(" ")
    assert kernel_tokens([text]) == [words.split(" ")]
    characters = words if characters is None else characters
    assert kernel_tokens([text], token_pattern="characters") == [characters.split(" ")]
    assert boundaries(text) == characters.split(" ")


@pytest.mark.parametrize(
    ("text", "ours", "unicode"),
    [  # what we cut otherwise, on purpose: docs/your-own-embeddings.md
        ("don't go", "don go", "don't go"),  # tables have neither; as scikit-learn
        ("3.14 1,000", "14 000", "3.14 1,000"),
        ("a b न हाँ", "हाँ", "a b न हाँ"),  # words of one character are left out
        ("カタカナ", "カ タ カ ナ", "カタカナ"),
        ("👍🏽 👩\u200d💻 🇩🇪", "👍 🏽 👩 💻 🇩 🇪", "👍🏽 👩\u200d💻 🇩🇪"),  # tables have the parts
        ("❤\ufe0f", "❤", "❤\ufe0f"),
        ("co\u00adop", "co op", "co\u00adop"),
    ],
)
def test_where_we_differ_from_unicode(text, ours, unicode):
    assert kernel_tokens([text], token_pattern="characters") == [ours.split(" ")]
    assert boundaries(text) == unicode.split(" ")


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("aeéन ि़्\u0958\u0301\u0323\u1100\u1161\u11a8가กำ่İΣ.\u212b\u200d")))
def test_composed_texts_know_where_their_characters_were(text):
    composed, spans = composed_spans(text)
    assert composed == unicodedata.normalize("NFC", text)
    assert len(spans) == len(composed)
    for character, (start, end) in zip(composed, spans, strict=True):
        assert character in unicodedata.normalize("NFC", text[start:end])


def test_a_pattern_means_what_re_makes_of_it():
    assert kernel_tokens(["हिन्दी cafe\u0301"], token_pattern=r"\w\w+") == [["cafe"]]
    assert kernel_tokens(["हिन्दी cafe\u0301"], token_pattern=r"(\w\w+)") == [["cafe"]]


# ---------------------------------------------------------------- one meaning everywhere
TEXTS = ["हिन्दी अच्छी किताब", "अच्छी cafe\u0301", "बुरी किताब", "बुरी हिन्दी"] * 5
LABELS = ["good", "good", "bad", "bad"] * 5
WORDS = sorted({word for text in TEXTS for word in words_of(text)})


def models():
    table = WordVectors(WORDS, np.random.default_rng(0).normal(size=(len(WORDS), 8)))
    for embedder in (WordEmbedder(table), NGramVectorizer()):
        yield make_transfer_pipeline(embedder, LogisticRegression()).fit(TEXTS, LABELS)


def test_ngrams_are_of_the_same_words():
    names = NGramVectorizer(max_ngram=1).fit(TEXTS).get_feature_names_out()
    assert sorted(names) == WORDS
    assert "अच्छी किताब" in NGramVectorizer().fit(TEXTS).get_feature_names_out()


@pytest.mark.parametrize("i", [0, 1])
def test_folded_and_explained_models_have_the_same_words(i, tmp_path):
    model = [*models()][i]
    compiled = compile_pipeline(model)
    compiled.save(tmp_path / "compiled")
    compiled = CompiledPipeline.load(tmp_path / "compiled")
    np.testing.assert_allclose(compiled.predict_proba(TEXTS), model.predict_proba(TEXTS), atol=1e-5)
    text = "अच्छी, Cafe\u0301!"
    table = explain(model, text).table
    places = {row.word: row.positions for row in table.itertuples()}
    assert places["अच्छी"] == [(0, 5)]
    assert places["café"] == [(7, 12)]


def test_words_that_moved_are_whole():
    assert set(word_shift(TEXTS, ["अच्छी cafe\u0301"], top=None)["word"]) == set(WORDS)


def test_vocabularies_saved_before_cut_as_before():
    found = NGramVectorizer(max_ngram=1).fit(TEXTS)._found
    state = found.__getstate__()
    del state["marks"]
    old = NGrams.__new__(NGrams)
    old.__setstate__(state)
    chunk = next(iter_text_chunks(["हिन्दी café"]))[1]
    assert [len(vocabulary.rows(chunk)[0]) for vocabulary in (found, old)] == [2, 1]


# ---------------------------------------------------------------- what is left out, and said
def test_coverage_counts_what_is_in_no_token():
    table = WordVectors(["good", "👍", "好"], np.eye(3))
    texts = ["a good 👍👍", "好!", "$ GOOD", ""]
    found = WordEmbedder(table).fit(["-"]).coverage(texts)
    assert found.n_dropped.tolist() == [3, 1, 1, 0]
    assert found.dropped(2).values.tolist() == [["👍", 2, 0.4], ["$", 1, 0.2]]
    found.add(WordEmbedder(table).fit(["-"]).coverage(["👍"]))
    assert found.n_dropped.tolist() == [3, 1, 1, 0, 1]
    asked = WordEmbedder(table, token_pattern="characters").fit(["-"]).coverage(texts)
    assert asked.n_dropped.tolist() == [1, 0, 0, 0]
    assert asked.n_known.tolist() == [3, 1, 1, 0]
    assert WordEmbedder(table, token_pattern=str.split).fit(["-"]).coverage(texts).n_dropped.sum() == 0


def test_fit_warns_if_a_tenth_of_the_texts_has_no_known_word():
    table = WordVectors(["good", "好"], np.eye(2), name="mine")
    texts = ["good film"] * 17 + ["", "好", "好片", "好"]
    message = r"15% have no word that the table mine has \(20 looked at\).*token_pattern='characters'"
    with pytest.warns(UserWarning, match=message):
        WordEmbedder(table).fit(texts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        WordEmbedder(table, token_pattern="characters").fit(texts)
        WordEmbedder(table).fit(texts + ["good"] * 30)
        WordEmbedder(table).fit(["bad"] * 19)
