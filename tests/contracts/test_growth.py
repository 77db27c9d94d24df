"""What must not grow faster than its input, by CPU time; and the growth benchmark's own arithmetic."""

import gc
import json
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.growth import exponent, foretold, grow, main, report, stored_curve, summary
from embtransfer import WordEmbedder
from embtransfer.embedders import Coverage

ROOT = Path(__file__).parents[2]


def growth(prepare, small, large):
    """How many times as long the larger takes, by the fastest of three; squares would take (l / s)^2."""
    fastest = []
    for size in (small, large):
        seconds, work = [], prepare(size)
        for _ in range(3):
            gc.collect()
            start = time.process_time()
            work()
            seconds.append(time.process_time() - start)
        fastest.append(min(seconds))
    return fastest[1] / fastest[0]


def test_coverage_of_files_grows_with_their_parts():
    embedder = WordEmbedder().fit(["-"])

    def prepare(n):
        texts = [[f"zz{500 * part + i}q" for i in range(500)] for part in range(n)]
        parts = [embedder.coverage(some) for some in texts]

        def add():
            whole = Coverage()
            for part in parts:
                whole.add(part)
            assert len(whole.n_tokens) == whole.n_tokens.sum() == 500 * n
            return whole

        return add

    assert growth(prepare, 25, 200) < 24  # 8 times as many: 60 before, when each part was added to a copy


def test_coverage_of_many_texts_is_not_copied_for_every_chunk(monkeypatch):
    """All texts of before were copied for each chunk of 16,384: twice the texts took three times as long."""
    embedder, copied = WordEmbedder().fit(["-"]), []
    texts = pa.array(["good"] * 200_000, pa.large_string())

    def counted(function):
        def call(*arguments, **more):
            result = function(*arguments, **more)
            copied.append(result.size)
            return result

        return call

    for name in ("append", "concatenate"):
        monkeypatch.setattr(np, name, counted(getattr(np, name)))
    coverage = embedder.coverage(texts)
    assert coverage.share == 1
    assert len(coverage.n_known) == 200_000
    assert sum(copied) < 6 * len(texts)  # 16 of them before


# ---------------------------------------------------------------- the benchmark's arithmetic
def points(function, xs):
    keys = ("seconds", "cpu", "megabytes", "peak", "whole")
    return [{"x": x, **dict.fromkeys(keys, function(x))} for x in xs]


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, 3.0])
def test_exponents_of_powers(power):
    slope, error = exponent(points(lambda x: 3 * x**power, (1, 3, 10, 30, 100, 300)), "cpu")
    assert slope == pytest.approx(power, abs=1e-12)
    assert error == pytest.approx(0, abs=1e-12)


def test_exponent_and_error_by_hand():
    some = points(lambda x: x, (1e-9, 1, np.e, np.e**2))  # of four points the last three
    for point, log in zip(some[1:], (0, 1, 5), strict=True):
        point["cpu"] = np.exp(log)
    slope, error = exponent(some, "cpu")
    assert slope == pytest.approx(2.5)
    assert error == pytest.approx(np.sqrt(1.5 / 1 / 2))  # residuals 0.5, -1, 0.5
    assert exponent(some[:2], "cpu") is None


def test_the_next_point_is_foretold():
    """Three runs, at least linear, and the rest; memory beside that of the first point."""
    some = points(lambda x: x**2, (10, 30))
    for point in some:
        point["whole"] = 3 * point["cpu"] + 7
    seconds, megabytes = foretold(some, 100)
    assert seconds == pytest.approx(3 * 100**2 + 7)
    assert megabytes == pytest.approx(10**2 + (30**2 - 10**2) * 100 / 30)
    assert foretold(points(lambda x: 7, (10, 30)), 90)[0] == pytest.approx(3 * 21)
    assert foretold([], 30) == (0, 0)


def test_a_square_is_named_and_a_refusal_ends_a_curve(tmp_path):
    from benchmarks._growth_work import Curve

    def prepare(rows):
        if rows == 300:
            return lambda: np.zeros((10**9, 10**9))
        return lambda: np.zeros(10)

    kept, curve = [], Curve("adapt", "zeros", "rows", prepare, {}, "a matrix of rows by rows")
    ended = grow(curve, (10, 300, 1000), [], 1e9, 1e9, kept.append)
    assert ended.startswith("300: ")
    assert "MemoryError" in ended
    assert [entry["point"]["x"] for entry in kept] == [10]
    record = summary(curve, points(lambda x: x**2 / 1e6, (10, 30, 100, 300)), ended)
    data = {"curves": [record], "sizes": {"rows": 10}, "budget": 1}
    assert "- zeros: 2.00 ± 0.00. a matrix of rows by rows" in report(data)[-1]
    (tmp_path / "curve.jsonl").write_text('{"point": {"x": 1}}\n{"ended": "x", "budget": 5}\n')
    assert stored_curve(tmp_path / "curve.jsonl", 5) == ([{"x": 1}], "x")
    assert stored_curve(tmp_path / "curve.jsonl", 6) == ([{"x": 1}], None)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures memory by /proc")
def test_a_curve_is_measured_and_resumed(tmp_path, monkeypatch):
    command = ["growth", "--only", "adapt, LengthScaling", "--budget", "2"]
    command += ["--cache", str(tmp_path / "cache"), "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.chdir(ROOT)  # where the curve's own process finds the benchmarks
    found = []
    for _ in range(2):
        main()
        (record,) = json.loads((tmp_path / "growth.json").read_text("utf-8"))["curves"]
        found.append(record)
    assert found[0] == found[1]  # to the last digit: nothing was measured again
    assert len(found[0]["points"]) > 2
    assert found[0]["points"][-1]["megabytes"] > 0
    assert "| LengthScaling | rows | 1,000 |" in (tmp_path / "growth.md").read_text("utf-8")
