"""Lengths, shapes and positions made to deceive: refused, and no memory outside an array is read."""

import json
import struct

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from embtransfer import (
    CompiledPipeline,
    NGramVectorizer,
    NoAdaptation,
    TransferPipeline,
    WordEmbedder,
    WordVectors,
    compile_pipeline,
    make_classifier,
    make_transfer_pipeline,
)
from tests.security.hostile import COMPILED, LABELS, OWN, TEXTS, tensors, write


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    pipeline = make_transfer_pipeline(WordEmbedder(OWN), NoAdaptation(), make_classifier("logistic"))
    folder = tmp_path_factory.mktemp("compiled") / "model"
    compile_pipeline(pipeline.fit(TEXTS, LABELS)).save(folder)
    return folder


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_models_made_to_deceive(tmp_path, compiled, name):
    config = json.loads((compiled / "config.json").read_text())
    COMPILED[name](config)
    config.pop("checksum")  # as in older folders: who means harm makes it right
    for file in compiled.iterdir():
        write(tmp_path / "m" / file.name, file.read_bytes())
    write(tmp_path / "m" / "config.json", json.dumps(config).encode())
    with pytest.raises(ValueError, match=r"is damaged|is not the file that was saved"):
        CompiledPipeline.load(tmp_path / "m")


def test_a_compiled_model_with_a_length_below_zero(tmp_path):
    pipeline = TransferPipeline([("n", NGramVectorizer(min_df=1)), ("c", make_classifier("logistic"))])
    compiled = compile_pipeline(pipeline.fit(TEXTS, LABELS))
    compiled._program.parts[0].table[0, -1] = -1  # a squared weight, of whose sum a root is taken
    compiled.save(tmp_path / "m")
    with pytest.raises(ValueError, match=r"is damaged: .*a squared weight is negative"):
        CompiledPipeline.load(tmp_path / "m")


def state_of(embedder):
    return embedder.fit(TEXTS * 2).__getstate__()


@pytest.mark.parametrize(
    "change",
    [
        {"weights_": np.ones(1, np.float32)},
        {"weights_": np.ones(2)},
        {"weights_": [1.0, 1.0]},
        {"_n_features_out": 4_000_000},
        {"_powers": np.ones(7)},
        {"vectors_": LogisticRegression()},
    ],
)
def test_states_of_poolings_that_would_leave_their_arrays(change):
    state = state_of(WordEmbedder(OWN, pooling="idf"))
    WordEmbedder().__setstate__(dict(state))
    with pytest.raises(ValueError, match=r"contradict one another. The file is damaged"):
        WordEmbedder().__setstate__({**state, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"longest": 0},
        {"longest": 2**40},
        {"n_corpus": 10**6},
        {"ngrams": np.array([[0, 2**40]])},
        {"ngrams": np.array([[-1, 0]])},
        {"ngrams": np.array([[10**6, 0]])},
        {"ngrams": np.zeros((1, 2), np.int32)},
        {"words": LogisticRegression()},
    ],
)
def test_states_of_ngrams_that_would_leave_their_arrays(change):
    found = NGramVectorizer(min_df=1).fit(TEXTS)._found
    state = found.__getstate__()
    type(found).__new__(type(found)).__setstate__(state)
    with pytest.raises(ValueError, match=r"contradict one another. The file is damaged"):
        type(found).__new__(type(found)).__setstate__({**state, **change})


@pytest.mark.parametrize(
    ("shape", "end"),
    [
        ([0, 2**62], 0),
        ([0, 2**70], 0),
        ([1] * 100, 4),
        ([10**4000, 10**4000], 112),
        ([2**32, 2**32], 0),  # 2**66 bytes: 0 in 64 bits
        ([2**31, 2**33, 4], 0),
        ([-1, -28], 112),
        ([True, 28], 112),
    ],
)
def test_shapes_of_safetensors(tmp_path, shape, end):
    with pytest.raises(ValueError, match=r"model\.safetensors: got"):
        WordVectors.load(tensors(tmp_path / "m", shape, end), cache=False)
    with pytest.raises(ValueError, match=r"got x of type"):
        WordVectors.load(tensors(tmp_path / "n", [28], 112, kind=["F32"]), cache=False)


@pytest.mark.parametrize("size", ["9" * 4000, "(9, 9)", "2**70"])
def test_shapes_of_npy(tmp_path, size):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({size}, {size}), }}".ljust(9000).encode()
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n" + bytes(16)
    with pytest.raises(ValueError, match=r"a\.npy: got a damaged \.npy header"):
        WordVectors.load(write(tmp_path / "a.npy", data), cache=False)


@pytest.mark.parametrize(
    "header", [b"9" * 5000 + b" 3", b"3 " + b"9" * 5000, b"3 1000000000", b"3 " + b"9" * 18]
)
def test_headers_of_word2vec(tmp_path, header):
    path = write(tmp_path / "a.txt", header + b"\na 1 2 3\nb 4 5 6\nc 7 8 9\n")
    with pytest.raises(ValueError, match=r"a\.txt, line 1: got b'.*Expected a header"):
        WordVectors.load(path, "word2vec", cache=False)
