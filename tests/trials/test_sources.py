"""Several sources in compare and TransferSearch: pooled, each mapped by itself, and each alone."""

import warnings

import numpy as np
import pytest

from embtransfer import TransferSearch, compare, make_transfer_pipeline
from embtransfer.adapters import DomainCentering
from embtransfer.classifiers import make_classifier
from embtransfer.embedders import VectorEmbedder

RNG = np.random.default_rng(0)
DOMAIN = np.repeat(["books", "dvd"], 60)
Y = np.tile([0, 1], 60)
X = RNG.normal(size=(120, 3)) + 2 * Y[:, None] + 9 * (DOMAIN == "dvd")[:, None]
Y_TARGET = np.tile([0, 1], 60)
TARGET = RNG.normal(size=(120, 3)) + 2 * Y_TARGET[:, None] - 20
DATA = X, Y, TARGET, Y_TARGET
FEW = {"adapters": ["none", "centering"], "cv": 3}


@pytest.fixture(scope="module")
def table():
    return compare(*DATA, domain=DOMAIN, **FEW)


def test_rows_say_which_sources_they_learn_from(table):
    rows = table[["embedder", "adapter", "sources"]].to_numpy().tolist()
    assert rows == [
        ["-", "none", "pooled"],
        ["vectors", "none", "pooled"],
        ["vectors", "centering", "each mapped"],
        ["vectors", "centering", "pooled"],
        ["vectors", "none", "books"],
        ["vectors", "none", "dvd"],
        ["recipe", "-", "pooled"],
    ]
    assert (table["error"] == "").all()


def test_mapping_each_helps_where_they_lie_apart(table):
    score = table.set_index(["embedder", "adapter", "sources"])["target_score"]
    assert score["vectors", "centering", "each mapped"] > score["vectors", "centering", "pooled"] + 0.05
    held_out = table.set_index(["embedder", "adapter", "sources"])["source_cv"]
    assert held_out["vectors", "centering", "each mapped"] > 0.9


def test_pooled_rows_are_those_without_names(table):
    without = compare(*DATA, **FEW)
    assert "sources" not in without
    pooled = table[table["sources"] == "pooled"]
    np.testing.assert_array_equal(pooled["target_score"], without["target_score"])
    np.testing.assert_array_equal(pooled["source_cv"], without["source_cv"])


def test_a_source_alone_is_that_source_by_itself(table):
    dvds = DOMAIN == "dvd"
    alone = compare(X[dvds], Y[dvds], TARGET, Y_TARGET, **FEW)
    row = table[table["sources"] == "dvd"].iloc[0]
    assert row["target_score"] == alone["target_score"][1]
    assert row["source_cv"] == alone["source_cv"][1]


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc", "f1:1"])
def test_scores_of_probabilities_and_of_a_class_are_of_all_held_out_rows(scoring):
    table = compare(*DATA, domain=DOMAIN, scoring=scoring, **FEW)
    assert (table["error"] == "").all()
    assert table["source_cv"].notna().all()


def test_a_source_that_is_too_small_is_a_row_with_its_error():
    names = np.where(np.arange(120) < 2, "few", DOMAIN)
    table = compare(*DATA, domain=names, **FEW)
    error = table[table["sources"] == "few"]["error"].iloc[0]
    assert "the smallest with 1 vectors" in error


def test_texts_have_tfidf_of_each_source_alone():
    texts = [
        f"{'good' if label else 'bad'} {name} {i}"
        for i, (label, name) in enumerate(zip(Y, DOMAIN, strict=True))
    ]
    target = [f"{'good' if label else 'bad'} pan {i}" for i, label in enumerate(Y_TARGET)]
    table = compare(texts, Y, target, Y_TARGET, domain=DOMAIN, adapters=["none"], recipes=[], cv=3)
    assert table["sources"].tolist() == ["pooled"] * 4 + ["books", "dvd"]
    assert table["embedder"].tolist() == ["-", "tfidf", "tfidf", "word_mean", "tfidf", "tfidf"]


def test_a_search_fits_its_choice_on_named_sources():
    search = TransferSearch(adapters=["none", "centering"], classifiers=["logistic"], recipes=[], guard=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, Y, TARGET, domain=DOMAIN)
    accuracy = search.results_.set_index("adapter")["source_accuracy"]
    assert accuracy["centering"].max() > 0.9  # held-out rows go through the map of their source
    by_hand = make_transfer_pipeline(VectorEmbedder(), DomainCentering(), make_classifier("logistic"))
    by_hand.fit(X, Y, X_target=TARGET, domain=DOMAIN)
    if search.best_name_ == "vectors + centering + logistic":
        assert list(search.best_estimator_[1].source_maps_) == ["books", "dvd"]


def test_names_that_are_not_as_many_as_rows_are_refused():
    with pytest.raises(ValueError, match=r"Got 120 rows and domains of shape \(119,\)"):
        compare(*DATA, domain=DOMAIN[1:])
