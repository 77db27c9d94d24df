"""Read word vectors from files: bytes -> (words, float32 matrix).

Lines are split as bytes: a token may hold spaces or characters at which `str.splitlines` breaks.
"""

import warnings
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np

FORMATS = ("glove", "word2vec", "word2vec-binary")


def read(path: Path, format: str | None = None) -> tuple[list[str], np.ndarray]:
    """Read a file of one of FORMATS; None looks at the content."""
    if format not in (None, *FORMATS):
        raise ValueError(f"Got format={format!r}. Expected one of {', '.join(map(repr, FORMATS))} or None.")
    with open(path, "rb") as file:
        format = format or _guess(path, file.read(1 << 16))
        file.seek(0)
        return {"glove": _read_glove, "word2vec": _read_word2vec, "word2vec-binary": _read_binary}[format](
            path, file
        )


def warn_duplicates(n: int, first: str) -> None:
    warnings.warn(
        f"{n:,} words came more than once (the first: {first!r}); their first vectors are kept.",
        UserWarning,
        stacklevel=3,
    )


def _guess(path, head):
    if not head:
        raise ValueError(f"{path} is empty. Expected GloVe text or word2vec text or binary.")
    first, _, rest = head.partition(b"\n")
    if not _is_header(first):
        return "glove"
    second = rest.partition(b"\n")[0].rstrip()
    d = int(first.split()[1])
    return "word2vec" if not second or 2 * _trailing_numbers(second) >= d else "word2vec-binary"


def _is_header(line):
    parts = line.split()
    return len(parts) == 2 and all(part.isdigit() for part in parts)


def _read_glove(path, file):
    head = [line.rstrip() for line in islice(file, 100)]
    first = head[0] if head else b""
    # the last fields that are numbers are the vector; a word may end in a number too: most lines decide
    counts = Counter(filter(None, map(_trailing_numbers, head)))
    d = min(counts, key=lambda d: (-counts[d], d), default=0)
    if d == 0:
        raise ValueError(f"{path}, line 1: got {first[:60]!r}. Expected a word and its numbers.")
    file.seek(0)
    return _read_lines(path, file, d, first_line=1, n=None)


def _trailing_numbers(line):
    count = 0
    for field in reversed(line.split(b" ")[1:]):
        try:
            float(field)
        except ValueError:
            break
        count += 1
    return count


def _read_word2vec(path, file):
    n, d = _header(path, file)
    return _read_lines(path, file, d, first_line=2, n=n)


def _header(path, file):
    line = file.readline()
    if not _is_header(line) or int(line.split()[1]) == 0:
        raise ValueError(
            f"{path}, line 1: got {line[:60]!r}. Expected a header: number of words, dimensions."
        )
    return tuple(map(int, line.split()))


def _read_lines(path, file, d, first_line, n):
    words, rows = [], []
    block = []
    for number, line in enumerate(file, first_line):
        line = line.rstrip(b" \r\n")
        if not line and n is not None and len(words) == n:
            continue
        fields = line.rsplit(b" ", d)
        if len(fields) != d + 1:
            raise ValueError(
                f"{path}, line {number}: got {max(len(fields) - 1, 0)} numbers, expected {d}. "
                "The file is cut short or damaged."
            )
        words.append(_decode(path, number, fields[0]))
        block.extend(fields[1:])
        if len(block) >= 1000 * d:
            rows.append(_convert(path, block, d, number))
            block = []
    if block:
        rows.append(_convert(path, block, d, first_line + len(words) - 1))
    if n is not None and n != len(words):
        raise ValueError(f"{path}: got {len(words):,} words, the header says {n:,}. The file is cut short.")
    return words, np.concatenate(rows) if rows else np.empty((0, d), np.float32)


def _convert(path, block, d, last_line):
    try:
        with np.errstate(over="ignore"):  # WordVectors refuses infinity
            return np.array(block, np.float32).reshape(-1, d)
    except ValueError:
        for i, field in enumerate(block):
            try:
                float(field)
            except ValueError:
                line = last_line - (len(block) - 1 - i) // d
                raise ValueError(f"{path}, line {line}: got {field[:40]!r}, expected a number.") from None
        raise


def _decode(path, number, word):
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path}, line {number}: got {word[:40]!r}, which is not UTF-8.") from None


def _read_binary(path, file):
    n, d = _header(path, file)
    data = file.read()
    words, at, size = [], 0, 4 * d
    matrix = np.empty((min(n, len(data) // (size + 1)), d), np.float32)
    for row in range(n):
        end = data.find(b" ", at)
        if end < 0 or end + 1 + size > len(data):
            raise ValueError(
                f"{path}: got {row:,} whole words, the header says {n:,}. The file is cut short."
            )
        words.append(_decode(path, row + 2, data[at:end].lstrip(b"\n")))
        matrix[row] = np.frombuffer(data, "<f4", d, end + 1)
        at = end + 1 + size
    if data[at:].strip():
        raise ValueError(f"{path}: got more after the last word, the header says {n:,} words.")
    return words, matrix
