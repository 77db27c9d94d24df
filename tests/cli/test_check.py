"""Commands look at the data before they work: they say what is wrong with it, and mend labels if asked."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from embtransfer import load_pipeline
from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews

ONE = ["--embedders", "word_mean", "--recipes", "", "--adapters", "none", "--classifiers", "ridge"]
COMMANDS = {
    "choose": ONE,
    "compare": ONE,
    "curve": [*ONE[:4], "--sizes", "16", "--target-sizes", "0", "--repeats", "1"],
    "fit": ["--classifier", "ridge", "--overwrite"],
}
every_command = pytest.mark.parametrize("command", COMMANDS)
MENDED = ["--merge-labels", "--drop-unlabelled"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """films.csv, dirty.csv with labels of several spellings and a missing one, pans.csv."""
    monkeypatch.chdir(tmp_path)
    frames = {}
    for name, domain in {"films": "films", "pans": "kitchenware"}.items():
        bunch = load_demo_reviews(domain)
        labels = ["good" if label else "bad" for label in bunch.target]
        frames[name] = pd.DataFrame({"text": bunch.data, "label": labels})[:60]
        frames[name].to_csv(f"{name}.csv", index=False)
    dirty = frames["films"]
    dirty.loc[0, "label"] = dirty.loc[0, "label"].upper() + " "
    dirty.loc[1, "label"] = None
    dirty.loc[2, "text"] = dirty.loc[3, "text"]
    dirty.to_csv("dirty.csv", index=False)


def run(command, source, *words, target="pans.csv"):
    words = [command, "--source", source, "--target", target, *COMMANDS[command], *words]
    words += ["-o", "model"] if command == "fit" and "-o" not in words else []
    return CliRunner().invoke(app, words)


@every_command
def test_clean_data_are_one_line(command):
    said = run(command, "films.csv").stderr.splitlines()
    assert said[0].startswith("Data: source 60 texts of 2")
    assert [line for line in said if line.startswith("- ")] == []


@every_command
def test_a_missing_label_is_refused_or_its_row_left_out(command):
    assert "dirty.csv, row 2. Pass --drop-unlabelled to leave them out" in run(command, "dirty.csv").stderr
    said = run(command, "dirty.csv", *MENDED).stderr
    assert "dirty.csv: left out 1 of 60 rows, without a 'label'." in said
    assert "Data: source 59 texts" in said


@every_command
def test_spellings_of_one_label_are_named_and_merged(command):
    assert "are classes of their own: 'BAD ' beside 'bad'" in run(command, "dirty.csv", MENDED[1]).stderr
    result = run(command, "dirty.csv", *MENDED)
    assert result.exit_code == 0, result.output
    assert "classes of their own" not in result.stderr
    if command == "fit":
        assert list(load_pipeline("model").classes_) == ["bad", "good"]


@every_command
def test_a_misspelt_label_is_named(command):
    films = pd.read_csv("films.csv")
    films = pd.concat([films.assign(text=films["text"] + "!" * i) for i in range(2)], ignore_index=True)
    films["label"] = films["label"].map({"good": "positive", "bad": "negative"})
    films.loc[films.index[films["label"] == "positive"][0], "label"] = "positve"
    films.to_csv("typo.csv", index=False)
    n = (films["label"] == "positive").sum()
    assert f"'positve' (1 row) looks like 'positive' ({n}): misspelt?" in run(command, "typo.csv").stderr


@every_command
def test_what_is_repeated_is_said_once(command):
    pans = pd.read_csv("pans.csv")
    pd.concat([pans, pans[:5]]).to_csv("twice.csv", index=False)
    said = run(command, "dirty.csv", *MENDED, target="twice.csv").stderr
    assert said.count("source texts repeat another") == 1
    assert said.count("5 of 65 target texts repeat another") == 1


def test_labels_of_the_target_take_the_sources_spelling():
    pans = pd.read_csv("pans.csv")
    pans.assign(label=pans["label"].str.title()).to_csv("Pans.csv", index=False)
    result = run("compare", "films.csv", "--merge-labels", "--format", "json", target="Pans.csv")
    same = run("compare", "films.csv", "--format", "json")
    scores = [[row["target_score"] for row in json.loads(one.stdout)] for one in (result, same)]
    assert scores[0] == scores[1]


def test_a_stream_cannot_mend_labels():
    result = run("fit", "dirty.csv", "--stream", "--drop-unlabelled")
    assert "Got --stream with --merge-labels or --drop-unlabelled" in result.stderr


@every_command
def test_html_is_told_with_the_flag_that_takes_it_out(command):
    pans = pd.read_csv("pans.csv")
    pans["text"] = [f"<p>{text.replace(' ', '&nbsp;')}</p>" for text in pans["text"]]
    pans.to_csv("html.csv", index=False)
    assert "100 % of the target's hold HTML" in run(command, "films.csv", target="html.csv").stderr
    result = run(command, "films.csv", "--html", target="html.csv")
    assert result.exit_code == 0, result.output
    assert "HTML" not in result.stderr
    if command == "compare":
        assert run(command, "films.csv", "--html", target="html.csv").stderr.count("--html") == 1  # to fit


@pytest.mark.parametrize("command", ["choose", "fit"])
def test_a_model_fitted_with_html_takes_it_out_of_what_it_scores(command):
    pans = pd.read_csv("pans.csv")
    pans.assign(text=[f"<p>{text}</p>" for text in pans["text"]]).to_csv("html.csv", index=False)
    for name, *words in (("dirty", "--html"), ("clean",)):
        target = "html.csv" if name == "dirty" else "pans.csv"
        result = run(command, "films.csv", *words, "-o", name, target=target)
        assert result.exit_code == 0, result.output
        CliRunner().invoke(app, ["compile", name, "-o", f"{name}-compiled"])
        for model in (name, f"{name}-compiled"):
            out = ["-o", f"{model}.csv", "--columns", "", "--text-column", "text"]
            assert CliRunner().invoke(app, ["score", model, target, *out]).exit_code == 0
    scored = [pd.read_csv(f"{name}.csv")["prediction"].tolist() for name in ("dirty", "clean")]
    assert scored[0] == scored[1] == pd.read_csv("dirty-compiled.csv")["prediction"].tolist()


def test_html_of_vectors_is_refused():
    pd.DataFrame({"v": [[1.0], [2.0]], "label": ["a", "b"]}).to_parquet("v.parquet")
    result = run("compare", "v.parquet", "--vector-column", "v", "--html", target="v.parquet")
    assert "Got --html with vectors. Expected texts, or no --html." in result.stderr
