"""Full disks, killed processes, changed files, damaged caches, clocks set back, memory that runs out.

Each fault is made to happen; what comes of it is a clear error or a warning, never a wrong or half result.
"""

import itertools
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from embtransfer import (
    MSDA,
    TCA,
    CompiledPipeline,
    OptimalTransport,
    SubspaceAlignment,
    WordEmbedder,
    WordVectors,
    cli,
    compare,
    compile_pipeline,
    fit_files,
    load_pipeline,
    make_adapter,
    make_classifier,
    make_report,
    make_transfer_pipeline,
    mmd,
    save_pipeline,
    score_file,
)
from embtransfer.datasets import fetch_banking77
from embtransfer.embedders._cache import EmbeddingCache
from embtransfer.streaming._spool import Spool
from embtransfer.system._folders import new_folder
from embtransfer.system._memory import available_memory, check_memory
from embtransfer.tables import TableReader
from embtransfer.word_vectors._cache import cache_folder, converted

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="faults are made as on Linux")
TEXTS, LABELS = ["good pan", "bad pan", "fine pot", "poor lid"], ["+", "-", "+", "-"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def models():
    """Two fitted pipelines that differ."""
    vectors = WordVectors(sorted(set(" ".join(TEXTS).split())), np.random.default_rng(0).normal(size=(7, 20)))
    return [
        make_transfer_pipeline(WordEmbedder(vectors), make_classifier("ridge")).fit(TEXTS, labels)
        for labels in (LABELS, LABELS[::-1])
    ]


@pytest.fixture
def source(tmp_path):
    return write_vectors(tmp_path / "vectors.txt")


def write_vectors(path, n=500, first=1.5):
    path.write_text("".join(f"word{i} {first + i} {-i}\n" for i in range(n)), "utf-8")
    return path


class small_files:
    """Within it no file can grow past a number of bytes: what a full disk does, for this process."""

    def __init__(self, n_bytes):
        self.n_bytes = n_bytes

    def __enter__(self):
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.n_bytes, self.before[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)
        signal.signal(signal.SIGXFSZ, self.handler)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def in_process(code, *words, **more):
    """A Python process that runs code, with `words` as its arguments."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def output_of(code, *words, **more):
    process = in_process(code, *words, **more)
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    return out.strip()


# ---------------------------------------------------------------- full disks
@pytest.mark.parametrize("compiled", [False, True], ids=["pipeline", "compiled"])
def test_full_disk_while_saving_keeps_the_earlier_model(tmp_path, models, compiled):
    path, texts = tmp_path / "model", [*TEXTS, "good lid"]
    if compiled:
        save, load = (lambda m: compile_pipeline(m).save(path, overwrite=True)), CompiledPipeline.load
    else:
        save, load = (lambda m: save_pipeline(m, path, overwrite=True)), load_pipeline
    save(models[0])
    largest = max(file.stat().st_size for file in path.iterdir())
    for size in (0, 300, largest // 2, largest - 1):
        with (
            small_files(size),
            pytest.raises(OSError, match=r"No space left to write .*model .*What was there"),
        ):
            save(models[1])
    assert list(load(path).predict(texts)) == list(models[0].predict(texts))
    assert names(tmp_path) == ["model"]
    with (
        small_files(300),
        pytest.raises(OSError, match=r"No space left to write .*Make room, or choose another"),
    ):
        save_pipeline(models[1], tmp_path / "new")
    assert names(tmp_path) == ["model"]


def test_full_disk_while_a_report_is_saved_keeps_all_three_files(tmp_path, models):
    data = ["good film", "bad film"] * 6, [1, 0] * 6, ["good pan", "bad pan"] * 6
    make_report(*data, model=models[0]).save(tmp_path / "report")
    before = {path: path.read_bytes() for path in (tmp_path / "report").iterdir()}
    sizes = sorted(map(len, before.values()))
    report = make_report(*data, model=models[0], title="another")
    for size in (100, sizes[1], sizes[2] - 1000):
        with small_files(size), pytest.raises(OSError, match=r"No space left to write the report to .*stays"):
            report.save(tmp_path / "report")
    assert {path: path.read_bytes() for path in (tmp_path / "report").iterdir()} == before


@pytest.mark.parametrize("size", [0, 2_000, 20_000])
def test_full_disk_while_vectors_are_converted(source, size):
    with small_files(size), pytest.warns(UserWarning, match="Can't keep the converted vectors in") as warned:
        vectors = WordVectors.load(source)
    assert vectors["word7"].tolist() == [8.5, -7]
    assert len(warned) == 1
    assert converted() == []
    assert [path.name for path in cache_folder().glob("*/*")] == []


def test_a_table_too_large_for_the_disk_is_not_begun(tmp_path):
    d = 1 << 22
    n = shutil.disk_usage(tmp_path).free // d  # words: of float16 they take twice what is free
    path = tmp_path / "vectors.bin"
    path.write_bytes(f"{n} {d}\n".encode() + b"word ")
    os.truncate(path, 4 * n * d)  # sparse: it takes no room itself
    with (
        pytest.warns(UserWarning, match=r"Can't keep .* MB are needed, [\d,]+ MB are free"),
        pytest.raises(MemoryError, match=r"A table of [\d,]+ words x 4194304 in memory would take .* Set"),
    ):
        WordVectors.load(path, format="word2vec-binary")


def test_full_disk_while_fitting_from_files(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    frame = pd.DataFrame({"text": TEXTS * 500, "label": LABELS * 500})
    frame.to_csv(tmp_path / "texts.csv", index=False)
    for classifier in ("ridge", "logistic"):
        pipeline = make_transfer_pipeline(WordEmbedder(), make_classifier(classifier))
        with small_files(100_000), pytest.raises(OSError, match=r"No space left to write the temp.*TMPDIR"):
            fit_files(pipeline, tmp_path / "texts.csv", batch_size=100)
        assert names(tmp_path / "tmp") == []
        assert not hasattr(pipeline[-1], "classes_")


def test_a_spool_that_was_cut_gives_no_rows_that_it_lacks(tmp_path):
    spool = Spool(tmp_path / "rows")
    spool.append(np.ones((1000, 4), np.float32))
    assert len(spool.rows(900, 1000)) == 100
    os.truncate(tmp_path / "rows", 8000)
    with pytest.raises(OSError, match="gave 0 bytes, expected 1,600: something cut it"):
        spool.rows(900, 1000)
    spool.close()


# ---------------------------------------------------------------- folders that cannot be written
def test_a_read_only_cache_is_read_and_done_without(monkeypatch):
    """As another user than root, who may write everywhere; a table that is kept, and one that is not."""
    with_open = Path("/tmp") / f"embtransfer-{os.getpid()}-{random.getrandbits(32):x}"
    with_open.mkdir(0o755)
    try:
        kept, other = (write_vectors(with_open / name) for name in ("kept.txt", "other.txt"))
        monkeypatch.setenv("EMBTRANSFER_CACHE", str(with_open / "cache"))
        WordVectors.load(kept)
        shutil.copytree(with_open / "cache", with_open / "copy")  # other times: content is compared
        for path in [*(with_open / "copy").rglob("*"), with_open / "copy"]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        monkeypatch.setenv("EMBTRANSFER_CACHE", str(with_open / "copy"))
        user = os.geteuid()
        try:
            if user == 0:
                os.seteuid(65534)
            assert WordVectors.load(kept)["word7"].tolist() == [8.5, -7]  # warnings are errors
            with pytest.warns(UserWarning, match="Can't keep the converted vectors in") as warned:
                assert WordVectors.load(other)["word7"].tolist() == [8.5, -7]
            assert len(warned) == 1
        finally:
            os.seteuid(user)
    finally:
        for path in [with_open / "copy", *(with_open / "copy").rglob("*")]:
            path.chmod(0o755)
        shutil.rmtree(with_open)


# ---------------------------------------------------------------- kill -9
# one process that imports once, and forks others, which save for ever and are killed at random moments
KILLED = """
import os, random, signal, sys, time
from embtransfer import CompiledPipeline, compile_pipeline, load_pipeline, make_report, save_pipeline
folder, *models = sys.argv[1:]
texts = ["good pan", "bad pan", "fine pot", "poor lid"]
data = ["good film", "bad film"] * 6, [1, 0] * 6, ["good pan", "bad pan"] * 6
pipelines, rng = [load_pipeline(model) for model in models], random.Random(0)
for kind in ("pipeline", "compiled", "report"):
    path = f"{folder}/{kind}"
    if kind == "report":
        things = [make_report(*data, title=title * 9) for title in "ab"]
        save = lambda report: report.save(path)
    elif kind == "compiled":
        things = [compile_pipeline(pipeline) for pipeline in pipelines]
        save = lambda model: model.save(path, overwrite=True)
    else:
        things = pipelines
        save = lambda model: save_pipeline(model, path, overwrite=True)
    save(things[0])
    began = time.perf_counter()
    save(things[0])
    once = time.perf_counter() - began
    found = []
    while len(found) < 10 or len(set(found)) < 2 and len(found) < 100:
        child = os.fork()
        if child == 0:
            while True:
                for thing in things:
                    save(thing)
        time.sleep(rng.uniform(0, 8 * once))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        if kind == "report":
            page = open(f"{path}/report.html").read()
            assert page.rstrip().endswith("</html>")
            found.append("aaaaaaaaa" in page)
        else:
            load = CompiledPipeline.load if kind == "compiled" else load_pipeline
            answer = list(load(path).predict(texts))
            found.append([list(thing.predict(texts)) for thing in things].index(answer))
    print(kind, len(set(found)))
"""


def test_killed_while_saving_leaves_what_is_whole(tmp_path, models):
    ours = [save_pipeline(model, tmp_path / f"model{i}") for i, model in enumerate(models)]
    said = output_of(KILLED, tmp_path, *ours).splitlines()
    assert said == ["pipeline 2", "compiled 2", "report 2"]  # both were met


def test_a_folder_that_is_replaced_is_always_there(tmp_path):
    """A process that dies between two steps would leave what others see between them."""
    path = tmp_path / "model"
    missing, stop = [], threading.Event()

    def look():
        while not stop.is_set():
            if not path.exists():
                missing.append(time.monotonic())

    with new_folder(path, replace=False) as folder:
        (folder / "config.json").write_text("0")
    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for i in range(300):
            with new_folder(path, replace=True) as folder:
                (folder / "config.json").write_text(str(i))
    finally:
        stop.set()
        watcher.join()
    assert missing == []
    assert (path / "config.json").read_text() == "299"
    assert names(tmp_path) == ["model"]


def test_a_folder_that_cannot_be_renamed_stays(tmp_path):
    path = tmp_path / "model"
    path.write_text("a file of that name")
    with pytest.raises(FileExistsError, match="model exists already: it was made meanwhile"):  # noqa: SIM117
        with new_folder(path, replace=False) as folder:
            (folder / "config.json").write_text("0")
    assert path.read_text() == "a file of that name"
    assert names(tmp_path) == ["model"]


def test_a_link_to_a_model_is_kept_and_its_model_replaced(tmp_path, models):
    save_pipeline(models[0], tmp_path / "real" / "model")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "model")
    save_pipeline(models[1], tmp_path / "link", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert list(load_pipeline(tmp_path / "real" / "model").predict(TEXTS)) == list(models[1].predict(TEXTS))
    assert names(tmp_path / "real") == ["model"]


def test_killed_while_converting_leaves_nothing_in_the_way(source):
    code = """if True:
        import os, random, shutil, signal, sys, time
        from embtransfer import WordVectors
        from embtransfer.word_vectors._cache import cache_folder, converted
        source, rng, kept = sys.argv[1], random.Random(1), 0
        WordVectors.load(source)
        shutil.rmtree(converted()[0]["folder"])
        began = time.perf_counter()
        WordVectors.load(source)
        once = time.perf_counter() - began
        for i in range(15):
            shutil.rmtree(converted()[0]["folder"]) if converted() else None
            child = os.fork()
            if child == 0:
                WordVectors.load(source)
                time.sleep(60)
            time.sleep(rng.uniform(0, (1 + i) * once))  # a busy machine takes many times as long
            os.kill(child, signal.SIGKILL)
            assert os.waitpid(child, 0)[1] == signal.SIGKILL
            assert all(table["n_words"] == 20_000 for table in converted())
            kept += len(converted())
        left = len(list(cache_folder().glob(".*")))
        vectors = WordVectors.load(source)
        print(0 < kept < 15, left, vectors[["word7", "word19999"]].tolist())
    """
    write_vectors(source, n=20_000)
    said = output_of(code, source)
    assert said.startswith("True ")
    assert said.endswith(" [[8.5, -7.0], [20000.5, -19999.0]]")
    assert len(WordVectors.load(source, max_words=9)) == 9
    shutil.rmtree(converted()[-1]["folder"])
    WordVectors.load(source)
    assert list(cache_folder().glob(".*")) == []  # what the killed ones left


# ---------------------------------------------------------------- two at once
def test_several_threads_save_to_the_same_folder(tmp_path, models):
    """As processes would: nothing but the file system is shared."""
    path = save_pipeline(models[0], tmp_path / "both")
    with ThreadPoolExecutor(4) as threads:
        saved = [threads.submit(save_pipeline, models[i % 2], path, overwrite=True) for i in range(40)]
        assert [one.result() for one in saved] == [path] * 40
    answers = [list(model.predict(TEXTS)) for model in models]
    assert list(load_pipeline(path).predict(TEXTS)) in answers
    assert names(tmp_path) == ["both"]


def test_of_two_that_make_a_new_model_one_is_refused(tmp_path, models):
    making = new_folder(tmp_path / "model", replace=False)
    (making.__enter__() / "config.json").write_text("the slower one")
    save_pipeline(models[0], tmp_path / "model")
    with pytest.raises(
        FileExistsError, match=r"model exists already: it was made meanwhile\. Choose another"
    ):
        making.__exit__(None, None, None)
    assert list(load_pipeline(tmp_path / "model").predict(TEXTS)) == list(models[0].predict(TEXTS))
    assert names(tmp_path) == ["model"]


# ---------------------------------------------------------------- clocks
@pytest.mark.parametrize("seconds", [0, 1, 2**33], ids=["1970", "1970 and a second", "in 2242"])
def test_times_of_files_are_compared_not_ordered(source, seconds):
    os.utime(source, (seconds, seconds))
    assert WordVectors.load(source)["word7"].tolist() == [8.5, -7]
    write_vectors(source, first=2.5)
    os.utime(source, (seconds, seconds))  # another file of the same size and time
    assert WordVectors.load(source)["word7"].tolist() == [9.5, -7]
    write_vectors(source, first=3.5)
    os.utime(source, (seconds / 2, seconds / 2))
    assert WordVectors.load(source)["word7"].tolist() == [10.5, -7]


def test_clocks_that_jump(tmp_path, source, monkeypatch):
    """Conversion, cache, scoring and their bars, where each look at the wall clock finds an earlier hour."""
    jump, real = itertools.count(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + 10**6 - 10_000 * next(jump))
    assert WordVectors.load(source)["word7"].tolist() == [8.5, -7]
    keys, rows = [bytes([i]) * 8 for i in range(200)], np.ones((200, 4), np.float32)
    for size in (1e6, 10_000):
        with EmbeddingCache(tmp_path / "embeddings", 4, size) as cache:
            cache.put(keys, rows)
            out = np.zeros_like(rows)
            cache.fill(keys, out, rows.__getitem__, str)
            assert (out == 1).all()
    model = make_transfer_pipeline(WordEmbedder(), make_classifier("ridge")).fit(["good", "bad"], ["+", "-"])
    (tmp_path / "in.csv").write_text("text\n" + "good pan\n" * 5000)
    reports, files = [], (tmp_path / "in.csv", tmp_path / "out.csv")
    done = score_file(model, *files, block_size=1000, monitor=reports.append)
    assert all(report.seconds >= 0 for report in reports)
    assert done.seconds > 0
    texts = [word + i * "!" for i in range(6) for word in ("good", "bad")]
    table = compare(texts, [0, 1] * 6, ["fine", "poor"] * 6, adapters=["none"], recipes=[])
    assert (table[["fit_seconds", "texts_per_second"]].to_numpy() > 0).all()
    assert next(jump) > 5  # the clock was asked
    assert done.rows_written == 5000


# ---------------------------------------------------------------- damaged caches
FILES = ["manifest.json", "matrix.npy", "slots.npy", "words.arrow"]


def flip(path, rng, n=1):
    data = bytearray(path.read_bytes())
    for _ in range(n):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


@pytest.mark.parametrize("file", FILES)
def test_flipped_bits_in_a_converted_table(source, file):
    write_vectors(source, n=50)
    expected = WordVectors.load(source).matrix.copy()
    path, rng = next(cache_folder().glob(f"*/{file}")), random.Random(file)
    for _ in range(40):
        flip(path, rng, rng.choice([1, 1, 4]))
        vectors = WordVectors.load(source)
        assert_array_equal(vectors.matrix, expected)
        assert vectors[["word7", "word49"]].tolist() == [[8.5, -7], [50.5, -49]]
        assert "word50" not in vectors


@pytest.mark.parametrize("file", FILES)
def test_files_of_another_table(tmp_path, source, file):
    other = write_vectors(tmp_path / "other.txt", first=2.5)
    WordVectors.load(source), WordVectors.load(other)
    one, two = sorted(cache_folder().glob(f"*/{file}"))
    one.rename(tmp_path / "aside")
    two.rename(one)  # which keeps all times but that of the change
    (tmp_path / "aside").rename(two)
    assert WordVectors.load(source)["word7"].tolist() == [8.5, -7]
    assert WordVectors.load(other)["word7"].tolist() == [9.5, -7]


def test_a_copied_cache_is_compared_once_and_kept(tmp_path, source, monkeypatch):
    WordVectors.load(source)
    shutil.copytree(tmp_path / "cache", tmp_path / "copy")
    monkeypatch.setenv("EMBTRANSFER_CACHE", str(tmp_path / "copy"))
    made = next(cache_folder().glob("*/matrix.npy")).stat().st_ino
    assert WordVectors.load(source)["word7"].tolist() == [8.5, -7]
    table = converted()[0]
    assert table["times"]["matrix.npy"][1] == next(cache_folder().glob("*/matrix.npy")).stat().st_ctime_ns
    assert next(cache_folder().glob("*/matrix.npy")).stat().st_ino == made


def test_flipped_bits_in_the_embedding_cache(tmp_path):
    keys = [f"key {i}".encode() for i in range(300)]
    rows = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    with EmbeddingCache(tmp_path / "good", 8, 1e9) as cache:
        cache.put(keys, rows)
    good, rng = (tmp_path / "good" / "embeddings.sqlite3").read_bytes(), random.Random(0)
    pages = range(0, len(good), 16384)
    near = [at for at in range(len(good)) if good.startswith(b"key ", at)]
    damaged = 0
    for i in range(60):
        data, folder = bytearray(good), tmp_path / str(i)
        for _ in range(rng.choice([1, 3, 30])):
            places = (
                rng.randrange(200),
                rng.choice(pages) + rng.randrange(300),
                rng.choice(near) + rng.randrange(-8, 12),
            )
            data[rng.choice([*places, rng.randrange(len(data))])] ^= 1 << rng.randrange(8)
        folder.mkdir()
        (folder / "embeddings.sqlite3").write_bytes(data)
        damaged += check_fill(folder, keys, rows, rng.choice([1e9, 1e4]))
    assert damaged > 12  # were told, the others were single rows, or what nobody reads


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE vectors SET value = 'text'", True),
        ("UPDATE vectors SET value = CAST(x'ff80' AS TEXT)", True),
        ("UPDATE vectors SET used = x'00'", True),
        ("DELETE FROM total", False),
        ("UPDATE total SET bytes = 'many'", True),
        ("DROP TABLE vectors", False),
        ("UPDATE vectors SET value = zeroblob(36)", False),
        ("UPDATE vectors SET used = 1 << 40", False),  # by a clock that was ahead
    ],
)
def test_an_embedding_cache_with_other_values(tmp_path, change, told):
    import sqlite3

    keys, rows = [b"key 1", b"key 2"], np.ones((2, 8), np.float32)
    with EmbeddingCache(tmp_path, 8, 1e9) as cache:
        cache.put(keys[:1], rows[:1])
    connection = sqlite3.connect(tmp_path / "embeddings.sqlite3")
    with connection:
        connection.execute(change)
    connection.close()
    assert check_fill(tmp_path, keys, rows, 1e9) == told


def check_fill(folder, keys, rows, size):
    """Whether a warning came; the rows are right in any case."""
    out = np.full_like(rows, np.nan)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with EmbeddingCache(folder, rows.shape[1], size) as cache:
            cache.fill(keys, out, lambda positions: rows[positions], lambda n: None)
    assert_array_equal(out, rows)
    assert all("is damaged" in str(w.message) or "cannot be used" in str(w.message) for w in warned)
    return bool(warned)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.replace(b"fee", b"fed"), None),
        (lambda data: data + b"cut shor", "is damaged: a row has too few fields. Delete the file"),
        (lambda data: data.replace(b"oh", b"\xff\xfe"), "is damaged: .*decode.* Delete the file to download"),
        (lambda data: b"", "Got the columns None in .*, expected text and category. Delete the file"),
    ],
    ids=["flipped", "cut", "no text", "emptied"],
)
def test_a_damaged_download(tmp_path, change, message):
    train = b'text,category\nmy card?,card\n"why, oh why",fee\n'
    (tmp_path / "banking77").mkdir()
    (tmp_path / "banking77" / "train.csv").write_bytes(change(train))
    (tmp_path / "banking77" / "test.csv").write_bytes(b"text,category\nstill?,card\n")
    if message is None:
        with pytest.warns(UserWarning, match=r"Got .*(train|test)\.csv, which is not the published file"):
            fetch_banking77(data_home=tmp_path)
    else:
        with pytest.raises(ValueError, match=message):
            fetch_banking77(data_home=tmp_path)


def test_a_kept_kernel_that_was_cut_is_compiled_anew(tmp_path):
    """What a loss of power leaves: numba itself raises EOFError or UnpicklingError ever after."""
    code = "from embtransfer.kernels._compiling import njit\n"
    code += "@njit\ndef more(n): return n + 1\n"
    (tmp_path / "kernel.py").write_text(
        f"{code}print(more(1), more._cache_hits[next(iter(more.overloads))], flush=True)\n"
    )
    # numba is imported once, and each run is a fork, which has not seen the kernel
    code = """if True:
        import os, sys
        from pathlib import Path
        import embtransfer.kernels._compiling
        def run():
            child = os.fork()
            if child == 0:
                import kernel
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        run(), run()
        for kind, size in (("nbi", 0), ("nbi", 100), ("nbc", 8)):
            (kept,) = Path("kept").rglob(f"*.{kind}")
            kept.write_bytes(kept.read_bytes()[:size])
            run(), run()
    """
    own = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    process = in_process(code, cwd=tmp_path, env={**os.environ, **own})
    out, error = process.communicate(timeout=120)
    assert not error
    assert out.splitlines() == ["2 0", "2 1"] * 4


# ---------------------------------------------------------------- inputs that change
def rows_of(path, act):
    for batch in TableReader(path).batches(["text"], batch_size=2):
        if batch.num_rows and act:
            act, now = None, act
            now()
        yield from batch.column("text").to_pylist()


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("fault", ["truncated", "replaced", "appended to", "gone"])
def test_a_table_that_changes_while_it_is_read(tmp_path, ending, fault):
    path = tmp_path / f"texts{ending}"
    frame = pd.DataFrame({"text": [f"text {i} {'x' * 5000}" for i in range(400)]})
    save = {
        ".csv": lambda to: frame.to_csv(to, index=False),
        ".jsonl": lambda to: frame.to_json(to, orient="records", lines=True),
        ".parquet": frame.to_parquet,
    }[ending]
    save(path), save(tmp_path / f"other{ending}")
    os.utime(path, (1, 1))  # both may be written within one tick of the clock
    acts = {
        "truncated": lambda: os.truncate(path, path.stat().st_size // 2),
        "replaced": lambda: (tmp_path / f"other{ending}").replace(path),
        "appended to": lambda: path.write_bytes(path.read_bytes() + b"\n"),
        "gone": path.unlink,
    }
    message = (
        "There is no file .* any more"
        if fault == "gone"
        else r"texts.* changed while it was read\. Leave it|texts\.jsonl, line 201: got no JSON"
    )
    with pytest.raises((ValueError, OSError), match=message):
        list(rows_of(path, acts[fault]))


def test_a_source_that_changes_between_passes(tmp_path):
    path = tmp_path / "texts.csv"
    pd.DataFrame({"text": TEXTS, "label": LABELS}).to_csv(path, index=False)

    def change(done, total, what):
        if what == "Counting words":
            pd.DataFrame({"text": TEXTS[::-1], "label": LABELS}).to_csv(path, index=False)
            os.utime(path, (1, 1))

    pipeline = make_transfer_pipeline(WordEmbedder(pooling="sif"), make_classifier("ridge"))
    with pytest.raises(ValueError, match=r"texts\.csv changed while it was read"):
        fit_files(pipeline, path, progress=change)


@pytest.mark.parametrize("fault", ["replaced", "written to"])
def test_vectors_that_change_while_they_are_converted(tmp_path, source, fault):
    write_vectors(source, n=200_000)
    other = write_vectors(tmp_path / "other.txt", n=200_000, first=2.5)

    def progress(done, total, description):
        if other.exists():
            if fault == "replaced":
                other.replace(source)
            else:
                with open(source, "ab") as file:
                    file.write(other.read_bytes()[-20:])
                other.unlink()

    with pytest.raises(ValueError, match=r"vectors\.txt changed while it was read. Load it when|line 200001"):
        WordVectors.load(source, progress=progress)
    assert not other.exists()
    assert converted() == []
    write_vectors(source, n=10)
    assert len(WordVectors.load(source)) == 10


# ---------------------------------------------------------------- memory
def test_what_is_left_and_who_limits_it():
    left, limit = available_memory()
    assert 0 < left < 1 << 50
    assert limit.startswith("the ")
    check_memory(left / 2, "Half", "Nothing.")
    with pytest.raises(
        MemoryError, match=r"All of it would take .* but the .* leaves [\d,.]+ [GM]B. Take less."
    ):
        check_memory(left * 3, "All of it", "Take less.")


def test_limits_of_the_process():
    code = """if True:
        import resource
        import numpy as np
        from embtransfer import CORAL
        from embtransfer.system._memory import available_memory
        X = np.random.default_rng(0).normal(size=(20, 2000)).astype(np.float32)
        for taken, field in ((resource.RLIMIT_AS, "VmSize:"), (resource.RLIMIT_DATA, "VmData:")):
            status = open("/proc/self/status").read().split()
            now = 1024 * int(status[status.index(field) + 1])
            resource.setrlimit(taken, (now + (200 << 20), -1))
            left, who = available_memory()
            assert left < 201 << 20, left
            try:
                CORAL().fit(X, X_target=X + 1)
            except MemoryError as error:
                print(error)
            CORAL().fit(X[:, :300], X_target=X[:, :300] + 1)
            resource.setrlimit(taken, (-1, -1))
    """
    message = (
        "Aligning the covariances of 2,000 columns would take 320 MB, but the limit of the process (ulimit "
    )
    for line, option in zip(output_of(code).splitlines(), ("-v", "-d"), strict=True):
        assert line.startswith(message + option)


def test_the_limit_of_a_control_group(tmp_path, monkeypatch):
    from embtransfer.system import _memory

    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    for v2 in (True, False):
        shutil.rmtree(tmp_path / "cgroup", ignore_errors=True)
        folder = groups / ("a/b" if v2 else "memory/a/b")
        folder.mkdir(parents=True)
        (proc / "self").mkdir(parents=True, exist_ok=True)
        (proc / "self" / "cgroup").write_text("0::/a/b\n" if v2 else "5:cpu:/\n4:memory:/a/b\n0::/\n")
        limit, usage, prefix = (
            ("max", "current", "") if v2 else ("limit_in_bytes", "usage_in_bytes", "total_")
        )
        (folder / f"memory.{limit}").write_text("max\n" if v2 else "9223372036854771712\n")
        (folder.parent / f"memory.{limit}").write_text("1000000000\n")  # the limits above hold too
        (folder.parent / f"memory.{usage}").write_text("700000000\n")
        (folder.parent / "memory.stat").write_text(f"{prefix}inactive_file 100000000\nanon 5\n")
        monkeypatch.setattr(_memory, "_PROC", proc)
        monkeypatch.setattr(_memory, "_CGROUPS", groups)
        assert available_memory() == (400_000_000, "the limit of the control group")
        with pytest.raises(
            MemoryError, match=r"It would take 1\.0 GB, but the limit of the control group leaves 400 MB"
        ):
            check_memory(1e9, "It", "")


def test_where_the_system_says_nothing(tmp_path, monkeypatch):
    from embtransfer.system import _memory

    monkeypatch.setattr(_memory, "_PROC", tmp_path)
    monkeypatch.setattr(_memory, "_CGROUPS", tmp_path)
    check_memory(1e30, "Everything", "Nothing.")


def ask_too_much():
    """Calls that would take more than any machine has, with inputs that are small."""
    rng = np.random.default_rng(0)
    n = 600_000
    tall, wide = rng.normal(size=(n, 1)), np.zeros((2, n), np.float32)
    words = WordEmbedder(WordVectors(["good"], np.ones((1, n // 2), np.float32)))
    texts = np.array(["good"] * n, object)
    return {
        "Aligning the covariances of 600,000 columns .* TruncatedSVD": lambda: SubspaceAlignment().fit(wide),
        "Aligning the cov": lambda: make_adapter("coral").fit(wide, X_target=wide),
        "TCA with 1,200,000 landmarks .* Lower n_land": lambda: TCA(n_landmarks=None).fit(
            tall, X_target=tall
        ),
        "A transport plan between 600,000 and 600,000 rows .* Lower n_samples": lambda: OptimalTransport(
            n_samples=None
        ).fit(tall, X_target=tall + 1),
        "Reconstructing 600,000 of 600,000 columns .* Lower n_features": lambda: MSDA(n_features=n).fit(wide),
        "The kernel matrix of 1,200,000 rows .* Lower max_rows": lambda: mmd(tall, tall + 1, max_rows=n),
        "The vectors of 600,000 texts, 300,000 numbers each": lambda: words.fit(["good"]).transform(texts),
    }


@pytest.mark.parametrize("message", ask_too_much())
def test_what_no_machine_holds_is_refused_at_once(message):
    if message.startswith("A transport"):
        pytest.importorskip("ot")
    began = time.perf_counter()
    with pytest.raises(
        MemoryError, match=rf"{message}|{message.partition(' .*')[0]}.*would take [\d,.]+ GB, but"
    ):
        ask_too_much()[message]()
    assert time.perf_counter() - began < 20


def test_the_command_line_says_it_in_a_line(tmp_path, monkeypatch, capsys):
    from embtransfer.system import _memory

    pd.DataFrame({"text": ["good pan", "bad pan"] * 20, "label": [1, 0] * 20}).to_csv(tmp_path / "a.csv")
    monkeypatch.setattr(_memory, "_SMALL", 0)  # small enough for a test
    monkeypatch.setattr(_memory, "_of_process", lambda: [(1000, "the limit of the process (ulimit -v)")])
    words = ["embtransfer", "fit", "--source", f"{tmp_path}/a.csv", "-o", f"{tmp_path}/model"]
    monkeypatch.setattr(sys, "argv", [*words, "--embedder", "word_mean"])
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main()
    error = capsys.readouterr().err
    assert "Error: The vectors of 40 texts, 50 numbers each, would take 0 MB, but the limit" in error
    assert "Traceback" not in error
