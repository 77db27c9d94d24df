"""Self-trained classifiers are as sure of the target as the source's classifier has reason to be."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from embtransfer import (
    CoTrainingClassifier,
    NGramVectorizer,
    SelfTrainingClassifier,
    compile_pipeline,
    explain,
    load_pipeline,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.classifiers._sureness import tempered
from embtransfer.datasets import load_demo_reviews

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")


def simulate(noise, n=600, n_columns=40, seed=0):
    """Labels of which the first columns know a little in the source, and less in the target."""
    rng = np.random.default_rng(seed)
    y, z = rng.integers(2, size=n), rng.integers(2, size=n)
    X, X_target = rng.normal(size=(n, n_columns)), rng.normal(size=(n, n_columns))
    X[:, :5] += 0.5 * y[:, None]
    X_target[:, :5] += (0.5 - noise) * z[:, None]
    return X, y, X_target[::2], X_target[1::2], z[1::2]


def too_sure(proba, y):
    return proba.max(axis=1).mean() - np.mean(proba.argmax(axis=1) == y)


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_a_classifier_that_learned_from_its_own_labels_is_less_sure_than_it_would_be(noise, seed):
    X, y, seen, unseen, z = simulate(noise, seed=seed)
    model = SelfTrainingClassifier().fit(X, y, X_target=seen)
    proba = model.predict_proba(unseen)
    before = too_sure(tempered(proba, 1 / model.target_temperature_), z)
    assert model.target_temperature_ > 1.5
    assert abs(too_sure(proba, z)) < before - 0.05


def test_recipe_words_is_as_often_right_as_it_is_sure_on_the_mean_of_both_ways_of_the_demo():
    gaps = []
    for source, target in ((FILMS, PANS), (PANS, FILMS)):
        for half in (0, 1):
            model = make_recipe("words").fit(source.data, source.target, X_target=target.data[1 - half :: 2])
            proba = model.predict_proba(target.data[half::2])
            gaps.append(too_sure(proba, np.array(target.target[half::2])))
    assert abs(np.mean(gaps)) < 0.03


def test_the_temperature_is_that_of_every_second_row_by_a_classifier_that_learned_from_the_others():
    X, y, seen, _, _ = simulate(0.1)
    inner = LogisticRegression(C=10.0, max_iter=1000)
    model = SelfTrainingClassifier(inner, n_rounds=1, share=1.0, min_confidence=0.0, priors="source")
    model.fit(X, y, X_target=seen)
    first = tempered(model.unadapted_estimator_.predict_proba(seen), model.temperature_)
    expected = first * model.priors_ / first.mean(axis=0)
    expected /= expected.sum(axis=1, keepdims=True)
    even = np.vstack([X, seen[::2]]), np.concatenate([y, _labels(model, seen)[::2]])
    said = LogisticRegression(C=10.0, max_iter=1000).fit(*even).predict_proba(seen[1::2])

    def loss(temperature):
        return -(expected[1::2] * np.log(tempered(said, temperature))).sum()

    found = model.target_temperature_
    assert 0.6 < found < 19
    assert loss(found) <= min(loss(found * factor) for factor in (0.98, 1.02))


def _labels(model, rows):
    """Guessed labels of one round under equal quotas."""
    proba = model.unadapted_estimator_.predict_proba(rows)
    matched = proba * (model.priors_ / proba.mean(axis=0))
    return model.classes_[matched.argmax(axis=1)]


def test_labels_stay_as_they_are():
    X, y, seen, unseen, _ = simulate(0.1)
    model = SelfTrainingClassifier().fit(X, y, X_target=seen)
    views = [("one", LogisticRegression()), ("two", LogisticRegression(C=0.1))]
    several = CoTrainingClassifier(views).fit(X, y, X_target=seen)
    assert several.target_temperature_ != 1
    mean = np.mean([view.predict_proba(unseen) for view in several.views_.values()], axis=0)
    np.testing.assert_array_equal(several.predict(unseen), mean.argmax(axis=1))
    for one in (model, several):
        np.testing.assert_array_equal(one.predict(unseen), one.predict_proba(unseen).argmax(axis=1))


def test_classifiers_that_have_no_log_odds_to_divide_stay_as_they_are():
    X, y, seen, _, _ = simulate(0.1)
    for inner in (GaussianNB(), make_pipeline(LogisticRegression())):
        assert SelfTrainingClassifier(inner).fit(X, y, X_target=seen).target_temperature_ == 1


def test_with_all_target_labels_known_nothing_is_left_to_judge_by():
    X, y, seen, _, _ = simulate(0.1)
    model = SelfTrainingClassifier().fit(X, y, X_target=seen, y_target=np.arange(len(seen)) % 2)
    assert model.target_temperature_ == 1


@pytest.fixture(scope="module")
def views():
    parts = [("one", NGramVectorizer(), 1.0), ("two", NGramVectorizer("binary"), 9.0)]
    made = [(name, make_transfer_pipeline(step, LogisticRegression(C=C))) for name, step, C in parts]
    return CoTrainingClassifier(made).fit(FILMS.data, FILMS.target, X_target=PANS.data)


def test_views_are_saved_with_it(views, tmp_path):
    save_pipeline(views, tmp_path / "model")
    found = load_pipeline(tmp_path / "model").predict_proba(PANS.data)
    np.testing.assert_array_equal(found, views.predict_proba(PANS.data))


def test_it_folds_with_the_views(views):
    assert views.target_temperature_ != 1
    found = compile_pipeline(views).predict_proba(PANS.data)
    np.testing.assert_allclose(found, views.predict_proba(PANS.data), atol=1e-5)


def test_an_explanation_has_the_same_probability(views):
    text = PANS.data[0]
    found = explain(views, text).probabilities
    assert found[views.predict([text])[0]] == pytest.approx(views.predict_proba([text]).max(), abs=1e-5)
