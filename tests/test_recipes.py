"""make_recipe: whole models, with a small embedder in the sentence model's place."""

from itertools import product

import numpy as np
import pandas as pd
import polars
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from embtransfer import (
    MultiLabelClassifier,
    Target,
    WordEmbedder,
    check_domains,
    compile_pipeline,
    evaluate,
    make_adapter,
    make_recipe,
    make_transfer_pipeline,
    source_scorer,
    suggest_labels,
    suspicious_labels,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.recipes import RECIPES, TAUGHT

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
TABLES = [name for name in RECIPES if name not in (*TAUGHT, "vectors", "columns")]  # take no teacher


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in ("vectors", "columns")])
def test_every_recipe_fits_and_predicts_better_than_chance(name):
    model = make_recipe(name, None if name in TABLES else WordEmbedder())
    model.fit(FILMS.data, FILMS.target, X_target=PANS.data)
    assert np.mean(model.predict(PANS.data) == PANS.target) > 0.6
    proba = model.predict_proba(PANS.data)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", [*TABLES, "sentences"])
def test_no_row_is_given_no_label_by_a_model_and_by_what_it_compiles_to(name):
    model = make_recipe(name, None if name in TABLES else WordEmbedder())
    model.fit(FILMS.data, FILMS.target, X_target=PANS.data)
    models = [model, compile_pipeline(model)] if name in TABLES else [model]
    for one, nothing in product(models, ([], np.array([], object), pd.Series([], dtype=object))):
        labels, proba = one.predict(nothing), one.predict_proba(nothing)
        assert (labels.shape, labels.dtype, proba.shape) == ((0,), FILMS.target.dtype, (0, 2))
    with pytest.raises(NotFittedError, match="not fitted"):
        clone(model).predict([])


@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame])
def test_no_vector_is_given_no_label(make):
    rows = np.random.default_rng(0).normal(size=(320, 3)) + FILMS.target[:, None]
    model = make_recipe("vectors").fit(make(rows), FILMS.target, X_target=make(rows + 1))
    assert model.predict(make(rows[:0])).shape == model.decision_function(make(rows[:0])).shape == (0,)
    lists = make_transfer_pipeline(make_adapter("none"), MultiLabelClassifier())
    lists.fit(make(rows), [["a"] if one else ["b", "c"] for one in FILMS.target])
    assert lists.predict(make(rows[:0])).shape == (0, 3)


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("word",), "word"),
        (("words", WordEmbedder()), "takes none"),
        (("columns", WordEmbedder()), "takes none"),
        (("columns",), "Expected a column of vectors, or a list of some"),
        (("columns", None, "text", ["v", "v"]), "each once"),
        (("columns", None, "v", "v"), "each once"),
        (("vectors", None, None, "v"), "Got text_column or vector_column for the recipe 'vectors'"),
    ],
)
def test_errors(arguments, message):
    named = dict(zip(("name", "teacher", "text_column", "vector_column"), arguments, strict=False))
    with pytest.raises(ValueError, match=message):
        make_recipe(**named)


def table(bunch, seed):
    """Texts beside vectors that say something of the label, and noise."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(len(bunch.data), 8)).astype(np.float32)
    rows[:, 0] += bunch.target
    return pd.DataFrame({"review": bunch.data, "v": list(rows), "noise": list(rng.normal(size=rows.shape))})


def test_columns_learns_from_texts_and_vectors_and_trusts_those_that_say_more():
    model = make_recipe("columns", text_column="review", vector_column=["v", "noise"])
    source, target = table(FILMS, 0), table(PANS, 1)
    model.fit(source, FILMS.target, X_target=target)
    assert np.mean(model.predict(target) == PANS.target) > 0.7
    assert list(model.views_) == ["words", "vectors1", "vectors2"]
    assert model.weights_["vectors2"] < 0.1 < min(model.weights_["words"], model.weights_["vectors1"])
    again = make_recipe("columns", text_column="review", vector_column=["v", "noise"])
    again.fit(polars.from_pandas(source), FILMS.target, X_target=polars.from_pandas(target))
    np.testing.assert_array_equal(again.predict_proba(target), model.predict_proba(target))


def test_columns_in_the_doors_of_labelling():
    source, target = table(FILMS, 0), table(PANS, 1)
    model = make_recipe("columns", text_column="review", vector_column="v")
    model.fit(source, FILMS.target, X_target=target)
    suggested = suggest_labels(model, target, 10)
    known = {row: PANS.target[row] for row in suggested["row"]}
    assert len(suggested) == 10
    found = evaluate(model, target, PANS.target)
    assert found.score == np.mean(model.predict(target) == PANS.target)
    y_target = [known.get(row) for row in range(len(target))]
    model.fit(source, FILMS.target, X_target=target, y_target=y_target)
    assert model.n_target_labels_ == 10
    assert len(suspicious_labels(model, source, FILMS.target))


def test_doors_of_texts_say_what_takes_tables():
    with pytest.raises(TypeError, match=r"a table of the columns review, v, noise.* the recipe 'columns'"):
        check_domains(table(FILMS, 0), FILMS.target, table(PANS, 1))
