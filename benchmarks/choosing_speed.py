"""Time of choosing and comparing with defaults, on 2,000 labelled and 2,000 unlabelled reviews.

    EMBTRANSFER_DATA=... python -m benchmarks.choosing_speed

TransferSearch with its defaults and with 60 candidates, in a process that has loaded everything; the commands
from the start of the process to its end, with all caches empty (cold: kernels are compiled) and again (warm).
No sentence model. Writes results/choosing_speed.json and .md.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from ._results import RESULTS, machine, markdown_table, write_results

# isort: split
import numpy as np

from embtransfer import TransferSearch
from embtransfer.datasets import fetch_amazon_reviews

PAIR = "books", "kitchen"
SIXTY = {
    "embedders": ["word_mean", "word_sif", "word_idf"],
    "adapters": ["none", "centering", "coral", "subspace", "linear_ot"],
    "classifiers": ["logistic", "self_training"],
    "parameters": {"classifier__C": [0.1, 1.0, 10.0]},
}


def searches():
    """Rows of both searches, and their accuracy on the texts that they saw."""
    source, target = (fetch_amazon_reviews(domain) for domain in PAIR)
    rows = []
    TransferSearch(recipes=[]).fit(
        source.data[:100] + source.data[-100:], [0] * 100 + [1] * 100, target.data[:200]
    )
    for name, options in (("TransferSearch, defaults", {}), ("TransferSearch, 60 candidates", SIXTY)):
        start = perf_counter()
        search = TransferSearch(**options).fit(source.data, source.target, target.data)
        seconds = perf_counter() - start
        right = float(np.mean(search.predict(target.data) == target.target))
        rows.append(
            {"what": name, "seconds": seconds, "candidates": len(search.results_), "accuracy": right,
             "chosen": search.best_name_}
        )  # fmt: skip
    return rows


def commands():
    rows = []
    pair = ["--dataset", "amazon", "--source", PAIR[0], "--target", PAIR[1]]
    command = shutil.which("embtransfer", path=Path(sys.executable).parent)
    for words in (["compare", *pair], ["choose", *pair], ["compare", *pair, "--report", "report"]):
        with tempfile.TemporaryDirectory() as folder:
            caches = {"NUMBA_CACHE_DIR": f"{folder}/kernels", "EMBTRANSFER_CACHE": f"{folder}/cache"}
            for state in ("cold", "warm"):
                start = perf_counter()
                subprocess.run(
                    [command, *words],
                    env={**os.environ, **caches},
                    cwd=folder,
                    check=True,
                    capture_output=True,
                )
                what = " ".join(["embtransfer", words[0], *(word for word in words if word == "--report")])
                rows.append({"what": f"{what}, {state}", "seconds": perf_counter() - start})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    arguments = parser.parse_args()
    host = machine("embtransfer", "numpy", "scikit-learn")
    rows = searches() + commands()
    cells = [
        [row["what"], f"{row['seconds']:.1f}", row.get("candidates", ""),
         f"{100 * row['accuracy']:.1f}" if "accuracy" in row else "", row.get("chosen", "")]
        for row in rows
    ]  # fmt: skip
    table = markdown_table(["", "seconds", "candidates", "accuracy on the texts seen", "chosen"], cells)
    write_results(arguments.output, "choosing_speed", {"rows": rows}, host, [__doc__.strip(), table])


if __name__ == "__main__":
    main()
