"""GloVe and word2vec files: text with or without a header, and word2vec's binary form.

Lines are cut as bytes: a word may hold spaces, or characters at which `str.splitlines` breaks. Files are
read in blocks, which threads parse side by side.
"""

import warnings
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from ...system._threads import n_threads
from ._stored_table import StoredTable

_BLOCK = 1 << 22  # bytes read and parsed at a time
_LONGEST = 1 << 26  # bytes of a line or record: a small archive can unpack to an endless one
_MOST_COLUMNS = 1 << 17  # of lines: more than any table has, and memory is set aside for each
_MOST_NUMBERS = 1 << 48  # of a record: so that sizes in bytes fit in 64 bits
_SPACE, _TAB = b" ", b"\t"


def recognise(head: bytes) -> str | None:
    """Which of "glove", "word2vec" and "word2vec-binary" a file is by its first bytes; None for neither."""
    first, _, rest = head.partition(b"\n")
    if not _is_header(first):
        return "glove" if _guess_columns(head)[0] else None
    second = rest.partition(b"\n")[0].rstrip()
    if not second or 2 * _trailing_numbers(second, _separator(second)) >= int(first.split()[1]):
        return "word2vec"
    return "word2vec-binary"


def read_glove(file, name: str) -> StoredTable:
    """Lines without a header; most of the first ones decide how many numbers a line has."""
    head = file.read(1 << 18)
    n_columns, separator = _guess_columns(head)
    if n_columns == 0:
        first = head.partition(b"\n")[0]
        raise ValueError(f"{name}, line 1: got {first[:60]!r}. Expected a word and its numbers.")
    return StoredTable(n_columns, _read_lines(file, name, head, n_columns, separator, 1, None))


def read_word2vec(file, name: str) -> StoredTable:
    """A header with the number of words and of columns, then lines."""
    n_words, n_columns = _header(file, name, _MOST_COLUMNS)
    head = file.read(1 << 16)
    separator = _separator(head.partition(b"\n")[0])
    return StoredTable(n_columns, _read_lines(file, name, head, n_columns, separator, 2, n_words), n_words)


def read_binary(file, name: str) -> StoredTable:
    """The same header, then records of a word, a space and float32 numbers."""
    n_words, n_columns = _header(file, name, _MOST_NUMBERS)
    return StoredTable(n_columns, _read_records(file, name, n_words, n_columns), n_words)


# ---------------------------------------------------------------- what the file is
def _is_header(line):
    parts = line.split()
    return len(parts) == 2 and all(part.isdigit() and len(part) < 19 for part in parts)


def _header(file, name, most):
    line = file.readline(1 << 16)
    if not (_is_header(line) and 0 < int(line.split()[1]) <= most):
        raise ValueError(
            f"{name}, line 1: got {line[:60]!r}. Expected a header: words, dimensions (1 to {most:,})."
        )
    return tuple(map(int, line.split()))


def _separator(line):
    """Tabs only where they part more numbers than spaces do: a word may hold either."""
    return max(_SPACE, _TAB, key=lambda separator: _trailing_numbers(line, separator))


def _guess_columns(head):
    """(numbers a line, separator); (0, separator) where the lines are no vectors.

    The last fields that are numbers are the vector; a word may end in a number too: most lines decide.
    """
    lines = [line.rstrip() for line in head.split(b"\n")[:100]]
    if len(lines) > 2:
        lines.pop()  # may be cut
    separator = _separator(max(lines, key=len))
    counts = Counter(filter(None, (_trailing_numbers(line, separator) for line in lines)))
    return min(counts, key=lambda n: (-counts[n], n), default=0), separator


def _trailing_numbers(line, separator):
    count = 0
    for field in reversed(line.rstrip().split(separator)[1:]):
        try:
            float(field)
        except ValueError:
            break
        count += 1
    return count


def _other_number(name, n, what, n_words):
    """The error for a file with another number of words than its header says."""
    problem = "The file is cut short" if n < n_words else "The file has more than it says"
    way_out = f": max_words={n} reads what is there" if n else ""
    return ValueError(f"{name}: got {n:,} {what}, the header says {n_words:,}. {problem}{way_out}.")


# ---------------------------------------------------------------- lines
def _read_lines(file, name, head, n_columns, separator, first_line, n_words) -> Iterator:
    n_blocks = n_threads(-1)
    line, bad, ended = first_line, _BadWords(name), False
    with ThreadPoolExecutor(n_blocks) as threads:
        waiting: deque = deque()
        blocks = _whole_lines(file, head, name)
        while True:
            while len(waiting) <= n_blocks and (block := next(blocks, None)) is not None:
                waiting.append(threads.submit(_parse_block, block, n_columns, separator))
            if not waiting:
                break
            words, rows, damage = waiting.popleft().result()
            if ended and len(rows):  # an empty line is the end, or damage
                raise ValueError(f"{name}, line {line}: got 0 numbers, expected {n_columns}. It is damaged.")
            yield bad.left_out(words, rows, line)
            if damage is not None:
                damage.report(name, line)
                ended = True
            line += len(rows)
    n = line - first_line
    if n_words is not None and n != n_words:
        raise _other_number(name, n, "words", n_words)
    bad.warn()


def _whole_lines(file, head, name):
    """Blocks of bytes that end with a line."""
    rest = head
    while True:
        block = file.read(_BLOCK)
        if not block:
            break
        block = rest + block
        cut = block.rfind(b"\n") + 1
        rest = block[cut:]
        if len(rest) > _LONGEST:
            raise ValueError(f"{name}: got a line of more than {_LONGEST >> 20} MB. The file is damaged.")
        if cut:
            yield block[:cut]
    if rest:
        yield rest if rest.endswith(b"\n") else rest + b"\n"


class _Damage:
    """What stopped the parser, to be reported with the number of its line."""

    def __init__(self, row, message):
        self.row, self.message = row, message

    def report(self, name, line):
        if self.message is not None:
            raise ValueError(f"{name}, line {line + self.row}: {self.message}")


def _parse_block(block, n_columns, separator):
    """Words (large_binary), rows float32, and what stopped the parser, or None."""
    from ...kernels._vector_text import parse_lines

    data = np.frombuffer(block, np.uint8)
    if len(data) < 2 * n_columns:  # too short for a line, and arrays for it could be too large
        found = _trailing_numbers(block.partition(b"\n")[0], separator)
        words, ends, rows = np.empty(0, np.uint8), np.empty(0, np.int64), np.empty((0, n_columns), np.float32)
        return _binary_array(words, ends), rows, _stopped_at(block, 0, 0, found, n_columns)
    # at most so many, as a number takes two bytes; room that is not used costs no memory
    n_lines = len(data) // (2 * n_columns) + 1
    rows, ends = np.empty((n_lines, n_columns), np.float32), np.empty(n_lines, np.int64)
    words, hard = np.empty(len(data), np.uint8), np.empty((max(n_columns, 1024), 4), np.int64)
    done, at, filled, damage = 0, 0, 0, None
    while at < len(data) and damage is None:
        n, n_hard, stop, found = parse_lines(
            data[at:], np.uint8(separator[0]), rows[done:], words[filled:], ends[done:], hard
        )
        for row, column, begin, end in hard[:n_hard].tolist():
            field = block[at + begin : at + end]
            try:
                with np.errstate(over="ignore"):  # infinity is refused below
                    rows[done + row, column] = np.float64(float(field))
            except ValueError:
                damage = _Damage(done + row, f"got {field[:40]!r}, expected a number.")
                break
            if not np.isfinite(rows[done + row, column]):
                damage = _Damage(done + row, f"got NaN or infinity, {field[:40]!r}. Mend the file.")
                break
        ends[done : done + n] += filled
        done += n
        filled = int(ends[done - 1]) if done else 0
        at += stop
        if damage is None and found < n_columns:
            damage = _stopped_at(block, at, done, found, n_columns)
    rows, ends = rows[:done], ends[:done]
    if damage is not None:
        rows, ends = rows[: damage.row], ends[: damage.row]
    return _binary_array(words, ends), rows, damage


def _binary_array(words, ends):
    offsets = np.concatenate([np.zeros(1, np.int64), ends])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(words[: offsets[-1]].copy())]
    return pa.Array.from_buffers(pa.large_binary(), len(ends), buffers)


def _stopped_at(block, at, row, found, n_columns):
    line = block[at:].partition(b"\n")[0]
    if found == 0 and not line.strip() and not block[at:].strip():
        return _Damage(row, None)  # nothing but empty lines to the end of the block
    return _Damage(
        row, f"got {found} numbers, expected {n_columns}. The file is cut short or damaged: {line[:40]!r}."
    )


class _BadWords:
    """Leaves out words that are not UTF-8, and counts them."""

    def __init__(self, name, unit="line"):
        self.name, self.unit, self.count, self.kept = name, unit, 0, 0

    def left_out(self, words, rows, first):
        text = words.view(pa.large_string())
        try:
            text.validate(full=True)
        except pa.ArrowInvalid:
            good = np.ones(len(words), bool)
            for row, word in enumerate(words.to_pylist()):
                try:
                    word.decode("utf-8")
                except UnicodeDecodeError:
                    if not self.count:
                        self.first = f"{self.unit} {first + row}: {word[:40]!r}"
                    self.count += 1
                    good[row] = False
            text, rows = words.filter(pa.array(good)).view(pa.large_string()), rows[good]
        self.kept += len(text)
        return text, rows

    def warn(self):
        if self.count and not self.kept:
            raise ValueError(f"{self.name}, {self.first} is not UTF-8, nor is any other word.")
        if self.count:
            warnings.warn(
                f"{self.name}: left out {self.count:,} words that are not UTF-8 (the first in {self.first}).",
                UserWarning,
                stacklevel=2,
            )


# ---------------------------------------------------------------- records
def _read_records(file, name, n_words, n_columns) -> Iterator:
    from ...kernels._vector_text import parse_binary

    size, done, rest, bad = 4 * n_columns, 0, b"", _BadWords(name, "word")
    while done < n_words:
        block = file.read(max(_BLOCK, min(2 * size, 1 << 26)))
        data = np.frombuffer(rest + block, np.uint8)
        if not block and len(data) <= size:
            raise _other_number(name, done, "whole words", n_words)
        most = min(n_words - done, len(data) // (size + 1))
        if len(data) > _LONGEST + _BLOCK + (1 << 26):
            raise ValueError(
                f"{name}: got no whole word in {_LONGEST >> 20} MB after {done:,}. The file is damaged."
            )
        if most == 0:
            rest = data.tobytes()
            continue
        rows, ends = np.empty((most, n_columns), np.float32), np.zeros(most, np.int64)
        words = np.empty(len(data), np.uint8)
        n, at = parse_binary(data, rows, words, ends)
        rest = data[at:].tobytes()
        if n == 0 and not block:
            raise _other_number(name, done, "whole words", n_words)
        yield bad.left_out(_binary_array(words, ends[:n]), rows[:n], done + 1)
        done += n
    if (rest + file.read(1 << 16)).strip():
        raise ValueError(
            f"{name}: got more after the last word, the header says {n_words:,} words. The file is damaged, "
            f"or its header wrong: max_words={n_words} reads these words and no more."
        )
    bad.warn()
