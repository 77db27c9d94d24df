"""Several sources: adapters whose target map hangs on the target alone map each by itself."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from embtransfer import (
    CORAL,
    CoTrainingClassifier,
    DomainCentering,
    LeaveOneDomainOut,
    LinearOT,
    StackedDomains,
    SubspaceAlignment,
    load_pipeline,
    make_recipe,
    make_transfer_pipeline,
    mark_domains,
    save_pipeline,
)

OFFSETS = {"books": 0.0, "dvd": 8.0, "music": -9.0}
DOMAIN = np.repeat(list(OFFSETS), 60)
Y = np.tile([0, 1], 90)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(180, 3)) + 3 * Y[:, None] + np.array([OFFSETS[name] for name in DOMAIN])[:, None]
Y_TARGET = np.tile([0, 1], 50)
TARGET = RNG.normal(size=(100, 3)) + 3 * Y_TARGET[:, None] + 30
EACH = [DomainCentering(), DomainCentering(with_std=True), CORAL(), LinearOT()]


def model(adapter):
    return make_transfer_pipeline(clone(adapter), LogisticRegression())


@pytest.mark.parametrize("adapter", EACH)
def test_each_source_is_mapped_as_if_it_were_the_only_one(adapter):
    adapter = clone(adapter).set_params(priors="uniform")
    mapped = clone(adapter).fit_transform(X, Y, TARGET, DOMAIN)
    for name in OFFSETS:
        rows = name == DOMAIN
        alone = clone(adapter).fit(X[rows], Y[rows], TARGET)
        np.testing.assert_allclose(mapped[rows], alone.transform_source(X[rows]), atol=1e-9)


@pytest.mark.parametrize("adapter", EACH)
def test_the_target_is_mapped_as_without_names(adapter):
    told = clone(adapter).fit(X, Y, TARGET, DOMAIN)
    pooled = clone(adapter).fit(X, Y, TARGET)
    np.testing.assert_array_equal(told.transform(TARGET), pooled.transform(TARGET))
    np.testing.assert_array_equal(told.transform_source(X), pooled.transform_source(X))
    assert list(told.source_maps_) == ["books", "dvd", "music"]
    assert pooled.source_maps_ == {}


def test_other_adapters_take_all_sources_as_one():
    told = SubspaceAlignment(2).fit(X, Y, TARGET, DOMAIN)
    pooled = SubspaceAlignment(2).fit(X, Y, TARGET)
    np.testing.assert_array_equal(told.transform_source(X, DOMAIN), pooled.transform_source(X))


def test_class_shares_of_a_source_move_its_rows_by_nothing():
    few = (DOMAIN != "dvd") | (Y == 0) | (np.arange(180) % 6 == 1)  # a quarter of the dvds are of class 1
    adapter = DomainCentering(priors="uniform").fit(X[few], Y[few], TARGET, DOMAIN[few])
    dvds = adapter.transform_source(X[DOMAIN == "dvd"], "dvd")
    np.testing.assert_allclose(dvds.mean(axis=0), 0, atol=0.5)  # 0.75 if shares were not looked at


@pytest.mark.parametrize("kept", [np.arange(180) < 80, (DOMAIN == "books") | (Y == 0)])
def test_a_source_of_few_rows_or_without_a_class_keeps_the_map_of_all(kept):
    adapter = DomainCentering().fit(X[kept], Y[kept], TARGET, DOMAIN[kept])
    dvds = X[DOMAIN == "dvd"]
    np.testing.assert_array_equal(adapter.transform_source(dvds, "dvd"), adapter.transform_source(dvds))


def test_more_rows_by_partial_fit_are_of_all_sources():
    adapter = DomainCentering().fit(X, Y, TARGET, DOMAIN).partial_fit(X[:5])
    np.testing.assert_array_equal(adapter.transform_source(X, DOMAIN), adapter.transform_source(X))


@pytest.mark.parametrize("adapter", EACH)
def test_a_pipeline_predicts_rows_of_each_source(adapter):
    fitted = model(adapter).fit(X, Y, X_target=TARGET, domain=pd.Series(DOMAIN))
    assert (fitted.predict(TARGET) == Y_TARGET).mean() > 0.95
    assert (fitted.predict_source(X, DOMAIN) == Y).mean() > 0.95
    books = X[DOMAIN == "books"]
    np.testing.assert_array_equal(
        fitted.predict_proba_source(books, "books"), fitted.predict_proba_source(X, DOMAIN)[DOMAIN == "books"]
    )
    pooled = model(adapter).fit(X, Y, X_target=TARGET)
    assert (pooled.predict(TARGET) == Y_TARGET).mean() < 0.9  # the sources lie too far apart for one mean


def test_a_saved_pipeline_keeps_its_maps(tmp_path):
    fitted = model(CORAL()).fit(X, Y, X_target=TARGET, domain=DOMAIN)
    save_pipeline(fitted, tmp_path / "model")
    loaded = load_pipeline(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_source(X, DOMAIN), fitted.predict_source(X, DOMAIN))


def test_views_of_co_training_map_each_source():
    fitted = CoTrainingClassifier([("rows", model(DomainCentering()))])
    fitted.fit(X, Y, TARGET, domain=DOMAIN)
    assert (fitted.predict_source(X, DOMAIN) == Y).mean() > 0.95


def test_the_recipe_of_words_pools_sources_and_takes_weights():
    texts = [
        f"{'good' if label else 'bad'} {name} {i % 7}"
        for i, (label, name) in enumerate(zip(Y, DOMAIN, strict=True))
    ]
    target = ["good pan 1", "bad pan 2", "good pot 3", "bad pot 4"] * 5
    pooled = make_recipe("words").fit(texts, Y, X_target=target)
    told = make_recipe("words").fit(texts, Y, X_target=target, domain=DOMAIN)
    np.testing.assert_array_equal(told.predict_proba(target), pooled.predict_proba(target))
    weight = {"selftrainingclassifier__sample_weight": np.where(DOMAIN == "books", 3.0, 1.0)}
    weighed = make_recipe("words").fit(texts, Y, X_target=target, domain=DOMAIN, **weight)
    assert not np.array_equal(weighed.predict_proba(target), pooled.predict_proba(target))


def test_splitters_tell_the_pipeline_which_row_is_of_which_source():
    rows = mark_domains(np.concatenate([X, TARGET]), [*DOMAIN, *["pans"] * 100])
    labels = np.concatenate([Y, Y_TARGET])
    stacked = StackedDomains(model(DomainCentering()), target="pans").fit(rows, labels)
    assert list(stacked.estimator_[0].source_maps_) == ["books", "dvd", "music"]
    assert (stacked.predict(rows) == labels).mean() > 0.95
    folds = LeaveOneDomainOut(n_folds=2, target_rows="all")
    scores = cross_val_score(StackedDomains(model(DomainCentering()), target=None), rows, labels, cv=folds)
    assert len(scores) == 8
    assert scores.min() > 0.9


def test_what_is_wrong_with_names_is_said():
    with pytest.raises(ValueError, match=r"Got 180 rows and domains of shape \(179,\)"):
        model(CORAL()).fit(X, Y, X_target=TARGET, domain=DOMAIN[1:])
    with pytest.raises(ValueError, match="Got 1 rows without a domain, the first is row 3"):
        CORAL().fit(X, Y, TARGET, [*DOMAIN[:2], None, *DOMAIN[3:]])
    fitted = model(CORAL()).fit(X, Y, X_target=TARGET, domain=DOMAIN)
    with pytest.raises(ValueError, match=r"rows of the domain 'pans'. Expected .*'books', 'dvd', 'music'"):
        fitted.predict_source(X, "pans")
