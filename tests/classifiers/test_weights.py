"""sample_weight in all classifiers, class_weight in the one that fits a loss of its own."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

import embtransfer
from embtransfer import (
    CoTrainingClassifier,
    NaiveBayesLogisticRegression,
    NoAdaptation,
    Target,
    TransferPipeline,
    source_scorer,
)

EXACT = LogisticRegression(C=10.0, solver="newton-cholesky", tol=1e-10)
WRAPPERS = [
    embtransfer.SelfTrainingClassifier(EXACT),
    embtransfer.ImportanceWeightedClassifier(EXACT),
    embtransfer.LabelShiftClassifier(EXACT, n_bootstrap=0),
    embtransfer.PooledClassifier(EXACT),
    embtransfer.FeatureAugmentationClassifier(EXACT),
    CoTrainingClassifier([("view", EXACT)]),
]
OWN = [embtransfer.CORALClassifier(tol=1e-9), NaiveBayesLogisticRegression()]
every_classifier = pytest.mark.parametrize("model", [*WRAPPERS, *OWN], ids=lambda one: type(one).__name__)
every_wrapper = pytest.mark.parametrize("model", WRAPPERS, ids=lambda one: type(one).__name__)


def make_rows(n=90, seed=0, n_classes=3):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    return rng.poisson(1 + np.eye(6)[y]).astype(float), y


def target_for(model):
    own = isinstance(model, NaiveBayesLogisticRegression)
    return {} if own else {"X_target": make_rows(seed=1)[0]}


@every_classifier
def test_equal_weights_are_no_weights(model):
    X, y = make_rows()
    plain = model.fit(X, y, **target_for(model)).predict_proba(X)
    weighted = model.fit(X, y, sample_weight=np.ones(len(y)), **target_for(model)).predict_proba(X)
    np.testing.assert_allclose(weighted, plain, atol=1e-6)


@every_classifier
def test_weights_say_which_labels_count(model):
    if isinstance(model, embtransfer.LabelShiftClassifier):
        model = clone(model).set_params(calibration=None)  # which counts rows
    X, y = make_rows(n_classes=2)
    X, y, weights = np.vstack([X, X]), np.append(y, 1 - y), np.repeat([1.0, 1e-3], len(y))
    model.fit(X, y, sample_weight=weights, **target_for(model))
    assert model.score(X[:90], y[:90]) > 0.6
    model.fit(X, y, sample_weight=weights[::-1], **target_for(model))
    assert model.score(X[90:], y[90:]) > 0.6


@pytest.mark.parametrize("model", OWN, ids=lambda one: type(one).__name__)
def test_a_row_of_weight_2_counts_as_two_rows(model):
    X, y = make_rows()
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = model.fit(X, y, sample_weight=weights).predict_proba(X)
    repeated = model.fit(X.repeat(weights, axis=0), y.repeat(weights)).predict_proba(X)
    np.testing.assert_allclose(weighted, repeated, atol=2e-3)


def test_target_rows_of_self_training_weigh_as_the_mean_source_row():
    X, y = make_rows()
    weights = np.linspace(1, 3, len(y))
    seen = []

    class Recording(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            seen.append(sample_weight)
            return super().fit(X, y, sample_weight)

    embtransfer.SelfTrainingClassifier(Recording(), priors="source").fit(
        X, y, X_target=make_rows(seed=1)[0], sample_weight=weights
    )
    # each row is learned from in four of five folds, with its own weight
    np.testing.assert_array_equal(np.sort(np.concatenate(seen[1:6])), np.repeat(weights, 4))
    for some in (seen[0], *seen[6:]):
        np.testing.assert_array_equal(some[:90], weights)
        np.testing.assert_allclose(some[90:], 2.0)
    assert len(seen[-1]) > 90


def test_labelled_target_rows_weigh_relative_to_the_mean_source_row():
    X, y = make_rows()
    target, labels = make_rows(30, seed=1)
    model = embtransfer.PooledClassifier(EXACT, target_weight=2.0)
    plain = model.fit(X, y, X_target=target, y_target=labels).predict_proba(X)
    model.set_params(estimator=LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-10))
    tenfold = model.fit(X, y, X_target=target, y_target=labels, sample_weight=np.full(90, 10.0))
    np.testing.assert_allclose(tenfold.predict_proba(X), plain, atol=1e-6)


@every_wrapper
def test_a_classifier_without_weights_is_refused(model):
    X, y = make_rows()
    inner = "view" if isinstance(model, CoTrainingClassifier) else "estimator"
    with pytest.raises(ValueError, match=r"KNeighborsClassifier, whose fit takes no"):
        clone(model).set_params(**{inner: KNeighborsClassifier()}).fit(X, y, sample_weight=np.ones(len(y)))


@every_classifier
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (-np.ones(90), "Negative values"),
        (np.ones(89), "expected"),
        (np.arange(90) % 3 == 1, r"zero on all rows but those of the classes \[1\]"),
    ],
)
def test_weights_that_cannot_be_meant_are_refused(model, weights, message):
    X, y = make_rows()
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("model", [*WRAPPERS[:-1], *OWN], ids=lambda one: type(one).__name__)
def test_weights_reach_the_last_step_of_a_pipeline(model):
    X, y = make_rows()
    target, weights = make_rows(seed=1)[0], np.linspace(1, 3, len(y))
    pipeline = TransferPipeline([("adapter", NoAdaptation()), ("classifier", model)])
    fitted = pipeline.fit(X, y, X_target=target, classifier__sample_weight=weights)
    found = fitted.predict_proba(target)
    alone = clone(model).fit(X, y, sample_weight=weights, **target_for(model))
    np.testing.assert_array_equal(found, alone.predict_proba(target))
    assert not np.array_equal(found, pipeline.fit(X, y, X_target=target).predict_proba(target))


def test_equal_weights_of_a_step_are_no_weights():
    X, y = make_rows()
    target = make_rows(seed=1)[0]
    model = embtransfer.SelfTrainingClassifier(LogisticRegression())
    pipeline = TransferPipeline([("adapter", NoAdaptation()), ("classifier", model)])
    found = pipeline.fit(X, y, X_target=target, classifier__sample_weight=np.ones(len(y))).predict_proba(
        target
    )
    np.testing.assert_array_equal(found, pipeline.fit(X, y, X_target=target).predict_proba(target))


def test_cross_validation_cuts_the_weights_with_the_rows():
    X, y = make_rows()
    pipeline = TransferPipeline([("adapter", NoAdaptation()), ("classifier", embtransfer.PooledClassifier())])
    params = {"X_target": Target(make_rows(seed=1)[0]), "classifier__sample_weight": np.ones(len(y))}
    scores = cross_val_score(pipeline, X, y, params=params, scoring=source_scorer("accuracy"), cv=3)
    del params["classifier__sample_weight"]
    plain = cross_val_score(pipeline, X, y, params=params, scoring=source_scorer("accuracy"), cv=3)
    np.testing.assert_array_equal(scores, plain)


class TestClassWeight:
    def make_rare(self, n_classes=2):
        X, y = make_rows(400, n_classes=n_classes)
        kept = (y != 1) | (np.arange(400) % 16 == 1)
        return X[kept], y[kept]

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_balanced_finds_the_rare_class(self, n_classes):
        X, y = self.make_rare(n_classes)
        plain, balanced = (
            NaiveBayesLogisticRegression(C=1.0, class_weight=how).fit(X, y).predict(X)
            for how in (None, "balanced")
        )
        recalls = [recall_score(y, found, labels=[1], average="macro") for found in (plain, balanced)]
        assert recalls[1] > recalls[0] + 0.2

    def test_a_dict_is_the_weight_of_each_label(self):
        X, y = self.make_rare()
        shares = np.bincount(y) / len(y)
        balanced = NaiveBayesLogisticRegression(class_weight="balanced").fit(X, y)
        given = NaiveBayesLogisticRegression(class_weight=dict(enumerate(0.5 / shares))).fit(X, y)
        np.testing.assert_allclose(given.coef_, balanced.coef_, atol=1e-6)

    def test_balanced_counts_weighted_rows(self):
        X, y = self.make_rare()
        weights = np.random.default_rng(0).integers(0, 4, len(y))
        model = NaiveBayesLogisticRegression(class_weight="balanced")
        weighted = model.fit(X, y, sample_weight=weights).predict_proba(X)
        repeated = model.fit(X.repeat(weights, axis=0), y.repeat(weights)).predict_proba(X)
        np.testing.assert_allclose(weighted, repeated, atol=2e-3)

    def test_the_words_weights_do_not_hang_on_it(self):
        X, y = self.make_rare()
        plain, balanced = (
            NaiveBayesLogisticRegression(class_weight=how).fit(X, y) for how in (None, "balanced")
        )
        np.testing.assert_array_equal(plain.weights_, balanced.weights_)
