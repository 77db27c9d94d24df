"""Texts of anybody, made harmless in HTML, SVG, Markdown and terminals."""

import html
import re

# HTML and XML have no place for these, and UTF-8 none for lone surrogates
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # a terminal obeys them; not tab and newline
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~$&])")


def plain(text) -> str:
    """Text without what cannot be written."""
    return _FORBIDDEN.sub("\ufffd", str(text))


def escape(text) -> str:
    """Text for HTML and SVG, in an element or in a quoted attribute."""
    return html.escape(plain(text))


def escape_markdown(text) -> str:
    """Text for Markdown, in one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(plain(text).split()))


def visible(text) -> str:
    """Text for a terminal: what came with data cannot move the cursor, colour, or set the title."""
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", str(text))
