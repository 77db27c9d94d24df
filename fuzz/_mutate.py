"""Changes that keep a file's frame whole: checksums of zip and gzip, lengths of headers, JSON that parses.

Without them most changes stop at the first checksum and never reach the code behind it.
"""

import gzip
import io
import json
import random
import zipfile
import zlib
from contextlib import suppress

_INTEGERS = (
    0,
    1,
    2,
    3,
    127,
    128,
    255,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**53,
    2**63 - 1,
    2**64 - 1,
)
_VALUES = (
    *(None, True, False, 0, 1, -1, 2, 16, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e308, float("inf")),
    *(float("nan"), "", "a", "é\ud800", "0", [], [0], [[]], {}, {"a": 1}, "U1000000000", "f8", "O"),
)
_DEEP = 3000  # brackets within brackets


def change_bytes(data: bytes, rng: random.Random) -> bytes:
    """One small change anywhere."""
    data = bytearray(data)
    at = rng.randrange(len(data) + 1)
    if rng.random() < 0.5:  # headers are where the meaning is
        at = min(at, rng.randrange(200))
    kind = rng.randrange(7)
    if kind == 0:
        data[at : at + 1] = bytes([rng.randrange(256)])
    elif kind == 1:
        size = rng.choice((1, 2, 4, 8))
        order = rng.choice(("little", "big"))
        data[at : at + size] = (rng.choice(_INTEGERS) & (1 << 8 * size) - 1).to_bytes(size, order)
    elif kind == 2:
        del data[at:]
    elif kind == 3:
        del data[at : at + rng.randrange(1, 33)]
    elif kind == 4:
        other = rng.randrange(len(data) + 1)
        data[at:at] = data[other : other + rng.randrange(1, 65)]
    elif kind == 5:
        data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
    elif at < len(data):
        data[at] ^= 1 << rng.randrange(8)
    return bytes(data)


def change_file(data: bytes, rng: random.Random, change=change_bytes) -> bytes:
    """One change inside whatever frame the file has; `change` makes it where there is none."""
    if rng.random() < 0.25:
        return change(data, rng)
    with suppress(Exception):  # the frame may be damaged already, in one of many ways
        if data[:2] == b"PK":
            return _in_zip(data, rng, change)
        if data[:2] == b"\x1f\x8b":
            return gzip.compress(change_file(_gunzip(data), rng, change), 1, mtime=0)
        if data[:1] in b"[{" and data:
            return _change_json(data, rng)
        if data[8:9] == b"{":  # safetensors
            size = int.from_bytes(data[:8], "little")
            header = _change_json(data[8 : 8 + size], rng)
            return len(header).to_bytes(8, "little") + header + data[8 + size :]
    return change(data, rng)


def change_files(files: dict[str, bytes], rng: random.Random, change=change_bytes) -> dict[str, bytes]:
    """One to three changes in files of a folder; now and then one is left out."""
    files = dict(files)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not files:
            break
        name = rng.choice(sorted(files))
        if len(files) > 1 and rng.random() < 0.02:
            del files[name]
        else:
            files[name] = change_file(files[name], rng, change)
    return files


def _gunzip(data):
    return zlib.decompressobj(wbits=31).decompress(data, 1 << 20)


def _in_zip(data, rng, change):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist() if info.file_size < 1 << 20]
    if not members:
        return change(data, rng)
    which, out = rng.randrange(len(members)), io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i, (info, content) in enumerate(members):
            name, method = info.filename, info.compress_type
            if i == which and rng.random() < 0.1:
                method = rng.choice((0, 8, 12, 14))
            if i == which:
                content = change_file(content, rng, change)
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def _change_json(data, rng):
    """One value of a JSON text becomes another; now and then a key goes, or the text is very deep."""
    value = json.loads(data)
    places = list(_places(value))
    if not places or rng.random() < 0.02:
        return b"[" * _DEEP + b"]" * _DEEP
    holder, key = rng.choice(places)
    kind = rng.randrange(12)
    if kind == 0 and isinstance(holder, dict):
        del holder[key]
    elif kind == 1:
        holder[key] = json.loads("[" * 200 + "]" * 200)
    elif kind == 2:
        other, at = rng.choice(places)
        holder[key] = json.loads(json.dumps(other[at]))
    elif kind < 6 and type(holder[key]) is int:
        holder[key] += rng.choice((-1, 1, -2, 16, 2**31))
    else:
        holder[key] = rng.choice(_VALUES)
    return json.dumps(value).encode()


def _places(value):
    """(container, key) of every value within."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items)[:400]:
        yield value, key
        yield from _places(inner)
