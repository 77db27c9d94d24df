"""Across languages: English restaurant reviews to five other languages, as vectors of a multilingual model.

    EMBTRANSFER_DATA=... python -m benchmarks.restaurants

Sentences of one polarity as vectors of multilingual-e5-small (e5_restaurants.parquet); 75 % of the English
ones are positive, 55 to 81 % of the others. All English ones are labelled; half of a target's are seen
without labels, the others are scored; three draws. Every adapter has logistic regression behind it (C = 1,
rows less the source's mean, of mean squared length 1). Writes results/restaurants.json and .md.
"""

import os
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from embtransfer import (
    CORAL,
    DomainCentering,
    LabelShiftClassifier,
    LengthScaling,
    SelfTrainingClassifier,
    class_shares,
    make_recipe,
    make_transfer_pipeline,
)

from ._results import markdown_table, measure, results

LANGUAGES = {"es": "Spanish", "fr": "French", "nl": "Dutch", "ru": "Russian", "tr": "Turkish"}
DRAWS = 3
RECIPE = 'recipe "vectors"'


def models(true):
    """Name -> unfitted model; `true` are the shares of the target's classes."""
    logistic = LogisticRegression(C=1.0, max_iter=500)
    scaled = StandardScaler(with_std=False), LengthScaling()
    recipe = make_recipe("vectors")
    told = SelfTrainingClassifier(recipe[-1].estimator, priors=true)
    made = {
        "no adaptation": (*scaled, logistic),
        "centred": (DomainCentering(), LengthScaling(), logistic),
        "CORAL": (CORAL(), LengthScaling(), logistic),
        "label shift": (*scaled, LabelShiftClassifier(logistic)),
        RECIPE: recipe,
        f"{RECIPE}, told the shares": (*recipe[:-1], told),
    }
    return {name: make_transfer_pipeline(*steps) for name, steps in made.items()}


@cache
def reviews():
    """Frame with the columns language, label, text and vector."""
    return pd.read_parquet(Path(os.environ["EMBTRANSFER_DATA"], "e5_restaurants.parquet"))


def run(language, draw):
    """Accuracy and balanced accuracy of each model, and the error of the shares by the recipe."""
    warnings.simplefilter("ignore")
    frame = reviews()
    rows, labels = np.stack(frame["vector"]).astype(np.float32), frame["label"].to_numpy()
    source = frame["language"] == "en"
    some = np.random.default_rng(draw).permutation(np.flatnonzero(frame["language"] == language))
    seen, scored = some[::2], some[1::2]
    true = np.array([np.mean(labels[seen] == one) for one in np.unique(labels)])
    scores, error = {}, None
    with threadpool_limits(1):
        for name, model in models(true).items():
            predicted = model.fit(rows[source], labels[source], X_target=rows[seen]).predict(rows[scored])
            scores[name] = [
                float(np.mean(predicted == labels[scored])),
                float(balanced_accuracy_score(labels[scored], predicted)),
            ]
            if name == RECIPE:
                error = float(np.abs(class_shares(model)["target"].to_numpy() - true).max())
    return {"language": language, "draw": draw, "true": true.tolist(), "scores": scores, "error": error}


def table(records):
    rows = []
    for name in records[0]["scores"]:
        cells = []
        for language in LANGUAGES:
            found = [one["scores"][name] for one in records if one["language"] == language]
            cells.append(f"{100 * np.mean(found, axis=0)[0]:.1f}")
        mean, balanced = 100 * np.mean([one["scores"][name] for one in records], axis=0)
        rows.append([name, f"{mean:.1f}", f"{balanced:.1f}", *cells])
    return markdown_table(["", "accuracy", "balanced", *LANGUAGES.values()], rows, (0,))


def on_page():
    return table(results("restaurants")["records"])


def work():
    for language in LANGUAGES:
        for draw in range(DRAWS):
            yield language, draw


def main():
    measure("restaurants", __doc__, run, work, table)


if __name__ == "__main__":
    main()
