"""TransferPipeline: the four traps of docs/design.md, and all that scikit-learn does with a pipeline."""

import copy
import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score, cross_validate
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils import estimator_html_repr
from sklearn.utils.estimator_checks import check_estimator

from embtransfer import (
    CORAL,
    SCL,
    DomainCentering,
    NoAdaptation,
    SelfTrainingClassifier,
    SubspaceAlignment,
    Target,
    TransferPipeline,
    WordEmbedder,
    make_transfer_pipeline,
    source_scorer,
)

PANS = [
    "a good pan, great value",
    "the handle broke, a terrible pot",
    "excellent knife and a fine board",
    "poor lid, bad coating, awful",
    "wonderful kettle, I love it",
    "horrible blender, a waste of money",
] * 3
LABELS = [1, 0, 1, 0, 1, 0] * 3
FILMS = [
    "a good film with a great plot",
    "terrible acting and a bad script",
    "an excellent story, a fine director",
    "a poor, boring, awful movie",
    "wonderful actors, I love this film",
] * 4
routing = pytest.mark.parametrize("on", [False, True], ids=["routing off", "routing on"])


class Shift:
    """Two classes 3 apart in the first of five columns; in the target all rows lie 6 further on."""

    def __init__(self, n=90, seed=0):
        rng = np.random.default_rng(seed)
        self.y = np.arange(n) % 2
        self.X, self.X_target = rng.normal(size=(2, n, 5))
        self.X[:, 0] += 3 * self.y
        self.X_target[:, 0] += 3 * self.y + 6


@pytest.fixture
def shift():
    return Shift()


class Recording(NoAdaptation):
    """Writes down how many rows of each domain every fit saw."""

    seen = []

    def _fit(self, source, target, y):
        self.seen.append((len(source), len(target)))
        return super()._fit(source, target, y)


@pytest.fixture
def seen():
    Recording.seen.clear()
    return Recording.seen


@pytest.fixture(autouse=True)
def _configuration_is_left_alone():
    before = get_config()
    yield
    assert get_config() == before


def centred():
    return make_transfer_pipeline(DomainCentering(), LogisticRegression())


def words(adapter=None):
    return make_transfer_pipeline(WordEmbedder(), adapter or DomainCentering(), LogisticRegression(C=10))


def accuracy(predicted, y):
    return np.mean(predicted == y)


class TestTrap1SourceRowsThroughTheTargetMap:
    def test_predict_is_for_the_target(self, shift):
        unadapted = LogisticRegression().fit(shift.X, shift.y)
        pipeline = centred().fit(shift.X, shift.y, X_target=shift.X_target)
        assert accuracy(unadapted.predict(shift.X_target), shift.y) < 0.6
        assert accuracy(pipeline.predict(shift.X_target), shift.y) > 0.9
        assert accuracy(pipeline.predict(shift.X), shift.y) < 0.6
        assert accuracy(pipeline.predict_source(shift.X), shift.y) > 0.9

    @routing
    def test_plain_cross_validation_misleads_and_source_scorer_does_not(self, shift, on):
        params = {"X_target": Target(shift.X_target)}
        with config_context(enable_metadata_routing=on):
            plain = cross_val_score(centred(), shift.X, shift.y, params=params, scoring="accuracy")
            honest = cross_val_score(centred(), shift.X, shift.y, params=params, scoring=source_scorer())
        assert plain.mean() < 0.6
        assert honest.mean() > 0.9

    @pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "neg_log_loss", None])
    def test_source_scorer_scores_the_source_view(self, shift, scoring):
        pipeline = centred().fit(shift.X, shift.y, X_target=shift.X_target)
        view = pipeline.source_view()
        expected = {
            "accuracy": lambda: accuracy(view.predict(shift.X), shift.y),
            "roc_auc": lambda: pair_auc(view.decision_function(shift.X), shift.y),
            "neg_log_loss": lambda: np.log(view.predict_proba(shift.X)[np.arange(90), shift.y]).mean(),
            None: lambda: view.score(shift.X, shift.y),
        }[scoring]()
        assert source_scorer(scoring)(pipeline, shift.X, shift.y) == pytest.approx(expected)

    def test_source_scorer_takes_a_callable(self, shift):
        pipeline = centred().fit(shift.X, shift.y, X_target=shift.X_target)
        scorer = source_scorer(lambda estimator, X, y: len(estimator.predict(X)))
        assert scorer(pipeline, shift.X, shift.y) == 90

    def test_predict_proba_source(self, shift):
        pipeline = centred().fit(shift.X, shift.y, X_target=shift.X_target)
        proba = pipeline.predict_proba_source(shift.X)
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        np.testing.assert_array_equal(proba.argmax(axis=1), pipeline.predict_source(shift.X))

    @pytest.mark.parametrize("method", ["predict_source", "predict_proba_source"])
    def test_not_fitted(self, shift, method):
        with pytest.raises(NotFittedError, match="not fitted"):
            getattr(centred(), method)(shift.X)

    def test_a_source_view_is_not_for_fitting(self, shift):
        view = centred().fit(shift.X, shift.y, X_target=shift.X_target).source_view()
        with pytest.raises(TypeError, match="fit the TransferPipeline"):
            view.fit(shift.X, shift.y)

    def test_predict_is_as_before_after_a_source_view(self, shift):
        pipeline = centred().fit(shift.X, shift.y, X_target=shift.X_target)
        before = pipeline.predict_proba(shift.X_target)
        pipeline.predict_source(shift.X)
        np.testing.assert_array_equal(pipeline.predict_proba(shift.X_target), before)
        assert isinstance(pipeline[0], DomainCentering)


def pair_auc(decision, y):
    """Share of pairs (positive, negative) in the right order."""
    return np.mean(decision[y == 1][:, None] > decision[y == 0])


class TestTrap2AsManyTargetRowsAsSourceRows:
    """Each fold's adapter sees all of the target, for sizes of the target that scikit-learn would cut."""

    sizes = pytest.mark.parametrize("n_target", [90, 60, 40], ids=["outer", "inner train", "nested train"])

    @staticmethod
    def pipeline():
        return make_transfer_pipeline(Recording(), LogisticRegression())

    @sizes
    @routing
    @pytest.mark.parametrize("validate", [cross_validate, cross_val_score, cross_val_predict])
    def test_cross_validation(self, shift, seen, validate, n_target, on):
        with config_context(enable_metadata_routing=on):
            params = {"X_target": Target(shift.X_target[:n_target])}
            validate(self.pipeline(), shift.X, shift.y, cv=3, params=params)
        assert seen == [(60, n_target)] * 3

    @sizes
    @routing
    def test_grid_search(self, shift, seen, n_target, on):
        search = GridSearchCV(
            self.pipeline(), {"logisticregression__C": [1, 10]}, cv=3, scoring=source_scorer()
        )
        with config_context(enable_metadata_routing=on):
            search.fit(shift.X, shift.y, X_target=Target(shift.X_target[:n_target]))
        assert seen == [(60, n_target)] * 6 + [(90, n_target)]

    @sizes
    @routing
    def test_nested_cross_validation(self, shift, seen, n_target, on):
        search = GridSearchCV(
            self.pipeline(), {"logisticregression__C": [1, 10]}, cv=3, scoring=source_scorer()
        )
        with config_context(enable_metadata_routing=on):
            params = {"X_target": Target(shift.X_target[:n_target])}
            scores = cross_val_score(search, shift.X, shift.y, cv=3, params=params)
        assert {rows for _, rows in seen} == {n_target}
        assert len(seen) == 3 * (3 * 2 + 1)
        assert scores.min() > 0.8

    def test_two_processes(self, shift):
        search = GridSearchCV(
            centred(), {"domaincentering__with_std": [False, True]}, cv=3, scoring=source_scorer(), n_jobs=2
        )
        fitted = cross_validate(
            search, shift.X, shift.y, cv=3, params={"X_target": Target(shift.X_target)}, return_estimator=True
        )
        for inner in fitted["estimator"]:
            offset = inner.best_estimator_[0].target_map_.offset
            np.testing.assert_allclose(offset, shift.X_target.mean(axis=0))
        assert fitted["test_score"].min() > 0.8

    def test_the_holder_looks_like_no_array(self, shift):
        holder = Target(shift.X_target)
        for attribute in ("__len__", "shape", "__array__", "__getitem__", "__iter__"):
            assert not hasattr(holder, attribute)
        assert repr(holder) == "Target(ndarray)"


class TestTrap3PassthroughTakesNoTarget:
    @pytest.mark.parametrize("adapter", ["passthrough", None])
    def test_message(self, shift, adapter):
        pipeline = TransferPipeline([("adapt", adapter), ("classify", LogisticRegression())])
        with pytest.raises(ValueError, match=r"no step of the pipeline takes it.*NoAdaptation\(\)"):
            pipeline.fit(shift.X, shift.y, X_target=shift.X_target)

    @pytest.mark.parametrize("method", ["fit", "fit_transform", "fit_predict"])
    def test_every_way_to_fit(self, shift, method):
        last = KMeans(2) if method == "fit_predict" else StandardScaler()
        with pytest.raises(ValueError, match="no step of the pipeline takes it"):
            getattr(make_transfer_pipeline(StandardScaler(), last), method)(shift.X, X_target=shift.X_target)

    def test_a_target_without_rows(self, shift):
        pipeline = make_transfer_pipeline(CORAL(), LogisticRegression())
        for empty in ([], sparse.csr_matrix((0, 2)), Target(shift.X_target[:0])):
            with pytest.raises(ValueError, match="Got X_target without a row"):
                pipeline.fit(shift.X, shift.y, X_target=empty)

    def test_without_a_target_all_is_well(self, shift):
        pipeline = TransferPipeline([("adapt", "passthrough"), ("classify", LogisticRegression())])
        assert accuracy(pipeline.fit(shift.X, shift.y).predict(shift.X), shift.y) > 0.9

    def test_as_last_step_beside_an_adapter(self, shift):
        pipeline = TransferPipeline([("adapt", DomainCentering()), ("last", "passthrough")])
        out = pipeline.fit_transform(shift.X, X_target=shift.X_target)
        np.testing.assert_allclose(out, shift.X - shift.X.mean(axis=0))
        np.testing.assert_allclose(pipeline.source_view().transform(shift.X), out)


class TestTrap4WrappersAroundThePipeline:
    def test_calibration_inside(self, shift):
        last = CalibratedClassifierCV(LogisticRegression(), cv=3)
        pipeline = make_transfer_pipeline(DomainCentering(), last)
        pipeline.fit(shift.X, shift.y, X_target=shift.X_target)
        proba = pipeline.predict_proba(shift.X_target)
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        assert accuracy(pipeline.predict(shift.X_target), shift.y) > 0.9
        assert accuracy(pipeline.predict_source(shift.X), shift.y) > 0.9

    def test_source_scorer_refuses_a_wrapper(self, shift):
        wrapper = CalibratedClassifierCV(centred(), cv=3).fit(shift.X, shift.y)
        with pytest.raises(TypeError, match=r"Got CalibratedClassifierCV\..*inside the pipeline"):
            source_scorer()(wrapper, shift.X, shift.y)


class TestConfiguration:
    """The fixture above compares scikit-learn's configuration before and after every test of this file."""

    @routing
    def test_after_a_failed_fit(self, shift, on):
        shift.X[0, 0] = np.nan
        with config_context(enable_metadata_routing=on):
            before = get_config()
            with pytest.raises(ValueError, match="Input X contains NaN"):
                centred().fit(shift.X, shift.y, X_target=shift.X_target)
            assert get_config() == before

    @routing
    @pytest.mark.parametrize("holder", [Target, np.asarray])
    def test_all_methods(self, shift, on, holder):
        expected = centred().fit(shift.X, shift.y, X_target=shift.X_target)
        with config_context(enable_metadata_routing=on):
            pipeline = centred().fit(shift.X, shift.y, X_target=holder(shift.X_target))
            for method in ("predict", "predict_proba", "decision_function", "predict_source"):
                np.testing.assert_array_equal(
                    getattr(pipeline, method)(shift.X), getattr(expected, method)(shift.X)
                )
            assert pipeline.score(shift.X_target, shift.y) > 0.9


@pytest.mark.parametrize("method", ["fit_transform", "fit_predict"])
def test_other_ways_to_fit_take_the_target(shift, method):
    last = KMeans(2, random_state=0, n_init=1) if method == "fit_predict" else StandardScaler()
    pipeline = make_transfer_pipeline(DomainCentering(), last)
    out = getattr(pipeline, method)(shift.X, X_target=Target(shift.X_target))
    np.testing.assert_allclose(pipeline[0].target_map_.offset, shift.X_target.mean(axis=0))
    view = pipeline.source_view()
    expected = view.transform(shift.X) if method == "fit_transform" else view.predict(shift.X)
    np.testing.assert_allclose(out, expected)


@pytest.mark.parametrize("method", ["fit_transform", "fit_predict"])
def test_other_ways_to_fit_send_the_target_through_the_steps_before(shift, method):
    """Which scikit-learn before 1.9 does in `fit` alone."""
    last = KMeans(2, random_state=0, n_init=1) if method == "fit_predict" else StandardScaler()
    steps = StandardScaler(), DomainCentering(), last
    expected = make_transfer_pipeline(*steps).fit(shift.X, X_target=shift.X_target)
    pipeline = make_transfer_pipeline(*clone(steps))
    getattr(pipeline, method)(shift.X, X_target=shift.X_target)
    scaled = pipeline[0].transform(shift.X_target)
    np.testing.assert_allclose(pipeline[1].target_map_.offset, scaled.mean(axis=0))
    np.testing.assert_allclose(pipeline.transform(shift.X_target), expected.transform(shift.X_target))


@pytest.mark.parametrize("hold", [lambda part: part, Target], ids=["raw", "Target"])
@pytest.mark.parametrize(
    "container",
    [list, tuple, pd.Series, pl.Series, np.array, lambda texts: np.array(texts, object)],
    ids=["list", "tuple", "pandas", "polars", "str array", "object array"],
)
def test_containers_of_texts(container, hold):
    expected = words().fit(PANS, LABELS, X_target=FILMS)
    pipeline = words().fit(container(PANS), LABELS, X_target=hold(container(FILMS)))
    np.testing.assert_array_equal(pipeline.predict_proba(container(FILMS)), expected.predict_proba(FILMS))


def test_texts_of_a_frame_with_an_index_of_its_own():
    frame = pd.DataFrame({"text": PANS, "label": LABELS}, index=range(100, 100 + len(PANS)))
    target = pd.Series(FILMS, index=range(7, 7 + len(FILMS)))
    pipeline = words().fit(frame["text"], frame["label"], X_target=target)
    np.testing.assert_array_equal(pipeline.predict(target), [1, 0, 1, 0, 1] * 4)


@pytest.mark.parametrize(
    ("negative", "positive"),
    [("bad", "good"), (False, True), (-1, 1), (0, 1), (2.0, 5.0)],
    ids=["str", "bool", "-1 and 1", "int", "float"],
)
@pytest.mark.parametrize("container", [list, np.array, pd.Series])
def test_labels(negative, positive, container):
    y = [positive if label else negative for label in LABELS]
    pipeline = words().fit(PANS, container(y), X_target=FILMS)
    assert list(pipeline.classes_) == [negative, positive]
    assert list(pipeline.predict_source(PANS)) == y
    assert set(pipeline.predict(FILMS)) == {negative, positive}
    assert pipeline.predict_proba(FILMS).shape == (len(FILMS), 2)


def test_three_classes():
    y = ["good", "bad", "kettle"] * 6
    pipeline = words().fit(PANS, y, X_target=FILMS)
    assert list(pipeline.classes_) == ["bad", "good", "kettle"]
    assert pipeline.predict_proba(FILMS).shape == (len(FILMS), 3)


@pytest.mark.parametrize("container", [list, np.array, pd.Series])
def test_nothing_passed_in_is_modified(container):
    passed = [container(part) for part in (PANS, LABELS, FILMS)]
    copies = copy.deepcopy(passed)
    for part in passed:
        if isinstance(part, np.ndarray):
            part.flags.writeable = False
    pipeline = words().fit(*passed[:2], X_target=Target(passed[2]))
    pipeline.predict(passed[2])
    pipeline.predict_source(passed[0])
    for part, before in zip(passed, copies, strict=True):
        assert type(part) is type(before)
        assert list(part) == list(before)


def test_fit_params_passed_in_are_not_modified(shift):
    params = {"X_target": Target(shift.X_target), "logisticregression__sample_weight": np.ones(90)}
    before = dict(params)
    centred().fit(shift.X, shift.y, **params)
    assert params == before


def test_pickle(shift):
    pipeline = centred().fit(shift.X, shift.y, X_target=shift.X_target)
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(again.predict_proba(shift.X_target), pipeline.predict_proba(shift.X_target))
    np.testing.assert_array_equal(again.predict_source(shift.X), pipeline.predict_source(shift.X))


def test_predict_from_a_pickle_in_a_fresh_process(tmp_path):
    pipeline = words(CORAL()).fit(PANS, LABELS, X_target=FILMS)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((pipeline, FILMS, PANS)))
    code = (
        "import json, pickle, sys; pipeline, films, pans = pickle.load(open(sys.argv[1], 'rb')); "
        "print(json.dumps([pipeline.predict_proba(films).tolist(), pipeline.predict_source(pans).tolist()]))"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code, tmp_path / "model.pickle"],
        capture_output=True,
        text=True,
        check=True,
    )
    proba, from_source = json.loads(run.stdout)
    np.testing.assert_allclose(proba, pipeline.predict_proba(FILMS), rtol=1e-6)
    assert from_source == pipeline.predict_source(PANS).tolist()


def test_clone_is_not_fitted_and_fits_the_same(shift):
    pipeline = make_transfer_pipeline(CORAL(0.3), LogisticRegression(), memory="somewhere", verbose=False)
    assert repr(clone(pipeline)) == repr(pipeline)
    fitted = centred().fit(shift.X, shift.y, X_target=shift.X_target)
    cloned = clone(fitted)
    with pytest.raises(NotFittedError, match="not fitted"):
        cloned.predict(shift.X)
    cloned.fit(shift.X, shift.y, X_target=shift.X_target)
    np.testing.assert_array_equal(cloned.predict_proba(shift.X), fitted.predict_proba(shift.X))


def test_set_params_by_step(shift):
    pipeline = TransferPipeline([("adapt", CORAL()), ("classify", LogisticRegression())])
    pipeline.set_params(adapt__shrinkage=0.3, classify__C=2)
    assert pipeline["adapt"].shrinkage == 0.3
    pipeline.set_params(adapt=DomainCentering(with_std=True)).fit(shift.X, shift.y, X_target=shift.X_target)
    assert pipeline["adapt"].target_map_.weight.shape == (5,)


def test_grid_search_over_adapters_and_their_parameters(shift):
    pipeline = TransferPipeline([("adapt", NoAdaptation()), ("classify", LogisticRegression())])
    grid = [
        {"adapt": [NoAdaptation(), DomainCentering(), CORAL()]},
        {"adapt": [SubspaceAlignment()], "adapt__n_components": [2, 4]},
    ]
    search = GridSearchCV(pipeline, grid, cv=3, scoring=source_scorer(), error_score="raise")
    search.fit(shift.X, shift.y, X_target=Target(shift.X_target))
    assert len(search.cv_results_["mean_test_score"]) == 5
    assert search.cv_results_["mean_test_score"].min() > 0.8
    search.best_estimator_.set_params(adapt=DomainCentering())
    assert search.best_estimator_["classify"].classes_.tolist() == [0, 1]


def test_grid_search_predicts_the_target(shift):
    search = GridSearchCV(
        centred(), {"domaincentering__with_std": [False, True]}, cv=3, scoring=source_scorer()
    ).fit(shift.X, shift.y, X_target=Target(shift.X_target))
    assert accuracy(search.predict(shift.X_target), shift.y) > 0.9


class TestSetOutput:
    @pytest.fixture
    def pipeline(self, shift):
        return centred().set_output(transform="pandas").fit(shift.X, shift.y, X_target=shift.X_target)

    def test_predictions(self, shift, pipeline):
        plain = centred().fit(shift.X, shift.y, X_target=shift.X_target)
        np.testing.assert_array_equal(pipeline.predict(shift.X_target), plain.predict(shift.X_target))
        assert list(pipeline[-1].feature_names_in_) == [f"domaincentering{i}" for i in range(5)]

    def test_transform(self, shift, pipeline):
        out = pipeline[:-1].transform(shift.X_target)
        assert list(out.columns) == [f"domaincentering{i}" for i in range(5)]

    def test_source_view(self, shift, pipeline):
        plain = centred().fit(shift.X, shift.y, X_target=shift.X_target)
        np.testing.assert_array_equal(pipeline.predict_source(shift.X), plain.predict_source(shift.X))
        out = pipeline.source_view()[:-1].transform(shift.X)
        assert list(out.columns) == [f"domaincentering{i}" for i in range(5)]

    def test_texts(self):
        pipeline = words(CORAL()).set_output(transform="pandas").fit(pd.Series(PANS), LABELS, X_target=FILMS)
        np.testing.assert_array_equal(
            pipeline.predict(FILMS), words(CORAL()).fit(PANS, LABELS, X_target=FILMS).predict(FILMS)
        )


def test_feature_names_out():
    transformers = words(SubspaceAlignment(4)).fit(PANS, LABELS, X_target=FILMS)[:-1]
    assert list(transformers.get_feature_names_out()) == [f"subspacealignment{i}" for i in range(4)]
    from_source = transformers.source_view().get_feature_names_out()
    assert list(from_source) == list(transformers.get_feature_names_out())


@pytest.mark.parametrize("fitted", [False, True])
def test_html_repr(shift, fitted):
    pipeline = centred()
    if fitted:
        pipeline.fit(shift.X, shift.y, X_target=shift.X_target)
    for page in (estimator_html_repr(pipeline), pipeline._repr_html_()):
        for name in ("TransferPipeline", "DomainCentering", "LogisticRegression"):
            assert name in page


def test_repr_of_the_scorer():
    assert repr(source_scorer("f1")) == "source_scorer('f1')"


class TestMemory:
    def test_cached_steps_are_not_fitted_again(self, shift, seen, tmp_path):
        pipeline = make_transfer_pipeline(Recording(), LogisticRegression(), memory=str(tmp_path))
        expected = make_transfer_pipeline(NoAdaptation(), LogisticRegression())
        expected.fit(shift.X, shift.y, X_target=shift.X_target)
        for _ in range(2):
            pipeline.fit(shift.X, shift.y, X_target=shift.X_target)
            np.testing.assert_array_equal(pipeline.predict_proba(shift.X), expected.predict_proba(shift.X))
        assert seen == [(90, 90)]

    def test_another_target_is_another_fit(self, shift, seen, tmp_path):
        pipeline = make_transfer_pipeline(Recording(), LogisticRegression(), memory=str(tmp_path))
        for n_target in (90, 50, 90):
            pipeline.fit(shift.X, shift.y, X_target=shift.X_target[:n_target])
        assert seen == [(90, 90), (90, 50)]

    def test_texts(self, tmp_path):
        pipeline = words().set_params(memory=str(tmp_path))
        expected = words().fit(PANS, LABELS, X_target=FILMS).predict_proba(FILMS)
        for _ in range(2):
            pipeline.fit(PANS, LABELS, X_target=Target(FILMS))
            np.testing.assert_array_equal(pipeline.predict_proba(FILMS), expected)


def test_third_party_first_steps():
    def steps():
        return TfidfVectorizer(), TruncatedSVD(4, random_state=0)

    pipeline = make_transfer_pipeline(*steps(), CORAL(0.1), LogisticRegression())
    pipeline.fit(PANS, LABELS, X_target=Target(FILMS))
    before = make_pipeline(*steps()).fit(PANS)
    adapter = CORAL(0.1)
    classifier = LogisticRegression().fit(
        adapter.fit_transform(before.transform(PANS), LABELS, X_target=before.transform(FILMS)), LABELS
    )
    np.testing.assert_allclose(
        pipeline.predict_proba(FILMS),
        classifier.predict_proba(adapter.transform(before.transform(FILMS))),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        pipeline.predict_proba_source(PANS),
        classifier.predict_proba(adapter.transform_source(before.transform(PANS))),
        rtol=1e-6,
    )


def test_two_adapters_in_a_row(shift):
    pipeline = make_transfer_pipeline(DomainCentering(with_std=True), CORAL(0), LogisticRegression())
    pipeline.fit(shift.X, shift.y, X_target=shift.X_target)
    first, second = DomainCentering(with_std=True), CORAL(0)
    source = first.fit_transform(shift.X, shift.y, X_target=shift.X_target)
    target = first.transform(shift.X_target)
    source = second.fit_transform(source, shift.y, X_target=target)
    np.testing.assert_allclose(pipeline.source_view()[:-1].transform(shift.X), source, atol=1e-12)
    np.testing.assert_allclose(pipeline[:-1].transform(shift.X_target), second.transform(target), atol=1e-12)


class Counting(WordEmbedder):
    """Writes down the texts of every call of `transform`."""

    calls = []

    def transform(self, X):
        self.calls.append(list(X))
        return super().transform(X)


@pytest.mark.parametrize("memory", [False, True], ids=["", "memory"])
def test_the_target_is_embedded_once_for_all_steps(memory, tmp_path):
    Counting.calls.clear()
    steps = (
        CORAL(0.1),
        "passthrough",
        DomainCentering(with_std=True),
        SelfTrainingClassifier(LogisticRegression()),
    )
    pipeline = make_transfer_pipeline(Counting(), *steps, memory=str(tmp_path) if memory else None)
    pipeline.fit(PANS, LABELS, X_target=FILMS)
    assert Counting.calls.count(FILMS) == 1
    embedder = WordEmbedder()
    X, X_target = embedder.fit_transform(PANS), embedder.transform(FILMS)
    coral, centering = CORAL(0.1), DomainCentering(with_std=True)
    for adapter in (coral, centering):
        X, X_target = adapter.fit_transform(X, LABELS, X_target=X_target), adapter.transform(X_target)
    classifier = SelfTrainingClassifier(LogisticRegression(), priors=coral.priors_)
    classifier.fit(X, LABELS, X_target=X_target)
    np.testing.assert_array_equal(pipeline.predict_proba(FILMS), classifier.predict_proba(X_target))


def views():
    return [
        ("plain", make_transfer_pipeline(WordEmbedder(), DomainCentering())),
        ("idf", make_transfer_pipeline(WordEmbedder(pooling="idf"), SubspaceAlignment(5))),
    ]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_union_of_two_adapted_embedders(n_jobs):
    pipeline = make_transfer_pipeline(FeatureUnion(views(), n_jobs=n_jobs), LogisticRegression())
    pipeline.fit(PANS, LABELS, X_target=Target(FILMS))
    alone = [view.fit(PANS, LABELS, X_target=FILMS) for _, view in views()]
    np.testing.assert_allclose(
        pipeline[:-1].transform(FILMS), np.hstack([view.transform(FILMS) for view in alone]), atol=1e-6
    )
    np.testing.assert_allclose(
        pipeline.source_view()[:-1].transform(PANS),
        np.hstack([view.source_view().transform(PANS) for view in alone]),
        atol=1e-6,
    )
    np.testing.assert_array_equal(pipeline.predict_source(PANS), LABELS)
    np.testing.assert_array_equal(pipeline.predict(FILMS), [1, 0, 1, 0, 1] * 4)


def test_union_with_weights_and_a_dropped_view():
    union = FeatureUnion([*views(), ("none", "drop")], transformer_weights={"idf": 3.0})
    pipeline = make_transfer_pipeline(union, LogisticRegression()).fit(PANS, LABELS, X_target=FILMS)
    from_source = pipeline.source_view()[:-1].transform(PANS)
    assert from_source.shape == (len(PANS), 55)
    np.testing.assert_allclose(
        from_source[:, 50:],
        3 * views()[1][1].fit(PANS, LABELS, X_target=FILMS).source_view().transform(PANS),
        atol=1e-5,
    )


class TestHybridViews:
    """Words and vectors side by side, each view adapted in its own way, before a classifier."""

    last = pytest.mark.parametrize(
        "last", [LogisticRegression(C=10), SelfTrainingClassifier()], ids=["logistic", "self-training"]
    )
    sparse_adapter = pytest.mark.parametrize(
        "adapter", [NoAdaptation(), SCL(n_pivots=5, n_components=3)], ids=["as they are", "SCL"]
    )

    @staticmethod
    def views(adapter):
        return [
            make_transfer_pipeline(TfidfVectorizer(), clone(adapter)),
            make_transfer_pipeline(WordEmbedder(), DomainCentering()),
        ]

    def pipeline(self, adapter, last):
        union = FeatureUnion(list(zip(["words", "vectors"], self.views(adapter), strict=True)))
        return make_transfer_pipeline(union, clone(last))

    @last
    @sparse_adapter
    def test_both_domains(self, adapter, last):
        pipeline = self.pipeline(adapter, last).fit(PANS, LABELS, X_target=Target(FILMS))
        alone = [view.fit(PANS, LABELS, X_target=FILMS) for view in self.views(adapter)]
        source = sparse.hstack([view.source_view().transform(PANS) for view in alone], format="csr")
        target = sparse.hstack([view.transform(FILMS) for view in alone], format="csr")
        given = {"X_target": target} if isinstance(last, SelfTrainingClassifier) else {}
        expected = clone(last).fit(source, LABELS, **given)
        np.testing.assert_allclose(
            pipeline.predict_proba(FILMS), expected.predict_proba(target), rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(
            pipeline.predict_proba_source(PANS), expected.predict_proba(source), rtol=1e-4, atol=1e-6
        )
        np.testing.assert_array_equal(pipeline.predict(FILMS), expected.predict(target))
        np.testing.assert_array_equal(pipeline.predict_source(PANS), LABELS)

    @last
    def test_the_source_path_is_another(self, last):
        pipeline = self.pipeline(NoAdaptation(), last).fit(PANS, LABELS, X_target=FILMS)
        assert not np.allclose(pipeline.predict_proba(PANS), pipeline.predict_proba_source(PANS))

    @last
    def test_model_selection(self, last):
        search = GridSearchCV(
            self.pipeline(NoAdaptation(), last),
            {"featureunion__transformer_weights": [None, {"words": 0.1}]},
            cv=3,
            scoring=source_scorer(),
            error_score="raise",
        ).fit(PANS, LABELS, X_target=Target(FILMS[: len(PANS)]))
        assert search.best_score_ > 0.9
        assert accuracy(search.predict(FILMS), [1, 0, 1, 0, 1] * 4) > 0.9


@pytest.mark.parametrize(
    "nest",
    [TransferPipeline, lambda steps: Pipeline(steps, transform_input=["X_target"])],
    ids=["TransferPipeline", "Pipeline"],
)
def test_nested_pipeline(nest):
    inner = nest([("embed", WordEmbedder()), ("adapt", DomainCentering())])
    pipeline = TransferPipeline([("inner", inner), ("classify", LogisticRegression(C=10))])
    pipeline.fit(PANS, LABELS, X_target=FILMS)
    flat = words().fit(PANS, LABELS, X_target=FILMS)
    np.testing.assert_array_equal(pipeline.predict_proba(FILMS), flat.predict_proba(FILMS))
    np.testing.assert_array_equal(pipeline.predict_proba_source(PANS), flat.predict_proba_source(PANS))


@pytest.mark.parametrize(
    "around",
    [
        lambda inner: inner,
        lambda inner: FeatureUnion([("inner", inner), ("adapter", CORAL())]),
        lambda inner: FeatureUnion([("adapter", CORAL()), ("inner", inner)]),  # after one that takes it
    ],
    ids=["alone", "first", "later"],
)
def test_nested_plain_pipeline_that_would_not_transform_the_target_is_refused(shift, around):
    inner = around(make_pipeline(StandardScaler(), DomainCentering()))
    with pytest.raises(ValueError, match="make_transfer_pipeline"):
        make_transfer_pipeline(inner, LogisticRegression()).fit(shift.X, shift.y, X_target=shift.X_target)


class TestFitParametersOfSteps:
    weight = np.where(np.arange(90) < 45, 1.0, 0.01)

    @staticmethod
    def requests(pipeline):
        return {name: copy.deepcopy(vars(step).get("_metadata_request")) for name, step in pipeline.steps}

    @routing
    def test_reaches_the_classifier(self, shift, on):
        with config_context(enable_metadata_routing=on):
            pipeline = centred().fit(
                shift.X, shift.y, X_target=shift.X_target, logisticregression__sample_weight=self.weight
            )
        rows = DomainCentering().fit_transform(shift.X, shift.y, X_target=shift.X_target)
        expected = LogisticRegression().fit(rows, shift.y, sample_weight=self.weight)
        np.testing.assert_allclose(pipeline[-1].coef_, expected.coef_)
        assert not np.allclose(pipeline[-1].coef_, LogisticRegression().fit(rows, shift.y).coef_)

    def test_reaches_the_classifier_inside_a_calibration(self, shift):
        last = CalibratedClassifierCV(LogisticRegression(), cv=3)
        name = "calibratedclassifiercv__sample_weight"
        pipeline = make_transfer_pipeline(DomainCentering(), clone(last))
        pipeline.fit(shift.X, shift.y, X_target=shift.X_target, **{name: self.weight})
        rows = DomainCentering().fit_transform(shift.X, shift.y, X_target=shift.X_target)
        expected = last.fit(rows, shift.y, sample_weight=self.weight)
        np.testing.assert_allclose(pipeline.predict_proba_source(shift.X), expected.predict_proba(rows))

    def test_reaches_two_steps_under_one_name(self, shift):
        pipeline = make_transfer_pipeline(StandardScaler(), LogisticRegression())
        pipeline.fit(
            shift.X,
            shift.y,
            standardscaler__sample_weight=self.weight,
            logisticregression__sample_weight=self.weight[::-1],
        )
        rows = StandardScaler().fit(shift.X, sample_weight=self.weight).transform(shift.X)
        expected = LogisticRegression().fit(rows, shift.y, sample_weight=self.weight[::-1])
        np.testing.assert_allclose(pipeline[-1].coef_, expected.coef_)

    def test_is_cut_into_folds_with_the_rows(self, shift):
        params = {"X_target": Target(shift.X_target), "logisticregression__sample_weight": self.weight}
        scores = cross_val_score(centred(), shift.X, shift.y, params=params, scoring=source_scorer())
        assert scores.mean() > 0.8

    @pytest.mark.parametrize("wanted", [None, True, False, "weights"])
    def test_requests_are_as_before(self, shift, wanted):
        pipeline = centred()
        if wanted is not None:
            with config_context(enable_metadata_routing=True):
                pipeline[-1].set_fit_request(sample_weight=wanted)
        before = self.requests(pipeline)
        pipeline.fit(shift.X, shift.y, logisticregression__sample_weight=self.weight)
        assert repr(self.requests(pipeline)) == repr(before)

    @pytest.mark.parametrize("memory", [False, True], ids=["", "memory"])
    def test_requests_of_earlier_steps_are_as_before(self, shift, memory, tmp_path):
        pipeline = make_transfer_pipeline(
            StandardScaler(),
            DomainCentering(),
            LogisticRegression(),
            memory=str(tmp_path) if memory else None,
        )
        before = self.requests(pipeline)
        pipeline.fit(shift.X, shift.y, X_target=shift.X_target, standardscaler__sample_weight=self.weight)
        assert self.requests(pipeline) == before

    @pytest.mark.parametrize(
        ("wrong", "error", "message"),
        [
            ({"nope__sample_weight": 1}, ValueError, r"Expected step__parameter with one of: \['domaincent"),
            ({"logisticregression__nope": 1}, TypeError, "nope"),
            ({"nope": 1}, TypeError, "nope"),
        ],
        ids=["step", "parameter", "neither"],
    )
    def test_unknown_names(self, shift, wrong, error, message):
        pipeline = centred()
        before = self.requests(pipeline)
        with pytest.raises(error, match=message):
            pipeline.fit(shift.X, shift.y, logisticregression__sample_weight=self.weight, **wrong)
        assert self.requests(pipeline) == before

    def test_requests_are_as_before_when_fit_raises(self, shift):
        pipeline = centred()
        before = self.requests(pipeline)
        with pytest.raises(ValueError, match="sample_weight"):
            pipeline.fit(shift.X, shift.y, logisticregression__sample_weight=np.ones(3))
        assert self.requests(pipeline) == before


@pytest.mark.parametrize("adapter", [NoAdaptation(), DomainCentering(), CORAL()], ids=repr)
@pytest.mark.parametrize("nothing", [{}, {"X_target": None}, {"X_target": Target(None)}], ids=repr)
def test_without_a_target_it_is_an_ordinary_pipeline(shift, adapter, nothing):
    pipeline = make_transfer_pipeline(clone(adapter), LogisticRegression()).fit(shift.X, shift.y, **nothing)
    plain = make_pipeline(clone(adapter), LogisticRegression()).fit(shift.X, shift.y)
    np.testing.assert_array_equal(pipeline.predict_proba(shift.X), plain.predict_proba(shift.X))
    np.testing.assert_array_equal(pipeline.predict_proba_source(shift.X), plain.predict_proba(shift.X))


@pytest.mark.parametrize(
    "steps",
    [
        (WordEmbedder(), CORAL(), LogisticRegression()),
        (CORAL(), CORAL(), LogisticRegression()),
        (StandardScaler(), "passthrough", LogisticRegression()),
    ],
)
def test_steps_are_named_as_by_scikit_learn(steps):
    assert list(make_transfer_pipeline(*steps).named_steps) == list(make_pipeline(*steps).named_steps)


@pytest.mark.parametrize(
    "last", [StandardScaler(), LogisticRegression(), LinearSVC(), KMeans(), "passthrough"]
)
def test_offers_the_methods_that_scikit_learn_offers(last):
    pipeline, plain = make_transfer_pipeline(NoAdaptation(), last), make_pipeline(NoAdaptation(), last)
    offered = {name for name in dir(Pipeline) if hasattr(plain, name)}
    assert {name for name in dir(Pipeline) if hasattr(pipeline, name)} == offered


@pytest.mark.parametrize("last", [[], [LogisticRegression()]], ids=["transformer", "classifier"])
def test_fails_no_check_that_scikit_learns_pipeline_passes(last):
    failed = [
        {
            check["check_name"]
            for check in check_estimator(make(CORAL(), *last), on_fail=None, on_skip=None)
            if check["status"] == "failed"
        }
        for make in (make_transfer_pipeline, make_pipeline)
    ]
    assert failed[0] <= failed[1]
