"""The README and the guide do what they say: blocks and commands run, links lead somewhere."""

import inspect
import re
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import embtransfer
from embtransfer import adapters
from embtransfer.cli import app

ROOT = Path(__file__).parents[2]
PAGES = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))}
TEXTS = {page: path.read_text("utf-8") for page, path in sorted(PAGES.items())}
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INSTALL = (
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/embtransfer demo",
    "python3 -m venv .venv && .venv/bin/pip install -e . -r tests/requirements.txt && .venv/bin/pytest",
)
SITE = "sphinx-build -c docs . out"  # which test_site.py runs
NEEDS = {"docs/serving.md": ("fastapi", "httpx2", "mlflow", "polars")}  # what its blocks import
HOLDS = {  # what is true once a page's python blocks have run
    "README.md": lambda names: Path("scored.parquet").exists(),
    "docs/across-languages.md": lambda names: names["accuracy"] > 0.7,
    "docs/combine-and-distil.md": lambda names: len(names["views"].history_) > 1,
    "docs/compare-and-report.md": lambda names: (
        len(names["table"]) == 12 and Path("report_2/report.html").exists()
    ),
    "docs/explain.md": lambda names: set(names["explanation"].table["word"]) > {"lovely", "useless"},
    "docs/few-labels.md": lambda names: Path("curve.png").exists(),
    "docs/honest-validation.md": lambda names: len(names["scores"]) == 4,
    "docs/millions-of-rows.md": lambda names: Path("scored.jsonl.zst").exists(),
    "docs/serving.md": lambda names: names["loaded"].predict(["A lovely pan."]) == [1],
    "docs/which-model.md": lambda names: 0 < names["search"].expected_score_ < 1,
    "docs/your-own-embeddings.md": lambda names: names["embedder"].n_zero_rows_ == 2,
}


def commands(page):
    lines = "".join(block for language, block in FENCED.findall(TEXTS[page]) if not language).splitlines()
    return [line for line in lines if line not in (*INSTALL, SITE)]


def fill_in(to_label, target):
    """What somebody does between two commands."""
    table, labels = pd.read_csv(to_label), pd.read_csv(target)["label"]
    table.assign(label=labels[table["row"] - 1].to_numpy()).to_csv(to_label, index=False)


def headings(page):
    """The anchors that GitHub gives to a page's headings."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", TEXTS[page]), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page):
    prose = re.sub(r"`[^`]*`", "", FENCED.sub("", TEXTS[page]))
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if not link.startswith("https://")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", [page for page in TEXTS if "```python\n" in TEXTS[page]])
@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType")  # by MLflow, of itself
def test_python_blocks_run(page, folder, capsys):
    for package in NEEDS.get(page, ()):
        pytest.importorskip(package, reason=f"{page} needs {package}: pip install -r tests/requirements.txt")
    names = {}
    for language, block in FENCED.findall(TEXTS[page]):
        if language == "python":
            exec(compile(block, page, "exec"), names)
            printed = capsys.readouterr().out
        elif language == "text":  # what the block before prints; numbers differ between machines
            assert re.findall("[a-z]{3,}", block) == re.findall("[a-z]{3,}", printed)
    assert HOLDS.get(page, bool)(names)


@pytest.mark.parametrize("page", [page for page in TEXTS if commands(page)])
def test_commands_run(page, folder):
    for path in Path("data").glob("demo_*.csv"):  # half of the rows: what is said of them does not matter
        pd.read_csv(path)[:160].to_csv(path, index=False)
    for line in commands(page):
        program, *words = shlex.split(line)
        assert program == "embtransfer"
        # minutes and a download, or what README.md and the tests of the command line and the report run
        if "--dataset" in words or (page != "README.md" and words[0] in ("compare", "curve")):
            command = get_command(app).commands[words[0]]
            assert command.make_context(words[0], words[1:]).params["source"]
            continue
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, f"{line}\n{result.output}"
        if words[0] == "label":
            fill_in(words[1 + words.index("-o")], words[2])
    if page == "README.md":
        header = Path("scored.csv").read_text("utf-8").partition("\n")[0]
        assert header == '"text","label","prediction","prediction_negative","prediction_positive"'


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page):
    assert links(page)
    for link in links(page):
        path, _, anchor = link.partition("#")
        found = (PAGES[page].parent / path).resolve() if path else PAGES[page]
        assert found.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in headings(found.relative_to(ROOT).as_posix()), f"{page}: {link}"


@pytest.mark.parametrize("page", TEXTS)
def test_no_sentence_becomes_a_row_of_the_table_before_it(page):
    text = FENCED.sub("", TEXTS[page])
    assert re.findall(r"^\|.*\n([^|\n].*)", text, re.MULTILINE) == []


def test_every_page_is_in_the_list_of_pages():
    listed = {link.partition("#")[0] for link in links("docs/index.md")}
    assert listed >= {Path(page).name for page in TEXTS} - {"README.md", "index.md"}


def test_every_adapter_has_its_row_in_the_guide():
    classes = {name: getattr(adapters, name) for name in adapters.__all__}
    public = [
        name for name, part in classes.items() if inspect.isclass(part) and not inspect.isabstract(part)
    ]
    named = {type(adapters.make_adapter(name)).__name__: name for name in adapters.ADAPTERS}
    rows = re.findall(r"^\| (?:`(\w+)`)? ?\| `(\w+)` \|", TEXTS["docs/adapters.md"], re.MULTILINE)
    assert {part: name for name, part in rows} == {name: named.get(name, "") for name in public}


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/design.md"])
def test_pages_for_developers_name_what_there_is(page):
    text = (ROOT / page).read_text("utf-8")
    named = set(re.findall(r"\b(?:tests|benchmarks|embtransfer|docs|\.ci)/[\w/.-]*\w", text))
    assert len(named) > 5
    assert {name for name in named if not (ROOT / name).exists()} <= {"embtransfer/adapters/_mine.py"}
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"`((?:test_|Test)\w+)`", text):
        assert re.search(rf"^ *(def|class) {name}\b", tests, re.MULTILINE), name


def test_the_citation_names_this_version():
    assert f"\nversion: {embtransfer.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_readme_sells_in_a_minute():
    assert len(TEXTS["README.md"].splitlines()) < 170


def test_install_commands_are_there_and_ci_runs_the_second():
    assert [command for command in INSTALL if f"\n{command}\n" in TEXTS["README.md"]] == list(INSTALL)
    assert INSTALL[1] in (ROOT / ".ci" / "run").read_text("utf-8")
