"""Files of vectors, read into memory or written as the folder of files that the cache maps."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path

import numpy as np
import pyarrow as pa

from .._version import __version__
from ..system._memory import check_memory
from ._manifest import FORMAT_VERSION, fingerprint, stamp_of, sum_of, times_of, write_manifest
from ._table import Table, check_finite, checksum_of, index_of
from .readers import Subwords, open_vectors

_MOST_PACKED = 100  # numbers that a byte of a file can hold


class Unwritable(Exception):
    """The cache could not be written; the reason is its cause."""


@contextmanager
def writing() -> Iterator[None]:
    """Tells what goes wrong with the cache from what is wrong with the file that is read."""
    try:
        yield
    except OSError as error:
        raise Unwritable from error


def check_options(max_words: int | None, dtype: str | None) -> None:
    """Refuse what cannot be asked of a file of vectors."""
    if dtype not in (None, "float32", "float16"):
        raise ValueError(f"Got dtype={dtype!r}. Expected 'float32', 'float16' or None.")
    if max_words is not None and not (isinstance(max_words, Integral) and max_words > 0):
        raise ValueError(f"Got max_words={max_words!r}. Expected a positive integer or None.")


def read(path, format=None, max_words=None, dtype=None, progress=None) -> Table:
    """Read a file into memory."""
    words, matrices = [], []
    with open_vectors(path, format, progress) as stored:
        n_words = _n_words(stored, max_words)
        what = f"A table of {n_words:,} words x {stored.n_dimensions} in memory"
        advice = "Set max_words, dtype='float16', or a cache, from which tables are mapped."
        check_memory(8 * n_words * stored.n_dimensions, what, advice)  # its blocks, and all in one
        for text, rows in _taken(stored, max_words, dtype):
            words.append(text)
            matrices.append(rows)
        if not words:
            raise ValueError(f"Got 0 words from {path}. Expected at least one.")
        subwords = stored.subwords
        if subwords is not None:
            subwords = Subwords(subwords.min_n, subwords.max_n, np.array(subwords.rows, np.float32))
        return Table(pa.concat_arrays(words), np.concatenate(matrices), None, subwords, stored.tokenizer)


def write_folder(folder: Path, path: Path, made_of: dict, progress=None) -> None:
    """Write the files of a table into an empty folder, the manifest last.

    made_of: where the table is from and how it was asked for, as the manifest says it.
    """
    before = stamp_of(path) if path.is_file() else None
    with open_vectors(path, made_of["asked_format"], progress) as stored, ThreadPoolExecutor(1) as aside:
        _check_space(folder, stored, made_of["max_words"])
        fingerprints = aside.submit(lambda: [fingerprint(file) for file in stored.files])
        blocks = _taken(stored, made_of["max_words"], made_of["asked_dtype"])
        words, digest = _write_matrix(folder / "matrix.npy", blocks, stored.n_dimensions)
        made_from = fingerprints.result()
        now = {str(path.resolve()): before} if before else {}
        if any(now.get(file, stamp) != stamp or stamp_of(file) != stamp for file, stamp, _ in made_from):
            raise ValueError(f"{path} changed while it was read. Load it when it is whole.")
        if not len(words):
            raise ValueError(f"Got 0 words from {path}. Expected at least one.")
        with writing():
            words, digest = _write_index(folder, words, digest)
            sums = {"matrix.npy": digest}
            if stored.subwords is not None:
                np.save(folder / "subwords.npy", stored.subwords.rows)
                sums["subwords.npy"] = hashlib.sha256(stored.subwords.rows.data).hexdigest()
            if stored.tokenizer is not None:
                (folder / "tokenizer.json").write_text(stored.tokenizer, "utf-8")
            _write_manifest(folder, words, stored, sums, {**made_of, "made_of": made_from})


def _write_index(folder, words, digest):
    """Write words and hash table, and the rows anew if words came more than once: (words, SHA-256)."""
    _, kept, slots = index_of(words)
    if kept is not None:
        matrix = np.load(folder / "matrix.npy", mmap_mode="r")
        parts = np.array_split(kept, len(kept) * matrix.shape[1] // (1 << 21) + 1)
        blocks = ((words.take(pa.array(part)), matrix[part]) for part in parts)
        words, digest = _write_matrix(folder / "kept.npy", blocks, matrix.shape[1])
        (folder / "kept.npy").replace(folder / "matrix.npy")
    np.save(folder / "slots.npy", slots)
    with pa.ipc.new_file(str(folder / "words.arrow"), pa.schema([("word", words.type)])) as file:
        file.write_batch(pa.record_batch([words], ["word"]))
    return words, digest


def _write_manifest(folder, words, stored, sums, made_of):
    """Write what the files are; sums: SHA-256 of the rows of those that are .npy, as far as known."""
    matrix = np.load(folder / "matrix.npy", mmap_mode="r")
    parts = words, matrix, stored.subwords, stored.tokenizer
    files = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
    manifest = {
        "format_version": FORMAT_VERSION,
        "embtransfer": __version__,
        **made_of,
        "format": stored.format,
        "n_words": matrix.shape[0],
        "n_dimensions": matrix.shape[1],
        "dtype": str(matrix.dtype),
        "checksum": checksum_of(*parts, sums["matrix.npy"], sums.get("subwords.npy")),
        "subwords": [stored.subwords.min_n, stored.subwords.max_n] if stored.subwords else None,
        "tokenizer": stored.tokenizer is not None,
        "files": files,
        "times": times_of(folder, files),
        "sums": {file: sum_of(folder / file, sums.get(file)) for file in files},
    }
    write_manifest(folder, manifest)


def _taken(stored, max_words, dtype):
    """The blocks of a table, cut at max_words, in the dtype asked for or that of the first; all finite."""
    left = max_words
    for words, rows in stored.blocks:
        if left is not None:
            words, rows = words[:left], rows[:left]
            left -= len(words)
        dtype = dtype or (rows.dtype if rows.dtype == np.float16 else np.float32)
        with np.errstate(over="ignore"):  # infinity is refused below
            rows = np.ascontiguousarray(rows, dtype)
        check_finite(words, rows)
        yield words, rows
        if left == 0:
            stored.blocks.close()
            return


def _n_words(stored, max_words):
    """How many words will be read, as far as that is known: a wrong header promises what cannot be there."""
    most = _MOST_PACKED * sum(os.stat(file).st_size for file in stored.files) / stored.n_dimensions
    n_words = min(stored.n_words or 0, max_words or np.inf)
    return n_words if n_words <= most else 0


def _check_space(folder, stored, max_words):
    """Say before much is written that it will not fit, where the file tells its size."""
    n_bytes = 2 * _n_words(stored, max_words) * stored.n_dimensions  # of float16 at least
    if n_bytes > (left := shutil.disk_usage(folder).free):
        raise Unwritable from OSError(f"{n_bytes / 1e6:,.0f} MB are needed, {left / 1e6:,.0f} MB are free")


def _write_matrix(path, blocks, n_columns):
    """Write blocks of rows as one .npy file: (all words, SHA-256 of the rows)."""
    words, digest, shape, dtype = [], hashlib.sha256(), (0, n_columns), None
    with _opened(path) as file:
        for text, rows in blocks:
            with writing():
                if dtype is None:
                    dtype = np.lib.format.dtype_to_descr(rows.dtype)
                    _write_header(file, dtype, shape)
                digest.update(rows)
                rows.tofile(file)
            words.append(text)
            shape = shape[0] + len(rows), n_columns
        with writing():
            if not words:
                return pa.array([], pa.large_string()), ""
            file.seek(0)
            _write_header(file, dtype, shape)  # of the same length: numpy leaves room for the rows to grow
    return pa.concat_arrays(words), digest.hexdigest()


@contextmanager
def _opened(path):
    with writing():
        file = open(path, "wb")  # noqa: SIM115 - closing it is guarded too
    try:
        yield file
    finally:
        with writing():  # closing writes what is left
            file.close()


def _write_header(file, dtype, shape):
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
