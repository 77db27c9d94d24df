"""Folders of saved models, changed: the model that was saved, or an error.

Where the first byte is odd the checksums are made right again, as somebody would who means harm: then any
model may come of it, but no crash, no code and no other error than ValueError, in `predict` neither.
"""

import hashlib
import json
from contextlib import suppress
from functools import cache

import numpy as np

from embtransfer import (
    CompiledPipeline,
    DomainCentering,
    NGramVectorizer,
    TransferPipeline,
    WordEmbedder,
    WordVectors,
    compile_pipeline,
    load_pipeline,
    make_classifier,
    make_transfer_pipeline,
    save_pipeline,
)

from ._files import Scratch, pack, read_all, unpack
from ._guard import expect, guarded, refusal
from ._mutate import change_files

MAX_SIZE = 60_000
NAMES = ["config.json", "pipeline.skops", "tensors.safetensors"]
_TEXTS = ["good pan", "a bad film, a dull book", "", "good good book pan", "nothing known here é"]
_LABELS = ["+", "-", "0", "+", "-"]
_scratch = Scratch()


def run(data: bytes) -> str:
    files = unpack(data[1:], NAMES)
    compiled = "tensors.safetensors" in files
    state = files.get("tensors.safetensors" if compiled else "pipeline.skops", b"")
    deceives = bool(data and data[0] & 1)
    if deceives:
        _make_right(files, state, compiled)
    folder = _scratch.write(files)
    kind = ("deceiving " if deceives else "") + ("compiled" if compiled else "pipeline")
    with guarded():
        try:
            model = CompiledPipeline.load(folder) if compiled else load_pipeline(folder)
        except (ValueError, FileNotFoundError) as error:
            return f"{kind}: {refusal(error)}"
        if deceives and not compiled:
            return f"{kind}: loaded"
        try:
            labels = model.predict(_TEXTS)
        except ValueError as error:
            expect(deceives, f"a model that does not predict: {error}")
            return f"{kind}: predict {refusal(error)}"
        expect(len(labels) == len(_TEXTS), "another number of labels than of texts")
    saved = _predictions().get(hashlib.sha256(state).hexdigest())
    sealed = not compiled or b'"checksum"' in files["config.json"]  # older folders have no checksum of it
    if saved is not None and sealed and not deceives:  # a case of another version has another state
        expect(labels.tolist() == saved, "another model than the one that was saved")
    return f"{kind}: loaded"


def mutate(data: bytes, rng) -> bytes:
    first = data[:1] if rng.random() < 0.9 else bytes([rng.randrange(2)])
    return first + pack(change_files(unpack(data[1:], NAMES), rng), NAMES)


def _make_right(files, state, compiled):
    with suppress(ValueError, TypeError, AttributeError, RecursionError, KeyError):
        config = json.loads(files["config.json"])
        checksum = hashlib.sha256(state).hexdigest()
        config["sha256"] = checksum if compiled else {"pipeline.skops": checksum}
        config.pop("checksum", None)
        files["config.json"] = json.dumps(config).encode()


def seeds() -> dict[str, bytes]:
    return {
        f"{name}_{'deceiving' if deceives else 'plain'}": bytes([deceives]) + pack(files, NAMES)
        for name, files in _folders().items()
        for deceives in (0, 1)
    }


@cache
def _predictions():
    """Checksum of a saved state -> what its model predicts."""
    return {
        hashlib.sha256(files.get("pipeline.skops") or files["tensors.safetensors"]).hexdigest(): labels
        for files, labels in _saved().values()
    }


def _folders():
    return {name: files for name, (files, _) in _saved().items()}


@cache
def _saved():
    """Small real models as folders, and what they predict."""
    words = ["good", "bad", "pan", "film", "book", "dull"]
    vectors = WordVectors(words, np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32))
    two = ["-" if label == "0" else label for label in _LABELS]

    def words_and(classifier, labels, pooling="mean"):
        steps = WordEmbedder(vectors, pooling=pooling), DomainCentering(), make_classifier(classifier)
        return make_transfer_pipeline(*steps).fit(_TEXTS, labels, X_target=_TEXTS[::-1])

    ngrams = TransferPipeline(
        [("ngrams", NGramVectorizer(min_df=1)), ("classifier", make_classifier("logistic"))]
    )
    models = {
        "two_classes": words_and("logistic", two),
        "three_classes": words_and("ridge", _LABELS, "idf"),
        "ngrams": ngrams.fit(_TEXTS, _LABELS),
    }
    found = {}
    with Scratch() as scratch:
        for name, model in models.items():
            labels = model.predict(_TEXTS).tolist()
            folder = scratch.write({}) / name
            save_pipeline(model, folder)
            compile_pipeline(model).save(folder.with_name(f"compiled_{name}"))
            for kind in (name, f"compiled_{name}"):
                files = read_all(folder.with_name(kind))
                found[kind] = {one: files[one] for one in NAMES if one in files}, labels  # no card
    return found
