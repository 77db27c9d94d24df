"""Without gensim, which has no wheel for Python 3.14, all works but the download of named tables."""

import json
import os
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest

MATRIX = np.array([[1, 2], [3, 4]], np.float32)


def keyed_vectors():
    """A KeyedVectors as gensim pickles it."""
    state = {"index_to_key": ["good", "bad"], "vectors": MATRIX}
    top = b"\x80\x02cgensim.models.keyedvectors\nKeyedVectors\n)\x81"
    return top + pickle.dumps(state, 2)[2:-1] + b"b."


def fasttext():
    """A fastText model without subwords: header, dictionary, matrix."""
    args = 2, 5, 5, 1, 5, 1, 3, 2, 0, 0, 0, 100
    data = struct.pack("<2i12id3iqq", 793712314, 12, *args, 1e-4, 2, 2, 0, 9, -1)
    data += b"".join(word + b"\0" + struct.pack("<qb", 4, 0) for word in (b"good", b"bad"))
    data += struct.pack("<?2q", False, 2, 2) + MATRIX.tobytes()
    return data + struct.pack("<?2q", False, 2, 2) + bytes(16)


FILES = {
    "glove.txt": b"good 1 2\nbad 3 4\n",
    "word2vec.bin": b"2 2\ngood " + MATRIX[0].tobytes() + b"bad " + MATRIX[1].tobytes(),
    "gensim.kv": keyed_vectors(),
    "fasttext.bin": fasttext(),
}


CODE = f"""
import json, sys
sys.modules["gensim"] = None
from embtransfer import WordEmbedder, WordVectors
said = {{"bundled": bool(WordEmbedder().fit_transform(["A good film"]).any())}}
for name in {[*FILES, "tiny-2"]}:
    vectors = WordVectors.load(name)
    said[name] = [vectors.words, vectors.matrix.tolist()]
try:
    WordVectors.load("glove-wiki-100")
except FileNotFoundError as error:
    said["a name"] = str(error)
print(json.dumps(said))
from embtransfer.cli import main
sys.argv[1:] = ["vectors", "download", "glove-wiki-100"]
sys.stderr = sys.stdout
try:
    main()
except SystemExit as end:
    print(end.code)
"""


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """What a process prints in which any import of gensim fails: results as JSON, then a command's lines."""
    folder = tmp_path_factory.mktemp("files")
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    (folder / "downloaded" / "tiny-2").mkdir(parents=True)
    (folder / "downloaded" / "tiny-2" / "tiny-2.txt").write_bytes(FILES["glove.txt"])
    own = {**os.environ, "GENSIM_DATA_DIR": str(folder / "downloaded")}
    command = sys.executable, "-W", "error", "-c", CODE
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def said(lines):
    return json.loads(lines[0])


def test_bundled_vectors(said):
    assert said["bundled"]


@pytest.mark.parametrize("name", FILES)
def test_files(said, name):
    assert said[name] == [["good", "bad"], [[1.0, 2.0], [3.0, 4.0]]]


def test_a_name_says_what_to_do(said):
    shown = said["a name"]
    assert "There is no file or folder 'glove-wiki-100', nor a package of vectors of that name." in shown
    assert "need gensim, which can't be imported (" in shown
    assert "pip install gensim. Where it has no wheel for your Python, load the table once with" in shown


def test_the_command_says_it_in_one_line(lines):
    assert lines[1].startswith("Error: There is no file or folder 'glove-wiki-100'")
    assert lines[2:] == ["2"]


def test_a_table_that_was_downloaded_before_is_found(said):
    assert said["tiny-2"][0] == ["good", "bad"]
