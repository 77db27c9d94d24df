"""WordEmbedder: what it takes and refuses, its formulas, and scikit-learn's contract."""

import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils import estimator_checks
from sklearn.utils.fixes import parse_version

from embtransfer import WordEmbedder, WordVectors

WORDS = ["good", "bad", "film", "pan", "the", "οδος", "éclair", "x"]
MATRIX = np.random.default_rng(0).normal(size=(len(WORDS), 6)).astype(np.float32)
VECTORS = WordVectors(WORDS, MATRIX)
TEXTS = [
    "The good film",
    "A BAD film, the bad éclair!",
    "",
    "the pan the pan the Pan",
    "nothing known",
    "ΟΔΟΣ good good good",
]
KNOWN = [[4, 0, 2], [1, 2, 4, 1, 6], [], [4, 3, 4, 3, 4, 3], [], [5, 0, 0, 0]]
NOT_A_SEQUENCE = "Expected a 1-D sequence of str"


@pytest.fixture
def embedder():
    return WordEmbedder(VECTORS).fit(TEXTS)


# ---------------------------------------------------------------- containers
FULL = {
    "tuple": tuple,
    "str array": np.array,
    "object array": lambda texts: np.array(texts, object),
    "StringDType array": lambda texts: np.array(texts, np.dtypes.StringDType()),
    "strided array": lambda texts: np.repeat(np.array(texts, object), 2)[::2],
    "read-only array": lambda texts: np.frombuffer(np.array(texts).tobytes(), np.array(texts).dtype),
    "list of np.str_": lambda texts: list(np.array(texts)),
    "Index": pd.Index,
}
NULLABLE = {
    "list": list,
    "object array": lambda texts: np.array(texts, object),
    "object Series": lambda texts: pd.Series(texts, dtype=object),
    "str Series": lambda texts: pd.Series(texts, dtype="str"),
    "string[python] Series": lambda texts: pd.Series(texts, dtype="string[python]"),
    "string[pyarrow] Series": lambda texts: pd.Series(texts, dtype="string[pyarrow]"),
    "ArrowDtype Series": lambda texts: pd.Series(texts, dtype=pd.ArrowDtype(pa.string())),
    "category Series": lambda texts: pd.Series(texts, dtype="category"),
    "shuffled index": lambda texts: pd.Series(texts, index=[5, 3, 3, 0, -1, 9], dtype=object),
    "Categorical": pd.Categorical,
    "string": lambda texts: pa.array(texts, pa.string()),
    "large_string": lambda texts: pa.array(texts, pa.large_string()),
    "string_view": lambda texts: pa.array(texts, pa.string_view()),
    "dictionary": lambda texts: pa.array(texts).dictionary_encode(),
    "one chunk": lambda texts: pa.chunked_array([texts]),
    "chunks": lambda texts: pa.chunked_array([texts[:2], [], texts[2:]], pa.string()),
    "dictionary chunks": lambda texts: pa.chunked_array([texts[:2], texts[2:]]).dictionary_encode(),
    "polars": pl.Series,
    "polars categorical": lambda texts: pl.Series(texts, dtype=pl.Categorical),
}


@pytest.mark.parametrize("container", FULL)
def test_containers(embedder, container):
    assert_array_equal(embedder.transform(FULL[container](TEXTS)), embedder.transform(TEXTS))


@pytest.mark.parametrize("container", NULLABLE)
@pytest.mark.parametrize("pooling", ["mean", "idf", "sif"])
def test_missing_is_empty(container, pooling):
    texts = NULLABLE[container]([text or None for text in TEXTS])
    expected = WordEmbedder(VECTORS, pooling=pooling).fit_transform(TEXTS)
    assert_array_equal(WordEmbedder(VECTORS, pooling=pooling).fit_transform(texts), expected)


@pytest.mark.parametrize("missing", [None, np.nan, float("nan"), np.float32("nan"), pd.NA, pd.NaT], ids=repr)
@pytest.mark.parametrize("container", [list, NULLABLE["object array"], NULLABLE["object Series"]])
def test_missing_values(embedder, container, missing):
    got = embedder.transform(container([missing, "good", missing]))
    assert_array_equal(got, [np.zeros(6), MATRIX[0], np.zeros(6)])
    assert embedder.n_zero_rows_ == 2


@pytest.mark.parametrize(
    "nothing", [[None], pa.nulls(1), pl.Series([None]), pd.Series([None], dtype="string")]
)
def test_only_missing(embedder, nothing):
    assert_array_equal(embedder.transform(nothing), np.zeros((1, 6)))


@pytest.mark.parametrize(
    "empty",
    [
        [],
        (),
        np.array([], object),
        np.array([], str),
        pd.Series([], dtype=object),
        pd.Series([], dtype="str"),
        pa.array([], pa.string()),
        pa.chunked_array([], pa.string()),
        pa.chunked_array([], pa.dictionary(pa.int32(), pa.string())),
        pl.Series([], dtype=pl.String),
    ],
    ids=lambda empty: type(empty).__name__,
)
def test_no_texts(embedder, empty):
    got = embedder.transform(empty)
    assert got.shape == (0, 6)
    assert got.dtype == np.float32
    with pytest.raises(ValueError, match="at least one text to fit on"):
        embedder.fit(empty)


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ("good film", TypeError, r"single str.*pass \[text\]"),
        (b"good", TypeError, "single bytes"),
        (["good", b"film"], TypeError, r"b'film' \(bytes\) as text 1"),
        (["good"] * 5000 + [7], TypeError, r"7 \(int\) as text 5000"),
        ([1.5, "good"], TypeError, r"1.5 \(float\) as text 0"),
        ([np.nan, float("inf")], TypeError, r"inf \(float\) as text 1"),
        ([["good"]], TypeError, r"\(list\) as text 0"),
        (np.array(["good", 3], object), TypeError, r"3 \(int\) as text 1"),
        (pd.Series(["good", 3]), TypeError, r"3 \(int\) as text 1"),
        (pd.Series([3], dtype="category"), TypeError, r"3 \(int\) as text 0"),
        (np.arange(3), TypeError, "array of int64"),
        (np.array([b"good"]), TypeError, r"array of \|S4"),
        (pd.Series([1, 2]), TypeError, "int64"),
        (pa.array([1, 2]), TypeError, "column of int64"),
        (pa.array([b"good"]), TypeError, "column of binary"),
        (pa.array([1]).dictionary_encode(), TypeError, "column of dictionary"),
        (pl.Series([1]), TypeError, "column of int64"),
        (np.array([["good"]]), ValueError, r"shape \(1, 1\).*one dimension"),
        (np.array("good"), ValueError, r"shape \(\)"),
        (pd.DataFrame({"text": ["good"]}), ValueError, r"DataFrame of shape.*df\['text'\]"),
        (pl.DataFrame({"text": ["good"]}), ValueError, "polars DataFrame.*one column"),
        (pl.LazyFrame({"text": ["good"]}), ValueError, "polars LazyFrame"),
        (pa.table({"text": ["good"]}), ValueError, "Table of shape.*one column"),
        ({"text": "good"}, TypeError, "Got dict"),
        ({"good"}, TypeError, "Got set"),
        ((text for text in ["good"]), TypeError, "Got generator"),
        (None, TypeError, "Got NoneType"),
        (3, TypeError, "Got int"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, type | str) else "",
)
def test_refused(embedder, texts, error, message):
    with pytest.raises(error, match=message) as raised:
        embedder.transform(texts)
    assert NOT_A_SEQUENCE in str(raised.value)
    with pytest.raises(error, match=message):
        embedder.fit_transform(texts)


@pytest.mark.parametrize("pooling", ["mean", "idf", "sif"])
def test_input_and_table_stay_as_they_are(pooling):
    texts = np.array([*TEXTS, None], object)
    before, matrix = texts.copy(), MATRIX.copy()
    WordEmbedder(VECTORS, pooling=pooling).fit_transform(texts)
    assert_array_equal(texts, before)
    assert_array_equal(VECTORS.matrix, matrix)


# ---------------------------------------------------------------- formulas
def pooled(weights=None, by_weight=False):
    rows = np.zeros((len(TEXTS), MATRIX.shape[1]))
    weights = np.ones(len(WORDS)) if weights is None else weights.astype(np.float64)
    for row, ids in zip(rows, KNOWN, strict=True):
        for word in ids:
            row += weights[word] * MATRIX[word]
        row /= (weights[ids].sum() if by_weight else len(ids)) or 1
    return rows


def test_mean():
    got = WordEmbedder(VECTORS).fit(["unlike the texts"]).transform(TEXTS)
    assert got.dtype == np.float32
    assert_allclose(got, pooled(), atol=1e-6)


def test_idf():
    embedder = WordEmbedder(VECTORS, pooling="idf")
    got = embedder.fit_transform(TEXTS)
    df = np.array([sum(word in ids for ids in KNOWN) for word in range(len(WORDS))])
    weights = np.log((1 + len(TEXTS)) / (1 + df)) + 1
    assert_allclose(embedder.weights_, weights, rtol=1e-6)
    assert_allclose(got, pooled(weights, by_weight=True), atol=1e-6)


def test_idf_as_scikit_learn():
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice([*WORDS, "unknown"], 4)) for _ in range(3000)]
    embedder = WordEmbedder(VECTORS, pooling="idf").fit(texts)
    tfidf = TfidfVectorizer().fit(texts)
    known = [word for word in WORDS if word in tfidf.vocabulary_]
    assert len(known) == len(WORDS) - 1
    expected = tfidf.idf_[[tfidf.vocabulary_[word] for word in known]]
    assert_allclose(embedder.weights_[[WORDS.index(word) for word in known]], expected, rtol=1e-6)


@pytest.mark.parametrize("a", [1e-4, 1e-3, 0.5])
def test_sif(a):
    embedder = WordEmbedder(VECTORS, pooling="sif", sif_a=a)
    got = embedder.fit_transform(TEXTS)
    counts = np.bincount(np.concatenate(KNOWN).astype(int), minlength=len(WORDS))
    weights = a / (a + counts / counts.sum())
    before = pooled(weights)
    component = np.linalg.svd(before, full_matrices=False)[2][0]
    assert_allclose(embedder.weights_, weights, rtol=1e-6)
    assert_allclose(
        embedder.components_[0] * np.sign(embedder.components_[0] @ component), component, atol=1e-5
    )
    assert_allclose(got, before - np.outer(before @ component, component), atol=1e-5)


def test_sif_component_comes_from_fit():
    embedder = WordEmbedder(VECTORS, pooling="sif").fit(TEXTS)
    component = embedder.components_[0].copy()
    got = embedder.transform(TEXTS[:1])
    assert_array_equal(embedder.components_[0], component)
    assert_allclose(got, embedder.transform(TEXTS)[:1], atol=1e-7)
    assert_allclose(got @ component, 0, atol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "idf", "sif"])
def test_zero_rows(pooling):
    embedder = WordEmbedder(VECTORS, pooling=pooling).fit(TEXTS)
    assert embedder.n_zero_rows_ == 0
    got = embedder.transform(TEXTS)
    assert embedder.n_zero_rows_ == 2
    assert_array_equal(np.flatnonzero(~got.any(axis=1)), [2, 4])
    embedder.transform(["good"])
    assert embedder.n_zero_rows_ == 0


@pytest.mark.parametrize("pooling", ["idf", "sif"])
def test_fit_without_a_known_word(pooling):
    embedder = WordEmbedder(VECTORS, pooling=pooling).fit(["", "nothing known"])
    assert_array_equal(embedder.transform(["", "unknown"]), np.zeros((2, 6)))
    assert_allclose(embedder.transform(["good"]), MATRIX[:1], rtol=1e-6)


def test_zero_vector_of_a_known_word():
    embedder = WordEmbedder(WordVectors(["zero", "one"], [[0, 0], [1, 1]])).fit(["text"])
    assert_array_equal(embedder.transform(["zero", "none", "zero one"]), [[0, 0], [0, 0], [0.5, 0.5]])
    assert embedder.n_zero_rows_ == 1


# ---------------------------------------------------------------- tokens
@pytest.mark.parametrize(
    "pattern",
    [r"(?u)\b\w\w+\b", r"\b\w\w+\b", r"\w\w+", r"\b(\w\w+)\b", r"(?:\w\w+)", re.compile(r"\w\w+").findall],
    ids=lambda pattern: pattern if isinstance(pattern, str) else "function",
)
def test_the_same_tokens(pattern):
    assert_array_equal(
        WordEmbedder(VECTORS, token_pattern=pattern).fit_transform([*TEXTS, "x good"]),
        WordEmbedder(VECTORS).fit_transform([*TEXTS, "x good"]),
    )


@pytest.mark.parametrize(
    ("pattern", "known"),
    [
        (r"\w+", [7, 0]),
        (r"(?u)\b\w+\b", [7, 0]),
        (r"\b\w+\b", [7, 0]),
        (r"(?u)\w+", [7, 0]),
        (r"#(\w+)", [0]),
        (str.split, [7]),
        (lambda text: ["pan", "none"], [3]),
        (lambda text: iter(["pan", "pan", "bad"]), [3, 3, 1]),
        (lambda text: [], []),
    ],
)
@pytest.mark.parametrize("pooling", ["mean", "idf"])
def test_other_tokens(pattern, known, pooling):
    got = WordEmbedder(VECTORS, token_pattern=pattern, pooling=pooling).fit_transform(["X #good"])
    expected = MATRIX[known].mean(axis=0) if known else np.zeros(6)
    assert_allclose(got[0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("(a)(b)", r"with 2 groups.*\(\?:"), ("(a", "unterminated subpattern"), ("*", "nothing to repeat")],
)
def test_bad_pattern(pattern, message):
    with pytest.raises(ValueError, match=message):
        WordEmbedder(VECTORS, token_pattern=pattern).fit(TEXTS)


@pytest.mark.parametrize("pattern", [r"\w\w+", r"(\w\w+)", str.split])
def test_lowercase(pattern):
    vectors = WordVectors(["Good", "good", "ΟΔΟΣ", "οδος"], np.eye(4))
    texts = ["Good", "GOOD", "good", "ΟΔΟΣ"]
    kept = WordEmbedder(vectors, token_pattern=pattern, lowercase=False).fit_transform(texts)
    lowered = WordEmbedder(vectors, token_pattern=pattern).fit_transform(texts)
    assert_array_equal(kept, np.eye(4)[[0, 0, 1, 2]] * [[1], [0], [1], [1]])
    assert_array_equal(lowered, np.eye(4)[[1, 1, 1, 3]])


# ---------------------------------------------------------------- parameters and scikit-learn
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"vectors": 3}, "'vectors' parameter"),
        ({"vectors": np.eye(2)}, "'vectors' parameter"),
        ({"pooling": "median"}, "'pooling' parameter.*Got 'median'"),
        ({"token_pattern": None}, "'token_pattern' parameter"),
        ({"lowercase": "yes"}, "'lowercase' parameter"),
        ({"sif_a": 0}, "'sif_a' parameter"),
        ({"sif_a": -1.0}, "'sif_a' parameter"),
        ({"n_jobs": 1.5}, "'n_jobs' parameter"),
    ],
    ids=str,
)
def test_invalid_parameters(params, message):
    embedder = WordEmbedder(**{"vectors": VECTORS, **params})
    with pytest.raises(ValueError, match=message):
        embedder.fit(TEXTS)


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1])
def test_n_jobs(embedder, n_jobs):
    assert_array_equal(
        WordEmbedder(VECTORS, n_jobs=n_jobs).fit_transform(TEXTS * 800), embedder.transform(TEXTS * 800)
    )


@pytest.mark.parametrize("as_type", [str, lambda path: path])
def test_vectors_from_a_path(tmp_path, as_type):
    path = tmp_path / "own vectors.txt"
    path.write_text("good 1 2\nbad 3 4\n")
    embedder = WordEmbedder(as_type(path))
    assert_array_equal(embedder.fit_transform(["Good bad"]), [[2, 3]])
    assert embedder.vectors_.name == "own vectors.txt"
    assert embedder.vectors == as_type(path)


def test_path_is_read_at_fit(tmp_path):
    embedder = WordEmbedder(tmp_path / "none.txt")
    with pytest.raises(FileNotFoundError, match=r"none\.txt"):
        embedder.fit(TEXTS)


def test_bundled_is_the_default():
    embedder = WordEmbedder().fit(["text"])
    assert embedder.vectors is None
    assert embedder.vectors_ is WordVectors.bundled()
    assert_array_equal(embedder.transform(["Good!"])[0], WordVectors.bundled()["good"])


def test_not_fitted():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        WordEmbedder(VECTORS).transform(TEXTS)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        WordEmbedder(VECTORS).get_feature_names_out()


def test_names_out(embedder):
    names = [f"wordembedder{i}" for i in range(6)]
    assert list(embedder.get_feature_names_out()) == names
    series = pd.Series(TEXTS, index=range(10, 16))
    frame = embedder.set_output(transform="pandas").transform(series)
    assert list(frame.columns) == names
    if parse_version(sklearn.__version__) >= parse_version("1.8"):  # before, it kept those of frames alone
        assert list(frame.index) == list(series.index)
    assert (frame.dtypes == np.float32).all()
    assert_array_equal(frame, WordEmbedder(VECTORS).fit(TEXTS).transform(TEXTS))
    assert embedder.set_output(transform="polars").transform(TEXTS).columns == names


def test_clone_shares_the_table(embedder):
    copy = clone(embedder)
    assert copy.vectors is VECTORS
    assert copy.get_params() == embedder.get_params()
    assert not hasattr(copy, "vectors_")


@pytest.mark.parametrize("pooling", ["mean", "idf", "sif"])
def test_pickle(pooling):
    embedder = WordEmbedder(VECTORS, pooling=pooling).fit(TEXTS)
    loaded = pickle.loads(pickle.dumps(embedder))
    assert loaded.vectors_.words == WORDS
    assert loaded.vectors is loaded.vectors_
    assert_array_equal(loaded.transform(TEXTS), embedder.transform(TEXTS))


@pytest.mark.parametrize("pooling", ["mean", "idf", "sif"])
def test_pickle_with_the_bundled_table_is_small(pooling):
    embedder = WordEmbedder(pooling=pooling).fit(TEXTS)
    small = pickle.dumps(embedder)
    loaded = pickle.loads(small)
    assert len(small) < 500_000
    assert len(pickle.dumps(loaded)) < 500_000
    assert np.shares_memory(loaded.vectors_.matrix, WordVectors.bundled().matrix)
    assert_array_equal(loaded.transform(TEXTS), embedder.transform(TEXTS))


def test_new_vectors_count_from_the_next_fit(embedder):
    before = embedder.transform(TEXTS)
    embedder.set_params(vectors=WordVectors(["good"], [[1.0, 2.0]]))
    assert_array_equal(embedder.transform(TEXTS), before)
    assert_array_equal(embedder.fit(TEXTS).transform(["good"]), [[1, 2]])


@pytest.mark.parametrize("later", ["mean", "idf", "sif"])
@pytest.mark.parametrize("pooling", ["mean", "idf", "sif"])
def test_new_pooling_counts_from_the_next_fit(pooling, later):
    embedder = WordEmbedder(VECTORS, pooling=pooling).fit(TEXTS)
    before = embedder.transform(TEXTS)
    assert_array_equal(embedder.set_params(pooling=later).transform(TEXTS), before)
    fresh = WordEmbedder(VECTORS, pooling=later).fit_transform(TEXTS)
    assert_array_equal(embedder.fit_transform(TEXTS), fresh)


def test_results_are_the_callers_own(embedder):
    first = embedder.transform(["good"])
    first[:] = 0
    assert_array_equal(embedder.transform(["good"]), MATRIX[:1])


SKLEARN_CHECKS = [
    "check_do_not_raise_errors_in_init_or_set_param",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_param_validation",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


@pytest.mark.parametrize("check", [name for name in SKLEARN_CHECKS if hasattr(estimator_checks, name)])
def test_scikit_learn(check):
    getattr(estimator_checks, check)("WordEmbedder", WordEmbedder())


@pytest.mark.parametrize("texts", [pd.Series([np.nan, np.nan]), np.array([np.nan, np.nan])])
def test_a_column_without_any_text_is_empty_texts(texts):
    assert not WordEmbedder().fit_transform(texts).any()
