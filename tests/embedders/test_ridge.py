"""WordRidge: against its formula solved by numpy in float64."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from embtransfer.embedders import _ridge
from embtransfer.embedders._ridge import STRENGTHS, WordRidge, similarities, text_vectors, token_sums


def make_tokens(n_texts=30, n_rows=25, seed=0, longest=12):
    """Random tokens; some texts have none, some the same row twice."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest, n_texts)
    ids = rng.integers(0, n_rows, lengths.sum()).astype(np.uint32)
    return ids, np.concatenate([[0], np.cumsum(lengths)])


def make_ridge(tokens, n_rows=25, with_prior=True, own=None, prior_weight=0.3, seed=1):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(1, 3, n_rows).astype(np.float32)
    own = np.ones(n_rows, bool) if own is None else own
    prior = rng.normal(size=(n_rows, 4)).astype(np.float32) if with_prior else None
    return WordRidge(*tokens, weights, own, prior, prior_weight)


def dense(ridge):
    """R, S and alpha's unit of the formula, in float64."""
    rows = np.zeros((len(ridge.indptr) - 1, len(ridge.weights)))
    for i, (begin, end) in enumerate(zip(ridge.indptr[:-1], ridge.indptr[1:], strict=True)):
        for row in ridge.ids[begin:end]:
            rows[i, row] += float(ridge.weights[row]) / np.sqrt(end - begin)
    own = np.diag(ridge.own.astype(float))
    unit = np.trace(rows @ own @ rows.T) / len(rows)
    if ridge.prior is None:
        return rows, own, unit
    prior = ridge.prior.astype(float)
    spread = 0.3 * np.trace(rows @ own @ rows.T) / np.trace(rows @ prior @ prior.T @ rows.T)
    return rows, own + spread * prior @ prior.T, unit


OWN = np.arange(25) % 3 > 0


@pytest.mark.parametrize("alpha", [100.0, 1.0, 0.03])
@pytest.mark.parametrize("n_columns", [1, 3, 15, 16, 17, 40])
@pytest.mark.parametrize(("with_prior", "own"), [(False, None), (True, None), (True, OWN), (False, OWN)])
def test_solution(monkeypatch, with_prior, own, n_columns, alpha):
    monkeypatch.setattr(_ridge, "_PRECISION", 1e-6)
    ridge = make_ridge(make_tokens(), with_prior=with_prior, own=own)
    targets = np.random.default_rng(2).normal(size=(30, n_columns)).astype(np.float32)
    rows, spread, unit = dense(ridge)
    dual = ridge.solve(targets, alpha)
    expected = np.linalg.solve(rows @ spread @ rows.T + alpha * unit * np.eye(30), targets)
    assert dual.dtype == np.float32
    assert_allclose(dual, expected, atol=2e-5 * np.abs(expected).max())
    words, by_prior = ridge.rows_of(dual)
    solution = spread @ rows.T @ expected
    assert_allclose(words, solution, atol=2e-5 * np.abs(solution).max())
    if with_prior:  # what rows without a text get
        only = (spread - np.diag(ridge.own.astype(float))) @ rows.T @ expected
        assert_allclose(ridge.prior @ by_prior, only, atol=2e-5 * np.abs(solution).max())
    else:
        assert by_prior is None


def test_it_minimises_what_the_notes_say():
    ridge = make_ridge(make_tokens(), with_prior=True)
    targets = np.random.default_rng(2).normal(size=(30, 5)).astype(np.float32)
    rows, spread, unit = dense(ridge)
    found = ridge.rows_of(ridge.solve(targets, 2.0))[0].astype(float)

    def loss(u):
        return np.sum((rows @ u - targets) ** 2) + 2 * unit * np.trace(u.T @ np.linalg.solve(spread, u))

    best, rng = loss(found), np.random.default_rng(3)
    for size in (0.1, 0.01):
        assert all(loss(found + size * rng.normal(size=found.shape)) > best for _ in range(20))


def test_the_precision_of_the_default():
    ridge = make_ridge(make_tokens(400, 300), n_rows=300)
    targets = np.random.default_rng(2).normal(size=(400, 20)).astype(np.float32)
    rows, spread, unit = dense(ridge)
    kernel = rows @ spread @ rows.T + 0.3 * unit * np.eye(400)
    left = kernel @ ridge.solve(targets, 0.3) - targets
    assert (np.linalg.norm(left, axis=0) <= 1.1e-3 * np.linalg.norm(targets, axis=0)).all()


def test_a_start_is_not_changed_and_leads_to_the_same(monkeypatch):
    monkeypatch.setattr(_ridge, "_PRECISION", 1e-6)
    ridge = make_ridge(make_tokens())
    targets = np.random.default_rng(2).normal(size=(30, 5)).astype(np.float32)
    start = ridge.solve(targets, 10.0)
    copy = start.copy()
    expected = ridge.solve(targets, 1.0)
    assert_allclose(ridge.solve(targets, 1.0, start), expected, atol=2e-5 * np.abs(expected).max())
    assert_array_equal(start, copy)


@pytest.mark.parametrize("with_prior", [True, False])
@pytest.mark.parametrize(
    "tokens",
    [
        (np.array([0, 0, 1], np.uint32), np.array([0, 3])),  # one text
        (np.array([], np.uint32), np.array([0, 0])),
        (np.array([], np.uint32), np.array([0, 0, 0, 0])),
        (np.array([3] * 600, np.uint32), np.array([0, 600])),
    ],
    ids=["one text", "one empty text", "empty texts", "one word"],
)
def test_few_tokens(tokens, with_prior):
    ridge = make_ridge(tokens, with_prior=with_prior)
    targets = np.random.default_rng(2).normal(size=(len(tokens[1]) - 1, 3)).astype(np.float32)
    rows, spread, unit = dense(ridge) if len(tokens[0]) else (np.zeros((len(targets), 25)), np.eye(25), 1)
    expected = np.linalg.solve(rows @ spread @ rows.T + unit * np.eye(len(targets)), targets)
    found = ridge.rows_of(ridge.solve(targets, 1.0))[0]
    assert_allclose(found, spread @ rows.T @ expected, atol=2e-3)


@pytest.mark.parametrize(
    "targets", [np.zeros((30, 3), np.float32), np.float32(1e-12) * np.ones((30, 3), "f")]
)
def test_targets_that_say_little(targets):
    found = make_ridge(make_tokens()).rows_of(make_ridge(make_tokens()).solve(targets, 1.0))[0]
    assert np.abs(found).max() <= 1e-10


@pytest.mark.parametrize(
    ("prior", "own"), [(np.zeros((25, 4), np.float32), None), (None, np.zeros(25, bool))]
)
def test_priors_and_words_of_which_nothing_is_known(prior, own):
    ridge = make_ridge(make_tokens(), with_prior=False, own=own)
    same = WordRidge(*make_tokens(), ridge.weights, ridge.own, prior, 0.3)
    targets = np.random.default_rng(2).normal(size=(30, 3)).astype(np.float32)
    found = same.rows_of(same.solve(targets, 1.0))[0]
    assert_allclose(found, ridge.rows_of(ridge.solve(targets, 1.0))[0], atol=1e-6)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("n_columns", [3, 16, 40])
def test_sums(n_columns):
    (ids, indptr), rng = make_tokens(longest=1500), np.random.default_rng(4)
    table, weights = rng.normal(size=(25, n_columns)).astype(np.float32), rng.uniform(size=25).astype("f")
    out = np.full((30, max(n_columns, 16)), np.nan, np.float32)
    text_vectors(ids, indptr, _ridge.aligned(table), out)
    weighted = token_sums(ids, indptr, table, weights)
    for i in range(30):
        rows = ids[indptr[i] : indptr[i + 1]]
        n = max(len(rows), 1)
        assert_allclose(out[i, :n_columns], table[rows].sum(axis=0) / np.sqrt(n), atol=1e-4)
        expected = (table[rows] * weights[rows, None].astype(float)).sum(axis=0)
        assert_allclose(weighted[i], expected, atol=1e-5 * n)


@pytest.mark.parametrize("shape", [(3, 5), (7, 16), (1, 384), (9, 50)])
def test_aligned_copies(shape):
    table = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    copy = _ridge.aligned(table)
    assert copy.ctypes.data % 64 == 0
    assert copy.flags.c_contiguous
    assert_array_equal(copy[:, : shape[1]], table)
    assert not copy[:, shape[1] :].any()


@pytest.mark.parametrize("with_prior", [True, False])
def test_similarities(monkeypatch, with_prior):
    monkeypatch.setattr(_ridge, "_PRECISION", 1e-6)
    ids, indptr = make_tokens(60)
    ridge = make_ridge((ids, indptr), with_prior=with_prior, own=OWN)
    rng = np.random.default_rng(5)
    targets = (dense(ridge)[0] @ rng.normal(size=(25, 3)) + rng.normal(size=(60, 3))).astype(np.float32)
    more = ridge.weights, ridge.own, ridge.prior, 0.3
    found = similarities(ids, indptr, targets, np.random.RandomState(7), *more)
    order = np.random.RandomState(7).permutation(60)
    held, kept = np.sort(order[:12]), np.sort(order[12:])
    rows = dense(ridge)[0]
    own, prior = np.diag(OWN.astype(float)), ridge.prior
    weight = np.trace(rows[kept] @ own @ rows[kept].T)
    spread = own.copy()
    if with_prior:
        gram = prior.astype(float) @ prior.T
        spread += 0.3 * weight / np.trace(rows[kept] @ gram @ rows[kept].T) * gram
    for alpha in STRENGTHS:
        kernel = rows[kept] @ spread @ rows[kept].T + alpha * weight / 48 * np.eye(48)
        student = rows[held] @ spread @ rows[kept].T @ np.linalg.solve(kernel, targets[kept])
        a, b = student - student.mean(axis=0), targets[held] - targets[held].mean(axis=0)
        assert found[alpha] == pytest.approx(np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b)), abs=1e-4)
    assert list(found) == list(STRENGTHS)


def test_similarity_of_nothing_is_zero():
    ids, indptr = make_tokens(10)
    targets = np.ones((10, 3), np.float32)
    more = np.ones(25, np.float32), np.ones(25, bool), None, 0.0
    assert set(similarities(ids, indptr, targets, np.random.RandomState(0), *more).values()) == {0.0}
