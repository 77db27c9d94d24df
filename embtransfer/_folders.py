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
