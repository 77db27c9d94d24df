"""Saved pipelines on the Hugging Face hub: a download is pinned to a commit, and loaded as any folder is."""

import os
import re
from pathlib import Path

from .._types import FilePath
from ..system._model_folders import CARD, CONFIG, ModelFormat, read_folder

HUB = "hf://"
_NEEDS_EXTRA = 'Models on the hub need huggingface_hub: pip install "embtransfer[hub]"'


def downloaded(address: str, revision: str | None, kind: ModelFormat) -> Path:
    """The folder of a model in the hub's cache, after a download where it is not there.

    Raises
    ------
    ValueError
        If the address is none, or the revision no commit.
    OSError
        If the hub cannot be reached, or has no such model.
    """
    name = _checked(address.removeprefix(HUB))
    if not re.fullmatch("[0-9a-f]{40}", revision or ""):
        got = "no revision" if revision is None else f"revision={revision!r}"
        raise ValueError(
            f"Got {got} for {address}. Expected a commit, of 40 hexadecimal digits, such as push_to_hub "
            "returns and the hub lists under Files: what a branch names, others can change."
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise ImportError(_NEEDS_EXTRA) from error
    files = [CONFIG, kind.file]
    return Path(snapshot_download(name, revision=revision, allow_patterns=files, endpoint=_endpoint()))


def uploaded(path: FilePath, name: str, kind: ModelFormat, private: bool) -> str:
    """Put a model folder on the hub, its own files alone; return the commit."""
    read_folder(Path(path), kind)  # refuses what is no model, or damaged
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise ImportError(_NEEDS_EXTRA) from error
    api, name = HfApi(endpoint=_endpoint()), _checked(name.removeprefix(HUB))
    api.create_repo(name, private=private, exist_ok=True)
    files = [CONFIG, kind.file, CARD]
    return api.upload_folder(
        repo_id=name, folder_path=Path(path), allow_patterns=files, commit_message="Save a pipeline"
    ).oid


def _endpoint():
    return os.environ.get("HF_ENDPOINT")  # None is the hub itself


def _checked(name):
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name, re.ASCII):
        raise ValueError(f"Got {name!r} as a model on the hub. Expected owner/name.")
    return name
