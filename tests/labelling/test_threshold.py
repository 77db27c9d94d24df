"""confidence_threshold: the labels that are left are right as often as asked."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from embtransfer import MultiLabelClassifier, compile_pipeline, confidence_threshold, make_recipe, score_file
from embtransfer.datasets import load_demo_reviews
from embtransfer.labelling._draw import draw, spread
from embtransfer.labelling._views import margin

MODEL = LogisticRegression().fit([[-1.0], [1.0]] * 20, [0, 1] * 20)


def world(seed, n=1000):
    """A model, rows, and labels that it gets right the more often the surer it is."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n, 1)) * 2
    model = MODEL
    right = rng.rand(n) < expit(0.5 + np.abs(X[:, 0]))
    return model, X, np.where(right, model.predict(X), 1 - model.predict(X))


def outcome(seed, n, accuracy, weighted=False):
    """Whether labels that are left are right often enough, and how many are; None where no threshold is."""
    model, X, y = world(seed)
    margins, rng = margin(model.predict_proba(X)), np.random.RandomState(seed)
    rows, chances = draw(
        margins, np.ones(len(X), int), spread(margins) if weighted else np.ones(len(X)), n, rng
    )
    labels, chances = dict(zip(rows, y[rows], strict=True)), dict(zip(rows, chances, strict=True))
    try:
        found = confidence_threshold(model, X, labels, accuracy=accuracy, probability=chances)
    except ValueError as error:
        assert "no confidence is sure to give" in str(error)  # noqa: PT017
        return None
    kept = model.predict_proba(X).max(axis=1) >= found
    return (model.predict(X) == y)[kept].mean() >= accuracy, kept.mean()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "accuracy"), [(60, 0.85), (200, 0.85), (200, 0.9)])
def test_it_holds_nine_times_of_ten(n, accuracy, weighted):
    found = [one for seed in range(120) if (one := outcome(seed, n, accuracy, weighted))]
    held, kept = np.array(found).T
    assert len(found) * (1 - held.mean()) <= 0.1 * 120
    assert len(found) > 18
    assert kept.mean() > 0.2


def test_more_labels_leave_more_rows():
    kept = [np.mean([(outcome(seed, n, 0.85) or (0, 0))[1] for seed in range(40)]) for n in (60, 200, 600)]
    assert kept[0] < kept[1] < kept[2]


def test_where_all_are_right_all_are_kept_and_the_number_is_short():
    model, X, _ = world(0)
    found = confidence_threshold(model, X, dict(enumerate(model.predict(X)[:100])))
    assert found == pytest.approx(0.5)
    assert len(repr(found)) <= 6
    assert (model.predict_proba(X).max(axis=1) >= found).all()


def test_it_is_the_reject_below_of_score_file(tmp_path):
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    model = make_recipe("words").fit(films.data, films.target, X_target=pans.data)
    predicted, sure = model.predict(pans.data), model.predict_proba(pans.data).max(axis=1)
    labels = np.where(sure > 0.8, predicted, 1 - predicted)
    found = confidence_threshold(model, pans.data, labels, accuracy=0.9)
    pd.DataFrame({"text": pans.data}).to_csv(tmp_path / "in.csv", index=False)
    report = score_file(model, tmp_path / "in.csv", tmp_path / "out.csv", reject_below=found)
    assert 0 < report.rows_without_label == (sure < found).sum()
    assert (sure[sure >= found] > 0.8).mean() >= 0.9
    compiled = confidence_threshold(compile_pipeline(model), pans.data, labels, accuracy=0.9)
    assert compiled == pytest.approx(found, abs=1e-3)


def test_texts_of_no_class_count_as_wrong():
    model, X, _ = world(0)
    labels = model.predict(X).astype(object)
    sure = model.predict_proba(X).max(axis=1)
    labels[sure < 0.7] = "none of these"
    found = confidence_threshold(model, X, labels, accuracy=0.95)
    assert (sure[sure >= found] >= 0.7).mean() >= 0.95
    assert 0.6 < found < 0.75


def test_what_is_refused():
    model, X, y = world(0)
    with pytest.raises(
        ValueError, match=r"Got 20 labels, worth 20 .* accuracy=0.9 it takes 22, and that only"
    ):
        confidence_threshold(model, X, dict(enumerate(y[:20])))
    with pytest.raises(ValueError, match=r"By 40 labels no confidence is sure to give an accuracy of 0.9"):
        confidence_threshold(model, X, dict(enumerate(1 - model.predict(X)[:40])))
    with pytest.raises(ValueError, match=r"Got accuracy=95. Expected a number between 0 and 1"):
        confidence_threshold(model, X, y, accuracy=95)
    with pytest.raises(ValueError, match=r"y_target holds '1', but the classes of the model are \[0, 1\]"):
        confidence_threshold(model, X, y.astype(str))
    with pytest.raises(
        TypeError, match=r"Got a model that ends with RidgeClassifier. Expected .* predict_proba"
    ):
        confidence_threshold(RidgeClassifier().fit(X, y), X, y)
    several = MultiLabelClassifier().fit(X, [[label] for label in y])
    with pytest.raises(TypeError, match=r"Got a model that ends with MultiLabelClassifier. Expected"):
        confidence_threshold(several, X, y)
