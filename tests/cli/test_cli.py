"""The command line: results on stdout, talk on stderr; what the user can mend is one line and exit code 2."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from embtransfer import (
    DomainCentering,
    WordEmbedder,
    WordVectors,
    __version__,
    class_shares,
    load_pipeline,
    make_classifier,
    make_transfer_pipeline,
)
from embtransfer.cli import app
from embtransfer.cli._options import UnknownWords
from embtransfer.datasets import load_demo_reviews
from embtransfer.tables import FORMATS, TableReader

COMMAND = Path(sys.executable).with_name("embtransfer")
COLUMNS = [
    "embedder",
    "adapter",
    "classifier",
    "source_cv",
    "target_score",
    "gain",
    "fit_seconds",
    "texts_per_second",
    "target_texts",
    "error",
]
PROGRESS = re.compile("[━╸⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]|\x1b|\r")
every_format = pytest.mark.parametrize("suffix", FORMATS)


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def succeed(*words):
    result = invoke(*words)
    assert result.exit_code == 0, result.output
    assert not PROGRESS.search(result.stdout)
    assert not PROGRESS.search(result.stderr)
    return result


def fail(*words):
    """Run a command that must fail as the user's errors do, and return the message."""
    result = invoke(*words)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert isinstance(result.exception, SystemExit)
    lines = [line for line in result.stderr.splitlines() if not line.startswith("Data: ")]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    return lines[0]


def misuse(*words):
    """Run a command that typer itself refuses, and return what it says in one line."""
    result = invoke(*words)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())


def save(path, frame):
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    return path


def demo_frame(domain, n=60):
    bunch = load_demo_reviews(domain)
    return pd.DataFrame({"text": bunch.data, "label": ["bad" if y == 0 else "good" for y in bunch.target]})[
        :n
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """films and pans in every format, pans without labels, and a model."""
    folder = tmp_path_factory.mktemp("data")
    for suffix in FORMATS:
        save(folder / f"films{suffix}", demo_frame("films"))
        save(folder / f"pans{suffix}", demo_frame("kitchenware"))
        save(folder / f"unlabelled{suffix}", demo_frame("kitchenware")[["text"]])
    result = invoke("fit", "--source", folder / "films.csv", "-o", folder / "model")
    assert result.exit_code == 0, result.output
    return folder


def compare_words(data, **files):
    files = {"source": data / "films.csv", "target": data / "pans.csv", **files}
    options = [word for name, value in files.items() for word in (f"--{name.replace('_', '-')}", value)]
    return ["compare", *options, "--recipes", "", "--adapters", "none,coral"]


def other_columns(data, folder):
    """The kitchenware reviews under other names of columns."""
    path = folder / "other.csv"
    save(path, demo_frame("kitchenware").rename(columns={"text": "Review", "label": "stars"}))
    return path


def test_columns_of_the_target_by_other_names(data, tmp_path):
    other, text = other_columns(data, tmp_path), ["--target-text-column", "Review"]
    table = succeed(*compare_words(data), "--format", "json").stdout
    label = ["--target-label-column", "stars"]
    scores = [
        [row["target_score"] for row in json.loads(one)]
        for one in (
            table,
            succeed(*compare_words(data, target=other), *text, *label, "--format", "json").stdout,
        )
    ]
    assert scores[0] == scores[1]
    assert scores[0][-1] is not None
    for how in ([], ["--stream"]):
        for name, words in {
            "same": ["--target", data / "pans.csv"],
            "other": ["--target", other, *text],
        }.items():
            words = ["fit", "--source", data / "films.csv", *words, *how, "--overwrite"]
            succeed(*words, "-o", tmp_path / name)
        files = [(tmp_path / name / "pipeline.skops").read_bytes() for name in ("same", "other")]
        assert files[0] == files[1]


@pytest.mark.parametrize("command", ["choose", "compare", "curve"])
def test_vectors_that_do_not_know_the_target_are_told(data, tmp_path, command):
    (tmp_path / "v.txt").write_text("good 1 0\nbad 0 1\nmovie 1 1\n")
    words = [command, "--source", data / "films.csv", "--target", data / "pans.csv", "--recipes", ""]
    words += ["--vectors", tmp_path / "v.txt", "--embedders", "word_mean"]
    if command == "curve":
        words += ["--sizes", "16", "--target-sizes", "16", "--repeats", "1"]
    else:
        words += ["--adapters", "none", "--classifiers", "logistic"]
    told = r"The target: Coverage\(\d\.\d% of [\d,]+ tokens .* unknown words: the"
    assert re.search(told, invoke(*words).stderr.replace("\n", " "))
    words = [word for word in words if word not in ("--vectors", tmp_path / "v.txt")]
    assert "The target:" not in invoke(*words).stderr


def test_columns_of_the_target_that_are_not_there(data, tmp_path):
    other = other_columns(data, tmp_path)
    words = compare_words(data, target=other)
    assert re.search(
        r"text_column \(--text-column\) 'text', but .*other\.csv has columns: Review, stars.*--target-text",
        fail(*words),
    )
    message = fail(*words, "--target-text-column", "Review", "--target-label-column", "mark")
    assert re.search(
        r"\(--target-label-column\) 'mark', but .* has columns: Review, stars",
        message,
    )
    words = ["fit", "--source", data / "films.csv", "--target", other, "-o", tmp_path / "m", "--stream"]
    assert re.search(r"'text'.*other\.csv has columns: Review, stars", fail(*words))


# help and version


def every_command(command, words=()):
    yield words, command
    for name, part in getattr(command, "commands", {}).items():
        yield from every_command(part, (*words, name))


EVERY_COMMAND = dict(every_command(get_command(app)))


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_help_says_what_every_command_and_option_is_for(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    command, result = EVERY_COMMAND[words], succeed(*words, "--help")
    names = {parameter.opts[0]: parameter for parameter in command.params}
    assert [name for name, parameter in names.items() if not parameter.help] == []
    assert [name for name in names if name.upper() not in result.stdout.upper()] == []
    assert command.help.partition("\n")[0] in result.stdout
    assert [name for name, part in getattr(command, "commands", {}).items() if not part.help] == []
    assert result.stderr == ""


def test_help_lists_every_name(monkeypatch):
    from embtransfer.adapters import ADAPTERS
    from embtransfer.classifiers import CLASSIFIERS
    from embtransfer.datasets import AMAZON_DOMAINS, DEMO_DOMAINS
    from embtransfer.embedders import EMBEDDERS
    from embtransfer.recipes import RECIPES

    monkeypatch.setenv("COLUMNS", "400")
    for command in ("compare", "choose", "curve", "fit"):
        shown = succeed(command, "--help").stdout
        parts = {part for name in EMBEDDERS for part in name.split("_", 1)}
        names = {*parts, *RECIPES, *AMAZON_DOMAINS, *DEMO_DOMAINS}
        names -= set() if command == "fit" else {"columns"}
        names |= set() if command == "curve" else {*ADAPTERS, *CLASSIFIERS}
        assert [name for name in names if name not in shown] == []
        assert "{" not in shown


def test_words_that_a_table_lacks_become_what_the_embedder_offers():
    (offered,) = WordEmbedder._parameter_constraints["unknown"]
    assert set(UnknownWords) == offered.options


def test_coverage_says_what_is_in_no_token(tmp_path):
    (tmp_path / "v.txt").write_text("good 1 0\n👍 0 1\n好 1 1\n", "utf-8")
    (tmp_path / "texts.csv").write_text("text\nGood 👍\n好👍\n", "utf-8")
    words = "vectors", "coverage", tmp_path / "texts.csv", "--vectors", tmp_path / "v.txt"
    assert "In no token: 3 letters, digits and symbols, most often 👍 好" in succeed(*words).stderr
    result = succeed(*words, "--tokens", "characters")
    assert "100.0% of 4 tokens" in result.stderr
    assert "In no token" not in result.stderr


def test_version():
    assert succeed("--version").stdout == f"embtransfer {__version__}\n"


# demo


def test_demo_tells_what_adapting_is_worth_and_its_figures_agree():
    said = succeed("demo").stdout
    parts = "Source", "Target", "Unadapted", "Adapted", "Verdict", "One that it sets right", "Next"
    assert re.findall(r"^\d\. ([^:,]+)", said, re.M) == list(parts)
    right = dict(re.findall(r"^     (\w[^%\n]+?) +(\d+\.\d) %  #", said, re.M))
    assert right["the majority class"] == "50.0"
    gain = float(right["vectors of words, centred"]) - float(right["vectors of words (GloVe)"])
    n_right, n, n_spoilt = map(int, re.search(r"sets (\d+) of (\d+) reviews.+ (\d+):", said).groups())
    assert float(re.search(r"^   ([+-].+?) points", said, re.M)[1]) == pytest.approx(gain, abs=0.11)
    assert 100 * (n_right - n_spoilt) / n == pytest.approx(gain, abs=0.11)
    assert "adapting helps" in said
    assert re.search(r"Unadapted it was (\w+)", said)[1] != re.search(r"(\w+) \(probability", said)[1]


# choose


CHOOSE = ["--embedders", "word_mean", "--classifiers", "logistic", "--recipes", ""]


def test_choose(data, tmp_path):
    words = "choose", "--source", data / "films.csv", "--adapters", "none,centering", *CHOOSE
    words += "--target-shares", "good=0.5,bad=0.5"  # 60 texts are too few to estimate them
    shown = []
    for target in ("unlabelled.csv", "pans.csv"):  # labels of the target change nothing
        result = invoke(*words, "--target", data / target, "-o", tmp_path / target, "--format", "json")
        assert result.exit_code == 0, result.output
        shown.append(pd.DataFrame(json.loads(result.stdout)).drop(columns="fit_seconds"))
        assert "Saved word_mean + none + logistic to" in result.stderr
        assert "Expected accuracy on the target: 0." in result.stderr
    pd.testing.assert_frame_equal(*shown)
    texts = demo_frame("kitchenware")
    model = load_pipeline(tmp_path / "pans.csv")
    right = model.predict(texts["text"]) == texts["label"].astype(model.classes_.dtype)
    assert right.mean() > 0.7


def test_choose_says_what_it_is_for(data):
    files = "--source", data / "films.csv", "--target", data / "pans.csv"
    said = invoke("choose", *files, "--adapters", "none", *CHOOSE, "--scoring", "f1:good").stderr
    assert re.search(r"^Expected f1:good on the target: 0\.\d\d \(0\.\d\d to [01]\.\d\d\)$", said, re.M)
    said = fail("choose", *files, "--adapters", "none", *CHOOSE, "--scoring", "f1:great")
    assert "Got scoring='f1:great'. Expected a label of the source: ['bad', 'good']" in said


def test_choose_prints_a_table(data):
    files = "--source", data / "films.csv", "--target", data / "pans.csv"
    result = invoke("choose", *files, "--adapters", "none", *CHOOSE)
    assert re.search(r"word_mean +none +logistic +0\.\d{3} +0\.\d{3} +0\.\d{3} +\d+ *\n", result.stdout)


# compare

# what the commands say beside the table: of the data, class shares of the best adapted one, a verdict
SHARES = re.compile(
    r"Data: source .+; target .+\n"
    r"Class shares by word_mean, coral, logistic: .+: \d+ % in the source, .+ in the target\n"
    r"Best on the target: .+\nThese labels picked it out.+\n(Next:\n  embtransfer fit .+\n)?"
)


@pytest.mark.parametrize(
    ("suffix", "output"), [(suffix, ("csv", "json")[i % 2]) for i, suffix in enumerate(FORMATS)]
)
def test_compare_files(data, suffix, output):
    words = compare_words(data, source=data / f"films{suffix}", target=data / f"pans{suffix}", format=output)
    result = succeed(*words)
    read = pd.read_csv if output == "csv" else pd.read_json
    table = read(io.StringIO(result.stdout))
    assert list(table) == COLUMNS
    assert list(table["adapter"][3:]) == ["none", "coral"]
    assert table["target_score"].between(0, 1).all()
    assert set(table["target_texts"]) == {"unseen"}
    assert not table["error"].dropna().any()
    assert SHARES.fullmatch(result.stderr)


def test_compare_gives_what_the_library_gives(data):
    from embtransfer import compare

    films, pans = (pd.read_csv(data / f"{name}.csv") for name in ("films", "pans"))
    options = {
        "embedders": ["word_idf", "word_mean"],
        "adapters": ["subspace", "none"],
        "classifiers": ["ridge"],
        "recipes": [],
    }
    more = {"test_size": 0.3, "random_state": 3}
    expected = compare(films["text"], films["label"], pans["text"], pans["label"], **options, **more)
    words = [word for name, value in options.items() for word in (f"--{name}", ",".join(value))]
    words = [*compare_words(data)[:5], *words, "--test-size", 0.3, "--random-state", 3]
    words += ["--format", "json"]
    table = pd.DataFrame(json.loads(succeed(*words).stdout))
    times = ["fit_seconds", "texts_per_second"]
    pd.testing.assert_frame_equal(
        table.drop(columns=times), expected.drop(columns=times), check_dtype=False, atol=1e-9
    )


def test_compare_scoring(data):
    words = [*compare_words(data)[:-1], "none", "--scoring", "f1:good"]
    assert "f1:good on 30 texts unseen" in succeed(*words).stdout
    assert "Expected f1: and a label of the source, of: bad, good" in fail(*words[:-1], "f1:god")
    assert "f1_macro, neg_log_loss, f1:LABEL" in fail(*words[:-1], "f1_marco")


def test_compare_transductive(data):
    seen = json.loads(succeed(*compare_words(data, format="json"), "--transductive").stdout)
    assert {row["target_texts"] for row in seen} == {"seen"}


@every_format
def test_compare_without_target_labels(data, suffix):
    words = compare_words(data, target=data / f"unlabelled{suffix}", format="json")
    rows = json.loads(succeed(*words).stdout)
    assert {row["target_score"] for row in rows} == {None}
    assert {row["target_texts"] for row in rows} == {"seen"}
    assert all(row["source_cv"] > 0 for row in rows)


def test_compare_other_columns(data, tmp_path):
    for name in ("films", "pans"):
        frame = pd.read_csv(data / f"{name}.csv").rename(columns={"text": "Review", "label": "Stars"})
        save(tmp_path / f"{name}.csv", frame)
    words = compare_words(tmp_path, text_column="Review", label_column="Stars", format="json")
    rows = json.loads(succeed(*words).stdout)
    assert {row["error"] for row in rows} == {""}
    assert {row["target_texts"] for row in rows} == {"unseen"}


@pytest.mark.parametrize("output", ["table", "csv", "json", "markdown"])
def test_compare_data_set(output):
    words = ["compare", "--dataset", "demo", "--source", "films", "--target", "kitchenware"]
    words += [] if output == "json" else ["--recipes", ""]
    result = succeed(*words, "--adapters", "none, centering", "--format", output)
    for word in ("majority", "tfidf", "word_mean", "centering"):
        assert word in result.stdout
    if output == "json":
        assert len(json.loads(result.stdout)) == 6
    if output == "csv":
        assert len(pd.read_csv(io.StringIO(result.stdout))) == 5
    if output == "markdown":
        lines = result.stdout.splitlines()
        assert len(lines) == 7
        assert lines[1] == "| " + " | ".join(["---"] * 9) + " |"
        assert {line.count("|") for line in lines} == {10}
    if output == "table":
        assert "films -> kitchenware" in result.stdout


def test_compare_shows_what_failed(data, tmp_path):
    frame = pd.read_csv(data / "films.csv")
    save(tmp_path / "one.csv", frame.assign(label="only"))
    message = fail(*compare_words(data, source=tmp_path / "one.csv"))
    assert "one.csv has one class in 'label': 'only'" in message


def test_compare_with_target_labels_to_learn_from(data):
    options = {"classifiers": "logistic,self_training", "n-target-labels": 10, "format": "json"}
    table = json.loads(succeed(*compare_words(data, **options)).stdout)
    assert {row["target_labels"] for row in table if row["classifier"] == "self_training"} == {10}
    assert {row["target_labels"] for row in table if row["classifier"] == "logistic"} == {0}
    assert "n_target_labels=90" in fail(*compare_words(data, **{"n-target-labels": 90}))


def test_compare_own_vectors(data, tmp_path):
    (tmp_path / "v.txt").write_text("good 1 0\nbad 0 1\ngreat 1 0\nawful 0 1\n")
    rows = json.loads(succeed(*compare_words(data, vectors=tmp_path / "v.txt", format="json")).stdout)
    assert rows[-2]["error"] == ""


@pytest.mark.parametrize(("folder", "stem"), [("a", "b[c]"), ("a[", "b]"), ("[red]", "b é")])
def test_brackets_in_names_are_no_markup(data, tmp_path, folder, stem):
    folder = tmp_path / folder
    folder.mkdir()
    film, out, vectors, model = (folder / f"{stem}{end}" for end in (".csv", ".jsonl", ".txt", ".model"))
    film.write_bytes((data / "films.csv").read_bytes())
    vectors.write_text("good 1 0\nbad 0 1\n")
    table = succeed(*compare_words(data, source=film, vectors=vectors)).stdout
    assert "".join(film.name.split()) in "".join(table.split())  # the title may be broken at spaces
    result = succeed("fit", "--source", film, "--vectors", vectors, "-o", model)
    assert str(model) in result.stderr.replace("\n", "")
    result = succeed("score", model, film, "-o", out)
    assert str(out) in result.stderr.replace("\n", "")
    assert vectors.name in succeed("vectors", "info", vectors).stdout
    assert str(folder / "no.csv") in fail("score", model, folder / "no.csv", "-o", out)


def test_compare_recipes_and_diagnostics(data):
    asked = ["--recipes", "words,distilled", "--model", data]
    words = ["compare", "--source", data / "films.csv", "--target", data / "pans.csv", "--adapters", "none"]
    rows = pd.read_csv(io.StringIO(succeed(*words, *asked, "--diagnostics", "--format", "csv").stdout))
    of_recipes = rows[rows["embedder"] == "recipe"]
    assert list(of_recipes["classifier"]) == ["words", "distilled"]
    assert of_recipes["target_score"].iloc[0] > 0.5
    assert of_recipes["error"].notna().tolist() == [False, True]  # no model is there
    assert rows["proxy_a_distance"].notna().sum() == 4  # three baselines and one embedder


# fit, score, vectors


@every_format
def test_fit_and_score(data, tmp_path, suffix):
    model, out = tmp_path / "model", tmp_path / f"out{suffix}"
    words = ["--source", data / f"films{suffix}", "--target", data / f"pans{suffix}"]
    result = succeed("fit", *words, "--adapter", "centering", "-o", model)
    assert result.stdout == ""
    assert "Fitted on 60 source texts and 60 target texts without labels. Saved to" in result.stderr
    films, pans = (pd.read_csv(data / f"{name}.csv") for name in ("films", "pans"))
    pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    pipeline.fit(films["text"], films["label"], X_target=pans["text"])
    result = succeed("score", model, data / f"unlabelled{suffix}", "-o", out, "--proba", "--batch-size", 7)
    assert result.stdout == ""
    assert "Scored 60 rows. Wrote" in result.stderr
    texts, labels, shares = TableReader(out).columns(["text", "prediction", "prediction_good"])
    assert texts == list(pans["text"])
    assert labels == list(pipeline.predict(pans["text"]))
    assert list(map(float, shares)) == pytest.approx(pipeline.predict_proba(pans["text"])[:, 1], abs=1e-6)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--embedder", "word_sif"], "WordEmbedder(pooling='sif')"),
        (["--embedder", "domain_words", "--phrases", "--cased"], "lowercase=False, phrases=True"),
        (["--adapter", "coral"], "CORAL()"),
        (["--classifier", "svm"], "LinearSVC"),
        (["--recipe", "words"], "NaiveBayesLogisticRegression(weighting='auto')"),
    ],
)
def test_fit_options(data, tmp_path, options, expected):
    succeed("fit", "--source", data / "films.csv", *options, "-o", tmp_path / "model")
    assert expected in repr(load_pipeline(tmp_path / "model"))


def test_fit_a_data_set_with_own_vectors(tmp_path):
    (tmp_path / "v.txt").write_text("good 1 0\nbad 0 1\n")
    words = [
        "--dataset",
        "demo",
        "--source",
        "films",
        "--target",
        "kitchenware",
        "--vectors",
        tmp_path / "v.txt",
    ]
    succeed("fit", *words, "-o", tmp_path / "model")
    assert load_pipeline(tmp_path / "model")[0].vectors_.words == ["good", "bad"]


def test_fit_overwrite(data, tmp_path):
    words = ["fit", "--source", data / "films.csv", "-o", tmp_path / "model"]
    succeed(*words)
    assert "Pass overwrite=True (on the command line --overwrite)" in fail(*words)
    succeed(*words, "--overwrite")


def test_score_says_how_many_rows_have_no_text(data, tmp_path):
    (tmp_path / "in.csv").write_text("id,text\n1,a good film\n2,\n3,\n4, \t\n")
    result = succeed("score", data / "model", tmp_path / "in.csv", "-o", tmp_path / "out.csv")
    assert "Scored 4 rows" in result.stderr
    assert "3 rows have no text" in result.stderr  # blank ones, too, as the check of the data counts them


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("text", None),
        ("id", "100 % of the texts (50 looked at)"),
        ("russian", "100 % of the texts (50 looked at)"),
    ],
)
def test_score_says_if_many_texts_hold_no_known_word(data, tmp_path, column, said):
    pans = pd.read_csv(data / "pans.csv")[["text"]].assign(russian="Прекрасная сковорода")
    pans.assign(id=[f"b00{i}x" for i in range(60)]).to_csv(tmp_path / "in.csv", index=False)
    words = ["score", data / "model", tmp_path / "in.csv", "-o", tmp_path / "out.csv"]
    result = succeed(*words, "--text-column", column)
    line = (
        f"{said} hold no word that the model knows: their label is that of no words at all. Is {column!r} the"
    )
    assert (line in result.stderr) == (said is not None)
    assert ("no word that" in result.stderr) == (said is not None)


def test_score_other_columns(data, tmp_path):
    save(tmp_path / "in.csv", pd.DataFrame({"Review": ["a good film"], "prediction": ["mine"]}))
    words = ["score", data / "model", tmp_path / "in.csv", "-o", tmp_path / "out.jsonl"]
    succeed(*words, "--text-column", "Review", "--output-column", "label")
    assert list(json.loads((tmp_path / "out.jsonl").read_text())) == ["Review", "prediction", "label"]


def test_vectors_info(tmp_path):
    table = WordVectors.bundled()
    shown = dict(line.split(maxsplit=1) for line in succeed("vectors", "info").stdout.splitlines())
    assert shown["name"] == table.name
    assert shown["words"] == f"{len(table):,}"
    assert shown["dimensions"] == "50"
    assert shown["checksum"] == f"sha256:{table.checksum}"
    (tmp_path / "v.txt").write_text("good 1 0 0.5\nbad 0 1 2\n")
    result = succeed("vectors", "info", tmp_path / "v.txt")
    shown = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert (shown["name"], shown["words"], shown["dimensions"]) == ("v.txt", "2", "3")
    assert shown["first"] == "good bad"


# what the user can mend

COMPARE_ERRORS = {
    "missing file": ({"source": "none.csv"}, r"There is no file .*none\.csv"),
    "missing target": ({"target": "none.csv"}, r"There is no file .*none\.csv"),
    "no rows": ({"source": "header.csv"}, r"header\.csv has no row with a label\. Expected at least two"),
    "ending": ({"source": "films.txt"}, r"Got 'films\.txt'\. Expected a file that ends in"),
    "text column": (
        {"text_column": "review"},
        r"Got text_column \(--text-column\) 'review', but .*films\.csv has columns: text, label",
    ),
    "label column": (
        {"label_column": "stars"},
        r"Got label_column \(--label-column\) 'stars', but .*films\.csv has columns: text, label",
    ),
    "embedder": ({"embedders": "word_none"}, r"Got embedder 'word_none'\. Expected one of: word_mean"),
    "adapter": ({"adapters": "nonesuch"}, r"Got adapter 'nonesuch'\. Expected one of: none"),
    "classifier": ({"classifiers": "forest"}, r"Got classifier 'forest'\. Expected one of: logistic"),
    "no embedder": ({"embedders": ","}, r"Got an empty list of embedders"),
    "no classifier": ({"classifiers": ""}, r"Got an empty list of embedders"),
    "test size": ({"test_size": "1.5"}, r"Got test_size=1\.5\. Expected a share between 0 and 1"),
    "vectors": ({"vectors": "none.txt"}, r"none\.txt"),
    "no vectors": ({"vectors": "films.csv"}, r"films\.csv"),
    "empty file": ({"source": "empty.csv"}, r"empty\.csv is empty\. Expected a header line"),
    "empty parquet": ({"source": "empty.parquet"}, r"empty\.parquet is damaged"),
    "header alone": ({"source": "header.csv"}, r"Got (0|no) source|header\.csv has no"),
    "target without rows": ({"target": "header.csv"}, r"Got 0 target texts|header\.csv has no"),
    "no JSON": ({"source": "bad.jsonl"}, r"bad\.jsonl, line 2: got no JSON"),
    "deep JSON": ({"source": "deep.jsonl"}, r"deep\.jsonl, line 1"),
    "labels of numbers": (
        {"text_column": "label", "source": "numbers.jsonl"},
        r"numbers\.jsonl, line 1: got int in 'label'\. Expected a string",
    ),
    "missing labels": ({"source": "missing.jsonl"}, r"missing\.jsonl has 2 rows without a 'label'"),
    "missing labels csv": ({"source": "missing.csv"}, r"missing\.csv has 2 rows without a 'label'"),
    "one class": ({"source": "one_class.csv"}, r"one_class\.csv has one class in 'label': 'good'"),
}


@pytest.fixture(scope="module")
def broken(data):
    (data / "empty.csv").write_text("")
    (data / "empty.parquet").write_text("")
    (data / "empty.jsonl").write_text("")
    (data / "header.csv").write_text("text,label\n")
    (data / "films.txt").write_text("text,label\n")
    (data / "bad.jsonl").write_text('{"text": "a", "label": "b"}\n{\n')
    (data / "deep.jsonl").write_text('{"text": ' + "[" * 100_000 + "\n")
    (data / "numbers.jsonl").write_text('{"text": "a", "label": 1}\n{"text": "b", "label": 2}\n' * 10)
    frame = demo_frame("films")
    frame.loc[[3, 5], "label"] = None
    save(data / "missing.jsonl", frame)
    save(data / "missing.csv", frame)
    (data / "header.csv").write_text("text,label\n")
    (data / "one_class.csv").write_text("text,label\n" + "a,good\n" * 20)
    return data


def test_some_target_labels(broken):
    """Rows without a label are adapted to, and the others scored."""
    frame = demo_frame("kitchenware")
    frame.loc[[3, 5], "label"] = None
    save(broken / "some.csv", frame)
    result = succeed(*compare_words(broken, target=broken / "some.csv", format="json"))
    assert re.search(r"some\.csv: \d+ of \d+ rows have a label in 'label'", result.stderr)
    assert all(row["target_score"] > 0 for row in json.loads(result.stdout))


def test_nothing_is_fitted_for_an_output_that_cannot_be_written(broken, tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").write_text("mine")
    monkeypatch.setattr("embtransfer.pipeline.TransferPipeline.fit", None)  # would fail
    texts = ["--source", broken / "films.csv", "--target", broken / "kitchenware.csv"]
    for command in ("choose", "fit"):
        assert "model exists already. It is no saved pipeline" in fail(
            command, *texts, "-o", tmp_path / "model"
        )
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "needs matplotlib" in fail("curve", *texts, "-o", tmp_path / "curve.png")


@pytest.mark.parametrize(("changes", "message"), COMPARE_ERRORS.values(), ids=COMPARE_ERRORS)
def test_compare_errors(broken, changes, message):
    files = {"source", "target", "vectors"}
    changes = {name: broken / value if name in files else value for name, value in changes.items()}
    words = compare_words(broken, **changes)
    if any(changes.get(name) for name in ("embedders", "adapters", "classifiers")):
        words = words[:-2]
    assert re.search(message, fail(*words))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--source", "none.csv"], r"There is no file .*none\.csv"),
        (["--source", "films.csv", "--target", "none.csv"], r"There is no file .*none\.csv"),
        (
            ["--source", "unlabelled.csv"],
            r"Got label_column \(--label-column\) 'label', but .*unlabelled\.csv has columns",
        ),
        (["--source", "missing.csv"], r"missing\.csv has 2 rows without a 'label'"),
        (["--source", "missing.jsonl"], r"missing\.jsonl has 2 rows without a 'label'"),
        (["--source", "header.csv"], r"Got no texts|header\.csv has no"),
        (["--source", "films.csv", "--target", "header.csv"], r"Got no texts|header\.csv|[Tt]arget|0 sample"),
        (["--source", "films.csv", "--embedder", "word_none"], r"Got embedder 'word_none'\. Expected one of"),
        (["--source", "films.csv", "--adapter", "Coral"], r"Got adapter 'Coral'\. Expected one of"),
        (["--source", "films.csv", "--classifier", "forest"], r"Got classifier 'forest'\. Expected one of"),
        (["--source", "films.csv", "--recipe", "word"], r"Got recipe 'word'\. Expected one of: words"),
        (["--source", "films.csv", "--recipe", "words", "--adapter", "coral"], r"whole model, or the others"),
        (["--source", "books", "--dataset", "demo"], r"books.*films"),
    ],
)
def test_fit_errors(broken, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(broken)
    assert re.search(message, fail("fit", *words, "-o", tmp_path / "model"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("there", ["file", "folder"])
@pytest.mark.parametrize("options", [[], ["--overwrite"]])
def test_fit_onto_what_is_no_model(data, tmp_path, there, options):
    path = tmp_path / "there"
    path.write_text("mine") if there == "file" else path.mkdir()
    message = fail("fit", "--source", data / "films.csv", "-o", path, *options)
    assert "exists already. It is no saved pipeline: it stays" in message
    assert path.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere", "pans.csv"], r"There is no model folder nowhere"),
        (["pans.csv", "pans.csv"], r"There is no model folder pans\.csv"),
        ([".", "pans.csv"], r"holds no config\.json"),
        (["damaged", "pans.csv"], r"pipeline\.skops is not the file that was saved"),
        (["incomplete", "pans.csv"], r"pipeline\.skops is missing"),
        (["model", "none.csv"], r"There is no file none\.csv"),
        (["model", "films.txt"], r"Got 'films\.txt'\. Expected a file that ends in"),
        (["model", "empty.csv"], r"empty\.csv is empty"),
        (["model", "bad.jsonl"], r"bad\.jsonl, line 2: got no JSON"),
        (["model", "deep.jsonl"], r"deep\.jsonl, line 1"),
        (
            ["model", "pans.csv", "--text-column", "review"],
            r"\(--text-column\) 'review', but pans\.csv has",
        ),
        (["model", "pans.csv", "--output-column", "label"], r"The input has a column 'label' already"),
        (["model", "pans.csv", "--batch-size", "0"], r"Got batch_size=0\. Expected at least 1"),
        (["model", "numbers.jsonl", "--text-column", "label"], r"line 1: got int in 'label'"),
        (
            ["ridge", "pans.csv", "--proba"],
            r"RidgeClassifier.* has no attribute 'predict_proba'|predict_proba",
        ),
    ],
)
def test_score_errors(broken, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(broken)
    if words[0] in ("damaged", "incomplete", "ridge") and not Path(words[0]).exists():
        succeed("fit", "--source", "films.csv", "--classifier", "ridge", "-o", words[0])
        if words[0] == "damaged":
            with open("damaged/pipeline.skops", "ab") as file:
                file.write(b"x")
        elif words[0] == "incomplete":
            Path("incomplete/pipeline.skops").unlink()
    assert re.search(message, fail("score", *words, "-o", tmp_path / "out.csv"))
    assert os.listdir(tmp_path) == []


def test_score_onto_itself_or_an_unknown_format(data, tmp_path):
    before = (data / "pans.csv").read_bytes()
    words = ["score", data / "model", data / "pans.csv", "-o"]
    assert "as input and output" in fail(*words, data / "pans.csv")
    assert "Got 'out.txt'. Expected a file that ends in" in fail(*words, tmp_path / "out.txt")
    assert "nowhere" in fail(*words, tmp_path / "nowhere" / "out.csv")
    assert (data / "pans.csv").read_bytes() == before


@pytest.mark.parametrize("content", ["", "no vectors here\n", "good 1 x\n"])
def test_vectors_info_errors(tmp_path, content):
    (tmp_path / "v.txt").write_text(content)
    assert "v.txt" in fail("vectors", "info", tmp_path / "v.txt")
    assert "none.txt" in fail("vectors", "info", tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["compare"], "Missing option '--source'"),
        (["compare", "--source", "a.csv"], "Missing option '--target'"),
        (["compare", "--source", "a", "--target", "b", "--format", "html"], "'html' is not one of"),
        (["compare", "--source", "a", "--target", "b", "--dataset", "imdb"], "'imdb' is not one of"),
        (
            ["compare", "--source", "a", "--target", "b", "--test-size", "half"],
            "Invalid value for '--test-size'",
        ),
        (["compare", "--source", "a", "--target", "b", "--nonsense"], "No such option: --nonsense"),
        (["fit", "--source", "a.csv"], "Missing option '--output'"),
        (["score", "model"], "Missing"),
        (["score", "model", "a.csv"], "Missing option '--output'"),
        (
            ["score", "model", "a.csv", "-o", "b.csv", "--batch-size", "ten"],
            "Invalid value for '--batch-size'",
        ),
        (["vectors", "info", "a", "b"], "unexpected extra argument"),
        (["explain", "model", "A text.", "--top", "0"], "Invalid value for '--top'"),
    ],
)
def test_misuse(words, message, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert message in misuse(*words)


@pytest.mark.parametrize("command", ["choose", "compare", "curve", "score"])
def test_no_jobs_are_refused_before_anything_is_read(command):
    words = ["model", "a.csv", "-o", "b.csv"] if command == "score" else ["--source", "a", "--target", "b"]
    error = misuse(command, *words, "--jobs", "0")
    assert error == "Error: Got --jobs 0. Expected a number above 0, or -1 for all processors."


# the real command


def run(*words, **options):
    options = {"capture_output": True, "text": True, "timeout": 100, **options}
    return subprocess.run([COMMAND, *map(str, words)], **options)


def test_the_command_version():
    result = run("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"embtransfer {__version__}\n", "")
    command = [sys.executable, "-m", "embtransfer", "--version"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == result.stdout


def test_the_command_writes_one_line_of_error_however_long(tmp_path):
    name = "a very long name " * 12
    result = run("score", name, "in.csv", "-o", "out.csv", cwd=tmp_path, env={**os.environ, "COLUMNS": "40"})
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"Error: There is no model folder {name}.\n"


def test_the_command_compares_and_the_output_parses(data):
    result = run(*compare_words(data, format="json"), env={**os.environ, "PYTHONWARNINGS": "error"})
    assert result.returncode == 0, result.stderr
    assert [row["adapter"] for row in json.loads(result.stdout)][3:] == ["none", "coral"]
    assert SHARES.fullmatch(result.stderr)


def test_the_command_in_an_ascii_terminal(data, tmp_path):
    env = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    result = run(*compare_words(data, format="table"), env=env)
    assert result.returncode == 0, result.stderr
    assert "word_mean" in result.stdout
    result = run("score", tmp_path / "é👍", "in.csv", "-o", "out.csv", env=env)
    assert result.returncode == 2
    assert result.stderr.startswith("Error: There is no model folder")
    assert len(result.stderr.splitlines()) == 1


def test_help_is_quick():
    code = "import sys, embtransfer.cli; print('numba' in sys.modules, 'skops' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False False\n"


# ---------------------------------------------------------------- tables and models for embedders
def test_compare_fails_where_every_combination_does(data, tmp_path):
    vectors = tmp_path / "v.txt"
    vectors.write_text("good 1 2\nbad 2 1\n")
    words = compare_words(data, embedders="word_mean", vectors=vectors, unknown="subwords")
    result = invoke(*words)
    assert result.exit_code == 1
    assert "Every combination failed" in result.stderr
    assert "no vectors of subwords" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--embedder", "word_mean", "--model", "m"], "Got --model m, but the embedder is word_mean"),
        (["--embedder", "static_mean", "--vectors", "v.txt"], "a table of words, .* begins with word_"),
        (["--embedder", "word_mean", "--vectors", "wordllama"], "a table of tokens, .* begins with static_"),
        (["--recipe", "words", "--tokens", "characters"], "Got --tokens, but a recipe has its own embedder"),
        (["--recipe", "words", "--vectors", "v.txt"], "a table of words, but a recipe has its own embedder"),
        (["--recipe", "words", "--model", "m"], "Got --model m, but a recipe has its own embedder"),
        (["--embedder", "ngrams", "--cased"], "Got --cased, but the embedder is ngrams"),
        (["--embedder", "sentence", "--embed-vectors"], "Got --embed-vectors with a sentence model"),
    ],
)
def test_options_that_do_not_fit_the_embedder(data, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.txt").write_text("good 1 2\nbad 2 1\n")
    assert re.search(message, fail("fit", "--source", data / "films.csv", "-o", "model", *options))


def test_options_of_words_reach_the_embedder(data, tmp_path):
    model = tmp_path / "model"
    succeed(
        *("fit", "--source", data / "films.csv", "-o", model, "--unknown", "nearest", "--phrases", "--cased"),
        *("--tokens", "characters"),
    )
    embedder = load_pipeline(model)[0]
    assert (embedder.unknown, embedder.phrases, embedder.lowercase) == ("nearest", True, False)
    assert embedder.token_pattern == "characters"


def test_warnings_are_lines(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("good 1 2\nbad 2 1\ngood 3 4\n")
    result = succeed("vectors", "info", path)
    assert "Warning: 1 words came more than once" in result.stderr


@pytest.mark.parametrize("command", ["compare", "choose", "curve"])
def test_groups_are_a_column_of_the_source(data, tmp_path, command):
    path = tmp_path / "authors.csv"
    save(path, demo_frame("films").assign(author=lambda frame: frame["label"]))  # too few to hold one out
    words = command, "--source", path, "--target", data / "pans.csv", "--group-column"
    result = invoke(*words, "author" if command != "curve" else "Author")
    assert result.exit_code == 2
    expected = (
        "the smallest with 1 texts"
        if command != "curve"
        else "Got group_column (--group-column) 'Author', but"
    )
    assert expected in result.stderr


def test_groups_of_a_data_set():
    words = "--dataset", "demo", "--source", "films", "--target", "kitchenware", "--group-column", "author"
    result = invoke("compare", *words)
    assert result.exit_code == 2
    assert "Got --group-column author with --dataset, which has no such column." in result.stderr


def test_texts_that_are_left_out_are_a_line(data, tmp_path):
    path = tmp_path / "both.csv"
    save(path, pd.concat([demo_frame("kitchenware"), demo_frame("films")]))
    result = succeed(*compare_words(data, target=path), "--transductive")
    assert "Warning: 60 of 120 target texts to score stand in the source as well." in result.stderr


class TestTargetShares:
    SHARES = "good=0.2,bad=0.8"

    @pytest.mark.parametrize("model", [["--recipe", "words"], [], ["--classifier", "label_shift"]])
    def test_fit_says_and_saves_them(self, data, tmp_path, model):
        words = ["fit", "--source", data / "films.csv", "--target", data / "pans.csv", *model]
        said = succeed(*words, "-o", tmp_path / "estimated").stderr
        assert re.search(r"^Class shares: bad: 50 % in the source, \d+ % \(.* in the target$", said, re.M)
        said = succeed(*words, "-o", tmp_path / "known", "--target-shares", self.SHARES).stderr
        assert "bad: 50 % in the source, 80 % in the target; good: 50 % in the source, 20 %" in said
        shares = class_shares(load_pipeline(tmp_path / "known"))
        assert shares["target"].tolist() == pytest.approx([0.8, 0.2])

    def test_fit_without_a_part_that_takes_them(self, data, tmp_path):
        words = ["fit", "--source", data / "films.csv", "--adapter", "none", "-o", tmp_path / "model"]
        assert "--target-shares had no effect" in succeed(*words, "--target-shares", self.SHARES).stderr

    def test_labels_that_are_numbers(self, tmp_path):
        words = ["fit", "--dataset", "demo", "--source", "films", "--target", "kitchenware"]
        said = succeed(*words, "-o", tmp_path / "model", "--target-shares", "1=0.2,0=0.8").stderr
        assert "0: 50 % in the source, 80 % in the target; 1: 50 % in the source, 20 %" in said

    def test_labels_with_commas_stand_in_an_object(self, tmp_path):
        frame = demo_frame("films")
        save(
            tmp_path / "films.csv", frame.assign(label=frame["label"].map({"good": "yes, all", "bad": "no"}))
        )
        words = ["fit", "--source", tmp_path / "films.csv", "--target", tmp_path / "films.csv"]
        shares = json.dumps({"yes, all": 0.2, "no": 0.8})
        said = succeed(*words, "-o", tmp_path / "model", "--target-shares", shares).stderr
        assert "yes, all: 50 % in the source, 20 % in the target" in said

    @pytest.mark.parametrize("command", ["compare", "choose", "curve"])
    def test_other_commands_take_them(self, data, command):
        words = [command, "--source", data / "films.csv", "--target", data / "pans.csv", "--recipes", ""]
        words += ["--embedders", "word_mean", "--target-shares", self.SHARES]
        words += [] if command == "curve" else ["--adapters", "centering", "--classifiers", "logistic"]
        result = invoke(*words)
        assert result.exit_code == 0, result.output
        said = result.stderr
        assert ("good: 50 % in the source, 20 % in the target" in said) == (command != "curve")

    @pytest.mark.parametrize(
        ("shares", "message"),
        [
            ("1=0.2,bad=0.8", "Got --target-shares with 1=0.2. Expected label=share, .*: bad, good"),
            ("good,bad=0.8", "Got --target-shares with good. Expected label=share"),
            ('{"good": 0.2, "bad": }', "no JSON .*Expected one object, such as"),
            ('{"good": 0.2, "worse": 0.8}', "Got --target-shares with worse=0.8"),
            ("good=0.2,good=0.8", "two shares of good. Expected each label once"),
            ("good=a fifth,bad=0.8", "Got --target-shares with good=a fifth. Expected a number"),
            ("good=0.2", "Got target_shares without 'bad'"),
            ("good=0.2,bad=0.7", "Got target_shares with sum 0.9. Expected 1"),
        ],
    )
    def test_what_are_no_shares(self, data, tmp_path, shares, message):
        words = ["fit", "--source", data / "films.csv", "-o", tmp_path / "model", "--target-shares", shares]
        assert re.search(message, fail(*words))
