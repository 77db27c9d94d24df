"""Without gensim, which has no wheel for Python 3.14, all works but the download of named tables."""

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


@pytest.fixture
def run(tmp_path, monkeypatch):
    """What lines of Python print, where any import of gensim fails."""
    monkeypatch.setenv("GENSIM_DATA_DIR", str(tmp_path / "downloaded"))

    def run(code):
        code = f"import sys; sys.modules['gensim'] = None\nfrom embtransfer import *\n{code}"
        command = sys.executable, "-W", "error", "-c", code
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    return run


def test_bundled_vectors(run):
    assert run("print(WordEmbedder().fit_transform(['A good film']).any())") == "True\n"


def test_files(run, tmp_path):
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    shown = run(
        f"for name in {list(FILES)}:\n"
        "    vectors = WordVectors.load(name)\n    print(name, vectors.words, vectors.matrix.tolist())"
    )
    assert shown.splitlines() == [f"{name} ['good', 'bad'] [[1.0, 2.0], [3.0, 4.0]]" for name in FILES]


def test_a_name_says_what_to_do(run):
    shown = run("try: WordVectors.load('glove-wiki-100')\nexcept FileNotFoundError as error: print(error)")
    assert "There is no file or folder 'glove-wiki-100', nor a package of vectors of that name." in shown
    assert "need gensim, which can't be imported (" in shown
    assert "pip install gensim. Where it has no wheel for your Python, load the table once with" in shown


def test_the_command_says_it_in_one_line(run):
    code = "from embtransfer.cli import main\nsys.argv[1:] = ['vectors', 'download', 'glove-wiki-100']\n"
    shown = run(f"{code}sys.stderr = sys.stdout\ntry: main()\nexcept SystemExit as end: print(end.code)")
    assert shown.startswith("Error: There is no file or folder 'glove-wiki-100'")
    assert shown.splitlines()[1:] == ["2"]


def test_a_table_that_was_downloaded_before_is_found(run, tmp_path):
    (tmp_path / "downloaded" / "tiny-2").mkdir(parents=True)
    (tmp_path / "downloaded" / "tiny-2" / "tiny-2.txt").write_bytes(FILES["glove.txt"])
    assert run("print(WordVectors.load('tiny-2').words)") == "['good', 'bad']\n"
