"""A good citizen of scikit-learn: tables, ensembles, output containers, searches, as users combine them."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_score,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import estimator_html_repr

from embtransfer import (
    CORAL,
    DomainCentering,
    PooledClassifier,
    SelfTrainingClassifier,
    StackedDomains,
    Target,
    TargetKFold,
    WordEmbedder,
    make_classifier,
    make_transfer_pipeline,
    source_scorer,
    stack_domains,
)
from embtransfer.datasets import load_demo_reviews

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
Y, Y_TARGET = np.array(FILMS.target), np.array(PANS.target)
FOLDS = StratifiedKFold(2, shuffle=True, random_state=0)  # of both domains, though these come in turn
either_library = pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
either_output = pytest.mark.parametrize("output", ["pandas", "polars"])
either_ensemble = pytest.mark.parametrize("ensemble", [VotingClassifier, StackingClassifier])


def logistic():
    return make_classifier("logistic")


def table(domain, library=pd):
    """A text, a number and a category a row; numbers of the target lie elsewhere."""
    texts, shift = (FILMS.data, 0) if domain == "films" else (PANS.data, 5)
    rng = np.random.default_rng(shift)
    n = len(texts)
    kinds = rng.choice(["new", "used"], n).tolist()
    return library.DataFrame({"text": list(texts), "price": rng.normal(size=n) + shift, "kind": kinds})


def columns():
    return ColumnTransformer(
        [
            ("text", WordEmbedder(), "text"),
            ("price", StandardScaler(), ["price"]),
            ("kind", OneHotEncoder(sparse_output=False), ["kind"]),
        ]
    )


def pipeline(first=None):
    return make_transfer_pipeline(first or WordEmbedder(), DomainCentering(), logistic())


def members(wrap=lambda part: part):
    other = make_transfer_pipeline(WordEmbedder(pooling="sif"), CORAL(), LogisticRegression())
    return [("mean", wrap(pipeline())), ("sif", wrap(other))]


def around(ensemble, parts):
    return ensemble(parts, **{"cv": FOLDS} if ensemble is StackingClassifier else {})


@pytest.fixture(scope="module")
def stack():
    return stack_domains(FILMS.data, Y, PANS.data, Y_TARGET)


class TestColumns:
    @either_library
    def test_beside_numbers_and_categories(self, library):
        rows = columns().fit_transform(table("films", library))
        assert rows.shape == (320, 53)
        np.testing.assert_array_equal(rows[:, :50], WordEmbedder().fit_transform(FILMS.data))
        model = make_pipeline(columns(), logistic()).fit(table("films", library), Y)
        expected = make_pipeline(columns(), logistic()).fit(table("films"), Y)
        np.testing.assert_array_equal(model.predict(table("pans", library)), expected.predict(table("pans")))

    def test_several_text_columns_each_have_an_embedder(self):
        two = table("films").assign(title="a title")
        rows = ColumnTransformer([(name, WordEmbedder(), name) for name in ("text", "title")]).fit_transform(
            two
        )
        assert rows.shape == (320, 100)
        assert (rows[:, 50:] == rows[0, 50:]).all()

    def test_a_list_of_columns_is_refused(self):
        with pytest.raises(
            ValueError, match=r"Got a DataFrame of shape \(320, 1\)\. Expected a 1-D sequence"
        ):
            ColumnTransformer([("text", WordEmbedder(), ["text"])]).fit(table("films"))

    @either_library
    def test_an_adapter_after_the_columns(self, library):
        source, target = table("films", library), table("pans", library)
        model = pipeline(columns()).fit(source, Y, X_target=target)
        assert model.score(target, Y_TARGET) > 0.7
        assert model.source_view().score(source, Y) > 0.8
        np.testing.assert_allclose(model[:-1].transform(target).mean(axis=0), 0, atol=1e-6)
        unadapted = make_pipeline(columns(), logistic()).fit(source, Y)
        assert model.score(target, Y_TARGET) > unadapted.score(target, Y_TARGET)

    def test_an_adapter_for_the_text_alone(self):
        text = make_transfer_pipeline(
            ColumnTransformer([("text", WordEmbedder(), "text")]), DomainCentering()
        )
        price = ColumnTransformer([("price", StandardScaler(), ["price"])])
        model = make_transfer_pipeline(FeatureUnion([("text", text), ("price", price)]), LogisticRegression())
        source, target = table("films"), table("pans")
        rows = model.fit(source, Y, X_target=target)[:-1].transform(target)
        np.testing.assert_allclose(rows[:, :50].mean(axis=0), 0, atol=1e-6)
        assert rows[:, 50].mean() > 4
        assert model.source_view().score(source, Y) > 0.75

    def test_an_adapter_inside_the_columns_is_refused_with_a_target(self):
        text = make_transfer_pipeline(WordEmbedder(), DomainCentering())
        inside = ColumnTransformer([("text", text, "text"), ("price", StandardScaler(), ["price"])])
        model = make_transfer_pipeline(inside, LogisticRegression())
        assert model.fit(table("films"), Y).score(table("films"), Y) > 0.7
        with pytest.raises(
            ValueError, match=r"would hand its adapter all columns.* Put the adapter after it"
        ):
            model.fit(table("films"), Y, X_target=table("pans"))

    def test_permutation_importance_names_the_text(self):
        model = pipeline(columns()).fit(table("films"), Y, X_target=table("pans"))
        found = permutation_importance(model, table("pans"), Y_TARGET, n_repeats=3, random_state=0)
        assert found.importances_mean.argmax() == 0


class TestOutputContainers:
    @either_output
    @either_library
    def test_embedder(self, library, output):
        rows = WordEmbedder().set_output(transform=output).fit_transform(table("films", library)["text"])
        assert isinstance(rows, {"pandas": pd, "polars": pl}[output].DataFrame)
        assert list(rows.columns) == [f"wordembedder{i}" for i in range(50)]
        np.testing.assert_array_equal(rows.to_numpy(), WordEmbedder().fit_transform(FILMS.data))

    @either_output
    @either_library
    def test_pipeline_of_columns_adapter_and_classifier(self, library, output):
        source, target = table("films", library), table("pans", library)
        plain = pipeline(columns()).fit(source, Y, X_target=target)
        model = pipeline(columns()).set_output(transform=output).fit(source, Y, X_target=target)
        for way, rows in ((model, target), (model.source_view(), source)):
            out = way[:-1].transform(rows)
            assert isinstance(out, {"pandas": pd, "polars": pl}[output].DataFrame)
            assert list(out.columns) == list(model[:-1].get_feature_names_out())
        np.testing.assert_array_equal(model.predict(target), plain.predict(target))
        np.testing.assert_array_equal(model.predict_source(source), plain.predict_source(source))

    @pytest.mark.parametrize("adapter", [DomainCentering(), CORAL()], ids=lambda part: type(part).__name__)
    @either_output
    def test_adapter(self, output, adapter):
        embedder = WordEmbedder().set_output(transform=output)
        source, target = embedder.fit_transform(FILMS.data), embedder.transform(PANS.data)
        plain = clone(adapter).fit(source.to_numpy(), X_target=target.to_numpy())
        framed = clone(adapter).set_output(transform=output)
        mapped = framed.fit_transform(source, X_target=target), framed.transform(target)
        expected = plain.transform_source(source.to_numpy()), plain.transform(target.to_numpy())
        for out, right in zip(mapped, expected, strict=True):
            assert isinstance(out, type(source))
            np.testing.assert_allclose(out.to_numpy(), right, atol=1e-5)

    @either_output
    def test_switched_on_for_all(self, output):
        plain = pipeline().fit(FILMS.data, Y, X_target=PANS.data)
        expected = plain.predict(PANS.data), plain.predict_source(FILMS.data)
        with config_context(transform_output=output):
            model = pipeline().fit(FILMS.data, Y, X_target=PANS.data)
            np.testing.assert_array_equal(model.predict(PANS.data), expected[0])
            np.testing.assert_array_equal(model.predict_source(FILMS.data), expected[1])


class TestEnsembles:
    """Around pipelines an ensemble needs StackedDomains, or metadata routing; inside one it needs nothing."""

    @either_ensemble
    def test_of_stacked_domains(self, stack, ensemble):
        X, y = stack
        model = around(ensemble, members(StackedDomains)).fit(X, y)
        alone = [part.score(X.loc["target"], Y_TARGET) for part in model.estimators_]
        assert model.score(X.loc["target"], Y_TARGET) > min(alone) - 0.03
        assert model.score(X.loc["target"], Y_TARGET) > 0.72
        assert model.score(X.loc["source"], Y) > 0.75
        np.testing.assert_array_equal(model.predict(PANS.data), model.predict(X.loc["target"]))

    @either_ensemble
    def test_of_stacked_domains_in_cross_validation(self, stack, ensemble):
        cv = TargetKFold(2, target_rows="all")
        scores = cross_val_score(around(ensemble, members(StackedDomains)), *stack, cv=cv)
        assert scores.mean() > 0.7

    @either_ensemble
    def test_with_target_labels_the_last_step_of_a_pipeline(self, ensemble):
        parts = [("pooled", PooledClassifier()), ("logistic", logistic())]
        model = make_transfer_pipeline(WordEmbedder(), DomainCentering(), ensemble(parts[1:]))
        assert model.fit(FILMS.data, Y, X_target=PANS.data).score(PANS.data, Y_TARGET) > 0.7
        model.set_params(**{ensemble.__name__.lower(): VotingClassifier(parts)})
        model.fit(FILMS.data, Y, X_target=PANS.data, y_target=Y_TARGET)
        assert model[-1].named_estimators_["pooled"].n_target_labels_ == 320

    def test_of_classifiers_that_take_the_target(self):
        parts = [("self_training", SelfTrainingClassifier()), ("logistic", logistic())]
        model = make_transfer_pipeline(WordEmbedder(), VotingClassifier(parts, voting="soft"))
        model.fit(FILMS.data, Y, X_target=PANS.data)
        without = clone(model).fit(FILMS.data, Y)
        assert model[-1].named_estimators_["self_training"].history_
        assert not np.array_equal(model.predict_proba(PANS.data), without.predict_proba(PANS.data))
        rows = model[0].transform(PANS.data)
        alone = SelfTrainingClassifier().fit(model[0].transform(FILMS.data), Y, X_target=rows)
        np.testing.assert_array_equal(
            model[-1].named_estimators_["self_training"].predict(rows),
            np.searchsorted(alone.classes_, alone.predict(rows)),
        )

    def test_voting_routes_the_target_where_routing_is_on(self):
        voting = VotingClassifier(members())
        with config_context(enable_metadata_routing=True):
            voting.fit(FILMS.data, Y, X_target=Target(PANS.data))
        by_hand = [part.fit(FILMS.data, Y, X_target=PANS.data) for _, part in members()]
        for part, expected in zip(voting.estimators_, by_hand, strict=True):
            np.testing.assert_array_equal(part.predict(PANS.data), expected.predict(PANS.data))

    @either_ensemble
    def test_with_routing_off_scikit_learn_refuses_the_target(self, ensemble):
        with pytest.raises(ValueError, match="only supported if enable_metadata_routing=True"):
            ensemble(members()).fit(FILMS.data, Y, X_target=Target(PANS.data))

    def test_stacking_hands_the_target_to_its_final_estimator_as_well(self):
        """What scikit-learn does: so StackedDomains is the way."""
        with (
            config_context(enable_metadata_routing=True),
            pytest.raises(TypeError, match="unexpected keyword argument 'X_target'"),
        ):
            StackingClassifier(members(), cv=FOLDS).fit(FILMS.data, Y, X_target=Target(PANS.data))

    @either_ensemble
    def test_the_wrong_way_round(self, stack, ensemble):
        with pytest.raises(TypeError, match=r"takes no X_target.* stacking and calibration go around"):
            StackedDomains(ensemble(members())).fit(*stack)

    def test_an_ensemble_that_takes_no_target(self):
        model = make_transfer_pipeline(WordEmbedder(), VotingClassifier([("one", LogisticRegression())]))
        with pytest.raises(ValueError, match="Got X_target, but no step of the pipeline takes it"):
            model.fit(FILMS.data, Y, X_target=PANS.data)


class TestCalibrationAndThresholds:
    """Trap 4 of docs/design.md: around a pipeline they fit on source rows sent through the target map."""

    def shifted(self, n=400):
        rng = np.random.default_rng(0)
        y = np.arange(n) % 2
        source, target = rng.normal(size=(2, n, 3))
        source[:, 0] += 3 * y
        target[:, 0] += 3 * y + 6
        return source, target, y

    @pytest.mark.parametrize(
        "wrapper",
        [
            lambda part, cv: CalibratedClassifierCV(part, cv=cv),
            lambda part, cv: TunedThresholdClassifierCV(part, cv=cv),
        ],
        ids=["calibrated", "threshold"],
    )
    @pytest.mark.parametrize("cv", [TargetKFold(3, target_rows="all"), StratifiedKFold(3, shuffle=True)])
    def test_around_stacked_domains(self, wrapper, cv):
        source, target, y = self.shifted()
        X, labels = stack_domains(source, y, target, y)
        part = StackedDomains(make_transfer_pipeline(DomainCentering(), LogisticRegression()))
        model = wrapper(part, cv).fit(X, labels)
        assert model.score(X.loc["target"], y) > 0.9

    def test_inside_a_pipeline(self):
        source, target, y = self.shifted()
        calibrated = CalibratedClassifierCV(LogisticRegression(), cv=3)
        inside = make_transfer_pipeline(DomainCentering(), calibrated).fit(source, y, X_target=target)
        assert inside.score(target, y) > 0.9


class TestSearches:
    GRID = {
        "columntransformer__text__pooling": ["mean", "idf"],
        "domaincentering": [DomainCentering(), CORAL()],
    }

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_grid_over_columns_and_adapters(self, n_jobs):
        search = GridSearchCV(
            pipeline(columns()), self.GRID, cv=2, scoring=source_scorer(), n_jobs=n_jobs, error_score="raise"
        )
        search.fit(table("films"), Y, X_target=Target(table("pans")))
        assert search.best_score_ > 0.7
        assert search.score(table("films"), Y) > 0.7
        assert len(search.predict(table("pans"))) == 320

    def test_grid_of_stacked_tables(self):
        X, y = stack_domains(table("films"), Y, table("pans"), Y_TARGET)
        grid = {f"estimator__{name}": values for name, values in self.GRID.items()}
        search = GridSearchCV(
            StackedDomains(pipeline(columns())),
            grid,
            cv=TargetKFold(2, target_rows="all"),
            error_score="raise",
        ).fit(X, y)
        assert search.best_score_ > 0.7

    def test_halving_on_source_rows(self):
        search = HalvingGridSearchCV(
            pipeline(),
            {"logisticregression__C": [0.001, 1, 10]},
            cv=2,
            scoring=source_scorer(),
            min_resources=80,
            random_state=0,
            error_score="raise",
        )
        search.fit(FILMS.data, Y, X_target=Target(PANS.data))
        assert search.n_iterations_ == 2
        assert search.best_params_["logisticregression__C"] > 0.001

    def test_halving_on_target_rows(self, stack):
        search = HalvingGridSearchCV(
            StackedDomains(pipeline()),
            {"estimator__logisticregression__C": [1e-6, 1, 10]},
            cv=TargetKFold(2, target_rows="all"),
            min_resources=200,
            random_state=0,
            error_score="raise",
        ).fit(*stack)
        assert search.n_iterations_ == 2
        assert search.best_score_ > 0.7


class TestCopies:
    @pytest.mark.parametrize("wrap", [lambda part: part, StackedDomains], ids=["pipeline", "stacked"])
    def test_clone_pickle_and_html(self, stack, wrap):
        model = wrap(pipeline())
        cloned = clone(model)
        if isinstance(model, StackedDomains):
            model.fit(*stack)
        else:
            model.fit(FILMS.data, Y, X_target=PANS.data)
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict(PANS.data), model.predict(PANS.data))
        assert repr(clone(again)) == repr(cloned)
        page = estimator_html_repr(model)
        for name in ("WordEmbedder", "DomainCentering", "LogisticRegression"):
            assert name in page
        assert ("StackedDomains" in page) == (wrap is StackedDomains)
