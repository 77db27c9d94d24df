"""estimate_score: intervals that hold, however the rows were drawn."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from embtransfer import estimate_score, make_recipe, suggest_labels
from embtransfer.datasets import load_demo_reviews
from embtransfer.labelling._draw import draw, spread
from embtransfer.labelling._views import margin
from embtransfer.trials._scoring import scorer

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")

MODEL = LogisticRegression().fit([[-1.0], [1.0]] * 20, [0, 1] * 20)


def world(slope=1.0, n=1500, seed=1):
    """A model, rows, and labels that it gets right the more often the surer it is, if slope is not 0."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n, 1)) * 2
    model = MODEL
    right = rng.rand(n) < expit(0.5 + slope * np.abs(X[:, 0]))
    return model, X, np.where(right, model.predict(X), 1 - model.predict(X))


def plain_width(p, n):
    t = norm.ppf(0.95)
    return 2 * t * np.sqrt(p * (1 - p) / n + t**2 / (4 * n**2)) / (1 + t**2 / n)


@pytest.mark.parametrize(("slope", "n"), [(1.0, 15), (1.0, 40), (0.0, 40)])
def test_nine_of_ten_intervals_hold(slope, n):
    """Of rows drawn by doubt, beside 60 of the least margin, which the model may have learned from."""
    rng = np.random.RandomState(0)
    held, widths, plain = [], [], []
    for user in range(200):
        model, X, y = world(slope, n=500, seed=user)
        margins = margin(model.predict_proba(X))
        rest = np.sort(np.argsort(margins)[60:])
        true = (model.predict(X) == y)[rest].mean()
        places, chances = draw(margins[rest], np.ones(len(rest), int), spread(margins[rest]), n, rng)
        drawn = rest[places]
        labels = {row: y[row] for row in [*np.setdiff1d(np.arange(500), rest), *drawn]}
        found = estimate_score(model, X, labels, probability=dict(zip(drawn, chances, strict=True)))
        held.append(found.interval[0] <= true <= found.interval[1])
        widths.append(found.interval[1] - found.interval[0])
        plain.append(plain_width(true, n))
    assert 0.85 < np.mean(held) < 0.95
    if slope:
        assert np.mean(widths) < 0.9 * np.mean(plain)


def test_rows_that_were_not_drawn_do_not_count():
    model, X, y = world()
    drawn = suggest_labels(model, X, 100)
    labels = dict(zip(drawn["row"], y[drawn["row"]], strict=True))
    chances = dict(zip(drawn["row"], drawn["probability"], strict=True))
    found = estimate_score(model, X, labels, probability=chances)
    assert found.n_labelled == 20
    for row in drawn["row"][drawn["why"] != "random"]:
        labels[row] = 1 - labels[row]
    assert estimate_score(model, X, labels, probability=chances) == found
    other = [labels.get(row) for row in range(len(X))], pd.Series(chances).reindex(range(len(X)))
    assert estimate_score(model, X, other[0], probability=other[1]) == found


def test_rows_drawn_with_small_chances_count_more():
    model, X, y = world()
    rows = np.arange(40)
    right = (model.predict(X) == y)[rows]
    labels, even = dict(zip(rows, y[rows], strict=True)), dict.fromkeys(rows, 0.03)
    rare = {row: 0.01 if good else 0.05 for row, good in zip(rows, right, strict=True)}
    scores = [estimate_score(model, X, labels, probability=chances).score for chances in (even, rare)]
    assert scores[0] < scores[1]


def test_all_rows_labelled_leave_no_doubt():
    model, X, y = world(n=50)
    true = (model.predict(X) == y).mean()
    found = estimate_score(model, X, y)
    assert found == (pytest.approx(true), (pytest.approx(true), pytest.approx(true)), 50)


def test_surer_intervals_are_wider_and_stay_within_0_and_1():
    model, X, _ = world()
    labels = dict(enumerate(model.predict(X)[:12]))
    found = [estimate_score(model, X, labels, confidence=sure).interval for sure in (0.5, 0.9, 0.99)]
    lows, highs = zip(*found, strict=True)
    assert 1 > lows[0] > lows[1] > lows[2] > 0
    assert lows[0] < highs[0] < highs[1] < highs[2] <= 1


def test_what_is_refused():
    model = make_recipe("words").fit(FILMS.data, FILMS.target, X_target=PANS.data)
    chosen = suggest_labels(model, PANS.data, 10, method="margin")
    labels = {row: PANS.target[row] for row in chosen["row"]}
    chances = dict(zip(chosen["row"], chosen["probability"], strict=True))
    with pytest.raises(ValueError, match=r"Got 10 labels, none of a row drawn at random.*method='random'"):
        estimate_score(model, PANS.data, labels, probability=chances)
    with pytest.raises(ValueError, match=r"y_target holds no known label"):
        estimate_score(model, PANS.data, {})
    with pytest.raises(ValueError, match=r"Got probability 1.5 of row 3. Expected more than 0"):
        estimate_score(model, PANS.data, {3: 1}, probability={3: 1.5})
    with pytest.raises(ValueError, match=r"Got scoring='roc_auc', which needs probabilities. Expected one"):
        estimate_score(model, PANS.data, {3: 1}, scoring="roc_auc")
    with pytest.raises(ValueError, match=r"Got confidence=90. Expected a number between 0 and 1"):
        estimate_score(model, PANS.data, {3: 1}, confidence=90)
    with pytest.raises(ValueError, match=r"probability has 2 values, but X_target has 320 rows"):
        estimate_score(model, PANS.data, {3: 1}, probability=[0.1, 0.1])


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "f1:1"])
def test_intervals_of_other_scores_hold(scoring):
    rng, score, held = np.random.RandomState(0), scorer(scoring, [0, 1]), []
    for user in range(6):
        model, X, y = world(n=400, seed=user)
        kept = np.flatnonzero((y == 1) | (np.arange(400) % 4 == 0))  # a rare class
        X, y = X[kept], y[kept]
        margins = margin(model.predict_proba(X))
        rows, chances = draw(margins, np.ones(len(X), int), spread(margins), 30, rng)
        labels, probability = dict(zip(rows, y[rows], strict=True)), dict(zip(rows, chances, strict=True))
        found = estimate_score(model, X, labels, probability=probability, scoring=scoring)
        held.append(found.interval[0] <= score(model, X, y) <= found.interval[1])
    assert sum(held) >= 5


def test_a_score_of_all_labels_is_the_score():
    model, X, y = world(n=1500)
    found = estimate_score(model, X, y, scoring="balanced_accuracy")
    assert abs(found.score - balanced_accuracy_score(y, model.predict(X))) < 0.002
    assert found.interval[1] - found.interval[0] < 0.06
    assert found.n_labelled == 1500


@pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy"])
@pytest.mark.parametrize("inside", [True, False], ids=["last step", "around"])
def test_a_model_with_a_threshold_is_scored_by_the_labels_that_it_gives(inside, scoring):
    model, X, y = world()
    plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    if inside:
        last = FixedThresholdClassifier(LogisticRegression(), threshold=0.9)
        model = make_pipeline(StandardScaler(), last).fit(X, y)
    else:
        model = FixedThresholdClassifier(FrozenEstimator(plain), threshold=0.9).fit(X, y)
    found = estimate_score(model, X, y, scoring=scoring).score
    score = scorer(scoring, [0, 1])
    assert found == pytest.approx(score(model, X, y), abs=0.002)
    assert found < score(plain, X, y) - 0.1
