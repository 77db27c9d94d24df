"""Which target texts to label, and how good the model is by them: simulated users.

    EMBTRANSFER_DATA=... python -m benchmarks.labelling

Targets: twelve pairs of Amazon reviews, the target 50, 20 and 80 % positive; crisislex_t26 and
airline_tweets as they are, each domain from all others; hwu64, 64 intents, with 5 and 10 source labels of
each and no other domain. Half of a target is seen (at most 1,000 texts), half scored. Recipe "words", and
recipe "vectors" on the same pairs as vectors of a sentence model (e5_amazon), is fitted with `y_target`, the
labels of 50, 100 and 200 of the seen texts: random ones (mean of five draws), or suggested ones in rounds,
each by the model of the round before. "default" learns from four fifths of them, and keeps the others for
scoring.
Intervals of `estimate_score` at 90 %: 20 users a task draw 10, 20 and 40 texts by chance, "default" with more
chance where the model that suggests is in doubt, for the model that learned from the other 160 of 200
suggested labels; "random" evenly, for a model that learned from none. The truth is the accuracy on all seen
texts that the model did not learn from; the plain interval is Wilson's of as many texts drawn evenly from
these. Constants were set on every other pair and domain ("developed on"), none on vectors or intents. With
--methods or --data the rest is kept of the results that are there. Writes results/labelling.json and .md.
"""

import argparse
import json

import numpy as np
from joblib import Parallel, delayed
from rich.progress import track

from ._labelling_work import DATA, METHODS, SCORED, SIZES, run, tasks
from ._results import RESULTS, machine, markdown_table, results, write_results


def groups(records):
    """Name -> records that a column of the tables is the mean of."""
    made = {}
    for record in records:
        task = record["task"]
        of = task["data"] if task["share"] is None else f"{task['data']} {task['share']:.0%}"
        of = f"{of}, {task['source']}" if task["data"] == "hwu64" else of
        made.setdefault(f"{of}, {'developed on' if task['developed'] else 'held out'}", []).append(record)
    return made


def scores(found, place):
    rows = [["none", "", *(percent([r["scores"]["none"][place] for r in some]) for some in found.values())]]
    for method in METHODS:
        for i, size in enumerate(SIZES):
            cells = [
                [r["scores"][method][i][place] for r in some if method in r["scores"]]
                for some in found.values()
            ]
            rows.append([method, size, *map(percent, cells)])
    return rows


def intervals(found):
    rows = []
    for how in ("default", "random"):
        for n in SCORED:
            of_group = [np.concatenate([r["users"][f"{how}, {n}"] for r in some]) for some in found.values()]
            users = [*of_group, np.concatenate(of_group)]
            held = [f"{percent(u[:, 0])} ({percent(u[:, 2])})" for u in users]
            widths = [f"{percent(u[:, 1])} ({u[:, 1].mean() / u[:, 3].mean():.2f})" for u in users]
            rows += [[how, n, "holds, %", *held], [how, n, "width", *widths]]
    return rows


GUIDE = {  # its names of the targets that nothing was set on
    "amazon 50%, held out": "Amazon, 50 % positive",
    "amazon 20%, held out": "20 %",
    "amazon 80%, held out": "80 %",
    "crisislex_t26, held out": "crisislex_t26",
    "airline_tweets, held out": "airline_tweets",
    "e5_amazon 50%, held out": "vectors of Amazon, 50 %",
    "e5_amazon 20%, held out": "20 %",
    "e5_amazon 80%, held out": "80 %",
    "hwu64, 5 a class, held out": "hwu64, 5 source labels a class",
    "hwu64, 10 a class, held out": "10",
}
WAYS = {
    "random": lambda n: f"{n} at random",
    "margin": lambda n: f"{n} of smallest margin",
    "default": lambda n: f"{n} suggested, of which {n // 5} score",
}


def on_page():
    found = groups(results("labelling")["records"])
    rows = [["no label of the target", *(mean(found[name], "none") for name in GUIDE)]]
    for i, n in enumerate(SIZES):
        for method, name in WAYS.items():
            rows.append([name(n), *(mean(found[of], method, i) for of in GUIDE)])
    return markdown_table(["", *GUIDE.values()], rows)


def sentences():
    """What the guide says of the table that figures outside it show."""
    records = results("labelling")["records"]
    held, ratios = {}, []
    for how in ("random", "default"):
        users = [np.concatenate([r["users"][f"{how}, {n}"] for r in records]) for n in SCORED]
        held[how] = [f"{100 * some[:, 0].mean():.0f}" for some in users]
        ratios += [some[:, 1].mean() / some[:, 3].mean() for some in users]
    yield (
        f"Intervals of 10, 20 and 40 random labels held in {held['random'][0]}, {held['random'][1]} and "
        f"{held['random'][2]} of 100 cases, those of as many suggested ones in {held['default'][0]}, "
        f"{held['default'][1]} and {held['default'][2]}; they were {min(ratios):.2f} to {max(ratios):.2f} "
        "times as wide as the plain binomial ones."
    )
    tweets = groups(records)["airline_tweets, held out"]
    balanced = [float(mean(tweets, "none", place=1))]
    balanced += [float(mean(tweets, "default", i, place=1)) for i in range(len(SIZES))]
    yield (
        f"balanced accuracy was {balanced[0]:.0f} without, and {balanced[1]:.0f}, {balanced[2]:.0f} and "
        f"{balanced[3]:.0f} with 50, 100 and 200 suggested ones"
    )


def mean(records, method, size=None, place=0):
    """Of the scores of some records, in percent; place 1 is balanced accuracy."""
    scores = [record["scores"][method] for record in records]
    return percent([one[place] if size is None else one[size][place] for one in scores])


def percent(values):
    return f"{100 * np.mean(values):.1f}" if len(values) else ""


def tables(records):
    found = groups(records)
    n_users = sum(len(record["users"][f"default, {SCORED[0]}"]) for record in records)
    header = ["suggested by", "labels", *found]
    return [
        'Recipe "words" with suggested labels, accuracy, mean over targets, in percent:',
        markdown_table(header, scores(found, 0)),
        "The same, balanced accuracy:",
        markdown_table(header, scores(found, 1)),
        f"Intervals at 90 %, {n_users} users a line. In brackets: how often the plain interval holds, and "
        "the ratio of the mean widths:",
        markdown_table(["drawn", "labels", "", *found, "all"], intervals(found), (0, 2)),
    ]


def added(record, new):
    """A record of an earlier run, with what was found anew of its task."""
    return record | {part: record[part] | new[part] for part in ("scores", "users")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    arguments = parser.parse_args()
    host = machine("embtransfer", "scikit-learn")
    asked = [task for task in tasks() if task.data in arguments.data]
    work = [delayed(run)(task, arguments.seed, arguments.methods) for task in asked]
    done = Parallel(arguments.jobs, return_as="generator")(work)
    found = {json.dumps(record["task"]): record for record in track(done, "tasks", len(work))}
    if (arguments.methods, arguments.data) != (METHODS, DATA):
        earlier = {json.dumps(record["task"]): record for record in results("labelling")["records"]}
        found = earlier | {key: added(earlier.get(key, new), new) for key, new in found.items()}
    records = list(found.values())
    write_results(RESULTS, "labelling", {"records": records}, host, tables(records))


if __name__ == "__main__":
    main()
