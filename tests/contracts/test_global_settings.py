"""scikit-learn's global settings change no result and lose no candidate: nothing inside depends on them."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.linear_model import LogisticRegression, RidgeClassifier

import embtransfer as et
from embtransfer.adapters import ADAPTERS
from embtransfer.classifiers import CLASSIFIERS
from embtransfer.datasets import load_demo_reviews

SETTINGS = [
    {"transform_output": "pandas"},
    {
        "transform_output": "polars",
        **{"array_api_dispatch": True, "enable_metadata_routing": True},
        **{"assume_finite": True, "working_memory": 1},
    },
]
FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
TEXTS, Y, TARGET, Y_TARGET = list(FILMS.data[:40]), FILMS.target[:40], list(PANS.data[:40]), PANS.target[:40]
WORDS = et.WordEmbedder()
ROWS, TARGET_ROWS = (WORDS.fit(TEXTS).transform(texts)[:, :9] for texts in (TEXTS, TARGET))
SHARES = np.column_stack([Y, 1 - Y]) * 0.8 + 0.1
COUNTS = et.NGramVectorizer().fit_transform(TEXTS)


def predicted(*steps):
    model = et.make_transfer_pipeline(*steps).fit(TEXTS, Y, X_target=TARGET)
    return model.predict(TARGET), model.predict_source(TEXTS)


def adapted(name):
    adapter = et.make_adapter(name).fit(ROWS, Y, X_target=TARGET_ROWS)
    return np.asarray(adapter.transform(TARGET_ROWS)), np.asarray(adapter.transform_source(ROWS))


def classified(name):
    words = et.NGramVectorizer() if name == "log_count_ratio" else WORDS
    return predicted(words, et.NoAdaptation() if words is WORDS else "passthrough", et.make_classifier(name))


def co_trained():
    words = et.make_transfer_pipeline(et.NGramVectorizer(), et.NaiveBayesLogisticRegression())
    dense = et.make_transfer_pipeline(WORDS, et.DomainCentering(), et.LengthScaling(), LogisticRegression())
    model = et.CoTrainingClassifier([("words", words), ("dense", dense)], n_rounds=2).fit(TEXTS, Y, TARGET)
    return model.predict_proba(TARGET)


def few_labels(classifier):
    model = et.make_transfer_pipeline(WORDS, et.CORAL(), classifier)
    return model.fit(TEXTS, Y, X_target=TARGET, y_target=Y_TARGET).predict(TARGET)


def searched():
    parts = {"words": WORDS}, ["none", "centering"], ["logistic"], ["words"]
    search = et.TransferSearch(*parts, cv=2).fit(TEXTS, Y, X_target=TARGET)
    return untimed(search.results_), search.predict(TARGET), search.expected_score_


def compared():
    options = {"adapters": ["none", "coral"], "recipes": [], "cv": 2, "diagnostics": True}
    return untimed(et.compare(TEXTS, Y, TARGET, Y_TARGET, embedders={"words": WORDS}, **options))


def curve():
    models = {"tfidf": "tfidf", "words": WORDS}
    options = {"models": models, "source_sizes": [16], "target_sizes": [0, 8], "n_repeats": 1}
    return untimed(et.learning_curve(TEXTS, Y, TARGET, Y_TARGET, **options))


def untimed(table):
    return table.drop(columns=[name for name in table if "second" in name])


def explained(embedder, *steps):
    model = et.make_transfer_pipeline(embedder, *steps).fit(TEXTS, Y, X_target=TARGET)
    compiled, explanation = et.compile_pipeline(model), et.explain(model, TARGET[0]).to_dict(9)
    shares = [word["share"] for word in explanation["words"]] if "words" in explanation else explanation
    return compiled.predict(TARGET), shares, et.word_weights(model, TARGET)


def stacked():
    X, y = et.stack_domains(TEXTS, Y, TARGET, Y_TARGET)
    model = et.StackedDomains(et.make_transfer_pipeline(WORDS, et.CORAL(), LogisticRegression()))
    return model.fit(X, y).predict(TARGET)


CASES = {
    **{f"adapter {name}": lambda name=name: adapted(name) for name in ADAPTERS if name != "ot"},
    **{f"classifier {name}": lambda name=name: classified(name) for name in CLASSIFIERS},
    "co-training": co_trained,
    "pooled": lambda: few_labels(et.PooledClassifier()),
    "augmented": lambda: few_labels(et.FeatureAugmentationClassifier()),
    "CORAL classifier": lambda: predicted(WORDS, et.CORALClassifier()),
    "self-trained words": lambda: predicted(
        et.NGramVectorizer("binary"), et.SelfTrainingClassifier(et.NaiveBayesLogisticRegression(), n_rounds=1)
    ),
    "denoised words": lambda: predicted(et.NGramVectorizer("tfidf"), et.MSDA(), RidgeClassifier()),
    "distilled": lambda: np.asarray(et.DistilledEmbedder(et.WordEmbedder()).fit(TEXTS).transform(TARGET)),
    "n-grams": lambda: et.NGramVectorizer().fit_transform(TEXTS),
    "search": searched,
    "compare": compared,
    "learning curve": curve,
    "dense, folded and explained": lambda: explained(WORDS, et.DomainCentering(), LogisticRegression()),
    "words, folded and explained": lambda: explained(
        et.NGramVectorizer("binary"), et.NaiveBayesLogisticRegression()
    ),
    "stacked domains": stacked,
    "domain shift": lambda: et.domain_shift(ROWS, TARGET_ROWS),
    "density ratio": lambda: [et.density_ratio(ROWS, TARGET_ROWS, how) for how in ("nearest", "classifier")],
    "priors": lambda: et.estimate_priors(SHARES, Y, SHARES[:30]),
    "word shift": lambda: et.word_shift(TEXTS, TARGET),
}


def plain(found):
    """Results as a list of what can be compared."""
    if isinstance(found, list | tuple):
        return [part for one in found for part in plain(one)]
    if isinstance(found, dict):
        return plain(list(found.values()))
    return [found.toarray() if sparse.issparse(found) else found]


@cache
def expected(case):
    return plain(CASES[case]())


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("setting", SETTINGS, ids=["pandas", "polars and others"])
def test_no_result_depends_on_it(monkeypatch, setting, case):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # scikit-learn asks for it
    right = expected(case)
    with config_context(**setting):
        got = plain(CASES[case]())
    assert len(got) == len(right)
    for one, other in zip(got, right, strict=True):
        assert type(one) is type(other)
        if isinstance(other, pd.DataFrame):
            pd.testing.assert_frame_equal(one, other, atol=1e-5)
            assert "error" not in one or not one["error"].any()
        elif np.asarray(other).dtype.kind in "fc":
            np.testing.assert_allclose(one, other, atol=1e-3)  # frames go to scikit-learn's own solver
        else:  # frames of polars have another order in memory, and so another rounding: a tie may turn
            assert np.sum(one != other) <= (setting == {"transform_output": "polars"})
