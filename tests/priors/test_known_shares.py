"""Shares that the user knows: checked, in the order of the labels, and told to every part that takes them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from embtransfer import (
    DomainCentering,
    LabelShiftClassifier,
    NoAdaptation,
    SelfTrainingClassifier,
    make_recipe,
    make_transfer_pipeline,
)
from embtransfer.priors import known_priors, with_priors

SHARES = np.array([0.8, 0.2])


@pytest.mark.parametrize("labels", [["bad", "good"], [0, 1], [False, True], [-0.5, 0.5]])
def test_shares_are_in_the_order_of_the_sorted_labels(labels):
    y = np.array(labels * 3)[::-1]
    assert known_priors({labels[1]: 0.2, labels[0]: 0.8}, y).tolist() == [0.8, 0.2]


def test_rounded_shares_sum_to_one():
    assert known_priors(dict.fromkeys("abc", 0.33), list("abc")).tolist() == [pytest.approx(1 / 3)] * 3


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([0.2, 0.8], r"Got target_shares=\[0.2, 0.8\]. Expected a dict"),
        ({"0": 0.8, "1": 0.2}, "Got target_shares of '0', '1', but the source's labels are 0, 1"),
        ({0: 1.0}, "Got target_shares without 1. Expected a share of each label"),
        ({0: "much", 1: 0.2}, "Got target_shares with 'much' of 0. Expected numbers from 0 to 1"),
        ({0: 1.2, 1: -0.2}, "Got target_shares with 1.2 of 0"),
        ({0: np.nan, 1: 1.0}, "Got target_shares with nan of 0"),
        ({0: 0.8, 1: 0.22}, "Got target_shares with sum 1.02. Expected 1"),
    ],
)
def test_what_are_no_shares(shares, message):
    with pytest.raises(ValueError, match=message):
        known_priors(shares, [0, 1, 1])


def test_every_part_that_takes_shares_is_told():
    model = make_transfer_pipeline(DomainCentering(), LabelShiftClassifier(SelfTrainingClassifier()))
    told = with_priors(model, SHARES).get_params()
    names = [name for name in told if name.endswith("priors")]
    assert len(names) == 3
    assert all(list(told[name]) == [0.8, 0.2] for name in names)
    assert model[0].priors == "estimated"


def test_recipes_are_told_within():
    told = with_priors(make_recipe("words"), SHARES).get_params()
    assert any(name.endswith("priors") and np.array_equal(told[name], SHARES) for name in told)


def test_numbers_that_are_there_stay():
    assert with_priors(SelfTrainingClassifier(priors=[0.5, 0.5]), SHARES).priors == [0.5, 0.5]


@pytest.mark.parametrize("model", [LogisticRegression(), NoAdaptation(), object()])
def test_a_model_that_takes_none_is_as_it_was(model):
    assert with_priors(model, SHARES) is model
