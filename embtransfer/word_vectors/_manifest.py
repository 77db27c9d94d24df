"""What a folder of converted vectors says of itself, and whether that still holds.

The manifest has a checksum of each file and of itself. As the files are mapped and not read, theirs are
compared only where a file was written to since: its times, which no order is expected of, then differ.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from ..system._folders import checksum, json_checksum, new_files

FORMAT_VERSION = 2
_MANIFEST = "manifest.json"


def read_manifest(folder):
    """The manifest; None where it is missing, damaged, of another version, or a file has another size."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
        own = manifest.pop("manifest_sha256")
        whole = all((folder / file).stat().st_size == size for file, size in manifest["files"].items())
        whole = whole and own == json_checksum(manifest)
        return manifest if whole and manifest["format_version"] == FORMAT_VERSION else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_manifest(folder, manifest):
    manifest = {**manifest, "manifest_sha256": json_checksum(manifest)}
    with new_files(folder / _MANIFEST) as (fresh,):
        fresh.write_text(json.dumps(manifest, indent=1), "utf-8")


def is_whole(folder, manifest):
    """Whether the files are as they were written: by their times, or else by their checksums."""
    times = times_of(folder, manifest["files"])
    if times == manifest["times"]:
        return True
    if any(sum_of(folder / file) != sum_ for file, sum_ in manifest["sums"].items()):
        return False
    with suppress(OSError):  # copied as they are, perhaps to where nothing can be written
        write_manifest(folder, {**manifest, "times": times})
    return True


def times_of(folder, files):
    return {file: list(stamp_of(folder / file)[1:]) for file in files}


def sum_of(path, rows_sha256=None):
    """SHA-256 of a file; of an .npy file that of its header and that of its rows, which may be known."""
    with open(path, "rb") as file:
        header = file.read(10) if path.suffix == ".npy" else b""
        header += file.read(int.from_bytes(header[8:], "little"))
        rows_sha256 = rows_sha256 or hashlib.file_digest(file, "sha256").hexdigest()
        return f"{hashlib.sha256(header).hexdigest()} {rows_sha256}"


def is_current(manifest):
    """Whether the files that the table was made of are as they were; files that are gone are no change."""
    for file, stamp, _ in manifest["made_of"]:
        with suppress(FileNotFoundError):
            if stamp_of(file) != stamp:
                return False
    return True


def was_only_touched(folder, manifest):
    """Whether the files have new times and the old content; the manifest then takes the new times."""
    try:
        now = [fingerprint(Path(file)) for file, *_ in manifest["made_of"]]
    except OSError:
        return False
    if any(new[2] != old[2] for new, old in zip(now, manifest["made_of"], strict=True)):
        return False
    with suppress(OSError):
        write_manifest(folder, {**manifest, "made_of": now})
    return True


def fingerprint(path):
    return [str(path.resolve()), stamp_of(path), checksum(path)]


def stamp_of(path):
    """Size and times of a file. The second time, of any change, tells of files that keep their first."""
    stat = os.stat(path)
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
