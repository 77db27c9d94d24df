"""Texts beside vectors from the command line."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embtransfer import load_pipeline
from embtransfer.cli._options import Cleaning, Columns, Embedding, Texts
from embtransfer.cli._verdict import after_comparison
from tests.cli.commands import next_command, refused, run

RNG = np.random.default_rng(0)
FILES = ["--source", "source.parquet", "--target", "target.parquet"]
COLUMNS = ["--text-column", "review", "--vector-column", "v", "--vector-column", "w"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Two domains of texts, each with two vectors."""
    monkeypatch.chdir(tmp_path)
    for shift, name in enumerate(["source", "target"]):
        y = np.arange(80) % 2
        words = np.where(RNG.random(80) < 0.8, np.array(["bad", "good"])[y], "odd")
        columns = {"review": [f"{name} {i} is {word}" for i, word in enumerate(words)]}
        columns["label"] = np.array(["no", "yes"])[y]
        for vector in "vw":
            rows = RNG.normal(size=(80, 4)).astype(np.float32) + shift
            rows[:, 0] += 2 * y
            columns[vector] = pa.array(rows.tolist(), pa.list_(pa.float32(), 4))
        pq.write_table(pa.table(columns), f"{name}.parquet")
        lines = pa.table(columns).to_pylist()
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_fit_score_and_evaluate(kind):
    files = [word.replace("parquet", kind) for word in FILES]
    said = run("fit", *files, *COLUMNS, "--recipe", "columns", "-o", "model").stderr
    assert "Fitted on 80 source rows and 80 target rows" in said
    assert list(load_pipeline("model").views_) == ["words", "vectors1", "vectors2"]
    run("score", "model", f"target.{kind}", "-o", "out.csv", "--columns", "label")
    scored = pd.read_csv("out.csv")
    right = (scored["label"] == scored["prediction"]).mean()
    assert right > 0.85
    found = json.loads(run("evaluate", "model", f"target.{kind}", "--format", "json").stdout)
    assert found["score"] == pytest.approx(right)
    run("score", "model", f"target.{kind}", "-o", "again.csv", "--columns", "label", *COLUMNS)
    assert Path("again.csv").read_bytes() == Path("out.csv").read_bytes()


@pytest.mark.parametrize("shown", ["title,review", "title"])
def test_texts_of_two_columns_are_labelled_by_what_was_shown_of_them(shown):
    for name in ("source", "target"):
        table = pq.read_table(f"{name}.parquet").to_pandas().drop(columns=["v", "w"])
        table.assign(title=[f"- {i}" for i in range(80)]).to_csv(f"{name}.csv", index=False)
    files = ["--source", "source.csv", "--target", "target.csv"]
    said = run("fit", *files, "--text-column", "title,review", "-o", "model").stderr
    assert "several columns is not compiled, nor explained word by word" in said
    said = run("label", "model", "target.csv", "-n", "10", "-o", "1.csv", "--text-column", shown).stderr
    table, whole = pd.read_csv("1.csv"), pd.read_csv("target.csv")
    of_row = whole.iloc[table["row"] - 1]
    lines = [row.split("\n") for row in table["text"].str.removeprefix("'")]
    assert lines == of_row[shown.split(",")].to_numpy().tolist()
    table.assign(label=of_row["label"].to_numpy()).to_csv("1.csv", index=False)
    assert "8 of their labels" in run(*next_command(said)).stderr
    some = ["--adapters", "none", "--embedders", "ngrams", "--text-column", "title,review"]
    if shown == "title,review":
        said = run("choose", *files, *some, "--target-labels", "1.csv").stderr
        assert "2 labels of random texts" in said


@pytest.mark.parametrize("model", [["--recipe", "words"], ["--embedder", "word_mean", "--html"]])
def test_texts_of_two_columns(model):
    for name in ("source", "target"):
        table = pq.read_table(f"{name}.parquet").to_pandas().drop(columns=["v", "w"])
        table.assign(title=table["label"].map("a {}".format)).to_csv(f"{name}.csv", index=False)
    files = [word.replace("parquet", "csv") for word in FILES]
    said = run("fit", *files, "--text-column", "title,review", *model, "-o", "model").stderr
    assert "Fitted on 80 source rows and 80 target rows" in said
    run("score", "model", "target.csv", "-o", "out.csv")
    scored = pd.read_csv("out.csv")
    right = (scored["label"] == scored["prediction"]).mean()
    assert right > 0.9
    found = json.loads(run("evaluate", "model", "target.csv", "--format", "json").stdout)
    assert found["score"] == pytest.approx(right)
    assert "'subject', but target.csv has columns" in refused(
        *["fit", *files, "--text-column", "title,review", "--target-text-column", "subject,review"],
        *["-o", "model2"],
    )
    assert "Expected as many in both" in refused(
        *["fit", *files, "--text-column", "title,review", "--target-text-column", "review", "-o", "model2"]
    )


def test_compare_and_choose_try_each_view_and_both_and_what_is_saved_knows_its_columns():
    some = ["--adapters", "none,centering", "--embedders", "word_mean"]
    table = json.loads(run("compare", *FILES, *COLUMNS, *some, "--format", "json").stdout)
    assert {row["embedder"] for row in table} > {"word_mean", "vectors of v", "vectors of w", "recipe"}
    assert {row["classifier"] for row in table} > {"words", "vectors of v", "columns"}
    assert {row["error"] for row in table} == {""}
    plain = [*some[2:], "--adapters", "none", "--classifiers", "logistic", "--recipes", "columns"]
    run("choose", *FILES, *COLUMNS, *plain, "-o", "model")
    run("score", "model", "target.parquet", "-o", "out.csv", "--columns", "label")
    scored = pd.read_csv("out.csv")
    assert (scored["label"] == scored["prediction"]).mean() > 0.8
    run("choose", *FILES, *COLUMNS, *plain, "--scoring", "balanced_accuracy", "-o", "balanced")
    assert type(load_pipeline("balanced")).__name__ == "FixedThresholdClassifier"
    run("score", "balanced", "target.parquet", "-o", "out.csv", "--columns", "label")
    scored = pd.read_csv("out.csv")
    assert (scored["label"] == scored["prediction"]).mean() > 0.8
    said = run("label", "balanced", "target.parquet", "-o", "1.csv", "--text-column", "review").stderr
    assert "Give the labels to embtransfer choose, as --target-labels" in said
    run("check-labels", "balanced", "source.parquet", "--text-column", "review", "-o", "odd.csv")
    only = json.loads(run("compare", *FILES, *COLUMNS[2:], *some[:1], "none", "--format", "json").stdout)
    assert {row["embedder"] for row in only} == {"-", "vectors of v", "vectors of w", "recipe"}


@pytest.mark.parametrize(
    ("best", "options"),
    [
        (
            ("recipe", "-", "columns"),
            "--recipe columns --text-column review --vector-column v --vector-column w",
        ),
        (("recipe", "-", "vectors of w"), "--recipe vectors --text-column review --vector-column w"),
        (("recipe", "-", "words"), "--recipe words --text-column review"),
        (("vectors of v", "none", "logistic"), "--embedder vectors --adapter none --classifier logistic"),
        (("word_mean", "none", "logistic"), "--embedder word_mean --adapter none --classifier logistic"),
    ],
)
def test_what_compare_says_to_run_next_runs(best, options):
    names = pd.DataFrame(
        [("vectors of v", "centering", "logistic"), best], columns=["embedder", "adapter", "classifier"]
    )
    columns = Columns(text_column="review", vector_column=["v", "w"])
    texts = Texts(["source.parquet"], "target.parquet", columns, Cleaning())
    (command,) = after_comparison(names.assign(target_score=[0.5, 0.9]), texts, Embedding(), True)
    assert options in command
    assert "Fitted on 80 source" in run(*shlex.split(command)[1:]).stderr


def test_the_target_may_call_its_texts_otherwise():
    table = pq.read_table("target.parquet")
    pq.write_table(table.rename_columns(["comment", *table.column_names[1:]]), "target.parquet")
    fit = ["fit", *FILES, *COLUMNS, "--recipe", "columns", "-o", "model"]
    assert "--target-text-column names the target's alone" in refused(*fit)
    assert "80 target rows" in run(*fit, "--target-text-column", "comment").stderr


@pytest.mark.parametrize("others", [[], ["title"]], ids=["one", "two"])
def test_where_update_cannot_learn_label_says_how_choose_does(others):
    for name in ("source", "target"):
        table = pq.read_table(f"{name}.parquet")
        for other in others:
            table = table.append_column(other, [[f"the {i}" for i in range(80)]])
        pq.write_table(table, f"{name}.parquet")
    parts = ["--adapters", "none", "--classifiers", "logistic", "--recipes", "words"]
    parts += ["--embedders", "word_mean"]
    texts = ",".join(["review", *others])
    run(
        "choose", *FILES, "--text-column", texts, *COLUMNS[2:], *parts, "--scoring", "f1_macro", "-o", "model"
    )
    for file, shown in {"1.csv": [], "2.csv": ["--text-column", "review"]}.items():
        words = next_command(run("label", "model", "target.parquet", "-n", "10", "-o", file, *shown).stderr)
        table = pd.read_csv(file)
        table["label"] = np.where(table["row"] % 2, "no", "yes")
        table.to_csv(file, index=False)
        assert words[:3] == ["choose", "--source", "source.parquet"]
        said = run(*words, *parts).stderr
        assert "f1_macro on the target, by 2 labels of random texts" in said
        assert words[words.index("--text-column") + 1] == texts
        assert [words[at + 1] for at, word in enumerate(words) if word == "--vector-column"] == ["v", "w"]
        assert words[words.index("--scoring") + 1] == "f1_macro"


def test_label_update_and_check_labels():
    run("fit", *FILES, *COLUMNS, "--recipe", "columns", "-o", "model")
    run("label", "model", "target.parquet", "-n", "10", "-o", "1.csv", "--text-column", "review")
    table = pd.read_csv("1.csv")
    assert table["text"].str.startswith("target").all()
    table["label"] = np.where(table["row"] % 2, "no", "yes")
    table.to_csv("1.csv", index=False)
    words = ["update", "model", *FILES, "--text-column", "review", "--labels", "1.csv", "-o", "model2"]
    said = run(*words).stderr
    assert "Accuracy on the target, by 2 labels of random texts" in said
    assert "Fitted on 80 source rows, 80 target rows and 8 of their labels" in said
    assert load_pipeline("model2").n_target_labels_ == 8
    run("check-labels", "model", "source.parquet", "--text-column", "review", "-o", "odd.csv")
    assert set(pd.read_csv("odd.csv").columns) >= {"text", "suspicion"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", *FILES, *COLUMNS], "Expected one: several, and texts beside them, are for"),
        (["fit", *FILES, "--recipe", "columns"], "Expected a column of vectors, or a list of some"),
        (["fit", *FILES, "--recipe", "columns", *COLUMNS[:2], "--vector-column", "u"], "'u', but"),
        (
            ["compare", *FILES, *COLUMNS[2:4], "--recipes", "columns"],
            "Got --recipes columns, which takes several columns",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words, message):
    assert message in refused(*words, *["-o", "model"] * (words[0] == "fit"))


def test_a_wrong_vector_is_refused_with_its_row_and_column():
    table = pq.read_table("target.parquet")
    lists = table["w"].to_pylist()
    lists[7] = None
    pq.write_table(table.set_column(3, "w", pa.array(lists, pa.list_(pa.float32(), 4))), "target.parquet")
    said = refused("fit", *FILES, *COLUMNS, "--recipe", "columns", "-o", "model")
    assert "target.parquet, row 8: no vector in 'w'. Mend the row." in said


def test_a_model_knows_its_columns():
    run("fit", *FILES, *COLUMNS, "--recipe", "columns", "-o", "model")
    card = Path("model/README.md").read_text("utf-8")
    assert "rows of the columns review (texts), v (4 numbers), w (4 numbers)" in card
    words = ["evaluate", "model", "target.parquet", "--vector-column", "u"]
    assert "a model of the columns review, v, w" in refused(*words)


def test_curve_and_the_report_of_compare_take_all_columns():
    words = [*FILES, *COLUMNS, "--embedders", "word_mean", "--recipes", "columns"]
    found = run("curve", *words, "--sizes", "16", "--target-sizes", "0", "--repeats", "1", "--format", "json")
    names = {row["model"] for row in json.loads(found.stdout)}
    assert {"tfidf", "word_mean", "vectors of v", "vectors of w", "columns"} == names
    run("compare", *words, "--adapters", "none", "--report", "report")
    assert "80 labelled source rows" in Path("report/report.md").read_text("utf-8")
