"""No file runs code, whatever it is called or holds."""

import gzip
import io
import json
import os
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from embtransfer import (
    WordEmbedder,
    WordVectors,
    load_pipeline,
    make_classifier,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.embedders import _sentence_files
from embtransfer.tables import TableReader
from tests.security.hostile import LABELS, OWN, TEXTS, list_of, node, npy, save_state, write, zipped


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


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


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


def json_node(value):
    return node("JsonNode", "builtins.str", content=json.dumps(value))


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
