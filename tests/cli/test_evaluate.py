"""`embtransfer evaluate`: a saved model on a labelled file, for people and as json."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from embtransfer import compile_pipeline, load_pipeline
from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of film reviews, and kitchenware reviews with labels and countries."""
    folder = tmp_path_factory.mktemp("evaluate")
    for name in ("films", "kitchenware"):
        bunch = load_demo_reviews(name)
        frame = pd.DataFrame({"text": bunch.data, "label": bunch.target})[:120]
        frame["country"] = ["uk"] * 40 + ["[red]"] * 80
        frame.to_csv(folder / f"{name}.csv", index=False)
    run(folder, "fit", "--source", "films.csv", "--target", "kitchenware.csv", "-o", "model")
    return folder


def run(folder, *words, code=0):
    words = [str(folder / word) if (folder / word).exists() or word == "model" else word for word in words]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == code, result.output
    return result


def test_whole_numbers_that_pandas_made_decimal_are_the_same_labels(folder, tmp_path):
    frame = pd.read_csv(folder / "kitchenware.csv")
    frame["label"] = frame["label"].where(frame.index % 3 > 0)
    frame.to_csv(tmp_path / "half.csv", index=False)
    assert ",1.0," in (tmp_path / "half.csv").read_text("utf-8")
    found = run(folder, "evaluate", "model", str(tmp_path / "half.csv"))
    assert "on 80 texts" in found.stdout
    assert "does not know:" not in found.stderr
    words = ["--source", "films.csv", "--target", str(tmp_path / "half.csv"), "--recipes", "words"]
    found = run(folder, "compare", *words, "--adapters", "none", "--format", "json")
    assert all(row["target_score"] > 0.3 for row in json.loads(found.stdout))


def test_the_score_is_that_of_the_model(folder):
    said = run(folder, "evaluate", "model", "kitchenware.csv").stdout
    frame = pd.read_csv(folder / "kitchenware.csv")
    model = load_pipeline(folder / "model")
    right = model.predict(frame["text"]) == frame["label"].astype(str)
    assert said.startswith(f"accuracy {right.mean():.3f} (90 % interval 0.")
    for word in ("120 texts", "balanced accuracy", "mean confidence", "By class", "-> 1", "How sure"):
        assert word in said


def test_json_has_null_where_a_model_has_no_confidence(folder):
    files = ["--source", "films.csv", "--classifier", "ridge", "--embedder", "ngrams"]
    run(folder, "fit", *files, "-o", str(folder / "sure"))
    said = run(folder, "evaluate", "sure", "kitchenware.csv", "--format", "json").stdout
    found = json.loads(said, parse_constant=pytest.fail)
    assert found["confidence"] is None


def test_groups_are_a_table(folder):
    said = run(folder, "evaluate", "model", "kitchenware.csv", "--by", "country").stdout
    assert "accuracy by country" in said
    assert " [red] " in said
    assert said.index("[red]") < said.index(" uk ")


def test_json_has_all_of_it(folder):
    words = "evaluate", "model", "kitchenware.csv", "--by", "country", "--scoring", "f1:1", "--format", "json"
    found = json.loads(run(folder, *words).stdout)
    assert found["scoring"] == "f1:1"
    assert found["by"][0]["group"] == "[red]"
    assert sum(row["texts"] for row in found["by_class"]) == 120


def test_a_compiled_model_gives_the_same(folder):
    compile_pipeline(load_pipeline(folder / "model")).save(folder / "compiled", overwrite=True)
    said = [run(folder, "evaluate", model, "kitchenware.csv").stdout for model in ("model", "compiled")]
    assert said[0] == said[1]


def test_labels_that_lack_or_that_the_model_does_not_know_are_told(folder):
    frame = pd.read_csv(folder / "kitchenware.csv").astype({"label": object})
    frame.loc[0, "label"], frame.loc[1, "label"] = "so so", None
    frame.to_csv(folder / "some.csv", index=False)
    result = run(folder, "evaluate", "model", "some.csv")
    assert "Labels that the model does not know: 'so so'." in result.stderr
    left_out = "Left out: 2 of 120 rows, 1 without a label, 1 with one that the model does not know."
    assert left_out in result.stderr


def test_a_column_that_is_not_there_is_named(folder):
    said = run(folder, "evaluate", "model", "kitchenware.csv", "--by", "city", code=2).stderr
    assert "Got by (--by) 'city', but kitchenware.csv has columns: text, label, country" in said


def test_labels_of_another_spelling_are_merged_if_asked(folder):
    for name, labels in (("plain", ["bad", "good"]), ("dirty", ["BAD", "good "])):
        frame = pd.read_csv(folder / "kitchenware.csv")
        frame["label"] = [labels[label] for label in frame["label"]]
        frame.to_csv(folder / f"{name}.csv", index=False)
    run(folder, "fit", "--source", "plain.csv", "-o", str(folder / "named"), "--classifier", "ridge")
    assert "--merge-labels takes those" in run(folder, "evaluate", "named", "dirty.csv", code=2).stderr
    merged = run(folder, "evaluate", "named", "dirty.csv", "--merge-labels")
    assert merged.stdout == run(folder, "evaluate", "named", "plain.csv").stdout
