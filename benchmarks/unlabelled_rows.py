"""How many unlabelled target texts recipe "words" needs: 200 to 1,600, of classes in other shares.

    EMBTRANSFER_DATA=... python -m benchmarks.unlabelled_rows

The twelve Amazon pairs of the files behind published tables (accuracy_svmlight): words and pairs of words,
5,000 columns, as they stand in a text or not. 2,000 labelled source reviews; of the target's test files as
many as the share of positive ones allows, of which 500 are scored and others are seen without labels. No
target label chooses anything. The estimate's constants were settled on books to kitchen and back, which the
table leaves out, with the other pairs in view. Writes results/unlabelled_rows.json and .md.
"""

import zlib
from itertools import permutations

import numpy as np
from threadpoolctl import threadpool_limits

from embtransfer import NaiveBayesLogisticRegression, SelfTrainingClassifier

from ._real_targets_work import of_share, scores
from ._results import markdown_table, measure, results
from .accuracy_svmlight import DOMAINS, binary, load

SHARES = (0.2, 0.5, 0.8)
SEEN = (200, 400, 800, 1600)
N_SCORED = 500
HEADS = ["seen", "accuracy", "told the shares", "balanced accuracy", "error of shares", "interval holds, %"]


def work():
    yield from permutations(DOMAINS, 2)


def with_share(labels, share, rng):
    """Places of as many rows as have this share of the second label, in any order."""
    places = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    return rng.permutation(of_share(places, share))


def run(source, target):
    (X, y), (Z, z) = load()[source, "train"], load()[target, "test"]
    X, Z = binary(X, Z)
    found = []
    for share in SHARES:
        rng = np.random.default_rng(zlib.crc32(repr((source, target, share)).encode()))
        rows = with_share(z, share, rng)
        scored, others = rows[:N_SCORED], rows[N_SCORED:]
        for n in SEEN:
            seen, right = others[:n], []
            true = float(np.mean(z[seen] == z.max()))
            for priors in ("estimated", [1 - true, true]):
                last = NaiveBayesLogisticRegression(weighting="both")
                model = SelfTrainingClassifier(
                    NaiveBayesLogisticRegression(), last_estimator=last, priors=priors
                )
                with threadpool_limits(1):
                    predicted = model.fit(X, y, X_target=Z[seen]).predict(Z[scored])
                right.append(scores(z[scored], predicted)[:2])
                if priors == "estimated":
                    low, high = model.prior_intervals_[1].tolist()
                    error = abs(float(model.priors_[1]) - true)
            found.append(
                {"share": share, "seen": n, "scores": right, "error": error, "holds": low <= true <= high}
            )
    return {"pair": [source, target], "tasks": found}


def table(records):
    """A row each number of texts seen: means over pairs that were held out, and shares."""
    records = [one for one in records if set(one["pair"]) != {"books", "kitchen"}]
    rows = []
    for n in SEEN:
        tasks = [task for one in records for task in one["tasks"] if task["seen"] == n]
        (accuracy, balanced), (told, _) = 100 * np.mean([task["scores"] for task in tasks], axis=0)
        error, holds = np.mean([[task["error"], task["holds"]] for task in tasks], axis=0)
        cells = f"{accuracy:.1f}", f"{told:.1f}", f"{balanced:.1f}", f"{error:.3f}", f"{100 * holds:.0f}"
        rows.append([f"{n:,}", *cells])
    return markdown_table(HEADS, rows, ())


def on_page():
    return table(results("unlabelled_rows")["records"])


def main():
    measure("unlabelled_rows", __doc__, run, work, table)


if __name__ == "__main__":
    main()
