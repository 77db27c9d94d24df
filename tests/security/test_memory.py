"""Small files that unpack to large ones: memory stays bounded, measured in a process of its own."""

import gzip
import io
import json
import os
import pickle
import re
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from embtransfer import (
    CompiledPipeline,
    NoAdaptation,
    StaticEmbedder,
    WordEmbedder,
    WordVectors,
    compile_pipeline,
    load_pipeline,
    make_classifier,
    make_transfer_pipeline,
    score_file,
)
from embtransfer.alignment._seeds import read_pairs
from tests.security.hostile import (
    COMPILED,
    LABELS,
    OWN,
    ROOT,
    TEXTS,
    _Model,
    file,
    list_of,
    node,
    npy,
    save_archive,
    save_state,
    tensors,
    write,
    zipped,
)

ARRAY = pickle.dumps(np.zeros((1, 4), np.float32), 2)[2:-1]

PARTS = {"index_to_key": b"]X\x01\x00\x00\x00aa", "vectors": ARRAY, "vectors_ngrams": ARRAY}


def memory(field):
    return int(re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def block():
    return (b"word" + b" 0" * 1000 + b"\n") * (1 << 13)  # 16 MB


def load_words(path, **options):
    return WordVectors.load(path, cache=False, **options)


def pickled(body):
    return b"\x80\x04" + body


def keyed(**attributes):
    """A pickle of a KeyedVectors with these attributes, each the opcodes of its value."""
    pairs = b"".join(
        b"X" + struct.pack("<I", len(name)) + name.encode() + value for name, value in attributes.items()
    )
    return pickled(b"cgensim.models.keyedvectors\nKeyedVectors\n)\x81}(" + pairs + b"ub.")


def lists_in_lists(n):
    """Opcodes of a list of the same list twice, n deep: 2 ** n parts when printed."""
    deeper = [bytes([*b"0](h", i, *b"h", i, *b"eq", i + 1]) for i in range(n)]
    return b"]q\x00" + b"".join(deeper)


def array_header(kind, shape):
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": kind, "fortran_order": True, "shape": shape})
    return out.getvalue()


def skops_bomb(folder, times, method):
    state = list_of(*(node("NdArrayNode", "numpy.ndarray", type="numpy", file="a.npy") for _ in range(times)))
    return save_state(folder, state, method, **{"a.npy": npy(np.zeros(16_000_000, np.int8))})


def sparse_bomb(folder):
    out = io.BytesIO()
    sparse.save_npz(out, sparse.csr_matrix((1, 20_000_000 - 1)).T.tocsr())
    state = node("SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="a.bin")
    return save_state(folder, state, **{"a.bin": out.getvalue()})


def dictionary_of_4_gb(name, content):
    """A zip whose only member is packed by LZMA, which allocates the dictionary that it says."""
    data, at = zipped({name: content}, zipfile.ZIP_LZMA), 30 + len(name) + 5
    return data[:at] + b"\xff" * 4 + data[at + 4 :]


def scored(path):
    score_file(_Model(), path, path.with_name("out.jsonl"))


def deceiving(folder):
    pipeline = make_transfer_pipeline(WordEmbedder(OWN), NoAdaptation(), make_classifier("logistic"))
    compile_pipeline(pipeline.fit(TEXTS, LABELS)).save(folder / "m")
    config = json.loads((folder / "m" / "config.json").read_text())
    COMPILED["length of labels"](config)
    del config["checksum"]  # as folders were before there was one
    write(folder / "m" / "config.json", json.dumps(config).encode())
    return folder / "m"


def dictd(folder):
    write(folder / "d.index", b"a\tA\tB\n")
    return write(folder / "d.dict.dz", gzip.compress(bytes(1 << 27), 1))


def npz_of(header, n, **more):
    """A packed .npz with an array of zeros."""
    name = "words.npy" if more else "matrix.npy"
    return zipped({name: header + bytes(n), **more}, zipfile.ZIP_DEFLATED)


def many_columns(path):
    load_words(path, format="word2vec")


def fitted(folder):
    StaticEmbedder(load_words(folder)).fit(["a"])


PARTS |= {"compatible_hash": b"\x88", "min_n": lists_in_lists(22), "bucket": b"K\x01"}


def one_line():
    return b"w 1 2\nw 1 2\nw 1 2\n" + b"a" * 100_000_000


WORDS_HEADER, ROWS_HEADER = array_header("<U25000000", (1,)), array_header("|i1", (1000, 10**5))


FILL, ASKS = "made to fill memory", "a size in it is larger than the file"

DICTIONARY = "with a dictionary of 4,294,967,295 bytes"

BOMBS = {  # how to make the file, what opens it, what that says
    "gz": (file("a.gz", lambda: gzip.compress(block()) * 12), load_words, FILL),
    "gz, one line": (
        file("a.gz", lambda: gzip.compress(one_line(), 1)),
        load_words,
        "a line of more than 64 MB",
    ),
    "zip": (file("a.zip", lambda: zipped({"v": block() * 7}, zipfile.ZIP_DEFLATED)), load_words, FILL),
    "npz, words": (
        file("a.npz", lambda: npz_of(WORDS_HEADER, 10**8, **{"matrix.npy": npy(np.zeros((1, 4)))})),
        load_words,
        FILL,
    ),
    "npz, matrix": (file("a.npz", lambda: npz_of(ROWS_HEADER, 10**8)), load_words, FILL),
    "columns": (file("a.txt", lambda: b"3 100000000\na 1 2 3\n"), many_columns, "Expected a header"),
    "tokenizer": (lambda f: tensors(f, [7, 4], 112), fitted, "numbers 2 tokens up to 4,000,000,000"),
    "labels": (deceiving, CompiledPipeline.load, "the classes are too long"),
    "skops, packed": (lambda f: skops_bomb(f, 5, zipfile.ZIP_DEFLATED), load_pipeline, FILL),
    "skops, one array often": (lambda f: skops_bomb(f, 200, zipfile.ZIP_STORED), load_pipeline, FILL),
    "skops, sparse": (sparse_bomb, load_pipeline, FILL),
    "skops, dictionary": (
        lambda f: save_archive(f, dictionary_of_4_gb("schema.json", b"{}")),
        load_pipeline,
        DICTIONARY,
    ),
    "skops, dictionary inside": (
        lambda f: save_state(f, list_of(), **{"a.bin": dictionary_of_4_gb("data.npy", npy(np.zeros(9)))}),
        load_pipeline,
        DICTIONARY,
    ),
    "csv.gz, header": (
        file("a.csv.gz", lambda: gzip.compress(b"a" * (1 << 27), 1)),
        scored,
        "has a header longer than 64 MB",
    ),
    "memo": (file("a", lambda: pickled(b"Nr\x00\xe1\xf5\x05.")), load_words, ASKS),
    "text memo": (file("a", lambda: pickled(b"Np100000000\n.")), load_words, ASKS),
    "bytes": (file("a", lambda: pickled(b"\x8e" + struct.pack("<Q", 2**40) + b"x.")), load_words, ASKS),
    "bytearray": (file("a", lambda: pickled(b"\x96" + struct.pack("<Q", 2**32) + b"x.")), load_words, ASKS),
    "frame": (file("a", lambda: pickled(b"\x95" + struct.pack("<Q", 2**40) + b"N.")), load_words, ASKS),
    "printed": (file("a", lambda: keyed(**PARTS)), load_words, "got min_n=list"),
    "dictionary": (dictd, read_pairs, FILL),
}


def open_bombs(folder):
    """Open each bomb; print what it raised, the growth of memory at its peak (MB), and seconds."""
    many_columns(write(folder / "a.txt", b"3 2\na 1 2\nb 3 4\nc 5 6\n"))  # compiles, imports
    found = {}
    for i, (name, (make, attack, _)) in enumerate(BOMBS.items()):
        (folder / str(i)).mkdir()
        path = make(folder / str(i))
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before, start, error = memory("VmRSS"), time.perf_counter(), "nothing was raised"
        try:
            attack(path)
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        found[name] = error[:500], memory("VmHWM") - before, time.perf_counter() - start
    print(json.dumps(found))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks of memory are Linux's")
def test_memory_is_bounded(tmp_path):
    command = [sys.executable, __file__, tmp_path]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}  # for what the tests share
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=500, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.keys() == BOMBS.keys()
    for name, (error, growth, _) in found.items():
        assert re.match(r"ValueError: .*" + re.escape(BOMBS[name][2]), error, re.DOTALL), (name, error)
        assert growth < 600, (name, growth)  # 64 MB unpacked, as words and rows; and what is compiled


if __name__ == "__main__":
    open_bombs(Path(sys.argv[1]))
