"""The tasks of real_targets, and what is measured on one."""

import gzip
import os
import warnings
import zlib
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score, f1_score
from threadpoolctl import threadpool_limits

from embtransfer import (
    DomainCentering,
    LabelShiftClassifier,
    NaiveBayesLogisticRegression,
    NGramVectorizer,
    NoAdaptation,
    TransferSearch,
    WordEmbedder,
    class_shares,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
)
from embtransfer.datasets import fetch_amazon_reviews
from embtransfer.trials.search._candidates import make_candidates

SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9)
AMAZON = ("books", "dvd", "electronics", "kitchen")
FDU = (
    *("apparel", "baby", "camera_photo", "health_personal_care", "imdb", "magazines", "MR", "music"),
    *("software", "sports_outdoors", "toys_games", "video", "books", "dvd", "electronics"),
    "kitchen_housewares",
)
SETS = ("amazon", "fdu_mtl", "crisislex_t26", "airline_tweets", "airlines_60")
FOLDERS = {"airlines_60": "airline_tweets"}  # of a set that has another's name
N_SOURCE = N_TARGET = 2000
_COMMON = 0.6  # of three classes; the others have a half of the rest each
TFIDF, TODAY, WORDS, TOLD, WORD_VECTORS = (
    "TF-IDF, unadapted",
    'recipe "words" at the source\'s shares',
    'recipe "words"',
    'recipe "words", told the shares',
    'recipe "word_vectors"',
)
CHOICES = ("embedders", "adapters", "classifiers", "recipes", "parameters")
ESTIMATES = ("TF-IDF, label shift", WORDS, WORD_VECTORS)


class Task(NamedTuple):
    data: str
    source: str | None  # None: all other domains
    target: str
    share: float | str | None  # of the target's positive texts; a class that has _COMMON; None: as they are
    draw: int
    developed: bool  # our constants were set on it


def tasks(n_draws):
    for source, target in permutations(AMAZON, 2):
        for share in SHARES:
            for draw in range(n_draws):
                developed = {source, target} == {"books", "kitchen"}
                yield Task("amazon", source, target, share, draw, developed)
    for half in (FDU[:8], FDU[8:]):
        for i, source in enumerate(half * 2):
            target = half[(3 * i + 1 + i // 8) % 8]
            if source != target and i < 6:
                for share in (0.1, 0.3, 0.5, 0.8):
                    yield Task("fdu_mtl", source, target, share, 0, half == FDU[:8])
    for data in ("crisislex_t26", "airline_tweets"):
        for i, target in enumerate(sorted(domains(data))):
            yield Task(data, None, target, None, 0, i % 2 == 0)
    for target in sorted(domains("airline_tweets")):
        for common in ("negative", "neutral", "positive"):
            yield Task("airlines_60", None, target, common, 0, True)


@cache
def domains(data):
    """Name -> (texts, labels) of a folder of EMBTRANSFER_DATA."""
    folder = Path(os.environ["EMBTRANSFER_DATA"]) / data
    if data == "crisislex_t26":
        frames = {path.stem: pd.read_csv(path) for path in folder.glob("*.csv")}
    elif data == "airline_tweets":
        frames = dict(list(pd.read_csv(folder / "airline_tweets.csv").groupby("airline")))
    else:
        frames = {name: reviews(folder, name) for name in FDU}
    return {
        name: (frame["text"].astype(str).to_list(), frame["label"].to_numpy())
        for name, frame in frames.items()
    }


def intents(data, *parts):
    """Texts and labels, columns "text" and "label", of files of a set of intents in EMBTRANSFER_DATA."""
    folder = Path(os.environ["EMBTRANSFER_DATA"], data)
    return [pd.read_csv(folder / f"{part}.csv").rename(columns={"category": "label"}) for part in parts]


def reviews(folder, name):
    rows = []
    for part in ("train", "test"):
        with gzip.open(folder / f"{name}_{part}.tsv.gz", "rt", encoding="utf-8", errors="replace") as lines:
            rows += [line.rstrip("\n").partition("\t")[::2] for line in lines]
    frame = pd.DataFrame(rows, columns=["label", "text"])
    return frame.assign(label=frame["label"].astype(int))


def load(task):
    """X, y, X_target of the seen half, its labels, and texts and labels of the scored half."""
    rng = np.random.default_rng(zlib.crc32(repr(task[:5]).encode()))
    if task.data == "amazon":
        source, target = fetch_amazon_reviews(task.source), fetch_amazon_reviews(task.target)
        texts, labels, Z, z = source.data, source.target, target.data, np.asarray(target.target)
    else:
        found = domains(FOLDERS.get(task.data, task.data))
        sources = [task.source] if task.source else [name for name in found if name != task.target]
        texts = [text for name in sources for text in found[name][0]]
        labels = np.concatenate([found[name][1] for name in sources])
        Z, z = found[task.target]
    some = rng.permutation(len(texts))[:N_SOURCE]
    if task.share is None:
        seen, scored = np.array_split(rng.permutation(len(Z))[:N_TARGET], 2)
    else:
        wanted = shares_wanted(task.share, np.unique(z))
        n = min(N_TARGET, *(int((z == label).sum() / share) for label, share in wanted.items()))
        drawn = [rng.permutation(np.flatnonzero(z == label))[: round(n * p)] for label, p in wanted.items()]
        seen, scored = (
            rng.permutation(np.concatenate(half)) for half in zip(*map(halves, drawn), strict=True)
        )
    X, X_target, unseen = [texts[i] for i in some], [Z[i] for i in seen], [Z[i] for i in scored]
    return X, np.asarray(labels)[some], X_target, z[seen], unseen, z[scored]


def shares_wanted(share, classes):
    """Class -> its share of the target."""
    if isinstance(share, str):
        rest = (1 - _COMMON) / (len(classes) - 1)
        return {label: _COMMON if label == share else rest for label in classes}
    return {1: share, 0: 1 - share}


def halves(rows):
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


def models(true):
    """Name -> unfitted pipeline; `true` are the seen half's shares, for the rows that are told them."""
    tfidf, words, logistic = (
        NGramVectorizer(),
        NGramVectorizer("binary", max_ngram="auto"),
        make_classifier("logistic"),
    )
    counts, recipe, glove = (
        NaiveBayesLogisticRegression(weighting="auto"),
        make_recipe("words")[-1],
        WordEmbedder(),
    )
    made = {
        TFIDF: (tfidf, logistic),
        "TF-IDF, label shift": (tfidf, LabelShiftClassifier()),
        "log-count ratios, unadapted": (words, counts),
        TODAY: (words, clone(recipe).set_params(priors="source")),
        WORDS: (words, recipe),
        TOLD: (words, clone(recipe).set_params(priors=true)),
        WORD_VECTORS: (make_recipe("word_vectors"),),
        "GloVe 50d, unadapted": (glove, NoAdaptation(), logistic),
        "GloVe 50d, centred at the source's shares": (glove, DomainCentering(priors="source"), logistic),
        "GloVe 50d, centred": (glove, DomainCentering(), logistic),
        "GloVe 50d, centred, told the shares": (glove, DomainCentering(priors=true), logistic),
    }
    return {name: make_transfer_pipeline(*map(clone, steps)) for name, steps in made.items()}


def of_share(places, share):
    """As many of the places of negative and of positive rows as have this share of the latter, the first."""
    n = int(min(len(places[0]) / (1 - share), len(places[1]) / share))
    return np.concatenate([places[0][: round(n * (1 - share))], places[1][: round(n * share)]])


def scores(y, predicted):
    return [
        float((y == predicted).mean()),
        float(balanced_accuracy_score(y, predicted)),
        float(f1_score(y, predicted, average="macro")),
    ]


def run(task, search):
    """All rows of a task: name -> accuracy, balanced accuracy, macro F1; shares and intervals by estimate."""
    warnings.simplefilter("ignore")
    X, y, X_target, hidden, texts, wanted = load(task)
    true = np.array([(hidden == label).mean() for label in np.unique(y)])
    record = {"task": task._asdict(), "true": true.tolist(), "n": len(texts), "scores": {}, "shares": {}}
    with threadpool_limits(1):
        for name, model in models(true).items():
            model.fit(X, y, X_target=X_target)
            record["scores"][name] = scores(wanted, model.predict(texts))
            if name in ESTIMATES:
                record["shares"][name] = class_shares(model)[["target", "low", "high"]].to_numpy().tolist()
        if search:
            record["search"] = searched(X, y, X_target, texts, wanted)
    return record


def searched(X, y, X_target, texts, wanted):
    """What TransferSearch chose and promised, and how right its candidates are, fitted on all texts."""
    search = TransferSearch().fit(X, y, X_target=X_target)
    right, unadapted = {}, []
    candidates, _ = make_candidates([(None, "texts")], *(search.get_params()[name] for name in CHOICES))
    for candidate in candidates:
        predicted = clone(candidate.estimator).fit(X, y, X_target=X_target).predict(texts)
        right[candidate.name] = float((predicted == wanted).mean())
        if candidate.unadapted == len(right) - 1:
            unadapted.append(candidate.name)
    return {
        "chosen": search.best_name_,
        "right": float((search.predict(texts) == wanted).mean()),
        "best": max(right.values()),
        "best_unadapted": max(right[name] for name in unadapted),
        "promised": [search.expected_score_, *search.score_interval_],
        "candidates": right,
    }
