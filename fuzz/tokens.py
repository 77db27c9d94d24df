"""Texts through the tokenising kernels, against `re`, `str.lower`, `_words` and a dict."""

import re
from functools import cache
from itertools import pairwise

import numpy as np

from embtransfer import WordEmbedder, WordVectors
from embtransfer._texts import check_texts, iter_text_chunks
from embtransfer._words import words_of

from ._guard import expect, guarded

MAX_SIZE = 600
_NEXT, _REPEAT = "\x1e", "\x1f"
_PATTERNS = {1: r"(?u)\b\w+\b", 2: r"(?u)\b\w\w+\b"}
_SURROGATES = re.compile("[\ud800-\udfff]")


def decode(data: bytes) -> list[str]:
    """Any bytes as texts: what is not UTF-8 becomes lone surrogates; \\x1f repeats what came before it."""
    text = data.decode("utf-8", "surrogateescape")
    *parts, last = re.split(f"{_REPEAT}(.)", text, flags=re.DOTALL)
    pieces = []
    for before, count in zip(parts[::2], parts[1::2], strict=True):
        pieces.append(before + before[-8:] * (ord(count) % 256 * 4))
    return "".join([*pieces, last]).split(_NEXT)


def seeds() -> dict[str, bytes]:
    texts = {
        "plain": "A fine pan, and a book.\x1eBoring film!\x1e",
        "final_sigma": "ΟΔΟΣ ΣΑΣ Σ'Α\x1eΑ\u0345Σ AΣ\ufe0fB",
        "dotted_i": "İstanbul İİ I\u0307x ıI",
        "scripts": "Жук ҐҐ Ⴀა 漢字かな हिंदी عربي 𐐀𐐨 𝐀𝟘 ٣३",
        "marks": "e\u0301te cafe\u0301 \u0301\u0301 n\u0303 \u200d👍🏽 \u20e3 हि\u200dन् \u1100\u1161\u11a8",
        "long": "a\x1f\xff" + "Ж\x1f\xff word" + "b" * 63 + " " + "c" * 64,
        "controls": "\x00a\x00bc\x85de\u2028fg\ufeffhi_jk\x7f",
        "phrases": "new_york new york city new york_city \x1eNew York",
        "grows": "ȺⱥȾⱦ ẞß KÅΩ İ" * 20,
    }
    found = {name: b"\x07" + text.encode() for name, text in texts.items()}
    return found | {"surrogates": b"\x03a\xed\xa0\x80b\xff\xfe cd\xc3\x28"}


def mutate(data: bytes, rng) -> bytes:
    """Put a telling character somewhere."""
    characters = "ΣσςİıẞßȺ\u0301\u0345\u093c\u200d\u00ad'·_\x00\x1e\x1f\u2028😀٣A z"
    at = rng.randrange(len(data) + 1)
    return data[:at] + "".join(rng.choices(characters, k=rng.randrange(1, 4))).encode() + data[at:]


def run(data: bytes) -> str:
    flags, texts = data[0] if data else 0, decode(data[1:])
    lowercase, min_length, phrases = bool(flags & 1), 1 + (flags >> 1 & 1), bool(flags & 4)
    clean = [_SURROGATES.sub(" ", text) for text in texts]
    tokens = [
        [t for t in re.findall(r"\w+", text.lower() if lowercase else text) if len(t) >= min_length]
        for text in clean
    ]
    distinct = list(dict.fromkeys(token for found in tokens for token in found))
    words = [token for i, token in enumerate(distinct) if (i + (flags >> 3)) % 4] + ["\ue000absent"]
    words += [f"{a}_{b}" for found in tokens for a, b in pairwise(found)][:: 2 + (flags >> 5)]
    words = list(dict.fromkeys(words))
    row_of = {word: row for row, word in enumerate(words)}
    with guarded():
        embedder = _embedder(_PATTERNS[min_length], lowercase, False)
        embedder.vectors_ = vectors = WordVectors(words, _numbers(len(words)))
        expected = [[row_of[token] for token in found if token in row_of] for found in tokens]
        expect(_rows(embedder, texts) == expected, "other rows than re and a dict give")
        got, matrix = embedder.transform(texts), vectors.matrix.astype(np.float64)
        means = np.array([matrix[ids].mean(axis=0) if ids else np.zeros(4) for ids in expected])
        expect(np.abs(got - means).max(initial=0) < 1e-4, "other means than numpy gives")
        _check_all_tokens(embedder, texts, tokens, row_of)
        if phrases:
            embedder = _embedder(_PATTERNS[min_length], lowercase, True)
            embedder.vectors_ = vectors
            _check_all_tokens(embedder, texts, [_join(found, row_of) for found in tokens], row_of)
        embedder = _embedder("words", lowercase, False)
        embedder.vectors_ = vectors
        _check_all_tokens(embedder, texts, [words_of(text, lowercase) for text in clean], row_of)
    return f"{min(sum(map(len, tokens)), 3)} tokens or more"


@cache
def _embedder(pattern, lowercase, phrases):
    """Fitted once: only the table is another for each input."""
    embedder = WordEmbedder(
        WordVectors(["a"], _numbers(1)), token_pattern=pattern, lowercase=lowercase, phrases=phrases
    )
    return embedder.fit(["text"])


def _numbers(n):
    return np.sin(np.arange(4 * n, dtype=np.float32)).reshape(n, 4)


def _rows(embedder, texts):
    parts = [embedder._rows(chunk)[:2] for _, chunk in iter_text_chunks(check_texts(texts))]
    return [ids[a:b].tolist() for ids, ends in parts for a, b in pairwise(ends)]


def _check_all_tokens(embedder, texts, expected, row_of):
    """The kernel that keeps unknown tokens gives the same tokens."""
    found = []
    for _, chunk in iter_text_chunks(check_texts(texts)):
        ids, indptr, unknown = embedder._tokens(chunk)
        unknown = unknown.to_pylist()
        names = [*row_of, *unknown]
        found += [[names[i] for i in ids[a:b]] for a, b in pairwise(indptr)]
        expect(not row_of.keys() & set(unknown), "a token that the table has is called unknown")
    expect(found == expected, "other tokens than re gives")


def _join(tokens, row_of):
    """Phrases of the table, from the left and as long as they go."""
    joined, at = [], 0
    while at < len(tokens):
        phrase, at = tokens[at], at + 1
        while at < len(tokens) and f"{phrase}_{tokens[at]}" in row_of:
            phrase, at = f"{phrase}_{tokens[at]}", at + 1
        joined.append(phrase)
    return joined
