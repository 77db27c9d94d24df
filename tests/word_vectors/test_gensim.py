"""gensim's own files: as gensim reads them, and no pickle runs code."""

import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from embtransfer.word_vectors.readers import _gensim
from tests.word_vectors.reading import MATRIX, WORDS, cut, load, refuses, write

pytestmark = pytest.mark.usefixtures("small_blocks")


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
