"""Vectors in .npy files beside csv, scored and read by commands."""

import gzip
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from embtransfer import load_pipeline, make_recipe, score_file
from tests.cli.commands import refused, run

RNG = np.random.default_rng(0)
Y = np.array(["bad", "good"])[np.arange(100) % 2]
ROWS = RNG.normal(size=(100, 4)).astype(np.float32)
ROWS[:, 0] += 3 * (Y == "good")
TEXTS = [f"{label} pan,\nof {i}" for i, label in enumerate(Y)]
FILES = ["--source", "films.csv", "--target", "pans.csv"]


def write(name, rows=ROWS, ending=".npy"):
    """A csv in which a row has two lines, and the vectors of its rows."""
    pd.DataFrame({"text": TEXTS, "label": Y}).to_csv(f"{name}.csv", index=False)
    np.save(f"{name}{ending}", rows)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("films")
    write("pans", ROWS + 1)


@pytest.fixture(scope="module")
def model():
    return make_recipe("vectors").fit(ROWS, Y, X_target=ROWS + 1)


def test_commands_read_the_file_of_the_same_name(tmp_path):
    words = [*FILES, "--vector-column", ".npy"]
    assert "100 source vectors and 100 target vectors" in run("fit", *words, "-o", "model").stderr
    run("score", "model", "pans.csv", "-o", "out.csv", "--vector-column", ".npy")
    scored = pd.read_csv("out.csv")
    assert list(scored) == ["text", "label", "prediction"]
    assert scored["prediction"].tolist() == load_pipeline("model").predict(ROWS + 1).tolist()
    assert "on 100 texts" in run("evaluate", "model", "pans.csv", "--vector-column", ".npy").stdout
    table = json.loads(run("compare", *words, "--adapters", "none", "--format", "json").stdout)
    assert {row["error"] for row in table} == {""}
    assert "--vector-column .npy" in run("choose", *words, "-o", "chosen").stderr
    run("label", "model", "pans.csv", "-n", "4", "-o", "1.csv", "--vector-column", ".npy")
    assert set(pd.read_csv("1.csv")["text"]) <= set(TEXTS)


def test_a_model_of_columns_knows_which_files_it_wants():
    for name in ["films", "pans"]:
        np.save(f"{name}.e5.npy", ROWS[:, ::-1])
    given = ["--vector-column", ".npy", "--vector-column", ".e5.npy", "--text-column", "text"]
    run("fit", *FILES, "--recipe", "columns", *given, "-o", "model")
    run("score", "model", "pans.csv", "-o", "out.csv", "--columns", "label")
    scored = pd.read_csv("out.csv")
    assert (scored["prediction"] == scored["label"]).mean() > 0.9


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i2", ">f4"])
def test_a_name_is_a_file_in_the_folder_of_each_csv(tmp_path, model, dtype):
    for i, folder in enumerate(["a", "b"]):
        (tmp_path / folder).mkdir()
        rows = (8 * ROWS[50 * i : 50 * i + 50]).round().astype(dtype)
        np.save(tmp_path / folder / "features.npy", np.asfortranarray(rows))
        pd.DataFrame({"n": range(50)}).to_csv(tmp_path / folder / "rows.csv.gz", index=False)
    report = score_file(model, "*/rows.csv.gz", "out.parquet", vector_column="features.npy", vectors=True)
    table = pq.read_table("out.parquet")
    assert (report.rows_written, table.column_names) == (100, ["n", "prediction", "vector"])
    assert table["prediction"].to_pylist() == model.predict((8 * ROWS).round()).tolist()


def test_blocks_of_any_size_give_the_same_rows_and_runs_resume(model):
    options = {"vector_column": ".npy", "block_size": 700, "on_error": "skip"}
    np.save("pans.npy", np.where(np.arange(100)[:, None] == 60, np.nan, ROWS + 1))

    def stop(report):
        if report.rows_read >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_file(model, "pans.csv", "out.csv", **options, monitor=stop)
    report = score_file(model, "pans.csv", "out.csv", **options, resume=True)
    assert (report.rows_written, report.rows_rejected) == (99, 1)
    assert report.rows_resumed >= 40
    kept = np.delete(np.arange(100), 60)
    scored = pd.read_csv("out.csv")
    assert scored["text"].tolist() == [TEXTS[i] for i in kept]
    assert scored["prediction"].tolist() == model.predict(ROWS[kept] + 1).tolist()
    assert json.loads(report.rejected.read_text())["line"] == 61


def test_a_run_is_not_resumed_with_other_vectors(model):
    options = {"vector_column": ".npy", "block_size": 700}

    def stop(report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_file(model, "pans.csv", "out.csv", **options, monitor=stop)
    np.save("pans.npy", ROWS.astype(np.float64))
    with pytest.raises(ValueError, match=r"pans\.npy"):
        score_file(model, "pans.csv", "out.csv", **options, resume=True)


def pickled(rows):
    return np.array([None, *range(99)], object)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda rows: rows[:99],
            "Got 99 vectors in pans.npy and 100 rows in pans.csv. Expected a vector for",
        ),
        (lambda rows: rows[:, :3], "Got vectors of 3 numbers in the column '.npy' of pans.csv. Expected 4"),
        (lambda rows: rows[:, 0], "Got an array of float32 and shape (100,) in pans.npy. Expected vectors"),
        (lambda rows: rows.astype(complex), "Got an array of complex128 and shape (100, 4) in pans.npy"),
        (lambda rows: rows[:, :0], "shape (100, 0) in pans.npy"),
        (pickled, "pans.npy holds no matrix as np.save writes it"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(model, change, message):
    run("fit", "--source", "films.csv", "--vector-column", ".npy", "-o", "model")
    np.save("pans.npy", change(ROWS))
    assert message in refused("score", "model", "pans.csv", "-o", "out.csv", "--vector-column", ".npy")


def test_nan_is_refused_with_its_row():
    rows = ROWS.copy()
    rows[6, 1] = np.nan
    np.save("pans.npy", rows)
    said = refused("fit", *FILES, "--vector-column", ".npy", "-o", "model")
    assert "pans.csv, row 7: NaN, infinity or nothing among the numbers of '.npy'. Mend the row." in said


def test_other_files_than_csv_and_files_that_are_not_there_are_refused(tmp_path, model):
    pd.DataFrame({"text": TEXTS}).to_json("pans.jsonl", orient="records", lines=True)
    with pytest.raises(ValueError, match=r"with pans\.jsonl\. Expected a file of csv, which it lies beside"):
        score_file(model, "pans.jsonl", "out.csv", vector_column=".npy")
    with pytest.raises(FileNotFoundError, match=r"'missing\.npy' .*, but there is no file missing\.npy"):
        score_file(model, "pans.csv", "out.csv", vector_column="missing.npy")
    write("more", ROWS.astype(float))
    with pytest.raises(ValueError, match=r"of 4 numbers, float64 in more\.npy, but of 4 numbers, float32"):
        score_file(model, ["films.csv", "more.csv"], "out.csv", vector_column=".npy")


def test_a_malformed_row_of_the_csv_is_refused_with_its_line(model):
    with gzip.open("pans.csv.gz", "wt") as file:
        file.write("n,label\n0,bad\n1\n" + "2,good\n" * 98)
    with pytest.raises(ValueError, match=r"pans\.csv\.gz, line 3: got 1 fields, expected 2\. Mend the row"):
        score_file(model, "pans.csv.gz", "out.csv", vector_column=".npy", on_error="skip")
