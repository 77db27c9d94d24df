"""DistilledEmbedder: its formula, what it takes and refuses, and life in pipelines and files."""

import copy
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from embtransfer import (
    DistilledEmbedder,
    DomainCentering,
    Target,
    WordEmbedder,
    WordVectors,
    load_pipeline,
    make_classifier,
    make_transfer_pipeline,
    save_pipeline,
    source_scorer,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.embedders import _ridge

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
SOURCE, LABELS, TARGET = FILMS.data[:60], FILMS.target[:60], PANS.data[:50]
NEW = ["A lovely, well balanced knife!", "", None, "zqzq xyzzy", "not good film, Not Good film", "the"]


class Letters(TransformerMixin, BaseEstimator):
    """A teacher of small vectors: the share of some letters in a text. It counts what reaches it."""

    calls = []

    def __init__(self, letters="aeioutns"):
        self.letters = letters

    def fit(self, X, y=None):
        self.calls.append(("fit", list(X)))
        self.heavy_ = np.zeros(3_000_000)  # no file is to hold it
        return self

    def transform(self, X):
        self.calls.append(("transform", list(X)))
        counts = [[text.count(letter) for letter in self.letters] for text in X]
        return np.array(counts, np.float64) / np.array([[max(len(text), 1)] for text in X])


class Giving(TransformerMixin, BaseEstimator):
    """A teacher that gives what a function makes of the texts."""

    def __init__(self, function):
        self.function = function

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return self.function(X)


@pytest.fixture(autouse=True)
def no_calls():
    Letters.calls.clear()


@pytest.fixture(scope="module")
def fitted():
    return DistilledEmbedder(Letters()).fit(SOURCE, X_target=TARGET)


def named_rows(embedder):
    """Vector of each word and n-gram."""
    words = embedder.vectors_.words
    names = list(words)
    for first, last in embedder.ngrams_:
        names.append(f"{names[first]} {names[last]}")
    return dict(zip(names, np.vstack([embedder.vectors_.matrix, embedder.ngram_vectors_]), strict=True))


def by_loop(embedder, texts):
    """The formula of the Notes."""
    rows, cut = named_rows(embedder), CountVectorizer(ngram_range=(1, embedder.max_ngram)).build_analyzer()
    out = np.zeros((len(texts), embedder._n_features_out))
    for i, text in enumerate(texts):
        found = [rows[token] for token in cut(text or "") if token in rows]
        if found:
            out[i] = np.sum(found, axis=0, dtype=np.float64) / np.sqrt(len(found))
    return out


def loaded_again(embedder, tmp_path):
    return load_pipeline(save_pipeline(embedder, tmp_path / "model"))


# ---------------------------------------------------------------- the formula
@pytest.mark.parametrize("letters", ["ab", "abcdefghijklmnop", "abcdefghijklmnopqrstuvwxyz"])
@pytest.mark.parametrize("max_ngram", [1, 2, 3])
def test_transform_is_its_formula(max_ngram, letters):
    embedder = DistilledEmbedder(Letters(letters), max_ngram=max_ngram).fit(SOURCE, X_target=TARGET)
    texts = [*NEW, *SOURCE, *PANS.data[50:80]]
    out = embedder.transform(texts)
    assert out.dtype == np.float32
    assert out.shape == (len(texts), len(letters))
    assert_allclose(out, by_loop(embedder, texts), atol=1e-6)


@pytest.mark.parametrize("vectors", [None, "glove-6b-50d-subset"])
def test_fit_is_the_closed_form(monkeypatch, vectors):
    monkeypatch.setattr(_ridge, "_PRECISION", 1e-6)
    embedder = DistilledEmbedder(Letters(), vectors=vectors, alpha=0.5, vectors_weight=0.2)
    embedder.fit(SOURCE, X_target=TARGET)
    texts, glove = SOURCE + TARGET, WordVectors.bundled()
    kept = CountVectorizer(ngram_range=(1, 2), min_df=2).fit(texts).vocabulary_
    names = CountVectorizer(ngram_range=(1, 2)).fit(texts).get_feature_names_out().tolist()
    names = [name for name in names if name in kept or (vectors and name in glove)]
    counter = CountVectorizer(ngram_range=(1, 2), vocabulary=names).fit(texts)
    counts = counter.transform(texts).toarray().astype(float)
    weights = np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))) + 1
    rows = counts * weights / np.sqrt(counts.sum(axis=1, keepdims=True))
    own = np.diag([float(name in kept) for name in names])
    explained = np.trace(rows @ own @ rows.T)
    spread = own
    if vectors:
        prior = np.array([glove[name] if name in glove else np.zeros(50) for name in names], float)
        spread = own + 0.2 * explained / np.sum((rows @ prior) ** 2) * prior @ prior.T
    taught = Letters().transform(texts)
    kernel = rows @ spread @ rows.T + 0.5 * explained / len(texts) * np.eye(len(texts))
    solved = rows.T @ np.linalg.solve(kernel, taught - taught.mean(axis=0))
    expected = (spread @ solved) * weights[:, None]
    found = {name: embedder.scale_ * row for name, row in named_rows(embedder).items()}
    assert_allclose(np.array([found[name] for name in names]), expected, atol=1e-4 * np.abs(expected).max())
    if vectors is None:
        assert set(found) == set(kept)
    else:  # a word that the texts lack
        assert "volcano" not in names
        unseen = (np.log(1 + len(texts)) + 1) * 0.2 * explained / np.sum((rows @ prior) ** 2)
        unseen = unseen * glove["volcano"].astype(float) @ prior.T @ solved
        assert_allclose(found["volcano"], unseen, atol=1e-4 * np.abs(unseen).max())


@pytest.mark.parametrize("n_components", [None, 4])
def test_a_weak_ridge_gives_the_teacher_back(monkeypatch, n_components):
    monkeypatch.setattr(_ridge, "_PRECISION", 1e-6)
    texts = [f"{word}aa {word}ee {word}oo" for word in "bcdfghjklm"]
    teacher = Giving(lambda X: np.random.default_rng(0).normal(size=(10, 4)) @ np.eye(4, 7) + 5)
    embedder = DistilledEmbedder(teacher, min_df=1, alpha=1e-4, vectors=None, n_components=n_components)
    out = embedder.fit_transform(texts)
    components = np.eye(7) if n_components is None else embedder.components_
    taught = embedder.scale_ * out @ components + embedder.mean_
    assert_allclose(taught, teacher.transform(texts), atol=1e-3)


@pytest.mark.parametrize("alpha", ["auto", 0.1, 1000.0])
def test_rows_have_one_scale_however_strong_the_ridge(alpha):
    embedder = DistilledEmbedder(Letters(), alpha=alpha).fit(SOURCE, X_target=TARGET)
    rows = embedder.transform(SOURCE + TARGET)
    assert_allclose(np.mean(np.sum(rows.astype(float) ** 2, axis=1)), 1, rtol=1e-5)
    assert embedder.scale_ > 0
    nothing = Giving(lambda X: np.zeros((len(X), 3)))
    assert not DistilledEmbedder(nothing, alpha=1.0).fit_transform(SOURCE).any()


def test_components_are_the_principal_ones():
    from sklearn.decomposition import PCA

    few = DistilledEmbedder(Letters(), n_components=3).fit(SOURCE, X_target=TARGET)
    pca = PCA(3).fit(Letters().transform(SOURCE + TARGET))
    assert_allclose(np.abs(np.sum(few.components_ * pca.components_, axis=1)), 1, atol=1e-4)
    assert_allclose(few.mean_, pca.mean_, atol=1e-6)
    assert few.components_.shape == (3, 8)
    assert few.transform(NEW).shape == (6, 3)
    many = DistilledEmbedder(Letters(), n_components=100).fit(SOURCE)
    assert many.components_ is None
    assert many.transform(NEW).shape == (6, 8)


@pytest.mark.parametrize("tolerance", [0, 0.05, 0.5, 0.99])
def test_auto_takes_the_strongest_within_the_tolerance(fitted, tolerance):
    embedder = DistilledEmbedder(Letters(), tolerance=tolerance).fit(SOURCE, X_target=TARGET)
    assert embedder.similarities_ == fitted.similarities_
    assert list(embedder.similarities_) == [100, 30, 10, 3, 1, 0.3]
    best = max(embedder.similarities_.values())
    assert 0 < best < 1
    near = [alpha for alpha, found in embedder.similarities_.items() if found >= (1 - tolerance) * best]
    assert embedder.alpha_ == max(near)
    same = DistilledEmbedder(Letters(), alpha=embedder.alpha_).fit(SOURCE, X_target=TARGET)
    assert same.similarities_ is None
    assert_array_equal(same.transform(NEW), embedder.transform(NEW))


@pytest.mark.parametrize(
    ("found", "alpha"),
    [({100.0: -0.3, 1.0: -0.1}, 1.0), ({100.0: -0.11, 1.0: -0.1}, 100.0), ({100.0: 0.0, 1.0: 0.0}, 100.0)],
)
def test_auto_where_nothing_is_like_the_teacher(monkeypatch, found, alpha):
    monkeypatch.setattr(_ridge, "similarities", lambda *arguments: found)
    assert DistilledEmbedder(Letters()).fit(SOURCE).alpha_ == alpha


def test_the_seed_holds_texts_out():
    one, two = (DistilledEmbedder(Letters(), random_state=seed).fit(SOURCE) for seed in (0, 1))
    assert one.similarities_ != two.similarities_


# ---------------------------------------------------------------- words
def test_words_of_the_target_alone_have_vectors():
    target = ["a spatula", "spatula of tin"] * 3
    parameters = {"teacher": Letters(), "vectors": None}
    source_only = DistilledEmbedder(**parameters).fit(SOURCE)
    both = DistilledEmbedder(**parameters).fit(SOURCE, X_target=target)
    assert "spatula" not in source_only.vectors_
    assert np.abs(both.transform(["spatula"])).max() > 0
    assert_array_equal(source_only.transform(["spatula"]), np.zeros((1, 8)))
    assert source_only.n_zero_rows_ == 1
    assert_array_equal(
        both.transform(NEW), DistilledEmbedder(**parameters).fit(SOURCE + target).transform(NEW)
    )


def test_unseen_words_have_vectors_only_by_pretrained_ones(fitted):
    unseen = ["volcano"]
    assert "volcano" not in " ".join(SOURCE + TARGET).lower()
    assert np.abs(fitted.transform(unseen)).max() > 0
    assert not DistilledEmbedder(Letters(), vectors=None).fit(SOURCE).transform(unseen).any()
    assert not DistilledEmbedder(Letters(), vectors_weight=0).fit(SOURCE).transform(unseen).any()
    own = WordVectors(["volcano", "guitar", "film"], np.eye(3, 4, dtype=np.float16))
    embedder = DistilledEmbedder(Letters(), vectors=own).fit([*SOURCE, "a guitar", "guitar"])
    rows = named_rows(embedder)
    assert "guitar" in rows
    assert not rows["volcano"].any()  # like nothing that was seen
    assert np.abs(rows["film"]).max() > 0


def test_pretrained_words_that_the_texts_do_not_have():
    nothing = WordVectors(["qqq", "www"], np.eye(2))
    embedder = DistilledEmbedder(Letters(), vectors=nothing).fit(SOURCE)
    plain = DistilledEmbedder(Letters(), vectors=None).fit(SOURCE)
    assert_allclose(embedder.transform(SOURCE), plain.transform(SOURCE), atol=1e-6)


def test_similar_words_get_similar_vectors():
    glove = WordVectors.bundled()
    words = [word for word in glove.words[:3000] if len(word) > 3]
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words[:1500], 20)) for _ in range(800)]
    teacher = WordEmbedder()
    student = DistilledEmbedder(teacher, alpha=1.0).fit(texts)
    unseen = words[1500:1700]
    learned, own = student.vectors_[unseen], glove[unseen]
    own = own - own.mean(axis=0)
    learned = learned - learned.mean(axis=0)
    cosine = np.sum(learned * own, axis=1) / np.linalg.norm(learned, axis=1) / np.linalg.norm(own, axis=1)
    assert np.median(cosine) > 0.8


def test_limits_of_the_vocabulary():
    few = DistilledEmbedder(Letters(), max_features=50, vectors=None).fit(SOURCE)
    assert len(few.vectors_) + len(few.ngrams_) == 50
    rare = DistilledEmbedder(Letters(), min_df=10, vectors=None).fit(SOURCE)
    counts = (CountVectorizer(ngram_range=(1, 2)).fit_transform(SOURCE) > 0).sum(axis=0)
    assert len(named_rows(rare)) == np.count_nonzero(counts >= 10)
    capitals = DistilledEmbedder(Letters(), vectors=None, lowercase=False).fit(SOURCE)
    assert "The" in capitals.vectors_
    assert (
        "Film"
        in DistilledEmbedder(Letters(), vectors=WordVectors(["Film"], [[1]]), lowercase=False)
        .fit(SOURCE)
        .vectors_
    )


# ---------------------------------------------------------------- texts
@pytest.mark.parametrize("source", [list, np.array, pd.Series, pa.array, tuple])
@pytest.mark.parametrize("target", [list, pa.array, lambda texts: pd.Series(texts, range(5, 5 + len(texts)))])
def test_containers(fitted, source, target):
    embedder = DistilledEmbedder(Letters(), alpha=fitted.alpha_).fit(source(SOURCE), X_target=target(TARGET))
    assert_array_equal(embedder.transform(source(SOURCE)), fitted.transform(SOURCE))
    assert all(isinstance(text, str) for _, texts in Letters.calls for text in texts)


def test_empty_and_missing_texts(fitted):
    out = fitted.transform(NEW)
    assert fitted.n_zero_rows_ == 3
    assert not out[1:4].any()
    assert fitted.transform([]).shape == (0, 8)
    texts = [*SOURCE, None, "", np.nan]
    embedder = DistilledEmbedder(Letters()).fit(texts, X_target=[None, *TARGET])
    assert embedder.n_zero_rows_ == 0
    assert Letters.calls[0][1] == [*SOURCE, "", "", "", "", *TARGET]
    assert np.isfinite(embedder.transform(texts)).all()
    assert embedder.n_zero_rows_ == 3


@pytest.mark.parametrize("texts", [["good film", "good pan"], ["good", ""], ["good"] * 2])
def test_few_texts(texts):
    for min_df in (1, 2):
        if min_df == 1 or texts[1]:
            out = DistilledEmbedder(Letters(), min_df=min_df).fit_transform(texts)
            assert np.isfinite(out).all()


def test_threads_do_not_show(fitted):
    texts = (SOURCE + TARGET) * 60
    expected = fitted.transform(texts)
    threaded = copy.deepcopy(fitted).set_params(n_jobs=2)
    assert_array_equal(threaded.transform(texts), expected)


# ---------------------------------------------------------------- teachers
def test_a_teacher_of_scikit_learn():
    teacher = make_pipeline(TfidfVectorizer(min_df=2), TruncatedSVD(10, random_state=0))
    embedder = DistilledEmbedder(teacher, tolerance=0).fit(SOURCE, X_target=TARGET)
    taught = clone(teacher).fit(SOURCE + TARGET).transform(SOURCE)
    taught = taught - embedder.mean_
    out = embedder.transform(SOURCE)
    assert np.sum(out * taught) / np.linalg.norm(out) / np.linalg.norm(taught) > 0.8
    with pytest.raises(NotFittedError, match="not fitted"):
        teacher.transform(SOURCE)  # a clone was fitted


def test_no_teacher_is_minilm():
    embedder = DistilledEmbedder(vectors=None)
    assert embedder.teacher is None
    assert "teacher=None" not in repr(embedder)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda X: np.zeros((3, 2)),
            r"Got 3 vectors from the teacher for 60 texts\. Expected one row a text",
        ),
        (lambda X: np.full((len(X), 2), np.nan), r"teacher's vectors\) contains NaN"),
        (lambda X: np.full((len(X), 2), np.inf), r"teacher's vectors\) contains infinity"),
        (lambda X: np.zeros(len(X)), "Expected 2D array, got 1D array"),
        (lambda X: np.zeros((len(X), 0)), r"0 feature\(s\)"),
    ],
)
def test_what_teachers_may_not_give(function, message):
    with pytest.raises(ValueError, match=message):
        DistilledEmbedder(Giving(function)).fit(SOURCE)


def test_a_sparse_teacher_is_refused():
    with pytest.raises(TypeError, match=r"Sparse data was passed for .*teacher's vectors"):
        DistilledEmbedder(TfidfVectorizer()).fit(SOURCE)


def test_a_teacher_that_says_nothing():
    embedder = DistilledEmbedder(Giving(lambda X: np.ones((len(X), 3)))).fit(SOURCE)
    assert_array_equal(embedder.transform(SOURCE), np.zeros((60, 3)))
    assert embedder.alpha_ == 100


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"teacher": "minilm"}, "'teacher' parameter of DistilledEmbedder must be an object implementing"),
        ({"max_features": 0}, "'max_features' parameter of DistilledEmbedder must be an int in the range"),
        ({"min_df": 0.1}, "'min_df' parameter of DistilledEmbedder must be an int in the range"),
        ({"tolerance": 1}, "'tolerance' parameter of DistilledEmbedder must be a float in the range"),
        ({"alpha": 0}, "'alpha' parameter of DistilledEmbedder must be"),
        ({"max_ngram": 0}, "'max_ngram' parameter of DistilledEmbedder must be an int in the range"),
        ({"vectors_weight": -1}, "'vectors_weight' parameter of DistilledEmbedder must be a float"),
        ({"n_components": 0}, "'n_components' parameter of DistilledEmbedder must be an int in the range"),
        ({"min_df": 61}, r"Got 60 texts, and no word .* in min_df=61 of them\. Expected .* a lower min_df"),
    ],
)
def test_invalid_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        DistilledEmbedder(**{"teacher": Letters(), **parameters}).fit(SOURCE)
    assert Letters.calls == []  # refused before the slow teacher runs


def test_texts_that_are_none():
    embedder = DistilledEmbedder(Letters())
    with pytest.raises(ValueError, match=r"Got no texts \(n_samples=0\)"):
        embedder.fit([])
    with pytest.raises(ValueError, match=r"Got no target texts\. Expected at least one, or X_target=None"):
        embedder.fit(SOURCE, X_target=[])
    with pytest.raises(ValueError, match=r"Got 1 text\. Expected at least two"):
        embedder.fit(["good"])
    with pytest.raises(TypeError, match="Got a single str"):
        embedder.fit(SOURCE, X_target="good film")
    with pytest.raises(TypeError, match=r"Got 1 \(int\) as text 1"):
        embedder.fit(SOURCE, X_target=["a", 1])
    with pytest.raises(NotFittedError, match="not fitted"):
        embedder.transform(SOURCE)


# ---------------------------------------------------------------- pipelines, copies, files
def make_transfer(**parameters):
    embedder = DistilledEmbedder(Letters(), **parameters)
    return make_transfer_pipeline(embedder, DomainCentering(), make_classifier("logistic"))


def test_a_pipeline_hands_it_the_target_once_and_raw():
    pipeline = make_transfer().fit(SOURCE, LABELS, X_target=TARGET)
    assert [kind for kind, _ in Letters.calls] == ["fit", "transform"]
    assert Letters.calls[0][1] == Letters.calls[1][1] == SOURCE + TARGET
    alone = DistilledEmbedder(Letters()).fit(SOURCE, X_target=TARGET)
    assert_array_equal(pipeline[0].transform(NEW), alone.transform(NEW))
    centred = alone.transform(TARGET) - alone.transform(TARGET).mean(axis=0)
    assert_allclose(pipeline[:-1].transform(TARGET), centred, atol=1e-6)
    assert pipeline.predict_source(SOURCE).shape == (60,)
    without = make_transfer().fit(SOURCE, LABELS)
    assert Letters.calls[-1][1] == SOURCE
    assert without.predict(NEW).shape == (6,)


def test_grid_search_with_a_target_as_long_as_the_source():
    search = GridSearchCV(
        make_transfer(alpha=3.0),
        {"distilledembedder__max_ngram": [1, 2], "distilledembedder__teacher__letters": ["ab", "aeiou"]},
        cv=2,
        scoring=source_scorer("accuracy"),
        error_score="raise",
    )
    target = PANS.data[:60]
    search.fit(SOURCE, LABELS, X_target=Target(target))
    fits = [texts for kind, texts in Letters.calls if kind == "fit"]
    assert len(fits) == 4 * 2 + 1
    assert {len(texts) for texts in fits} == {30 + 60, 60 + 60}
    assert all(texts[-60:] == target for texts in fits)
    assert set(search.predict(target)) <= {0, 1}
    assert search.best_params_.keys() == {
        "distilledembedder__max_ngram",
        "distilledembedder__teacher__letters",
    }


def test_clone_output_and_names(fitted):
    with pytest.raises(NotFittedError, match="not fitted"):
        clone(fitted).transform(NEW)
    assert list(fitted.get_feature_names_out()) == [f"distilledembedder{i}" for i in range(8)]
    framed = copy.deepcopy(fitted).set_output(transform="pandas")
    frame = framed.transform(pd.Series(NEW, index=range(5, 11)))
    assert list(frame.columns) == list(fitted.get_feature_names_out())
    assert_array_equal(frame.to_numpy(), fitted.transform(NEW))
    assert isinstance(clone(framed).fit_transform(SOURCE, X_target=TARGET), pd.DataFrame)


@pytest.mark.parametrize("letters", ["abc", "abcdefghijklmnopqrst"])
def test_copies_are_the_same_to_the_bit(tmp_path, letters):
    first = DistilledEmbedder(Letters(letters), max_ngram=3).fit(SOURCE, X_target=TARGET)
    expected = first.transform(SOURCE + NEW)
    state = first.__getstate__()
    for again in (pickle.loads(pickle.dumps(first)), copy.deepcopy(first)):
        assert_array_equal(again.transform(SOURCE + NEW), expected)
        assert_array_equal(again.ngrams_, first.ngrams_)
        assert_array_equal(again.ngram_vectors_, first.ngram_vectors_)
        assert again.vectors_.checksum == first.vectors_.checksum
        assert (again.alpha_, again.similarities_) == (first.alpha_, first.similarities_)
        assert vars(again).keys() == vars(first).keys()
        assert (again._table.shape[1] >= 16) & np.shares_memory(again.ngram_vectors_, again._table)
    assert state["_table"].nbytes < 1.01 * 4 * len(letters) * (len(first.vectors_) + len(first.ngrams_))


def test_save_and_load(tmp_path):
    teacher = make_pipeline(TfidfVectorizer(), TruncatedSVD(40, random_state=0))
    embedder = DistilledEmbedder(teacher, n_components=20)
    pipeline = make_transfer_pipeline(embedder, DomainCentering(), make_classifier("logistic"))
    pipeline.fit(SOURCE, LABELS, X_target=TARGET)
    folder = save_pipeline(pipeline, tmp_path / "model")
    loaded = load_pipeline(folder)
    assert_array_equal(loaded.predict_proba(NEW), pipeline.predict_proba(NEW))
    assert_array_equal(loaded.predict_source(SOURCE), pipeline.predict_source(SOURCE))
    assert loaded[0].similarities_ == pipeline[0].similarities_
    assert_array_equal(loaded[0].components_, pipeline[0].components_)
    assert loaded[0].vectors_.checksum == pipeline[0].vectors_.checksum
    again = clone(loaded).fit(SOURCE, LABELS, X_target=TARGET)
    assert_array_equal(again.predict_proba(NEW), pipeline.predict_proba(NEW))


def test_no_copy_holds_the_fitted_teacher_or_the_table_twice(fitted):
    table = fitted._table[:, :8].nbytes
    words = sum(len(word.encode()) + 16 for word in fitted.vectors_.words)
    assert table + words < 8e6
    assert len(pickle.dumps(fitted)) < table + words + 16 * len(fitted.ngrams_) + 1e6
    wide = DistilledEmbedder(WordEmbedder(), vectors=None).fit(SOURCE)
    assert np.shares_memory(wide.vectors_.matrix, wide._table)
    assert np.shares_memory(wide.ngram_vectors_, wide._table)


def test_the_words_alone_are_a_table_like_any_other(fitted):
    texts, words = SOURCE + NEW, WordEmbedder(fitted.vectors_)
    plain = DistilledEmbedder(Letters(), max_ngram=1).fit(SOURCE, X_target=TARGET)
    out = WordEmbedder(plain.vectors_).fit_transform(texts)
    analyze = CountVectorizer().build_analyzer()
    counts = np.array([sum(word in plain.vectors_ for word in analyze(text or "")) for text in texts])
    assert_allclose(out * np.sqrt(counts)[:, None], plain.transform(texts), atol=1e-5)
    assert words.fit_transform(texts).shape == (66, 8)
