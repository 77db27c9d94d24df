"""Speed and peak memory of fit_files against the same fit in memory, from parquet files of short texts.

    python -m benchmarks.stream_speed [--rows 100000 1000000] [--rounds 5] [--classifier ridge]

Source and target are files of so many texts of 12 words, drawn by rank from the bundled table's words; labels
go by the words. Contenders: fit_files(pipeline, source, target), and whole columns of both files followed
by pipeline.fit, as `embtransfer fit` does with and without --stream. The pipeline is WordEmbedder of pooling
"idf", CORAL and the classifier. Every repetition has a process of its own, which has imported the package,
compiled its kernels and fitted 1,000 rows before the clock starts. Peak memory is what ru_maxrss then grows
by. Predictions on the first 10,000 target texts are compared. Writes results/stream_speed.json and .md.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ._interleaved import interleave
from ._results import RESULTS, machine, markdown_table, spread, write_results

# isort: split
import numpy as np

STREAM, MEMORY = "fit_files", "fit in memory"
WORDS, CHUNK = 12, 50_000  # words a text, rows a row group
ABOUT = """# Speed of fitting from files

From files to a fitted pipeline: WordEmbedder(pooling="idf"), CORAL, {classifier}; so many rows in the source
and in the target. Seconds: median over the rounds, the fastest and the slowest. Rows a second: of both files.
"Times as long": the contender's seconds divided by those of fit_files in the same round. CPU: CPU seconds a
second. Peak memory: what the fit adds to the process, the largest of the rounds. Agreement: share of equal
predictions."""


def write_texts(path, n_rows, seed):
    """A parquet file of texts whose words have frequencies by rank, and labels by the words' parity."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from embtransfer import WordVectors

    words = np.array(WordVectors.bundled().words, object)
    rng = np.random.default_rng(seed)
    schema = pa.schema([("text", pa.string()), ("label", pa.string())])
    with pq.ParquetWriter(path, schema) as file:
        for start in range(0, n_rows, CHUNK):
            n = min(CHUNK, n_rows - start)
            ranks = (len(words) ** rng.random((n, WORDS))).astype(np.int64) - 1 + seed
            even = np.count_nonzero(ranks % 2 == 0, axis=1) > WORDS / 2
            texts = [" ".join(row) for row in words[ranks % len(words)]]
            labels = np.where(even, "even", "odd")
            file.write_batch(pa.RecordBatch.from_arrays([pa.array(texts), pa.array(labels)], schema=schema))


def fit(name, classifier, source, target):
    from embtransfer import CORAL, WordEmbedder, fit_files, make_classifier, make_transfer_pipeline
    from embtransfer.tables import TableReader

    pipeline = make_transfer_pipeline(WordEmbedder(pooling="idf"), CORAL(), make_classifier(classifier))
    if name == STREAM:
        return fit_files(pipeline, source, target)
    texts, labels = TableReader(source).columns(["text", "label"], "text")
    return pipeline.fit(texts, labels, X_target=TableReader(target).columns(["text"], "text")[0])


def serve(name, classifier, folder, n_rows):
    """One repetition, in a process of its own."""
    from embtransfer.tables import TableReader

    fit(name, classifier, *(folder / f"{domain}-1000.parquet" for domain in ("source", "target")))
    source, target = (folder / f"{domain}-{n_rows}.parquet" for domain in ("source", "target"))
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, start = time.process_time(), time.perf_counter()
    pipeline = fit(name, classifier, source, target)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit / 1e6
    labels = pipeline.predict(next(TableReader(target).batches(["text"])).column("text"))
    print(json.dumps([seconds, cpu, peak, "".join(label[0] for label in labels)]))


def run(args, folder, n_rows):
    """Times, memory and predictions of both contenders at one size."""
    peaks, labels = {STREAM: [], MEMORY: []}, {}

    def repetition(name):
        command = [sys.executable, "-m", "benchmarks.stream_speed", "--serve", name, "--folder", str(folder)]
        command += ["--rows", str(n_rows), "--classifier", args.classifier]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        seconds, cpu, peak, labels[name] = json.loads(answer)
        peaks[name].append(peak)
        return seconds, cpu

    contenders = interleave({name: lambda name=name: repetition(name) for name in peaks}, STREAM, args.rounds)
    for name, one in contenders.items():
        one["peak_megabytes"] = max(peaks[name])
    agree = np.mean([a == b for a, b in zip(labels[STREAM], labels[MEMORY], strict=True)])
    return {"rows": n_rows, "contenders": contenders, "agreement": float(agree)}


def report(data):
    """The parts of the Markdown file."""
    rows = [
        [
            name,
            f"{result['rows']:,}",
            spread(one["seconds"], one["min"], one["max"], 2),
            f"{2 * result['rows'] / one['seconds']:,.0f}",
            spread(one["ratio"], one["ratio_min"], one["ratio_max"], 2),
            f"{one['cpu']:.2f}",
            f"{one['peak_megabytes']:,.0f}",
            f"{result['agreement']:.2%}",
        ]
        for result in data["runs"]
        for name, one in result["contenders"].items()
    ]
    header = ["contender", "rows", "seconds", "rows a second", "times as long", "CPU", "peak memory, MB"]
    return [ABOUT.format(classifier=data["classifier"]), markdown_table([*header, "agreement"], rows)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000], help="of each domain")
    parser.add_argument("--classifier", default="ridge", help="as in make_classifier")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve, args.classifier, args.folder, args.rows[0])
    host = machine("embtransfer", "numpy", "scipy", "scikit-learn", "pyarrow")
    data = {"classifier": args.classifier, "rounds": args.rounds, "runs": []}
    with tempfile.TemporaryDirectory() as folder:
        for n_rows in {1000: None} | dict.fromkeys(args.rows):
            for seed, domain in enumerate(("source", "target")):
                write_texts(Path(folder) / f"{domain}-{n_rows}.parquet", n_rows, seed)
        for n_rows in args.rows:
            print(f"{n_rows:,} rows", file=sys.stderr)
            data["runs"].append(run(args, Path(folder), n_rows))
    write_results(args.output, "stream_speed", data, host, report(data))


if __name__ == "__main__":
    main()
