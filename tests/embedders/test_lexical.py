"""NGramVectorizer against scikit-learn's vectorizers, and the classifier that goes with it."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from embtransfer import NaiveBayesLogisticRegression, NGramVectorizer, make_transfer_pipeline
from embtransfer.datasets import load_demo_reviews

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")


def in_order(vectorizer, reference, rows):
    """The reference's rows in the order of our columns."""
    return rows[:, [reference.vocabulary_[name] for name in vectorizer.get_feature_names_out()]]


@pytest.mark.parametrize(  # each two values of two options meet once
    ("weighting", "longest", "min_df"),
    [
        *[("count", 1, 1), ("count", 2, 2), ("count", 3, 5)],
        *[("binary", 1, 2), ("binary", 2, 5), ("binary", 3, 1)],
        *[("tfidf", 1, 5), ("tfidf", 2, 1), ("tfidf", 3, 2)],
    ],
)
def test_rows_are_those_of_scikit_learn_fitted_on_both_domains(weighting, longest, min_df):
    options = {"ngram_range": (1, longest), "min_df": min_df}
    if weighting == "tfidf":
        reference = TfidfVectorizer(**options, sublinear_tf=True)
    else:
        reference = CountVectorizer(**options, binary=weighting == "binary")
    reference.fit(FILMS.data + PANS.data)
    ours = NGramVectorizer(weighting, max_ngram=longest, min_df=min_df).fit(FILMS.data, X_target=PANS.data)
    for texts in (FILMS.data, PANS.data, ["", None, "unheard-of zzz", "The film, the FILM"]):
        expected = in_order(ours, reference, reference.transform([text or "" for text in texts]))
        rows = ours.transform(texts)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows.toarray(), expected.toarray(), rtol=1e-5, atol=1e-7)


def test_columns_fall_in_document_frequency_and_are_cut_there():
    few = NGramVectorizer("count", max_features=100).fit(FILMS.data)
    names = few.get_feature_names_out()
    assert len(names) == 100
    counts = CountVectorizer(vocabulary=names, binary=True).transform(FILMS.data).sum(axis=0).A1
    assert (np.diff(counts) <= 0).all()
    assert counts[0] == CountVectorizer(binary=True).fit_transform(FILMS.data).sum(axis=0).max()


def test_threads_and_empty_input_and_zero_rows():
    ours = NGramVectorizer("count").fit(FILMS.data)
    texts = FILMS.data * 20
    both = ours.set_params(n_jobs=2).transform(texts)
    assert (both != ours.set_params(n_jobs=None).transform(texts)).nnz == 0
    assert ours.transform([]).shape == (0, both.shape[1])
    ours.transform(["", "film", "qqqq"])
    assert ours.n_zero_rows_ == 2


def test_the_target_reaches_it_through_a_pipeline():
    words = NGramVectorizer("binary")
    pipeline = make_transfer_pipeline(words, NaiveBayesLogisticRegression())
    pipeline.fit(FILMS.data, FILMS.target, X_target=PANS.data)
    names, of_films = (
        set(pipeline[0].get_feature_names_out()),
        set(words.fit(FILMS.data).get_feature_names_out()),
    )
    of_both = set(NGramVectorizer().fit(FILMS.data, X_target=PANS.data).get_feature_names_out())
    assert names == of_both > of_films


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda: NGramVectorizer(min_df=99).fit(["a good film"]), "no word of two or more characters"),
        (lambda: NGramVectorizer().fit(["a good film"], X_target=[]), "Got no target texts"),
        (lambda: NGramVectorizer("idf").fit(["a good film"]), "weighting"),
    ],
)
def test_errors(fit, message):
    with pytest.raises(ValueError, match=message):
        fit()


@pytest.mark.parametrize(("n_words", "longest"), [(29, 2), (30, 3)])
def test_triples_are_taken_of_long_texts(n_words, longest):
    texts = [" ".join((["one", "two", "three"] * 10)[:n_words])] * 2
    names = NGramVectorizer(max_ngram="auto").fit(texts).get_feature_names_out()
    assert max(name.count(" ") for name in names) == longest - 1


# ---------------------------------------------------------------- log-count ratios
def counts(n_classes, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(120) % n_classes
    means = rng.gamma(1, 0.6, (n_classes, 30))
    return sparse.csr_matrix(rng.poisson(means[y]).astype(dtype)), np.array(["a", "b", "c", "d"])[y]


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("binarize", [True, False])
@pytest.mark.parametrize("dense", [True, False])
def test_formula(n_classes, binarize, dense):
    X, y = counts(n_classes)
    model = NaiveBayesLogisticRegression(C=2.0, smoothing=0.5, binarize=binarize)
    model.fit(X.toarray() if dense else X, y)
    rows = (X.toarray() > 0).astype(float) if binarize else X.toarray()
    labels = np.unique(y)
    scores = []
    for label in labels[1:] if n_classes == 2 else labels:
        p, q = (0.5 + rows[y == label].sum(axis=0)), (0.5 + rows[y != label].sum(axis=0))
        ratio = np.abs(np.log((p / p.sum()) / (q / q.sum())))
        weighted = normalize(rows * ratio)
        one = optimum(weighted, y == label, C=2.0)
        scores.append(one.decision_function(weighted))
    proba = expit(np.stack(scores, axis=1))
    proba = np.hstack([1 - proba, proba]) if n_classes == 2 else proba / proba.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), proba, atol=3e-4)
    np.testing.assert_array_equal(model.predict(X), labels[proba.argmax(axis=1)])


def optimum(rows, positive, C):
    return LogisticRegression(C=C, solver="newton-cholesky", tol=1e-10).fit(rows, positive)


def test_float32_stays_and_input_is_left_alone():
    X, y = counts(2, np.float32)
    before = X.copy()
    model = NaiveBayesLogisticRegression().fit(X, y)
    assert model.predict_proba(X).dtype == model.coef_.dtype == np.float32
    assert (before != X).nnz == 0


def test_columns_without_a_count_are_as_if_they_were_solved_for():
    rng = np.random.default_rng(0)
    X, y = rng.poisson(0.4, (60, 30)).astype(float), np.arange(60) % 2
    X[:, [0, 7, 29]] = 0
    model = NaiveBayesLogisticRegression().fit(sparse.csr_array(X), y)
    assert model.coef_.shape == (1, 30)
    assert (model.coef_[0, [0, 7, 29]] == 0).all()
    ones = np.minimum(X, 1)
    inside, outside = (1 + ones[y == label].sum(axis=0) for label in (1, 0))
    rows = normalize(ones * np.abs(np.log(inside / inside.sum()) - np.log(outside / outside.sum())))
    whole = optimum(rows, y, model.C)
    np.testing.assert_allclose(model.decision_function(X), whole.decision_function(rows), atol=1e-3)


def test_errors_of_the_classifier():
    X, y = counts(2)
    with pytest.raises(ValueError, match=r"Negative values in data passed .* Expected counts of words"):
        NaiveBayesLogisticRegression().fit(-X, y)
    with pytest.raises(ValueError, match="1 class"):
        NaiveBayesLogisticRegression().fit(X, ["a"] * 120)
