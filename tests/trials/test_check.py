"""check_domains: what is probably wrong with two domains is said, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from embtransfer import check_domains
from embtransfer.datasets import load_demo_reviews

TEXTS = ["A good film.", "A bad film.", "Fine!", "Dull, and too long by an hour."]
LABELS = ["good", "bad", "good", "bad"]
PANS = ["A good pan.", "A bad lid."]


def problems(X=TEXTS, y=LABELS, X_target=PANS, y_target=None, **options):
    return " ".join(check_domains(X, y, X_target, y_target, **options).problems)


def test_where_all_is_well_one_line_says_what_is_there():
    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    found = check_domains(films.data, films.target, pans.data, pans.target)
    assert found.problems == []
    assert str(found) == found.summary
    assert "source 320 texts of 27 words (0: 160, 50 %; 1: 160, 50 %); target 320 texts" in found.summary


def test_classes_are_counted_in_both_domains():
    found = check_domains(TEXTS, LABELS, PANS, ["good", None]).classes
    assert found["source"].to_dict() == {"bad": 2, "good": 2}
    assert found["target"].to_dict() == {"bad": 0, "good": 1}
    assert found["target_share"].tolist() == [0, 1]


def test_of_many_classes_the_most_frequent_and_the_rarest_are_named():
    labels = [str(i) for i in range(1, 11) for _ in range(i)]
    said = check_domains(["a"] * len(labels), labels).summary
    assert (
        "(10: 10, 18 %; 9: 9, 16 %; 8: 8, 15 %; 7: 7, 13 %; 6: 6, 11 %; 5 more classes, the rarest 1: 1)"
        in said
    )


def test_a_class_for_most_rows_is_doubted():
    ids = [str(i) for i in range(20)]
    assert "20 classes in 20 rows: are these the labels? --label-column" in problems(TEXTS * 5, ids)
    assert "are these the labels" not in problems(TEXTS * 5, [str(i // 2) for i in range(20)])


def test_html_of_the_target_is_told_where_there_is_one():
    dirty = [f"<p>{text}</p>" for text in TEXTS]
    assert "100 % of the source's texts hold HTML" in problems(dirty, X_target=None)
    assert "100 % of the source's texts and 0 % of the target's hold HTML" in problems(dirty)


def test_labels_that_differ_by_case_or_white_space_only_are_named():
    found = check_domains(TEXTS * 2, ["good", "bad"] * 3 + ["Good ", "BAD"], PANS, ["GOOD", "bad"])
    assert found.spellings == {"Good ": "good", "BAD": "bad", "GOOD": "good"}
    assert "'Good ' beside 'good'" in found.problems[0]


def test_of_many_spellings_five_are_named():
    labels = ["good", "bad", "GOOD", "Good", "BAD", "Bad", "bad ", " bad", "good "]
    said = problems(["A film."] * 11, [*labels, "good", "bad"])
    assert said.count(" beside ") == 5
    assert "'bad' and 2 more. --merge-labels" in said


@pytest.mark.parametrize("rare", ["positve", "postiive", "posittive", "posotive", " Positve"])
def test_a_rare_label_that_is_a_frequent_one_but_for_a_letter_is_named_and_not_merged(rare):
    labels = ["positive"] * 70 + ["negative"] * 70 + [rare] * 3
    found = check_domains(["A film."] * 143, labels)
    assert f"{rare!r} (3 rows) looks like 'positive' (70): misspelt?" in found.problems[0]
    assert found.classes["source"][rare] == 3


@pytest.mark.parametrize(("rare", "frequent"), [("new yrok", "new york"), ("New-Yorkk", "New-York")])
def test_words_of_a_label_may_be_misspelt(rare, frequent):
    said = problems(["A film."] * 60, [frequent] * 59 + [rare])
    assert f"'{rare}' (1 row) looks like '{frequent}' (59): misspelt?" in said


def test_a_label_that_is_misspelt_in_the_target_only_is_named():
    said = problems(["A film."] * 30, ["positive"] * 30, PANS, ["positve", "positive"])
    assert "'positve' (1 row) looks like 'positive' (31): misspelt?" in said


@pytest.mark.parametrize(
    ("rare", "n", "frequent"),
    [
        ("2", 1, "1"),
        ("B", 1, "A"),
        ("pos2", 1, "pos1"),
        ("level2", 1, "level1"),
        ("groupB", 1, "groupA"),
        ("class b", 1, "class a"),
        ("stage iii", 1, "stage ii"),
        ("room 12", 1, "room 11"),
        ("bad-service", 1, "bad-service2"),
        ("good", 1, "food"),
        ("negative", 1, "positive"),
        ("auction", 2, "action"),
        ("Positive", 1, "positive"),
        ("<b>films", 1, "films"),
    ],
)
def test_labels_that_may_well_be_two_are_not_called_misspelt(rare, n, frequent):
    labels = [frequent] * 40 + [rare] * n
    assert "misspelt" not in problems(["A film."] * len(labels), labels)


@pytest.mark.parametrize("label", ["NaN", "null", "N/A", "#N/A"])
def test_labels_that_programs_write_where_there_is_none_are_asked_about(label):
    said = problems(y=["good", "bad", label, "good"])
    assert f"'{label}': a class, or no label? Then leave the cell empty." in said
    assert "no label?" not in problems(y=["good", "bad", "none", "good"])


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, "", " "])
def test_rows_without_a_label_are_counted(missing):
    found = check_domains(TEXTS, [*LABELS[:3], missing], PANS)
    assert found.n_unlabelled == 1
    assert "Without a label: 1 of 4 source rows" in found.problems[0]


def test_missing_and_empty_texts_are_counted():
    found = check_domains([None, *TEXTS[1:]], LABELS, ["", " ", "A pan"])
    assert (found.n_empty_source, found.n_empty_target) == (1, 2)
    assert "Missing or empty: 2 of 3 target texts." in found.problems[0]


def test_repeated_texts_and_those_in_both_domains_are_counted():
    found = check_domains([*TEXTS, "a  GOOD film."], [*LABELS, "good"], [TEXTS[0], *PANS])
    assert (found.n_repeated, found.n_in_source) == (1, 1)
    assert "1 of 3 target texts stand in the source as well." in found.problems[0]


def test_texts_that_are_repeated_within_the_target_are_counted():
    found = check_domains(TEXTS, LABELS, [*PANS, "a good  PAN.", PANS[0], "Fine!"])
    assert (found.n_repeated, found.n_repeated_target, found.n_in_source) == (0, 2, 1)
    assert found.problems[0].startswith(
        "2 of 5 target texts repeat another, but for case and white space. Class shares and scores count "
        "each of them. 1 of 5 target texts stand in the source as well."
    )
    assert "repeat" not in problems(X_target=PANS)


def test_missing_texts_repeat_none_and_stand_in_no_other_domain():
    target = [None, " ", *PANS]
    found = check_domains([*TEXTS, None, ""], [*LABELS, "good", "bad"], target, embedder=None)
    assert (found.n_empty_source, found.n_empty_target) == (2, 2)
    assert (found.n_repeated, found.n_repeated_target, found.n_in_source) == (0, 0, 0)
    assert found.problems == ["Missing or empty: 2 of 6 source texts. Missing or empty: 2 of 4 target texts."]


def test_texts_of_the_target_that_are_much_shorter_are_told():
    long = ["A film that goes on and on and on, for no reason that I could see."] * 4
    assert "short: 3 words in the median, the source's 16" in problems(long, X_target=["A good pan"] * 9)


def test_texts_without_a_known_word_are_told():
    assert "The target: Coverage(0.0% of 2 tokens" in problems(X_target=["xqzzw vbnkk", "!"])
    assert problems(X_target=["xqzzw vbnkk", "!"], embedder=None) == ""
    assert "The target" not in problems(X_target=["A good pan.", ""])  # that it is empty is said already


@pytest.mark.parametrize(
    "text", ["A <br> pan", "It&#39;s a pan", "Tom &amp; Jerry", "<p class='a'>A pan</p>"]
)
def test_html_is_told(text):
    found = check_domains(TEXTS, LABELS, [text, "A <3 pan & a lid, 3 < 4 > 2"])
    assert found.html == (0.0, 0.5)
    assert "50 % of the target's hold HTML" in found.problems[-1]


@pytest.mark.parametrize(
    ("y", "scoring", "said"),
    [
        ([["a"], ["a", "b"], [], ["b"]], "accuracy", "(several labels a text)"),
        (np.eye(4, dtype=int), "accuracy", "(several labels a text)"),
        (["1", "2.5", "3", "4"], "r2", "(numbers)"),
    ],
)
def test_several_labels_and_numbers_have_no_classes(y, scoring, said):
    found = check_domains(TEXTS, y, PANS, scoring=scoring)
    assert found.classes is None
    assert said in found.summary


def test_vectors_are_counted_as_texts_are():
    rows = np.arange(12.0).reshape(4, 3)
    found = check_domains(rows, LABELS, rows[[0, 1, 1]])
    assert (found.n_in_source, found.n_repeated_target) == (3, 1)
    assert "1 of 3 target vectors repeat another. Class" in found.problems[0]
    assert found.summary == "Data: source 4 vectors (bad: 2, 50 %; good: 2, 50 %); target 3 vectors"


def test_labels_of_another_number_are_refused():
    with pytest.raises(ValueError, match="Got 4 rows as X and 3 labels"):
        check_domains(TEXTS, LABELS[:3])
