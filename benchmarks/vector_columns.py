"""Texts beside vectors of the same rows: the recipe "columns" against the recipes of either alone.

    EMBTRANSFER_DATA=... python -m benchmarks.vector_columns

The twelve Amazon pairs, the texts and their vectors by multilingual-e5-small (e5_amazon.parquet): 2,000
labelled source rows, 1,250 to 2,000 target rows of which 20, 50 or 80 % are positive. Half of them are seen
without labels, the others are scored. "Views alike": the same models, whose views' probabilities are averaged
alike instead of by what held-out source rows say. Writes results/vector_columns.json and .md.

    EMBTRANSFER_DATA=... python -m benchmarks.vector_columns --commands

Pairs in which each domain is source and target once, from the command line: `embtransfer choose` with
--vector-column, alone and with --text-column beside it, on 1,000 labelled source rows and 1,000 target rows
without labels; `embtransfer compare` on the same source and all of the target, half of which it scores. The
model chosen is evaluated on the other 1,000 target rows, whose labels do nothing else. Writes
results/vector_commands.json and .md.
"""

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from threadpoolctl import threadpool_limits

from embtransfer import make_recipe

from ._results import RESULTS, machine, markdown_table, measure, results, write_results

SHARES = (0.2, 0.5, 0.8)
MODELS = {
    "vectors alone": "recipe `vectors`",
    "texts alone": "recipe `words`",
    "views alike": "both, views averaged alike",
    "both": "**both**, recipe `columns`",
}
COMMAND = str(Path(sys.executable).with_name("embtransfer"))
PAIRS = (("books", "kitchen"), ("dvd", "electronics"), ("kitchen", "dvd"), ("electronics", "books"))
WAYS = {"vectors alone": [], "texts beside": ["--text-column", "text"]}
EXPECTED = r"Expected accuracy on the target: ([\d.]+) \(([\d.]+) to ([\d.]+)\)"
COMMANDS_ABOUT = """# Vectors by the command line

`embtransfer choose` and `compare` with --vector-column, vectors of multilingual-e5-small of Amazon reviews:
1,000 labelled source rows, 1,000 target rows without labels; what `choose` takes is evaluated on 1,000
others. The best of `compare` is picked by the target's labels, on half of all target rows."""
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


def command(*words):
    """What a command prints, and what it says."""
    found = subprocess.run([COMMAND, *map(str, words)], capture_output=True, text=True, check=True)
    return found.stdout, found.stderr


def by_commands(source, target, folder):
    """Of vectors alone, and beside texts: what is chosen, how good it is, and all that `compare` tries."""
    columns = ["text", "vector", "label"]
    source, target = (part.sample(frac=1, random_state=0, ignore_index=True) for part in (source, target))
    parts = {"source": source[:1000], "seen": target[:1000].drop(columns="label"), "scored": target[1000:]}
    for name, part in (parts | {"target": target}).items():
        part[[one for one in columns if one in part]].to_parquet(folder / f"{name}.parquet")
    record = {"pair": [source["domain"].iloc[0], target["domain"].iloc[0]]}
    for name, more in WAYS.items():
        options = ["--source", folder / "source.parquet", "--vector-column", "vector", *more]
        model = folder / name
        start = time.perf_counter()
        _, said = command("choose", *options, "--target", folder / "seen.parquet", "-o", model)
        middle = time.perf_counter()
        table, _ = command("compare", *options, "--target", folder / "target.parquet", "--format", "json")
        seconds = {"choose": middle - start, "compare": time.perf_counter() - middle}
        given = [] if more else options[2:4]  # a model of a table knows its columns
        found, _ = command("evaluate", model, folder / "scored.parquet", *given, "--format", "json")
        rows = json.loads(table)
        record[name] = {
            "chosen": re.search(r"^Saved (.*) to ", said, re.MULTILINE)[1],
            "expected": [float(one) for one in re.search(EXPECTED, said).groups()],
            "right": json.loads(found)["score"],
            "seconds": seconds,
            "compare": [
                {key: row[key] for key in ("embedder", "adapter", "classifier", "target_score", "error")}
                for row in rows
            ],
        }
    return record


def table_of_commands(records):
    rows = []
    for one in records:
        for name in WAYS:
            found = one[name]
            scores = {
                " + ".join(row[key] for key in ("embedder", "adapter", "classifier")): row["target_score"]
                for row in found["compare"]
                if row["target_score"] is not None
            }
            best = max(scores, key=scores.get)
            expected, low, high = (f"{100 * part:.1f}" for part in found["expected"])
            cells = [found["chosen"], f"{100 * found['right']:.1f}", f"{expected} ({low} to {high})"]
            cells += [best, f"{100 * scores[best]:.1f}"]
            cells += [f"{found['seconds'][of]:.0f}" for of in ("choose", "compare")]
            rows.append([" to ".join(one["pair"]), name, *cells])
    header = ["", "", "chosen", "right, %", "expected", "best of compare", "right, %", "s", "s of compare"]
    return markdown_table(header, rows, (0, 1, 2, 4, 5))


def commands(pairs, output):
    host, domains, records = machine("embtransfer", "scikit-learn", "numpy"), e5_domains(), []
    for source, target in PAIRS[:pairs]:
        with tempfile.TemporaryDirectory() as folder:
            records.append(by_commands(domains[source], domains[target], Path(folder)))
        print(table_of_commands(records[-1:]), flush=True)
    parts = [COMMANDS_ABOUT, table_of_commands(records)]
    write_results(output, "vector_commands", {"records": records}, host, parts)


def main():
    if "--commands" not in sys.argv:
        return measure("vector_columns", __doc__, run, work, table)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--commands", action="store_true", required=True)
    parser.add_argument("--pairs", type=int, default=len(PAIRS), help="how many of the pairs")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    arguments = parser.parse_args()
    return commands(arguments.pairs, arguments.output)


if __name__ == "__main__":
    main()
