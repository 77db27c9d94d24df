"""What a notebook shows of a search: a card of its own, from which nothing of the data can run or load."""

import re

import pytest

from embtransfer import TransferSearch, class_shares
from embtransfer.datasets import load_demo_reviews

TAGS = {"div", "p", "b", "span", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"}


def fitted(labels, **options):
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    search = TransferSearch(["word_mean"], ["centering"], ["logistic"], recipes=[], **options)
    return search.fit(films.data, [labels[label] for label in films.target], X_target=pans.data)


@pytest.fixture(scope="module")
def search():
    return fitted(["bad", "<img src=x onerror=alert(1)>"])


def test_the_card_has_winner_score_interval_shares_and_candidates(search):
    card = search._repr_html_()
    low, high = search.score_interval_
    assert f"<b>{search.best_name_}</b>" in card
    assert f"<b>{search.expected_score_:.3f} ({low:.3f} to {high:.3f})</b>" in card
    shares = class_shares(search)
    assert f"{shares.loc['bad', 'target']:.0%}</td>" in card
    assert f"{shares.loc['bad', 'low']:.0%} to {shares.loc['bad', 'high']:.0%}" in card
    rows = re.findall("<tr>(.*?)</tr>", card.partition("<details>")[2])
    assert len(rows) == 1 + len(search.results_)
    assert search.results_.loc[search.best_index_, "embedder"] in rows[1]


def test_what_comes_with_data_is_escaped_and_nothing_is_loaded(search):
    card = search._repr_html_()
    assert "&lt;img src=x onerror=alert(1)&gt;" in card
    assert set(re.findall(r"<(\w+)", card)) <= TAGS
    assert not re.search(r"url\(|https?:", card)


def test_a_score_of_another_scale_has_no_bar():
    assert "position:absolute" not in fitted(["bad", "good"], scoring="neg_log_loss")._repr_html_()
    assert "worth of its labels" in fitted(["bad", "good"], scoring=[[0, 1], [5, 0]])._repr_html_()


def test_notebooks_get_the_card_and_before_fit_the_diagram(search):
    assert search._repr_mimebundle_(include=None, exclude=None)["text/html"] == search._repr_html_()
    unfitted = TransferSearch()._repr_mimebundle_()
    assert unfitted["text/plain"] == "TransferSearch()"
    assert "sk-" in unfitted["text/html"]
