"""The model card: what README.md of a saved folder says, and that nothing needs or trusts it."""

import re

import numpy as np
import pytest

from embtransfer import (
    TransferSearch,
    WordEmbedder,
    class_shares,
    load_pipeline,
    make_classifier,
    make_recipe,
    make_regressor,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.datasets import load_demo_reviews

TEXTS, LABELS = ["a good pan", "a bad pan"] * 4, ["+", "-"] * 4


def fitted(labels=LABELS, classifier=None):
    return make_transfer_pipeline(WordEmbedder(), classifier or make_classifier("ridge")).fit(TEXTS, labels)


@pytest.fixture
def folder(tmp_path):
    return save_pipeline(fitted(), tmp_path / "model", about={"source": "pans.csv, 8 labelled texts"})


def card(folder):
    return (folder / "README.md").read_text("utf-8")


def test_it_says_what_the_model_is_and_was_trained_on(folder):
    said = card(folder)
    assert said.startswith("---\nlicense:\nlibrary_name: embtransfer\npipeline_tag: text-classification\n")
    assert "`WordEmbedder`, `RidgeClassifier`. It predicts 2 classes: +, -." in said
    assert "- source: pans.csv, 8 labelled texts\n" in said
    assert "Not known. Measure it on labelled texts" in said
    assert re.search(r"Made with embtransfer \S+, python 3\S+, numpy \d", said)


STEPS = "`WordEmbedder`, `DomainCentering`, `LogisticRegression`"


@pytest.mark.parametrize(
    ("scoring", "named", "steps"),
    [
        ("accuracy", "accuracy", STEPS),
        ("balanced_accuracy", r"balanced\_accuracy", f"{STEPS}, `FixedThresholdClassifier`"),
    ],
)
def test_of_a_search_it_says_the_expected_score_and_the_shares(tmp_path, scoring, named, steps):
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    search = TransferSearch(["word_mean"], ["centering"], ["logistic"], recipes=[], scoring=scoring)
    search.fit(films.data, films.target, X_target=pans.data)
    said = card(save_pipeline(search, tmp_path / "model"))
    assert f"by embtransfer: {steps}. It predicts" in said
    low, high = search.score_interval_
    assert (
        f"Expected {named} on the target, estimated when it was chosen: {search.expected_score_:.2f}" in said
    )
    assert f"({low:.2f} to {high:.2f})" in said
    assert re.search(r"- class shares: 0: 50 % in the source, \d+ % .* in the target", said)
    assert class_shares(load_pipeline(tmp_path / "model")).attrs["step"] == "DomainCentering"


def test_the_code_of_the_card_runs(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", card(folder), re.DOTALL)[1].replace("FOLDER", str(folder))
    names = {}
    exec(code, names)
    assert names["model"].predict(TEXTS).tolist() == LABELS


def test_of_numbers_and_of_vectors_it_says_so(tmp_path):
    numbers = save_pipeline(fitted(np.arange(8.0), make_regressor("ridge")), tmp_path / "numbers")
    assert "It predicts numbers." in card(numbers)
    rows = np.random.default_rng(0).random((8, 3))
    vectors = make_recipe("vectors").fit(rows, LABELS, X_target=rows)
    said = card(save_pipeline(vectors, tmp_path / "vectors"))
    assert "rows of 3 numbers" in said
    assert "model.predict(X)" in said
    assert "pipeline_tag: tabular-classification" in said


def test_what_comes_with_data_is_no_markup(tmp_path):
    labels = ["<b>", "](javascript:x)"] * 4
    said = card(save_pipeline(fitted(labels), tmp_path / "model", about={"source": "a\n# b <i>"}))
    assert "classes: \\<b\\>, \\](javascript:x)." in said
    assert "- source: a \\# b \\<i\\>\n" in said


@pytest.mark.parametrize("change", [None, b"", b"\xff\x00", b"---\nlicense: [\n"])
def test_a_model_loads_whatever_becomes_of_its_card(folder, change):
    file = folder / "README.md"
    file.unlink() if change is None else file.write_bytes(change)
    assert load_pipeline(folder).predict(TEXTS).tolist() == LABELS


def test_the_licence_stays_where_a_model_is_replaced(folder):
    filled_in = card(folder).replace("license:\n", "license: cc-by-4.0\n")
    (folder / "README.md").write_text(filled_in, "utf-8")
    save_pipeline(fitted(LABELS, make_classifier("lda")), folder, overwrite=True)
    assert card(folder).startswith("---\nlicense: cc-by-4.0\n")
    assert "LinearDiscriminantAnalysis" in card(folder)


def test_a_readme_of_the_user_stays(folder):
    (folder / "README.md").write_text("my notes", "utf-8")
    with pytest.raises(FileExistsError, match="It holds other files beside the model: it stays"):
        save_pipeline(fitted(), folder, overwrite=True)
    assert card(folder) == "my notes"


def test_the_same_model_has_the_same_card(folder, tmp_path):
    again = save_pipeline(fitted(), tmp_path / "again", about={"source": "pans.csv, 8 labelled texts"})
    assert card(again) == card(folder)
