"""Several files as one input: for each a byte that says which name, three of its size, its content.

Any bytes are some files, so that a fuzzer's blind changes are never wasted; names come from a list, so that
no input writes outside its folder.
"""

import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # no disk wears out where there is one


def pack(files: dict[str, bytes], names: list[str]) -> bytes:
    return b"".join(
        bytes([names.index(name)]) + len(data).to_bytes(3, "little") + data for name, data in files.items()
    )


def unpack(data: bytes, names: list[str]) -> dict[str, bytes]:
    files, at = {}, 0
    while at < len(data):
        size = int.from_bytes(data[at + 1 : at + 4], "little")
        files[names[data[at] % len(names)]] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return files


class Scratch:
    """One folder for the files of an input after the other."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None))

    def write(self, files: dict[str, bytes]) -> Path:
        """An empty folder with these files in it."""
        folder = self.folder / "input"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


def read_all(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by their names in it."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
