r"""What a word is: where Python cuts texts into words, and what the kernels' table of characters is made of.

A word is two or more characters: a word character (`\w`: letters, digits, "_") and then word characters,
combining marks and zero-width joiners. Texts are composed first (NFC), so that "e" with a combining accent is
"é"; lower-cased, the Turkish dotted capital I becomes a plain i, not an i with a second dot.
"""

import re
import unicodedata
from functools import cache
from itertools import groupby

DOTTED_I = "\u0130"
JOINERS = "\u200c\u200d"
# letters of scripts that are written without spaces: Thai, Lao, Burmese, Khmer, Tai, kana, Chinese characters
_WITHOUT_SPACES = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x1950, 0x19DF),
    (0x1A20, 0x1AAF),
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3031, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAADF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x1AFF0, 0x1B16F),
    (0x20000, 0x3FFFF),
)
_PLANES = [*range(0x30000), *range(0xE0000, 0xE1000)]  # that have marks, symbols or what is composed


@cache
def marks() -> str:
    """The characters that belong to the word before them: combining marks and zero-width joiners."""
    return JOINERS + "".join(c for c in map(chr, _PLANES) if unicodedata.category(c)[0] == "M")


@cache
def joining() -> str:
    """The characters that NFC may join with one before them, or put in another order."""
    tails = {c for whole in map(chr, _PLANES) for c in unicodedata.normalize("NFD", whole)[1:]}
    return "".join(sorted(tails.union(c for c in map(chr, _PLANES) if unicodedata.combining(c))))


@cache
def composing() -> str:
    """The characters for which a text may not be composed: without any of them NFC changes nothing."""
    return joining() + "".join(c for c in map(chr, _PLANES) if unicodedata.normalize("NFC", c) != c)


def composed_spans(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text composed (NFC), and where in it each character was."""
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    for match in _joined_pattern().finditer(text):
        part = unicodedata.normalize("NFC", match[0])
        first, last = match.span()
        spans += [(i, i + 1) for i in range(first, last)] if part == match[0] else [(first, last)] * len(part)
        parts.append(part)
    return "".join(parts), spans


@cache
def _joined_pattern():
    own = _ranges(joining())
    return re.compile(rf"[^{own}][{own}]*|[{own}]+", re.DOTALL)


def read(text: str, lowercase: bool) -> str:
    """A text as it is cut into words: composed, and in lower case if asked."""
    if text.isascii():
        return text.lower() if lowercase else text
    text = unicodedata.normalize("NFC", text)
    return text.replace(DOTTED_I, "i").lower() if lowercase else text


def words_of(text: str, lowercase: bool = True) -> list[str]:
    """The words of a text, as the kernels cut them."""
    text = read(text, lowercase)
    return _ASCII_WORDS.findall(text) if text.isascii() else words_pattern().findall(text)


_ASCII_WORDS = re.compile(r"\w\w+")


@cache
def words_pattern() -> re.Pattern:
    """What a word is in a text that was `read`."""
    return re.compile(rf"\w[\w{_ranges(marks())}]+")


@cache
def characters_pattern() -> re.Pattern:
    """Words, but letters of scripts without spaces each alone, with their marks, and symbols each alone."""
    letters = (chr(point) for first, last in _WITHOUT_SPACES for point in range(first, last + 1))
    alone, own = _ranges("".join(c for c in letters if c.isalnum())), _ranges(marks())
    return re.compile(rf"[{alone}][{own}]*|[{_ranges(_symbols())}]|[^\W{alone}](?:[^\W{alone}]|[{own}])+")


@cache
def single_pattern() -> re.Pattern:
    """A character that is a token in some way of cutting texts: of words, or a symbol."""
    return re.compile(rf"[\w{_ranges(_symbols())}]")


@cache
def _symbols():
    return "".join(c for c in map(chr, _PLANES) if unicodedata.category(c)[0] == "S")


def _ranges(characters):
    """Characters as they stand in brackets of a pattern."""
    runs = groupby(enumerate(sorted(map(ord, set(characters)))), lambda item: item[1] - item[0])
    points = [[point for _, point in run] for _, run in runs]
    return "".join(rf"\U{run[0]:08x}-\U{run[-1]:08x}" for run in points)
