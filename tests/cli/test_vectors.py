"""Vectors from the command line: a column of them instead of texts."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from embtransfer import load_pipeline
from tests.cli.commands import refused, run

RNG = np.random.default_rng(0)
DOMAINS = ["--source", "source.parquet", "--target", "target.parquet", "--vector-column", "v"]
FEW = ["--adapters", "none,centering", "--classifiers", "logistic", "--recipes", "vectors"]
E5 = Path(os.environ.get("EMBTRANSFER_DATA", "nowhere"), "e5_amazon.parquet")
of_e5 = pytest.mark.skipif(not E5.is_file(), reason="EMBTRANSFER_DATA has no e5_amazon.parquet")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Two domains of vectors, with names of what they are of."""
    monkeypatch.chdir(tmp_path)
    for shift, name in enumerate(["source", "target"]):
        y = np.arange(60) % 2
        rows = RNG.normal(size=(60, 4)).astype(np.float32) + shift
        rows[:, 0] += 3 * y
        columns = {"text": [f"{name} {i}" for i in range(60)], "label": np.array(["bad", "good"])[y]}
        table = pa.table({**columns, "v": pa.array(rows.tolist(), pa.list_(pa.float32(), 4))})
        pq.write_table(table, f"{name}.parquet")
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))


@pytest.mark.parametrize("options", [[], ["--recipe", "vectors"]])
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_fit_and_score(options, kind):
    words = [word.replace("parquet", kind) for word in DOMAINS]
    assert "60 source vectors and 60 target vectors" in run("fit", *words, *options, "-o", "model").stderr
    assert load_pipeline("model").n_features_in_ == 4
    run("score", "model", f"target.{kind}", "-o", "out.csv", "--vector-column", "v", "--columns", "label")
    scored = pd.read_csv("out.csv")
    assert (scored["label"] == scored["prediction"]).mean() > 0.8
    assert "Got a model of vectors of 4 numbers" in refused(
        "score", "model", f"target.{kind}", "-o", "out.csv"
    )


def test_compare_names_what_there_is_of_vectors():
    table = json.loads(run("compare", *DOMAINS, "--format", "json").stdout)
    assert {row["embedder"] for row in table} == {"-", "vectors", "recipe"}
    assert [row["error"] for row in table] == [""] * 6
    said = run("compare", *DOMAINS, "--embedders", "word_mean", "--adapters", "none").stderr
    assert "need texts and the rows are vectors: word_mean" in said


def test_compare_makes_a_report_that_learns_from_the_labels_that_the_table_learned_from():
    words = ["--adapters", "none", "--embedders", "vectors", "--n-target-labels", "10", "--report", "report"]
    run("compare", *DOMAINS, *words)
    said = "30 target vectors seen while adapting, 10 of them with labels to learn from and 30 others scored"
    report = Path("report/report.md").read_text("utf-8")
    assert said in report
    assert "60 labelled source vectors" in report


def test_choose_saves_a_model_of_vectors():
    found = run("choose", *DOMAINS, *FEW, "-o", "model")
    assert "Expected accuracy on the target" in found.stderr
    assert load_pipeline("model").n_features_in_ == 4


def test_curve():
    table = json.loads(run("curve", *DOMAINS, "--sizes", "16", "--repeats", "1", "--format", "json").stdout)
    assert {row["model"] for row in table} == {"centering", "vectors"}


def test_label_shows_texts_and_update_learns():
    run("fit", *DOMAINS, "--recipe", "vectors", "-o", "model")
    said = run("label", "model", "target.parquet", "-n", "10", "-o", "1.csv", "--vector-column", "v").stderr
    assert "--vector-column v" in said
    table = pd.read_csv("1.csv")
    assert table["text"].tolist() == [f"target {row - 1}" for row in table["row"]]
    table["label"] = np.where(table["row"] % 2, "bad", "good")
    table.to_csv("1.csv", index=False)
    said = run("update", "model", *DOMAINS, "--labels", "1.csv", "-o", "model2").stderr
    assert "Accuracy on the target, by 2 labels of random texts" in said
    said = run("choose", *DOMAINS, *FEW, "--target-labels", "1.csv").stderr
    assert "2 labels of random texts of the target helped to choose the model" in said
    assert "Accuracy on the target, by 2 labels of random texts" in said
    pq.write_table(pq.read_table("target.parquet").drop_columns("text"), "bare.parquet")
    words = ["label", "model", "bare.parquet", "-o", "2.csv", "--vector-column", "v"]
    assert "must see what they are of" in refused(*words)


def test_check_labels_finds_a_wrong_one_and_shows_its_text():
    table = pd.read_parquet("source.parquet")
    table["v"] = [
        [8.0 * (label == "good"), *np.arange(i % 5, i % 5 + 3)] for i, label in enumerate(table["label"])
    ]
    table.loc[[7, 21, 35, 49], "label"] = "bad"
    table.drop(index=3).to_parquet("wrong.parquet")
    run("fit", *DOMAINS, "-o", "model")
    words = ["check-labels", "model", "wrong.parquet", "--vector-column", "v", "-o", "found.csv"]
    run(*words)
    found = pd.read_csv("found.csv")
    assert {7, 21, 35, 49} & {*found["row"]}  # counted from 1, without the row that is left out
    assert found["text"].tolist() == [f"source {row - 1 + (row > 3)}" for row in found["row"]]
    table.drop(columns="text").to_parquet("wrong.parquet")
    assert "must see what they are of: name that column" in refused(*words, "--overwrite")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--vector-column", "w"], "has columns: text, label, v"),
        (["--vector-column", "text"], "Got the column 'text' of string in source.parquet. Expected vectors"),
        (["--vector-column", "v", "--stream"], "Got --stream with --vector-column"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words, message):
    assert message in refused("fit", *DOMAINS[:4], *words, "-o", "model")


def test_a_wrong_vector_is_refused_with_its_row():
    table = pq.read_table("target.parquet")
    lists = table["v"].to_pylist()
    lists[7] = None
    pq.write_table(table.set_column(2, "v", pa.array(lists, pa.list_(pa.float32(), 4))), "target.parquet")
    assert "target.parquet, row 8: no vector in 'v'. Mend the row." in refused("fit", *DOMAINS, "-o", "model")


def test_every_command_says_that_the_column_of_the_vectors_must_be_named():
    run("fit", *DOMAINS, "-o", "model")
    data = ["--source", "source.parquet", "--target", "target.parquet"]
    for words in [
        ["evaluate", "model", "target.parquet"],
        ["label", "model", "target.parquet", "-o", "round.csv"],
        ["check-labels", "model", "source.parquet", "-o", "wrong.csv"],
        ["update", "model", *data, "--labels", "round.csv", "-o", "other"],
    ]:
        assert "a model of vectors of 4 numbers, and no column of them. Pass" in refused(*words)
    run("fit", *data, "-o", "words")
    said = refused("evaluate", "words", "target.parquet", "--vector-column", "v")
    assert "Got vector_column='v' (--vector-column) and a model of texts" in said


def test_compile_says_that_vectors_do_not_fold():
    run("fit", *DOMAINS, "-o", "model")
    assert "it takes vectors, which hold no words to fold" in refused("compile", "model", "-o", "compiled")


@of_e5
def test_on_real_vectors(tmp_path):
    table = pq.read_table(E5)
    for name, domain in {"source": "books", "target": "kitchen"}.items():
        some = table.filter(pc.equal(table["domain"], domain))
        pq.write_table(some.take(np.arange(0, 2000, 4)), f"{name}.parquet")
    words = [word.replace("v", "vector") if word == "v" else word for word in DOMAINS]
    table = json.loads(run("compare", *words, "--adapters", "none,centering", "--format", "json").stdout)
    assert max(row["target_score"] for row in table) > 0.9
