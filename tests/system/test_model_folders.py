"""Model folders: what is a model of a kind, what may be replaced, and what is read back."""

import json
import re

import pytest

from embtransfer.system._folders import checksum
from embtransfer.system._model_folders import (
    ModelFormat,
    check_destination,
    is_model,
    read_folder,
    write_config,
)

OPEN = ModelFormat("kind-a", 1, what="model of A", expected="Expected A.", file="state")
SEALED = ModelFormat("kind-b", 3, what="model of B", expected="Expected B.", file="arrays", sealed=True)
ENTRIES = {"versions": {"python": "3"}}
BOTH = pytest.mark.parametrize("kind", [OPEN, SEALED], ids=["open", "sealed"])


def make(path, kind):
    path.mkdir()
    (path / kind.file).write_bytes(b"numbers")
    assert write_config(path, kind, ENTRIES) == checksum(path / "config.json")
    return path


@BOTH
def test_what_is_written_is_read(tmp_path, kind):
    config, file = read_folder(make(tmp_path / "model", kind), kind)
    assert file == tmp_path / "model" / kind.file
    assert config["versions"] == ENTRIES["versions"]
    assert (config["format"], config["format_version"]) == (kind.name, kind.version)


@BOTH
def test_a_model_is_of_one_kind(tmp_path, kind):
    other = SEALED if kind is OPEN else OPEN
    path = make(tmp_path / "model", kind)
    assert is_model(path, kind)
    assert not is_model(path, other)
    with pytest.raises(ValueError, match=rf"is no {other.name} configuration\. {other.expected}"):
        read_folder(path, other)
    with pytest.raises(FileExistsError, match=rf"It is no {other.what}: it stays"):
        check_destination(path, other, overwrite=True)


@BOTH
@pytest.mark.parametrize("change", [{"versions": 5}, {"sha256": 5}, {"format_version": 2}])
def test_a_damaged_model_is_refused_and_may_be_replaced(tmp_path, kind, change):
    path = make(tmp_path / "model", kind)
    config = json.loads((path / "config.json").read_text()) | change
    (path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"is damaged|format version 2; this embtransfer reads"):
        read_folder(path, kind)
    check_destination(path, kind, overwrite=True)


@BOTH
def test_a_model_with_files_of_the_user_stays(tmp_path, kind):
    path = make(tmp_path / "model", kind)
    (path / "notes").write_text("mine")
    for missing in (None, kind.file):  # of an incomplete model too
        if missing:
            (path / missing).unlink()
        with pytest.raises(FileExistsError, match="It holds other files beside the model: it stays"):
            check_destination(path, kind, overwrite=True)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '"format"', "[" * 100_000, '{"format": []}'])
def test_other_files_named_config_are_no_models(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    assert not is_model(tmp_path, OPEN)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'config.json'} is ")):
        read_folder(tmp_path, OPEN)
