"""label and update: rounds of labelling from the command line, on the demo reviews."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from embtransfer import (
    NGramVectorizer,
    NoAdaptation,
    PooledClassifier,
    load_pipeline,
    make_transfer_pipeline,
    save_pipeline,
)
from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews
from tests.cli.commands import fill_in, next_command

FIT = ["--source", "films.csv", "--target", "pans.csv", "--recipe", "words"]
UPDATE = ["update", "pooled", "--source", "films.csv", "--target", "pans.csv", "-o", "new"]
INTERVAL = r"[01]\.\d{3} \(90 % interval 0\.\d{3} to [01]\.\d{3}\)"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """films and pans, with a column of ids, and two models, the second one quick to fit."""
    folder = tmp_path_factory.mktemp("labelling")
    for name, domain in {"films": "films", "pans": "kitchenware"}.items():
        bunch = load_demo_reviews(domain)
        rows = {"text": bunch.data, "label": [("bad", "good")[y] for y in bunch.target]}
        table = pd.DataFrame(rows)[:60]
        table["id"] = [f"{name}-{i}" for i in range(60)]
        table.to_csv(folder / f"{name}.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        embtransfer("fit", *FIT, "-o", "model")
        films, pans = pd.read_csv("films.csv"), pd.read_csv("pans.csv")
        pooled = make_transfer_pipeline(NGramVectorizer(), NoAdaptation(), PooledClassifier())
        save_pipeline(pooled.fit(films["text"], films["label"], X_target=pans["text"]), "pooled")
    return folder


@pytest.fixture(autouse=True)
def folder(made, monkeypatch, tmp_path):
    """A folder of its own, with the files of `made`."""
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)


def embtransfer(*words):
    run = CliRunner().invoke(app, [*words])
    assert run.exit_code == 0, run.output
    assert run.stdout == ""
    return run.stderr


def refused(*words):
    run = CliRunner().invoke(app, [*words])
    assert run.exit_code == 2, run.output
    lines = run.stderr.splitlines()
    assert len(lines) == 1, run.stderr
    return lines[0]


def test_rounds_add_up():
    said = embtransfer("label", "model", "pans.csv", "-n", "20", "-o", "rounds/1.csv", "--id-column", "id")
    assert "20 texts to label (16 diverse, 4 random). Wrote rounds/1.csv\nFill in the column label" in said
    first, pans = fill_in("rounds/1.csv"), pd.read_csv("pans.csv")
    assert first.columns.tolist() == ["row", "id", "text", "why", "probability", "label"]
    assert first["id"].tolist() == pans["id"][first["row"] - 1].tolist()
    assert first["text"].tolist() == pans["text"][first["row"] - 1].tolist()

    words = next_command(said)
    assert words[0] == "update"
    kept = Path("rounds/1.csv").read_bytes()
    said = embtransfer(*(word.replace("SOURCE", "films.csv") for word in words), "--random-state", "3")
    assert "by 4 labels of random texts, which no model learns from:\n" in said
    assert re.search(
        rf"^  model: {INTERVAL}\n  without [a-z -]+: {INTERVAL}\n  model2: {INTERVAL}\n", said, re.MULTILINE
    )
    assert "Got 16 labels that the model learned from: too few to tell what more of them bring" in said
    assert "60 target texts and 16 of their labels. Saved to model2." in said
    last = load_pipeline("model2").get_params()["selftrainingclassifier__random_state"]
    assert last == 3
    assert Path("rounds/1.csv").read_bytes() == kept

    words = next_command(said)
    assert words == ["label", "model2", "pans.csv", "-o", "rounds/2.csv", "--labels", "rounds/1.csv"]
    embtransfer(*words, "-n", "10")
    second = fill_in("rounds/2.csv", 5)
    assert not {*first["row"]} & {*second["row"]}

    said = embtransfer(*UPDATE, "--labels", "rounds")
    assert "by 5 labels of random texts" in said
    assert "and 20 of their labels" in said
    gain = r"The next 30 labels are expected to change the label of \d+\.\d % of the target, and accuracy by "
    assert re.search(gain + r"-\d+\.\d to \+\d+\.\d points\.", said)
    assert "The next" not in embtransfer(*UPDATE, "--labels", "rounds", "--overwrite", "--next", "0")
    words = next_command(said)
    assert words[3:] == ["-o", "rounds/3.csv", "--labels", "rounds"]
    said = embtransfer(*words, "-n", "200")
    assert "30 texts to label" in said  # those that were left empty are not among them
    assert next_command(said)[-2:] == ["--labels", "rounds"]
    assert "All 60 texts of pans.csv were suggested already" in refused(*words[:4], "4.csv", *words[5:])


def test_without_a_random_label_nothing_is_scored_but_it_is_fitted():
    said = embtransfer("label", "model", "pans.csv", "-n", "6", "-o", "a.csv", "--method", "typical")
    assert "6 texts to label (6 typical)" in said
    fill_in("a.csv")
    said = embtransfer(*UPDATE, "--labels", "a.csv")
    assert "No label of a random text: nothing says how good the model is." in said
    assert "with --method random all are" in said
    assert next_command(said)[-4:] == ["-o", "a_2.csv", "--labels", "a.csv"]


def test_random_labels_alone_score_and_nothing_is_learned():
    embtransfer("label", "model", "pans.csv", "-n", "30", "-o", "a.csv", "--method", "random")
    fill_in("a.csv")
    said = embtransfer(*UPDATE, "--labels", "a.csv")
    assert "by 30 labels of random texts" in said
    assert "and 0 of their labels" in said


def test_the_confidence_from_which_on_labels_are_right():
    embtransfer("label", "model", "pans.csv", "-n", "60", "-o", "a.csv", "--method", "random")
    fill_in("a.csv")
    said = embtransfer(*UPDATE, "--labels", "a.csv", "--accuracy", "0.6")
    assert "Labels of which 60 % are right, in 90 % of such cases:\n" in said
    (line,) = re.findall(r"  embtransfer (score new FILE -o scored.csv --reject-below 0\.\d+)\n", said)
    embtransfer(*line.replace("FILE", "pans.csv").split())
    said = embtransfer(*UPDATE, "--labels", "a.csv", "--accuracy", "0.99", "--overwrite")
    assert "For accuracy=0.99 it takes 230, and that only if all are right" in said
    before = Path("new/README.md").read_bytes()
    assert "Got --accuracy 1.7. Expected a number between 0 and 1" in (
        refused(*UPDATE, "--labels", "a.csv", "--accuracy", "1.7", "--overwrite")
    )
    assert Path("new/README.md").read_bytes() == before


def test_a_class_that_the_model_lacks_but_the_source_has():
    embtransfer("label", "model", "pans.csv", "-n", "5", "-o", "a.csv", "--method", "random")
    table, films = fill_in("a.csv"), pd.read_csv("films.csv")
    table.loc[0, "label"] = films.loc[:9, "label"] = "mixed"
    table.to_csv("a.csv", index=False)
    films[:30].to_csv("more.csv", index=False)
    said = embtransfer(*(word.replace("films", "more") for word in UPDATE), "--labels", "a.csv")
    assert "  pooled: not known, it lacks the class mixed\n  new: 0." in said


def test_other_columns_are_in_the_next_command():
    pd.read_csv("pans.csv").rename(columns={"text": "my text"}).to_csv("other.csv", index=False, sep=";")
    options = ["--delimiter", ";"]
    said = embtransfer("label", "model", "other.csv", "--text-column", "my text", *options, "-o", "a.csv")
    columns = ["--target-text-column", "my text", "--target-delimiter", ";"]
    assert next_command(said)[-6:] == [*columns, "--labels", "a.csv"]
    assert pd.read_csv("a.csv").columns.tolist() == ["row", "text", "why", "probability", "label"]


def test_a_target_of_empty_texts_has_none_to_label():
    Path("blank.csv").write_text('text\n""\n" "\n', "utf-8")
    said = refused("label", "pooled", "blank.csv", "-o", "a.csv")
    assert "All 2 texts of blank.csv were suggested already, or are empty." in said


CHOOSE = ["choose", "--source", "films.csv", "--target", "pans.csv", "--adapters", "none"]
CHOOSE += ["--embedders", "word_mean", "--recipes", ""]


def test_labels_choose_and_random_ones_score():
    embtransfer("label", "model", "pans.csv", "-n", "20", "-o", "rounds/1.csv")
    fill_in("rounds/1.csv", 15)
    run = CliRunner().invoke(app, [*CHOOSE, "--target-labels", "rounds", "-o", "new"])
    assert run.exit_code == 0, run.output
    assert "films.csv -> pans.csv, 15 target labels used" in run.stdout
    assert "3 labels of random texts of the target helped to choose the model" in run.stderr
    assert re.search("It(s classifier cannot learn| learned) from 12 other labels of the target", run.stderr)
    assert "-o to_label.csv --labels rounds" in run.stderr
    assert "by 3 labels of random texts, which no model learns from:\n  word_mean" in run.stderr
    assert re.search(rf": {INTERVAL}\n", run.stderr)
    own = "The label column of the target is not used. Labels to use go to --target-labels."
    assert run.stderr.count(own) == 1
    assert load_pipeline("new").predict(["A good pan."]).shape == (1,)


def test_one_label_is_no_labels():
    embtransfer("label", "model", "pans.csv", "-n", "10", "-o", "a.csv")
    table = fill_in("a.csv")
    keep = [table.index[table["why"] == "random"][0], table.index[table["why"] != "random"][0]]
    table.loc[~table.index.isin(keep), "label"] = None
    table.to_csv("a.csv", index=False)
    said = CliRunner().invoke(app, [*CHOOSE, "--target-labels", "a.csv"]).stderr
    assert "1 label of random texts of the target helped to choose the model" in said
    assert " from 1 other label of the target." in said
    assert "by 1 label of random texts, which no model learns from:" in said


def test_random_labels_choose_and_none_is_learned_from():
    embtransfer("label", "model", "pans.csv", "-n", "20", "-o", "a.csv", "--method", "random")
    fill_in("a.csv")
    pd.read_csv("pans.csv").drop(columns="label").to_csv("mine.csv", index=False)
    words = [word.replace("pans", "mine") for word in CHOOSE]
    runs = [CliRunner().invoke(app, [*words, *more]) for more in ([], ["--target-labels", "a.csv"])]
    assert "20 target labels used" in runs[1].stdout
    assert "20 labels of random texts of the target helped to choose the model" in runs[1].stderr
    assert "other labels of the target" not in runs[1].stderr
    assert "by 20 labels of random texts" in runs[1].stderr
    assert "label column" not in runs[0].stderr
    assert "helped to choose the model" not in runs[0].stderr


def test_labels_that_cannot_be_right_choose_nothing():
    embtransfer("label", "model", "pans.csv", "-n", "5", "-o", "a.csv")
    words = [*CHOOSE, "--target-labels", "a.csv", "--target-labels", "b.csv"]

    def said():
        return CliRunner().invoke(app, words).stderr.splitlines()[-1]

    assert "There is no file b.csv" in said()
    table = fill_in("a.csv")
    table.assign(label="mixed").to_csv("b.csv", index=False)
    assert "b.csv, row 1, has the label 'mixed', which the source lacks: bad, good" in said()
    table.assign(text=table["text"][::-1].to_numpy()).to_csv("b.csv", index=False)
    assert "b.csv, row 1, has the text" in said()
    table["label"] = table["label"].map({"bad": "good", "good": "bad"})
    table.to_csv("b.csv", index=False)
    assert "b.csv, row 1, says" in said()
    table.assign(row=0).to_csv("b.csv", index=False)
    assert "b.csv, row 1, has '0' in the column row" in said()


def test_the_page_shows_texts_as_the_model_reads_them_and_keeps_those_of_the_file():
    pans = pd.read_csv("pans.csv")
    pans.assign(text="<p>" + pans["text"] + "&nbsp;</p>").to_csv("html.csv", index=False)
    films = ["--source", "films.csv", "--target", "html.csv", "--embedder", "ngrams"]
    embtransfer("fit", *films, "--classifier", "self_training", "--html", "-o", "clean")
    embtransfer("label", "clean", "html.csv", "-n", "3", "-o", "a.csv", "--page")
    texts, page = pd.read_csv("a.csv")["text"], Path("a.html").read_text("utf-8")
    assert texts.str.startswith("<p>").all()
    (content,) = re.findall(r'<script type="application/json" id="et-round">(.*?)</script>', page)
    shown = [row["text"].strip() for row in json.loads(content)["rows"]]
    assert shown == [pans["text"][row - 1] for row in pd.read_csv("a.csv")["row"]]


def test_a_page_beside_the_file():
    words = ["label", "model", "pans.csv", "-n", "5", "-o", "a.csv", "--page"]
    said = embtransfer(*words)
    assert "Wrote a.csv and a.html\nOpen a.html in a browser, and put what it saves in the place of" in said
    assert "<title>Label a.csv</title>" in Path("a.html").read_text("utf-8")
    Path("a.csv").unlink()
    assert "a.html is there already. Choose another name, or pass --overwrite" in refused(*words)
    embtransfer(*words, "--overwrite")


def test_files_that_are_there_stay():
    words = ["label", "model", "pans.csv", "-n", "5", "-o", "a.csv"]
    embtransfer(*words)
    assert "a.csv is there already. Choose another name, or pass --overwrite" in refused(*words)
    embtransfer(*words, "--overwrite", "--labels", "a.csv")
    fill_in("a.csv")
    assert "a.csv holds 5 labels, which are kept" in refused(*words, "--overwrite")
    assert "pans.csv is no file of embtransfer label" in refused(*words[:-1], "pans.csv", "--overwrite")


def test_what_cannot_be():
    embtransfer("label", "model", "pans.csv", "-n", "5", "-o", "a.csv")
    assert "Got no label in a.csv. Fill in the column label" in refused(*UPDATE, "--labels", "a.csv")
    fill_in("a.csv")
    label = ["label", "model", "pans.csv", "-o", "b.csv"]
    assert "Got --id-column label, but the file has such a column of its own" in (
        refused(*label, "--id-column", "label")
    )
    assert "id_column (--id-column) 'nope', but pans.csv has columns: text, label, id" in (
        refused(*label, "--id-column", "nope")
    )
    assert "Got n=0" in refused(*label, "-n", "0")
    changed = [word.replace("pans", "films") for word in UPDATE]
    said = refused(*changed, "--labels", "a.csv")
    assert re.search(
        r"a\.csv, row 1, has the text (['\"]).*\1, but row \d+ of the target is (['\"]).*\2", said
    )
    assert "exists already" in refused(*UPDATE[:-1], "pooled", "--labels", "a.csv")
    embtransfer("fit", *FIT[:4], "--embedder", "ngrams", "--adapter", "none", "-o", "plain")
    no_use = "LogisticRegression, which takes no labels of the target. Those that do:"
    assert no_use in refused("update", "plain", *UPDATE[2:], "--labels", "a.csv")
    said = embtransfer("label", "plain", *label[2:])
    assert no_use in said  # before somebody labels for an hour
    fill_in("b.csv")
    command = next_command(said)
    assert command[:2] + command[-2:] == ["choose", "--source", "--target-labels", "b.csv"]
    assert CliRunner().invoke(app, [*command, *CHOOSE[5:]]).exit_code == 0
    pd.read_csv("films.csv").assign(a=[1, 0] * 30, b=0).to_csv("several.csv", index=False)
    several = [word.replace("films", "several") for word in UPDATE]
    assert "Got several labels a text. Expected one" in (
        refused(*several, "--labels", "a.csv", "--label-column", "a,b")
    )
    words = ["--source", "several.csv", "--label-column", "a,b", "--embedder", "ngrams", "--adapter", "none"]
    embtransfer("fit", *words, "-o", "several")
    assert "Expected a fitted pipeline or classifier of one label a row" in (
        refused("label", "several", "pans.csv", "-o", "c.csv")
    )


def test_labels_of_the_source_are_checked():
    films = pd.read_csv("films.csv").rename(columns={"text": "my text", "label": "my label"})
    films.loc[0, "my text"] = "=1+1 " + films.loc[0, "my text"]
    films.to_csv("mine.csv", index=False)
    words = ["check-labels", "model", "mine.csv", "-o", "found.csv"]
    columns = ["--text-column", "my text", "--label-column", "my label"]
    said, found = embtransfer(*words, *columns), pd.read_csv("found.csv")
    assert re.match(
        rf"About {len(found)} of 60 labels are expected to be wrong; \d+ of those listed are", said
    )
    assert found.columns.tolist() == ["row", "text", "label", "suggested", "suspicion"]
    rows = found["row"] - 1
    assert found["label"].tolist() == films["my label"][rows].tolist()
    assert found["text"].str.removeprefix("'").tolist() == films["my text"][rows].tolist()
    pd.concat([films[:2].assign(**{"my label": None}), films]).to_csv("gaps.csv", index=False)
    embtransfer(*words[:2], "gaps.csv", "-o", "gaps_found.csv", *columns, "--drop-unlabelled")
    pd.testing.assert_frame_equal(pd.read_csv("gaps_found.csv"), found.assign(row=found["row"] + 2))
    assert "found.csv is there already. Choose another name, or pass --overwrite" in refused(*words, *columns)
    assert embtransfer(*words, *columns, "--overwrite") == said
    assert "mine.csv has columns: my text, my label, id" in refused(*words, "--overwrite")
    assert "Got found.txt. Expected a name that ends in .csv" in refused(*words[:-1], "found.txt")
    told = [f"a {word} {thing}" for thing in ("pan", "knife", "plot", "film") for word in ("good", "bad")]
    pd.DataFrame({"text": 5 * told, "label": 20 * ["1", "0"]}).to_csv("told.csv", index=False)
    said = embtransfer("check-labels", "model", "told.csv", "-o", "none.csv")
    assert said == "None of 40 labels stands out as wrong. Wrote none.csv\n"
    assert len(pd.read_csv("none.csv")) == 0


def test_labels_spelled_otherwise_are_refused_or_merged():
    embtransfer("label", "model", "pans.csv", "-n", "10", "-o", "a.csv")
    fill_in("a.csv")
    films = pd.read_csv("films.csv")
    films.loc[films.index[:3], "label"] = films["label"][:3] + " "
    films.to_csv("spelled.csv", index=False)
    words = [word.replace("films", "spelled") for word in UPDATE]
    said = refused(*words, "--labels", "a.csv")
    assert re.search(
        "Got the source label '(good|bad) ', but .+ knows '(good|bad)'. Pass --merge-labels", said
    )
    embtransfer(*words, "--labels", "a.csv", "--merge-labels")
    assert len(load_pipeline("new").classes_) == 2


def test_a_target_without_a_row_has_nothing_to_label():
    Path("none.csv").write_text("text\n")
    assert "none.csv has no row. Expected texts to label." in refused(
        "label", "model", "none.csv", "-o", "n.csv"
    )
