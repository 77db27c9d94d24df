"""Every pooling is its published formula, whatever the batches, threads, calls and pickles."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from embtransfer import StaticEmbedder, WordEmbedder, WordVectors, load_pipeline, save_pipeline
from embtransfer.embedders import POOLINGS

INF = np.inf
POWERS = [(1,), (2,), (3,), (4, 5), (1, 3, INF, -INF), (-INF, 2, INF, 7, 1), (INF,)]
N_VECTORS = {"mean_max_min": 3, "power_means": 4}  # side by side, with the default powers
WORDS = [f"w{i}" for i in range(60)]

every_pooling = pytest.mark.parametrize("pooling", POOLINGS)
learned = pytest.mark.parametrize("pooling", ["idf", "sif", "usif"])


def table(d=7, dtype=np.float32, seed=0, scale=1.0):
    matrix = np.random.default_rng(seed).normal(scale=scale, size=(len(WORDS), d)).astype(dtype)
    return WordVectors(WORDS, matrix)


def make_texts(n=200, seed=1, longest=12):
    """Texts of known and unknown words, some far more frequent, some texts empty or all unknown."""
    rng = np.random.default_rng(seed)
    share = np.append(0.5 ** np.arange(1, 9), np.full(72, 2**-8 / 72))
    share = (share + np.full(80, 1 / 80)) / 2
    drawn = [rng.choice(80, rng.integers(longest), p=share) for _ in range(n)]
    return ["", "unknown words", *(" ".join(f"w{i}" for i in text) for text in drawn)]


def ids_of(texts):
    return [[int(word[1:]) for word in text.split() if word in WORDS] for text in texts]


# ---------------------------------------------------------------- the formulas, in float64
def weights_of(pooling, texts, matrix, a=1e-3):
    ids, n_words = ids_of(texts), len(matrix)
    counts = np.bincount(np.concatenate(ids).astype(int), minlength=n_words)
    share = counts / counts.sum()
    if pooling == "idf":
        df = np.array([sum(row in text for text in ids) for row in range(n_words)])
        return np.log((1 + len(texts)) / (1 + df)) + 1
    if pooling == "sif":
        return a / (a + share)
    if pooling == "usif":
        n_seen = np.count_nonzero(counts)
        likely = share > 1 - (1 - 1 / n_seen) ** (counts.sum() / len(texts))
        alpha = likely.sum() / n_seen
        a = (1 - alpha) / (alpha * n_seen / 2)
        return a / (a / 2 + share)
    return np.ones(n_words)


def power_mean(rows, power):
    if np.isinf(power):
        return rows.max(axis=0) if power > 0 else rows.min(axis=0)
    mean = (rows**power).mean(axis=0)
    return np.sign(mean) * np.abs(mean) ** (1 / power)


def pooled(pooling, texts, matrix, weights, powers=()):
    """What is pooled before common components are taken away."""
    powers = {"max": (INF,), "mean_max_min": (1, INF, -INF), "power_means": powers}.get(pooling)
    out = np.zeros((len(texts), matrix.shape[1] * len(powers or [1])))
    for row, ids in zip(out, ids_of(texts), strict=True):
        if not ids:
            continue
        if powers:
            row[:] = np.concatenate([power_mean(matrix[ids], power) for power in powers])
        else:
            row[:] = weights[ids] @ matrix[ids]
            row /= weights[ids].sum() if pooling == "idf" else len(ids)
    return out


def reference(pooling, fitted_on, texts, matrix, powers=(1, 3, INF, -INF), a=1e-3):
    matrix = matrix.astype(np.float64)
    weights = weights_of(pooling, fitted_on, matrix, a)
    out = pooled(pooling, texts, matrix, weights, powers)
    m = min({"sif": 1, "usif": 5}.get(pooling, 0), matrix.shape[1])
    if m:
        _, values, components = np.linalg.svd(
            pooled(pooling, fitted_on, matrix, weights), full_matrices=False
        )
        strengths = [1] if m == 1 and pooling == "sif" else values[:m] ** 2 / (values[:m] ** 2).sum()
        for strength, component in zip(strengths, components, strict=False):
            out = out - strength * np.outer(out @ component, component)
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("d", [1, 2, 15, 16, 17, 50, 300])
@every_pooling
def test_formula(pooling, d, dtype):
    vectors, fitted_on, texts = table(d, dtype), make_texts(), make_texts(50, seed=2)
    embedder = WordEmbedder(vectors, pooling=pooling).fit(fitted_on)
    got = embedder.transform(texts)
    assert got.dtype == np.float32
    assert got.flags.c_contiguous
    assert_allclose(got, reference(pooling, fitted_on, texts, vectors.matrix), rtol=1e-4, atol=2e-5)
    assert_array_equal(got[[not ids for ids in ids_of(texts)]], 0)
    assert embedder.n_zero_rows_ == sum(not ids for ids in ids_of(texts)) > 0


@learned
def test_weights(pooling):
    vectors, texts = table(), make_texts()
    embedder = WordEmbedder(vectors, pooling=pooling, sif_a=0.01).fit(texts)
    expected = weights_of(pooling, texts, vectors.matrix.astype(np.float64), a=0.01)
    assert embedder.weights_.dtype == np.float32
    assert_allclose(embedder.weights_, expected, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("powers", POWERS, ids=str)
@pytest.mark.parametrize("d", [1, 5, 16, 50])
def test_powers(d, powers, scale):
    vectors, texts = table(d, scale=scale), make_texts()
    got = WordEmbedder(vectors, pooling="power_means", powers=powers).fit_transform(texts)
    expected = reference("power_means", texts, texts, vectors.matrix, powers)
    # near zero the root of an odd power is steep: a rounding in float64 shows
    assert_allclose(got, expected, rtol=1e-4, atol=1e-5 * scale)


def test_power_means_of_negative_numbers():
    vectors = WordVectors(["w0", "w1"], [[-1.0, -2.0, 0.0], [-3.0, 2.0, 0.0]])
    got = WordEmbedder(vectors, pooling="power_means", powers=[1, 2, 3, INF, -INF]).fit_transform(["w0 w1"])
    expected = [-2, 0, 0, 5**0.5, 2, 0, -(14 ** (1 / 3)), 0, 0, -1, 2, 0, -3, -2, 0]
    assert_allclose(got[0], expected, rtol=1e-6)


def test_mean_max_min_is_its_three_parts():
    texts, vectors = make_texts(), table()
    parts = {kind: WordEmbedder(vectors, pooling=kind).fit_transform(texts) for kind in ("mean", "max")}
    three = WordEmbedder(vectors, pooling="mean_max_min").fit_transform(texts)
    assert_allclose(three[:, :7], parts["mean"], atol=1e-6)
    assert_array_equal(three[:, 7:14], parts["max"])
    negated = WordVectors(WORDS, -vectors.matrix)
    assert_array_equal(three[:, 14:], -WordEmbedder(negated, pooling="max").fit_transform(texts))


@every_pooling
def test_long_text(pooling):
    vectors, fitted_on = table(20, scale=3), make_texts()
    ids = np.random.default_rng(4).integers(len(WORDS), size=100_000)
    texts = [" ".join(f"w{i}" for i in ids), "w1 w2"]
    got = WordEmbedder(vectors, pooling=pooling).fit(fitted_on).transform(texts)
    assert_allclose(got, reference(pooling, fitted_on, texts, vectors.matrix), rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------- batches, order, threads
@every_pooling
def test_batches_order_and_threads_change_nothing(pooling):
    texts = make_texts(3000)
    embedder = WordEmbedder(table(), pooling=pooling).fit(texts)
    whole = embedder.transform(texts)
    for size in (1, 7, 1023, 1025):
        few = texts[: 60 * size]
        parts = [embedder.transform(few[start : start + size]) for start in range(0, len(few), size)]
        assert_allclose(np.concatenate(parts), whole[: len(few)], atol=1e-6)
    order = np.random.default_rng(5).permutation(len(texts))
    assert_allclose(embedder.transform([texts[i] for i in order]), whole[order], atol=1e-6)
    two = WordEmbedder(table(), pooling=pooling, n_jobs=2).fit(texts)
    assert_array_equal(two.transform(texts), whole)
    assert two.n_zero_rows_ == (embedder.transform(texts), embedder.n_zero_rows_)[1] > 2


# ---------------------------------------------------------------- partial_fit
@learned
@pytest.mark.parametrize("n_parts", [1, 2, 7])
def test_partial_fit_has_the_weights_of_one_fit(pooling, n_parts):
    texts = make_texts(5000)
    vectors = WordVectors(WORDS, table(20).matrix + 1)  # real tables share a direction, too
    whole, parts = (WordEmbedder(vectors, pooling=pooling) for _ in range(2))
    whole.fit(texts)
    for part in np.array_split(np.array(texts, object), n_parts):
        assert parts.partial_fit(part) is parts
    assert_array_equal(parts.weights_, whole.weights_)
    if whole.components_ is None:
        assert parts.components_ is None
        assert_array_equal(parts.transform(texts), whole.transform(texts))
    else:
        cosines = np.abs(np.einsum("ij,ij->i", parts.components_, whole.components_))
        assert cosines[0] > 0.999
        close = np.einsum("ij,ij->i", parts.transform(texts), whole.transform(texts))
        norms = [np.linalg.norm(part.transform(texts), axis=1) for part in (parts, whole)]
        assert (close >= 0.98 * norms[0] * norms[1] - 1e-9).mean() > 0.95


@every_pooling
def test_partial_fit_once_is_fit(pooling):
    texts = make_texts()
    once = WordEmbedder(table(), pooling=pooling).partial_fit(texts)
    assert_array_equal(once.transform(texts), WordEmbedder(table(), pooling=pooling).fit_transform(texts))


@learned
def test_partial_fit_goes_on_after_fit_and_fit_begins_anew(pooling):
    first, second = make_texts(seed=6), make_texts(seed=7)
    on = WordEmbedder(table(), pooling=pooling).fit(first).partial_fit(second)
    both = WordEmbedder(table(), pooling=pooling).fit(first + second)
    assert_array_equal(on.weights_, both.weights_)
    assert_array_equal(on.fit(second).weights_, WordEmbedder(table(), pooling=pooling).fit(second).weights_)


@learned
def test_partial_fit_on_nothing_known_changes_documents_alone(pooling):
    embedder = WordEmbedder(table(), pooling=pooling).partial_fit(["", "unknown"])
    assert_array_equal(embedder.transform(["", "unknown"]), np.zeros((2, 7)))
    assert np.isfinite(embedder.transform(["w1 w2"])).all()
    embedder.partial_fit(make_texts())
    expected = WordEmbedder(table(), pooling=pooling).fit(["", "unknown", *make_texts()])
    assert_array_equal(embedder.weights_, expected.weights_)


def test_partial_fit_checks_parameters_and_texts():
    with pytest.raises(ValueError, match="'pooling' parameter"):
        WordEmbedder(table(), pooling="median").partial_fit(["w1"])
    with pytest.raises(TypeError, match="single str"):
        WordEmbedder(table()).partial_fit("w1")
    with pytest.raises(ValueError, match=r"Got no texts \(n_samples=0\)"):
        WordEmbedder(table()).partial_fit([])


@learned
def test_a_pooling_changed_between_calls_needs_fit(pooling):
    texts = make_texts()
    embedder = WordEmbedder(table()).partial_fit(texts).set_params(pooling=pooling)
    with pytest.raises(ValueError, match=f"Got pooling='{pooling}', but partial_fit began with 'mean'"):
        embedder.partial_fit(texts)
    assert_array_equal(
        embedder.fit_transform(texts), WordEmbedder(table(), pooling=pooling).fit_transform(texts)
    )


# ---------------------------------------------------------------- parameters
@pytest.mark.parametrize(
    "powers", [(0,), (-1,), (1, 2.5), ("3",), (None,), (1 + 2j,), (-2, INF)], ids=lambda powers: repr(powers)
)
def test_powers_refused(powers):
    with pytest.raises(ValueError, match=r"Got powers=.* Expected positive integers and \+-inf"):
        WordEmbedder(table(), pooling="power_means", powers=powers).fit(["w1"])


def test_no_powers_and_powers_of_another_type_are_refused():
    with pytest.raises(ValueError, match=r"Got powers=\(\) for power_means"):
        WordEmbedder(table(), pooling="power_means", powers=()).fit(["w1"])
    with pytest.raises(ValueError, match="'powers' parameter"):
        WordEmbedder(table(), pooling="power_means", powers=3).fit(["w1"])


def test_a_power_that_is_nan_is_refused():
    with pytest.raises(ValueError, match=r"Got powers=.* Expected positive integers and \+-inf"):
        WordEmbedder(table(), pooling="power_means", powers=(np.nan,)).fit(["w1"])


def test_powers_matter_to_power_means_alone():
    assert WordEmbedder(table(), powers=()).fit_transform(["w1"]).shape == (1, 7)


# ---------------------------------------------------------------- scikit-learn
@every_pooling
def test_widths_and_names(pooling):
    texts, width = make_texts(), 7 * N_VECTORS.get(pooling, 1)
    embedder = WordEmbedder(table(), pooling=pooling).set_output(transform="pandas")
    frame = embedder.fit_transform(texts)
    assert list(frame.columns) == [f"wordembedder{i}" for i in range(width)]
    assert list(embedder.get_feature_names_out()) == list(frame.columns)
    assert_array_equal(frame, WordEmbedder(table(), pooling=pooling).fit_transform(texts))
    assert embedder.transform([]).shape == (0, width)


@every_pooling
def test_clone_and_set_params(pooling):
    texts = make_texts()
    first = WordEmbedder(table(), pooling=pooling, powers=(2, INF), sif_a=0.1).fit(texts)
    again = clone(first)
    assert again.get_params() == first.get_params()
    assert not [name for name in vars(again) if name.endswith("_")]
    assert_array_equal(again.fit_transform(texts), first.transform(texts))
    changed = again.set_params(pooling="mean_max_min")
    assert_array_equal(
        changed.fit_transform(texts), WordEmbedder(table(), pooling="mean_max_min").fit_transform(texts)
    )


@every_pooling
def test_pickle_then_partial_fit(pooling):
    texts, more = make_texts(), make_texts(seed=8)
    data = pickle.dumps(WordEmbedder(table(), pooling=pooling).fit(texts))
    again, expected = pickle.loads(data), WordEmbedder(table(), pooling=pooling).fit(texts)
    assert_array_equal(again.transform(texts), expected.transform(texts))
    assert_array_equal(again.partial_fit(more).transform(texts), expected.partial_fit(more).transform(texts))


@every_pooling
def test_pickling_leaves_the_embedder_as_it_is(pooling):
    texts = make_texts()
    embedder = WordEmbedder(table(), pooling=pooling).fit(texts)
    before = set(vars(embedder))
    pickle.dumps(embedder)
    assert set(vars(embedder)) == before
    expected = WordEmbedder(table(), pooling=pooling).fit(texts).partial_fit(texts)
    assert_array_equal(embedder.partial_fit(texts).transform(texts), expected.transform(texts))


@every_pooling
def test_saved_and_loaded(pooling, tmp_path):
    texts, more = make_texts(), make_texts(seed=9)
    embedder, same = (WordEmbedder(table(), pooling=pooling).fit(texts) for _ in range(2))
    again = load_pipeline(save_pipeline(embedder, tmp_path / "model"))
    assert repr(again) == repr(same)
    assert set(vars(again)) == set(vars(same))
    for name in ("weights_", "components_", "component_strengths_"):
        assert_array_equal(getattr(again, name), getattr(same, name))
    assert_array_equal(again.transform(texts), same.transform(texts))
    assert_array_equal(again.partial_fit(more).transform(texts), same.partial_fit(more).transform(texts))


def test_poolings_are_those_of_both_embedders():
    texts = make_texts()
    for pooling in POOLINGS:
        for embedder in (WordEmbedder, StaticEmbedder):
            assert f"{pooling!r}" in repr(embedder(pooling=pooling)) or pooling == "mean"
            assert f'"{pooling}"' in embedder.__doc__
    assert len({WordEmbedder(table(), pooling=p).fit_transform(texts).tobytes() for p in POOLINGS}) == 7
