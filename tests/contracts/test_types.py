"""What a user's type checker sees: the public names, none of them Any, and annotated signatures."""

import ast
import inspect
import re
from pathlib import Path

import pytest
from mypy import api

import embtransfer
import embtransfer.datasets
import embtransfer.spark

STUB = Path(embtransfer.__file__).with_suffix(".pyi").read_text("utf-8")
PUBLIC = [
    *(getattr(embtransfer, name) for name in embtransfer.__all__ if name != "__version__"),
    *(getattr(embtransfer.datasets, name) for name in embtransfer.datasets.__all__ if name.islower()),
    embtransfer.spark.score,
]


def functions(part):
    """A function; of a class its public methods, those of our bases too."""
    if not inspect.isclass(part):
        return [part]
    found = []
    for base in part.__mro__:
        if base.__module__.partition(".")[0] == "embtransfer":
            members = [value for key, value in vars(base).items() if key[0] != "_" or key == "__init__"]
            for wrapper in ("__func__", "fget", "fn"):  # of class methods, properties, available_if
                members = [getattr(member, wrapper, member) for member in members]
            found += [inspect.unwrap(member) for member in members if inspect.isfunction(member)]
    return found


def test_the_stub_has_the_public_names_from_where_they_are_imported():
    nodes = [node for node in ast.parse(STUB).body if isinstance(node, ast.ImportFrom)]
    assert {alias.name: node.module for node in nodes for alias in node.names} == {
        **embtransfer._MODULE_OF,
        "__version__": "_version",
    }
    assert all(alias.asname == alias.name for node in nodes for alias in node.names)  # or it is private


@pytest.mark.parametrize("part", PUBLIC, ids=lambda part: part.__name__)
def test_all_public_signatures_are_annotated(part):
    found = functions(part)
    assert found or inspect.isclass(part)
    for function in found:
        signature = inspect.signature(function)
        bare = [name for name, p in signature.parameters.items() if p.annotation is p.empty]
        assert set(bare) <= {"self", "cls"}, f"{function.__qualname__}: {bare}"
        assert function.__name__ == "__init__" or signature.return_annotation is not signature.empty, function


def test_what_mypy_sees(tmp_path):
    """In a project of somebody's own: a name that is not there is an error, and a class is no Any."""
    file = tmp_path / "theirs.py"
    lines = [
        "from embtransfer import CORAL, CompiledPipeline, NoSuchThing",
        "reveal_type(CORAL(0.5).fit)",
        'CompiledPipeline.load("folder").predict_proba(["a text"]).shape',
    ]
    file.write_text("\n".join(lines), "utf-8")
    said, _, code = api.run([str(file), "--ignore-missing-imports"])
    assert code == 1
    assert said.count(": error: ") == 1
    assert re.search('Module "embtransfer" has no attribute "NoSuchThing"', said)
    assert re.search(r'Revealed type is "def \(X: .*\) -> embtransfer\.adapters\._coral\.CORAL"', said)
