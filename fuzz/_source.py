"""The kernels as plain Python, so that a coverage-guided fuzzer sees their branches; slow.

numba is switched off, and the few vector instructions that exist for LLVM alone are written with ctypes.
"""

import ctypes
import os
import sys
import types

import numpy as np

_U = np.uint64
_LOWER = bytes(byte + 0x20 if 65 <= byte <= 90 else byte for byte in range(256))
_WORD = np.array([b >= 0x80 or b == 95 or (b < 0x80 and chr(b).isalnum()) for b in range(256)])


def install() -> None:
    """Before the package is imported."""
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    np.seterr(over="ignore")  # hashes wrap, as in the compiled kernels
    module = types.ModuleType("embtransfer.kernels._instructions")
    for function in (fold_block, load64, trailing_zeros, bit_count, prefetch):
        setattr(module, function.__name__, function)
    for name, half, weighted in (
        ("sum64", False, False),
        ("weighted_sum64", False, True),
        ("sum64_half", True, False),
        ("weighted_sum64_half", True, True),
    ):
        setattr(module, name, _sum64(half, weighted))
    sys.modules["embtransfer.kernels._instructions"] = module


def fold_block(source, destination, lowercase):
    data = ctypes.string_at(int(source), 64)
    ctypes.memmove(int(destination), data.translate(_LOWER) if lowercase else data, 64)
    codes = np.frombuffer(data, np.uint8)
    return _mask(_WORD[codes]), _mask(codes >= 0x80)


def _mask(bits):
    return np.packbits(bits, bitorder="little").view(np.uint64)[0]


def load64(address):
    return _U(int.from_bytes(ctypes.string_at(int(address), 8), "little"))


def trailing_zeros(bits):
    bits = int(bits)
    return (bits & -bits).bit_length() - 1 if bits else 64


def bit_count(bits):
    return int(bits).bit_count()


def prefetch(address):
    pass


def _sum64(half, weighted):
    def sum64(table, stride, ids, n, weights, out, *offsets):
        numbers, size = (np.float16, 2) if half else (np.float32, 4)
        rows = np.frombuffer(ctypes.string_at(int(ids), 4 * int(n)), np.uint32).tolist()
        for offset in map(int, offsets):
            total = np.zeros(16, np.float32)
            for row in rows:
                at = int(table) + row * int(stride) + offset * size // 4
                values = np.frombuffer(ctypes.string_at(at, 16 * size), numbers).astype(np.float32)
                if weighted:
                    values = values * np.frombuffer(ctypes.string_at(int(weights) + 4 * row, 4), np.float32)
                total += values
            ctypes.memmove(int(out) + offset, total.tobytes(), 64)

    return sum64
