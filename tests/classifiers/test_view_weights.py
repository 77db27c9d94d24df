"""How much each view of co-training counts, by what it says of held-out source rows."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from embtransfer import (
    CoTrainingClassifier,
    DomainCentering,
    WordEmbedder,
    compile_pipeline,
    make_classifier,
    make_transfer_pipeline,
    suggest_labels,
)
from embtransfer.classifiers._sureness import tempered
from embtransfer.classifiers._views import pool_weights, pooled
from embtransfer.datasets import load_demo_reviews
from embtransfer.labelling._views import see

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")


def views():
    words = make_transfer_pipeline(TfidfVectorizer(), LogisticRegression(C=10))
    vectors = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    return [("words", words), ("vectors", vectors)]


def held_out(y, strengths, seed=0):
    rng = np.random.default_rng(seed)
    logits = [s * (2 * y - 1) + rng.normal(size=len(y)) for s in strengths]
    return [np.stack([1 / (1 + np.exp(one)), 1 / (1 + np.exp(-one))], axis=1) for one in logits]


def test_of_two_classes_they_are_in_proportion_to_the_slopes_of_logistic_regression():
    y = np.arange(400) % 2
    probas = held_out(y, (0.5, 1.0, 0.2))
    logits = np.stack([np.log(proba[:, 1] / proba[:, 0]) for proba in probas], axis=1)
    slopes = LogisticRegression(C=1e8, fit_intercept=False, tol=1e-8).fit(logits, y).coef_[0]
    np.testing.assert_allclose(pool_weights(probas, y), slopes / slopes.sum(), rtol=1e-3)


def test_views_that_say_the_same_count_alike_and_noise_counts_little():
    y = np.arange(4000) % 2
    (good,), (noise,) = held_out(y, [1.0]), held_out(y, [0.0], seed=1)
    np.testing.assert_allclose(pool_weights([good, good], y), 0.5, rtol=1e-5)
    assert pool_weights([good, noise], y)[1] < 0.1
    against = good[:, ::-1]
    assert 0 < pool_weights([good, against], y)[1] < 0.01


def test_the_mean_of_views_is_a_weighted_one():
    model = CoTrainingClassifier(views(), weights="held_out")
    model.fit(FILMS.data, FILMS.target, X_target=PANS.data)
    assert sum(model.weights_.values()) == pytest.approx(1)
    assert len(set(model.weights_.values())) == 2
    parts = [model.weights_[name] * view.predict_proba(PANS.data) for name, view in model.views_.items()]
    wanted = tempered(sum(parts), model.target_temperature_)
    np.testing.assert_allclose(model.predict_proba(PANS.data), wanted, rtol=1e-6)
    np.testing.assert_allclose(see(model, PANS.data).proba, sum(parts), rtol=1e-6)
    assert len(suggest_labels(model, PANS.data, 5)) == 5
    compiled = compile_pipeline(model)
    np.testing.assert_allclose(compiled.predict_proba(PANS.data), wanted, atol=1e-4)
    np.testing.assert_array_equal(compiled.predict(PANS.data), model.predict(PANS.data))


def test_by_default_all_count_alike():
    model = CoTrainingClassifier(views()).fit(FILMS.data, FILMS.target, X_target=PANS.data)
    assert model.weights_ == {"words": 0.5, "vectors": 0.5}


def test_of_views_that_predict_alone_the_weights_stay_in_proportion():
    model = CoTrainingClassifier(views(), weights="held_out", predict_with=["vectors"])
    model.fit(FILMS.data, FILMS.target, X_target=PANS.data)
    found = tempered(model.views_["vectors"].predict_proba(PANS.data), model.target_temperature_)
    np.testing.assert_allclose(model.predict_proba(PANS.data), found, rtol=1e-6)


def test_without_rows_to_hold_out_all_count_alike():
    texts, y = ["good", "bad", "bad pan"], ["+", "-", "-"]
    model = CoTrainingClassifier(views(), weights="held_out", n_rounds=0).fit(texts, y)
    assert set(model.weights_.values()) == {0.5}


def test_equal_weights_are_the_mean_to_the_bit():
    probas = np.random.default_rng(0).random((3, 50, 2))
    np.testing.assert_array_equal(pooled(probas, [1 / 3] * 3), probas.mean(axis=0))
