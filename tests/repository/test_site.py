"""The site is built by its one command: examples run, links lead somewhere, every public name has a page."""

import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

import embtransfer
from embtransfer import datasets

for package in ("furo", "myst_parser", "numpydoc", "sphinx_gallery"):
    pytest.importorskip(package, reason=f"needs {package}: pip install -r tests/requirements.txt")

ROOT = Path(__file__).parents[2]
COMMAND = "sphinx-build -c docs . out"
EXAMPLES = sorted(path.stem for path in ROOT.glob("docs/examples/*.py"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder that the command writes, of a copy of the sources: it also writes between these."""
    copy = tmp_path_factory.mktemp("site")
    for name in ("docs", "benchmarks", "data", "fuzz", "tests", *(path.name for path in ROOT.glob("*.md"))):
        ignored = shutil.ignore_patterns("__pycache__", "gallery", "api", "*.npy")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, copy)
    program, *words = COMMAND.split()
    assert program == "sphinx-build"
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", *words]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return copy / "out"


def addresses(page):
    """What a page links to, or shows, on this site."""
    text = re.sub(r"<(script|style)\b.*?</\1>", "", page.read_text("utf-8"), flags=re.DOTALL)
    found = {html.unescape(one) for one in re.findall(r'<[^>]*\b(?:href|src)="([^"]*)"', text)}
    return sorted(one for one in found if not re.match(r"https?:|data:|mailto:", one))


def test_the_command_stands_where_people_look():
    for page in ("README.md", "CONTRIBUTING.md", "docs/index.md"):
        assert COMMAND in (ROOT / page).read_text("utf-8"), page


def test_links_and_pictures_of_every_page_lead_somewhere(site):
    pages = {page: page.read_text("utf-8") for page in site.rglob("*.html")}
    assert len(pages) > 100
    for page in pages:
        for address in addresses(page):
            path, _, anchor = unquote(address).partition("#")
            found = (page.parent / path.partition("?")[0]).resolve() if path else page
            assert found.exists(), f"{page.relative_to(site)}: {address}"
            if anchor and found in pages:
                assert f'id="{anchor}"' in pages[found], f"{page.relative_to(site)}: {address}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_was_run_and_has_a_picture_and_a_notebook(name, site):
    page = (site / "docs" / "gallery" / f"{name}.html").read_text("utf-8")
    assert f'src="../../_images/sphx_glr_{name}_001.png"' in page
    assert "sphx-glr-script-out" in page
    (notebook,) = site.glob(f"_downloads/*/{name}.ipynb")
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    assert {cell["cell_type"] for cell in cells} == {"code", "markdown"}


def test_the_guide_names_every_example():
    guide = (ROOT / "docs" / "index.md").read_text("utf-8")
    assert EXAMPLES
    assert re.findall(r"\(examples/(\w+)\.py\)", guide) == EXAMPLES


def test_reference_has_every_public_name(site):
    names = [f"embtransfer.{name}" for name in embtransfer.__all__ if not name.startswith("_")]
    names += [f"embtransfer.datasets.{name}" for name in datasets.__all__] + ["embtransfer.spark.score"]
    for name in names:
        assert f'id="{name}"' in (site / "docs" / "api" / f"{name}.html").read_text("utf-8")
    page = (site / "docs" / "api" / "embtransfer.CORAL.html").read_text("utf-8")
    assert 'id="embtransfer.CORAL.transform_source"' in page  # of its base
    assert "set_fit_request" not in page
