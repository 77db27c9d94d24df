"""A day's work in small: gigabytes scored by `embtransfer score` in 1.5 GB, killed and resumed on the way.

    EMBTRANSFER_DATA=... python -m benchmarks.endurance [--gigabytes 12] [--file 1] [--folder DIR]

Files of about a gigabyte, csv, jsonl, parquet and zstd-packed jsonl in turn: Amazon reviews over and over,
each with two made-up words and a number of its own. One row in 10,000 of csv and jsonl is malformed, in one
of four ways. Each file is made, scored (all probabilities and the three best of eight labels, with
--on-error skip, on all cores, to parquet), checked and removed: a file and its output are on disk at a time.
The address space of every scoring process is limited (RLIMIT_AS, which no memory can escape); where the
process cannot start within that, its resident memory is looked at every 50 ms, and it is killed above the
limit. At --kills random moments after it has begun its journal the process gets SIGKILL, and the same command
goes on with --resume.

Rows made, scored and set aside are counted by their numbers: each well-formed row has to come out once, each
malformed line has to stand among the rejected ones. The labels of the first rows of parquet are compared
with those of the model in this process. Writes results/endurance.json and .md.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import embtransfer as et
from embtransfer.datasets import fetch_amazon_reviews

from ._endurance_files import KINDS, Texts, write_file
from ._results import RESULTS, machine, markdown_table, write_results

COMMAND = str(Path(sys.executable).with_name("embtransfer"))
CHECKED = 1000  # rows of a file whose labels are compared
TOP = 3


# ---------------------------------------------------------------- model, and what it is to say
def first_texts(path, rows):
    """Texts of the first rows of a parquet file, or none: only there no row can be malformed."""
    if path.suffix != ".parquet":
        return None
    return next(pq.ParquetFile(path).iter_batches(rows, columns=["text"]))["text"]


def make_model(folder):
    """A folded model of eight labels: the domain and the opinion of a review."""
    reviews = fetch_amazon_reviews()
    y = [f"{domain} {'-+'[label]}" for domain, label in zip(reviews.domain, reviews.target, strict=True)]
    order = np.random.default_rng(0).permutation(len(y))
    X, y = [reviews.data[i] for i in order], [y[i] for i in order]
    pipeline = et.make_transfer_pipeline(
        et.WordEmbedder(), et.DomainCentering(), et.make_classifier("logistic")
    )
    model = et.compile_pipeline(pipeline.fit(X[:6000], y[:6000], X_target=X[6000:]))
    model.save(folder / "model")
    return model


# ---------------------------------------------------------------- scoring within limits
class Scoring:
    """`embtransfer score` with a limit of memory: by RLIMIT_AS, or watched."""

    def __init__(self, model, megabytes, how):
        self.model, self.megabytes, self.how = model, megabytes, how
        self.peak = 0.0  # MB, of all processes
        self.over = False  # whether a watched process was killed for its memory

    def __call__(self, source, destination, *options, kill_after=None):
        """Run the command; its exit code, -9 where it was killed, so many seconds after its journal began."""
        limit = int(self.megabytes * 1e6)

        def limited():
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

        command = [COMMAND, "score", str(self.model), str(source), "-o", str(destination), "--proba"]
        command += ["--top-k", str(TOP), "--columns", "id", "--on-error", "skip", *options]
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=limited if self.how == "RLIMIT_AS" else None,
        )
        journal = None  # since when it is there
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self._look(process)
            if kill_after is not None:
                if journal is None and has_journal(destination):
                    journal = time.perf_counter()
                if journal is not None and time.perf_counter() - journal > kill_after:
                    process.kill()
            time.sleep(0.05)
        self.messages = process.stderr.read().decode("utf-8", "replace")
        _, code, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        process.stderr.close()
        self.peak = max(self.peak, usage.ru_maxrss * 1024 / 1e6)
        return process.returncode

    def _look(self, process):
        try:
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):  # it has just ended
            return
        if pages * resource.getpagesize() > self.megabytes * 1e6:
            self.over = True
            process.kill()


def has_journal(destination):
    """Whether a run that writes there has begun its journal, and not ended."""
    return any(destination.parent.glob(f".{destination.name}.*.journal"))


def limited_scoring(model, megabytes, folder):
    """A Scoring by RLIMIT_AS if the command gets through ten rows within it, else a watched one."""
    source = folder / "probe.parquet"
    pq.write_table(pa.table({"id": range(10), "text": ["a good book"] * 10}), source)
    scoring = Scoring(model, megabytes, "RLIMIT_AS")
    if scoring(source, folder / "probe_out.parquet") != 0:
        scoring = Scoring(model, megabytes, "watched")
        if scoring(source, folder / "probe_out.parquet") != 0:
            raise RuntimeError(f"embtransfer score fails on ten rows: {scoring.messages}")
    scoring.peak = 0.0
    return scoring


# ---------------------------------------------------------------- one file
def check(destination, rejected, first, broken):
    """Counts of the rows of a file: scored, set aside, lost, doubled, and set aside though well-formed."""
    seen = np.zeros(len(broken), np.int32)
    scored = 0
    for batch in pq.ParquetFile(destination).iter_batches(1 << 16, columns=["id"]):
        numbers = batch["id"].cast(pa.int64()).to_numpy() - first
        scored += len(numbers)
        np.add.at(seen, numbers, 1)
    aside = np.zeros(len(broken), np.int32)
    if rejected.exists():
        with open(rejected, "rb") as file:
            for line in file:
                aside[json.loads(line)["line"] - 1 - ("csv" in destination.name)] += 1
    both = seen + aside
    return {
        "rows": len(broken),
        "malformed": int(broken.sum()),
        "scored": scored,
        "refused": int(aside.sum()),
        "lost": int(np.count_nonzero(both == 0)),
        "doubled": int(np.count_nonzero(both > 1)),
        "refused_wrongly": int(np.count_nonzero(aside[~broken])),
    }


def same_labels(model, path, destination):
    """How many of the first rows' labels are those of the model in this process, of how many."""
    texts = first_texts(path, CHECKED)
    if texts is None:
        return 0, 0
    labels = next(pq.ParquetFile(destination).iter_batches(len(texts), columns=["prediction"]))["prediction"]
    return int(np.sum(model.predict(texts) == np.array(labels.to_pylist()))), len(texts)


def score_one(scoring, path, destination, moments):
    """Score a file, killed after some seconds, each time anew, and resumed."""
    record = {"kills": 0}
    options, start = [], time.perf_counter()
    for moment in moments:
        code = scoring(path, destination, *options, kill_after=moment)
        if code == 0:  # it had ended before
            break
        _check_code(scoring, code, -9)
        record["kills"] += 1
        options = ["--resume"]
    else:
        _check_code(scoring, scoring(path, destination, *options), 0)
    record["seconds"] = time.perf_counter() - start
    return record


def _check_code(scoring, code, expected):
    if scoring.over:
        raise RuntimeError(f"embtransfer score took more than {scoring.megabytes:,.0f} MB.")
    if code != expected:
        raise RuntimeError(f"embtransfer score ended with {code}: {scoring.messages}")


def run(args, folder):
    """Records of all files."""
    model = make_model(folder)
    scoring = limited_scoring(folder / "model", args.megabytes, folder)
    texts, rng, chance = Texts(), np.random.default_rng(0), random.Random(0)
    n_files = max(round(args.gigabytes / args.file), 2)
    killed = set(chance.sample(range(1, n_files), min(args.kills, n_files - 1)))
    records, first, rate, left = [], 0, None, 0
    for i in range(n_files):
        kind = KINDS[i % len(KINDS)]
        path = folder / f"in{kind}"
        destination = folder / f"{kind.split('.')[1]}_out.parquet"
        start = time.perf_counter()
        n_bytes, broken = write_file(path, texts, first, args.file * 1e9, rng)
        making = time.perf_counter() - start
        left += i in killed
        moments = [chance.uniform(0, 0.5) * n_bytes / 1e9 / rate for _ in range(left)] if rate else []
        record = {"kind": kind, "gigabytes": n_bytes / 1e9, "making_seconds": making}
        record |= score_one(scoring, path, destination, moments)
        left -= record["kills"]
        rate = n_bytes / 1e9 / record["seconds"] if rate is None else rate
        rejected = destination.with_name(f"{destination.name}.rejected.jsonl")
        record |= check(destination, rejected, first, broken)
        record["labels_same"], record["labels_compared"] = same_labels(model, path, destination)
        records.append(record)
        print(json.dumps(record), file=sys.stderr, flush=True)
        for old in (path, destination, rejected):
            old.unlink(missing_ok=True)
        first += len(broken)
    return {"limit_megabytes": args.megabytes, "limit_by": scoring.how, "peak_megabytes": scoring.peak,
            "files": records}  # fmt: skip


def total(data, key):
    return sum(record[key] for record in data["files"])


def report(data):
    """The parts of the Markdown file."""
    gigabytes, seconds = total(data, "gigabytes"), total(data, "seconds")
    how = {
        "RLIMIT_AS": "its address space limited to so much (RLIMIT_AS)",
        "watched": "looked at every 50 ms, to be killed above it",
    }
    numbers = {
        "GB of text": f"{gigabytes:.1f}",
        "files": len(data["files"]),
        "rows made": f"{total(data, 'rows'):,}",
        "of these malformed": f"{total(data, 'malformed'):,}",
        "rows scored": f"{total(data, 'scored'):,}",
        "rows set aside": f"{total(data, 'refused'):,}",
        "rows lost": total(data, "lost"),
        "rows twice": total(data, "doubled"),
        "well-formed rows set aside": total(data, "refused_wrongly"),
        "labels as in this process": f"{total(data, 'labels_same'):,} of {total(data, 'labels_compared'):,}",
        "killed by SIGKILL, and resumed": total(data, "kills"),
        "peak memory of a process, MB": f"{data['peak_megabytes']:,.0f}",
        "seconds of scoring": f"{seconds:,.0f}",
        "GB an hour": f"{gigabytes / seconds * 3600:,.0f}",
        "seconds of making the files": f"{total(data, 'making_seconds'):,.0f}",
    }
    rows = [
        [
            r["kind"],
            f"{r['gigabytes']:.2f}",
            f"{r['rows']:,}",
            f"{r['seconds']:.1f}",
            r["refused"],
            r["kills"],
        ]
        for r in data["files"]
    ]
    return [
        f"# Endurance\n\n`embtransfer score --proba --top-k {TOP} --on-error skip`, eight labels, all cores. "
        f"Limit of memory: {data['limit_megabytes']:,.0f} MB, {how[data['limit_by']]}.",
        markdown_table(["", ""], list(numbers.items())),
        markdown_table(["file", "GB", "rows", "seconds", "set aside", "kills"], rows),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=12)
    parser.add_argument("--file", type=float, default=1, help="gigabytes of a file")
    parser.add_argument("--megabytes", type=float, default=1500, help="limit of a scoring process")
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the files go; a temporary folder by default")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    args = parser.parse_args()
    host = machine("embtransfer", "numpy", "numba", "pyarrow")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        data = run(args, Path(folder))
    write_results(args.output, "endurance", data, host, report(data))
    if total(data, "lost") + total(data, "doubled") + total(data, "refused_wrongly"):
        raise SystemExit("Rows were lost, doubled or set aside wrongly: see the table.")


if __name__ == "__main__":
    main()
