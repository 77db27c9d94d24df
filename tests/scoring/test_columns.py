"""score_file with a model of several columns."""

import json

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

from embtransfer import (
    ColumnEmbedder,
    NGramVectorizer,
    VectorEmbedder,
    make_recipe,
    make_transfer_pipeline,
    score_file,
)

RNG = np.random.default_rng(0)
Y = np.array(["bad", "good"])[np.arange(200) % 2]
ROWS = RNG.normal(size=(200, 5)).astype(np.float32)
ROWS[:, 0] += 2 * (Y == "good")
WORDS = np.where(RNG.random(200) < 0.8, Y, "odd")
TABLE = pd.DataFrame({"id": range(200), "text": [f"a {w} pan {i % 7}" for i, w in enumerate(WORDS)]})
TABLE["v"] = list(ROWS)


@pytest.fixture(scope="module")
def model():
    recipe = make_recipe("columns", vector_column="v")
    return recipe.fit(TABLE[:100], Y[:100], X_target=TABLE[100:])


def write(path, table=TABLE):
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    rows = [{**row, "v": None if row["v"] is None else [*map(float, row["v"])]} for row in rows]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("end", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("start", [".jsonl", ".parquet"])
def test_rows_get_the_labels_of_predict(tmp_path, model, start, end):
    file, out = write(tmp_path / f"in{start}"), tmp_path / f"out{end}"
    options = {"columns": ["id"], "proba": True, "block_size": 2000, "batch_size": 30}
    assert score_file(model, file, out, **options).rows_written == 200
    read = {".csv": polars.read_csv, ".jsonl": polars.read_ndjson, ".parquet": polars.read_parquet}[end](out)
    assert read["id"].to_list() == list(range(200))
    assert read["prediction"].to_list() == model.predict(TABLE).tolist()
    np.testing.assert_allclose(read["prediction_good"], model.predict_proba(TABLE)[:, 1], atol=1e-5)


@pytest.mark.parametrize("start", [".jsonl", ".parquet"])
@pytest.mark.parametrize("columns", [None, ["id"]])
def test_rows_with_a_malformed_vector_are_set_aside(tmp_path, model, start, columns):
    table = TABLE.copy()
    for row, bad in {3: None, 5: ROWS[5][:2], 7: np.full(5, np.nan)}.items():
        table.at[row, "v"] = bad
    file, out = write(tmp_path / f"in{start}", table), tmp_path / "out.jsonl"
    report = score_file(model, file, out, on_error="skip", columns=columns)
    assert (report.rows_written, report.rows_rejected) == (197, 3)
    said = [json.loads(line)["reason"] for line in report.rejected.read_text().splitlines()]
    assert [reason.partition(" in 'v'")[0] for reason in said][:2] == ["no vector", "got 2 numbers"]
    found = [json.loads(line) for line in out.read_text().splitlines()]
    kept = TABLE.drop([3, 5, 7])
    assert [row["id"] for row in found] == kept["id"].tolist()
    assert [row["prediction"] for row in found] == model.predict(kept).tolist()
    with pytest.raises(ValueError, match="no vector in 'v'"):
        score_file(model, file, out)


def test_a_missing_text_is_an_empty_one(tmp_path, model):
    table = TABLE[:4].copy()
    table.at[1, "text"] = None
    for file in (write(tmp_path / "in.parquet", table), write(tmp_path / "in.jsonl", table)):
        score_file(model, file, tmp_path / "out.csv", columns=["id"])
        assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == model.predict(table).tolist()


def test_texts_of_two_columns_go_through_csv(tmp_path):
    union = make_union(
        ColumnEmbedder("title", NGramVectorizer(min_df=1)), ColumnEmbedder("body", NGramVectorizer(min_df=1))
    )
    table = TABLE.rename(columns={"text": "title"}).assign(body=[f"it is {y}" for y in Y])[["title", "body"]]
    model = make_transfer_pipeline(union, LogisticRegression()).fit(table, Y)
    table.to_csv(tmp_path / "in.csv", index=False)
    score_file(model, tmp_path / "in.csv", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == model.predict(table).tolist()


def test_what_steps_make_of_a_column_is_written_as_vectors(tmp_path):
    model = make_transfer_pipeline(ColumnEmbedder("v", VectorEmbedder()), LogisticRegression()).fit(TABLE, Y)
    file, out = write(tmp_path / "in.parquet"), tmp_path / "out.parquet"
    score_file(model, file, out, vectors=True, columns=["id"])
    np.testing.assert_allclose(pq.read_table(out)["vector"].to_pylist(), ROWS, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vector_column": "w"}, r"Got vector_column='w' .* model of the columns text, v\. Leave it out"),
        ({"vector_column": ["v", "text"]}, r"Got vector_column='text'"),
        ({"text_column": "review"}, r"Got text_column='review' .* model of the columns text, v"),
    ],
)
def test_the_model_knows_its_columns(tmp_path, model, options, message):
    file = write(tmp_path / "in.parquet")
    score_file(model, file, tmp_path / "out.csv", text_column="text", vector_column=["v"], columns=[])
    with pytest.raises(ValueError, match=message):
        score_file(model, file, tmp_path / "out.csv", **options)


def test_columns_that_a_file_lacks_or_has_otherwise_are_named(tmp_path, model):
    write(tmp_path / "in.parquet", TABLE)
    table = pq.read_table(tmp_path / "in.parquet")
    pq.write_table(table.rename_columns(["id", "text", "vector"]), tmp_path / "in.parquet")
    with pytest.raises(ValueError, match=r"Got column 'v', but in\.parquet has columns: .* rename those"):
        score_file(model, tmp_path / "in.parquet", tmp_path / "out.csv")
    TABLE.assign(v="0.5 1").to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(ValueError, match=r"Got the column 'v' of string .*Expected vectors"):
        score_file(model, tmp_path / "in.csv", tmp_path / "out.csv")
    narrow = write(tmp_path / "narrow.parquet", TABLE.assign(v=[row[:3] for row in ROWS]))
    with pytest.raises(ValueError, match="got 3 numbers in 'v', expected 5"):
        score_file(model, narrow, tmp_path / "out.csv", columns=[])
