"""Splitters and StackedDomains in scikit-learn's own tools: no scored row is trained on or adapted to."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from embtransfer import (
    CORAL,
    DomainCentering,
    LeaveOneDomainOut,
    NoAdaptation,
    PooledClassifier,
    StackedDomains,
    Target,
    TargetKFold,
    TargetShuffleSplit,
    WordEmbedder,
    make_transfer_pipeline,
    mark_domains,
    source_scorer,
    stack_domains,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.model_selection import stratified_order

N = 120


class Recording(NoAdaptation):
    """Writes down the rows of each domain that every fit saw; their first column numbers them."""

    seen = []

    def _fit(self, source, target, y):
        self.seen.append((source[:, 0].astype(int), target[:, 0].astype(int)))
        return super()._fit(source, target, y)


@pytest.fixture
def seen():
    Recording.seen.clear()
    return Recording.seen


def shifted(domain, n=N, seed=0):
    """Two classes 4 apart in the first of four columns; each further domain lies 6 further on."""
    rng = np.random.default_rng([seed, domain])
    y = np.arange(n) % 2
    X = rng.normal(size=(n, 4))
    X[:, 0] += 4 * y + 6 * domain
    return X, y


def numbered(n_source=N, n_target=N):
    """Rows whose first column is their position in the stack."""
    rows = np.arange(n_source + n_target)[:, np.newaxis] * np.ones(3)
    y = np.arange(n_source + n_target) % 2
    return stack_domains(rows[:n_source], y[:n_source], rows[n_source:], y[n_source:])


def stacked(labels=None):
    (source, y), (target, y_target) = shifted(0), shifted(1)
    if labels is not None:
        y, y_target = np.array(labels)[y], np.array(labels)[y_target]
    return stack_domains(source, y, target, y_target)


def centred(classifier=None):
    return make_transfer_pipeline(DomainCentering(), classifier or LogisticRegression())


def honest(pipeline=None, **options):
    return StackedDomains(pipeline or centred(), **options)


ALL = TargetKFold(4, target_rows="all")


class TestStacking:
    @pytest.mark.parametrize(
        "texts",
        [
            ["a b", "c"],
            ("a b", "c"),
            np.array(["a b", "c"]),
            pd.Series(["a b", "c"], index=[7, 8]),
            pl.Series(["a b", "c"]),
            pa.array(["a b", "c"]),
        ],
        ids=lambda texts: type(texts).__module__,
    )
    def test_texts_of_any_container(self, texts):
        X, y = stack_domains(texts, ["+", "-"], ["d"], ["+"])
        assert X.tolist() == ["a b", "c", "d"]
        assert X.index.tolist() == ["source", "source", "target"]
        assert y.tolist() == ["+", "-", "+"]

    @pytest.mark.parametrize(
        "frame", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"]
    )
    def test_tables(self, frame):
        X, _ = stack_domains(
            frame({"a": [1, 2], "b": ["x", "y"]}), [0, 1], frame({"a": [3], "b": ["z"]}), [0]
        )
        assert X["a"].tolist() == [1, 2, 3]
        assert X["b"].tolist() == ["x", "y", "z"]
        assert X.index.tolist() == ["source", "source", "target"]

    def test_the_data_passed_in_is_left_alone(self):
        frame = pd.DataFrame({"a": [1, 2]}, index=[5, 6])
        stack_domains(frame, [0, 1], frame, [0, 1])
        assert frame.index.tolist() == [5, 6]

    @pytest.mark.parametrize(
        ("y", "y_target", "expected"),
        [
            ([1, 0], [1, None], [1.0, 0.0, 1.0, np.nan]),
            ([1, 0], pd.Series([1, pd.NA], dtype="Int64"), [1.0, 0.0, 1.0, np.nan]),
            ([True, False], [np.nan, True], [1.0, 0.0, np.nan, 1.0]),
            ([1, 0], None, [1.0, 0.0, np.nan, np.nan]),
            (["a", "b"], ["a", None], ["a", "b", "a", None]),
            (["a", "b"], pd.Series(["a", None], dtype="str"), ["a", "b", "a", None]),
            (["a", "b"], [np.nan, "b"], ["a", "b", None, "b"]),
            (["a", "b"], None, ["a", "b", None, None]),
            ([1, 0], [0, 1], [1, 0, 0, 1]),
            ([True, False], [False, True], [True, False, False, True]),
        ],
    )
    def test_missing_labels(self, y, y_target, expected):
        if isinstance(y_target, list) and isinstance(y_target[-1] or y_target[0], str):
            y_target = np.array(y_target, dtype=object)
        _, found = stack_domains(["a", "b"], y, ["c", "d"], y_target)
        assert found.dtype == np.array(expected).dtype
        for label, right in zip(found.tolist(), expected, strict=True):
            assert label == right or (label != label and right != right)

    def test_what_does_not_fit_is_refused(self):
        with pytest.raises(ValueError, match=r"Got 2 target rows and 1 labels\. Expected one a row"):
            stack_domains(["a"], [0], ["b", "c"], [0])
        with pytest.raises(ValueError, match="Got 3 domains for 2 rows"):
            mark_domains(["a", "b"], ["s", "t", "t"])
        with pytest.raises(ValueError, match="some are numbers and some are not"):
            stack_domains(["a"], [0], ["b"], ["0"])
        with pytest.raises(ValueError, match=r"Got source columns texts and target columns \[0\]"):
            stack_domains(["a"], [0], [[1.0]], [0])
        with pytest.raises(ValueError, match=r"source columns \['a'\] and target columns \['b'\]"):
            stack_domains(pd.DataFrame({"a": [1]}), [0], pd.DataFrame({"b": [1]}), [0])
        with pytest.raises(TypeError, match="Got a sparse matrix"):
            mark_domains(sparse.eye(3), "source")


class TestSplitters:
    @pytest.mark.parametrize("n_source", [N, 50])
    def test_folds_cover_the_target_and_leave_the_source_to_training(self, n_source):
        X, y = numbered(n_source)
        folds = list(TargetKFold(5).split(X, y))
        assert len(folds) == TargetKFold(5).get_n_splits() == 5
        assert sorted(np.concatenate([test for _, test in folds])) == list(range(n_source, n_source + N))
        for train, test in folds:
            assert list(train) == list(range(n_source))
            assert y[test].mean() == 0.5

    @pytest.mark.parametrize(("target_rows", "n"), [(0, 0), (1, 1), (16, 16), ("all", 96)])
    def test_target_rows_come_last_and_are_not_scored(self, target_rows, n):
        X, y = numbered()
        for train, test in TargetKFold(5, target_rows=target_rows).split(X, y):
            assert list(train[:N]) == list(range(N))
            assert len(train) == len(set(train)) == N + n
            assert (train[N:] >= N).all()
            assert not set(train) & set(test)
            if n == 16:
                assert y[train[N:]].mean() == 0.5

    def test_unlabelled_rows_are_never_scored(self):
        y_target = [0, 1, None, None] * 10
        X, y = stack_domains(np.zeros((20, 1)), [0, 1] * 10, np.zeros((40, 1)), y_target)
        for target_rows, n in (("all", 36), (5, 5)):
            for train, test in TargetKFold(5, target_rows=target_rows).split(X, y):
                assert not np.isnan(y[test]).any()
                assert (len(train), len(test)) == (20 + n, 4)
                assert np.isnan(y[train]).sum() == (20 if target_rows == "all" else 0)

    def test_shuffled_splits_draw_from_both_domains(self):
        X, y = numbered(200, 100)
        splits = list(TargetShuffleSplit(6, train_size=0.25, test_size=0.3, target_rows=10).split(X, y))
        assert len(splits) == TargetShuffleSplit(6).get_n_splits() == 6
        for train, test in splits:
            assert ((train < 200).sum(), (train >= 200).sum(), len(test)) == (50, 10, 30)
            assert (test >= 200).all()
            assert not set(train) & set(test)
            assert y[train[:50]].mean() == y[test].mean() == 0.5
        assert (
            len({tuple(train[:50]) for train, _ in splits}) == len({tuple(test) for _, test in splits}) == 6
        )

    @pytest.mark.parametrize(
        "cv",
        [
            TargetKFold(3, target_rows=4),
            TargetShuffleSplit(3, target_rows=4),
            LeaveOneDomainOut(2, target_rows=4),
        ],
        ids=lambda cv: type(cv).__name__,
    )
    def test_same_splits_every_time_and_others_by_seed(self, cv):
        X, y = numbered()

        def splits(seed):
            again = pickle.loads(pickle.dumps(cv))
            again.random_state = seed
            return [(train.tolist(), test.tolist()) for train, test in again.split(X, y)]

        assert splits(0) == splits(0)
        assert splits(0) != splits(1)
        assert f"{type(cv).__name__}(" in repr(cv)

    def test_leave_one_domain_out(self):
        X = mark_domains(np.arange(30)[:, np.newaxis], np.repeat(["a", "b", "c"], 10))
        y = np.arange(30) % 2
        whole = list(LeaveOneDomainOut().split(X, y))
        assert [test.tolist() for _, test in whole] == [list(range(k, k + 10)) for k in (0, 10, 20)]
        assert all(sorted([*train, *test]) == list(range(30)) for train, test in whole)
        folds = LeaveOneDomainOut(5, target_rows="all")
        assert folds.get_n_splits(X) == len(list(folds.split(X, y))) == 15
        for k, (train, test) in enumerate(folds.split(X, y)):
            assert set(X.index[test]) == set(X.index[train[20:]]) == {"abc"[k // 5]}
            assert sorted([*train, *test]) == list(range(30))

    def test_misuse(self):
        X, y = numbered()
        split = lambda cv, X=X, y=y: list(cv.split(X, y))  # noqa: E731
        with pytest.raises(ValueError, match="Got a ndarray without marks of the domains"):
            split(TargetKFold(), X.to_numpy())
        with pytest.raises(ValueError, match="Got a list without marks"):
            split(TargetKFold(), ["a"] * 240)
        with pytest.raises(ValueError, match=r"Got no y\. Expected labels"):
            split(TargetKFold(), y=None)
        with pytest.raises(ValueError, match="Got 3 labels for 240 rows"):
            split(TargetKFold(), y=[1, 2, 3])
        with pytest.raises(
            ValueError, match=r"no labelled rows of the domain 'kitchen'; the domains are \['so"
        ):
            split(TargetKFold(target="kitchen"))
        with pytest.raises(ValueError, match="no labelled rows of other domains"):
            split(TargetKFold(), X[N:], y[N:])
        with pytest.raises(ValueError, match=r"target has 96 labelled rows\. Ask for fewer"):
            split(TargetKFold(target_rows=97))
        for wrong in (-1, 0.5, "some"):
            with pytest.raises(ValueError, match="Expected a number of rows, or"):
                split(TargetKFold(target_rows=wrong))
        with pytest.raises(ValueError, match=r"Got train_size=80 of 120 rows\. Expected a share"):
            split(TargetShuffleSplit(train_size=80))
        with pytest.raises(ValueError, match=r"Got test_size=0.001 of 120 rows"):
            split(TargetShuffleSplit(test_size=0.001))
        with pytest.raises(ValueError, match="Got target_rows='all' with n_folds=1"):
            split(LeaveOneDomainOut(target_rows="all"))

    def test_every_beginning_of_a_stratified_order_has_the_shares_of_the_whole(self):
        codes = np.repeat([0, 1, 2], [600, 300, 100])
        for seed in range(5):
            order = stratified_order(codes, np.random.default_rng(seed))
            assert sorted(order) == list(range(1000))
            for size in (16, 50, 333):
                found = np.bincount(codes[order[:size]], minlength=3)
                np.testing.assert_allclose(found, size * np.array([0.6, 0.3, 0.1]), atol=1.01)


class TestHonesty:
    """Domains 6 apart: the centred pipeline is right about each domain only through that domain's path."""

    def right(self):
        """What a real split gives: fresh target rows."""
        (X, y), (X_target, _), (X_new, y_new) = shifted(0), shifted(1), shifted(1, 2000, seed=9)
        return centred().fit(X, y, X_target=X_target).score(X_new, y_new)

    def test_plain_cross_validation_misleads_and_target_folds_do_not(self):
        (X, y), (X_target, _) = shifted(0), shifted(1)
        plain = cross_val_score(centred(), X, y, params={"X_target": Target(X_target)})
        scores = cross_val_score(honest(), *stacked(), cv=ALL)
        assert plain.mean() < 0.6
        assert self.right() > 0.9
        assert scores.mean() == pytest.approx(self.right(), abs=0.05)

    def test_source_scores_promise_what_no_target_row_keeps(self):
        X, y = stacked()
        unadapted = LogisticRegression()
        plain = cross_val_score(unadapted, X.loc["source"], y[:N])
        scores = cross_val_score(unadapted, X, y, cv=TargetKFold(4))
        X_new, y_new = shifted(1, 2000, seed=9)
        right = LogisticRegression().fit(X.loc["source"], y[:N]).score(X_new, y_new)
        assert plain.mean() > 0.9
        assert right < 0.6
        assert scores.mean() == pytest.approx(right, abs=0.05)

    def test_a_fold_equals_the_split_made_by_hand(self):
        X, y = stacked()
        scores = cross_val_score(honest(), X, y, cv=ALL)
        for score, (train, test) in zip(scores, ALL.split(X, y), strict=True):
            rows = X.to_numpy()
            model = centred().fit(rows[:N], y[:N], X_target=rows[train[N:]])
            assert score == model.score(rows[test], y[test])

    def test_real_texts_within_the_noise_of_a_real_split(self):
        films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
        model = make_transfer_pipeline(WordEmbedder(), DomainCentering(), LogisticRegression(C=10))
        X, y = stack_domains(films.data, films.target, pans.data, pans.target)
        scores = cross_val_score(honest(model), X, y, cv=TargetKFold(2, target_rows="all"))
        half = len(pans.data) // 2
        real = (
            clone(model)
            .fit(films.data, films.target, X_target=pans.data[:half])
            .score(pans.data[half:], pans.target[half:])
        )
        assert scores.mean() == pytest.approx(real, abs=3 * np.sqrt(0.25 / half))

    @pytest.mark.parametrize("n_source", [N, 90])
    def test_no_scored_row_is_seen(self, seen, n_source):
        """Also where source and target have as many rows (trap 2 of docs/design.md)."""
        X, y = numbered(n_source)
        cross_validate(honest(make_transfer_pipeline(Recording(), LogisticRegression())), X, y, cv=ALL)
        folds = list(ALL.split(X, y))
        assert len(seen) == len(folds)
        for (source, target), (_, test) in zip(seen, folds, strict=True):
            assert source.tolist() == list(range(n_source))
            assert sorted([*target, *test]) == list(range(n_source, n_source + N))

    def test_the_seen_protocol_is_the_pipeline_with_a_target(self, seen):
        X, y = numbered()
        pipeline = make_transfer_pipeline(Recording(), LogisticRegression())
        params = {"X_target": Target(X.loc["target"])}
        cross_validate(pipeline, X, y, cv=TargetKFold(3), params=params)
        assert [(list(source), list(target)) for source, target in seen] == [
            (list(range(N)), list(range(N, 2 * N)))
        ] * 3

    def test_labels_of_the_target_change_nothing_unless_asked_for(self):
        X, y = stacked()
        hidden = y.astype(float)
        hidden[N:] = np.nan
        pipeline = make_transfer_pipeline(DomainCentering(), PooledClassifier())
        rows = X.to_numpy()
        blind, given = honest(pipeline).fit(X, hidden), honest(pipeline).fit(X, y)
        np.testing.assert_array_equal(blind.predict_proba(rows), given.predict_proba(rows))
        some = honest(pipeline, target_labels=10).fit(X, y)
        assert some.estimator_[-1].n_target_labels_ == 10
        assert honest(pipeline, target_labels="all").fit(X, y).estimator_[-1].n_target_labels_ == N
        assert not np.array_equal(some.predict_proba(rows), given.predict_proba(rows))

    def test_rows_from_both_domains_go_their_own_way(self):
        X, y = stacked()
        model = honest().fit(X, y)
        shuffled = np.random.default_rng(0).permutation(len(X))
        assert model.score(X.iloc[shuffled], y[shuffled]) > 0.9
        assert model.score(X.loc["source"], y[:N]) > 0.9
        assert model.score(X.loc["source"].to_numpy(), y[:N]) < 0.6
        for method in ("predict", "predict_proba", "decision_function"):
            out = getattr(model, method)(X.iloc[shuffled])
            of_source = getattr(model.estimator_.source_view(), method)(X.to_numpy()[:N])
            of_target = getattr(model.estimator_, method)(X.to_numpy()[N:])
            np.testing.assert_array_equal(out, np.concatenate([of_source, of_target])[shuffled])

    def test_source_scorer(self):
        X, y = stacked()
        scores = cross_val_score(
            honest(), X, y, cv=KFold(3, shuffle=True, random_state=0), scoring="accuracy"
        )
        assert scores.mean() > 0.9
        model = honest().fit(X, y)
        assert source_scorer()(model, X.loc["source"], y[:N]) > 0.9


class TestTools:
    @pytest.mark.parametrize(
        ("labels", "n_jobs"),
        [(None, 2), ([2.0, 5.0], 1), (["no", "yes"], 1), ([False, True], 1)],
        ids=str,
    )
    def test_grid_search(self, labels, n_jobs):
        X, y = stacked(labels)
        grid = {"estimator__domaincentering": [NoAdaptation(), DomainCentering()]}
        search = GridSearchCV(honest(), grid, cv=ALL, n_jobs=n_jobs).fit(X, y)
        assert isinstance(search.best_params_["estimator__domaincentering"], DomainCentering)
        worse, better = search.cv_results_["mean_test_score"]
        assert worse < 0.6
        assert better > 0.9
        assert search.score(X.loc["target"], y[N:]) > 0.9
        np.testing.assert_array_equal(search.classes_, np.unique(y))
        with_pandas = GridSearchCV(honest(), grid, cv=ALL).fit(X, pd.Series(y))
        np.testing.assert_array_equal(with_pandas.cv_results_["mean_test_score"], [worse, better])

    @pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"]], ids=str)
    def test_grid_search_with_labels_missing(self, labels):
        (source, y), (target, y_target) = shifted(0), shifted(1)
        some = [labels[code] if k % 3 else None for k, code in enumerate(y_target)]
        X, y = stack_domains(source, np.array(labels)[y], target, some)
        search = GridSearchCV(honest(), {"estimator__logisticregression__C": [0.1, 1]}, cv=ALL).fit(X, y)
        assert search.best_score_ > 0.9

    @pytest.mark.parametrize("routing", [False, True])
    def test_nested(self, seen, routing):
        X, y = numbered()
        pipeline = make_transfer_pipeline(Recording(), LogisticRegression())
        grid = {"estimator__logisticregression__C": [0.1, 1]}
        with config_context(enable_metadata_routing=routing):
            search = GridSearchCV(honest(pipeline), grid, cv=TargetKFold(3, target_rows="all"))
            cross_validate(search, X, y, cv=ALL)
        outer = [set(test) for _, test in ALL.split(X, y)]
        per_fold = len(seen) // len(outer)
        assert per_fold == 2 * 3 + 1
        for k, (source, target) in enumerate(seen):
            assert len(source) == N
            assert not set(target) & outer[k // per_fold]
            assert len(target) == (90 if k % per_fold == 6 else 60)

    def test_cross_validate_reports_both_scores_and_the_estimators(self):
        found = cross_validate(
            honest(), *stacked(), cv=ALL, return_estimator=True, scoring=["accuracy", "roc_auc"]
        )
        assert found["test_accuracy"].mean() > 0.9
        assert found["test_roc_auc"].mean() > 0.95
        assert [model.target_ for model in found["estimator"]] == ["target"] * 4

    def test_cross_val_predict_over_both_domains(self):
        X, y = stacked()
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        predicted = cross_val_predict(honest(), X, y, cv=folds)
        assert (predicted == y)[:N].mean() > 0.9
        assert (predicted == y)[N:].mean() > 0.9
        proba = cross_val_predict(honest(), X, y, cv=folds, method="predict_proba")
        np.testing.assert_array_equal(proba.argmax(axis=1), predicted)

    def test_other_tools(self):
        X, y = stacked()
        sizes, _, scores = learning_curve(
            honest(), X, y, cv=TargetShuffleSplit(3, target_rows="all"), train_sizes=[0.9, 1.0], shuffle=True
        )
        assert sizes[-1] == 96 + 60
        assert scores.mean() > 0.9
        grid = {"estimator__logisticregression__C": [0.1, 1, 10]}
        search = RandomizedSearchCV(honest(), grid, n_iter=2, cv=TargetShuffleSplit(2, target_rows="all"))
        assert search.fit(X, y).best_score_ > 0.9

    def test_three_domains(self):
        parts = [shifted(k) for k in range(3)]
        X = mark_domains(np.concatenate([rows for rows, _ in parts]), np.repeat(["books", "dvd", "music"], N))
        y = np.concatenate([labels for _, labels in parts])
        adapted = cross_validate(
            honest(target=None), X, y, cv=LeaveOneDomainOut(3, target_rows="all"), return_estimator=True
        )
        assert [model.target_ for model in adapted["estimator"]] == np.repeat(
            ["books", "dvd", "music"], 3
        ).tolist()
        assert set(adapted["estimator"][0].source_domains_) == {"dvd", "music"}
        by_hand = centred().fit(X.loc[["dvd", "music"]], y[N:], X_target=X.loc["books"])
        expected = by_hand.score(*shifted(0, 2000, seed=9))
        assert adapted["test_score"][:3].mean() == pytest.approx(expected, abs=0.06)
        unadapted = cross_val_score(
            make_pipeline(StandardScaler(), LogisticRegression()), X, y, cv=LeaveOneDomainOut()
        )
        assert len(unadapted) == 3

    def test_clone_and_pickle(self):
        X, y = stacked()
        model = honest(target_labels=0)
        assert is_classifier(model)
        fitted = clone(model).fit(X, y)
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
        with pytest.raises(NotFittedError, match="not fitted"):
            clone(fitted).predict(X)
        assert not hasattr(honest(centred(None)).set_params(estimator=CORAL()), "predict")


class TestMisuse:
    def test_fit(self):
        X, y = stacked()
        with pytest.raises(TypeError, match="Got Pipeline, whose fit takes no X_target"):
            honest(make_pipeline(StandardScaler(), LogisticRegression())).fit(X, y)
        with pytest.raises(ValueError, match="Got a ndarray without marks"):
            honest().fit(X.to_numpy(), y)
        with pytest.raises(ValueError, match="Got 5 labels for 240 rows"):
            honest().fit(X, y[:5])
        with pytest.raises(ValueError, match=r"Got rows of \['source'\]. .* with target_rows=\"all\""):
            cross_val_score(honest(), X, y, cv=TargetKFold(3), error_score="raise")
        with pytest.raises(ValueError, match="Got source rows without a label"):
            honest(target="source", target_labels=0).fit(X, np.r_[y[:N], np.full(N, np.nan)])
        for wrong in (121, -1, "some", 0.5):
            with pytest.raises(ValueError, match="Expected at most 120, as many target rows have a label"):
                honest(target_labels=wrong).fit(X, y)

    def test_rows_in_another_order_do_not_name_the_target(self):
        X, y = stacked()
        shuffled = np.random.default_rng(0).permutation(len(X))
        with pytest.raises(
            ValueError, match=r"Got target=None, but rows of '(source|target)', the last ones"
        ):
            honest(target=None).fit(X.iloc[shuffled], y[shuffled])
        assert honest(target=None).fit(X, y).target_ == "target"

    def test_predict(self):
        X, y = stacked()
        model = honest().fit(X, y)
        with pytest.raises(
            ValueError, match=r"Got rows of \['kitchen'\]. Expected the target 'target' or a source"
        ):
            model.predict(mark_domains(X.to_numpy(), "kitchen"))
