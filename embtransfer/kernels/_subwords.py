"""Compiled loops of the readers: fastText's dictionary and n-grams, MurmurHash64A.

numba compiles at the first call and keeps the result on disk; import this only inside functions.
"""

import numpy as np

from ._compiling import njit

_U = np.uint64  # hashes; never mixed with signed integers, which numba would make float64
_LOW = _U(0xFFFFFFFF)
_FNV_START, _FNV_PRIME = _U(2166136261), _U(16777619)
_MURMUR = _U(0xC6A4A7935BD1E995)


@njit
def scan_dictionary(data, at, starts, ends, kinds):
    """Where the NUL-terminated words begin and end, and each one's kind; return (entries, next byte)."""
    for entry in range(len(starts)):
        end = at
        while end < len(data) and data[end] != 0:
            end += 1
        if end + 10 > len(data):  # NUL, count (8), kind (1)
            return entry, at
        starts[entry], ends[entry], kinds[entry] = at, end, data[end + 9]
        at = end + 10
    return len(starts), at


@njit
def copy_words(data, starts, ends, offsets, out):
    """Put words side by side."""
    for word in range(len(starts)):
        for i in range(ends[word] - starts[word]):
            out[offsets[word] + i] = data[starts[word] + i]


@njit
def pool_ngrams(data, offsets, own, ids, rows, min_n, max_n, plain_end, out, counts):
    """Mean of a word's own row (own[ids[w]], where there are ids) and of the rows of its n-grams.

    data, offsets : words in UTF-8; out : float32 (n, d); counts : int32 (n,), the rows that were averaged.
    plain_end : whether "</s>" has no n-grams, as in fastText.
    """
    longest = 0
    for word in range(len(out)):
        longest = max(longest, offsets[word + 1] - offsets[word])
    text = np.empty(longest + 2, np.uint8)
    text[0] = 60  # <
    for word in range(len(out)):
        length = offsets[word + 1] - offsets[word] + 2
        for i in range(length - 2):
            text[i + 1] = data[offsets[word] + i]
        text[length - 1] = 62  # >
        total, count = out[word], 0
        total[:] = 0
        if len(ids):
            total[:] = own[ids[word]]
            count = 1
        is_end = length == 6 and text[1] == 60 and text[2] == 47 and text[3] == 115 and text[4] == 62
        begins = 0 if len(rows) == 0 or (plain_end and is_end) else length
        for i in range(begins):
            if text[i] & 0xC0 == 0x80:
                continue
            code, j, n = _FNV_START, i, 1
            while j < length and n <= max_n:
                while True:  # one character
                    byte = _U(text[j])
                    if byte >= _U(0x80):  # fastText takes bytes as signed
                        byte |= _U(0xFFFFFF00)
                    code = (code ^ byte) * _FNV_PRIME & _LOW
                    j += 1
                    if j == length or text[j] & 0xC0 != 0x80:
                        break
                if n >= min_n and not (n == 1 and (i == 0 or j == length)):
                    row = rows[np.int64(code % _U(len(rows)))]
                    for k in range(len(total)):
                        total[k] += row[k]
                    count += 1
                n += 1
        counts[word] = count
        if count:
            scale = np.float32(1.0 / count)
            for k in range(len(total)):
                total[k] *= scale


@njit
def murmur_hashes(data, offsets, seed, out):
    """MurmurHash64A of each word's UTF-8 bytes."""
    for word in range(len(out)):
        begin, length = offsets[word], offsets[word + 1] - offsets[word]
        h = _U(seed) ^ (_U(length) * _MURMUR)
        whole = length // 8 * 8
        for i in range(0, whole, 8):
            k = _U(0)
            for b in range(8):
                k |= _U(data[begin + i + b]) << _U(8 * b)
            k *= _MURMUR
            k ^= k >> _U(47)
            h = (h ^ k * _MURMUR) * _MURMUR
        if whole < length:
            k = _U(0)
            for b in range(length - whole):
                k |= _U(data[begin + whole + b]) << _U(8 * b)
            h = (h ^ k) * _MURMUR
        h = (h ^ h >> _U(47)) * _MURMUR
        out[word] = h ^ h >> _U(47)
