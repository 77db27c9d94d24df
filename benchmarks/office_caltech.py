"""Office-Caltech, vectors instead of texts: adapters and the recipe "vectors" beside skada, adapt and POT.

    EMBTRANSFER_DATA=... python -m benchmarks.office_caltech

The twelve tasks of the literature: 10 classes of images in four domains, 800 counts of SURF features, of
which the square roots of each image's shares are taken. As there, all of the source is labelled, and all of
the target is seen without labels and scored. Every adapter has the same logistic regression behind it (C=10;
rows of ours brought to mean squared length 1, those of peers as they come). Methods have the settings of
`_peers_adapt`, or their own; none was chosen here. Writes results/office_caltech.json and .md.

    EMBTRANSFER_DATA=... python -m benchmarks.office_caltech --search 2 5 ...

What TransferSearch takes of its candidates in some of these tasks, by their numbers from 0 (without numbers:
all, which takes a quarter of an hour of one core), against the candidate that the target's labels pick.
Writes results/office_caltech_search.json and .md; tasks measured before stay in them.
"""

import argparse
import importlib
import itertools
import os
import time
import warnings
from pathlib import Path

import numpy as np
from rich.progress import track
from scipy.io import loadmat
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from embtransfer import LengthScaling, TransferSearch, VectorEmbedder, make_recipe, make_transfer_pipeline
from embtransfer.adapters import ADAPTERS, make_adapter
from embtransfer.trials._store import fit
from embtransfer.trials.search._candidates import make_candidates

from ._peers import Peer, absent
from ._results import RESULTS, machine, markdown_table, results, write_results

DOMAINS = ("amazon", "caltech", "dslr", "webcam")
SPARSE = ("msda", "scl")  # of words
RECIPE = 'recipe "vectors"'
UNADAPTED = "vectors + none + logistic"


def domains():
    """Name -> (rows, labels)."""
    folder, found = Path(os.environ["EMBTRANSFER_DATA"], "office_caltech_surf"), {}
    for name in DOMAINS:
        file = loadmat(folder / f"{name}_SURF_L10.mat")
        counts = file["fts"].astype(float)
        found[name] = np.sqrt(counts / counts.sum(axis=1, keepdims=True)), file["labels"].ravel()
    return found


def logistic():
    return LogisticRegression(C=10, max_iter=500)


def by_skada(name, **options):
    def predict(X, y, T):
        import sklearn

        skada = importlib.import_module("skada")
        sklearn.set_config(enable_metadata_routing=True)  # what skada needs, for the process
        try:
            domain = np.r_[np.ones(len(X), int), np.full(len(T), -2)]
            model = skada.make_da_pipeline(getattr(skada, name + "Adapter")(**options), logistic())
            rows, labels = np.concatenate([X, T]), np.r_[y, np.full(len(T), -1)]
            return model.fit(rows, labels, sample_domain=domain).predict(T, sample_domain=np.full(len(T), -2))
        finally:
            sklearn.set_config(enable_metadata_routing=False)

    return predict


def by_pot(name, **options):
    def predict(X, y, T):
        made = getattr(importlib.import_module("ot.da"), name)(**options)
        return logistic().fit(made.fit(Xs=X, ys=y, Xt=T).transform(Xs=X), y).predict(T)

    return predict


def by_adapt(name, **options):
    def predict(X, y, T):
        make = getattr(importlib.import_module("adapt.feature_based"), name)
        model = make(logistic(), Xt=T, verbose=0, random_state=0, **options).fit(X, y)
        return np.ravel(model.predict(T))

    return predict


PEERS = {
    "skada: CORAL": Peer("skada", by_skada("CORAL", reg=0.1)),
    "skada: subspace alignment": Peer("skada", by_skada("SubspaceAlignment", n_components=30)),
    "skada: TCA": Peer("skada", by_skada("TransferComponentAnalysis", n_components=30)),
    "skada: linear OT": Peer("skada", by_skada("LinearOTMapping", reg=1e-3)),
    "skada: OT mapping, by classes": Peer(
        "skada", by_skada("ClassRegularizerOTMapping", reg_e=0.1, reg_cl=0.1)
    ),
    "POT: EMDTransport": Peer("POT", by_pot("EMDTransport")),
    "POT: SinkhornTransport": Peer("POT", by_pot("SinkhornTransport", reg_e=0.1, norm="median")),
    "POT: SinkhornLpl1Transport": Peer("POT", by_pot("SinkhornLpl1Transport", reg_e=0.1, norm="median")),
    "POT: LinearTransport": Peer("POT", by_pot("LinearTransport", reg=1e-3)),
    "adapt: CORAL": Peer("adapt", by_adapt("CORAL")),
    "adapt: SA": Peer("adapt", by_adapt("SA", n_components=30)),
    "adapt: TCA": Peer("adapt", by_adapt("TCA", n_components=30)),
}


def by_ours(name):
    def predict(X, y, T):
        steps = VectorEmbedder(), make_adapter(name), LengthScaling(), logistic()
        return make_transfer_pipeline(*steps).fit(X, y, X_target=T).predict(T)

    return predict


def by_recipe(X, y, T):
    return make_recipe("vectors").fit(X, y, X_target=T).predict(T)


def methods():
    """Name -> what predicts the target's labels."""
    ours = {name: by_ours(name) for name in ADAPTERS if name not in SPARSE} | {RECIPE: by_recipe}
    return ours | {name: peer.make for name, peer in PEERS.items() if not absent(peer.package)}


def run(source, target):
    """Accuracy of each method, and what failed."""
    (X, y), (T, wanted) = source, target
    scores, failed = {}, {}
    factor = 1 / np.sqrt(np.mean(np.einsum("ij,ij->i", X, X)))  # 1 for roots of shares
    for name, predict in methods().items():
        try:
            scores[name] = float(np.mean(predict(factor * X, y, factor * T) == wanted))
        except Exception as error:  # a peer that fails is told, and is no end of all
            failed[name] = f"{type(error).__name__}: {str(error)[:150]}"
    return {"scores": scores, "failed": failed}


def search(source, target):
    """What is chosen without labels of the target, and the accuracy of every candidate there."""
    (X, y), (T, wanted) = source, target
    found = TransferSearch().fit(X, y, X_target=T)
    parts = found.embedders, found.adapters, found.classifiers, found.recipes, found.parameters
    scores, priors = {}, found.target_priors_
    for one in make_candidates([(None, "vectors")], *parts)[0]:
        model = fit(one.estimator, X, y, T, found.classes_, priors)
        scores[one.name] = float(np.mean(model.predict(T) == wanted))
    expected = [found.expected_score_, *found.score_interval_]
    right = float(np.mean(found.predict(T) == wanted))
    return {"chosen": found.best_name_, "right": right, "expected": expected, "scores": scores}


def table_of_search(records):
    rows = []
    for one in records:
        best = max(one["scores"], key=one["scores"].get)
        unadapted = one["scores"][UNADAPTED]
        expected, low, high = (f"{100 * part:.0f}" for part in one["expected"])
        numbers = [one["right"], unadapted, one["scores"][best], one["scores"][best] - one["right"]]
        right, plain, most, regret = (f"{100 * number:.1f}" for number in numbers)
        cells = [one["chosen"], right, f"{expected} ({low} to {high})", plain, best, most, regret]
        rows.append([" to ".join(one["pair"]), *cells])
    regrets = [max(one["scores"].values()) - one["right"] for one in records]
    rows.append(["mean", *[""] * 6, f"{100 * np.mean(regrets):.1f}"])
    header = ["", "chosen", "right, %", "expected", "unadapted", "best by the target's labels", "right, %"]
    return markdown_table([*header, "regret"], rows, (0, 1, 5))


def run_searches(numbers, output):
    name, pairs, domain = "office_caltech_search", list(itertools.permutations(DOMAINS, 2)), domains()
    host = machine("embtransfer", "scikit-learn", "numpy")
    records = results(name)["records"] if (RESULTS / f"{name}.json").exists() else []
    for number in track(numbers or range(len(pairs)), "tasks"):
        pair = pairs[number]
        start = time.process_time()
        with threadpool_limits(1):
            record = {"pair": list(pair), **search(*(domain[of] for of in pair))}
        record["cpu_seconds"] = time.process_time() - start
        records = [one for one in records if one["pair"] != record["pair"]] + [record]
        records.sort(key=lambda one: pairs.index(tuple(one["pair"])))
        write_results(output, name, {"records": records}, host, [table_of_search(records)])


def table(records):
    names = list(dict.fromkeys(name for one in records for name in one["scores"]))
    shown = {name: [100 * one["scores"].get(name, np.nan) for one in records] for name in names}
    order = sorted(names, key=lambda name: -np.mean(shown[name]))
    pairs = [
        f"{source[0].upper()} to {target[0].upper()}" for source, target in (one["pair"] for one in records)
    ]
    rows = [[name, f"{np.mean(shown[name]):.1f}", *(f"{one:.1f}" for one in shown[name])] for name in order]
    return markdown_table(["", "mean", *pairs], rows, (0,))


def on_page():
    """Means of the twelve tasks."""
    records = results("office_caltech")["records"]
    names = list(records[0]["scores"])
    means = {name: 100 * np.mean([one["scores"].get(name, np.nan) for one in records]) for name in names}
    shown = {name: name if ":" in name else f"**{name}**" for name in names}
    order = sorted(names, key=lambda name: -means[name])
    return markdown_table(["", "right, %"], [[shown[name], f"{means[name]:.1f}"] for name in order], (0,))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the report")
    parser.add_argument("--search", type=int, nargs="*", help="tasks in which TransferSearch chooses")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.search is not None:
        return run_searches(arguments.search, arguments.output)
    packages = [package for package in ("skada", "adapt", "POT") if not absent(package)]
    host = machine("embtransfer", "scikit-learn", "numpy", *packages)
    found, records = domains(), []
    with threadpool_limits(1):
        for source, target in track(list(itertools.permutations(DOMAINS, 2)), "tasks"):
            records.append({"pair": [source, target], **run(found[source], found[target])})
    write_results(arguments.output, "office_caltech", {"records": records}, host, [table(records)])


if __name__ == "__main__":
    main()
