"""Class shares of the target: simulated with shares that differ, and with words that differ too."""

from functools import cache

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB
from sklearn.utils import check_random_state

from embtransfer.priors import (
    ShareView,
    TargetPriors,
    check_priors,
    estimate,
    matched,
    stratified_rows,
    target_priors,
)


def gaussians(shares, seed, shift=0.0, n=200):
    """Rows and labels of both domains; the source's classes are equally frequent."""
    rng, n_classes = np.random.default_rng(seed), len(shares)
    y, y_target = np.arange(n) % n_classes, rng.choice(n_classes, size=n, p=shares)
    means = np.random.default_rng(99).normal(size=(n_classes, 12))
    source, target = rng.normal(size=(2, n, 12))
    return source + means[y], y, target + means[y_target] + shift, y_target


def words(shares, seed, rare=0, n=200):
    """Which of 120 words each text has; 30 are typical of each class, `rare` of the first class's go away."""
    rng, n_classes = np.random.default_rng(seed), len(shares)
    y, y_target = np.arange(n) % n_classes, rng.choice(n_classes, size=n, p=shares)
    chances = np.full((n_classes, 120), 0.2)
    for k in range(n_classes):
        chances[k, 30 * k : 30 * k + 30] = 0.4
    of_target = chances.copy()
    of_target[:, :rare] *= 0.05
    source, target = rng.random(size=(2, n, 120))
    return (
        sparse.csr_array((source < chances[y]).astype(float)),
        y,
        sparse.csr_array((target < of_target[y_target]).astype(float)),
        y_target,
    )


CLASSIFIERS = {gaussians: LogisticRegression(), words: BernoulliNB()}
either_kind = pytest.mark.parametrize("make", [gaussians, words], ids=["dense", "counts"])


def view(classifier, source, target, y):
    held_out = np.empty((len(y), y.max() + 1))
    for fold in range(3):
        unseen = np.arange(len(y)) // (y.max() + 1) % 3 == fold
        held_out[unseen] = classifier.fit(source[~unseen], y[~unseen]).predict_proba(source[unseen])
    return ShareView(classifier, source, target, held_out, classifier.fit(source, y).predict_proba(target))


@cache
def estimates(make, shares, n_draws=1, **options):
    """Of each draw (estimated, true shares, by EM alone)."""
    found = []
    for seed in range(n_draws):
        source, y, target, y_target = make(shares, seed, **options)
        one = view(CLASSIFIERS[make], source, target, y)
        true = np.bincount(y_target, minlength=len(shares)) / len(y_target)
        found.append(
            (
                target_priors([one], y, check_random_state(0)),
                true,
                estimate(one.held_out, y, one.of_target, "em")[0],
            )
        )
    return found


class TestStratifiedRows:
    @pytest.mark.parametrize("n_rows", [40, 100, 1000])
    @pytest.mark.parametrize("priors", [[0.2, 0.3, 0.5], [0.0, 0.1, 0.9], [1.0, 0.0, 0.0]], ids=str)
    def test_classes_have_these_shares_and_their_rows_come_equally_often(self, priors, n_rows):
        y = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [50, 30, 20]))
        rows = stratified_rows(y, np.array(priors), n_rows)
        assert len(rows) == n_rows
        assert (np.diff(rows) >= 0).all()
        np.testing.assert_allclose(np.bincount(y[rows], minlength=3), n_rows * np.array(priors), atol=1)
        times = np.bincount(rows, minlength=100)
        for k in range(3):
            assert np.ptp(times[y == k]) <= 1

    def test_the_sources_shares_take_each_row_once(self):
        y = np.random.default_rng(0).integers(3, size=1000)
        rows = stratified_rows(y, np.bincount(y) / 1000, 1000)
        np.testing.assert_array_equal(rows, np.arange(1000))


class TestCheckPriors:
    @pytest.mark.parametrize("name", ["estimated", "source", "uniform"])
    def test_names_stay(self, name):
        assert check_priors(name, 2) == name

    def test_numbers_become_an_array(self):
        np.testing.assert_array_equal(check_priors((0.25, 0.75), 2), np.array([0.25, 0.75]))

    @pytest.mark.parametrize(
        "wrong",
        [[0.5, 0.6], [1.0], [0.2, 0.3, 0.5], [-0.5, 1.5], [np.nan, 1], [[0.5, 0.5]], ["a", "b"], None],
    )
    def test_others_are_refused(self, wrong):
        message = (
            r"Got priors=.*Expected 2 numbers of at least 0 with sum 1.*or one of: source, uniform, estimated"
        )
        with pytest.raises(ValueError, match=message):
            check_priors(wrong, 2)


def test_matched_probabilities_have_the_priors_on_the_mean():
    proba = np.array([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4], [0.8, 0.2]])
    found = matched(proba, np.array([0.25, 0.75]))
    odds = proba[:, 1] / proba[:, 0] * (0.75 / 0.3) / (0.25 / 0.7)
    np.testing.assert_allclose(found, np.stack([1 / (1 + odds), odds / (1 + odds)], axis=1))


def test_ratio_is_what_a_source_row_counts():
    priors = TargetPriors(np.array([0.5, 0.25, 0.25]), np.array([0.0, 0.5, 0.5]), np.zeros((3, 2)))
    np.testing.assert_allclose(priors.ratio, [0, 2, 2])


class TestOnlySharesDiffer:
    @either_kind
    @pytest.mark.parametrize("shares", [(0.2, 0.8), (0.6, 0.3, 0.1)], ids=str)
    def test_the_estimate_is_near(self, make, shares):
        found, true, _ = estimates(make, shares, 3)[0]
        np.testing.assert_allclose(found.source, 1 / len(shares), atol=0.01)
        assert found.target.sum() == pytest.approx(1)
        errors = [np.abs(one.target - of_target).max() for one, of_target, _ in estimates(make, shares, 3)]
        assert np.mean(errors) < 0.7 * np.abs(found.source - true).max()

    @either_kind
    def test_rare_classes_do_not_hide_how_far_a_common_one_has_moved(self, make):
        found = estimates(make, (0.85, 0.05, 0.05, 0.05), 3)
        errors, moved = zip(
            *[(np.abs(one.target - true).max(), np.abs(one.source - true).max()) for one, true, _ in found],
            strict=True,
        )
        assert np.mean(errors) < 0.25 * np.mean(moved)

    @either_kind
    @pytest.mark.parametrize("shares", [(0.5, 0.5), (1 / 3, 1 / 3, 1 / 3)], ids=["2", "3"])
    def test_where_nothing_shifts_it_stays_at_the_sources(self, make, shares):
        for found, true, _ in estimates(make, shares, 2, n=400):
            assert np.abs(found.target - true).max() < 0.06

    @pytest.mark.parametrize(("make", "n_draws"), [(gaussians, 20), (words, 8)], ids=["dense", "counts"])
    def test_the_interval_holds_the_truth_in_most_draws(self, make, n_draws):
        held, widths = [], []
        for found, true, _ in estimates(make, (0.2, 0.8), n_draws):
            low, high = found.intervals.T
            held.append(((low <= true) & (true <= high)).all())
            widths.append((high - low).max())
        assert np.mean(held) >= 0.8
        assert np.mean(widths) < 0.6  # it says more than that shares lie between 0 and 1

    @either_kind
    def test_a_class_that_is_missing_gets_a_small_share(self, make):
        for found, _, _ in estimates(make, (0.5, 0.5, 0.0), 3):
            assert found.target[2] < 0.06
            assert 0 < found.intervals[2, 0] < found.intervals[2, 1]


class TestDomainsDifferToo:
    def test_stable_words_are_better_evidence_than_all(self):
        errors = [
            (np.abs(found.target - true).max(), np.abs(by_em - true).max())
            for shares in ((0.5, 0.5), (0.2, 0.8))
            for found, true, by_em in estimates(words, shares, 3, rare=20)
        ]
        ours, of_em = np.mean(errors, axis=0)
        assert ours < 0.7 * of_em

    def test_a_target_far_outside_falls_back_to_the_source(self):
        away = []
        for shift in (0, 30):
            found, _, by_em = estimates(gaussians, (0.2, 0.8), shift=shift)[0]
            away.append(np.abs(found.target - 0.5).max())
        assert away[0] > 0.2
        assert away[1] < 0.1 < 0.4 < np.abs(by_em - 0.5).max()


def test_two_views_agree_on_a_narrower_interval_and_differ_on_a_wider_one():
    source, y, target, _ = gaussians((0.25, 0.75), 0)
    other_source, _, other_target, _ = words((0.25, 0.75), 0)
    wrong = words((0.9, 0.1), 1)[2]
    one = view(LogisticRegression(), source, target, y)
    rng = check_random_state(0)
    alone, agree, differ = (
        target_priors(views, y, rng)
        for views in (
            [one],
            [one, view(BernoulliNB(), other_source, other_target, y)],
            [one, view(BernoulliNB(), other_source, wrong, y)],
        )
    )
    width = [np.ptp(found.intervals[0]) for found in (agree, alone, differ)]
    assert width[0] < width[1] < width[2]


def test_more_confidence_makes_a_wider_interval():
    source, y, target, _ = gaussians((0.25, 0.75), 0)
    one = view(LogisticRegression(), source, target, y)
    narrow, wide = (target_priors([one], y, check_random_state(0), c).intervals for c in (0.5, 0.99))
    assert (wide[:, 0] < narrow[:, 0]).all()
    assert (narrow[:, 1] < wide[:, 1]).all()


def test_shares_are_measured_by_five_labels_a_class_or_more():
    source, y, target, y_target = gaussians((0.2, 0.8), 0)
    one = view(LogisticRegression(), source, target, y)
    found = [
        target_priors([one], y, check_random_state(0), known=(np.arange(n), y_target[:n])).target
        for n in (0, 9, 10)
    ]
    assert found[0].tolist() == found[1].tolist() != found[2].tolist()


def test_a_few_labels_do_not_spoil_the_estimate_where_words_have_gone():
    errors = []
    for seed in range(3):
        source, y, target, y_target = words((0.7, 0.3), seed, n=400, rare=15)
        one, rows = view(BernoulliNB(), source, target, y), np.arange(60)
        found = target_priors([one], y, check_random_state(0), known=(rows, y_target[rows]))
        errors.append(abs(found.target[0] - np.mean(y_target == 0)))
    assert np.mean(errors) < 0.05


@either_kind
@pytest.mark.parametrize("chosen", ["random", "doubtful"])
def test_known_labels_correct_the_estimate_however_their_rows_were_chosen(make, chosen):
    errors, widths = [], []
    for seed in range(3):
        options = {"shift": 0.3} if make is gaussians else {"rare": 15}
        source, y, target, y_target = make((0.2, 0.8), seed, n=400, **options)
        one = view(CLASSIFIERS[make], source, target, y)
        rows = np.arange(400) if chosen == "random" else np.argsort(np.abs(one.of_target[:, 0] - 0.5))
        for n in (0, 60, 400):
            known = rows[:n], y_target[rows[:n]]
            found = target_priors([one], y, check_random_state(0), known=known)
            errors.append(abs(found.target[0] - np.mean(y_target == 0)))
            widths.append(np.ptp(found.intervals[0]))
    none, some, every = np.reshape(errors, (3, 3)).mean(axis=0)
    assert some < max(0.7 * none, 0.02)
    assert every < 1e-9
    assert (np.diff(np.reshape(widths, (3, 3)).mean(axis=0)) < 0).all()
