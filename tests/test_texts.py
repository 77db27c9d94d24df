"""Texts and labels in other libraries' containers."""

from collections import UserList, deque

import numpy as np
import pandas as pd
import pytest

from embtransfer import (
    CoTrainingClassifier,
    LabelShiftClassifier,
    TransferSearch,
    WordEmbedder,
    make_recipe,
    make_transfer_pipeline,
    score_file,
)
from embtransfer.datasets import load_demo_reviews

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
TEXTS, Y, TARGET = list(FILMS.data[:40]), FILMS.target[:40], list(PANS.data[:40])


@pytest.mark.parametrize("kind", [UserList, deque])  # a column of datasets is such a Sequence
def test_any_sequence_of_str_is_taken(kind):
    rows = WordEmbedder().fit(kind(TEXTS)).transform(kind(TEXTS))
    np.testing.assert_array_equal(rows, WordEmbedder().fit_transform(TEXTS))


@pytest.mark.parametrize("given", [iter(TEXTS), set(TEXTS), dict.fromkeys(TEXTS).keys()])
def test_what_is_no_sequence_is_told_of_list(given):
    with pytest.raises(TypeError, match=r"Expected a 1-D sequence of str.* Pass list\(\.\.\.\) of it"):
        WordEmbedder().fit(given)


MODELS = {
    "pipeline": make_transfer_pipeline(WordEmbedder(), LabelShiftClassifier()),
    "recipe": make_recipe("words"),
    "co-training": CoTrainingClassifier([("words", make_recipe("words"))]),
    "search": TransferSearch({"words": WordEmbedder()}, ["none"], ["logistic"], [], cv=2),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("kind", ["Int64", "boolean", "int64[pyarrow]", "bool[pyarrow]"])
def test_labels_of_nullable_types_come_back_as_they_went_in(tmp_path, model, kind):
    y = pd.Series(Y).astype(bool).astype(kind)
    model.fit(TEXTS, y, X_target=TARGET)
    names = ["False", "True"] if "bool" in kind else ["0", "1"]
    assert model.classes_.tolist() == sorted(set(y.tolist()))
    assert list(map(str, model.classes_.tolist())) == names
    (tmp_path / "a.csv").write_text("text\ngood\n")
    score_file(model, tmp_path / "a.csv", tmp_path / "b.csv", proba=True)
    header = (tmp_path / "b.csv").read_text().split("\n")[0]
    assert header == ",".join(
        f'"{name}"' for name in ("text", "prediction", *(f"prediction_{n}" for n in names))
    )
