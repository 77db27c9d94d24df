"""Imports point strictly down the house of DESIGN.md, and importing the package imports nothing heavy."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import embtransfer

ROOT = Path(embtransfer.__file__).parent
# floor by floor; a string is one room, whose modules may import one another
FLOORS = [
    [
        "_kernels _pool_kernels _ngram_kernels _score_kernels _instructions _unicode _numba",
        "_validation",
        "_version",
        "_bundle",
        "_embedding_cache",
        "_safetensors",
        "_model_columns",
        "_folders",
        "_memory",
        "_aligned",
        "_escape",
        "_packed",
    ],
    [
        "datasets",
        "tables",
        "word_vectors _vector_cache _vector_manifest _vector_names vector_files",
    ],
    ["embedders", "adapters", "classifiers", "alignment", "compiled"],
    ["pipeline", "persistence", "diagnostics", "model_selection", "_named"],
    ["recipes", "scoring", "folding", "streaming", "_terminal_tables"],
    ["comparison _split learning_curves", "spark", "explaining", "selection"],
    ["report"],
    [
        "_terminal _cli_vectors _cli_embedders _cli_inputs _cli_choose _cli_curve _cli_explain _cli_report "
        "_cli_score cli",
        "__init__",
    ],
]
PLACE = {
    module: (floor, room) for floor, rooms in enumerate(FLOORS) for room in rooms for module in room.split()
}
HEAVY = {"numba", "gensim", "torch", "skops", "typer", "rich", "pooch", "sentence_transformers", "matplotlib"}
HEAVY |= {"transformers", "tokenizers", "safetensors", "huggingface_hub", "filelock", "ot"}


def module_name(path):
    """adapters/_base.py is `adapters._base`, adapters/__init__.py `adapters`, the door `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imported(module):
    """Modules of embtransfer that a module imports, in functions too."""
    path = MODULES[module]
    package = ("embtransfer", *path.parent.relative_to(ROOT).parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = [*package[: len(package) + 1 - node.level]] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "embtransfer":
                yield deepest_module(name.split(".")[1:])


def deepest_module(parts):
    while parts and ".".join(parts) not in MODULES:
        parts = parts[:-1]
    return ".".join(parts) or "__init__"


def place(module):
    first = module.partition(".")[0]
    assert first in PLACE, f"{module} has no floor: give it one here and in DESIGN.md"
    return PLACE[first]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    floor, room = place(module)
    for other in imported(module):
        assert other != "__init__", f"{module} imports the door"
        other_floor, other_room = place(other)
        assert other_floor < floor or other_room == room, f"{module} imports {other}"


def test_no_import_cycles():
    order = TopologicalSorter({module: set(imported(module)) for module in MODULES}).static_order()
    assert set(order) == set(MODULES)


def test_the_reader_of_imports_sees_all_kinds():
    assert "word_vectors" in set(imported("embedders._word"))
    assert "_kernels" in set(imported("embedders._word"))
    assert "adapters._moments" in set(imported("adapters._base"))
    assert "_version" in set(imported("__init__"))


def test_import_is_light():
    # scikit-learn's own imports (rich, from 1.9 on, if it is there) are no fault of this package
    code = (
        "import sys, sklearn.pipeline; before = set(sys.modules); import embtransfer; "
        f"print(*sorted({HEAVY!r} & (set(sys.modules) - before)))"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == []
