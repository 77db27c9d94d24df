"""What models gain by the target's class shares: demo reviews, a tenth or nine tenths of them positive."""

import numpy as np
import pytest

from embtransfer import (
    DomainCentering,
    NaiveBayesLogisticRegression,
    NGramVectorizer,
    SelfTrainingClassifier,
    WordEmbedder,
    make_classifier,
    make_transfer_pipeline,
)
from embtransfer.datasets import load_demo_reviews

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")


def target(positive):
    """160 texts and labels of the target, of which this share is positive."""
    y = np.asarray(PANS.target)
    n = round(160 * positive)
    rows = np.sort(np.concatenate([np.flatnonzero(y == 1)[:n], np.flatnonzero(y == 0)[: 160 - n]]))
    return [PANS.data[i] for i in rows], y[rows]


def self_training(priors):
    classifier = SelfTrainingClassifier(NaiveBayesLogisticRegression(), priors=priors)
    return make_transfer_pipeline(NGramVectorizer("binary"), classifier)


def centring(priors):
    return make_transfer_pipeline(WordEmbedder(), DomainCentering(priors=priors), make_classifier("logistic"))


def accuracy(make, priors, positive):
    X_target, y_target = target(positive)
    model = make(priors).fit(FILMS.data, FILMS.target, X_target=X_target)
    return model.score(X_target, y_target)


either = pytest.mark.parametrize("make", [self_training, centring])


@either
@pytest.mark.parametrize("positive", [0.1, 0.9])
def test_estimated_shares_are_better_than_the_sources_where_they_differ(make, positive):
    assert accuracy(make, "estimated", positive) > accuracy(make, "source", positive) + 0.03


@either
@pytest.mark.parametrize("positive", [0.1, 0.9])
def test_known_shares_are_better_still_or_as_good(make, positive):
    known = accuracy(make, [1 - positive, positive], positive)
    assert known > accuracy(make, "source", positive) + 0.1


@either
def test_little_is_lost_where_shares_are_the_same(make):
    assert abs(accuracy(make, "estimated", 0.5) - accuracy(make, "source", 0.5)) <= 0.03
