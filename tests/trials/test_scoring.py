"""Metrics by name."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.metrics import f1_score, get_scorer

from embtransfer import compare
from embtransfer.datasets import load_demo_reviews
from embtransfer.trials._scoring import scorer


class Predicts(ClassifierMixin, BaseEstimator):
    """A model that gives the rows as the labels."""

    def __init__(self, classes):
        self.classes_ = np.array(classes)

    def predict(self, X):
        return np.asarray(X)


@pytest.mark.parametrize("labels", [[0, 1, 2], ["0", "1", "2"], [False, True]], ids=str)
def test_f1_of_each_class(labels):
    rng = np.random.default_rng(0)
    y, predicted = rng.choice(labels, 50), rng.choice(labels, 50)
    for label, expected in zip(labels, f1_score(y, predicted, average=None), strict=True):
        assert scorer(f"f1:{label}", labels)(Predicts(labels), predicted, y) == pytest.approx(expected)


def test_a_class_that_is_nowhere_has_f1_0():
    assert scorer("f1:b", ["a", "b"])(Predicts(["a", "b"]), ["a", "a"], ["a", "a"]) == 0


def test_log_loss_where_a_class_is_missing_in_the_target():
    model = DummyClassifier(strategy="prior").fit([[0]] * 4, ["a", "b", "b", "c"])
    found = scorer("neg_log_loss", ["a", "b", "c"])(model, [[0]] * 2, ["a", "b"])
    assert found == pytest.approx((np.log(1 / 4) + np.log(1 / 2)) / 2)


@pytest.mark.parametrize("labels", [["bad", "good"], [0, 1, 2]], ids=str)
@pytest.mark.parametrize("scoring", ["f1", "precision", "recall", "jaccard"])
def test_a_score_of_the_class_1_is_refused_where_it_is_not_one_of_two(scoring, labels):
    said = rf"Got scoring '{scoring}', a score of the class 1, and .* f1:{labels[-1]} .* {scoring}_macro"
    with pytest.raises(ValueError, match=said):
        scorer(scoring, labels)
    assert scorer(scoring, [0, 1])(Predicts([0, 1]), [0, 1, 1], [0, 1, 1]) == 1


@pytest.mark.parametrize("scoring", ["average_precision", "neg_brier_score"])
def test_a_score_of_the_probability_of_the_class_1_is_refused_where_two_others_are(scoring):
    for labels in (["bad", "good"], ["0", "1"]):
        with pytest.raises(
            ValueError, match=f"'{scoring}', of the probability of the class 1, and .* {labels[1]}"
        ):
            scorer(scoring, labels)
    model = DummyClassifier(strategy="prior")
    for labels in ([0, 1], ["a", "b", "c"]):
        assert scorer(scoring, labels)(model.fit(labels, labels), labels, labels) > -1


def test_roc_auc_of_many_classes_is_named():
    with pytest.raises(ValueError, match="of two classes, and the classes a, b, c"):
        scorer("roc_auc", ["a", "b", "c"])


def test_compare_refuses_a_score_that_the_labels_of_the_target_leave_undefined():
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    labels = np.where(pans.target == 1, 1.0, np.nan)
    with pytest.raises(ValueError, match=r"Got scoring='roc_auc' and target labels .* such as these: 1"):
        compare(films.data, films.target, pans.data, labels, scoring="roc_auc", recipes=[])


def test_a_callable_is_taken_as_it_is():
    given = get_scorer("accuracy")
    assert scorer(given, [0, 1]) is given


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        (
            "f1_marco",
            r"Got scoring 'f1_marco'\. Expected .* balanced_accuracy, f1_macro",
        ),
        ("f1:bad", r"Got scoring 'f1:bad'\. Expected f1: and a label of the source, of: 0, 1\."),
        ("f1:", r"Got scoring 'f1:'"),
    ],
)
def test_unknown_names_are_refused(scoring, message):
    with pytest.raises(ValueError, match=message):
        scorer(scoring, [0, 1, 1])


def test_compare_takes_the_f1_of_a_class():
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    data = films.data, films.target, pans.data, pans.target
    found = {
        scoring: compare(*data, adapters=["none"], recipes=[], cv=2, scoring=scoring)["target_score"]
        for scoring in ("f1:0", "f1:1", "f1_macro")
    }
    np.testing.assert_allclose((found["f1:0"] + found["f1:1"]) / 2, found["f1_macro"])
    assert not np.allclose(found["f1:0"], found["f1:1"])
