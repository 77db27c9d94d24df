"""What label and update print: the next command, which runs, and how good the model is."""

import re
from pathlib import Path

import pandas as pd
import pytest

from embtransfer import load_pipeline, save_pipeline
from embtransfer.datasets import load_demo_reviews
from tests.cli.commands import fill_in, next_command, refused, run

FIT = ["--source", "films.csv", "--target", "pans.csv", "--embedder", "ngrams", "--adapter", "none"]
FIT += ["--classifier", "self_training", "-o", "model"]
UPDATE = ["update", "model", *FIT[:4], "-o", "new", "--labels", "a.csv"]
INTERVAL = r"[01]\.\d{3} \(90 % interval 0\.\d{3} to [01]\.\d{3}\)"


def embtransfer(*words):
    return run(*words).stderr


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, domain in {"films": "films", "pans": "kitchenware"}.items():
        bunch = load_demo_reviews(domain)
        labels = [("bad", "good")[y] for y in bunch.target]
        pd.DataFrame({"text": bunch.data, "label": labels})[:60].to_csv(f"{name}.csv", index=False)


def test_the_next_command_reads_the_source_as_the_model_did():
    films = pd.read_csv("films.csv").rename(columns={"text": "tweet", "label": "kind of it"})
    films.loc[0, "kind of it"] = None
    films.loc[1:6, "kind of it"] += " "
    films.to_csv("dirty.csv", index=False, sep=";", encoding="cp1252")
    options = ["--text-column", "tweet", "--label-column", "kind of it", "--delimiter", ";"]
    options += ["--encoding", "cp1252", "--merge-labels", "--drop-unlabelled"]
    pd.read_csv("pans.csv").to_csv("others.csv", index=False, encoding="utf-8")
    of_target = ["--target-text-column", "text", "--target-delimiter", ",", "--target-encoding", "utf-8"]
    words = ["--source", "dirty.csv", "--target", "others.csv", "--classifier", "self_training", "-o", "mine"]
    embtransfer("fit", *words, *options, *of_target)
    said = embtransfer("label", "mine", "others.csv", "-n", "5", "--delimiter", ",", "-o", "a.csv")
    fill_in("a.csv")
    words = next_command(said)
    assert words[:8] == ["update", "mine", "--source", "dirty.csv", "--target", "others.csv", "-o", "mine2"]
    said = embtransfer(*words, "--target-encoding", "utf-8")
    assert "Fitted on 59 source texts" in said
    words = next_command(said)
    assert words[:3] == ["label", "mine2", "others.csv"]
    assert words[-4:] == ["--delimiter", ",", "--encoding", "utf-8"]
    assert next_command(embtransfer(*words))[2:4] == ["--source", "dirty.csv"]


def test_a_folder_by_others_says_no_more_than_how_the_source_is_read():
    embtransfer("fit", *FIT)
    save_pipeline(load_pipeline("model"), "mine", about={"read with": "--merge-labels --trusted bad.module"})
    said = embtransfer("label", "mine", "pans.csv", "-n", "5", "-o", "a.csv")
    assert "bad.module" in Path("mine/config.json").read_text()
    words = ["--source", "SOURCE", "--target", "pans.csv", "-o", "mine2", "--labels", "a.csv"]
    assert next_command(said)[2:] == words


def test_other_scores_and_a_model_that_got_worse():
    embtransfer("fit", *FIT)
    embtransfer("label", "model", "pans.csv", "-n", "40", "-o", "a.csv")
    table = fill_in("a.csv")
    chosen = table["probability"].isna()
    table.loc[chosen, "label"] = table["label"][chosen].map({"bad": "good", "good": "bad"})
    table.to_csv("a.csv", index=False)
    said = embtransfer(*UPDATE, "--scoring", "balanced_accuracy", "--next", "0")
    scores = rf"  model: {INTERVAL}\n  without .+: {INTERVAL}\n  new: {INTERVAL}\n"
    assert re.search(rf"balanced_accuracy on the target, .+:\n{scores}", said)
    worse = r"new is worse than model by \d+\.\d points.*, (more than chance|which may be).+ still there\."
    assert re.search(worse, said)
    embtransfer("fit", *FIT[:-1], "replaced")
    words = ["update", "replaced", *UPDATE[2:6], "-o", str(Path.cwd() / "replaced"), *UPDATE[8:]]
    said = embtransfer(*words, "--overwrite", "--next", "0", "--scoring", "balanced_accuracy")
    assert "is worse than without self-training and labels by" in said
    assert "still there" not in said
    words = [*UPDATE, "--overwrite", "--next", "0", "--scoring"]
    assert "Got scoring='roc_auc', which needs probabilities" in refused(*words, "roc_auc")
    assert "f1:good on the target" in embtransfer(*words, "f1:good")


def test_nothing_is_next_where_all_texts_have_been_labelled():
    embtransfer("fit", *FIT)
    embtransfer("label", "model", "pans.csv", "-n", "55", "-o", "a.csv")
    fill_in("a.csv")
    assert "The next 5 labels are expected to" in embtransfer(*UPDATE)
    Path("rest").mkdir()
    embtransfer("label", "model", "pans.csv", "-n", "55", "-o", "rest/b.csv", "--labels", "a.csv")
    assert len(fill_in("rest/b.csv")) == 5
    said = embtransfer(*UPDATE, "--labels", "rest", "--overwrite")
    assert said.splitlines()[-1].endswith("Saved to new. All of the target has been given to label.")
    assert "The next" not in said


def test_the_card_has_the_score_that_random_labels_gave():
    embtransfer("fit", *FIT)
    embtransfer("label", "model", "pans.csv", "-n", "20", "-o", "a.csv")
    fill_in("a.csv")
    said = embtransfer(*UPDATE, "--next", "0")
    score = re.search(rf"  new: ({INTERVAL})\n", said)[1]
    card = Path("new/README.md").read_text("utf-8")
    expected = card[card.index("## What to expect") : card.index("## How to use it")]
    by = "by 4 labels of random texts, which no model learns from"
    assert f"Accuracy on the target, {by}: {score}. Measure it" in expected
    assert card.count(score) == 1

    replacing = ["new" if word == "model" else word for word in UPDATE]
    said = embtransfer(*replacing, "--next", "0", "--overwrite")
    score = re.search(rf"  new: ({INTERVAL})\n", said)[1]
    assert f"learns from: {score}. Measure it" in Path("new/README.md").read_text("utf-8")

    embtransfer("label", "model", "pans.csv", "-n", "4", "-o", "b.csv", "--method", "typical")
    fill_in("b.csv")
    embtransfer(*UPDATE[:-1], "b.csv", "--next", "0", "--overwrite")
    assert "Not known. Measure it" in Path("new/README.md").read_text("utf-8")


def test_a_model_that_takes_html_out_does_so_when_it_is_updated():
    clean = pd.read_csv("pans.csv")["text"]
    for name in ("films", "pans"):
        table = pd.read_csv(f"{name}.csv")
        table.assign(text="<p>" + table["text"] + "&nbsp;</p>").to_csv(f"{name}.csv", index=False)
    embtransfer("fit", *FIT, "--html")
    embtransfer("label", "model", "pans.csv", "-n", "5", "-o", "a.csv")
    fill_in("a.csv")
    embtransfer(*UPDATE, "--next", "0")
    new = load_pipeline("new")
    assert not {"nbsp", "p"} & set(new["ngramvectorizer"].get_feature_names_out())
    assert new.predict_proba(pd.read_csv("pans.csv")["text"]).tolist() == new.predict_proba(clean).tolist()
