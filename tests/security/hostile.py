"""Files made to deceive, and a canary that tells whether one ran."""

import hashlib
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np

from embtransfer import WordVectors

ROOT = Path(__file__).parents[2]

OWN = WordVectors(["good", "bad"], np.eye(2, 4, dtype=np.float32), "own")


TEXTS, LABELS = ["good pan", "bad pan", "good lid", "bad lid"], ["+", "-", "+", "-"]


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def npy(array):
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def zipped(members, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


# states of skops, written by hand: what the library itself would never write
def node(loader, name, **more):
    module, _, kind = name.rpartition(".")
    return {"__class__": kind, "__module__": module, "__loader__": loader, **more}


def list_of(*nodes):
    return node("ListNode", "builtins.list", content=list(nodes))


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

TOKENIZER = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}}


TOKENIZER["model"] = {"type": "WordLevel", "vocab": {"a": 0, "b": 4_000_000_000}, "unk_token": "a"}


def tensors(folder, shape, end, kind="F32"):
    header = {"x": {"dtype": kind, "shape": shape, "data_offsets": [0, end]}}
    header = json.dumps(header).encode()
    write(folder / "model.safetensors", struct.pack("<Q", len(header)) + header + bytes(112))
    write(folder / "tokenizer.json", json.dumps(TOKENIZER).encode())
    return folder


class _Model:
    classes_ = np.array(["a", "b"])

    def predict(self, X):
        return np.full(len(X), "a")


def file(name, make):
    return lambda folder: write(folder / name, make())
