"""Accuracy that each peer's own recipe reaches on the twelve Amazon review pairs, and on BANKING77.

    EMBTRANSFER_DATA=... python -m benchmarks.accuracy_peers [--methods "a;b"] [--jobs 2] [--cache DIR]

Amazon: 2,000 labelled source reviews; texts and folds of accuracy_transfer's "unseen" rows. A peer that takes
no unlabelled target texts is fitted once a source: its accuracy over the five folds is that on all 2,000
target reviews. One that adapts sees four folds without labels and is scored on the fifth, as ours. BANKING77:
5 labels a class, the draws and the test set of accuracy_banking77. Hyperparameters are the peer's defaults,
its tutorial's, or chosen by cross-validation on the source; no target label is seen. Our rows are those of
accuracy_transfer.json and accuracy_banking77.json. "Eight pairs": those on which our recipes were not
developed. "Below words": pairs on which a row has fewer right than the recipe "words". Seconds: fit and
prediction of one target, sentence vectors given. A peer that cannot run here is a row that says why. Rows
that results/accuracy_peers.json has are kept, unless --methods names them. Writes that and .md.
"""

import argparse
import contextlib
import io
import json
import os
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import permutations
from multiprocessing import get_context
from pathlib import Path
from tempfile import gettempdir
from time import perf_counter

import numpy as np
from rich.console import Console
from sklearn.model_selection import StratifiedKFold

from embtransfer.datasets import fetch_amazon_reviews, fetch_banking77

from . import _peers_adapt, _peers_classify
from ._peers import distributions, present
from ._results import RESULTS, machine, markdown_table, results, write_results
from .accuracy_banking77 import DRAWS, draw
from .accuracy_transfer import DEVELOPED_ON, DOMAINS, Split, embed

N_LABELS = 5  # a class of BANKING77
AMAZON_ALONE = {"spaCy: textcat": "not run: each of its 1,600 steps or more moves all 262,144 x 77 weights"}
OURS = {
    "embtransfer: recipe 'words'": "recipe 'words', without a model",
    "embtransfer: recipe 'distilled'": "recipe 'distilled', without MiniLM at prediction",
    "embtransfer: recipe 'sentences'": "recipe 'sentences', with MiniLM at prediction",
    "embtransfer: TF-IDF, logistic regression, no adaptation": "TF-IDF",
    "embtransfer: MiniLM by sentence, no adaptation": "MiniLM by sentence, none",
    "scikit-learn: SelfTrainingClassifier on TF-IDF": "scikit-learn self-training, TF-IDF",
}
WORDS = "embtransfer: recipe 'words'"
OURS_BANKING = {
    WORDS: 'recipe "words"',
    "embtransfer: TF-IDF, logistic regression, no adaptation": "TF-IDF, words and pairs",
    "embtransfer: MiniLM, no adaptation": "all-MiniLM-L6-v2",
    "embtransfer: MiniLM, self-trained": "all-MiniLM-L6-v2, self-trained",
}


# ---------------------------------------------------------------- runs: each gives records
def banking_draw(seed):
    train = fetch_banking77("train")
    chosen = draw(train.target, N_LABELS, seed)
    return [train.data[i] for i in chosen], np.asarray(train.target)[chosen]


def run_texts(name, source, cache):
    """A classifier of texts, fitted on one domain or one draw, on all its targets."""
    if source in DOMAINS:
        train = fetch_amazon_reviews(source)
        tests = {domain: fetch_amazon_reviews(domain) for domain in DOMAINS if domain != source}
        texts, y = list(train.data), np.asarray(train.target)
    else:
        tests = {"banking77": fetch_banking77("test")}
        texts, y = banking_draw(int(source.rpartition(" ")[2]))
    start = perf_counter()
    model = _peers_classify.PEERS[name].make(cache).fit(texts, y)
    fitting, records = perf_counter() - start, []
    for target, test in tests.items():
        start = perf_counter()
        right = float(np.mean(model.predict(list(test.data)) == np.asarray(test.target)))
        seconds = round(fitting + perf_counter() - start, 1)
        records.append({"method": name, "source": source, "target": target, "unseen": right})
        records[-1]["seconds"] = seconds
    return records


def run_adapting(name, source, target, cache):
    """An adapting peer on one pair, in the five folds of accuracy_transfer."""
    vectors, y = embed(cache), np.asarray(fetch_amazon_reviews(target).target)
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(y, y)
    hits, seconds = 0, 0.0
    for seen, scored in folds:
        split = Split(source, target, seen, scored, vectors)
        start = perf_counter()
        hits += np.count_nonzero(_peers_adapt.PEERS[name].make(split) == split.y_scored)
        seconds += perf_counter() - start
    record = {"method": name, "source": source, "target": target, "unseen": int(hits) / len(y)}
    return [{**record, "seconds": round(seconds / 5, 1)}]


def run(task, cache):
    warnings.simplefilter("ignore")
    name, source, *target = task
    return (run_adapting if target else run_texts)(name, source, *target, cache)


def tasks_of(name):
    """What a row takes: a task is run by itself, and kept."""
    if name in _peers_adapt.PEERS:
        return [(name, *pair) for pair in permutations(DOMAINS, 2)]
    draws = [f"banking77, draw {seed}" for seed in range(DRAWS)]
    return [(name, source) for source in (*DOMAINS, *draws * (name not in AMAZON_ALONE))]


def prepare(cache):
    """Vectors of sentence models and the distilled table, made once before the processes start."""
    embed(cache)
    test = fetch_banking77("test").data
    for texts in (test, *(banking_draw(seed)[0] for seed in range(DRAWS))):
        _peers_classify.sentence_vectors(texts, cache)
    _peers_classify.check_encoders([*fetch_amazon_reviews("books").data[:20], *test[:20]], cache)
    if not _peers_classify.PEERS["model2vec: distilled from MiniLM, fine-tuned"].absent():
        _peers_classify.distilled(cache)


# ---------------------------------------------------------------- report
def amazon_rows(records):
    """Name -> pair -> record, ours first."""
    ours = {stored: name for name, stored in OURS.items()}
    found = {name: {} for name in OURS}
    for record in results("accuracy_transfer"):
        if record["method"] in ours:
            found[ours[record["method"]]][record["source"], record["target"]] = record
    for record in records:
        if record["source"] in DOMAINS:
            found.setdefault(record["method"], {})[record["source"], record["target"]] = record
    return {name: pairs for name, pairs in found.items() if len(pairs) == 12}


def amazon_summary(records):
    """Name -> mean, mean of the eight pairs, pairs below the recipe "words", seconds."""
    found = amazon_rows(records)
    words, table = found[WORDS], {}
    for name, pairs in found.items():
        others = [record["unseen"] for pair, record in pairs.items() if pair not in DEVELOPED_ON]
        below = sum(record["unseen"] < words[pair]["unseen"] for pair, record in pairs.items())
        table[name] = {
            "unseen": f"{100 * np.mean([record['unseen'] for record in pairs.values()]):.1f}",
            "eight pairs": f"{100 * np.mean(others):.1f}",
            "below words": "" if name == WORDS else f"{below} of 12",
            "seconds": f"{np.mean([record['seconds'] for record in pairs.values()]):.1f}",
        }
    return table


def banking_summary(records):
    """Name -> mean over the draws, ours first."""
    stored = results("accuracy_banking77")
    found = {name: f"{np.mean(stored[row][str(N_LABELS)]):.1f}" for name, row in OURS_BANKING.items()}
    draws = {}
    for record in records:
        if record["target"] == "banking77":
            draws.setdefault(record["method"], []).append(100 * record["unseen"])
    return found | {name: f"{np.mean(d):.1f}" for name, d in draws.items() if len(d) == DRAWS}


def report(records, absent):
    summary = amazon_summary(records)
    heads = ["unseen", "eight pairs", "below words", "seconds"]
    rows = [[name, *(cells[head] for head in heads)] for name, cells in summary.items()]
    rows += [[f"{name}: {reason}", *[""] * len(heads)] for name, reason in absent.items()]
    about = "\n".join(__doc__.partition("[--cache DIR]\n\n")[2].splitlines())
    return [
        "# Accuracy of the peers' recipes",
        about,
        "## Amazon reviews, right of unseen target reviews, %",
        markdown_table(["", *heads], rows),
        f"## BANKING77, {N_LABELS} labels a class, right of the test set, %",
        markdown_table(["", "right"], [*banking_summary(records).items(), *AMAZON_ALONE.items()]),
    ]


def save(records, absent, host):
    order = [*_peers_classify.PEERS, *_peers_adapt.PEERS]
    records.sort(key=lambda r: (order.index(r["method"]), r["source"], r["target"]))
    write_results(
        RESULTS, "accuracy_peers", {"absent": absent, "records": records}, host, report(records, absent)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--methods", help="names, separated by semicolons; all that are missing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--cache", type=Path, default=Path(gettempdir()) / "embtransfer-accuracy-transfer")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    os.environ["TQDM_DISABLE"] = "1"
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # the tasks are the threads; read by the processes when they import numpy
    peers = _peers_classify.PEERS | _peers_adapt.PEERS
    named = arguments.methods.split(";") if arguments.methods else []
    if unknown := sorted(set(named) - set(peers)):
        parser.error(f"got --methods {'; '.join(unknown)}. Expected some of: {'; '.join(peers)}.")
    here, absent = present(peers)
    host = machine("embtransfer", *distributions(here))
    stored = RESULTS / "accuracy_peers.json"
    records = json.loads(stored.read_text("utf-8"))["records"] if stored.exists() else []
    records = [record for record in records if record["method"] not in named]
    done = {
        (r["method"], r["source"], *([r["target"]] * (r["method"] in _peers_adapt.PEERS))) for r in records
    }
    tasks = [task for name in named or here if name in here for task in tasks_of(name) if task not in done]
    tasks.sort(key=lambda task: "draw" in task[1])  # BANKING77 last
    prepare(arguments.cache)
    console = Console(stderr=True)
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        runs = {pool.submit(run, task, arguments.cache): task for task in tasks}
        for future in as_completed(runs):
            try:
                records += future.result()
            except Exception as error:  # of a peer: its row says so, the others go on
                absent[runs[future][0]] = f"failed on {runs[future][1]}: {error!r:.200}"
            with contextlib.redirect_stdout(io.StringIO()):
                save(records, absent, host)
            console.print("; ".join(runs[future]), "done", markup=False)
    save(records, absent, host)


if __name__ == "__main__":
    main()
