"""How files of text are written: the encoding, and of csv the delimiter and the header."""

import codecs
import csv
import io
import re
from itertools import islice

BOM = codecs.BOM_UTF8
COMMA, TAB = ",", "\t"
NAME_ENCODING = "If the file has another encoding, name it: encoding (--encoding), on Windows cp1252. "
_MARKS = (
    (BOM, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZEROS = {b"\1\0\1\0": "utf-16-le", b"\0\1\0\1": "utf-16-be"}  # by whether a byte is zero
_SEPARATOR = re.compile(rb'"?sep=([^"\r\n])"?(\r\n|\r|\n)')  # a line of Excel's before the header
_HEAD = 1 << 16  # bytes
_LONGEST = 1 << 26  # bytes of a header


def check_dialect(delimiter: str | None, encoding: str | None) -> tuple[str | None, str | None]:
    """The delimiter and Python's name of the encoding, as they were given; a tab may be written "\\t".

    Raises
    ------
    ValueError
        If the delimiter is no single character, or the encoding is none.
    """
    delimiter = TAB if delimiter in ("\\t", "tab") else delimiter
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n'):
        raise ValueError(
            f"Got delimiter (--delimiter) {delimiter!r}. Expected one ASCII character, such as ; or \\t."
        )
    if encoding is None:
        return delimiter, None
    try:
        " ".encode(encoding)  # lookup alone would take what is no encoding of text
    except (LookupError, UnicodeError, ValueError) as error:
        raise ValueError(
            f"Got encoding (--encoding) {encoding!r}: {error}. Expected one of Python's, such as cp1252, "
            "utf-16 or shift_jis."
        ) from None
    return delimiter, codecs.lookup(encoding).name.replace("utf-8-sig", "utf-8")


def marked_encoding(head: bytes) -> str | None:
    """The encoding that a mark at the beginning names."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def unmarked_encoding(head: bytes) -> str:
    """UTF-16 where the first two characters are ASCII in it, else UTF-8."""
    return _ZEROS.get(bytes(byte != 0 for byte in head[:4]), "utf-8")


def looks_like_utf8(head: bytes) -> bool:
    """Whether these are first bytes of UTF-8 beyond ASCII."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not head.isascii()


def read_header(stream, name: str, delimiter: str | None, usual: str) -> tuple[list[str], int, str]:
    """Column names of a csv file, the lines up to its first row, where the stream is then, and the delimiter.

    Without a delimiter it is the one that Excel's "sep=;" names, or that header and first row show for sure,
    or else the usual one.

    Raises
    ------
    ValueError
        If there is no header, or it cannot be read.
    """
    stream.skip_mark()
    head = stream.peek(_HEAD)
    n_lines = 0
    if separator := _SEPARATOR.match(head):
        stream.take(len(separator[0]))
        delimiter, n_lines = delimiter or separator[1].decode("latin-1"), 1
    delimiter = delimiter or _delimiter_of(head, usual)
    row = b""
    while not row.strip(b"\r\n"):
        row = _first_row(stream, name, delimiter)
        n_lines += row.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n")
        if not row:
            raise ValueError(f"{name} is empty. Expected a header line.")
    try:
        names = next(csv.reader(io.StringIO(row.decode(), newline=""), delimiter=delimiter))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name}: its header is not UTF-8 ({error}). {NAME_ENCODING}Or save it as UTF-8."
        ) from None
    except csv.Error as error:
        raise ValueError(f"{name} is damaged: its header cannot be read ({error}).") from None
    return _named(names), n_lines, delimiter


def _first_row(stream, name, delimiter):
    from ..kernels._table_rows import byte_array, last_row_end

    size = _HEAD
    data = stream.peek(size)
    while (end := last_row_end(byte_array(data), 0, 0, True, ord(delimiter))[0]) < 0 and len(data) == size:
        if size >= _LONGEST:
            raise ValueError(
                f"{name} has a header longer than {_LONGEST >> 20} MB. Does a quote there never close?"
            )
        size *= 2
        data = stream.peek(size)
    return stream.take(len(data) if end < 0 else end)


def _delimiter_of(head, usual):
    text = head.decode("utf-8", "replace")
    try:
        rows = {
            one: [*islice(filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=one)), 2)]
            for one in (COMMA, ";", TAB, "|")
        }
    except csv.Error:
        return usual
    parted = [
        one for one, found in rows.items() if found and {len(r) for r in found} == {len(found[0])} != {1}
    ]
    return parted[0] if len(parted) == 1 and usual not in parted else usual


def _named(names):
    """Names of columns; where several have none, as Excel leaves them, these are called by their place."""
    if names.count("") < 2:
        return names
    return [name or f"column_{i}" for i, name in enumerate(names, 1)]
