"""Several labels a text, and numbers, in comparisons."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from embtransfer import MultiLabelClassifier, TransferSearch, compare, learning_curve, make_classifier
from embtransfer.datasets import load_demo_reviews
from embtransfer.embedders import make_embedder

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
X, X_TARGET = FILMS.data[:80], PANS.data[:60]


def tags(texts):
    found = [[word for word in ("and", "the") if f" {word} " in text] for text in texts]
    return [[], *found[1:]]  # the first text has none: it is no less a text of several labels


Y, Y_TARGET = tags(X), tags(X_TARGET)
MATRICES = [MultiLabelBinarizer(classes=["and", "the"]).fit_transform(y) for y in (Y, Y_TARGET)]
STARS, TARGET_STARS = ([len(text) / 50 for text in texts] for texts in (X, X_TARGET))
QUICK = {"adapters": ["none"], "cv": 2, "transductive": True}


def scores(y, y_target, **options):
    table = compare(X, y, X_TARGET, y_target, **{**QUICK, **options})
    assert set(table["error"]) == {""}
    return table.set_index("classifier")["target_score"]


def test_several_labels_in_all_forms_score_the_same():
    frames = [pd.DataFrame(matrix, columns=["and", "the"]) for matrix in MATRICES]
    options = {"scoring": "f1_macro", "classifiers": ["ridge"], "recipes": []}
    lists = scores(Y, Y_TARGET, **options)
    for form in (MATRICES, frames, [sparse.csr_array(MATRICES[0]), MATRICES[1]]):
        pd.testing.assert_series_equal(scores(*form, **options), lists)
    assert lists.index.tolist() == ["majority", "logistic", "logistic", "ridge"]
    embedder = make_embedder("word_mean").fit(X)
    model = MultiLabelClassifier(make_classifier("ridge")).fit(embedder.transform(X), Y)
    by_hand = f1_score(MATRICES[1], model.predict(embedder.transform(X_TARGET)), average="macro")
    assert lists["ridge"] == by_hand


def test_recipes_learn_each_label():
    assert scores(Y, Y_TARGET, scoring="f1_micro")["words"] > 0.8


def test_target_texts_whose_labels_are_not_known_are_not_scored():
    some = [None] * 20 + Y_TARGET[20:]
    matrix = MATRICES[1].astype(float)
    matrix[:20] = np.nan
    options = {"classifiers": ["ridge"], "recipes": []}
    expected = compare(X, Y, X_TARGET[20:], Y_TARGET[20:], **options, **QUICK)["target_score"]
    for y, y_target in ((Y, some), (MATRICES[0], matrix)):
        got = compare(X, y, X_TARGET, y_target, **options, **QUICK)["target_score"]
        np.testing.assert_array_equal(got[[0, 3]], expected[[0, 3]])


def test_target_labels_that_the_source_lacks_are_told():
    with pytest.warns(UserWarning, match=r"1 target labels that no source text has: new\. No model"):
        compare(X, Y, X_TARGET, [["new"], *Y_TARGET[1:]], recipes=[], **QUICK)


def test_numbers():
    found = scores(STARS, TARGET_STARS, scoring="r2")
    assert found.index.tolist() == ["mean", "ridge", "ridge", "ridge"]
    errors = scores(np.array(STARS), [*TARGET_STARS[:30], *[None] * 30], scoring="neg_mean_absolute_error")
    assert (errors < 0).all()
    mean = np.abs(np.array(TARGET_STARS[:30]) - np.mean(STARS)).mean()
    assert errors["mean"] == pytest.approx(-mean)


@pytest.mark.parametrize(
    ("y", "y_target", "options", "message"),
    [
        (STARS, None, {}, r"labels that are numbers, such as .* Expected classes.*scoring='r2'"),
        (["a"] * 80, None, {"scoring": "r2"}, "Got labels that are no numbers"),
        (Y, [0] * 60, {}, r"the target label 0\. Expected a list of labels, or None"),
        (MATRICES[0], MATRICES[1][:, :1], {}, "in 2 columns and target labels in 1"),
        (Y[1:], None, {}, "Got 80 source texts and labels of shape"),
    ],
)
def test_labels_that_cannot_be(y, y_target, options, message):
    with pytest.raises(ValueError, match=message):
        compare(X, y, X_TARGET, y_target, **options)


@pytest.mark.parametrize("y", [Y, MATRICES[0], STARS], ids=["lists", "matrix", "numbers"])
def test_what_takes_classes_alone_says_so(y):
    for run in (
        lambda: TransferSearch().fit(X, y, X_target=X_TARGET),
        lambda: learning_curve(X, y, X_TARGET),
    ):
        with pytest.raises(ValueError, match="compare takes several labels a text, too, and numbers"):
            run()
