"""Files of any bytes through `score_file`: every row is scored or refused, whatever the blocks."""

import csv
import io
import json
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from embtransfer import score_file

from ._files import Scratch
from ._guard import Broken, expect, guarded, refusal
from ._mutate import change_bytes, change_file

MAX_SIZE = 3000
_KINDS = ("in.csv", "in.jsonl", "in.parquet", "in.csv.gz", "in.jsonl.gz")
_OUT = ("out.jsonl", "out.csv", "out.parquet")
_scratch = Scratch()


class Checksums:
    """Labels a text by its checksum: the label tells which text a row had."""

    classes_ = np.array(["", "0" * 8])

    def predict(self, texts):
        return np.array([label(text) for text in texts.to_pylist()], "U8")


def label(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


_MODEL = Checksums()


def run(data: bytes) -> str:
    flags, small = (data[0], data[1]) if len(data) > 1 else (0, 0)
    name, out, content = _KINDS[flags % 5], _OUT[flags // 5 % 3], data[2:]
    folder = _scratch.write({name: content})
    with guarded():
        try:
            skipped = _score(folder / name, folder / out, "skip", 1 + small)
        except (ValueError, OSError, TypeError, pa.ArrowMemoryError) as error:
            outcome = refusal(error)
            expect(not (folder / out).exists(), "an output in spite of an error")
            _expect_nothing_else(folder, name)
            return f"{name}: {outcome}"
        _check(folder / out, *skipped)
        try:
            whole = _score(folder / name, folder / out, "skip", None)
        except ValueError as error:
            raise Broken(f"an error that depends on the size of blocks: {error}") from error
        expect(_rows(folder / out) == skipped[1], "other rows by the size of blocks")
        expect(whole[2] == skipped[2], "other rows refused by the size of blocks")
        if name.startswith("in.csv") and name.endswith("csv"):
            _check_csv(content, skipped)
        (folder / out).unlink()
        n_rejected = whole[0].rows_rejected
        try:
            strict = _score(folder / name, folder / out, "fail", None)
            expect(n_rejected == 0 == strict[0].rows_rejected, "a malformed row that was no error")
        except ValueError as error:
            expect(n_rejected > 0, f"an error where no row is malformed: {error}")
            expect(refusal(error) and not (folder / out).exists(), "an output in spite of an error")
    return f"{name}: {'some refused' if n_rejected else 'scored'}"


def _score(source, destination, on_error, block_size):
    """Report, rows of the output, rows refused."""
    report = score_file(_MODEL, source, destination, on_error=on_error, block_size=block_size)
    rejected = []
    if report.rejected:
        rejected = [json.loads(line) for line in report.rejected.read_bytes().split(b"\n")[:-1]]
    return report, _rows(destination), rejected


def _rows(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def _check(path, report, rows, rejected):
    expect(
        report.rows_read == report.rows_written + report.rows_rejected, "rows read are not all accounted for"
    )
    expect(report.rows_written == len(rows), "another number of rows than the report says")
    expect(report.rows_rejected == len(rejected), "another number of refused rows than the report says")
    for row in rows:
        text = row.get("text")
        expect(row["prediction"] == label(_clean(text)), f"a row has the label of another text: {row!r:.200}")


def _clean(text):
    """What the model is given: missing is empty, lone surrogates are replaced."""
    return "" if text is None else text.encode("utf-8", "replace").decode()


def _check_csv(content, skipped):
    """The rows that Python's csv module reads, where it reads as the format is meant."""
    _, rows, rejected = skipped
    if rejected or b"\0" in content or not rows:
        return
    found = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    names = next(row for row in found if row)
    found = found[found.index(names) + 1 :]
    if len(names) > 1:
        found = [row for row in found if row]
    texts = [row[names.index("text")] if row else "" for row in found]
    expect(
        [row["prediction"] for row in rows] == [label(text) for text in texts], "other texts than csv reads"
    )


def _expect_nothing_else(folder, name):
    left = {file.name for file in folder.iterdir()} - {name}
    left = {file for file in left if not file.endswith((".journal", ".part", ".rejected"))}
    expect(not left, f"files are left: {left}")


def mutate(data: bytes, rng) -> bytes:
    if rng.random() < 0.1:
        return bytes([rng.randrange(15), rng.randrange(256)]) + data[2:]
    return data[:2] + change_file(data[2:], rng, _change)


def _change(data, rng):
    if rng.random() < 0.5:
        return change_bytes(data, rng)
    pieces = (
        b'"',
        b'""',
        b",",
        b"\n",
        b"\r\n",
        b"\r",
        b"\xff",
        b"\\",
        b'"text": ',
        b"}\n{",
        b"\\ud800",
        b"\0",
        b"null",
    )
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(pieces) + data[at + rng.randrange(3) :]


def seeds() -> dict[str, bytes]:
    import gzip

    table = 'id,text,n\r\n1,good pan,0.5\r\n2,"bad, ""very"" bad\nfilm",7\r\n3,café,\r\n4,,\r\n'.encode()
    lines = (
        '{"text": "good pan", "n": 1}\n{"n": [1, {"a": null}], "text": "bad \\u00e9\\n film"}\n'
        '{"text": null}\n\n {"text": "caf\u00e9", "more": true} \n{"text": "x", "n": 1e3}\n'
    ).encode()
    columns = pa.table({"id": [1, 2, 3], "text": ["good pan", "", None], "x": [[1.5], None, []]})
    found = {}
    for i, out in enumerate(_OUT):
        for kind, content in enumerate((table, lines, None, gzip.compress(table, mtime=0))):
            if content is None:
                file = io.BytesIO()
                pq.write_table(columns, file, compression=("none", "snappy", "zstd")[i])
                content = file.getvalue()
            name = f"{_KINDS[kind].removeprefix('in.')}_to_{out.removeprefix('out.')}"
            found[name.replace(".", "_")] = bytes([kind + 5 * i, 40]) + content
    found["one_column"] = bytes([0, 3]) + b'text\ngood pan\n\n"a\nb"\n"open'
    found["bad_rows"] = bytes([0, 9]) + b'id,text\n1\n2,b,c\n3,caf\xe9\n4,ok\n5,"open\nx,y\n'
    found["bad_lines"] = (
        bytes([1, 9]) + b'{"text": 5}\n[1]\nnull\n{"a": 1}\n{"text": "\\ud800"}\n{"text": "\xff"}\n{"te'
    )
    return found
