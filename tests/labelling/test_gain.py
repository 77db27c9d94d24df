"""expected_gain: what more labels bring is read from what half of the known ones changed."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from embtransfer import (
    ExpectedGain,
    PooledClassifier,
    SelfTrainingClassifier,
    expected_gain,
    make_recipe,
    suggest_labels,
)
from embtransfer.datasets import load_demo_reviews


def world(turn=2.2, n=400, seed=0):
    """Source and target rows whose classes lie apart in directions that differ by an angle."""
    rng = np.random.RandomState(seed)
    y, z = rng.randint(2, size=(2, n))
    X, X_target = rng.normal(size=(2, n, 6))
    X[:, 0] += 2 * (2 * y - 1)
    X_target[:, :2] += np.outer(2 * z - 1, [2 * np.cos(turn), 2 * np.sin(turn)])
    return X, y, X_target, z


def fitted(X, y, X_target, z, known):
    some = [z[i] if i in known else None for i in range(len(z))]
    return PooledClassifier(LogisticRegression()).fit(X, y, X_target=X_target, y_target=some)


def found_of(data, rows, **options):
    labels = {row: data[3][row] for row in rows}
    return expected_gain(fitted(*data, labels), *data[:3], labels, **options)


def test_it_shrinks_with_the_labels_that_are_there_and_grows_with_those_to_come():
    found = [np.mean([found_of(world(seed=s), range(m)).changed for s in range(5)]) for m in (20, 60, 200)]
    assert found[0] > found[1] > found[2]
    more = [found_of(world(), range(40), n=n).changed for n in (10, 40, 160)]
    assert 0 < more[0] < more[1] < more[2]
    assert more[0] / more[1] == pytest.approx(np.log2(1.25))


def test_what_more_labels_change_is_about_what_they_are_expected_to():
    expected, changed = [], []
    for seed in range(20):
        data = world(seed=seed)
        expected.append(found_of(data, range(40), n=40).changed)
        models = [fitted(*data, range(m)) for m in (40, 80)]
        changed.append(np.mean(models[0].predict(data[2]) != models[1].predict(data[2])))
    assert 0.5 < np.mean(changed) / np.mean(expected) < 2


def test_where_the_labels_change_nothing_none_is_expected():
    data = world(turn=0.0)
    labels = dict(enumerate(data[3][:20]))
    X_target = data[2] + 40 * np.eye(6)[0] * (2 * data[3] - 1)[:, None]
    model = SelfTrainingClassifier().fit(*data[:2], X_target=X_target)
    found = expected_gain(model, *data[:2], X_target, labels)
    assert found == ExpectedGain(0.0, (0.0, 0.0), 20)


def test_labels_as_a_list_are_those_of_a_dict_and_a_seed_draws_the_same_half():
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    model = make_recipe("words").fit(films.data, films.target, X_target=pans.data)
    labels = {row: pans.target[row] for row in suggest_labels(model, pans.data, 30, method="margin")["row"]}
    some = [labels.get(row) for row in range(320)]
    model.fit(films.data, films.target, X_target=pans.data, y_target=some)
    data = films.data, films.target, pans.data
    found = expected_gain(model, *data, labels, random_state=1)
    assert found == expected_gain(model, *data, some, random_state=1)
    low, high = found.interval
    assert -found.changed < low < 0 < high < found.changed < 1


def test_what_is_refused():
    data = world()
    labels = dict(enumerate(data[3][:25]))
    model = fitted(*data, labels)
    with pytest.raises(
        ValueError, match=r"Got 3 labels that the model learned from: too few to tell .* 20 or"
    ):
        expected_gain(model, *data[:3], dict(list(labels.items())[:3]))
    with pytest.raises(ValueError, match=r"Got n=0. Expected a whole number"):
        expected_gain(model, *data[:3], labels, n=0)
    with pytest.raises(TypeError, match=r"LogisticRegression, which takes no labels of the target"):
        expected_gain(LogisticRegression().fit(*data[:2]), *data[:3], labels)
