"""Blocks of GloVe text through the parsing kernel, against `bytes.rsplit` and `float`."""

import numpy as np

from embtransfer.word_vectors.readers._text import _parse_block

from ._guard import expect, guarded

MAX_SIZE = 400


def seeds() -> dict[str, bytes]:
    blocks = {
        "plain": b"the 0.1 -2 3e-4\nof 1 2 3\n",
        "spaces": b". . 1 2 3\nat name 1 2 3\n 1 2 3\n",
        "exponents": b"a 1e5 -1.5E+10 .5\nb 5. 1e-400 123456789012345678901234567890\n",
        "digits": b"a 0.12345678 0.123456789012345678 12345678.12345678\n",
        "ends": b"a 1 2 3 \r\nb 1 2 3\t\r\n\n\n",
        "few": b"a 1 2 3\nb 1 2\nc 1 2 3\n",
        "odd": b"a nan 2 3\nb inf 1 2\nc 1_0 2 3\nd - + e\n",
    }
    found = {name: b"\x02" + block for name, block in blocks.items()}
    return found | {"tabs": b"\x82new york\t1\t2\t3\n", "one": b"\x00a 1\nb 2\n"}


def mutate(data: bytes, rng) -> bytes:
    at = rng.randrange(len(data) + 1)
    pieces = (b" ", b"\t", b"\r", b"\n", b".", b"-", b"e", b"+", b"0", b"9" * 8, b"1 2 3", b"nan", b"1e30")
    return data[:at] + rng.choice(pieces) + data[at + rng.randrange(2) :]


def run(data: bytes) -> str:
    flags = data[0] if data else 0
    n_columns, separator = 1 + (flags & 7), b"\t" if flags & 0x80 else b" "
    block = data[1:].removesuffix(b"\n") + b"\n"
    words, rows, stopped = reference(block, n_columns, separator)
    with guarded():
        got_words, got_rows, damage = _parse_block(block, n_columns, separator)
    expect(got_words.to_pylist() == words, "other words than rsplit gives")
    expect(got_rows.tobytes() == np.array(rows, np.float32).tobytes(), "other numbers than float gives")
    expect((damage is not None) == stopped, "damage that is none, or none that is")
    return "stopped" if stopped else f"{min(len(words), 3)} lines or more"


def reference(block, n_columns, separator):
    """Words, numbers, and whether a line was no vector; nothing after that line."""
    words, rows = [], []
    for line in block.split(b"\n")[:-1]:
        word, *fields = line.rstrip(separator + b"\r ").rsplit(separator, n_columns)
        try:
            with np.errstate(over="ignore"):
                numbers = np.array([float(field) for field in fields]).astype(np.float32)
        except ValueError:
            return words, rows, True
        if len(numbers) < n_columns or not np.isfinite(numbers).all():
            return words, rows, True
        words.append(word)
        rows.append(numbers)
    return words, rows, False
