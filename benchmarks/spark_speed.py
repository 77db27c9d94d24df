"""Speed of scoring in Spark: spark.score, the pipeline in a pandas UDF, and score_file in one process.

    EMBTRANSFER_DATA=... python -m benchmarks.spark_speed [--rows 100000] [--repetitions 3] [--cores 1 2]

Parquet files of the Amazon reviews over and over, with a number in each row; mean GloVe 6B vectors of 50
columns (400,000 words), centred, logistic regression of two classes (of the texts' lengths: what is predicted
plays no part). Every contender but the first reads the files and writes parquet with all columns and the
labels. Needs Java. Writes results/spark_speed.json and .md.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from . import _interleaved  # noqa: F401  one thread a process
from ._results import RESULTS, machine, markdown_table, spread, write_results

# isort: split
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import embtransfer
from embtransfer import (
    CompiledPipeline,
    DomainCentering,
    WordEmbedder,
    compile_pipeline,
    make_classifier,
    make_transfer_pipeline,
    score_file,
    spark,
)
from embtransfer.datasets import fetch_amazon_reviews

from .accuracy_amazon import full_glove

N_TRAIN = 2000
ABOUT = """# Speed of scoring in Spark

Rows a second, median over the repetitions, and slowest and fastest, after a run that is not counted:
sessions, Python processes and kernels have started. Core-hours: for 10^9 such rows at the median rate,
10^9 / (rows a second) x cores / 3600."""
NOTES = """## Notes

- predict, in memory: CompiledPipeline.predict of an Arrow column; all others read and write parquet.
- score_file: CompiledPipeline, one thread.
- spark.score: the same model through mapInArrow. Spark's Java threads (parquet, Arrow) run beside the Python
  processes: local[n] limits tasks, not threads.
- read and write: Spark without any model, the limit of what is measured here.
- pandas UDF: the fitted pipeline in a broadcast variable, `pd.Series(pipeline.predict(texts))`."""


def write_rows(path, n_rows, n_files):
    """Parquet files of reviews in a folder, one a task at least."""
    reviews = fetch_amazon_reviews().data
    texts = pa.array(reviews, pa.string()).take(pa.array(np.arange(n_rows) % len(reviews)))
    table = pa.table({"id": np.arange(n_rows), "text": texts})
    path.mkdir()
    size = -(-n_rows // n_files)
    for i in range(n_files):
        pq.write_table(table.slice(i * size, size), path / f"{i}.parquet", row_group_size=10_000)
    return table


def fitted():
    reviews = fetch_amazon_reviews().data
    chosen = np.random.default_rng(0).permutation(len(reviews))[: 2 * N_TRAIN]
    source, target = ([reviews[i] for i in half] for half in np.split(chosen, 2))
    pipeline = make_transfer_pipeline(
        WordEmbedder(full_glove()), DomainCentering(), make_classifier("logistic")
    )
    return pipeline.fit(source, [len(text) % 2 for text in source], X_target=target)


def start(cores, folder):
    from pyspark.sql import SparkSession

    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    session = SparkSession.builder.master(f"local[{cores}]").config(map=options).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def spark_contenders(session, source, out, model, pipeline):
    from pyspark.sql.functions import pandas_udf

    everywhere = session.sparkContext.broadcast(pipeline)

    @pandas_udf("long")
    def predict(texts: pd.Series) -> pd.Series:
        return pd.Series(everywhere.value.predict(texts))

    frame = session.read.parquet(str(source))
    write = lambda scored: scored.write.mode("overwrite").parquet(str(out))  # noqa: E731
    return {
        "spark.score": lambda: write(spark.score(frame, model)),
        "pandas UDF": lambda: write(frame.withColumn("prediction", predict("text"))),
        "read and write": lambda: write(frame),
    }


def measure(contenders, n_rows, repetitions):
    """Rows a second of each contender: median, slowest, fastest; a first round is not counted."""
    seconds = {name: [] for name in contenders}
    for i in range(repetitions + 1):
        for name, run in contenders.items():
            began = time.perf_counter()
            run()
            if i:
                seconds[name].append(time.perf_counter() - began)
    return {
        name: {"rate": n_rows / statistics.median(s), "slowest": n_rows / max(s), "fastest": n_rows / min(s)}
        for name, s in seconds.items()
    }


def report(data):
    rows = []
    for where, results in data["results"].items():
        cores = int(where.partition("[")[2].rstrip("]") or 1)
        for name, r in results.items():
            hours = f"{1e9 / r['rate'] * cores / 3600:.1f}"
            rows.append([f"{name}, {where}", spread(r["rate"], r["slowest"], r["fastest"], 0), hours])
    size = f"{data['rows']:,} rows, {data['megabytes']:.1f} MB of text, {data['repetitions']} repetitions."
    return [
        ABOUT,
        size,
        markdown_table(["contender", "rows a second", "core-hours for 10^9 rows"], rows),
        NOTES,
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    arguments = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    root = str(Path(embtransfer.__file__).parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    host = machine("embtransfer", "pyspark", "numpy", "numba", "pyarrow", "pandas", "scikit-learn")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        table = write_rows(folder / "in", arguments.rows, 2 * max(arguments.cores))
        pipeline = fitted()
        path = compile_pipeline(pipeline).save(folder / "model")
        model, texts = CompiledPipeline.load(path), table["text"].combine_chunks()
        alone = {
            "predict, in memory": lambda: model.predict(texts),
            "score_file": lambda: score_file(model, folder / "in", folder / "out.parquet"),
        }
        results = {"one process": measure(alone, arguments.rows, arguments.repetitions)}
        for cores in arguments.cores:
            session = start(cores, folder)
            contenders = spark_contenders(session, folder / "in", folder / "out", path, pipeline)
            results[f"local[{cores}]"] = measure(contenders, arguments.rows, arguments.repetitions)
            session.stop()
    data = {"rows": arguments.rows, "megabytes": texts.nbytes / 1e6, "repetitions": arguments.repetitions}
    data["results"] = results
    write_results(arguments.output, "spark_speed", data, host, report(data))


if __name__ == "__main__":
    main()
