"""Several sources from the command line: files with --source each, or a column that names them."""

import re
from io import StringIO

import pandas as pd
import pytest

from embtransfer import load_pipeline
from embtransfer.cli._options import Cleaning, Columns, Embedding, Texts
from embtransfer.cli._verdict import after_comparison
from embtransfer.datasets import load_demo_reviews
from tests.cli.commands import fill_in, next_command, refused, run

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
TWO = ["--source", "drama.csv", "--source", "comedy.csv", "--target", "pans.csv"]
BY_COLUMN = ["--source", "films.csv", "--domain-column", "genre", "--target", "pans.csv"]
SMALL = ["--adapters", "none,centering", "--embedders", "word_mean", "--classifiers", "logistic"]
SMALL += ["--recipes", ""]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    films = pd.DataFrame({"text": FILMS.data, "label": FILMS.target, "genre": ["drama", "comedy"] * 160})
    films.to_csv("films.csv", index=False)
    for name, part in films.groupby("genre"):
        part.to_csv(f"{name}.csv", index=False)
    pd.DataFrame({"text": PANS.data[:120], "label": PANS.target[:120]}).to_csv("pans.csv", index=False)


@pytest.mark.parametrize("sources", [TWO, BY_COLUMN])
def test_fit_maps_each_source(sources):
    said = run("fit", *sources, "--adapter", "centering", "-o", "model").stderr
    assert "Fitted on 320 source texts and 120 target texts" in said
    assert list(load_pipeline("model")[1].source_maps_) == ["comedy", "drama"]


def test_fit_of_a_recipe_of_words_takes_them_together():
    run("fit", *TWO, "-o", "model")
    assert load_pipeline("model").predict(["A lovely pan."]).tolist() == ["1"]
    no_effect = "--domain-column had no effect"
    assert no_effect in run("fit", *BY_COLUMN, "-o", "model2").stderr
    assert no_effect not in run("fit", *BY_COLUMN, "--adapter", "centering", "-o", "model3").stderr


@pytest.mark.parametrize("sources", [TWO, BY_COLUMN])
def test_compare_shows_pooled_each_mapped_and_each_alone(sources):
    found = run("compare", *sources, *SMALL, "--format", "csv")
    table = pd.read_csv(StringIO(found.stdout))
    assert set(table["sources"]) == {"pooled", "each mapped", "drama", "comedy"}
    assert re.search(r"Best on the target: .* \((pooled|each mapped|drama|comedy)\), accuracy", found.stderr)


def test_the_command_to_copy_names_all_sources_and_fits_what_won():
    texts = Texts(["drama.csv", "comedy.csv"], "pans.csv", Columns(), Cleaning())
    table = pd.DataFrame(
        [["word_mean", "coral", "logistic"]] * 2, columns=["embedder", "adapter", "classifier"]
    )
    table = table.assign(sources=["each mapped", "pooled"], target_score=[0.8, 0.7])
    (command,) = after_comparison(table, texts, Embedding(), True)
    assert command.startswith("embtransfer fit --source drama.csv --source comedy.csv --target pans.csv")
    assert after_comparison(table.assign(target_score=[0.7, 0.8]), texts, Embedding(), True) == []


@pytest.mark.parametrize("sources", [TWO, BY_COLUMN])
def test_update_learns_from_all_of_them_and_maps_each(sources):
    run("fit", *sources, "--adapter", "centering", "--classifier", "self_training", "-o", "model")
    words = next_command(run("label", "model", "pans.csv", "-n", "30", "-o", "a.csv").stderr)
    fill_in("a.csv")
    assert {*sources} <= {*words}
    said = run(*words).stderr
    assert "Fitted on 320 source texts" in said
    assert "The next 50 labels" in said
    assert list(load_pipeline("model2")[1].source_maps_) == ["comedy", "drama"]
    words = next_command(run("label", "model2", "pans.csv", "-n", "5", "-o", "b.csv").stderr)
    assert {*sources} <= {*words}


def test_choose_takes_them():
    run("choose", *TWO, *SMALL, "-o", "model")
    assert len(load_pipeline("model").predict(["A lovely pan."])) == 1


def test_files_of_one_name_in_two_folders_keep_their_paths(tmp_path):
    for genre in ("drama", "comedy"):
        (tmp_path / genre).mkdir()
        pd.read_csv(f"{genre}.csv").to_csv(f"{genre}/all.csv", index=False)
    sources = ["--source", "drama/all.csv", "--source", "comedy/all.csv", "--target", "pans.csv"]
    run("fit", *sources, "--adapter", "centering", "-o", "model")
    assert list(load_pipeline("model")[1].source_maps_) == ["comedy/all.csv", "drama/all.csv"]


def test_sources_without_a_label_in_common_are_told():
    table = pd.read_csv("comedy.csv")
    table.assign(label=table["label"].map({0: "bad", 1: "good"})).to_csv("comedy.csv", index=False)
    words = ["--adapter", "none", "-o", "model"]
    said = run("fit", *TWO, *words).stderr
    assert "drama.csv (0, 1) and comedy.csv (bad, good) have no label in common" in said
    table.to_csv("comedy.csv", index=False)
    assert "in common" not in run("fit", *TWO, *words, "--overwrite").stderr


def test_a_column_that_is_not_there_is_named():
    said = refused(
        "fit", "--source", "films.csv", "--domain-column", "kind", "--target", "pans.csv", "-o", "m"
    )
    assert "--domain-column) 'kind', but films.csv has columns: text, label, genre" in said


def test_what_goes_not_together_is_said():
    twice = ["--source", "drama.csv", "--source", "drama.csv", "--target", "pans.csv", "-o", "m"]
    assert "Expected each source once" in refused("fit", *twice)
    assert "Got --stream with several sources" in refused("fit", *TWO, "--stream", "-o", "m")
    demo = ["--dataset", "demo", "--source", "films", "--target", "kitchenware", "--domain-column", "genre"]
    assert "Got --domain-column genre with --dataset" in refused("fit", *demo, "-o", "m")
