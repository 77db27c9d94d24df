"""Files as Excel and the rest of the world write them: encodings, delimiters, names, BINARY, partitions."""

import csv
import gzip
import json
import os
import re
import shutil
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embtransfer import score_file
from embtransfer.tables import TableReader

ROWS = [("gut; schön, sagt\nsie", "+"), ('"übel"\tund laut', "-"), ("mäßig | €", "+")]
SEEN = pytest.mark.filterwarnings("ignore:.* as it looks:UserWarning")


class Model:
    classes_ = ("+", "-")

    def predict(self, texts):
        return ["+"] * len(texts)


def table(delimiter=",", encoding="utf-8", end="\r\n", header="text,label", more=""):
    """ROWS as csv whose texts are quoted."""
    lines = [header.replace(",", delimiter)]
    lines += ['"{}"'.format(text.replace('"', '""')) + f"{delimiter}{label}{more}" for text, label in ROWS]
    return "".join(line + end for line in lines).encode(encoding)


def columns(source, *names, **options):
    read = TableReader(source, **options)
    return [*zip(*read.columns([*(names or ("text", "label"))], "text"), strict=True)]


FILES = {  # bytes, and what is said
    "semicolons": (table(";"), r"with fields parted by ';'"),
    "tabs": (table("\t", end="\n"), r"with fields parted by '\\t'"),
    "pipes and CR": (table("|", end="\r"), r"with fields parted by '\|'"),
    "quoted header": (table(";", header='"text","label"'), "parted by ';'"),
    "line breaks in the header": (table(";", header='text,label,"a\nb,c"', more=";"), "parted by ';'"),
    "Excel's UTF-16": (table("\t", "utf-16"), r"as utf-16 and with fields parted by '\\t'"),
    "UTF-16 BE": ("\ufeff".encode("utf-16-be") + table(";", "utf-16-be"), "as utf-16 and with .* ';'"),
    "UTF-32": (table(",", "utf-32"), "as utf-32, as it looks"),
    "UTF-16 without a mark": (table(",", "utf-16-le"), "as utf-16-le, as it looks"),
    "UTF-8 with a mark": (table(";", "utf-8-sig"), "parted by ';'"),
    "sep=": (b"sep=;\r\n" + table(";", header="text,label,a, b", more=";;"), "parted by ';'"),
    "plain": (table(), None),
    "names lacking": (table(header="text,label,,", more=",,x"), None),
    "names twice": (table(header="text,label,n,n", more=",1,2"), None),
    "a semicolon in a name": (table(header='"text","label","a;b"', more=",;"), None),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_is_certain_is_seen_and_said_once(tmp_path, kind):
    data, said = FILES[kind]
    (tmp_path / "a.csv").write_bytes(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert columns(tmp_path / "a.csv") == ROWS
    assert len(caught) == (said is not None)
    if said is not None:
        assert re.search(rf"a\.csv is read .*{said}.* pass delimiter and encoding", str(caught[0].message))


GIVEN = {
    "cp1252": ("a.csv", table(",", "cp1252"), {"encoding": "cp1252"}),
    "Excel in Germany": ("a.csv", table(";", "cp1252"), {"delimiter": ";", "encoding": "cp1252"}),
    "UTF-16 by name": ("a.csv", table(";", "utf-16"), {"delimiter": ";", "encoding": "utf-16"}),
    "a mark counts more": ("a.csv", table(",", "utf-8-sig"), {"encoding": "cp1252"}),
    "a delimiter of its own": ("a.csv", table("^"), {"delimiter": "^"}),
    "tsv": ("a.tsv", table("\t"), {}),
    "tsv.gz": ("a.tsv.gz", gzip.compress(table("\t")), {}),
    "capitals": ("A.CSV", table(), {}),
    "both ways": ("a.csv", table(";", header="text,label,a, b", more=";,;"), {"delimiter": ";"}),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_what_is_given_is_taken_and_nothing_is_said(tmp_path, kind):
    name, data, options = GIVEN[kind]
    (tmp_path / name).write_bytes(data)
    assert columns(tmp_path / name, **options) == ROWS
    for out, delimiter in (("out.csv", ","), ("out.tsv", "\t")):  # in blocks of a few rows
        score_file(Model(), tmp_path / name, tmp_path / out, columns=["text"], block_size=9, **options)
        with open(tmp_path / out, newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file, delimiter=delimiter)
        assert header == ["text", "prediction"]
        assert [row[0] for row in rows] == [text for text, _ in ROWS]


@pytest.mark.parametrize(("encoding", "options"), [("utf-16", {}), ("cp1252", {"encoding": "cp1252"})])
@SEEN
def test_jsonl_of_another_encoding(tmp_path, encoding, options):
    lines = [json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n" for text, label in ROWS]
    (tmp_path / "a.jsonl").write_bytes("".join(lines).encode(encoding))
    assert columns(tmp_path / "a.jsonl", **options) == ROWS


def test_files_of_a_folder_may_be_written_differently(tmp_path):
    for name, data in {"a": table(), "b": table(";"), "c": table(";"), "d": table("\t", "utf-16")}.items():
        (tmp_path / f"{name}.csv").write_bytes(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert columns(tmp_path) == ROWS * 4
    first, second = (str(one.message) for one in caught)
    assert "b.csv (and 1 more) is read with fields parted by ';'" in first
    assert "d.csv is read as utf-16 and with" in second


def test_an_encoding_that_is_given_and_looks_wrong_is_doubted(tmp_path):
    (tmp_path / "a.csv").write_bytes(table())
    with pytest.warns(UserWarning, match=r"a\.csv is read as cp1252, as encoding .* but looks like UTF-8"):
        TableReader(tmp_path / "a.csv", encoding="cp1252")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": ";;"}, r"Got delimiter \(--delimiter\) ';;'. Expected one ASCII character"),
        ({"delimiter": '"'}, r"Got delimiter \(--delimiter\) '\"'"),
        ({"encoding": "none"}, r"Got encoding \(--encoding\) 'none': unknown encoding: none"),
        ({"encoding": "zlib"}, r"Got encoding \(--encoding\) 'zlib': 'zlib' is not a text encoding"),
        ({"encoding": "ascii"}, r"a\.csv is not ascii \(.*If the file has another encoding, name it"),
        (
            {"delimiter": ";"},
            r"a\.csv has columns: text,label\. If their fields are parted",
        ),
    ],
)
def test_what_is_given_wrongly(tmp_path, options, message):
    (tmp_path / "a.csv").write_bytes(table())
    with pytest.raises(ValueError, match=message):
        columns(tmp_path / "a.csv", **options)


def test_columns_that_nobody_asked_for_may_lack_names(tmp_path):
    (tmp_path / "a.csv").write_bytes(table(header="text,label,,", more=",,x"))
    score_file(Model(), tmp_path / "a.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().startswith('"text","label","column_3","column_4","prediction"')
    (tmp_path / "b.csv").write_bytes(table(header="text,label,n,n", more=",1,2"))
    with pytest.raises(ValueError, match=r"b\.csv has more than one column named n\. Rename them, or do not"):
        score_file(Model(), tmp_path / "b.csv", tmp_path / "out.csv")
    score_file(Model(), tmp_path / "b.csv", tmp_path / "out.csv", columns=["label"])


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_names_of_files_that_are_not_utf8(tmp_path, suffix):
    folder = os.fsencode(tmp_path / "unpacked")
    os.mkdir(folder)
    pq.write_table(pa.table({"text": ["a"], "label": ["+"]}), tmp_path / "a.parquet")
    content = {".csv": b"text,label\na,+\n", ".jsonl": b'{"text": "a", "label": "+"}\n'}
    for name in (b"M\xfcll", b"other"):
        with open(folder + b"/" + name + suffix.encode(), "wb") as file:
            file.write(content.get(suffix, (tmp_path / "a.parquet").read_bytes()))
    assert columns(tmp_path / "unpacked") == [("a", "+")] * 2
    out = os.fsdecode(os.fsencode(tmp_path) + b"/\xfc" + suffix.encode())
    assert score_file(Model(), tmp_path / "unpacked", out).rows_written == 2
    if suffix == ".csv":
        with open(folder + b"/M\xfcll.csv", "ab") as file:
            file.write(b"a,b,c\n")
        report = score_file(Model(), tmp_path / "unpacked", out, on_error="skip")
        assert os.fsencode(json.loads(report.rejected.read_bytes())["file"]).endswith(b"/M\xfcll.csv")


BINARY = {"large": pa.large_binary(), "view": pa.binary_view(), "plain": pa.binary()}


@pytest.mark.parametrize("kind", BINARY)
@pytest.mark.parametrize("out", ["out.csv", "out.jsonl", "out.parquet"])
def test_binary_of_parquet_is_text(tmp_path, kind, out):
    texts, labels = ([text.encode() for text in column] for column in zip(*ROWS, strict=True))
    made = pa.table({"text": pa.array(texts).cast(BINARY[kind]), "label": pa.array(labels)})
    pq.write_table(made, tmp_path / "a.parquet")
    assert columns(tmp_path / "a.parquet") == ROWS
    score_file(Model(), tmp_path / "a.parquet", tmp_path / out)
    assert columns(tmp_path / out) == ROWS


def test_binary_of_parquet_that_is_no_text_is_a_malformed_row(tmp_path):
    made = pa.table({"text": [b"a", b"caf\xe9", None], "blob": [b"\xff"] * 3})
    pq.write_table(made, tmp_path / "a.parquet")
    message = r"a\.parquet, row 2: not UTF-8 in 'text'\. Mend the row"
    with pytest.raises(ValueError, match=message):
        TableReader(tmp_path / "a.parquet").columns(["text"], "text")
    with pytest.raises(ValueError, match=message):
        score_file(Model(), tmp_path / "a.parquet", tmp_path / "out.parquet")
    score_file(Model(), tmp_path / "a.parquet", tmp_path / "out.parquet", on_error="skip")
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {
        "text": [b"a", None],
        "blob": [b"\xff"] * 2,
        "prediction": ["+"] * 2,
    }


def partitions(folder, suffix):
    for lang in ("lang=de", "lang=en%2FUS", "lang=__HIVE_DEFAULT_PARTITION__", "_temporary"):
        path = folder / lang / "year=2024" / f"part-0{suffix}"
        path.parent.mkdir(parents=True)
        (path.parent / f".{path.name}.crc").write_text("no table")
        if suffix == ".parquet":
            pq.write_table(pa.table({"text": [lang], "n": [1]}), path)
        elif suffix == ".jsonl":
            path.write_text(json.dumps({"text": lang, "n": 1}) + "\n")
        else:
            path.write_text(f"text;n\n{lang};1\n")
    (folder / "_SUCCESS").touch()


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("out", ["out.csv", "out.jsonl", "out.parquet"])
@SEEN
def test_folders_of_partitions_are_columns(tmp_path, suffix, out):
    partitions(tmp_path / "logs", suffix)
    expected = [("lang=__HIVE_DEFAULT_PARTITION__", "2024", None), ("lang=de", "2024", "de")]
    expected.append(("lang=en%2FUS", "2024", "en/US"))
    for source in (tmp_path / "logs", f"{tmp_path}/logs/lang=*/*/*{suffix}"):
        assert columns(source, "text", "year", "lang") == expected
    score_file(Model(), tmp_path / "logs", tmp_path / out)
    read = columns(tmp_path / out, "text", "year", "lang")
    assert read == [(text, year, lang or ("" if out == "out.csv" else None)) for text, year, lang in expected]
    score_file(Model(), tmp_path / "logs", tmp_path / out, columns=["lang"])
    assert TableReader(tmp_path / out).schema.names == ["lang", "prediction"]
    assert columns(tmp_path / "logs/lang=de", "lang", "text") == [("de", "lang=de")]
    shutil.copy(tmp_path / f"logs/lang=de/year=2024/part-0{suffix}", tmp_path / "logs")
    with pytest.raises(ValueError, match=r"has columns .*Pass files of the same columns"):
        TableReader(tmp_path / "logs")


def test_rows_are_named_by_file(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("text\nx\ny\n")
    read = TableReader(tmp_path)
    read.columns(["text"])
    assert [read.place(row) for row in (0, 1, 2)] == [
        f"{tmp_path}/a.csv, row 1",
        f"{tmp_path}/a.csv, row 2",
        f"{tmp_path}/b.csv, row 1",
    ]
