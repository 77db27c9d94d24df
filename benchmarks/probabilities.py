"""How sure the recipes are of a target, and how often they are right, before and after the last temperature.

    EMBTRANSFER_DATA=... python -m benchmarks.probabilities

Recipe "words" on the tasks of real_targets (Amazon with 20, 50 and 80 % positive, CrisisLexT26, airline
tweets), recipe "vectors" on e5_amazon.parquet. Half of the target is seen without labels, the other half
scored. "Before" is the same model with `target_temperature_` taken back; labels are the same. How the
temperature is fitted was settled with all of these in view. Writes results/probabilities.json and .md.
"""

import itertools
import warnings

import numpy as np
from threadpoolctl import threadpool_limits

from embtransfer import make_recipe
from embtransfer.classifiers._sureness import divided

from ._real_targets_work import load, tasks
from ._results import markdown_table, measure, results
from .vector_columns import e5_domains, halves

_BINS = 10
COLUMNS = ["confidence - accuracy", "its mean size", "within 3 points, %", "ECE", "log loss"]


def measured(proba, truth):
    """Confidence minus accuracy, expected calibration error of bins with as many rows each, log loss."""
    sure, right = proba.max(axis=1), proba.argmax(axis=1) == truth
    parts = np.array_split(np.argsort(sure, kind="stable"), _BINS)
    error = sum(len(part) * abs(sure[part].mean() - right[part].mean()) for part in parts) / len(sure)
    loss = -np.log(np.maximum(proba[np.arange(len(truth)), truth], 1e-12)).mean()
    return float(sure.mean() - right.mean()), float(error), float(loss)


def run(name, recipe, data):
    """Measured before and after, and the temperature."""
    warnings.simplefilter("ignore")
    X, y, X_target, _, texts, wanted = data() if callable(data) else load(data)
    with threadpool_limits(1):
        model = make_recipe(recipe).fit(X, y, X_target=X_target)
        last, after = model[-1], model.predict_proba(texts)
        last.estimator_ = divided(last.estimator_, 1 / last.target_temperature_)
        before = model.predict_proba(texts)
    truth = np.searchsorted(last.classes_, wanted)
    if (before.argmax(axis=1) != after.argmax(axis=1)).any():
        raise AssertionError("labels changed")
    found = {"before": measured(before, truth), "after": measured(after, truth)}
    return {"set": name, "temperature": last.target_temperature_, **found}


def work():
    for task in tasks(1):
        developed = task.developed
        if task.data == "amazon":
            if task.share not in (0.2, 0.5, 0.8):
                continue
            pair = sorted((task.source, task.target))
            developed = pair in (["books", "kitchen"], ["dvd", "electronics"], ["books", "dvd"])
        elif task.data not in ("crisislex_t26", "airline_tweets"):
            continue
        yield f"words, {task.data}, {'developed on' if developed else 'held out'}", "words", task
    domains = e5_domains()
    for source, target in itertools.permutations(domains, 2):
        for share in (0.2, 0.5, 0.8):
            yield "vectors, e5_amazon", "vectors", _Vectors(domains[source], domains[target], share)


class _Vectors:
    """X, y, X_target and so on of two domains of vectors, made where they are used."""

    def __init__(self, *given):
        self.given = given

    def __call__(self):
        source, target, share = self.given
        parts = [source, *halves(target, share)]
        pairs = [(np.stack(part["vector"].tolist()), part["label"].to_numpy()) for part in parts]
        return [one for pair in pairs for one in pair]


def table(records):
    rows = []
    for name in dict.fromkeys(record["set"] for record in records):
        some = [record for record in records if record["set"] == name]
        for when in ("before", "after"):
            gap, error, loss = np.array([record[when] for record in some]).T
            cells = f"{100 * gap.mean():+.1f}", f"{100 * np.abs(gap).mean():.1f}"
            cells += f"{100 * (np.abs(gap) <= 0.03).mean():.0f}", f"{error.mean():.3f}", f"{loss.mean():.3f}"
            rows.append([f"{name} ({len(some)} tasks)" if when == "before" else "", when, *cells])
    return markdown_table(["", "", *COLUMNS], rows, (0, 1))


def on_page():
    return table(results("probabilities")["records"])


def main():
    measure("probabilities", __doc__, run, work, table)


if __name__ == "__main__":
    main()
