"""Texts made to deceive: time, nesting, markup, terminals."""

import time
from html.parser import HTMLParser

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from embtransfer import CompiledPipeline, explain, load_pipeline, score_file
from embtransfer.alignment._seeds import read_pairs
from embtransfer.tables import TableReader
from tests.security.hostile import _Model, write

ALLOWED = {
    "class",
    "style",
    "scope",
    "id",
    "aria-labelledby",
    "aria-describedby",
    "aria-hidden",
    "aria-label",
}

ALLOWED |= {
    "role",
    "tabindex",
    "data-sortable",
    "data-value",
    "href",
    "rel",
    "name",
    "content",
    "charset",
    "lang",
}

ESC = "\x1b]0;owned\x07\x1b[31m"

HOSTILE_TEXTS = [
    "\n" * 200_000,
    " " * 200_000,
    ". " * 100_000,
    "a" * 200_000,
    "!?" * 100_000,
    " \n" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=repr)
def test_no_pattern_takes_the_square_of_a_text(text):
    from embtransfer.embedders._sentence import sentences
    from embtransfer.embedders._static import _SPACED, _WORDS
    from embtransfer.system._escape import escape, escape_markdown

    start = time.process_time()
    for work in (sentences, _SPACED.findall, _WORDS.findall, escape, escape_markdown):
        work(text)
    assert time.process_time() - start < 5  # the square would take minutes


@pytest.mark.parametrize("line", ["(" * 300_000, "[" * 300_000, "<" * 300_000, " " * 300_000])
def test_no_pattern_takes_the_square_of_a_dictionary(tmp_path, line):
    data = f"{line}\n{line}\nword\n".encode()
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    size = "".join(digits[len(data) >> shift & 63] for shift in (18, 12, 6, 0))
    write(tmp_path / "d.index", f"a\tA\t{size}\n".encode())
    start = time.process_time()
    read_pairs(write(tmp_path / "d.dict", data))
    assert time.process_time() - start < 5


@pytest.mark.parametrize("depth", [500, 5_000, 50_000, 500_000])
def test_nested_json(tmp_path, depth):
    value = '{"a":' * depth + "1" + "}" * depth
    path = write(tmp_path / "a.jsonl", f'{{"text": "x", "more": {value}}}\n{{"text": "y"}}\n'.encode())
    report = score_file(_Model(), path, tmp_path / "out.jsonl", on_error="skip", columns=["text"])
    assert report.rows_written + report.rows_rejected == 2
    batches = TableReader(path).batches(["text"], text_column="text")  # what lies beside it is passed over
    assert [text for batch in batches for text in batch["text"].to_pylist()] == ["x", "y"]
    write(tmp_path / "m" / "config.json", value.encode())
    for load in (load_pipeline, CompiledPipeline.load):
        with pytest.raises(ValueError, match=r"config\.json is (damaged|no embtransfer)"):
            load(tmp_path / "m")


def test_an_enormous_field_of_csv(tmp_path):
    path = write(tmp_path / "a.csv", b"a" * 300_000)
    with pytest.raises(ValueError, match=r"a\.csv is damaged: its header cannot be read \(field larger"):
        list(TableReader(path).batches())
    path = write(tmp_path / "b.csv", b"text\n" + b"a" * 30_000_000 + b"\n")
    assert score_file(_Model(), path, tmp_path / "out.jsonl").rows_written == 1


NASTY = [
    "<script>alert(1)</script>",
    "</style></script><img src=x onerror=alert(1)>",
    '" onmouseover=alert(1) x="',
    "' style='x",
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    "\u2028\u2029\u202e",
    "\ud800",
    "\x00\x1b[31m",
    "<!--",
    "]]>",
    "&lt;b&gt;&#60;",
]


ALLOWED |= {"d", "x", "y", "viewbox", "text-anchor", "transform", "stroke-width", "title"}


class Page(HTMLParser):
    """Notes what of a page could run, or load something."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.odd = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        policy = ("http-equiv", "Content-Security-Policy")
        self.odd += [(tag, one[0]) for one in attributes if one[0] not in ALLOWED and one != policy]
        self.odd += [(tag, value) for name, value in attributes if name == "href" and value[:1] not in "#d"]


def test_html_of_explanations_and_reports(tmp_path):
    import pandas as pd

    from embtransfer.report import _html
    from embtransfer.report._blocks import Code, Table

    labels = [f"{one} {i % 2}" for i, one in enumerate(NASTY)]
    texts = [f"good pan{i} {one}" for i, one in enumerate(NASTY)]
    texts = [text.replace("\ud800", "") for text in texts]
    pipeline = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, labels)
    for i in range(len(NASTY)):
        found = explain(pipeline, f"good pan{i} {NASTY[i]}", label=labels[i])
        html = found.to_html()
        html.encode()  # without lone surrogates
        page = Page(html)
        assert set(page.tags) <= {"div", "p", "b", "span", "table", "thead", "tbody", "tr", "th", "td"}
        assert page.odd == []
        assert found._repr_html_() == html
    names = [one for one in NASTY if one != "\ud800"]  # pandas has no such names
    frame = pd.DataFrame(dict.fromkeys(names, NASTY), dtype=object)
    blocks = [Table("t", NASTY[0], frame), Code(NASTY[1]), *NASTY]
    section = type("Section", (), {"key": "k", "heading": NASTY[0], "left_out": NASTY[1], "blocks": blocks})
    for html in (
        _html.page(NASTY[0], NASTY[2], [section]),
        _html.fragment(NASTY[1], NASTY[2], [section], "p"),
    ):
        html.encode()
        page = Page(html)
        assert page.tags.count("script") == 1
        assert not {"img", "iframe", "object", "base", "form", "a"} & set(page.tags) - {"a"}
        assert page.odd == []


def test_terminals_obey_no_data(tmp_path, capsys):
    import pandas as pd

    from embtransfer.cli._tables import Output, print_table
    from embtransfer.cli._terminal import clear_errors
    from embtransfer.cli._vectors import vectors_info
    from embtransfer.system._escape import visible

    assert visible(f"a\tb\n{ESC}\x9b") == r"a" + "\tb\n" + r"\x1b]0;owned\x07\x1b[31m\x9b"
    path = write(tmp_path / "a.csv", f"{ESC},b\n1,2\n".encode())
    import typer

    with pytest.raises(typer.Exit), clear_errors():
        list(TableReader(path).batches(columns=["text"]))
    vectors_info(str(write(tmp_path / "v.txt", f"{ESC}a 1 2\nb 3 4\nc 5 6\n".encode())))
    for output in (Output.table, Output.markdown):
        print_table(pd.DataFrame({"[red]x": [ESC, "[bold]b"], ESC: ["a", "b"]}), output, ESC, None)
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert r"\x1b]0;owned" in out
    assert r"\x1b]0;owned" in err
    assert "[bold]b" in out
