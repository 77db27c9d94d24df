"""Tables of tokens: model2vec, wordllama, sentence-transformers; damage that is named."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from model2vec import StaticModel
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from embtransfer import WordVectors
from embtransfer.word_vectors.readers import _tokens
from tests.word_vectors.reading import MATRIX, load, make_tokenizer, refuses, write

pytestmark = pytest.mark.usefixtures("small_blocks")


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
    torch = pytest.importorskip("torch")
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
