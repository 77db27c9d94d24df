"""Files and folders that are made under another name: whole under their own, or not at all.

Full disks and killed processes: tests/contracts/test_faults.py.
"""

import errno

import pytest

from embtransfer.system._folders import json_checksum, new_files, rename_folder


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_new_files_appear_at_the_end(tmp_path):
    (tmp_path / "a").write_text("old")
    with new_files(tmp_path / "a", tmp_path / "b") as files:
        for file in files:
            file.write_text("new")
        assert (tmp_path / "a").read_text() == "old"
        assert not (tmp_path / "b").exists()
    assert contents(tmp_path) == {"a": "new", "b": "new"}


@pytest.mark.parametrize("written", [0, 1, 2])
def test_files_that_fail_leave_what_was_there(tmp_path, written):
    def write_and_fail():
        with new_files(tmp_path / "a", tmp_path / "b") as files:
            for file in files[:written]:
                file.write_text("new")
            raise KeyError("fails")

    (tmp_path / "a").write_text("old")
    with pytest.raises(KeyError, match="fails"):
        write_and_fail()
    assert contents(tmp_path) == {"a": "old"}


@pytest.mark.parametrize(("what", "said"), [(None, "/a"), ("the report", "the report")])
def test_a_full_disk_is_said_plainly(tmp_path, what, said):
    full = rf"No space left to write .*{said} \(.*\)\. Make room, .* What was there before stays"
    with pytest.raises(OSError, match=full), new_files(tmp_path / "a", what=what):
        raise OSError(errno.ENOSPC, "full")


def test_another_error_of_the_system_passes(tmp_path):
    with pytest.raises(PermissionError, match="not you"), new_files(tmp_path / "a"):
        raise PermissionError(errno.EACCES, "not you")


def test_a_folder_takes_the_place_of_another_which_takes_its(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    rename_folder(tmp_path / "new", tmp_path / "old", replace=True)
    assert contents(tmp_path / "old") == {"file": "new"}
    assert contents(tmp_path / "new") == {"file": "old"}


def test_the_checksum_of_json_takes_no_order():
    assert json_checksum({"a": 1, "b": [2]}) == json_checksum({"b": [2], "a": 1})
    assert json_checksum({"a": 1}) != json_checksum({"a": 2})
