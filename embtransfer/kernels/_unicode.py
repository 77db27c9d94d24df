"""What the kernels know of characters beyond ASCII, read off the running Python."""

import re
from functools import cache

import numpy as np

from .._words import composing, marks

SIGMA, DOTTED_I = 0x3A3, 0x130  # the two characters whose lower case is not one fixed character
CODE = 0x1FFFFF
WORD, CASED, IGNORABLE, SPECIAL, MARK, COMPOSING = (1 << bit for bit in (21, 22, 23, 24, 25, 26))
_FIRST_COMPOSING = 0xCC  # the first byte of U+0300, before which nothing combines


@cache
def unicode_table(lowercase, with_marks):
    r"""Each code point's lower case and classes, uint32 of shape (0x110000,), 4.4 MB.

    Bits 0 to 20: the code point to use instead; then whether that is `\w`, and for the rule of the Greek
    final sigma whether the character is cased or ignored in a search for cased ones (Unicode 3.13, D136).
    The answers are read off `str.lower` and `re`, whatever Unicode version this Python has. With marks also
    whether the character belongs to the word before it, and whether a text with it may not be composed.
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
        classes[SIGMA if with_marks else [SIGMA, DOTTED_I]] |= SPECIAL
    if with_marks:
        classes[_points(marks())] |= MARK
        classes[_points(composing())] |= COMPOSING
    for run in re.finditer(r"\w+", _text(mapped)):
        classes[run.start() : run.end()] |= WORD
    return mapped | classes


_ASCII = np.zeros(0x80, np.uint32)


def unicode_table_for(data, lowercase, with_marks):
    """The table for some bytes, and whether they may need to be composed.

    Where all of them are ASCII it is one that no kernel looks at: the real one takes a tenth of a second.
    """
    largest = data.max(initial=0)
    if largest < 0x80:
        return _ASCII, False
    return unicode_table(lowercase, with_marks), with_marks and largest >= _FIRST_COMPOSING


def _text(points):
    return points.astype("<u4").tobytes().decode("utf-32-le")


def _points(text):
    return np.frombuffer(text.encode("utf-32-le"), "<u4")
