"""score_file with a model of vectors."""

import json

import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

from embtransfer import VectorEmbedder, WordEmbedder, make_recipe, make_transfer_pipeline, score_file

RNG = np.random.default_rng(0)
Y = np.array(["bad", "good"])[np.arange(400) % 2]
ROWS = RNG.normal(size=(400, 5)).astype(np.float32)
ROWS[:, 0] += 2 * (Y == "good")
OPTIONS = {"vector_column": "v", "columns": ["id"]}


@pytest.fixture(scope="module")
def model():
    return make_recipe("vectors").fit(ROWS[:200], Y[:200], X_target=ROWS[200:])


def write(path, lists, kind=None):
    if path.suffix == ".parquet":
        kind = kind or pa.list_(pa.float32(), 5)
        pq.write_table(pa.table({"id": range(len(lists)), "v": pa.array(lists, kind)}), path)
    else:
        lines = [json.dumps({"id": i, "v": row}) for i, row in enumerate(lists)]
        path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("end", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("start", [".jsonl", ".parquet"])
def test_rows_get_the_labels_of_predict(tmp_path, model, start, end):
    file = write(tmp_path / f"in{start}", ROWS.tolist())
    out = tmp_path / f"out{end}"
    report = score_file(model, file, out, **OPTIONS, proba=True, block_size=2000, batch_size=30)
    assert report.rows_written == 400
    read = {".csv": polars.read_csv, ".jsonl": polars.read_ndjson, ".parquet": polars.read_parquet}[end](out)
    assert read["id"].to_list() == list(range(400))
    assert read["prediction"].to_list() == model.predict(ROWS).tolist()
    np.testing.assert_allclose(read["prediction_good"], model.predict_proba(ROWS)[:, 1], atol=1e-4)


def test_all_columns_are_carried_and_vectors_of_the_model_added(tmp_path, model):
    file = write(tmp_path / "in.parquet", ROWS.tolist())
    score_file(model, file, tmp_path / "out.parquet", vector_column="v", vectors=True)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names == ["id", "v", "prediction", "vector"]
    np.testing.assert_allclose(table["vector"].to_pylist(), model[:-1].transform(ROWS), rtol=1e-5)
    score_file(model, write(tmp_path / "in.jsonl", ROWS.tolist()), tmp_path / "out.jsonl", vector_column="v")
    first = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])
    assert (list(first), first["v"]) == (["id", "v", "prediction"], ROWS[0].tolist())


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_wrong_vectors_end_it_with_their_place_or_are_set_aside(tmp_path, model, suffix):
    lists = ROWS[:6].tolist()
    lists[1], lists[3], lists[4] = None, [1.0, 2.0], [float("nan"), *lists[4][1:]]
    file = write(tmp_path / f"in{suffix}", lists, pa.list_(pa.float32()))
    place = "row" if suffix == ".parquet" else "line"
    with pytest.raises(ValueError, match=f"in{suffix}, {place} 2: no vector in 'v'"):
        score_file(model, file, tmp_path / "out.parquet", **OPTIONS)
    report = score_file(model, file, tmp_path / "out.parquet", **OPTIONS, on_error="skip")
    assert (report.rows_written, report.rows_rejected) == (3, 3)
    assert pq.read_table(tmp_path / "out.parquet")["id"].to_pylist() == [0, 2, 5]
    rejected = [json.loads(line) for line in report.rejected.read_text().splitlines()]
    assert [row["line"] for row in rejected] == [2, 4, 5]
    assert rejected[1]["reason"] == "got 2 numbers in 'v', expected 5"


def test_other_width_and_column_are_refused_at_once(tmp_path, model):
    file = write(tmp_path / "in.parquet", ROWS[:, :4].tolist(), pa.list_(pa.float32(), 4))
    with pytest.raises(ValueError, match=r"Got vectors of 4 numbers in the column 'v' .* Expected 5"):
        score_file(model, file, tmp_path / "out.csv", **OPTIONS)
    with pytest.raises(ValueError, match=r"Got the column 'id' of int64"):
        score_file(model, file, tmp_path / "out.csv", vector_column="id")
    with pytest.raises(ValueError, match=r"Got vector_column \(--vector-column\) 'w'"):
        score_file(model, file, tmp_path / "out.csv", vector_column="w")


def test_a_model_says_whether_it_wants_vectors(tmp_path, model):
    file = write(tmp_path / "in.parquet", ROWS.tolist())
    with pytest.raises(ValueError, match=r"Got a model of vectors of 5 numbers, .* \(--vector-column\)"):
        score_file(model, file, tmp_path / "out.csv")
    of_texts = make_transfer_pipeline(WordEmbedder(), LogisticRegression()).fit(["good", "bad"], [1, 0])
    with pytest.raises(ValueError, match=r"Got vector_column='v' .* and a model of texts"):
        score_file(of_texts, file, tmp_path / "out.csv", vector_column="v")


def test_float32_reaches_the_model_as_it_is(tmp_path):
    class Looks(VectorEmbedder):
        def transform(self, X):
            seen.add((X.dtype, X.flags.writeable))
            return super().transform(X)

    seen = set()
    model = make_transfer_pipeline(Looks(), LogisticRegression()).fit(ROWS, Y)
    seen.clear()
    file = write(tmp_path / "in.parquet", ROWS.tolist())
    score_file(model, file, tmp_path / "out.csv", **OPTIONS, model_id="looks")
    assert seen == {(np.dtype(np.float32), False)}  # Arrow's own memory
