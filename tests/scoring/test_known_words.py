"""Scoring looks at some rows of each block for words that the model knows."""

import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline

from embtransfer import (
    NGramVectorizer,
    WordEmbedder,
    compile_pipeline,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
    score_file,
)
from embtransfer.datasets import load_demo_reviews

FILMS = load_demo_reviews("films")
FOREIGN = ["Прекрасная сковорода", "Нож тупой, крышка треснула", "Очень доволен покупкой", ""]
MODELS = {
    "words": make_recipe("words"),
    "averaged": make_transfer_pipeline(WordEmbedder(pooling="sif"), make_classifier("logistic")),
    "scikit-learn's": make_pipeline(TfidfVectorizer(), LogisticRegression()),
    "two views": make_transfer_pipeline(
        FeatureUnion([("words", NGramVectorizer()), ("vectors", WordEmbedder())]), LogisticRegression()
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return MODELS[request.param].fit(FILMS.data, FILMS.target)


def counts(model, texts, folder, **options):
    pd.DataFrame({"text": texts}).to_csv(folder / "in.csv", index=False)
    report = score_file(model, folder / "in.csv", folder / "out.csv", **options)
    assert report.rows_written == len(texts)
    return report.rows_looked_at, report.rows_without_known_word


@pytest.mark.parametrize("compiled", [False, True])
def test_texts_without_a_known_word_are_counted_and_empty_ones_are_not(tmp_path, model, compiled):
    model = compile_pipeline(model) if compiled else model
    assert counts(model, FOREIGN, tmp_path) == (3, 3)
    assert counts(model, FILMS.data[:3] + FOREIGN, tmp_path) == (6, 3)
    assert counts(model, FILMS.data[:55], tmp_path) == (55, 0)


def test_fifty_rows_of_every_fourth_block_are_looked_at(tmp_path, model):
    assert counts(model, [*FOREIGN[:1] * 300, *FILMS.data[:300]], tmp_path) == (50, 25)
    assert counts(model, FOREIGN[:1] * 3000, tmp_path, block_size=10_000)[0] in range(150, 250)


@pytest.mark.parametrize("compiled", [False, True])
def test_html_holds_no_word(tmp_path, compiled):
    model = make_recipe("words", clean="html").fit(FILMS.data, FILMS.target)
    model = compile_pipeline(model) if compiled else model
    assert counts(model, ["<p>Нож</p>", "<b title='A good film'>Нож</b>"], tmp_path) == (2, 2)


class Length:
    """A model that says something of every text, as sentence models do."""

    classes_ = ["short", "long"]

    def predict(self, texts):
        return [self.classes_[len(str(text)) > 9] for text in texts]


def test_of_a_model_that_reads_all_texts_none_is_looked_at(tmp_path):
    assert counts(Length(), FOREIGN, tmp_path) == (0, 0)
