"""Importance weights: against the true ratio, a quadratic programme, skada, and by what they do to a fit."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn import config_context
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel
from sklearn.naive_bayes import GaussianNB

from embtransfer import (
    ImportanceWeightedClassifier,
    NoAdaptation,
    density_ratio,
    load_pipeline,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.classifiers._density_ratio import METHODS, _onto_simplex, match, mixture

every_method = pytest.mark.parametrize("method", METHODS)


def gaussians(n=1000, seed=0):
    """Source N(0, 1), target N(0.8, 1), and the true ratio at the source rows."""
    source, target = np.random.default_rng(seed).normal([[[0.0]], [[0.8]]], 1, (2, n, 1))
    ratio = np.exp(0.8 * source[:, 0] - 0.32)
    return source, target, ratio / ratio.mean()


def domains(dtype=float, n_source=40, n_target=30, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (n_source, 3)).astype(dtype), rng.normal(0.5, 1, (n_target, 3)).astype(dtype)


@every_method
def test_the_true_ratio(method):
    source, target, ratio = gaussians()
    weights = density_ratio(source, target, method)
    assert weights.shape == (1000,)
    assert weights.min() >= 0
    assert weights.mean() == pytest.approx(1)
    if method in ("kmm", "nearest"):  # right on the average of neighbours
        order = np.argsort(source[:, 0])
        weights, ratio = (part[order].reshape(20, 50).mean(axis=1) for part in (weights, ratio))
    assert np.corrcoef(weights, ratio)[0, 1] > 0.95


@pytest.mark.parametrize(("method", "n_target"), [*((name, 1000) for name in METHODS), ("nearest", 150)])
def test_the_weighted_source_has_the_mean_of_the_target(method, n_target):
    source, target, _ = gaussians()
    target = target[:n_target]
    weights = density_ratio(source, target, method)
    left = abs(np.average(source[:, 0], weights=weights) - target.mean())
    assert left < 0.1 * abs(source.mean() - target.mean())


@pytest.mark.parametrize("method", ["classifier", "kliep", "kmm"])
def test_no_shift(method):
    source, target = np.random.default_rng(0).normal(size=(2, 500, 3))
    weights = density_ratio(source, target, method)
    assert weights.sum() ** 2 / (weights**2).sum() > (0.5 if method == "kmm" else 0.9) * 500


def test_kernel_mean_matching_is_the_quadratic_programme():
    source, target = domains()
    kernel = rbf_kernel(source, gamma=0.3)
    linear = 40 * rbf_kernel(source, target, gamma=0.3).mean(axis=1)

    def loss(w):
        return w @ kernel @ w / 2 - linear @ w

    exact = minimize(
        loss,
        np.ones(40),
        jac=lambda w: kernel @ w - linear,
        bounds=[(0, None)] * 40,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 40},
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-12},
    )
    ours = match(kernel, linear, tol=1e-9, max_iter=20_000)
    assert ours.sum() == pytest.approx(40)
    assert ours.min() >= 0
    assert loss(ours) == pytest.approx(exact.fun, rel=1e-7)
    assert loss(match(kernel, linear)) == pytest.approx(exact.fun, rel=1e-5)


@pytest.fixture
def skada():
    with config_context():  # importing skada switches metadata routing on for the whole process
        yield pytest.importorskip("skada._reweight")


def test_kernel_mean_matching_against_skada(skada):
    source, target = domains()
    gamma = 0.5 / np.median(euclidean_distances(source, target, squared=True))
    kernel = rbf_kernel(source, gamma=gamma)
    linear = 40 * rbf_kernel(source, target, gamma=gamma).mean(axis=1)
    rows, domain = np.vstack([source, target]), np.repeat([1, -2], [40, 30])
    theirs = skada.KMMReweightAdapter(kernel="rbf", gamma=gamma, eps=1e-6, solver="scipy").fit(
        rows, sample_domain=domain
    )
    weights = theirs.source_weights_, density_ratio(source, target, "kmm")
    theirs, ours = (w @ kernel @ w / 2 - linear @ w for w in weights)
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_kernel_mean_matching_in_parts():
    source, target, ratio = gaussians(n=2000)
    weights = density_ratio(source, target, "kmm", max_rows=500)
    order = np.argsort(source[:, 0])
    weights, ratio = (part[order].reshape(20, 100).mean(axis=1) for part in (weights, ratio))
    assert np.corrcoef(weights, ratio)[0, 1] > 0.95


def test_kliep_is_the_maximum_of_the_likelihood():
    source, target = domains()
    kernel, at_source = rbf_kernel(target, target[:10]), rbf_kernel(source, target[:10]).mean(axis=0)
    exact = minimize(
        lambda a: -np.log(kernel @ a).mean(),
        np.full(10, 1 / at_source.sum()),
        jac=lambda a: -(1 / (kernel @ a)) @ kernel / 30,
        bounds=[(0, None)] * 10,
        constraints={"type": "eq", "fun": lambda a: at_source @ a - 1},
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-12},
    )
    ours = mixture(kernel, at_source)
    assert at_source @ ours == pytest.approx(1)
    assert -np.log(kernel @ ours).mean() <= exact.fun + 1e-9


@pytest.mark.filterwarnings("ignore:The number of unique classes:UserWarning")  # in skada
def test_nearest_against_skada(skada):
    source, target = domains(n_target=40)  # skada mixes domains up unless they have as many rows
    rows, domain = np.vstack([source, target]), np.repeat([1, -2], 40)
    theirs = skada.NearestNeighborReweightAdapter(laplace_smoothing=False).fit(rows, sample_domain=domain)
    theirs = theirs.compute_weights(rows, sample_domain=domain)[:40]
    np.testing.assert_allclose(density_ratio(source, target, "nearest"), theirs / theirs.mean())


def test_the_nearest_point_of_the_simplex():
    values = np.random.default_rng(0).normal(size=12)
    found = _onto_simplex(values, 4.0)
    exact = minimize(
        lambda w: ((w - values) ** 2).sum(),
        np.full(12, 1 / 3),
        bounds=[(0, None)] * 12,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 4},
        options={"ftol": 1e-14},
    )
    np.testing.assert_allclose(found, exact.x, atol=1e-5)


@every_method
def test_sparse_rows(method):
    source, target = domains()
    source[np.abs(source) < 0.5] = target[np.abs(target) < 0.5] = 0
    dense = density_ratio(source, target, method)
    for kind in (sparse.csr_matrix, sparse.csr_array):
        weights = density_ratio(kind(source), kind(target), method)
        if method == "classifier":  # which centres dense rows first
            assert np.corrcoef(weights, dense)[0, 1] > 0.9
        else:
            np.testing.assert_allclose(weights, dense, rtol=1e-4, atol=1e-4)


@every_method
def test_float32_is_as_good(method):
    exact = density_ratio(*domains(), method)
    np.testing.assert_allclose(density_ratio(*domains(np.float32), method), exact, rtol=0.02, atol=0.02)


@every_method
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_target_rows_far_from_every_source_row(method, dtype):
    source, target = domains(dtype)
    target[::4] += 1000
    weights = density_ratio(source, target, method)
    assert np.isfinite(weights).all()
    assert weights.mean() == pytest.approx(1)


@every_method
@pytest.mark.parametrize(("n_source", "n_target"), [(1, 1), (1, 9), (9, 1), (2, 2), (4, 3)])
def test_few_rows(method, n_source, n_target):
    weights = density_ratio(*domains(n_source=n_source, n_target=n_target), method)
    assert weights.shape == (n_source,)
    assert weights.mean() == pytest.approx(1)


@every_method
@pytest.mark.parametrize("far", [0, 1e4])
def test_rows_all_equal_and_domains_far_apart(method, far):
    weights = density_ratio(np.zeros((8, 2)), np.full((7, 2), far), method)
    assert weights.mean() == pytest.approx(1)
    if method == "nearest" or far == 0:
        np.testing.assert_allclose(weights, 1, rtol=1e-3)


@every_method
def test_same_weights_every_time_whatever_the_scale(method):
    source, target = domains()
    weights = density_ratio(source, target, method)
    np.testing.assert_array_equal(density_ratio(source, target, method), weights)
    np.testing.assert_allclose(
        density_ratio(1000 * source, 1000 * target, method), weights, rtol=1e-4, atol=1e-5
    )


def test_messages_of_the_function():
    source, target = domains()
    with pytest.raises(ValueError, match=r"Got method 'odds'\. Expected one of: classifier, kliep"):
        density_ratio(source, target, "odds")
    with pytest.raises(ValueError, match="X_target has 2 features, but X_source has 3"):
        density_ratio(source, target[:, :2])


class TestClassifier:
    @staticmethod
    def curved(n=1000, seed=0):
        """Labels that no line splits: which line is best depends on where the rows are."""
        rng = np.random.default_rng(seed)
        source, target = rng.normal(0, 1, (n, 2)), rng.normal([1, 0], 0.7, (n, 2))
        return source, target, *(rows[:, 1] > rows[:, 0] ** 2 - 1 for rows in (source, target))

    @every_method
    def test_better_on_the_target_than_unweighted(self, method):
        X, X_target, y, y_target = self.curved()
        plain = LogisticRegression(C=10).fit(X, y).score(X_target, y_target)
        weighted = ImportanceWeightedClassifier(weights=method).fit(X, y, X_target=X_target)
        assert weighted.score(X_target, y_target) > plain + 0.03
        assert 0.05 * len(X) < weighted.effective_sample_size_ < len(X)

    @every_method
    def test_is_the_estimator_with_the_weights_of_the_function(self, method):
        X, X_target, y, _ = self.curved(200)
        model = ImportanceWeightedClassifier(GaussianNB(), weights=method, clip=None).fit(X, y, X_target)
        weights = density_ratio(X, X_target, method)
        weights = (weights + 1) / 2 if method == "nearest" else np.maximum(weights, 1e-6)
        np.testing.assert_allclose(model.weights_, weights / weights.mean())
        expected = GaussianNB().fit(X, y, sample_weight=weights).predict_proba(X_target)
        np.testing.assert_allclose(model.predict_proba(X_target), expected, rtol=1e-6)

    def test_flatten_and_clip(self):
        X, X_target, y, _ = self.curved(400)
        fit = {"X": X, "y": y, "X_target": X_target}
        full, half, none = (
            ImportanceWeightedClassifier(flatten=flatten, clip=None).fit(**fit).weights_
            for flatten in (1.0, 0.5, 0.0)
        )
        np.testing.assert_allclose(half, np.sqrt(full) / np.sqrt(full).mean(), rtol=1e-3)
        np.testing.assert_array_equal(none, 1)
        clipped = ImportanceWeightedClassifier(clip=2).fit(**fit).weights_
        cut = np.maximum(np.minimum(full, 2), 1e-6)
        np.testing.assert_allclose(clipped, cut / cut.mean())

    def test_effective_sample_size(self):
        X, X_target, y, _ = self.curved(400)
        model = ImportanceWeightedClassifier().fit(X, y, X_target=X_target)
        assert model.effective_sample_size_ == pytest.approx(
            model.weights_.sum() ** 2 / sum(w * w for w in model.weights_)
        )
        assert ImportanceWeightedClassifier().fit(X, y).effective_sample_size_ == len(X)

    def test_warning_where_domains_hardly_overlap(self):
        rng = np.random.default_rng(0)
        X, X_target = rng.normal(size=(500, 3)), rng.normal(3, 1, (500, 3))
        with pytest.warns(UserWarning, match=r"effective sample of .*.*Put an adapter first"):
            ImportanceWeightedClassifier(clip=None).fit(X, np.arange(500) % 2, X_target=X_target)

    def test_without_a_target_it_is_the_estimator(self):
        X, _, y, _ = self.curved(200)
        model = ImportanceWeightedClassifier().fit(X, y)
        np.testing.assert_array_equal(model.weights_, 1)
        plain = LogisticRegression(C=10, max_iter=1000).fit(X, y)
        np.testing.assert_allclose(model.predict_proba(X), plain.predict_proba(X), atol=2e-4)

    def test_an_estimator_without_sample_weight(self):
        X, X_target, y, _ = self.curved(50)
        model = ImportanceWeightedClassifier(LinearDiscriminantAnalysis())
        with pytest.raises(ValueError, match="LinearDiscriminantAnalysis, whose fit takes no sample_weight"):
            model.fit(X, y, X_target=X_target)

    @pytest.mark.parametrize("wrong", [{"weights": "odds"}, {"flatten": 1.5}, {"clip": 0.5}, {"max_rows": 1}])
    def test_wrong_parameters(self, wrong):
        with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
            ImportanceWeightedClassifier(**wrong).fit([[0.0], [1.0]], [0, 1])

    def test_sparse_rows_and_str_labels_in_a_pipeline_saved_and_loaded(self, tmp_path):
        X, X_target, y, _ = self.curved(200)
        pipeline = make_transfer_pipeline(NoAdaptation(), ImportanceWeightedClassifier())
        pipeline.fit(sparse.csr_array(X), np.where(y, "in", "out"), X_target=sparse.csr_array(X_target))
        assert pipeline[-1].effective_sample_size_ < 200
        loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
        np.testing.assert_array_equal(loaded.predict_proba(X_target), pipeline.predict_proba(X_target))
        assert set(loaded.predict_source(X)) == {"in", "out"}


def test_labelled_target_rows_join_the_weighted_fit():
    source, target = domains()
    y, labels = source[:, 0] > 0, target[:, 0] < 0  # the other way round
    some = [label if row < 10 else None for row, label in enumerate(labels.tolist())]
    model = ImportanceWeightedClassifier(LogisticRegression(tol=1e-8), target_weight=2.0)
    model.fit(source, y, X_target=target, y_target=some)
    weights = np.concatenate([model.weights_, np.full(10, 2.0)])
    plain = LogisticRegression(tol=1e-8).fit(
        np.concatenate([source, target[:10]]), np.concatenate([y, labels[:10]]), sample_weight=weights
    )
    np.testing.assert_allclose(model.estimator_.coef_, plain.coef_, atol=1e-6)
    assert model.n_target_labels_ == 10
    by_pipeline = make_transfer_pipeline(NoAdaptation(), ImportanceWeightedClassifier())
    by_pipeline.fit(source, y, X_target=target, y_target=some)
    assert by_pipeline[-1].n_target_labels_ == 10
