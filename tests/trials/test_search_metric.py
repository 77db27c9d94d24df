"""The metric that a search is for: scores by scikit-learn, gains, and the labels that it wants."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss

from embtransfer import TransferSearch, compile_pipeline, load_pipeline, save_pipeline
from embtransfer.datasets import load_demo_reviews
from embtransfer.priors import matched
from embtransfer.trials.search._metric import Metric

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
SMALL = {"embedders": ["word_mean"], "adapters": ["none", "centering"], "recipes": []}
CLASSES = np.array(["bad", "fair", "good"])
COSTS = np.array([[0, 1, 4], [1, 0, 1], [10, 2, 0]])
ALL = ["accuracy", "balanced_accuracy", "f1_macro", "f1:fair", "neg_log_loss", COSTS]
every = pytest.mark.parametrize("scoring", ALL, ids=lambda scoring: str(scoring)[:20])


def rows(n=2000, seed=0, shares=(0.6, 0.3, 0.1)):
    """Calibrated probabilities, and the classes drawn by them."""
    rng = np.random.default_rng(seed)
    proba = softmax(1.5 * rng.normal(size=(n, 3)) + np.log(shares), axis=1)
    return proba, (rng.random((n, 1)) > proba.cumsum(axis=1)).sum(axis=1)


def by_sklearn(scoring, y, labels, proba, weights=None):
    if not isinstance(scoring, str):
        return -np.average(COSTS[y, labels], weights=weights)
    return {
        "accuracy": lambda: np.average(y == labels, weights=weights),
        "balanced_accuracy": lambda: balanced_accuracy_score(y, labels, sample_weight=weights),
        "f1_macro": lambda: f1_score(y, labels, average="macro", sample_weight=weights),
        "f1:fair": lambda: f1_score(y, labels, average=None, sample_weight=weights)[1],
        "neg_log_loss": lambda: -log_loss(y, proba, sample_weight=weights),
    }[scoring]()


@every
@pytest.mark.parametrize("weighted", [False, True])
def test_where_the_classes_are_known_it_is_the_score(scoring, weighted):
    (proba, y), metric = rows(), Metric(scoring, CLASSES)
    weights = np.array([0.5, 1.0, 3.0])[y] if weighted else None
    expected = by_sklearn(scoring, y, metric.labels(proba), proba, weights)
    assert metric.value(proba, np.eye(3)[y], weights=weights) == pytest.approx(expected)


@every
def test_where_they_are_probable_it_is_the_score_to_expect(scoring):
    (proba, y), metric = rows(20_000), Metric(scoring, CLASSES)
    expected = by_sklearn(scoring, y, metric.labels(proba), proba)
    assert metric.value(proba, proba) == pytest.approx(expected, abs=0.03)


@every
@pytest.mark.parametrize("weighted", [False, True])
def test_gains_average_to_the_score(scoring, weighted):
    (proba, y), metric = rows(), Metric(scoring, CLASSES)
    weights = np.array([0.5, 1.0, 3.0])[y] if weighted else None
    for truth in (np.eye(3)[y], proba):
        gains = metric.gains(proba, truth, weights=weights)
        assert np.average(gains, weights=weights) == pytest.approx(
            metric.value(proba, truth, weights=weights)
        )


@every
def test_gains_give_the_standard_error_of_a_difference(scoring):
    """As drawing the rows again does."""
    (_, y), metric, rng = rows(1000), Metric(scoring, CLASSES), np.random.default_rng(1)
    truth = np.eye(3)[y]
    pair = [np.where(rng.random((1000, 1)) < right, truth, np.roll(truth, 1, 1)) for right in (0.8, 0.7)]
    pair = [0.9 * given + 0.1 / 3 for given in pair]
    drawn = (rng.integers(0, 1000, 1000) for _ in range(300))
    differences = [np.subtract(*(metric.value(given[i], truth[i]) for given in pair)) for i in drawn]
    gains = np.subtract(*(metric.gains(given, truth) for given in pair))
    assert gains.std() / np.sqrt(1000) == pytest.approx(np.std(differences), rel=0.15)


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "f1_macro", "f1:fair", COSTS], ids=str)
def test_its_labels_are_better_than_the_most_probable(scoring):
    (proba, y), metric = rows(20_000), Metric(scoring, CLASSES)
    wanted, probable = metric.labels(proba), proba.argmax(axis=1)
    gain = by_sklearn(scoring, y, wanted, proba) - by_sklearn(scoring, y, probable, proba)
    assert gain > 0.003


@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss"])
def test_the_most_probable_are_best(scoring):
    proba, _ = rows()
    np.testing.assert_array_equal(Metric(scoring, CLASSES).labels(proba), proba.argmax(axis=1))


def test_no_costs_but_of_errors_are_accuracy():
    proba, y = rows()
    truth = np.eye(3)[y]
    costs = Metric(1 - np.eye(3), CLASSES)
    assert costs.value(proba, truth) == pytest.approx(Metric("accuracy", CLASSES).value(proba, truth) - 1)


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "f1_macro", "f1:fair", COSTS], ids=str)
def test_shares_of_the_target_change_the_labels(scoring):
    """Worth that is told the shares stands for probabilities matched to them."""
    (proba, _), metric, priors = rows(), Metric(scoring, CLASSES), np.array([0.2, 0.3, 0.5])
    right = matched(proba, priors)
    expected = (right @ metric.worth(right)).argmax(axis=1)
    np.testing.assert_array_equal(metric.labels(proba, priors), expected)
    np.testing.assert_array_equal((proba @ metric.worth(proba, priors)).argmax(axis=1), expected)
    assert np.mean(metric.labels(proba) != expected) > 0.02


def test_a_class_that_nothing_has_is_never_given():
    proba, _ = rows()
    proba[:, 2] = 0
    for scoring in ("balanced_accuracy", "f1_macro"):
        labels = Metric(scoring, CLASSES).labels(proba, np.array([0.5, 0.5, 0]))
        assert set(labels) == {0, 1}


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        ("f1_marco", "Got scoring='f1_marco'. Expected one of accuracy, balanced_accuracy, f1_macro"),
        ("f1:poor", r"Got scoring='f1:poor'. Expected a label of the source: \['bad', 'fair', 'good'\]"),
        (np.eye(2), r"type ndarray, shape \(2, 2\). Expected a name, or costs of shape \(3, 3\)"),
        ([[0, 1, 1], [1, 0, 1], [1, np.nan, 0]], "Expected a name, or costs of shape"),
        ([["a"]], "Expected a name, or costs of shape"),
    ],
)
def test_what_is_no_metric(scoring, message):
    with pytest.raises(ValueError, match=message):
        Metric(scoring, CLASSES)


class TestSearch:
    def test_costs_decide_what_predict_gives(self, tmp_path):
        """To call a bad pan good costs ten times as much as the other error."""
        costs = np.array([[0, 10], [1, 0]])
        search = TransferSearch(**SMALL, scoring=costs).fit(FILMS.data, FILMS.target, X_target=PANS.data)
        wanted, proba = search.predict(PANS.data), search.predict_proba(PANS.data)
        probable = proba.argmax(axis=1)
        assert wanted.mean() < probable.mean() - 0.1
        np.testing.assert_array_equal(wanted, proba[:, 1] >= search.best_estimator_.threshold)
        save_pipeline(search.best_estimator_, tmp_path / "model")
        loaded = load_pipeline(tmp_path / "model")
        np.testing.assert_array_equal(loaded.predict(PANS.data), wanted)
        np.testing.assert_array_equal(compile_pipeline(loaded).predict(PANS.data), wanted)
        wanted, probable = (-costs[PANS.target, labels].mean() for labels in (wanted, probable))
        assert wanted > probable
        low, high = search.score_interval_
        assert low <= search.expected_score_ <= high
        assert low <= wanted <= high

    @pytest.mark.parametrize("scoring", ["f1:1", "balanced_accuracy", "neg_log_loss"])
    def test_expected_score_is_of_what_it_gives(self, scoring):
        """A target of which a quarter is good, and the class found by all texts."""
        good = np.flatnonzero(np.asarray(PANS.target) == 1)[:50]
        some = np.sort(np.concatenate([np.flatnonzero(np.asarray(PANS.target) == 0), good]))
        texts, y = [PANS.data[i] for i in some], np.asarray(PANS.target)[some]
        search = TransferSearch(**SMALL, scoring=scoring).fit(FILMS.data, FILMS.target, X_target=texts)
        labels, proba = search.predict(texts), search.predict_proba(texts)
        score = {
            "f1:1": f1_score(y, labels),
            "balanced_accuracy": balanced_accuracy_score(y, labels),
            "neg_log_loss": -log_loss(y, proba),
        }[scoring]
        low, high = search.score_interval_
        assert low <= score <= high
        chosen = search.results_.loc[search.best_index_]
        means = chosen[["consensus", "source_accuracy"]].mean()
        assert search.expected_score_ == pytest.approx(means)

    def test_a_label_that_the_source_has_not(self):
        with pytest.raises(ValueError, match="Got scoring='f1:2'"):
            TransferSearch(**SMALL, scoring="f1:2").fit(FILMS.data, FILMS.target, X_target=PANS.data)
