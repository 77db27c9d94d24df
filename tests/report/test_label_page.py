"""The page to label a round: it holds the csv's cells, runs nothing of the texts', and saves the same csv."""

import csv
import json
import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from embtransfer import report
from embtransfer.labelling import read_rounds, write_round
from embtransfer.report import check_label_page, write_label_page

TEXTS = [
    "good pan",
    "</script><script>alert(1)</script><!--",
    "=1+1",
    "\"two\", 'one'\r\nand ü",
    "a\u2028b\u2029c",
]
TEXTS += ["שלום עולם", "", "x" * 40_000, "'+1 😀"]
CLASSES = ["bad", "<b>good</b>", "-1"]


class Page(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.scripts, self.attributes, self.tag = [], [], None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tag = tag
        self.attributes.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tag == "script":
            self.scripts.append(data)
            self.tag = None


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def made(classes=CLASSES):
    probability = [0.125, *[np.nan] * (len(TEXTS) - 1)]
    suggested = pd.DataFrame({"row": range(len(TEXTS)), "why": "margin", "probability": probability})
    write_round(Path("a.csv"), suggested, TEXTS, {"id": [f"@{i}" for i in range(len(TEXTS))]})
    write_label_page(Path("a.html"), Path("a.csv"), TEXTS, classes)
    html = Path("a.html").read_text("utf-8")
    return html, Page(html)


def content(page):
    data, _ = page.scripts
    return json.loads(data)


def with_labels(page, labels):
    """The csv's rows as the page saves them: a label's cell after the cells of a text."""
    found = content(page)
    cells = {one["name"]: one["cell"] for one in found["classes"]}
    rows = [[*row["cells"], cells.get(labels.get(i), "")] for i, row in enumerate(found["rows"])]
    return [found["header"], *rows]


def test_what_it_saves_is_what_was_written_and_is_read_with_the_labels():
    _, page = made()
    with open("a.csv", encoding="utf-8-sig", newline="") as file:
        assert with_labels(page, {}) == [*csv.reader(file)]
    labels = dict(enumerate(CLASSES))
    with open("b.csv", "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(with_labels(page, labels))
    assert read_rounds("b.csv", TEXTS, CLASSES) == ([*range(len(TEXTS))], labels, {0: 0.125})


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_its_script_writes_the_same_bytes():
    _, page = made()
    script = Path(report.__file__).with_name("csv.js").read_text("utf-8")
    script += f"process.stdout.write('\\ufeff' + csv({json.dumps(with_labels(page, {}))}))"
    Path("a.js").write_text(script, "utf-8")
    run = subprocess.run(["node", "a.js"], check=True, capture_output=True)
    assert run.stdout == Path("a.csv").read_bytes().replace(b"\r\n", b"\n").replace(b"\nand", b"\r\nand")


def test_texts_are_shown_as_they_are():
    found = content(made()[1])
    assert [row["text"] for row in found["rows"]] == TEXTS
    assert found["rows"][0]["about"] == "row 1 · id: '@0 · the model is in doubt"
    assert found["file"] == "a.csv"


def test_no_text_or_label_is_part_of_the_page():
    html, page = made()
    assert len(page.scripts) == html.count("<script") == html.count("</script") == 2
    assert "<b>" not in html
    assert html.count("\u2028") == 0
    for tag, attributes in page.attributes:
        assert not {"src", "srcset", "onload", "onclick", "onerror", "style"} & set(attributes)
        assert attributes.get("href", "data:,") == "data:,", tag
    assert not re.search(r"@import|url\(|https?:", html)


def test_nothing_but_its_own_script_runs_and_nothing_is_loaded():
    _, page = made()
    (policy,) = [a["content"] for _, a in page.attributes if a.get("http-equiv") == "Content-Security-Policy"]
    known = b64encode(sha256(page.scripts[-1].encode()).digest()).decode()
    assert f"default-src 'none';style-src 'unsafe-inline';script-src 'sha256-{known}';" in policy


@pytest.mark.parametrize(("n", "keys"), [(2, 2), (35, 35), (36, 0)])
def test_classes_have_keys_or_are_typed_where_they_are_more(n, keys):
    html, page = made([f"class {i}" for i in range(n)])
    assert html.count("<li><button") == n
    assert html.count('<li><button type="button" aria-pressed="false"><kbd>') == keys
    assert ("input" in [tag for tag, _ in page.attributes]) == (n > 35)


def test_what_was_done_is_kept_for_these_texts_and_classes_alone():
    one, same, other = (content(made(classes)[1])["storage"] for classes in (CLASSES, CLASSES, ["bad", "ok"]))
    assert one == same != other


def test_only_such_a_page_is_written_over():
    path = Path("a.html")
    check_label_page(path, overwrite=False)
    made()
    with pytest.raises(FileExistsError, match=r"^a\.html is there already\. .* pass --overwrite"):
        check_label_page(path, overwrite=False)
    check_label_page(path, overwrite=True)
    path.write_text("<p>mine</p>", "utf-8")
    with pytest.raises(FileExistsError, match=r"^a\.html is no page of embtransfer label\. Choose another"):
        check_label_page(path, overwrite=True)
