"""The tasks of labelling, and what is measured on one."""

import warnings
from itertools import permutations

import numpy as np
from scipy import sparse
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from embtransfer import estimate_score, make_recipe, suggest_labels
from embtransfer.labelling._draw import draw, spread
from embtransfer.labelling._views import margin

from ._real_targets_work import AMAZON, Task, load

SHARES = (0.5, 0.2, 0.8)
SIZES = (20, 50, 100)  # of labels, in rounds: each round's model suggests the next
METHODS = ("random", "default", "margin", "typical")  # the default alone keeps a fifth for scoring
USERS = 20  # of each task and number of labels
SCORED = (10, 20, 40)  # random labels that score


def tasks():
    """Of each pair a target of each share; constants of our methods were set on every other pair."""
    for i, (source, target) in enumerate(permutations(AMAZON, 2)):
        for share in SHARES:
            yield Task("amazon", source, target, share, 0, i % 2 == 0)


class Labelled:
    """The recipe "words" on rows, with labels of some target rows appended to the source's."""

    def __init__(self, task):
        X, y, X_target, self.labels, texts, self.wanted = load(task)
        model = make_recipe("words").fit(X, y, X_target=X_target)
        steps, self.first = model[:-1], model[-1]
        self.source, self.y = steps.transform(X), y
        self.target, self.scored = steps.transform(X_target), steps.transform(texts)

    def fit(self, rows):
        left = np.setdiff1d(np.arange(len(self.labels)), rows)
        both = sparse.vstack([self.source, self.target[rows]], format="csr")
        y = np.concatenate([self.y, self.labels[rows]])
        return make_recipe("words")[-1].fit(both, y, X_target=self.target[left])

    def right(self, model):
        return float((model.predict(self.scored) == self.wanted).mean())

    def rounds(self, method, seed):
        """Accuracy after each round, and the last model with what it learned from."""
        model, table, accuracies = self.first, {}, []
        for n in SIZES:
            known = {row: self.labels[row] for row in table}
            new = suggest_labels(
                model, self.target, n - len(table), y_target=known, method=method, random_state=seed
            )
            table.update(zip(new["row"], new["why"], strict=True))
            rows = [row for row, why in table.items() if method == "random" or why != "random"]
            model = self.fit(rows)
            accuracies.append(self.right(model))
        return accuracies, model, rows

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
            plain = wilson(right[rng.choice(free, len(rows), replace=False)])
            found.append([v for low, high in (ours, plain) for v in (bool(low <= true <= high), high - low)])
        return found


def wilson(right, confidence=0.9):
    """The plain binomial interval."""
    n, p, t = len(right), right.mean(), norm.ppf((1 + confidence) / 2)
    half = t * np.sqrt(p * (1 - p) / n + t**2 / (4 * n**2))
    return (p + t**2 / (2 * n) - half) / (1 + t**2 / n), (p + t**2 / (2 * n) + half) / (1 + t**2 / n)


def run(task, seed):
    """Accuracies after each round by method; intervals of many users by how their rows were drawn."""
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        labelled = Labelled(task)
        record = {"task": task._asdict(), "none": labelled.right(labelled.first), "scores": {}, "users": {}}
        for method in METHODS if task.share == 0.5 else METHODS[:2]:
            record["scores"][method], model, rows = labelled.rounds(method, seed)
            if method == "default":
                learned = model, rows
        rng = np.random.RandomState(seed)
        for n in SCORED:
            record["users"][f"default, {n}"] = labelled.users(*learned, True, n, rng)
            record["users"][f"random, {n}"] = labelled.users(labelled.first, [], False, n, rng)
    return record
