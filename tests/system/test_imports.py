"""What starts in a hurry imports no more than it needs, and ends as fast."""

import subprocess
import sys

import pytest

from embtransfer import (
    DomainCentering,
    WordEmbedder,
    compile_pipeline,
    make_classifier,
    make_transfer_pipeline,
)
from embtransfer.system._imports import not_found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    pipeline.fit(["good pan", "bad pan"], ["+", "-"], X_target=["good film", "dull film"])
    compile_pipeline(pipeline).save(folder / "model")
    (folder / "texts.csv").write_text("text\na good film\n")
    return folder


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        (["--version"], {"numpy", "pandas", "scipy", "sklearn", "numba", "pyarrow"}),
        (["score", "model", "texts.csv", "-o", "scored.csv"], {"pandas", "scipy", "sklearn"}),
        (["explain", "model", "a good film"], {"pandas", "scipy", "sklearn"}),
    ],
)
def test_a_command_on_a_compiled_model_imports_what_it_needs(folder, words, unneeded):
    code = "import sys; from embtransfer.cli import app; app(sys.argv[1:], standalone_mode=False); "
    code += f"print(sorted({unneeded!r} & set(sys.modules)))"
    for _ in range(2):  # kernels that are not compiled yet need more
        run = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True, check=True
        )
    assert run.stdout.splitlines()[-1] == "[]"


def test_a_command_ends_without_a_search_for_cycles():
    code = "import atexit, gc; from embtransfer.cli import main; "
    code += "atexit.register(lambda: print(gc.get_freeze_count() > len(gc.get_objects()))); main()"
    run = subprocess.run(
        [sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[1:] == ["True"]


def test_a_package_is_not_found_for_a_while_unless_it_is_there_already():
    with not_found("sys", "antigravity"):
        import sys as there

        with pytest.raises(ModuleNotFoundError, match="antigravity is not looked for here"):
            import antigravity  # noqa: F401
    assert there is sys
    assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("embtransfer")]
