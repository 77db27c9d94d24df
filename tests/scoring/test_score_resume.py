"""Runs that are killed, interrupted or out of space go on to the same bytes, or say why they cannot."""

import gzip
import inspect
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from embtransfer import (
    CompiledPipeline,
    WordEmbedder,
    compile_pipeline,
    make_classifier,
    make_transfer_pipeline,
    score_file,
)
from embtransfer.cli import app
from embtransfer.scoring._journal import PartFile

COMMAND = Path(sys.executable).with_name("embtransfer")


class EvenOrOdd:
    """A model as slow as it is told to be."""

    classes_ = np.array(["even", "odd"])

    def __init__(self, pause=0.0):
        self.pause = pause

    def predict(self, texts):
        time.sleep(self.pause)
        return self.classes_[[len(text) % 2 for text in texts.to_pylist()]]


# scores slowly, and keeps its journal up to date
SCRIPT = f"""
import json, sys, time
import numpy as np
from embtransfer import score_file
from embtransfer.scoring import _run

{inspect.getsource(EvenOrOdd)}
source, destination, options, pause = sys.argv[1:]
_run._SECONDS = 0.01
score_file(EvenOrOdd(float(pause)), source, destination, **json.loads(options))
"""
OPTIONS = {"block_size": 4_000, "on_error": "skip", "model_id": "even or odd"}
N = 1_000


def text(i):
    return f'text {i}, "quoted"\nand é' + "x" * (i * 7919 % 90) if i % 10 != 7 else ""


def write(folder, ending, n=N):
    """Two files, with malformed rows where the format can have them."""
    folder.mkdir()
    for part in range(2):
        ids = range(part * n, part * n + n)
        path = folder / f"{part}{ending}"
        if ending == ".parquet":
            pq.write_table(
                pa.table({"id": list(ids), "text": [text(i) for i in ids]}), path, row_group_size=100
            )
        elif ending.startswith(".csv"):
            frame = pd.DataFrame({"id": ids, "text": [text(i) for i in ids]})
            data = frame.to_csv(index=False).replace('\n5,"', '\nbad\n5,"').encode()
            with pa.output_stream(str(path), compression="gzip" if ending.endswith("gz") else None) as file:
                file.write(data)
        else:
            lines = [json.dumps({"id": i, "text": text(i)}) for i in ids]
            lines[n // 2 : n // 2] = ["{bad", "[]"]
            path.write_text("\n".join(lines))
    return folder


def start(source, destination, pause=0.02, **options):
    """A process that scores, to be killed."""
    words = [str(source), str(destination), json.dumps(OPTIONS | options), str(pause)]
    return subprocess.Popen([sys.executable, "-c", SCRIPT, *words], stderr=subprocess.PIPE)


def run(source, destination, **options):
    return score_file(EvenOrOdd(), source, destination, **OPTIONS, **options)


def counts(report):
    return report.rows_read, report.rows_written, report.rows_rejected, report.rows_without_text


def invoke(words, **options):
    return CliRunner().invoke(app, list(map(str, words)), **options)


def left_in(folder):
    return sorted(path.suffix for path in folder.iterdir() if path.name.startswith("."))


def wait_for_journal(process, folder, at_least=2_000):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if any(path.stat().st_size > at_least for path in folder.glob(".*.journal")):
            return True
        time.sleep(0.005)
    return False


# kill -9


@pytest.mark.parametrize(
    ("ending", "out_ending", "n_kills"),
    [(".csv.gz", ".jsonl.zst", 2), (".jsonl", ".parquet", 1), (".parquet", ".csv", 1)],
)
def test_killed_at_any_moment(tmp_path, ending, out_ending, n_kills):
    source = write(tmp_path / "in", ending)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    name = f"out{out_ending}"
    undisturbed = run(source, whole / name, n_jobs=2)
    rng = random.Random(ending)
    resumed = 0
    for _ in range(n_kills):
        options = {"resume": True, "n_jobs": rng.choice([1, 2, 4])}
        pause = 0.2 if ending == ".parquet" else 0.02  # its blocks are few
        process = start(source, killed / name, pause, **options)
        before = sum(path.stat().st_size for path in killed.glob(".*.journal"))
        if wait_for_journal(process, killed, before):
            resumed += 1
            time.sleep(rng.uniform(0, 0.15))
        process.kill()
        error = process.communicate()[1].decode()
        assert process.returncode == -signal.SIGKILL, error
        assert not (killed / name).exists()
    assert resumed == n_kills
    last = run(source, killed / name, resume=True)
    assert counts(last) == counts(undisturbed)
    assert last.rows_without_text == 2 * N / 10
    assert last.rows_resumed > 0
    for path in whole.iterdir():
        assert (killed / path.name).read_bytes() == path.read_bytes(), path.name
    assert left_in(killed) == left_in(whole) == []
    if out_ending == ".parquet":
        assert pq.read_table(killed / name)["text"].to_pylist() == [text(i) for i in range(2 * N)]


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory):
    """A run that was killed when a part was done: its source, and the folder that it wrote to."""
    folder = tmp_path_factory.mktemp("stopped")
    source, out = write(folder / "in", ".csv"), folder / "out"
    out.mkdir()
    process = start(source, out / "a.csv")
    assert wait_for_journal(process, out, 3_000)
    process.kill()
    process.communicate()
    shutil.copytree(out, folder / "kept")
    return source, out, folder / "kept"


@pytest.fixture
def stopped(stopped_once):
    """Its source, and its destination with what was written, each time as the run left it."""
    source, out, kept = stopped_once
    shutil.rmtree(out)
    shutil.copytree(kept, out)
    return source, out / "a.csv"


def test_a_run_that_ended_leaves_nothing_to_resume_and_the_next_says_so_before_it_begins(tmp_path):
    source = write(tmp_path / "in", ".csv")
    with pytest.warns(UserWarning, match=r"Nothing to resume of a\.csv: began anew\.$"):
        run(source, tmp_path / "a.csv", resume=True)
    before = (tmp_path / "a.csv").read_bytes()
    with pytest.raises(UserWarning, match=r"began anew\. The file that is there is whole, .*: stop this run"):
        run(source, tmp_path / "a.csv", resume=True)  # warnings are errors here
    assert (tmp_path / "a.csv").read_bytes() == before
    assert left_in(tmp_path) == []


def test_without_resume_it_begins_anew(stopped):
    source, out = stopped[0], stopped[1].parent
    assert left_in(out) == [".journal", ".lock", ".part", ".rejected"]
    with pytest.warns(UserWarning, match=r"what a run that did not end had left of a\.csv is removed"):
        again = run(source, out / "a.csv")
    assert again.rows_resumed == 0
    assert sorted(os.listdir(out)) == ["a.csv", "a.csv.rejected.jsonl"]


@pytest.mark.parametrize("committed", [0, 1])
def test_rows_rejected_after_the_last_commit_are_not_there_twice(tmp_path, committed):
    destination, header = tmp_path / "out.jsonl", {"run": {"model": "x"}, "schema": None}
    first = PartFile(destination)
    state = first.begin(lambda: header)
    side_bytes = sum(first.reject(b"early\n") for _ in range(committed))
    state = first.commit(replace(state, at=1, n_bytes=first.write(b"row\n"), side_bytes=side_bytes))
    first.reject(b"late\n")  # and killed before the next commit
    first.close_files()
    first.release()
    second = PartFile(destination)
    assert second.resume(header) == (state, header)
    second.reject(b"late\n")
    second.finish()
    second.release()
    expected = "early\n" * committed + "late\n"
    assert (tmp_path / "out.jsonl.rejected.jsonl").read_text("utf-8") == expected
    assert destination.read_text("utf-8") == "row\n"


def test_a_damaged_end_of_the_journal_is_passed_over(stopped, tmp_path):
    source, out = stopped[0], stopped[1].parent
    (journal,) = out.glob(".*.journal")
    data = journal.read_bytes()
    journal.write_bytes(data[:-30])
    (part,) = out.glob(".*.part")
    with open(part, "ab") as file:
        file.write(b"half a row, nev")
    assert run(source, out / "a.csv", resume=True).rows_resumed > 0
    run(source, tmp_path / "b.csv")
    assert (out / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


# what must not have changed


CHANGES = {
    "text_column was 'text', is 'id'": {"text_column": "id"},
    "columns was None, is ['id']": {"columns": ["id"]},
    "model was 'even or odd', is 'other'": {"model_id": "other"},
    "block_size was 4000, is 5000": {"block_size": 5_000},
    "batch_size was 10000, is 10": {"batch_size": 10},
    "output_column was 'prediction', is 'label'": {"output_column": "label"},
}


def test_changes_are_refused(stopped):
    source, destination = stopped

    def refused(message, **options):
        options = OPTIONS | {"resume": True} | options
        with pytest.raises(ValueError, match=f"Cannot resume a.csv: {message}.* run without resume=True"):
            score_file(Meddler(None), source, destination, **options)

    files = [path for path in destination.parent.iterdir() if path.suffix != ".lock"]
    before = [path.read_bytes() for path in files]
    for message, options in CHANGES.items():
        refused(re.escape(message), **options)
    first = source / "0.csv"
    content, times = first.read_bytes(), first.stat()
    first.write_bytes(content + b'9,"more"\n')
    refused("the file .*0.csv has changed")
    first.unlink()
    refused("the file .*0.csv has changed")
    first.write_bytes(content)  # as it was, for other tests
    os.utime(first, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [path.read_bytes() for path in files] == before
    assert not destination.exists()


class Meddler:
    """A model in whose first call something happens to the files."""

    classes_ = np.array([0, 1])

    def __init__(self, act):
        self.act = act

    def predict(self, texts):
        if self.act:
            self.act, act = None, self.act
            act()
        return np.zeros(len(texts), int)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda path: path.unlink(), FileNotFoundError, r"There is no file .*1\..* any more"),
        (lambda path: os.utime(path, ns=(0, 0)), ValueError, r"1\..* changed while it was read"),
        (lambda path: os.truncate(path, 200), ValueError, r"1\..* changed while it was read"),
    ],
    ids=["vanishes", "touched", "cut"],
)
def test_a_source_that_changes_meanwhile(tmp_path, ending, act, error, message):
    source = write(tmp_path / "in", ending, 100)
    options = {"on_error": "skip", "block_size": 1_000, "model_id": "m"}
    with pytest.raises(error, match=message):
        score_file(Meddler(lambda: act(source / f"1{ending}")), source, tmp_path / "out.jsonl", **options)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_malformed_row_can_be_skipped_when_resuming(tmp_path):
    source = write(tmp_path / "in", ".csv", 100)
    model = Meddler(None)
    options = {"block_size": 4_000, "model_id": "m"}
    with pytest.raises(ValueError, match=r"in/0\.csv, line 12: got 1 fields") as caught:
        score_file(model, source, tmp_path / "a.csv", block_size=100, model_id="m")
    assert "with resume=True and on_error='skip' (--resume --on-error skip)" in caught.value.__notes__[0]
    options["block_size"] = 100
    report = score_file(model, source, tmp_path / "a.csv", on_error="skip", resume=True, **options)
    assert report.rows_resumed > 0
    assert report.rows_rejected == 1
    score_file(model, source, tmp_path / "b.csv", on_error="skip", **options)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


# two at a time, signals, full disks


def test_two_processes_and_one_destination(tmp_path):
    source = write(tmp_path / "in", ".csv")
    process = start(source, tmp_path / "a.csv", 0.25)
    try:
        assert wait_for_journal(process, tmp_path)
        for resume in (False, True):
            with pytest.raises(OSError, match=r"Another process is writing .*a\.csv\. Wait for it"):
                score_file(Meddler(None), source, tmp_path / "a.csv", resume=resume)
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()
    assert run(source, tmp_path / "a.csv", resume=True).rows_resumed > 0


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pipeline = make_transfer_pipeline(WordEmbedder(), make_classifier("ridge"))
    pipeline.fit(["a good pan", "a bad pan"], ["good", "bad"])
    # compiled: the commands below start in a third of the time
    return compile_pipeline(pipeline).save(tmp_path_factory.mktemp("model") / "model")


def big_csv(path, n):
    path.write_text("text\n" + "a good pan and a bad lid\n" * n)
    return path


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(tmp_path, model, number, code):
    source = big_csv(tmp_path / "in.csv", 30_000)
    words = ["score", model, source, "-o", tmp_path / "out.csv", "--block-size", "2000", "--jobs", "1"]
    # a shell that starts the tests in the background has them, and what they start, ignore SIGINT
    heed = partial(signal.signal, number, signal.SIG_DFL)
    process = subprocess.Popen([COMMAND, *words], stderr=subprocess.PIPE, text=True, preexec_fn=heed)
    part = []
    while not part and process.poll() is None:
        part = [path for path in tmp_path.glob(".*.part") if path.stat().st_size > 10_000]
        time.sleep(0.01)
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    assert process.returncode == code, error
    assert "Stopped." in error
    assert "(--resume) to go on" in error
    assert "Traceback" not in error
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".journal", ".part"]
    assert not (tmp_path / "out.csv").exists()
    done = invoke([*words, "--resume"])
    assert done.exit_code == 0, done.stderr
    assert "Scored 30,000 rows, " in done.stderr
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 30_001
    assert sorted(os.listdir(tmp_path)) == ["in.csv", "out.csv"]


def test_a_full_disk(tmp_path, model):
    source = big_csv(tmp_path / "in.csv", 30_000)
    words = ["score", model, source, "-o", tmp_path / "out.csv", "--block-size", "50000", "--jobs", "1"]

    def limit():  # files of this process may not grow past .5 MB
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    full = subprocess.run([COMMAND, *words], capture_output=True, text=True, preexec_fn=limit)
    assert full.returncode == 2, full.stderr
    assert "No space left to write " in full.stderr
    assert "--resume" in full.stderr
    assert not (tmp_path / "out.csv").exists()
    done = invoke([*words, "--resume"])
    assert done.exit_code == 0, done.stderr
    assert " of them before" in done.stderr
    other = invoke([*words[:4], tmp_path / "b.csv", *words[5:]])
    assert other.exit_code == 0, other.stderr
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_pipe(tmp_path, model):
    source = big_csv(tmp_path / "in.csv", 1_000)
    with open("/dev/full", "wb") as full:
        words = [COMMAND, "score", model, source, "-o", "-", "--output-format", "csv"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert "No space left" in done.stderr


# stdin and stdout


PIPES = [("csv", "parquet"), ("csv.gz", "jsonl.gz"), ("jsonl", "jsonl"), ("jsonl", "csv")]


@pytest.mark.parametrize(("input_format", "output_format"), PIPES)
def test_pipes(tmp_path, model, input_format, output_format):
    source = write(tmp_path / "in", f".{input_format}") / f"0.{input_format}"
    data = source.read_bytes()
    words = ["score", model, "-", "-o", "-", "--input-format", input_format, "--block-size", "5000"]
    words += ["--output-format", output_format, "--text-column", "text"]
    bad = invoke(words, input=data)
    assert bad.exit_code == 2
    if (input_format, output_format) == ("jsonl", "csv"):
        assert "Write jsonl, or put the input in a file" in bad.stderr
        return
    assert "stdin, line " in bad.stderr
    words[4] = tmp_path / f"out.{output_format}"
    good = invoke([*words, "--on-error", "skip"], input=data)
    assert good.exit_code == 0, good.stderr
    assert "Rejected " in good.stderr
    clean = tmp_path / f"clean.{output_format}"
    score_file(CompiledPipeline.load(model), source, clean, on_error="skip", block_size=5_000)
    assert clean.read_bytes() == words[4].read_bytes()


def test_stdout_gets_nothing_but_rows(tmp_path, model):
    """Through pipes of the system, which the tests above do without."""
    rows = gzip.compress(b"text\n" + b"a good pan\n" * 1_000)
    words = [
        COMMAND,
        "score",
        model,
        "-",
        "-o",
        "-",
        "--input-format",
        "csv.gz",
        "--output-format",
        "parquet",
    ]
    done = subprocess.run(words, input=rows, capture_output=True, cwd=tmp_path)
    assert done.returncode == 0
    assert pq.read_table(pa.BufferReader(done.stdout))["prediction"].to_pylist() == ["good"] * 1_000
    assert b"Scored 1,000 rows" in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("source", "destination", "options", "message"),
    [
        ("in.csv", "-", {}, r"Pass output_format \(--output-format\)"),
        ("-", "a.csv", {"input_format": "csv", "resume": True}, "stdin, which cannot be read again"),
        ("in.csv", "-", {"output_format": "csv", "resume": True}, "with stdout. Both need files"),
        ("in.csv", "-", {"output_format": "csv", "on_error": "skip"}, "with stdout. Both need files"),
        ("-", "a.csv", {"input_format": "parquet"}, "parquet from stdin, but it is read from its end"),
        (["-", "in.csv"], "a.csv", {}, r"Got - \(stdin\) beside other files"),
    ],
)
def test_pipes_that_cannot_be(tmp_path, monkeypatch, source, destination, options, message):
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text("text\na\n")
    with pytest.raises(ValueError, match=message):
        score_file(Meddler(None), source, destination, **options)
    assert os.listdir(tmp_path) == ["in.csv"]


# memory

MEASURED = """
import resource, sys
import numpy as np
from embtransfer import score_file

class Model:
    classes_ = np.array([0, 1])
    def predict(self, texts):
        return np.arange(len(texts)) % 2

for source in sys.argv[2:]:
    for ending in (".csv", ".parquet"):
        score_file(Model(), source, sys.argv[1] + ending, n_jobs=2, block_size=500_000)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_file(tmp_path):
    rows = "".join(f"{i},a short text of row {i} here\n" for i in range(1_000_000, 1_100_000))
    paths = [tmp_path / "short.csv", tmp_path / "long.csv"]
    for path, n in zip(paths, (100_000, 1_000_000), strict=True):
        with open(path, "w") as file:
            file.write("id,text\n")
            for _ in range(n // 100_000):
                file.write(rows)
    words = [sys.executable, "-c", MEASURED, tmp_path / "out", *paths]
    said = subprocess.run(words, capture_output=True, check=True).stdout
    peaks = [int(peak) / 1024 for peak in said.split()]
    assert peaks[1] < peaks[0] + 25, peaks  # MB; the larger file has 30 MB more
