"""A compiled pipeline as a folder: config.json, which says what is computed, and tensors.safetensors."""

import re
from pathlib import Path

import numpy as np

from .._version import __version__
from ..system._folders import checksum, new_folder
from ..system._model_folders import CONFIG, ModelFormat, check_destination, read_folder, write_config
from ..system._safetensors import map_tensors, write_tensors
from ._heads import check_head, expect, try_head
from ._program import COUNTING, DIVISORS, STEPS, Dense, Program, TermSums, WordSums
from ._vocabulary import Vocabulary

COMPILED = ModelFormat(
    "embtransfer-compiled",
    1,
    what="compiled model",
    expected="Expected a folder of `embtransfer compile MODEL -o FOLDER` or CompiledPipeline.save.",
    file="tensors.safetensors",
    sealed=True,
)
_KINDS = "biufUO"  # of numpy's types: those of labels
_LONGEST_LABELS = 1 << 26  # bytes of all labels, padded to the longest
_PARTS = {"words": WordSums, "terms": TermSums, "dense": Dense}


# ---------------------------------------------------------------- write
def write_model(path, program, head, classes, *, overwrite):
    """Write a folder that appears under its name when complete; return the checksum of its configuration."""
    path = Path(path)
    check_destination(path, COMPILED, overwrite=overwrite)
    arrays, vocabularies = {}, []
    tree = _program_tree(program, arrays, vocabularies)
    labels, dtype = classes.tolist(), classes.dtype
    # times in nanoseconds become whole numbers in a list
    if dtype.kind not in _KINDS or any(type(label) not in (str, int, float, bool) for label in labels):
        raise ValueError(f"Got classes {list(classes[:3])}. Expected text or numbers, which JSON can hold.")
    entries = {
        "embtransfer": __version__,
        "classes": labels,
        "dtype": dtype.str,
        "program": tree,
        "html": program.html,
        "vocabularies": [_vocabulary_tree(v, i, arrays) for i, v in enumerate(vocabularies)],
        "head": head,
    }
    with new_folder(path, replace=overwrite) as folder:
        write_tensors(folder / COMPILED.file, arrays)
        return write_config(folder, COMPILED, entries)


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
    names = ("lowercase", "min_length", "longest", "n_forming", "marks")
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
    config, tensors = read_folder(path, COMPILED)
    arrays = {name: array for name, (_, array) in map_tensors(tensors).items()}
    try:
        vocabularies = [_read_vocabulary(tree, i, arrays) for i, tree in enumerate(config["vocabularies"])]
        for vocabulary in vocabularies:
            vocabulary.check()
        program = _read_program(config["program"], arrays, vocabularies)
        program.html = config.get("html", False)  # which models of earlier versions lack
        expect(type(program.html) is bool, "whether texts are cleaned is neither true nor false")
        classes = _read_classes(config["classes"], config["dtype"])
        check_head(config["head"], program.width, len(classes))
        try_head(config["head"], program.width, len(classes))
    except (LookupError, ValueError, ArithmeticError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error!r:.200}") from None
    return program, config["head"], classes, checksum(path / CONFIG)


def _read_classes(labels, dtype):
    expect(re.fullmatch(rf"[<>|][{_KINDS}]\d*", dtype), "the classes have another type")
    dtype = np.dtype(dtype)
    expect(all(type(label) in (str, int, float, bool) for label in labels), "a class is no label")
    expect(dtype.itemsize * len(labels) <= _LONGEST_LABELS, "the classes are too long")
    return np.array(labels, dtype)


def _read_vocabulary(tree, i, arrays):
    parts = [arrays[f"vocabulary_{i}_{name}"] for name in ("words", "offsets", "slots")]
    parts.append(arrays[f"vocabulary_{i}_ngrams"])  # an index is made of them before they are checked
    kinds = [(part.dtype, part.ndim) for part in parts]
    expected = [(np.uint8, 1), (np.int64, 1), (np.uint64, 2), (np.int64, 2)]
    expect(kinds == expected and parts[3].shape[1] == 2, "a table of words has another type")
    names = ("lowercase", "min_length", "longest", "n_forming")
    lowercase, min_length, longest, n_forming = (_whole(tree[name]) for name in names)
    marks = bool(_whole(tree.get("marks", 0)))  # which models of earlier versions lack
    expect(1 <= longest <= 100, "n-grams are too long")
    return Vocabulary(*parts[:3], bool(lowercase), min_length, parts[3], longest, n_forming, marks)


def _whole(number):
    expect(type(number) is int and 0 <= number < 2**31, "a number is no whole one")
    return number


def _read_program(tree, arrays, vocabularies):
    program = Program(arrays[tree["constant"]], [])
    expect(program.constant.ndim == 1 and program.constant.dtype.kind == "f", "a constant is no vector")
    for part in tree["parts"]:
        made = _read_part(part, arrays, vocabularies)
        expect(0 <= made.first <= program.width - made.width, "a part has too many columns")
        program.parts.append(made)
    return program


def _read_part(tree, arrays, vocabularies):
    kind, first = tree["kind"], _whole(tree["first"])
    if kind == "dense":
        expect(tree["step"] in STEPS, "a step is unknown")
        program = _read_program(tree["program"], arrays, vocabularies)
        weight = None if tree["weight"] is None else arrays[tree["weight"]]
        part = Dense(program, tree["step"], weight, first)
        inner = program.width * (2 if part.step == "squares" else 1)
        fits = weight is None or (weight.ndim == 2 and len(weight) == inner and weight.dtype.kind == "f")
        expect(fits, "a matrix does not fit")
        return part
    # each part has a table of its own, which is copied: one that comes twice is a trick to fill memory
    vocabulary, table = vocabularies[_whole(tree["vocabulary"])], arrays.pop(tree["table"])
    expect(table.dtype == np.float32, "a table has another type")
    expect(table.ndim == 2, "a table is no matrix")
    expect(len(table) == len(vocabulary), "a table does not fit its words")
    if kind == "words":
        expect(tree["divisor"] in DIVISORS, "a divisor is unknown")
        filled = bool(tree["filled"])
        expect(table.shape[1] > (tree["divisor"] == "weights"), "a table lacks columns")
        expect(not filled or (table.shape[1] <= 2 and vocabulary.longest == 1), "slots hold no such table")
        return WordSums(vocabulary, table, tree["divisor"], first, filled)
    expect(kind == "terms", "a part is unknown")
    norm_of = arrays[tree["norm_of"]]
    expect(tree["counting"] in COUNTING, "a way of counting is unknown")
    expect(norm_of.ndim == 1 and norm_of.dtype == np.int64, "norms are no vector")
    expect(len(norm_of) <= table.shape[1], "a table lacks columns")
    expect((table[:, len(norm_of) :] >= 0).all(), "a squared weight is negative")
    expect(((norm_of >= -1) & (norm_of < table.shape[1] - len(norm_of))).all(), "a norm is unknown")
    return TermSums(vocabulary, table, norm_of, tree["counting"], first)
