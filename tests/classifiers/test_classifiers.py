"""make_classifier: every name is a working classifier."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_blobs

from embtransfer import make_classifier
from embtransfer.classifiers import CLASSIFIERS

every_name = pytest.mark.parametrize("name", CLASSIFIERS)
# log-count ratios are for counts: tests/embedders/test_lexical.py
for_dense_rows = pytest.mark.parametrize("name", [name for name in CLASSIFIERS if name != "log_count_ratio"])


@for_dense_rows
def test_three_classes_with_str_labels(name):
    X, number = make_blobs(90, n_features=4, centers=3, random_state=0)
    y = np.array(["bad", "fine", "good"])[number]
    classifier = make_classifier(name).fit(X.astype(np.float32), y)
    assert list(classifier.classes_) == ["bad", "fine", "good"]
    assert np.mean(classifier.predict(X.astype(np.float32)) == y) > 0.95


@for_dense_rows
def test_fewer_rows_than_columns(name):
    X = np.random.default_rng(0).normal(size=(6, 50))
    assert set(make_classifier(name).fit(X, [0, 1] * 3).predict(X)) <= {0, 1}


@every_name
def test_is_a_new_classifier_each_time(name):
    first = make_classifier(name)
    assert is_classifier(first)
    assert make_classifier(name) is not first
    assert repr(clone(first)) == repr(first)


@pytest.mark.parametrize("random_state", [None, 0, 7])
@pytest.mark.parametrize("name", ["logistic", "svm"])
def test_random_state(name, random_state):
    assert make_classifier(name, random_state).random_state == random_state


@pytest.mark.parametrize("name", ["forest", "Logistic", "", None])
def test_unknown_name(name):
    with pytest.raises(ValueError, match=f"Got classifier {name!r}. Expected one of: logistic, ridge, svm"):
        make_classifier(name)
