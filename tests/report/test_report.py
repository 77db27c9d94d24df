"""The report: its numbers are those of the library, its page is whole, harmless and needs nothing else."""

import json
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, precision_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

from embtransfer import (
    DomainCentering,
    WordEmbedder,
    compare,
    covariance_distance,
    domain_shift,
    make_classifier,
    make_recipe,
    make_report,
    make_transfer_pipeline,
    mmd,
    proxy_a_distance,
    word_shift,
)
from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews
from embtransfer.report._directions import along, gaps, limits
from embtransfer.report._reproduce import quote_command
from embtransfer.report._svg import _PATHS, _scaled, nice_numbers, short_number
from embtransfer.trials._splits import Split

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
DATA = FILMS.data, FILMS.target, PANS.data, PANS.target
SPLIT = Split(*DATA, False, 0.5, 0)
KEYS = [
    "recommendation",
    "data",
    "comparison",
    "tradeoff",
    "projection",
    "confusion",
    "coverage",
    "words",
    "curves",
    "shift",
    "reproduce",
]
HOSTILE = "<script>alert(1)</script> \"two\" 'one' & </svg></style> | *b* `c` 漢字 שלום \u202e مرحبا \x00"
VOID = {"meta", "link", "br", "hr", "img", "input"}


def make_curves(models=("tfidf", "words")):
    rng = np.random.default_rng(0)
    rows = [
        (
            model,
            labels,
            n if labels == "source" else 64,
            0 if labels == "source" else n,
            i,
            rng.random(),
            1.0,
            "",
        )
        for model in models
        for labels in ("source", "target", "both")
        for n in (16, 64, 320)
        for i in range(3)
    ]
    columns = ["model", "labels", "n_source", "n_target", "repeat", "score", "seconds", "error"]
    return pd.DataFrame(rows, columns=columns)


def make_selection(**changes):
    results = pd.DataFrame({"name": ["words", "coral"], "expected_score": [0.81, np.nan]})
    attributes = {
        "best_name_": "words",
        "reason_": "it is best by importance-weighted validation.",
        "expected_score_": 0.81,
        "score_interval_": (0.77, 0.84),
        "results_": results,
    }
    return SimpleNamespace(**{**attributes, **changes})


@pytest.fixture(scope="module")
def table():
    return compare(*DATA, recipes=[])


@pytest.fixture(scope="module")
def report(table):
    return make_report(
        *DATA, table=table, title="films to pans", curves=make_curves(), selection=make_selection()
    )


@pytest.fixture(scope="module")
def bare():
    """Neither table nor target labels."""
    return make_report(*DATA[:3])


def sections(report):
    return {section["key"]: section for section in report.to_dict()["sections"]}


def rows(report, key, name):
    (found,) = (table for table in sections(report)[key]["tables"] if table["name"] == name)
    return pd.DataFrame(found["rows"])


class Page(HTMLParser):
    """Elements as (name, attributes), text by element; fails on tags that do not nest."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.texts = [], [], {}
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert len(attributes) == len(dict(attributes)), f"{tag} has an attribute twice"
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def hostile():
    """Texts, labels, names, title, reason and curves that try to break out."""
    rng = np.random.default_rng(0)
    texts = [f"{text} {HOSTILE} \ud800" for text in FILMS.data]
    labels = rng.choice([HOSTILE, "half"], len(texts)).astype(object)
    table = compare(*DATA, embedders={HOSTILE: "word_mean"}, adapters=["none"], recipes=[])
    return make_report(
        texts,
        labels,
        [f"{text} again" for text in texts],
        labels,
        table=table,
        title=f"{HOSTILE} \ud800",
        curves=make_curves([HOSTILE]),
        selection=make_selection(best_name_=HOSTILE, reason_=HOSTILE),
        command=["embtransfer", HOSTILE],
    )


# what is in it


def test_sections(report):
    assert list(sections(report)) == KEYS
    assert report.left_out == {}
    assert repr(report) == "Report('films to pans', 11 sections)"


def test_the_data_come_first_with_what_is_wrong_with_them(report, bare):
    assert sections(report)["data"]["texts"][0].startswith("Data: source 320 texts of 27 words (")
    found = rows(report, "data", "data")
    assert found["source"].tolist() == [160, 160]
    assert "target" not in rows(bare, "data", "data")
    y = [label if i else f"{label} " for i, label in enumerate(map(str, DATA[1]))]
    said = sections(make_report([*DATA[0][:-1], "<br>" * 9], y, DATA[2][:-1] + [""]))["data"]["texts"]
    assert "differ by case or white space" in said[1]
    assert "Missing or empty: 1 of 320 target texts." in said[2]


def test_left_out_sections_say_why(bare):
    assert set(bare.left_out) == {"recommendation", "comparison", "tradeoff", "curves"}
    html, markdown = bare.to_html(), bare.to_markdown()
    for key, why in bare.left_out.items():
        assert why.endswith(".")
        assert sections(bare)[key]["left_out"] == why
        assert f"Left out: {why}" in html
        assert markdown.replace("\\", "").count(f"Left out: {why}") >= 1


def test_recommendation_of_a_selection(report):
    section = sections(report)["recommendation"]
    assert section["headline"] == "Use words"
    assert section["bars"][0]["rows"][0]["low"] == 0.77
    assert section["texts"][-1].startswith("Class shares: 0: 50 % in the source, ")
    assert section["bars"][0]["title"] == "Score on the target (expected: without its labels)"
    assert section["texts"][0] == "it is best by importance-weighted validation."
    assert section["tables"][0]["rows"] == [
        {"name": "words", "expected_score": 0.81},
        {"name": "coral", "expected_score": None},
    ]


@pytest.mark.parametrize(("scoring", "name"), [("accuracy", "expected"), ("f1_macro", "expected, f1_macro")])
def test_an_expected_score_of_another_kind_than_the_measured_ones_is_named(table, scoring, name):
    section = sections(make_report(*DATA, table=table, selection=make_selection(scoring=scoring)))
    assert section["recommendation"]["bars"][0]["rows"][0]["name"] == name


def test_recommendation_without_an_expected_score():
    selection = make_selection(expected_score_=np.nan, score_interval_=(np.nan, np.nan), results_=None)
    report = make_report(*DATA[:3], selection=selection)
    section = sections(report)["recommendation"]
    assert section["headline"] == "Use words"
    assert section["bars"] == []


@pytest.mark.parametrize(("score", "beaten"), [(0.7, True), (0.76, False)])
def test_what_is_measured_to_be_better_than_chance_allows_is_recommended(table, score, beaten):
    best = table.loc[[table["target_score"].idxmax()]].assign(target_score=0.8)
    chosen = best.assign(embedder="recipe", adapter="-", classifier="words", target_score=score)
    both = pd.concat([best, chosen], ignore_index=True)
    both.attrs = table.attrs | {"target_texts_scored": 300}
    selection = make_selection(best_name_="recipe + words")
    section = sections(make_report(*DATA, table=both, selection=selection))["recommendation"]
    assert section["headline"].startswith("Best on the target: word_mean") == beaten
    assert (section["headline"] == "Use recipe + words") == (not beaten)
    assert (
        f"recipe + words was chosen, expected 0.810, measured {score:.3f}" in section["texts"][0]
    ) == beaten
    assert section["bars"][0]["rows"][not beaten]["score"] == (0.8 if beaten else score)


def test_recommendation_by_target_labels_says_so(table):
    best = table.loc[table["target_score"].idxmax()]
    section = sections(make_report(*DATA, table=table))["recommendation"]
    text, adapting, _ = section["texts"]
    assert section["headline"].startswith("Best on the target: ")
    (bars,) = section["bars"]
    names = ["measured", "without adapting", "TF-IDF", "the majority class"]
    assert [row["name"] for row in bars["rows"]] == names
    assert all(row["low"] < row["score"] < row["high"] for row in bars["rows"])
    assert adapting.startswith("Adapting helps: +")
    assert text.startswith("Nothing was chosen without target labels; by the labels of 160 target texts ")
    assert f" + {best['adapter']} + " in text
    assert f"{best['target_score']:.3f}" in text


def test_recommendation_without_target_labels():
    table = compare(*DATA[:3], recipes=[], adapters=["none"])
    report = make_report(*DATA[:3], table=table)
    text, _ = sections(report)["recommendation"]["texts"]
    assert text.startswith("Nothing was chosen: the target has no labels")
    assert "score on the source" in sections(report)["tradeoff"]["charts"][0]["title"].lower()


def test_table_is_that_of_compare(report, table):
    found = rows(report, "comparison", "comparison")
    expected = table.drop(columns="error")
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_failed_combinations_are_shown_and_left_out_of_charts(table):
    failed = table.copy()
    failed.loc[4, ["target_score", "source_cv", "fit_seconds", "texts_per_second"]] = np.nan
    failed.loc[4, "error"] = "ValueError: no " + str(Path.home() / "file")
    report = make_report(*DATA, table=failed)
    assert rows(report, "comparison", "comparison")["error"][4].startswith("ValueError: no ~")
    assert len(rows(report, "tradeoff", "tradeoff")) == len(table) - 2  # nor the majority class


def test_nothing_ran(table):
    failed = table.assign(target_score=np.nan, source_cv=np.nan, error="ValueError: no")
    assert make_report(*DATA, table=failed).left_out["tradeoff"] == "No combination ran; the table says why."


def test_pareto(report, table):
    points = rows(report, "tradeoff", "tradeoff")
    assert points["score"].is_monotonic_decreasing
    for merit, best in (
        (points["texts_per_second"], "best_to_predict"),
        (-points["fit_seconds"], "best_to_fit"),
    ):
        for i in points.index:
            beaten = any(
                points["score"][j] >= points["score"][i]
                and merit[j] >= merit[i]
                and (points["score"][j], merit[j]) != (points["score"][i], merit[i])
                for j in points.index
            )
            assert points[best][i] == ("no" if beaten else "yes")


def test_projection_shows_classes_and_domains_and_that_adapting_brings_these_together(report):
    charts = sections(report)["projection"]["charts"]
    assert [chart["name"] for chart in charts] == ["projection_before", "projection_after"]
    before, after = (pd.DataFrame(chart["points"]) for chart in charts)
    assert before["domain"].value_counts().to_dict() == {"source": 160, "target": 80}
    for points in (before, after):
        classes = points[points["domain"] == "source"].groupby("label")["x"].mean()
        assert classes["1"] - classes["0"] > 1
    apart = [points.groupby("domain")["y"].mean() for points in (before, after)]
    assert apart[0]["target"] - apart[0]["source"] > 3
    assert abs(apart[1]["target"] - apart[1]["source"]) < 0.8


def test_directions_are_fitted_on_other_rows_than_those_drawn():
    rng = np.random.default_rng(0)
    points = along(rng.normal(size=(100, 50)), rng.normal(size=(100, 50)), list("ab") * 50)
    assert max(gaps(points)) < 0.6  # on the rows that they are fitted on: above 1.5


def test_a_projection_that_says_nothing_is_left_out():
    y = np.arange(600) % 4 // 2  # in both of the halves
    X = np.random.default_rng(0).normal(size=(600, 3))
    report = make_report(X, y, X + 0.0001)
    assert report.left_out["projection"].startswith("Neither the source's classes nor the domains")


def test_one_far_row_does_not_press_the_others_together():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    X[0] = 1e4
    points = along(X[:100], X[100:], list("aabb") * 25)
    low, high = limits({"before": points})["x"]
    assert high - low < 20


def test_projection_draws_a_sample():
    report = make_report(FILMS.data * 3, list(FILMS.target) * 3, PANS.data * 5)
    points = pd.DataFrame(sections(report)["projection"]["charts"][0]["points"])
    assert points["domain"].value_counts().to_dict() == {"source": 300, "target": 300}


def test_many_classes():
    rng = np.random.default_rng(0)
    classes = np.array([f"class {i}" for i in range(30)])
    y, y_target = rng.choice(classes, 320), rng.choice(classes, 320)
    model = make_transfer_pipeline(WordEmbedder(), DomainCentering(), LogisticRegression())
    report = make_report(FILMS.data, y, PANS.data, y_target, model=model)
    mistakes = rows(report, "confusion", "mistakes")
    assert len(mistakes) == 20
    assert (mistakes["true_class"] != mistakes["taken_for"]).all()
    points = pd.DataFrame(sections(report)["projection"]["charts"][0]["points"])
    assert points.loc[points["domain"] == "source", "label"].nunique() == 6
    assert "other classes" in set(points["label"])


@pytest.mark.parametrize("transductive", [False, True])
def test_confusion_of_target_texts(transductive):
    split = Split(*DATA, transductive, 0.3, 5)
    model = make_transfer_pipeline(WordEmbedder(), DomainCentering(), LogisticRegression())
    report = make_report(*DATA, model=model, transductive=transductive, test_size=0.3, random_state=5)
    predicted = clone(model).fit(FILMS.data, FILMS.target, X_target=split.seen).predict(split.scored)
    found = rows(report, "confusion", "confusion")
    np.testing.assert_array_equal(
        found[["predicted 0", "predicted 1"]], confusion_matrix(split.y_scored, predicted)
    )
    precision = rows(report, "confusion", "classes")["precision"]
    assert precision[1] == pytest.approx(precision_score(split.y_scored, predicted))
    seen = "seen" if transductive else "unseen"
    assert (
        f"{len(split.scored)} target texts {seen} while adapting" in sections(report)["confusion"]["texts"][0]
    )


def test_confusion_of_held_out_source_texts(bare):
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    train, test = next(folds.split(FILMS.target, FILMS.target))
    model = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    model.fit([FILMS.data[i] for i in train], FILMS.target[train], X_target=PANS.data)
    predicted = model.predict_source([FILMS.data[i] for i in test])
    expected = confusion_matrix(FILMS.target[test], predicted)
    found = rows(bare, "confusion", "confusion")
    np.testing.assert_array_equal(found[["predicted 0", "predicted 1"]], expected)
    assert "80 held-out source texts: the target has no labels" in sections(bare)["confusion"]["texts"][0]


def test_classes_are_equal_as_python_says():
    report = make_report(*DATA[:3], PANS.target.astype(float))
    assert list(rows(report, "confusion", "confusion")["true class"]) == ["0", "1"]


def test_words_moved_and_decide_and_are_no_stop_words(report):
    z = word_shift(FILMS.data, PANS.data, top=2000).set_index("word")["z"]
    for name, sign in (("target", 1), ("source", -1)):
        found = rows(report, "words", f"typical_{name}")
        assert 5 < len(found) <= 12
        assert not set(found["word"]) & {"the", "of", "it", "is", "these"}
        np.testing.assert_allclose(found["z"], z[found["word"]])
        assert (sign * found["z"] > 0).all()
        assert (np.diff(found["z"].abs() * found["weight"]) <= 1e-9).all()


def test_words_that_decide(report):
    assert {"label", "word", "weight"} <= set(rows(report, "words", "deciding"))


def test_domains_without_a_difference():
    report = make_report(*DATA[:2], DATA[0])
    assert "No word is more frequent in the target." in sections(report)["words"]["texts"]


def test_coverage(report):
    coverage = WordEmbedder().fit(["-"]).coverage(PANS.data)
    known = rows(report, "coverage", "coverage_0").set_index("domain").loc["target"]
    assert known["known"] == pytest.approx(coverage.share)
    assert known["words"] == coverage.n_tokens.sum()
    unknown = rows(report, "coverage", "unknown_0")
    pd.testing.assert_frame_equal(unknown, coverage.unknown(12), check_dtype=False)


def test_coverage_of_known_words():
    report = make_report(["good film", "bad film"] * 6, [1, 0] * 6, ["good pan", "bad pan"] * 6)
    assert "The table knows every word of the target." in sections(report)["coverage"]["texts"]


def test_shift(report):
    embedder = WordEmbedder().fit(["-"])
    before = embedder.transform(FILMS.data), embedder.transform(SPLIT.seen)
    after = [part - part.mean(axis=0) for part in before]
    found = rows(report, "shift", "shift")
    for column, pair in (("before", before), ("after", after)):
        expected = domain_shift(*pair)
        keys = ["proxy_a_distance", "squared_mmd", "covariance_distance"]
        np.testing.assert_allclose(found[column][[0, 1, 4]], expected[keys], rtol=1e-2, atol=1e-2)
    assert found["what_it_says"].str.endswith(".").all()


def test_curves(report):
    means = make_curves().groupby(["model", "labels", "n_source", "n_target"])["score"].mean()
    found = rows(report, "curves", "curves").set_index(["model", "labels", "n_source", "n_target"])["mean"]
    pd.testing.assert_series_equal(found.sort_index(), means, check_names=False)
    names = [chart["name"] for chart in sections(report)["curves"]["charts"]]
    assert names == ["curve_source", "curve_target", "curve_both"]


def test_curves_on_source_texts_say_so():
    report = make_report(*DATA[:3], curves=make_curves().assign(scored="source"))
    (text,) = sections(report)["curves"]["texts"]
    assert text == "Scores are those of held-out source texts: the target has no labels."


def test_curves_of_failed_models():
    report = make_report(*DATA, curves=make_curves().assign(score=np.nan))
    assert report.left_out["curves"] == "No model of the learning curves ran."


def test_reproduce(report, bare):
    facts = rows(bare, "reproduce", "environment").set_index("what")["value"]
    assert facts["texts"] == "320 source, 320 target texts seen while adapting"
    assert facts["seed of splits, folds and draws"] == "0"
    assert facts["Python"] == ".".join(map(str, sys.version_info[:3]))
    assert (
        "No command line was given: the report was made in Python." in sections(report)["reproduce"]["texts"]
    )
    assert "DomainCentering()" in sections(report)["reproduce"]["code"][0]


# other models


def test_model_without_an_adapter(table):
    report = make_report(*DATA, model=make_recipe("words"), table=table)
    charts = sections(report)["projection"]["charts"]
    assert [chart["name"] for chart in charts] == ["projection_before"]
    assert "adapts no rows" in sections(report)["projection"]["texts"][-1]
    assert "after" not in rows(report, "shift", "shift")
    assert report.left_out["coverage"].endswith("has no WordEmbedder, whose table of words could lack some.")


def test_distances_of_sparse_rows():
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 3)), LogisticRegression())
    report = make_report(*DATA, model=model)
    distances = rows(report, "shift", "shift")
    embedded = [report.model[0].transform(texts) for texts in (SPLIT.source, SPLIT.seen)]
    assert distances["before"][0] == pytest.approx(proxy_a_distance(*embedded), abs=0.1)
    assert distances["before"][1] == pytest.approx(mmd(*embedded).squared_mmd, rel=1e-6)
    relative = covariance_distance(*embedded, relative=True)
    assert distances["before"].iloc[-1] == pytest.approx(relative, rel=1e-6)


def test_model_that_is_no_pipeline():
    views = [("a", make_pipeline(TfidfVectorizer(), LogisticRegression()))]
    report = make_report(*DATA, model=VotingClassifier(views, voting="soft"))
    assert report.left_out["shift"].startswith("VotingClassifier shows no rows: it is not a Pipeline")
    assert report.left_out["projection"] == report.left_out["shift"]
    assert "confusion" not in report.left_out


def test_model_that_fails(table):
    model = make_transfer_pipeline(WordEmbedder(), DomainCentering(), LogisticRegression(C=-1))
    report = make_report(*DATA, model=model, table=table)
    assert set(report.left_out) == {"projection", "confusion", "coverage", "shift", "curves"}
    assert "could not be fitted (InvalidParameterError" in report.left_out["confusion"]
    assert report.model is None
    with pytest.raises(ValueError, match="There is nothing to plot: The model could not be fitted"):
        report.plot_confusion()


def test_model_given_is_left_as_it_is():
    model = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    report = make_report(*DATA, model=model)
    assert not hasattr(model[0], "n_features_in_")
    assert not hasattr(model[-1], "coef_")
    np.testing.assert_array_equal(report.model.predict(PANS.data[:5]).shape, (5,))


def test_a_frozen_model_is_described_as_it_was_fitted():
    model = make_transfer_pipeline(WordEmbedder(), DomainCentering(), LogisticRegression())
    model.fit(FILMS.data[:100], FILMS.target[:100])  # on other texts than the report would fit it on
    report = make_report(*DATA, model=FrozenEstimator(model), test_size=0.3, random_state=5)
    assert report.model is model
    found = rows(report, "confusion", "confusion")[["predicted 0", "predicted 1"]]
    split = Split(*DATA, False, 0.3, 5)
    np.testing.assert_array_equal(found, confusion_matrix(split.y_scored, model.predict(split.scored)))


# formats


@pytest.mark.parametrize("which", ["report", "bare", "hostile"])
def test_page(which, request):
    html = request.getfixturevalue(which).to_html()
    page = Page(html)
    assert page.all("html") == [{"lang": "en"}]
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
    assert levels == [1, *[2] * len(KEYS)]
    for landmark in ("header", "nav", "main"):
        assert len(page.all(landmark)) == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set(attributes.get(name, "").split()) <= set(ids)
        assert not {"src", "srcset", "onload", "onclick", "onerror"} & set(attributes)
        assert attributes.get("href", "#").startswith(("#", "data:"))
    assert len(page.all("caption")) == len(page.all("table")) > 0
    assert all("scope" in cell for cell in page.all("th"))
    charts = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert len(charts) == len(page.all("desc")) == len(page.all("figure")) > 0
    assert len(page.all("title")) == len(charts) + 1
    css = "".join(page.texts["style"])
    assert not re.search(r"@import|url\(|https?:", css)
    assert len(html.encode()) < 1_000_000


@pytest.mark.parametrize("method", ["to_html", "_repr_html_"])
def test_hostile_texts_stay_texts(hostile, method):
    html = getattr(hostile, method)()
    page = Page(html)
    assert len(page.all("script")) == len(page.texts["script"]) == 1
    assert len(page.all("style")) == 1
    assert "alert(1)" not in page.texts["script"][0]
    assert any("<script>alert(1)</script> \"two\" 'one' & </svg></style>" in t for t in page.texts["bdi"])
    assert "\x00" not in html
    html.encode()  # no lone surrogate is left


def test_hostile_texts_in_markdown(hostile):
    markdown = hostile.to_markdown()
    prose = re.sub(r"^(`{3,})\n.*?\n\1$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    assert prose != markdown
    assert not re.search(r"(?<!\\)[<>`]", prose)
    for line in prose.splitlines():  # rows have as many cells as their header
        if line.startswith("|"):
            assert re.fullmatch(r"\|( ([^|\\]|\\.)* \|)+", line)


def test_words_of_any_script_are_listed(hostile):
    unknown = set(rows(hostile, "coverage", "unknown_0")["word"])
    assert {"漢字", "שלום", "مرحبا"} <= unknown


def test_markdown_has_every_section(report):
    headings = re.findall("^## (.*)$", report.to_markdown(), re.MULTILINE)
    assert headings == [section["heading"] for section in report.to_dict()["sections"]]


def test_fragments_share_no_ids(report):
    first, second = (Page(report._repr_html_()) for _ in range(2))
    ids = [{a["id"] for _, a in page.elements if "id" in a} for page in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for landmark in ("html", "body", "header", "nav", "main", "h1"):
        assert not first.all(landmark)
    selectors = re.sub(r"/\*.*?\*/|@media[^{]*\{", "", "".join(first.texts["style"]))
    for selector in re.findall(r"([^{}]+)\{", selectors):
        assert all(part.strip().startswith(".et") for part in selector.split(","))


def test_save(report, hostile, tmp_path):
    folder = tmp_path / "new" / "out"
    for some in (hostile, report):
        paths = some.save(folder)
        assert [path.name for path in paths] == ["report.html", "report.md", "report.json"]
        assert sorted(folder.iterdir()) == sorted(paths)
        assert paths[0].read_text("utf-8") == some.to_html()
        assert paths[1].read_text("utf-8") == some.to_markdown()
    found = json.loads(paths[2].read_text("utf-8"), parse_constant=lambda name: pytest.fail(name))
    assert found == report.to_dict()


def test_save_where_a_file_is(report, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(FileExistsError, match="out"):
        report.save(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_progress():
    calls = []
    make_report(*DATA[:3], progress=lambda *call: calls.append(call))
    assert [done for done, _, _ in calls] == list(range(6))
    assert {total for _, total, _ in calls} == {5}
    assert calls[-1][2] == "report: done"


# drawing


@pytest.mark.parametrize("shape", _PATHS)
def test_shapes_keep_their_form(shape):
    before, after = _PATHS[shape], _scaled(_PATHS[shape], 4.5)
    number = r"-?(?:\d+\.?\d*|\.\d+)"
    assert re.sub(rf"{number}| ", "", before) == re.sub(rf"{number}| ", "", after)
    numbers = [[float(n) for n in re.findall(number, path)] for path in (before, after)]
    np.testing.assert_allclose(numbers[1], np.array(numbers[0]) * 4.5, atol=0.051)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.613, 0.617), (-3, 12), (0.1, 1e6), (-1e-9, 2e-9)])
def test_nice_numbers(low, high):
    ticks = nice_numbers(low, high)
    assert 2 <= len(ticks) <= 6
    assert all(low <= tick <= high for tick in ticks)
    np.testing.assert_allclose(np.diff(ticks), ticks[1] - ticks[0], rtol=1e-5)


def test_short_numbers():
    assert [short_number(n) for n in (0.05, 12, 2000, 1.5e6)] == ["0.05", "12", "2k", "1.5M"]


def test_plots(report):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    try:
        axes = report.plot_tradeoff()
        assert axes.get_xscale() == "log"
        points = sum(len(group.get_offsets()) for group in axes.collections)
        assert points == len(rows(report, "tradeoff", "tradeoff"))
        axes = pyplot.subplots()[1]
        assert report.plot_projection(axes, when="before") is axes
        assert sum(len(group.get_offsets()) for group in axes.collections) == 240
        axes = report.plot_confusion()
        drawn = [int(text.get_text()) for text in axes.texts]
        found = rows(report, "confusion", "confusion")[["predicted 0", "predicted 1"]]
        assert drawn == found.to_numpy().ravel().tolist()
        axes.figure.canvas.draw()
    finally:
        pyplot.close("all")


def test_plot_without_matplotlib():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from embtransfer.report._plots import new_axes\n"
        "try:\n    new_axes(None)\nexcept ImportError as error:\n    print(error)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "not installed. Install it with: pip install 'embtransfer[plot]'" in found


def test_plots_that_are_not_there(bare):
    with pytest.raises(ValueError, match=r"nothing to plot: No table of compare was given"):
        bare.plot_tradeoff()
    with pytest.raises(ValueError, match=r"Got when='never'\. This report has: before, after\."):
        bare.plot_projection(when="never")


# bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table": pd.DataFrame({"embedder": []})}, r"Got a table without adapter, .*Pass table=compare"),
        ({"table": 3}, "Expected the DataFrame of compare"),
        ({"curves": pd.DataFrame({"model": []})}, r"Got curves without labels, .*Pass curves=learning_curve"),
        ({"selection": LogisticRegression()}, r"Got a LogisticRegression without best_name_.*Call its fit"),
        ({"test_size": 2}, "Expected a share between 0 and 1"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        make_report(*DATA, **options)


def test_labels_that_do_not_fit():
    with pytest.raises(ValueError, match="none in common"):
        make_report(*DATA[:3], [str(label) for label in PANS.target])
    with pytest.raises(ValueError, match="Got 320 source texts and labels of shape"):
        make_report(FILMS.data, FILMS.target[:-1], PANS.data)


# command line


@pytest.mark.parametrize("tail", ["", "/x y.csv", "/it's.csv", "ly/x.csv"])
def test_quoted_commands_run_and_name_no_home(tail):
    words = ["printf", "%s\\n", f"{Path.home()}{tail}", "$(ls)", ""]
    line = quote_command(words)
    if not tail.startswith("ly"):
        assert str(Path.home()) not in line
    found = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
    assert found.splitlines() == words[2:]


def test_compare_with_a_report(tmp_path):
    folder = tmp_path / "out put"
    words = ["compare", "--dataset", "demo", "--source", "films", "--target", "kitchenware"]
    words += ["--embedders", "word_mean", "--adapters", "coral", "--recipes", ""]
    words += ["--test-size", "0.25", "--format", "csv"]
    words += ["--diagnostics", "--report", str(folder)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "Report:" in result.stderr
    assert result.stdout.startswith("embedder,")
    found = json.loads((folder / "report.json").read_text("utf-8"))
    assert found["title"] == "films → kitchenware"
    by_key = {section["key"]: section for section in found["sections"]}
    command, model = by_key["reproduce"]["code"]
    assert sorted(shlex.split(command)) == sorted(["embtransfer", *words])
    assert "CORAL()" in model  # which estimates the class shares again, wherever it is fitted
    (table,) = by_key["comparison"]["tables"]
    assert "proxy_a_distance" in table["rows"][0]
    scores = [row["target_score"] for row in table["rows"] if row["adapter"] == "coral"]
    matrix = pd.DataFrame(by_key["confusion"]["tables"][0]["rows"]).iloc[:, 1:].to_numpy()
    assert matrix.sum() == 80
    assert np.trace(matrix) / 80 == pytest.approx(scores[0])


def test_compare_with_a_file_as_report(tmp_path):
    (tmp_path / "out").write_text("mine")
    words = ["compare", "--dataset", "demo", "--source", "films", "--target", "kitchenware"]
    result = CliRunner().invoke(app, [*words, "--report", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "which is a file. Expected a folder, new or not." in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_class_shares_stand_beside_the_counts(bare):
    assert re.search(r"unlabelled target texts\. Class shares: 0: 50 % in the source, \d+ %", bare.lead)
    selection = make_selection(
        source_priors_=np.array([0.5, 0.5]),
        target_priors_=np.array([0.86, 0.14]),
        prior_intervals_=np.array([[0.8, 0.91], [0.09, 0.2]]),
        classes_=["bad", "good"],
    )
    said = make_report(*DATA[:3], selection=selection).to_markdown()
    assert "good: 50 % in the source, 14 % (9 to 20) in the target." in said.replace("\\", "")
