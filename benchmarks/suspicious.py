"""suspicious_labels on reviews of which a known share of labels was changed.

    EMBTRANSFER_DATA=... python -m benchmarks.suspicious

Four domains of Amazon reviews, 2,000 each; 0, 5 and 10 % of the labels changed, drawn three times. Recipe
"words". Reviews whose own labels are wrong count as false finds. Writes results/suspicious.json
and .md.
"""

import numpy as np
from rich.progress import track

from embtransfer import make_recipe, suspicious_labels
from embtransfer.datasets import fetch_amazon_reviews

from ._real_targets_work import AMAZON
from ._results import RESULTS, machine, markdown_table, write_results

SHARES, DRAWS, SURE = (0.0, 0.05, 0.1), 3, 0.5


def measure(domain, share, seed):
    """Rows found, all and those of more suspicion than SURE, and how many of them were changed."""
    reviews, rng = fetch_amazon_reviews(domain), np.random.RandomState(seed)
    y = np.array(reviews.target)
    changed = rng.permutation(len(y))[: round(share * len(y))]
    y[changed] = 1 - y[changed]
    found = suspicious_labels(make_recipe("words"), reviews.data, y)
    right = np.isin(found["row"], changed)
    sure = (found["suspicion"] > SURE).to_numpy()
    counts = {"found": len(found), "right": int(right.sum()), "sure": int(sure.sum())}
    counts |= {"sure_right": int(right[sure].sum()), "changed": len(changed)}
    return {"domain": domain, "share": share, "seed": seed, **counts}


def table(records):
    rows = []
    for domain in AMAZON:
        for share in SHARES:
            some = [one for one in records if (one["domain"], one["share"]) == (domain, share)]
            found, right, sure, sure_right, changed = (
                np.mean([one[name] for one in some])
                for name in ("found", "right", "sure", "sure_right", "changed")
            )
            cells = [domain, f"{changed:.0f}"]
            for n, good in ((found, right), (sure, sure_right)):
                cells += [f"{n:.0f}", *(f"{100 * good / of:.0f}" if share else "" for of in (n, changed))]
            rows.append(cells)
    header = ["domain", "changed of 2,000", "found", "precision, %", "recall, %"]
    return markdown_table([*header, f"suspicion above {SURE}", "precision, %", "recall, %"], rows)


def main():
    host = machine("scikit-learn", "numpy")
    tasks = [(domain, share, seed) for domain in AMAZON for share in SHARES for seed in range(DRAWS)]
    tasks = [task for task in tasks if task[1] or not task[2]]  # without a change all draws are one
    records = [measure(*task) for task in track(tasks, "tasks")]
    write_results(RESULTS, "suspicious", {"records": records}, host, [table(records)])


if __name__ == "__main__":
    main()
