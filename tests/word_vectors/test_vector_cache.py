"""Converted tables: mapped, kept apart, made anew when the source changes, safe with two at once."""

import copy
import json
import mmap
import os
import pickle
import signal
import subprocess
import sys
import time
import zipfile

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from embtransfer import WordEmbedder, WordVectors
from embtransfer.word_vectors import _conversion
from embtransfer.word_vectors._cache import cache_folder, converted


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def source(tmp_path):
    return write(tmp_path / "vectors.txt")


def write(path, n=500, first=1.5):
    path.write_text("".join(f"word{i} {first + i} {-i}\n" for i in range(n)), "utf-8")
    return path


def is_mapped(array):
    while array is not None and not isinstance(array, mmap.mmap):
        array = getattr(array, "base", None)
    return array is not None


def parts_left():
    return [path.name for path in cache_folder().glob(".*")]


# ---------------------------------------------------------------- mapped
def test_the_second_load_maps_what_the_first_wrote(source):
    first = WordVectors.load(source)
    second = WordVectors.load(source)
    for vectors in (first, second):
        assert is_mapped(vectors.matrix)
        assert not vectors.matrix.flags.writeable
    assert second.words == first.words == [f"word{i}" for i in range(500)]
    assert_array_equal(second.matrix, first.matrix)
    assert second.checksum == first.checksum == WordVectors.load(source, cache=False).checksum
    assert [table["name"] for table in converted()] == ["vectors.txt"]
    assert parts_left() == []


def test_a_later_load_reads_neither_the_source_nor_the_table(source):
    WordVectors.load(source)
    code = f"""if True:
        import sys, embtransfer, pyarrow
        read = set()
        sys.addaudithook(lambda event, args: read.add(str(args[0])) if event == "open" else None)
        vectors = embtransfer.WordVectors.load({str(source)!r})
        assert {str(source)!r} not in read
        assert "numba" not in sys.modules and "gensim" not in sys.modules
        print(len(vectors), vectors.matrix[3].tolist())
    """
    assert run(code) == "500 [4.5, -3.0]"


def run(code):
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_rows_equal_those_in_memory(source):
    texts = ["word3 word4", "word499 none", "none", ""]
    kept = WordEmbedder(WordVectors.load(source)).fit_transform(texts)
    assert_array_equal(kept, WordEmbedder(WordVectors.load(source, cache=False)).fit_transform(texts))
    assert_array_equal(kept, [[5, -3.5], [500.5, -499], [0, 0], [0, 0]])


@pytest.mark.parametrize("pooling", ["mean", "idf", "sif", "max", "power_means"])
@pytest.mark.parametrize("d", [1, 15, 16, 17, 50, 300])
def test_mapped_float16_pools_as_float32(tmp_path, d, pooling):
    rng = np.random.default_rng(d)
    matrix = (rng.normal(size=(40, d)) * 10.0 ** rng.integers(-9, 4, (40, 1))).astype(
        np.float16
    )  # subnormal too
    path = tmp_path / "vectors.npy"
    np.save(path, matrix)
    (tmp_path / "vectors.words.txt").write_text("".join(f"word{i}\n" for i in range(40)))
    texts = [" ".join(f"word{i}" for i in rng.integers(0, 44, n)) for n in (0, 1, 2, 7, 600, 2000)]
    half = WordEmbedder(WordVectors.load(path), pooling=pooling)
    full = WordEmbedder(WordVectors.load(path, dtype="float32"), pooling=pooling)
    assert half.fit(texts).vectors_.matrix.dtype == np.float16
    assert_allclose(half.transform(texts), full.fit_transform(texts), rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------- made anew
def test_a_changed_source_is_converted_anew(source):
    old = WordVectors.load(source)
    write(source, first=2.5)
    new = WordVectors.load(source)
    assert_array_equal(new.matrix[:, 0], old.matrix[:, 0] + 1)
    assert old.matrix[0, 0] == 1.5  # what is mapped stays
    assert len(converted()) == 1


def test_a_touched_source_is_not(source):
    WordVectors.load(source)
    made = next(cache_folder().glob("*/matrix.npy")).stat().st_ino
    os.utime(source, (1, 1))
    WordVectors.load(source)
    assert next(cache_folder().glob("*/matrix.npy")).stat().st_ino == made
    os.utime(source, (2, 2))
    source.write_bytes(source.read_bytes().replace(b"word0 1.5", b"word0 9.5"))
    assert WordVectors.load(source).matrix[0, 0] == 9.5


def test_a_source_that_is_gone_is_not_missed(source):
    WordVectors.load(source)
    source.unlink()
    assert len(WordVectors.load(source)) == 500


def test_parameters_are_kept_apart(source):
    assert len(WordVectors.load(source, max_words=10)) == 10
    assert WordVectors.load(source, dtype="float16").matrix.dtype == np.float16
    assert len(WordVectors.load(source)) == 500
    assert sorted(table["n_words"] for table in converted()) == [10, 500, 500]


@pytest.mark.parametrize("cache", [True, False])
def test_max_words_needs_no_more_of_the_file(source, cache):
    with open(source, "a") as file:
        file.write("damaged 1 x\n" * 10)
    vectors = WordVectors.load(source, max_words=3, cache=cache)
    assert vectors.words == ["word0", "word1", "word2"]


@pytest.mark.parametrize("cache", [True, False])
def test_float16_that_overflows_is_refused(source, cache):
    source.write_text("good 1 2\nbad 3 1e6\n")
    with pytest.raises(ValueError, match=r"NaN or infinity in row 1 \('bad'\), as float16"):
        WordVectors.load(source, dtype="float16", cache=cache)
    assert converted() == []
    assert not cache or parts_left() == []


def test_duplicates_are_left_out_of_the_converted_table(source):
    with open(source, "a") as file:
        file.write("word3 0 0\nword500 7 8\nword4 0 0\n")
    with pytest.warns(UserWarning, match=r"2 words came more than once \(the first: 'word3' in row 500\)"):
        WordVectors.load(source)
    vectors = WordVectors.load(source)
    assert vectors.words[-1] == "word500"
    assert_array_equal(vectors[["word3", "word500"]], [[4.5, -3], [7, 8]])
    with pytest.warns(UserWarning, match="2 words came more than once"):
        assert WordVectors.load(source, cache=False).checksum == vectors.checksum


# ---------------------------------------------------------------- damage
@pytest.mark.parametrize("file", ["manifest.json", "matrix.npy", "slots.npy", "words.arrow"])
@pytest.mark.parametrize("damage", ["cut", "gone", "empty"])
def test_a_damaged_table_is_made_anew(source, file, damage):
    expected = WordVectors.load(source).matrix.copy()
    path = next(cache_folder().glob(f"*/{file}"))
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-5] if damage == "cut" else b"")
    vectors = WordVectors.load(source)
    assert_array_equal(vectors.matrix, expected)
    assert vectors["word7"].tolist() == [8.5, -7]


def test_a_table_of_another_version_is_made_anew(source):
    WordVectors.load(source)
    path = next(cache_folder().glob("*/manifest.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 99}))
    assert converted() == []
    assert len(WordVectors.load(source)) == 500


def test_a_damaged_source_leaves_nothing(source):
    with open(source, "a") as file:
        file.write("bad 1\n")
    with pytest.raises(ValueError, match="line 501: got 1 numbers"):
        WordVectors.load(source)
    assert converted() == []
    assert parts_left() == []


def test_a_cache_that_cannot_be_written_is_done_without(source, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="Can't keep the converted vectors in .*EMBTRANSFER_CACHE"):
        vectors = WordVectors.load(source)
    assert vectors["word7"].tolist() == [8.5, -7]
    assert len(pickle.loads(pickle.dumps(vectors))) == 500


def test_a_member_of_an_archive_does_without_the_cache_too(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.txt", "good 1 2\n")
        archive.writestr("b.txt", "bad 3 4\n")
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="Can't keep the converted vectors"):
        assert WordVectors.load(tmp_path / "two.zip" / "b.txt").words == ["bad"]


def test_another_name_is_no_other_table(source):
    assert [WordVectors.load(source, name=name).name for name in ("one", "two")] == ["one", "two"]
    assert len(converted()) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_a_full_disk_is_done_without(source, monkeypatch):
    def full(path, mode):
        return open("/dev/full" if mode == "wb" else path, mode)

    monkeypatch.setattr(_conversion, "open", full, raising=False)
    with pytest.warns(UserWarning, match="Can't keep the converted vectors in .*No space left"):
        vectors = WordVectors.load(source)
    assert len(vectors) == 500
    assert parts_left() == []


# ---------------------------------------------------------------- two at once
def test_two_processes_convert_once(source):
    write(source, n=20_000)
    code = f"""if True:
        from embtransfer import WordVectors
        from embtransfer.word_vectors import _cache
        real = _cache._convert
        def convert(*args):
            print("converted", end=" ")
            return real(*args)
        _cache._convert = convert
        vectors = WordVectors.load({str(source)!r})
        print(len(vectors), vectors["word19999"].tolist())
    """
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in "ab"]
    said = sorted(process.communicate()[0].strip() for process in both)
    assert said == ["20000 [20000.5, -19999.0]", "converted 20000 [20000.5, -19999.0]"]


def test_a_killed_conversion_is_begun_again(source):
    code = f"""if True:
        from embtransfer import WordVectors
        import sys, time
        def progress(done, total, description):
            print("working", flush=True)
            time.sleep(60)
        WordVectors.load({str(source)!r}, progress=progress)
    """
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "working\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert converted() == []
    assert len(WordVectors.load(source)) == 500


# ---------------------------------------------------------------- shared
def test_pickles_refer_to_the_table(source):
    vectors = WordVectors.load(source, name="own")
    data = pickle.dumps(vectors)
    assert len(data) < 1000
    again = pickle.loads(data)
    assert again.name == "own"
    assert is_mapped(again.matrix)
    assert_array_equal(again.matrix, vectors.matrix)
    assert copy.deepcopy(vectors) is vectors


def test_a_pickle_finds_the_table_by_checksum_or_converts_the_source(source, tmp_path, monkeypatch):
    data = pickle.dumps(WordVectors.load(source))
    moved = tmp_path / "moved.txt"
    source.rename(moved)
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "other"))
    with pytest.raises(
        FileNotFoundError, match=r"refers to the vectors 'vectors\.txt'.*vectors convert FILE"
    ):
        pickle.loads(data)
    WordVectors.load(moved, max_words=499)
    with pytest.raises(FileNotFoundError, match="neither among this machine's converted tables"):
        pickle.loads(data)
    WordVectors.load(moved)
    assert len(pickle.loads(data)) == 500
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "third"))
    moved.rename(source)
    assert len(pickle.loads(data)) == 500
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "fourth"))
    write(source, first=3)
    with pytest.raises(ValueError, match="Got a model made with other vectors than"):
        pickle.loads(data)


def test_pickles_hold_the_table_on_request(source):
    vectors = WordVectors.load(source)
    from embtransfer.word_vectors import embedded_tables

    with embedded_tables():
        data = pickle.dumps([vectors, WordVectors.bundled()])
    assert len(data) > 5_000_000
    again, bundled = pickle.loads(data)
    assert again.checksum == vectors.checksum
    assert not is_mapped(again.matrix)
    assert bundled.checksum == WordVectors.bundled().checksum


def test_workers_map_the_same_file(source):
    embedder = WordEmbedder(WordVectors.load(source)).fit(["word1"])
    rows = joblib.Parallel(2)(joblib.delayed(embedder.transform)([f"word{i}"]) for i in range(4))
    assert_array_equal(np.concatenate(rows), [[1.5 + i, -i] for i in range(4)])


def test_an_embedder_takes_a_path(source):
    embedder = WordEmbedder(str(source)).fit(["word1"])
    assert embedder.vectors_.name == "vectors.txt"
    began = time.perf_counter()
    WordEmbedder(str(source)).fit(["word1"])
    assert time.perf_counter() - began < 1  # not read again


# ---------------------------------------------------------------- parameters
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dtype": "float64"}, "Got dtype='float64'. Expected 'float32', 'float16' or None"),
        ({"max_words": 0}, "Got max_words=0. Expected a positive integer"),
        ({"max_words": 1.5}, "Got max_words=1.5. Expected a positive integer"),
    ],
)
def test_bad_parameters(source, parameters, message):
    with pytest.raises(ValueError, match=message):
        WordVectors.load(source, **parameters)


def test_progress_reaches_the_end(source):
    seen = []
    WordVectors.load(source, progress=lambda *step: seen.append(step))
    assert seen[-1] == (*(source.stat().st_size,) * 2, f"Reading {source.name}")
    seen.clear()
    WordVectors.load(source, progress=lambda *step: seen.append(step))
    assert seen == []


def test_the_cache_is_private(source):
    WordVectors.load(source)
    folder = next(path for path in cache_folder().iterdir() if path.is_dir())
    assert folder.stat().st_mode & 0o077 == 0
