"""Compiled kernels: rows of a word table -> pooled vectors and counts.

`pool_rows` adds the rows of a text, four vectors of 16 numbers at a time held in registers, and asks memory
for later rows ahead. As in `_tokens`, all functions release the GIL, and the compiled result is kept.
"""

import numpy as np

from ._compiling import njit
from ._instructions import sum64, sum64_half, weighted_sum64, weighted_sum64_half

_U = np.uint64  # addresses
_RUN = 512  # rows summed in float32 before a sum goes on in float64: long texts keep their accuracy


@njit
def _sum_run(rows, stride, d, half, ids, n, weights, out):
    """Sum n rows of d >= 16 columns; rows, ids, weights and out are addresses, weights may be 0 for none."""
    end, last = _U(4 * d), _U(4 * (d - 16))  # the last 16 columns may overlap the ones before
    at = _U(0)
    while at < end:
        a, b, c, e = min(at, last), min(at + _U(64), last), min(at + _U(128), last), min(at + _U(192), last)
        if half and weights == _U(0):
            sum64_half(rows, stride, ids, _U(n), weights, out, a, b, c, e)
        elif half:
            weighted_sum64_half(rows, stride, ids, _U(n), weights, out, a, b, c, e)
        elif weights == _U(0):
            sum64(rows, stride, ids, _U(n), weights, out, a, b, c, e)
        else:
            weighted_sum64(rows, stride, ids, _U(n), weights, out, a, b, c, e)
        at += _U(256)


@njit
def pool_rows(ids, indptr, table, weights, by_weight, out):
    """Pool the rows of each text: ids uint32, indptr int64 (n_texts + 1,) -> out float32 (n_texts, d).

    out[i] = sum of w[id] * table[id] over the number of ids, or over the sum of their weights if
    by_weight; zeros where there is none. table: float32, or float16 as uint16, (V, d), d >= 16; weights:
    float32 (V,), or empty for all 1.
    """
    d, half = table.shape[1], table.itemsize == 2
    rows, stride, address, target = table.ctypes.data, table.strides[0], ids.ctypes.data, out.ctypes.data
    w = _U(weights.ctypes.data) if len(weights) else _U(0)
    total = np.empty(d, np.float64)
    for i in range(len(indptr) - 1):
        begin, n = indptr[i], indptr[i + 1] - indptr[i]
        divisor = np.float64(n)
        if by_weight:
            divisor = 0.0
            for k in range(begin, begin + n):
                divisor += weights[ids[k]]
        if divisor == 0:
            out[i] = 0
            continue
        here = _U(target + i * out.strides[0])
        _sum_run(_U(rows), _U(stride), d, half, _U(address + 4 * begin), min(n, _RUN), w, here)
        if n > _RUN:
            total[:] = out[i]
            for k in range(begin + _RUN, begin + n, _RUN):
                _sum_run(
                    _U(rows), _U(stride), d, half, _U(address + 4 * k), min(begin + n - k, _RUN), w, here
                )
                total += out[i]
            out[i] = total / divisor
        else:
            scale = np.float32(1 / divisor)
            for j in range(d):
                out[i, j] *= scale


@njit
def count_rows(ids, indptr, term_counts, document_counts, seen_in, first_document):
    """Add a chunk's term counts and document counts, int64 (V,); seen_in int64 (V,) starts at -1."""
    for i in range(len(indptr) - 1):
        for k in range(indptr[i], indptr[i + 1]):
            row = ids[k]
            term_counts[row] += 1
            if seen_in[row] != first_document + i:
                seen_in[row] = first_document + i
                document_counts[row] += 1


@njit
def pool_powers(ids, indptr, table, powers, out):
    """Power means of the rows of each text: out float32 (n_texts, len(powers) * d), zeros where none.

    powers: float64, each a positive integer, infinity (the maximum) or its negative (the minimum).
    """
    d = out.shape[1] // len(powers)
    total = np.empty(d, np.float64)
    for i in range(len(indptr) - 1):
        begin, end = indptr[i], indptr[i + 1]
        if begin == end:
            out[i] = 0
            continue
        for k in range(len(powers)):
            power, to = powers[k], out[i, k * d : (k + 1) * d]
            if np.isinf(power):
                to[:] = table[ids[begin], :d]
                for at in range(begin + 1, end):
                    row = table[ids[at]]
                    if power > 0:
                        for j in range(d):
                            to[j] = row[j] if row[j] > to[j] else to[j]
                    else:
                        for j in range(d):
                            to[j] = row[j] if row[j] < to[j] else to[j]
                continue
            total[:] = 0
            for at in range(begin, end):
                row = table[ids[at]]
                for j in range(d):
                    term = np.float64(row[j])
                    for _ in range(1, int(power)):
                        term *= row[j]
                    total[j] += term
            for j in range(d):
                mean = total[j] / (end - begin)
                root = abs(mean) ** (1 / power) if power != 1 else abs(mean)
                to[j] = root if mean >= 0 else -root
