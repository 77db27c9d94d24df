"""Self-training: the rule of selection and whole rounds against naive loops, and what it gains on a shift."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from embtransfer import (
    DomainCentering,
    NoAdaptation,
    SelfTrainingClassifier,
    Target,
    WordEmbedder,
    load_pipeline,
    make_transfer_pipeline,
    save_pipeline,
    source_scorer,
)
from embtransfer.classifiers._rounds import _surest
from embtransfer.datasets import load_demo_reviews

NAMES = np.array(["bad", "good", "none", "so so", "zero"])


def simulate(n_classes=2, n=120, n_target=90, seed=0):
    """Gaussian classes in n_classes + 1 columns; the last says most in the target and is 0 in the source."""
    rng = np.random.default_rng(seed)
    y, y_target = np.arange(n) % n_classes, rng.integers(n_classes, size=n_target)
    means = np.eye(n_classes, n_classes + 1)
    X = rng.normal(size=(n, n_classes + 1)) + 1.5 * means[y]
    X_target = rng.normal(size=(n_target, n_classes + 1)) + 1.5 * means[y_target]
    X[:, -1] = 0
    X_target[:, -1] = 3 * y_target - 1.5 * (n_classes - 1)
    return X, y, X_target, y_target


def naive_surest(proba, slope, share, priors, min_confidence):
    """The rule of selection, row by row in Python numbers: (positions, labels, confidences).

    The quotas' fractions go by the largest remainder, to classes that have a row left.
    """
    n, n_classes = proba.shape
    sharpened = [[part**slope / sum(row**slope) for part in row] for row in proba]
    mean, mean_sharpened = (
        [max(sum(row[k] for row in rows) / n, 1e-12) for k in range(n_classes)] for rows in (proba, sharpened)
    )
    ranked = {k: [] for k in range(n_classes)}
    for i in range(n):
        matched = [proba[i, k] * priors[k] / mean[k] for k in range(n_classes)]
        matched = [part / sum(matched) for part in matched]
        label = matched.index(max(matched))
        calibrated = [sharpened[i][k] * priors[k] / mean_sharpened[k] for k in range(n_classes)]
        confidence = calibrated[label] / sum(calibrated)
        if confidence >= min_confidence:
            ranked[label].append((-matched[label], i, confidence))
    quotas = [round(share * priors[k] * n, 9) for k in range(n_classes)]
    taken, following = [], []
    for k, quota in enumerate(quotas):
        for place, (sure, i, confidence) in enumerate(sorted(ranked[k])):
            if place < int(quota):
                taken.append((i, k, confidence))
            elif place == int(quota) and quota > int(quota):
                following.append((int(quota) - quota, sure, k, i, confidence))
    for _, _, k, i, confidence in sorted(following)[: round(sum(quotas) - sum(map(int, quotas)))]:
        taken.append((i, k, confidence))
    taken.sort()
    return tuple(map(list, zip(*taken, strict=True))) if taken else ([], [], [])


def naive_temperature(estimator, X, y, cv, seed=0):
    """Slope of least log-loss on held-out rows."""
    held_out = np.zeros((len(y), y.max() + 1))
    for seen, unseen in StratifiedKFold(cv, shuffle=True, random_state=seed).split(X, y):
        held_out[unseen] = clone(estimator).fit(X[seen], y[seen]).predict_proba(X[unseen])

    def loss(slope):
        powers = held_out**slope
        return -np.log(powers[np.arange(len(y)), y] / powers.sum(axis=1)).mean()

    return minimize_scalar(loss, bounds=(0.01, 100), method="bounded", options={"xatol": 1e-9}).x


def naive_rounds(estimator, X, y, X_target, priors, known=None, weight=1.0, min_confidence=0.5):
    """Last classifier, rows taken in each of five rounds and the temperature, for y = 0, 1, ...

    `known` maps target rows to their labels, which count `weight` times.
    """
    slope, known = naive_temperature(estimator, X, y, cv=5), known or {}

    def fit(guessed):
        rows, labels = [*guessed, *known], [*guessed.values(), *known.values()]
        weights = [1.0] * (len(X) + len(guessed)) + [weight] * len(known)
        both = np.vstack([X, X_target[rows]]) if rows else X
        return clone(estimator).fit(both, np.concatenate([y, labels]), sample_weight=weights)

    model, added = fit({}), []
    for r in range(1, 6):
        proba = model.predict_proba(X_target)
        for row, label in known.items():
            proba[row] = np.arange(proba.shape[1]) == label
        rows, labels, _ = naive_surest(proba, slope, 0.8 * r / 5, priors, min_confidence)
        guessed = {row: label for row, label in zip(rows, labels, strict=True) if row not in known}
        added.append(len(guessed))
        model = fit(guessed)
    return model, added, 1 / slope


class TestSelection:
    @staticmethod
    def both(proba, slope, share, priors, min_confidence):
        options = SimpleNamespace(priors_=np.asarray(priors), min_confidence=min_confidence)
        found = _surest(proba.copy(), slope, share, options)
        return found, naive_surest(proba, slope, share, priors, min_confidence)

    @pytest.mark.parametrize("n_classes", [2, 3, 7])
    @pytest.mark.parametrize("slope", [0.3, 1.0, 2.5])
    @pytest.mark.parametrize(("share", "min_confidence"), [(0.1, 0), (0.5, 0.5), (1.0, 0.4), (1.0, 0.9)])
    def test_naive_loop(self, n_classes, slope, share, min_confidence):
        rng = np.random.default_rng(n_classes)
        proba = rng.dirichlet(np.full(n_classes, 0.5), 200)
        priors = rng.dirichlet(np.full(n_classes, 2.0))
        found, expected = self.both(proba, slope, share, priors, min_confidence)
        for ours, naive in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, naive, atol=1e-12)
        assert len(found[0]) <= round(200 * share)

    def test_ties_go_to_the_first_rows_and_classes(self):
        proba = np.array([[0.5, 0.5], [0.8, 0.2], [0.2, 0.8]] * 10)
        found, expected = self.both(proba, 1.0, 0.4, [0.5, 0.5], 0.5)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[0], [1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17])
        # all rows alike: the first class takes its quota, the first rows
        found, _ = self.both(np.full((10, 2), 0.5), 1.0, 0.4, [0.5, 0.5], 0.5)
        assert (found[0].tolist(), found[1].tolist()) == ([0, 1], [0, 0])

    def test_a_classifier_that_leans_to_one_class_is_matched_to_the_priors(self):
        first = np.linspace(0.6, 0.99, 100)
        found, _ = self.both(np.stack([first, 1 - first], axis=1), 1.0, 1.0, [0.5, 0.5], 0.0)
        assert 40 <= np.sum(found[1] == 1) <= 60

    def test_a_class_of_no_prior_takes_nothing(self):
        proba = np.random.default_rng(0).dirichlet(np.ones(3), 50)
        found, _ = self.both(proba, 1.0, 1.0, [0.5, 0.5, 0.0], 0.0)
        assert set(found[1]) == {0, 1}

    def test_certain_and_impossible_classes(self):
        proba = np.repeat(np.eye(3), 4, axis=0)[:8]
        found, _ = self.both(proba, 1.0, 1.0, [0.4, 0.4, 0.2], 0.5)
        assert found[1].tolist() == [0, 0, 0, 0, 1, 1, 1]  # the fraction of the class without rows goes on
        assert np.isfinite(found[2]).all()


@pytest.mark.parametrize(
    ("n_classes", "rows", "n_known"),
    [
        (2, np.asarray, 0),
        (2, sparse.csr_array, 15),
        (3, sparse.csc_matrix, 0),
        (3, np.asarray, 15),
        (5, sparse.csr_array, 0),
        (5, sparse.csc_matrix, 15),
    ],
)
def test_all_rounds_against_a_naive_loop(n_classes, rows, n_known):
    X, y, X_target, y_target = simulate(n_classes)
    estimator = LogisticRegression(C=10.0, max_iter=1000, tol=1e-10)
    known, given = dict(enumerate(y_target[:n_known])), {}
    if n_known:
        given["y_target"] = [*NAMES[y_target[:n_known]], *[None] * (len(y_target) - n_known)]
    expected, added, temperature = naive_rounds(
        estimator, X, y, X_target, np.bincount(y) / len(y), known, weight=2.0, min_confidence=0.3
    )
    model = SelfTrainingClassifier(estimator, min_confidence=0.3, target_weight=2.0, priors="source")
    model.fit(rows(X), NAMES[y], X_target=rows(X_target), **given)
    assert model.n_target_labels_ == n_known
    assert [step["n_added"] for step in model.history_] == [n for n in added if n]
    assert model.temperature_ == pytest.approx(temperature, rel=1e-4)
    wanted = softmax(expected.predict_log_proba(X_target) / model.target_temperature_, axis=1)
    np.testing.assert_allclose(model.predict_proba(rows(X_target)), wanted, atol=1e-6)
    np.testing.assert_array_equal(model.predict(rows(X_target)), NAMES[expected.predict(X_target)])
    assert list(model.classes_) == sorted(NAMES[:n_classes])
    np.testing.assert_allclose(model.priors_, 1 / n_classes)


def test_the_default_estimator_and_the_unadapted_one():
    X, y, X_target, _ = simulate()
    plain = LogisticRegression(C=10.0, max_iter=1000).fit(X, y)
    model = SelfTrainingClassifier().fit(X, y, X_target=X_target)
    np.testing.assert_allclose(model.unadapted_estimator_.coef_, plain.coef_, atol=0.01)
    assert repr(model.estimator_) == repr(plain)
    assert not np.allclose(model.estimator_.coef_, plain.coef_)
    np.testing.assert_array_equal(model.predict_proba(X_target), model.estimator_.predict_proba(X_target))


@pytest.mark.parametrize("estimator", [None, GaussianNB(var_smoothing=0.1)], ids=["logistic", "bayes"])
@pytest.mark.parametrize("seed", range(3))
def test_gain_where_words_of_the_target_carry_the_label(estimator, seed):
    X, y, X_target, y_target = simulate(n=400, n_target=400, seed=seed)
    model = SelfTrainingClassifier(estimator).fit(X, y, X_target=X_target)
    before = model.unadapted_estimator_.score(X_target, y_target)
    assert model.score(X_target, y_target) > before + 0.05


def test_a_last_estimator_learns_what_the_rounds_of_the_other_took():
    X, y, X_target, _ = simulate(3)
    rounds = SelfTrainingClassifier(LogisticRegression()).fit(X, y, X_target=X_target)
    same = clone(rounds).set_params(last_estimator=LogisticRegression()).fit(X, y, X_target=X_target)
    np.testing.assert_array_equal(same.predict_proba(X_target), rounds.predict_proba(X_target))
    other = clone(rounds).set_params(last_estimator=KNeighborsClassifier(3)).fit(X, y, X_target=X_target)
    assert other.history_ == rounds.history_
    np.testing.assert_array_equal(other.priors_, rounds.priors_)
    alone = KNeighborsClassifier(3).fit(X, y)
    np.testing.assert_array_equal(
        other.unadapted_estimator_.predict_proba(X_target), alone.predict_proba(X_target)
    )
    assert other.estimator_.n_samples_fit_ == len(X) + other.history_[-1]["n_added"]
    weights = np.ones(len(y))
    with pytest.raises(ValueError, match="Got KNeighborsClassifier, whose fit takes no sample_weight"):
        other.fit(X, y, X_target=X_target, sample_weight=weights)


def test_history():
    X, y, X_target, _ = simulate(n_target=100)
    model = SelfTrainingClassifier(n_rounds=4, share=0.4, priors="source").fit(X, y, X_target=X_target)
    assert [step["n_added"] for step in model.history_] == [10, 20, 30, 40]
    for step in model.history_:
        assert set(step) == {"n_added", "confidence", "agreement"}
        assert 0.5 <= step["confidence"] <= 1
        assert 0 <= step["agreement"] <= 1
    same = model.predict(X_target) == model.unadapted_estimator_.predict(X_target)
    assert model.history_[-1]["agreement"] == same.mean()
    proba, slope = model.unadapted_estimator_.predict_proba(X_target), 1 / model.temperature_
    _, _, confidence = naive_surest(proba, slope, 0.1, model.priors_, 0.5)
    assert model.history_[0]["confidence"] == pytest.approx(np.mean(confidence))


class TestPriors:
    def test_of_the_source(self):
        X, y, X_target, _ = simulate()
        X, y = X[20:], np.where(np.arange(100) < 30, 0, y[20:])
        model = SelfTrainingClassifier(priors="source").fit(X, y, X_target=X_target)
        for shares in (model.source_priors_, model.priors_, *model.prior_intervals_.T):
            np.testing.assert_allclose(shares, np.bincount(y) / 100)

    def test_uniform(self):
        X, y, X_target, _ = simulate(3)
        model = SelfTrainingClassifier(priors="uniform").fit(
            X[y != 0][:90], y[y != 0][:90], X_target=X_target
        )
        np.testing.assert_allclose(model.priors_, [0.5, 0.5])

    # three classes overlap more than two: the estimate stays nearer to the source's shares
    @pytest.mark.parametrize(("n_classes", "left"), [(2, 0.5), (3, 0.9)], ids=["2", "3"])
    @pytest.mark.parametrize("seed", range(3))
    def test_estimated_by_default(self, n_classes, left, seed):
        X, y, X_target, y_target = simulate(n_classes, n=600, n_target=900, seed=seed)
        keep = np.flatnonzero((y_target == 0) | (np.arange(900) % 4 == 0))
        X_target = X_target[keep]
        model = SelfTrainingClassifier().fit(X, y, X_target=X_target)
        true = np.bincount(y_target[keep]) / len(keep)
        np.testing.assert_allclose(model.source_priors_, np.full(n_classes, 1 / n_classes))
        assert np.abs(model.priors_ - true).max() < left * np.abs(model.source_priors_ - true).max()
        low, high = model.prior_intervals_.T
        assert ((low <= true) & (true <= high)).all()
        assert ((low > 0) & (low < model.priors_) & (model.priors_ < high) & (high < 1)).all()

    @pytest.mark.parametrize("rows", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
    def test_estimated_through_a_pipeline_that_calls_columns_by_their_place(self, rows):
        X, y, X_target, _ = simulate(3)
        X, X_target = np.abs(X), np.abs(X_target)
        estimator = LogisticRegression(C=10.0, max_iter=1000, tol=1e-10)
        keep = ColumnTransformer([("keep", "passthrough", [0, 1, 2, 3])])
        found, expected = (
            SelfTrainingClassifier(one).fit(rows(X), y, X_target=rows(X_target))
            for one in (make_pipeline(keep, estimator), estimator)
        )
        np.testing.assert_allclose(found.prior_intervals_, expected.prior_intervals_, atol=1e-3)
        assert not np.allclose(found.priors_, found.source_priors_, atol=0.01)

    def test_estimated_through_a_pipeline_that_takes_logarithms(self):
        X, y, X_target, _ = simulate(3)
        X, X_target = (sparse.csr_array(np.floor(4 * np.abs(rows))) for rows in (X, X_target))
        model = make_pipeline(TfidfTransformer(sublinear_tf=True), LogisticRegression(C=10.0))
        found = SelfTrainingClassifier(model).fit(X, y, X_target=X_target)
        assert np.isclose(found.priors_.sum(), 1)
        assert np.isfinite(found.predict_proba(X_target)).all()

    def test_estimated_through_a_step_that_warns_of_columns_without_numbers(self):
        X, y, X_target, _ = simulate(3)
        X[:, -1] = np.arange(len(X)) % 2
        rows = [sparse.csr_array(np.floor(4 * np.abs(part))) for part in (X, X_target)]
        model = make_pipeline(SelectKBest(k=2), LogisticRegression(C=10.0))
        found = SelfTrainingClassifier(model).fit(rows[0], y, X_target=rows[1])  # warnings are errors
        assert np.isclose(found.priors_.sum(), 1)

    @pytest.mark.parametrize("empty", ["target", "class"])
    def test_estimated_with_empty_rows_alone(self, empty):
        X, y, X_target, _ = simulate(3)
        X, X_target = np.floor(4 * np.abs(X)), np.floor(4 * np.abs(X_target))
        X_target, X[y == 1] = (0 * X_target, X[y == 1]) if empty == "target" else (X_target, 0)
        model = SelfTrainingClassifier(min_confidence=0.0)
        found = model.fit(sparse.csr_array(X), y, X_target=sparse.csr_array(X_target))
        assert np.isclose(found.priors_.sum(), 1)

    @pytest.mark.parametrize("container", [list, tuple, np.array, pd.Series])
    def test_given(self, container):
        X, y, X_target, _ = simulate(n_target=100)
        priors = container([0.9, 0.1])
        model = SelfTrainingClassifier(priors=priors, share=1.0, n_rounds=1).fit(X, y, X_target=X_target)
        np.testing.assert_allclose(model.priors_, [0.9, 0.1])
        rows, labels, _ = naive_surest(
            model.unadapted_estimator_.predict_proba(X_target), 1 / model.temperature_, 1.0, [0.9, 0.1], 0.5
        )
        assert model.history_[0]["n_added"] == len(rows)
        assert np.mean(labels) < 0.3

    @pytest.mark.parametrize(
        "wrong",
        [[0.5, 0.6], [1.0], [0.2, 0.3, 0.5], [-0.5, 1.5], [np.nan, 1.0], [[0.5, 0.5]], ["a", "b"], [None, 1]],
        ids=repr,
    )
    def test_wrong(self, wrong):
        X, y, X_target, _ = simulate()
        with pytest.raises(ValueError, match=r"Got priors=.*Expected 2 numbers of at least 0 with sum 1"):
            SelfTrainingClassifier(priors=wrong).fit(X, y, X_target=X_target)


class TestFewRows:
    """Quotas that round to nothing in the first rounds must not end the rounds."""

    def test_few_target_rows(self):
        X, y, X_target, _ = simulate(n_target=8)
        model = SelfTrainingClassifier(min_confidence=0, share=0.5, priors="source").fit(
            X, y, X_target=X_target
        )
        assert [step["n_added"] for step in model.history_] == [1, 2, 3, 4]

    @pytest.mark.parametrize(("n_classes", "n_target"), [(300, 200), (77, 50)])
    def test_quotas_below_one_row_are_rounded_over_all_classes(self, n_classes, n_target):
        rng = np.random.default_rng(0)
        means = 3 * rng.normal(size=(n_classes, 20))
        y, y_target = np.arange(3 * n_classes) % n_classes, rng.integers(n_classes, size=n_target)
        X, X_target = (means[labels] + rng.normal(size=(len(labels), 20)) for labels in (y, y_target))
        model = SelfTrainingClassifier(
            GaussianNB(var_smoothing=0.01), n_rounds=2, share=0.4, min_confidence=0, priors="source", cv=2
        )
        model.fit(X, y, X_target=X_target)
        assert [step["n_added"] for step in model.history_] == [n_target // 5, 2 * n_target // 5]

    def test_many_classes(self):
        X, y, X_target, _ = simulate(40, n=400, n_target=200)
        model = SelfTrainingClassifier(min_confidence=0).fit(X, y, X_target=X_target)
        assert model.history_[-1]["n_added"] > 40
        assert not np.allclose(model.estimator_.coef_, model.unadapted_estimator_.coef_)

    @pytest.mark.parametrize("n_target", [1, 2, 3])
    def test_hardly_any_target_rows(self, n_target):
        X, y, X_target, _ = simulate(n_target=n_target)
        model = SelfTrainingClassifier().fit(X, y, X_target=X_target)
        assert np.isfinite(model.predict_proba(X_target)).all()

    @pytest.mark.parametrize("smallest", [1, 2, 3])
    def test_a_class_of_few_rows(self, smallest):
        X, _, X_target, _ = simulate()
        y = np.where(np.arange(len(X)) < smallest, "rare", "usual")
        model = SelfTrainingClassifier(priors="uniform").fit(X, y, X_target=X_target)
        assert 0 < model.temperature_ < np.inf
        assert np.isfinite(model.predict_proba(X_target)).all()

    def test_a_class_that_the_source_s_classifier_sees_nowhere_gets_its_rows(self):
        X, y, X_target, y_target = simulate()
        X_target[:, :2] += [-4, 4]  # all of the target lies where the source has its class 1
        model = SelfTrainingClassifier(priors=np.bincount(y_target) / 90).fit(X, y, X_target=X_target)
        assert set(model.unadapted_estimator_.predict(X_target)) == {1}
        assert model.history_[-1]["n_added"] == 72
        assert np.mean(model.predict(X_target) == y_target) > 0.9

    def test_no_row_is_sure_enough(self):
        X, y, X_target, _ = simulate()
        X_target[:] = X.mean(axis=0)
        model = SelfTrainingClassifier(min_confidence=0.99)
        with pytest.warns(UserWarning, match="Got 90 target rows and took none in any round: the surest"):
            model.fit(X, y, X_target=X_target)
        assert model.history_ == []
        assert model.estimator_ is model.unadapted_estimator_

    def test_rounds_that_would_change_nothing_are_left_out(self):
        X, y, X_target, _ = simulate()
        fits = []

        class Counting(LogisticRegression):
            def fit(self, X, y):
                fits.append(len(y))
                return super().fit(X, y)

        X_target[:80] = X.mean(axis=0)  # only the other 10 can ever be taken
        model = SelfTrainingClassifier(
            Counting(), n_rounds=50, share=1.0, min_confidence=0.9, priors="source"
        )
        model.fit(X, y, X_target=X_target)
        assert 1 <= len(model.history_) < 20
        assert len(fits) == 1 + 5 + len(model.history_) + 1  # and one for the temperature of the target
        assert model.history_[-1]["n_added"] <= 10


def test_confidence_is_calibrated():
    """Naive Bayes on columns said six times is overconfident: its temperature is above 1."""
    X, y, X_target, _ = simulate(n=400, n_target=400)
    X, X_target = (np.tile(part[:, :2], 6) for part in (X, X_target))
    model = SelfTrainingClassifier(GaussianNB(), min_confidence=0.9, share=1.0, n_rounds=1)
    model.fit(X, y, X_target=X_target)
    raw = model.unadapted_estimator_.predict_proba(X_target).max(axis=1)
    assert model.temperature_ > 2
    assert model.history_[0]["n_added"] < 0.7 * np.sum(raw >= 0.9)
    assert model.history_[0]["confidence"] >= 0.9


def test_without_a_target_the_source_is_the_target():
    X, y, _, _ = simulate()
    alone = SelfTrainingClassifier().fit(X, y)
    both = SelfTrainingClassifier().fit(X, y, X_target=X)
    np.testing.assert_array_equal(alone.predict_proba(X), both.predict_proba(X))
    assert alone.history_ == both.history_


def test_same_numbers_every_time_and_inputs_left_alone():
    data = X, y, X_target = simulate(3)[:3]
    copies = [part.copy() for part in data]
    for part in data:
        part.flags.writeable = False
    model = SelfTrainingClassifier()
    first = model.fit(X, y, X_target=X_target).predict_proba(X_target)
    np.testing.assert_array_equal(model.fit(X, y, X_target=X_target).predict_proba(X_target), first)
    np.testing.assert_array_equal(clone(model).fit(X, y, X_target=X_target).predict_proba(X_target), first)
    for part, copy in zip(data, copies, strict=True):
        np.testing.assert_array_equal(part, copy)


@pytest.mark.parametrize("labels", [[0, 1], [-1, 1], [False, True], [2.0, 5.0], ["bad", "a longer label"]])
@pytest.mark.parametrize("container", [list, np.array, pd.Series])
def test_labels(labels, container):
    X, y, X_target, _ = simulate()
    expected = SelfTrainingClassifier().fit(X, y == (labels[0] < labels[1]), X_target=X_target)
    model = SelfTrainingClassifier().fit(X, container([labels[k] for k in y]), X_target=X_target)
    assert set(model.predict(X_target)) == set(labels)
    np.testing.assert_allclose(model.predict_proba(X_target), expected.predict_proba(X_target), atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
def test_rows_keep_their_dtype(dtype, rows):
    X, y, X_target, _ = simulate()

    class Looking(GaussianNB if rows is np.asarray else DecisionTreeClassifier):
        seen = []

        def fit(self, X, y):
            self.seen.append(X.dtype)
            return super().fit(X, y)

    SelfTrainingClassifier(Looking()).fit(
        rows(X.astype(dtype)), y, X_target=rows(X_target.astype(np.float64))
    )
    assert set(Looking.seen) == {np.dtype(dtype)}


def test_probabilities_with_many_ties():
    X, y, X_target, _ = simulate()
    stump = DecisionTreeClassifier(max_depth=1, random_state=0)
    model = SelfTrainingClassifier(stump, n_rounds=1, share=0.5, priors="source")
    model.fit(X, y, X_target=X_target)
    rows, labels, _ = naive_surest(
        model.unadapted_estimator_.predict_proba(X_target), 1 / model.temperature_, 0.5, [0.5, 0.5], 0.5
    )
    expected = clone(stump).fit(np.vstack([X, X_target[rows]]), np.concatenate([y, labels]))
    assert model.history_[0]["n_added"] == len(rows)
    np.testing.assert_array_equal(model.predict_proba(X_target), expected.predict_proba(X_target))


class TestKnownLabels:
    def test_they_are_learned_from_in_every_round_though_the_classifier_would_say_otherwise(self):
        X, y, X_target, y_target = simulate()
        fitted = []

        class Recording(LogisticRegression):
            def fit(self, X, y, sample_weight=None):
                fitted.append((X, y, sample_weight))
                return super().fit(X, y, sample_weight)

        wrong = np.full(len(y_target), None, object)
        wrong[:30] = 1 - y_target[:30]
        SelfTrainingClassifier(Recording()).fit(X, y, X_target=X_target, y_target=wrong)
        n_folds = 5
        for rows, labels, weights in fitted[1 + n_folds :]:
            if weights is None:  # a fold of the estimate of shares
                continue
            of_known = weights == 3
            np.testing.assert_array_equal(rows[of_known], X_target[:30])
            np.testing.assert_array_equal(labels[of_known], wrong[:30].astype(int))
            assert not {row.tobytes() for row in rows[~of_known]} & {row.tobytes() for row in X_target[:30]}
        assert sum(weights is not None for *_, weights in fitted) > 3

    def test_they_gain_where_the_source_is_wrong(self):
        X, y, X_target, y_target = simulate(n_target=300)
        X_target[:, :2] = X_target[:, 1::-1]  # what one class was is the other
        y_some = [*y_target[:60], *[None] * 240]
        without = SelfTrainingClassifier().fit(X, y, X_target=X_target)
        model = SelfTrainingClassifier(target_weight=10).fit(X, y, X_target=X_target, y_target=y_some)
        others = X_target[60:], y_target[60:]
        assert without.score(*others) < 0.5 < 0.9 < model.score(*others)

    @pytest.mark.parametrize("weight", [1.0, 2.0])
    def test_a_classifier_without_weights(self, weight):
        X, y, X_target, y_target = simulate()
        model = SelfTrainingClassifier(KNeighborsClassifier(), target_weight=weight)
        if weight == 1:
            model.fit(X, y, X_target=X_target, y_target=y_target)
            assert model.score(X_target, y_target) > 0.9
            return
        with pytest.raises(ValueError, match=r"and target_weight=2\.0\..*or target_weight=1"):
            model.fit(X, y, X_target=X_target, y_target=y_target)

    def test_with_weights_of_the_source(self):
        X, y, X_target, y_target = simulate()
        twice = SelfTrainingClassifier(LogisticRegression(tol=1e-10), priors="source")
        given = {"X_target": X_target, "y_target": y_target}
        weighted = clone(twice).fit(X, y, **given, sample_weight=np.full(len(y), 2.0))
        # all weights twice is C twice
        twice.set_params(estimator__C=2.0).fit(X, y, **given)
        np.testing.assert_allclose(weighted.predict_proba(X_target), twice.predict_proba(X_target), atol=1e-5)


class TestErrors:
    def test_no_probabilities(self):
        with pytest.raises(ValueError, match=r"'estimator' parameter .* 'fit' and 'predict_proba'"):
            SelfTrainingClassifier(LinearSVC()).fit(*simulate()[:2])

    @pytest.mark.parametrize(
        "wrong",
        [
            {"n_rounds": 0},
            {"share": 0.0},
            {"share": 1.1},
            {"min_confidence": -0.1},
            {"cv": 1},
            {"priors": "em"},
        ],
        ids=repr,
    )
    def test_parameters(self, wrong):
        with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
            SelfTrainingClassifier(**wrong).fit(*simulate()[:2])

    def test_one_class(self):
        X, _, X_target, _ = simulate()
        with pytest.raises(ValueError, match=r"Got 1 class, .*'good'"):
            SelfTrainingClassifier().fit(X, ["good"] * len(X), X_target=X_target)

    def test_other_width(self):
        X, y, X_target, _ = simulate()
        with pytest.raises(ValueError, match="X_target has 2 features, but X has 3"):
            SelfTrainingClassifier().fit(X, y, X_target=X_target[:, :2])


@pytest.fixture(scope="module")
def reviews():
    return load_demo_reviews("films"), load_demo_reviews("kitchenware")


class TestInAPipeline:
    @staticmethod
    def pipeline():
        return make_transfer_pipeline(WordEmbedder(), DomainCentering(), SelfTrainingClassifier())

    def test_takes_over_the_shares_of_the_adapter_which_known_labels_correct(self, reviews):
        films, pans = reviews
        told = [label if i % 4 == 0 else None for i, label in enumerate(pans.target)]
        without = self.pipeline().fit(films.data, films.target, X_target=pans.data)
        pipeline = self.pipeline().fit(films.data, films.target, X_target=pans.data, y_target=told)
        np.testing.assert_array_equal(pipeline[-1].priors_, pipeline[1].priors_)
        off = [np.abs(model[1].priors_ - 0.5).max() for model in (pipeline, without)]
        assert off[0] < off[1] / 2

    @pytest.mark.parametrize("hold", [lambda part: part, Target], ids=["raw", "Target"])
    def test_gets_both_domains_as_the_adapter_maps_them(self, reviews, hold):
        films, pans = reviews
        pipeline = self.pipeline().fit(films.data, films.target, X_target=hold(pans.data))
        embedder, adapter = WordEmbedder().fit(films.data), DomainCentering()
        source = adapter.fit_transform(
            embedder.transform(films.data), films.target, X_target=embedder.transform(pans.data)
        )
        target = adapter.transform(embedder.transform(pans.data))
        model = SelfTrainingClassifier(priors=adapter.priors_)  # which it takes over
        expected = model.fit(source, films.target, X_target=target)
        assert pipeline[-1].history_ == expected.history_
        np.testing.assert_array_equal(pipeline.predict_proba(pans.data), expected.predict_proba(target))
        np.testing.assert_array_equal(pipeline.predict_source(films.data), expected.predict(source))
        np.testing.assert_array_equal(
            pipeline.predict_proba_source(films.data), expected.predict_proba(source)
        )

    def test_cross_validation_on_held_out_source_rows(self, reviews):
        films, pans = reviews
        scores = cross_val_score(
            self.pipeline(),
            films.data,
            films.target,
            cv=3,
            params={"X_target": Target(pans.data)},
            scoring=source_scorer("accuracy"),
        )
        assert scores.mean() > 0.65

    def test_saved_and_loaded(self, reviews, tmp_path):
        films, pans = reviews
        pipeline = self.pipeline().fit(films.data, films.target, X_target=pans.data)
        loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
        np.testing.assert_array_equal(loaded.predict_proba(pans.data), pipeline.predict_proba(pans.data))
        np.testing.assert_array_equal(loaded.predict_source(films.data), pipeline.predict_source(films.data))
        assert loaded[-1].history_ == pipeline[-1].history_
        np.testing.assert_array_equal(
            loaded[-1].unadapted_estimator_.coef_, pipeline[-1].unadapted_estimator_.coef_
        )

    def test_sparse_rows_and_string_labels_saved_and_loaded(self, tmp_path):
        X, y, X_target, _ = simulate(3)
        pipeline = make_transfer_pipeline(NoAdaptation(), SelfTrainingClassifier(priors=[0.2, 0.3, 0.5]))
        pipeline.fit(sparse.csr_array(X), NAMES[y], X_target=sparse.csr_array(X_target))
        loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
        np.testing.assert_array_equal(loaded.predict(X_target), pipeline.predict(X_target))
        assert clone(loaded)[-1].priors == [0.2, 0.3, 0.5]

    def test_saved_before_there_were_last_estimators(self, tmp_path):
        X, y, X_target, _ = simulate()
        pipeline = make_transfer_pipeline(NoAdaptation(), SelfTrainingClassifier())
        del pipeline.fit(X, y, X_target=X_target)[-1].last_estimator
        loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
        assert "last_estimator" not in vars(loaded[-1])
        np.testing.assert_array_equal(loaded.predict(X_target), pipeline.predict(X_target))
        assert clone(loaded)[-1].last_estimator is None
