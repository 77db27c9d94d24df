"""Rounds as files: written for spreadsheets, read back with a line for whatever is wrong, never lost."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from embtransfer import NGramVectorizer, NoAdaptation, make_classifier, make_transfer_pipeline
from embtransfer.labelling import check_output, label_cell, read_rounds, refitted, write_round
from embtransfer.labelling._rounds import _FORMULA

TEXTS = ["good pan", "=1+1", "'=1+1", '-- bad; "pot",\nhe said', "\t@lid", "  +1 for this"]
TEXTS += ["'fine' ünd good", "", "x" * 40_000, "＝SUM(A1)"]
CLASSES = ["bad", "good"]
HEADER = "row,text,why,probability,label\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def all_suggested():
    probability = [0.25, *[np.nan] * (len(TEXTS) - 1)]
    return pd.DataFrame({"row": range(len(TEXTS)), "why": "margin", "probability": probability})


def read(*lines, texts=TEXTS, name="a.csv"):
    Path(name).write_text(HEADER + "".join(f"{line}\n" for line in lines), "utf-8")
    return read_rounds(name, texts, CLASSES)


def refused(*lines, **options):
    with pytest.raises(ValueError, match=r"^a\.csv, ") as error:
        read(*lines, **options)
    return str(error.value)


def test_a_round_comes_back_as_it_was_filled_in():
    write_round(Path("new/a.csv"), all_suggested(), TEXTS, {"id": [f"={i}" for i in range(len(TEXTS))]})
    assert Path("new/a.csv").read_bytes().startswith(b"\xef\xbb\xbfrow,id,text,why,probability,label")
    table = pd.read_csv("new/a.csv", dtype=str)
    assert table["row"].tolist() == [str(i) for i in range(1, len(TEXTS) + 1)]
    assert table["id"][0] == "'=0"
    table["label"] = [" good ", "bad"] + [""] * (len(TEXTS) - 2)
    table.to_csv("new/a.csv", index=False)
    rounds = read_rounds("new", TEXTS, CLASSES)
    assert rounds.rows == [*range(len(TEXTS))]
    assert rounds.labels == {0: "good", 1: "bad"}
    assert rounds.probability == {0: 0.25}
    assert rounds.learned == {1: "bad"}


def test_no_cell_is_a_formula():
    write_round(Path("a.csv"), all_suggested(), TEXTS)
    with open("a.csv", encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell.strip(" ")[:1] in tuple("=+-@\t\r＝")] == []
    assert sum(map(bool, map(_FORMULA.match, TEXTS))) == 6


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.to_csv("a.csv", index=False, sep=";", decimal=",", encoding="utf-16"),
        lambda table: table.to_csv("a.csv", index=False, lineterminator="\r\n"),
        lambda table: table.assign(row=table["row"] + 0.0, notes="?").to_csv("a.csv", index=False),
        lambda table: table.assign(text=table["text"].str.removeprefix("'")).to_csv("a.csv", index=False),
        lambda table: table[::-1].drop(columns="why").to_csv("a.csv", index=False),
    ],
    ids=["semicolons", "line ends", "a column more", "apostrophes taken away", "sorted"],
)
def test_what_spreadsheets_do_to_a_file(change):
    texts = [text for text in TEXTS if not text.startswith("'")]
    write_round(Path("a.csv"), all_suggested()[: len(texts)], texts)
    table = pd.read_csv("a.csv")
    table["label"] = "good"
    change(table)
    rounds = read_rounds("a.csv", texts, CLASSES)
    assert rounds.labels == dict.fromkeys(range(len(texts)), "good")
    assert rounds.probability == {0: 0.25}


def test_labels_that_are_numbers_are_those_of_the_source():
    Path("a.csv").write_text(HEADER + "1,good pan,margin,,3\n", "utf-8")
    assert read_rounds("a.csv", TEXTS, [1, 3]).labels == {0: 3}


def test_numbers_are_known_as_spreadsheets_write_them_unless_two_classes_are_the_same_number():
    Path("a.csv").write_text(HEADER + "1,good pan,margin,,7\n6,+1 for this,margin,,10\n", "utf-8")
    assert read_rounds("a.csv", TEXTS, ["007", "010"]).labels == {0: "007", 5: "010"}
    assert read_rounds("a.csv", TEXTS, [7.0, 10.0, 11.0]).labels == {0: 7.0, 5: 10.0}
    assert read_rounds("a.csv", TEXTS, ["007", "7", "10"]).labels == {0: "7", 5: "10"}
    with pytest.raises(ValueError, match="has the label '7', which the source lacks: 007, 07, 10"):
        read_rounds("a.csv", TEXTS, ["007", "07", "10"])


def test_case_and_white_space_of_a_label_matter_only_between_classes():
    Path("a.csv").write_text(HEADER + "1,good pan,margin,, GOOD \n", "utf-8")
    assert read_rounds("a.csv", TEXTS, ["bad", "good"]).labels == {0: "good"}
    assert read_rounds("a.csv", TEXTS, ["GOOD", "good"]).labels == {0: "GOOD"}
    with pytest.raises(ValueError, match="has the label 'GOOD', which the source lacks: Good, good"):
        read_rounds("a.csv", TEXTS, ["Good", "good"])


def test_labels_that_spreadsheets_would_run_are_known_with_an_apostrophe():
    Path("a.csv").write_text(HEADER + "1,good pan,margin,,'-1\n6,  +1 for this,margin,,-1\n", "utf-8")
    assert label_cell(-1) == "'-1"
    assert read_rounds("a.csv", TEXTS, [1, -1]).labels == {0: -1, 5: -1}
    with pytest.raises(ValueError, match=r"'-1\", which the source lacks: -2, 1\. Mend it"):
        read_rounds("a.csv", TEXTS, [1, -2])


def test_empty_lines_and_rows_without_a_label_are_no_labels():
    rounds = read(",,,,", "1,good pan,random,0.5,", ",,,,")
    assert rounds == ([0], {}, {})


def test_a_label_twice_is_one_and_a_drawn_row_stays_drawn():
    rounds = read("1,good pan,random,0.5,good", "1,good pan,margin,,good")
    assert rounds == ([0], {0: "good"}, {0: 0.5})
    assert rounds.learned == {}


def test_what_is_wrong_is_said_with_file_and_row():
    good = "1,good pan,margin,,good"
    assert refused(good, "11,good pan,margin,,bad") == (
        "a.csv, row 2, has '11' in the column row. Expected a row of the target, from 1 to 10: is this the "
        "target that the file was made of?"
    )
    for row in ("0", "1.5", "", "first", "inf"):
        assert f"row 1, has {row!r} in the column row" in refused(f"{row},good pan,margin,,bad")
    assert "row 1, has the label 'ok', which the source lacks: bad, good. Mend it, or leave it empty" in (
        refused("1,good pan,margin,,ok")
    )
    assert "row 2, has the text 'bad pan', but row 1 of the target is 'good pan'. Pass the target" in (
        refused(good, "1,bad pan,margin,,good")
    )
    for chance in ("0", "1.5", "a lot", "-1"):
        assert f"has {chance!r} in the column probability" in refused(f"1,good pan,random,{chance},good")
    assert refused(good, "1,good pan,margin,,bad") == (
        "a.csv, row 2, says 'bad' of row 1 of the target, but a.csv, row 1, says 'good'. Keep one of the two."
    )


def test_labels_that_differ_across_files_name_both():
    read("1,good pan,margin,,good", name="b.csv")
    read("1,good pan,margin,,bad")
    with pytest.raises(ValueError, match=r"^b\.csv, row 1, says 'good'.*but a\.csv, row 1, says 'bad'"):
        read_rounds(["a.csv", "b.csv"], TEXTS, CLASSES)
    assert read_rounds(["a.csv", "b.csv"], TEXTS, CLASSES, but=Path("b.csv")).labels == {0: "bad"}


def test_files_that_are_no_rounds():
    Path("a.csv").write_text("row,text,label\n1,good pan,good\n", "utf-8")
    with pytest.raises(ValueError, match=r"^a\.csv lacks the columns probability\. Expected a file of "):
        read_rounds("a.csv", TEXTS, CLASSES)
    Path("a.csv").write_bytes((HEADER + "7,'fine' ünd good,margin,,good\n").encode("cp1252"))
    with pytest.raises(ValueError, match=r"^a\.csv is not UTF-8\. Save it as such: in Excel as CSV UTF-8"):
        read_rounds("a.csv", TEXTS, CLASSES)
    with pytest.raises(FileNotFoundError, match=r"There is no file b\.csv"):
        read_rounds("b.csv", TEXTS, CLASSES)


def test_files_with_labels_are_never_written_over():
    for name in ("a.txt", "a"):
        with pytest.raises(ValueError, match=r"Expected a name that ends in \.csv"):
            check_output(Path(name), overwrite=True)
    check_output(Path("a.csv"), overwrite=False)
    write_round(Path("a.csv"), all_suggested(), TEXTS)
    with pytest.raises(FileExistsError, match=r"^a\.csv is there already\. Choose another name, or pass"):
        check_output(Path("a.csv"), overwrite=False)
    check_output(Path("a.csv"), overwrite=True)
    read("1,good pan,margin,,good", "2,=1+1,margin,,")
    with pytest.raises(FileExistsError, match=r"a\.csv holds 1 labels, which are kept"):
        check_output(Path("a.csv"), overwrite=True)
    Path("target.csv").write_text("text\ngood pan\n", "utf-8")
    with pytest.raises(FileExistsError, match=r"target\.csv is no file of embtransfer label"):
        check_output(Path("target.csv"), overwrite=True)


def test_a_model_that_takes_no_labels_is_told_which_do():
    model = make_transfer_pipeline(NGramVectorizer(), NoAdaptation(), make_classifier("logistic"))
    with pytest.raises(
        TypeError, match=r"LogisticRegression, which takes no labels .* --recipe words, .*Pool"
    ):
        refitted(model, ["good", "bad"], CLASSES, ["good"], {0: "good"})


def test_a_seed_goes_to_all_that_draws():
    model = make_transfer_pipeline(NGramVectorizer(), make_classifier("self_training"))
    texts, labels = ["good", "bad", "fine", "poor"] * 3, ["+", "-"] * 6
    after = refitted(model, texts, labels, texts, {0: "+"}, random_state=7)
    seeds = {name: value for name, value in after.get_params().items() if name.endswith("random_state")}
    assert set(seeds.values()) == {7}
    assert 7 not in [value for name, value in model.get_params().items() if name in seeds]
