"""Co-training: whole rounds against naive ones, views of every kind, both domains through model selection."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from embtransfer import (
    CoTrainingClassifier,
    DistilledEmbedder,
    DomainCentering,
    NoAdaptation,
    SelfTrainingClassifier,
    Target,
    TransferPipeline,
    WordEmbedder,
    load_pipeline,
    make_transfer_pipeline,
    save_pipeline,
    source_scorer,
)
from embtransfer.classifiers._rounds import _surest
from embtransfer.classifiers._sureness import tempered
from embtransfer.datasets import load_demo_reviews

EXACT = LogisticRegression(C=10.0, max_iter=1000, tol=1e-10)
NAMES = np.array(["bad", "good", "none"])


def simulate(n_classes=2, n=120, n_target=90, seed=0):
    """Three pairs of columns, each a view that says something of the class; the target lies elsewhere."""
    rng = np.random.default_rng(seed)
    y, y_target = np.arange(n) % n_classes, rng.integers(n_classes, size=n_target)
    means = rng.normal(size=(n_classes, 6))
    X = rng.normal(size=(n, 6)) + means[y]
    return X, y, rng.normal(size=(n_target, 6)) + 1.2 * means[y_target] + 0.3, y_target


def columns(i, classifier=EXACT):
    return make_pipeline(ColumnTransformer([("keep", "passthrough", [2 * i, 2 * i + 1])]), clone(classifier))


def three_views(classifier=EXACT):
    return [(f"view {i}", columns(i, classifier)) for i in range(3)]


def naive_co_training(X, y, X_target, labels_from, n_rounds, slope, priors, share=0.8, min_confidence=0.5):
    """Classifiers of three views after the rounds, spelled out; and how many rows the first took."""

    class Options:
        pass

    Options.priors_, Options.min_confidence = np.asarray(priors), min_confidence
    parts = [slice(2 * i, 2 * i + 2) for i in range(3)]
    models, added = [clone(EXACT).fit(X[:, part], y) for part in parts], []
    for r in range(1, n_rounds + 1):
        probas = [model.predict_proba(X_target[:, part]) for model, part in zip(models, parts, strict=True)]
        models = []
        for i, part in enumerate(parts):
            teach = {"all": {0, 1, 2}, "others": {0, 1, 2} - {i}, "own": {i}}[labels_from]
            teachers = [probas[j] for j in teach]
            rows, labels, _ = _surest(sum(teachers) / len(teachers), slope, share * r / n_rounds, Options)
            taught = np.vstack([X[:, part], X_target[rows][:, part]])
            models.append(clone(EXACT).fit(taught, np.concatenate([y, labels])))
            if i == 0:
                added.append(len(rows))
    return models, added


@pytest.fixture(scope="module")
def reviews():
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    return films.data, films.target, pans.data, pans.target


def words():
    return make_transfer_pipeline(TfidfVectorizer(), LogisticRegression(C=10))


def vectors():
    return make_transfer_pipeline(WordEmbedder(), DomainCentering(), LogisticRegression(C=10))


def both(**options):
    return CoTrainingClassifier([("words", words()), ("vectors", vectors())], **options)


@pytest.mark.parametrize(
    ("labels_from", "n_classes", "n_rounds"),
    [("others", 2, 3), ("others", 3, 1), ("all", 2, 1), ("all", 3, 3), ("own", 2, 3)],
)
def test_rounds_against_naive_ones(labels_from, n_classes, n_rounds):
    X, y, X_target, _ = simulate(n_classes)
    model = CoTrainingClassifier(three_views(), labels_from=labels_from, n_rounds=n_rounds, priors="source")
    model.fit(X, NAMES[y], X_target=X_target)
    models, added = naive_co_training(
        X, y, X_target, labels_from, n_rounds, 1 / model.temperature_, np.full(n_classes, 1 / n_classes)
    )
    assert [step["n_added"] for step in model.history_] == added
    probas = [part.predict_proba(X_target[:, 2 * i : 2 * i + 2]) for i, part in enumerate(models)]
    for view, proba in zip(model.views_.values(), probas, strict=True):
        np.testing.assert_allclose(view.predict_proba(X_target), proba, atol=1e-7)
    wanted = tempered(sum(probas) / 3, model.target_temperature_)
    np.testing.assert_allclose(model.predict_proba(X_target), wanted, atol=1e-7)
    np.testing.assert_array_equal(model.predict(X_target), NAMES[sum(probas).argmax(axis=1)])


def test_the_three_ways_to_label_differ():
    X, y, X_target, _ = simulate()
    others, every, own = (
        CoTrainingClassifier(three_views(), labels_from=way, n_rounds=1).fit(X, y, X_target=X_target)
        for way in ("others", "all", "own")
    )
    for one, other in ((others, every), (others, own), (every, own)):
        assert not np.allclose(one.predict_proba(X_target), other.predict_proba(X_target))


def test_temperature_is_that_of_the_mean_of_views():
    X, y, X_target, _ = simulate()
    model = CoTrainingClassifier(three_views()).fit(X, y, X_target=X_target)
    held_out = np.zeros((len(y), 2))
    for seen, unseen in StratifiedKFold(5, shuffle=True, random_state=0).split(X, y):
        for i in range(3):
            held_out[unseen] += columns(i).fit(X[seen], y[seen]).predict_proba(X[unseen]) / 3

    def loss(temperature):
        powers = held_out ** (1 / temperature)
        return -np.log(powers[np.arange(len(y)), y] / powers.sum(axis=1)).mean()

    assert loss(model.temperature_) <= min(loss(model.temperature_ * factor) for factor in (0.99, 1.01))


def test_history():
    X, y, X_target, _ = simulate(n_target=100)
    model = CoTrainingClassifier(three_views(), min_confidence=0).fit(X, y, X_target=X_target)
    assert len(model.history_) == 5
    unadapted = np.mean([view.predict_proba(X_target) for view in model.unadapted_views_.values()], axis=0)
    same = model.predict(X_target) == unadapted.argmax(axis=1)
    assert model.history_[-1]["agreement"] == same.mean()
    assert all(0.5 < step["confidence"] <= 1 for step in model.history_)


@pytest.mark.parametrize("labels_from", ["others", "all"])
def test_one_view_is_self_training(labels_from):
    X, y, X_target, _ = simulate()
    model = CoTrainingClassifier([("alone", EXACT)], labels_from=labels_from).fit(X, y, X_target=X_target)
    expected = SelfTrainingClassifier(EXACT).fit(X, y, X_target=X_target)
    np.testing.assert_allclose(model.predict_proba(X_target), expected.predict_proba(X_target), atol=1e-12)
    assert model.history_ == expected.history_


def test_no_rounds_is_the_plain_average_of_views(reviews):
    X, y, X_target, _ = reviews
    model = both(n_rounds=0).fit(X, y, X_target=X_target)
    alone = [words().fit(X, y), vectors().fit(X, y, X_target=X_target)]
    for view, expected in zip(model.views_.values(), alone, strict=True):
        # a pipeline by itself leaves its classifier to its own solver, which stops earlier
        np.testing.assert_allclose(view.predict_proba(X_target), expected.predict_proba(X_target), atol=0.02)
    mean = np.mean([view.predict_proba(X_target) for view in model.views_.values()], axis=0)
    np.testing.assert_allclose(model.predict_proba(X_target), mean)
    assert model.history_ == []


def test_gain_over_the_views_alone(reviews):
    X, y, X_target, y_target = reviews
    model = both().fit(X, y, X_target=X_target)
    for view in model.unadapted_views_.values():
        assert model.score(X_target, y_target) >= view.score(X_target, y_target)


class TestViews:
    def test_unadapted_views_are_those_fitted_alone(self, reviews):
        X, y, X_target, _ = reviews
        model = both(n_rounds=1).fit(X, y, X_target=X_target)
        expected = vectors().fit(X, y, X_target=X_target)
        view = model.unadapted_views_["vectors"]
        np.testing.assert_allclose(view.predict_proba(X_target), expected.predict_proba(X_target), atol=0.02)
        assert (view.predict_source(X) == expected.predict_source(X)).mean() > 0.99

    def test_the_target_reaches_embedder_and_adapter(self, reviews):
        X, y, X_target, _ = reviews
        teacher = WordEmbedder()
        distilled = make_transfer_pipeline(
            DistilledEmbedder(teacher, alpha=3.0), DomainCentering(), LogisticRegression()
        )
        model = CoTrainingClassifier([("distilled", distilled)], n_rounds=1).fit(X, y, X_target=X_target)
        expected = clone(distilled).fit(X, y, X_target=X_target)
        view = model.views_["distilled"]
        np.testing.assert_allclose(view[0].transform(X_target), expected[0].transform(X_target))
        np.testing.assert_allclose(
            view[1].target_map_.offset, view[0].transform(X_target).mean(axis=0), atol=1e-6
        )
        assert not np.allclose(view[1].target_map_.offset, clone(distilled).fit(X, y)[1].target_map_.offset)

    def test_each_is_usable_by_itself(self, reviews):
        X, y, X_target, _ = reviews
        model = both().fit(X, y, X_target=X_target)
        assert list(model.views_) == ["words", "vectors"]
        mean = np.mean([view.predict_proba(X_target) for view in model.views_.values()], axis=0)
        wanted = tempered(mean, model.target_temperature_)
        np.testing.assert_allclose(model.predict_proba(X_target), wanted, rtol=1e-12)
        for name, given in model.estimators:
            view = model.views_[name]
            assert isinstance(view, TransferPipeline)
            assert list(view.named_steps) == list(given.named_steps)
            assert view.predict(X_target[:3]).shape == (3,)
            assert view.predict_source(X[:3]).shape == (3,)
            with pytest.raises(NotFittedError, match="not fitted"):
                given.predict(X)

    def test_plain_pipelines_and_their_options_are_kept(self, reviews, tmp_path):
        X, y, X_target, _ = reviews
        plain = Pipeline(
            [("classify", TfidfVectorizer()), ("last", LogisticRegression())], memory=str(tmp_path)
        )
        adapted = vectors().set_params(memory=str(tmp_path))
        model = CoTrainingClassifier([("plain", plain), ("adapted", adapted)], n_rounds=2)
        model.fit(X, y, X_target=X_target)
        for name, given in model.estimators:
            assert type(model.views_[name]) is type(given)
            assert list(model.views_[name].named_steps) == list(given.named_steps)
            assert model.views_[name].memory == str(tmp_path)
        expected = CoTrainingClassifier([("words", words()), ("vectors", vectors())], n_rounds=2)
        expected.set_params(words__logisticregression__C=1.0).fit(X, y, X_target=X_target)
        np.testing.assert_allclose(model.predict_proba(X_target), expected.predict_proba(X_target), rtol=1e-5)

    def test_a_union_of_adapted_and_other_features(self, reviews):
        X, y, X_target, _ = reviews
        union = FeatureUnion([("words", TfidfVectorizer()), ("vectors", vectors()[:-1])])
        view = make_transfer_pipeline(union, LogisticRegression(C=10))
        model = CoTrainingClassifier([("union", view)], n_rounds=1).fit(X, y, X_target=X_target)
        offset = model.views_["union"][0].transformer_list[1][1][-1].target_map_.offset
        np.testing.assert_allclose(offset, WordEmbedder().fit(X).transform(X_target).mean(axis=0), atol=1e-6)

    def test_a_search_over_texts(self, reviews):
        X, y, X_target, _ = reviews
        search = GridSearchCV(make_pipeline(TfidfVectorizer(), LogisticRegression()), {}, cv=2)
        pipe = make_pipeline(TfidfVectorizer(), LogisticRegression())
        found, expected = (
            CoTrainingClassifier([("texts", view)], n_rounds=1, cv=2).fit(X, y, X_target=X_target)
            for view in (search, make_pipeline(clone(pipe)))
        )
        np.testing.assert_array_equal(found.predict_proba(X_target), expected.predict_proba(X_target))
        assert isinstance(expected.views_["texts"], Pipeline)

    @pytest.mark.parametrize(
        "container",
        [
            np.asarray,
            lambda part: part.tolist(),
            sparse.csr_array,
            sparse.coo_matrix,
            sparse.csc_array,
            lambda part: pd.DataFrame(part, range(7, 7 + len(part)), columns=list("abcdef")),
        ],
        ids=["array", "list", "csr", "coo", "csc", "frame"],
    )
    def test_bare_classifiers_on_a_matrix(self, container):
        X, y, X_target, _ = simulate()
        given = [("one", EXACT), ("two", clone(EXACT).set_params(C=0.01))]
        expected = CoTrainingClassifier(given, n_rounds=2).fit(X, y, X_target=X_target)
        model = CoTrainingClassifier(given, n_rounds=2).fit(container(X), y, X_target=container(X_target))
        np.testing.assert_allclose(
            model.predict_proba(container(X_target)), expected.predict_proba(X_target), atol=1e-6
        )
        assert isinstance(model.views_["one"], LogisticRegression)

    def test_a_bare_classifier_that_calls_columns_by_name(self):
        X, y, X_target, _ = simulate(n=60, n_target=40)
        X, X_target = (pd.DataFrame(part, columns=list("abcdef")) for part in (X, X_target))
        by_name = make_pipeline(ColumnTransformer([("keep", "passthrough", list("abcdef"))]), EXACT)
        found, expected = (
            CoTrainingClassifier([("one", one)], n_rounds=2, cv=2).fit(X, y, X_target=X_target)
            for one in (GridSearchCV(by_name, {}, cv=2), EXACT)
        )
        np.testing.assert_allclose(found.priors_, expected.priors_, atol=1e-3)

    def test_integer_rows(self):
        X, y, X_target, _ = simulate()
        X, X_target = np.rint(X).astype(int), np.rint(X_target).astype(int)
        given = [("one", EXACT), ("two", GaussianNB())]
        found, expected = (
            CoTrainingClassifier(given).fit(rows, y, X_target=target).predict_proba(target)
            for rows, target in ((X, X_target), (X.astype(float), X_target.astype(float)))
        )
        np.testing.assert_allclose(found, expected)

    def test_steps_that_give_frames(self):
        X, y, X_target, _ = simulate()
        plain = make_transfer_pipeline(DomainCentering(), LogisticRegression())
        frames = clone(plain).set_output(transform="pandas")
        found, expected = (
            CoTrainingClassifier([("view", view)]).fit(X, y, X_target=X_target) for view in (frames, plain)
        )
        np.testing.assert_array_equal(found.predict(X_target), expected.predict(X_target))
        assert list(found.views_["view"][-1].feature_names_in_) == [f"domaincentering{i}" for i in range(6)]


@pytest.mark.parametrize("container", [list, tuple, np.array, pd.Series])
def test_containers_of_texts(reviews, container):
    X, y, X_target, _ = (part[::5] for part in reviews)
    expected = both(n_rounds=1).fit(X, y, X_target=X_target).predict_proba(X_target)
    model = both(n_rounds=1).fit(container(X), container(y), X_target=container(X_target))
    np.testing.assert_array_equal(model.predict_proba(container(X_target)), expected)


@pytest.mark.parametrize("labels", [[-1, 1], [False, True], [2.0, 5.0], ["bad", "a longer label"]], ids=repr)
def test_labels(labels):
    X, y, X_target, _ = simulate()
    plain = CoTrainingClassifier(three_views(), n_rounds=2, cv=2)
    expected = clone(plain).fit(X, y == (labels[0] < labels[1]), X_target=X_target)
    model = plain.fit(X, [labels[k] for k in y], X_target=X_target)
    assert list(model.classes_) == sorted(labels)
    assert set(model.predict(X_target)) == set(labels)
    np.testing.assert_allclose(model.predict_proba(X_target), expected.predict_proba(X_target), atol=1e-9)


@pytest.mark.parametrize("priors", ["uniform", "estimated", [0.7, 0.3]], ids=str)
def test_priors(priors):
    X, y, X_target, _ = simulate()
    X, y = X[15:], np.where(np.arange(105) < 30, 0, y[15:])
    model = CoTrainingClassifier(three_views(), priors=priors).fit(X, y, X_target=X_target)
    expected = {"uniform": [0.5, 0.5], "estimated": model.priors_}.get(str(priors), priors)
    np.testing.assert_allclose(model.priors_, expected)
    assert model.priors_.sum() == pytest.approx(1)
    assert not np.allclose(model.priors_, np.bincount(y) / 105)


def test_without_a_target_the_source_is_the_target(reviews):
    X, y, X_target, _ = reviews
    at_source = both(n_rounds=2, priors="source").set_params(vectors__domaincentering__priors="source")
    alone, same = both(n_rounds=2).fit(X, y), at_source.fit(X, y, X_target=X)
    np.testing.assert_array_equal(alone.priors_, alone.source_priors_)
    np.testing.assert_allclose(alone.predict_proba(X_target), same.predict_proba(X_target), atol=1e-6)
    np.testing.assert_allclose(alone.predict_proba(X), alone.predict_proba_source(X), atol=1e-6)


def test_same_numbers_every_time_and_inputs_left_alone():
    data = X, y, X_target = simulate()[:3]
    copies = [part.copy() for part in data]
    for part in data:
        part.flags.writeable = False
    model = CoTrainingClassifier(three_views())
    first = model.fit(X, y, X_target=X_target).predict_proba(X_target)
    np.testing.assert_array_equal(model.fit(X, y, X_target=X_target).predict_proba(X_target), first)
    np.testing.assert_array_equal(clone(model).fit(X, y, X_target=X_target).predict_proba(X_target), first)
    for part, copy in zip(data, copies, strict=True):
        np.testing.assert_array_equal(part, copy)


class TestParametersOfViews:
    def test_get_set_and_clone(self):
        model = both()
        model.set_params(words__logisticregression__C=3, share=0.3)
        assert model.get_params()["words__logisticregression__C"] == 3
        assert clone(model).estimators[0][1][-1].C == 3
        model.set_params(vectors=GaussianNB())
        assert isinstance(model.estimators[1][1], GaussianNB)
        with pytest.raises(NotFittedError, match="not fitted"):
            clone(model).predict(["text"])


class TestModelSelection:
    """The target travels in a Target; held-out source rows are scored on the source path."""

    @staticmethod
    def shifted(n=90):
        rng = np.random.default_rng(0)
        y = np.arange(n) % 2
        X, X_target = rng.normal(size=(2, n, 5))
        X[:, 0] += 3 * y
        X_target[:, 0] += 3 * y + 6
        return X, y, X_target

    @staticmethod
    def centred():
        view = make_transfer_pipeline(DomainCentering(), LogisticRegression())
        return CoTrainingClassifier([("one", view), ("two", clone(view).set_params(logisticregression__C=9))])

    def test_source_rows(self):
        X, y, X_target = self.shifted()
        model = self.centred().fit(X, y, X_target=X_target)
        assert np.mean(model.predict(X_target) == y) > 0.9
        assert np.mean(model.predict(X) == y) < 0.6
        assert np.mean(model.predict_source(X) == y) > 0.9
        proba = np.mean([view.predict_proba_source(X) for view in model.views_.values()], axis=0)
        wanted = tempered(proba, model.target_temperature_)
        np.testing.assert_allclose(model.predict_proba_source(X), wanted, rtol=1e-12)
        assert np.mean(model.predict(X_target) == y) > 0.9  # the source view changed nothing

    @pytest.mark.parametrize("n_target", [90, 60, 40])
    def test_grid_search_with_a_target(self, n_target):
        X, y, X_target = self.shifted()
        seen = []

        class Looking(DomainCentering):
            def _fit(self, source, target, y):
                seen.append(len(target))
                return super()._fit(source, target, y)

        view = make_transfer_pipeline(Looking(priors="source"), LogisticRegression())
        search = GridSearchCV(
            CoTrainingClassifier([("one", view)], priors="source"),
            {"n_rounds": [0, 2], "one__logisticregression__C": [1, 10]},
            cv=3,
            scoring=source_scorer(),
            error_score="raise",
        )
        search.fit(X, y, X_target=Target(X_target[:n_target]))
        assert seen == [n_target] * 13
        assert search.cv_results_["mean_test_score"].min() > 0.9
        assert np.mean(search.predict(X_target) == y) > 0.9

    def test_cross_validation(self):
        X, y, X_target = self.shifted()
        params = {"X_target": Target(X_target)}
        scores = cross_val_score(self.centred(), X, y, cv=3, params=params, scoring=source_scorer())
        assert scores.min() > 0.9

    def test_as_last_step_of_a_pipeline(self):
        X, y, X_target = self.shifted()
        last = CoTrainingClassifier([("one", LogisticRegression()), ("two", GaussianNB())])
        pipeline = make_transfer_pipeline(DomainCentering(priors="source"), last).fit(
            X, y, X_target=Target(X_target)
        )
        expected = clone(last).fit(X - X.mean(axis=0), y, X_target=X_target - X_target.mean(axis=0))
        np.testing.assert_allclose(
            pipeline.predict_proba(X_target), expected.predict_proba(X_target - X_target.mean(axis=0))
        )
        np.testing.assert_array_equal(pipeline.predict_source(X), expected.predict(X - X.mean(axis=0)))

    def test_views_with_adapters_inside_a_pipeline_have_a_source_path(self):
        X, y, X_target = self.shifted()
        pipeline = make_transfer_pipeline(StandardScaler(), self.centred()).fit(X, y, X_target=X_target)
        assert np.mean(pipeline.predict_source(X) == y) > 0.9
        assert np.mean(pipeline.predict(X_target) == y) > 0.9


@pytest.mark.parametrize("n_rounds", [0, 2])
def test_saved_and_loaded(reviews, n_rounds, tmp_path):
    X, y, X_target, _ = reviews
    model = both(n_rounds=n_rounds).fit(X, np.array(["-", "+"])[y], X_target=X_target)
    loaded = load_pipeline(save_pipeline(model, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict(X_target), model.predict(X_target))
    np.testing.assert_array_equal(loaded.predict_proba(X_target), model.predict_proba(X_target))
    np.testing.assert_array_equal(loaded.predict_proba_source(X), model.predict_proba_source(X))
    np.testing.assert_array_equal(
        loaded.unadapted_views_["words"].predict_proba(X), model.unadapted_views_["words"].predict_proba(X)
    )
    assert loaded.history_ == model.history_
    assert repr(loaded) == repr(model)
    assert loaded.views_["vectors"][0] is loaded.unadapted_views_["vectors"][0]


def test_pickle(reviews):
    X, y, X_target, _ = reviews
    model = both(n_rounds=1).fit(X, y, X_target=X_target)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X_target), model.predict_proba(X_target))


class TestErrors:
    data = simulate()[:2]

    @pytest.mark.parametrize(
        "names", [["one", "one"], ["a__b", "two"], ["share", "two"], []], ids=["twice", "__", "taken", "none"]
    )
    def test_names(self, names):
        with pytest.raises(ValueError, match=r"Got views named .* Expected at least one, each with its own"):
            CoTrainingClassifier([(name, EXACT) for name in names]).fit(*self.data)

    @pytest.mark.parametrize("wrong", [[EXACT], [("a", "b", EXACT)], [(1, EXACT)], ["ab"]], ids=repr)
    def test_no_pairs(self, wrong):
        with pytest.raises(ValueError, match=r"Expected a list of \(name, estimator\)"):
            CoTrainingClassifier(wrong).fit(*self.data)

    @pytest.mark.parametrize(
        ("wrong", "kind"),
        [
            (LinearSVC(), "LinearSVC"),
            (make_pipeline(StandardScaler(), LinearSVC()), "LinearSVC"),
            (make_transfer_pipeline(NoAdaptation()), "NoAdaptation"),
        ],
        ids=["bare", "pipeline", "adapter"],
    )
    def test_no_probabilities(self, wrong, kind):
        with pytest.raises(ValueError, match=f"Got the view 'svm', which ends in {kind} without"):
            CoTrainingClassifier([("svm", wrong)]).fit(*self.data)

    def test_an_adapter_in_a_plain_pipeline(self):
        view = make_pipeline(StandardScaler(), DomainCentering(), LogisticRegression())
        with pytest.raises(ValueError, match=r"Got the view 'plain'.*make_transfer_pipeline"):
            CoTrainingClassifier([("plain", view)]).fit(*self.data, X_target=self.data[0])

    def test_one_class(self):
        with pytest.raises(ValueError, match="Got 1 class, 'good'"):
            CoTrainingClassifier([("one", EXACT)]).fit(self.data[0], ["good"] * len(self.data[0]))

    def test_decimals(self):
        y = np.linspace(1, 2, len(self.data[0]))
        with pytest.raises(ValueError, match=r"got labels with decimals, such as 1\.0\d+\. Expected classes"):
            CoTrainingClassifier([("one", EXACT)]).fit(self.data[0], y)

    def test_lengths(self):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            both().fit(["one", "two", "three"], [0, 1])

    def test_labels_of_the_target(self):
        X, y = self.data
        model = CoTrainingClassifier([("one", EXACT)])
        with pytest.raises(ValueError, match="Got y_target twice"):
            model.fit(X, y, X_target=Target(X, y), y_target=y)
        with pytest.raises(ValueError, match="Got y_target, but no X_target"):
            model.fit(X, y, y_target=y)
        with pytest.raises(ValueError, match="y_target has 3 labels, but X_target has"):
            model.fit(X, y, X_target=X, y_target=y[:3])
        model = CoTrainingClassifier([("near", KNeighborsClassifier())])
        with pytest.raises(ValueError, match=r"y_target with target_weight=3\.0, but the view 'near'"):
            model.fit(X, y, X_target=X, y_target=y)

    def test_a_frame_with_a_column_of_that_name_is_no_holder(self):
        X, y = self.data
        frame = pd.DataFrame(X).set_axis(["X_target", *"abcde"], axis=1)
        model = CoTrainingClassifier([("one", EXACT)]).fit(frame, y, X_target=frame)
        assert model.predict(frame).shape == y.shape

    @pytest.mark.parametrize(
        "wrong", [{"n_rounds": -1}, {"labels_from": "self"}, {"share": 0.0}, {"estimators": None}], ids=repr
    )
    def test_parameters(self, wrong):
        with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
            CoTrainingClassifier(**{"estimators": [("one", EXACT)], **wrong}).fit(*self.data)

    def test_priors_before_anything_is_fitted(self):
        with pytest.raises(ValueError, match=r"Got priors=\[0.5, 0.6\]"):
            both(priors=[0.5, 0.6]).fit([None, object()], [0, 1])

    def test_not_fitted(self):
        for method in ("predict", "predict_proba", "predict_source", "predict_proba_source"):
            with pytest.raises(NotFittedError, match="not fitted"):
                getattr(both(), method)(["text"])


@pytest.mark.parametrize("pipeline", [make_pipeline, make_transfer_pipeline])
def test_steps_that_learn_from_labels_do_not_make_noise_sure(pipeline):
    """Columns are chosen anew in each fold: where the labels are noise, the surest rows are not sure."""
    rng = np.random.default_rng(0)
    X, X_target, y = rng.normal(size=(150, 1000)), rng.normal(size=(150, 1000)), rng.integers(0, 2, 150)
    steps = [StandardScaler(), SelectKBest(k=20), LogisticRegression(C=10)]
    if pipeline is make_transfer_pipeline:
        steps.insert(1, NoAdaptation())
    view = ("view", pipeline(*steps))
    model = CoTrainingClassifier([view], priors="source", min_confidence=0.0).fit(X, y, X_target=X_target)
    assert model.history_[0]["confidence"] < 0.65
