"""Learning from batches: partial_fit of adapters, and fit_files, give what one fit on all rows gives."""

import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.preprocessing import Binarizer, FunctionTransformer, Normalizer, StandardScaler
from sklearn.utils import get_tags
from typer.testing import CliRunner

import embtransfer
from embtransfer import (
    CORAL,
    TCA,
    DistilledEmbedder,
    DomainCentering,
    LengthScaling,
    LinearOT,
    NGramVectorizer,
    NoAdaptation,
    SelfTrainingClassifier,
    StaticEmbedder,
    SubspaceAlignment,
    WordEmbedder,
    fit_files,
    load_pipeline,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.adapters._moments import Moments
from embtransfer.adapters._summing import SummingAdapter
from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews
from embtransfer.streaming._spool import Spool, shuffled_blocks
from embtransfer.tables import FORMATS

ADAPTERS = [
    NoAdaptation(),
    DomainCentering(),
    DomainCentering(with_std=True),
    LengthScaling(),
    CORAL(),
    CORAL(0),
    CORAL(0.3),
    LinearOT(),
    SubspaceAlignment(),
    SubspaceAlignment(3),
    SubspaceAlignment(None),
]
EXACT = [
    RidgeClassifier(),
    RidgeClassifier(alpha=0.1, class_weight="balanced"),
    RidgeClassifier(fit_intercept=False, class_weight={"good": 3, "bad": 0.5}),
    LinearDiscriminantAnalysis("lsqr", shrinkage="auto"),
    LinearDiscriminantAnalysis("lsqr", shrinkage=0.2),
    LinearDiscriminantAnalysis("lsqr"),
    LinearDiscriminantAnalysis("eigen", shrinkage="auto"),
    LinearDiscriminantAnalysis("eigen", shrinkage=0.2),
    GaussianNB(),
    GaussianNB(var_smoothing=0.1),
    NearestCentroid(),
    NearestCentroid(priors="empirical"),
]
every_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda part: part.__name__)


def make_domains(dtype=np.float64, offset=0.0):
    rng = np.random.default_rng(0)
    scales = np.array([6, 3, 1.5, 0.8, 0.4, 0.2])
    source, target = (
        rng.exponential(size=(n, 6)) * scales @ np.linalg.qr(rng.normal(size=(6, 6)))[0] for n in (300, 200)
    )
    return (source + offset).astype(dtype), (target * 0.8 + 2 * offset + 3).astype(dtype)


def assert_same_maps(adapter, expected, source, target, atol):
    np.testing.assert_allclose(adapter.transform(target), expected.transform(target), atol=atol)
    np.testing.assert_allclose(adapter.transform_source(source), expected.transform_source(source), atol=atol)


# Moments


@pytest.mark.parametrize("scatter", ["full", "diagonal", None])
def test_moments_add_up(scatter):
    X = np.random.default_rng(0).exponential(size=(100, 4)) * [1, 2, 3, 4] + [0, 10, -100, 1000]
    whole, parts = Moments(X, scatter), [Moments(X[i:j], scatter) for i, j in [(0, 1), (1, 60), (60, 100)]]
    for both in (parts[0] + parts[1] + parts[2], parts[2] + (parts[1] + parts[0])):
        assert both.count == 100
        for name in ("mean", "scatter", "third", "fourth"):
            ours, expected = getattr(both, name), getattr(whole, name)
            if expected is None:
                assert ours is None
            else:
                np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-7)


def test_moments_are_the_sums_they_say():
    X = np.random.default_rng(0).exponential(size=(50, 3)) + 2
    centred, moments = X - X.mean(axis=0), Moments(X[:20]) + Moments(X[20:])
    norms = np.sum(centred**2, axis=1)
    np.testing.assert_allclose(moments.scatter, centred.T @ centred)
    np.testing.assert_allclose(moments.third, norms @ centred)
    np.testing.assert_allclose(moments.fourth, np.sum(norms**2))


# partial_fit of adapters


def test_all_kinds_are_tried():
    public = [getattr(embtransfer, name) for name in embtransfer.__all__]
    kinds = {kind for kind in public if isinstance(kind, type) and issubclass(kind, SummingAdapter)}
    assert kinds == {type(adapter) for adapter in ADAPTERS}


@pytest.mark.parametrize(
    ("size", "order", "offset"),
    [
        (7, "together", 0),
        (7, "source first", 100),
        (7, "target first", 0),
        (7, "shuffled", 100),
        (1000, "together", 100),
        (1000, "target first", 0),
    ],
)
@every_adapter
def test_batches_of_any_size_in_any_order(adapter, size, order, offset):
    domains = dict(zip(["X", "X_target"], make_domains(offset=offset), strict=True))
    calls = [
        {name: rows[start : start + size]} for name, rows in domains.items() for start in range(0, 300, size)
    ]
    calls = [call for call in calls for rows in call.values() if len(rows)]
    if order == "target first":
        calls.sort(key=lambda call: "X" in call)
    elif order == "shuffled":
        np.random.default_rng(0).shuffle(calls)
    elif order == "together":
        per_source = -(-300 // size)
        calls = [first | second for first, second in zip(calls, calls[per_source:], strict=False)] + calls[
            len(calls) - per_source : per_source
        ]
    fed = clone(adapter)
    for call in calls:
        fed.partial_fit(**call)
    expected = clone(adapter).fit(domains["X"], X_target=domains["X_target"])
    assert_same_maps(fed, expected, *domains.values(), atol=1e-6)


@every_adapter
def test_float32_stays_float32(adapter):
    source, target = make_domains(np.float32)
    fed = clone(adapter)
    for start in range(0, 300, 7):
        fed.partial_fit(source[start : start + 7])
    fed.partial_fit(X_target=target)
    assert fed.transform(target).dtype == fed.transform_source(source).dtype == np.float32
    assert getattr(fed.target_map_, "offset", target).dtype == np.float32
    # not against a fit on float32 rows, whose products are less exact than those of small batches
    expected = clone(adapter).fit(source.astype(np.float64), X_target=target.astype(np.float64))
    assert_same_maps(fed, expected, source, target, atol=2e-4)


@every_adapter
def test_maps_are_current_after_every_call(adapter):
    source, target = make_domains()
    fed = clone(adapter)
    for stop in (100, 200, 300):
        fed.partial_fit(source[stop - 100 : stop], X_target=target[stop - 100 : stop] if stop < 300 else None)
        expected = clone(adapter).fit(source[:stop], X_target=target[:stop])
        assert_same_maps(fed, expected, source, target, atol=1e-8)
        assert list(fed.get_feature_names_out()) == list(expected.get_feature_names_out())
        assert getattr(fed, "n_components_", 0) == getattr(expected, "n_components_", 0)


@pytest.mark.parametrize("domain", ["X", "X_target"])
@every_adapter
def test_one_domain_stands_for_both(adapter, domain):
    source, _ = make_domains()
    fed = clone(adapter).partial_fit(**{domain: source[:50]}).partial_fit(**{domain: source[50:]})
    assert_same_maps(fed, clone(adapter).fit(source), source, source, atol=1e-8)
    np.testing.assert_array_equal(fed.transform(source), fed.transform_source(source))


@every_adapter
def test_fit_starts_anew_and_partial_fit_goes_on_from_it(adapter):
    source, target = make_domains()
    adapter = clone(adapter).partial_fit(target * 5, X_target=source * 7)
    adapter.fit(source[:200], X_target=target)
    assert_same_maps(adapter, clone(adapter).fit(source[:200], X_target=target), source, target, atol=0)
    adapter.partial_fit(source[200:])
    assert_same_maps(adapter, clone(adapter).fit(source, X_target=target), source, target, atol=1e-8)


def test_fit_on_the_same_rows_twice_has_two_domains():
    source, target = make_domains()
    adapter = DomainCentering().fit(source, X_target=source).partial_fit(X_target=target)
    both = np.concatenate([source, target])
    np.testing.assert_allclose(adapter.target_map_.offset, both.mean(axis=0))
    np.testing.assert_allclose(adapter.source_map_.offset, source.mean(axis=0))


@pytest.mark.parametrize("asked", [False, True], ids=["maps not worked out", "maps worked out"])
@every_adapter
def test_pickle_goes_on(adapter, asked):
    source, target = make_domains()
    half = clone(adapter).partial_fit(source[:150], X_target=target)
    if asked:
        half.transform(target)
    again = pickle.loads(pickle.dumps(half))
    assert_same_maps(again, half, source, target, atol=0)
    expected = clone(adapter).fit(source, X_target=target)
    assert_same_maps(again.partial_fit(source[150:]), expected, source, target, atol=1e-8)


def test_pickle_holds_half_of_each_symmetric_matrix():
    d = 200
    X = np.random.default_rng(0).normal(size=(300, d))
    size = len(pickle.dumps(CORAL().fit(X, X_target=X + 1)))
    maps = 8 * d * d
    assert maps + 2 * 4 * d * d < size < maps + 2 * 4 * d * d + 100 * d
    assert len(pickle.dumps(CORAL().fit(X))) < maps + 4 * d * d + 100 * d  # one domain: one matrix


@pytest.mark.parametrize("adapter", [NoAdaptation(), LengthScaling()], ids=repr)
def test_sparse_batches(adapter):
    source, target = (sparse.csr_matrix(np.maximum(part, 2)) for part in make_domains())
    fed = clone(adapter).partial_fit(source[:100], X_target=target).partial_fit(source[100:])
    expected = clone(adapter).fit(source, X_target=target)
    np.testing.assert_allclose(fed.transform(target).toarray(), expected.transform(target).toarray())


@pytest.mark.parametrize("value", [0.1, 1e6])
@every_dtype
@every_adapter
def test_constant_column_in_batches(adapter, dtype, value):
    source, target = make_domains(dtype)
    source[:, 2] = value
    fed = clone(adapter)
    for start in range(0, 300, 7):
        fed.partial_fit(
            source[start : start + 7], X_target=target[start : start + 7] if start < 190 else None
        )
    # a variance of zero counts as such, and is not blown up
    assert np.abs(fed.transform_source(source)).max() < max(
        1e5, 2 * value * isinstance(adapter, NoAdaptation)
    )


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ([{}], "Got neither X nor X_target. Expected rows of at least one domain"),
        ([{"X": np.ones((4, 3))}, {"X_target": np.ones((4, 2))}], "X_target has 2 features, but X has 3"),
        ([{"X": np.ones((4, 3))}, {"X": np.ones((4, 2))}], "X has 2 features, but CORAL is expecting 3"),
        ([{"X": np.ones((4, 3)), "X_target": np.ones((4, 2))}], "X_target has 2 features, but X has 3"),
        ([{"X": [[1.0, np.nan]]}], "Input X contains NaN"),
        ([{"X_target": [[1.0, np.inf]]}], "Input X_target contains infinity"),
        ([{"X": np.ones((0, 3))}], "0 sample"),
    ],
)
def test_partial_fit_refuses(calls, message):
    adapter = CORAL()
    for call in calls[:-1]:
        adapter.partial_fit(**call)
    with pytest.raises(ValueError, match=message):
        adapter.partial_fit(**calls[-1])


def test_a_refused_batch_leaves_no_trace():
    source, target = make_domains()
    adapter = CORAL().partial_fit(source, X_target=target)
    with pytest.raises(ValueError, match="X_target contains NaN"):
        adapter.partial_fit(source, X_target=np.full((2, 6), np.nan))
    assert_same_maps(adapter, CORAL().fit(source, X_target=target), source, target, atol=0)
    fresh = CORAL()
    with pytest.raises(ValueError, match="X_target has 5 features"):
        fresh.partial_fit(source, X_target=target[:, :5])
    fresh.partial_fit(source[:, :4])
    assert fresh.transform(target[:, :4]).shape == (200, 4)


def test_too_few_rows_are_named_when_the_maps_are_wanted():
    source, target = make_domains()
    adapter = CORAL().partial_fit(source, X_target=target[:1])
    with pytest.raises(ValueError, match=r"X_target has n_samples=1, but CORAL needs at least 2"):
        adapter.transform(target)
    adapter.partial_fit(X_target=target[1:])
    assert_same_maps(adapter, CORAL().fit(source, X_target=target), source, target, atol=1e-8)


def test_a_parameter_that_changes_the_sums_may_not_change():
    source, _ = make_domains()
    adapter = DomainCentering().partial_fit(source).set_params(with_std=True)
    with pytest.raises(ValueError, match=r"a parameter changed since partial_fit began\. Call fit first"):
        adapter.partial_fit(source)
    assert adapter.fit(source).partial_fit(source).transform(source).std() == pytest.approx(1)


# the rows on disk


def test_spool(tmp_path):
    X = np.arange(30, dtype=np.float32).reshape(10, 3)
    spool = Spool(tmp_path / "rows")
    spool.append(X[:4])
    np.testing.assert_array_equal(np.concatenate(list(spool.blocks(3))), X[:4])
    spool.append(X[4:].astype(np.float64))
    for size in (1, 3, 10, 11):
        np.testing.assert_array_equal(np.concatenate(list(spool.blocks(size))), X)
    np.testing.assert_array_equal(spool.mapped(), X)
    spool.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [1, 7, 50, 200, 1000])
def test_shuffled_blocks(tmp_path, size):
    spools = Spool(tmp_path / "a"), Spool(tmp_path / "b", np.int32)
    for spool in spools:
        spool.append(np.arange(1000)[:, None])
    runs = []
    for seed in (0, 0, 1):
        blocks = list(shuffled_blocks(spools, size, np.random.default_rng(seed)))
        assert max(len(rows) for rows, _ in blocks) <= size
        first, second = (np.concatenate([block[i] for block in blocks])[:, 0] for i in (0, 1))
        np.testing.assert_array_equal(first, second)
        assert sorted(first) == list(range(1000))
        runs.append(first)
        # rows of the first half of the file come in all parts of the pass
        halves = (first < 500).reshape(4, 250).mean(axis=1)
        assert halves.min() > 0.3
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()
    for spool in spools:
        spool.close()


# fit_files


@pytest.fixture(scope="module")
def demo():
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    return films.data, np.array(["bad", "good"])[films.target].tolist(), pans.data


def write(path, **columns):
    table = pa.table(columns)
    if path.suffix == ".csv":
        pa_csv.write_csv(table, path)
    elif path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist()))
    return path


@pytest.fixture(scope="module")
def files(demo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for suffix in FORMATS:
        write(folder / f"films{suffix}", text=demo[0], label=demo[1])
        write(folder / f"pans{suffix}", text=demo[2])
    return folder


def assert_same_model(ours, expected, texts, atol=1e-4):
    np.testing.assert_array_equal(ours.classes_, expected.classes_)
    assert ours.classes_.dtype == expected.classes_.dtype
    for view in (lambda pipeline: pipeline, lambda pipeline: pipeline.source_view()):
        a, b = view(ours), view(expected)
        for method in ("decision_function", "predict_log_proba"):
            if hasattr(b, method):
                right = getattr(b, method)(texts)
                np.testing.assert_allclose(
                    getattr(a, method)(texts), right, atol=atol * np.abs(right).max(), err_msg=method
                )
        np.testing.assert_array_equal(a.predict(texts), b.predict(texts))


def both(demo, files, *steps, target=True, suffix=".parquet", **options):
    """The pipeline fitted from files, and in memory."""
    films, labels, pans = demo
    made = make_transfer_pipeline(*(clone(step) for step in steps))
    ours = fit_files(made, files / f"films{suffix}", files / f"pans{suffix}" if target else None, **options)
    assert ours is made
    expected = make_transfer_pipeline(*(clone(step) for step in steps))
    return ours, expected.fit(films, labels, X_target=pans if target else None)


POOLINGS = ["mean", "idf", "sif", "usif", "mean_max_min"]


@pytest.mark.parametrize(
    ("adapter", "pooling"),
    [(adapter, POOLINGS[i % len(POOLINGS)]) for i, adapter in enumerate(ADAPTERS)],
    ids=repr,
)
def test_every_adapter_and_pooling(demo, files, adapter, pooling):
    models = both(demo, files, WordEmbedder(pooling=pooling), adapter, RidgeClassifier(), batch_size=33)
    assert_same_model(*models, demo[2])


@pytest.mark.parametrize("classifier", EXACT, ids=repr)
def test_exact_classifiers(demo, files, classifier):
    ours, expected = both(demo, files, WordEmbedder(), CORAL(), classifier, batch_size=33)
    assert_same_model(ours, expected, demo[2])
    assert set(vars(ours[-1])) == set(vars(expected[-1]))
    assert ours[-1].get_params() == expected[-1].get_params()
    learned = {name: value for name, value in vars(expected[-1]).items() if name.endswith("_")}
    for name in set(learned) - {"solver_", "scalings_", "classes_", "n_iter_"}:
        scale = max(np.abs(learned[name]).max(), 0.1)
        np.testing.assert_allclose(vars(ours[-1])[name], learned[name], atol=1e-4 * scale, err_msg=name)


@pytest.mark.parametrize("classifier", [EXACT[i] for i in (0, 3, 6, 8, 10, 11)], ids=repr)
def test_exact_classifiers_of_many_classes(demo, tmp_path, classifier):
    films, _, pans = demo
    labels = (np.arange(len(films)) ** 2 % 7).tolist()  # four classes of unequal size, which are integers
    path = write(tmp_path / "films.jsonl", text=films, label=labels)
    target = write(tmp_path / "pans.csv", text=pans)
    steps = WordEmbedder(), DomainCentering(), classifier
    expected = make_transfer_pipeline(*map(clone, steps)).fit(films, labels, X_target=pans)
    ours = fit_files(make_transfer_pipeline(*map(clone, steps)), path, target, batch_size=50)
    assert_same_model(ours, expected, pans)


@pytest.mark.parametrize(("pooling", "size"), [("mean", 7), ("sif", 1), ("sif", 1000)])
def test_batch_sizes(demo, files, pooling, size):
    models = both(demo, files, WordEmbedder(pooling=pooling), CORAL(), RidgeClassifier(), batch_size=size)
    assert_same_model(*models, demo[2])


@pytest.mark.parametrize("suffix", FORMATS)
def test_formats(demo, files, suffix):
    models = both(demo, files, WordEmbedder(), LinearOT(), RidgeClassifier(), suffix=suffix)
    assert_same_model(*models, demo[2])


def test_without_target(demo, files):
    models = both(demo, files, WordEmbedder(), CORAL(), RidgeClassifier(), target=False, batch_size=50)
    assert_same_model(*models, demo[2])


@pytest.mark.parametrize(
    "middle",
    [
        (),
        (StandardScaler(),),
        (CORAL(), StandardScaler()),
        (StandardScaler(), CORAL()),
        (DomainCentering(), LengthScaling()),
        (DomainCentering(), Normalizer(), SubspaceAlignment(20), LengthScaling()),
    ],
    ids=repr,
)
def test_steps_in_between(demo, files, middle):
    models = both(
        demo, files, WordEmbedder(), *middle, RidgeClassifier(), target=len(middle) > 1, batch_size=50
    )
    assert_same_model(*models, demo[2])


def test_incremental_pca_with_a_short_last_batch(demo, files):
    steps = WordEmbedder(), DomainCentering(), IncrementalPCA(10, batch_size=35), RidgeClassifier()
    ours, expected = both(demo, files, *steps, batch_size=35)
    assert 0 < len(demo[0]) % 35 < 10  # the last batch has fewer rows than components
    assert np.mean(ours.predict(demo[2]) == expected.predict(demo[2])) > 0.95


def letters(texts):
    """Shares of ten letters, from a list of texts."""
    return np.array([[text.count(letter) for letter in "aeioulmnst"] for text in texts]) / 100


@pytest.mark.parametrize(
    "embedder",
    [
        StaticEmbedder("wordllama", pooling="idf"),
        FunctionTransformer(letters),
    ],
    ids=lambda part: type(part).__name__,
)
def test_other_embedders(demo, tmp_path, embedder):
    films, labels, pans = (part[:24] for part in demo)
    source, target = tmp_path / "films.jsonl", tmp_path / "pans.csv"
    write(source, text=films, label=labels)
    write(target, text=pans)
    steps = embedder, DomainCentering(), RidgeClassifier()
    expected = make_transfer_pipeline(*map(clone, steps)).fit(films, labels, X_target=pans)
    ours = fit_files(make_transfer_pipeline(*map(clone, steps)), source, target, batch_size=10)
    assert_same_model(ours, expected, pans)


@pytest.mark.parametrize("step", ["passthrough", None])
def test_steps_that_are_left_out(demo, files, step):
    pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), NoAdaptation(), RidgeClassifier())
    pipeline.set_params(noadaptation=step)
    fit_files(pipeline, files / "films.csv", files / "pans.csv")
    assert pipeline.named_steps["noadaptation"] == step
    assert set(pipeline.predict(demo[2])) == {"bad", "good"}


@pytest.mark.parametrize(
    "classifier",
    [LogisticRegression(C=10, max_iter=1000), KNeighborsClassifier(), LinearDiscriminantAnalysis()],
    ids=repr,
)
def test_classifiers_on_the_memory_map(demo, files, classifier):
    ours, expected = both(demo, files, WordEmbedder(), CORAL(), classifier, batch_size=50)
    assert np.mean(ours.predict(demo[2]) == expected.predict(demo[2])) > 0.98
    np.testing.assert_allclose(ours.predict_proba(demo[2]), expected.predict_proba(demo[2]), atol=0.01)


@pytest.mark.parametrize(
    "classifier",
    [SGDClassifier(loss="log_loss", random_state=0), Perceptron(random_state=0)],
    ids=repr,
)
def test_classifiers_that_learn_by_steps(demo, files, classifier):
    options = {"batch_size": 50, "epochs": 15}
    steps = WordEmbedder(), DomainCentering(priors="source"), classifier
    ours, expected = both(demo, files, *steps, **options)
    films, labels, _ = demo
    assert ours.source_view().score(films, labels) > expected.source_view().score(films, labels) - 0.1
    again, _ = both(demo, files, *steps, **options)
    np.testing.assert_array_equal(again[-1].coef_, ours[-1].coef_)
    other, _ = both(demo, files, WordEmbedder(), DomainCentering(), classifier, random_state=1, **options)
    assert (other[-1].coef_ != ours[-1].coef_).any()
    assert ours[-1].t_ == 15 * len(films) + 1


def test_files_sorted_by_label_are_shuffled(demo, tmp_path):
    films, labels, _ = demo
    order = np.argsort(labels, kind="stable")
    path = write(tmp_path / "sorted.csv", text=[films[i] for i in order], label=[labels[i] for i in order])
    pipeline = make_transfer_pipeline(WordEmbedder(), SGDClassifier(loss="log_loss", random_state=0))
    fit_files(pipeline, path, batch_size=40, epochs=20)
    assert pipeline.score(films, labels) > 0.75


def test_counts_of_naive_bayes_are_taken_once(demo, files):
    models = both(demo, files, WordEmbedder(), DomainCentering(), Binarizer(), BernoulliNB(), batch_size=50)
    assert_same_model(*models, demo[2])


def test_saved_model(demo, files, tmp_path):
    ours, _ = both(demo, files, WordEmbedder(pooling="sif"), CORAL(), RidgeClassifier(), batch_size=50)
    loaded = load_pipeline(save_pipeline(ours, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.decision_function(demo[2]), ours.decision_function(demo[2]))
    films, _, pans = demo
    rows = loaded[0].transform(films)
    for pipeline in (loaded, ours):
        pipeline[1].partial_fit(rows * 2)
    np.testing.assert_array_equal(loaded.decision_function(pans), ours.decision_function(pans))


def test_missing_texts_are_empty_and_rows_may_be_odd(tmp_path):
    texts, labels = ["good pan", None, "", "xyzzy", "bad lid", "👍 é"] * 3, [True, False] * 9
    path = write(tmp_path / "a.parquet", text=texts, label=labels)
    steps = WordEmbedder(), DomainCentering(), RidgeClassifier()
    ours = fit_files(make_transfer_pipeline(*steps), path, path, batch_size=4)
    expected = make_transfer_pipeline(*map(clone, steps)).fit(texts, labels, X_target=texts)
    assert_same_model(ours, expected, texts)


@pytest.mark.parametrize("adapter", [DomainCentering(with_std=True), CORAL(), SubspaceAlignment(3)], ids=repr)
@pytest.mark.parametrize("priors", [[0.1, 0.9], [0.0, 1.0], [0.5, 0.5]])
def test_weights_by_class_are_known_shares(adapter, priors):
    rng = np.random.default_rng(0)
    y = np.sort(rng.random(120) < 0.4)  # so that the first batches have one class
    source, target = rng.normal(size=(120, 5)) + 2 * y[:, None], rng.normal(size=(90, 5))
    known = clone(adapter).set_params(priors=priors).fit(source, y, X_target=target)
    weights = (np.array(priors) / np.bincount(y))[y.astype(int)] * len(y)
    batches = clone(adapter)
    for start in range(0, 120, 30):
        rows = slice(start, start + 30)
        batches.partial_fit(source[rows], sample_weight=weights[rows])
    batches.partial_fit(X_target=target)
    for method in ("transform", "transform_source"):
        np.testing.assert_allclose(
            getattr(batches, method)(target), getattr(known, method)(target), atol=1e-9
        )
    with pytest.raises(ValueError, match=r"Negative values .* sample_weight|sample_weight.*"):
        batches.partial_fit(source, sample_weight=np.full(120, -1.0))


def test_progress(files):
    calls = []
    pipeline = make_transfer_pipeline(WordEmbedder(pooling="sif"), CORAL(), RidgeClassifier())
    n = len(load_demo_reviews("films").data)
    fit_files(
        pipeline, files / "films.csv", files / "pans.csv", batch_size=50, progress=lambda *a: calls.append(a)
    )
    last = {what: rows for rows, _, what in calls}
    of_source = ["Counting words", "Finding common components", "Embedding the source"]
    assert list(last)[:6] == [*of_source, "Embedding the target", "Estimating class shares", "Fitting coral"]
    assert {last[what] for what in [*of_source, "Estimating class shares", "Fitting coral"]} == {n}
    assert last["Embedding the target"] == len(load_demo_reviews("kitchenware").data)
    assert [rows for rows, total, what in calls if total is None and what == "Counting words"] == [
        *range(50, n, 50),
        n,
    ]


# what cannot be done


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder that temporary files go to."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([NGramVectorizer(), RidgeClassifier()], "'ngramvectorizer', NGramVectorizer, .* Use WordEmbedder"),
        ([DistilledEmbedder(WordEmbedder()), RidgeClassifier()], "'distilledembedder', .* Use WordEmbedder"),
        ([WordEmbedder(), TCA(), RidgeClassifier()], "'tca', TCA, learns from all rows .* CORAL, DomainCent"),
        (
            [WordEmbedder(), PCA(3), RidgeClassifier()],
            "'pca', PCA, .* such as StandardScaler or IncrementalPCA",
        ),
        (
            [WordEmbedder(), NoAdaptation(), SelfTrainingClassifier(LogisticRegression())],
            "'selftrainingclassifier', SelfTrainingClassifier, .* Use RidgeClassifier or SGDClassifier",
        ),
        (
            [HashingVectorizer(), RidgeClassifier()],
            # scikit-learn 1.6 does not tell of this step that it learns nothing
            "HashingVectorizer, learns from all rows .* Use WordEmbedder"
            if get_tags(HashingVectorizer()).requires_fit
            else "HashingVectorizer gives sparse rows.* Use WordEmbedder",
        ),
        ([WordEmbedder(), CORAL()], "Expected an embedder first, a classifier last"),
        ([RidgeClassifier()], "Expected an embedder first, a classifier last"),
    ],
    ids=lambda part: "-".join(type(step).__name__ for step in part) if isinstance(part, list) else "",
)
def test_steps_that_cannot_learn_from_batches(files, temporary, steps, message):
    with pytest.raises(TypeError, match=message):
        fit_files(make_transfer_pipeline(*steps), files / "films.csv")
    assert list(temporary.iterdir()) == []


def test_what_is_no_transfer_pipeline(files):
    with pytest.raises(TypeError, match=r"Got CoTrainingClassifier\. Expected a TransferPipeline"):
        fit_files(make_recipe("sentences"), files / "films.csv")


def test_data_frames_between_steps(files):
    pipeline = make_transfer_pipeline(WordEmbedder(), CORAL(), RidgeClassifier()).set_output(
        transform="pandas"
    )
    with pytest.raises(ValueError, match=r"'wordembedder' gives data frames.* pipeline\.set_output\("):
        fit_files(pipeline, files / "films.csv")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("pooling", ["mean", "idf"])
def test_missing_labels(tmp_path, temporary, suffix, pooling):
    labels = ["a", "b", None, "a", "", "b", "a", None]
    path = write(tmp_path / f"in{suffix}", text=["good pan"] * 8, label=labels)
    pipeline = make_transfer_pipeline(WordEmbedder(pooling=pooling), RidgeClassifier())
    with pytest.raises(ValueError, match=r"has 3 rows without a 'label'\. Remove them first"):
        fit_files(pipeline, path, batch_size=2)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 4, "Got 1 class, 'a'. Expected labels of at least two classes"),
        ([0.5, 1.5, 2.0, 1.0], "labels such as 0.5. Expected classes, not quantities"),
        ([1.0, float("nan"), 1.0, 0.0], "has 1 rows without a 'label'"),
        ([["a"], ["b"], ["a"], ["b"]], r"labels such as \['a'\]. Expected one text or number a row"),
    ],
    ids=str,
)
def test_labels_that_are_none(tmp_path, labels, message):
    path = write(tmp_path / "in.parquet", text=["good pan"] * 4, label=labels)
    with pytest.raises((ValueError, TypeError), match=message):
        fit_files(make_transfer_pipeline(WordEmbedder(), RidgeClassifier()), path)


def test_labels_of_two_kinds(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"text": "good", "label": label}) + "\n" for label in ["a", 1, "a"]))
    with pytest.raises(ValueError, match="labels that are texts and others that are not"):
        fit_files(make_transfer_pipeline(WordEmbedder(), RidgeClassifier()), path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"text_column": "review"},
            r"text_column \(--text-column\) 'review', but films.csv has columns",
        ),
        (
            {"label_column": "stars"},
            r"label_column \(--label-column\) 'stars', but films.csv has columns: text, label",
        ),
        ({"batch_size": 0}, "Got batch_size=0. Expected at least 1"),
        ({"epochs": 0}, "Got epochs=0. Expected at least 1"),
        ({"target": "empty.csv"}, "empty.csv has no rows. Expected at least one"),
        ({"target": "none.csv"}, "There is no file .*none.csv"),
        ({"source": "empty.csv"}, "empty.csv has no rows. Expected at least one"),
        ({"source": "films.txt"}, r"Got 'films\.txt'. Expected a file that ends in one of: \.csv, \.csv\.gz"),
        ({"source": "-"}, r"Got - \(stdin\), which can be read once.*Put it in a file"),
        ({"target": "-"}, r"Got - \(stdin\), which can be read once.*Put it in a file"),
        ({"source": ["-"]}, r"Got - \(stdin\), which can be read once.*Put it in a file"),
        ({"source": Path("-")}, r"Got - \(stdin\), which can be read once.*Put it in a file"),
    ],
    ids=str,
)
def test_wrong_options(files, temporary, options, message):
    write(files / "empty.csv", text=pa.array([], pa.string()), label=pa.array([], pa.string()))
    options = {"source": "films.csv", "target": "pans.csv"} | options
    paths = [options.pop(name) for name in ("source", "target")]
    paths = [files / path if isinstance(path, str) and path != "-" else path for path in paths]
    pipeline = make_transfer_pipeline(WordEmbedder(), CORAL(), RidgeClassifier())
    with pytest.raises((ValueError, OSError), match=message):
        fit_files(pipeline, *paths, **options)
    assert list(temporary.iterdir()) == []


def test_a_target_that_no_step_takes(files):
    with pytest.raises(ValueError, match="Got a target, but no step of the pipeline takes it"):
        fit_files(
            make_transfer_pipeline(WordEmbedder(), RidgeClassifier()), files / "films.csv", files / "pans.csv"
        )


def test_too_much_for_the_memory_map(files, temporary):
    pipeline = make_transfer_pipeline(WordEmbedder(), CORAL(), LogisticRegression())
    n_bytes = len(load_demo_reviews("films").data) * 50 * 4
    with pytest.raises(ValueError, match=rf"{n_bytes:,} bytes, more than .* SGDClassifier"):
        fit_files(pipeline, files / "films.csv", max_memory=n_bytes - 1)
    assert list(temporary.iterdir()) == []
    fit_files(pipeline, files / "films.csv", max_memory=n_bytes)


@pytest.mark.parametrize("stopped_at", ["Embedding the source", "Fitting coral", "Fitting sgdclassifier"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interruption_leaves_no_file_and_the_pipeline_as_it_was(files, temporary, stopped_at, error):
    pipeline = make_transfer_pipeline(WordEmbedder(), CORAL(), SGDClassifier())
    before, seen = list(pipeline.steps), []

    def progress(rows, _, what):
        seen.append(len(list(temporary.rglob("*"))))
        if what == stopped_at and rows >= 100:
            raise error("stop")

    with pytest.raises(error, match="stop"):
        fit_files(pipeline, files / "films.csv", files / "pans.csv", batch_size=50, progress=progress)
    assert max(seen) > 1  # there were files
    assert list(temporary.iterdir()) == []
    assert pipeline.steps == before
    assert not hasattr(pipeline[1], "source_map_")


def test_a_damaged_file_leaves_no_file(tmp_path, temporary):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "good", "label": "a"}\n' * 50_000 + '{"text": \n')
    with pytest.raises(ValueError, match=r"in\.jsonl"):
        fit_files(make_transfer_pipeline(WordEmbedder(), RidgeClassifier()), path, batch_size=1_000)
    assert list(temporary.iterdir()) == []


# memory

MEASURE = """
import resource, sys
from embtransfer import CORAL, WordEmbedder, fit_files, make_classifier, make_transfer_pipeline
pipeline = make_transfer_pipeline(WordEmbedder(pooling="idf"), CORAL(), make_classifier("ridge"))
for path in sys.argv[1:]:
    fit_files(pipeline, path, path)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_stays_that_of_a_batch(tmp_path):
    texts = [
        f"{a} {b} pan"
        for a in ("good", "bad", "fine", "poor")
        for b in ("small", "large", "old", "new", "red")
    ]
    columns = {"text": texts * 1000, "label": (["a"] * 7 + ["b"] * 13) * 1000}
    batch = pa.RecordBatch.from_pydict(columns)
    for name, times in (("short", 1), ("long", 10)):
        with pq.ParquetWriter(tmp_path / f"{name}.parquet", batch.schema) as file:
            for _ in range(times):
                file.write_batch(batch)
    paths = [str(tmp_path / f"{name}.parquet") for name in ("short", "long")]
    run = subprocess.run([sys.executable, "-c", MEASURE, *paths], capture_output=True, text=True, check=True)
    of_short, of_long = map(int, run.stdout.split())
    unit = 1 if sys.platform == "darwin" else 1024
    # the rows of the long file have 40 MB, its texts 3 MB
    assert (of_long - of_short) * unit < 20e6


# the command line


def succeed(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize(("suffix", "classifier"), [(".csv", "ridge"), (".parquet", "logistic")])
def test_fit_stream(demo, files, tmp_path, suffix, classifier):
    words = ["fit", "--source", files / f"films{suffix}", "--target", files / f"pans{suffix}"]
    words += ["--adapter", "coral", "--classifier", classifier]
    result = succeed(*words, "-o", tmp_path / "streamed", "--stream")
    n, m = len(demo[0]), len(demo[2])
    assert f"Fitted on {n:,} source texts and {m:,} target texts without labels. Saved to" in result.stderr
    succeed(*words, "-o", tmp_path / "whole")
    models = [load_pipeline(tmp_path / name) for name in ("streamed", "whole")]
    scores = [model.decision_function(demo[2]) for model in models]
    np.testing.assert_allclose(*scores, atol=0.01 * np.abs(scores[1]).max())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--recipe", "words"],
            "Got --stream with --dataset, --recipe or --target-shares, which take all texts at once",
        ),
        (
            ["--dataset", "demo"],
            "Got --stream with --dataset, --recipe or --target-shares, which take all texts at once",
        ),
        (["--adapter", "tca"], "The step 'tca', TCA, learns from all rows at once"),
        (["--embedder", "ngrams"], "The step 'ngramvectorizer', NGramVectorizer, learns from all rows"),
        (
            ["--classifier", "self_training"],
            "The step 'selftrainingclassifier', SelfTrainingClassifier, learns",
        ),
        (
            ["--label-column", "stars"],
            "Got label_column (--label-column) 'stars', but films.csv has columns",
        ),
    ],
    ids=str,
)
def test_fit_stream_errors(files, tmp_path, options, message):
    words = ["fit", "--source", files / "films.csv", "-o", tmp_path / "model", "--stream", *options]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 2
    assert f"Error: {message}" in result.stderr
    assert not (tmp_path / "model").exists()
