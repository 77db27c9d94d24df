"""How to make the same again: command, versions, counts, seeds, machine; nobody's name."""

import os
import platform
import shlex
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from .._rows import n_rows
from .._version import __version__
from ._blocks import Code, Section, Table, without_home

_PACKAGES = ["numpy", "scipy", "scikit-learn", "pandas", "numba", "pyarrow"]
_OPTIONAL = {"torch": "torch", "sentence_transformers": "sentence-transformers", "ot": "POT"}


def quote_command(words) -> str:
    """A command line for a shell, with $HOME in place of the home folder's path."""
    home = str(Path.home())
    return " ".join(_quote(word, home) if len(home) > 1 else shlex.quote(word) for word in words)


def _quote(word, home):
    start, found, end = word.partition(home)
    if not found or (end and end[0] != "/"):
        return shlex.quote(word)
    return (shlex.quote(start) if start else "") + '"$HOME"' + (shlex.quote(end) if end else "")


def reproduce(command, model, data, created, random_state) -> Section:
    section = Section("reproduce", "How to reproduce this")
    if command is None:
        section.blocks.append("No command line was given: the report was made in Python.")
    else:
        section.blocks.append(Code(command if isinstance(command, str) else quote_command(command)))
    section.blocks.append(Code(without_home(repr(model.model)), "The model that this page describes"))
    counts = f"{n_rows(data.source):,} source, {n_rows(data.seen):,} target {data.kind} seen while adapting"
    if data.scored is not data.seen:
        counts += f", {n_rows(data.scored):,} scored"
    facts = {
        "made": created,
        data.kind: counts,
        "seed of splits, folds and draws": str(random_state),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "Python": platform.python_version(),
        "embtransfer": __version__,
    }
    names = [*_PACKAGES, *(package for module, package in _OPTIONAL.items() if module in sys.modules)]
    facts |= {name: _version(name) for name in names}
    frame = pd.DataFrame(facts.items(), columns=["what", "value"])
    section.blocks.append(Table("environment", "Data, seeds, versions, machine", frame, folded=True))
    return section


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
