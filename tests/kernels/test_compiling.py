"""Kernels are kept, and compiled anew when any file of their room changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from embtransfer.kernels import _compiling

KERNEL = "from ._compiling import njit\n"
INNER = KERNEL + "@njit\ndef step(n): return n + 1\n"
OUTER = KERNEL + "from .inner import step\n@njit\ndef tenfold(n): return 10 * step(n)\n"
# one process that imports numba once, and forks: each fork imports the kernels anew from the path it is told
RUN = """
import os, sys, numba
numba.njit(lambda n: n + 1)(1)  # what numba loads for its first kernel, once
for path in sys.stdin:
    child = os.fork()
    if child == 0:
        sys.path.insert(0, path.strip())
        from room.outer import tenfold
        print(tenfold(1), sum(tenfold._cache_hits.values()), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def write_room(folder, inner, zipped):
    """Write a package of two kernels: what to put on Python's path."""
    room = folder / "room"
    room.mkdir(exist_ok=True)
    shutil.copy(_compiling.__file__, room)
    for name, source in {"__init__": "", "inner": inner, "outer": OUTER}.items():
        (room / f"{name}.py").write_text(source)
    return shutil.make_archive(room, "zip", folder, "room") if zipped else folder


@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forks")
@pytest.mark.parametrize("zipped", [False, True], ids=["folder", "zip"])
def test_a_kernel_is_compiled_anew_when_one_that_it_calls_changed(tmp_path, zipped):
    own = {
        "XDG_CACHE_HOME": str(tmp_path / "kept"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # a second of a .pyc is long
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", RUN],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **own},
    ) as process:  # fmt: skip

        def run(path):
            """What the kernel gave, and whether it was kept."""
            print(path, file=process.stdin, flush=True)
            return process.stdout.readline().split()

        path = write_room(tmp_path, INNER, zipped)
        assert [run(path), run(path)] == [["20", "0"], ["20", "1"]]
        path = write_room(tmp_path, INNER.replace("+ 1", "+ 2"), zipped)
        assert [run(path), run(path)] == [["30", "0"], ["30", "1"]]


def test_the_stamp_is_of_all_files_of_the_room(tmp_path, monkeypatch):
    before = _compiling._stamp_of_room()
    assert before == _compiling._STAMP
    copy = tmp_path / "kernels"
    shutil.copytree(Path(_compiling.__file__).parent, copy)
    monkeypatch.setattr(_compiling, "files", lambda _: copy)
    assert _compiling._stamp_of_room() == before
    for path in copy.glob("*.py"):
        source = path.read_bytes()
        path.write_bytes(source + b"#")
        assert _compiling._stamp_of_room() != before
        path.write_bytes(source)
