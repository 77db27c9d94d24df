"""Every command that reads texts takes what `score` takes, and refuses what it refuses in the same words."""

import gzip
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from embtransfer.cli import app
from embtransfer.datasets import load_demo_reviews

SMALL = ["--embedders", "word_mean", "--recipes", ""]
ONE = [*SMALL, "--adapters", "none", "--classifiers", "ridge"]
CURVE = [*SMALL, "--sizes", "8", "--target-sizes", "0", "--repeats", "1"]
COMMANDS = {
    "fit": ["--classifier", "ridge", "-o", "model", "--overwrite"],
    "choose": [*ONE, "-o", "model", "--overwrite"],
    "compare": [*ONE, "--format", "csv"],
    "curve": [*CURVE, "--format", "csv"],
    "coverage": ["--format", "csv"],
}
INPUTS = ["csv.gz", "jsonl", "jsonl.zst", "folder", "pattern", "stdin csv", "stdin jsonl"]
every_command = pytest.mark.parametrize("command", COMMANDS)


def csv_bytes(frame):
    return frame.to_csv(index=False).encode()


def jsonl_bytes(frame):
    return frame.to_json(orient="records", lines=True).encode()


def write(folder, name, frame):
    """The same rows in each kind of input."""
    (folder / f"{name}.csv").write_bytes(csv_bytes(frame))
    (folder / f"{name}.csv.gz").write_bytes(gzip.compress(csv_bytes(frame)))
    (folder / f"{name}.jsonl").write_bytes(jsonl_bytes(frame))
    (folder / f"{name}.jsonl.zst").write_bytes(pa.Codec("zstd").compress(jsonl_bytes(frame), asbytes=True))
    (folder / name).mkdir()
    for part, rows in enumerate((frame[:15], frame[15:])):
        (folder / name / f"{part}.csv.gz").write_bytes(gzip.compress(csv_bytes(rows)))
        rows.to_parquet(folder / f"{name}-{part}.parquet", index=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for name, domain in {"films": "films", "pans": "kitchenware"}.items():
        bunch = load_demo_reviews(domain)
        labels = ["good" if label else "bad" for label in bunch.target]
        write(folder, name, pd.DataFrame({"text": bunch.data, "label": labels})[:40])
    return folder


def given(name, kind):
    endings = {"folder": "", "pattern": "-*.parquet"}
    return "-" if kind.startswith("stdin") else f"{name}{endings.get(kind, f'.{kind}')}"


def run(command, source, target, stdin=None):
    words = ["vectors", "coverage", source] if command == "coverage" else [command, "--source", source]
    words += [] if command == "coverage" else ["--target", target]
    return CliRunner().invoke(app, [*words, *COMMANDS[command]], input=stdin)


def outcome(result, folder):
    """What a run gave, but for its seconds."""
    assert result.exit_code == 0, result.output
    if (folder / "model").exists():
        return (folder / "model" / "pipeline.skops").read_bytes()
    lines = [line.split(",") for line in result.stdout.splitlines()]
    timed = {i for i, name in enumerate(lines[0]) if "second" in name}
    return [[cell for i, cell in enumerate(line) if i not in timed] for line in lines]


@pytest.fixture(scope="module")
def expected(data, tmp_path_factory):
    """What each command gives for plain csv, found once."""
    found = {}

    def expect(command):
        if command not in found:
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(tmp_path_factory.mktemp("expected"))
                result = run(command, str(data / "films.csv"), str(data / "pans.csv"))
                found[command] = outcome(result, Path.cwd())
        return found[command]

    return expect


@every_command
@pytest.mark.parametrize("kind", INPUTS)
def test_every_command_takes_every_input(data, tmp_path, monkeypatch, expected, command, kind):
    monkeypatch.chdir(tmp_path)
    target = str(data / given("pans", "csv.gz" if kind.startswith("stdin") else kind))
    source = given("films", kind)
    stdin = (data / f"films.{kind.split()[1]}").read_bytes() if source == "-" else None
    result = run(command, source if stdin else str(data / source), target, stdin)
    assert outcome(result, tmp_path) == expected(command)


MALFORMED = {
    "bad.csv": ("text,label\na,b\nc\n", "bad.csv, line 3: got 1 fields, expected 2. Mend the row"),
    "bad.jsonl": ('{"text": "a", "label": "b"}\n{\n', "bad.jsonl, line 2: got no JSON"),
    "no_text.jsonl": (
        '{"text": "a", "label": "b"}\n\n{"label": "b"}\n',
        "no_text.jsonl, line 3: got an object without 'text'. Mend the row",
    ),
    "number.jsonl": (
        '{"text": "a", "label": "b"}\n{"text": 5, "label": "b"}\n',
        "number.jsonl, line 2: got int in 'text'. Expected a string. Mend the row",
    ),
    "parts": ("text,label\na,b\nc\n", "second.csv, line 3: got 1 fields, expected 2. Mend the row"),
    "-": ('{"text": "a", "label": "b"}\n{\n', "stdin, line 2: got no JSON"),
}


class Model:
    classes_ = ("+", "-")

    def predict(self, texts):
        return ["+"] * len(texts)


@pytest.mark.parametrize("command", [*COMMANDS, "score"])
@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_row_is_told_in_the_same_words(data, tmp_path, monkeypatch, command, name):
    content, message = MALFORMED[name]
    monkeypatch.chdir(tmp_path)
    if name == "parts":
        (tmp_path / name).mkdir()
        (tmp_path / name / "first.csv").write_text("text,label\na,b\n")
        (tmp_path / name / "second.csv").write_text(content)
    elif name != "-":
        (tmp_path / name).write_text(content)
    stdin = content if name == "-" else None
    if command == "score":
        monkeypatch.setattr("embtransfer.cli._score._load", lambda *_: Model())
        monkeypatch.setattr("embtransfer.cli._score.checksum", lambda *_: "")
        result = CliRunner().invoke(app, ["score", "model", name, "-o", "out.jsonl"], input=stdin)
    else:
        result = run(command, name, str(data / "pans.csv"), stdin)
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def fit_error(*words, stdin):
    result = CliRunner().invoke(app, ["fit", *map(str, words), "-o", "model"], input=stdin)
    assert result.exit_code == 2, result.output
    return result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("fit --source a --source b --target a --target b -o model", "Got --target 2 times"),
        ("fit --source a --no-such-option", "No such option"),
        ("score model a b -o 1.csv -o 2.csv --output 3.csv", "Got --output 3 times"),
        ("vectors coverage a --vectors b --vectors c", "Got --vectors 2 times"),
        ("evaluate model a --vector-column v --vector-column w", "There is no model folder"),
        ("score model a --proba --proba -o 1.csv", "There is no model folder"),
    ],
)
def test_an_option_of_one_value_is_taken_once(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(app, words.split())
    assert found.exit_code == 2
    assert message in found.stderr


def test_stdin_is_read_once(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stdin = (data / "films.csv").read_bytes()
    assert "Got nothing from stdin, which can be read once" in fit_error(
        "--source", "-", "--target", "-", stdin=stdin
    )
    assert "Put it in a file, or fit in memory" in fit_error("--source", "-", "--stream", stdin=stdin)


@pytest.mark.parametrize("name", ["films.csv.gz", "films.jsonl.zst", "films-0.parquet"])
def test_stdin_that_must_be_unpacked(data, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    message = fit_error("--source", "-", stdin=(data / name).read_bytes())
    assert "Got .gz, .zst or parquet from stdin. Pass the file's name, unpack it before" in message


def test_lacking_columns_are_named_for_stdin(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = json.dumps({"review": "a", "label": "b"}) + "\n"
    message = fit_error("--source", "-", stdin=rows)
    assert "Got text_column (--text-column) 'text', but stdin has columns: review, label" in message


def test_the_first_label_that_the_source_lacks_is_told_with_its_file_and_row(data, tmp_path):
    target = pd.read_csv(data / "pans.csv")
    target.to_csv(tmp_path / "a.csv", index=False)
    target[:2].assign(label=["good", "so so"]).to_csv(tmp_path / "b.csv", index=False)
    result = run("compare", str(data / "films.csv"), str(tmp_path))
    assert result.exit_code == 0
    assert "b.csv, row 2: 'so so' is no label of the source, as in 1 rows." in " ".join(result.stderr.split())


@pytest.mark.parametrize("others", [["csv"], ["csv", "jsonl"]])
def test_a_label_is_one_class_be_it_a_number_or_a_text(others, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"good": 1, "bad": 0}
    films = pd.read_csv(data / "films.csv").assign(label=lambda table: table["label"].map(names))
    films.to_csv("films.csv", index=False)
    films.to_json("films.jsonl", orient="records", lines=True)
    pans = pd.read_csv(data / "pans.csv").assign(label=lambda table: table["label"].map(names))
    pans.to_json("pans.jsonl", orient="records", lines=True)
    sources = [word for kind in others for word in ("--source", f"films.{kind}")]
    words = [*sources, "--target", "pans.jsonl", *ONE]
    found = CliRunner().invoke(app, ["compare", *words, "--format", "json"])
    assert found.exit_code == 0, found.output
    assert all(row["target_score"] > 0.3 for row in json.loads(found.stdout))
    assert "no label of the source" not in found.stderr
    said = "Labels are texts in some rows and not in others: 0 is taken for '0'."
    assert found.stderr.count(said) == len(others) - 1
    films.assign(label=films["label"].astype(float)).to_csv("decimal.csv", index=False)
    found = CliRunner().invoke(app, ["fit", *sources[:2], "--source", "decimal.csv", "-o", "whole"])
    assert "'0.0' is taken for '0'." in found.stderr
    assert found.stderr.count("; 1: ") == 1
    assert "0.0: " not in found.stderr
    rows = [{"text": text, "label": one} for text in films["text"] for one in (True, "true", False)]
    Path("odd.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = CliRunner().invoke(app, ["fit", "--source", "odd.jsonl", "-o", "model"])
    assert "True is taken for 'true'" in found.stderr
    assert "(false: 40, 33 %; true: 80, 67 %)" in found.stderr


def test_blanks_and_repeats_in_a_header_are_told_and_can_be_named(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    films = pd.read_csv(data / "films.csv")
    films.rename(columns={"text": "text ", "label": " label"}).to_csv("blanks.csv", index=False)
    words = ["fit", "--source", "blanks.csv", "-o", "model"]
    assert "blanks.csv has columns: 'text ', ' label'." in CliRunner().invoke(app, words).stderr
    names = ["--text-column", "text ", "--label-column", " label"]
    assert CliRunner().invoke(app, [*words, *names]).exit_code == 0
    found = CliRunner().invoke(app, ["evaluate", "model", "blanks.csv", *names])
    assert "on 40 texts" in found.stdout
    Path("twice.csv").write_text("text,label,text\nfine,good,x\ndull,bad,x\n", "utf-8")
    said = CliRunner().invoke(app, ["fit", "--source", "twice.csv", "-o", "other"]).stderr
    assert said == "Error: twice.csv has more than one column named text. Rename them.\n"


def test_no_source_is_overwritten_by_its_check(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("films.csv").write_bytes((data / "films.csv").read_bytes())
    assert CliRunner().invoke(app, ["fit", "--source", "films.csv", "-o", "model"]).exit_code == 0
    for source in ("films.csv", "*.csv"):
        words = ["check-labels", "model", source, "-o", str(tmp_path / "films.csv"), "--overwrite"]
        assert "as input and output" in CliRunner().invoke(app, words).stderr
    assert Path("films.csv").read_bytes() == (data / "films.csv").read_bytes()


def test_a_curve_is_written_to_a_folder_that_is_made(data, tmp_path):
    words = ["curve", "--source", str(data / "films.csv"), "--target", str(data / "pans.csv"), *CURVE]
    found = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "new" / "curve.csv")])
    assert found.exit_code == 0, found.output
    assert len(pd.read_csv(tmp_path / "new" / "curve.csv"))
