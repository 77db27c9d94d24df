"""Speed of scoring: a folded pipeline against the pipeline itself and the peers' predict.

    EMBTRANSFER_DATA=... python -m benchmarks.score_speed [--rounds 5] [--scale 1] [--two]

100,000 reviews (the 8,000 Amazon reviews over and over) and 500,000 sentences of them; 50 columns (GloVe 6B,
400,000 words) and 300 (the same words, random numbers: only the speed means something); 2 and 20 classes
(of the texts' lengths: what is predicted plays no part). All contenders take the same list of str, new
objects for every repetition, and give labels. One thread each; --two adds rows with two threads and with two
processes (fastText is serial). The three slowest peers get every tenth text, and their seconds count ten
times. Writes results/score_speed.json and .md.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path

from ._interleaved import interleave, stopwatch, times
from ._results import RESULTS, machine, markdown_table, spread, write_results

# isort: split
import numpy as np
import pyarrow as pa
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline

from embtransfer import (
    CompiledPipeline,
    DomainCentering,
    WordEmbedder,
    WordVectors,
    compile_pipeline,
    make_classifier,
    make_transfer_pipeline,
)
from embtransfer.datasets import fetch_amazon_reviews

from .accuracy_amazon import full_glove
from .embed_speed import model2vec, text_sets

OURS = "folded"
SLOW = {"TF-IDF, logistic regression", "hashing, SGD", "model2vec, logistic regression"}
SHARE = 10  # of the texts, one in so many for these: their time is linear in texts
N_TRAIN = 2000
ABOUT = """# Speed of scoring

Texts to labels, with one thread unless it says otherwise; TF-IDF, hashing and model2vec on every tenth text.
MB: 10^6 bytes of UTF-8 text; medians over the rounds, and the slowest and fastest round. "Times as long":
the contender's seconds divided by those of the folded pipeline with one thread in the same round. CPU: CPU
seconds a second."""
NOTES = """## Notes

- folded: compile_pipeline of the pipeline below it; from Arrow: the texts come as a pyarrow array, as files
  give them, instead of a list of str.
- pipeline: WordEmbedder (mean), DomainCentering, logistic regression.
- fastText: supervised, the same number of columns, words alone, predict of a list. It cuts at white space.
- TF-IDF: TfidfVectorizer of words and pairs of words (min_df=2), logistic regression. Hashing:
  HashingVectorizer of words, SGDClassifier.
- model2vec: StaticModel.encode with the same table (see embed_speed), logistic regression.
- tokenise and look up: the folded pipeline's kernel without scores, its limit. All bytes, once: numpy's sum
  over them, eight at a time.
- two processes: each decodes and scores half of the texts, which are there already."""


def labels_of(texts, n_classes):
    return np.array([len(text) % n_classes for text in texts])


def fast_text(texts, y, d, folder):
    import fasttext

    path = Path(folder) / "train.txt"
    lines = (f"__label__{label} {text.lower()}" for text, label in zip(texts, y, strict=True))
    path.write_text("\n".join(lines), "utf-8")
    model = fasttext.train_supervised(str(path), dim=d, epoch=3, thread=1, verbose=0)
    model_file = str(Path(folder) / f"{d}_{len(set(y))}.bin")
    model.save_model(model_file)
    model = fasttext.load_model(model_file)
    return lambda texts: model.predict(texts), model_file


def limits(pipeline):
    """The kernel without scores, and a pass over all bytes."""
    from embtransfer._texts import iter_text_chunks, text_buffers
    from embtransfer.kernels import _tokens

    embedder = pipeline[0]

    def look_up(texts):
        for _, chunk in iter_text_chunks(texts):
            _tokens.text_rows(*embedder._kernel_arguments(chunk), False)

    def add_bytes(texts):
        data, _ = text_buffers(texts)
        return data[: len(data) // 8 * 8].view(np.uint64).sum()

    return look_up, add_bytes


_HELD = {}


def _hold(raw, kind, path):
    """In a process of its own: the model and half of the texts."""
    if kind == "fastText":
        import fasttext

        _HELD["predict"] = fasttext.load_model(path).predict
    else:
        _HELD["predict"] = CompiledPipeline.load(path).predict
    _HELD["raw"] = raw


def _score_half(half):
    raw = _HELD["raw"]
    middle = len(raw) // 2
    _HELD["predict"]([text.decode() for text in (raw[:middle], raw[middle:])[half]])


def two_processes(raw, kind, path):
    pool = ProcessPoolExecutor(2, get_context("spawn"), _hold, (raw, kind, path))
    list(pool.map(_score_half, (0, 1)))
    return pool, lambda _: list(pool.map(_score_half, (0, 1)))


def contenders_of(vectors, n_classes, folder):
    """Name -> function of a list of texts; the pipeline, its folded form, and fastText's model file."""
    reviews = [" ".join(text.splitlines()) for text in fetch_amazon_reviews().data]
    rng = np.random.default_rng(0)
    chosen = [reviews[i] for i in rng.permutation(len(reviews))[: 2 * N_TRAIN]]
    train, target = chosen[:N_TRAIN], chosen[N_TRAIN:]
    y = labels_of(train, n_classes)
    ours = make_transfer_pipeline(WordEmbedder(vectors), DomainCentering(), make_classifier("logistic"))
    ours.fit(train, y, X_target=target)
    folded = compile_pipeline(ours)
    tfidf = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), min_df=2), LogisticRegression())
    hashed = make_pipeline(HashingVectorizer(), SGDClassifier(random_state=0))
    encode = model2vec(vectors)
    head = LogisticRegression(max_iter=300).fit(encode(train), y)
    fast, file = fast_text(train, y, vectors.matrix.shape[1], folder)
    found = {
        OURS: folded.predict,
        "pipeline": ours.predict,
        "fastText predict": fast,
        "TF-IDF, logistic regression": tfidf.fit(train, y).predict,
        "hashing, SGD": hashed.fit(train, y).predict,
        "model2vec, logistic regression": lambda texts: head.predict(encode(texts)),
    }
    return found, ours, folded, file


def measure(vectors, n_classes, sets, rounds, two):
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        contenders, pipeline, folded, file = contenders_of(vectors, n_classes, folder)
        model = str(folded.save(Path(folder) / "folded"))
        for set_name, raw in sets.items():
            texts = lambda raw=raw: [text.decode() for text in raw]  # noqa: E731
            arrow = lambda raw=raw: pa.array([text.decode() for text in raw], pa.large_string())  # noqa: E731
            some = lambda raw=raw: [text.decode() for text in raw[::SHARE]]  # noqa: E731
            runs = {
                name: times(SHARE, stopwatch(predict, some)) if name in SLOW else stopwatch(predict, texts)
                for name, predict in contenders.items()
            }
            look_up, add_bytes = limits(pipeline)
            runs["folded, from Arrow"] = stopwatch(folded.predict, arrow)
            runs["tokenise and look up, from Arrow"] = stopwatch(look_up, arrow)
            runs["all bytes, once"] = stopwatch(add_bytes, arrow)
            pools = []
            if two:
                both, eight = (compile_pipeline(pipeline, n_jobs=n) for n in (2, 8))
                runs["folded, 2 threads"] = stopwatch(both.predict, texts)
                runs["folded, from Arrow, 2 threads"] = stopwatch(both.predict, arrow)
                runs["folded, from Arrow, 8 threads"] = stopwatch(eight.predict, arrow)
                for kind, path in (("fastText", file), ("folded", model)):
                    pool, predict = two_processes(raw, kind, path)
                    pools.append(pool)
                    runs[f"{kind}, 2 processes"] = stopwatch(predict)
            results[set_name] = {
                "texts": len(raw),
                "megabytes": sum(map(len, raw)) / 1e6,
                "contenders": interleave(runs, OURS, rounds),
            }
            for pool in pools:
                pool.shutdown()
    return results


def report(data):
    parts = [ABOUT]
    header = ["contender", "MB/s", "times as long", "CPU"]
    for case, sets in data["cases"].items():
        for set_name, result in sets.items():
            rows, size = [], result["megabytes"]
            for name, run in result["contenders"].items():
                cells = (
                    spread(size / run["seconds"], size / run["max"], size / run["min"], 1),
                    spread(run["ratio"], run["ratio_min"], run["ratio_max"], 2),
                    f"{run['cpu']:.2f}",
                )
                rows.append([name, *cells])
            title = f"## {case}: {result['texts']:,} {set_name}, {size:.1f} MB"
            parts += [title, markdown_table(header, rows)]
    return [*parts, NOTES]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the texts, for a smoke run")
    parser.add_argument("--two", action="store_true", help="add rows with two threads and processes")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    arguments = parser.parse_args()
    host = machine("embtransfer", "numpy", "numba", "pyarrow", "model2vec", "scikit-learn", "fasttext")
    sets = {name: raw for name, raw in text_sets(arguments.scale).items() if name in ("reviews", "sentences")}
    glove = full_glove()
    random = np.random.default_rng(0).normal(size=(len(glove), 300)).astype(np.float32)
    tables = {50: glove, 300: WordVectors(glove.words, random, name="random")}
    data = {"scale": arguments.scale, "rounds": arguments.rounds, "cases": {}}
    for d, n_classes in product(tables, (2, 20)):
        case = f"{d} columns, {n_classes} classes"
        print(case, file=sys.stderr)
        data["cases"][case] = measure(tables[d], n_classes, sets, arguments.rounds, arguments.two)
    write_results(arguments.output, "score_speed", data, host, report(data))


if __name__ == "__main__":
    main()
