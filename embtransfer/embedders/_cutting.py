"""What a token is: the choices of `token_pattern`."""

import re
from collections.abc import Callable

from .._words import characters_pattern, read, single_pattern, words_pattern

# what the kernel cuts: characters of the shortest token, and whether marks belong to words
KERNEL_PATTERNS = {
    "words": (2, True),
    r"(?u)\b\w\w+\b": (2, False),
    r"\b\w\w+\b": (2, False),
    r"\w\w+": (2, False),
    r"(?u)\b\w+\b": (1, False),
    r"\b\w+\b": (1, False),
    r"(?u)\w+": (1, False),
    r"\w+": (1, False),
}


def cutter(token_pattern: str | Callable, lowercase: bool) -> Callable[[str], list[str]]:
    """The function from a text to its tokens.

    Raises
    ------
    ValueError
        If the pattern is no regular expression with at most one group.
    """
    if callable(token_pattern):
        return lambda text: list(token_pattern(text.lower() if lowercase else text))
    reading, pattern = _reading(token_pattern)
    return lambda text: pattern.findall(reading(text, lowercase))


def left_out(token_pattern: str | Callable, lowercase: bool) -> Callable[[str], list[str]]:
    """The function from a text to the letters, digits and symbols of it that are in no token, one by one.

    Of a function of the user's own nobody knows: none.
    """
    if callable(token_pattern):
        return lambda text: []
    reading, pattern = _reading(token_pattern)
    return lambda text: single_pattern().findall(pattern.sub(" ", reading(text, lowercase)))


def _reading(token_pattern):
    """How a text is read before it is cut, and the pattern that cuts it."""
    if token_pattern == "words":
        return read, words_pattern()
    if token_pattern == "characters":
        return read, characters_pattern()
    try:
        pattern = re.compile(token_pattern)
    except re.error as error:
        raise ValueError(f"Got token_pattern={token_pattern!r}: {error}.") from error
    if pattern.groups > 1:
        raise ValueError(
            f"Got token_pattern={token_pattern!r} with {pattern.groups} groups. Expected at most one; write "
            "(?:...) for groups that only bracket."
        )
    return lambda text, lowercase: text.lower() if lowercase else text, pattern
