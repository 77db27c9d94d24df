"""The fuzzers' inputs without a fuzzer: what was found before, small real seeds, and some hundred changes."""

import os
import random
import re
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from fuzz import TARGETS, _files, _guard, _mutate
from fuzz.__main__ import _compiled_modules

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "fuzz_corpus").glob("*/*"))
CHANGES = {"tokens": 100, "text_lines": 1000, "vector_files": 300, "model_folders": 100, "score_files": 40}
COMMON = {  # what becomes of some of them, or the target would test nothing
    "tokens": "3 tokens or more",
    "text_lines": "3 lines or more",
    "vector_files": "None: read",
    "model_folders": "compiled: loaded",
    "score_files": "in.csv: some refused",
}
pytestmark = pytest.mark.filterwarnings("ignore:.*left out:UserWarning")  # words that are not UTF-8


def load(name):
    target = import_module(f"fuzz.{name}")
    _guard.warm_up(target)
    return target


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_what_was_found(case):
    load(case.parent.name).run(case.read_bytes())


def test_what_numba_compiles_is_not_instrumented():
    """numba cannot compile what atheris has changed; with NUMBA_DISABLE_JIT kernels are plain functions."""
    compiled = set(_compiled_modules())
    kernels = [file for file in (ROOT / "embtransfer").rglob("*.py") if "@njit\n" in file.read_text("utf-8")]
    modules = {".".join(file.relative_to(ROOT).with_suffix("").parts) for file in kernels}
    assert len(modules) > 5
    assert modules | {"embtransfer.kernels._compiling", "embtransfer.kernels._instructions"} == compiled
    code = f"import {', '.join(sorted(modules))}"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, check=True)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_changes_of_them(name):
    target, rng, outcomes = load(name), random.Random(0), Counter()
    seeds = list(target.seeds().values())
    for i in range(CHANGES[name]):
        data = seeds[i % len(seeds)]
        for _ in range(i // len(seeds) % 4):  # first the seeds themselves
            data = target.mutate(data, rng) if rng.random() < 0.7 else _mutate.change_bytes(data, rng)
        outcomes[target.run(data)] += 1
    assert outcomes[COMMON[name]] > 0
    assert len(outcomes) > 1


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 40])
def test_any_bytes_are_an_input(name, data):
    assert load(name).run(data)


# ---------------------------------------------------------------- the oracles find what is wrong
def test_other_tokens_are_noticed(monkeypatch):
    target = load("tokens")
    monkeypatch.setattr(target, "_SURROGATES", re.compile("a"))
    with pytest.raises(_guard.Broken, match="other rows than re and a dict give"):
        target.run(target.seeds()["plain"])


def test_other_numbers_are_noticed(monkeypatch):
    target = load("text_lines")
    kernel = target._parse_block
    monkeypatch.setattr(target, "_parse_block", lambda *args: (lambda w, r, d: (w, r + 1, d))(*kernel(*args)))
    with pytest.raises(_guard.Broken, match="other numbers than float gives"):
        target.run(target.seeds()["plain"])


def test_another_error_is_noticed(monkeypatch):
    target = load("vector_files")

    def load_with_a_bug(*args, **options):
        raise KeyError("vectors")

    monkeypatch.setattr(target.WordVectors, "load", load_with_a_bug)
    with pytest.raises(KeyError, match="vectors"):
        target.run(target.seeds()["glove"])


def test_another_model_is_noticed(monkeypatch):
    target = load("model_folders")
    folder = _files.unpack(target.seeds()["compiled_two_classes_plain"][1:], target.NAMES)
    folder["config.json"] = folder["config.json"].replace(b'"classes": ["+", "-"]', b'"classes": ["-", "+"]')
    with pytest.raises(ValueError, match="by its own checksum"):
        target.CompiledPipeline.load(target._scratch.write(folder))
    monkeypatch.setattr("embtransfer.system._model_folders._own_checksum", lambda config: config["checksum"])
    with pytest.raises(_guard.Broken, match="another model than the one that was saved"):
        target.run(b"\0" + _files.pack(folder, target.NAMES))


def test_a_lost_row_is_noticed(monkeypatch):
    target = load("score_files")
    rows = target._rows
    monkeypatch.setattr(target, "_rows", lambda path: rows(path)[1:])
    with pytest.raises(_guard.Broken, match="another number of rows than the report says"):
        target.run(target.seeds()["csv_to_jsonl"])


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: exec("1"), "the input ran exec"),
        (lambda: subprocess.run([sys.executable, "-c", "1"]), "the input ran subprocess.Popen"),
        (lambda: np.ones(1 << 30), "more than 2 GiB of memory"),
    ],
    ids=["code", "process", "memory"],
)
def test_the_guard(act, message):
    load("text_lines")
    with pytest.raises(_guard.Broken, match=message), _guard.guarded():
        act()


def test_lack_of_memory_is_no_refusal():
    error = ValueError("the file is damaged")
    error.__cause__ = MemoryError()
    with pytest.raises(_guard.Broken, match="and is called damaged"):
        _guard.refusal(error)
    with pytest.raises(_guard.Broken, match="an error that says nothing"):
        _guard.refusal(ValueError("no"))


# ---------------------------------------------------------------- the runner
def test_the_targets_are_listed_and_documented():
    command = [sys.executable, "-m", "fuzz", "--list"]
    listed = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout
    guide = (ROOT / "fuzz" / "README.md").read_text("utf-8")
    for name in TARGETS:
        assert name in listed
        assert f"`{name}`" in guide


def test_files_in_one_input():
    names = ["a", "d/b"]
    files = {"d/b": b"", "a": b"12"}
    assert _files.unpack(_files.pack(files, names), names) == files
    assert _files.unpack(b"\x05\xff\xff\xffrest", names) == {"d/b": b"rest"}
