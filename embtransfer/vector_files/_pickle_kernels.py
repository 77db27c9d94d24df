"""A walk over the opcodes of a pickle: does one ask for more room than the file has bytes?

Python's unpickler makes room for an entry of its memo, or for bytes, before it looks whether they come.
numba compiles at the first call and keeps the result on disk; import this only inside functions.
"""

import pickletools

import numpy as np
from numba import njit

_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}
_UNKNOWN, _LINE, _TWO_LINES, _COUNTED, _NUMBERED, _NUMBERED_LINE = -1, -2, -3, -4, -8, -9
WHOLE, ASKS_TOO_MUCH = 0, 1


def _kinds():
    """For each opcode the bytes of its argument, or how to find them; -4 to -7: counted by 1 to 8 bytes."""
    kinds = np.full(256, _UNKNOWN, np.int64)
    for opcode in pickletools.opcodes:
        size = 0 if opcode.arg is None else opcode.arg.n
        if opcode.name in ("LONG_BINPUT", "FRAME"):
            size = _NUMBERED
        elif opcode.name == "PUT":
            size = _NUMBERED_LINE
        elif size == pickletools.UP_TO_NEWLINE:
            size = _TWO_LINES if opcode.arg.name == "stringnl_noescape_pair" else _LINE
        elif size in (pickletools.TAKEN_FROM_ARGUMENT1, pickletools.TAKEN_FROM_ARGUMENT4U):
            size = _COUNTED if size == pickletools.TAKEN_FROM_ARGUMENT1 else _COUNTED - 2
        elif size == pickletools.TAKEN_FROM_ARGUMENT4:
            size = _COUNTED - 2
        elif size == pickletools.TAKEN_FROM_ARGUMENT8U:
            size = _COUNTED - 3
        kinds[ord(opcode.code)] = size
    return kinds


KINDS = _kinds()


@njit(**_OPTIONS)
def check_opcodes(data, kinds):
    """Return (byte, ASKS_TOO_MUCH) of the first opcode that does; else where the walk ended, and WHOLE.

    The walk ends at STOP, at an opcode that is none, or at the end of the file: these the unpickler refuses.
    """
    i, n = 0, len(data)
    while i < n:
        at, code = i, data[i]
        kind = kinds[code]
        i += 1
        if kind >= 0:
            i += kind
            if code == 46:  # STOP
                break
        elif kind in (_LINE, _TWO_LINES):
            for _ in range(1 if kind == _LINE else 2):
                while i < n and data[i] != 10:
                    i += 1
                i += 1
        elif kind == _NUMBERED_LINE:
            number = np.int64(0)
            while i < n and data[i] != 10:
                if 48 <= data[i] <= 57:
                    number = min(number * 10 + np.int64(data[i] - 48), np.int64(1) << 56)
                i += 1
            i += 1
            if number > n:
                return at, ASKS_TOO_MUCH
        elif kind == _UNKNOWN:
            break
        else:
            width = 1 << (_COUNTED - kind)
            if kind == _NUMBERED:
                width = 4 if code == 114 else 8  # LONG_BINPUT, FRAME
            if i + width > n:
                break
            number = np.int64(0)
            for k in range(min(width, 7)):
                number |= np.int64(data[i + k]) << np.int64(8 * k)
            if width == 8 and data[i + 7]:
                return at, ASKS_TOO_MUCH
            i += width
            if number > n:
                return at, ASKS_TOO_MUCH
            if kind != _NUMBERED:
                i += number
    return i, WHOLE
