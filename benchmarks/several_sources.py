"""Several labelled sources and one target: all pooled, each mapped by itself, weighed, and each alone.

    EMBTRANSFER_DATA=... python -m benchmarks.several_sources

Amazon reviews 3 sources to 1, airline tweets 5 to 1, four targets of FDU-MTL 15 to 1 and of CrisisLexT26,
25. Half of a target's texts, at most 1,000, are seen without labels, the other half is scored. Weighed:
source rows count by the square root of the share of target rows that a classifier of the sources gives
their source; only here, since it is no part of the package. The best source alone is picked by the target's
labels. Ideas were tried on every other target ("developed"), but the square root was settled with scores of
both halves in view. Beside them skada's methods for several sources, with the same rows and classifier.
Writes results/several_sources.json and .md.

    EMBTRANSFER_DATA=... python -m benchmarks.several_sources --peers

Measures skada's methods alone; the other rows stay as they are.
"""

import argparse
import importlib
import zlib

import numpy as np
from rich.progress import track
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from embtransfer import (
    CORAL,
    DomainCentering,
    LengthScaling,
    NGramVectorizer,
    NoAdaptation,
    VectorEmbedder,
    WordEmbedder,
    make_recipe,
    make_transfer_pipeline,
)
from embtransfer.datasets import fetch_amazon_reviews
from embtransfer.trials._store import learn

from ._peers import absent
from ._real_targets_work import AMAZON, domains
from ._results import RESULTS, machine, markdown_table, results, write_results
from .vector_columns import e5_domains

ROWS = {"amazon": 700, "fdu_mtl": 300, "crisislex_t26": 200, "airline_tweets": 600}  # of each source
PLACES = (0, 3, 6, 9)  # of the targets among the sorted domains, where there are many
N_TARGET = 2000
POOLED, EACH, WEIGHED, ALONE = "pooled", "each mapped", "weighed", "best source alone"
PEERS = {"MultiLinearMongeAlignment": {}, "JCPOTLabelProp": {"reg": 0.1}}  # of skada


def sets():
    """Name of each set and its domains: name -> (rows, labels)."""
    amazon = {name: fetch_amazon_reviews(name) for name in AMAZON}
    yield "amazon", {name: (bunch.data, np.asarray(bunch.target)) for name, bunch in amazon.items()}
    yield (
        "amazon, e5",
        {
            name: (np.stack(part["vector"]).astype(np.float32), part["label"].to_numpy())
            for name, part in e5_domains().items()
        },
    )
    for data in ("airline_tweets", "crisislex_t26", "fdu_mtl"):
        yield data, domains(data)


def tasks():
    for data, found in sets():
        names = sorted(found)
        targets = [names[i] for i in PLACES] if len(names) > 6 else names
        for place, target in enumerate(targets):
            yield data, target, place % 2 == 0, found


def cut(data, target, found):
    """X, y, domain, the seen target rows, and the scored ones with their labels."""
    rng = np.random.default_rng(zlib.crc32(f"{data} {target}".encode()))
    X, y, domain = [], [], []
    for name in sorted(set(found) - {target}):
        some = rng.permutation(len(found[name][1]))[: ROWS[data.partition(",")[0]]]
        X += [found[name][0][i] for i in some]
        y.append(found[name][1][some])
        domain += [name] * len(some)
    rows, labels = found[target]
    seen, scored = np.array_split(rng.permutation(len(labels))[:N_TARGET], 2)
    parts = X, [rows[i] for i in seen], [rows[i] for i in scored]
    if not isinstance(rows, list):
        parts = tuple(map(np.stack, parts))
    return parts[0], np.concatenate(y), np.array(domain), parts[1], parts[2], labels[scored]


def models(data):
    logistic = LogisticRegression(max_iter=500)
    if data.endswith("e5"):
        centred = VectorEmbedder(), DomainCentering(), LengthScaling(), logistic
        aligned = VectorEmbedder(), CORAL(), LengthScaling(), logistic
        made = {"vectors, centred": centred, "vectors, CORAL": aligned}
        return {name: make_transfer_pipeline(*steps) for name, steps in made.items()} | {
            'recipe "vectors"': make_recipe("vectors")
        }
    glove = WordEmbedder()
    made = {
        "TF-IDF": (NGramVectorizer(), NoAdaptation(), LogisticRegression(C=10, max_iter=500)),
        "GloVe 50d, centred": (glove, DomainCentering(), LengthScaling(), logistic),
        "GloVe 50d, CORAL": (glove, CORAL(), LengthScaling(), logistic),
    }
    made = {name: make_transfer_pipeline(*steps) for name, steps in made.items()}
    return made | {'recipe "words"': make_recipe("words")}


def weights(embedder, X, domain, X_target):
    """How much each source row counts, 1 on the mean of the sources."""
    words = isinstance(embedder, NGramVectorizer)  # whatever of these the model counts
    embedder = learn(NGramVectorizer() if words else clone(embedder), X, X_target)
    model = LogisticRegression(max_iter=200).fit(embedder.transform(X), domain)
    shares = model.predict_proba(embedder.transform(X_target)).mean(axis=0) ** 0.5
    return (shares / shares.mean())[np.searchsorted(model.classes_, domain)]


def run(data, target, developed, found):
    """Accuracy and balanced accuracy of each model and way."""
    X, y, domain, seen, unseen, wanted = cut(data, target, found)
    record = {"data": data, "target": target, "developed": developed, "n": len(wanted), "scores": {}}

    def right(model, rows=None, **given):
        some = (X, y) if rows is None else ([X[i] for i in rows], y[rows])
        some = (np.stack(some[0]), some[1]) if isinstance(X, np.ndarray) else some
        predicted = clone(model).fit(*some, X_target=seen, **given).predict(unseen)
        return [float((predicted == wanted).mean()), float(balanced_accuracy_score(wanted, predicted))]

    best = None
    for name, model in models(data).items():
        weight = weights(model[0], X, domain, seen)
        of_last = {f"{model.steps[-1][0]}__sample_weight": weight}
        scores = {POOLED: right(model), WEIGHED: right(model, domain=domain, **of_last)}
        if not name.startswith(("TF-IDF", "recipe")):
            scores[EACH] = right(model, domain=domain)
        sources = [one for one in np.unique(domain) if len(np.unique(y[domain == one])) > 1]
        if name.startswith("recipe"):  # that of the models before
            sources = [best]
        alone = {one: right(model, np.flatnonzero(domain == one)) for one in sources}
        best = max(alone, key=lambda one: alone[one][0])
        scores[ALONE] = alone[best]
        record["scores"][name] = scores
    record["scores"] |= run_peers(X, y, domain, seen, unseen, wanted)
    return record


def run_peers(X, y, domain, seen, unseen, wanted):
    """Accuracy and balanced accuracy of skada's methods, if it is there."""
    if absent("skada"):
        return {}
    vectors = isinstance(X, np.ndarray)
    rows = X, seen, unseen
    if not vectors:
        embedder = WordEmbedder().fit(X)
        rows = tuple(embedder.transform(some).astype(np.float64) for some in rows)
    scaling = make_transfer_pipeline(StandardScaler(with_std=False), LengthScaling()).fit(rows[0])
    X, seen, unseen = map(scaling.transform, rows)
    sources, number = np.unique(domain, return_inverse=True)
    classes, index = np.unique(y, return_inverse=True)
    of_target = -1 - len(sources)
    given = np.concatenate([X, seen]), np.r_[index, np.full(len(seen), -1)]
    domains_ = np.r_[number + 1, np.full(len(seen), of_target)]
    skada, scores = importlib.import_module("skada"), {}
    with config_context(enable_metadata_routing=True):  # what skada needs
        for name, options in PEERS.items():
            adapter = getattr(skada, f"{name}Adapter")(**options)
            classifier = LogisticRegression(max_iter=500).set_fit_request(sample_weight=False)
            model = skada.make_da_pipeline(adapter, classifier).fit(*given, sample_domain=domains_)
            predicted = model.predict(unseen, sample_domain=np.full(len(unseen), of_target))
            predicted = classes[np.asarray(predicted, int)]
            right = (predicted == wanted).mean(), balanced_accuracy_score(wanted, predicted)
            scores[name] = [float(one) for one in right]
    return {"vectors, skada" if vectors else "GloVe 50d, skada": scores}


def table(records):
    """A row a model and way, a column a set: accuracy in percent, targets developed on and others."""
    names = list(dict.fromkeys(one["data"] for one in records))
    labels = dict.fromkeys(
        (model, way) for one in records for model, ways in one["scores"].items() for way in ways
    )
    order = (ALONE, POOLED, EACH, WEIGHED, *PEERS)
    models_ = list(dict.fromkeys(model for model, _ in labels))
    rows = []
    for model, way in sorted(labels, key=lambda pair: (models_.index(pair[0]), order.index(pair[1]))):
        row = [f"{model}: {way}"]
        for data in names:
            for developed in (True, False):
                found = [
                    one["scores"][model][way][0]
                    for one in records
                    if one["data"] == data and one["developed"] == developed and model in one["scores"]
                ]
                row.append(f"{100 * np.mean(found):.1f}" if found else "")
        pairs = [" / ".join(filter(None, row[i : i + 2])) for i in range(1, len(row), 2)]
        rows.append([row[0], *pairs])
    return markdown_table(["", *names], rows)


def in_guide():
    return table(results("several_sources")["records"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peers", action="store_true", help="skada's methods alone")
    arguments = parser.parse_args()
    host = machine("scikit-learn", "numpy", "skada")
    with threadpool_limits(1):
        if arguments.peers:
            measured = {(one["data"], one["target"]): one for one in results("several_sources")["records"]}
            for data, target, _, found in track(list(tasks()), "targets"):
                measured[data, target]["scores"] |= run_peers(*cut(data, target, found))
            records = list(measured.values())
        else:
            records = [run(*task) for task in track(list(tasks()), "targets")]
    write_results(RESULTS, "several_sources", {"records": records}, host, [table(records)])


if __name__ == "__main__":
    main()
