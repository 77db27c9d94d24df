"""Rows that are vectors already, through every door."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pyarrow.parquet as pq
import pytest
from scipy import sparse
from sklearn.decomposition import PCA

from embtransfer import (
    TransferSearch,
    VectorEmbedder,
    WordEmbedder,
    compare,
    domain_shift,
    estimate_score,
    learning_curve,
    load_pipeline,
    make_recipe,
    make_report,
    save_pipeline,
    suggest_labels,
)

RNG = np.random.default_rng(0)
Y, Y_TARGET = np.arange(120) % 2, np.arange(100) % 2
SOURCE, TARGET = (RNG.normal(size=(len(y), 6)).astype(np.float32) for y in (Y, Y_TARGET))
SOURCE[:, 0] += 3 * Y
TARGET[:, 0] += 3 * Y_TARGET
TARGET += 1  # the shift
E5 = Path(os.environ.get("EMBTRANSFER_DATA", "nowhere"), "e5_amazon.parquet")
of_e5 = pytest.mark.skipif(not E5.is_file(), reason="EMBTRANSFER_DATA has no e5_amazon.parquet")
FEW = {"adapters": ["none", "centering"], "classifiers": ["logistic"], "recipes": []}
CONTAINERS = [pd.DataFrame, polars.DataFrame, sparse.csr_matrix]


def test_compare_has_the_vectors_in_the_place_of_embedders_and_tfidf():
    table = compare(SOURCE, Y, TARGET, Y_TARGET)
    assert table["embedder"].tolist() == ["-", "vectors", "vectors", "vectors", "vectors", "recipe"]
    assert table["adapter"].tolist() == ["none", "none", "centering", "coral", "subspace", "-"]
    assert set(table["error"]) == {""}
    assert table["gain"][2] > 0.05


def test_compare_always_has_the_vectors_unadapted():
    assert compare(SOURCE, Y, TARGET, Y_TARGET, adapters=["coral"])["adapter"].tolist()[1] == "none"


def test_compare_says_which_need_texts():
    with pytest.warns(
        UserWarning, match=r"Left out, since they need texts and the rows are vectors: mine, words\."
    ):
        table = compare(SOURCE, Y, TARGET, embedders={"mine": WordEmbedder(), "pca": PCA(2)}, recipes="words")
    assert set(table["embedder"]) == {"-", "vectors", "pca", "recipe"}


@pytest.fixture(scope="module")
def of_an_array():
    return compare(SOURCE, Y, TARGET, Y_TARGET, adapters=["none"])


@pytest.mark.parametrize("container", CONTAINERS)
def test_compare_takes_any_matrix(container, of_an_array):
    table = compare(container(SOURCE), Y, container(TARGET), Y_TARGET, adapters=["none"])
    expected, columns = of_an_array, ["source_cv", "target_score"]
    if container is sparse.csr_matrix:  # the recipe takes a mean off them
        assert "Sparse data was passed for X, but dense data is required" in table["error"].iloc[-1]
        table, expected = table[:-1], expected[:-1]
    np.testing.assert_allclose(table[columns], expected[columns], atol=0.02)


def test_texts_given_to_what_takes_vectors_are_an_error_of_its_row():
    texts = [f"{word} film {i}" for i in range(20) for word in ("good", "bad")]
    table = compare(texts, [1, 0] * 20, [f"{text} again" for text in texts], embedders="vectors")
    assert all(
        "Got texts. Expected vectors" in error for error in table.loc[table["embedder"] == "vectors", "error"]
    )


def test_a_search_chooses_among_models_of_vectors_and_predicts_on_vectors():
    search = TransferSearch(**{**FEW, "recipes": ["vectors"]}).fit(SOURCE, Y, X_target=TARGET)
    assert set(search.results_["embedder"]) == {"vectors", "recipe"}
    assert np.mean(search.predict(TARGET) == Y_TARGET) > 0.85
    np.testing.assert_array_equal(search.predict(pd.DataFrame(TARGET)), search.predict(TARGET))
    assert search.best_estimator_.predict_proba(TARGET).shape == (100, 2)
    with pytest.raises(ValueError, match="expecting 6"):
        search.predict(TARGET[:, :5])


@pytest.mark.parametrize("table", [pd.DataFrame, polars.DataFrame])
@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
def test_a_search_refuses_columns_in_another_order_as_a_pipeline_does(table, scoring):
    source, target = (table(dict(zip("abcdef", X.T, strict=True))) for X in (SOURCE, TARGET))
    search = TransferSearch(**FEW, scoring=scoring).fit(source, Y, X_target=target)
    pipeline = make_recipe("vectors").fit(source, Y, X_target=target)
    for model in (search, search.best_estimator_, pipeline):
        assert np.mean(model.predict(target) == Y_TARGET) > 0.85
        with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
            model.predict(target[[*"fedcba"]])


def test_a_search_says_which_need_texts():
    search = TransferSearch(["word_mean"], ["none"], ["logistic"], ["words", "vectors"])
    search.fit(SOURCE, Y, X_target=TARGET)
    assert "Left out, since they need texts and the rows are vectors: word_mean, words." in search.reason_


def test_a_search_of_sparse_vectors_with_negative_numbers():
    search = TransferSearch(adapters=["none"], min_rows=60)
    search.fit(sparse.csr_matrix(SOURCE), Y, X_target=sparse.csr_matrix(TARGET))
    assert np.mean(search.predict(sparse.csr_matrix(TARGET)) == Y_TARGET) > 0.8


def test_equal_vectors_are_counted_and_not_scored():
    source, target = np.vstack([SOURCE, SOURCE[:3]]), np.vstack([TARGET, SOURCE[:2]])
    with pytest.warns(UserWarning, match="repeat another|stand in the source") as warned:
        table = compare(source, [*Y, *Y[:3]], target, [*Y_TARGET, *Y[:2]], adapters="none", transductive=True)
    assert "3 of 123 source vectors repeat another. Folds keep them together." in str(warned[0].message)
    assert table.attrs == table.attrs | {"source_texts_repeated": 3, "target_texts_left_out": 2}


def test_curves_of_vectors():
    curve = learning_curve(SOURCE, Y, TARGET, Y_TARGET, source_sizes=[16], target_sizes=[0, 16], n_repeats=1)
    assert curve["model"].unique().tolist() == ["centering", "vectors"]
    assert set(curve["error"]) == {""}
    with pytest.warns(UserWarning, match="rows are vectors: tfidf"):
        curve = learning_curve(SOURCE, Y, TARGET, Y_TARGET, models="tfidf", source_sizes=[16], n_repeats=1)
    assert curve["model"].unique().tolist() == ["vectors"]


def test_a_report_of_vectors_leaves_words_out():
    table = compare(SOURCE, Y, TARGET, Y_TARGET, adapters="none", recipes=[])
    report = make_report(SOURCE, Y, TARGET, Y_TARGET, table=table)
    assert {"words", "coverage"} <= set(report.left_out)
    assert "120 labelled source vectors, 50 target vectors seen" in report.to_markdown()
    assert isinstance(report.model[0], VectorEmbedder)


@pytest.mark.parametrize("container", [np.array, *CONTAINERS])
def test_shift_suggestions_and_scores_of_any_matrix(container):
    source, target = container(SOURCE), container(TARGET)
    assert domain_shift(source, target)["proxy_a_distance"] > 0.5
    model = TransferSearch(**FEW).fit(source, Y, X_target=target)
    rows = suggest_labels(model, target, 20, method="random")["row"]
    assert estimate_score(model, target, {row: Y_TARGET[row] for row in rows}).score > 0.7


@pytest.mark.parametrize(
    "door", [compare, make_report, learning_curve, TransferSearch().fit], ids=lambda door: door.__name__
)
def test_every_door_refuses_what_is_wrong_in_the_same_words(door):
    with pytest.raises(TypeError, match="Got source vectors and target texts"):
        door(SOURCE, Y, ["a text"] * 100)
    with pytest.raises(ValueError, match="Got target rows with NaN or infinity, the first in row 0"):
        door(SOURCE, Y, np.full_like(TARGET, np.nan))
    with pytest.raises(ValueError, match="vectors of 6 columns and target vectors of 2"):
        door(SOURCE, Y, TARGET[:, :2])


def test_a_saved_model_of_vectors_says_how_many_columns_it_wants(tmp_path):
    save_pipeline(make_recipe("vectors").fit(SOURCE, Y, X_target=TARGET), tmp_path / "model")
    model = load_pipeline(tmp_path / "model")
    assert model.n_features_in_ == 6
    assert np.mean(model.predict(TARGET) == Y_TARGET) > 0.85
    with pytest.raises(TypeError, match="Expected vectors of 6 columns"):
        model.predict(["a text"])


@of_e5
def test_on_real_vectors_the_choice_is_about_the_best():
    table = pq.read_table(E5, columns=["domain", "label", "vector"])
    domain, y = (np.array(table[name].to_pylist()) for name in ("domain", "label"))
    vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(len(y), -1).astype(np.float32)
    books, kitchen = np.flatnonzero(domain == "books")[::4], np.flatnonzero(domain == "kitchen")
    seen, unseen = kitchen[::2], kitchen[1::2]
    search = TransferSearch(adapters=["none", "centering"], max_rows=250)
    search.fit(vectors[books], y[books], X_target=vectors[seen])
    assert np.mean(search.predict(vectors[unseen]) == y[unseen]) > 0.9
