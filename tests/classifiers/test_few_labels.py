"""A few target labels: the classifiers, and their way through a TransferPipeline."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import StandardScaler

from embtransfer import (
    DomainCentering,
    FeatureAugmentationClassifier,
    NoAdaptation,
    PooledClassifier,
    Target,
    TransferPipeline,
    load_pipeline,
    make_transfer_pipeline,
    save_pipeline,
    source_scorer,
)

BOTH = [FeatureAugmentationClassifier, PooledClassifier]
every_class = pytest.mark.parametrize("classifier", BOTH)
every_kind = pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csr_matrix])


def flipped(n=200, n_labels=20, seed=0):
    """The second column says the same in both domains, the first the opposite."""
    rng = np.random.default_rng(seed)
    X, X_target = rng.normal(size=(2, n, 3))
    y, y_target = X[:, 0] + 0.5 * X[:, 1] > 0, -X_target[:, 0] + 0.5 * X_target[:, 1] > 0
    some = [label if k < n_labels else None for k, label in enumerate(y_target.tolist())]
    return X, y, X_target, y_target, some


class TestFeatureAugmentation:
    @every_kind
    def test_is_the_estimator_on_three_blocks(self, kind):
        X, y, X_target, _, some = flipped()
        rows = np.block([[X, X, np.zeros_like(X)], [X_target[:20], np.zeros((20, 3)), X_target[:20]]])
        plain = LogisticRegression(C=3, tol=1e-8).fit(rows, [*y, *some[:20]])
        model = FeatureAugmentationClassifier(LogisticRegression(C=3, tol=1e-8))
        model.fit(kind(X), y, X_target=kind(X_target), y_target=some)
        np.testing.assert_allclose(model.estimator_.coef_, plain.coef_, atol=1e-6)
        shared, of_source, of_target = model.estimator_.coef_.reshape(3, 3)
        for view, own, given in (
            (model, of_target, X_target),
            (model.source_view(), of_source, X),
        ):
            linear = given @ (shared + own) + model.estimator_.intercept_
            np.testing.assert_allclose(view.decision_function(kind(given)), linear, atol=1e-10)
            np.testing.assert_allclose(view.predict_proba(kind(given))[:, 1], 1 / (1 + np.exp(-linear)))

    def test_is_the_penalised_problem_of_shared_and_own_weights(self):
        X, y, X_target, y_target, some = flipped(n=60)
        signs, signs_target = 2 * y - 1, 2 * y_target[:20] - 1

        def loss(parameters):
            shared, own, own_target = parameters[:9].reshape(3, 3)
            margins = signs * (X @ (shared + own) + parameters[9])
            target = signs_target * (X_target[:20] @ (shared + own_target) + parameters[9])
            return (
                np.logaddexp(0, -margins).sum()
                + np.logaddexp(0, -target).sum()
                + parameters[:9] @ parameters[:9] / 20
            )

        model = FeatureAugmentationClassifier(LogisticRegression(C=10, tol=1e-9, max_iter=1000))
        model.fit(X, y, X_target=X_target, y_target=some)
        exact = minimize(loss, np.zeros(10), method="BFGS", options={"gtol": 1e-6})
        found = np.append(model.estimator_.coef_.ravel(), model.estimator_.intercept_)
        assert loss(found) == pytest.approx(exact.fun, rel=1e-8)
        np.testing.assert_allclose(found, exact.x, atol=1e-3)

    def test_learns_what_the_target_does_otherwise_and_keeps_the_source(self):
        X, y, X_target, y_target, some = flipped(n=400, n_labels=40)
        model = FeatureAugmentationClassifier().fit(X, y, X_target=X_target, y_target=some)
        rest = slice(40, None)
        score = model.score(X_target[rest], y_target[rest])
        assert score > LogisticRegression(C=10).fit(X, y).score(X_target[rest], y_target[rest]) + 0.4
        assert score > 0.85
        assert model.source_view().score(X, y) > 0.95
        assert model.score(X, y) < 0.5

    def test_a_view_is_no_change(self):
        X, y, X_target, _, some = flipped()
        model = FeatureAugmentationClassifier().fit(X, y, X_target=X_target, y_target=some)
        before = model.predict_proba(X_target)
        model.source_view().predict(X)
        np.testing.assert_array_equal(model.predict_proba(X_target), before)


class TestPooled:
    @every_kind
    @pytest.mark.parametrize("weight", [1, 3, "balanced"])
    def test_a_weight_is_so_many_copies(self, kind, weight):
        X, y, X_target, _, some = flipped()
        times = 10 if weight == "balanced" else weight  # 200 source rows, 20 labels
        rows = np.vstack([X, np.repeat(X_target[:20], times, axis=0)])
        plain = LogisticRegression(tol=1e-8).fit(rows, [*y, *np.repeat(some[:20], times)])
        model = PooledClassifier(LogisticRegression(tol=1e-8), target_weight=weight)
        model.fit(kind(X), y, X_target=kind(X_target), y_target=some)
        np.testing.assert_allclose(model.predict_proba(kind(X)), plain.predict_proba(X), atol=1e-6)
        assert model.n_target_labels_ == 20

    def test_target_labels_help(self):
        X, y, X_target, y_target, some = flipped(n_labels=60)
        loss = [
            log_loss(y_target[60:], model.predict_proba(X_target[60:]))
            for model in (
                PooledClassifier(target_weight=weight).fit(X, y, X_target=X_target, y_target=some)
                for weight in (1e-3, 1.0, 20.0)
            )
        ]
        assert loss[0] > loss[1] > loss[2]

    def test_a_classifier_without_sample_weight(self):
        X, y, X_target, _, some = flipped()
        model = PooledClassifier(LinearDiscriminantAnalysis())
        with pytest.raises(ValueError, match=r"no sample_weight, and target_weight='balanced'\. Expected"):
            model.fit(X, y, X_target=X_target, y_target=some)
        model.set_params(target_weight=1).fit(X, y, X_target=X_target, y_target=some)
        plain = LinearDiscriminantAnalysis().fit(np.vstack([X, X_target[:20]]), [*y, *some[:20]])
        np.testing.assert_allclose(model.predict_proba(X), plain.predict_proba(X))


@every_class
def test_without_target_labels_it_is_the_source_classifier(classifier):
    X, y, X_target, _, _ = flipped()
    plain = LogisticRegression(C=10, max_iter=1000).fit(X, y).predict_proba(X_target)
    for model in (classifier().fit(X, y), classifier().fit(X, y, X_target=X_target)):
        np.testing.assert_allclose(model.predict_proba(X_target), plain, atol=2e-3)
        assert model.n_target_labels_ == 0
    model = classifier().fit(*flipped(seed=1)[:2], X_target, flipped()[4]).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X_target), plain, atol=2e-3)


@every_class
@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["bad", "good"], None),
        (["bad", "good"], np.nan),
        (["bad", "good"], pd.NA),
        ([0, 1], None),
        ([0, 1], np.nan),
        ([-1, 1], pd.NA),
        ([2.0, 5.0], np.nan),
        ([False, True], None),
    ],
)
@pytest.mark.parametrize("container", [list, np.array, pd.Series, lambda part: np.array(part, object)])
def test_missing_labels_of_any_type(classifier, names, missing, container):
    X, y, X_target, _, some = flipped()
    expected = classifier().fit(X, y, X_target=X_target, y_target=some)
    source = np.array(names)[y.astype(int)]
    target = [missing if label is None else names[label] for label in some]
    if container is np.array and isinstance(names[0], str) and missing is np.nan:
        with pytest.raises(ValueError, match="y_target holds 'nan', but the source labels are"):
            classifier().fit(X, source, X_target=X_target, y_target=container(target))  # numpy made it text
        return
    model = classifier().fit(X, source, X_target=X_target, y_target=container(target))
    assert model.n_target_labels_ == 20
    assert model.classes_.tolist() == names
    assert model.estimator_.classes_.dtype == source.dtype
    np.testing.assert_allclose(model.predict_proba(X_target), expected.predict_proba(X_target), atol=1e-7)


@every_class
@pytest.mark.parametrize("dtype", ["Int64", "string", "boolean", "category"])
def test_columns_of_pandas_that_may_hold_missing_labels(classifier, dtype):
    X, y, X_target, _, some = flipped()
    convert = {"Int64": int, "boolean": bool}.get(dtype, str)
    target = pd.Series([None if label is None else convert(label) for label in some], dtype=dtype)
    model = classifier().fit(X, y.astype(convert), X_target=X_target, y_target=target)
    assert model.n_target_labels_ == 20


@every_class
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X_target": None}, "Got y_target, but no X_target"),
        ({"y_target": [1, None]}, r"y_target has 2 labels, but X_target has 4 rows\. Put None"),
        ({"y_target": [None, np.nan, pd.NA, None]}, r"holds no known label\. Give some, or leave"),
        ({"y_target": [1, None, 7, 0]}, r"y_target holds 7, but the source labels are \[0, 1\]\. Put None"),
        ({"y_target": [1, -1, -1, -1]}, r"y_target holds -1, but the source labels are \[0, 1\]\. Put None"),
        ({"y_target": np.ones((4, 1))}, r"y_target has shape \(4, 1\)\. Expected one label for each row"),
        ({"X_target": [[0.0, 1.0]] * 4}, "X_target has 2 features, but X has 1"),
        ({"X_target": [[0.0]] * 3 + [[np.nan]]}, "Input X_target contains NaN"),
    ],
)
def test_messages(classifier, change, message):
    given = {"X_target": [[0.0], [1.0], [2.0], [3.0]], "y_target": [1, None, None, 0]}
    with pytest.raises(ValueError, match=message):
        classifier().fit([[0.0], [1.0], [2.0]], [0, 1, 1], **(given | change))


@every_class
@pytest.mark.parametrize("weight", [0, -1.0, "equal"])
def test_wrong_weights(classifier, weight):
    with pytest.raises(ValueError, match="The 'target_weight' parameter"):
        classifier(target_weight=weight).fit([[0.0], [1.0]], [0, 1])


@every_class
def test_float32_stays_and_inputs_are_left_alone(classifier):
    X, y, X_target, _, some = flipped()
    given = [X.astype(np.float32), y, X_target.astype(np.float32)]
    copies = [part.copy() for part in given]
    for part in given:
        part.flags.writeable = False
    model = classifier().fit(*given, y_target=some)
    plain = LogisticRegression().fit(given[0], y)  # float64 by old versions
    assert model.predict_proba(given[2]).dtype == plain.predict_proba(given[2]).dtype
    for part, copy in zip(given, copies, strict=True):
        np.testing.assert_array_equal(part, copy)


@every_class
class TestPipeline:
    @staticmethod
    def make(classifier):
        return make_transfer_pipeline(StandardScaler(), DomainCentering(), classifier())

    @pytest.mark.parametrize("hold", [False, True], ids=["raw", "Target"])
    def test_labels_reach_the_classifier_as_they_are(self, classifier, hold):
        X, y, X_target, _, some = flipped()
        given = {"X_target": Target(X_target, some)} if hold else {"X_target": X_target, "y_target": some}
        pipeline = self.make(classifier).fit(X, y, **given)
        scaler, centering = StandardScaler().fit(X), DomainCentering()
        target = scaler.transform(X_target)
        source = centering.fit_transform(scaler.transform(X), y, X_target=target, y_target=some)
        target = centering.transform(target)
        model = classifier().fit(source, y, X_target=target, y_target=some)
        np.testing.assert_allclose(pipeline.predict_proba(X_target), model.predict_proba(target), atol=1e-10)
        view = model.source_view() if hasattr(model, "source_view") else model
        np.testing.assert_allclose(pipeline.predict_proba_source(X), view.predict_proba(source), atol=1e-10)
        np.testing.assert_array_equal(pipeline.predict_source(X), view.predict(source))

    @pytest.mark.parametrize("n_target", [90, 60, 40], ids=["outer", "inner train", "nested train"])
    def test_model_selection_cuts_no_labels(self, classifier, n_target):
        X, y, X_target, _, some = flipped(90)
        labels = some[:20] + [None] * (n_target - 20)
        seen = []

        class Recording(classifier):
            def _fit(self, X, y, X_target, known, sample_weight):
                seen.append((X.shape[0], len(known.rows)))
                super()._fit(X, y, X_target, known, sample_weight)

            def __init__(self, estimator=None, target_weight=1.0):
                super().__init__(estimator, target_weight)

        pipeline = TransferPipeline([("adapt", NoAdaptation()), ("classify", Recording())])
        params = {"X_target": Target(X_target[:n_target], labels)}
        grid = {"classify__target_weight": [1.0, 2.0]}
        search = GridSearchCV(pipeline, grid, cv=3, scoring=source_scorer(), error_score="raise")
        scores = cross_val_score(search, X, y, cv=3, params=params)
        assert {labels for _, labels in seen} == {20}
        assert {rows for rows, _ in seen} == {40, 60}
        assert scores.min() > 0.7

    def test_nested_pipelines(self, classifier):
        X, y, X_target, _, some = flipped()
        inner = make_transfer_pipeline(DomainCentering(), classifier())
        union = FeatureUnion([("all", make_transfer_pipeline(StandardScaler(), NoAdaptation()))])
        pipeline = make_transfer_pipeline(union, inner).fit(X, y, X_target=X_target, y_target=some)
        flat = self.make(classifier).fit(X, y, X_target=X_target, y_target=some)
        np.testing.assert_allclose(pipeline.predict_proba(X_target), flat.predict_proba(X_target))
        np.testing.assert_allclose(pipeline.predict_proba_source(X), flat.predict_proba_source(X))

    def test_memory_and_frames(self, classifier, tmp_path):
        X, y, X_target, _, some = flipped()
        frames = [pd.DataFrame(part, columns=list("abc")) for part in (X, X_target)]
        pipeline = self.make(classifier).set_params(memory=str(tmp_path))
        for _ in range(2):
            pipeline.fit(frames[0], pd.Series(y), X_target=frames[1], y_target=pd.Series(some))
        flat = self.make(classifier).fit(X, y, X_target=X_target, y_target=some)
        np.testing.assert_allclose(pipeline.predict_proba(frames[1]), flat.predict_proba(X_target))

    def test_saved_and_loaded(self, classifier, tmp_path):
        X, y, X_target, _, some = flipped()
        pipeline = self.make(classifier).fit(X, y, X_target=X_target, y_target=some)
        loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
        np.testing.assert_array_equal(loaded.predict_proba(X_target), pipeline.predict_proba(X_target))
        np.testing.assert_array_equal(loaded.predict_proba_source(X), pipeline.predict_proba_source(X))

    @pytest.mark.parametrize("method", ["fit", "fit_transform"])
    def test_messages(self, classifier, method):
        X, y, X_target, _, some = flipped()
        pipeline = self.make(classifier)
        if method == "fit_transform":
            pipeline = make_transfer_pipeline(StandardScaler(), NoAdaptation())
        fit = getattr(pipeline, method)
        with pytest.raises(ValueError, match="Got y_target, but no X_target"):
            fit(X, y, y_target=some)
        with pytest.raises(ValueError, match="Got y_target twice"):
            fit(X, y, X_target=Target(X_target, some), y_target=some)

    def test_wrong_labels(self, classifier):
        X, y, X_target, _, some = flipped()
        with pytest.raises(ValueError, match="y_target has 199 labels, but X_target has 200 rows"):
            self.make(classifier).fit(X, y, X_target=X_target, y_target=some[1:])
        with pytest.raises(ValueError, match="y_target holds no known label"):
            self.make(classifier).fit(X, y, X_target=Target(X_target, [None] * 200))


def test_nothing_takes_the_labels():
    X, y, X_target, _, some = flipped()
    pipeline = make_transfer_pipeline(NoAdaptation(), LogisticRegression())
    with pytest.raises(ValueError, match=r"y_target, but no step of the pipeline takes it.*PooledCl"):
        pipeline.fit(X, y, X_target=X_target, y_target=some)


def test_a_source_path_inside_another_classifier_is_refused():
    X, y, _, _, _ = flipped()
    search = GridSearchCV(FeatureAugmentationClassifier(), {"target_weight": [1.0]}, cv=2)
    pipeline = make_transfer_pipeline(NoAdaptation(), search).fit(X, y)
    with pytest.raises(TypeError, match="inside a GridSearchCV, or a classifier with a source path"):
        pipeline.predict_source(X)


def test_the_holder_says_what_it_holds():
    assert repr(Target([1])) == "Target(list)"
    assert repr(Target(np.ones(3), [None, 1, 0])) == "Target(ndarray, list)"
