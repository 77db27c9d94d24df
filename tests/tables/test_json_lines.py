"""Lines of JSON by pyarrow's parser are what Python's json makes of them, or are left to it."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings, strategies as st
from numpy.random import default_rng

from embtransfer import score_file
from embtransfer.tables import _json_lines, _rows

VALUES = {
    "text": ["a", "", "2020-01-01", "12:30:00", "é 👍", "\u0000", "null", 'q"\\/'],
    "whole": [0, -1, 2**53, -(2**53), 7],
    "long": [2**53 + 1, -(2**63), 2**63 - 1],
    "huge": [2**63, 10**30],
    "float": [0.5, -0.0, 5e-324, 1.7976931348623157e308, 0.1, 1e5, float("nan"), float("inf")],
    "bool": [True, False],
    "nested": [[], {"a": 1}, [[1, "x"]]],
}
LITERALS = ["-0", "1E5", "1e999", "1.0", "9007199254740993", '"\\ud83d\\ude00"', '"\\ud800"', '"\\u00e9"']
LINES = [
    "",
    " ",
    "{",
    "[]",
    "3",
    '{"text": 1}',
    '{"n": 1, "n": "x"}',
    '{"text": "a"} {"text": "b"}',
    "\ufeff{}",
]
MIXES = [["text"], ["whole"], ["whole", "float"], ["whole", "long"], ["float"], ["bool"], [], list(VALUES)]


@st.composite
def blocks(draw):
    """Lines of a file: objects with some fields of few kinds, and what is no object."""
    values = [v for kind in draw(st.sampled_from(MIXES)) for v in VALUES[kind]]
    field = st.sampled_from([json.dumps(v) for v in values] + ["null"])
    if draw(st.booleans()):
        field |= st.sampled_from(LITERALS)
    pairs = st.dictionaries(st.sampled_from(["n", "m", "é"]), field, max_size=3)
    text = st.sampled_from([json.dumps(v) for v in VALUES["text"]] * 3 + ["null"])
    rows = [
        "{" + ", ".join([f'"text": {t}'] + [f'"{k}": {v}' for k, v in p.items()]) + "}"
        for t, p in draw(st.lists(st.tuples(text, pairs), max_size=8))
    ]
    if draw(st.integers(0, 3)) == 0:
        rows.insert(draw(st.integers(0, len(rows))), draw(st.sampled_from(LINES)))
    return "\n".join(rows).encode() + b"\n" * draw(st.integers(0, 1))


def without_parser(patch, module):
    patch.setattr(module, "parse", lambda *_: None)


def same(a, b):
    assert a.texts.to_pylist() == b.texts.to_pylist()
    assert (a.n_read, a.n_lines, a.rejected) == (b.n_read, b.n_lines, b.rejected)
    assert (a.table is None) == (b.table is None)
    if a.table is not None:
        assert a.table.schema.equals(b.table.schema, check_metadata=True)
        assert repr(a.table.to_pydict()) == repr(b.table.to_pydict())  # NaN is itself, -0 is not 0


@settings(max_examples=70, deadline=None)
@given(data=blocks(), more=blocks())
@example(data=b'{"text": "a", "n": 1E5}', more=b'{"text": "a", "n": 9007199254740993}')
def test_as_pythons_parser(data, more):
    blocks = [pa.py_buffer(data), pa.py_buffer(more)]
    schema = _json_lines.jsonl_schema(blocks, "text")
    with pytest.MonkeyPatch.context() as patch:
        without_parser(patch, _json_lines)
        slow = _json_lines.jsonl_schema(blocks, "text")
    assert schema.equals(slow, check_metadata=True)
    for carried, columns in ((schema.names, schema), (None, None), (["n"], None)):
        arguments = blocks[0], "text", carried, columns, []
        fast = _rows.read_jsonl(*arguments)
        with pytest.MonkeyPatch.context() as patch:
            without_parser(patch, _rows)
            same(fast, _rows.read_jsonl(*arguments))


def test_the_parser_is_taken(tmp_path, monkeypatch):
    """Both passes over ordinary lines go without Python's json, but for the first block."""
    rng = default_rng(0)
    rows = [
        {"id": i, "text": "good pan", "mark": float(rng.normal()), "ok": i % 2 == 0} for i in range(20_000)
    ]
    data = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "in.jsonl").write_text(data * 3)
    parsed = []
    monkeypatch.setattr(_rows, "_parse_object", lambda *_: pytest.fail("Python's json was asked"))
    learn = _json_lines._learn
    monkeypatch.setattr(
        _json_lines, "_learn", lambda data, kinds: parsed.append(len(data)) or learn(data, kinds)
    )

    class Model:
        classes_ = ("+", "-")

        def predict(self, texts):
            return ["+"] * len(texts)

    score_file(Model(), tmp_path / "in.jsonl", tmp_path / "out.parquet", block_size=1 << 20)
    assert len(parsed) == 1 < len(data) * 3 / parsed[0]
    assert (
        pq.read_table(tmp_path / "out.parquet").select(["id", "text", "mark", "ok"]).to_pylist() == rows * 3
    )


def test_names_without_end_fill_no_memory():
    """A name of its own in each line: as columns they would take lines x lines."""
    lines = b"".join(b'{"%d": 1}\n' % i for i in range(20_000))
    schema = pa.schema([pa.field(str(i), pa.int64()) for i in range(20_000)])
    data = pa.py_buffer(lines)
    bytes_, starts, ends, _, _ = _json_lines.split(data)
    before = pa.total_allocated_bytes()
    assert _json_lines.parse(data, bytes_, starts, ends, schema, "error") is None
    assert pa.total_allocated_bytes() - before < 1e6
