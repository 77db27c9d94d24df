"""evaluate: a model's score, interval, calibration, confusions and groups, computed in another way."""

import json

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.svm import LinearSVC

from embtransfer import MultiLabelClassifier, evaluate, make_recipe

ROWS, NUMBERS = make_classification(600, 12, n_informative=6, n_classes=3, random_state=0)
LABELS = np.array(["a", "b", "c"])[NUMBERS]
MODEL = LogisticRegression(max_iter=500).fit(ROWS[:200], LABELS[:200])
X, Y = ROWS[200:], LABELS[200:]
SAID = MODEL.predict(X)
FOUND = evaluate(MODEL, X, Y)


def test_labels_may_be_a_column_and_rows_a_table_of_arrow():
    assert evaluate(MODEL, X, Y.reshape(-1, 1)).score == FOUND.score
    model = make_recipe("columns", text_column=[], vector_column=["x", "y"])
    table = pa.table({"x": list(X[:, :6]), "y": list(X[:, 6:])})
    model.fit(table, Y, X_target=table)
    assert evaluate(model, table, Y).score == np.mean(model.predict(table) == Y)


def test_the_scores_are_those_of_scikit_learn():
    assert FOUND.score == FOUND.accuracy == np.mean(SAID == Y)
    assert FOUND.balanced_accuracy == pytest.approx(balanced_accuracy_score(Y, SAID))
    assert FOUND.f1_macro == pytest.approx(f1_score(Y, SAID, average="macro"))
    assert FOUND.majority == max(np.mean(label == Y) for label in "abc")
    assert FOUND.by_class["f1"].tolist() == pytest.approx(f1_score(Y, SAID, average=None).tolist())


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [
        ("f1:b", lambda: f1_score(Y == "b", SAID == "b")),
        ("neg_log_loss", lambda: -log_loss(Y, MODEL.predict_proba(X))),
        ("roc_auc_ovr", lambda: roc_auc_score(Y, MODEL.predict_proba(X), multi_class="ovr")),
    ],
)
def test_any_score_has_an_interval(scoring, metric):
    found = evaluate(MODEL, X, Y, scoring=scoring)
    assert found.score == pytest.approx(metric())
    assert found.interval[0] < found.score < found.interval[1]
    assert found.interval == evaluate(MODEL, X, Y, scoring=scoring).interval


def test_the_interval_of_accuracy_holds_as_often_as_it_says():
    from embtransfer.labelling._estimate import wilson

    right = np.arange(101)
    low, high = np.array([wilson(k / 100, 100, 0.9) for k in right]).T
    holds = [binom.pmf(right, 100, p)[(low <= p) & (p <= high)].sum() for p in np.linspace(0.5, 0.98, 49)]
    assert np.mean(holds) == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("scoring", ["f1_macro", "balanced_accuracy", "f1:b", "recall_macro"])
def test_a_model_that_is_right_of_all_texts_may_be_wrong_of_others(scoring):
    right = np.flatnonzero(SAID == Y)
    for some in (right[:20], right[:80]):
        lowest = evaluate(MODEL, X[some], Y[some]).interval[0]
        found = evaluate(MODEL, X[some], Y[some], scoring=scoring)
        assert found.interval[1] == found.score == 1
        assert 0.5 * (1 - lowest) < 1 - found.interval[0] < 2 * (1 - lowest)


def test_a_sample_without_one_of_the_classes_has_no_area_under_the_curve():
    few = np.concatenate([np.flatnonzero(Y != "c")[:40], np.flatnonzero(Y == "c")[:1]])
    found = evaluate(MODEL, X[few], Y[few], scoring="roc_auc_ovr")
    assert found.interval[0] < found.score <= found.interval[1]


def test_confusions_are_counted():
    assert FOUND.confusion.loc["a", "b"] == np.sum((Y == "a") & (SAID == "b"))
    assert FOUND.confusion.to_numpy().sum() == FOUND.n == 400
    first = FOUND.confused(2)
    wrong = FOUND.confusion.to_numpy() * (1 - np.eye(3, dtype=int))
    assert first["texts"].tolist() == sorted(wrong.ravel(), reverse=True)[:2]


def test_mean_confidence_is_set_against_accuracy():
    assert FOUND.confidence == pytest.approx(MODEL.predict_proba(X).max(axis=1).mean())
    calibration = FOUND.calibration
    assert calibration["texts"].tolist() == [80] * 5
    assert calibration["confidence"].is_monotonic_increasing
    assert calibration["accuracy"].mean() == pytest.approx(FOUND.accuracy)
    assert "than accuracy" in str(FOUND)
    second = str(evaluate(MODEL, X, Y, scoring="f1_macro")).splitlines()[1]
    assert second.startswith(f"accuracy {FOUND.accuracy:.3f}, balanced accuracy")
    assert second.endswith(f"accuracy of the majority class alone {FOUND.majority:.3f}")


def test_a_model_without_probabilities_has_no_confidence():
    found = evaluate(LinearSVC().fit(ROWS[:200], LABELS[:200]), X, Y)
    assert np.isnan(found.confidence)
    assert found.calibration.empty
    assert "confidence" not in str(found)


def test_ranks_are_those_of_the_distances_where_there_are_no_probabilities():
    X, y = make_classification(200, random_state=0)
    model = LinearSVC().fit(X[:100], y[:100])
    found = evaluate(model, X[100:], y[100:], scoring="roc_auc")
    assert found.score == roc_auc_score(y[100:], model.decision_function(X[100:]))


def test_groups_are_scored_one_by_one():
    groups = np.where(np.arange(400) < 150, "de", "uk")
    by = evaluate(MODEL, X, Y, groups).by
    assert by["texts"].to_dict() == {"uk": 250, "de": 150}
    assert by.loc["de", "score"] == np.mean(SAID[:150] == Y[:150])
    assert (by["low"] < by["score"]).all()
    assert (by["score"] < by["high"]).all()
    assert evaluate(MODEL, X, Y, groups, scoring="f1_macro").by["low"].isna().all()


def test_a_text_of_no_group_is_in_a_group_of_its_own():
    assert evaluate(MODEL, X, Y, [None] * 10 + ["uk"] * 390).by["texts"].tolist() == [390, 10]


def test_rows_without_a_known_label_are_left_out_and_counted():
    labels = [None, "d", *Y[2:]]
    found = evaluate(MODEL, X, labels)
    assert (found.n, found.n_left_out) == (398, 2)
    assert found.score == np.mean(SAID[2:] == Y[2:])


def test_a_class_that_no_text_has_is_not_in_the_means():
    some = Y != "c"
    found = evaluate(MODEL, X[some], Y[some])
    assert found.balanced_accuracy == pytest.approx(
        np.mean([np.mean(SAID[label == Y] == label) for label in "ab"])
    )


def test_it_can_be_written_as_json():
    found = json.loads(json.dumps(evaluate(MODEL, X, Y, Y).to_dict()))
    assert found["by_class"][0]["class"] == "a"
    assert found["by"][0]["texts"] == max(np.sum(label == Y) for label in "abc")


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"y": Y[:10]}, ValueError, "y has 10 values"),
        ({"y": ["d"] * 400}, ValueError, "Got no label that the model knows. Expected some of"),
        ({"by": ["uk"]}, ValueError, "by has 1 values"),
        ({"confidence": 2}, ValueError, "Got confidence=2"),
        ({"scoring": "acuracy"}, ValueError, "Got scoring 'acuracy'"),
        ({"scoring": "r2"}, ValueError, "Got scoring 'r2', of numbers, and the classes a, b, c"),
        (
            {"scoring": "neg_log_loss", "model": LinearSVC().fit(X, Y)},
            ValueError,
            "Got scoring='neg_log_loss', which needs probabilities, and a model without",
        ),
        ({"model": Ridge().fit(X, NUMBERS[200:])}, TypeError, "Got Ridge with no classes"),
        (
            {"model": MultiLabelClassifier(LogisticRegression()).fit(X, np.eye(3, dtype=int)[NUMBERS[200:]])},
            TypeError,
            "with several labels a text",
        ),
    ],
)
def test_mistakes_are_named(changed, error, message):
    with pytest.raises(error, match=message):
        evaluate(**{"model": MODEL, "X": X, "y": Y, **changed})


def test_a_score_that_labels_of_one_class_leave_undefined_is_refused_and_of_a_group_is_nan():
    some = Y != "c"
    model, rows, labels = LogisticRegression().fit(X[some], Y[some]), X[some], Y[some]
    with pytest.raises(ValueError, match=r"Got scoring='roc_auc', which is not defined of labels .*: b"):
        evaluate(model, rows[labels == "b"], labels[labels == "b"], scoring="roc_auc")
    assert evaluate(model, rows, labels, labels, scoring="roc_auc").by["score"].isna().all()
