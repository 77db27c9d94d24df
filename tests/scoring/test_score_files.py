"""score_file over real files of every format: folders, patterns, pipes, malformed rows, columns to choose."""

import base64
import csv
import gzip
import io
import json
import os
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embtransfer import ScoreReport, score_file
from embtransfer.tables import TableReader

COMMAND = Path(sys.executable).with_name("embtransfer")
ENDINGS = [".csv", ".csv.gz", ".csv.zst", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"]
N = 500
TEXTS = [
    ["good pan", "bad", 'a "quoted",\nline', "", "é 👍", "tab\tand \\ slash", "x" * 300][i % 7]
    for i in range(N)
]
ROWS = {"id": list(range(N)), "text": TEXTS, "mark": [0.5 * i for i in range(N)]}


class Parity:
    """Labels by the text's length: known without any training."""

    classes_ = np.array(["even", "odd"])

    def __init__(self):
        self.n_seen = 0

    def predict_proba(self, texts):
        lengths = np.array([len(text) for text in pa.array(texts).to_pylist()])
        self.n_seen += len(lengths)
        share = np.where(lengths % 2, 0.25 + lengths / 10_000, 0.75)
        return np.column_stack([share, 1 - share])

    def predict(self, texts):
        return self.classes_[[len(text) % 2 for text in pa.array(texts).to_pylist()]]

    def transform(self, texts):
        return np.array([[len(text), 0.1] for text in pa.array(texts).to_pylist()], np.float32).reshape(-1, 2)


LABELS = [("even", "odd")[len(text) % 2] for text in TEXTS]
MODEL = Parity()


def write(path, columns):
    kind, _, codec = path.name.partition(".")[2].partition(".")
    if kind == "parquet":
        pq.write_table(pa.table(columns), path, row_group_size=70)
        return path
    if kind == "csv":
        data = pd.DataFrame(columns).to_csv(index=False, lineterminator="\r\n").encode()
    else:
        rows = zip(*columns.values(), strict=True)
        lines = [json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in rows]
        data = "".join(f"{line}\n" for line in lines).encode()
    pack = {"": bytes, "gz": gzip.compress, "zst": lambda d: pa.Codec("zstd").compress(d, asbytes=True)}[
        codec
    ]
    path.write_bytes(pack(data[: len(data) // 2]) + pack(data[len(data) // 2 :]) if codec else data)
    return path


def content(path):
    codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
    with pa.input_stream(str(path), compression=codec) as file:
        return file.read()


def read(path):
    """Columns of a file as Python's own modules, pandas and polars see them."""
    if path.suffix == ".parquet":
        columns = pq.read_table(path).to_pydict()
        assert pl.read_parquet(path).to_dict(as_series=False) == columns
        return columns
    data = content(path)
    if path.suffix == ".gz":
        assert gzip.decompress(path.read_bytes()) == data
    if ".csv" in path.name:
        header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    else:
        rows = [json.loads(line) for line in data.decode().split("\n")[:-1]]
        header = list(rows[0]) if rows else []
        assert all(list(row) == header for row in rows)
        rows = [list(row.values()) for row in rows]
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


# each format read and written twice, into itself and into another: reading does not know of writing
PAIRS = [(ENDINGS[i], ENDINGS[(i + more) % len(ENDINGS)]) for more in (0, 3) for i in range(len(ENDINGS))]


@pytest.mark.parametrize(("ending", "out_ending"), PAIRS)
def test_every_format_is_read_and_written(tmp_path, ending, out_ending):
    source, destination = write(tmp_path / f"in{ending}", ROWS), tmp_path / f"out{out_ending}"
    # blocks of 1,000 bytes: rows that span several, and many blocks in flight
    report = score_file(MODEL, source, destination, block_size=1_000, n_jobs=3, proba=True)
    assert (report.rows_read, report.rows_written, report.rows_rejected) == (N, N, 0)
    assert report.rows_without_text == TEXTS.count("")
    assert report.bytes_read == report.bytes_total == source.stat().st_size
    result = read(destination)
    assert list(result) == ["id", "text", "mark", "prediction", "prediction_even", "prediction_odd"]
    assert result["text"] == TEXTS
    assert result["prediction"] == LABELS
    assert [int(i) for i in result["id"]] == ROWS["id"]
    assert [float(x) for x in result["mark"]] == ROWS["mark"]
    assert [float(x) for x in result["prediction_odd"]] == MODEL.predict_proba(TEXTS)[:, 1].tolist()
    assert sorted(os.listdir(tmp_path)) == sorted([source.name, destination.name])


@pytest.mark.parametrize(("ending", "out_ending"), PAIRS)
def test_the_same_bytes_whatever_the_threads(tmp_path, ending, out_ending):
    source = write(tmp_path / f"in{ending}", ROWS)
    made = []
    for n_jobs in (1, 4):
        destination = tmp_path / f"out{n_jobs}{out_ending}"
        score_file(MODEL, source, destination, block_size=700, n_jobs=n_jobs, top_k=2)
        made.append(destination.read_bytes())
    assert made[0] == made[1]


def test_jsonl_lines_keep_their_bytes(tmp_path):
    lines = [
        '{"text":"a", "n": 1.50}',
        '{ "x": [1, {"y": null}],\t"text": "caf\\u00e9\\ud83d" } ',
        '{"text":null}',
    ]
    lines += ['{"n": 123456789012345678901234567890, "text": "b", "e": 1E5, "d": NaN}']
    (tmp_path / "in.jsonl").write_text("\ufeff" + lines[0] + "\r\n\n" + "\n".join(lines[1:]))
    score_file(MODEL, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    labels = ["odd", "odd", "even", "odd"]
    expected = [
        f'{line.strip()[:-1]}, "prediction": "{label}"}}\n' for line, label in zip(lines, labels, strict=True)
    ]
    assert (tmp_path / "out.jsonl").read_text() == "".join(expected)


# inputs


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".jsonl", ".parquet"])
def test_folders_patterns_and_lists(tmp_path, ending):
    folder = tmp_path / "in"
    folder.mkdir()
    paths = [write(folder / f"{name}{ending}", {"id": [i], "text": [name]}) for i, name in enumerate("abc")]
    (folder / "notes.md").write_text("no table")
    (folder / f".hidden{ending}").write_text("no table")
    for source in (folder, str(folder), folder / "*", f"{tmp_path}/**/[abc].*", paths, map(str, paths)):
        if str(source).endswith("*"):
            (folder / "notes.md").unlink(missing_ok=True)
        score_file(MODEL, source, tmp_path / f"out{ending}", block_size=50)
        result = read(tmp_path / f"out{ending}")
        assert result["text"] == ["a", "b", "c"]
        assert [int(i) for i in result["id"]] == [0, 1, 2]
    score_file(MODEL, paths[::-1], tmp_path / f"out{ending}")
    assert read(tmp_path / f"out{ending}")["text"] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"b.csv": b"text,n\nx,1\n"}, r"b\.csv has columns text, n, but .*a\.csv has text"),
        ({"b.jsonl": b"{}\n"}, r"b\.jsonl is \.jsonl, but .*a\.csv is \.csv"),
        ({"b.csv": b""}, r"b\.csv is empty"),
        ({"b.csv": b"text\nx\n", "c.csv": b"t\xe9xt\n"}, r"c\.csv: its header is not UTF-8"),
        ({"b.csv": b"text,text\n"}, r"b\.csv has columns text, text, but .*a\.csv has text"),
    ],
)
def test_files_that_do_not_agree(tmp_path, second, message):
    (tmp_path / "a.csv").write_text("text\na\n")
    for name, data in second.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=message):
        score_file(MODEL, tmp_path, tmp_path.parent / "out.csv")


def test_parquet_files_of_other_types(tmp_path):
    pq.write_table(pa.table({"text": ["a"], "n": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": ["a"], "n": [1.5]}), tmp_path / "b.parquet")
    with pytest.raises(ValueError, match=r"b.parquet has columns text, n \(double\), but .* n \(int64\)"):
        score_file(MODEL, tmp_path, tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        ("empty", {}, FileNotFoundError, r"empty holds no file that ends in one of"),
        ("no*.csv", {}, FileNotFoundError, r"There is no file .*no\*\.csv"),
        ("a.txt", {"input_format": "csv"}, FileNotFoundError, r"There is no file .*a\.txt"),
        ("a.csv", {"input_format": "xls"}, ValueError, r"Got '\.xls'\. Expected a file that ends in"),
        ("a.csv", {"columns": ["n"]}, ValueError, r"Got column 'n', but a\.csv has columns: text"),
        ("a.csv", {"on_error": "ignore"}, ValueError, r"Got on_error='ignore'\. Expected 'fail' or 'skip'"),
        ("a.csv", {"n_jobs": 0}, ValueError, r"Got n_jobs=0\. Expected a number of threads"),
        ("a.csv", {"block_size": 0}, ValueError, r"Got block_size=0\. Expected at least 1"),
        ("a.csv", {"top_k": 3}, ValueError, r"Got top_k=3. Expected 1 to 2, the number of classes"),
        ("a.csv", {"top_k": 0}, ValueError, r"Got top_k=0. Expected 1 to"),
        ("a.csv", {"vectors": True}, ValueError, r"Got vectors=True .* and a csv output"),
    ],
)
def test_what_cannot_be(tmp_path, source, options, error, message):
    (tmp_path / "a.csv").write_text("text\na\n")
    (tmp_path / "empty").mkdir()
    with pytest.raises(error, match=message):
        score_file(MODEL, tmp_path / source, tmp_path / "out.csv", **options)
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "empty"]


@pytest.mark.parametrize("source", [pd.DataFrame({"text": ["a"]}), ["a.csv", 3], None])
def test_what_is_no_file(tmp_path, source):
    with pytest.raises(TypeError, match=r"Got (DataFrame|list|NoneType)\. Expected the name of a file"):
        score_file(MODEL, source, tmp_path / "out.csv")
    assert not os.listdir(tmp_path)


def test_labels_that_clash(tmp_path):
    class Numbered(Parity):
        classes_ = np.array(["1", "2"])

    (tmp_path / "a.csv").write_text("text\na\n")
    with pytest.raises(ValueError, match="more than one column prediction_1"):
        score_file(Numbered(), tmp_path / "a.csv", tmp_path / "out.csv", proba=True, top_k=2)


# columns


CARRIED = [[], ["mark"], ["text", "id"], None]


@pytest.mark.parametrize(
    ("ending", "out_ending", "columns"),
    [  # two of them for each pair of formats
        (*endings, CARRIED[(i + more) % 4])
        for i, endings in enumerate(product([".csv", ".jsonl", ".parquet"], repeat=2))
        for more in (0, 1)
    ],
)
def test_columns_carried_through(tmp_path, ending, out_ending, columns):
    source, destination = write(tmp_path / f"in{ending}", ROWS), tmp_path / f"out{out_ending}"
    score_file(MODEL, source, destination, columns=columns, output_column="label", block_size=5_000)
    result = read(destination)
    assert list(result) == [*(list(ROWS) if columns is None else columns), "label"]
    assert result["label"] == LABELS
    if columns == ["mark"]:
        assert [float(x) for x in result["mark"]] == ROWS["mark"]


def test_a_column_left_out_gives_its_name_free(tmp_path):
    (tmp_path / "a.csv").write_text("text,prediction\nabc,mine\n")
    with pytest.raises(ValueError, match="The input has a column 'prediction' already"):
        score_file(MODEL, tmp_path / "a.csv", tmp_path / "out.csv")
    score_file(MODEL, tmp_path / "a.csv", tmp_path / "out.csv", columns=["text"])
    assert read(tmp_path / "out.csv") == {"text": ["abc"], "prediction": ["odd"]}
    (tmp_path / "a.jsonl").write_text('{"text": "about \\"prediction\\""}\n{"prediction": 1, "text": ""}\n')
    with pytest.raises(ValueError, match="The input has a column 'prediction' already"):
        score_file(MODEL, tmp_path / "a.jsonl", tmp_path / "out.jsonl")
    score_file(MODEL, tmp_path / "a.jsonl", tmp_path / "out.jsonl", columns=["text"])
    assert read(tmp_path / "out.jsonl")["prediction"] == ["even", "even"]


@pytest.mark.parametrize("out_ending", [".csv", ".jsonl", ".parquet"])
def test_best_labels(tmp_path, out_ending):
    source, destination = write(tmp_path / "in.csv", ROWS), tmp_path / f"out{out_ending}"
    score_file(MODEL, source, destination, columns=[], top_k=2)
    result = read(destination)
    names = ["prediction", "prediction_1", "prediction_1_proba", "prediction_2", "prediction_2_proba"]
    assert list(result) == names
    shares = MODEL.predict_proba(TEXTS)
    assert result["prediction_1"] == [MODEL.classes_[i] for i in shares.argmax(axis=1)]
    assert [float(x) for x in result["prediction_1_proba"]] == shares.max(axis=1).tolist()
    assert [float(x) for x in result["prediction_2_proba"]] == shares.min(axis=1).tolist()


@pytest.mark.parametrize("out_ending", [".jsonl", ".parquet"])
def test_vectors(tmp_path, out_ending):
    source, destination = write(tmp_path / "in.csv", ROWS), tmp_path / f"out{out_ending}"
    score_file(MODEL, source, destination, vectors=True, block_size=3_000)
    np.testing.assert_array_equal(np.array(read(destination)["vector"], np.float32), MODEL.transform(TEXTS))
    if out_ending == ".parquet":
        assert pq.read_schema(destination).field("vector").type.list_size == 2


def test_texts_that_repeat_are_scored_once(tmp_path):
    source = write(tmp_path / "in.parquet", {"text": TEXTS * 10})
    model = Parity()
    score_file(model, source, tmp_path / "out.parquet", proba=True)
    assert model.n_seen == len(set(TEXTS))
    assert read(tmp_path / "out.parquet")["prediction"] == LABELS * 10


# malformed rows

BAD_CSV = (
    b"\n\nid,text\r\n1,a\n2\n3,b,c\n\n4,caf\xe9\n"  # lines 3 to 8
    b'5,"two\nlines"\n6\n"7\n8",9,"a"\n10,"fine ""x"""\n' + b"11,x\n" * 300 + b'12\n13,"open\n14,z\n'
)
BAD_LINES = [
    (5, "got 1 fields"),
    (6, "got 3 fields"),
    (8, "not UTF-8"),
    (11, "got 1 fields"),
    (12, "got 3 fields"),
]
BAD_LINES += [(315, "got 1 fields"), (316, "a quote that opens here never closes")]
BAD_JSONL = (
    b'{"text": "a"}\n\n{bad\n[1]\n{"text": "b"}\n{"n": 1}\n{"text": 5}\n{"text": "caf\xe9"}\n{"text": null}\n'
    + b'{"text": "c"}\n' * 300
    + b'{"text": "a"} {"text": "b"}\n"a"\nnull\n{"text": "d"'
)
BAD_JSON_LINES = [
    (3, "got no JSON"),
    (4, "got list"),
    (6, "got an object without 'text'"),
    (7, "got int in 'text'"),
]
BAD_JSON_LINES += [
    (8, "not UTF-8"),
    (310, "got no JSON"),
    (311, "got str"),
    (312, "got NoneType"),
    (313, "got no JSON"),
]


@pytest.mark.parametrize(
    ("out_ending", "block_size"), [(".csv", 10), (".jsonl.gz", 64), (".parquet", 1000), (".csv", 1 << 20)]
)
@pytest.mark.parametrize(
    ("name", "data", "bad", "n_good"),
    [("in.csv", BAD_CSV, BAD_LINES, 303), ("in.jsonl", BAD_JSONL, BAD_JSON_LINES, 303)],
    ids=["csv", "jsonl"],
)
def test_malformed_rows_are_set_aside(tmp_path, out_ending, block_size, name, data, bad, n_good):
    source, destination = tmp_path / name, tmp_path / f"out{out_ending}"
    source.write_bytes(data)
    report = score_file(MODEL, source, destination, on_error="skip", block_size=block_size, n_jobs=2)
    assert (report.rows_read, report.rows_written, report.rows_rejected) == (
        n_good + len(bad),
        n_good,
        len(bad),
    )
    assert len(read(destination)["prediction"]) == n_good
    assert report.rejected == tmp_path / f"out{out_ending}.rejected.jsonl"
    rejected = [json.loads(line) for line in report.rejected.read_text().splitlines()]
    assert [row["line"] for row in rejected] == [line for line, _ in bad]
    for row, (line, reason) in zip(rejected, bad, strict=True):
        assert reason in row["reason"], line
        assert row["file"] == str(source)
    lines = data.split(b"\n")
    assert rejected[0]["text"].encode() == lines[rejected[0]["line"] - 1]
    (latin,) = [row for row in rejected if "base85" in row]

    assert base64.b85decode(latin["base85"]) == lines[latin["line"] - 1]
    with pytest.raises(ValueError, match=rf"{name}, line {bad[0][0]}: .*{bad[0][1]}.*--on-error skip"):
        score_file(MODEL, source, tmp_path / "other.csv", block_size=block_size)


def test_rejected_rows_of_an_earlier_output_go(tmp_path):
    (tmp_path / "in.csv").write_text("text\na\n")
    (tmp_path / "out.csv.rejected.jsonl").write_text("old")
    assert score_file(MODEL, tmp_path / "in.csv", tmp_path / "out.csv", on_error="skip").rejected is None
    assert sorted(os.listdir(tmp_path)) == ["in.csv", "out.csv"]


@pytest.mark.parametrize("columns", [None, [], ["text"]], ids=str)
def test_what_is_malformed_does_not_depend_on_the_columns(tmp_path, columns):
    (tmp_path / "in.csv").write_bytes(b"text,note\na,b\nc,caf\xe9\nd,e,f\n")
    report = score_file(MODEL, tmp_path / "in.csv", tmp_path / "out.csv", on_error="skip", columns=columns)
    assert (report.rows_written, report.rows_rejected) == (1, 2)


@pytest.mark.parametrize("out_ending", [".csv", ".jsonl", ".parquet"])
def test_only_malformed_rows(tmp_path, out_ending):
    (tmp_path / "in.csv").write_text("text,n\na\nb\n")
    report = score_file(MODEL, tmp_path / "in.csv", tmp_path / f"out{out_ending}", on_error="skip")
    assert (report.rows_written, report.rows_rejected) == (0, 2)
    if out_ending != ".jsonl":
        assert read(tmp_path / f"out{out_ending}") == {"text": [], "n": [], "prediction": []}


# nasty bytes


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("block_size", [1, 2, 3, 5, 16, 1000])
def test_rows_across_blocks(tmp_path, end, block_size):
    data = (
        f'text,n{end}"a{end}b",1{end}5" pan,2{end}"x""{end}""y",3{end}{end},4{end}'
        + f"\ufeffof another file,6{end}last,{'9' * 50}{end}" * 5
    )
    (tmp_path / "in.csv").write_bytes(data.encode())
    score_file(MODEL, tmp_path / "in.csv", tmp_path / "out.csv", block_size=block_size, n_jobs=2)
    (tmp_path / "whole.csv").write_bytes(data.encode())
    (expected,) = TableReader(tmp_path / "whole.csv").columns(["text"], "text")
    assert read(tmp_path / "out.csv")["text"] == expected
    assert read(tmp_path / "out.csv")["prediction"] == list(MODEL.predict(expected))


def test_an_empty_row_after_a_malformed_one(tmp_path):
    """Without what lies between them, the CR of one row and the LF of an empty one would be one row's end."""
    (tmp_path / "in.csv").write_bytes(b"text\ngood pan\rbad \xff\n\nlast\n")
    report = score_file(MODEL, tmp_path / "in.csv", tmp_path / "out.csv", on_error="skip")
    assert (report.rows_read, report.rows_rejected) == (4, 1)
    assert read(tmp_path / "out.csv")["text"] == ["good pan", "", "last"]


def test_damaged_packed_files(tmp_path):
    source = write(tmp_path / "in.jsonl.gz", ROWS)
    source.write_bytes(source.read_bytes()[:-100])
    with pytest.raises((OSError, ValueError), match=r"in\.jsonl\.gz"):
        score_file(MODEL, source, tmp_path / "out.csv")
    (tmp_path / "in.csv.zst").write_bytes(b"text\na\n")
    with pytest.raises((OSError, ValueError), match=r"in\.csv\.zst"):
        score_file(MODEL, tmp_path / "in.csv.zst", tmp_path / "out.csv")


def test_reports_on_the_way(tmp_path):
    source = write(tmp_path / "in.csv", ROWS)
    seen = []
    last = score_file(MODEL, source, tmp_path / "out.csv", block_size=2_000, monitor=seen.append)
    assert isinstance(last, ScoreReport)
    assert [r.rows_read for r in seen] == sorted(r.rows_read for r in seen)
    assert [r.bytes_read for r in seen] == sorted(r.bytes_read for r in seen)
    assert (seen[-1].rows_read, seen[-1].bytes_read) == (N, source.stat().st_size)
    assert len(seen) > 3


def test_a_quote_that_swallows_lines_is_not_set_aside(tmp_path):
    """It would take the rest of the file with it, silently."""
    source = tmp_path / "in.csv"
    source.write_text('id,text\n1,good\n2,"bad\n' + "3,good\n" * 200)
    for on_error in ("fail", "skip"):
        with pytest.raises(ValueError, match=r"line 3: a quote that opens here never closes"):
            score_file(MODEL, source, tmp_path / "out.csv", on_error=on_error)
    with pytest.raises(ValueError, match=r"With the 200 lines after it that is one row"):
        score_file(MODEL, source, tmp_path / "out.csv", on_error="skip")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    source = write(tmp_path / "in.csv", ROWS)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(OSError, match=r"pipe\.csv is no regular file\. Write to - \(stdout\)"):
        score_file(MODEL, source, tmp_path / "pipe.csv")
    assert (tmp_path / "pipe.csv").is_fifo()


def test_a_link_stays_a_link(tmp_path):
    source = write(tmp_path / "in.csv", ROWS)
    (tmp_path / "link.csv").symlink_to(tmp_path / "there.csv")
    score_file(MODEL, source, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert read(tmp_path / "there.csv") == read(tmp_path / "link.csv")
