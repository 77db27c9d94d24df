"""Diagnostics: each formula spelled out in float64, p-values without and with a shift, words by hand."""

from collections import Counter
from itertools import product

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.spatial.distance import pdist
from scipy.stats import kstest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from embtransfer import covariance_distance, domain_shift, mmd, proxy_a_distance, word_shift
from embtransfer.datasets import load_demo_reviews
from embtransfer.diagnostics import _distances

ROW_FUNCTIONS = [proxy_a_distance, mmd, covariance_distance, domain_shift]
every_function = pytest.mark.parametrize("function", ROW_FUNCTIONS, ids=lambda part: part.__name__)


def make_domains(n_source=60, n_target=45, n_features=4, shift=0.7, seed=0):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(n_target, n_features)) @ rng.normal(size=(n_features, n_features))
    return rng.normal(size=(n_source, n_features)), target + shift


def make_sparse(n_source=80, n_target=50, n_features=30):
    domains = make_domains(n_source, n_target, n_features)
    return [sp.csr_matrix(np.where(np.abs(X) > 1, X, 0)) for X in domains]


def test_proxy_a_distance_formula():
    source, target = make_domains()
    X = np.vstack([source, target])
    X = (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0).sum())
    y = np.repeat([0, 1], [60, 45])
    wrong = np.zeros(len(y))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=3).split(X, y):
        classifier = LogisticRegression(C=10, class_weight="balanced", max_iter=1000).fit(X[train], y[train])
        wrong[test] = classifier.predict(X[test]) != y[test]
    error = (wrong[:60].mean() + wrong[60:].mean()) / 2
    assert 0.05 < error < 0.45
    assert proxy_a_distance(source, target, random_state=3) == pytest.approx(2 * (1 - 2 * error))


def test_proxy_a_distance_from_nothing_to_all():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 5))
    assert proxy_a_distance(X[:500], X[500:]) < 0.15
    assert proxy_a_distance(X[:500], X[500:] + 20) == 2
    assert proxy_a_distance(X, X) < 0.1
    assert proxy_a_distance(np.ones((9, 2)), np.ones((7, 2))) == 0


def test_proxy_a_distance_is_not_misled_by_unequal_sizes():
    # a classifier that always says "source" is right on 98 % of the rows
    source, target = make_domains(5000, 100, shift=0)
    assert proxy_a_distance(source, np.random.default_rng(9).normal(size=(100, 4))) < 0.3
    few, many = (proxy_a_distance(source[:n], target + 1) for n in (100, 5000))
    assert few == pytest.approx(many, abs=0.25)


@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_proxy_a_distance_has_no_unit(unit):
    source, target = make_domains()
    assert proxy_a_distance(source * unit, target * unit) == proxy_a_distance(source, target)


def naive_mmd(source, target, kernel):
    n, m = len(source), len(target)
    within = [
        sum(kernel(X[i], X[j]) for i, j in product(range(len(X)), repeat=2) if i != j) / len(X) / (len(X) - 1)
        for X in (source, target)
    ]
    return sum(within) - 2 * sum(kernel(x, y) for x, y in product(source, target)) / n / m


@pytest.mark.parametrize("gamma", [None, 0.05, 2])
def test_mmd_formula(gamma):
    source, target = make_domains(25, 18)
    result = mmd(source, target, gamma=gamma, n_permutations=5)
    if gamma is None:
        gamma = 1 / (2 * np.median(pdist(np.vstack([source, target])) ** 2))
    expected = naive_mmd(source, target, lambda x, y: np.exp(-gamma * np.sum((x - y) ** 2)))
    assert result.gamma == pytest.approx(gamma, rel=1e-12)
    assert result.squared_mmd == pytest.approx(expected, abs=1e-12)


def test_linear_mmd_formula():
    source, target = make_domains(25, 18)
    result = mmd(source, target, kernel="linear")
    assert result.squared_mmd == pytest.approx(naive_mmd(source, target, np.dot), abs=1e-12)
    assert result.gamma is None


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
def test_linear_mmd_sees_the_same_wherever_the_rows_lie(container):
    source, target = make_domains(60, 60, shift=0.4)
    expected = mmd(source, target, kernel="linear")
    assert expected.p_value < 0.01
    far = mmd(container(source + 1e5), container(target + 1e5), kernel="linear")
    assert far.squared_mmd == pytest.approx(expected.squared_mmd, rel=1e-3)
    single = [container((rows + 1e5).astype(np.float32)) for rows in (source, target)]
    # rows that float32 holds to 0.008 there count as copies where they are nearer than rounding may move them
    assert mmd(*single, kernel="linear").p_value < 0.05


def test_p_value_counts_relabellings_one_by_one():
    source, target = make_domains(12, 9, shift=0.3)
    n_permutations = 300
    result = mmd(source, target, n_permutations=n_permutations)
    X, rng, reached = np.vstack([source, target]), np.random.default_rng(7), 0
    for _ in range(n_permutations):
        order = rng.permutation(21)
        value = mmd(X[order[:12]], X[order[12:]], gamma=result.gamma, n_permutations=1).squared_mmd
        reached += value >= result.squared_mmd
    assert 0.02 < result.p_value < 0.9
    assert result.p_value == pytest.approx((1 + reached) / 301, abs=0.09)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_p_values_are_uniform_without_shift(kernel):
    rng = np.random.default_rng(0)
    values = [
        mmd(rng.normal(size=(20, 3)), rng.normal(size=(30, 3)), kernel=kernel, n_permutations=99).p_value
        for _ in range(300)
    ]
    assert kstest(np.array(values) - 0.005, "uniform").pvalue > 0.01
    assert np.mean(np.array(values) <= 0.05) < 0.09


def test_power_with_shift():
    rng = np.random.default_rng(0)
    draws = [(rng.normal(size=(60, 3)), rng.normal(size=(60, 3))) for _ in range(40)]
    moved = [mmd(x, y + 0.6, n_permutations=99).p_value for x, y in draws]
    wider = [mmd(x, 2 * y, n_permutations=99).p_value for x, y in draws]
    blind = [mmd(x, 2 * y, kernel="linear", n_permutations=99).p_value for x, y in draws]
    assert np.mean(np.array(moved) <= 0.05) > 0.9
    assert np.mean(np.array(wider) <= 0.05) > 0.9
    assert np.mean(np.array(blind) <= 0.05) < 0.3


def test_mmd_of_equal_rows():
    result = mmd(np.full((8, 2), 0.1), np.full((9, 2), 0.1))
    assert result == (pytest.approx(0, abs=1e-12), 1, 0.5)


def test_mmd_draws_rows_where_there_are_many():
    source, target = make_domains(1500, 1200)
    drawn, everything = (mmd(source, target, max_rows=n, gamma=0.1) for n in (400, 1500))
    assert drawn.squared_mmd != everything.squared_mmd
    assert drawn.squared_mmd == pytest.approx(everything.squared_mmd, rel=0.3)
    assert drawn == mmd(source, target, max_rows=400, gamma=0.1)
    assert drawn != mmd(source, target, max_rows=400, gamma=0.1, random_state=1)


def test_median_heuristic_where_most_rows_are_equal():
    X = np.zeros((20, 2))
    X[0] = 3
    assert mmd(X, np.zeros((20, 2))).gamma == pytest.approx(1 / (2 * 39 * 18 / (40 * 39 / 2)))


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("sizes", [(60, 45), (5000, 7)])
def test_covariance_distance_formula(sizes, relative):
    source, target = make_domains(*sizes)
    of_source, of_target = np.cov(source.T), np.cov(target.T)
    size = np.sum(of_source**2) + np.sum(of_target**2) if relative else 4 * 4**2
    expected = np.sum((of_source - of_target) ** 2) / size
    assert covariance_distance(source, target, relative=relative) == pytest.approx(expected, rel=1e-10)


def test_covariance_distance_is_between_nothing_and_one():
    source = np.random.default_rng(0).normal(size=(50, 4)) * [1, 1, 0, 0]
    assert covariance_distance(source, source + 5, relative=True) == pytest.approx(0, abs=1e-20)
    assert covariance_distance(source, source[:, ::-1], relative=True) == pytest.approx(1)
    assert covariance_distance(np.ones((3, 2)), np.ones((4, 2)), relative=True) == 0


def test_covariances_of_sparse_rows_come_in_blocks():
    domains = [sp.random(300, 1300, density=0.01, format="csr", random_state=seed) for seed in (0, 1)]
    dense = [X.toarray() for X in domains]
    for relative in (False, True):
        ours = covariance_distance(*domains, relative=relative)
        assert ours == pytest.approx(covariance_distance(*dense, relative=relative), rel=1e-10)


@pytest.mark.parametrize("relative", [True, False])
def test_covariances_of_wide_sparse_rows(relative):
    source, target = make_sparse(n_source=40, n_target=30, n_features=200)
    dense = covariance_distance(source.toarray(), target.toarray(), relative=relative)
    assert covariance_distance(source, target, relative=relative) == pytest.approx(dense, rel=1e-9)
    assert covariance_distance(source, source, relative=True) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("relative", [True, False])
def test_covariances_of_many_wide_sparse_rows(relative, monkeypatch):
    monkeypatch.setattr(_distances, "_inner", None)  # rows by rows: more products than pairs of columns
    monkeypatch.setattr(_distances, "_ENTRIES", 40_000)  # in several blocks
    domains = [sp.random(400, 900, density=0.01, format="csr", random_state=seed) for seed in (0, 1)]
    domains[1] = domains[1][:350] * 2
    dense = covariance_distance(*(X.toarray() for X in domains), relative=relative)
    assert covariance_distance(*domains, relative=relative) == pytest.approx(dense, rel=1e-9)
    assert covariance_distance(domains[0], domains[0][::-1], relative=relative) == pytest.approx(0, abs=1e-12)
    single = covariance_distance(*(X.astype(np.float32) for X in domains), relative=relative)
    assert single == pytest.approx(dense, rel=1e-5)


@pytest.mark.parametrize("n_features", [50, 700])
@pytest.mark.parametrize("which", [0, 1])
def test_covariances_where_one_domain_is_sparse(n_features, which):
    domains = make_sparse(n_source=40, n_target=30, n_features=n_features)
    expected = covariance_distance(*(X.toarray() for X in domains))
    domains[which] = domains[which].toarray()
    assert covariance_distance(*domains) == pytest.approx(expected, rel=1e-9)


@every_function
def test_sparse_rows_are_as_dense_ones(function):
    domains = make_sparse()
    tolerance = 0.15 if function in (proxy_a_distance, domain_shift) else 1e-9  # sparse rows are not centred
    expected = np.array(function(*(X.toarray() for X in domains)), float)
    for some in (domains, [domains[0], domains[1].toarray()]):
        np.testing.assert_allclose(np.array(function(*some), float), expected, rtol=0, atol=tolerance)


@every_function
def test_float32_is_as_float64(function):
    domains = make_domains()
    single = np.array(function(*(X.astype(np.float32) for X in domains)), float)
    np.testing.assert_allclose(single, np.array(function(*domains), float), rtol=1e-4, atol=1e-6)


@every_function
def test_rows_are_left_alone(function):
    for domains in (make_domains(), make_sparse()):
        copies = [X.copy() for X in domains]
        function(*domains)
        for X, copy in zip(domains, copies, strict=True):
            assert abs(X - copy).max() == 0


@every_function
def test_bad_rows(function):
    source, target = make_domains()
    with pytest.raises(ValueError, match="X_source has 4 features, but X_target has 3"):
        function(source, target[:, :3])
    with pytest.raises(ValueError, match=r"X_target has n_samples=1, .* Give more rows"):
        function(source, target[:1])
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        function(source[:, 0], target)
    with pytest.raises(TypeError, match=r"Got texts as X_target\. Expected vectors"):
        function(source, ["a good pan", "a bad pan"])
    target[3, 1] = np.nan
    with pytest.raises(ValueError, match="Input X_target contains NaN"):
        function(source, target)


@every_function
def test_two_rows_are_enough(function):
    source, target = make_domains(2, 2, 6)
    assert np.isfinite(np.array(function(source, target), float)).all()


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (proxy_a_distance, {"cv": 1}, "Got cv=1. Expected at least 2 folds"),
        (mmd, {"kernel": "cosine"}, "Got kernel 'cosine'. Expected one of: rbf, linear"),
        (mmd, {"gamma": 0}, "Got gamma=0. Expected a number above 0, or None"),
        (mmd, {"n_permutations": 0}, "Got n_permutations=0 and max_rows=1000. Expected at least 1 and 2"),
        (mmd, {"max_rows": 1}, "Got n_permutations=200 and max_rows=1. Expected at least 1 and 2"),
    ],
)
def test_bad_parameters(function, options, message):
    with pytest.raises(ValueError, match=message):
        function(*make_domains(), **options)


def test_domain_shift_is_all_of_them():
    source, target = make_domains()
    shift = domain_shift(source, target, random_state=2)
    assert shift.to_dict() == {
        "proxy_a_distance": proxy_a_distance(source, target, random_state=2),
        "squared_mmd": mmd(source, target, random_state=2).squared_mmd,
        "mmd_p_value": mmd(source, target, random_state=2).p_value,
        "coral_loss": covariance_distance(source, target),
        "covariance_distance": covariance_distance(source, target, relative=True),
    }
    assert shift.dtype == np.float64


def test_domains_of_tfidf_rows():
    texts = [load_demo_reviews(domain).data for domain in ("films", "kitchenware")]
    vectorizer = TfidfVectorizer().fit(texts[0] + texts[1])
    across = domain_shift(*(vectorizer.transform(part) for part in texts))
    within = domain_shift(*(vectorizer.transform(texts[0][start::2]) for start in (0, 1)))
    assert across["proxy_a_distance"] > 1 > 0.6 > within["proxy_a_distance"]
    assert across["mmd_p_value"] < 0.01 < within["mmd_p_value"]


def test_word_shift_formula():
    source, target = ["the cat sat", "the cat ate", "dogs"], ["the dogs dogs ran the the the"]
    table = word_shift(source, target, top=None, prior_words=7).set_index("word")
    counts = [Counter(word for text in texts for word in text.split()) for texts in (source, target)]
    total = [sum(part.values()) for part in counts]
    assert set(table.index) == set(counts[0] | counts[1])
    for word, row in table.iterrows():
        y = [part[word] for part in counts]
        a = 7 * sum(y) / sum(total)
        odds = [(y[i] + a) / (total[i] + 7 - y[i] - a) for i in (0, 1)]
        assert (row["source_count"], row["target_count"]) == tuple(y)
        assert row["source_rate"] == pytest.approx(y[0] / total[0])
        assert row["target_rate"] == pytest.approx(y[1] / total[1])
        assert row["log_odds"] == pytest.approx(np.log(odds[1] / odds[0]))
        z = np.log(odds[1] / odds[0]) / np.sqrt(1 / (y[0] + a) + 1 / (y[1] + a))
        assert row["z"] == pytest.approx(z)
    assert table["z"].is_monotonic_decreasing
    assert list(table.columns) == [
        "source_count",
        "target_count",
        "source_rate",
        "target_rate",
        "log_odds",
        "z",
    ]


def test_word_shift_is_symmetric():
    texts = [load_demo_reviews(domain).data for domain in ("films", "kitchenware")]
    there, back = (word_shift(*pair, top=None).set_index("word") for pair in (texts, texts[::-1]))
    np.testing.assert_allclose(there["z"], -back["z"][there.index], atol=1e-12)


def test_rare_words_are_kept_from_the_top():
    source = ["common " * 500 + "film " * 40]
    target = ["common " * 500 + "pan " * 40 + "once"]
    table = word_shift(source, target, top=1)
    assert list(table["word"]) == ["pan", "film"]
    everything = word_shift(source, target, top=None).set_index("word")
    assert everything["log_odds"]["once"] > 1  # but one word is no evidence
    assert everything["z"]["once"] < 1


def test_top_words_of_each_domain():
    texts = [load_demo_reviews(domain).data for domain in ("films", "kitchenware")]
    everything, top = word_shift(*texts, top=None), word_shift(*texts, top=4)
    expected = pd.concat([everything.head(4), everything.tail(4)], ignore_index=True)
    pd.testing.assert_frame_equal(top, expected)
    assert len(word_shift(["a1 b1"], ["b1 c1"], top=2)) == 3


def test_word_shift_with_another_vectorizer():
    vectorizer = CountVectorizer(ngram_range=(2, 2))
    assert set(word_shift(["a very good film"], ["a very good pan"], vectorizer=vectorizer)["word"]) == {
        "very good",
        "good film",
        "good pan",
    }
    assert not hasattr(vectorizer, "vocabulary_")


def test_texts_of_word_shift():
    expected = word_shift(["good film", ""], ["bad pan"])
    pd.testing.assert_frame_equal(word_shift(pd.Series(["good film", None]), np.array(["bad pan"])), expected)
    assert (word_shift(["good film"], [])["target_count"] == 0).all()
    with pytest.raises(TypeError, match="Got a single str"):
        word_shift("good film", ["bad pan"])
    with pytest.raises(TypeError, match=r"Got 3 \(int\) as text 1"):
        word_shift(["good film"], ["bad", 3])
    with pytest.raises(ValueError, match="Got texts with one word, 'good', again and again"):
        word_shift(["good"], ["good good"])
    with pytest.raises(ValueError, match="empty vocabulary"):
        word_shift([""], [])
    with pytest.raises(ValueError, match=r"Got top=0\. Expected a number of words above 0, or None"):
        word_shift(["good film"], ["bad pan"], top=0)
    with pytest.raises(ValueError, match=r"Got prior_words=0\. Expected a number above 0"):
        word_shift(["good film"], ["bad pan"], prior_words=0)


def test_more_sparse_rows_than_columns_need_no_whole_covariances(monkeypatch):
    rng = np.random.default_rng(0)
    n, d, k = 900, 800, 4
    domains = [
        sp.csr_matrix((rng.random(n * k), (np.repeat(np.arange(n), k), rng.integers(0, d, n * k))), (n, d))
        for _ in range(2)
    ]
    dense = covariance_distance(*(X.toarray() for X in domains), relative=True)
    monkeypatch.setattr("embtransfer.diagnostics._distances._covariances", None)  # would fail
    assert covariance_distance(*domains, relative=True) == pytest.approx(dense, rel=1e-9)


class TestRowsThatAreRepeated:
    @staticmethod
    def equal_domains(seed, n, d):
        return np.random.default_rng(seed).normal(size=(2, n, d))

    @pytest.mark.parametrize("share", [0.1, 1])
    def test_mmd_rejects_no_more_often_than_it_says(self, share):
        p_values = []
        for seed in range(100):
            domains = [np.vstack([X, X[: round(share * 40)]]) for X in self.equal_domains(seed, 40, 5)]
            p_values.append(mmd(*domains, n_permutations=60).p_value)
        assert np.mean(np.array(p_values) <= 0.05) < 0.12  # 3 standard errors above 0.05

    @pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
    def test_mmd_of_all_rows_doubled_is_that_of_the_rows(self, container):
        X, Y = self.equal_domains(0, 40, 5)
        plain, doubled = mmd(X, Y), mmd(*(container(np.vstack([part, part])) for part in (X, Y)))
        assert doubled.squared_mmd == pytest.approx(plain.squared_mmd, abs=1e-12)
        assert (doubled.gamma, doubled.p_value) == pytest.approx((plain.gamma, plain.p_value))

    def test_mmd_of_some_rows_doubled_counts_no_row_against_itself(self):
        X, Y = self.equal_domains(1, 20, 3)
        X = np.vstack([X, X[:7]])
        result = mmd(X, Y, kernel="linear")
        mean = np.vstack([X[:20], Y]).mean(axis=0)
        X, Y = X - mean, Y - mean
        own, across = X @ X.T, X @ Y.T
        apart = (X[:, None] != X[None]).any(axis=2)
        target = (Y @ Y.T)[~np.eye(20, dtype=bool)].mean()
        assert result.squared_mmd == pytest.approx(own[apart].mean() + target - 2 * across.mean())

    def test_proxy_a_distance_of_equal_domains_stays_near_0(self):
        found = {1: [], 2: []}
        for seed in range(5):
            for times, values in found.items():
                X, Y = self.equal_domains(seed, 200, 50)
                values.append(proxy_a_distance(np.tile(X, (times, 1)), np.tile(Y, (times, 1))))
        assert np.mean(found[2]) < np.mean(found[1]) + 0.05  # 0.28 with copies in other folds

    def test_proxy_a_distance_of_one_row_again_and_again(self):
        assert proxy_a_distance(np.zeros((10, 2)), np.ones((10, 2))) == 2
