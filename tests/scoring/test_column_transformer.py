"""score_file with pipelines that begin with scikit-learn's ColumnTransformer."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from embtransfer import (
    ColumnEmbedder,
    VectorEmbedder,
    WordEmbedder,
    load_pipeline,
    make_transfer_pipeline,
    save_pipeline,
    score_file,
)
from embtransfer._rows import columns_of

RNG = np.random.default_rng(0)
Y = np.array(["bad", "good"])[np.arange(120) % 2]
TABLE = pd.DataFrame(
    {
        "title": [f"a {word} pan" for word in Y],
        "body": [f"it is number {i % 7}\nand good" for i in range(120)],
        "price": RNG.normal(size=120) + (Y == "good"),
        "country": RNG.choice(["de", "fr"], 120),
        "stars": RNG.integers(1, 5, 120),
    }
)


def columns(*more):
    parts = [
        ("title", TfidfVectorizer(), "title"),
        ("body", WordEmbedder(), "body"),
        ("price", make_pipeline(SimpleImputer(), StandardScaler()), ["price"]),
    ]
    return ColumnTransformer([*parts, *more])


OTHERS = ("country", OneHotEncoder(handle_unknown="ignore"), ["country"]), ("stars", "passthrough", ["stars"])


def write(path, table=TABLE):
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_json(path, orient="records", lines=True, double_precision=15)
    return path


@pytest.mark.parametrize("make", [make_pipeline, make_transfer_pipeline])
def test_saved_and_loaded_it_gives_the_labels_of_predict(tmp_path, make):
    model = make(columns(*OTHERS), LogisticRegression()).fit(TABLE, Y)
    model = load_pipeline(save_pipeline(model, tmp_path / "model"))
    rows = TABLE.copy()
    rows.loc[3, "price"] = np.nan
    for ending in (".csv", ".parquet", ".jsonl"):
        file = write(tmp_path / f"in{ending}", rows)
        options = {"proba": True, "columns": ["stars"], "block_size": 2000, "batch_size": 30}
        score_file(model, file, tmp_path / "out.parquet", **options)
        scored = pd.read_parquet(tmp_path / "out.parquet")
        assert scored["prediction"].tolist() == model.predict(rows).tolist()
        np.testing.assert_allclose(scored["prediction_good"], model.predict_proba(rows)[:, 1], atol=1e-6)


def joined(table):
    return table["title"] + " " + table["body"]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (("a", "passthrough", ["stars", "price"]), {"stars": 0, "price": 0}),
        (("a", OneHotEncoder(), ["stars", "country"]), {"stars": 0, "country": None}),
        (("a", make_pipeline(FunctionTransformer(joined), TfidfVectorizer()), ["title", "body"]), None),
        (("a", StandardScaler(), make_column_selector(dtype_include=float)), {"price": 0}),
        (("a", ColumnEmbedder("body", WordEmbedder()), ["body", "stars"]), {"body": None}),
        (("a", SimpleImputer(strategy="most_frequent"), ["country"]), {"country": None}),
        (("a", "drop", ["country"]), {}),
    ],
)
def test_the_model_knows_which_of_its_columns_are_texts_and_which_numbers(part, expected):
    fitted = ColumnTransformer([("price", StandardScaler(), ["price"]), part]).fit(TABLE)
    expected = {"title": None, "body": None} if expected is None else expected
    assert columns_of(fitted) == {"price": 0} | expected


def test_vectors_go_beside_texts_and_numbers(tmp_path):
    table = TABLE.assign(v=list(RNG.normal(size=(120, 3)).astype(np.float32)))
    more = ("v", ColumnEmbedder("v", VectorEmbedder()), ["v"])
    model = make_transfer_pipeline(columns(more), LogisticRegression()).fit(table, Y)
    score_file(model, write(tmp_path / "in.parquet", table), tmp_path / "out.csv", columns=[])
    assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == model.predict(table).tolist()


@pytest.mark.parametrize(("ending", "line"), [(".csv", 10), (".jsonl", 5)])  # of csv a row has two
def test_a_row_without_a_number_where_one_is_wanted_is_set_aside(tmp_path, ending, line):
    model = make_pipeline(columns(), LogisticRegression()).fit(TABLE, Y)
    rows = TABLE.astype({"price": object})
    rows.loc[4, "price"] = "4 euros"
    file, out = write(tmp_path / f"in{ending}", rows), tmp_path / f"out{ending}"
    with pytest.raises(ValueError, match=rf"line {line}: got '4 euros' in 'price'"):
        score_file(model, file, out)
    report = score_file(model, file, out, on_error="skip")
    assert (report.rows_written, report.rows_rejected) == (119, 1)
    assert "Expected a number" in json.loads(report.rejected.read_text())["reason"]


def test_columns_of_other_types_are_refused(tmp_path):
    model = make_pipeline(columns(), LogisticRegression()).fit(TABLE, Y)
    for table, message in (
        (TABLE.drop(columns="price"), r"Got column 'price', but in\.parquet has columns: title, body"),
        (TABLE.assign(price=pd.Timestamp(0)), r"Got the column 'price' of timestamp.*Expected numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            score_file(model, write(tmp_path / "in.parquet", table), tmp_path / "out.csv")
    with pytest.raises(TypeError, match="Got a column of double as texts"):
        score_file(model, write(tmp_path / "in.parquet", TABLE.assign(title=1.5)), tmp_path / "out.csv")
