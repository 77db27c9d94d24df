"""Steps of a pipeline of texts estimate class shares from its words, beside their rows."""

import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from embtransfer import (
    CORAL,
    DomainCentering,
    NoAdaptation,
    SelfTrainingClassifier,
    WordEmbedder,
    WordVectors,
    fit_files,
    learning_curve,
    make_transfer_pipeline,
)
from embtransfer.datasets import load_demo_reviews

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
X, Y = FILMS.data, FILMS.target
SEEN = [*np.flatnonzero(PANS.target == 1)[:120], *np.flatnonzero(PANS.target == 0)[:30]]  # 80 % positive
Z = [PANS.data[row] for row in SEEN]


def fitted(*steps, texts=X, target=Z, **options):
    return make_transfer_pipeline(WordEmbedder(), *steps, **options).fit(texts, Y, X_target=target)


def of_rows(step, embedder, texts=X, y=Y, target=Z):
    """The step fitted on the vectors alone."""
    embedder.fit(texts)
    return clone(step).fit(embedder.transform(texts), y, X_target=embedder.transform(target))


def texts_of_words(rng, n, share):
    """Texts of eight words, of which four tell the class three times in four; the classes."""
    y = rng.permutation(np.arange(n) < share * n).astype(int)
    told = np.where(rng.random((n, 4)) < 0.75, y[:, None], 1 - y[:, None])
    words = [f"{'bg'[k]}{i}" for row in told for k, i in zip(row, rng.integers(20, size=4), strict=True)]
    others = rng.integers(60, size=(n, 4))
    return [" ".join([*words[4 * row : 4 * row + 4], *(f"w{i}" for i in others[row])]) for row in range(n)], y


@pytest.mark.parametrize("step", [DomainCentering(), CORAL(), SelfTrainingClassifier()], ids=str)
def test_words_bring_the_shares_nearer_to_the_truth_than_vectors_that_say_little(step):
    rng = np.random.default_rng(0)
    (texts, y), (target, _) = texts_of_words(rng, 600, 0.5), texts_of_words(rng, 600, 0.8)
    names = [f"{kind}{i}" for kind in "bgw" for i in range(60)]
    embedder = WordEmbedder(WordVectors(names, rng.normal(size=(180, 5)).astype(np.float32)))
    steps = [step, LogisticRegression()] if hasattr(step, "transform") else [NoAdaptation(), step]
    model = make_transfer_pipeline(embedder, *steps).fit(texts, y, X_target=target)
    by_words = next(part for _, part in model.steps if type(part) is type(step)).priors_
    by_rows = of_rows(step, embedder, texts, y, target).priors_
    assert abs(by_words[1] - 0.8) < 0.1 < abs(by_rows[1] - 0.8)


def test_fitted_steps_hold_no_texts():
    model = fitted(DomainCentering(), SelfTrainingClassifier())
    assert not any("_words" in vars(step) for _, step in model.steps)
    assert Z[0].encode() not in pickle.dumps(model[1:])


def test_other_containers_of_texts_say_the_same():
    expected = fitted(DomainCentering()).steps[-1][1].priors_
    for container in (np.array, pd.Series, pa.array):
        model = fitted(DomainCentering(), texts=container(X), target=container(Z))
        np.testing.assert_array_equal(model[-1].priors_, expected)


def test_with_memory_as_without(tmp_path):
    with_memory = fitted(DomainCentering(), LogisticRegression(), memory=str(tmp_path))
    np.testing.assert_array_equal(with_memory[1].priors_, fitted(DomainCentering())[-1].priors_)
    assert not any("_words" in vars(step) for _, step in with_memory.steps)


def test_self_training_takes_over_what_an_adapter_found():
    model = fitted(DomainCentering(), SelfTrainingClassifier())
    np.testing.assert_array_equal(model[1].priors_, model[2].priors_)


def test_fits_from_files_read_the_words_too(tmp_path):
    pd.DataFrame({"text": X, "label": Y}).to_csv(tmp_path / "films.csv", index=False)
    pd.DataFrame({"text": Z}).to_csv(tmp_path / "pans.csv", index=False)
    pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), LogisticRegression())
    fit_files(pipeline, tmp_path / "films.csv", tmp_path / "pans.csv", batch_size=50)
    np.testing.assert_allclose(pipeline[1].priors_, fitted(DomainCentering())[-1].priors_, atol=1e-3)


def test_points_of_a_learning_curve_read_them():
    asked = []

    class Centering(DomainCentering):
        def _find_priors(self, *arguments):
            asked.append(self._words is not None)
            return super()._find_priors(*arguments)

    models = {"centred": make_transfer_pipeline(WordEmbedder(), Centering(), LogisticRegression())}
    learning_curve(
        *(X, Y, PANS.data, PANS.target), models=models, n_repeats=1, source_sizes=[80], target_sizes=[0, 40]
    )
    assert set(asked) == {True}


def test_rows_that_are_no_texts_are_left_to_themselves():
    embedder = WordEmbedder().fit(X)
    model = make_transfer_pipeline(NoAdaptation(), DomainCentering())
    model.fit(embedder.transform(X), Y, X_target=embedder.transform(Z))
    np.testing.assert_array_equal(model[-1].priors_, of_rows(DomainCentering(), embedder).priors_)


def test_texts_without_words_are_told_by_their_rows():
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    texts = ["".join(rng.choice([*"🍳🎬", "🎁🎈"[k]], 6)) for k in y]
    letters = TfidfVectorizer(analyzer="char"), TruncatedSVD(2, random_state=0)
    model = make_transfer_pipeline(*letters, DomainCentering(), LogisticRegression())
    model.fit(texts, y, X_target=texts[:41])
    rows = [model[:2].transform(some) for some in (texts, texts[:41])]
    alone = DomainCentering().fit(rows[0], y, X_target=rows[1])
    np.testing.assert_array_equal(model[2].priors_, alone.priors_)
