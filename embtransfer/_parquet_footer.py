"""Join the row groups of small parquet files into one file with one footer.

A parquet file is "PAR1", the row groups, a footer, the footer's length, "PAR1". The footer is a thrift struct in the
compact protocol; all positions in it count from the file's start. Structs are read without a schema, as
{field id: (type, value)}, so that fields this module does not know survive.
"""

import struct

MAGIC = b"PAR1"
_TRUE, _FALSE, _BYTE, _I16, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = (
    1,
    2,
    3,
    4,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
)
_NUM_ROWS, _ROW_GROUPS = 3, 4  # of FileMetaData
_COLUMNS, _GROUP_ROWS, _GROUP_OFFSET, _ORDINAL = 1, 3, 5, 7  # of RowGroup
_META_DATA, _CHUNK_OFFSETS = 3, (2, 4, 6)  # of ColumnChunk: file_offset and those of its two indexes
_META_OFFSETS = (9, 10, 11, 14)  # of ColumnMetaData: data, index and dictionary page, bloom filter


def split_file(data: memoryview) -> tuple[memoryview, dict]:
    """The body of a whole parquet file (what is between its magic and its footer) and its footer.

    Raises
    ------
    ValueError
        If the bytes are no parquet file.
    """
    data = memoryview(data)
    size = int.from_bytes(data[-8:-4], "little")
    if data[:4] != MAGIC or data[-4:] != MAGIC or size + 12 > len(data):
        raise ValueError("Got bytes that are no whole parquet file.")
    footer, _ = _read(bytes(data[-8 - size : -8]), 0, _STRUCT)
    return data[4 : -8 - size], footer


def row_groups(footer: dict) -> list[dict]:
    """The RowGroup structs of a footer."""
    return footer[_ROW_GROUPS][1][1]


def move_row_group(group: dict, by: int, ordinal: int) -> bytes:
    """A RowGroup as thrift bytes, with its positions moved and its place in the new file."""
    group = dict(group)
    group.pop(_ORDINAL, None)
    if ordinal < 1 << 15:  # optional, and 16 bits wide
        group[_ORDINAL] = (_I16, ordinal)
    _move(group, (_GROUP_OFFSET,), by)
    columns = []
    for chunk in group[_COLUMNS][1][1]:
        chunk = dict(chunk)
        _move(chunk, _CHUNK_OFFSETS, by)
        if _META_DATA in chunk:
            meta = dict(chunk[_META_DATA][1])
            _move(meta, _META_OFFSETS, by)
            chunk[_META_DATA] = (_STRUCT, meta)
        columns.append(chunk)
    group[_COLUMNS] = (_LIST, (_STRUCT, columns))
    return _bytes(_STRUCT, group)


def make_footer(template: dict, groups: list[bytes], n_rows: int) -> bytes:
    """The end of a file: the template's schema and metadata with the groups of `move_row_group`."""
    footer = {**template, _NUM_ROWS: (_I64, n_rows), _ROW_GROUPS: (_LIST, groups)}
    encoded = _bytes(_STRUCT, footer)
    return encoded + len(encoded).to_bytes(4, "little") + MAGIC


def _move(fields, ids, by):
    for i in ids:
        if i in fields and fields[i][1] > 0:  # 0: not set, as newer writers leave file_offset
            fields[i] = (fields[i][0], fields[i][1] + by)


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _read(data, at, kind):
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind == _BYTE:
        return data[at], at + 1
    if kind <= _I64:
        value, at = _varint(data, at)
        return (value >> 1) ^ -(value & 1), at
    if kind == _DOUBLE:
        return struct.unpack_from("<d", data, at)[0], at + 8
    if kind == _BINARY:
        size, at = _varint(data, at)
        return data[at : at + size], at + size
    if kind in (_LIST, _SET):
        return _read_list(data, at)
    if kind == _STRUCT:
        return _read_struct(data, at)
    raise ValueError(f"Got a footer with thrift type {kind}, which parquet does not use.")


def _read_list(data, at):
    size, kind = data[at] >> 4, data[at] & 15
    at += 1
    if size == 15:
        size, at = _varint(data, at)
    values = []
    for _ in range(size):
        # in a list a truth value takes a byte, in a struct it is the field's type
        value, at = (data[at] == _TRUE, at + 1) if kind <= _FALSE else _read(data, at, kind)
        values.append(value)
    return (kind, values), at


def _read_struct(data, at):
    fields, last = {}, 0
    while data[at]:
        kind, delta = data[at] & 15, data[at] >> 4
        at += 1
        if delta:
            last += delta
        else:
            last, at = _read(data, at, _I16)
        value, at = _read(data, at, kind)
        fields[last] = (kind, value)
    return fields, at + 1


def _bytes(kind, value):
    out = bytearray()
    _write(out, kind, value)
    return bytes(out)


def _write_varint(out, value):
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _write(out, kind, value):
    if kind == _BYTE:
        out.append(value)
    elif _BYTE < kind <= _I64:
        _write_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
    elif kind == _DOUBLE:
        out += struct.pack("<d", value)
    elif kind == _BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind in (_LIST, _SET):
        _write_list(out, value)
    elif kind == _STRUCT:
        last = 0
        for i, (field_kind, field) in sorted(value.items()):
            if field_kind in (_TRUE, _FALSE):
                field_kind = _TRUE if field else _FALSE
            if 0 < i - last < 16:
                out.append((i - last) << 4 | field_kind)
            else:
                out.append(field_kind)
                _write(out, _I16, i)
            _write(out, field_kind, field)
            last = i
        out.append(0)


def _write_list(out, value):
    encoded = isinstance(value, list)  # structs that are bytes already
    kind, values = (_STRUCT, value) if encoded else value
    out.append(min(len(values), 15) << 4 | kind)
    if len(values) >= 15:
        _write_varint(out, len(values))
    for one in values:
        if encoded:
            out += one
        elif kind <= _FALSE:
            out.append(_TRUE if one else _FALSE)
        else:
            _write(out, kind, one)
