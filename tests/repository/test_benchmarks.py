"""The door to the benchmarks, and that the pages quote the stored results."""

import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import _picture
from benchmarks.__main__ import main, run
from benchmarks._list import BENCHMARKS, GROUPS, Benchmark
from benchmarks._results import results
from benchmarks._sentences import sentences
from benchmarks.tables import PAGES, PICTURE, TABLES, with_tables

ROOT = Path(__file__).parents[2]
TEXTS = {page: (ROOT / page).read_text("utf-8") for page in PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_tables_are_those_of_the_results(page):
    assert with_tables(TEXTS[page]) == TEXTS[page], "run `python -m benchmarks tables`"


def test_the_picture_is_that_of_the_results():
    assert PICTURE.read_text("utf-8") == _picture.picture(), "run `python -m benchmarks tables`"


def test_the_speeds_in_the_picture_are_of_one_machine():
    scored, books = (results(name)["machine"] for name in ("score_speed", "distilled_speed"))
    assert (scored["cpu"], scored["system"]) == (books["cpu"], books["system"])


def test_the_names_in_the_picture_do_not_cover_each_other():
    boxes = []
    for point in _picture.points():
        x, width = _picture.across(point.speed), 12 + 8 * len(point.name)
        left, right = (x - 7, x + width) if point.side == "start" else (x - width, x + 7)
        assert 0 < left < right < _picture.WIDTH
        boxes.append((left, right, _picture.up(point.accuracy)))
    for (left, right, y), (left_2, right_2, y_2) in combinations(boxes, 2):
        assert right < left_2 or right_2 < left or abs(y - y_2) > 16


def test_a_changed_figure_is_seen():
    changed = re.sub(r"\| 68\.2 \|", "| 86.2 |", TEXTS["docs/measured.md"])
    assert changed != TEXTS["docs/measured.md"] == with_tables(changed)


def test_every_table_stands_on_a_page():
    marked = [name for text in TEXTS.values() for name in re.findall("<!-- table: (.+?) -->", text)]
    assert sorted(marked) == sorted(TABLES)


@pytest.mark.parametrize(("page", "sentence"), sentences())
def test_sentences_quote_the_results(page, sentence):
    text = " ".join((ROOT / page).read_text("utf-8").split())
    assert " ".join(sentence.split()) in text


def test_every_benchmark_is_listed():
    modules = {path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py")} - {"tables"}
    assert {benchmark.module for benchmark in BENCHMARKS} == modules
    assert {benchmark.group for benchmark in BENCHMARKS} == set(GROUPS)


def test_the_list():
    command = [sys.executable, "-m", "benchmarks", "--list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for benchmark in BENCHMARKS:
        assert f"  {benchmark.module} ({benchmark.minutes} min): {benchmark.what}\n" in done.stdout


@pytest.mark.parametrize(("words", "message"), [((), "got no group"), (("sped",), "invalid choice: 'sped'")])
def test_not_a_group(words, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert message in capsys.readouterr().err


def test_one_that_fails_or_cannot_run_is_a_row(monkeypatch, capfd):
    monkeypatch.chdir(ROOT)
    console = Console(width=120)
    fine = Benchmark("_list", "speed", 1, "imports")
    others = (
        Benchmark("nowhere", "speed", 1, "is not there"),
        Benchmark("_list", "speed", 1, "wants a package", packages=("no_such_package",)),
        Benchmark("_list", "speed", 1, "wants a program", programs=("no-such-program",)),
        Benchmark("_list", "speed", 1, "wants a file", asks_for="a file"),
    )
    assert run([fine], console)
    assert not run([fine, *others], console)
    printed = capfd.readouterr().out
    for outcome in (
        "done",
        "failed, exit code 1",
        "left out: no_such_package not installed: pip install -r benchmarks/requirements.txt",
        "left out: no-such-program not on the PATH",
        "left out: asks for a file",
    ):
        assert outcome in printed
