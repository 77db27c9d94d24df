"""Several labels a text, one against the rest."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import MultiLabelBinarizer

from embtransfer import (
    CompiledPipeline,
    DomainCentering,
    LabelShiftClassifier,
    MultiLabelClassifier,
    NaiveBayesLogisticRegression,
    NGramVectorizer,
    SelfTrainingClassifier,
    WordEmbedder,
    compile_pipeline,
    explain,
    load_pipeline,
    make_transfer_pipeline,
    save_pipeline,
    word_weights,
)
from embtransfer.classifiers._label_matrix import label_matrix
from embtransfer.datasets import load_demo_reviews

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
SOURCE, TARGET = FILMS.data[:160], PANS.data[:60]
TAGS = [
    [word for word in ("good", "and", "the") if f" {word} " in text] + ["positive"] * int(label)
    for text, label in zip(SOURCE, FILMS.target, strict=False)
]
NAMES = ["and", "good", "positive", "the"]
MATRIX = MultiLabelBinarizer(classes=NAMES).fit_transform(TAGS)
ROWS = np.random.default_rng(0).normal(size=(2, 160, 6))


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (TAGS, NAMES),
        (list(map(set, TAGS)), NAMES),
        (pd.Series(TAGS), NAMES),
        (pd.DataFrame(MATRIX == 1, columns=NAMES), NAMES),
        (pd.DataFrame(MATRIX, columns=NAMES).astype("Int64"), NAMES),
        (pd.DataFrame(MATRIX, columns=NAMES).astype({"and": bool}), NAMES),
        (MATRIX, [0, 1, 2, 3]),
        (MATRIX.astype(float), [0, 1, 2, 3]),
        (MATRIX.tolist(), [0, 1, 2, 3]),
        (sparse.csr_array(MATRIX), [0, 1, 2, 3]),
    ],
    ids=[
        "lists",
        "sets",
        "Series",
        "DataFrame",
        "nullable",
        "int and bool",
        "int",
        "float",
        "nested list",
        "sparse",
    ],
)
def test_labels_of_all_forms(y, names):
    found, matrix = label_matrix(y)
    assert found.tolist() == names
    np.testing.assert_array_equal(matrix.toarray(), MATRIX)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["good", "bad"], r"Got the label 'good'\. Expected a list of labels for each text"),
        ([["a"], None], r"Got the label None\. Expected a list"),
        ([], "Got no labels"),
        ([[], []], "Got texts without any label"),
        (np.array([[0, 2], [1, 0]]), r"of shape \(2, 2\) that holds more than 0 and 1"),
        (np.array([[0, np.nan], [1, 0]]), "more than 0 and 1"),
    ],
)
def test_labels_that_cannot_be(y, message):
    with pytest.raises(ValueError, match=message):
        label_matrix(y)


def test_the_labels_0_and_1_in_sets_are_names():
    names, matrix = label_matrix([{0}, {1}, {0}])
    assert (names.tolist(), matrix.toarray().tolist()) == ([0, 1], [[1, 0], [0, 1], [1, 0]])


def test_rows_that_are_more_than_labels():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        MultiLabelClassifier().fit(ROWS[0], TAGS[:-1])


def test_it_is_scikit_learns_one_against_the_rest():
    ours = MultiLabelClassifier(LogisticRegression()).fit(ROWS[0], TAGS)
    theirs = OneVsRestClassifier(LogisticRegression()).fit(ROWS[0], MATRIX)
    np.testing.assert_array_equal(ours.predict(ROWS[1]), theirs.predict(ROWS[1]))
    np.testing.assert_allclose(ours.predict_proba(ROWS[1]), theirs.predict_proba(ROWS[1]))
    np.testing.assert_allclose(ours.decision_function(ROWS[1]), theirs.decision_function(ROWS[1]))


@pytest.mark.parametrize(
    "y",
    [
        TAGS,
        MATRIX,
        sparse.csr_array(MATRIX),
        MATRIX.tolist(),
        pd.DataFrame(MATRIX, columns=NAMES)[NAMES[::-1]],
    ],
    ids=["lists", "matrix", "sparse", "nested list", "columns in another order"],
)
def test_the_score_counts_rows_whose_labels_are_all_right(y):
    ours = MultiLabelClassifier(n_jobs=2).fit(ROWS[0], TAGS)
    right = (ours.predict(ROWS[0]) == MATRIX).all(axis=1)
    assert 0 < right.mean() < 1
    assert ours.score(ROWS[0], y) == right.mean()
    assert ours.score(ROWS[0], y, sample_weight=right) == 1


def test_a_search_as_the_last_step():
    search = GridSearchCV(
        MultiLabelClassifier(), {"estimator": [LogisticRegression(C=C) for C in (0.1, 10)]}, cv=2
    )
    pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), search)
    assert pipeline.fit(SOURCE, MATRIX, X_target=TARGET).predict(TARGET).shape == (60, 4)
    assert compile_pipeline(pipeline).multilabel_


def test_a_ridge_of_all_labels_is_one_of_each():
    ours = MultiLabelClassifier(RidgeClassifier()).fit(ROWS[0], TAGS)
    each = [RidgeClassifier().fit(ROWS[0], column).decision_function(ROWS[1]) for column in MATRIX.T]
    assert len(ours.estimators_) == 1
    np.testing.assert_allclose(ours.decision_function(ROWS[1]), np.stack(each, axis=1))
    alone = MultiLabelClassifier(RidgeClassifier()).fit(ROWS[0], MATRIX[:, :1])
    np.testing.assert_array_equal(alone.predict(ROWS[1])[:, 0], each[0] > 0)


def test_each_label_adapts_to_the_target_by_itself():
    source, target = ROWS + [[[0]], [[1]]] * np.eye(6)[0]
    ours = MultiLabelClassifier(SelfTrainingClassifier()).fit(source, MATRIX, X_target=target)
    for one, column in zip(ours.estimators_, MATRIX.T, strict=True):
        alone = SelfTrainingClassifier().fit(source, column, X_target=target)
        np.testing.assert_array_equal(one.predict_proba(target), alone.predict_proba(target))


def test_labels_that_all_rows_have_or_none():
    y = np.column_stack([MATRIX[:, 0], np.ones(160, int), np.zeros(160, int)])
    with pytest.warns(UserWarning, match="the same of 2 labels, have it or lack it: 1, 2"):
        ours = MultiLabelClassifier().fit(ROWS[0], y)
    np.testing.assert_array_equal(ours.predict(ROWS[1])[:, 1:], [[1, 0]] * 160)
    np.testing.assert_array_equal(ours.predict_proba(ROWS[1])[:, 1:], [[1, 0]] * 160)
    assert (ours.decision_function(ROWS[1])[:, 1:] == [40, -40]).all()


@pytest.mark.parametrize(
    "steps",
    [
        (WordEmbedder(), DomainCentering(), MultiLabelClassifier()),
        (WordEmbedder(), DomainCentering(), MultiLabelClassifier(RidgeClassifier())),
        (WordEmbedder(), DomainCentering(), MultiLabelClassifier(LabelShiftClassifier(n_bootstrap=0))),
        (
            NGramVectorizer("binary"),
            MultiLabelClassifier(SelfTrainingClassifier(NaiveBayesLogisticRegression(), n_rounds=2)),
        ),
    ],
    ids=["logistic", "ridge", "label shift", "self-trained log-count ratios"],
)
def test_pipelines_are_saved_folded_and_explained(steps, tmp_path):
    pipeline = make_transfer_pipeline(*steps)
    tags = [[*some, "all"] for some in TAGS]
    if isinstance(steps[-1].estimator, RidgeClassifier):
        pipeline.fit(SOURCE, tags, X_target=TARGET)
    else:
        with pytest.warns(UserWarning, match="have it or lack it: all"):
            pipeline.fit(SOURCE, tags, X_target=TARGET)
    save_pipeline(pipeline, tmp_path / "pipeline")
    compile_pipeline(pipeline).save(tmp_path / "compiled")
    compiled = CompiledPipeline.load(tmp_path / "compiled")
    expected = pipeline.predict(TARGET)
    for model in (load_pipeline(tmp_path / "pipeline"), compiled):
        assert model.classes_.tolist() == ["all", *NAMES]
        np.testing.assert_array_equal(model.predict(TARGET), expected)
    np.testing.assert_allclose(
        compiled.decision_function(TARGET), pipeline.decision_function(TARGET), atol=1e-3, rtol=1e-4
    )
    assert hasattr(compiled, "predict_proba") == hasattr(pipeline, "predict_proba")
    explanation = explain(compiled, TARGET[0], label="good")
    assert explanation.constant + explanation.table["share"].sum() == pytest.approx(explanation.decision)
    own = [name for name, has in zip(compiled.classes_, expected[0], strict=True) if has]
    assert explanation.predicted == own
    assert f"predicted: {', '.join(own)}" in str(explanation)
    assert explain(compiled, TARGET[0]).label == "all"
    assert set(word_weights(compiled, TARGET, top=1)["label"]) <= {"all", *NAMES}


def test_a_pipeline_for_source_rows():
    pipeline = make_transfer_pipeline(
        WordEmbedder(), DomainCentering(), MultiLabelClassifier(LabelShiftClassifier())
    )
    pipeline.fit(SOURCE, MATRIX, X_target=TARGET)
    rows = pipeline[:-1].source_view().transform(SOURCE)
    for k, one in enumerate(pipeline[-1].estimators_):
        np.testing.assert_array_equal(pipeline.predict_source(SOURCE)[:, k], one.source_view().predict(rows))


def test_labels_of_the_target_go_to_each_label_s_classifier():
    rng = np.random.default_rng(0)
    X, X_target = rng.normal(size=(2, 80, 3))
    tags = [["a"] * int(row[0] > 0) + ["b"] * int(row[1] > 0) for row in X]
    known = [["b"] * int(row[0] > 0) if place < 20 else None for place, row in enumerate(X_target)]
    model = MultiLabelClassifier(SelfTrainingClassifier()).fit(X, tags, X_target=X_target, y_target=known)
    for k, name in enumerate(model.classes_):
        told = [None if one is None else int(name in one) for one in known]
        y = [int(name in one) for one in tags]
        plain = SelfTrainingClassifier().fit(X, y, X_target=X_target, y_target=told)
        np.testing.assert_allclose(model.predict_proba(X)[:, k], plain.predict_proba(X)[:, 1])
    matrix = np.array([[np.nan] * 2 if one is None else [0, "b" in one] for one in known])
    by_matrix = clone(model).fit(X, tags, X_target=X_target, y_target=matrix)
    np.testing.assert_array_equal(by_matrix.predict_proba(X), model.predict_proba(X))
    pipeline = make_transfer_pipeline(DomainCentering(), clone(model))
    pipeline.fit(X, tags, X_target=X_target, y_target=known)
    assert [one.n_target_labels_ for one in pipeline[-1].estimators_] == [20, 20]


def test_labels_of_the_target_that_cannot_be():
    X, tags, known = [[0.0], [1.0]] * 5, [["a"], ["b"]] * 5, [["a"], None] * 5
    several = MultiLabelClassifier(SelfTrainingClassifier())
    with pytest.raises(ValueError, match="Got y_target, which LogisticRegression does not take"):
        MultiLabelClassifier().fit(X, tags, X_target=X, y_target=known)
    with pytest.raises(ValueError, match="Got y_target, but no X_target"):
        several.fit(X, tags, y_target=known)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        several.fit(X, tags, X_target=X, y_target=known[1:])
    with pytest.raises(ValueError, match="y_target holds no known label"):
        several.fit(X, tags, X_target=X, y_target=[None] * 10)
    with pytest.warns(UserWarning, match="1 target labels that no source text has: c"):
        several.fit(X, tags, X_target=X, y_target=[["c"], *known[1:]])
