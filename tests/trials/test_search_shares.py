"""TransferSearch with class shares that the user knows."""

import pytest

from embtransfer import TransferSearch, class_shares
from embtransfer.datasets import load_demo_reviews

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
SETTINGS = {"embedders": ["word_mean"], "adapters": ["none", "centering"], "recipes": []}


def test_candidates_are_judged_by_them():
    search = TransferSearch(**SETTINGS, target_shares={1: 0.2, 0: 0.8})
    search.fit(FILMS.data, FILMS.target, X_target=PANS.data)
    assert search.target_priors_.tolist() == [0.8, 0.2]
    assert class_shares(search)["target"].tolist() == [0.8, 0.2]


def test_shares_of_other_labels():
    search = TransferSearch(**SETTINGS, target_shares={1: 1.0})
    with pytest.raises(ValueError, match="Got target_shares without 0"):
        search.fit(FILMS.data, FILMS.target, X_target=PANS.data)
