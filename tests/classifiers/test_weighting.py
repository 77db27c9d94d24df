"""How NaiveBayesLogisticRegression weighs words: by log-count ratios or inverse document frequencies."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from embtransfer import NaiveBayesLogisticRegression, NGramVectorizer, SelfTrainingClassifier, make_recipe


def counts(n_classes):
    rng = np.random.default_rng(0)
    y = np.arange(120) % n_classes
    means = rng.gamma(1, 0.6, (n_classes, 30))
    return sparse.csr_matrix(rng.poisson(means[y]).astype(float)), y


def optimum(rows, positive, C):
    return LogisticRegression(C=C, solver="newton-cholesky", tol=1e-10).fit(rows, positive)


def test_of_many_rows_some_say_which_weighting_is_better():
    X, y = counts(3)
    many = np.tile(np.arange(len(y)), 90)
    assert NaiveBayesLogisticRegression(weighting="auto").fit(X[many], y[many]).weighting_ == "idf"


class TestWeighting:
    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_idf_is_logistic_regression_on_tfidf_rows(self, n_classes):
        X, y = counts(n_classes)
        model = NaiveBayesLogisticRegression(weighting="idf").fit(X, y)
        rows = TfidfTransformer().fit_transform(X > 0)
        labels = model.classes_[-len(model.coef_) :]
        each = [optimum(rows, y == label, model.C).decision_function(rows) for label in labels]
        found = model.decision_function(X).reshape(120, -1)
        np.testing.assert_allclose(found, np.stack(each, axis=1), atol=2e-3)

    def test_a_row_of_weight_two_is_two_rows(self):
        X, y = counts(3)
        weights = np.random.default_rng(0).integers(1, 3, len(y))
        twice = np.repeat(np.arange(len(y)), weights)
        model = NaiveBayesLogisticRegression(weighting="idf")
        weighted = clone(model).fit(X, y, sample_weight=weights).decision_function(X)
        np.testing.assert_allclose(weighted, model.fit(X[twice], y[twice]).decision_function(X), atol=2e-3)

    def test_many_classes_of_few_rows_are_weighed_by_idf(self):
        queries, intents = intent_queries()
        rows = NGramVectorizer("binary").fit_transform(queries)
        model = NaiveBayesLogisticRegression(weighting="auto").fit(rows, intents)
        assert model.weighting_ == model.settled().weighting == "idf"
        assert (model.weights_ == model.weights_[0]).all()

    def test_two_classes_are_weighed_by_log_count_ratios(self):
        model = NaiveBayesLogisticRegression(weighting="auto").fit(*counts(2))
        assert model.weighting_ == "log_count_ratio"

    def test_both_average_the_log_odds_of_either(self):
        X, y = counts(2)
        either = [
            NaiveBayesLogisticRegression(weighting=weighting).fit(X, y).decision_function(X)
            for weighting in ("log_count_ratio", "idf")
        ]
        model = NaiveBayesLogisticRegression(weighting="both").fit(X, y)
        np.testing.assert_allclose(model.decision_function(X), np.mean(either, axis=0), rtol=1e-6)
        assert model.weighting_ == model.settled().weighting == "both"

    def test_of_more_classes_the_recipe_ends_as_its_rounds_did(self):
        queries, intents = intent_queries()
        model = make_recipe("words").fit(queries[::2], intents[::2], X_target=queries[1::2])
        plain = clone(model).set_params(selftrainingclassifier__last_estimator=None)
        plain.fit(queries[::2], intents[::2], X_target=queries[1::2])
        np.testing.assert_array_equal(model.predict_proba(queries), plain.predict_proba(queries))

    def test_more_classes_are_weighed_as_by_auto(self):
        both, auto = (NaiveBayesLogisticRegression(weighting=w).fit(*counts(3)) for w in ("both", "auto"))
        assert both.weighting_ == auto.weighting_ == "idf"

    def test_log_count_ratios_that_are_better_are_taken_if_classes_have_fifty_rows(self):
        rng = np.random.default_rng(0)
        y = np.arange(150) % 3
        X = rng.poisson(1.0, (150, 200)).astype(float)  # words that say nothing, as rare as the telling ones
        X[:, :6] = rng.random((150, 6)) < np.where(np.arange(6) // 2 == y[:, None], 0.7, 0.3)
        for n, weighting in ((149, "idf"), (150, "log_count_ratio")):
            assert NaiveBayesLogisticRegression(weighting="auto").fit(X[:n], y[:n]).weighting_ == weighting

    def test_classes_of_one_row_are_weighed_by_idf(self):
        model = NaiveBayesLogisticRegression(weighting="auto").fit(np.eye(4) + 1, list("abcd"))
        assert model.weighting_ == "idf"

    def test_what_the_source_chose_stays_in_all_rounds(self):
        queries, intents = intent_queries()
        rows = NGramVectorizer("binary").fit_transform(queries)
        own = NaiveBayesLogisticRegression(weighting="auto")
        model = SelfTrainingClassifier(own, priors="source").fit(rows[::2], intents[::2], X_target=rows[1::2])
        assert model.estimator_.weighting == model.estimator_.weighting_ == "idf"
        assert own.weighting == "auto"
        by_hand = SelfTrainingClassifier(clone(own).set_params(weighting="idf"), priors="source")
        by_hand.fit(rows[::2], intents[::2], X_target=rows[1::2])
        np.testing.assert_array_equal(model.predict_proba(rows), by_hand.predict_proba(rows))


def intent_queries():
    """Twelve intents of eight queries each: words of which each serves several intents, and words of all."""
    rng = np.random.default_rng(0)
    common, intents = [f"word{i}" for i in range(10)], np.repeat(np.arange(12), 8)
    telling = [rng.choice([f"telling{i}" for i in range(40)], 9, replace=False) for _ in range(12)]
    return [" ".join([*rng.choice(common, 5), *rng.choice(telling[k], 4)]) for k in intents], intents
