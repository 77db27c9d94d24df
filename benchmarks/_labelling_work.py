"""The tasks of labelling, and what is measured on one."""

import warnings
from itertools import permutations

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score
from threadpoolctl import threadpool_limits

from embtransfer import estimate_score, make_recipe, suggest_labels
from embtransfer.labelling._draw import draw, spread
from embtransfer.labelling._views import margin

from ._real_targets_work import AMAZON, Task, domains, intents, load
from .vector_columns import e5_domains, halves

DATA = ("amazon", "crisislex_t26", "airline_tweets", "e5_amazon", "hwu64")
SHARES = (0.5, 0.2, 0.8)  # of positive reviews
PER_CLASS = (5, 10)  # source labels of each intent of hwu64
SEEN = 1000  # target texts, at most
SIZES = (50, 100, 200)  # of labels, in rounds: each round's model suggests the next
METHODS = ("random", "default", "margin", "typical")  # the default keeps a fifth for scoring
DRAWS = 5  # of random labels
USERS = 20  # of each task and number of labels
SCORED = (10, 20, 40)  # random labels that score


def tasks():
    """Those of real targets, which are texts; the Amazon pairs as vectors; few labels of many classes."""
    for i, (source, target) in enumerate(permutations(AMAZON, 2)):
        for share in SHARES:
            yield Task("amazon", source, target, share, 0, i % 2 == 0)
    for data in DATA[1:3]:
        for i, target in enumerate(sorted(domains(data))):
            yield Task(data, None, target, None, 0, i % 2 == 0)
    for source, target in permutations(AMAZON, 2):
        for share in SHARES:
            yield Task("e5_amazon", source, target, share, 0, False)
    for n in PER_CLASS:
        yield Task("hwu64", f"{n} a class", "hwu64", None, 0, False)


def rows_of(task):
    """X, y, X_target of the seen half, its labels, and rows and labels of the scored half."""
    if task.data == "hwu64":
        parts = intents("hwu64", "train", "valid", "test")
        parts[0] = parts[0].groupby("label").sample(int(task.source.split()[0]), random_state=task.draw)
        parts[1] = parts[1].sample(SEEN, random_state=task.draw)
        pairs = [(part["text"].to_list(), part["label"].to_numpy()) for part in parts]
    elif task.data == "e5_amazon":
        found = e5_domains()
        parts = found[task.source], *halves(found[task.target], task.share)
        pairs = [(np.stack(part["vector"].tolist()), part["label"].to_numpy()) for part in parts]
    else:
        return load(task)
    return [one for pair in pairs for one in pair]


class Labelled:
    """The recipe "words", or "vectors", on rows, fitted with the labels of some target rows."""

    def __init__(self, task):
        X, y, X_target, self.labels, texts, self.wanted = rows_of(task)
        self.recipe = "vectors" if task.data == "e5_amazon" else "words"
        model = make_recipe(self.recipe).fit(X, y, X_target=X_target)
        steps, self.first = model[:-1], model[-1]
        self.source, self.y = steps.transform(X), y
        self.target, self.scored = steps.transform(X_target), steps.transform(texts)

    def fit(self, rows):
        some = np.full(len(self.labels), None, object)
        some[rows] = self.labels[rows]
        return make_recipe(self.recipe)[-1].fit(self.source, self.y, X_target=self.target, y_target=some)

    def scores(self, model):
        """Accuracy and balanced accuracy on the half that nothing saw."""
        found = model.predict(self.scored)
        return float((found == self.wanted).mean()), float(balanced_accuracy_score(self.wanted, found))

    def drawn(self, seed):
        """Scores with random labels of each number."""
        order = np.random.RandomState(seed).permutation(len(self.labels))
        return [self.scores(self.fit(order[:n])) for n in SIZES]

    def rounds(self, method, seed):
        """Scores after each round, and the last model with what it learned from."""
        model, table, found = self.first, {}, []
        for n in SIZES:
            known = {row: self.labels[row] for row in table}
            new = suggest_labels(
                model, self.target, n - len(table), y_target=known, method=method, random_state=seed
            )
            table.update(zip(new["row"], new["why"], strict=True))
            rows = [row for row, why in table.items() if why != "random"]
            model = self.fit(rows)
            found.append(self.scores(model))
        return found, model, rows

    def users(self, model, learned, weighted, n, rng):
        """Whether intervals hold, and their widths: ours, and Wilson's of as many rows drawn evenly."""
        free = np.setdiff1d(np.arange(len(self.labels)), learned)
        right = model.predict(self.target) == self.labels
        true, margins = right[free].mean(), margin(self.first.predict_proba(self.target[free]))
        weights = spread(margins) if weighted else np.ones(len(free))
        found = []
        for _ in range(USERS):
            places, chances = draw(margins, np.ones(len(free), int), weights, n, rng)
            rows = free[places]
            known = {row: self.labels[row] for row in [*learned, *rows]}
            chances = dict(zip(rows, chances, strict=True))
            ours = estimate_score(model, self.target, known, probability=chances).interval
            evenly = right[rng.choice(free, len(rows), replace=False)]
            plain = binomtest(int(evenly.sum()), len(rows)).proportion_ci(0.9, "wilson")
            ends = ours, plain  # widths rounded, since there are thousands to keep
            found.append([v for low, high in ends for v in (bool(low <= true <= high), round(high - low, 5))])
        return found


def run(task, seed, methods):
    """(Accuracy, balanced accuracy) by method and number of labels; intervals of many users."""
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        labelled, users = Labelled(task), {}
        rng, scores = np.random.RandomState(seed), {"none": labelled.scores(labelled.first)}
        for method in methods:
            if method == "random":
                draws = [labelled.drawn(seed + draw) for draw in range(DRAWS)]
                scores[method], learned = np.mean(draws, axis=0).tolist(), (labelled.first, [])
            else:
                scores[method], *learned = labelled.rounds(method, seed)
            if method in ("default", "random"):
                for n in SCORED:
                    users[f"{method}, {n}"] = labelled.users(*learned, method == "default", n, rng)
    return {"task": task._asdict(), "scores": scores, "users": users}
