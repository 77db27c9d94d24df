"""The same inputs and seeds give the same bytes, whatever the number of threads, batches, or seed of hashes.

BLAS is the exception: with another number of threads it adds in another order. With one number of threads
the bytes are the same; between numbers of threads rows differ by rounding, whose bound is tested here.
"""

import inspect
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits

import embtransfer
from embtransfer import (
    DistilledEmbedder,
    NaiveBayesLogisticRegression,
    NGramVectorizer,
    WordEmbedder,
    compile_pipeline,
    make_classifier,
    make_transfer_pipeline,
    score_file,
)
from embtransfer._texts import iter_text_chunks
from embtransfer.adapters import BaseAdapter
from embtransfer.classifiers._base import BaseTransferClassifier
from embtransfer.datasets import load_demo_reviews

PUBLIC = [
    part for part in (getattr(embtransfer, name) for name in embtransfer.__all__) if inspect.isclass(part)
]
N_THREADS = [1, 8]
MORE_OF_BLAS = 3  # threads of BLAS, compared with one
BOUND = 1e-3  # of the rows' standard deviation, between numbers of BLAS threads; 1e-4 was seen
ADAPTERS = [part for part in PUBLIC if issubclass(part, BaseAdapter)]
CLASSIFIERS = [part for part in PUBLIC if issubclass(part, BaseTransferClassifier)]
CLASSIFIERS = [part for part in CLASSIFIERS if part.__name__ != "CoTrainingClassifier"]  # needs views
CLASSIFIERS.append(NaiveBayesLogisticRegression)
every_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda part: part.__name__)
every_classifier = pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda part: part.__name__)


def make_domains():
    """Float32 rows whose columns fall in scale, as those of embeddings do; no BLAS is asked for them."""
    rng = np.random.default_rng(0)
    scale = np.exp(-np.arange(40) / 6) + 0.01
    source = (rng.normal(size=(150, 40)) * scale).astype(np.float32)
    target = ((rng.normal(size=(120, 40)) + 0.5) * scale).astype(np.float32)
    return source, (source[:, 0] + 0.3 * rng.normal(size=150) > 0).astype(int), target


def adapted(adapter):
    source, y, target = make_domains()
    fitted = adapter().fit(source, y, X_target=target)
    return np.vstack([fitted.transform_source(source), fitted.transform(target)])


def classified(classifier):
    source, y, target = make_domains()
    if classifier is NaiveBayesLogisticRegression:
        return classifier().fit(np.abs(source), y).predict_proba(np.abs(target))
    return classifier().fit(source, y, X_target=target).predict_proba(target)


def same_bytes(results):
    first, *others = (
        (part.indptr.tobytes(), part.indices.tobytes(), part.data.tobytes())
        if sparse.issparse(part)
        else (part.dtype, part.shape, np.ascontiguousarray(part).tobytes())
        for part in results
    )
    return all(other == first for other in others)


def with_threads(compute, part):
    """The result with one thread of BLAS, which must be the same again, and with more threads."""
    with threadpool_limits(1):
        result = compute(part)
        assert same_bytes([result, compute(part)])
    with threadpool_limits(MORE_OF_BLAS):
        return result.astype(np.float64), compute(part).astype(np.float64)


@every_adapter
def test_adapters(adapter):
    one, other = with_threads(adapted, adapter)
    assert np.abs(other - one).max() <= BOUND * one.std()


@every_classifier
def test_classifiers(classifier):
    one, other = with_threads(classified, classifier)
    np.testing.assert_allclose(other, one, atol=1e-3)
    assert (other.argmax(axis=1) == one.argmax(axis=1)).all()


def embedders(n_jobs):
    poolings = "mean", "idf", "sif", "usif", "max", "power_means"
    made = {pooling: WordEmbedder(pooling=pooling, n_jobs=n_jobs) for pooling in poolings}
    teacher = WordEmbedder(pooling="mean")
    made["distilled"] = DistilledEmbedder(teacher, alpha=10.0, max_ngram=1, n_components=20, n_jobs=n_jobs)
    made["ngrams"] = NGramVectorizer(n_jobs=n_jobs)
    return made


@pytest.mark.parametrize("name", embedders(1))
def test_embedders_with_more_threads_and_other_batches(name):
    texts = load_demo_reviews("films").data
    many = texts * 60
    assert len([*iter_text_chunks(many)]) > 3  # which threads share
    results = []
    with threadpool_limits(1):
        for n_jobs in N_THREADS:
            fitted = embedders(n_jobs)[name].fit(many)
            results.append(fitted.transform(many))
    assert same_bytes(results)
    stack = sparse.vstack if sparse.issparse(results[0]) else np.vstack
    edges = [*range(20), *range(20, 100, 7), *range(100, len(texts), 100), len(texts)]  # of batches
    parts = [fitted.transform(texts[start:end]) for start, end in pairwise(edges)]
    in_batches = stack(parts, **({"format": "csr"} if sparse.issparse(results[0]) else {}))
    whole = results[0][: len(texts)]
    if name in ("sif", "usif"):  # components are taken off by BLAS, which adds in an order that blocks set
        np.testing.assert_allclose(in_batches, whole, rtol=0, atol=1e-5)
    else:
        assert same_bytes([in_batches, whole])


@pytest.fixture(scope="module")
def pipeline():
    films = load_demo_reviews("films")
    made = make_transfer_pipeline(WordEmbedder(), make_classifier("logistic"))
    return made.fit(films.data, films.target)


@pytest.mark.parametrize(
    ("compiled", "ending"), [(False, ".csv"), (True, ".jsonl"), (True, ".parquet")], ids=str
)
def test_scored_files(tmp_path, pipeline, ending, compiled):
    model = compile_pipeline(pipeline) if compiled else pipeline
    texts = load_demo_reviews("kitchenware").data * 4
    pd.DataFrame({"text": texts}).to_csv(tmp_path / "in.csv", index=False)
    written = set()
    for n_jobs in N_THREADS:
        with threadpool_limits(n_jobs):
            out = tmp_path / f"{n_jobs}{ending}"
            score_file(model, tmp_path / "in.csv", out, proba=True, n_jobs=n_jobs, block_size=4_000)
            written.add(out.read_bytes())
    assert len(written) == 1
    frames = []
    for batch_size in (3, 10_000):
        out = tmp_path / f"batches{batch_size}.parquet"
        score_file(model, tmp_path / "in.csv", out, proba=True, batch_size=batch_size)
        frames.append(pd.read_parquet(out))
    numbers = [frame.filter(like="prediction_").to_numpy() for frame in frames]
    assert frames[0]["prediction"].equals(frames[1]["prediction"])
    if compiled:
        assert same_bytes(numbers)
    else:  # BLAS multiplies few rows in another way than many
        np.testing.assert_allclose(*numbers, atol=1e-5)


EVERYTHING = """
import hashlib, sys, warnings
from pathlib import Path
import numpy as np
from embtransfer import (NGramVectorizer, TransferSearch, WordEmbedder, WordVectors,
    compile_pipeline, make_adapter, make_classifier, make_recipe, make_report, make_transfer_pipeline,
    save_pipeline)
from embtransfer.datasets import load_demo_reviews

folder = Path(sys.argv[1])
films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
X, y, Z = films.data[:40], films.target[:40], pans.data[:40]  # fewer: the time is that of fits

def tell(name, *data):
    print(name, hashlib.sha256(b"".join(data)).hexdigest()[:16])

def files(path):
    return [part for file in sorted(path.iterdir()) for part in (file.name.encode(), file.read_bytes())]

logistic = lambda: make_classifier("logistic")
pipelines = {
    "dense": make_transfer_pipeline(WordEmbedder(pooling="idf"), make_adapter("coral"), logistic()),
    "sparse": make_transfer_pipeline(NGramVectorizer(), make_adapter("msda"), logistic()),
    "recipe": make_recipe("words"),
}
for name, pipeline in pipelines.items():
    pipeline.fit(X, y, X_target=Z)
    for again in "ab":
        save_pipeline(pipeline, folder / f"{name}-{again}")
        tell(f"{name} {again}", *files(folder / f"{name}-{again}"))
compile_pipeline(pipelines["dense"]).save(folder / "compiled")
tell("compiled", *files(folder / "compiled"))
report = make_report(X, y, Z, pans.target[:40])
made = report.created.encode()
tell("report", *(part.encode().replace(made, b"") for part in (report.to_html(), report.to_markdown())))
search = TransferSearch({"glove": WordEmbedder()}, ["none", "centering"], ["logistic"], recipes=[])
search.fit(X, y, X_target=Z)
results = search.results_.drop(columns=[c for c in search.results_ if "second" in c])
tell("search", repr(search.best_name_).encode(), results.to_csv().encode(), search.predict(Z).tobytes())
(folder / "vectors.txt").write_text("".join(f"word{i} {i} {-i}\\n" for i in range(999)))
vectors = WordVectors.load(folder / "vectors.txt")
cache = next((folder / "cache" / "vectors").glob("*/matrix.npy")).parent
parts = [(cache / name).read_bytes() for name in ("matrix.npy", "slots.npy", "words.arrow")]
tell("vectors", vectors.checksum.encode(), *parts)
"""


def test_two_processes_with_other_seeds_of_hashes(tmp_path):
    said = []
    for seed in ("1", "2"):
        (tmp_path / seed).mkdir()
        more = {"PYTHONHASHSEED": seed, "EMBTRANSFER_CACHE": str(tmp_path / seed / "cache")}
        more |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", EVERYTHING, str(tmp_path / seed)],
            env={**os.environ, **more},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines())
    assert said[0] == said[1]
    hashes = dict(line.rsplit(" ", 1) for line in said[0])
    assert len(hashes) == 10
    for name in ("dense", "sparse", "recipe"):
        assert hashes[f"{name} a"] == hashes[f"{name} b"]
