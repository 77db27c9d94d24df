"""Imports point strictly down the house (docs/design.md), and importing the package imports nothing heavy."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import embtransfer

ROOT = Path(embtransfer.__file__).parent
# floor by floor, a room a word: it imports lower floors, and of its own floor the rooms named before it
FLOORS = {
    "ground": "_version _types _names _texts _rows _words _parts kernels system copies",
    "material": "datasets tables word_vectors compiled priors",
    "parts": "embedders adapters classifiers alignment",
    "models": "pipeline recipes model_selection diagnostics persistence folding streaming scoring "
    "spark cascade",
    "questions": "explaining trials labelling report",
    "door": "cli __init__ __main__",
}
ROOMS = " ".join(FLOORS.values()).split()
HEAVY = {"numba", "gensim", "torch", "skops", "typer", "rich", "pooch", "sentence_transformers", "matplotlib"}
HEAVY |= {"transformers", "tokenizers", "safetensors", "huggingface_hub", "filelock", "onnxruntime", "ot"}
NUMBERS = {"numpy", "pandas", "pyarrow", "scipy", "sklearn", "numba", "joblib"}


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


def room_of(module):
    room = module.partition(".")[0]
    assert room in ROOMS, f"{module} has no floor: give it one here and in docs/design.md"
    return room


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    room = room_of(module)
    for other in imported(module):
        assert other != "__init__", f"{module} imports the door"
        assert ROOMS.index(room_of(other)) <= ROOMS.index(room), f"{module} imports {other}"


@pytest.mark.parametrize("room", FLOORS["parts"].split())
def test_parts_do_not_import_one_another(room):
    inside = [module for module in MODULES if room_of(module) == room]
    others = {room_of(other) for module in inside for other in imported(module)}
    assert not others & {*FLOORS["parts"].split()} - {room}


def test_few_modules_lie_loose_at_the_top():
    loose = [path.stem for path in ROOT.glob("_*.py") if path.stem not in ("__init__", "__main__")]
    assert set(loose) <= set(FLOORS["ground"].split())
    assert len(loose) <= 7


def test_no_import_cycles():
    order = TopologicalSorter({module: set(imported(module)) for module in MODULES}).static_order()
    assert set(order) == set(MODULES)


def test_the_reader_of_imports_sees_all_kinds():
    assert "word_vectors" in set(imported("embedders._word"))
    assert "kernels._tokens" in set(imported("embedders._word"))
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


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_wait_for_no_numbers(option):
    code = (
        f"import sys; sys.argv = ['embtransfer', {option!r}]\n"
        "from embtransfer.cli import main\n"
        "try: main()\n"
        f"finally: print(*sorted({NUMBERS!r} & set(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0
    assert run.stdout
    assert run.stderr.split() == []


def test_a_compiled_model_loads_without_scikit_learn_and_word_vectors():
    code = (
        "import sys; from embtransfer.persistence import load_model\n"
        "try: load_model('no/such/folder')\n"
        "except FileNotFoundError: print(*sorted({'sklearn', 'embtransfer.word_vectors'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
