"""Members of archives and names that are paths: nothing is written elsewhere."""

import os
import stat
import zipfile

import pytest

from embtransfer import WordVectors
from embtransfer.embedders import _sentence_files
from tests.security.hostile import write, zipped


def flagged(at_local, at_central, value):
    """A zip with one field of both of its headers changed."""
    data = bytearray(zipped({"v.txt": b"a 1 2\nb 3 4\nc 5 6\n"}))
    data[at_local] = data[data.index(b"PK\x01\x02") + at_central] = value
    return bytes(data)


def test_members_of_archives_are_never_unpacked_to_files(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for name in ("../../out.txt", "/etc/out.txt", "C:\\out.txt", link):
        path = write(tmp_path / "in" / "a.zip", zipped({name: b"a 1 2\nb 3 4\nc 5 6\n"}))
        assert WordVectors.load(path, cache=False).words == ["a", "b", "c"]
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["a.zip"]


@pytest.mark.parametrize("data", [flagged(6, 8, 1), flagged(8, 10, 99)], ids=["password", "method"])
def test_members_that_cannot_be_unpacked(tmp_path, data):
    with pytest.raises(ValueError, match=r"a\.zip: .*Unpack the archive first"):
        WordVectors.load(write(tmp_path / "a.zip", data), cache=False)


@pytest.mark.parametrize(
    "name", ["../../x/y", "a/../../b", "sentence-transformers/../../../etc", "a/b\x00c", "https://h/x"]
)
def test_names_of_models_that_are_paths(tmp_path, monkeypatch, name):
    pytest.importorskip("huggingface_hub")
    monkeypatch.chdir(tmp_path)
    if name[0] == ".":
        with pytest.raises(FileNotFoundError, match="no such folder"):
            _sentence_files.locate(name)
    else:
        assert _sentence_files.locate(name) is None  # for the hub to refuse
    assert list(tmp_path.iterdir()) == []


def test_names_of_files_do_not_leave_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "cache"))
    for name in ("..  .txt", "$(touch x);.txt", "a\nb.txt", "..%2f..%2f.txt", "é" * 60 + ".txt"):
        WordVectors.load(write(tmp_path / "in" / name, b"a 1 2\nb 3 4\nc 5 6\n"))
    folders = list(tmp_path.rglob("matrix.npy"))
    assert len(folders) == 5
    assert {path.parent.parent for path in folders} == {tmp_path / "cache" / "vectors"}
    assert stat.S_IMODE((tmp_path / "cache" / "vectors").stat().st_mode) == 0o700


def test_a_model_does_not_wait_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    state = {"name": "x", "source": str(tmp_path / "pipe"), "asked_format": None, "max_words": None}
    with pytest.raises(FileNotFoundError, match="refers to the vectors 'x'"):
        WordVectors.__new__(WordVectors).__setstate__({**state, "asked_dtype": None, "checksum": "0" * 64})
