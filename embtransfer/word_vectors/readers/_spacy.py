"""spaCy's vectors: a folder with `vectors` (.npy), `key2row` (msgpack) and the strings of the vocabulary."""

import json
import warnings
from itertools import chain
from pathlib import Path

import numpy as np

from ..._texts import text_buffers
from ._blocks import as_words, iter_blocks, map_matrix
from ._spacy_symbols import SYMBOLS
from ._stored_table import StoredTable


def recognise(path: Path) -> bool:
    """Whether a folder, or one at most two levels in it, holds spaCy's vectors."""
    return _folder(path) is not None


def _folder(path):
    if not path.is_dir():
        return None
    for folder in chain(
        [path], sorted(path.glob("vocab")), sorted(path.glob("vectors")), path.glob("*/vocab")
    ):
        if (folder / "key2row").is_file() and (folder / "vectors").is_file():
            with open(folder / "vectors", "rb") as file:
                if file.read(6) == b"\x93NUMPY":
                    return folder
    return None


def read(path: Path) -> StoredTable:
    """Read the words that have a vector, in order of rows; several may share one.

    Parameters
    ----------
    path : Path
        The folder that `Vectors.to_disk` wrote, a pipeline's vocab folder, or the pipeline's folder.

    Returns
    -------
    StoredTable

    Raises
    ------
    ValueError
        If the vectors are of mode "floret", strings.json is missing, or a file is damaged.

    Notes
    -----
    A key is the 64-bit MurmurHash64A (seed 1) of a word's UTF-8 bytes, or the number of one of spaCy's
    symbols; keys whose string strings.json lacks are left out, with a warning.

    References
    ----------
    A. Appleby. MurmurHash. https://github.com/aappleby/smhasher
    """
    if (folder := _folder(path)) is None:
        raise ValueError(f"{path}: got no vectors of spaCy. Expected a folder that spaCy's to_disk wrote.")
    mode = (
        _json(folder / "vectors.cfg", dict).get("mode", "default")
        if (folder / "vectors.cfg").exists()
        else ""
    )
    if mode not in ("", "default"):
        raise ValueError(
            f"{folder}: got vectors of mode {mode!r:.20}, which have no row a word. Expected mode 'default': "
            "train a pipeline with `spacy init vectors` without --mode floret."
        )
    matrix = map_matrix(folder / "vectors")
    keys, rows = _key2row(folder / "key2row")
    wrong = np.flatnonzero(rows >= len(matrix))
    if len(wrong):
        raise ValueError(
            f"{folder / 'key2row'}: got row {rows[wrong[0]]:,} for key {keys[wrong[0]]}, but there are "
            f"{len(matrix):,} rows. The files do not belong together, or one is damaged."
        )
    strings = next(
        (at / "strings.json" for at in (folder, folder.parent) if (at / "strings.json").is_file()), None
    )
    if strings is None:
        raise ValueError(
            f"{folder}: got no strings.json, there or in the folder above. Expected the words in it."
        )
    string_of = _strings(strings)
    order = np.argsort(rows, kind="stable")
    named = [
        (string_of[key], row)
        for key, row in zip(keys[order].tolist(), rows[order], strict=True)
        if key in string_of
    ]
    if len(named) < len(keys):
        warnings.warn(
            f"{folder}: {len(keys) - len(named):,} of {len(keys):,} keys have no word in {strings.name}; "
            "they were left out.",
            UserWarning,
            stacklevel=2,
        )
    if not named:
        raise ValueError(f"{folder}: got no word with a vector. Expected the strings of the same vocabulary.")
    words = as_words([word for word, _ in named], strings)
    blocks = iter_blocks(words, matrix, np.array([row for _, row in named], np.int64))
    names = "vectors", "key2row", "vectors.cfg"
    files = *(folder / name for name in names if (folder / name).is_file()), strings
    return StoredTable(matrix.shape[1], blocks, len(words), files=files)


def _json(path, kind):
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: got no JSON ({error}). The file is cut short or damaged.") from None
    if not isinstance(value, kind):
        raise ValueError(f"{path}: got a JSON {type(value).__name__}. Expected a {kind.__name__}.")
    return value


def _strings(path):
    """Key -> word."""
    from ...kernels import _subwords  # compiles: not at import

    strings = _json(path, list)
    for row, word in enumerate(strings):
        if not isinstance(word, str):
            raise ValueError(f"{path}: got {word!r:.60} as string {row}. Expected only strings.")
    hashes = np.empty(len(strings), np.uint64)
    _subwords.murmur_hashes(*text_buffers(as_words(strings, path)), 1, hashes)
    return dict(zip(hashes.tolist(), strings, strict=True)) | dict(enumerate(["", *SYMBOLS]))


# how many bytes follow msgpack's type byte, for whole numbers and sizes of maps
_NUMBERS = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
_MAPS = {0xDE: 2, 0xDF: 4}


def _key2row(path):
    """Keys (uint64) and rows (int64) of a msgpack map of whole numbers."""
    data = path.read_bytes()
    damaged = f"{path}: got {{}} at byte {{}}. Expected a msgpack map of keys to rows. The file is damaged."
    kind, at = data[0] if data else 0xC0, 1
    if 0x80 <= kind < 0x90:
        n = kind & 0xF
    elif kind in _MAPS and len(data) > _MAPS[kind]:
        n, at = int.from_bytes(data[1 : 1 + _MAPS[kind]], "big"), 1 + _MAPS[kind]
    else:
        raise ValueError(damaged.format(f"type {kind:#x}" if data else "no bytes", 0))
    if 2 * n > len(data) - at:  # a key and a row take at least a byte each
        raise ValueError(damaged.format(f"a size of {n:,} in a file of {len(data):,} bytes", 0))
    numbers = []
    for _ in range(2 * n):
        kind, length = (data[at], _NUMBERS.get(data[at], 0)) if at < len(data) else (0xC0, 0)
        if at + 1 + length > len(data) or (length == 0 and kind >= 0x80):
            raise ValueError(
                damaged.format("the end" if at + 1 + length > len(data) else f"type {kind:#x}", at)
            )
        numbers.append(int.from_bytes(data[at + 1 : at + 1 + length], "big") if length else kind)
        at += 1 + length
    if at < len(data):
        raise ValueError(damaged.format(f"{len(data) - at:,} bytes more", at))
    rows = np.array(numbers[1::2], np.uint64)
    return np.array(numbers[::2], np.uint64), np.minimum(rows, np.uint64(2**63 - 1)).astype(np.int64)
