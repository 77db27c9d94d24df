"""What of a text is HTML, and texts without it: tags go, entities become what they stand for."""

import re
from html import unescape
from html.entities import html5

import pyarrow as pa
import pyarrow.compute as pc

# with these names alone: "<3", "a <b, c>" and placeholders such as <user> are no tags
_ELEMENTS = """a abbr acronym address area article aside audio b base big blockquote body br button canvas
    caption center cite code col colgroup dd del details dfn dir div dl dt em embed fieldset figcaption figure
    font footer form frame frameset h[1-6] head header hr html i iframe img input ins kbd label legend li link
    main map mark menu meta nav nobr noscript object ol optgroup option p param picture pre q s samp script
    section select small source span strike strong style sub summary sup svg table tbody td textarea tfoot th
    thead time title tr tt u ul var video wbr !doctype"""
_TAG = rf"</?(?:{'|'.join(_ELEMENTS.split())})(?=[\s/>])[^<>]*>"
_ENTITY = r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});"
_TAGS, _ENTITIES = re.compile(_TAG, re.IGNORECASE), re.compile(_ENTITY, re.IGNORECASE)
HTML = re.compile(f"{_TAG}|{_ENTITY}", re.IGNORECASE)
# what browsers do not show, by how it begins and how it ends
_UNSEEN = re.compile(r"<(!--|(?:script|style)(?=[\s>]))", re.IGNORECASE)
_ENDS = {"!--": re.compile("-->")}
_ENDS |= {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style")}


def without_html(text: str) -> str:
    """A text without tags, comments, scripts and styles, a space for each; entities as characters.

    Entities that were escaped twice ("&amp;#39;") are unescaped twice, and tags that were are tags.
    """
    for _ in range(2):
        text = _ENTITIES.sub(_character, text)
    return _TAGS.sub(" ", _seen(text)) if "<" in text else text


def _character(entity):
    if entity[0][1] == "#":
        return unescape(entity[0])
    return html5.get(entity[0][1:], entity[0])  # not unescape, which makes "¬hing;" of "&nothing;"


def _seen(text):
    """The text without comments, scripts and styles; one that does not end is left."""
    kept, at, endless = [], 0, set()
    for start in _UNSEEN.finditer(text):
        kind = start[1].lower()
        if start.start() < at or kind in endless:
            continue
        if end := _ENDS[kind].search(text, start.end()):
            kept += [text[at : start.start()], " "]
            at = end.end()
        else:
            endless.add(kind)
    return "".join([*kept, text[at:]])


def chunk_without_html(chunk: pa.LargeStringArray) -> pa.LargeStringArray:
    """The texts of a chunk without HTML; itself if no text can have any."""
    suspect = pc.match_substring_regex(chunk, "[<&]")
    if not pc.any(suspect).as_py():
        return chunk
    cleaned = [without_html(text) for text in chunk.filter(suspect).to_pylist()]
    return pc.replace_with_mask(chunk, suspect, pa.array(cleaned, pa.large_string()))
