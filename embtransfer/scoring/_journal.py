"""The output of scoring while it grows: a part file, a journal to resume from, a lock; or stdout."""

import hashlib
import json
import os
import sys
import warnings
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ..system._folders import clear_when_full


@dataclass(frozen=True)
class State:
    """How far scoring has come: the next block's place, and what was written up to there."""

    file: int = 0
    at: int = 0
    lines: int = 0  # of this file
    rows: int = 0  # written
    rejected: int = 0
    n_bytes: int = 0
    side_bytes: int = 0
    groups: list[bytes] = field(default_factory=list)  # parquet row groups since the last commit
    empty: int = 0  # of the rows written, those without text
    unlabelled: int = 0  # and those left without a label
    looked_at: int = 0  # for known words
    wordless: int = 0  # and those of them without any


class PartFile:
    """Grows beside the destination under a hidden name and takes its name at the end.

    The data are on disk before the journal says so, and a line of the journal counts only if its checksum is
    right: whenever the process dies, what the journal says is there.

    Raises
    ------
    OSError
        If the folder is not there or another process writes the same destination.
    """

    def __init__(self, destination):
        from filelock import FileLock, Timeout

        self.path = Path(destination)
        if self.path.is_symlink():  # what it points to is replaced, not the link
            self.path = self.path.resolve()
        folder = self.path.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no folder {folder} to write {self.path.name} to.")
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a folder. Choose another name for the output.")
        if self.path.exists() and not self.path.is_file():
            raise OSError(f"{self.path} is no regular file. Write to - (stdout) and redirect that.")
        digest = hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:8]
        self.part, self.side, self.journal, lock = (
            folder / f".{self.path.name}.{digest}.{kind}" for kind in ("part", "rejected", "journal", "lock")
        )
        self.rejected = self.path.with_name(f"{self.path.name}.rejected.jsonl")
        self._lock = FileLock(lock)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise OSError(
                f"Another process is writing {self.path}. Wait for it, or choose another name."
            ) from None
        self._files = {}
        self.groups = []  # all, for the footer

    def begin(self, header: Callable[[], dict] | None) -> State:
        """Remove what an earlier run left, with a warning. `header` is asked at the first commit."""
        if self.journal.exists():
            warnings.warn(
                f"Began anew: what a run that did not end had left of {self.path.name} is removed. Pass "
                "resume=True (--resume) to go on from such a run.",
                UserWarning,
                stacklevel=4,
            )
        self.remove()
        self._header = header
        self._open(State())
        return State()

    def resume(self, header: dict) -> tuple[State, dict] | None:
        """The state and header that the journal holds; nothing where there is none.

        Raises
        ------
        ValueError
            If the run was begun with something else than `header` says.
        """
        for path in (self.journal, self.part, self.side):
            if path.is_symlink():
                raise ValueError(f"{path} is a link, which no run of ours leaves. Remove it.")
        lines, size = _read_journal(self.journal)
        missing = len(lines) < 2 or not self.part.is_file()
        if missing or self.part.stat().st_size < lines[-1]["n_bytes"]:
            return None
        if lines[-1]["side_bytes"] and not self.side.is_file():
            return None
        old = lines[0]
        was, now = old["run"], header["run"]
        changed = [key for key in was | now if was.get(key) != now.get(key)]
        if changed:
            what = "; ".join(
                f"the {key} has changed"
                if key.startswith("file ") and key in was
                else f"{key} was {was.get(key)!r}, is {now.get(key)!r}"
                for key in changed[:3]
            )
            raise ValueError(
                f"Cannot resume {self.path.name}: {what}. Set it as it was, or run without "
                "resume=True (--resume) to begin anew."
            )
        self.groups = [b64decode(group) for line in lines[1:] for group in line.pop("groups")]
        state = State(**lines[-1])
        os.truncate(self.journal, size)
        self._header = None  # is there
        self._open(state)
        return state, old

    def _open(self, state):
        self._file(self.part).truncate(state.n_bytes)
        if state.side_bytes:
            self._file(self.side).truncate(state.side_bytes)
        else:  # its rows come after the last commit, and will come again
            self.side.unlink(missing_ok=True)

    def _file(self, path):
        if path not in self._files:
            self._files[path] = open(path, "ab", buffering=0, opener=_open_no_link)  # noqa: SIM115
        return self._files[path]

    def write(self, data) -> int:
        """Append to the output; the number of bytes."""
        return _write_all(self._file(self.part), data)

    def reject(self, data: bytes) -> int:
        """Append to the rejected rows."""
        return _write_all(self._file(self.side), data)

    def commit(self, state: State) -> State:
        """Make sure that `state` outlives the process and the machine; the state to go on from."""
        for file in self._files.values():
            os.fsync(file.fileno())
        entries = [self._header()] if self._header is not None else []
        entry = asdict(replace(state, groups=[])) | {"groups": [b64encode(g).decode() for g in state.groups]}
        data = b"".join(_journal_line(one) for one in [*entries, entry])
        with open(self.journal, "ab", buffering=0) as file:
            before = file.tell()
            try:
                _write_all(file, data)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise
        if self._header is not None:
            self._header = None
            _sync_folder(self.path.parent)
        self.groups += state.groups
        return replace(state, groups=[])

    def is_resumable(self) -> bool:
        return len(_read_journal(self.journal)[0]) > 1

    def finish(self) -> Path | None:
        """Give the output its name; the rejected rows' file, if there is one."""
        for file in self._files.values():
            os.fsync(file.fileno())
        has_rejected = self.side in self._files
        self.close_files()
        if has_rejected:
            os.replace(self.side, self.rejected)
        else:
            self.rejected.unlink(missing_ok=True)  # of an earlier output of this name
        os.replace(self.part, self.path)
        _sync_folder(self.path.parent)
        self.remove()
        return self.rejected if has_rejected else None

    def close_files(self) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}

    def remove(self) -> None:
        """Remove the part file and all that belongs to it."""
        self.close_files()
        for path in (self.journal, self.part, self.side):
            path.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the destination."""
        self.close_files()
        with suppress(OSError):  # filelock takes a lock only on a file that still has its name
            os.unlink(self._lock.lock_file)
        self._lock.release()


class StandardOutput:
    """The same for stdout, where nothing can be resumed."""

    path = Path("stdout")

    def __init__(self):
        self.groups: list = []

    def begin(self, header):
        return State()

    def write(self, data):
        n = len(memoryview(data).cast("B")) if len(data) else 0
        sys.stdout.buffer.write(data)
        return n

    def commit(self, state):
        sys.stdout.buffer.flush()
        self.groups += state.groups
        return replace(state, groups=[])

    def is_resumable(self):
        return False

    def finish(self):
        sys.stdout.buffer.flush()

    def remove(self):
        pass

    release = remove


def _open_no_link(path, flags):
    """Open a file of ours by its known name: in a folder of many users a link could lead elsewhere."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _write_all(file, data):
    if not len(data):
        return 0
    data = memoryview(data).cast("B")
    left = data
    while len(left):  # a signal or a limit can cut a write short
        with clear_when_full(str(file.name)):
            left = left[file.write(left) :]
    return len(data)


def _journal_line(entry):
    text = json.dumps(entry, ensure_ascii=True).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _read_journal(path):
    """Entries up to the first that is not whole, and where that begins."""
    entries, size = [], 0
    if path.is_file():
        with open(path, "rb") as file:
            for line in file:
                text = line[9:-1]
                if not line.endswith(b"\n") or line[:8] != b"%08x" % zlib.crc32(text):
                    break
                entries.append(json.loads(text))
                size += len(line)
    return entries, size


def _sync_folder(folder):
    with suppress(OSError):  # not every system opens folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
