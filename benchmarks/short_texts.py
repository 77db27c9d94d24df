"""From long reviews to single sentences, and back: where self-training does not know the target's shares.

    EMBTRANSFER_DATA=... python -m benchmarks.short_texts

FDU-MTL: the domain MR (single sentences of film reviews) and eight domains of long reviews, each to the
other; and long reviews to another domain's of which one sentence is left, drawn at random, and from such to
long ones. 2,000 labelled source texts; of the target's 1,000 as many as the share of positive ones allows are
seen without labels, of 1,000 others as many are scored. Writes results/short_texts.json and .md.
"""

import re
import warnings
import zlib

import numpy as np
from threadpoolctl import threadpool_limits

from embtransfer import class_shares

from ._real_targets_work import FDU, TFIDF, TODAY, TOLD, WORDS, domains, models, of_share, scores
from ._results import markdown_table, measure, results

LONG = tuple(name for name in FDU if name != "MR")[::2]
SHARES = (0.2, 0.5, 0.8)
ROWS = (TFIDF, "GloVe 50d, unadapted", "log-count ratios, unadapted", TODAY, WORDS, TOLD)
KINDS = ("reviews to MR", "MR to reviews", "reviews to sentences", "sentences to reviews")


def work():
    for name, other in zip(LONG, LONG[1:] + LONG[:1], strict=True):
        yield KINDS[0], name, "MR"
        yield KINDS[1], "MR", name
        yield KINDS[2], name, other
        yield KINDS[3], name, other


def one_sentence(texts, rng):
    """Of each text one sentence of three words or more, or the text where there is none."""
    for text in texts:
        found = [part for part in re.split(r"(?<=[.!?])\s+", text) if len(part.split()) >= 3] or [text]
        yield found[rng.integers(len(found))]


def load(kind, source, target):
    """X, y, texts and labels of the target: 2,000 of each domain at most."""
    rng, found = np.random.default_rng(zlib.crc32(repr((kind, source, target)).encode())), []
    for name, cut in ((source, kind == KINDS[3]), (target, kind == KINDS[2])):
        texts, labels = domains("fdu_mtl")[name]
        some = rng.permutation(len(texts))[:2000]
        texts = [texts[i] for i in some]
        found += [list(one_sentence(texts, rng)) if cut else texts, labels[some]]
    return found


def with_share(texts, labels, share):
    """As many of these as have this share of positive ones."""
    places = [np.flatnonzero(labels == label) for label in (0, 1)]
    some = np.sort(of_share(places, share))
    return [texts[i] for i in some], labels[some]


def run(kind, source, target):
    warnings.simplefilter("ignore")
    X, y, Z, z = load(kind, source, target)
    found = []
    for share in SHARES:
        seen, hidden = with_share(Z[:1000], z[:1000], share)
        texts, wanted = with_share(Z[1000:], z[1000:], share)
        true = np.array([np.mean(hidden == label) for label in (0, 1)])
        right, interval = {}, None
        with threadpool_limits(1):
            for name, model in models(true).items():
                if name in ROWS:
                    right[name] = scores(wanted, model.fit(X, y, X_target=seen).predict(texts))[:2]
                if name == WORDS:
                    interval = class_shares(model).loc[1, ["target", "low", "high"]].tolist()
        found.append({"share": share, "true": float(true[1]), "scores": right, "positive": interval})
    return {"kind": kind, "pair": [source, target], "tasks": found}


def table(records):
    """Mean accuracy and balanced accuracy by kind, over all shares, and accuracy on balanced targets."""
    rows = []
    for name in ROWS:
        cells = []
        for kind in KINDS:
            tasks = [task for one in records if one["kind"] == kind for task in one["tasks"]]
            accuracy, balanced = 100 * np.mean([task["scores"][name] for task in tasks], axis=0)
            even = 100 * np.mean([task["scores"][name][0] for task in tasks if task["share"] == 0.5])
            cells.append(f"{accuracy:.1f} / {balanced:.1f} / {even:.1f}")
        rows.append([name, *cells])
    return markdown_table(["", *KINDS], rows, (0,))


def on_page():
    return table(results("short_texts")["records"])


def main():
    measure("short_texts", __doc__, run, work, table)


if __name__ == "__main__":
    main()
