"""Seed dictionaries: pairs of words from lists, dicts, text files and dictd dictionaries."""

import gzip
import os
import re
from collections.abc import Mapping
from pathlib import Path

from ..system._unpacking import check_unpacked

_DICTD = (".dict", ".dict.dz", ".index")
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_EXPECTED = 'Expected pairs of words, a dict, a path, "identical" or None.'
# what stands around translations: "1. ", (notes), <labels>, [fields], /pronunciation/
_LONGEST = 10_000  # characters of a line: brackets that never close take the square of that
_MARKUP = re.compile(r"^\s*\d+\.\s*|\([^)]*\)|<[^>]*>|\[[^\]]*\]|/[^/]*/")


def read_pairs(dictionary) -> list[tuple[str, str]]:
    """All (source word, target word) of a dictionary in any form."""
    if isinstance(dictionary, str | os.PathLike):
        path = Path(dictionary)
        if not path.exists():
            raise FileNotFoundError(f"Got dictionary {str(path)!r}, which is no file. {_EXPECTED}")
        return _read_dictd(path) if path.name.endswith(_DICTD) else _read_text(path)
    if isinstance(dictionary, Mapping):
        dictionary = [
            (word, translation)
            for word, found in dictionary.items()
            for translation in ([found] if isinstance(found, str) else found)
        ]
    try:
        pairs = [tuple(pair) for pair in dictionary]
    except TypeError:
        raise TypeError(f"Got {type(dictionary).__name__} as dictionary. {_EXPECTED}") from None
    for row, pair in enumerate(pairs):
        if len(pair) != 2 or not all(isinstance(word, str) for word in pair):
            raise ValueError(f"Got {pair!r:.80} as pair {row} of the dictionary. Expected two words.")
    return pairs


def _read_text(path):
    """Two columns, parted by a tab, or by white space where there is no tab."""
    pairs = []
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        words = line.strip().split("\t") if "\t" in line.strip() else line.split()
        if len(words) not in (0, 2):
            raise ValueError(
                f"Got {len(words)} columns in line {number} of {path}: {line[:80]!r}. Expected a source word "
                "and a target word, parted by a tab or a space."
            )
        if words:
            pairs.append((words[0].strip(), words[1].strip()))
    return pairs


def _read_dictd(path):
    """A dictd dictionary: name.index beside name.dict or name.dict.dz, whichever of them is given."""
    stem = re.sub(r"(\.dict(\.dz)?|\.index)$", "", str(path))
    index, plain, packed = (Path(stem + end) for end in (".index", ".dict", ".dict.dz"))
    if not index.exists() or not (plain.exists() or packed.exists()):
        raise FileNotFoundError(f"Got {path}. Expected {index.name} and {packed.name} side by side.")
    data = plain.read_bytes() if plain.exists() else _unpacked(packed)
    pairs = []
    for number, line in enumerate(index.read_text("utf-8").splitlines(), 1):
        try:
            _, start, length = line.split("\t")[:3]
            start, length = _number(start), _number(length)
        except ValueError:
            raise ValueError(
                f"Got {line[:80]!r} as line {number} of {index}. Expected a word, an offset and a length in "
                "base 64, parted by tabs: a dictd index."
            ) from None
        if start + length > len(data):
            raise ValueError(
                f"Got {index}, whose line {number} points past the end of {stem}.dict: not a pair."
            )
        if not line.startswith(("00database", "00-database")):
            pairs.extend(_entry(data[start : start + length].decode("utf-8")))
    return list(dict.fromkeys(pairs))


def _unpacked(path):
    data, size = bytearray(), path.stat().st_size
    with gzip.open(path) as file:
        while piece := file.read(1 << 20):
            data += piece
            check_unpacked(len(data), size, path)
    return bytes(data)


def _number(digits):
    value = 0
    for digit in digits:
        value = 64 * value + _DIGITS.index(digit)
    return value


def _entry(text):
    """The headword (first line, before its /pronunciation/ or <label>) with each translation below it."""
    first, *rest = text.split("\n")
    headword = re.split(r"\s[/<\[(]", first[:_LONGEST])[0].strip()
    for line in rest:
        if '"' in line or ":" in line or len(line) > _LONGEST:  # an example, a reference or a note
            continue
        for translation in re.split("[,;]", _MARKUP.sub("", line)):
            if headword and translation.strip():
                yield headword, translation.strip()
