"""Tables of vectors, converted once into a folder of files that later loads map into memory.

A folder holds matrix.npy, words.arrow, slots.npy (the hash table of the kernels), where there are any
subwords.npy and tokenizer.json, and manifest.json, which says what it was made of. It appears under its
name when complete; a lock keeps two processes from converting the same file twice. _manifest.py tells
whether it still holds, _conversion.py writes it.
"""

import os
import re
import shutil
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from .._types import Progress
from ..system._folders import hidden_name, json_checksum, rename_folder
from ._conversion import Unwritable, read, write_folder, writing
from ._manifest import is_current, is_whole, read_manifest, was_only_touched
from ._table import Table
from .readers import Subwords


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
    progress: Progress | None = None,
) -> Table:
    """Map the converted table of a file, after converting it where that is not done or the file changed."""
    source = str(path.resolve())
    made_of = {"source": source, "asked_format": format, "max_words": max_words, "asked_dtype": dtype}
    key = json_checksum(made_of)[:16]
    folder = cache_folder() / f"{re.sub(r'[^A-Za-z0-9]+', '-', path.name).strip('-')[:40]}-{key}"
    if (table := _open(folder)) is not None and is_current(table.manifest):
        return table
    try:
        with _locked(folder):
            table = _open(folder)  # another process may have been at it
            if table is not None and (is_current(table.manifest) or was_only_touched(folder, table.manifest)):
                return table
            return _convert(folder, path, {**made_of, "name": name}, progress)
    except Unwritable as error:
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

    with writing():
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(f"{folder}.lock").acquire()
    with lock:
        yield


def converted() -> list[dict]:
    """The manifests of all converted tables, each with its folder and size in bytes, by name."""
    manifests = []
    for folder in sorted(cache_folder().glob("*-*")):
        manifest = read_manifest(folder)
        if manifest is not None:
            manifests.append({**manifest, "folder": folder, "bytes": sum(manifest["files"].values())})
    return manifests


def find(checksum: str) -> Table | None:
    """Map the converted table with that checksum, if there is one."""
    for manifest in converted():
        if manifest["checksum"] == checksum and (table := _open(manifest["folder"])) is not None:
            return table
    return None


def remove(folder: Path) -> None:
    """Delete a converted table; processes that have it mapped keep it."""
    shutil.rmtree(folder.rename(hidden_name(folder)))


def _convert(folder, path, made_of, progress):
    """Write a new folder beside the old, and put it in its place."""
    work = hidden_name(folder)
    try:
        with writing():
            for left in folder.parent.glob(f".{folder.name}.*"):  # of a process that was killed
                shutil.rmtree(left, ignore_errors=True)
            work.mkdir(mode=0o700)
        write_folder(work, path, made_of, progress)
        with writing():
            rename_folder(work, folder, replace=True)
            return _open(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)  # what is unfinished, or was replaced


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
