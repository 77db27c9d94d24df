"""A compiled pipeline as a folder: config.json, which says what is computed, and tensors.safetensors."""

import json
from pathlib import Path

import numpy as np

from .._folders import check_file, check_folder, checksum, new_folder
from .._safetensors import map_tensors, write_tensors
from .._version import __version__
from ._heads import check_head, expect
from ._program import COUNTING, DIVISORS, STEPS, Dense, Program, TermSums, WordSums
from ._vocabulary import Vocabulary

_FORMAT = "embtransfer-compiled"
_FORMAT_VERSION = 1
_CONFIG, _TENSORS = "config.json", "tensors.safetensors"
_PARTS = {"words": WordSums, "terms": TermSums, "dense": Dense}


# ---------------------------------------------------------------- write
def write_model(path, program, head, classes, *, overwrite):
    """Write a folder that appears under its name when complete; return the checksum of its configuration."""
    path = Path(path)
    ours = is_model(path)
    if path.exists() and not (overwrite and ours):
        replace = "Pass overwrite=True (--overwrite) to replace it."
        hint = replace if ours else "It is no compiled model: it stays."
        raise FileExistsError(f"{path} exists already. {hint} Or choose another name.")
    arrays, vocabularies = {}, []
    tree = _program_tree(program, arrays, vocabularies)
    dtype, classes = classes.dtype.str, classes.tolist()
    config = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "embtransfer": __version__,
        "classes": classes,
        "dtype": dtype,
        "program": tree,
        "vocabularies": [_vocabulary_tree(v, i, arrays) for i, v in enumerate(vocabularies)],
        "head": head,
    }
    if any(type(label) not in (str, int, float, bool) for label in classes):
        raise ValueError(f"Got classes {classes[:3]}. Expected text or numbers, which JSON can hold.")
    with new_folder(path, replace=overwrite) as folder:
        write_tensors(folder / _TENSORS, arrays)
        config["sha256"] = checksum(folder / _TENSORS)
        (folder / _CONFIG).write_text(json.dumps(config) + "\n", "utf-8")
        made = checksum(folder / _CONFIG)
    return made


def _program_tree(program, arrays, vocabularies):
    return {
        "constant": _add(arrays, program.constant.astype(np.float64)),
        "parts": [_part_tree(part, arrays, vocabularies) for part in program.parts],
    }


def _part_tree(part, arrays, vocabularies):
    tree = {"kind": next(kind for kind, type_ in _PARTS.items() if type(part) is type_), "first": part.first}
    if isinstance(part, Dense):
        inner = _program_tree(part.program, arrays, vocabularies)
        weight = None if part.weight is None else _add(arrays, part.weight.astype(np.float64))
        return tree | {"program": inner, "step": part.step, "weight": weight}
    if part.vocabulary not in vocabularies:
        vocabularies.append(part.vocabulary)
    tree |= {"vocabulary": vocabularies.index(part.vocabulary), "table": _add(arrays, part.table)}
    if isinstance(part, TermSums):
        return tree | {"norm_of": _add(arrays, part.norm_of), "counting": part.counting}
    return tree | {"divisor": part.divisor, "filled": part.filled}


def _vocabulary_tree(vocabulary, i, arrays):
    for name in ("words", "offsets", "slots", "ngrams"):
        arrays[f"vocabulary_{i}_{name}"] = getattr(vocabulary, name)
    names = ("lowercase", "min_length", "longest", "n_forming")
    return {name: int(getattr(vocabulary, name)) for name in names}


def _add(arrays, array):
    name = f"array_{len(arrays)}"
    arrays[name] = array
    return name


# ---------------------------------------------------------------- read
def read_model(path):
    """Return (program, head, classes, checksum of the configuration) of a folder, arrays mapped.

    Raises
    ------
    FileNotFoundError
        If there is no folder.
    ValueError
        If a file is no compiled model, or is damaged.
    """
    path = Path(path)
    check_folder(path)
    config = _read_config(path)
    tensors = path / _TENSORS
    check_file(tensors, config.get("sha256"), _CONFIG)
    arrays = {name: array for name, (_, array) in map_tensors(tensors).items()}
    try:
        vocabularies = [_read_vocabulary(tree, i, arrays) for i, tree in enumerate(config["vocabularies"])]
        for vocabulary in vocabularies:
            vocabulary.check()
        program = _read_program(config["program"], arrays, vocabularies)
        dtype = np.dtype(config["dtype"])
        expect(dtype.kind in "biufUO", "the classes have another type")
        classes = np.array(config["classes"], dtype)
        check_head(config["head"], program.width, len(classes))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: {error!r:.200}") from None
    return program, config["head"], classes, checksum(path / _CONFIG)


def _read_config(path):
    file = path / _CONFIG
    if not file.is_file():
        raise ValueError(f"{path} holds no {_CONFIG}. Expected a folder that CompiledPipeline.save made.")
    try:
        config = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}") from None
    if not isinstance(config, dict) or config.get("format") != _FORMAT:
        raise ValueError(
            f"{file} is no {_FORMAT} configuration. Expected a folder of `embtransfer compile MODEL -o "
            "FOLDER` or CompiledPipeline.save."
        )
    if config.get("format_version") != _FORMAT_VERSION:
        raise ValueError(
            f"{file} has format version {config.get('format_version')!r}; this embtransfer reads "
            f"{_FORMAT_VERSION}. Install the embtransfer that made it: {config.get('embtransfer')}."
        )
    return config


def is_model(path):
    """Whether a folder holds a compiled model."""
    try:
        return bool(_read_config(path))
    except ValueError:
        return False


def _read_vocabulary(tree, i, arrays):
    parts = [arrays[f"vocabulary_{i}_{name}"] for name in ("words", "offsets", "slots")]
    kinds = [part.dtype for part in parts]
    expect(kinds == [np.uint8, np.int64, np.uint64], "a table of words has another type")
    expect(1 <= tree["longest"] <= 100, "n-grams are too long")
    return Vocabulary(
        *parts,
        bool(tree["lowercase"]),
        int(tree["min_length"]),
        arrays[f"vocabulary_{i}_ngrams"].astype(np.int64),
        int(tree["longest"]),
        int(tree["n_forming"]),
    )


def _read_program(tree, arrays, vocabularies):
    program = Program(arrays[tree["constant"]], [])
    expect(program.constant.ndim == 1, "a constant is no vector")
    for part in tree["parts"]:
        made = _read_part(part, arrays, vocabularies)
        expect(0 <= made.first <= program.width - made.width, "a part has too many columns")
        program.parts.append(made)
    return program


def _read_part(tree, arrays, vocabularies):
    kind, first = tree["kind"], int(tree["first"])
    if kind == "dense":
        expect(tree["step"] in STEPS, "a step is unknown")
        program = _read_program(tree["program"], arrays, vocabularies)
        weight = None if tree["weight"] is None else arrays[tree["weight"]]
        part = Dense(program, tree["step"], weight, first)
        inner = program.width * (2 if part.step == "squares" else 1)
        expect(weight is None or (weight.ndim == 2 and len(weight) == inner), "a matrix does not fit")
        return part
    vocabulary, table = vocabularies[tree["vocabulary"]], arrays[tree["table"]]
    expect(table.dtype == np.float32, "a table has another type")
    expect(table.ndim == 2, "a table is no matrix")
    expect(len(table) == len(vocabulary), "a table does not fit its words")
    if kind == "words":
        expect(tree["divisor"] in DIVISORS, "a divisor is unknown")
        filled = bool(tree["filled"])
        expect(not filled or (table.shape[1] <= 2 and vocabulary.longest == 1), "slots hold no such table")
        return WordSums(vocabulary, table, tree["divisor"], first, filled)
    expect(kind == "terms", "a part is unknown")
    norm_of = arrays[tree["norm_of"]]
    expect(tree["counting"] in COUNTING, "a way of counting is unknown")
    expect(norm_of.ndim == 1, "norms are no vector")
    expect(len(norm_of) <= table.shape[1], "a table lacks columns")
    expect(((norm_of >= -1) & (norm_of < table.shape[1] - len(norm_of))).all(), "a norm is unknown")
    return TermSums(vocabulary, table, norm_of, tree["counting"], first)
