"""fastText's .bin: as gensim and fastText itself read it, damage that is named."""

import re
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from embtransfer.word_vectors.readers import _fasttext
from embtransfer.word_vectors.readers._stored_table import Subwords
from tests.word_vectors.reading import cut, load, refuses, supervised_model, write

pytestmark = pytest.mark.usefixtures("small_blocks")

UNKNOWN = ["xyzzy", "naïveté", "漢字かな", "a", "é", "", "😀", "<", ">", "a b", "ab" * 300]

FASTTEXT_FILES = [
    "lee_fasttext.bin",
    "lee_fasttext_new.bin",
    "crime-and-punishment.bin",
    "toy-model.bin",
    "toy-model-pretrained.bin",
    "non_ascii_fasttext.bin",
]


@pytest.mark.parametrize("name", FASTTEXT_FILES)
def test_fasttext_as_gensim(gensim, datapath, name):
    found, words, matrix = load(datapath(name))
    theirs = gensim.models.fasttext.load_facebook_vectors(datapath(name))
    assert words == theirs.index_to_key
    # gensim gives "</s>" n-grams, which fastText itself does not
    rows = [row for row, word in enumerate(words) if word != "</s>"]
    assert_allclose(matrix[rows], theirs.vectors[rows], atol=1e-6)
    assert_array_equal(found.subwords.rows, theirs.vectors_ngrams)
    unknown = [word for word in UNKNOWN if word not in theirs.key_to_index]
    vectors, n_ngrams = _fasttext.subword_vectors(pa.array(unknown, pa.large_string()), found.subwords)
    assert_allclose(vectors, [theirs[word] for word in unknown], atol=1e-6)
    assert_array_equal(n_ngrams == 0, [not theirs[word].any() for word in unknown])
    assert vectors.dtype == np.float32


@pytest.mark.parametrize("name", FASTTEXT_FILES[1:5] + ["pang_lee_polarity_fasttext.bin"])
def test_fasttext_as_fasttext_bit_for_bit(datapath, name):
    fasttext = pytest.importorskip("fasttext")
    theirs = fasttext.load_model(datapath(name))
    found = _fasttext.read(Path(datapath(name))) if name[:4] != "pang" else None
    if found is None:
        with pytest.warns(UserWarning, match="5 words are not UTF-8"):
            found = _fasttext.read(Path(datapath(name)))
    for words, matrix in found.blocks:
        assert_array_equal(matrix, [theirs.get_word_vector(word) for word in words.to_pylist()])
    if found.subwords:
        unknown = [word for word in [*UNKNOWN, "\0"] if theirs.get_word_id(word) < 0]
        vectors, _ = _fasttext.subword_vectors(pa.array(unknown, pa.large_string()), found.subwords)
        assert_array_equal(vectors, [theirs.get_word_vector(word) for word in unknown])


@pytest.fixture(scope="module")
def trained_bin(gensim, trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("fasttext") / "model.bin"
    gensim.models.fasttext.save_facebook_model(trained, str(path))
    return path


def test_fasttext_written_by_gensim(trained, trained_bin):
    found, words, matrix = load(trained_bin)
    assert words == trained.wv.index_to_key
    rows = [row for row, word in enumerate(words) if word != "</s>"]
    assert_allclose(matrix[rows], trained.wv.vectors[rows], atol=1e-6)
    assert_array_equal(matrix[words.index("</s>")], trained.wv.vectors_vocab[words.index("</s>")])
    unknown = [word for word in UNKNOWN if word not in words]
    vectors, _ = _fasttext.subword_vectors(pa.array(unknown, pa.large_string()), found.subwords)
    assert_allclose(vectors, [trained.wv[word] for word in unknown], atol=1e-6)
    assert not found.subwords.rows.flags.owndata  # a view of the file


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=5))
def test_subwords_of_any_text_as_gensim(trained, words):
    words = [word for word in words if word not in trained.wv.key_to_index]
    subwords = Subwords(1, 4, trained.wv.vectors_ngrams)
    vectors, _ = _fasttext.subword_vectors(pa.array(words, pa.large_string()), subwords)
    assert_allclose(vectors, np.reshape([trained.wv[word] for word in words], (-1, 7)), atol=1e-6)


def test_subwords_of_a_slice_and_of_nothing(trained):
    subwords = Subwords(3, 6, trained.wv.vectors_ngrams)
    words = pa.array(UNKNOWN, pa.large_string())
    vectors, counts = _fasttext.subword_vectors(words, subwords)
    sliced, sliced_counts = _fasttext.subword_vectors(words[2:5], subwords)
    assert_array_equal(sliced, vectors[2:5])
    assert_array_equal(sliced_counts, counts[2:5])
    assert _fasttext.subword_vectors(words[:0], subwords)[0].shape == (0, 7)
    assert not _fasttext.subword_vectors(pa.array(["</s>"], pa.large_string()), subwords)[0].any()


def test_subwords_in_a_table_of_no_rows_are_zero():
    vectors, counts = _fasttext.subword_vectors(
        pa.array(["word"], pa.large_string()), Subwords(3, 6, np.empty((0, 2), "f4"))
    )
    assert_array_equal(vectors, [[0, 0]])
    assert_array_equal(counts, [0])


@pytest.mark.parametrize(("max_n", "n_words_in_ngrams"), [(0, 1), (0, 2), (4, 1)])
def test_supervised_fasttext_leaves_labels_out(tmp_path, max_n, n_words_in_ngrams):
    data, table = supervised_model(max_n, n_words_in_ngrams)
    found, words, matrix = load(write(tmp_path / "model.bin", data))
    assert words == ["naïve", "fine", "</s>"]
    assert (found.subwords is not None) == bool(max_n)
    plain = slice(2, 3) if max_n else slice(0, 3)
    assert_array_equal(matrix[plain], table[plain])
    fasttext = pytest.importorskip("fasttext")
    theirs = fasttext.load_model(str(tmp_path / "model.bin"))
    assert_array_equal(matrix, [theirs.get_word_vector(word) for word in words])


def test_pruned_fasttext_is_refused(tmp_path):  # as fastText itself does where it is not quantised
    path = write(tmp_path / "model.bin", supervised_model(4, 1, n_pruned=0)[0])
    refuses(path, "got a quantised or pruned model (.ftz). Expected the full one")


def test_quantised_fasttext_is_refused(tmp_path, trained_bin):
    data = trained_bin.read_bytes()
    flag = data.index(struct.pack("<2q", 67, 7)) - 1
    message = "got a quantised or pruned model (.ftz). Expected the full one: use the .bin it was made from"
    refuses(patched(trained_bin, tmp_path, flag, "<?", True), message)


def test_supervised_fasttext_as_its_text_file(datapath):
    with pytest.warns(UserWarning, match="5 words are not UTF-8"):
        found, words, matrix = load(datapath("pang_lee_polarity_fasttext.bin"))
    lines = Path(datapath("pang_lee_polarity_fasttext.vec")).read_bytes().split(b"\n")[1:-1]
    rows = {line.split(b" ")[0]: np.array(line.split(b" ")[1:101], np.float32) for line in lines}
    assert_allclose(matrix, [rows[word.encode()] for word in words], atol=1e-4)
    assert len(words) == len(rows) - 5
    assert found.subwords is None


def test_words_that_are_not_utf8_are_left_out(gensim, datapath):
    with pytest.warns(UserWarning, match="69 words are not UTF-8 and were left out, the first in row 1"):
        _, words, matrix = load(datapath("cp852_fasttext.bin"))
    theirs = gensim.models.fasttext.load_facebook_vectors(datapath("cp852_fasttext.bin"), encoding="cp852")
    same = [word for word in words if word.isascii()]
    assert_allclose(matrix[[words.index(word) for word in same]], [theirs[word] for word in same], atol=1e-6)


def patched(path, tmp_path, at, spec, *values):
    data = bytearray(Path(path).read_bytes())
    struct.pack_into(spec, data, at, *values)
    return write(tmp_path / "patched.bin", data)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (6, "got 6 bytes from byte 0 on, expected 8: the magic number and the version"),
        (40, "got 32 bytes from byte 8 on, expected 56: the arguments of the training"),
        (70, "expected 20: the sizes of the dictionary"),
        (88, "expected 8: the number of pruned n-grams"),
        (110, "the dictionary, 17 entries of at least 10"),
        (300, "whole entries of the dictionary, the header says 17; byte"),
        (-2000, "the input matrix, 67 rows of 7 numbers. The file is cut short"),
    ],
)
def test_fasttext_cut_short(trained_bin, tmp_path, size, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        _fasttext.read(cut(trained_bin, size, tmp_path))


def test_fasttext_cut_anywhere_before_the_output_matrix_is_refused(trained_bin, tmp_path):
    n_output = 4 * 7 * 17 + 17  # what follows the input matrix is not read
    for size in range(4, trained_bin.stat().st_size - n_output, 37):
        with pytest.raises(ValueError, match="cut short"):
            _fasttext.read(cut(trained_bin, size, tmp_path))


@pytest.mark.parametrize(
    ("at", "spec", "values", "message"),
    [
        (4, "<i", (99,), "got version 99 of fastText's format. Expected 11 or 12"),
        (8, "<i", (8,), "got an input matrix of shape (67, 7). Expected (67, 8)"),
        (8, "<i", (-1,), "-1 dimensions"),
        (64, "<3i", (17, 16, 0), "got 17 entries, 16 words, 0 labels"),
        (64, "<3i", (2**31 - 1, 2**31 - 1, 0), "the dictionary, 2,147,483,647 entries of at least 10"),
        (64, "<3i", (17, 16, 1), "got entry 16 of the dictionary"),
        (84, "<q", (2**60,), "the pruned n-grams. The file is cut short"),
        (48, "<i", (2**31 - 1,), "got n-grams of up to 2,147,483,647 characters. Expected at most 1,000"),
    ],
)
def test_fasttext_damaged_header(trained_bin, tmp_path, at, spec, values, message):
    refuses(patched(trained_bin, tmp_path, at, spec, *values), message)
