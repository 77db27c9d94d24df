"""What models gain by the target's class shares, where a tenth or nine tenths of its texts are positive."""

from functools import cache

import numpy as np
import pytest
from sklearn.base import clone

from embtransfer import (
    CORAL,
    TCA,
    DomainCentering,
    LinearOT,
    NaiveBayesLogisticRegression,
    NGramVectorizer,
    OptimalTransport,
    SelfTrainingClassifier,
    SubspaceAlignment,
    make_classifier,
    make_transfer_pipeline,
)
from embtransfer.datasets import load_demo_reviews

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")


def reviews(positive):
    """Both domains' texts and labels; of 160 of the target this share is positive."""
    y = np.asarray(PANS.target)
    n = round(160 * positive)
    rows = np.sort(np.concatenate([np.flatnonzero(y == 1)[:n], np.flatnonzero(y == 0)[: 160 - n]]))
    return FILMS.data, FILMS.target, [PANS.data[i] for i in rows], y[rows]


def vectors(positive):
    """Two domains of vectors, one some way off along and across the difference of the classes."""
    rng = np.random.default_rng(0)
    y, y_target = np.arange(400) % 2, (np.arange(400) < 400 * positive).astype(int)
    source, target = rng.normal(size=(2, 400, 10))
    source[:, 0] += 3 * y
    target[:, 0] += 3 * y_target + 0.5
    target[:, 1] += 1
    return source, y, target, y_target


def self_training(priors):
    classifier = SelfTrainingClassifier(NaiveBayesLogisticRegression(), priors=priors)
    return make_transfer_pipeline(NGramVectorizer("binary"), classifier)


def centring(priors):
    return make_transfer_pipeline(DomainCentering(priors=priors), make_classifier("logistic"))


@cache
def accuracy(make, priors, positive):
    X, y, X_target, y_target = (reviews if make is self_training else vectors)(positive)
    given = [1 - positive, positive] if priors == "known" else priors
    return make(given).fit(X, y, X_target=X_target).score(X_target, y_target)


either = pytest.mark.parametrize("make", [self_training, centring])


@either
@pytest.mark.parametrize("positive", [0.1, 0.9])
def test_estimated_shares_are_better_than_the_sources_where_they_differ(make, positive):
    assert accuracy(make, "estimated", positive) > accuracy(make, "source", positive) + 0.03


@either
@pytest.mark.parametrize("positive", [0.1, 0.9])
def test_known_shares_are_better_still_or_as_good(make, positive):
    known = accuracy(make, "known", positive)
    assert known > accuracy(make, "source", positive) + 0.1
    assert known > accuracy(make, "estimated", positive) - 0.02


@either
def test_little_is_lost_where_shares_are_the_same(make):
    assert accuracy(make, "estimated", 0.5) >= accuracy(make, "source", 0.5) - 0.03  # 5 of 160 texts


ADAPTERS = [DomainCentering(), CORAL(), LinearOT(), SubspaceAlignment(3), TCA(3), OptimalTransport()]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: type(adapter).__name__)
def test_adapters_learn_the_shares_from_known_labels(adapter):
    X, y, X_target, y_target = vectors(0.9)
    some = [label if i % 4 == 0 else None for i, label in enumerate(y_target)]
    off = [abs(clone(adapter).fit(X, y, X_target, y_target=told).priors_[1] - 0.9) for told in (None, some)]
    assert off[1] < min(off[0] / 2, 0.03)


def test_a_pipeline_hands_known_labels_to_an_adapter_that_estimates_and_to_no_other():
    X, y, X_target, y_target = vectors(0.9)
    pipeline = centring("estimated").fit(X, y, X_target=X_target, y_target=y_target)
    np.testing.assert_allclose(pipeline[0].priors_, [0.1, 0.9], atol=0.001)
    with pytest.raises(ValueError, match="Got y_target, but no step of the pipeline takes it"):
        centring("source").fit(X, y, X_target=X_target, y_target=y_target)


def test_known_labels_want_a_target_and_classes():
    X, y, X_target, y_target = vectors(0.9)
    for given in ({"y": y}, {"X_target": X_target}):
        with pytest.raises(ValueError, match="Got y_target, but not both X_target and classes as y"):
            DomainCentering().fit(X, **given, y_target=y_target)
