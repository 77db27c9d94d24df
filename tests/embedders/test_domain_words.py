"""DomainWordEmbedder: its formula, its columns, what it refuses, and pipelines with it."""

import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.linear_model import SGDClassifier

from embtransfer import (
    DomainCentering,
    DomainWordEmbedder,
    NoAdaptation,
    WordEmbedder,
    WordVectors,
    check_domains,
    compile_pipeline,
    fit_files,
    load_pipeline,
    make_classifier,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.datasets import load_demo_reviews

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
TEXTS = [
    "red pan, red lid",
    "blue pan: blue lid",
    "red pot",
    "dull film",
    "dull plot, slow film",
    "slow plot",
]
FEW = WordVectors(["pan", "film", "unseen"], [[1.0, 0.0], [0.0, 2.0], [5.0, 5.0]])


def test_it_learns_the_same_where_transformers_give_frames():
    given = DomainWordEmbedder(FEW, n_components=2).fit(TEXTS).vectors_.matrix
    with config_context(transform_output="polars"):
        assert_array_equal(DomainWordEmbedder(FEW, n_components=2).fit(TEXTS).vectors_.matrix, given)


def learned(texts, **options):
    """The table less its pretrained columns, which are two."""
    table = DomainWordEmbedder(FEW, **options).fit(texts).vectors_
    return WordVectors(table.words, table.matrix[:, 2:], "learned")


def test_the_learned_columns_are_their_formula():
    table = learned(TEXTS, min_count=1)
    row_of = {word: row for row, word in enumerate(table.words)}
    near = np.zeros((len(row_of), len(row_of)))
    for text in TEXTS:
        ids = [row_of[word] for word in text.replace(",", "").replace(":", "").split()]
        for i, word in enumerate(ids):
            for j, context in enumerate(ids):
                near[word, context] += 0 if i == j else 1 / abs(i - j)
    share = near.sum(axis=0) ** 0.75 / (near.sum(axis=0) ** 0.75).sum()
    with np.errstate(divide="ignore"):
        information = np.log(near / near.sum(axis=1, keepdims=True) / share).clip(0)
    U, S, _ = np.linalg.svd(information)
    counts = np.array([" ".join(TEXTS).count(word) for word in table.words])
    weights = np.log1p(counts) / np.log1p(counts).sum()
    expected = U * np.sqrt(S)
    expected -= weights @ expected
    expected /= np.sqrt(weights @ (expected**2).sum(axis=1))
    assert_allclose(table.matrix @ table.matrix.T, expected @ expected.T, atol=1e-5)


def test_words_with_the_same_neighbours_are_alike():
    table = learned([*FILMS.data, *PANS.data])
    near = table[["pan", "knife", "film", "movie"]]
    pan, knife, film, movie = near / np.linalg.norm(near, axis=1, keepdims=True)
    assert pan @ knife > pan @ film
    assert film @ movie > pan @ movie


def test_pretrained_columns_come_first_and_are_zero_for_words_that_it_lacks():
    table = DomainWordEmbedder(FEW, min_count=1, n_components=3).fit(TEXTS).vectors_
    assert table.matrix.shape == (9, 5)
    given = dict(zip(table.words, table.matrix[:, :2], strict=True))
    known = {"pan", "film"}
    assert all(given[word].any() == (word in known) for word in table.words)
    assert "unseen" not in table
    assert_allclose(given["pan"] + given["film"], 0, atol=1e-6)  # both come twice: they lie about their mean
    assert_allclose(np.linalg.norm([given["pan"], given["film"]], axis=1), 1, rtol=1e-6)


def test_frequent_words_come_first_and_rare_ones_are_left_out():
    words = learned(TEXTS).words
    assert words == ["red", "blue", "dull", "film", "lid", "pan", "plot", "slow"]  # "pot" comes once


def test_capitals_stay_where_asked():
    texts = ["Apple phone", "apple pie", "Apple shop", "apple tart", "pie shop"]
    assert learned(texts).words == ["apple", "pie", "shop"]
    assert learned(texts, lowercase=False).words == ["Apple", "apple", "pie", "shop"]


def test_phrases_of_the_pretrained_table_are_learned_as_one():
    table = WordVectors(["pan", "red_pan", "film"], np.eye(3))
    embedder = DomainWordEmbedder(table, min_count=1, phrases=True).fit(TEXTS)
    assert {"red_pan", "blue", "pan"} <= set(embedder.vectors_.words)
    assert_array_equal(embedder.transform(["Red pan!"])[0], embedder.vectors_["red_pan"])


def test_tokens_are_what_is_asked():
    texts = ["好锅 😀", "好盖 😀", "坏锅"]
    assert learned(texts, token_pattern="characters").words == ["好", "锅", "😀"]
    assert learned(texts, token_pattern=str.split, min_count=1).words == ["😀", "坏锅", "好盖", "好锅"]


def test_a_misspelled_word_is_the_nearest_that_was_learned():
    embedder = DomainWordEmbedder(FEW, unknown="nearest").fit(TEXTS)
    assert_array_equal(embedder.transform(["fillm"]), embedder.transform(["film"]))
    assert not DomainWordEmbedder(FEW).fit(TEXTS).transform(["fillm"]).any()


def test_it_learns_from_the_texts_of_both_domains_alike():
    one = DomainWordEmbedder(random_state=3).fit(FILMS.data[:100], X_target=PANS.data[:100])
    other = DomainWordEmbedder(random_state=3).fit([*FILMS.data[:100], *PANS.data[:100]])
    assert one.vectors_.checksum == other.vectors_.checksum
    alone = DomainWordEmbedder(random_state=3).fit(FILMS.data[:100])
    assert len(alone.vectors_) < len(one.vectors_)


def test_rows_are_those_of_word_embedder_with_its_table():
    embedder = DomainWordEmbedder(pooling="sif").fit(FILMS.data, X_target=PANS.data)
    expected = WordEmbedder(embedder.vectors_, pooling="sif").fit([*FILMS.data, *PANS.data])
    assert_array_equal(embedder.transform(PANS.data), expected.transform(PANS.data))
    assert str(embedder.coverage(PANS.data)) == str(expected.coverage(PANS.data))


@pytest.mark.parametrize("container", [list, np.array, pa.array])
def test_containers_and_missing_texts(container):
    assert learned(container([*TEXTS, "", None])).checksum == learned(TEXTS).checksum


def test_a_pipeline_with_it_folds_and_is_saved(tmp_path):
    embedder = DomainWordEmbedder(n_components=20)
    pipeline = make_transfer_pipeline(embedder, DomainCentering(), make_classifier("logistic"))
    pipeline.fit(FILMS.data, FILMS.target, X_target=PANS.data)
    wanted = pipeline.predict(PANS.data)
    assert_array_equal(compile_pipeline(pipeline).predict(PANS.data), wanted)
    save_pipeline(pipeline, tmp_path / "model")
    assert_array_equal(load_pipeline(tmp_path / "model").predict(PANS.data), wanted)


@pytest.mark.parametrize(
    ("texts", "parameters", "message"),
    [
        (["a b", "c"], {}, r"Got 2 texts in which 0 words come min_count=2 times. Expected two such"),
        (["good pan"], {"min_count": 1, "n_components": 0}, "n_components"),
        ("good pan", {}, "Got a single str"),
        (TEXTS, {"vectors": 3}, "vectors"),
        (TEXTS, {"unknown": "subwords"}, "'unknown' .* 'subwords'"),
    ],
)
def test_what_it_refuses(texts, parameters, message):
    with pytest.raises((TypeError, ValueError), match=message):
        DomainWordEmbedder(**parameters).fit(texts)


def test_a_table_of_tokens_is_refused():
    tokens = WordVectors(["go", "##od"], np.eye(2), "tokens", tokenizer="{}")
    with pytest.raises(ValueError, match=r"Got the table tokens, whose rows .* Use StaticEmbedder"):
        DomainWordEmbedder(tokens).fit(TEXTS)


def test_the_check_of_the_data_looks_for_words_in_its_pretrained_table():
    found = check_domains(FILMS.data, FILMS.target, PANS.data, embedder=DomainWordEmbedder())
    expected = check_domains(FILMS.data, FILMS.target, PANS.data)
    assert str(found.coverage) == str(expected.coverage)


def test_it_does_not_learn_batch_by_batch(tmp_path):
    assert not hasattr(DomainWordEmbedder(), "partial_fit")
    (tmp_path / "films.csv").write_text("text,label\ngood film,1\nbad film,0\n")
    pipeline = make_transfer_pipeline(DomainWordEmbedder(), NoAdaptation(), SGDClassifier())
    with pytest.raises(TypeError, match=r"DomainWordEmbedder.*Use WordEmbedder"):
        fit_files(pipeline, tmp_path / "films.csv")
