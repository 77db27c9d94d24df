"""TransferSearch where the class shares of the target are others than the source's."""

import numpy as np
import pytest

from embtransfer import TransferSearch, class_shares, make_recipe
from embtransfer.datasets import load_demo_reviews
from embtransfer.priors import TargetPriors
from embtransfer.trials.search._metric import Metric
from embtransfer.trials.search._rounds import Round

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
SETTINGS = {"embedders": ["word_mean"], "adapters": ["none", "centering"], "recipes": []}
SETTINGS |= {"classifiers": ["logistic", "self_training"]}


@pytest.fixture(scope="module")
def rare():
    """Films and pans in both domains, one in nine target texts is good; and a search that is not told."""
    texts, y = np.array([*FILMS.data, *PANS.data], object), np.concatenate([FILMS.target, PANS.target])
    source, others = np.split(np.random.default_rng(0).permutation(640), 2)
    target = np.concatenate([others[y[others] == 0], others[y[others] == 1][:20]])
    data = texts[source], y[source], texts[target], y[target]
    return data, TransferSearch(**SETTINGS).fit(*data[:2], X_target=data[2])


def test_they_are_estimated(rare):
    (_, y, _, y_target), search = rare
    shares = class_shares(search)
    np.testing.assert_allclose(search.source_priors_, np.bincount(y) / 320)
    assert search.target_priors_[1] < 0.35  # of 0.5 in the source: drawn to it, as the rows are few
    assert search.target_priors_.sum() == pytest.approx(1)
    low, high = search.prior_intervals_.T
    assert (low < search.target_priors_).all()
    assert (search.target_priors_ < high).all()
    assert low[1] <= y_target.mean() <= high[1]
    np.testing.assert_array_equal(shares["target"], search.target_priors_)
    np.testing.assert_array_equal(shares["source"], search.source_priors_)


def test_the_consensus_has_them_the_more_the_better_they_are_known(rare):
    search = rare[1]
    unknown = np.ptp(search.prior_intervals_, axis=1).max() ** 2
    assert 0.1 < unknown < 0.9
    wanted = (1 - unknown) * search.target_priors_ + unknown * search.source_priors_
    np.testing.assert_allclose(search.consensus_.mean(axis=0), wanted, atol=0.05)


def test_of_each_class_as_it_is_known():
    """A class that nothing is known of leaves the others' shares as they are estimated."""
    intervals = np.array([[0.55, 0.65], [0.0, 0.9], [0.05, 0.15]])
    priors = TargetPriors(np.array([0.2, 0.2, 0.6]), np.array([0.6, 0.3, 0.1]), intervals)
    judging = Round(np.arange(3), priors, Metric("accuracy", np.arange(3))).judging.target
    unknown = np.array([0.1, 0.9, 0.1]) ** 3
    shares = (1 - unknown) * priors.target + unknown * priors.source
    np.testing.assert_allclose(judging, shares / shares.sum())
    np.testing.assert_allclose(judging[[0, 2]] / judging[0], [1, 1 / 6], atol=0.01)


def test_the_score_is_in_the_interval(rare):
    (_, _, texts, y), search = rare
    low, high = search.score_interval_
    assert low <= search.score(texts, y) <= high


def test_they_are_worth_more_than_the_source_s(rare):
    (X, y, texts, y_target), search = rare
    unchanged = TransferSearch(**SETTINGS, target_shares={0: 0.5, 1: 0.5}).fit(X, y, X_target=texts)
    assert search.score(texts, y_target) > unchanged.score(texts, y_target) + 0.02


def test_candidates_are_judged_by_known_ones(rare):
    X, y, texts, _ = rare[0]
    search = TransferSearch(**SETTINGS, target_shares={1: 0.1, 0: 0.9}).fit(X, y, X_target=texts)
    assert search.target_priors_.tolist() == [0.9, 0.1]
    assert search.prior_intervals_.tolist() == [[0.9, 0.9], [0.1, 0.1]]
    assert class_shares(search)["target"].tolist() == [0.9, 0.1]
    np.testing.assert_allclose(search.consensus_.mean(axis=0), [0.9, 0.1], atol=0.05)


def test_shares_of_other_labels():
    search = TransferSearch(**SETTINGS, target_shares={1: 1.0})
    with pytest.raises(ValueError, match="Got target_shares without 0"):
        search.fit(FILMS.data, FILMS.target, X_target=PANS.data)


def test_that_they_could_not_be_estimated_is_said_unless_they_are_given():
    short = [" ".join(text.split()[:6]) for text in PANS.data[:40]]
    parts = {"embedders": ["word_mean"], "adapters": ["none"], "classifiers": ["logistic"], "recipes": []}
    found = TransferSearch(**parts).fit(FILMS.data, FILMS.target, X_target=short)
    assert np.diff(found.prior_intervals_).max() > 0.8
    said = "could not be estimated from these texts: 0: "
    assert said in found.reason_
    assert "give target_shares (--target-shares); else label 30 of the target's texts" in found.reason_
    for options, given in ({"target_shares": {0: 0.5, 1: 0.5}}, {}), ({}, {"y_target": [1] + [None] * 39}):
        search = TransferSearch(**parts, **options).fit(FILMS.data, FILMS.target, X_target=short, **given)
        assert said not in search.reason_


def test_of_target_texts_far_longer_than_the_source_s_they_are_the_recipe_s():
    # each word of a long text votes as one of a short text would, unless short ones are joined
    rng = np.random.default_rng(1)
    common = rng.dirichlet(np.full(600, 0.3))
    classes = np.stack([common, common * np.exp(0.6 * rng.normal(size=600))])
    others = classes * np.exp(0.5 * rng.normal(size=600))  # of the target
    words = np.array(sorted({word for text in FILMS.data for word in text.split() if word.isalpha()})[:600])

    def texts(labels, n_words, chances):
        of_class = chances / chances.sum(axis=1, keepdims=True)
        return [" ".join(rng.choice(words, n_words, p=of_class[label])) for label in labels]

    y = np.arange(400) % 2
    X, X_target = texts(y, 10, classes), texts(np.arange(150) % 5 // 4, 80, others)
    settings = {"embedders": ["ngrams"], "adapters": ["none"], "classifiers": ["logistic"], "recipes": []}
    found = TransferSearch(**settings).fit(X, y, X_target=X_target).target_priors_
    recipe = class_shares(make_recipe("words").fit(X, y, X_target=X_target))["target"]
    np.testing.assert_allclose(found, recipe, atol=0.01)
