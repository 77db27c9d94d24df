"""score_file: the rows of any file come out in order with the labels of `predict`, whatever the texts are."""

import base64
import json
import os
import stat
from itertools import product

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from typer.testing import CliRunner

from embtransfer import (
    DomainCentering,
    WordEmbedder,
    make_classifier,
    make_transfer_pipeline,
    save_pipeline,
    score_file,
)
from embtransfer._words import words_of
from embtransfer.cli import app
from embtransfer.tables import FORMATS, TableReader

FILMS = ["a good film", "a bad film", "great plot", "terrible actor", "fine story", "awful script"]
PANS = ["a good pan", "a bad pan", "great knife", "terrible lid"]
ROWS = {
    "id": list(range(40)),
    "text": ["a good pan", "the bad lid", "", None, 'great, "fine"\nknife', "terrible pot", "xyzzy", "é 👍"]
    * 5,
    "stars": [0.5, None, 3.0, 4.25] * 10,
}
every_format = pytest.mark.parametrize("suffix", FORMATS)
every_pair = pytest.mark.parametrize(("suffix_in", "suffix_out"), list(product(FORMATS, FORMATS)))


def fit(labels=("bad", "good"), classifier="logistic"):
    classifier = make_classifier(classifier) if isinstance(classifier, str) else classifier
    pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), classifier)
    return pipeline.fit(FILMS, [labels[1], labels[0]] * 3, X_target=PANS)


@pytest.fixture(scope="module")
def pipeline():
    return fit()


def write(path, columns):
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    if path.suffix == ".csv":
        pa_csv.write_csv(table, path)
    elif path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist()))
    return path


def read(path):
    return pa.Table.from_batches(list(TableReader(path).batches())).to_pydict()


def as_csv_reads_it(values):
    return [
        "" if value is None else f"{value:g}" if isinstance(value, float) else str(value) for value in values
    ]


# what comes out


@every_pair
@pytest.mark.parametrize("proba", [False, True])
def test_rows_order_and_labels(tmp_path, pipeline, suffix_in, suffix_out, proba):
    source = write(tmp_path / f"in{suffix_in}", ROWS)
    before = source.read_bytes()
    destination = tmp_path / f"out{suffix_out}"
    assert score_file(pipeline, source, destination, proba=proba).rows_written == 40
    result = read(destination)
    added = ["prediction", "prediction_bad", "prediction_good"] if proba else ["prediction"]
    assert list(result) == [*ROWS, *added]
    for name, values in ROWS.items():
        through_csv = ".csv" in (suffix_in, suffix_out)
        assert result[name] == (as_csv_reads_it(values) if through_csv else values)
    assert result["prediction"] == list(pipeline.predict(ROWS["text"]))
    if proba:
        shares = np.array([result[name] for name in added[1:]], float).T
        np.testing.assert_allclose(shares, pipeline.predict_proba(ROWS["text"]), atol=1e-6)
    assert source.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == sorted([source.name, destination.name])


@every_pair
def test_batch_size_changes_nothing(tmp_path, pipeline, suffix_in, suffix_out):
    source = write(tmp_path / f"in{suffix_in}", ROWS)
    results = []
    for batch_size in (1, 7, 10_000):
        destination = tmp_path / f"out_{batch_size}{suffix_out}"
        calls = []
        options = {
            "batch_size": batch_size,
            "progress": lambda *call, to=calls: to.append(call),
            "proba": True,
        }
        assert score_file(pipeline, source, destination, **options).rows_written == 40
        assert calls == sorted(calls, key=lambda call: call[0])
        assert calls[-1] == (40, None, "Scoring")
        results.append(read(destination))
    for other in results[1:]:
        for name, values in results[0].items():
            if name.startswith("prediction_"):  # float32 sums of one row and of many differ in the last bit
                np.testing.assert_allclose(np.array(other[name], float), np.array(values, float), atol=1e-6)
            else:
                assert other[name] == values


LINES = {
    "null": [{"text": "a good pan", "n": None}, {"text": "a bad pan", "n": 1}, {"text": "fine", "n": 2}],
    "text later": [{"n": 1, "text": None}, {"n": 2, "text": "a bad pan"}, {"n": 3, "text": "fine"}],
    "int then float": [{"text": "fine", "n": 1}, {"text": "fine", "n": 2}, {"text": "fine", "n": 2.5}],
    "other keys": [{"text": "a", "m": {"x": 1}}, {"text": "b", "m": {"y": 2}}, {"text": "c", "m": {"z": 3}}],
}


@pytest.mark.parametrize("suffix_out", FORMATS)
@pytest.mark.parametrize("batch_size", [1, 10_000])
@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
def test_jsonl_rows_that_differ(tmp_path, pipeline, suffix_out, batch_size, lines):
    source, destination = tmp_path / "in.jsonl", tmp_path / f"out{suffix_out}"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert score_file(pipeline, source, destination, batch_size=batch_size).rows_written == 3
    assert read(destination)["prediction"] == list(pipeline.predict([line.get("text") for line in lines]))
    written = [row for b in TableReader(destination).batches() for row in b.to_pylist()]
    for line, row in zip(lines, written, strict=True):
        for key, value in line.items():
            inner = next(iter(value.values())) if isinstance(value, dict) else value
            assert ("" if inner is None else str(inner)) in str("" if row[key] is None else row[key])


@every_format
@pytest.mark.parametrize("batch_size", [1, 2, 10_000])
def test_first_texts_missing_in_jsonl(tmp_path, pipeline, suffix, batch_size):
    source, destination = tmp_path / "in.jsonl", tmp_path / f"out{suffix}"
    texts = [None, None, "a good pan", None]
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    assert score_file(pipeline, source, destination, batch_size=batch_size).rows_written == 4
    assert read(destination)["prediction"] == list(pipeline.predict(texts))


def test_nested_values_become_json_in_csv(tmp_path, pipeline):
    values = [{"x": "é", "y": [1, None]}, None]
    source = write(tmp_path / "in.parquet", {"text": ["a", "b"], "meta": values, "tags": [["a,b", '"'], []]})
    score_file(pipeline, source, tmp_path / "out.csv")
    result = read(tmp_path / "out.csv")
    assert json.loads(result["meta"][0]) == values[0]
    assert json.loads(result["tags"][0]) == ["a,b", '"']
    assert (result["meta"][1], result["tags"][1]) == ("", "[]")


@every_format
def test_permissions_follow_the_umask(tmp_path, pipeline, suffix):
    source = write(tmp_path / "in.csv", ROWS)
    for umask, mode in [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)]:
        before = os.umask(umask)
        try:
            score_file(pipeline, source, tmp_path / f"out{suffix}")
        finally:
            assert os.umask(before) == umask
        assert stat.S_IMODE((tmp_path / f"out{suffix}").stat().st_mode) == mode


def test_names_of_columns(tmp_path, pipeline):
    source = write(
        tmp_path / "in.parquet", {"text": ["no"], "Review": ["a good pan"], "prediction": ["mine"]}
    )
    destination = tmp_path / "out.parquet"
    score_file(pipeline, source, destination, text_column="Review", output_column="label é", proba=True)
    result = read(destination)
    assert list(result) == ["text", "Review", "prediction", "label é", "label é_bad", "label é_good"]
    assert result["label é"] == list(pipeline.predict(["a good pan"]))


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (("bad", "good"), pa.string()),
        ((0, 1), pa.int64()),
        ((False, True), pa.bool_()),
        ((1.0, 2.0), pa.float64()),
        ((np.int8(3), np.int8(7)), pa.int8()),
    ],
    ids=["str", "int", "bool", "float", "int8"],
)
@pytest.mark.parametrize("proba", [False, True])
@pytest.mark.parametrize("n", [0, 8])
def test_labels_keep_their_type(tmp_path, labels, kind, proba, n):
    pipeline = make_transfer_pipeline(WordEmbedder(), make_classifier("logistic"))
    pipeline.fit(FILMS, np.array([labels[1], labels[0]] * 3))
    source = write(tmp_path / "in.parquet", pa.table(ROWS).slice(0, n))
    score_file(pipeline, source, tmp_path / "out.parquet", proba=proba)
    column = pq.read_table(tmp_path / "out.parquet")["prediction"]
    assert column.type == kind
    assert column.to_pylist() == (list(pipeline.predict(ROWS["text"][:n])) if n else [])


@every_pair
@pytest.mark.parametrize("proba", [False, True])
def test_zero_rows(tmp_path, pipeline, suffix_in, suffix_out, proba):
    source = write(tmp_path / f"in{suffix_in}", pa.table(ROWS).slice(0, 0))
    destination = tmp_path / f"out{suffix_out}"
    assert score_file(pipeline, source, destination, proba=proba).rows_written == 0
    result = read(destination)
    assert not any(result.values())
    if ".jsonl" not in (suffix_in, suffix_out):  # a jsonl file of no rows has no columns
        added = ["prediction", "prediction_bad", "prediction_good"] if proba else ["prediction"]
        assert list(result) == [*ROWS, *added]


@pytest.mark.parametrize("n_rows", [0, 3])
@every_format
def test_all_texts_missing(tmp_path, pipeline, suffix, n_rows):
    source = write(tmp_path / "in.parquet", {"text": pa.nulls(n_rows)})
    assert score_file(pipeline, source, tmp_path / f"out{suffix}").rows_written == n_rows
    if n_rows:
        assert read(tmp_path / f"out{suffix}")["prediction"] == list(pipeline.predict([""] * n_rows))


STRINGS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary("int32", "string")]


@pytest.mark.parametrize("kind", STRINGS, ids=str)
@every_format
def test_types_of_text_in_parquet(tmp_path, pipeline, suffix, kind):
    try:
        pq.write_table(pa.table({"text": pa.array(ROWS["text"]).cast(kind)}), tmp_path / "in.parquet")
    except pa.ArrowNotImplementedError as error:
        pytest.skip(f"{error}")  # pyarrow 18 and views
    score_file(pipeline, tmp_path / "in.parquet", tmp_path / f"out{suffix}")
    assert read(tmp_path / f"out{suffix}")["prediction"] == list(pipeline.predict(ROWS["text"]))


@every_format
def test_parquet_from_polars(tmp_path, pipeline, suffix):
    kind = pl.Series(["x", None] * 20, dtype=pl.Categorical)
    pl.DataFrame(ROWS | {"kind": kind, "tags": [["a"], []] * 20}).write_parquet(tmp_path / "in.parquet")
    report = score_file(pipeline, tmp_path / "in.parquet", tmp_path / f"out{suffix}", batch_size=7)
    assert report.rows_written == 40
    result = read(tmp_path / f"out{suffix}")
    assert result["prediction"] == list(pipeline.predict(ROWS["text"]))
    assert result["kind"] == ["x", "" if suffix == ".csv" else None] * 20


@pytest.mark.parametrize("threshold", [0.01, 0.99])
def test_labels_are_those_of_predict_where_the_threshold_is_not_a_half(tmp_path, threshold):
    classifier = FixedThresholdClassifier(
        LogisticRegression(), threshold=threshold, response_method="predict_proba"
    )
    pipeline = fit((0, 1), classifier)
    source = write(tmp_path / "in.parquet", ROWS)
    for proba in (False, True):
        score_file(pipeline, source, tmp_path / "out.parquet", proba=proba)
        assert read(tmp_path / "out.parquet")["prediction"] == list(pipeline.predict(ROWS["text"]))


def test_a_destination_that_is_there_is_replaced(tmp_path, pipeline):
    source = write(tmp_path / "in.csv", ROWS)
    (tmp_path / "out.csv").write_text("old")
    score_file(pipeline, str(source), str(tmp_path / "out.csv"))
    assert len(read(tmp_path / "out.csv")["prediction"]) == 40


# errors leave nothing


@pytest.mark.parametrize("suffix_out", FORMATS)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"text_column": "review"},
            ValueError,
            r"Got text_column \(--text-column\) 'review', but in.parquet has columns: id, text, stars",
        ),
        ({"output_column": ""}, ValueError, r"Got output_column ''\. Expected the column to add"),
        ({"output_column": "text"}, ValueError, r"The input has a column 'text' already"),
        ({"output_column": "stars"}, ValueError, r"The input has a column 'stars' already"),
        ({"batch_size": 0}, ValueError, r"Got batch_size=0\. Expected at least 1"),
        ({"batch_size": -5}, ValueError, r"Got batch_size=-5\. Expected at least 1"),
        ({"text_column": "id"}, TypeError, r"Got a column of int64 as texts\. Expected a column of strings"),
        (
            {"text_column": "stars"},
            TypeError,
            r"Got a column of double as texts",
        ),
    ],
)
def test_errors_leave_nothing(tmp_path, pipeline, suffix_out, options, error, message):
    source = write(tmp_path / "in.parquet", ROWS)
    with pytest.raises(error, match=message):
        score_file(pipeline, source, tmp_path / f"out{suffix_out}", **options)
    assert os.listdir(tmp_path) == ["in.parquet"]


NO_TEXTS = [["naïve", 1], ["a", True], [["a"]], [{"k": "a"}], ["a", ["b"]], [2**70], [0.5]]


@every_format
@pytest.mark.parametrize("texts", NO_TEXTS, ids=str)
def test_what_is_no_text_in_jsonl_is_refused(tmp_path, pipeline, suffix, texts):
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    with pytest.raises(ValueError, match=r"in.jsonl, line [12]: got \w+ in 'text'\. Expected a string"):
        score_file(pipeline, source, tmp_path / f"out{suffix}")
    assert os.listdir(tmp_path) == ["in.jsonl"]


def test_a_probability_column_that_is_there(tmp_path, pipeline):
    source = write(tmp_path / "in.csv", {"text": ["a"], "prediction_good": ["b"]})
    with pytest.raises(ValueError, match="The input has a column 'prediction_good' already"):
        score_file(pipeline, source, tmp_path / "out.csv", proba=True)
    assert os.listdir(tmp_path) == ["in.csv"]


@pytest.mark.parametrize("name", ["ridge", "svm"])
def test_proba_of_a_classifier_without(tmp_path, name):
    source = write(tmp_path / "in.csv", ROWS)
    with pytest.raises(AttributeError, match="predict_proba"):
        score_file(fit(classifier=name), source, tmp_path / "out.csv", proba=True)
    assert os.listdir(tmp_path) == ["in.csv"]


@pytest.mark.parametrize("other", ["in.csv", "folder/../in.csv", "link.csv"])
def test_same_file_in_and_out(tmp_path, pipeline, other):
    source = write(tmp_path / "in.csv", ROWS)
    before = source.read_bytes()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(source)
    with pytest.raises(ValueError, match=r"Got .* as input and output\. Choose another name for the output"):
        score_file(pipeline, source, tmp_path / other)
    assert source.read_bytes() == before


@pytest.mark.parametrize("old", [None, "old"])
def test_damage_far_down_leaves_the_old_output(tmp_path, pipeline, old):
    source, destination = tmp_path / "in.jsonl", tmp_path / "out.csv"
    source.write_text('{"text": "fine"}\n' * 30 + "{\n")
    if old:
        destination.write_text(old)
    seen = []
    with pytest.raises(ValueError, match="line 31: got no JSON"):
        score_file(pipeline, source, destination, batch_size=10, progress=lambda *call: seen.append(call))
    assert seen == []  # jsonl is read through before a row is scored
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", *(["out.csv"] if old else [])]
    assert old is None or destination.read_text() == old


@pytest.mark.parametrize(
    ("source", "destination", "error", "message"),
    [
        ("in.txt", "out.csv", ValueError, r"Got 'in.txt'\. Expected a file that ends in"),
        ("in.csv", "out.txt", ValueError, r"Got 'out.txt'\. Expected a file that ends in"),
        ("none.csv", "out.csv", FileNotFoundError, r"There is no file .*none.csv"),
        ("in.csv", "nowhere/out.csv", FileNotFoundError, r"nowhere"),
    ],
)
def test_files_that_cannot_be(tmp_path, pipeline, source, destination, error, message):
    write(tmp_path / "in.csv", ROWS)
    with pytest.raises(error, match=message):
        score_file(pipeline, tmp_path / source, tmp_path / destination)
    assert os.listdir(tmp_path) == ["in.csv"]


# 10,000 texts of every nasty kind

WORDS = ["good", "bad", "great", "terrible", "pan", "knife", "film", "plot"]
WORDS += ["don't", "naïve", "Ünïcödé", "ТЕСТ", "東京", "cafe\u0301"]
JUNK = {
    "words": lambda rng, n: " ".join(rng.choice(WORDS, n)),
    "controls": lambda rng, n: "".join(map(chr, rng.integers(0, 160, n))),
    "any characters": lambda rng, n: "".join(map(chr, rng.integers(1, 0xD800, n))),
    "astral": lambda rng, n: "".join(map(chr, rng.integers(0x10000, 0x110000, n))),
    "emoji": lambda rng, n: "".join(rng.choice(["👍🏽", "👩‍👩‍👧", "🇩🇪", "❤️", " good "], n)),
    "right to left": lambda rng, n: (
        "\u202e" + " ".join(rng.choice(["שלום", "مرحبا", "\u200fgood"], n)) + "\u202c"
    ),
    "combining": lambda rng, n: "".join(
        rng.choice(["e\u0301", "\u0300" * 30, "Z\u0351\u036b", "i\u0307", "ﬁ"], n)
    ),
    "punctuation": lambda rng, n: "".join(rng.choice(list("!?.,;:-_#'+*~^()[]{}/\\|<>@$%&=`"), n)),
    "quotes and newlines": lambda rng, n: "".join(
        rng.choice(['"', "\n", "\r\n", "\r", ",", "'", "\t", "good"], n)
    ),
    "html": lambda rng, n: "<p class='a'>" + "<b>good</b>&nbsp;&#39;" * n + "</p><!-- -->",
    "base64": lambda rng, n: base64.b64encode(rng.bytes(n)).decode(),
    "numbers": lambda rng, n: " ".join(map(str, rng.normal(size=n))),
    "bytes as latin-1": lambda rng, n: rng.bytes(n).decode("latin-1"),
    "bytes with replacements": lambda rng, n: rng.bytes(n).decode("utf-8", "replace"),
    "mojibake": lambda rng, n: "naïve “good”".encode().decode("cp1252", "replace") * n,
    "special": lambda rng, n: rng.choice(
        ["NA", "null", "nan", "None", "=1+1", "\ufeff", "\u2028", "\x85", "\0", '"']
    ),
    "spaces": lambda rng, n: "".join(rng.choice([" ", "\u00a0", "\u3000", "\u200b", "\t", "\n"], n)),
    "empty": lambda rng, n: "",
    "missing": lambda rng, n: None,
    "one long word": lambda rng, n: "good" * n * 20,
}
SURROGATES = ["\ud83d", "good\udc00bad", "\udfff\ud800", "bad \ud83d pan", "\ud83d\ude00"]


@pytest.fixture(scope="module")
def nasty():
    rng = np.random.default_rng(0)
    kinds = list(JUNK.values())
    texts = [kinds[i % len(kinds)](rng, int(rng.integers(0, 40))) for i in range(9_990)]
    texts[5_000:5_000] = [kind(rng, 50_000) for kind in list(JUNK.values())[:6]]
    texts += ["good pan " * 120_000, "\n" * 1_000_000, '"' * 1_000_000, "x" * 1_000_000]
    return [None if text is None else str(text) for text in texts]


@pytest.fixture(scope="module")
def by_hand(nasty, pipeline):
    """Labels and vectors text by text, through Python's own regular expression rather than the kernel."""
    plain = WordEmbedder(token_pattern=words_of, lowercase=False).fit(FILMS).transform(nasty)
    return plain, pipeline[1:].predict(plain)


@pytest.fixture(scope="module")
def model(tmp_path_factory, pipeline):
    return save_pipeline(pipeline, tmp_path_factory.mktemp("model") / "model")


def command(model, source, destination):
    return CliRunner().invoke(app, ["score", str(model), str(source), "-o", str(destination)])


def check_scored(destination, nasty, labels):
    texts, ids, got = TableReader(destination).columns(["text", "id", "prediction"], "text")
    assert [int(i) for i in ids] == list(range(len(nasty)))
    wrong = [i for i, (a, b) in enumerate(zip(texts, nasty, strict=True)) if (a or "") != (b or "")]
    assert wrong == []
    np.testing.assert_array_equal(got, labels)


def test_nasty_texts_through_the_embedder(nasty, by_hand, pipeline):
    assert len(nasty) == 10_000
    vectors = WordEmbedder().fit(FILMS).transform(nasty)
    np.testing.assert_allclose(vectors, by_hand[0], atol=1e-5)
    assert np.isfinite(vectors).all()
    np.testing.assert_array_equal(pipeline.predict(nasty), by_hand[1])
    assert 1_000 < vectors.any(axis=1).sum() < 9_000


@every_format
def test_nasty_texts_through_score_file(tmp_path, nasty, by_hand, pipeline, suffix):
    source = write(tmp_path / f"in{suffix}", {"id": list(range(len(nasty))), "text": nasty})
    other = FORMATS[FORMATS.index(suffix) - 1]
    for destination in (tmp_path / f"out{suffix}", tmp_path / f"other{other}"):
        assert score_file(pipeline, source, destination, batch_size=3_000).rows_written == len(nasty)
        check_scored(destination, nasty, by_hand[1])


def test_nasty_texts_through_the_command(tmp_path, nasty, by_hand, model):
    source = write(tmp_path / "in.csv", {"id": list(range(len(nasty))), "text": nasty})
    destination = tmp_path / "out.csv"
    run = command(model, source, destination)
    assert run.exit_code == 0, run.stderr
    assert run.stdout == ""
    assert "Scored 10,000 rows" in run.stderr
    check_scored(destination, nasty, by_hand[1])


def test_lone_surrogates(tmp_path, pipeline, model):
    texts = SURROGATES * 50
    assert np.isfinite(pipeline.predict_proba(texts)).all()
    labels = list(pipeline.predict(texts))
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(texts)))
    for suffix in FORMATS:
        destination = tmp_path / f"out{suffix}"
        assert score_file(pipeline, source, destination, batch_size=7).rows_written == len(texts)
        assert read(destination)["prediction"] == labels
    run = command(model, source, tmp_path / "command.jsonl")
    assert run.exit_code == 0, run.stderr
    assert read(tmp_path / "command.jsonl")["prediction"] == labels


FIRST = {"tfidf": [TfidfVectorizer()], "function": [FunctionTransformer(np.char.upper), CountVectorizer()]}


@pytest.mark.parametrize("proba", [False, True])
@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
def test_first_steps_of_scikit_learn_get_lists_of_str(tmp_path, first, proba):
    (tmp_path / "in.csv").write_text("text\n" + "\n".join(PANS) + "\n")
    model = make_pipeline(*first, LogisticRegression()).fit(FILMS, [1, 0] * 3)
    score_file(model, tmp_path / "in.csv", tmp_path / "out.parquet", proba=proba)
    assert pq.read_table(tmp_path / "out.parquet")["prediction"].to_pylist() == model.predict(PANS).tolist()
