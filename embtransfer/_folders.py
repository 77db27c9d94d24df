"""Model folders: they appear whole under their name, or not at all."""

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; at the end it takes the name `path`, and the place of a folder that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder, old = (path.with_name(f".{path.name}.{secrets.token_hex(8)}.{kind}") for kind in ("new", "old"))
    folder.mkdir()
    try:
        yield folder
        if path.exists():
            path.rename(old)
        folder.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_folder(path: Path) -> None:
    """Refuse a path that is no folder.

    Raises
    ------
    FileNotFoundError
    """
    if not path.is_dir():
        hint = " It is a file." if path.exists() else ""
        raise FileNotFoundError(f"There is no model folder {path}.{hint}")


def check_file(file: Path, expected: str, config: str) -> None:
    """Refuse a file that is missing, or is not the one whose checksum the configuration has.

    Raises
    ------
    ValueError
    """
    if not file.is_file():
        raise ValueError(f"{file} is missing. The model is not complete.")
    if checksum(file) != expected:
        raise ValueError(f"{file} is not the file that was saved: its checksum is not the one in {config}.")
