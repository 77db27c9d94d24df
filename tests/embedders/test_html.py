"""HTMLCleaner: texts without HTML, in all that a model reads."""

import html
import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from embtransfer import (
    CompiledPipeline,
    DomainCentering,
    HTMLCleaner,
    TransferSearch,
    WordEmbedder,
    compile_pipeline,
    explain,
    fit_files,
    load_pipeline,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
    score_file,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.embedders import NGrams
from embtransfer.folding._rows import CannotFold

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")


def dirtied(texts):
    """Texts as a web page has them."""
    return [f"<p class='x'>{html.escape(text).replace('. ', '.<br />')}</p>" for text in texts]


def by_hand(texts):
    return [html.unescape(re.sub("<[^<>]+>", " ", text)) for text in texts]


SOURCE, TARGET, Y = dirtied(FILMS.data[::2]), dirtied(PANS.data[::2]), FILMS.target[::2]
CLEAN_SOURCE, CLEAN_TARGET = by_hand(SOURCE), by_hand(TARGET)
DATA, CLEAN = (SOURCE, Y, TARGET), (CLEAN_SOURCE, Y, CLEAN_TARGET)


@pytest.fixture(scope="module")
def model():
    return make_recipe("words", clean="html").fit(*DATA)


@pytest.fixture(scope="module")
def expected():
    """The model of texts that were cleaned by hand."""
    return make_recipe("words").fit(*CLEAN)


def parts():
    return WordEmbedder(), DomainCentering(), make_classifier("ridge")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("one<br/>two<BR>three", "one two three"),
        ("<!DOCTYPE html><a href='x'>link</a>", "  link "),
        ("Don&#39;t &amp; won&#x27;t, &eacute;", "Don't & won't, é"),
        ("&amp;quot;escaped twice&amp;quot;&lt;br&gt;", '"escaped twice" '),
        ("a<!-- not <b> seen -->b<script src=x>if (a < b) c()</script >d<STYLE>p {}</style>e", "a b d e"),
        ("I <3 it, <user>: a <b, c> &nothing; AT&T; R&D; 1 < 2 & 3 > 2", None),
        ("<!-- no end <b>bold</b> <script> no end", "<!-- no end  bold    no end"),
    ],
)
def test_tags_go_and_entities_become_characters(text, clean):
    assert HTMLCleaner().transform([text]) == [text if clean is None else clean]


def test_texts_come_in_any_container_and_missing_ones_are_empty():
    given = ["<b>a", None, "b"]
    for texts in (given, tuple(given), pd.Series(given), np.array(given, object), pl.Series(given)):
        assert HTMLCleaner().transform(texts) == [" a", "", "b"]
    assert HTMLCleaner().transform(pa.array(given)).to_pylist() == [" a", "", "b"]
    assert HTMLCleaner().transform([]) == []
    with pytest.raises(TypeError, match="Expected a 1-D sequence of str"):
        HTMLCleaner().transform(np.ones(3))


def test_of_a_table_the_texts_are_cleaned():
    table = pd.DataFrame({"text": ["<b>a"], "vector": [[1.0, 2.0]], "number": [3]})
    clean = table.assign(text=[" a"])
    pd.testing.assert_frame_equal(HTMLCleaner().transform(table), clean)
    for other in (pl.from_pandas(table), pa.Table.from_pandas(table)):
        assert HTMLCleaner().transform(other).to_pydict() == clean.to_dict("list")


def test_a_model_is_that_of_texts_cleaned_by_hand(model, expected):
    np.testing.assert_array_equal(model.predict_proba(TARGET), expected.predict_proba(CLEAN_TARGET))
    np.testing.assert_array_equal(model.predict_source(SOURCE), expected.predict_source(CLEAN_SOURCE))
    assert (model.predict_proba(TARGET) != make_recipe("words").fit(*DATA).predict_proba(TARGET)).any()


def test_class_shares_are_told_by_the_words_of_clean_texts():
    found = make_transfer_pipeline(HTMLCleaner(), *parts()).fit(*DATA)
    expected = make_transfer_pipeline(*parts()).fit(*CLEAN)
    np.testing.assert_array_equal(found[2].priors_, expected[1].priors_)


def test_a_saved_model_and_a_compiled_one_clean_what_they_score(model, expected, tmp_path):
    expected = expected.predict_proba(CLEAN_TARGET)
    loaded = load_pipeline(save_pipeline(model, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(TARGET), expected)
    compiled = CompiledPipeline.load(compile_pipeline(loaded).save(tmp_path / "compiled"))
    pd.DataFrame({"text": TARGET}).to_csv(tmp_path / "target.csv", index=False)
    for one in (loaded, compiled, pickle.loads(pickle.dumps(compiled))):
        np.testing.assert_allclose(one.predict_proba(TARGET), expected, atol=1e-5)
        score_file(one, tmp_path / "target.csv", tmp_path / "scored.parquet", proba=True)
        scored = pd.read_parquet(tmp_path / "scored.parquet")
        np.testing.assert_allclose(scored["prediction_1"], expected[:, 1], atol=1e-5)
        assert scored["text"].tolist() == TARGET


def test_an_explanation_is_of_the_clean_text(model):
    found = explain(model, "<p>A lovely &amp; useful&nbsp;pan.<br></p>")
    assert found.text == " A lovely & useful\xa0pan.  "
    assert not {"br", "amp", "nbsp"} & {*found.table["word"], *found.unknown["word"]}
    assert found.constant + found.table["share"].sum() == pytest.approx(found.decision, abs=1e-5)


def test_a_search_is_that_of_texts_cleaned_by_hand():
    given = {"embedders": ["word_mean"], "adapters": ["none"], "classifiers": ["logistic"]}
    found = TransferSearch(**given, clean="html").fit(*DATA)
    expected = TransferSearch(**given).fit(*CLEAN)
    assert found.score_interval_ == expected.score_interval_
    assert isinstance(found.best_estimator_[0], HTMLCleaner)
    np.testing.assert_array_equal(found.predict_proba(TARGET), expected.predict_proba(CLEAN_TARGET))


def test_a_fit_from_files_cleans_as_one_in_memory(tmp_path):
    pd.DataFrame({"text": SOURCE, "label": Y}).to_csv(tmp_path / "source.csv", index=False)
    pd.DataFrame({"text": TARGET}).to_csv(tmp_path / "target.csv", index=False)
    found = make_transfer_pipeline(HTMLCleaner(), *parts())
    fit_files(found, tmp_path / "source.csv", tmp_path / "target.csv", batch_size=100)
    expected = make_transfer_pipeline(*parts()).fit(*CLEAN)
    np.testing.assert_allclose(
        found.decision_function(TARGET), expected.decision_function(CLEAN_TARGET), atol=1e-4
    )


def test_a_cleaner_within_a_view_does_not_fold(model):
    inner = make_transfer_pipeline(make_transfer_pipeline(HTMLCleaner(), WordEmbedder()), *parts()[1:])
    inner.fit(*DATA)
    with pytest.raises(CannotFold, match="it folds as the first step of the whole model alone"):
        compile_pipeline(inner)
    assert isinstance(model[1]._found, NGrams)  # the next step is the recipe's own


def test_other_ways_to_clean_and_recipes_of_vectors_are_refused():
    with pytest.raises(ValueError, match=r"Got clean 'xml'\. Expected one of: html"):
        make_recipe("words", clean="xml")
    with pytest.raises(ValueError, match="Got clean for the recipe 'vectors', which takes no texts"):
        make_recipe("vectors", clean="html")
