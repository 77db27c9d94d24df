"""explain: shares that add up to the decision, for all that folds; word_weights; what both print."""

import json
import re
import subprocess
import sys
import tracemalloc
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.naive_bayes import ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import LinearSVC
from typer.testing import CliRunner

from embtransfer import (
    CORAL,
    MSDA,
    SCL,
    TCA,
    CompiledPipeline,
    CORALClassifier,
    CoTrainingClassifier,
    DistilledEmbedder,
    DomainCentering,
    GeodesicFlowKernel,
    ImportanceWeightedClassifier,
    LabelShiftClassifier,
    LengthScaling,
    LinearOT,
    NaiveBayesLogisticRegression,
    NGramVectorizer,
    NoAdaptation,
    SelfTrainingClassifier,
    SubspaceAlignment,
    WordEmbedder,
    WordVectors,
    compile_pipeline,
    explain,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
    word_weights,
)
from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews
from embtransfer.explaining._html import word_shares

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
SOURCE, TARGET = FILMS.data[:240], PANS.data[:160]
Y2 = np.where(np.asarray(FILMS.target[:240]) == 1, "good", "bad")
Y3 = np.where(Y2 == "bad", 3, np.where([" the " in text for text in SOURCE], 7, 9))
TEXTS = [
    *PANS.data[160:164],
    "",
    None,
    "xyzzyq",
    "a é I",
    "good pan not good " * 30,
    "ΑΣ Straße İstanbul ſ Crème BRÛLÉE, \ud800 no good",
]
SOME = [
    "good",
    "bad film",
    "Not a good PAN, not a bad one!",
    "the worst, most dull and lifeless film of the year, and a waste of a good cast",
]
both_label_sets = pytest.mark.parametrize("y", [Y2, Y3], ids=["2 classes", "3 classes"])


def logistic():
    return LogisticRegression(max_iter=2000)


def joint_log_proba(pipeline, texts):
    """log p(x, y) of a naive Bayes classifier at the end of a pipeline."""
    return pipeline[-1].predict_joint_log_proba(pipeline[:-1].transform(texts))


def fit(*steps, y=Y2, target=True):
    pipeline = make_transfer_pipeline(*steps)
    return pipeline.fit(SOURCE, y, **({"X_target": TARGET} if target else {}))


def assert_adds_up(pipeline, texts=TEXTS, decision=True):
    """Shares and constant are the decision, for all classes; probabilities and labels are the pipeline's."""
    model = compile_pipeline(pipeline)
    given = ["" if text is None else text for text in texts]
    predicted, n_shares = pipeline.predict(given), 0
    if decision:
        decisions = pipeline.decision_function(given)
        decisions = decisions if decisions.ndim == 2 else np.stack([-decisions, decisions], axis=1)
    if hasattr(model, "predict_proba"):
        probabilities = pipeline.predict_proba(given)
    for i, text in enumerate(texts):
        for number, label in enumerate(pipeline.classes_):
            for spread in (True, False):
                found = explain(model, text, label=label, spread=spread)
                shares = found.table["share"]
                scale = 1 + abs(found.constant) + shares.abs().sum()
                assert found.constant + shares.sum() == pytest.approx(found.decision, abs=1e-5 * scale)
                n_shares += int((shares != 0).sum())
            if decision:
                assert found.decision == pytest.approx(decisions[i, number], abs=1e-5 * scale)
        assert found.predicted == predicted[i]
        if hasattr(model, "predict_proba"):
            np.testing.assert_allclose(found.probabilities, probabilities[i], rtol=0, atol=1e-4)
        else:
            assert found.probabilities is None
    assert n_shares >= 20


@pytest.fixture(scope="module")
def pipeline():
    return fit(WordEmbedder(), DomainCentering(), logistic())


@pytest.fixture(scope="module")
def model(pipeline):
    return compile_pipeline(pipeline)


@pytest.fixture(scope="module")
def model3():
    return compile_pipeline(fit(WordEmbedder(), DomainCentering(), logistic(), y=Y3))


@pytest.fixture(scope="module")
def recipe():
    return compile_pipeline(make_recipe("words").fit(SOURCE, Y2, X_target=TARGET))


class TestSharesAddUp:
    @pytest.mark.parametrize("pooling", ["mean", "idf", "sif", "usif"])
    @both_label_sets
    def test_poolings(self, pooling, y):
        assert_adds_up(fit(WordEmbedder(pooling=pooling), DomainCentering(), logistic(), y=y))

    @pytest.mark.parametrize("max_ngram", [1, 3])
    def test_distilled(self, max_ngram):
        student = DistilledEmbedder(WordEmbedder(pooling="sif"), alpha=10.0, max_ngram=max_ngram)
        assert_adds_up(fit(student, DomainCentering(), LengthScaling(), logistic(), y=Y3))

    @pytest.mark.parametrize("weighting", ["tfidf", "count", "binary"])
    @both_label_sets
    def test_ngram_vectorizer(self, weighting, y):
        assert_adds_up(fit(NGramVectorizer(weighting), NoAdaptation(), logistic(), y=y))

    @pytest.mark.parametrize(
        "vectorizer",
        [
            TfidfVectorizer(ngram_range=(1, 2)),
            TfidfVectorizer(sublinear_tf=True, stop_words="english"),
            TfidfVectorizer(ngram_range=(2, 3), min_df=2, use_idf=False),
            CountVectorizer(token_pattern=r"(?u)\b\w+\b", lowercase=False),
        ],
        ids=repr,
    )
    def test_scikit_learn_vectorizers(self, vectorizer):
        assert_adds_up(make_pipeline(vectorizer, logistic()).fit(SOURCE, Y2))

    @pytest.mark.parametrize(
        "adapter",
        [
            NoAdaptation(),
            CORAL(),
            LinearOT(),
            SubspaceAlignment(),
            GeodesicFlowKernel(),
            TCA(kernel="linear"),
            SCL(),
            LengthScaling(),
        ],
        ids=repr,
    )
    @both_label_sets
    def test_adapters(self, adapter, y):
        assert_adds_up(fit(WordEmbedder(), adapter, logistic(), y=y))

    @pytest.mark.parametrize("step", [StandardScaler(), PCA(7, whiten=True), Normalizer()], ids=repr)
    @both_label_sets
    def test_steps(self, step, y):
        assert_adds_up(make_pipeline(WordEmbedder(), step, logistic()).fit(SOURCE, y))

    def test_rows_of_length_1_twice(self):
        steps = CountVectorizer(), TfidfTransformer(sublinear_tf=True), TruncatedSVD(20), Normalizer(), PCA(5)
        assert_adds_up(make_pipeline(*steps, Normalizer(), logistic()).fit(SOURCE, Y3))

    def test_centred_rows_of_length_1(self):
        assert_adds_up(fit(WordEmbedder(pooling="idf"), DomainCentering(), Normalizer(), logistic()))

    def test_more_classes_than_columns(self):
        vectors = WordVectors(["good", "bad", "film", "not", "pan"], np.eye(5, 3))
        pipeline = fit(WordEmbedder(vectors), logistic(), y=np.arange(240) % 9, target=False)
        assert_adds_up(pipeline)
        spread = explain(pipeline, "good pan")
        assert spread.constant == 0
        assert explain(pipeline, "good pan", spread=False).constant != 0

    @both_label_sets
    def test_union(self, y):
        lexical = make_transfer_pipeline(NGramVectorizer(), NoAdaptation())
        dense = make_transfer_pipeline(WordEmbedder(), DomainCentering(), LengthScaling())
        short = make_transfer_pipeline(WordEmbedder(pooling="idf"), Normalizer())
        union = FeatureUnion([("a", lexical), ("b", dense), ("c", short)], transformer_weights={"b": 0.5})
        assert_adds_up(fit(union, SelfTrainingClassifier(), y=y))

    @pytest.mark.parametrize(
        ("classifier", "decision"),
        [
            (RidgeClassifier(), True),
            (LinearSVC(), True),
            (SGDClassifier(loss="modified_huber", random_state=0), True),
            (LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"), True),
            (SelfTrainingClassifier(), True),
            (ImportanceWeightedClassifier(weights="nearest"), True),
            (GridSearchCV(logistic(), {"C": [1, 10]}, cv=2), True),
            (GaussianNB(), False),
            (NearestCentroid(), False),
            (CalibratedClassifierCV(LinearSVC(), cv=3), False),
            (CalibratedClassifierCV(LinearSVC(), cv=3, method="isotonic"), False),
            (LabelShiftClassifier(n_bootstrap=0), False),
            (CORALClassifier(n_components=10), True),
        ],
        ids=repr,
    )
    @both_label_sets
    def test_classifiers(self, classifier, decision, y):
        texts = [text for text in TEXTS if not isinstance(classifier, NearestCentroid) or text]
        assert_adds_up(fit(WordEmbedder(), NoAdaptation(), classifier, y=y), texts, decision)

    @pytest.mark.parametrize("classifier", [MultinomialNB(), ComplementNB()], ids=repr)
    @both_label_sets
    def test_naive_bayes_on_counts(self, classifier, y):
        assert_adds_up(make_pipeline(CountVectorizer(), classifier).fit(SOURCE, y), decision=False)

    @both_label_sets
    def test_log_count_ratios(self, y):
        classifier = SelfTrainingClassifier(NaiveBayesLogisticRegression())
        assert_adds_up(fit(NGramVectorizer("count", max_ngram=3), classifier, y=y))

    def test_recipe_words(self):
        assert_adds_up(make_recipe("words").fit(SOURCE, Y2, X_target=TARGET))

    def test_recipe_distilled(self):
        model = make_recipe("distilled", WordEmbedder(pooling="sif")).fit(SOURCE, Y2, X_target=TARGET)
        assert_adds_up(model, decision=False)

    def test_the_mean_of_the_members_decisions(self):
        views = [
            ("words", make_transfer_pipeline(NGramVectorizer("binary"), NaiveBayesLogisticRegression())),
            ("vectors", make_transfer_pipeline(WordEmbedder(), DomainCentering(), logistic())),
        ]
        model = CoTrainingClassifier(views, n_rounds=1).fit(SOURCE, Y3, X_target=TARGET)
        expected = np.mean([view.decision_function(SOME) for view in model.views_.values()], axis=0)
        for text, decisions in zip(SOME, expected, strict=True):
            found = [explain(model, text, label=label).decision for label in model.classes_]
            np.testing.assert_allclose(found, decisions, atol=1e-5)

    def test_soft_voting_by_weights(self):
        parts = [("a", make_pipeline(TfidfVectorizer(), logistic()))]
        parts.append(("b", make_pipeline(WordEmbedder(), logistic())))
        model = VotingClassifier(parts, voting="soft", weights=[1, 2]).fit(SOURCE, Y2)
        first, second = (part.decision_function(SOME) for part in model.estimators_)
        found = [explain(model, text, label="good").decision for text in SOME]
        np.testing.assert_allclose(found, (first + 2 * second) / 3, atol=1e-5)

    def test_the_decision_before_threshold_and_shift(self, pipeline):
        shifted = fit(WordEmbedder(), NoAdaptation(), LabelShiftClassifier(n_bootstrap=0))
        inner = shifted[-1].estimator_.decision_function(shifted[:-1].transform(SOME))
        found = [explain(shifted, text, label="good").decision for text in SOME]
        np.testing.assert_allclose(found, inner, atol=1e-5)
        positive = explain(pipeline, "a good and lovely film", label="good")
        assert positive.decision > 0
        never = FixedThresholdClassifier(FrozenEstimator(pipeline), threshold=0.9999999, pos_label="good")
        found = explain(never.fit(SOURCE, Y2), positive.text, label="good")
        assert found.decision == positive.decision
        assert found.predicted == "bad"


class TestSharesAreRight:
    """Against each model's own formula, computed from its parts."""

    def test_a_share_is_the_words_own_decision_over_n(self, pipeline, model):
        text = "Good film, good cast; a dull story. Xyzzyq"
        table = explain(model, text, label="good").table.set_index("word")
        assert dict(table["count"]) == {"good": 2, "film": 1, "cast": 1, "dull": 1, "story": 1}
        own = pipeline.decision_function(list(table.index))
        np.testing.assert_allclose(table["share"], own * table["count"] / 6, atol=1e-6)
        assert (np.diff(table["share"].abs()) <= 0).all()

    def test_the_constant_apart(self, pipeline):
        text = "a good film"
        found = explain(pipeline, text, label="good", spread=False)
        nothing = pipeline.decision_function([""])[0]
        assert found.constant == pytest.approx(nothing, abs=1e-6)
        table = found.table.set_index("word")["share"]
        own = pipeline.decision_function(["good", "film"]) - nothing
        np.testing.assert_allclose(table[["good", "film"]], own / 2, atol=1e-6)

    def test_idf_weights(self):
        pipeline = fit(WordEmbedder(pooling="idf"), DomainCentering(), logistic())
        words = ["good", "film", "the"]
        table = explain(pipeline, "the good film the", label="good").table.set_index("word")
        weights = pipeline[0].weights_[[WordVectors.bundled().words.index(word) for word in words]]
        weights = weights * [1, 1, 2]
        own = pipeline.decision_function(words)
        np.testing.assert_allclose(table.loc[words, "share"], own * weights / weights.sum(), atol=1e-5)

    def test_tfidf(self):
        vectorizer = TfidfVectorizer(ngram_range=(1, 2))
        pipeline = make_pipeline(vectorizer, logistic()).fit(SOURCE, Y2)
        text = SOURCE[3] + " " + SOURCE[4][:200] + " xyzzyq"
        found = explain(pipeline, text, label="good")
        row = vectorizer.transform([text]).multiply(pipeline[-1].coef_).tocsr()
        expected = dict(zip(vectorizer.get_feature_names_out()[row.indices], row.data, strict=True))
        table = found.table.set_index("word")["share"]
        assert set(table.index) == set(expected)
        np.testing.assert_allclose(table, [expected[word] for word in table.index], atol=1e-6)
        assert found.constant == pytest.approx(pipeline[-1].intercept_[0], abs=1e-9)

    def test_rows_of_length_1(self):
        pipeline = make_pipeline(WordEmbedder(), Normalizer(), logistic()).fit(SOURCE, Y2)
        words = ["good", "film", "dull"]
        rows = WordEmbedder().fit(words).transform(words).astype(np.float64)
        mean = rows.mean(axis=0)
        expected = rows / 3 / np.linalg.norm(mean) @ pipeline[-1].coef_[0]
        found = explain(pipeline, " ".join(words), label="good")
        np.testing.assert_allclose(found.table.set_index("word").loc[words, "share"], expected, atol=1e-5)
        assert found.constant == pytest.approx(pipeline[-1].intercept_[0])

    def test_squares_are_shapley_values(self):
        """Shares of all words of a quadratic decision, against an average over all orders of the words."""
        vectorizer = CountVectorizer(vocabulary=["bad", "film", "good"])
        pipeline = make_pipeline(vectorizer, TfidfTransformer(norm=None), TruncatedSVD(2), GaussianNB())
        pipeline.fit(SOURCE, Y2)

        def decision(words):
            log_p = joint_log_proba(pipeline, [" ".join(words)])[0]
            return log_p[1] - log_p[0]

        words = ["bad", "film", "good"]
        expected = dict.fromkeys(words, 0.0)
        for order in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]:
            for k in range(3):
                before, after = ([words[i] for i in order[:end]] for end in (k, k + 1))
                expected[words[order[k]]] += (decision(after) - decision(before)) / 6
        found = explain(pipeline, "good bad film", label="good").table.set_index("word")["share"]
        np.testing.assert_allclose(found[words], [expected[word] for word in words], rtol=1e-4)

    def test_likelihoods_count_against_the_others(self):
        pipeline = make_pipeline(CountVectorizer(), MultinomialNB()).fit(SOURCE, Y3)
        log_p = joint_log_proba(pipeline, ["a good film"])[0]
        found = [explain(pipeline, "a good film", label=label).decision for label in (3, 7, 9)]
        np.testing.assert_allclose(found, log_p - log_p.mean(), atol=1e-5)

    def test_contrast_is_the_difference_of_shares(self, model3):
        found = explain(model3, SOME[3])
        other = explain(model3, SOME[3], label=found.runner_up).table.set_index("word")["share"]
        table = found.table.set_index("word")
        np.testing.assert_allclose(table["contrast"], table["share"] - other[table.index], atol=1e-9)
        order = np.argsort(found.probabilities)
        assert [found.runner_up, found.label] == found.labels[order[-2:]].tolist()

    def test_saved_models_explain_the_same(self, recipe, model, tmp_path):
        for name, one in (("words", recipe), ("vectors", model)):
            loaded = CompiledPipeline.load(one.save(tmp_path / name))
            pd.testing.assert_frame_equal(explain(loaded, SOME[3]).table, explain(one, SOME[3]).table)


class TestTexts:
    @pytest.mark.parametrize("text", ["", None, float("nan"), pd.NA, "  !\n "])
    def test_no_words(self, model, text):
        found = explain(model, text)
        assert (len(found.table), len(found.unknown)) == (0, 0)
        assert found.constant == pytest.approx(found.decision)
        assert found.text == (text if isinstance(text, str) else "")
        assert "constant" in found.to_text()
        assert found.to_frame()["kind"].tolist() == ["constant"]
        assert "<table>" in found.to_html()
        assert list(found.table) == ["word", "count", "share", "positions"]

    def test_unknown_words_alone(self, model):
        found = explain(model, "Xyzzyq qyzzyx, xyzzyq")
        assert len(found.table) == 0
        assert found.unknown.to_dict("list") == {
            "word": ["xyzzyq", "qyzzyx"],
            "count": [2, 1],
            "positions": [[(0, 6), (15, 21)], [(7, 13)]],
        }
        assert "Unknown: xyzzyq (2 times), qyzzyx" in str(found)
        assert "unknown: xyzzyq, qyzzyx" in found.to_html()

    def test_places_are_those_of_the_text_as_it_is(self):
        words = ["αας", "istanbul", "straße", "crème", "brûlée", "good", "हिन्दी", "i̇"]
        embedder = WordEmbedder(WordVectors(words, np.eye(len(words), 8)))
        pipeline = fit(embedder, logistic(), target=False)
        apart = "Bru\u0302le\u0301e"  # accents as characters of their own
        text = f"İİ ΑΑΣ İSTANBUL Straße, CRÈME Brûlée Good a xx\ud800yy 😀 हिन्दी good {apart}."
        found = explain(pipeline, text)
        clean = text.replace("\ud800", " ")
        assert found.text == clean
        written = {
            row.word: [clean[start:end] for start, end in row.positions]
            for row in found.table.itertuples(index=False)
        }
        assert written == {
            "αας": ["ΑΑΣ"],
            "istanbul": ["İSTANBUL"],
            "हिन्दी": ["हिन्दी"],
            "straße": ["Straße"],
            "crème": ["CRÈME"],
            "brûlée": ["Brûlée", apart],
            "good": ["Good", "good"],
        }
        assert found.unknown["word"].tolist() == ["ii", "xx", "yy"]
        assert ">BRÛLÉE<" not in found.to_html()
        assert ">Brûlée<" in found.to_html()

    def test_capitals_in_one_part_alone(self):
        """The same place may be two words: one as it is written, one in lower case."""
        cased = CountVectorizer(lowercase=False, token_pattern=r"(?u)\b\w+\b")
        union = FeatureUnion([("a", WordEmbedder()), ("b", cased)])
        texts = ["I like Good films", "a bad film", "Good", "İ bad"]
        pipeline = make_pipeline(union, logistic()).fit(texts, [1, 0, 1, 0])
        text = "I, Good good İ x QQQQ"
        found = explain(pipeline, text)
        places = dict(zip(found.table["word"], found.table["positions"], strict=True))
        assert places == {"I": [(0, 1)], "Good": [(3, 7)], "good": [(3, 7), (8, 12)], "İ": [(13, 14)]}
        assert found.unknown["word"].tolist() == ["x", "QQQQ"]
        assert found.constant + found.table["share"].sum() == pytest.approx(found.decision, abs=1e-5)
        read = _Text(found.to_html())
        assert read.paragraphs[2] == text
        assert len(read.titles) == 4

    def test_ngrams(self):
        vectorizer = NGramVectorizer("count", max_ngram=3, min_df=2)
        texts = ["not a good pan", "not good at all", "good not pan, not good pan", "pan", "not good pan"]
        pipeline = make_pipeline(vectorizer, logistic()).fit(texts, [1, 0, 0, 0, 1])
        text = "NOT good: not a Good pan! Pan"
        found = explain(pipeline, text)
        places = {
            row.word: [text[start:end] for start, end in row.positions]
            for row in found.table.itertuples(index=False)
        }
        assert places == {
            "not": ["NOT", "not"],
            "good": ["good", "Good"],
            "pan": ["pan", "Pan"],
            "not good": ["NOT good", "not a Good"],
            "good pan": ["Good pan"],
            "not good pan": ["not a Good pan"],
        }
        assert found.table["count"].tolist() == [len(places[word]) for word in found.table["word"]]

    def test_very_long_text(self, recipe):
        text = " ".join(PANS.data) * 5
        found = explain(recipe, text)
        assert found.constant + found.table["share"].sum() == pytest.approx(found.decision, abs=1e-4)
        assert found.table["count"].sum() > 12_500
        assert len(found.to_text().splitlines()) < 30

    @pytest.mark.parametrize("texts", [["a", "b"], np.array(["a"]), pd.Series(["a"]), ("a",)], ids=repr)
    def test_several_texts(self, model, texts):
        with pytest.raises(TypeError, match=r"Got a .* of \d as text. Expected one text.* loop over them"):
            explain(model, texts)

    def test_no_text(self, model):
        with pytest.raises(TypeError, match=r"Got 3 as text\. Expected one text, a str"):
            explain(model, 3)


class TestModels:
    def test_what_does_not_fold(self):
        pipeline = fit(WordEmbedder(), MSDA(), logistic())
        message = r"cannot be explained word by word\. Cannot compile step 'msda' \(MSDA\): its map"
        for function in (lambda: explain(pipeline, "a"), lambda: word_weights(pipeline)):
            with pytest.raises(ValueError, match=message):
                function()

    def test_not_fitted(self):
        with pytest.raises(NotFittedError, match="not fitted"):
            explain(make_pipeline(WordEmbedder(), logistic()), "a")

    def test_unknown_label(self, model, model3):
        with pytest.raises(ValueError, match=r"Got label='great'. Expected one of .* 'bad', 'good'\."):
            explain(model, "a", label="great")
        with pytest.raises(ValueError, match=r"Got label='3'\. Expected one of the model's classes: 3, 7, 9"):
            explain(model3, "a", label="3")

    def test_two_labels_are_opposites(self, model):
        good, bad = (explain(model, SOME[2], label=label) for label in ("good", "bad"))
        assert good.decision == -bad.decision
        np.testing.assert_array_equal(good.table["share"], -bad.table["share"])
        assert (good.runner_up, bad.runner_up) == ("bad", "good")

    def test_without_scikit_learn(self, recipe, tmp_path):
        recipe.save(tmp_path / "model")
        code = (
            "import sys; sys.modules['sklearn'] = None\n"
            "from embtransfer import CompiledPipeline, explain, word_weights\n"
            f"model = CompiledPipeline.load({str(tmp_path / 'model')!r})\n"
            "print(explain(model, 'a good pan').decision, len(word_weights(model)))"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        decision, n = run.stdout.split()
        assert float(decision) == pytest.approx(explain(recipe, "a good pan").decision)
        assert int(n) == 40

    def test_many_words_cost_an_explanation_nothing(self):
        """A list of the vocabulary's words alone would take 3 MB."""
        rng = np.random.default_rng(0)
        words = ["good", "bad", *(f"word{i}" for i in range(400_000))]
        vectors = WordVectors(words, rng.normal(size=(len(words), 8)).astype(np.float32))
        pipeline = make_pipeline(WordEmbedder(vectors), Normalizer(), logistic()).fit(
            ["good word1", "bad word2"] * 4, [1, 0] * 4
        )
        model, text = compile_pipeline(pipeline), "good word77 and bad " * 50
        explain(model, text).to_html()
        tracemalloc.start()
        try:
            explain(model, text).to_html()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 1e6


class _Text(HTMLParser):
    """Tags and text of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.paragraphs, self.titles, self.words = [], [""], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "p":
            self.paragraphs.append("")
        if tag == "span" and "title" in dict(attributes):
            self.titles.append(dict(attributes))

    def handle_data(self, data):
        self.paragraphs[-1] += data


class TestOutput:
    def test_text(self, recipe):
        found = explain(recipe, "A lovely pan, lovely and solid, xyzzyq")
        lines = str(found).splitlines()
        probability = found.probability_of(found.label)
        head, _, decision = lines[0].rpartition(" ")
        assert head == f"{found.label} (probability {probability:.1%}): decision"
        assert float(decision) == pytest.approx(found.decision, abs=0.005)
        assert lines[1].split()[1] == found.table["word"][0]
        assert lines[1].endswith("+" * 24) or lines[1].endswith("-" * 24)
        assert any("lovely (2 times)" in line for line in lines)
        assert lines[-1] == "Unknown: xyzzyq"
        assert repr(found).startswith("Explanation('")

    def test_text_of_the_first_words(self, model):
        found = explain(model, SOME[3])
        lines = found.to_text(top=2).splitlines()
        assert len(lines) == 4
        n_more = len(found.table) - 2
        assert lines[-1].endswith(f"{n_more} more")
        assert float(lines[-1].split()[0]) == pytest.approx(found.table["share"][2:].sum(), abs=0.01)
        assert len(found.to_text(top=None).splitlines()) == 1 + len(found.table)

    @pytest.mark.parametrize("top", [0, -1, 2.5])
    def test_top_is_checked(self, model, top):
        found = explain(model, "good")
        for method in (found.to_text, found.to_html, found.to_dict):
            with pytest.raises(ValueError, match=rf"Got top={top}\. Expected a number of words above 0"):
                method(top)

    def test_another_label_is_said(self, model):
        predicted = explain(model, SOME[3]).label
        other = {"good": "bad", "bad": "good"}[predicted]
        assert str(explain(model, SOME[3], label=other)).splitlines()[0].endswith(f"predicted: {predicted}")

    def test_runner_up(self, model3):
        found = explain(model3, SOME[3])
        last = str(found).splitlines()[-1]
        best = found.table.sort_values("contrast", ascending=False)["word"].iloc[0]
        assert last.startswith(f"Runner-up: {found.runner_up} (probability ")
        assert f"For {found.label} against it: {best} +" in last

    def test_frame(self, recipe):
        found = explain(recipe, "the best pan of the year, xyzzyq")
        frame = found.to_frame()
        assert set(frame["kind"]) == {"word", "n-gram", "constant", "unknown"}
        assert frame["share"].sum() == pytest.approx(found.decision, abs=1e-5)
        grams = frame[frame["kind"] == "n-gram"]
        assert grams["word"].str.contains(" ").all()
        assert list(frame) == ["word", "kind", "count", "share", "positions"]

    def test_json(self, model3):
        found = explain(model3, SOME[3] + " xyzzyq")
        read = json.loads(json.dumps(found.to_dict()))
        assert read["label"] == found.label
        assert list(read["probabilities"]) == ["3", "7", "9"]
        total = read["constant"] + sum(word["share"] for word in read["words"])
        assert total == pytest.approx(read["decision"], abs=1e-5)
        assert len(found.to_dict(top=2)["words"]) == 2
        assert [word["word"] for word in read["unknown"]] == ["xyzzyq"]

    def test_html_is_escaped(self, model):
        text = "<script>alert('good')</script> & \"bad\"\n<b>film</b> &lt;i&gt;"
        page = explain(model, text).to_html()
        read = _Text(page)
        assert not {"script", "i"} & set(read.tags)
        assert read.paragraphs[2] == text
        assert read.tags.count("b") == 1  # the heading

    def test_labels_are_escaped(self):
        y = np.where(Y2 == "good", "<img src=x>", "&amp;")
        pipeline = fit(WordEmbedder(), logistic(), y=y, target=False)
        for label in ("<img src=x>", "&amp;"):
            read = _Text(explain(pipeline, "good film", label=label).to_html())
            assert "img" not in read.tags
            assert read.paragraphs[1].startswith(label)

    def test_bars_go_right_for_the_class_and_left_against_it(self, model):
        found = explain(model, "Lovely, good; awful.", label="good")
        bars = re.findall(r"margin-left:([\d.]+)em;width:([\d.]+)em", found.to_html())
        shares = found.table["share"]
        for share, (left, width) in zip(shares, bars, strict=True):
            middle = float(left) + (float(width) if share < 0 else 0)
            assert middle == pytest.approx(6, abs=0.02)
            assert float(width) == pytest.approx(6 * abs(share) / shares.abs().max(), abs=0.02)

    def test_shades(self, model):
        found = explain(model, "Lovely, good; awful.", label="good")
        shares = found.table.set_index("word")["share"]
        titles = _Text(found._repr_html_()).titles
        assert len(titles) == 3
        for word, attributes in zip(["lovely", "good", "awful"], titles, strict=True):
            colour = "33,102,172" if shares[word] > 0 else "230,97,1"
            opacity = 0.55 * abs(shares[word]) / shares.abs().max()
            assert attributes["style"].startswith(f"background:rgba({colour},{opacity:.3f})")
            assert float(attributes["title"]) == pytest.approx(shares[word], abs=0.01)

    def test_shades_add_up_with_ngrams(self, recipe):
        found = explain(recipe, PANS.data[0])
        shades = word_shares(found)
        assert sum(shades.values()) == pytest.approx(found.table["share"].sum())
        assert {end - start for start, end in shades} <= set(range(2, 30))
        assert len(shades) > 10


class TestWordWeights:
    def test_the_decision_for_the_word_alone(self, pipeline, model):
        table = word_weights(model, PANS.data, top=30)
        assert table["label"].tolist() == ["bad"] * 30 + ["good"] * 30
        sign = np.where(table["label"] == "good", 1, -1)
        np.testing.assert_allclose(
            table["weight"], sign * pipeline.decision_function(table["word"]), rtol=1e-4
        )
        assert (table["weight"] > 0).all()

    def test_all_words_of_the_table(self, pipeline, model):
        table = word_weights(model, top=5)
        words = [w for w in WordVectors.bundled().words if w.isalpha() and w == w.lower() and len(w) > 1]
        decisions = pipeline.decision_function(words)
        best = np.argsort(-decisions)[:5]
        assert table["word"][5:].tolist() == [words[i] for i in best]
        np.testing.assert_allclose(table["weight"][5:], decisions[best], rtol=1e-4)
        assert list(table) == ["label", "word", "weight"]

    def test_words_that_no_text_is_cut_into(self):
        words = ["good", "U.S.", "Bad", "new-york", "x", "é", "bad"]
        rows = np.diag([1.0, 50, 50, 50, 50, 50, 1]).astype(np.float32)
        pipeline = make_pipeline(WordEmbedder(WordVectors(words, rows)), logistic())
        pipeline.fit(["good", "bad", "good", "bad"], [1, 0, 1, 0])
        pipeline[-1].coef_[:] = [[1, 1, 1, 1, 1, 1, -1]]
        assert word_weights(pipeline)["word"].tolist() == ["bad", "good"]

    def test_rows_of_length_1(self):
        vectorizer = TfidfVectorizer()
        pipeline = make_pipeline(vectorizer, logistic()).fit(SOURCE, Y2)
        table = word_weights(pipeline, top=10)
        idf = vectorizer.idf_
        expected = pipeline[-1].coef_[0] * idf / np.sqrt(np.mean(idf**2))
        best = np.argsort(-expected)[:10]
        assert table["word"][10:].tolist() == vectorizer.get_feature_names_out()[best].tolist()
        np.testing.assert_allclose(table["weight"][10:], expected[best], rtol=1e-5)

    def test_terms_of_several_vocabularies_are_one(self):
        """Two vectorizers with other vocabularies: an n-gram's weight is what it adds beyond its words."""
        union = FeatureUnion(
            [
                ("a", CountVectorizer(ngram_range=(1, 2), max_features=300)),
                ("b", NGramVectorizer("count", max_ngram=3, max_features=700)),
                ("c", CountVectorizer(ngram_range=(3, 3), max_features=50)),
            ]
        )
        pipeline = make_pipeline(union, logistic()).fit(SOURCE, Y2)
        table = word_weights(pipeline, top=400)
        assert not table.duplicated(["word"]).any()

        # inclusion and exclusion over the runs of words of a term
        terms = [term for term in table["word"] if len(set(term.split())) == len(term.split())]
        runs = [(w, w[:-1], w[1:], w[1:-1] if len(w) > 1 else []) for w in map(str.split, terms)]
        decisions = pipeline.decision_function([" ".join(run) for four in runs for run in four])
        sign = np.where(table.set_index("word").loc[terms, "label"] == "good", 1, -1)
        added = decisions.reshape(-1, 4) @ [1, -1, -1, 1]
        np.testing.assert_allclose(table.set_index("word").loc[terms, "weight"], sign * added, atol=1e-4)
        assert {len(term.split()) for term in terms} == {1, 2, 3}
        known = [set(step.get_feature_names_out()) for _, step in union.transformer_list]
        assert {tuple(term in one for one in known) for term in terms} >= {
            (True, True, False),
            (True, False, False),
            (False, True, False),
            (False, False, True),
        }

    def test_normalised_rows_of_words(self):
        pipeline = fit(WordEmbedder(), DomainCentering(), Normalizer(), logistic())
        table = word_weights(pipeline, PANS.data, top=5)
        sign = np.where(table["label"] == "good", 1, -1)
        decisions = pipeline.decision_function(table["word"]) - pipeline[-1].intercept_
        np.testing.assert_allclose(table["weight"], sign * decisions, rtol=1e-3)

    def test_squares(self):
        student = DistilledEmbedder(WordEmbedder(pooling="sif"), alpha=10.0, max_ngram=1)
        pipeline = fit(student, DomainCentering(), GaussianNB())
        table = word_weights(pipeline, PANS.data, top=5)
        log_p = joint_log_proba(pipeline, [*table["word"], ""])
        decisions = log_p[:, 1] - log_p[:, 0]
        sign = np.where(table["label"] == "good", 1, -1)
        np.testing.assert_allclose(table["weight"], sign * (decisions[:-1] - decisions[-1]), rtol=1e-3)

    def test_counts_of_texts(self):
        pipeline = make_pipeline(NGramVectorizer("count", min_df=1), logistic())
        pipeline.fit(["good pan", "a good pan", "bad lid", "dull pan"], [1, 1, 0, 0])
        texts = pd.Series(["Good pan, good lid", "not a good pan", None])
        table = word_weights(pipeline, texts).set_index("word")
        assert dict(table["count"]) == {"good": 3, "pan": 2, "lid": 1, "good pan": 2}
        np.testing.assert_allclose(table["rate"], table["count"] / 6)

    def test_order_is_weight_times_rate(self, recipe, model):
        for one in (recipe, model):
            table = word_weights(one, PANS.data)
            for _, part in table.groupby("label"):
                assert (np.diff(part["weight"] * part["rate"]) <= 1e-9).all()
            alone = word_weights(one, PANS.data, top=10**6)
            single = alone[~alone["word"].str.contains(" ")]
            assert single["rate"].sum() == pytest.approx(1, abs=0.05)

    def test_the_weights_are_those_of_the_explanations(self, model):
        text = "a lovely pan with a lid"
        shares = explain(model, text, label="good").table.set_index("word")["share"]
        table = word_weights(model, [text]).set_index("word")
        signed = table["weight"] * np.where(table["label"] == "good", 1, -1)
        np.testing.assert_allclose(shares, (signed * table["rate"])[shares.index], rtol=1e-4)

    def test_classes(self, model3):
        table = word_weights(model3, PANS.data, top=4)
        assert table["label"].tolist() == [3] * 4 + [7] * 4 + [9] * 4

    @pytest.mark.parametrize("texts", [[], [""], ["xyzzyq"]])
    def test_no_words(self, model, texts):
        table = word_weights(model, texts)
        assert len(table) == 0
        assert list(table) == ["label", "word", "weight", "count", "rate"]

    def test_bad_input(self, model):
        with pytest.raises(ValueError, match=r"Got top=0\. Expected a number of words above 0"):
            word_weights(model, top=0)
        with pytest.raises(TypeError, match="Got a single str"):
            word_weights(model, "good pan")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pipeline = fit(WordEmbedder(), DomainCentering(), logistic(), y=Y3)
    return save_pipeline(pipeline, tmp_path_factory.mktemp("models") / "model")


class TestCommand:
    def run(self, *words, **options):
        return CliRunner().invoke(app, ["explain", *map(str, words)], **options)

    def test_table(self, folder, model3):
        result = self.run(folder, SOME[3], "--top", 3)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == explain(model3, SOME[3]).to_text(3) + "\n"

    def test_compiled_and_stdin(self, model, tmp_path):
        result = self.run(model.save(tmp_path / "fast"), "-", input="a good\nfilm\n")
        assert result.exit_code == 0
        assert result.stdout == explain(model, "a good\nfilm\n").to_text() + "\n"

    def test_label_and_json(self, folder):
        result = self.run(folder, "Crème brûlée", "--label", "7", "--format", "json")
        read = json.loads(result.stdout)
        assert (read["label"], read["text"]) == (7, "Crème brûlée")

    def test_page(self, folder):
        result = self.run(folder, "<script>good</script>", "--format", "html")
        read = _Text(result.stdout)
        assert read.tags[:3] == ["html", "head", "meta"]
        assert "script" not in read.tags
        assert "<script>good</script>" in read.paragraphs

    def test_errors(self, folder, tmp_path):
        result = self.run(folder, "good", "--label", "8")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("Error: Got label='8'. Expected one of the model's classes: 3, 7, 9")
        result = self.run(tmp_path / "none", "good")
        assert result.exit_code == 2
        assert result.stderr.startswith("Error: There is no model folder")

    def test_what_does_not_fold(self, tmp_path):
        pipeline = fit(WordEmbedder(pooling="max"), logistic(), target=False)
        result = self.run(save_pipeline(pipeline, tmp_path / "model"), "good")
        assert result.exit_code == 2
        assert "Cannot compile step 'wordembedder'" in result.stderr
