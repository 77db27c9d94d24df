"""Texts beside vectors of the same rows: the recipe "columns" against the recipes of either alone.

    EMBTRANSFER_DATA=... python -m benchmarks.vector_columns

The twelve Amazon pairs, the texts and their vectors by multilingual-e5-small (e5_amazon.parquet): 2,000
labelled source rows, 1,250 to 2,000 target rows of which 20, 50 or 80 % are positive. Half of them are seen
without labels, the others are scored. "Views alike": the same models, whose views' probabilities are averaged
alike instead of by what held-out source rows say. Writes results/vector_columns.json and .md.
"""

import itertools
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from threadpoolctl import threadpool_limits

from embtransfer import make_recipe

from ._results import markdown_table, measure, results

SHARES = (0.2, 0.5, 0.8)
MODELS = {
    "vectors alone": "recipe `vectors`",
    "texts alone": "recipe `words`",
    "views alike": "both, views averaged alike",
    "both": "**both**, recipe `columns`",
}
SCORES = {"accuracy": accuracy_score, "balanced": balanced_accuracy_score}


def halves(target, share, seed=0):
    """As many target rows as there are of this share of positive ones: those seen, those scored."""
    rng, positive = np.random.default_rng(seed), (target["label"] == "positive").to_numpy()
    n = min(len(target), *(int(len(target) / 2 / one) for one in (share, 1 - share)))
    rows = [
        rng.permutation(np.flatnonzero(positive == one))[: round(n * part)]
        for one, part in ((True, share), (False, 1 - share))
    ]
    rows = rng.permutation(np.concatenate(rows))
    return target.iloc[rows[: n // 2]], target.iloc[rows[n // 2 :]]


def run(source, target, share):
    """Accuracy and balanced accuracy of each model, and the weights of the views."""
    warnings.simplefilter("ignore")
    seen, scored = halves(target, share)
    matrix = {id(part): np.stack(part["vector"].tolist()) for part in (source, seen, scored)}
    with threadpool_limits(1):
        y = source["label"].to_numpy()
        vectors = make_recipe("vectors").fit(matrix[id(source)], y, X_target=matrix[id(seen)])
        words = make_recipe("words").fit(source["text"], y, X_target=seen["text"])
        both = make_recipe("columns", vector_column="vector").fit(source, y, X_target=seen)
        alike = np.mean([view.predict_proba(scored) for view in both.views_.values()], axis=0)
    found = {
        "vectors alone": vectors.predict(matrix[id(scored)]),
        "texts alone": words.predict(scored["text"]),
        "views alike": both.classes_[alike.argmax(axis=1)],
        "both": both.predict(scored),
    }
    pair = source["domain"].iloc[0], target["domain"].iloc[0]
    return {
        "pair": pair,
        "share": share,
        "weights": both.weights_,
        "scores": {
            name: {score: 100 * float(of(scored["label"], one)) for score, of in SCORES.items()}
            for name, one in found.items()
        },
    }


def table(records):
    rows = []
    for name, label in MODELS.items():
        cells = []
        for score in SCORES:
            for share in SHARES:
                some = [one["scores"][name][score] for one in records if one["share"] == share]
                cells.append(f"{np.mean(some):.1f}")
        gains = [
            one["scores"][name]["accuracy"] - one["scores"]["vectors alone"]["accuracy"] for one in records
        ]
        worse = f"{sum(gain < 0 for gain in gains)} of {len(gains)}; {min(gains):.1f}"
        rows.append([label, *cells, "" if name == "vectors alone" else worse])
    shares = [f"{100 * share:.0f} % positive" for share in SHARES]
    header = ["", *shares, *(f"balanced, {share:.0%}" for share in SHARES), "worse than vectors alone; worst"]
    return markdown_table(header, rows, (0, 7))


def on_page():
    return table(results("vector_columns")["records"])


def e5_domains():
    """Name of each Amazon domain -> frame with the columns text, vector and label."""
    found = pd.read_parquet(Path(os.environ["EMBTRANSFER_DATA"], "e5_amazon.parquet"))
    return {name: part.reset_index(drop=True) for name, part in found.groupby("domain")}


def work():
    domains = e5_domains()
    for one, other in itertools.permutations(domains, 2):
        for share in SHARES:
            yield domains[one], domains[other], share


def main():
    measure("vector_columns", __doc__, run, work, table)


if __name__ == "__main__":
    main()
