"""compare with some target labels to learn from: no text that was learned from is scored."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from embtransfer import NGramVectorizer, PooledClassifier, compare, make_recipe
from embtransfer.datasets import load_demo_reviews
from embtransfer.trials._splits import Split

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
DRAWN = np.random.default_rng(0).permutation(len(FILMS.data))[:80]
DATA = [[bunch[name][i] for i in DRAWN] for bunch in (FILMS, PANS) for name in ("data", "target")]
FEW = [label if i % 2 else None for i, label in enumerate(DATA[3])]
PARTS = {"embedders": {"ngrams": NGramVectorizer()}, "adapters": ["none"], "recipes": [], "cv": 3}


def split(y_target=DATA[3], X_target=DATA[2], transductive=False, n=20, seed=0):
    return Split(*DATA[:2], X_target, y_target, transductive, 0.5, seed, n_target_labels=n)


@pytest.mark.parametrize("transductive", [False, True])
@pytest.mark.parametrize("y_target", [DATA[3], FEW], ids=["all labelled", "half of them"])
@pytest.mark.parametrize("seed", range(5))
def test_no_scored_row_was_learned_from(transductive, y_target, seed):
    texts = [*DATA[2][:40], *(f" {text.upper()}" for text in DATA[2][:40])]  # each a second time
    y_target = [*y_target[:40], *y_target[:40]]
    data = split(y_target, texts, transductive, 8, seed)
    learned = {texts[i].strip().lower() for i in data.learned}
    assert len(data.learned) == 8
    assert len(data.scored) == len(data.y_scored) > 0
    assert not learned & {text.strip().lower() for text in data.scored}
    known = [(text, label) for text, label in zip(data.seen, data.y_seen, strict=True) if label is not None]
    assert known == [(texts[i], y_target[i]) for i in data.learned]


def test_the_same_texts_are_scored_as_without():
    some, none = split(), split(n=0)
    assert some.scored == none.scored
    assert some.seen == none.seen
    assert (none.y_seen, len(none.learned)) == (None, 0)


def test_labels_are_drawn_in_the_shares_of_the_classes_and_fewer_are_among_more():
    y_target = (np.arange(80) % 4 == 0).astype(int)
    few, some, again = (split(y_target, n=n).learned for n in (8, 20, 20))
    rest = np.array([text in split(y_target).seen for text in DATA[2]])
    assert abs(y_target[some].mean() - y_target[rest].mean()) < 0.06
    assert {*few} < {*some}
    np.testing.assert_array_equal(some, again)
    assert {*some} != {*split(y_target, seed=1).learned}


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what each fit was given of the target."""

    __metadata_request__fit = {"X_target": True, "y_target": True}
    given: list = []

    def fit(self, X, y, X_target=None, y_target=None):
        self.classes_ = np.unique(y)
        self.given.append([text for text, one in zip(X_target, y_target, strict=True) if one is not None])
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.mark.parametrize("transductive", [False, True])
def test_models_are_given_these_labels_alone_in_folds_too(transductive, monkeypatch):
    monkeypatch.setattr(Recorder, "given", [])
    compare(*DATA, n_target_labels=20, **PARTS | {"recipes": {"mine": Recorder()}}, transductive=transductive)
    data = split(transductive=transductive)
    assert Recorder.given == [[DATA[2][i] for i in data.learned]] * 4


def test_the_table_says_what_learned_from_how_many():
    options = PARTS | {"classifiers": {"pooled": PooledClassifier(), "logistic": "logistic"}}
    options["recipes"] = ["words"]
    table, without = compare(*DATA, n_target_labels=20, **options), compare(*DATA, **options)
    assert (table["error"] == "").all()
    learned = dict(zip(table["classifier"], table["target_labels"], strict=True))
    assert learned == {"majority": 0, "logistic": 0, "pooled": 20, "words": 20}
    assert "target_labels" not in without
    changed = table["target_score"] != without["target_score"]
    assert not (changed & (table["target_labels"] == 0)).any()


def test_a_row_is_what_a_model_made_by_hand_scores():
    data = split()
    options = PARTS | {"recipes": ["words"], "classifiers": {"pooled": PooledClassifier()}}
    table = compare(*DATA, n_target_labels=20, **options).set_index("classifier")
    target = {"X_target": data.seen, "y_target": data.y_seen}
    words = clone(make_recipe("words")).fit(*DATA[:2], **target)
    embedder = NGramVectorizer().fit(DATA[0], X_target=data.seen)
    source, seen, scored = map(embedder.transform, (DATA[0], data.seen, data.scored))
    pooled = PooledClassifier().fit(source, DATA[1], X_target=seen, y_target=data.y_seen)
    for name, found in {"words": words.predict(data.scored), "pooled": pooled.predict(scored)}.items():
        assert table.loc[name, "target_score"] == (found == data.y_scored).mean()


@pytest.mark.parametrize("n", [-1, 0.5, "all"])
def test_a_number_that_is_none(n):
    with pytest.raises(ValueError, match=r"Got n_target_labels=.*Expected a whole number, 0 or more"):
        compare(*DATA, n_target_labels=n)


def test_labels_must_be_left_to_score():
    with pytest.raises(ValueError, match=r"Got n_target_labels=41 of 80 .*, of which 40 are seen while"):
        compare(*DATA, n_target_labels=41)
    with pytest.raises(ValueError, match=r"Got n_target_labels=80 of 80 .* Expected fewer, so that others"):
        compare(*DATA, n_target_labels=80, transductive=True)


def test_labels_must_be_there_and_be_classes():
    with pytest.raises(ValueError, match=r"n_target_labels=5 without labels of the target\. Pass y_target"):
        compare(*DATA[:3], n_target_labels=5)
    numbers = DATA[0], np.arange(80.0), DATA[2], np.arange(80.0)
    with pytest.raises(ValueError, match=r"n_target_labels=5 with labels that are no classes\. Leave it"):
        compare(*numbers, scoring="r2", n_target_labels=5)
