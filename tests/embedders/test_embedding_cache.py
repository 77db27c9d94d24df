"""The cache of vectors on disk: bounded, private, and safe with crashes, damage and company."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from embtransfer.embedders import _cache
from embtransfer.embedders._cache import EmbeddingCache

FILE = "embeddings.sqlite3"


def keys_and_rows(n, n_columns=8, start=0):
    keys = [b"key %d" % i for i in range(start, start + n)]
    return keys, np.repeat(np.arange(start, start + n, dtype=np.float32)[:, None], n_columns, axis=1)


def open_cache(folder, n_columns=8, size_limit=1e9):
    return EmbeddingCache(folder, n_columns, size_limit)


def fill(folder, keys, seconds=0.0):
    """What `fill` gives for keys "key i", and how many of them it had to encode."""
    encoded, done = [], []

    def encode(positions):
        time.sleep(seconds)
        encoded.extend(keys[i] for i in positions)
        return np.array([[int(keys[i][4:])] * 8 for i in positions], np.float32)

    rows = np.full((len(keys), 8), np.nan, np.float32)
    with open_cache(folder) as cache:
        cache.fill(keys, rows, encode, done.append)
    assert sum(done) == len(keys)
    return rows, encoded


def start(code, *arguments):
    """A process that runs code with this file's helpers."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\nfrom test_embedding_cache import *\n"
        + textwrap.dedent(code)
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_was_put_is_found(tmp_path):
    keys, rows = keys_and_rows(1300)
    with open_cache(tmp_path) as cache:
        cache.put(keys[::2], rows[::2])
    with open_cache(tmp_path) as cache:
        found, got = cache.get(keys)
        np.testing.assert_array_equal(found, np.arange(1300) % 2 == 0)
        np.testing.assert_array_equal(got, rows[::2])
        assert got.dtype == np.float32
        found, got = cache.get([])
        assert (found.shape, got.shape) == ((0,), (0, 8))
        cache.put([], rows[:0])


def test_the_first_row_of_a_key_stays(tmp_path):
    keys, rows = keys_and_rows(3)
    with open_cache(tmp_path) as cache:
        cache.put(keys, rows)
        cache.put(keys, rows + 1)
        np.testing.assert_array_equal(cache.get(keys)[1], rows)


def test_rows_of_another_width_are_missing(tmp_path):
    keys, rows = keys_and_rows(3)
    with open_cache(tmp_path) as cache:
        cache.put(keys, rows)
    with open_cache(tmp_path, n_columns=7) as cache:
        assert not cache.get(keys)[0].any()


def test_folder_and_files_are_private(tmp_path):
    keys, rows = keys_and_rows(3)
    with open_cache(tmp_path / "new") as cache:
        cache.put(keys, rows)
        fill(tmp_path / "new", keys_and_rows(9)[0])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert {FILE, f"{FILE}-wal", f"{b'key'[0] % 4}.lock", "open.lock"} <= set(modes)
    assert {mode & 0o077 for mode in modes.values()} == {0}


def test_size_limit_holds_and_the_least_recently_used_go_first(tmp_path, monkeypatch):
    now = time.time()
    keys, rows = keys_and_rows(100, n_columns=250)  # 1,104 bytes a row
    with open_cache(tmp_path, 250, size_limit=100_000) as cache:
        cache.put(keys[:80], rows[:80])
        monkeypatch.setattr(time, "time", lambda: now + 7200)
        assert cache.get(keys[:10])[0].all()  # used again, two hours later
        cache.put(keys[80:], rows[80:])
        found, got = cache.get(keys)
        assert found[:10].all()
        assert found[80:].all()
        assert not found[10:20].any()
        assert 70 <= found.sum() <= 90
        np.testing.assert_array_equal(got, rows[found])
    connection = sqlite3.connect(tmp_path / FILE)
    assert connection.execute("SELECT bytes FROM total").fetchone()[0] == found.sum() * 1104
    connection.close()


def test_the_folder_stays_small(tmp_path):
    with open_cache(tmp_path, 384, size_limit=2e6) as cache:
        for start in range(0, 10_000, 500):
            cache.put(*keys_and_rows(500, 384, start))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2.5e6
    with open_cache(tmp_path, 384) as cache:
        assert cache.get([b"key 9999"])[0].all()


def test_a_row_that_was_changed_is_missing_and_is_stored_again(tmp_path):
    keys, rows = keys_and_rows(3)
    with open_cache(tmp_path) as cache:
        cache.put(keys, rows)
    connection = sqlite3.connect(tmp_path / FILE)
    with connection:
        connection.execute("UPDATE vectors SET value = zeroblob(36) WHERE key = ?", [keys[1]])
    connection.close()
    with open_cache(tmp_path) as cache:
        assert list(cache.get(keys)[0]) == [True, False, True]
        cache.put(keys, rows)
        np.testing.assert_array_equal(cache.get(keys)[1], rows)


@pytest.mark.parametrize("where", ["start", "middle"])
def test_a_damaged_file_is_moved_aside(tmp_path, where):
    keys, rows = keys_and_rows(5000)
    with open_cache(tmp_path) as cache:
        cache.put(keys, rows)
    data = bytearray((tmp_path / FILE).read_bytes())
    data[slice(0, 200) if where == "start" else slice(2000, len(data))] = b"damaged!" * (
        25 if where == "start" else (len(data) - 2000) // 8
    )
    (tmp_path / FILE).write_bytes(data)
    with open_cache(tmp_path) as cache:
        with pytest.warns(RuntimeWarning, match=r"is damaged .* moved to .*damaged-\w+, and a new cache"):
            assert not cache.get(keys)[0].any()
        cache.put(keys, rows)
        np.testing.assert_array_equal(cache.get(keys)[1], rows)
    (aside,) = tmp_path.glob("*.damaged-*")
    assert b"damaged!damaged!" in aside.read_bytes()


def test_a_folder_that_cannot_be_made_is_left_out_with_a_warning(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.warns(RuntimeWarning, match=r"cannot be used .* Texts are encoded without it") as warned:
        rows, encoded = fill(tmp_path / "file", keys_and_rows(600)[0])
    np.testing.assert_array_equal(rows, keys_and_rows(600)[1])
    assert len(encoded) == 600
    assert len(warned) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX users")
def test_a_read_only_folder_is_left_out_with_a_warning():
    with tempfile.TemporaryDirectory() as folder:
        keys, rows = keys_and_rows(10)
        with open_cache(folder) as cache:
            cache.put(keys, rows)
        root = os.geteuid() == 0
        for path in (Path(folder), *Path(folder).iterdir()):
            path.chmod(0o555 if path.is_dir() else 0o444)
        if root:  # who may write everywhere
            os.seteuid(65534)
        try:
            with pytest.warns(RuntimeWarning, match=r"cannot be used .*Permission"):
                got, encoded = fill(folder, keys)
        finally:
            if root:
                os.seteuid(0)
            Path(folder).chmod(0o700)
    np.testing.assert_array_equal(got, rows)
    assert len(encoded) == 10


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of file sizes")
def test_a_full_disk_is_a_warning_and_nothing_is_lost(tmp_path):
    code = """
        import resource, warnings
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        fill(sys.argv[2], keys_and_rows(1000)[0])
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            rows, encoded = fill(sys.argv[2], keys_and_rows(8_000)[0])
        np.testing.assert_array_equal(rows, keys_and_rows(8_000)[1])
        print(len(encoded) >= 7_000, len(warned), warned[0].message)
    """
    process = start(code, tmp_path)
    out = process.communicate(timeout=50)[0]
    assert process.returncode == 0
    assert out.startswith(f"True 1 The cache in {tmp_path} cannot be used")
    with open_cache(tmp_path) as cache:
        found, got = cache.get(keys_and_rows(1000)[0])
    assert found.all()
    np.testing.assert_array_equal(got, keys_and_rows(1000)[1])


def test_a_killed_writer_leaves_right_vectors(tmp_path):
    code = """
        for begin in range(0, 10**9, 200):
            with open_cache(sys.argv[2]) as cache:
                cache.put(*keys_and_rows(200, start=begin))
                print(begin, flush=True)
    """
    process = start(code, tmp_path)
    for _ in range(5):
        assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    rest = process.communicate(timeout=30)[0].split()
    assert process.returncode == -signal.SIGKILL
    n_put = 1000 + 200 * len(rest)  # and perhaps 200 more that it did not come to tell
    keys, rows = keys_and_rows(n_put + 200)
    with open_cache(tmp_path) as cache:
        found, got = cache.get(keys)
        assert found[:n_put].all()
        assert found.sum() in (n_put, n_put + 200)
        np.testing.assert_array_equal(got, rows[found])
        cache.put(*keys_and_rows(200, start=10**6))
        assert cache.get([b"key 1000000"])[0].all()


def test_two_processes_write_and_read_and_encode_each_key_once(tmp_path):
    code = """
        first, rows = int(sys.argv[3]), None
        for begin in range(first, first + 1200, 100):
            with open_cache(sys.argv[2]) as cache:
                cache.put(*keys_and_rows(100, start=begin))
                found, got = cache.get(keys_and_rows(1800)[0])
                np.testing.assert_array_equal(got, keys_and_rows(1800)[1][found])
                assert found[first : begin + 100].all()
        keys = keys_and_rows(2000)[0]
        rows, encoded = fill(sys.argv[2] + "/another", keys, seconds=0.02)
        np.testing.assert_array_equal(rows, keys_and_rows(2000)[1])
        print(*(key.decode()[4:] for key in encoded))
    """
    processes = [start(code, tmp_path, first) for first in (0, 600)]
    encoded = [process.communicate(timeout=50)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    with open_cache(tmp_path) as cache:
        assert cache.get(keys_and_rows(1800)[0])[0].all()
    assert sorted(map(int, encoded[0] + encoded[1])) == list(range(2000))


def test_threads_encode_each_key_once_and_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setattr(_cache, "_PIECE", 25)
    keys, rows = keys_and_rows(200)
    keys = [bytes([i % 4]) + key for i, key in enumerate(keys)]  # the first byte says which lock
    both = threading.Barrier(2)
    encoded, results = [], []

    def work():
        def encode(positions):
            if len(encoded) == 0:
                both.wait(20)  # breaks if one thread waits for the other's lock
            encoded.append(positions)
            return rows[positions]

        out = np.zeros_like(rows)
        with open_cache(tmp_path) as cache:
            cache.fill(keys, out, encode, lambda n: None)
        results.append(out)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert len(results) == 2
    for out in results:
        np.testing.assert_array_equal(out, rows)
    assert sorted(np.concatenate(encoded)) == list(range(200))


def test_what_encode_raises_comes_through_and_frees_the_lock(tmp_path):
    def encode(positions):
        raise KeyError("no model")

    keys, rows = keys_and_rows(5)
    with open_cache(tmp_path) as cache, pytest.raises(KeyError, match="no model"):
        cache.fill(keys, np.empty_like(rows), encode, lambda n: None)
    np.testing.assert_array_equal(fill(tmp_path, keys)[0], rows)
