"""Files of data sets: where they are, downloaded where they are nowhere, and reading csv."""

import csv
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def locate(
    layouts: Sequence[str],
    members: Sequence[str],
    data_home: str | os.PathLike[str] | None,
    download_if_missing: bool,
    sources: Mapping[str, tuple[str, str | None]],
    unpack: Callable[[Path], Path] = lambda work: work,
) -> Path:
    """Return the first folder with all members; `sources`: file name -> address, known hash."""
    import platformdirs

    named = os.environ.get("EMBTRANSFER_DATA")
    if named and not Path(named).is_dir():
        raise FileNotFoundError(f"EMBTRANSFER_DATA names {named}, which is no folder. Mend it or unset it.")
    places = (data_home, named, platformdirs.user_cache_dir("embtransfer"))
    homes = [Path(place).expanduser() for place in places if place]
    folders = [home / layout for home in homes for layout in layouts]
    for folder in folders:
        if all((folder / member).is_file() for member in members):
            return folder
    if not download_if_missing:
        looked_in = ", ".join(map(str, folders))
        raise OSError(
            f"Got download_if_missing=False, expected {', '.join(members)} in one of {looked_in}. "
            "Pass download_if_missing=True, or set data_home or EMBTRANSFER_DATA to where they are."
        )
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            'Downloading a data set needs pooch: pip install "embtransfer[datasets]"'
        ) from error
    home = homes[0] if data_home else homes[-1]
    home.mkdir(parents=True, exist_ok=True)
    # A refused or broken download leaves nothing behind, and files that were there before stay.
    with tempfile.TemporaryDirectory(dir=home) as work:
        for name, (url, known_hash) in sources.items():
            pooch.retrieve(url, known_hash, fname=name, path=work)
        fresh = unpack(Path(work))
        for path in [path for path in fresh.rglob("*") if path.is_file()]:
            place = home / layouts[0] / path.relative_to(fresh)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                path.replace(place)
    return home / layouts[0]


def read_csv(path: Any, label_column: str) -> tuple[list[str], list[str]]:
    again = "Delete the file to download the published one."
    try:
        with path.open("r", encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if not {"text", label_column} <= set(rows.fieldnames or ()):
                got = f"Got the columns {rows.fieldnames} in {path}, expected text and {label_column}."
                raise ValueError(f"{got} {again}")
            pairs = [(row["text"], row[label_column]) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is damaged: {error}. {again}") from error
    if any(None in pair for pair in pairs):
        raise ValueError(f"{path} is damaged: a row has too few fields. {again}")
    pairs = [(text.strip(), label) for text, label in pairs]
    return [text for text, _ in pairs], [label for _, label in pairs]
