"""How tables are pickled: with their words and numbers, or by reference to where they are on disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np
import pyarrow as pa

from .._texts import text_buffers
from . import _cache
from .readers import Subwords

_whole: ContextVar[bool] = ContextVar("whole", default=False)


@contextmanager
def embedded_tables() -> Iterator[None]:
    """Within it, converted and bundled tables pickle with their words and numbers, not by reference."""
    token = _whole.set(True)
    try:
        yield
    finally:
        _whole.reset(token)


def state_of(vectors) -> dict:
    """What a WordVectors is pickled as."""
    if not _whole.get():
        if vectors._is_bundled:
            return {"bundled": vectors.checksum}
        if vectors._manifest is not None:
            kept = "source", "asked_format", "max_words", "asked_dtype", "checksum"
            return {"name": vectors.name, **{key: vectors._manifest[key] for key in kept}}
    data, offsets = text_buffers(vectors._words)
    state = {"words": data[offsets[0] : offsets[-1]], "offsets": offsets - offsets[0], "name": vectors.name}
    if (subwords := vectors.subwords) is not None:
        state["subwords"] = [subwords.min_n, subwords.max_n, np.asarray(subwords.rows)]
    return {**state, "matrix": np.asarray(vectors.matrix), "tokenizer": vectors.tokenizer}


def restore(vectors, state: dict) -> None:
    """Make an empty WordVectors what it was pickled as."""
    if "bundled" in state:
        bundled = vectors.bundled()
        if bundled.checksum != state["bundled"]:
            raise ValueError(
                f"Got a model made with another bundled table (checksum {state['bundled'][:12]}, "
                f"this embtransfer has {bundled.checksum[:12]}). Install the embtransfer that made it."
            )
        vectors.__dict__.update(bundled.__dict__)
    elif "checksum" in state:
        vectors._take(_referred(state), state["name"])
    else:
        buffers = pa.py_buffer(state["offsets"]), pa.py_buffer(state["words"])
        words = pa.LargeStringArray.from_buffers(len(state["offsets"]) - 1, *buffers)
        words.validate(full=True)
        subwords = Subwords(*state["subwords"]) if "subwords" in state else None
        more = {"subwords": subwords, "tokenizer": state.get("tokenizer")}
        vectors.__init__(words, state["matrix"], state["name"], **more)


def _referred(state):
    """The converted table that a pickle refers to, wherever this machine has it."""
    wanted, source = state["checksum"], Path(state["source"])
    table = _cache.find(wanted)
    if table is None and (source.is_file() or source.is_dir()):  # a device or pipe might never end
        options = state["asked_format"], state["max_words"], state["asked_dtype"]
        table = _cache.load(source, state["name"], *options)
        if table.manifest is None:
            table = None
        elif table.manifest["checksum"] != wanted:
            raise ValueError(
                f"Got a model made with other vectors than {source} now holds (checksum {wanted[:12]}, now "
                f"{table.manifest['checksum'][:12]}). Fit again, or bring the old file back."
            )
    if table is None:
        raise FileNotFoundError(
            f"Got a model that refers to the vectors {state['name']!r} (checksum {wanted[:12]}), which are "
            f"neither among this machine's converted tables nor at {source}. Convert the same file here with "
            "`embtransfer vectors convert FILE`, or save the model with embed_vectors=True."
        )
    return table
