"""Several labels a text, and numbers, through the commands."""

import csv
import io
import json
import re

import pandas as pd
import pytest
from typer.testing import CliRunner

from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews

LISTS = ["--source", "films.jsonl", "--target", "pans.jsonl"]
CSV = ["--source", "films.csv", "--target", "pans.csv"]
COLUMNS = [*CSV, "--label-column", "and,positive"]
STARS = [*CSV, "--label-column", "stars"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    for name, domain in {"films": "films", "pans": "kitchenware"}.items():
        texts, positive = load_demo_reviews(domain).data[:80], load_demo_reviews(domain).target[:80]
        rows = [
            {"text": text, "and": int(" and " in text), "positive": int(y), "stars": len(text) / 50}
            for text, y in zip(texts, positive, strict=True)
        ]
        pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False)
        lists = [{"text": row["text"], "label": [k for k in ("and", "positive") if row[k]]} for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lists)), "utf-8")
    return folder


@pytest.fixture(autouse=True)
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def embtransfer(*arguments):
    run = CliRunner().invoke(app, [*arguments])
    assert run.exit_code == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("given", [LISTS, COLUMNS], ids=["lists", "columns"])
def test_several_labels_from_fit_to_explain(folder, given):
    embtransfer("fit", *given, "--embedder", "word_mean", "-o", "model", "--overwrite")
    embtransfer("compile", "model", "-o", "compiled", "--overwrite")
    for model in ("model", "compiled"):
        embtransfer("score", model, "pans.csv", "-o", f"{model}.csv", "--proba")
    scored, compiled = (pd.read_csv(folder / f"{name}.csv") for name in ("model", "compiled"))
    names = ["prediction_and", "prediction_positive"]
    assert scored.columns.tolist()[4:] == [*names, *(f"{name}_proba" for name in names)]
    pd.testing.assert_frame_equal(scored, compiled, atol=1e-5)
    assert ((scored["prediction_and_proba"] > 0.5) == scored["prediction_and"]).all()
    assert (scored["prediction_positive"] == scored["positive"]).mean() > 0.55
    explained = embtransfer("explain", "compiled", "a lovely pan and lid", "--format", "json")
    assert set(json.loads(explained)["probabilities"]) == {"and", "positive"}


def test_numbers_from_fit_to_score(folder):
    embtransfer("fit", *STARS, "--numbers", "-o", "numbers", "--overwrite")
    embtransfer("score", "numbers", "pans.csv", "-o", "numbers.csv")
    assert pd.read_csv(folder / "numbers.csv")["prediction"].between(1, 6).all()
    assert "lovely" in embtransfer("explain", "numbers", "a lovely pan and lid")


@pytest.mark.parametrize(
    ("fit", "file", "column"),
    [([*STARS, "--numbers"], "pans.csv", "stars"), (LISTS, "pans.jsonl", "label")],
    ids=["numbers", "lists"],
)
def test_evaluate_refuses_them_and_says_nothing_of_unknown_labels(fit, file, column):
    embtransfer("fit", *fit, "-o", "judged", "--overwrite")
    run = CliRunner().invoke(app, ["evaluate", "judged", file, "--label-column", column])
    assert run.exit_code == 2
    assert re.fullmatch(r"Error: .+ Expected a fitted classifier of one label a text\.\n", run.stderr)


@pytest.mark.parametrize(
    ("given", "scoring", "first"),
    [(STARS, "neg_mean_absolute_error", "mean"), ([*LISTS, "--recipes", ""], "f1_micro", "majority")],
    ids=["numbers", "lists"],
)
def test_compare(given, scoring, first):
    given = [*given, "--scoring", scoring, "--adapters", "none", "--format", "csv"]
    printed = embtransfer("compare", *given)
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert rows[0]["classifier"] == first
    assert {row["error"] for row in rows} == {""}
    assert all(float(row["target_score"]) <= 1 for row in rows)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            ["fit", *CSV, "--label-column", "and,stars"],
            r"has '3.06' in 'stars', row 1. Expected 0 or 1",
        ),
        (["fit", *CSV, "--label-column", "and,nope"], "'nope', but films.csv has columns: text, and,"),
        (["fit", *CSV, "--label-column", "text", "--numbers"], "Got labels that are no numbers"),
        (["fit", *STARS, "--numbers", "--recipe", "words"], "but recipes predict classes"),
        (["fit", *STARS, "--numbers", "--stream"], "Got --stream with numbers or several labels"),
        (["fit", *COLUMNS, "--target-shares", "and=1"], "Got --target-shares with several labels"),
        (["choose", *COLUMNS], "Expected one a text. compare takes several labels a text"),
        (["compare", *COLUMNS, "--report", "report"], "Got --report with several labels"),
    ],
)
def test_what_cannot_be(command, message):
    run = CliRunner().invoke(app, [*command, "-o", "none"] if command[0] != "compare" else command)
    assert run.exit_code == 2
    assert message in run.stderr


def test_target_rows_without_all_their_labels_are_not_scored():
    pans = pd.read_csv("pans.csv").astype({"and": "Int64", "positive": "Int64"})
    pans.loc[:59, "and"] = pd.NA
    pans.to_parquet("some.parquet", index=False)
    run = CliRunner().invoke(
        app, ["compare", *COLUMNS[:3], "some.parquet", *COLUMNS[4:], "--adapters", "none", "--recipes", ""]
    )
    assert run.exit_code == 0
    assert "some.parquet: 20 of 80 rows have a label in 'and,positive'." in run.stderr


def test_labels_that_can_be_no_classes_are_refused_with_their_row(tmp_path):
    texts = pd.read_json("films.jsonl", lines=True)["text"]
    dates = pd.to_datetime(["2024-01-01", "2024-02-01"] * 40).date
    pd.DataFrame({"text": texts, "label": dates}).to_parquet(tmp_path / "dates.parquet")
    rows = [{"text": text, "label": {"name": "good"}} for text in texts]
    (tmp_path / "objects.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    for name, label in {
        "dates.parquet": "datetime.date(2024, 1, 1)",
        "objects.jsonl": "{'name': 'good'}",
    }.items():
        words = ["fit", "--source", str(tmp_path / name), "-o", str(tmp_path / "model")]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 2
        assert f"{name}, row 1, has the label {label}. Expected texts, numbers" in result.stderr
