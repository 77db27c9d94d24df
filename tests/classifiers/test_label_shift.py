"""Label shift: known priors recovered, formulas against naive ones, intervals that cover."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from embtransfer import (
    LabelShiftClassifier,
    NoAdaptation,
    SelfTrainingClassifier,
    estimate_priors,
    load_pipeline,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.classifiers._label_shift import _calibration_moves
from embtransfer.priors import calibrate

every_method = pytest.mark.parametrize("method", ["em", "bbse"])


def simulate(priors, target_priors, n=1000, distance=2.0, seed=0):
    """Rows of one Gaussian per class; (X, y, X_target, y_target)."""
    rng = np.random.default_rng(seed)
    means = distance * np.eye(len(priors))
    y, y_target = (rng.choice(len(priors), n, p=p) for p in (priors, target_priors))
    return (
        *((means[y] + rng.normal(size=(n, len(priors)))), y),
        means[y_target] + rng.normal(size=(n, len(priors))),
        y_target,
    )


def probabilities(seed=0, n_classes=3):
    X, y, X_target, _ = simulate(
        np.full(n_classes, 1 / n_classes), np.arange(1, n_classes + 1) / sum(range(n_classes + 1)), seed=seed
    )
    model = LogisticRegression().fit(X[::2], y[::2])
    return model.predict_proba(X[1::2]), y[1::2], model.predict_proba(X_target)


class TestPriors:
    @pytest.mark.parametrize("n_classes", [2, 3, 5])
    def test_em_is_the_fixed_point_of_a_naive_loop(self, n_classes):
        source, y, target = probabilities(n_classes=n_classes)
        before = source.mean(axis=0)
        priors = before.copy()
        for _ in range(2000):
            new = np.zeros(n_classes)
            for row in target[:200]:
                joint = [priors[k] / before[k] * row[k] for k in range(n_classes)]
                new += np.array(joint) / sum(joint)
            if np.abs(new / 200 - priors).max() < 1e-10:
                break
            priors = new / 200
        np.testing.assert_allclose(estimate_priors(source, y, target[:200]), priors, atol=1e-6)

    def test_em_is_the_maximum_of_the_likelihood(self):
        source, y, target = probabilities()
        ratio = target / source.mean(axis=0)
        exact = minimize(
            lambda q: -np.log(ratio @ q).mean(),
            np.full(3, 1 / 3),
            bounds=[(0, 1)] * 3,
            constraints={"type": "eq", "fun": lambda q: q.sum() - 1},
            options={"ftol": 1e-14},
        )
        np.testing.assert_allclose(estimate_priors(source, y, target), exact.x, atol=1e-4)

    @pytest.mark.parametrize("n_classes", [2, 3, 5])
    def test_bbse_solves_the_linear_system(self, n_classes):
        source, y, target = probabilities(n_classes=n_classes)
        confusion = np.stack([source[y == k].mean(axis=0) for k in range(n_classes)], axis=1)
        exact = np.linalg.solve(confusion, target.mean(axis=0))
        assert exact.min() > 0
        np.testing.assert_allclose(estimate_priors(source, y, target, "bbse"), exact, atol=1e-7)

    def test_bbse_where_the_solution_leaves_the_simplex(self):
        source, y, target = probabilities()
        target = target[target[:, 2] > 0.7]
        confusion = np.stack([source[y == k].mean(axis=0) for k in range(3)], axis=1)
        assert np.linalg.solve(confusion, target.mean(axis=0)).min() < 0
        exact = minimize(
            lambda q: ((confusion @ q - target.mean(axis=0)) ** 2).sum(),
            np.full(3, 1 / 3),
            bounds=[(0, 1)] * 3,
            constraints={"type": "eq", "fun": lambda q: q.sum() - 1},
            options={"ftol": 1e-15},
        )
        np.testing.assert_allclose(estimate_priors(source, y, target, "bbse"), exact.x, atol=1e-5)

    def test_bbse_of_scores_that_say_nothing_keeps_the_source_s_shares(self):
        rng = np.random.default_rng(0)
        for n_classes in (2, 4):
            y = rng.integers(0, n_classes, 400)
            source, target = rng.dirichlet(np.ones(n_classes), (2, 400))
            found = estimate_priors(source, y, target, "bbse")
            np.testing.assert_allclose(found, np.bincount(y) / 400, atol=1e-6)

    def test_bbse_of_two_classes_that_no_score_tells_apart(self):
        """The third class's share is found, and the other two divide the rest as in the source."""
        y, y_target = np.repeat([0, 1, 2], [300, 100, 200]), np.repeat([0, 2], [100, 300])
        rng = np.random.default_rng(0)
        source, target = (
            np.where((labels == 2)[:, None], [0.1, 0.1, 0.8], [0.45, 0.45, 0.1]) for labels in (y, y_target)
        )
        noise = rng.uniform(-0.08, 0.08, (2, 600, 1))
        source, target = source + noise[0] * [1, -1, 0], target + noise[1, :400] * [1, -1, 0]
        found = estimate_priors(source, y, target, "bbse")
        np.testing.assert_allclose(found, [0.1875, 0.0625, 0.75], atol=0.02)

    @every_method
    def test_the_source_as_target(self, method):
        source, y, _ = probabilities()
        expected = source.mean(axis=0) if method == "em" else np.bincount(y) / len(y)
        np.testing.assert_allclose(estimate_priors(source, y, source, method), expected, atol=1e-6)

    @every_method
    def test_any_labels(self, method):
        source, y, target = probabilities()
        names = np.array(["a", "b", "c"])[y]
        np.testing.assert_array_equal(
            estimate_priors(source.tolist(), names.tolist(), target.tolist(), method),
            estimate_priors(source, y, target, method),
        )

    @every_method
    def test_certain_and_impossible_classes(self, method):
        source = np.repeat(np.eye(3), 4, axis=0)
        priors = estimate_priors(source, np.repeat([0, 1, 2], 4), np.eye(3)[[0, 0, 0, 1]], method)
        np.testing.assert_allclose(priors, [0.75, 0.25, 0], atol=1e-6)

    def test_messages(self):
        source, y, target = probabilities()
        with pytest.raises(ValueError, match="Got method 'ml'"):
            estimate_priors(source, y, target, "ml")
        with pytest.raises(ValueError, match="proba_source has 3 columns, proba_target 2, and y_source 3"):
            estimate_priors(source, y, target[:, :2])
        with pytest.raises(ValueError, match="proba_source has 3 columns, proba_target 3, and y_source 2"):
            estimate_priors(source, y > 0, target)
        with pytest.raises(ValueError, match="proba_target holds rows that are no probabilities"):
            estimate_priors(source, y, 2 * target)


class TestCalibration:
    @staticmethod
    def logits(n=4000, seed=0):
        """Logits whose true calibration is known: slope 0.5, biases 1, 0, -1."""
        rng = np.random.default_rng(seed)
        logits = 3 * rng.normal(size=(n, 3))
        scores = 0.5 * logits + [1, 0, -1]
        return logits, (scores + rng.gumbel(size=(n, 3))).argmax(axis=1)

    def test_bias_corrected_temperature_is_recovered(self):
        slope, *biases = calibrate(*self.logits(), "bcts")
        assert slope == pytest.approx(0.5, abs=0.03)
        np.testing.assert_allclose(np.array(biases) - np.mean(biases), [1, 0, -1], atol=0.1)

    @pytest.mark.parametrize("kind", ["bcts", "temperature"])
    def test_least_log_loss(self, kind):
        logits, y = self.logits(500)

        def loss(parameters):
            scores = parameters[0] * logits + (parameters[1:] if len(parameters) > 1 else 0)
            proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            return -np.mean([np.log(row[label]) for row, label in zip(proba, y, strict=True)])

        found = calibrate(logits, y, kind)
        exact = minimize(loss, np.zeros(len(found)), method="BFGS", options={"gtol": 1e-9})
        assert len(found) == (4 if kind == "bcts" else 1)
        assert loss(found) == pytest.approx(exact.fun, abs=1e-9)

    def test_probabilities_have_the_mean_of_the_labels(self):
        logits, y = self.logits(500)
        found = calibrate(logits, y, "bcts")
        scores = np.exp(found[0] * logits + found[1:])
        mean = (scores / scores.sum(axis=1, keepdims=True)).mean(axis=0)
        np.testing.assert_allclose(mean, np.bincount(y) / 500, atol=1e-5)

    @pytest.mark.parametrize("kind", ["bcts", "temperature"])
    def test_a_newton_step_is_the_fit_to_drawn_rows(self, kind):
        logits, y = self.logits(2000)
        calibration = calibrate(logits, y, kind)
        moves = _calibration_moves(logits, y, calibration)
        rng = np.random.default_rng(1)
        stepped, fitted = [], []
        for _ in range(20):
            drawn = rng.integers(2000, size=2000)
            stepped.append(moves[drawn].sum(axis=0))
            anew = calibrate(logits[drawn], y[drawn], kind) - calibration
            anew[1:] -= anew[1:].mean() if kind == "bcts" else 0  # a constant in all biases means nothing
            fitted.append(anew)
        stepped, fitted = np.array(stepped), np.array(fitted)
        assert np.abs(stepped - fitted).max() < 0.15 * np.abs(fitted).max()
        np.testing.assert_allclose(stepped.std(axis=0), fitted.std(axis=0), rtol=0.1)

    @pytest.mark.parametrize("kind", ["bcts", "temperature"])
    def test_labels_that_the_scores_separate(self, kind):
        found = calibrate(np.repeat(np.eye(2), 5, axis=0), np.repeat([0, 1], 5), kind)
        assert np.isfinite(found).all()
        assert found[0] > 1


@every_method
@pytest.mark.parametrize(
    ("priors", "target_priors"),
    [([0.5, 0.5], [0.9, 0.1]), ([0.8, 0.2], [0.3, 0.7]), ([0.4, 0.3, 0.3], [0.1, 0.1, 0.8])],
)
def test_shifted_priors_are_recovered_and_accuracy_gained(method, priors, target_priors):
    X, y, X_target, y_target = simulate(priors, target_priors)
    model = LabelShiftClassifier(method=method, n_bootstrap=60, confidence=0.99).fit(X, y, X_target=X_target)
    lower, upper = model.prior_intervals_.T
    assert (lower < target_priors).all()
    assert (target_priors < upper).all()
    assert (lower <= model.target_priors_).all()
    assert (model.target_priors_ <= upper).all()
    assert np.abs(model.target_priors_ - target_priors).max() < 0.06
    np.testing.assert_allclose(model.source_priors_, np.bincount(y) / len(y))
    assert model.score(X_target, y_target) > model.estimator_.score(X_target, y_target) + 0.01


def test_known_labels_count_in_the_shares():
    X, y, X_target, y_target = simulate([0.5, 0.5], [0.9, 0.1], distance=0.5)
    chosen = np.argsort(np.abs(X_target[:, 0] - X_target[:, 1]))[:600]  # the doubtful
    some = np.full(len(y_target), None, object)
    some[chosen] = y_target[chosen]
    model = LabelShiftClassifier(n_bootstrap=50)
    without = clone(model).fit(X, y, X_target=X_target)
    found = clone(model).fit(X, y, X_target=X_target, y_target=some)
    assert found.n_target_labels_ == 600
    assert np.ptp(found.prior_intervals_[0]) < 0.7 * np.ptp(without.prior_intervals_[0])
    assert found.target_priors_[0] == pytest.approx(1 - y_target.mean(), abs=0.03)
    all_known = model.fit(X, y, X_target=X_target, y_target=y_target)
    np.testing.assert_allclose(all_known.target_priors_, np.bincount(y_target) / 1000, atol=1e-6)
    with pytest.raises(ValueError, match=r"y_target and method='bbse'.*method='em'"):
        LabelShiftClassifier(method="bbse").fit(X, y, X_target=X_target, y_target=some)


@pytest.mark.parametrize(
    ("method", "calibration"), [("em", "bcts"), ("em", None), ("bbse", "temperature"), ("bbse", None)]
)
def test_no_shift(method, calibration):
    X, y, X_target, _ = simulate([0.7, 0.3], [0.7, 0.3])
    model = LabelShiftClassifier(method=method, calibration=calibration, n_bootstrap=0)
    model.fit(X, y, X_target=X_target)
    np.testing.assert_allclose(model.target_priors_, model.source_priors_, atol=0.04)
    np.testing.assert_allclose(model.prior_ratio_, 1, atol=0.1)


@every_method
def test_intervals_cover_as_often_as_they_say(method):
    covered = []
    for seed in range(30):
        X, y, X_target, _ = simulate([0.5, 0.5], [0.8, 0.2], n=300, seed=seed)
        model = LabelShiftClassifier(method=method, n_bootstrap=60, confidence=0.9).fit(X, y, X_target)
        lower, upper = model.prior_intervals_[1]
        covered.append(lower <= 0.2 <= upper)
    assert 0.78 <= np.mean(covered) <= 1  # 2 standard errors below 0.9


def test_intervals_narrow_with_rows_and_with_less_confidence():
    widths = {}
    for n, confidence in ((300, 0.9), (3000, 0.9), (300, 0.5)):
        X, y, X_target, _ = simulate([0.5, 0.5], [0.8, 0.2], n=n)
        model = LabelShiftClassifier(n_bootstrap=60, confidence=confidence).fit(X, y, X_target=X_target)
        widths[n, confidence] = np.diff(model.prior_intervals_[0])[0]
    assert widths[3000, 0.9] < 0.5 * widths[300, 0.9]
    assert widths[300, 0.5] < 0.6 * widths[300, 0.9]


@pytest.mark.parametrize("calibration", ["bcts", None])
def test_probabilities_are_multiplied_with_the_ratio_of_priors(calibration):
    X, y, X_target, _ = simulate([0.5, 0.3, 0.2], [0.2, 0.2, 0.6])
    model = LabelShiftClassifier(calibration=calibration, n_bootstrap=0).fit(X, y, X_target=X_target)
    calibrated = model.estimator_.predict_proba(X_target) ** model.slope_ * np.exp(model.biases_)
    joint = calibrated * model.prior_ratio_
    np.testing.assert_allclose(
        model.predict_proba(X_target), joint / joint.sum(axis=1, keepdims=True), rtol=1e-8
    )
    # of the target's rows, the probabilities have the priors as their mean
    np.testing.assert_allclose(model.predict_proba(X_target).mean(axis=0), model.target_priors_, atol=1e-6)
    assert np.isnan(model.prior_intervals_).all()
    assert model.prior_intervals_.shape == (3, 2)


@every_method
def test_without_a_target_nothing_is_corrected(method):
    X, y, _, _ = simulate([0.7, 0.3], [0.5, 0.5])
    model = LabelShiftClassifier(method=method, n_bootstrap=0).fit(X, y)
    np.testing.assert_allclose(model.target_priors_, model.source_priors_, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(X), model.source_view().predict_proba(X), atol=1e-4)


@every_method
@pytest.mark.parametrize(
    "estimator", [LinearSVC(), RidgeClassifier(), GaussianNB()], ids=lambda part: type(part).__name__
)
@pytest.mark.parametrize("target_priors", [[0.1, 0.9], [0.1, 0.2, 0.7]], ids=["two", "three"])
def test_other_classifiers(method, estimator, target_priors):
    n_classes = len(target_priors)
    X, y, X_target, _ = simulate(np.full(n_classes, 1 / n_classes), target_priors)
    model = LabelShiftClassifier(estimator, method=method, n_bootstrap=2).fit(X, y, X_target=X_target)
    np.testing.assert_allclose(model.target_priors_, target_priors, atol=0.07)
    decision, best = model.decision_function(X_target), model.predict(X_target)
    assert ((decision > 0) == best if n_classes == 2 else decision.argmax(axis=1) == best).all()


def test_uncalibrated_scores_need_a_calibration():
    X, y, X_target, _ = simulate([0.5, 0.5], [0.5, 0.5])
    with pytest.raises(ValueError, match=r"Got LinearSVC with calibration=None\. .*with predict_proba"):
        LabelShiftClassifier(LinearSVC(), calibration=None).fit(X, y, X_target=X_target)


@every_method
@pytest.mark.parametrize("smallest", [1, 2])
def test_a_class_of_few_rows(method, smallest):
    X, y, X_target, _ = simulate([0.5, 0.5], [0.5, 0.5], n=60)
    y[:] = 0
    y[:smallest] = 1
    model = LabelShiftClassifier(method=method, n_bootstrap=20).fit(X, y, X_target=X_target)
    assert model.target_priors_.sum() == pytest.approx(1)
    assert np.isfinite(model.predict_proba(X_target)).all()


@every_method
@pytest.mark.parametrize(
    "wrong", [{"cv": 1}, {"confidence": 1.0}, {"method": "ml"}, {"calibration": "platt"}]
)
def test_wrong_parameters(method, wrong):
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
        LabelShiftClassifier(**{"method": method, **wrong}).fit([[0.0], [1.0]], [0, 1])


def test_same_intervals_every_time_and_inputs_left_alone():
    data = simulate([0.5, 0.5], [0.9, 0.1], n=200)[:3]
    for part in data:
        part.flags.writeable = False
    first, again = (LabelShiftClassifier(n_bootstrap=20).fit(*data).prior_intervals_ for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = LabelShiftClassifier(n_bootstrap=20, random_state=1).fit(*data).prior_intervals_
    assert not np.array_equal(first, other)


def test_float32_stays_float32():
    X, y, X_target, _ = simulate([0.5, 0.5], [0.9, 0.1], n=200)
    model = LabelShiftClassifier(n_bootstrap=2).fit(
        X.astype(np.float32), y, X_target=X_target.astype(np.float32)
    )
    assert model.predict_proba(X_target.astype(np.float32)).dtype == np.float32
    assert model.predict_proba(X_target).dtype == np.float64


def test_sparse_rows_in_a_pipeline_saved_and_loaded(tmp_path):
    X, y, X_target, y_target = simulate([0.5, 0.5], [0.95, 0.05], distance=1)
    names = np.array(["bad", "good"])
    pipeline = make_transfer_pipeline(NoAdaptation(), LabelShiftClassifier(n_bootstrap=20))
    pipeline.fit(sparse.csr_array(X), names[y], X_target=sparse.csr_array(X_target))
    loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(X_target), pipeline.predict_proba(X_target))
    np.testing.assert_array_equal(loaded[-1].prior_intervals_, pipeline[-1].prior_intervals_)
    # target rows get the target's priors, source rows those of the source
    assert np.mean(loaded.predict(X_target) == names[y_target]) > 0.93
    assert np.mean(loaded.predict_source(X) == names[y]) > np.mean(loaded.predict(X) == names[y]) + 0.1


def test_intervals_cover_no_less_where_source_rows_are_doubled():
    covered = {1: [], 2: []}
    for seed in range(20):
        X, y, X_target, _ = simulate([0.5, 0.5], [0.8, 0.2], n=300, seed=seed)
        rng = np.random.default_rng(1000 + seed)  # columns of noise, by which a copy is known again
        X, X_target = (np.hstack([rows, rng.normal(size=(300, 200))]) for rows in (X, X_target))
        for times, found in covered.items():
            model = LabelShiftClassifier(n_bootstrap=30)
            model.fit(np.tile(X, (times, 1)), np.tile(y, times), X_target=X_target)
            lower, upper = model.prior_intervals_[1]
            found.append(lower <= 0.2 <= upper)
    assert np.mean(covered[2]) >= np.mean(covered[1]) - 0.1  # with copies in other folds 0.2 less


class TestKnownShares:
    def test_they_are_what_probabilities_are_corrected_for(self):
        X, y, X_target, y_target = simulate([0.5, 0.5], [0.9, 0.1])
        known = LabelShiftClassifier(priors=[0.9, 0.1]).fit(X, y, X_target=X_target)
        estimated = LabelShiftClassifier(n_bootstrap=0).fit(X, y, X_target=X_target)
        plain = known.source_view()
        assert known.target_priors_.tolist() == [0.9, 0.1]
        assert known.prior_intervals_.tolist() == [[0.9, 0.9], [0.1, 0.1]]
        proba = plain.predict_proba(X_target) * [0.9, 0.1] / plain.predict_proba(X).mean(axis=0)
        proba /= proba.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(known.predict_proba(X_target), proba, atol=0.01)
        assert known.score(X_target, y_target) > plain.score(X_target, y_target)
        assert known.score(X_target, y_target) == pytest.approx(estimated.score(X_target, y_target), abs=0.02)

    def test_they_need_no_target(self):
        X, y, X_target, y_target = simulate([0.5, 0.5], [0.9, 0.1])
        known = LabelShiftClassifier(priors=[0.9, 0.1]).fit(X, y)
        assert known.score(X_target, y_target) > known.source_view().score(X_target, y_target)

    @pytest.mark.parametrize("priors", [[0.5, 0.6], [1.0], [0.2, 0.3, 0.5]])
    def test_what_are_no_shares(self, priors):
        X, y, X_target, _ = simulate([0.5, 0.5], [0.9, 0.1], n=50)
        with pytest.raises(ValueError, match=r"Expected 2 numbers of at least 0 .* or None, to estimate"):
            LabelShiftClassifier(priors=priors).fit(X, y, X_target=X_target)


@pytest.mark.parametrize("classifier", [LabelShiftClassifier, SelfTrainingClassifier])
def test_a_step_that_learns_from_labels_belongs_inside(classifier):
    """Before the classifier it makes noise sure, and is warned of; inside, each fold fits it anew."""
    rng = np.random.default_rng(0)
    X, X_target, y = rng.normal(size=(150, 1000)), rng.normal(size=(150, 1000)), rng.integers(0, 2, 150)
    selection, logistic = SelectKBest(k=20), LogisticRegression(C=10)
    few = {"n_bootstrap": 0} if classifier is LabelShiftClassifier else {}
    before = make_transfer_pipeline(selection, classifier(logistic, **few))
    with pytest.warns(UserWarning, match=r"'selectkbest', which learns .* Put the step inside: "):
        before.fit(X, y, X_target=X_target)
    if classifier is LabelShiftClassifier:
        inside = classifier(make_pipeline(selection, logistic), **few).fit(X, y, X_target=X_target)
        assert before[-1].slope_ > 0.2
        assert inside.slope_ < 0.02  # scores that say nothing
