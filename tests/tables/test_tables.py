"""Tables: every text comes back as it was, damaged files are refused, files appear whole or not at all."""

import csv
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embtransfer.tables import FORMATS, TableReader, column_values

NASTY = {
    "quotes": 'she said "fine", and left',
    "lone quote": 'a 5" pan',
    "only a quote": '"',
    "quote first": '"unclosed',
    "newlines": "one\ntwo\n\nthree\n",
    "only a newline": "\n",
    "CR": "one\rtwo\r",
    "CRLF": "one\r\ntwo\r\n",
    "commas": ",a,,b,",
    "tabs": "\ta\tb\t",
    "NUL": "a\0b\0",
    "NEL": "a\x85b",
    "line separator": "a\u2028b\u2029c",
    "controls": "".join(map(chr, range(1, 32))),
    "emoji": "👩‍👩‍👧‍👦 🇩🇪 👍🏽",
    "combining": "e\u0301 a\u0308 Z\u0351\u036b\u0343",
    "BOM": "\ufeffa\ufeff",
    "empty": "",
    "spaces": "   ",
    " NA": " NA",
    "NA": "NA",
    "NULL": "NULL",
    "null": "null",
    "nan": "nan",
    "None": "None",
    "number": "007",
    "outer spaces": "  a  ",
    "formula": "=1+1",
    "right to left": "\u200fשלום\u202e olleh\u202c",
    "backslash": 'a\\nb\\"c\\',
    "astral": "𝕏 \U0010ffff",
    "long": "a long text, " * 400_000,
}
TEXTS = list(NASTY.values())
SENDERS = range(len(TEXTS))
every_format = pytest.mark.parametrize("suffix", FORMATS)


def save(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(path, **options):
    found = []
    for one in TableReader(path).batches(**options):
        columns = {name: column_values(one, name) for name in one.schema.names}
        found += [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return found


def write_pandas(path, columns):
    frame = pd.DataFrame(columns)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False, lineterminator="\r\n")  # with "\n" pandas does not quote a lone CR
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)


def write(path, **columns):
    if path.suffix == ".csv":
        frame = pd.DataFrame(columns)
        frame.to_csv(path, index=False, quoting=csv.QUOTE_ALL, encoding="utf-8-sig")
    elif path.suffix == ".jsonl":
        lines = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    else:
        pq.write_table(pa.table(columns), path, row_group_size=3)
    return path


every_way = pytest.mark.parametrize("way", [write_pandas, lambda path, columns: write(path, **columns)])


# round trips


@every_format
@every_way
def test_nasty_texts_come_back(tmp_path, suffix, way):
    path = tmp_path / f"a{suffix}"
    way(path, {"text": TEXTS, "n": list(SENDERS), "again": TEXTS[::-1]})
    texts, numbers, again = TableReader(path).columns(["text", "n", "again"])
    for name, got, back in zip(NASTY, texts, again[::-1], strict=True):
        assert got == NASTY[name], name
        assert back == NASTY[name], name
    assert [int(n) for n in numbers] == list(SENDERS)


@every_format
@every_way
def test_one_column_of_nasty_texts_loses_no_row(tmp_path, suffix, way):
    path = tmp_path / f"a{suffix}"
    texts = ["", *TEXTS, "", ""]
    way(path, {"text": texts})
    assert TableReader(path).columns(["text"], "text") == [texts]


@every_format
def test_nasty_column_names(tmp_path, suffix):
    columns = {name: [name] for name in TEXTS if name and len(name) < 100 and "\ufeff" not in name}
    path = write(tmp_path / f"a{suffix}", **columns)
    assert TableReader(path).schema.names == list(columns)
    assert rows(path) == [{name: name for name in columns}]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_types_and_missing_values_stay(tmp_path, suffix):
    columns = {"i": [1, None], "f": [0.5, None], "b": [True, None], "t": ["", None], "l": [[1], None]}
    path = write(tmp_path / f"a{suffix}", **columns)
    assert rows(path) == [
        dict.fromkeys(columns) | {key: v[0] for key, v in columns.items()},
        dict.fromkeys(columns),
    ]


def test_csv_takes_everything_as_text_and_missing_as_empty(tmp_path):
    path = save(tmp_path / "a.csv", "i,f,b,t\n1,0.5,true,\n,,,\n")
    assert rows(path) == [
        {"i": "1", "f": "0.5", "b": "true", "t": ""},
        {"i": "", "f": "", "b": "", "t": ""},
    ]


# batches


@every_format
@pytest.mark.parametrize("batch_size", [1, 7, 100, 10_000])
def test_batches_are_no_larger_than_asked_and_in_order(tmp_path, suffix, batch_size):
    path = write(tmp_path / f"a{suffix}", n=list(range(250)), text=["x"] * 250)
    batches = list(TableReader(path).batches(batch_size=batch_size))
    assert max(b.num_rows for b in batches) <= batch_size
    assert [int(n) for b in batches for n in b.column("n").to_pylist()] == list(range(250))


@pytest.mark.parametrize(
    "write_table",
    [
        lambda path: save(path.with_suffix(".csv"), "text,label\n"),
        lambda path: save(path.with_suffix(".csv"), "text,label"),
        lambda path: save(path.with_suffix(".csv"), "\ufefftext,label\r\n"),
        lambda path: write(path.with_suffix(".parquet"), text=pa.array([], "str"), label=pa.array([], "str")),
    ],
    ids=["csv", "csv without newline", "csv with BOM", "parquet"],
)
def test_a_header_alone_is_a_table_of_no_rows(tmp_path, write_table):
    path = write_table(tmp_path / "a")
    assert TableReader(path).schema.names == ["text", "label"]
    assert TableReader(path).columns(["label"]) == [[]]
    assert [b.num_rows for b in TableReader(path).batches()] == [0]


@pytest.mark.parametrize("content", ["", "\n", "\n \n\n"])
def test_jsonl_of_no_rows_is_one_empty_batch(tmp_path, content):
    path = save(tmp_path / "a.jsonl", content)
    assert [b.num_rows for b in TableReader(path).batches()] == [0]
    assert TableReader(path).schema.names == []


# csv


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("text\na\nb\n", ["a", "b"]),
        ("text\na\nb", ["a", "b"]),
        ("text\r\na\r\nb\r\n", ["a", "b"]),
        ("text\ra\rb\r", ["a", "b"]),
        ("\ufefftext\na\nb\n", ["a", "b"]),
        ('"text"\n"a"\n"b"\n', ["a", "b"]),
        ("text\n\na\n\n\nb\n\n", ["", "a", "", "", "b", ""]),
        ("text\r\n\r\na\r\n\r\n", ["", "a", ""]),
        ('text\n""\na\n""\n', ["", "a", ""]),
        ("text,n\na,1\n\n\r\nb,2\n\n", ["a", "b"]),
        ("text,n\n,1\nb,\n,\n", ["", "b", ""]),
        ('text,n\n5" pan,1\na "b",2\n', ['5" pan', 'a "b"']),
        ('n,text\n1," a "" b\nc"\n', [' a " b\nc']),
        ("text,\na,1\n", ["a"]),
        ('n,text\n1,"a\nb"' + "\n" * 200, ["a\nb"]),
        ('text,n\na,"1\n"  \n', ["a"]),
        ("text\n1\n2.50\n", ["1", "2.50"]),
        ("text\ntrue\n2020-01-01\n", ["true", "2020-01-01"]),
    ],
)
def test_csv_as_others_write_it(tmp_path, content, texts):
    assert TableReader(save(tmp_path / "a.csv", content)).columns(["text"]) == [texts]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a.csv is empty. Expected a header line"),
        ("\ufeff", "a.csv is empty. Expected a header line"),
        ("\n\n", "a.csv is empty. Expected a header line"),
        ("text,n\na\nb,2\n", "a.csv, line 2: got 1 fields, expected 2. Mend the row"),
        ("text,n\na,1\nb,2,3\n", "a.csv, line 3: got 3 fields, expected 2. Mend the row"),
        (
            "text\ncaf\u00e9\n".encode("latin-1"),
            r"a.csv, line 2: not UTF-8. .* encoding \(--encoding\), on Windows cp1252. Or mend the row",
        ),
        ("t\u00e9xt\ncafe\n".encode("latin-1"), "a.csv: its header is not UTF-8 .* Or save it as UTF-8"),
        ("text\na\n".encode("utf-16")[:-1], "a.csv is not utf-16.* truncated data"),
        ("text,n,text\na,1,b\n", "a.csv has more than one column named text"),
        ('text,n\na,"1\nb,2\n', "a.csv, line 2: a quote that opens here never closes"),
        ('text\n"a\nb\nc\n', "a.csv, line 2: a quote that opens here never closes"),
    ],
)
def test_damaged_csv(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        rows(save(tmp_path / "a.csv", content))


def test_a_row_longer_than_a_block_of_csv(tmp_path):
    path = save(tmp_path / "a.csv", b'text,n\nx,1\n"' + b"a\n" * 35_000_000 + b'",2\nb,3\n')
    texts, numbers = TableReader(path).columns(["text", "n"])
    assert [len(text) for text in texts] == [1, 70_000_000, 1]
    assert numbers == ["1", "2", "3"]


def test_a_row_longer_than_many_blocks_of_csv(tmp_path):
    path = save(tmp_path / "a.csv", b"text,n\n" + b"a " * 70_000_000 + b",1\nb,2\n")
    texts, numbers = TableReader(path).columns(["text", "n"], "text")
    assert [len(text) for text in texts] == [140_000_000, 1]
    assert numbers == ["1", "2"]


# jsonl


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"text": "a"}\n{"text": "b"}', [{"text": "a"}, {"text": "b"}]),
        ('{"text": "a"}\r\n\r\n \n{"text": "b"}\r\n', [{"text": "a"}, {"text": "b"}]),
        ('\ufeff{"text": "a"}\n', [{"text": "a"}]),
        ('{"text": "a"}\n{"n": 1}\n', [{"text": "a", "n": None}, {"text": None, "n": 1}]),
        ('{"n": 1, "text": "a"}\n{"text": "b", "n": 2}\n', [{"n": 1, "text": "a"}, {"n": 2, "text": "b"}]),
        ('{"n": 1}\n{"n": 2.5}\n', [{"n": 1}, {"n": 2.5}]),
        ('{"n": null}\n{"n": null}\n', [{"n": None}, {"n": None}]),
        ('{"m": {"k": [1, 2]}}\n{"m": null}\n', [{"m": {"k": [1, 2]}}, {"m": None}]),
        ('{"text": "\\u0000\\u2028\\ud83d\\ude00"}\n', [{"text": "\0\u2028😀"}]),
        ('{"text": "a\u2028b\x85c"}\n', [{"text": "a\u2028b\x85c"}]),
        ('{"text": "a"}\n{"text": 1}\n', [{"text": "a"}, {"text": 1}]),
        ('{"n": 1}\n{"n": true}\n', [{"n": 1}, {"n": True}]),
        ('{"m": [1, "a"]}\n', [{"m": [1, "a"]}]),
        ('{"n": 1}\n{"n": 18446744073709551616}\n', [{"n": 1}, {"n": 18446744073709551616}]),
        ('{"n": 9007199254740993}\n{"n": 0.5}\n', [{"n": 9007199254740993}, {"n": 0.5}]),
    ],
)
def test_jsonl_as_others_write_it(tmp_path, content, expected):
    assert rows(save(tmp_path / "a.jsonl", content)) == expected


@pytest.mark.parametrize(
    "line",
    [
        '{"text": "a\\ud83d b"}',
        '{"text": "a b", "meta": {"k": "\\udc00"}}',
        '{"text": "a b", "meta": ["\\ud83d"]}',
        '{"text": "a b", "meta": {"\\ud83d": 1}}',
        '{"text": "a b", "\\ud83d": 1}',
    ],
    ids=["text", "nested", "list", "nested key", "key"],
)
def test_jsonl_with_lone_surrogates_is_read(tmp_path, line):
    path = save(tmp_path / "a.jsonl", '{"text": "first"}\n' + line + "\n")
    first, second = rows(path)
    assert first["text"] == "first"
    assert second["text"].split() in (["a", "b"], ["a?", "b"], ["a\ufffd", "b"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}\n\n{bad\n', "a.jsonl, line 3: got no JSON"),
        ('{"text": "a"}\n{"text": "b"', "a.jsonl, line 2: got no JSON"),
        ('{"text": "a"} {"text": "b"}\n', "a.jsonl, line 1: got no JSON"),
        ("text,label\na,b\n", "a.jsonl, line 1: got no JSON"),
        (b'{"text": "a"}\n{"text": "caf\xe9"}\n', r"a.jsonl, line 2: got no JSON \(not UTF-8\)"),
        ('{"text": "a\ud83d b"}\n'.encode("utf-8", "surrogatepass"), r"line 1: got no JSON \(not UTF-8\)"),
        ('{"text": ' + "[" * 100_000 + "\n", "a.jsonl, line 1"),
        ('{"n": ' + "1" * 5_000 + "}\n", "a.jsonl, line 1"),
        ('{"text": "a"}\n[1]\n', "a.jsonl, line 2: got list. Expected an object"),
        ('"a"\n', "a.jsonl, line 1: got str. Expected an object"),
        ("null\n", "a.jsonl, line 1: got NoneType. Expected an object"),
    ],
)
def test_damaged_jsonl(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        rows(save(tmp_path / "a.jsonl", content))


def test_keys_that_appear_in_a_later_batch(tmp_path):
    path = save(tmp_path / "a.jsonl", '{"a": 1}\n{"b": 2}\n{"a": 3}\n')
    assert rows(path, batch_size=1) == [
        {"a": 1, "b": None},
        {"a": None, "b": 2},
        {"a": 3, "b": None},
    ]
    assert [b.num_rows for b in TableReader(path).batches(batch_size=1)] == [1, 1, 1]


@pytest.mark.parametrize("batch_size", [1, 2, 10_000])
def test_a_wanted_key_may_be_missing_in_the_first_rows(tmp_path, batch_size):
    path = save(tmp_path / "a.jsonl", '{"n": 1}\n{"n": 2}\n{"n": 3, "text": "a"}\n')
    found = list(TableReader(path).batches(["text"], batch_size))
    assert [text for one in found for text in one["text"].to_pylist()] == [None, None, "a"]


# what every format refuses


@pytest.mark.parametrize("name", ["a.txt", "a.csv.xz", "a", "csv", "a.json"])
def test_unknown_ending(tmp_path, name):
    path = save(tmp_path / name, "text\na\n")
    message = f"Got {name!r}. Expected a file that ends in one of: .csv, .csv.gz, .csv.zst, .tsv"
    with pytest.raises(ValueError, match=message):
        rows(path)


@every_format
def test_missing_file(tmp_path, suffix):
    with pytest.raises(FileNotFoundError, match=f"There is no file .*/a{suffix}"):
        rows(tmp_path / f"a{suffix}")
    (tmp_path / f"a{suffix}").mkdir()
    with pytest.raises(FileNotFoundError, match=f"a{suffix} holds no file that ends in one of: .csv"):
        rows(tmp_path / f"a{suffix}")


@every_format
def test_missing_column(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", text=["a"], label=["b"])
    with pytest.raises(ValueError, match=f"Got column 'Text', but a{suffix} has columns: text, label"):
        TableReader(path).columns(["text", "Text"])


def test_repeated_column_names_in_parquet(tmp_path):
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet has more than one column named text"):
        rows(tmp_path / "a.parquet")


def cut(whole):
    return whole[: len(whole) // 2]


def without_first_page(whole):
    return b"PAR1" + b"\xff" * 60 + whole[64:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"text\na\n",
        cut,
        lambda content: content[:-4],
        without_first_page,
    ],
    ids=["empty", "text", "cut", "no footer", "overwritten page"],
)
def test_damaged_parquet(tmp_path, damage):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"text {i}" for i in range(100)]}), path, compression="none")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises((ValueError, OSError), match=r"a\.parquet"):
        rows(path)
