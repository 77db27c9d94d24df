"""Folders and files are made under another name: they appear whole under their own, or not at all."""

import ctypes
import errno
import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # a disk, a quota, a limit of the size of files


@contextmanager
def clear_when_full(
    what: str, advice: str = "Make room, or choose another place. What was there before stays."
) -> Iterator[None]:
    """Turn the error of a full disk, which mostly names no file, into one that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        reason = os.strerror(error.errno)
        raise OSError(error.errno, f"No space left to write {what} ({reason}). {advice}") from error


@contextmanager
def new_folder(path: Path, *, replace: bool) -> Iterator[Path]:
    """A folder to fill; at the end it takes the name `path`, and the place of a folder that is there.

    Raises
    ------
    FileExistsError
        If `path` has appeared meanwhile and is not to be replaced.
    OSError
        If it cannot be written; what was at `path` stays.
    """
    if path.is_symlink():  # what it points to is replaced, not the link
        if not path.exists():
            raise FileExistsError(f"{path} is a link to what is not there. Remove it or choose another name.")
        path = path.resolve()
    folder = hidden_name(path)
    try:
        with clear_when_full(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
            yield folder
        rename_folder(folder, path, replace=replace)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # what is unfinished, or was replaced


@contextmanager
def new_files(*paths: Path, what: str | None = None) -> Iterator[list[Path]]:
    """Names to write files under, which at the end take the names `paths`: all, or none if one fails.

    Raises
    ------
    OSError
        If they cannot be written; what was there stays. Of a full disk it says what there is no room for.
    """
    parts = [hidden_name(path) for path in paths]
    try:
        with clear_when_full(what or str(paths[0])):
            yield parts
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def hidden_name(path: Path) -> Path:
    """A name beside `path` that nothing else has."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")


def rename_folder(folder: Path, path: Path, *, replace: bool) -> None:
    """Give a folder its name in one step: there is always the old one, which at last is `folder`, or the new.

    Raises
    ------
    FileExistsError
        If `path` is there and not to be replaced.
    """
    try:
        folder.rename(path)
    except OSError:
        if not path.exists():
            raise
        if not replace:
            raise FileExistsError(
                f"{path} exists already: it was made meanwhile. Choose another name."
            ) from None
        if not _exchange(folder, path):
            aside = folder.with_suffix(".old")
            path.rename(aside)
            try:
                folder.rename(path)
            except BaseException:
                aside.rename(path)
                raise
            aside.rename(folder)


def _exchange(one, other):
    """Swap two names in one step, where system and file system can (Linux, macOS); whether it was done."""
    names = os.fsencode(one), os.fsencode(other)
    try:
        libc = ctypes.CDLL(None)
        if sys.platform == "darwin":
            return libc.renamex_np(*names, 2) == 0  # RENAME_SWAP
        return libc.renameat2(-100, names[0], -100, names[1], 2) == 0  # AT_FDCWD, RENAME_EXCHANGE
    except (AttributeError, OSError, TypeError):  # an older system, another libc, Windows
        return False


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_checksum(value) -> str:
    """SHA-256 of what JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
