"""Files of named arrays in the format safetensors: a header of JSON, then the numbers, mapped into memory.

https://github.com/huggingface/safetensors
"""

import json
from math import prod

import numpy as np

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I8": "i1",
    "U8": "u1",
    "I32": "<i4",
    "I64": "<i8",
    "U64": "<u8",
}
_LONGEST_HEADER = 100_000_000  # bytes; the format's own limit
_LARGEST = 2**63 - 1  # a size or offset: products of sizes stay short numbers
_MOST_AXES = 8
_ALIGNED = 64  # bytes: each array begins with a cache line of the file


def write_tensors(path, arrays):
    """Write arrays by name, each of float32, float64, uint8, int64 or uint64."""
    kinds = {np.dtype(code): kind for kind, code in _DTYPES.items() if kind != "BF16"}
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))  # the format has no gaps
    header, at = {}, 0
    for name in order:
        array = arrays[name]
        entry = {"dtype": kinds[array.dtype], "shape": list(array.shape)}
        header[name] = entry | {"data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNED)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            file.write(np.ascontiguousarray(arrays[name]).data)


def map_tensors(path):
    """Read name -> (type, array): read-only views of the file; no tensor reaches past its end.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    data = np.memmap(path, np.uint8, "r").view(np.ndarray)
    n = int.from_bytes(data[:8].tobytes(), "little")
    if n > min(len(data) - 8, _LONGEST_HEADER):
        raise ValueError(f"{path}: got a header of {n:,} bytes in a file of {len(data):,}. It is damaged.")
    try:
        header = json.loads(data[8 : 8 + n].tobytes())
        header.pop("__metadata__", None)
        items = [
            (name, item["dtype"], tuple(item["shape"]), *item["data_offsets"])
            for name, item in header.items()
        ]
        numbers = [number for item in items for number in (*item[2], *item[3:])]
        if not all(type(number) is int and 0 <= number <= _LARGEST for number in numbers):
            raise ValueError(f"a size or offset is no whole number of 0 to {_LARGEST:,}")
        if any(len(item[2]) > _MOST_AXES for item in items):
            raise ValueError(f"an array has more than {_MOST_AXES} axes")
        items = [(name, kind, shape, begin, end) for name, kind, shape, begin, end in items]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: got a damaged header ({error!r:.80}). Expected safetensors.") from None
    tensors, data = {}, data[8 + n :]
    for name, kind, shape, begin, end in items:
        if not isinstance(kind, str) or kind not in _DTYPES:
            raise ValueError(
                f"{path}: got {name} of type {kind!r:.20}. Expected one of {', '.join(_DTYPES)}."
            )
        dtype = np.dtype(_DTYPES[kind])
        if not (end - begin == prod(shape) * dtype.itemsize and end <= len(data)):
            raise ValueError(
                f"{path}: got {name} of shape {shape} and {kind} at bytes {begin:,} to {end:,} "
                f"of {len(data):,}. Expected {prod(shape) * dtype.itemsize:,} bytes. It is cut short."
            )
        try:
            tensors[name] = kind, np.ndarray(shape, dtype, data, begin)
        except ValueError as error:  # no numbers, but dimensions that numpy has no room for
            raise ValueError(f"{path}: got {name} of shape {shape!s:.60} ({error}). It is damaged.") from None
    return tensors
