"""Methods for wide sparse rows: MSDA, SCL and CORALClassifier, each formula spelled out in float64."""

import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import subspace_angles
from scipy.sparse.linalg import norm as sparse_norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, train_test_split

from embtransfer import (
    CORAL,
    MSDA,
    SCL,
    CORALClassifier,
    DomainCentering,
    Target,
    load_pipeline,
    make_adapter,
    make_transfer_pipeline,
    save_pipeline,
    source_scorer,
)
from embtransfer.adapters import _msda, _scl
from embtransfer.adapters._moments import ROWS

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda part: part.__name__)
every_container = pytest.mark.parametrize(
    "container", [sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix]
)
PARTS = [MSDA(n_layers=2), MSDA(n_features=7), MSDA(keep_input=False), SCL(10, 4), CORALClassifier(8)]
every_part = pytest.mark.parametrize("part", PARTS, ids=repr)


def make_counts(n_rows=80, n_features=30, seed=0):
    """Counts of words, some frequent and most rare, in two domains; labels that a few words give away."""
    rng = np.random.default_rng(seed)
    rates = 3 / np.arange(1, n_features + 1) ** 0.7
    y = rng.integers(2, size=n_rows)
    source = rng.poisson(rates * np.where(np.arange(n_features) % 5 == 0, 0.5 + y[:, None], 1))
    target = rng.poisson(rates[::-1] * 0.5 + rates * 0.5, size=(n_rows + 10, n_features))
    return source.astype(float), np.array(["bad", "good"])[y], target.astype(float)


def outputs(part, source, y, target):
    """What the part makes of target rows and, for an adapter, of source rows: dense arrays."""
    part.fit(source, y, X_target=target)
    if isinstance(part, CORALClassifier):
        return [part.decision_function(target)]
    return [_msda.to_dense(part.transform(target)), _msda.to_dense(part.transform_source(source))]


def naive_weight(X, noise, reg):
    """W = E[P] E[Q]^-1 entry by entry, as the paper writes it."""
    X = np.hstack([X, np.ones((len(X), 1))])
    scatter, d = X.T @ X, X.shape[1]
    q = [1 - noise] * (d - 1) + [1]
    P = np.array([[scatter[i, j] * q[j] for j in range(d)] for i in range(d - 1)])
    Q = [[scatter[i, j] * q[i] * (q[j] if i != j else 1) for j in range(d)] for i in range(d)]
    return P @ np.linalg.inv(np.array(Q) + reg * np.eye(d))


def naive_layer(X, W):
    return np.tanh(np.hstack([X, np.ones((len(X), 1))]) @ W.T)


@pytest.mark.parametrize("noise", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("reg", [1e-5, 1.0])
def test_msda_formula(noise, reg):
    source, _, target = make_counts()
    adapter = MSDA(noise, n_layers=3, reg=reg).fit(source, X_target=target)
    rows, expected = np.vstack([source, target]), [target]
    for _ in range(3):
        W = naive_weight(rows, noise, reg)
        rows, expected = naive_layer(rows, W), [*expected, naive_layer(expected[-1], W)]
    np.testing.assert_allclose(adapter.transform(target), np.hstack(expected), atol=1e-9)
    adapter.set_params(keep_input=False).fit(source, X_target=target)
    np.testing.assert_allclose(adapter.transform(target), np.hstack(expected[1:]), atol=1e-9)


def test_msda_is_least_squares_on_many_corrupted_copies():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4)) + 1
    copies = 4000
    corrupted = np.tile(X, (copies, 1)) * (rng.random((copies * len(X), 4)) > 0.3)
    corrupted = np.hstack([corrupted, np.ones((len(corrupted), 1))])
    by_sampling = np.linalg.lstsq(corrupted, np.tile(X, (copies, 1)), rcond=None)[0]
    ours = MSDA(0.3).fit(X).target_map_.weights[0]
    np.testing.assert_allclose(ours, by_sampling, atol=0.02)
    assert (
        np.abs(ours - MSDA(0.5).fit(X).target_map_.weights[0]).max() > 0.05
    )  # what the tolerance tells apart


@every_dtype
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_msda_averages_blocks_of_columns(make, dtype):
    source, _, target = make_counts()
    n_features = 7  # of 30 columns: 5 blocks
    adapter = MSDA(n_features=n_features, keep_input=False)
    ours = adapter.fit(make(source.astype(dtype)), X_target=make(target.astype(dtype))).transform(
        make(target)
    )
    rows = np.vstack([source, target])
    order = np.argsort(-np.count_nonzero(rows, axis=0), kind="stable")
    features, total = np.sort(order[:n_features]), 0
    np.testing.assert_array_equal(adapter.features_, features)
    for first in range(5):
        columns = order[first::5]
        X = np.hstack([rows[:, columns], np.ones((len(rows), 1))])
        kept = np.append(np.full(len(columns), 0.5), 1)
        Q = X.T @ X * np.outer(kept, kept)
        np.fill_diagonal(Q, (X.T @ X).diagonal() * kept + 1e-5)
        total += np.hstack([target[:, columns], np.ones((len(target), 1))]) @ np.linalg.solve(
            Q, (X.T * kept[:, None]) @ rows[:, features]
        )
    np.testing.assert_allclose(ours, np.tanh(total / 5), atol=1e-4 if dtype == np.float32 else 1e-9)


def test_msda_in_float32_is_that_in_float64():
    source, _, target = make_counts(n_rows=400, n_features=200)
    wide, narrow = (
        MSDA(n_layers=3).fit(source.astype(dtype), X_target=target.astype(dtype)).transform(target)
        for dtype in (np.float64, np.float32)
    )
    np.testing.assert_allclose(narrow, wide, atol=1e-4)


@pytest.mark.parametrize("noise", [1e-4, 1e-5, 1e-9])
def test_msda_solves_in_float64_where_float32_cannot(noise):
    X = np.random.default_rng(0).normal(size=(300, 1)).astype(np.float32) * np.ones(40, np.float32)
    wide, narrow = (MSDA(noise, reg=1e-9).fit(part).transform(X) for part in (X.astype(np.float64), X))
    np.testing.assert_allclose(narrow, wide, atol=1e-3)


@every_dtype
def test_msda_refuses_columns_that_float64_cannot_tell_apart(dtype):
    X = np.random.default_rng(0).normal(size=(300, 1)).astype(dtype) * np.ones(40, dtype)
    with pytest.raises(ValueError, match=r"Got noise=1e-15 and reg=1e-15, .* Raise noise or reg"):
        MSDA(1e-15, reg=1e-15).fit(X)


def test_msda_gives_sparse_rows_only_where_that_takes_less_room():
    X = sparse.csr_matrix(make_counts()[0], dtype=np.float32)
    wide, narrow, alone = (
        MSDA(n_features=n, keep_input=keep).fit_transform(X)
        for n, keep in ((7, True), (30, True), (7, False))
    )
    assert sparse.issparse(wide)
    assert wide.shape == (80, 37)
    assert sparse_norm(wide[:, :30] - X) == 0
    assert isinstance(narrow, np.ndarray)
    assert narrow.shape == (80, 60)
    assert isinstance(alone, np.ndarray)


def test_msda_reconstructs_a_word_from_its_companion():
    books, pans = np.array([[1, 1, 0], [0, 0, 0]] * 9), np.array([[0, 1, 1], [0, 0, 0]] * 9)
    layer = MSDA().fit(books, X_target=pans).transform([[0, 0, 1], [0, 0, 0]])[:, -3:]
    assert layer[0, 1] > layer[1, 1] + 0.2


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_scl_formula(make, direct, monkeypatch):
    monkeypatch.setattr(_scl, "_DIRECT", 6000 if direct else 0)
    monkeypatch.setattr(_scl, "_TOL", 1e-10)
    source, y, target = make_counts(n_rows=200)
    adapter = SCL(10, 4, alpha=0.7, scale=2.0).fit(make(source), y, X_target=make(target))
    rows = np.vstack([source, target])
    pivots, alpha = adapter.pivots_, 0.7 * np.mean(np.sum(rows**2, axis=1))
    masked = rows.copy()
    masked[:, pivots] = 0
    weights = [Ridge(alpha, solver="cholesky").fit(masked, rows[:, pivot] > 0).coef_ for pivot in pivots]
    theta = np.linalg.svd(np.array(weights).T)[0][:, :4]
    ours = adapter.target_map_.weight
    assert ours.shape == (30, 4)
    assert np.rad2deg(subspace_angles(ours, theta).max()) < 1e-3
    cosines = np.abs(np.sum(ours * theta, axis=0)) / np.linalg.norm(ours, axis=0)
    np.testing.assert_allclose(cosines, 1, atol=1e-8)  # each axis in order, but for its sign
    loudness = np.sqrt(np.mean(np.sum((rows @ ours) ** 2, axis=1)) / np.mean(np.sum(rows**2, axis=1)))
    np.testing.assert_allclose(loudness, 2)
    out = _msda.to_dense(adapter.transform(make(target)))
    np.testing.assert_allclose(out, np.hstack([target, target @ ours]), atol=1e-12)


def test_scl_pivots_are_frequent_in_both_domains_and_tell_labels_apart():
    source, y, target = make_counts(n_rows=200)
    frequency = np.minimum((source > 0).sum(axis=0), (target > 0).sum(axis=0))
    information = mutual_info_classif(source > 0, y, discrete_features=True)
    information[frequency < 60] = -1
    pivots = SCL(6, min_frequency=60).fit(source, y, X_target=target).pivots_
    np.testing.assert_array_equal(pivots, np.argsort(-information)[:6])
    pivots = SCL(6).fit(source, X_target=target).pivots_
    np.testing.assert_array_equal(pivots, np.argsort(-frequency, kind="stable")[:6])
    assert (information < 0).any()


def test_mutual_information_of_three_classes():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=200)
    occurs = (rng.random((200, 9)) < np.linspace(0, 1, 9) * (1 + y[:, None]) / 3).astype(float)
    ours = _scl.mutual_information(sparse.csr_matrix(occurs), y)
    np.testing.assert_allclose(ours, mutual_info_classif(occurs, y, discrete_features=True), atol=1e-12)


def test_scl_without_pivots_changes_nothing():
    source, y, target = make_counts()
    adapter = SCL(min_frequency=500).fit(source, y, X_target=target)
    assert len(adapter.pivots_) == 0
    np.testing.assert_array_equal(adapter.transform(target), target)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("sizes", [(300, 200), (12, 300)])
@pytest.mark.parametrize("shrinkage", [0.1, 0.7])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_coral_classifier_is_coral_and_logistic_regression(make, shrinkage, sizes, n_classes):
    rng = np.random.default_rng(0)
    source, target = (rng.normal(size=(n, 15)) @ rng.normal(size=(15, 15)) + 2 for n in sizes)
    y = np.array(["a", "b", "c"])[
        np.argsort(source[:, :n_classes] + rng.normal(size=(sizes[0], n_classes)))[:, 0]
    ]
    coral = CORAL(shrinkage)
    mapped = coral.fit_transform(source, X_target=target)
    logistic = LogisticRegression(C=0.5, tol=1e-8, max_iter=10_000).fit(mapped, y)
    ours = CORALClassifier(15, shrinkage, C=0.5, tol=1e-8, max_iter=10_000)
    ours.fit(make(source), y, X_target=make(target))
    expected = logistic.decision_function(coral.transform(target))
    np.testing.assert_allclose(ours.decision_function(make(target)), expected, atol=2e-4)
    np.testing.assert_array_equal(ours.predict(make(target)), logistic.predict(coral.transform(target)))
    np.testing.assert_allclose(
        ours.predict_proba(make(target)), logistic.predict_proba(coral.transform(target)), atol=1e-4
    )
    scores = target @ ours.coef_.T + ours.intercept_
    np.testing.assert_allclose(scores.reshape(expected.shape), expected, atol=2e-4)


def test_coral_classifier_with_few_components_keeps_the_trace():
    source, _, _ = make_counts(n_rows=300)
    centred = source - source.mean(axis=0)
    full = centred.T @ centred / 300
    mean, ours = CORALClassifier(5, shrinkage=0.2)._covariance(sparse.csr_matrix(source))
    values, axes = np.linalg.eigh(full)
    values[:-5] = values[:-5].mean()  # probabilistic principal components
    expected = 0.8 * (axes * values) @ axes.T + 0.2 * np.trace(full) / 30 * np.eye(30)
    np.testing.assert_allclose(mean, source.mean(axis=0))
    np.testing.assert_allclose(ours(np.eye(30)), expected, atol=1e-8)
    np.testing.assert_allclose(np.trace(ours(np.eye(30))), np.trace(full))
    half = ours.power(0.5)(np.eye(30))
    np.testing.assert_allclose(half @ half, expected, atol=1e-8)
    np.testing.assert_allclose(ours.power(-0.5)(half), np.eye(30), atol=1e-8)


def test_coral_classifier_says_that_it_did_not_converge():
    source, y, target = make_counts()
    with pytest.warns(ConvergenceWarning, match="max_iter=2 iterations. Raise max_iter"):
        CORALClassifier(max_iter=2).fit(source, y, X_target=target)


def test_coral_classifier_without_variance():
    source, y, target = make_counts()
    for pair in ((0 * source + 3, target), (source, 0 * target + 0.1), (source[:2] * 0, target)):
        labels = y[: len(pair[0])] if len(set(y[: len(pair[0])])) > 1 else ["bad", "good"]
        fitted = CORALClassifier().fit(pair[0], labels, X_target=pair[1])
        assert np.isfinite(fitted.decision_function(target)).all()


@every_container
@every_part
def test_sparse_rows_give_what_dense_rows_give(part, container):
    source, y, target = make_counts()
    dense = outputs(part, source, y, target)
    for out, expected in zip(outputs(part, container(source), y, container(target)), dense, strict=True):
        np.testing.assert_allclose(out, expected, atol=1e-4 if isinstance(part, CORALClassifier) else 1e-9)


@every_dtype
@every_part
def test_dtype_is_kept_and_rows_are_left_alone(part, dtype):
    source, y, target = make_counts()
    source, target = (sparse.csr_matrix(rows, dtype=dtype) for rows in (source, target))
    before = source.copy(), target.copy()
    first = outputs(part, source, y, target)
    assert {out.dtype for out in first} == {np.dtype(dtype)}
    for rows, copy in zip((source, target), before, strict=True):
        np.testing.assert_array_equal(rows.toarray(), copy.toarray())
        assert rows.dtype == dtype
    for out, again in zip(first, outputs(part, source, y, target), strict=True):
        np.testing.assert_array_equal(out, again)


@pytest.mark.parametrize("part", PARTS[:-1], ids=repr)
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_many_rows_are_mapped_as_few(part, make):
    source, y, target = make_counts()
    part.fit(make(source), y, X_target=make(target))
    many = _msda.to_dense(part.transform(make(np.tile(source, (ROWS // 40, 1)))))
    np.testing.assert_allclose(many[-80:], _msda.to_dense(part.transform(make(source))), atol=1e-10)


def test_many_rows_are_fitted_as_few():
    source, _, target = make_counts()
    few = MSDA(reg=1e-9).fit(source, X_target=target).transform(target)
    times = ROWS // 40
    many = (
        MSDA(reg=1e-9)
        .fit(np.tile(source, (times, 1)), X_target=np.tile(target, (times, 1)))
        .transform(target)
    )
    np.testing.assert_allclose(many, few, atol=1e-7)


@every_part
def test_saved_and_loaded(part, tmp_path):
    source, y, target = make_counts()
    last = [] if isinstance(part, CORALClassifier) else [LogisticRegression(max_iter=5000)]
    pipeline = make_transfer_pipeline(make_adapter("none"), part, *last)
    pipeline.fit(sparse.csr_matrix(source), y, X_target=sparse.csr_matrix(target))
    loaded = load_pipeline(save_pipeline(pipeline, tmp_path / "model"))
    rows = sparse.csr_matrix(target)
    np.testing.assert_array_equal(loaded.predict_proba(rows), pipeline.predict_proba(rows))


def test_in_a_search():
    source, y, target = make_counts(n_rows=60)
    pipeline = make_transfer_pipeline(MSDA(), LogisticRegression(max_iter=5000))
    search = GridSearchCV(pipeline, {"msda__noise": [0.3, 0.7]}, cv=3, scoring=source_scorer("accuracy"))
    search.fit(sparse.csr_matrix(source), y, X_target=Target(sparse.csr_matrix(target[:60])))
    assert search.best_score_ > 0.6
    assert search.predict(sparse.csr_matrix(target)).shape == (70,)


def test_labels_move_across_domains():
    """Words of the target that only stand beside shared words: what each method is for."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=600)
    shared = rng.random((600, 6)) < np.where(y[:, None], [0.6] * 3 + [0.1] * 3, [0.1] * 3 + [0.6] * 3)
    own = rng.random((600, 6)) < np.where(y[:, None], [0.7] * 3 + [0.1] * 3, [0.1] * 3 + [0.7] * 3)
    none, noise = np.zeros((300, 6)), rng.random((600, 4)) < 0.3
    source = np.hstack([shared[:300], own[:300], none, noise[:300]]).astype(float)
    target = np.hstack([shared[300:], none, own[300:], noise[300:]]).astype(float)
    seen, held_out, _, y_held_out = train_test_split(target, y[300:], random_state=0)
    held_out[:, :6] = 0  # nothing left of what the source has

    def accuracy(adapter):
        pipeline = make_transfer_pipeline(adapter, LogisticRegression(max_iter=5000))
        return np.mean(pipeline.fit(source, y[:300], X_target=seen).predict(held_out) == y_held_out)

    assert accuracy(make_adapter("none")) < 0.7
    assert accuracy(MSDA()) > 0.8
    assert accuracy(SCL(6, 1)) > 0.8


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (MSDA(noise=0.0), "noise"),
        (MSDA(noise=1.0), "noise"),
        (MSDA(n_layers=0), "n_layers"),
        (MSDA(reg=0.0), "reg"),
        (SCL(n_pivots=0), "n_pivots"),
        (SCL(alpha=0.0), "alpha"),
        (CORALClassifier(shrinkage=1.5), "shrinkage"),
        (CORALClassifier(C=0.0), "C"),
    ],
)
def test_parameters_out_of_range(part, name):
    source, y, target = make_counts()
    with pytest.raises(ValueError, match=f"The '{name}' parameter of {type(part).__name__} must be"):
        part.fit(source, y, X_target=target)


def test_n_grams_before_an_adapter_of_dense_rows():
    rows = sparse.csr_matrix(np.eye(4))
    message = r"Got X as a sparse matrix \(4, 4\), but DomainCentering expects dense rows\. Put Trunc"
    with pytest.raises(TypeError, match=message):
        make_transfer_pipeline(DomainCentering(), LogisticRegression()).fit(rows, [0, 1] * 2, X_target=rows)
    with pytest.raises(TypeError, match="Got X as a sparse matrix"):
        DomainCentering().fit(np.eye(4)).transform(rows)
