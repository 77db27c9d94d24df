"""Texts and labels in other libraries' containers."""

from collections import UserList, deque

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB

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
    "pipeline": make_transfer_pipeline(WordEmbedder(), LabelShiftClassifier(n_bootstrap=0)),
    "recipe": make_recipe("words"),
    "co-training": CoTrainingClassifier([("words", make_transfer_pipeline(WordEmbedder(), GaussianNB()))]),
    "search": TransferSearch({"words": WordEmbedder()}, ["none"], ["logistic"], [], cv=2),
}


KINDS = ["Int64", "boolean", "int64[pyarrow]", "bool[pyarrow]", "int objects", "bool objects"]
# every type by the quickest model, and every model by two types
PAIRS = [("search", kind) for kind in KINDS]
PAIRS += [(name, KINDS[i + more]) for i, name in enumerate(list(MODELS)[:3]) for more in (0, 1)]


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_labels_of_nullable_types_come_back_as_they_went_in(tmp_path, name, kind):
    model = MODELS[name]
    y = pd.Series(Y).astype(bool).astype(kind.removesuffix(" objects"))
    y = y.astype(object) if kind.endswith("objects") else y
    model.fit(TEXTS, y, X_target=TARGET)
    shown = ["False", "True"] if "bool" in kind else ["0", "1"]
    assert model.classes_.tolist() == sorted(set(y.tolist()))
    assert list(map(str, model.classes_.tolist())) == shown
    (tmp_path / "a.csv").write_text("text\ngood\n")
    score_file(model, tmp_path / "a.csv", tmp_path / "b.csv", proba=True)
    header = (tmp_path / "b.csv").read_text().split("\n")[0]
    assert header == ",".join(
        f'"{column}"' for column in ("text", "prediction", *(f"prediction_{n}" for n in shown))
    )
