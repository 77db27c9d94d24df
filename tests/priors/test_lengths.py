"""Class shares of target texts that are far longer than the source's."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.naive_bayes import BernoulliNB

from embtransfer import NaiveBayesLogisticRegression, SelfTrainingClassifier
from embtransfer.priors import ShareView
from embtransfer.priors._lengths import as_long


def texts(y, words, chances, rng, binary=True):
    counts = np.stack([rng.multinomial(words, chances[label]) for label in y])
    return sparse.csr_array((np.minimum(counts, 1) if binary else counts).astype(np.float32))


def domains(seed, share, n_words=10, words_of_target=80, binary=True):
    """Rows and labels; the target's words come with other frequencies, and `share` of it is positive."""
    rng = np.random.default_rng(seed)
    common = rng.dirichlet(np.full(600, 0.3))
    chances = np.stack([common, common * np.exp(0.6 * rng.normal(size=600))])
    of_target = chances * np.exp(0.5 * rng.normal(size=600))
    chances, of_target = (rows / rows.sum(axis=1, keepdims=True) for rows in (chances, of_target))
    y, z = np.arange(1000) % 2, (np.arange(400) < 400 * share).astype(int)
    return (
        texts(y, n_words, chances, rng, binary),
        y,
        texts(z, words_of_target, of_target, rng, binary),
        z,
    )


def view(source, target, y):
    classifier = BernoulliNB().fit(source, y)
    return ShareView(
        BernoulliNB(), source, target, classifier.predict_proba(source), classifier.predict_proba(target)
    )


def test_shares_of_long_texts_from_short_ones():
    # without joining the errors are .21 on the mean, and .35 at worst
    errors = []
    for seed in (1, 2):
        for share in (0.2, 0.5, 0.8):
            X, y, Z, _ = domains(seed, share)
            found = SelfTrainingClassifier(NaiveBayesLogisticRegression()).fit(X, y, X_target=Z)
            errors.append(abs(found.priors_[1] - share))
            assert found.prior_intervals_[1, 0] <= share <= found.prior_intervals_[1, 1]
    assert np.mean(errors) < 0.1


@pytest.mark.parametrize("binary", [True, False])
def test_joined_rows_hold_every_text_once_and_are_as_long(binary):
    X, y, Z, _ = domains(0, 0.5, binary=binary)
    found, classes = as_long(view(X, Z, y), y, 3, np.random.RandomState(0))
    words = found.source.nnz / found.source.shape[0]
    assert words >= Z.nnz / Z.shape[0] > 4 * X.nnz / X.shape[0]
    assert found.held_out.shape == (len(classes), 2) == (found.source.shape[0], 2)
    for label in (0, 1):
        joined, alone = found.source[classes == label].sum(axis=0), X[y == label].sum(axis=0)
        assert np.array_equal(joined > 0, alone > 0)
        assert binary or np.array_equal(joined, alone)
    assert not binary or found.source.max() == 1


def test_copies_are_joined_with_their_copies():
    X, y, Z, _ = domains(0, 0.5)
    twice = sparse.vstack([X, X]).tocsr()
    found, classes = as_long(view(twice, Z, np.tile(y, 2)), np.tile(y, 2), 3, np.random.RandomState(0))
    alone = as_long(view(X, Z, y), y, 3, np.random.RandomState(0))[0]
    # half as many words each: twice as many texts are joined to as many rows
    assert abs(found.source.shape[0] - alone.source.shape[0]) <= 0.2 * alone.source.shape[0]
    assert np.bincount(classes).min() >= 10


@pytest.mark.parametrize("kind", ["as long", "weighted", "few", "dense"])
def test_other_rows_stay_as_they_are(kind):
    X, y, Z, _ = domains(0, 0.5, words_of_target=14 if kind == "as long" else 80)
    if kind == "weighted":
        X = X * 0.3
    elif kind == "few":
        X, y = X[:38], y[:38]
    elif kind == "dense":
        X, Z = X.toarray(), Z.toarray()
    rng, before = np.random.RandomState(0), view(X, Z, y)
    after, classes = as_long(before, y, 3, rng)
    assert after is before
    assert classes is y
    assert rng.randint(1000) == np.random.RandomState(0).randint(1000)  # and draw nothing
