"""Folders of saved models: config.json says what they are and has the checksum of a file with the rest."""

import json
from dataclasses import dataclass
from pathlib import Path

from ._folders import checksum, json_checksum

CONFIG = "config.json"
CARD = "README.md"
CARD_OF = "library_name: embtransfer"  # a line of each card of ours: another README.md is the user's


@dataclass(frozen=True)
class ModelFormat:
    """What tells one kind of model folder from another."""

    name: str  # in config.json
    version: int
    what: str  # it is, in messages
    expected: str  # which folders they are, a sentence
    file: str  # beside config.json
    has_card: bool = False  # whether README.md is part of it, which nothing reads
    sealed: bool = False  # whether config.json holds numbers of the model, hence a checksum of itself too


def check_destination(path: Path, kind: ModelFormat, *, overwrite: bool) -> None:
    """Refuse, with FileExistsError, a name under which something is that is not to be replaced."""
    if not path.exists():
        return
    if not is_model(path, kind):
        hint = f"It is no {kind.what}: it stays."
    elif {file.name for file in path.iterdir()} - {CONFIG, kind.file, *_own_card(path, kind)}:
        hint = "It holds other files beside the model: it stays."
    else:
        hint = "" if overwrite else "Pass overwrite=True (on the command line --overwrite) to replace it."
    if hint:
        raise FileExistsError(f"{path} exists already. {hint} Choose another name otherwise.")


def _own_card(path, kind):
    """Our card, which may be replaced, as a set of its name."""
    try:
        own = kind.has_card and CARD_OF in (path / CARD).read_text("utf-8").splitlines()
    except (OSError, ValueError):
        own = False
    return {CARD} if own else set()


def is_model(path: Path, kind: ModelFormat) -> bool:
    """Whether a folder is a model of this kind, if perhaps a damaged one."""
    try:
        return json.loads((path / CONFIG).read_text("utf-8"))["format"] == kind.name
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False


def write_config(folder: Path, kind: ModelFormat, entries: dict) -> str:
    """Write config.json beside the file, which is there already; return its checksum."""
    sha256 = checksum(folder / kind.file)
    config = {"format": kind.name, "format_version": kind.version, **entries}
    config["sha256"] = sha256 if kind.sealed else {kind.file: sha256}
    if kind.sealed:
        config["checksum"] = _own_checksum(config)
    text = json.dumps(config, indent=None if kind.sealed else 2)
    (folder / CONFIG).write_text(text + "\n", "utf-8")
    return checksum(folder / CONFIG)


def read_folder(path: Path, kind: ModelFormat) -> tuple[dict, Path]:
    """Return the configuration and the file of a model folder, which are as they were saved.

    Raises
    ------
    FileNotFoundError
        If there is no folder.
    ValueError
        If it is no model of this kind, or is damaged.
    """
    if not path.is_dir():
        hint = " It is a file." if path.exists() else ""
        raise FileNotFoundError(f"There is no model folder {path}.{hint}")
    config, file = _read_config(path, kind), path / kind.file
    sha256 = config["sha256"]
    if not file.is_file():
        raise ValueError(f"{file} is missing. The model is not complete.")
    if checksum(file) != (sha256 if kind.sealed else sha256.get(kind.file)):
        raise ValueError(f"{file} is not the file that was saved: its checksum is not the one in {CONFIG}.")
    return config, file


def _read_config(path, kind):
    file = path / CONFIG
    if not file.is_file():
        raise ValueError(f"{path} holds no {CONFIG}. {kind.expected}")
    try:
        config = json.loads(file.read_text("utf-8"))
        own = _own_checksum(config) if isinstance(config, dict) else None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}") from error
    if not isinstance(config, dict) or config.get("format") != kind.name:
        raise ValueError(f"{file} is no {kind.name} configuration. {kind.expected}")
    if config.get("format_version") != kind.version:
        made_with = config.get("versions", config.get("embtransfer"))
        raise ValueError(
            f"{file} has format version {config.get('format_version')!r}; this embtransfer reads "
            f"{kind.version}. Install the embtransfer that made it: {made_with}."
        )
    if config.get("checksum", own) != own:  # not all have one
        raise ValueError(f"{file} is damaged: it is not the file that was saved, by its own checksum.")
    types = {"sha256": str} if kind.sealed else {"sha256": dict, "versions": dict}
    if not all(isinstance(config.get(name), type_) for name, type_ in types.items()):
        raise ValueError(f"{file} is damaged: it lacks checksums or versions.")
    return config


def _own_checksum(config):
    """SHA-256 of a configuration without this entry."""
    return json_checksum({key: value for key, value in config.items() if key != "checksum"})
