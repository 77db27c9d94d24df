"""The works whose growth is measured: each takes sizes, and gives a function without arguments to time."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression

import embtransfer as et

from . import _growth_data as data

ROWS = tuple(int(m * 10**e) for e in range(3, 7) for m in (1, 3)) + (10_000_000,)
RANGES = {
    "rows": ROWS,
    "columns": (50, 100, 200, 400, 700, 1024),
    "classes": (2, 5, 10, 20, 50, 100, 200, 500, 1000),
    "words": (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000),
}
FEW_ROWS = tuple(100 * 2**i for i in range(9))  # of what takes rows by rows
SIZES = {"rows": 10_000, "columns": 100, "classes": 2, "words": 50_000}  # where they do not vary
SQUARE = "a matrix of rows by rows"


class Curve(NamedTuple):
    """Work that varies in one size; `reason` says why it grows faster than the rows, where it must."""

    stage: str
    work: str
    variable: str
    prepare: object
    sizes: dict
    reason: str = ""

    @property
    def name(self):
        return f"{self.stage}, {self.work}, {self.variable}"

    @property
    def values(self):
        return FEW_ROWS if SQUARE in self.reason else RANGES[self.variable]


# ---------------------------------------------------------------- embed: sizes -> function
def embedding(make, folder):
    def prepare(rows, columns, words, **_):
        texts, embedder = data.texts(rows, words)[0], make(data.table(folder, words, columns))
        return lambda: embedder.fit(texts).transform(texts)

    return prepare


def transforming(make, folder):
    def prepare(rows, columns, words, **_):
        vectors = data.table(folder, words, columns)
        embedder = make(vectors).fit(data.texts(20_000, words)[0])
        texts = data.texts(rows, words, 1)[0]
        return lambda: embedder.transform(texts)

    return prepare


def converting(folder):
    def prepare(columns, words, **_):
        path = data.table_file(folder, words, columns)
        return lambda: et.WordVectors.load(path, cache=False)

    return prepare


# ---------------------------------------------------------------- adapt, fit, measure
def adapting(make, rows_of=data.dense):
    def prepare(**sizes):
        (source, y), (target, _) = domains(rows_of, sizes)

        def adapt():
            adapter = make().fit(source, y, X_target=target)
            return adapter.transform_source(source), adapter.transform(target)

        return adapt

    return prepare


def fitting(make, rows_of=data.dense, target=True):
    def prepare(**sizes):
        (X, y), (X_target, _) = domains(rows_of, sizes)
        more = {"X_target": X_target} if target else {}
        return lambda: make().fit(X, y, **more).predict(X_target)

    return prepare


def fitting_few(make):
    def prepare(**sizes):
        (X, y), (X_target, y_target) = domains(data.dense, sizes)
        few = np.where(np.arange(len(y_target)) % 10 == 0, y_target, -1)
        few = [None if label < 0 else int(label) for label in few]
        return lambda: make().fit(X, y, X_target=X_target, y_target=few).predict(X_target)

    return prepare


def fitting_texts(make):
    def prepare(**sizes):
        (X, y), (X_target, _) = (data.texts(sizes["rows"], sizes["words"], domain) for domain in (0, 1))
        return lambda: make().fit(X, y, X_target=X_target)

    return prepare


def fitting_files(folder):
    def prepare(rows, words, **_):
        files = []
        for domain in (0, 1):
            texts, y = data.texts(rows, words, domain)
            files.append(folder / f"{domain}.parquet")
            pq.write_table(pa.table({"text": texts, "label": y}), files[-1], row_group_size=50_000)
        pipeline = et.make_transfer_pipeline(
            et.WordEmbedder(pooling="idf"), et.CORAL(), et.make_classifier("ridge")
        )
        return lambda: et.fit_files(pipeline, *files)

    return prepare


def comparing(function, rows_of=data.dense):
    def prepare(**sizes):
        (source, _), (target, _) = domains(rows_of, sizes)
        return lambda: function(source, target)

    return prepare


def comparing_words():
    def prepare(rows, words, **_):
        source, target = (data.texts(rows, words, domain)[0] for domain in (0, 1))
        return lambda: et.word_shift(source, target)

    return prepare


def weighing_words():
    def prepare(rows, words, **_):
        X, y = data.texts(20_000, words)
        model = et.make_transfer_pipeline(et.NGramVectorizer(max_ngram=1), LogisticRegression())
        model.fit(X, y)
        texts = data.texts(rows, words, 1)[0]
        return lambda: et.word_weights(model, texts)

    return prepare


def domains(rows_of, sizes):
    """Rows and labels of both domains."""
    asked = ("rows", "columns", "classes") if rows_of is data.dense else ("rows", "words", "classes")
    return [rows_of(*(sizes[name] for name in asked), domain) for domain in (0, 1)]


# ---------------------------------------------------------------- score
def folded(folder, columns, words, classes, classifier="ridge"):
    X, y = data.texts(max(5000, 5 * classes), words)
    y = y if classes == 2 else np.arange(len(y)) % classes
    pipeline = et.make_transfer_pipeline(
        et.WordEmbedder(data.table(folder, words, columns)),
        et.DomainCentering(),
        et.make_classifier(classifier),
    )
    return et.compile_pipeline(pipeline.fit(X, y, X_target=data.texts(5000, words, 1)[0]))


def scoring(folder):
    def prepare(rows, columns, words, classes):
        model = folded(folder, columns, words, classes)
        texts = data.texts(rows, words, 1)[0]
        return lambda: model.predict(texts)

    return prepare


def scoring_files(folder):
    def prepare(rows, columns, words, classes):
        model = folded(folder, columns, words, classes, "logistic")
        texts = data.texts(rows, words, 1)[0]
        source, destination = folder / "score_in.parquet", folder / "score_out.parquet"
        table = pa.table({"id": np.arange(rows), "text": texts})
        pq.write_table(table, source, row_group_size=100_000)
        return lambda: et.score_file(model, source, destination, proba=True)

    return prepare


# ---------------------------------------------------------------- all of them
def curves(folder):
    """All curves; `folder` takes the tables and files that they need."""
    mean, sif = et.WordEmbedder, lambda vectors: et.WordEmbedder(vectors, pooling="sif")

    def distilled(vectors):
        return et.DistilledEmbedder(et.WordEmbedder(vectors), max_ngram=1, alpha=10.0, vectors=None)

    def tfidf(vectors):
        return et.NGramVectorizer()

    made = []

    def add(stage, work, prepare, variables=("rows",), reason="", **sizes):
        for variable in variables:
            few = {"columns": 50} if variable == "words" else {}  # three million rows of 100 would fill disks
            made.append(Curve(stage, work, variable, prepare, SIZES | sizes | few, reason))

    three = ("rows", "columns", "words")
    add("embed", "WordEmbedder, mean", embedding(mean, folder), three)
    add("embed", "WordEmbedder, SIF", embedding(sif, folder), three)
    add("embed", "NGramVectorizer, TF-IDF", embedding(tfidf, folder), ("rows", "words"))
    add("embed", "DistilledEmbedder, fit", embedding(distilled, folder), ("rows", "columns"))
    add("embed", "DistilledEmbedder, transform", transforming(distilled, folder), ("rows", "columns"))
    add("embed", "WordVectors.load", converting(folder), ("words", "columns"))

    rows_and_columns = ("rows", "columns")
    for name in ("DomainCentering", "LengthScaling"):
        add("adapt", name, adapting(getattr(et, name)))
    for name in ("CORAL", "LinearOT", "SubspaceAlignment", "GeodesicFlowKernel", "TCA", "MSDA"):
        add("adapt", name, adapting(getattr(et, name)), rows_and_columns)
    jda, ot = et.JointDistributionAdaptation, et.OptimalTransport
    add("adapt", "TCA, linear", adapting(lambda: et.TCA(kernel="linear")))
    add("adapt", "JDA", adapting(jda), (*rows_and_columns, "classes"))
    add("adapt", "OptimalTransport", adapting(ot))
    add("adapt", "OptimalTransport, by class", adapting(lambda: ot(class_reg=0.1)), ("classes",))
    add("adapt", "SCL, sparse", adapting(et.SCL, data.counts), ("rows", "classes"), words=1000)
    add("adapt", "MSDA, sparse", adapting(lambda: et.MSDA(n_features=1000), data.counts), words=5000)
    all_rows = {"TCA": lambda: et.TCA(n_landmarks=None), "JDA": lambda: jda(n_landmarks=None)}
    for name, make in all_rows.items():
        reason = f"n_landmarks=None: {SQUARE}, its eigenvectors"
        add("adapt", f"{name}, all rows", adapting(make), reason=reason, columns=50)
    reason = f"n_samples=None: {SQUARE}"
    add("adapt", "OptimalTransport, all rows", adapting(lambda: ot(n_samples=None)), reason=reason)

    for name in ("logistic", "ridge", "svm", "lda", "naive_bayes", "centroid"):
        variables = ("rows", "columns", "classes") if name in ("logistic", "lda") else ("rows", "classes")
        add("fit", name, fitting(lambda name=name: et.make_classifier(name), target=False), variables)
    for name in ("self_training", "label_shift"):
        add("fit", name, fitting(lambda name=name: et.make_classifier(name)), ("rows", "classes"))
    for name in ("classifier", "kliep", "kmm", "nearest"):
        reason = "each target row's nearest source row, exactly" if name == "nearest" else ""
        weighted = fitting(lambda name=name: et.ImportanceWeightedClassifier(weights=name))
        add("fit", f"importance, {name}", weighted, reason=reason)
    add("fit", "PooledClassifier", fitting_few(et.PooledClassifier))
    add("fit", "FeatureAugmentationClassifier", fitting_few(et.FeatureAugmentationClassifier))
    for name in ("CORALClassifier", "NaiveBayesLogisticRegression"):
        sparse_fit = fitting(getattr(et, name), data.counts, target=name.startswith("CORAL"))
        add("fit", f"{name}, sparse", sparse_fit, ("rows", "classes"), words=5000)
    add("fit", "recipe 'words'", fitting_texts(et.make_recipe), words=5000)
    add("fit", "co-training", fitting_texts(co_training), words=5000)
    add("fit", "fit_files", fitting_files(folder))

    add("measure", "proxy_a_distance", comparing(et.proxy_a_distance))
    add("measure", "mmd", comparing(et.mmd))
    add("measure", "covariance_distance", comparing(et.covariance_distance), rows_and_columns)
    wide = comparing(et.covariance_distance, data.counts)
    add("measure", "covariance_distance, sparse", wide, ("rows", "words"))
    add("measure", "word_shift", comparing_words(), ("rows", "words"))
    add("measure", "word_weights", weighing_words(), ("rows", "words"))

    add("search", "TransferSearch", fitting_texts(search), words=5000)

    add("score", "folded, from Arrow", scoring(folder), (*three, "classes"), rows=100_000)
    add("score", "score_file", scoring_files(folder), ("rows", "words"))
    return {curve.name: curve for curve in made}


def co_training():
    words = et.make_transfer_pipeline(et.NGramVectorizer(), LogisticRegression(C=10, max_iter=1000))
    vectors = et.make_transfer_pipeline(
        et.WordEmbedder(), et.DomainCentering(), et.make_classifier("logistic")
    )
    return et.CoTrainingClassifier([("words", words), ("vectors", vectors)])


def search():
    return et.TransferSearch(
        embedders=["word_mean"],
        adapters=["none", "centering"],
        classifiers=["logistic", "self_training"],
        recipes=(),
    )
