"""What the kernels know of characters beyond ASCII, read off the running Python."""

import re
from functools import cache

import numpy as np

SIGMA, DOTTED_I = 0x3A3, 0x130  # the two characters whose lower case is not one fixed character
CODE = 0x1FFFFF
WORD, CASED, IGNORABLE, SPECIAL = (1 << bit for bit in (21, 22, 23, 24))


@cache
def unicode_table(lowercase):
    r"""Each code point's lower case and classes, uint32 of shape (0x110000,), 4.4 MB.

    Bits 0 to 20: the code point to use instead; then whether that is `\w`, and for the rule of the Greek
    final sigma whether the character is cased or ignored in a search for cased ones (Unicode 3.13, D136).
    The answers are read off `str.lower` and `re`, whatever Unicode version this Python has.
    """
    points = np.arange(0x110000, dtype=np.uint32)
    points[0xD800:0xE000] = ord(" ")  # lone surrogates are no text
    mapped = points.copy()
    classes = np.zeros(len(points), np.uint32)
    if lowercase:
        plain = points.copy()
        plain[[SIGMA, DOTTED_I]] = ord(" ")
        mapped = _points(_text(plain).lower()).copy()
        mapped[[SIGMA, DOTTED_I]] = ord("σ"), ord("i")
        some = np.isin(points >> 16, (0, 1, 14))  # the planes that have cased or ignored characters
        plain[SIGMA] = SIGMA
        plain = plain[some]
        sigma, space, letter = (np.full_like(plain, ord(c)) for c in "Σ A")
        # "cΣ " ends in a final sigma if c is cased; "AcΣ " also if c is ignored
        cased = _points(_text(np.stack([plain, sigma, space], axis=1)).lower())[1::3] == ord("ς")
        either = _points(_text(np.stack([letter, plain, sigma, space], axis=1)).lower())[2::4] == ord("ς")
        classes[some] = np.where(cased, CASED, np.where(either, IGNORABLE, 0))
        classes[DOTTED_I] = CASED
        classes[[SIGMA, DOTTED_I]] |= SPECIAL
    for run in re.finditer(r"\w+", _text(mapped)):
        classes[run.start() : run.end()] |= WORD
    return mapped | classes


_ASCII = np.zeros(0x80, np.uint32)


def unicode_table_for(data, lowercase):
    """`unicode_table`, or a table that no kernel looks at while all texts were ASCII: a tenth of a second."""
    if unicode_table.cache_info().currsize or (len(data) and data.max() >= 0x80):
        return unicode_table(lowercase)
    return _ASCII


def _text(points):
    return points.astype("<u4").tobytes().decode("utf-32-le")


def _points(text):
    return np.frombuffer(text.encode("utf-32-le"), "<u4")
