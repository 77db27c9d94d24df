"""compile_pipeline: the decisions of the pipeline itself, for every step and classifier that folds."""

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.fixes import parse_version

from embtransfer import (
    CORAL,
    MSDA,
    SCL,
    TCA,
    CORALClassifier,
    CoTrainingClassifier,
    DistilledEmbedder,
    DomainCentering,
    FeatureAugmentationClassifier,
    GeodesicFlowKernel,
    ImportanceWeightedClassifier,
    LabelShiftClassifier,
    LengthScaling,
    LinearOT,
    NaiveBayesLogisticRegression,
    NGramVectorizer,
    NoAdaptation,
    PooledClassifier,
    SelfTrainingClassifier,
    SubspaceAlignment,
    TransferSearch,
    WordEmbedder,
    WordVectors,
    compile_pipeline,
    make_recipe,
    make_transfer_pipeline,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.folding._rows import CannotFold

OLD = parse_version(sklearn.__version__) < parse_version("1.8")

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
SOURCE, TARGET = FILMS.data[:120], PANS.data[:80]
Y2 = np.where(np.asarray(FILMS.target[:120]) == 1, "good", "bad")
Y3 = np.where(Y2 == "bad", 3, np.where([" the " in text for text in SOURCE], 7, 9))
UNSEEN = [
    *PANS.data[160:200],
    "",
    None,
    "xyzzyq",
    "É",
    "a é I",
    "good" * 400,
    "good pan not good " * 2000,
    "ΑΣ Straße İstanbul ſ crème brûlée",
]
NOT_NONE = [text for text in UNSEEN if text is not None]  # scikit-learn's vectorizers refuse it
both_label_sets = pytest.mark.parametrize("y", [Y2, Y3], ids=["2 classes", "3 classes"])


def logistic():
    return LogisticRegression(max_iter=2000)


def assert_same(pipeline, compiled, tolerance=1e-5, texts=UNSEEN):
    """Same labels, decisions and probabilities, relative to their size where that is above 1."""
    for method in ("decision_function", "predict_proba"):
        assert hasattr(compiled, method) == hasattr(pipeline, method)
        if hasattr(compiled, method):
            expected, found = getattr(pipeline, method)(texts), getattr(compiled, method)(texts)
            assert found.shape == expected.shape
            assert found.dtype == np.float64
            scale = max(np.abs(expected).max(), 1)
            np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=tolerance)
    expected, found = pipeline.predict(texts), compiled.predict(texts)
    assert found.dtype == expected.dtype
    assert found.tolist() == expected.tolist()


def fit(*steps, y=Y2, target=True):
    pipeline = make_transfer_pipeline(*steps)
    return pipeline.fit(SOURCE, y, **({"X_target": TARGET} if target else {}))


class TestEmbedders:
    @pytest.mark.parametrize(("pooling", "y"), [("mean", Y2), ("idf", Y3), ("sif", Y2), ("usif", Y3)])
    def test_poolings(self, pooling, y):
        pipeline = fit(WordEmbedder(pooling=pooling), DomainCentering(), logistic(), y=y)
        assert_same(pipeline, compile_pipeline(pipeline))

    def test_single_letters_and_capitals(self):
        vectors = WordVectors(["I", "a", "Good", "pan", "é", "É"], np.eye(6, 20) * 9)
        embedder = WordEmbedder(vectors, token_pattern=r"(?u)\b\w+\b", lowercase=False)
        pipeline = fit(embedder, logistic(), target=False)
        assert_same(pipeline, compile_pipeline(pipeline))

    def test_more_classes_than_columns(self):
        vectors = WordVectors(["good", "bad", "film", "not"], np.eye(4, 3))
        pipeline = fit(WordEmbedder(vectors), logistic(), y=np.arange(120) % 9, target=False)
        assert_same(pipeline, compile_pipeline(pipeline))

    def test_float16_table(self):
        bundled = WordVectors.bundled()
        half = WordVectors(bundled.words[:20_000], bundled.matrix[:20_000].astype(np.float16))
        pipeline = fit(WordEmbedder(half), CORAL(), logistic())
        assert_same(pipeline, compile_pipeline(pipeline))

    @pytest.mark.parametrize(("max_ngram", "y"), [(1, Y2), (2, Y3), (3, Y2)])
    def test_distilled(self, max_ngram, y):
        student = DistilledEmbedder(WordEmbedder(pooling="sif"), alpha=10.0, max_ngram=max_ngram)
        pipeline = fit(student, DomainCentering(), LengthScaling(), logistic(), y=y)
        assert_same(pipeline, compile_pipeline(pipeline))

    @pytest.mark.parametrize(("weighting", "y"), [("tfidf", Y2), ("count", Y3), ("binary", Y2)])
    def test_ngram_vectorizer(self, weighting, y):
        pipeline = fit(NGramVectorizer(weighting), NoAdaptation(), logistic(), y=y)
        assert_same(pipeline, compile_pipeline(pipeline))

    @pytest.mark.parametrize(
        "vectorizer",
        [
            TfidfVectorizer(ngram_range=(1, 2)),
            TfidfVectorizer(sublinear_tf=True, stop_words="english"),
            TfidfVectorizer(binary=True, sublinear_tf=True, norm=None),
            TfidfVectorizer(ngram_range=(2, 3), min_df=2, use_idf=False),
            TfidfVectorizer(ngram_range=(1, 3), max_features=200, lowercase=False),
            CountVectorizer(token_pattern=r"(?u)\b\w+\b", ngram_range=(3, 3)),
            CountVectorizer(binary=True),
        ],
        ids=repr,
    )
    def test_scikit_learn_vectorizers(self, vectorizer):
        pipeline = make_pipeline(vectorizer, logistic()).fit(SOURCE, Y3)
        assert_same(pipeline, compile_pipeline(pipeline), texts=NOT_NONE)


ADAPTERS = [
    NoAdaptation(),
    DomainCentering(),
    CORAL(),
    LinearOT(),
    SubspaceAlignment(),
    GeodesicFlowKernel(),
    TCA(kernel="linear"),
    SCL(),
    LengthScaling(),
]


class TestSteps:
    @pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
    def test_adapters(self, adapter):
        pipeline = fit(WordEmbedder(), adapter, logistic(), y=Y3)
        assert_same(pipeline, compile_pipeline(pipeline))

    def test_scl_on_sparse_rows(self):
        pipeline = fit(NGramVectorizer(), SCL(n_components=5), logistic())
        assert_same(pipeline, compile_pipeline(pipeline))

    @pytest.mark.parametrize(
        "step",
        [
            StandardScaler(),
            StandardScaler(with_mean=False),
            StandardScaler(with_std=False),
            MinMaxScaler((-1, 2)),
            RobustScaler(),
            RobustScaler(with_centering=False),
            MaxAbsScaler(),
            PCA(7),
            PCA(7, whiten=True),
            IncrementalPCA(7),
            TruncatedSVD(7),
            GaussianRandomProjection(9, random_state=0),
            SparseRandomProjection(9, random_state=0),
            SelectKBest(k=12),
            FunctionTransformer(),
            Normalizer(),
            "passthrough",
        ],
        ids=repr,
    )
    def test_scikit_learn_steps(self, step):
        pipeline = make_pipeline(WordEmbedder(), step, logistic()).fit(SOURCE, Y3)
        assert_same(pipeline, compile_pipeline(pipeline))

    @pytest.mark.parametrize("y", [Y2, Y3])
    def test_latent_semantic_analysis(self, y):
        steps = CountVectorizer(), TfidfTransformer(sublinear_tf=True), TruncatedSVD(20), Normalizer(), PCA(5)
        pipeline = make_pipeline(*steps, Normalizer(), logistic()).fit(SOURCE, y)
        assert_same(pipeline, compile_pipeline(pipeline), texts=NOT_NONE)

    def test_scaled_counts_of_length_1(self):
        steps = CountVectorizer(binary=True), MaxAbsScaler(), TfidfTransformer(), MaxAbsScaler()
        pipeline = make_pipeline(*steps, LinearSVC()).fit(SOURCE, Y3)
        assert_same(pipeline, compile_pipeline(pipeline), texts=NOT_NONE)

    @both_label_sets
    def test_union_of_words_and_vectors(self, y):
        lexical = make_transfer_pipeline(NGramVectorizer(), NoAdaptation())
        dense = make_transfer_pipeline(WordEmbedder(), DomainCentering(), LengthScaling())
        short = make_transfer_pipeline(WordEmbedder(pooling="idf"), Normalizer())
        union = FeatureUnion(
            [("a", lexical), ("b", dense), ("c", short), ("d", "drop")], transformer_weights={"b": 0.5}
        )
        pipeline = fit(union, SelfTrainingClassifier(), y=y)
        assert_same(pipeline, compile_pipeline(pipeline))


class TestClassifiers:
    @pytest.mark.parametrize(
        "classifier",
        [
            logistic(),
            RidgeClassifier(),
            LinearSVC(),
            Perceptron(),
            SGDClassifier(random_state=0),
            SGDClassifier(loss="log_loss", random_state=0),
            SGDClassifier(loss="modified_huber", random_state=0),
            LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
            GaussianNB(),
            GridSearchCV(logistic(), {"C": [1, 10]}, cv=2),
            CalibratedClassifierCV(LinearSVC(), cv=3),
            CalibratedClassifierCV(GaussianNB(), cv=3, ensemble=False),
            CalibratedClassifierCV(LinearSVC(), cv=3, method="isotonic"),
            SelfTrainingClassifier(),
            ImportanceWeightedClassifier(weights="nearest"),
            LabelShiftClassifier(n_bootstrap=0),
            LabelShiftClassifier(LinearSVC(), n_bootstrap=0),
            CORALClassifier(n_components=10),
        ],
        ids=repr,
    )
    @both_label_sets
    def test_classifiers_on_vectors(self, classifier, y):
        pipeline = fit(WordEmbedder(), NoAdaptation(), classifier, y=y)
        # large weights that cancel: it is scikit-learn that rounds, in float32
        tolerance = 2e-4 if isinstance(classifier, LinearDiscriminantAnalysis | SGDClassifier) else 1e-5
        assert_same(pipeline, compile_pipeline(pipeline), tolerance)

    @pytest.mark.parametrize("y", [Y2, Y3])
    def test_nearest_centroid_has_labels_alone(self, y):
        pipeline = fit(WordEmbedder(), DomainCentering(), NearestCentroid(), y=y)
        compiled = compile_pipeline(pipeline)
        assert not hasattr(compiled, "predict_proba")
        assert not hasattr(compiled, "decision_function")
        assert compiled.predict(UNSEEN).tolist() == pipeline.predict(UNSEEN).tolist()

    def test_naive_bayes_of_equal_variances_is_linear(self):
        pipeline = fit(WordEmbedder(), NoAdaptation(), GaussianNB())
        pipeline[-1].var_[:] = pipeline[-1].var_.mean(axis=0)
        compiled = compile_pipeline(pipeline)
        assert [type(part).__name__ for part in compiled._program.parts] == ["WordSums"]
        assert_same(pipeline, compiled)

    @pytest.mark.parametrize("classifier", [MultinomialNB(), ComplementNB()], ids=repr)
    @both_label_sets
    def test_naive_bayes_on_counts(self, classifier, y):
        pipeline = make_pipeline(CountVectorizer(), classifier).fit(SOURCE, y)
        assert_same(pipeline, compile_pipeline(pipeline), texts=NOT_NONE)

    @pytest.mark.parametrize(
        ("weighting", "binarize", "y"),
        [
            ("log_count_ratio", True, Y2),
            ("log_count_ratio", False, Y3),
            ("idf", True, Y3),
            ("idf", False, Y2),
            ("both", True, Y2),
        ],
    )
    def test_weighted_words(self, binarize, weighting, y):
        words = NaiveBayesLogisticRegression(weighting=weighting, binarize=binarize)
        classifier = SelfTrainingClassifier(words)
        pipeline = fit(NGramVectorizer("count", max_ngram=3), classifier, y=y)
        assert_same(pipeline, compile_pipeline(pipeline))

    @both_label_sets
    def test_co_training_predicts_with_the_views_named(self, y):
        views = [
            ("words", make_transfer_pipeline(NGramVectorizer("binary"), NaiveBayesLogisticRegression())),
            ("vectors", make_transfer_pipeline(WordEmbedder(), DomainCentering(), logistic())),
            ("other", make_transfer_pipeline(WordEmbedder(pooling="max"), logistic())),
        ]
        model = CoTrainingClassifier(views, predict_with=["vectors", "words"], n_rounds=1, priors="source")
        model.fit(SOURCE, y, X_target=TARGET)
        assert_same(model, compile_pipeline(model))

    def test_recipe_words(self):
        model = make_recipe("words").fit(SOURCE, Y2, X_target=TARGET)
        compiled = compile_pipeline(model)
        assert_same(model, compiled)
        (both,) = compiled._program.parts
        assert [type(part).__name__ for part in both.program.parts] == ["TermSums"]  # texts are read once

    def test_soft_voting(self):
        parts = [("a", make_pipeline(TfidfVectorizer(), logistic()))]
        parts.append(("b", make_pipeline(WordEmbedder(), logistic())))
        model = VotingClassifier(parts, voting="soft", weights=[1, 2]).fit(SOURCE, Y3)
        assert_same(model, compile_pipeline(model), texts=NOT_NONE)

    @pytest.mark.parametrize(("threshold", "positive"), [(0.3, None), (0.7, "bad"), (0.3, "good")])
    def test_thresholds(self, threshold, positive):
        for classifier in (logistic(), LinearSVC()):
            fixed = FixedThresholdClassifier(classifier, threshold=threshold, pos_label=positive)
            y = (Y2 == "good").astype(int) if positive is None else Y2
            pipeline = make_pipeline(WordEmbedder(), fixed).fit(SOURCE, y)
            assert_same(pipeline, compile_pipeline(pipeline))

    def test_tuned_threshold(self):
        tuned = TunedThresholdClassifierCV(logistic(), cv=3)
        pipeline = make_pipeline(WordEmbedder(), tuned).fit(SOURCE, (Y2 == "good").astype(int))
        assert_same(pipeline, compile_pipeline(pipeline))

    @pytest.mark.parametrize("classifier", [FeatureAugmentationClassifier(), PooledClassifier()], ids=repr)
    def test_few_target_labels(self, classifier):
        labels = np.where(
            np.arange(80) < 30, np.where(np.asarray(PANS.target[:80]) == 1, "good", "bad"), None
        )
        pipeline = make_transfer_pipeline(NGramVectorizer(), NoAdaptation(), classifier)
        pipeline.fit(SOURCE, Y2, X_target=TARGET, y_target=labels)
        assert_same(pipeline, compile_pipeline(pipeline))

    def test_search_over_pipelines(self):
        search = GridSearchCV(
            make_pipeline(WordEmbedder(), logistic()), {"logisticregression__C": [1, 5]}, cv=2
        )
        search.fit(SOURCE, Y3)
        assert_same(search, compile_pipeline(search))

    @pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy"])
    def test_transfer_search(self, scoring):
        parts = {"embedders": ["ngrams"], "adapters": ["none"], "classifiers": ["logistic"]}
        search = TransferSearch(**parts, recipes=[], scoring=scoring).fit(SOURCE, Y2, X_target=TARGET)
        assert compile_pipeline(search).predict(UNSEEN).tolist() == search.predict(UNSEEN).tolist()
        search.fit(SOURCE, Y3, X_target=TARGET)
        if scoring == "accuracy":
            assert compile_pipeline(search).predict(UNSEEN).tolist() == search.predict(UNSEEN).tolist()
        else:
            with pytest.raises(CannotFold, match="compile a search that decides by its scoring; its best_"):
                compile_pipeline(search)
            compile_pipeline(search.best_estimator_)


class TestRefusals:
    @pytest.mark.parametrize(
        ("steps", "message"),
        [
            (
                (WordEmbedder(), MSDA(), logistic()),
                r"step 'msda' \(MSDA\): its map, DenoisingLayers, is",
            ),
            ((WordEmbedder(pooling="max"), logistic()), "pooling='max' is no sum over words"),
            ((WordEmbedder(unknown="nearest"), logistic()), "unknown='skip' and phrases=False fold"),
            ((WordEmbedder(token_pattern=r"[a-z]+"), logistic()), "runs in Python, not in the kernel"),
            (
                (WordEmbedder(), SVC()),
                r"step 'svc' \(SVC\): it is not among the classifiers and regressors that fold",
            ),
            ((WordEmbedder(), RandomForestClassifier(2)), "not among the classifiers"),
            (
                (HashingVectorizer(n_features=500), logistic()),
                "makes rows of texts in a way that does not fold",
            ),
            ((TfidfVectorizer(analyzer="char"), logistic()), "words by the default token_pattern fold"),
            ((TfidfVectorizer(norm="l1"), logistic()), "norm='l1' does not fold"),
            ((WordEmbedder(), Normalizer("max"), logistic()), "norm='max' does not fold"),
            ((WordEmbedder(), MinMaxScaler(clip=True), logistic()), "clip=True does not fold"),
            ((WordEmbedder(), FunctionTransformer(np.tanh), logistic()), "a function of its own"),
            (
                (CountVectorizer(ngram_range=(1, 2), stop_words="english"), logistic()),
                "stop words that n-grams",
            ),
            ((TfidfVectorizer(), NaiveBayesLogisticRegression()), "fold on counts of words alone"),
            ((WordEmbedder(), NearestCentroid(metric="manhattan")), "metric='euclidean' and equal priors"),
            pytest.param(
                (WordEmbedder(), CalibratedClassifierCV(GaussianNB(), cv=2, method="temperature")),
                "temperature calibration folds over a decision_function alone",
                marks=pytest.mark.skipif(OLD, reason="scikit-learn 1.8 brings temperature calibration"),
            ),
        ],
        ids=str,
    )
    def test_the_message_names_the_step(self, steps, message):
        pipeline = fit(*steps, target=any(isinstance(step, MSDA) for step in steps))
        with pytest.raises(CannotFold, match=message):
            compile_pipeline(pipeline)
        with pytest.raises(ValueError, match=r"Cannot compile .* It scores as it is, only slower"):
            compile_pipeline(pipeline)

    def test_a_step_of_a_union_is_named(self):
        union = FeatureUnion([("a", WordEmbedder()), ("b", WordEmbedder(pooling="max"))])
        pipeline = make_pipeline(union, logistic()).fit(SOURCE, Y2)
        with pytest.raises(CannotFold, match=r"step 'b' \(WordEmbedder\): pooling='max'"):
            compile_pipeline(pipeline)

    def test_too_many_columns_to_select_from(self):
        texts = [f"word{i} word{i + 1} other" for i in range(12_000)]
        steps = TfidfVectorizer(), SelectKBest(k=9_000), logistic()
        pipeline = make_pipeline(*steps).fit(texts, np.arange(12_000) % 2)
        with pytest.raises(CannotFold, match=r"step 'selectkbest' .*9,000 of 12,002 columns make too large"):
            compile_pipeline(pipeline)

    def test_not_fitted(self):
        with pytest.raises(NotFittedError, match="not fitted"):
            compile_pipeline(make_pipeline(WordEmbedder(), logistic()))

    def test_rows_instead_of_texts(self):
        model = logistic().fit(np.eye(4), [0, 1, 0, 1])
        with pytest.raises(CannotFold, match="without steps before it"):
            compile_pipeline(model)
