"""The class shares that a fitted model reckons with, as a table and in words."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from embtransfer import (
    DomainCentering,
    LabelShiftClassifier,
    NoAdaptation,
    SelfTrainingClassifier,
    WordEmbedder,
    class_shares,
    make_recipe,
    make_transfer_pipeline,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.pipeline import shares_in_words

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
SOME = np.concatenate([np.flatnonzero(PANS.target == 0), np.flatnonzero(PANS.target == 1)[:40]])
FEW = [PANS.data[i] for i in SOME]  # a fifth is positive
Y = np.array(["good" if label else "bad" for label in FILMS.target])


def fitted(adapter, classifier, X_target=FEW):
    model = make_transfer_pipeline(WordEmbedder(), adapter, classifier)
    return model.fit(FILMS.data, Y, X_target=X_target)


@pytest.mark.parametrize(
    ("adapter", "classifier", "step"),
    [
        (DomainCentering(), LogisticRegression(), "DomainCentering"),
        (DomainCentering(), SelfTrainingClassifier(), "SelfTrainingClassifier"),
        (NoAdaptation(), LabelShiftClassifier(n_bootstrap=10), "LabelShiftClassifier"),
        (DomainCentering(), SelfTrainingClassifier(priors="source"), "DomainCentering"),
    ],
)
def test_the_last_step_that_estimates_speaks(adapter, classifier, step):
    table = class_shares(fitted(adapter, classifier))
    assert table.attrs["step"] == step
    assert table.index.tolist() == ["bad", "good"]
    assert table["source"].tolist() == [0.5, 0.5]
    assert table["target"].sum() == pytest.approx(1)
    assert table["target"]["good"] < 0.5
    assert (table["low"] <= table["target"]).all()
    assert (table["target"] <= table["high"]).all()


def test_co_training_speaks_for_its_views():
    model = make_recipe("words").fit(FILMS.data, FILMS.target, X_target=FEW)
    table = class_shares(model)
    assert table.index.tolist() == [0, 1]
    assert table["target"][1] < 0.5


def test_the_best_of_a_search_speaks():
    search = GridSearchCV(
        LabelShiftClassifier(priors=[0.8, 0.2]), {"estimator": [LogisticRegression()]}, cv=2
    ).fit(WordEmbedder().fit(FILMS.data).transform(FILMS.data), Y)
    assert class_shares(search)["target"].tolist() == [0.8, 0.2]


@pytest.mark.parametrize(
    ("adapter", "classifier", "X_target"),
    [
        (NoAdaptation(), LogisticRegression(), FEW),
        (DomainCentering(priors="source"), SelfTrainingClassifier(priors="source"), FEW),
        (DomainCentering(), SelfTrainingClassifier(), None),
    ],
)
def test_nothing_is_said_where_nothing_was_estimated(adapter, classifier, X_target):
    assert class_shares(fitted(adapter, classifier, X_target)) is None


def test_nor_before_fit():
    assert class_shares(SelfTrainingClassifier()) is None


def table(source, target, low=None, high=None, labels=("bad", "good")):
    columns = {"source": source, "target": target, "low": low or target, "high": high or target}
    return pd.DataFrame(columns, index=list(labels))


class TestWords:
    def test_an_interval_is_in_brackets(self):
        assert shares_in_words(table([0.5, 0.5], [0.86, 0.14], [0.8, 0.09], [0.91, 0.2])) == (
            "bad: 50 % in the source, 86 % (80 to 91) in the target; "
            "good: 50 % in the source, 14 % (9 to 20) in the target"
        )

    @pytest.mark.parametrize("end", [None, [np.nan, np.nan]])
    def test_given_shares_and_those_without_interval_have_none(self, end):
        said = shares_in_words(table([0.5, 0.5], [0.994, 0.006], end, end))
        assert said.endswith("good: 50 % in the source, 0.6 % in the target")

    def test_of_many_classes_the_five_that_differ_most(self):
        target = [0.02, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.1, 0.01, 0.14, 0.02]
        said = shares_in_words(table([1 / 12] * 12, target, labels="abcdefghijkl"))
        assert [one[0] for one in said.split("; ")[:-1]] == ["a", "b", "h", "j", "l"]
        assert said.endswith("; the other 7 classes differ less")

    def test_nothing(self):
        assert shares_in_words(None) == ""
