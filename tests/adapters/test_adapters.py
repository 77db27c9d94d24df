"""Adapters: each formula evaluated directly, and against scikit-learn and skada where they do the same."""

import numpy as np
import pytest
from scipy.linalg import inv, sqrtm
from sklearn import config_context
from sklearn.covariance import empirical_covariance, ledoit_wolf, shrunk_covariance
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from embtransfer.adapters import (
    CORAL,
    DomainCentering,
    GeodesicFlowKernel,
    LinearOT,
    NoAdaptation,
    SubspaceAlignment,
)
from embtransfer.adapters._base import AffineMap
from embtransfer.adapters._moments import ROWS, Moments, mean_and_covariance

SHRINKAGES = ["auto", 0, 0.3, 1]
CONFIGURED = [
    CORAL(),
    CORAL(0),
    DomainCentering(),
    DomainCentering(with_std=True),
    LinearOT(),
    LinearOT(0),
    NoAdaptation(),
    SubspaceAlignment(3),
    SubspaceAlignment(None),
]


def make_domains(n_source=300, n_target=200, offset=0.0, seed=0):
    """Two domains of six columns, whose variances are far apart, so that axes are well determined."""
    rng = np.random.default_rng(seed)
    rotations = [np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(2)]
    scales = [np.array([6, 3, 1.5, 0.8, 0.4, 0.2]), np.array([5, 2.5, 1.4, 0.7, 0.3, 0.1])]
    source, target = (
        rng.normal(size=(n, 6)) * scale @ rotation
        for n, scale, rotation in zip((n_source, n_target), scales, rotations, strict=True)
    )
    return source + offset, target + 2 * offset + 3


def covariance(X, shrinkage):
    if shrinkage == "auto":
        return ledoit_wolf(X)[0]
    return shrunk_covariance(empirical_covariance(X), shrinkage)


def fit_both(adapter, source, target):
    fitted = adapter.fit(source, X_target=target)
    return fitted.transform_source(source), fitted.transform(target)


def assert_equal_up_to_sign(actual, expected):
    """Columns of both pairs (source, target) agree, where a column's sign is free but shared by a pair."""
    signs = np.sign(np.sum(actual[1] * expected[1], axis=0))
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(ours * signs, theirs, atol=1e-8)


@pytest.mark.parametrize("shrinkage", SHRINKAGES)
@pytest.mark.parametrize(("n", "d"), [(500, 6), (8, 30), (2, 4), (ROWS + 100, 3), (50, 1)])
def test_covariance_is_that_of_scikit_learn(n, d, shrinkage):
    X = np.random.default_rng(0).normal(size=(n, d)) * np.arange(1, d + 1) + 5
    mean, ours = mean_and_covariance(X, shrinkage)
    np.testing.assert_allclose(mean, X.mean(axis=0))
    np.testing.assert_allclose(ours, covariance(X, shrinkage), atol=1e-10)


def test_covariance_in_float32_is_summed_in_float64():
    X = np.random.default_rng(0).normal(size=(4 * ROWS, 3)) + 100
    mean, ours = mean_and_covariance(X.astype(np.float32), "auto")
    assert mean.dtype == ours.dtype == np.float64
    np.testing.assert_allclose(ours, ledoit_wolf(X)[0], atol=1e-4)


@pytest.mark.parametrize("n", [100, ROWS + 100])
def test_standard_deviation(n):
    X = np.random.default_rng(0).normal(size=(n, 3)) * [1, 10, 0] + [0, 100, 0.1]
    moments, scaler = Moments(X, "diagonal"), StandardScaler().fit(X)
    std = moments.std()
    np.testing.assert_allclose(moments.mean, scaler.mean_)
    np.testing.assert_allclose(std, scaler.scale_)
    assert std[2] == 1


@pytest.mark.parametrize("n_rows", [1, ROWS, 2 * ROWS + 7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_affine_map(n_rows, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 5)).astype(dtype)
    offset, matrix, vector = rng.normal(size=5), rng.normal(size=(5, 3)), rng.normal(size=5)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    for weight, expected in [
        (None, X - offset),
        (vector, (X - offset) * vector),
        (matrix, (X - offset) @ matrix),
    ]:
        out = AffineMap(offset, weight)(X)
        assert out.dtype == dtype
        np.testing.assert_allclose(out, expected, atol=tolerance)


@pytest.mark.parametrize("adapter", CONFIGURED, ids=repr)
def test_many_rows_are_mapped_as_few(adapter):
    source, target = make_domains()
    adapter.fit(source, X_target=target)
    many = np.tile(source, (ROWS // 100, 1))
    for transform in (adapter.transform, adapter.transform_source):
        np.testing.assert_allclose(transform(many)[-300:], transform(source), atol=1e-10)


@pytest.mark.parametrize("shrinkage", SHRINKAGES)
@pytest.mark.parametrize("sizes", [(300, 200), (200, 300), (12, 400)])
def test_coral_formula(shrinkage, sizes):
    source, target = make_domains(*sizes)
    weight = inv(sqrtm(covariance(source, shrinkage))) @ sqrtm(covariance(target, shrinkage))
    from_source, from_target = fit_both(CORAL(shrinkage), source, target)
    np.testing.assert_allclose(from_source, (source - source.mean(axis=0)) @ weight, atol=1e-8)
    np.testing.assert_allclose(from_target, target - target.mean(axis=0), atol=1e-12)


def test_coral_aligns_the_means_too():
    for out in fit_both(CORAL(), *make_domains(offset=50)):
        np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-12)


def test_coral_gives_the_source_the_targets_covariance():
    source, target = make_domains()
    adapted = CORAL(0).fit_transform(source, X_target=target)
    np.testing.assert_allclose(np.cov(adapted.T, bias=True), np.cov(target.T, bias=True), atol=1e-10)


@pytest.mark.parametrize("shrinkage", SHRINKAGES)
def test_coral_takes_one_shrunk_covariance_to_the_other(shrinkage):
    source, target = make_domains()
    weight = CORAL(shrinkage).fit(source, X_target=target).source_map_.weight
    taken = weight.T @ covariance(source, shrinkage) @ weight
    np.testing.assert_allclose(taken, covariance(target, shrinkage), atol=1e-10)


@pytest.mark.parametrize("shrinkage", SHRINKAGES)
@pytest.mark.parametrize("sizes", [(300, 200), (200, 300), (12, 400)])
def test_linear_ot_formula(shrinkage, sizes):
    source, target = make_domains(*sizes)
    root = sqrtm(covariance(source, shrinkage))
    weight = inv(root) @ sqrtm(root @ covariance(target, shrinkage) @ root) @ inv(root)
    from_source, from_target = fit_both(LinearOT(shrinkage), source, target)
    np.testing.assert_allclose(from_source, (source - source.mean(axis=0)) @ weight, atol=1e-8)
    np.testing.assert_allclose(from_target, target - target.mean(axis=0), atol=1e-12)


def test_linear_ot_moves_rows_less_than_coral():
    source, target = make_domains()
    maps = [adapter(0).fit(source, X_target=target).source_map_.weight for adapter in (LinearOT, CORAL)]
    centred = source - source.mean(axis=0)
    ours, corals = (np.sum((centred @ weight - centred) ** 2) for weight in maps)
    assert ours < 0.9 * corals
    for weight in maps:
        np.testing.assert_allclose(
            weight.T @ np.cov(centred.T, bias=True) @ weight, np.cov(target.T, bias=True)
        )
    np.testing.assert_allclose(maps[0], maps[0].T, atol=1e-10)  # a gradient of a convex function: no rotation
    assert np.linalg.eigvalsh(maps[0]).min() > 0


def test_linear_ot_is_that_of_pot():
    gaussian = pytest.importorskip("ot.gaussian")
    source, target = make_domains()
    weight, bias = gaussian.empirical_bures_wasserstein_mapping(source, target, reg=0)
    moved = LinearOT(0).fit_transform(source, X_target=target) + target.mean(axis=0)
    np.testing.assert_allclose(moved, source @ weight + bias, rtol=1e-2)


def test_coral_fully_shrunk_only_scales():
    weight = CORAL(1).fit(*make_domains()[:1], X_target=make_domains()[1]).source_map_.weight
    np.testing.assert_allclose(weight, weight[0, 0] * np.eye(6), atol=1e-12)


def test_coral_does_not_blow_up_a_direction_without_variance():
    source, target = make_domains()
    source[:, 2] = 7
    weight = CORAL(0).fit(source, X_target=target).source_map_.weight
    ratio = np.linalg.norm(target - target.mean(axis=0), 2) / np.linalg.norm(source - source.mean(axis=0), 2)
    assert np.linalg.norm(weight, 2) < 1001 * ratio * np.sqrt(300 / 200)


@pytest.mark.parametrize("with_std", [False, True])
def test_centering_is_a_scaler_for_each_domain(with_std):
    source, target = make_domains()
    target[:, 4] = 0.1
    for out, X in zip(fit_both(DomainCentering(with_std), source, target), (source, target), strict=True):
        expected = StandardScaler(with_std=with_std).fit_transform(X)
        np.testing.assert_allclose(out, expected, atol=1e-12)


def test_no_adaptation_changes_nothing():
    domains = make_domains()
    for out, X in zip(fit_both(NoAdaptation(), *domains), domains, strict=True):
        np.testing.assert_array_equal(out, X)


@pytest.mark.parametrize("n_components", [1, 3, 6])
def test_subspace_formula(n_components):
    source, target = make_domains()
    of_source, of_target = (PCA(n_components).fit(X) for X in (source, target))
    turned = of_source.transform(source) @ of_source.components_ @ of_target.components_.T
    assert_equal_up_to_sign(
        fit_both(SubspaceAlignment(n_components), source, target), (turned, of_target.transform(target))
    )


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95, 0.9999])
def test_subspace_share_of_variance_holds_in_both_domains(share):
    source, target = make_domains()
    expected = max(PCA(share).fit(X).n_components_ for X in (source, target))
    assert SubspaceAlignment(share).fit(source, X_target=target).n_components_ == expected


@pytest.mark.parametrize("n_components", [None, 6, 100])
@pytest.mark.parametrize(
    ("n_source", "n_target", "carried"), [(300, 200, 6), (4, 200, 3), (300, 3, 2), (2, 2, 1)]
)
def test_subspace_takes_no_more_than_the_samples_carry(n_components, n_source, n_target, carried):
    source, target = make_domains(n_source, n_target)
    adapter = SubspaceAlignment(n_components).fit(source, X_target=target)
    assert adapter.n_components_ == carried
    assert adapter.transform(target).shape == (n_target, carried)
    assert adapter.transform_source(source).shape == (n_source, carried)


def test_subspace_of_all_components_is_a_rotation():
    source, target = make_domains()
    from_source, from_target = fit_both(SubspaceAlignment(None), source, target)
    for out, X in ((from_source, source), (from_target, target)):
        centred = X - X.mean(axis=0)
        np.testing.assert_allclose(out @ out.T, centred @ centred.T, atol=1e-8)


@pytest.mark.parametrize(
    ("adapter", "parameter"),
    [
        (CORAL(-0.1), "shrinkage"),
        (CORAL(1.1), "shrinkage"),
        (CORAL("ledoit"), "shrinkage"),
        (CORAL(None), "shrinkage"),
        (DomainCentering("yes"), "with_std"),
        (SubspaceAlignment(0), "n_components"),
        (SubspaceAlignment(-2), "n_components"),
        (SubspaceAlignment(1.5), "n_components"),
        (SubspaceAlignment("mle"), "n_components"),
    ],
    ids=repr,
)
def test_wrong_parameters(adapter, parameter):
    with pytest.raises(ValueError, match=f"The '{parameter}' parameter of {type(adapter).__name__} must be"):
        adapter.fit(make_domains()[0])


@pytest.mark.parametrize("offset", [0, 1000])
@pytest.mark.parametrize("adapter", CONFIGURED, ids=repr)
def test_float32_agrees_with_float64(adapter, offset):
    domains = [X.astype(np.float32) for X in make_domains(offset=offset)]
    single = fit_both(adapter, *domains)
    double = fit_both(adapter, *(X.astype(np.float64) for X in domains))
    for low, high in zip(single, double, strict=True):
        assert low.dtype == np.float32
        np.testing.assert_allclose(low, high, atol=2e-3)


@pytest.mark.parametrize("adapter", [CORAL(), LinearOT(), SubspaceAlignment(2), GeodesicFlowKernel(2)])
def test_rows_whose_squares_float32_cannot_hold_are_refused(adapter):
    source, target = (1e25 * X for X in make_domains())
    with pytest.raises(ValueError, match=r"Got rows of numbers up to .*e\+26, whose squares float32 cannot"):
        adapter.fit(source.astype(np.float32), X_target=target.astype(np.float32))
    assert np.isfinite(adapter.fit(source, X_target=target).transform(target)).all()


@pytest.fixture
def skada():
    with config_context():  # importing skada switches metadata routing on for the whole process
        yield pytest.importorskip("skada")


def by_skada(adapter, source, target):
    X, domain = np.vstack([source, target]), np.repeat([1, -2], [len(source), len(target)])
    out = adapter.fit_transform(X, sample_domain=domain)
    return out[: len(source)], out[len(source) :]


@pytest.mark.parametrize("shrinkage", ["auto", 0.2])
def test_coral_is_that_of_skada(skada, shrinkage):
    # skada's "auto" is Ledoit-Wolf on standardised columns: the same where they have unit variance
    domains = [StandardScaler(with_mean=False).fit_transform(X) for X in make_domains()]
    theirs = by_skada(skada.CORALAdapter(reg=shrinkage), *domains)
    for ours, expected in zip(fit_both(CORAL(shrinkage), *domains), theirs, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-8)


@pytest.mark.parametrize("n_components", [1, 4])
def test_subspace_is_that_of_skada(skada, n_components):
    domains = make_domains()
    theirs = by_skada(skada.SubspaceAlignmentAdapter(n_components=n_components), *domains)
    assert_equal_up_to_sign(fit_both(SubspaceAlignment(n_components), *domains), theirs)


@pytest.mark.parametrize("n_components", [0.95, 30, None])
def test_subspaces_of_fewer_rows_than_columns_under_other_class_shares(n_components):
    rng, y = np.random.default_rng(0), np.arange(30) % 3
    source, target = rng.normal(size=(30, 60)) + 2 * np.eye(60)[y], rng.normal(size=(40, 60))
    adapter = SubspaceAlignment(n_components, priors=[0.37, 0.31, 0.32])
    rows = adapter.fit_transform(source, y, X_target=target)
    assert rows.shape == (30, adapter.n_components_)
    assert adapter.n_components_ <= 29
