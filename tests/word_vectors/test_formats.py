"""What a file of vectors is, by its content: no byte of it is taken for what it is not."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from safetensors.numpy import save_file

from tests.word_vectors.reading import (
    MATRIX,
    READERS,
    WORDS,
    make_tokenizer,
    supervised_model,
    write,
    write_arrow,
    write_feather,
    write_parquet,
)

pytestmark = pytest.mark.usefixtures("small_blocks")


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
