"""TCA, JDA, geodesic flow and optimal transport: against formulas spelled out in float64, skada and POT."""

import sys

import numpy as np
import pytest
from scipy import sparse
from scipy.integrate import quad_vec
from scipy.linalg import eig, null_space, subspace_angles
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.neighbors import KNeighborsClassifier

from embtransfer import LinearOT, load_pipeline, save_pipeline
from embtransfer.adapters import TCA, GeodesicFlowKernel, JointDistributionAdaptation, OptimalTransport
from embtransfer.adapters._kernel import moments
from embtransfer.adapters._moments import ROWS

KERNELS = {"linear": linear_kernel, "rbf": lambda A, B: rbf_kernel(A, B, gamma=0.05)}
every_kernel = pytest.mark.parametrize("kernel", KERNELS)
either = pytest.mark.parametrize("adapter", [TCA, JointDistributionAdaptation])


def make_domains(n_source=70, n_target=50, d=6, seed=0):
    """Two classes, two domains; variances far apart, so that eigenvectors are well determined."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_source) % 2
    scales = 0.6 ** np.arange(d) * 2
    source = rng.normal(size=(n_source, d)) * scales
    source[:, 0] += 4 * y
    target = rng.normal(size=(n_target, d)) * scales[::-1] + 1
    target[:, 0] += 4 * (np.arange(n_target) % 2)
    return source, target, y


def make_sparse(n_source=80, n_target=60, d=400, seed=0):
    rng = np.random.default_rng(seed)
    return [
        sparse.csr_array(sparse.random(n, d, density=0.05, random_state=rng, data_rvs=rng.random))
        for n in (n_source, n_target)
    ]


def naive_components(K, L, mu, k):
    """K W, W the leading eigenvectors of (K L K + mu I)^-1 K H K, for which W' (K L K + mu I) W is c I."""
    n = len(K)
    H = np.eye(n) - 1 / n
    A = K @ L @ K + mu * np.eye(n)
    values, vectors = eig(np.linalg.solve(A, K @ H @ K))
    order = np.argsort(-values.real)[:k]
    W = vectors[:, order].real
    W = W / np.sqrt(np.einsum("ij,ij->j", W, A @ W))
    Z = H @ K @ W
    return Z / np.sqrt(Z.var(axis=0).mean())


def outer_of_means(first, second):
    """The matrix L for which tr(Z' L Z) is the squared distance of the means of two sets of rows."""
    e = first / first.sum() - second / second.sum()
    return np.outer(e, e)


def marginal(n_source, n_target):
    of_source = np.repeat([1.0, 0.0], [n_source, n_target])
    return outer_of_means(of_source, 1 - of_source)


def both(adapter, source, target, y=None):
    """Rows of both domains as the formulas map them: all source rows as they are."""
    adapter.set_params(priors="source").fit(source, y, X_target=target)
    return np.vstack([adapter.transform_source(source), adapter.transform(target)])


def assert_same_columns(ours, theirs, atol):
    signs = np.sign(np.sum(ours * theirs, axis=0))
    np.testing.assert_allclose(ours * signs, theirs, atol=atol)


@every_kernel
@pytest.mark.parametrize("mu", [0.1, 1, 30])
def test_tca_formula(kernel, mu):
    source, target, _ = make_domains()
    K = KERNELS[kernel](np.vstack([source, target]), np.vstack([source, target]))
    ours = both(TCA(4, kernel=kernel, gamma=0.05, mu=mu, n_landmarks=None), source, target)
    assert_same_columns(ours, naive_components(K, marginal(70, 50), mu, 4), atol=1e-6)


@pytest.fixture
def skada():
    with config_context():  # importing skada switches metadata routing on for the whole process
        yield pytest.importorskip("skada")


def by_skada(skada, source, target, k, kernel, mu):
    adapter = skada.TransferComponentAnalysisAdapter(kernel=kernel, n_components=k, mu=mu)
    X, domain = np.vstack([source, target]), np.repeat([1, -2], [len(source), len(target)])
    return adapter, adapter.fit_transform(X, sample_domain=domain)


def centred(Z):
    return Z - Z.mean(axis=0)


@every_kernel
def test_tca_is_that_of_skada_where_means_do_not_matter(skada, kernel):
    # skada weighs the means where we weigh |W|^2: its mu is 1 / ours
    source, target, _ = make_domains()
    _, theirs = by_skada(skada, source, target, 4, kernel, 0)
    ours = both(TCA(4, kernel=kernel, gamma=1 / 6, mu=1e12, n_landmarks=None), source, target)
    theirs = centred(theirs)
    assert_same_columns(ours, theirs / np.sqrt(theirs.var(axis=0).mean()), atol=1e-6)


@pytest.mark.parametrize("mu", [0.5, 10])
def test_tca_is_that_of_skada_where_its_matrix_is_symmetric(skada, mu):
    # skada gives the unsymmetric A^-1 B to eigh; it is symmetric where the domains mirror one another
    source, _, _ = make_domains()
    source[:, 0] += 1
    target = source * [-1, 1, 1, 1, 1, 1]
    _, theirs = by_skada(skada, source, target, 6, "linear", mu)
    ours = both(TCA(6, kernel="linear", mu=1 / mu), source, target)
    assert ours.shape[1] == 6
    ours, theirs = (Z / np.linalg.norm(Z, axis=0) for Z in (ours, centred(theirs)))
    alike = np.abs(ours.T @ theirs)  # skada's order is that of |eigenvalue| too, but ties are free
    np.testing.assert_allclose(np.sort(alike.max(axis=1)), 1, atol=1e-8)


def test_tca_of_skadas_kernel_matrix_reaches_a_better_objective_than_skada(skada):
    source, target, _ = make_domains()
    adapter, _ = by_skada(skada, source, target, 4, "rbf", 1.0)
    K, L, n = adapter.K_, marginal(70, 50), 120
    A, B = K @ L @ K + np.eye(n), K @ (np.eye(n) - 1 / n) @ K

    def objective(W):
        return np.trace(np.linalg.solve(W.T @ A @ W, W.T @ B @ W))

    exact = naive_components(K, L, 1.0, 4)
    ours = both(TCA(4, gamma=1 / 6, mu=1.0, n_landmarks=None), source, target)
    assert np.rad2deg(subspace_angles(ours, exact)).max() < 1e-3
    W = np.linalg.lstsq((np.eye(n) - 1 / n) @ K, ours, rcond=None)[0]
    assert objective(W) > objective(adapter.eigvects_)


@every_kernel
@either
def test_all_rows_as_landmarks_are_the_exact_method(adapter, kernel):
    source, target, y = make_domains()
    exact = both(adapter(3, kernel=kernel, n_landmarks=None), source, target, y)
    np.testing.assert_array_equal(both(adapter(3, kernel=kernel, n_landmarks=120), source, target, y), exact)


def test_landmarks_approach_the_exact_method():
    source, target, _ = make_domains(400, 300)
    exact = both(TCA(3, n_landmarks=None, gamma=0.05), source, target)
    angles = [
        subspace_angles(both(TCA(3, n_landmarks=m, gamma=0.05), source, target), exact).max()
        for m in (10, 40, 160)
    ]
    assert angles[0] > angles[1] > angles[2]
    assert angles[2] < 0.01


def test_landmarks_come_from_both_domains():
    source, target, _ = make_domains(300, 300)
    landmarks = TCA(n_landmarks=40).fit(source, X_target=target + 100).source_map_.kernel
    rows = landmarks.landmarks + landmarks.offset
    assert np.sum(rows[:, 0] > 50) == 20
    few = TCA(n_landmarks=40).fit(source, X_target=target[:5] + 100).source_map_.kernel
    assert np.sum((few.landmarks + few.offset)[:, 0] > 50) == 5


def test_other_landmarks_with_another_seed():
    source, target, _ = make_domains(300, 300)
    first, again, other = (
        both(TCA(3, n_landmarks=20, random_state=seed), source, target) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_gamma_is_the_median_heuristic():
    source, target, _ = make_domains()
    X = np.vstack([source, target])
    squares = np.sum((X[:, None] - X) ** 2, axis=2)[np.triu_indices(120, 1)]
    assert TCA().fit(source, X_target=target).gamma_ == pytest.approx(1 / (2 * np.median(squares)))
    assert TCA(gamma=0.3).fit(source, X_target=target).gamma_ == 0.3
    assert TCA(kernel="linear").fit(source, X_target=target).gamma_ is None
    assert TCA(gamma="median").fit(np.ones((5, 2))).gamma_ == 1


def test_smaller_mu_brings_the_means_together():
    source, target, _ = make_domains()
    apart = []
    for mu in (1000, 10, 0.1):
        Z = both(TCA(4, kernel="linear", mu=mu), source, target)
        assert Z.var(axis=0).mean() == pytest.approx(1)
        apart.append(np.linalg.norm(Z[:70].mean(axis=0) - Z[70:].mean(axis=0)))
    assert apart[0] > apart[1] > apart[2]
    assert apart[2] < 0.05


@either
@every_kernel
def test_both_domains_together_have_mean_zero(adapter, kernel):
    source, target, y = make_domains()
    Z = both(adapter(4, kernel=kernel, n_landmarks=30), source + 100, target + 100, y)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-7)


@pytest.mark.parametrize("n_landmarks", [500, 30, None])
@every_kernel
def test_sparse_rows_are_as_dense_ones(kernel, n_landmarks):
    source, target = make_sparse()
    adapter = TCA(5, kernel=kernel, n_landmarks=n_landmarks)
    from_sparse = both(adapter, source, target)
    assert isinstance(from_sparse, np.ndarray)
    np.testing.assert_allclose(adapter.transform(target.toarray()), from_sparse[80:], atol=1e-9)
    dense = adapter.fit(source.toarray(), X_target=target.toarray())
    from_dense = np.vstack([dense.transform(source), dense.transform(target)])
    assert_same_columns(from_dense, from_sparse, atol=1e-7)


@every_kernel
def test_one_sparse_domain(kernel):
    source, target = make_sparse()
    expected = both(TCA(5, kernel=kernel), source, target)
    for pair in ((source.toarray(), target), (source, target.toarray())):
        np.testing.assert_allclose(both(TCA(5, kernel=kernel), *pair), expected, atol=1e-8)


def test_sparse_rows_of_few_columns_need_no_landmarks():
    source, target = make_sparse(d=20)
    expected = both(TCA(4, kernel="linear"), source.toarray(), target.toarray())
    np.testing.assert_allclose(both(TCA(4, kernel="linear"), source, target), expected, atol=1e-9)


def test_sparse_rows_are_made_dense_in_blocks_alone(monkeypatch):
    shapes = []
    made = sparse.csr_array.toarray

    def toarray(self, *args, **kwargs):
        shapes.append(self.shape)
        return made(self, *args, **kwargs)

    source, target = make_sparse(n_source=ROWS + 50, d=3000)
    monkeypatch.setattr(sparse.csr_array, "toarray", toarray)
    both(TCA(5, n_landmarks=20), source, target)
    assert shapes
    assert max(rows * columns for rows, columns in shapes) <= ROWS * 20


@every_kernel
@either
def test_float32_agrees_with_float64(adapter, kernel):
    source, target, y = make_domains(300, 200)
    source, target = ((X + 50).astype(np.float32) for X in (source, target))
    single = both(adapter(3, kernel=kernel), source, target, y)
    double = both(adapter(3, kernel=kernel), source.astype(np.float64), target.astype(np.float64), y)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single, double, atol=5e-3)


@pytest.mark.parametrize("scale", [1e-25, 1e-17, 1e19, 1e25])
@either
def test_rows_whose_squares_float32_cannot_hold_are_refused(adapter, scale):
    source, target, y = make_domains()
    single = [(scale * X).astype(np.float32) for X in (source, target)]
    with pytest.raises(ValueError, match=r"Got rows of numbers up to .* float32 cannot hold, and .* needs"):
        adapter().fit(single[0], y, X_target=single[1])
    double = both(adapter(3), scale * source, scale * target, y)
    np.testing.assert_allclose(double, both(adapter(3), source, target, y), atol=1e-6)
    with pytest.raises(ValueError, match="whose squares float64 cannot hold"):
        adapter().fit(1e-200 * source, y, X_target=target * 1e-200)


@every_kernel
def test_jda_of_rows_a_rounding_off_is_the_same(kernel):
    """Labels change in each of its ten rounds here, but not by rounding, in which processors differ."""
    source, target, y = make_domains(300, 200)
    source, target = ((X + 50).astype(np.float32) for X in (source, target))
    adapter, rng = JointDistributionAdaptation(3, kernel=kernel), np.random.default_rng(0)
    expected = both(adapter, source, target, y)
    assert adapter.n_iter_ == 10
    for _ in range(5):
        off = (X * rng.uniform(1 - 1e-7, 1 + 1e-7, X.shape).astype(np.float32) for X in (source, target))
        np.testing.assert_allclose(both(adapter, *off, y), expected, atol=5e-3)


def test_moments_are_those_of_all_rows():
    X = np.random.default_rng(0).normal(size=(2 * ROWS + 7, 3)) + [0, 10, 1000]
    got = moments(np.asarray, X)
    assert got.n == len(X)
    np.testing.assert_allclose(got.mean, X.mean(axis=0))
    np.testing.assert_allclose(got.scatter, len(X) * np.cov(X.T, bias=True), atol=1e-6)


@every_kernel
def test_components_are_lowered_to_what_the_rows_carry(kernel):
    source, target, _ = make_domains(4, 3)
    adapter = TCA(kernel=kernel).fit(source, X_target=target)
    assert adapter.n_components_ == adapter.transform(target).shape[1] <= 6


@every_kernel
@either
def test_many_rows_are_mapped_as_few(adapter, kernel):
    source, target, y = make_domains()
    adapter = adapter(3, kernel=kernel).fit(source, y, X_target=target)
    many = np.tile(source, (ROWS // 50, 1))
    np.testing.assert_allclose(adapter.transform(many)[-70:], adapter.transform(source), atol=1e-10)


class Fixed(ClassifierMixin, BaseEstimator):
    """Predicts labels given beforehand, so that the rounds have labels we know."""

    def __init__(self, labels):
        self.labels = labels

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.asarray(self.labels)


@every_kernel
@pytest.mark.parametrize("balance", [0, 0.3, 0.5, 1])
def test_jda_formula(kernel, balance):
    source, target, y = make_domains()
    labels = np.arange(50) % 3 % 2
    L = 2 * (1 - balance) * marginal(70, 50)
    for label in (0, 1):
        of_source, of_target = np.append(y == label, np.zeros(50)), np.append(np.zeros(70), labels == label)
        L += 2 * balance * outer_of_means(of_source, of_target)
    X = np.vstack([source, target])
    exact = naive_components(KERNELS[kernel](X, X), L, 1.0, 4)
    adapter = JointDistributionAdaptation(
        4, kernel=kernel, gamma=0.05, mu=1.0, balance=balance, estimator=Fixed(labels), n_landmarks=None
    )
    assert_same_columns(both(adapter, source, target, y), exact, atol=1e-6)
    assert adapter.n_iter_ == 1


@every_kernel
def test_jda_without_labels_is_tca(kernel):
    source, target, _ = make_domains()
    adapter = JointDistributionAdaptation(4, kernel=kernel)
    np.testing.assert_array_equal(both(adapter, source, target), both(TCA(4, kernel=kernel), source, target))
    assert adapter.n_iter_ == 0


def test_jda_leaves_out_a_class_that_no_target_row_has():
    source, target, y = make_domains()
    adapter = JointDistributionAdaptation(
        4, balance=1, mu=1.0, estimator=Fixed(np.zeros(50, int)), n_landmarks=None
    )
    of_source, of_target = np.append(y == 0, np.zeros(50)), np.repeat([0.0, 1.0], [70, 50])
    ours = both(adapter, source, target, y)
    X = np.vstack([source, target])
    K = rbf_kernel(X, X, gamma=adapter.gamma_)
    exact = naive_components(K, 2 * outer_of_means(of_source, of_target), 1.0, 4)
    assert_same_columns(ours, exact, atol=1e-6)


def test_jda_stops_when_no_label_changes():
    source, target, y = make_domains()
    rounds = [
        JointDistributionAdaptation(4, n_iter=n, priors="source").fit(source, y, X_target=target).n_iter_
        for n in (1, 50)
    ]
    assert rounds[0] == 1
    assert 1 <= rounds[1] < 50


def test_jda_brings_the_classes_together():
    source, target, y = make_domains(300, 300)
    labels = np.arange(300) % 2
    target[:, 1] += 3 * labels  # a shift of one class alone

    def apart(adapter):
        Z = both(adapter, source, target, y)
        return sum(
            np.linalg.norm(Z[:300][y == c].mean(axis=0) - Z[300:][labels == c].mean(axis=0)) for c in (0, 1)
        )

    assert apart(JointDistributionAdaptation(4, mu=0.1)) < 0.5 * apart(TCA(4, mu=0.1))


def test_jda_takes_any_classifier_and_any_labels():
    source, target, y = make_domains()
    names = np.array(["neg", "pos"])[y]
    by_neighbours = JointDistributionAdaptation(4, estimator=KNeighborsClassifier(1))
    Z = both(by_neighbours, source, target, names)
    np.testing.assert_array_equal(Z, both(by_neighbours, source, target, y))
    assert not np.allclose(Z, both(JointDistributionAdaptation(4), source, target, y))


def test_jda_of_one_class_is_twice_the_marginal():
    source, target, _ = make_domains()
    ours = both(JointDistributionAdaptation(4, kernel="linear", mu=1.0), source, target, np.zeros(70, int))
    np.testing.assert_allclose(ours, both(TCA(4, kernel="linear", mu=0.5), source, target), atol=1e-8)


def test_jda_refuses_a_regression_target():
    source, target, _ = make_domains()
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        JointDistributionAdaptation().fit(source, source[:, 0], X_target=target)


def flow(source, target, k):
    """G of the geodesic flow between k principal components, integrated numerically."""
    P, T = (PCA(k).fit(X).components_.T for X in (source, target))
    R = null_space(P.T)
    left, cosines, right = np.linalg.svd(P.T @ T)
    angles = np.arccos(cosines)
    across = -(R.T @ T @ right.T) / np.sin(angles)

    def at(t):
        basis = P @ left * np.cos(t * angles) - R @ across * np.sin(t * angles)
        np.testing.assert_allclose(basis.T @ basis, np.eye(k), atol=1e-8)
        return basis @ basis.T

    assert subspace_angles(P @ left * cosines - R @ across * np.sin(angles), T).max() < 1e-7  # it ends at T
    return quad_vec(at, 0, 1, epsabs=1e-12)[0]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_geodesic_flow_kernel_is_the_integral_along_the_flow(k):
    source, target, _ = make_domains()
    G = flow(source, target, k)
    adapter = GeodesicFlowKernel(k).fit(source, X_target=target)
    for X, out in ((source, adapter.transform_source(source)), (target, adapter.transform(target))):
        np.testing.assert_allclose(out @ out.T, centred(X) @ G @ centred(X).T, atol=1e-8)
    weight = adapter.target_map_.weight
    np.testing.assert_allclose(weight, weight.T, atol=1e-12)
    assert np.linalg.eigvalsh(weight).min() > -1e-12


def test_geodesic_flow_without_shift_is_a_projection():
    source, _, _ = make_domains()
    axes = PCA(2).fit(source).components_
    out = GeodesicFlowKernel(2).fit_transform(source)
    np.testing.assert_allclose(out, centred(source) @ axes.T @ axes, atol=1e-10)


def test_geodesic_flow_between_orthogonal_planes():
    rng = np.random.default_rng(0)
    source, target = np.zeros((50, 4)), np.zeros((50, 4))
    source[:, :2], target[:, 2:] = rng.normal(size=(2, 50, 2))
    weight = GeodesicFlowKernel(2).fit(source, X_target=target).target_map_.weight
    assert np.isfinite(weight).all()
    np.testing.assert_allclose(
        np.linalg.eigvalsh(weight @ weight), [0.5 - 1 / np.pi] * 2 + [0.5 + 1 / np.pi] * 2
    )


@pytest.mark.parametrize(
    ("n_components", "sizes", "carried"),
    [(100, (70, 50), 3), (None, (70, 50), 3), (None, (3, 50), 2), (None, (50, 2), 1), (0.999, (70, 50), 3)],
)
def test_geodesic_flow_takes_no_more_than_half_the_columns(n_components, sizes, carried):
    source, target, _ = make_domains(*sizes)
    adapter = GeodesicFlowKernel(n_components).fit(source, X_target=target)
    assert adapter.n_components_ == carried
    assert adapter.transform(target).shape == target.shape


def test_geodesic_flow_takes_a_share_of_the_variance():
    source, target, _ = make_domains(d=20)
    expected = max(PCA(0.7).fit(X).n_components_ for X in (source, target))
    assert GeodesicFlowKernel(0.7).fit(source, X_target=target).n_components_ == expected


@pytest.fixture
def ot():
    return pytest.importorskip("ot")


@pytest.mark.parametrize("reg", [0.05, 0.1, 1])
def test_optimal_transport_is_that_of_pot(ot, reg):
    source, target, _ = make_domains()
    theirs = ot.da.SinkhornTransport(reg_e=reg, norm="median", out_of_sample_map="ferradans", max_iter=10_000)
    theirs.fit(Xs=source, Xt=target)
    adapter = OptimalTransport(reg, n_samples=None).fit(source, X_target=target)
    np.testing.assert_allclose(adapter.transform_source(source), theirs.transform(source), atol=1e-5)
    others = make_domains(seed=1)[0]
    np.testing.assert_allclose(adapter.transform_source(others), theirs.transform(others), atol=1e-5)
    np.testing.assert_array_equal(adapter.transform(target), target)


def test_class_regularisation_is_that_of_pot(ot):
    source, target, y = make_domains()
    theirs = ot.da.SinkhornLpl1Transport(reg_e=0.1, reg_cl=0.05, norm="median", max_inner_iter=1000)
    theirs.fit(Xs=source, ys=y, Xt=target)
    names = np.array(["neg", "pos"])[y]
    adapter = OptimalTransport(0.1, class_reg=0.05, n_samples=None, priors="source")
    with_labels = adapter.fit_transform(source, names, X_target=target)
    np.testing.assert_allclose(with_labels, theirs.transform(source), atol=1e-5)
    without = OptimalTransport(0.1, n_samples=None).fit_transform(source, X_target=target)
    assert np.abs(with_labels - without).max() > 0.1


def test_rows_outside_the_sample_move_as_the_nearest_in_it(ot):
    source, target, _ = make_domains(200, 150)
    adapter = OptimalTransport(n_samples=30).fit(source, X_target=target)
    sample = adapter.source_map_.samples
    assert len(sample) == 30
    assert {*map(tuple, sample)} < {*map(tuple, source)}
    moved = adapter.transform_source(source)
    nearest = np.argmin(np.sum((source[:, None] - sample) ** 2, axis=2), axis=1)
    np.testing.assert_allclose(moved - source, adapter.transform_source(sample)[nearest] - sample[nearest])


def test_optimal_transport_draws_by_random_state(ot):
    source, target, _ = make_domains(200, 150)
    first, again, other = (
        OptimalTransport(n_samples=30, random_state=seed).fit_transform(source, X_target=target)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("offset", [0, 1000])
def test_optimal_transport_of_rows_far_from_all(ot, offset):
    source, target, _ = make_domains()
    source[0] = 30
    target[0] = -30
    moved = OptimalTransport().fit_transform(source + offset, X_target=target + offset)
    assert np.isfinite(moved).all()
    expected = OptimalTransport().fit_transform(source, X_target=target)
    np.testing.assert_allclose(moved - offset, expected, atol=1e-6)


def test_plan_that_does_not_converge_warns(ot):
    source, target, _ = make_domains()
    source[0], target[0] = 1e3, -1e3
    with pytest.warns(ConvergenceWarning, match=r"reg=0.01 did not converge .* larger reg"):
        OptimalTransport(0.01).fit(source, X_target=target)


def test_plan_lost_to_rounding_is_refused(ot):
    source, target, _ = make_domains()
    with pytest.raises(ValueError, match=r"reg=1e-05 the transport plan is lost .* Give a larger reg"):
        OptimalTransport(1e-5).fit(source, X_target=target)


def test_without_target_nothing_moves():
    source, _, y = make_domains()
    np.testing.assert_array_equal(OptimalTransport(class_reg=0.1).fit_transform(source, y), source)


def test_class_regularisation_wants_labels():
    source, target, _ = make_domains()
    with pytest.raises(ValueError, match=r"class_reg=0.1 without y\. Pass source labels, or class_reg=0"):
        OptimalTransport(class_reg=0.1).fit(source, X_target=target)


def test_optimal_transport_without_pot_says_what_to_install(monkeypatch):
    source, target, _ = make_domains()
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(ImportError, match=r'pip install "embtransfer\[ot\]"'):
        OptimalTransport().fit(source, X_target=target)


def test_linear_ot_is_that_of_pots_transport(ot):
    source, target, _ = make_domains()
    theirs = ot.da.LinearTransport(reg=0).fit(Xs=source, Xt=target)
    moved = LinearOT(0).fit_transform(source, X_target=target) + target.mean(axis=0)
    np.testing.assert_allclose(moved, theirs.transform(source), atol=1e-8)


@pytest.mark.parametrize(
    "adapter",
    [
        TCA(3),
        TCA(3, kernel="linear"),
        JointDistributionAdaptation(3, estimator=KNeighborsClassifier(1)),
        GeodesicFlowKernel(),
        OptimalTransport(class_reg=0.1),
    ],
    ids=repr,
)
def test_saved_and_loaded(adapter, tmp_path):
    source, target, y = make_domains()
    fitted = adapter.fit(source, y, X_target=target)
    again = load_pipeline(save_pipeline(fitted, tmp_path / "model"))
    np.testing.assert_array_equal(again.transform(target), fitted.transform(target))
    np.testing.assert_array_equal(again.transform_source(source), fitted.transform_source(source))


@every_kernel
def test_fitted_on_sparse_rows_saved_and_loaded(kernel, tmp_path):
    source, target = make_sparse()
    fitted = TCA(3, kernel=kernel, n_landmarks=20).fit(source, X_target=target)
    again = load_pipeline(save_pipeline(fitted, tmp_path / "model"))
    np.testing.assert_array_equal(again.transform(target), fitted.transform(target))


@pytest.mark.parametrize(
    ("adapter", "parameter"),
    [
        (TCA(0), "n_components"),
        (TCA(0.5), "n_components"),
        (TCA(kernel="cosine"), "kernel"),
        (TCA(gamma="scale"), "gamma"),
        (TCA(gamma=0), "gamma"),
        (TCA(mu=0), "mu"),
        (TCA(n_landmarks=0), "n_landmarks"),
        (JointDistributionAdaptation(balance=1.1), "balance"),
        (JointDistributionAdaptation(balance="auto"), "balance"),
        (JointDistributionAdaptation(n_iter=0), "n_iter"),
        (JointDistributionAdaptation(estimator=3), "estimator"),
        (GeodesicFlowKernel(0), "n_components"),
        (OptimalTransport(0), "reg"),
        (OptimalTransport(class_reg=-1), "class_reg"),
        (OptimalTransport(n_samples=0), "n_samples"),
    ],
    ids=repr,
)
def test_wrong_parameters(adapter, parameter):
    with pytest.raises(ValueError, match=f"The '{parameter}' parameter of {type(adapter).__name__} must be"):
        adapter.fit(make_domains()[0])
