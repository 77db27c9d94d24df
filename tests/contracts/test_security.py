"""Files, folders and texts made to deceive: nothing runs, nothing is written elsewhere, memory stays bounded.

What single readers refuse is tested with them (test_vector_formats, test_persistence, ...); here is what an
attacker would try. Files that ask for memory are opened in one process of their own, which measures its peak.
"""

import gzip
import hashlib
import io
import json
import os
import pickle
import re
import runpy
import stat
import struct
import subprocess
import sys
import threading
import time
import zipfile
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from embtransfer import (
    CompiledPipeline,
    NGramVectorizer,
    NoAdaptation,
    StaticEmbedder,
    TransferPipeline,
    WordEmbedder,
    WordVectors,
    compile_pipeline,
    explain,
    load_pipeline,
    make_classifier,
    make_transfer_pipeline,
    save_pipeline,
    score_file,
)
from embtransfer.alignment._seeds import read_pairs
from embtransfer.embedders import _sentence_files
from embtransfer.tables import TableReader

ROOT = Path(__file__).parents[2]
OWN = WordVectors(["good", "bad"], np.eye(2, 4, dtype=np.float32), "own")
TEXTS, LABELS = ["good pan", "bad pan", "good lid", "bad lid"], ["+", "-", "+", "-"]
ESC = "\x1b]0;owned\x07\x1b[31m"


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"echo run > {self.canary}",)


@pytest.fixture
def canary(tmp_path):
    """A file that no test may find at its end."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists()


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def npy(array):
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def zipped(members, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


# ---------------------------------------------------------------- no file runs code
NAMES = [
    "v.pkl",
    "v.txt",
    "v.vec",
    "v.bin",
    "v.npy",
    "v.npz",
    "v.safetensors",
    "v.parquet",
    "v.kv",
    "v.joblib",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cache", [True, False])
def test_a_pickle_under_any_name(tmp_path, canary, name, cache):
    path = write(tmp_path / name, pickle.dumps(Trap(canary)))
    with pytest.raises(ValueError, match=r"names (posix|nt)\.system, .* It was not run"):
        WordVectors.load(path, cache=cache)


@pytest.mark.parametrize("protocol", [0, 1])
def test_old_pickles_are_no_vectors(tmp_path, canary, protocol):
    path = write(tmp_path / "v.txt", pickle.dumps(Trap(canary), protocol))
    with pytest.raises(ValueError, match=r"begins with b'.*Expected GloVe"):
        WordVectors.load(path, cache=False)


def test_pickles_in_arrays(tmp_path, canary):
    trap = np.array([[Trap(canary)]], object)
    for name, data in [
        ("a.npy", npy(trap)),
        ("a.npz", npz(matrix=trap)),
        ("b.npz", npz(matrix=np.eye(2), words=trap)),
    ]:
        write(tmp_path / "words.txt", b"a\nb")
        with pytest.raises(ValueError, match="pickled objects, which are never loaded"):
            WordVectors.load(write(tmp_path / name, data), cache=False)
    pickle.loads(pickle.dumps(Trap(tmp_path / "ran")))  # the trap is one
    assert (tmp_path / "ran").exists()


def test_pickles_in_packed_files(tmp_path, canary):
    data = pickle.dumps(Trap(canary))
    for name, packed in [("v.gz", gzip.compress(data)), ("v.zip", zipped({"v.txt": data}))]:
        with pytest.raises(ValueError, match=r"mapped into memory. Unpack the archive first"):
            WordVectors.load(write(tmp_path / name, packed), cache=False)


def test_pickles_in_the_cache_are_not_opened(tmp_path, canary, monkeypatch):
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "cache"))
    source = write(tmp_path / "v.txt", b"a 1 2\nb 3 4\nc 5 6\n")
    vectors = WordVectors.load(source)
    (folder,) = (tmp_path / "cache" / "vectors").glob("v-txt-*[0-9a-f]")
    size = (folder / "matrix.npy").stat().st_size
    write(folder / "matrix.npy", npy(np.array([Trap(canary)], object)).ljust(size, b"\0")[:size])
    assert WordVectors.load(source).checksum == vectors.checksum


@pytest.mark.filterwarnings(
    "ignore:pickle-based deserialization", "ignore:pyarrow.PyExtensionType"
)  # pyarrow 18
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_types_of_python_in_tables(tmp_path, canary, kind):
    """Old pyarrow unpickled the class that the metadata of a column names."""
    more = {
        "ARROW:extension:name": b"arrow.py_extension_type",
        "ARROW:extension:metadata": pickle.dumps(Trap(canary)),
    }
    schema = pa.schema([pa.field("word", pa.string(), metadata=more), pa.field("x", pa.float32())])
    table = pa.table({"word": ["a", "b"], "x": [1.0, 2.0]}, schema)
    if kind == "parquet":
        pa.parquet.write_table(table, tmp_path / "t.parquet")
        assert [len(batch) for batch in TableReader(tmp_path / "t.parquet").batches()] == [2]
    else:
        with pa.ipc.new_file(str(tmp_path / "t.arrow"), schema) as file:
            file.write_table(table)
    if hasattr(pa, "PyExtensionType"):  # so old a pyarrow takes the column for one of such a type
        with pytest.raises(ValueError, match=r"got 0 columns of text among word \(extension<"):
            WordVectors.load(tmp_path / f"t.{kind}", cache=False)
    else:
        assert WordVectors.load(tmp_path / f"t.{kind}", cache=False).words == ["a", "b"]


# states of skops, written by hand: what the library itself would never write
def node(loader, name, **more):
    module, _, kind = name.rpartition(".")
    return {"__class__": kind, "__module__": module, "__loader__": loader, **more}


def json_node(value):
    return node("JsonNode", "builtins.str", content=json.dumps(value))


def list_of(*nodes):
    return node("ListNode", "builtins.list", content=list(nodes))


def tuple_of(*nodes):
    return node("TupleNode", "builtins.tuple", content=list(nodes))


def dict_of(key_types=(), **nodes):
    return node("DictNode", "builtins.dict", content=nodes, key_types=list_of(*key_types))


COMMAND = tuple_of(json_node("echo run > CANARY"))
OBJECT = node("ObjectNode", "sklearn.linear_model._logistic.LogisticRegression", content=None)
RANDOM = dict_of([node("TypeNode", "builtins.str")], bit_generator=json_node("seed"))
STATES = {
    "function": node("FunctionNode", "os.system"),
    "type": node("TypeNode", "subprocess.Popen"),
    "constructor": node("ConstructorFromReduceNode", "subprocess.Popen", content=COMMAND),
    "constructor of a function": node("ConstructorFromReduceNode", "os.system", content=COMMAND),
    "eval": node("ConstructorFromReduceNode", "builtins.eval", content=COMMAND),
    "object": node("ObjectNode", "subprocess.Popen", content=dict_of()),
    "partial": node(
        "PartialNode",
        "functools.partial",
        content={
            "func": node("FunctionNode", "os.system"),
            "args": COMMAND,
            "kwds": dict_of(),
            "namespace": dict_of(),
        },
    ),
    "attrgetter": node("OperatorFuncNode", "operator.attrgetter", attrs=tuple_of(json_node("__class__"))),
    "methodcaller": node("OperatorFuncNode", "operator.methodcaller", attrs=tuple_of(json_node("fit"))),
    "call": node("OperatorFuncNode", "operator.call", attrs=COMMAND),
    "method": node(
        "MethodNode",
        "sklearn.linear_model._logistic.LogisticRegression",
        content={"func": "__init__", "obj": OBJECT},
    ),
    "array of a class": node("NdArrayNode", "subprocess.Popen", type="json", content=[], shape=COMMAND),
    "list of a class": node("ListNode", "os.system", content=[json_node("echo run > CANARY")]),
    "dict of a class": node("DictNode", "os.environ", content={}, key_types=list_of()),
    "keys through a function": dict_of([node("FunctionNode", "os.system")], **{"echo run > CANARY": OBJECT}),
    "default factory": node(
        "DefaultDictNode",
        "collections.defaultdict",
        content={"main": dict_of(), "default_factory": node("FunctionNode", "os.getcwd")},
    ),
    "object array": node(
        "NdArrayNode",
        "numpy.ndarray",
        type="json",
        shape=tuple_of(json_node(1)),
        content=[node("FunctionNode", "os.system")],
    ),
    "function in a FunctionTransformer": node(
        "ObjectNode",
        "sklearn.preprocessing._function_transformer.FunctionTransformer",
        content=dict_of([node("TypeNode", "builtins.str")], func=node("FunctionNode", "os.system")),
    ),
    "random generator": node(
        "RandomGeneratorNode",
        "numpy.random._generator.Generator",
        content={"bit_generator": RANDOM, "seed_seq": dict_of()},
    ),
    "unknown loader": node("ReduceNode", "os.system", reduce={"args": COMMAND}),
    "joblib memory": node("ObjectNode", "joblib.memory.Memory", content=dict_of()),
    "module from the folder": node("ObjectNode", "evil.Step", content=dict_of()),
    "array that is a pickle": node("NdArrayNode", "numpy.ndarray", type="numpy", file="trap.npy"),
    "matrix that is a pickle": node(
        "SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="trap.npz"
    ),
    "outside of the archive": node("NdArrayNode", "numpy.ndarray", type="numpy", file="../../words.npy"),
}


def save_state(folder, state, method=zipfile.ZIP_STORED, **members):
    """A model folder with this state, its checksum right."""
    text = json.dumps({**list_of(state), "protocol": 2, "_skops_version": "0.16.0"})
    return save_archive(folder, zipped({"schema.json": text, **members}, method))


def save_archive(folder, data):
    write(folder / "pipeline.skops", data)
    config = {
        "format": "embtransfer-pipeline",
        "format_version": 1,
        "versions": {"scikit-learn": __import__("sklearn").__version__},
        "sha256": {"pipeline.skops": hashlib.sha256(data).hexdigest()},
        "__class__": "os.system",
        "module": "evil",
    }
    write(folder / "config.json", json.dumps(config).encode())
    return folder


@pytest.mark.parametrize("name", STATES)
def test_a_state_with_foreign_types(tmp_path, canary, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "evil.py", f"open({str(canary)!r}, 'w')\n".encode())
    monkeypatch.syspath_prepend(str(tmp_path))
    state = json.loads(json.dumps(STATES[name]).replace("CANARY", str(canary)))
    trap = np.array([Trap(canary)], object)
    members = {"trap.npy": npy(trap), "trap.npz": npz(data=trap, format=trap)}
    folder = save_state(tmp_path / "model", state, **members)
    with pytest.raises(
        ValueError, match=r"pipeline\.skops (holds types that are not trusted|is damaged|cannot be)"
    ):
        load_pipeline(folder)


def test_a_hand_written_state_of_trusted_types_loads(tmp_path):
    (loaded,) = load_pipeline(save_state(tmp_path / "model", json_node([1, "a"])))
    assert loaded == [1, "a"]


def test_folders_of_pickles_are_not_taken_from_a_model(tmp_path):
    """joblib unpickles what it finds in `memory`: fitting a loaded model again would run it."""
    memory = str(tmp_path / "model" / "cache")
    pipeline = make_transfer_pipeline(WordEmbedder(OWN), make_classifier("ridge"), memory=memory)
    folder = save_pipeline(pipeline.fit(TEXTS, LABELS), tmp_path / "saved")
    with pytest.warns(UserWarning, match=r"names folders of pickles \(memory\), which fitting would open"):
        loaded = load_pipeline(folder)
    assert loaded.memory is None
    assert loaded.predict(["good"]) == ["+"]


def sentence_model(folder, modules, **files):
    for name, content in files.items():
        write(folder / name, content if isinstance(content, bytes) else json.dumps(content).encode())
    write(folder / "modules.json", json.dumps(modules).encode())
    return folder


@pytest.mark.parametrize("kind", ["evil.Step", "os.system", "subprocess.Popen", "modeling_x.Y", "", 3, None])
def test_sentence_models_name_no_code(tmp_path, canary, kind):
    modules = [{"idx": 0, "name": "0", "path": "", "type": kind}]
    code = f"open({str(canary)!r}, 'w')\n".encode()
    folder = sentence_model(tmp_path / "m", modules, **{"evil.py": code, "modeling_x.py": code})
    with pytest.raises(ValueError, match=r"names the class .* It was not run"):
        _sentence_files.identity(folder, "torch")


@pytest.mark.parametrize(
    "path", ["..", "../..", "/etc", "a/../../b", "a\\..\\..\\b", "C:\\b", "\\\\host\\share", 3]
)
def test_sentence_models_stay_in_their_folder(tmp_path, path):
    modules = [{"idx": 0, "name": "0", "path": path, "type": "sentence_transformers.models.Pooling"}]
    with pytest.raises(ValueError, match=r"modules.json names the path .* Expected a folder in"):
        _sentence_files.identity(sentence_model(tmp_path / "m", modules), "torch")


def test_sentence_models_run_nothing(tmp_path, canary):
    """Through sentence-transformers itself: weights that are a pickle, and code beside them."""
    from embtransfer import SentenceEmbedder

    config = {"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 3, "hidden_size": 8}
    config |= {"num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    tokenizer = {
        "model": {"type": "WordLevel", "vocab": {"a": 0, "[UNK]": 1, "[PAD]": 2}, "unk_token": "[UNK]"}
    }
    tokenizer |= {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}}
    files = {
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"},
    }
    files["pytorch_model.bin"] = pickle.dumps(Trap(canary))
    code = f"open({str(canary)!r}, 'w')\n".encode()
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    folder = sentence_model(tmp_path / "pickle", modules, **files, **{"config.json": config})
    with pytest.raises(OSError, match="cannot be loaded"):
        SentenceEmbedder(folder).fit(["a"])
    config |= {"auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}, "model_type": "evil"}
    folder = sentence_model(tmp_path / "code", modules, **files, **{"config.json": config, "evil.py": code})
    with pytest.raises(OSError, match="cannot be loaded"):
        SentenceEmbedder(folder).fit(["a"])


# ---------------------------------------------------------------- numbers made to deceive
@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    pipeline = make_transfer_pipeline(WordEmbedder(OWN), NoAdaptation(), make_classifier("logistic"))
    folder = tmp_path_factory.mktemp("compiled") / "model"
    compile_pipeline(pipeline.fit(TEXTS, LABELS)).save(folder)
    return folder


COMPILED = {
    "length of labels": lambda config: config.update(dtype="<U500000000"),
    "type of labels": lambda config: config.update(dtype="V8"),
    "old name of a type of labels": lambda config: config.update(dtype="a"),  # numpy warns
    "infinity": lambda config: config["vocabularies"][0].update(min_length=float("inf")),
    "below zero": lambda config: config["vocabularies"][0].update(min_length=-1),
    "n-grams": lambda config: config["vocabularies"][0].update(longest=10**9),
    "a table twice": lambda config: config["program"].update(parts=config["program"]["parts"] * 2),
    "a table that is none": lambda config: config["program"]["parts"][0].update(table="array_0"),
    "kind": lambda config: config["program"]["parts"][0].update(kind="os.system"),
    "head": lambda config: config.update(head={"kind": "__import__"}),
    "file": lambda config: config.update(sha256="../" * 20),
}


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


TOKENIZER = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}}
TOKENIZER["model"] = {"type": "WordLevel", "vocab": {"a": 0, "b": 4_000_000_000}, "unk_token": "a"}


def tensors(folder, shape, end, kind="F32"):
    header = {"x": {"dtype": kind, "shape": shape, "data_offsets": [0, end]}}
    header = json.dumps(header).encode()
    write(folder / "model.safetensors", struct.pack("<Q", len(header)) + header + bytes(112))
    write(folder / "tokenizer.json", json.dumps(TOKENIZER).encode())
    return folder


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


# ---------------------------------------------------------------- archives and names
def flagged(at_local, at_central, value):
    """A zip with one field of both of its headers changed."""
    data = bytearray(zipped({"v.txt": b"a 1 2\nb 3 4\nc 5 6\n"}))
    data[at_local] = data[data.index(b"PK\x01\x02") + at_central] = value
    return bytes(data)


def test_members_of_archives_are_never_unpacked_to_files(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for name in ("../../out.txt", "/etc/out.txt", "C:\\out.txt", link):
        path = write(tmp_path / "in" / "a.zip", zipped({name: b"a 1 2\nb 3 4\nc 5 6\n"}))
        assert WordVectors.load(path, cache=False).words == ["a", "b", "c"]
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["a.zip"]


@pytest.mark.parametrize("data", [flagged(6, 8, 1), flagged(8, 10, 99)], ids=["password", "method"])
def test_members_that_cannot_be_unpacked(tmp_path, data):
    with pytest.raises(ValueError, match=r"a\.zip: .*Unpack the archive first"):
        WordVectors.load(write(tmp_path / "a.zip", data), cache=False)


@pytest.mark.parametrize(
    "name", ["../../x/y", "a/../../b", "sentence-transformers/../../../etc", "a/b\x00c", "https://h/x"]
)
def test_names_of_models_that_are_paths(tmp_path, monkeypatch, name):
    pytest.importorskip("huggingface_hub")
    monkeypatch.chdir(tmp_path)
    if name[0] == ".":
        with pytest.raises(FileNotFoundError, match="no such folder"):
            _sentence_files.locate(name)
    else:
        assert _sentence_files.locate(name) is None  # for the hub to refuse
    assert list(tmp_path.iterdir()) == []


def test_names_of_files_do_not_leave_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "cache"))
    for name in ("..  .txt", "$(touch x);.txt", "a\nb.txt", "..%2f..%2f.txt", "é" * 60 + ".txt"):
        WordVectors.load(write(tmp_path / "in" / name, b"a 1 2\nb 3 4\nc 5 6\n"))
    folders = list(tmp_path.rglob("matrix.npy"))
    assert len(folders) == 5
    assert {path.parent.parent for path in folders} == {tmp_path / "cache" / "vectors"}
    assert stat.S_IMODE((tmp_path / "cache" / "vectors").stat().st_mode) == 0o700


def test_a_model_does_not_wait_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    state = {"name": "x", "source": str(tmp_path / "pipe"), "asked_format": None, "max_words": None}
    with pytest.raises(FileNotFoundError, match="refers to the vectors 'x'"):
        WordVectors.__new__(WordVectors).__setstate__({**state, "asked_dtype": None, "checksum": "0" * 64})


# ---------------------------------------------------------------- memory
BLOCK = (b"word" + b" 0" * 1000 + b"\n") * (1 << 13)  # 16 MB


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


def zeros_packed(header, n):
    """A member of a .npz: a header and n zeros."""
    return header + bytes(n)


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


class _Model:
    classes_ = np.array(["a", "b"])

    def predict(self, X):
        return np.full(len(X), "a")


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


def file(name, make):
    return lambda folder: write(folder / name, make())


def npz_of(header, n, **more):
    """A packed .npz with an array of zeros."""
    name = "words.npy" if more else "matrix.npy"
    return zipped({name: header + bytes(n), **more}, zipfile.ZIP_DEFLATED)


def many_columns(path):
    load_words(path, format="word2vec")


def fitted(folder):
    StaticEmbedder(load_words(folder)).fit(["a"])


ARRAY = pickle.dumps(np.zeros((1, 4), np.float32), 2)[2:-1]
PARTS = {"index_to_key": b"]X\x01\x00\x00\x00aa", "vectors": ARRAY, "vectors_ngrams": ARRAY}
PARTS |= {"compatible_hash": b"\x88", "min_n": lists_in_lists(22), "bucket": b"K\x01"}
ONE_LINE = b"w 1 2\nw 1 2\nw 1 2\n" + b"a" * 100_000_000
WORDS_HEADER, ROWS_HEADER = array_header("<U25000000", (1,)), array_header("|i1", (1000, 10**5))
FILL, ASKS = "made to fill memory", "a size in it is larger than the file"
DICTIONARY = "with a dictionary of 4,294,967,295 bytes"
BOMBS = {  # how to make the file, what opens it, what that says
    "gz": (file("a.gz", lambda: gzip.compress(BLOCK) * 12), load_words, FILL),
    "gz, one line": (
        file("a.gz", lambda: gzip.compress(ONE_LINE, 1)),
        load_words,
        "a line of more than 64 MB",
    ),
    "zip": (file("a.zip", lambda: zipped({"v": BLOCK * 7}, zipfile.ZIP_DEFLATED)), load_words, FILL),
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


def memory(field):
    return int(re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


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
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=500, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.keys() == BOMBS.keys()
    for name, (error, growth, _) in found.items():
        assert re.match(r"ValueError: .*" + re.escape(BOMBS[name][2]), error, re.DOTALL), (name, error)
        assert growth < 600, (name, growth)  # 64 MB unpacked, as words and rows; and what is compiled


# ---------------------------------------------------------------- texts: time, nesting, markup, terminals
HOSTILE_TEXTS = [
    "\n" * 200_000,
    " " * 200_000,
    ". " * 100_000,
    "a" * 200_000,
    "!?" * 100_000,
    " \n" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=repr)
def test_no_pattern_takes_the_square_of_a_text(text):
    from embtransfer._escape import escape, escape_markdown
    from embtransfer.embedders._sentence import sentences
    from embtransfer.embedders._static import _SPACED, _WORDS

    start = time.process_time()
    for work in (sentences, _SPACED.findall, _WORDS.findall, escape, escape_markdown):
        work(text)
    assert time.process_time() - start < 5  # the square would take minutes


@pytest.mark.parametrize("line", ["(" * 300_000, "[" * 300_000, "<" * 300_000, " " * 300_000])
def test_no_pattern_takes_the_square_of_a_dictionary(tmp_path, line):
    data = f"{line}\n{line}\nword\n".encode()
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    size = "".join(digits[len(data) >> shift & 63] for shift in (18, 12, 6, 0))
    write(tmp_path / "d.index", f"a\tA\t{size}\n".encode())
    start = time.process_time()
    read_pairs(write(tmp_path / "d.dict", data))
    assert time.process_time() - start < 5


@pytest.mark.parametrize("depth", [500, 5_000, 50_000, 500_000])
def test_nested_json(tmp_path, depth):
    value = '{"a":' * depth + "1" + "}" * depth
    path = write(tmp_path / "a.jsonl", f'{{"text": "x", "more": {value}}}\n{{"text": "y"}}\n'.encode())
    report = score_file(_Model(), path, tmp_path / "out.jsonl", on_error="skip", columns=["text"])
    assert report.rows_written + report.rows_rejected == 2
    if depth > (1000 if sys.version_info < (3, 13) else 10_000):  # what Python's parser takes
        with pytest.raises(ValueError, match=r"a\.jsonl, line 1: got no JSON"):
            list(TableReader(path).batches())
    else:
        assert sum(len(batch) for batch in TableReader(path).batches()) == 2
    write(tmp_path / "m" / "config.json", value.encode())
    for load in (load_pipeline, CompiledPipeline.load):
        with pytest.raises(ValueError, match=r"config\.json is (damaged|no embtransfer)"):
            load(tmp_path / "m")


def test_an_enormous_field_of_csv(tmp_path):
    path = write(tmp_path / "a.csv", b"a" * 300_000)
    with pytest.raises(ValueError, match=r"a\.csv is damaged: its header cannot be read \(field larger"):
        list(TableReader(path).batches())
    path = write(tmp_path / "b.csv", b"text\n" + b"a" * 30_000_000 + b"\n")
    assert score_file(_Model(), path, tmp_path / "out.jsonl").rows_written == 1


NASTY = [
    "<script>alert(1)</script>",
    "</style></script><img src=x onerror=alert(1)>",
    '" onmouseover=alert(1) x="',
    "' style='x",
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    "\u2028\u2029\u202e",
    "\ud800",
    "\x00\x1b[31m",
    "<!--",
    "]]>",
    "&lt;b&gt;&#60;",
]
ALLOWED = {
    "class",
    "style",
    "scope",
    "id",
    "aria-labelledby",
    "aria-describedby",
    "aria-hidden",
    "aria-label",
}
ALLOWED |= {
    "role",
    "tabindex",
    "data-sortable",
    "data-value",
    "href",
    "rel",
    "name",
    "content",
    "charset",
    "lang",
}
ALLOWED |= {"d", "x", "y", "viewbox", "text-anchor", "transform", "stroke-width", "title"}


class Page(HTMLParser):
    """Notes what of a page could run, or load something."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.odd = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.odd += [(tag, name) for name, _ in attributes if name not in ALLOWED]
        self.odd += [(tag, value) for name, value in attributes if name == "href" and value[:1] not in "#d"]


def test_html_of_explanations_and_reports(tmp_path):
    import pandas as pd

    from embtransfer.report import _html
    from embtransfer.report._blocks import Code, Table

    labels = [f"{one} {i % 2}" for i, one in enumerate(NASTY)]
    texts = [f"good pan{i} {one}" for i, one in enumerate(NASTY)]
    texts = [text.replace("\ud800", "") for text in texts]
    pipeline = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, labels)
    for i in range(len(NASTY)):
        found = explain(pipeline, f"good pan{i} {NASTY[i]}", label=labels[i])
        html = found.to_html()
        html.encode()  # without lone surrogates
        page = Page(html)
        assert set(page.tags) <= {"div", "p", "b", "span", "table", "thead", "tbody", "tr", "th", "td"}
        assert page.odd == []
        assert found._repr_html_() == html
    names = [one for one in NASTY if one != "\ud800"]  # pandas has no such names
    frame = pd.DataFrame(dict.fromkeys(names, NASTY), dtype=object)
    blocks = [Table("t", NASTY[0], frame), Code(NASTY[1]), *NASTY]
    section = type("Section", (), {"key": "k", "heading": NASTY[0], "left_out": NASTY[1], "blocks": blocks})
    for html in (
        _html.page(NASTY[0], NASTY[2], [section]),
        _html.fragment(NASTY[1], NASTY[2], [section], "p"),
    ):
        html.encode()
        page = Page(html)
        assert page.tags.count("script") == 1
        assert not {"img", "iframe", "object", "base", "form", "a"} & set(page.tags) - {"a"}
        assert page.odd == []


def run(*words, **options):
    command = [sys.executable, "-m", "embtransfer", *map(str, words)]
    return subprocess.run(command, capture_output=True, cwd=ROOT, timeout=300, **options)


def test_terminals_obey_no_data(tmp_path, capsys):
    import pandas as pd

    from embtransfer._escape import visible
    from embtransfer.cli._tables import Output, print_table
    from embtransfer.cli._terminal import clear_errors
    from embtransfer.cli._vectors import vectors_info

    assert visible(f"a\tb\n{ESC}\x9b") == r"a" + "\tb\n" + r"\x1b]0;owned\x07\x1b[31m\x9b"
    path = write(tmp_path / "a.csv", f"{ESC},b\n1,2\n".encode())
    import typer

    with pytest.raises(typer.Exit), clear_errors():
        list(TableReader(path).batches(columns=["text"]))
    vectors_info(str(write(tmp_path / "v.txt", f"{ESC}a 1 2\nb 3 4\nc 5 6\n".encode())))
    for output in (Output.table, Output.markdown):
        print_table(pd.DataFrame({"[red]x": [ESC, "[bold]b"], ESC: ["a", "b"]}), output, ESC, None)
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert r"\x1b]0;owned" in out
    assert r"\x1b]0;owned" in err
    assert "[bold]b" in out


# ---------------------------------------------------------------- files that others could have put there
def test_links_beside_an_output_are_not_followed(tmp_path):
    source = write(tmp_path / "a.csv", b"text\ngood\n")
    victim = write(tmp_path / "victim", b"mine")
    out = tmp_path / "shared" / "out.csv"
    out.parent.mkdir()
    digest = hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:8]
    for kind in ("part", "rejected", "journal"):
        hidden = out.with_name(f".out.csv.{digest}.{kind}")
        hidden.symlink_to(victim)
        with pytest.raises(
            ValueError, match=rf"\.out\.csv\.{digest}\.{kind} is a link, which no run of ours"
        ):
            score_file(_Model(), source, out, resume=True)
        hidden.unlink()
    assert victim.read_bytes() == b"mine"
    out.with_name(f".out.csv.{digest}.lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"):
        score_file(_Model(), source, out)
    assert victim.read_bytes() == b"mine"
    assert not out.exists()


def test_a_link_in_the_cache_of_embeddings_is_not_followed(tmp_path):
    from embtransfer.embedders._cache import EmbeddingCache

    victim = write(tmp_path / "victim", b"")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "embeddings.sqlite3").symlink_to(victim)
    with (
        pytest.warns(RuntimeWarning, match="cannot be used .*symbolic link"),
        EmbeddingCache(tmp_path / "cache", 2, 1e6) as cache,
    ):
        cache.put([b"k"], np.ones((1, 2), np.float32))
    assert victim.read_bytes() == b""


def test_a_model_and_a_report_replace_links_not_what_they_lead_to(tmp_path):
    from embtransfer.report._report import Report

    victim = write(tmp_path / "victim", b"mine")
    (tmp_path / "report").mkdir()
    for name in ("report.html", "report.md", "report.json"):
        (tmp_path / "report" / name).symlink_to(victim)
    report = Report.__new__(Report)
    report.title = report.lead = report.created = "x"
    report._sections = []
    report.save(tmp_path / "report")
    assert victim.read_bytes() == b"mine"
    assert not (tmp_path / "report" / "report.html").is_symlink()
    (tmp_path / "model").symlink_to(tmp_path / "nowhere")
    pipeline = make_transfer_pipeline(WordEmbedder(OWN), make_classifier("ridge")).fit(TEXTS, LABELS)
    with pytest.raises(FileExistsError, match="model is a link to what is not there"):
        save_pipeline(pipeline, tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "report", "victim"]


# ---------------------------------------------------------------- downloads
@pytest.fixture
def answers():
    """A server that gives the answer (status, headers, body) put in it, and its address."""
    answer = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = answer[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield answer, f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()


@pytest.fixture
def elsewhere(tmp_path, monkeypatch, answers):
    """The data sets come from the server, and go to an empty cache."""
    import pooch

    from embtransfer.datasets import _amazon, _banking77

    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache")
    monkeypatch.delenv("EMBTRANSFER_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_banking77, "_URL", answers[1])
    monkeypatch.setattr(_amazon, "_URL", f"{answers[1]}archive.tar.gz")
    return answers[0], tmp_path / "cache"


def test_wrong_downloads_leave_nothing(elsewhere):
    from embtransfer.datasets import fetch_banking77

    answer, cache = elsewhere
    for body in (b"", b"text,category\na,b\n", b"\x00" * 1000):
        answer[:] = [(200, {}, body)]
        with pytest.raises(ValueError, match=r"SHA256 hash of downloaded file .* does not match"):
            fetch_banking77()
        assert list(cache.rglob("*")) == []


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/csv,a"])
def test_no_redirect_leaves_the_web(elsewhere, to):
    from embtransfer.datasets import fetch_amazon_reviews, fetch_banking77

    answer, cache = elsewhere
    answer[:] = [(302, {"Location": to}, b"")]
    for fetch in (fetch_banking77, fetch_amazon_reviews):
        with pytest.raises((OSError, ValueError), match=r"No connection adapters|scheme"):
            fetch()
        assert list(cache.rglob("*")) == []


def test_an_archive_that_unpacks_to_too_much(elsewhere):
    import tarfile

    from embtransfer.datasets import _amazon, fetch_amazon_reviews

    answer, cache = elsewhere
    out, block = io.BytesIO(), bytes(1 << 25)
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        for name in _amazon._FOLDERS:
            for member in _amazon._members(name):
                info = tarfile.TarInfo(f"sorted_data_acl/{member}")
                info.size = len(block)
                tar.addfile(info, io.BytesIO(block))
    answer[:] = [(200, {}, out.getvalue())]
    with pytest.raises(ValueError, match="Got files of more than 128 MB from"):
        fetch_amazon_reviews()
    assert list(cache.rglob("*")) == []


def test_every_address_is_https_and_has_a_checksum():
    from embtransfer.datasets import _amazon, _banking77

    assert _amazon._URL.startswith("https://")
    assert _banking77._URL.startswith("https://")
    sums = [*_amazon._CHECKSUMS.values(), *_banking77._CHECKSUMS.values()]
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in sums)
    for file in (ROOT / "embtransfer").rglob("*.py"):
        assert not re.search(r"http://(?!www\.w3\.org)", file.read_text("utf-8")), file


# ---------------------------------------------------------------- dependencies
@pytest.fixture(scope="module")
def audit():
    return runpy.run_path(str(ROOT / ".ci" / "audit.py"))


@pytest.fixture
def service(answers, monkeypatch):
    """The audit's index is the server."""
    answer, address = answers
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}simple/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    return answer


def known(**more):
    one = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fixed_in": ["99.1"], "summary": "bad", "withdrawn": None}
    return json.dumps({"info": {}, "vulnerabilities": [one | more]}).encode()


def test_the_audit_names_what_is_vulnerable(audit, service, capsys):
    service[:] = [(200, {}, known())]
    assert audit["main"]() == 1
    out = capsys.readouterr().out
    version = __import__("skops").__version__
    assert re.search(rf"skops {re.escape(version)}: PYSEC-1 \(CVE-1\), fixed in 99\.1", out)
    assert re.search(r"skops 0\.15 \(lower bound\): PYSEC-1", out)


def test_the_audit_passes_where_nothing_is_known(audit, service, capsys):
    service[:] = [(200, {}, known(withdrawn="2026-01-01"))]
    assert audit["main"]() == 0
    assert re.search(r"\d\d versions of \d\d packages: no known vulnerability", capsys.readouterr().out)


def test_the_audit_says_when_it_could_not_look(audit, service, answers, capsys):
    for status, body in [(404, b""), (500, b""), (200, b"<html>"), (200, b"{}"), (200, b"[]")]:
        service[:] = [(status, {}, body)]
        assert isinstance(audit["vulnerabilities"](answers[1].rstrip("/"), "skops", "0.15"), str)
    assert audit["vulnerabilities"]("http://127.0.0.1:9", "skops", "0.15") == "URLError"
    assert audit["main"]() == 0
    out = capsys.readouterr().out
    assert "NOT AUDITED" in out
    assert "no known vulnerability" not in out


def test_lower_bounds_leave_out_what_was_unsafe(audit):
    bounds = audit["lower_bounds"](ROOT / "setup.cfg")
    least = {
        "skops": (0, 15),  # code run by MethodNode and OperatorFuncNode, and by names of bit generators
        "filelock": (3, 20, 3),  # links in place of locks
        "sentence-transformers": (6,),  # code run from a local model folder
        "pyarrow": (14, 0, 1),  # pickles in the metadata of columns
        "joblib": (1, 2),
        "scikit-learn": (1, 5),
    }
    for name, bound in least.items():
        assert tuple(map(int, bounds[name].split("."))) >= bound, name


if __name__ == "__main__":
    open_bombs(Path(sys.argv[1]))
