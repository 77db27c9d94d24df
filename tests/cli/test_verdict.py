"""`choose` and `compare` end in which model to take, how good it is, and a command that goes on."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from embtransfer.cli import _terminal, app
from embtransfer.cli._terminal import progress_bar
from embtransfer.datasets import load_demo_reviews
from embtransfer.tables import TableReader

SMALL = ["--embedders", "word_mean", "--adapters", "none,coral", "--classifiers", "logistic", "--recipes", ""]
DOMAINS = ["--source", "films.csv", "--target", "pans.csv"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, domain in {"films": "films", "pans": "kitchenware"}.items():
        bunch = load_demo_reviews(domain)
        labels = ["good" if label else "bad" for label in bunch.target]
        pd.DataFrame({"text": bunch.data, "label": labels})[:120].to_csv(f"{name}.csv", index=False)
    pd.read_csv("pans.csv")[["text"]].to_csv("unlabelled.csv", index=False)


def run(*words):
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result


def next_commands(result):
    """The words of the commands under "Next:"."""
    lines = result.stderr.partition("Next:\n")[2].splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("  embtransfer ")]


def test_choose_marks_the_row_that_it_takes_and_says_how_good_it_is_and_what_it_predicts():
    result = run("choose", *DOMAINS, *SMALL)
    (marked,) = [line.split() for line in result.stdout.splitlines() if line.lstrip().startswith("* ")]
    said = result.stderr
    assert f"Take {' + '.join(marked[1:4])}." in said
    name = re.search(r"^Take (\S+ \+ \S+ \+ \S+|\S.*)\. It gives the labels that", said, re.M)[1]
    assert f"Evidence: {name} has the best " in said
    assert re.search(r"^Expected accuracy on the target: 0\.\d\d \(0\.\d\d to [01]\.\d\d\)$", said, re.M)
    shares = re.search(r"^Labels that it gives .*: bad (\d+) %, good (\d+) %$", said, re.M)
    assert sum(map(int, shares.groups())) in (99, 100, 101)
    assert "the same with -o MODEL, which saves it" in said


def test_the_commands_after_choose_run():
    commands = next_commands(run("choose", *DOMAINS, *SMALL, "-o", "my model"))
    assert [words[0] for words in commands] == ["score", "label"]
    for words in commands:
        run(*words)
    assert len(TableReader("scored.csv").columns(["prediction"])[0]) == 120


def test_compare_puts_the_best_on_the_target_first_and_marks_it():
    result = run("compare", *DOMAINS, *SMALL)
    rows = [line for line in result.stdout.splitlines() if re.search(r" 0\.\d{3} +0\.\d{3} ", line)]
    scores = [float(re.findall(r"0\.\d{3}", line)[1]) for line in rows]
    assert scores == sorted(scores, reverse=True)
    assert [line.lstrip().startswith("* ") for line in rows] == [True] + [False] * (len(rows) - 1)
    assert "accuracy on 60 texts unseen" in result.stdout
    assert re.search(
        rf"^Best on the target: .+, accuracy {scores[0]:.3f} with a standard error of 0\.0\d\d on 60 "
        r"texts; .*the majority class 0\.\d{3}\.$",
        result.stderr,
        re.M,
    )


def test_the_command_after_compare_fits_the_best():
    words = ["--embedders", "word_sif", "--adapters", "centering", "--recipes", "", "--merge-labels"]
    (command,) = next_commands(run("compare", *DOMAINS, *words))
    assert command[0] == "fit"
    assert "--merge-labels" in command
    run(*command)


def test_where_tfidf_is_the_best_the_command_after_compare_fits_it():
    Path("two.txt").write_text("pan 1 0\nfilm 0 1\n")
    result = run("compare", *DOMAINS, *SMALL[:3], "none", "--recipes", "", "--vectors", "two.txt", "--cased")
    assert "Best on the target: tfidf + " in result.stderr
    (command,) = next_commands(result)
    assert command[-6:] == ["--embedder", "ngrams", "--adapter", "none", "--classifier", "logistic"]
    run(*command)


def test_compare_without_target_labels_points_to_choose():
    result = run("compare", "--source", "films.csv", "--target", "unlabelled.csv", *SMALL)
    assert "*" not in result.stdout
    (command,) = next_commands(result)
    assert command[0] == "choose"
    run(*command, *SMALL)


def test_where_the_targets_labels_may_be_in_another_column_its_option_is_named():
    frame = pd.read_csv("pans.csv").rename(columns={"label": "rating"})
    frame.to_csv("other.csv", index=False)
    words = ["compare", "--source", "films.csv", "--target", "other.csv", *SMALL]
    option = "--target-label-column"
    named = (
        f"other.csv has no column 'label'. If one of these holds its labels, pass {option} with its name: "
    )
    assert f"{named}rating." in run(*words).stderr
    assert option not in run(*words, option, "rating").stderr
    assert option not in run(*words[:4], "unlabelled.csv", *SMALL).stderr


def test_the_majority_is_the_targets_own():
    frame = pd.read_csv("pans.csv")
    few_good = pd.concat([frame[frame["label"] == "bad"], frame[frame["label"] == "good"][:12]])
    few_good.to_csv("pans.csv", index=False)
    films = pd.read_csv("films.csv")
    pd.concat([films, films[films["label"] == "good"].assign(text=lambda of: of["text"] + " Yes.")]).to_csv(
        "films.csv", index=False
    )
    said = run("compare", *DOMAINS, *SMALL).stderr
    assert float(re.search(r"the majority class (0\.\d+)", said)[1]) > 0.7
    frame[frame["label"] == "bad"].to_csv("pans.csv", index=False)
    said = run("compare", *DOMAINS, *SMALL).stderr
    assert "No model beats always giving the majority class. Where rare classes matter" in said
    said = run("compare", *DOMAINS, *SMALL, "--scoring", "balanced_accuracy").stderr
    assert "No model beats always giving the majority class.\n" in said
    assert "Warning" not in said  # of scikit-learn, that there is one class


def test_of_numbers_the_baseline_is_the_mean():
    for name in ("films", "pans"):
        frame = pd.read_csv(f"{name}.csv")
        stars = [5 if label == "good" else 1 + i % 2 for i, label in enumerate(frame["label"])]
        frame.assign(label=stars).to_csv(f"{name}.csv", index=False)
    few = ["--embedders", "word_mean", "--adapters", "none,centering", "--recipes", ""]
    result = run("compare", *DOMAINS, *few, "--scoring", "r2")
    assert re.search(r"^Best on the target: .*, the mean -?\d\.\d{3}\.$", result.stderr, re.M)
    assert "majority" not in result.output
    assert "error" not in result.output.lower()
    assert "Class shares" not in run("fit", *DOMAINS, "--numbers", "-o", "model").stderr


def test_where_nobody_sees_a_bar_a_line_comes_now_and_then(monkeypatch, capsys):
    seconds = iter([0.0, 1.0, 10.0, 12.0, 200.0, 215.0, 221.0])
    monkeypatch.setattr(_terminal, "monotonic", lambda: next(seconds))
    with progress_bar() as progress:
        for done in range(6):
            progress(done, 6, f"model {done}")
    said = ["10 s: 1/6 model 1", "200 s: 3/6 model 3", "221 s: 5/6 model 5"]
    assert capsys.readouterr().err.splitlines() == said
