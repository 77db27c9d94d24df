"""The compiled kernel finds the tokens that `re` and `str.lower` find, and pools them as numpy does."""

import ctypes
import mmap
import re
import sys
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from embtransfer import WordEmbedder, WordVectors
from embtransfer._texts import check_texts, iter_text_chunks
from embtransfer._words import composing, marks, words_of
from embtransfer.kernels._unicode import (
    CASED,
    CODE,
    COMPOSING,
    IGNORABLE,
    MARK,
    SPECIAL,
    WORD,
    unicode_table,
)

KERNEL = {1: r"(?u)\b\w+\b", 2: r"(?u)\b\w\w+\b"}
PYTHON = {1: r"\b(\w+)\b", 2: r"\b(\w\w+)\b"}
ABSENT = ["absent", "ausente", "отсутствует", "ἀπών", "不在", "q", "ж"]

FINAL_SIGMA = "ΣσςΑάΆ\u0345ʰªǅß'’.·:^`\u00ad\ufe0f\u200d\u0301\u0307 aA1_\u0130"
DOTTED_I = "İIıi\u0307\u0301 Ix"
GROWS = "ȺⱥȾⱦẞßKÅΩ"  # capitals and small letters of different lengths in UTF-8
SCRIPTS = "ЖжҐґႠⴀაᲐ漢字かなहिंعر𐐀𐐨𝐀𞤀𞤢"
MARKS = (
    "aé e\u0301\u0323\u030a\u0327नि\u094d\u093c\u0958\u200c\u200dกำ่\u1100\u1161\u11a8가ഩ\u212b\u20e3\ufe0f."
)
OTHERS = "\x00\x01\x1f\x7f\x85\u2028\u2029\u200b\ufeff😀👍🏽\u20e3_-٣३𝟘²½Ⅷⅷ"
BLOCKS = ["a" * 63, "A" * 64, " " * 64, "b" * 15, "ab " * 21, "Жж" * 16, "a " * 32]


def alphabet(characters):
    return st.text(st.sampled_from(sorted(set(characters))), max_size=24)


anything = st.text(st.characters(exclude_categories=()), max_size=40)
rich = st.one_of(*map(alphabet, [FINAL_SIGMA, DOTTED_I, GROWS, SCRIPTS, MARKS, OTHERS, "aAzZ09_ -~@[`{"]))
blocks = st.sampled_from(BLOCKS)
texts_strategy = st.lists(
    st.lists(rich | rich | blocks | anything, max_size=6).map("".join) | anything, min_size=1, max_size=6
)


def table(words, n_columns=5, seed=0):
    return WordVectors(words, np.random.default_rng(seed).normal(size=(len(words), n_columns)))


def fit(vectors, **params):
    return WordEmbedder(vectors, **params).fit(["text"])


def rows(embedder, texts):
    parts = [embedder._rows(chunk)[:2] for _, chunk in iter_text_chunks(check_texts(texts))]
    return [ids[a:b].tolist() for ids, ends in parts for a, b in pairwise(ends)]


def expected_rows(vectors, texts, pattern=None, lowercase=True):
    """Of a pattern as `re` sees it, or of words."""
    row_of = {word: row for row, word in enumerate(vectors.words)}
    if pattern is None:
        tokens = (words_of(_without_surrogates(text), lowercase) for text in texts)
    else:
        tokens = (re.findall(pattern, text.lower() if lowercase else text) for text in texts)
    return [[row_of[token] for token in found if token in row_of] for found in tokens]


def _without_surrogates(text):
    return re.sub("[\ud800-\udfff]", " ", text)


def mean(vectors, ids):
    return vectors.matrix[ids].mean(axis=0, dtype=np.float64) if ids else np.zeros(vectors.matrix.shape[1])


def assert_close(got, expected):
    assert got.dtype == np.float32
    expected = np.asarray(expected)
    np.testing.assert_array_less(np.abs(got - expected) / np.maximum(1, np.abs(expected)), 1e-5)


def assert_as_python(texts, n_columns=5, **params):
    """Tokens, rows and means of words, for a table of every word."""
    known = sorted({word for text in texts for word in words_of(text)})
    vectors = table([*dict.fromkeys(known + ABSENT)], n_columns)
    embedder = fit(vectors, **params)
    expected = expected_rows(vectors, texts)
    assert rows(embedder, texts) == expected
    assert_close(embedder.transform(texts), [mean(vectors, ids) for ids in expected])


@settings(max_examples=80, deadline=None)
@given(st.booleans(), st.sampled_from([1, 2]), texts_strategy)
def test_as_regex(lowercase, min_length, texts):
    tokens = sorted({t for text in texts for s in (text, text.lower()) for t in re.findall(r"\w+", s)})
    vectors = table([*dict.fromkeys([t for i, t in enumerate(tokens) if i % 5] + ABSENT)])
    kernel, python = (
        fit(vectors, lowercase=lowercase, token_pattern=pattern[min_length]) for pattern in (KERNEL, PYTHON)
    )
    expected = expected_rows(vectors, texts, PYTHON[min_length], lowercase)
    assert rows(python, texts) == expected
    assert rows(kernel, texts) == expected
    assert_close(kernel.transform(texts), [mean(vectors, ids) for ids in expected])
    np.testing.assert_array_equal(kernel.transform(texts), python.transform(texts))


@settings(max_examples=100, deadline=None)
@given(lowercase=st.booleans(), texts=texts_strategy)
def test_words_as_python(lowercase, texts):
    clean = [_without_surrogates(text) for text in texts]
    words = sorted({word for text in clean for word in words_of(text, lowercase)})
    vectors = table([*dict.fromkeys([word for i, word in enumerate(words) if i % 5] + ABSENT)])
    kernel, python = (
        fit(vectors, lowercase=lower, token_pattern=pattern)
        for lower, pattern in ((lowercase, "words"), (False, partial(words_of, lowercase=lowercase)))
    )
    expected = expected_rows(vectors, texts, lowercase=lowercase)
    assert rows(kernel, texts) == rows(python, texts) == expected
    np.testing.assert_array_equal(kernel.transform(texts), python.transform(texts))
    found, again = kernel.coverage(texts), python.coverage(texts)
    assert found.n_tokens.tolist() == again.n_tokens.tolist() == [len(words_of(t, lowercase)) for t in clean]
    assert found.unknown(1000).equals(again.unknown(1000))


@pytest.mark.parametrize(
    "text",
    [
        "ΟΔΟΣ",
        "ΣΑΣ ΑΣ'Σ ΑΣ' Σ",
        "Α\u0345Σ",
        "ʰΣ",
        "𐐀Σ",
        "İΣ",
        "AΣ\ufe0fB",
        "İİ I\u0307x",
        "न\u094dग \u094d",
        "e\u0301 e\u0301\u200dé",
    ],
)
@pytest.mark.parametrize("before", [0, 1, 62, 63, 64, 130])
def test_context_at_block_edges(text, before):
    assert_as_python(["x" * before + text, " " * before + text + " end", text + "x" * before])


@pytest.mark.parametrize(("lowercase", "with_marks"), [(True, True), (True, False), (False, True)])
def test_unicode_table(lowercase, with_marks):
    entries = unicode_table(lowercase, with_marks)
    word = re.compile(r"\w").match
    code, classes = np.full(0x110000, ord(" ")), np.zeros(0x110000, np.int64)
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000:
            continue
        character = chr(point)
        lower = character.lower() if lowercase else character
        code[point] = ord(lower[0])
        classes[point] = WORD if word(lower) else 0
        if with_marks and character == "\u0130":
            continue
        if len(lower) > 1:
            assert (character, lower) == ("\u0130", "i\u0307")
        if lowercase:
            if (character + "Σ").lower()[-1] == "ς":
                classes[point] |= CASED
            elif ("A" + character + "Σ").lower()[-1] == "ς":
                classes[point] |= IGNORABLE
    if lowercase:
        classes[ord("Σ")] |= SPECIAL
        if with_marks:
            code[0x130], classes[0x130] = ord("i"), WORD | CASED
        else:
            classes[0x130] |= SPECIAL
    elif with_marks:
        code[0x130], classes[0x130] = 0x130, WORD
    if with_marks:
        classes[[*map(ord, marks())]] |= MARK
        classes[[*map(ord, composing())]] |= COMPOSING
    np.testing.assert_array_equal(entries & CODE, code)
    np.testing.assert_array_equal(entries & ~np.uint32(CODE), classes)


# ---------------------------------------------------------------- long texts
@pytest.mark.parametrize("word", ["good", "ж" * 9, "ȺȺ", "naïveté" * 3])
def test_one_word_many_times(word):
    vectors = table([word.lower(), "other"], 50)
    embedder = fit(vectors)
    text = f"{word} " * 300_000
    (ids,) = rows(embedder, [text])
    assert ids == [0] * 300_000
    assert_close(embedder.transform([text])[0], vectors.matrix[0])


@pytest.mark.parametrize("pooling", ["mean", "idf"])
def test_long_mean_is_exact(pooling):
    rng = np.random.default_rng(1)
    words = [f"word{i}" for i in range(300)]
    vectors = WordVectors(words, rng.normal(100, 30, size=(300, 40)))
    ids = rng.integers(300, size=300_000)
    text = " ".join(words[i] for i in ids)
    embedder = WordEmbedder(vectors, pooling=pooling).fit([text, "word0 word1", "word1"])
    weights = None if pooling == "mean" else embedder.weights_[ids].astype(np.float64)
    rows_of_text = vectors.matrix[ids].astype(np.float64)
    assert_close(embedder.transform([text])[0], np.average(rows_of_text, axis=0, weights=weights))


@pytest.mark.parametrize("character", ["a", "ж", "Ⱥ", "漢", "𐐀"])
def test_long_token(character):
    token = character * 300_000
    texts = [f"{token} good", f"good {token[:-1]}x", token]
    vectors = table([token.lower(), "good", token[1:].lower()])
    assert rows(fit(vectors), texts) == [[0, 1], [1], [0]]


@pytest.mark.parametrize("filler", ["ab ", "a b cd ", "éa ", "Ⱥ ȺȺ ", "x"])
@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 200_000])
def test_group_boundary(filler, size):
    long = (filler * size).encode()[:size].decode(errors="ignore")
    short = ["short one", "", "Ⱥⱥ ab", "cd" * 40]
    assert_as_python([*short * 50, long, *short, long, long, *short * 400, long])


def test_many_texts_of_many_sizes():
    rng = np.random.default_rng(2)
    words = ["ab", "Ж", "ὈΔΥΣΣΕΎΣ", "c", "word" * 5, "😀", "İx", "straße"]
    texts = [" ".join(rng.choice(words, size)) for size in rng.geometric(0.01, size=3000)]
    assert_as_python(texts)


@pytest.mark.parametrize("pooling", ["mean", "idf", "sif"])
def test_threads_change_nothing(pooling):
    rng = np.random.default_rng(3)
    words = [f"w{i}" for i in range(99)]
    texts = [" ".join(rng.choice(words, size)) for size in rng.integers(9, size=9000)]
    one, two = (
        WordEmbedder(table(words, 20), pooling=pooling, n_jobs=n_jobs).fit(texts) for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.transform(texts), two.transform(texts))
    assert one.n_zero_rows_ == two.n_zero_rows_ == texts.count("")


# ---------------------------------------------------------------- tables
def test_word_lengths():
    lengths = [1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40]
    words = [letter * n for n in lengths for letter in "ab"]
    pairs = [f"{'same-first-sixteen'.replace('-', '')}{tail}" for tail in ("a", "b", "ab", "ba")]
    words += pairs + [word[::-1] for word in pairs]
    vectors = table(words)
    texts = [*words, " ".join(words), "samefirstsixteenc samefirstsixteen"]
    assert rows(fit(vectors), texts) == expected_rows(vectors, texts)
    assert rows(fit(vectors, token_pattern=r"\w+"), texts) == expected_rows(vectors, texts, r"\w+")


@pytest.mark.parametrize("word", ["a", "good", "ж", "a\0b", "nul\0", "x" * 100])
def test_table_of_one_word(word):
    vectors = WordVectors([word], [[1.0, -2.0]])
    texts = ["", word, f"{word} {word}", "none of it", f"{word}{word}", "nul", "a b"]
    embedder = fit(vectors, token_pattern=r"\w+")
    assert rows(embedder, texts) == expected_rows(vectors, texts, r"\w+")


@pytest.mark.parametrize("n_columns", [*range(1, 81), 127, 128, 129, 300])
def test_widths(n_columns):
    words = [f"w{i}" for i in range(30)]
    vectors = table(words, n_columns)
    texts = [" ".join(words[i:]) for i in range(30)] + ["", "w1"]
    expected = expected_rows(vectors, texts)
    assert_close(fit(vectors).transform(texts), [mean(vectors, ids) for ids in expected])
    embedder = WordEmbedder(vectors, pooling="idf").fit(texts)
    weights = embedder.weights_.astype(np.float64)
    averages = [
        np.average(vectors.matrix[ids], axis=0, weights=weights[ids]) if ids else np.zeros(n_columns)
        for ids in expected
    ]
    assert_close(embedder.transform(texts), averages)


@pytest.mark.parametrize("n_words", [2, 3, 4, 31, 32, 33, 5000])
def test_table_sizes(n_words):
    words = [f"{i:x}_" for i in range(n_words)]
    vectors = table(words)
    texts = [" ".join(words), " ".join(f"{i:x}_" for i in range(n_words, 2 * n_words))]
    assert rows(fit(vectors), texts) == [list(range(n_words)), []]


def test_float16_table():
    words = ["good", "bad"]
    matrix = np.random.default_rng(4).normal(size=(2, 50)).astype(np.float16)
    got = fit(WordVectors(words, matrix)).transform(["good bad", "bad"])
    assert_close(got, [matrix.astype(np.float64).mean(axis=0), matrix[1].astype(np.float64)])


# ---------------------------------------------------------------- Arrow memory
TEXTS = ["good pan", "", "Bad ΟΔΟΣ film", None, "good " * 100, "ж", "bad"]
EXPECTED = [text or "" for text in TEXTS]
VECTORS = table(["good", "bad", "pan", "οδος", "film"])


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
@pytest.mark.parametrize(("start", "stop"), [(0, None), (1, None), (2, 5), (3, 3), (6, 7)])
def test_arrow_slices(kind, start, stop):
    array = pa.array(TEXTS, kind)[start:stop]
    assert rows(fit(VECTORS), array) == expected_rows(VECTORS, EXPECTED[start:stop])
    assert len(fit(VECTORS).transform(array)) == len(array)


def from_bytes(pieces, memory=None):
    """Arrow texts over memory that ends with the last text."""
    data = b"".join(pieces)
    memory = np.empty(len(data), np.uint8) if memory is None else memory[len(memory) - len(data) :]
    memory[:] = np.frombuffer(data, np.uint8)
    offsets = np.cumsum([0, *map(len, pieces)])
    return pa.LargeStringArray.from_buffers(len(pieces), pa.py_buffer(offsets), pa.py_buffer(memory))


@pytest.mark.parametrize("last", ["good", "bad ж", "x" * 63, "good " * 13, "g" * 64, "ΟΔΟΣ", "é" * 40, ""])
@pytest.mark.parametrize("first", ["", "pan", "film " * 30])
def test_unpadded_buffer(first, last):
    texts = [first, last]
    assert rows(fit(VECTORS), from_bytes([t.encode() for t in texts])) == expected_rows(VECTORS, texts)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs mprotect")
@pytest.mark.parametrize("last", ["good", "x", "ΟΔΟΣ", "pan " * 17, "f" * 64, "é" * 33, "film" + " " * 61])
def test_no_read_past_a_page(last):
    page = mmap.PAGESIZE
    pages = mmap.mmap(-1, 2 * page)
    memory = np.frombuffer(pages, np.uint8)
    libc = ctypes.CDLL(None, use_errno=True)
    wall = ctypes.c_void_p(memory.ctypes.data + page)
    assert libc.mprotect(wall, ctypes.c_size_t(page), 0) == 0
    try:
        array = from_bytes([b"good", last.encode()], memory[:page])
        assert rows(fit(VECTORS), array) == expected_rows(VECTORS, ["good", last])
    finally:
        libc.mprotect(wall, ctypes.c_size_t(page), mmap.PROT_READ | mmap.PROT_WRITE)


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(st.binary(max_size=90) | rich.map(lambda t: t.encode()[1:-1]), min_size=1, max_size=8))
def test_malformed_utf8_stays_in_its_text(pieces):
    embedder = fit(VECTORS)
    around = [part for piece in pieces for part in (piece, "good ΟΔΟΣ bad".encode())]
    found = rows(embedder, from_bytes(around))
    assert found[1::2] == [[0, 3, 1]] * len(pieces)
    assert np.isfinite(embedder.transform(from_bytes(around))).all()


@pytest.mark.parametrize(
    "malformed", [b"\x80", b"\xc3", b"\xc0\xaf", b"\xe2\x82", b"\xf0", b"\xf0\x9f\x98", b"\xff", b"\xf5"]
)
def test_malformed_utf8_parts_words(malformed):
    pieces = [b"good" + malformed + b"film", malformed + b"pan bad", b"pan" + malformed, malformed]
    assert rows(fit(VECTORS), from_bytes(pieces)) == [[0, 4], [2, 1], [2], []]


@pytest.mark.parametrize("points", [[0xD800], [0xDFFF], [0xD83D, 0xDE00], [0xDE00, 0xD83D]])
def test_lone_surrogates_part_words(points):
    surrogates = "".join(map(chr, points))
    texts = [f"good{surrogates}film", f"ΟΔΟΣ{surrogates}Α", surrogates, "pan"]
    assert rows(fit(VECTORS), texts) == expected_rows(VECTORS, texts)
    assert rows(fit(VECTORS, token_pattern=PYTHON[2]), texts) == expected_rows(VECTORS, texts)
