"""Which target texts to label: `suggest_labels`, scikit-activeml and small-text, same labels, same model.

    EMBTRANSFER_DATA=... python -m benchmarks.label_peers

Targets: three pairs of Amazon reviews, the target half positive, and every second event of crisislex_t26,
each from 2,000 texts of all others; three draws. Half of a target is seen (at most 1,000 texts), half scored.
The model is logistic regression (C = 10) on TF-IDF rows of both domains, fitted on the source and on the
labelled target texts, each of which counts as three of the source. Each strategy asks for 50 labels, the
model is fitted, and it asks for 50 more. Of two classes margin, entropy and least confidence are one.
Strategies that look at distances get the leading 100 directions of the same rows. "default" keeps every fifth
label for scoring, so that the model learns from 40 and 80. Writes results/label_peers.json and .md.
"""

import argparse
import warnings

import numpy as np
from rich.progress import track
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from threadpoolctl import threadpool_limits

from embtransfer import NGramVectorizer, suggest_labels

from ._peers import Peer, distributions, present
from ._real_targets_work import Task, domains, load
from ._results import RESULTS, machine, markdown_table, write_results

SIZES, DRAWS, TARGET_WEIGHT = (50, 100), 3, 3.0
PAIRS = (("books", "electronics"), ("dvd", "kitchen"), ("electronics", "dvd"))


class Pool:
    """Rows and labels of a task, and the model that learns from some of the target's."""

    def __init__(self, task, seed):
        X, y, X_target, labels, texts, wanted = load(task)
        vectorizer = NGramVectorizer().fit(X, X_target=X_target)
        self.source, self.target, self.scored = map(vectorizer.transform, (X, X_target, texts))
        self.classes, self.y = np.unique(y, return_inverse=True)
        self.labels, self.wanted = (np.searchsorted(self.classes, some) for some in (labels, wanted))
        svd = TruncatedSVD(100, random_state=seed).fit(self.target)
        self.few, self.seed = svd.transform(self.target), seed

    def fit(self, rows, model=None):
        from scipy.sparse import vstack

        model = model or LogisticRegression(C=10, max_iter=1000)
        weights = np.concatenate([np.ones(len(self.y)), np.full(len(rows), TARGET_WEIGHT)])
        both = vstack([self.source, self.target[rows]], format="csr")
        return model.fit(both, np.concatenate([self.y, self.labels[rows]]), sample_weight=weights)

    def known(self, rows):
        """Labels, NaN where not known, as scikit-activeml takes them."""
        found = np.full(len(self.labels), np.nan)
        found[rows] = self.labels[rows]
        return found


def ours(method):
    def ask(pool, rows, n):
        known = {row: pool.labels[row] for row in rows}
        found = suggest_labels(
            pool.fit(ask.learned(rows)), pool.target, n, y_target=known, method=method, random_state=pool.seed
        )
        if method == "default":
            ask.scoring |= set(found["row"][found["why"] == "random"])
        return found["row"].tolist()

    ask.scoring = set()
    ask.learned = lambda rows: [row for row in rows if row not in ask.scoring]
    return ask


def activeml(name, few=False, **options):
    """A strategy of scikit-activeml; `few`: it looks at the leading directions, and at no model."""

    def ask(pool, rows, n):
        from skactiveml import pool as strategies
        from skactiveml.classifier import SklearnClassifier

        strategy = getattr(strategies, name)(random_state=pool.seed, **options)
        if few:
            return strategy.query(pool.few, pool.known(rows), batch_size=n).tolist()
        inner = SklearnClassifier(
            LogisticRegression(C=10, max_iter=1000), classes=range(len(pool.classes)), random_state=pool.seed
        )
        model = pool.fit(rows, _Dense(inner)).inner
        dense = pool.target.toarray()
        return strategy.query(dense, pool.known(rows), clf=model, fit_clf=False, batch_size=n).tolist()

    return ask


class _Dense:
    """Fits what takes dense rows alone."""

    def __init__(self, inner):
        self.inner = inner

    def fit(self, X, y, sample_weight):
        self.inner.fit(X.toarray(), y, sample_weight=sample_weight)
        return self


class _SmallText:
    """A model as small-text asks it: by rows of a data set, which are the target's here."""

    def __init__(self, pool, model):
        self.pool, self.model = pool, model

    def predict_proba(self, dataset):
        return self.model.predict_proba(self.pool.target[dataset])

    def embed(self, dataset, return_proba=False, **_):
        rows = self.pool.few[dataset]
        return (rows, self.predict_proba(dataset)) if return_proba else rows


def small_text(name):
    def ask(pool, rows, n):
        import small_text

        everything = np.arange(len(pool.labels))
        free = np.setdiff1d(everything, rows)
        np.random.seed(pool.seed)  # noqa: NPY002 - what it draws by
        clf = _SmallText(pool, pool.fit(rows))
        strategy = getattr(small_text, name)()
        known = np.array(rows, int)
        return np.asarray(strategy.query(clf, everything, free, known, pool.labels[known], n=n)).tolist()

    return ask


STRATEGIES = {
    "ours: random": Peer("embtransfer", lambda: ours("random")),
    "ours: margin": Peer("embtransfer", lambda: ours("margin")),
    "ours: default, a fifth of which scores": Peer("embtransfer", lambda: ours("default")),
    "ours: diverse": Peer("embtransfer", lambda: ours("diverse")),
    "ours: typical": Peer("embtransfer", lambda: ours("typical")),
    **{
        f"scikit-activeml: {label}": Peer("scikit-activeml", make)
        for label, make in {
            "UncertaintySampling, margin": lambda: activeml("UncertaintySampling", method="margin_sampling"),
            "TypiClust": lambda: activeml("TypiClust", few=True),
            "CoreSet": lambda: activeml("CoreSet", few=True),
            "ProbCover": lambda: activeml("ProbCover", few=True),
        }.items()
    },
    **{
        f"small-text: {name}": Peer("small-text", lambda name=name: small_text(name))
        for name in ("BreakingTies", "LightweightCoreset", "EmbeddingKMeans")
    },
}


def tasks():
    for draw in range(DRAWS):
        for source, target in PAIRS:
            yield Task("amazon", source, target, 0.5, draw, False)
        for event in sorted(domains("crisislex_t26"))[1::2]:
            yield Task("crisislex_t26", None, event, None, draw, False)


def run(task, strategies):
    """(Accuracy, balanced accuracy) with 0 labels, and of each strategy with 50 and 100."""
    pool, found = Pool(task, task.draw), {}

    def scores(rows):
        said = pool.fit(rows).predict(pool.scored)
        return float((said == pool.wanted).mean()), float(balanced_accuracy_score(pool.wanted, said))

    none = scores([])
    for name, peer in strategies.items():
        ask, rows, found[name] = peer.make(), [], []
        for n in SIZES:
            rows = [*rows, *map(int, ask(pool, rows, n - len(rows)))]
            assert len(set(rows)) == len(rows)
            found[name].append([len(rows), *scores(getattr(ask, "learned", list)(rows))])
    return {"task": task._asdict(), "none": none, "scores": found}


def table(records, reasons):
    groups = {"Amazon": "amazon", "crisislex_t26": "crisislex_t26"}
    chosen = [[r for r in records if r["task"]["data"] == data] for data in groups.values()]

    def line(name, values):
        return [
            name,
            *(f"{100 * np.mean([value(r) for r in some]):.1f}" for some in chosen for value in values),
        ]

    header = ["strategy", *(f"{name}, {what}" for name in groups for what in ("50", "100", "100, balanced"))]
    rows = [line("no label", [lambda r: r["none"][0]] * 2 + [lambda r: r["none"][1]])]
    for name in records[0]["scores"]:
        at = [lambda r, i=i, k=k, name=name: r["scores"][name][i][k] for i, k in ((0, 1), (1, 1), (1, 2))]
        rows.append(line(name, at))
    absent = [f"{name}: {reason}." for name, reason in reasons.items()]
    return [
        "Accuracy with 50 and 100 labels of the target, and balanced accuracy with 100, in percent, mean of "
        f"{DRAWS} draws of {len(PAIRS)} pairs of Amazon reviews and of {len(chosen[1]) // DRAWS} events:",
        markdown_table(header, rows),
        *absent,
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.parse_args()
    warnings.simplefilter("ignore")
    strategies, reasons = present(STRATEGIES)
    host = machine("scikit-learn", *distributions(strategies))
    work = list(tasks())
    with threadpool_limits(1):
        records = [run(task, strategies) for task in track(work, "tasks")]
    write_results(RESULTS, "label_peers", {"records": records}, host, table(records, reasons))


if __name__ == "__main__":
    main()
