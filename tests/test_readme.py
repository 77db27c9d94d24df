"""The README does what it says: every code block runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
INSTALL = (
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/embtransfer demo",
    "python3 -m venv .venv && .venv/bin/pip install -e . -r tests/requirements.txt && .venv/bin/pytest",
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)


def test_python_blocks(folder):
    names = {}
    for language, block in BLOCKS:
        if language == "python":
            exec(compile(block, "README.md", "exec"), names)
    assert names["embedder"].n_zero_rows_ == 2
    assert len(names["table"]) == 12
    assert Path("scored.parquet").exists()


def test_shell_blocks(folder):
    command = str(Path(sys.executable).with_name("embtransfer"))
    lines = [line for language, block in BLOCKS if not language for line in block.splitlines()]
    lines = [line for line in lines if line not in INSTALL]
    assert len(lines) == 6
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "embtransfer"
        subprocess.run(
            [command, *words[1:]], check=True, capture_output=True, env={**os.environ, "COLUMNS": "160"}
        )
    header = Path("scored.csv").read_text("utf-8").partition("\n")[0]
    assert header == '"text","label","prediction","prediction_negative","prediction_positive"'


def test_install_commands_are_there_and_ci_runs_the_second():
    assert [command for command in INSTALL if f"\n{command}\n" in README] == list(INSTALL)
    assert INSTALL[1] in (ROOT / ".ci" / "run").read_text("utf-8")
