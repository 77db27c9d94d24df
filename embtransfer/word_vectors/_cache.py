"""Tables of vectors, converted once into a folder of files that later loads map into memory.

A folder holds matrix.npy, words.arrow, slots.npy (the hash table of the kernels), where there are any
subwords.npy and tokenizer.json, and manifest.json, which says what it was made of. It appears under its
name when complete; a lock keeps two processes from converting the same file twice. _vector_manifest.py tells
whether it still holds.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from .._texts import text_buffers
from .._version import __version__
from ..system._memory import check_memory
from ._manifest import (
    FORMAT_VERSION,
    fingerprint,
    is_current,
    is_whole,
    read_manifest,
    stamp_of,
    sum_of,
    times_of,
    was_only_touched,
    write_manifest,
)
from .readers import Subwords, open_vectors

_MOST_PACKED = 100  # numbers that a byte of a file can hold


@dataclass
class Table:
    """Words, their rows, and what else a table came with; the arrays may be memory-mapped."""

    words: pa.LargeStringArray
    matrix: np.ndarray  # float32 or float16 (n_words, n_dimensions)
    slots: np.ndarray | None = None  # uint64, as _tokens.build_index fills it
    subwords: Subwords | None = None
    tokenizer: str | None = None
    manifest: dict | None = None  # of the folder that it is mapped from


def cache_folder() -> Path:
    """The folder of converted tables: `vectors` in `EMBTRANSFER_CACHE` or in the user's cache."""
    home = os.environ.get("EMBTRANSFER_CACHE")
    if not home:
        import platformdirs

        home = platformdirs.user_cache_dir("embtransfer")
    return Path(home).expanduser() / "vectors"


def load(
    path: Path,
    name: str,
    format: str | None = None,
    max_words: int | None = None,
    dtype: str | None = None,
    progress: Callable[[int, int | None, str], None] | None = None,
) -> Table:
    """Map the converted table of a file, after converting it where that is not done or the file changed."""
    source = str(path.resolve())
    made_of = {"source": source, "asked_format": format, "max_words": max_words, "asked_dtype": dtype}
    key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]
    folder = cache_folder() / f"{re.sub(r'[^A-Za-z0-9]+', '-', path.name).strip('-')[:40]}-{key}"
    if (table := _open(folder)) is not None and is_current(table.manifest):
        return table
    try:
        with _locked(folder):
            table = _open(folder)  # another process may have been at it
            if table is not None and (is_current(table.manifest) or was_only_touched(folder, table.manifest)):
                return table
            return _convert(folder, path, {**made_of, "name": name}, progress)
    except _Unwritable as error:
        warnings.warn(
            f"Can't keep the converted vectors in {folder.parent} ({error.__cause__}): they are read anew "
            "each time, into memory. Name another folder in EMBTRANSFER_CACHE.",
            UserWarning,
            stacklevel=3,
        )
    return read(path, format, max_words, dtype, progress)


@contextmanager
def _locked(folder):
    """Keep other processes from converting the same table."""
    from filelock import FileLock

    with _writing():
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(f"{folder}.lock").acquire()
    with lock:
        yield


def read(path, format=None, max_words=None, dtype=None, progress=None) -> Table:
    """Read a file into memory."""
    words, matrices = [], []
    with open_vectors(path, format, progress) as found:
        n_words = _n_words(found, max_words)
        what = f"A table of {n_words:,} words x {found.n_dimensions} in memory"
        advice = "Set max_words, dtype='float16', or a cache, from which tables are mapped."
        check_memory(8 * n_words * found.n_dimensions, what, advice)  # its blocks, and all in one
        for text, rows in _taken(found, max_words, dtype):
            words.append(text)
            matrices.append(rows)
        if not words:
            raise ValueError(f"Got 0 words from {path}. Expected at least one.")
        subwords = found.subwords
        if subwords is not None:
            subwords = Subwords(subwords.min_n, subwords.max_n, np.array(subwords.rows, np.float32))
        return Table(pa.concat_arrays(words), np.concatenate(matrices), None, subwords, found.tokenizer)


def converted() -> list[dict]:
    """The manifests of all converted tables, each with its folder and size in bytes, by name."""
    found = []
    for folder in sorted(cache_folder().glob("*-*")):
        manifest = read_manifest(folder)
        if manifest is not None:
            found.append({**manifest, "folder": folder, "bytes": sum(manifest["files"].values())})
    return found


def find(checksum: str) -> Table | None:
    """Map the converted table with that checksum, if there is one."""
    for manifest in converted():
        if manifest["checksum"] == checksum and (table := _open(manifest["folder"])) is not None:
            return table
    return None


def remove(folder: Path) -> None:
    """Delete a converted table; processes that have it mapped keep it."""
    doomed = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    folder.rename(doomed)
    shutil.rmtree(doomed)


def checksum_of(
    words, matrix, subwords=None, tokenizer=None, matrix_sha256=None, subwords_sha256=None
) -> str:
    """SHA-256 over dtype, shape and the SHA-256 of each part, in hexadecimal."""
    data, offsets = text_buffers(words)
    parts = [data[offsets[0] : offsets[-1]], offsets - offsets[0]]
    digests = [hashlib.sha256(np.ascontiguousarray(part)).hexdigest() for part in parts]
    digests.append(matrix_sha256 or hashlib.sha256(np.ascontiguousarray(matrix)).hexdigest())
    if subwords is not None:
        rows = subwords_sha256 or hashlib.sha256(subwords.rows).hexdigest()
        digests.append(f"{subwords.min_n} {subwords.max_n} {rows}")
    if tokenizer is not None:
        digests.append(hashlib.sha256(tokenizer.encode()).hexdigest())
    return hashlib.sha256(f"{matrix.dtype.str}{matrix.shape}{digests}".encode()).hexdigest()


def index_of(words) -> tuple[np.ndarray, np.ndarray]:
    """(hash table for the kernels, rows of words that came before)."""
    from ..kernels import _tokens  # compiles: not at import

    data, offsets = text_buffers(words)
    data = np.append(data, np.zeros(16, np.uint8))  # the kernel reads 16 bytes from each word's start
    data.flags.writeable = False
    slots = np.zeros((1 << int(2 * len(words)).bit_length(), 4), np.uint64)
    return slots, _tokens.build_index(data, offsets, slots)


def warn_duplicates(words, duplicates) -> None:
    warnings.warn(
        f"{len(duplicates):,} words came more than once (the first: {words[int(duplicates[0])].as_py()!r} in "
        f"row {duplicates[0]}); their first vectors are kept.",
        UserWarning,
        stacklevel=3,
    )


# ---------------------------------------------------------------- open
def _open(folder):
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    try:
        if not is_whole(folder, manifest):
            return None
        matrix = np.load(folder / "matrix.npy", mmap_mode="r", allow_pickle=False)
        slots = np.load(folder / "slots.npy", mmap_mode="r", allow_pickle=False)
        with pa.memory_map(str(folder / "words.arrow")) as file:
            words = pa.ipc.open_file(file).get_batch(0).column(0)
        subwords = tokenizer = None
        if manifest["subwords"]:
            rows = np.load(folder / "subwords.npy", mmap_mode="r", allow_pickle=False)
            subwords = Subwords(*manifest["subwords"], rows.view(np.ndarray))
        if manifest["tokenizer"]:
            tokenizer = (folder / "tokenizer.json").read_text("utf-8")
    except (OSError, ValueError, KeyError, pa.ArrowInvalid):
        return None
    return Table(words, matrix.view(np.ndarray), slots.view(np.ndarray), subwords, tokenizer, manifest)


# ---------------------------------------------------------------- convert
class _Unwritable(Exception):
    """The cache could not be written; the reason is its cause."""


def _convert(folder, path, made_of, progress):
    work = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    before = stamp_of(path) if path.is_file() else None
    try:
        with _writing():
            for left in folder.parent.glob(f".{folder.name}.*"):  # of a process that was killed
                shutil.rmtree(left, ignore_errors=True)
            work.mkdir(mode=0o700)
        with (
            open_vectors(path, made_of["asked_format"], progress) as found,
            ThreadPoolExecutor(1) as aside,
        ):
            _check_space(work, found, made_of["max_words"])
            fingerprints = aside.submit(lambda: [fingerprint(file) for file in found.files])
            blocks = _taken(found, made_of["max_words"], made_of["asked_dtype"])
            words, digest, shape = _write_matrix(work / "matrix.npy", blocks, found.n_dimensions)
            made_from = fingerprints.result()
            now = {str(path.resolve()): before} if before else {}
            if any(now.get(file, stamp) != stamp or stamp_of(file) != stamp for file, stamp, _ in made_from):
                raise ValueError(f"{path} changed while it was read. Load it when it is whole.")
            if not len(words):
                raise ValueError(f"Got 0 words from {path}. Expected at least one.")
            with _writing():
                slots, duplicates = index_of(words)
                if len(duplicates):
                    warn_duplicates(words, duplicates)
                    kept = np.setdiff1d(np.arange(len(words)), duplicates)
                    matrix = np.load(work / "matrix.npy", mmap_mode="r")
                    blocks = ((words.take(pa.array(part)), matrix[part]) for part in _parts(kept, shape[1]))
                    words, digest, shape = _write_matrix(work / "kept.npy", blocks, shape[1])
                    (work / "kept.npy").replace(work / "matrix.npy")
                    slots, _ = index_of(words)
                np.save(work / "slots.npy", slots)
                with pa.ipc.new_file(str(work / "words.arrow"), pa.schema([("word", words.type)])) as file:
                    file.write_batch(pa.record_batch([words], ["word"]))
                if found.subwords is not None:
                    np.save(work / "subwords.npy", found.subwords.rows)
                if found.tokenizer is not None:
                    (work / "tokenizer.json").write_text(found.tokenizer, "utf-8")
                matrix = np.load(work / "matrix.npy", mmap_mode="r")
                rows_of = {"matrix.npy": digest}
                if found.subwords is not None:
                    rows_of["subwords.npy"] = hashlib.sha256(found.subwords.rows).hexdigest()
                parts = words, matrix, found.subwords, found.tokenizer
                checksum = checksum_of(*parts, digest, rows_of.get("subwords.npy"))
                files = {file.name: file.stat().st_size for file in sorted(work.iterdir())}
                manifest = {
                    "format_version": FORMAT_VERSION,
                    "embtransfer": __version__,
                    **made_of,
                    "format": found.format,
                    "n_words": shape[0],
                    "n_dimensions": shape[1],
                    "dtype": str(matrix.dtype),
                    "checksum": checksum,
                    "subwords": [found.subwords.min_n, found.subwords.max_n] if found.subwords else None,
                    "tokenizer": found.tokenizer is not None,
                    "files": files,
                    "times": times_of(work, files),
                    "sums": {file: sum_of(work / file, rows_of.get(file)) for file in files},
                    "made_of": made_from,
                }
                write_manifest(work, manifest)
        with _writing():
            if folder.exists():
                remove(folder)
            work.rename(folder)
            return _open(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _writing:
    """Tells what goes wrong with the cache from what is wrong with the file that is read."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, OSError):
            raise _Unwritable from error


def _taken(found, max_words, dtype):
    """The blocks of a table, cut at max_words, in the dtype asked for or that of the first; all finite."""
    left = max_words
    for words, rows in found.blocks:
        if left is not None:
            words, rows = words[:left], rows[:left]
            left -= len(words)
        dtype = dtype or (rows.dtype if rows.dtype == np.float16 else np.float32)
        with np.errstate(over="ignore"):  # infinity is refused below
            rows = np.ascontiguousarray(rows, dtype)
        check_finite(words, rows)
        yield words, rows
        if left == 0:
            found.blocks.close()
            return


def check_finite(words, matrix) -> None:
    """Refuse NaN and infinity, naming the word."""
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(matrix.sum(axis=1, dtype=np.float64))
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(
            f"Got NaN or infinity in row {row} ({words[row].as_py()!r}), as {matrix.dtype}. Clean the matrix."
        )


def _n_words(found, max_words):
    """How many words will be read, as far as that is known: a wrong header promises what cannot be there."""
    most = _MOST_PACKED * sum(os.stat(file).st_size for file in found.files) / found.n_dimensions
    n_words = min(found.n_words or 0, max_words or np.inf)
    return n_words if n_words <= most else 0


def _check_space(folder, found, max_words):
    """Say before much is written that it will not fit, where the file tells its size."""
    n_bytes = 2 * _n_words(found, max_words) * found.n_dimensions  # of float16 at least
    if n_bytes > (left := shutil.disk_usage(folder).free):
        raise _Unwritable from OSError(f"{n_bytes / 1e6:,.0f} MB are needed, {left / 1e6:,.0f} MB are free")


def _write_matrix(path, blocks, n_columns):
    """Write blocks of rows as one .npy file: (all words, SHA-256 of the rows, shape)."""
    words, digest, shape, dtype = [], hashlib.sha256(), (0, n_columns), None
    with _opened(path) as file:
        for text, rows in blocks:
            with _writing():
                if dtype is None:
                    dtype = np.lib.format.dtype_to_descr(rows.dtype)
                    _write_header(file, dtype, shape)
                digest.update(rows)
                rows.tofile(file)
            words.append(text)
            shape = shape[0] + len(rows), n_columns
        with _writing():
            if not words:
                return pa.array([], pa.large_string()), "", shape
            file.seek(0)
            _write_header(file, dtype, shape)  # of the same length: numpy leaves room for the rows to grow
    return pa.concat_arrays(words), digest.hexdigest(), shape


@contextmanager
def _opened(path):
    with _writing():
        file = open(path, "wb")  # noqa: SIM115 - closing it is guarded too
    try:
        yield file
    finally:
        with _writing():  # closing writes what is left
            file.close()


def _write_header(file, dtype, shape):
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _parts(rows, n_columns):
    return np.array_split(rows, len(rows) * n_columns // (1 << 21) + 1)
