"""Labels of every type: right from fit through save, load, compile and score, or refused at fit."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.multioutput import MultiOutputClassifier

from embtransfer import (
    CompiledPipeline,
    CoTrainingClassifier,
    DomainCentering,
    ImportanceWeightedRegressor,
    JointDistributionAdaptation,
    MultiLabelClassifier,
    PooledClassifier,
    WordEmbedder,
    compile_pipeline,
    load_pipeline,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
    score_file,
    suspicious_labels,
)
from embtransfer.datasets import load_demo_reviews
from embtransfer.tables import TableReader

FILMS, PANS = load_demo_reviews("films"), load_demo_reviews("kitchenware")
SOURCE, TARGET = FILMS.data[:60], PANS.data[:30]
TWO = np.asarray(FILMS.target[:60])
THREE = TWO + (np.arange(60) % 2) * TWO
NUMBERS = np.array([len(text) / 16 for text in SOURCE])
MATRIX = np.column_stack([TWO, 1 - TWO, THREE == 2]).astype(int)
CLASSES = {
    "bool": TWO == 1,
    "list of bool": (TWO == 1).tolist(),
    "int": THREE,
    "int8": THREE.astype(np.int8),
    "list of int": THREE.tolist(),
    "whole floats": THREE.astype(float),
    "str": np.array(["bad", "good", "dear"])[THREE],
    "list of str": np.array(["bad", "good", "dear"])[THREE].tolist(),
    "object": np.array(["bad", "good", "dear"], object)[THREE],
    "Series": pd.Series(THREE),
    "Series of str": pd.Series(np.array(["bad", "good", "dear"])[THREE], dtype="string"),
    "category": pd.Series(np.array(["bad", "good", "dear"])[THREE], dtype="category"),
    "sparse column": pd.Series(TWO, dtype="Sparse[int]"),
    "category of bool": pd.Series(TWO == 1, dtype="category"),
    "tuple": tuple(THREE.tolist()),
}
SEVERAL = {
    "matrix": MATRIX,
    "bool matrix": MATRIX == 1,
    "sparse": sparse.csr_array(MATRIX),
    "DataFrame": pd.DataFrame(MATRIX, columns=["a", "b", "c d"]),
    "lists": [[name for name, has in zip("abc", row, strict=True) if has] for row in MATRIX],
    "lists of int": [np.flatnonzero(row).tolist() for row in MATRIX],
    "Series of lists": pd.Series([np.flatnonzero(row).tolist() for row in MATRIX]),
    "polars": pl.DataFrame(MATRIX, schema=["a", "b", "c d"]),
    "Arrow lists": pa.chunked_array([[["abc"[k] for k in np.flatnonzero(row)] for row in MATRIX]]),
    "Arrow table": pa.table({name: MATRIX[:, k] for k, name in enumerate("abc")}),
}
OF_NUMBERS = {
    "float": NUMBERS,
    "float32": NUMBERS.astype(np.float32),
    "list of float": NUMBERS.tolist(),
    "Series of float": pd.Series(NUMBERS),
    "ratings": THREE,
}
REFUSED = {
    "several classes": (
        np.column_stack([THREE, TWO]),
        r"Got labels of shape \(60, 2\)\. Expected one a text",
    ),
    "several numbers": (
        np.column_stack([NUMBERS] * 2),
        r"Got labels of shape \(60, 2\)\. Expected one a text",
    ),
    "matrix": (MATRIX, r"shape \(60, 3\).*Several labels a text need MultiLabelClassifier"),
    "sparse": (sparse.csr_array(MATRIX), "need MultiLabelClassifier"),
    "DataFrame": (pd.DataFrame(MATRIX), "need MultiLabelClassifier"),
    "lists": ([["a", "b"]] * 30 + [[]] * 30, r"Got labels such as \['a', 'b'\].*need MultiLabelClassifier"),
    "sets": ([{"a"}] * 30 + [set()] * 30, "need MultiLabelClassifier"),
    "polars": (pl.DataFrame(MATRIX), "need MultiLabelClassifier"),
    "text beside int": (["a", 1] * 30, r"Got the label 'a' \(str\) beside 1 \(int\)\. Expected labels of"),
    "bool beside text": (pd.Series([True, "a"] * 30), r"Got the label 'a' \(str\) beside True \(bool\)"),
    "None": ([None, *TWO[1:].tolist()], r"Got 1 missing labels \(None, NaN, pandas.NA\), the first in row 0"),
    "NaN": (np.where(TWO == 1, np.nan, 1.0), "missing labels"),
    "NA": (pd.Series([pd.NA, *TWO[1:].tolist()], dtype="Int64"), "Got 1 missing labels"),
}


def pipeline_of(last):
    return make_transfer_pipeline(WordEmbedder(), DomainCentering(), last)


def scored(model, folder):
    """Columns of predictions as score_file writes them in each format."""
    source = folder / "in.parquet"
    pd.DataFrame({"text": TARGET}).to_parquet(source)
    for suffix in ("csv", "jsonl", "parquet"):
        score_file(model, source, folder / f"out.{suffix}")
        reader = TableReader(folder / f"out.{suffix}")
        names = [name for name in reader.schema.names if name != "text"]
        yield suffix, dict(zip(names, reader.columns(names), strict=True))


def check(pipeline, y, folder, columns):
    """The same labels from the pipeline, saved and compiled, in every format."""
    pipeline.fit(SOURCE, y, X_target=TARGET)
    save_pipeline(pipeline, folder / "pipeline")
    compile_pipeline(pipeline).save(folder / "compiled")
    expected = columns(pipeline)
    for model in (load_pipeline(folder / "pipeline"), CompiledPipeline.load(folder / "compiled")):
        for suffix, found in scored(model, folder):
            assert list(found) == list(expected)
            for name, values in expected.items():
                if isinstance(values[0], float):
                    np.testing.assert_allclose(np.array(found[name], float), values, atol=1e-4, rtol=1e-5)
                elif suffix == "csv":
                    spelled = {True: "true", False: "false"} if isinstance(values[0], bool) else {}
                    assert [str(v) for v in found[name]] == [spelled.get(v, str(v)) for v in values]
                else:
                    assert list(found[name]) == values


@pytest.mark.parametrize("kind", CLASSES)
def test_a_class_a_text(kind, tmp_path):
    y = CLASSES[kind]
    columns = lambda model: {"prediction": model.predict(TARGET).tolist()}  # noqa: E731
    check(pipeline_of(LogisticRegression()), y, tmp_path, columns)
    label = pd.read_parquet(tmp_path / "out.parquet")["prediction"]
    assert set(label.tolist()) <= set(y)
    assert {type(one) for one in label.tolist()} == {type(one) for one in np.asarray(y).tolist()}


@pytest.mark.parametrize("kind", SEVERAL)
def test_several_labels_a_text(kind, tmp_path):
    def columns(model):
        names = [f"prediction_{name}" for name in model.classes_]
        return dict(zip(names, model.predict(TARGET).T.tolist(), strict=True))

    check(pipeline_of(MultiLabelClassifier(RidgeClassifier())), SEVERAL[kind], tmp_path, columns)


@pytest.mark.parametrize("kind", OF_NUMBERS)
@pytest.mark.parametrize("last", [Ridge(), ImportanceWeightedRegressor()], ids=["ridge", "importance"])
def test_a_number_a_text(kind, last, tmp_path):
    columns = lambda model: {"prediction": model.predict(TARGET).astype(float).tolist()}  # noqa: E731
    check(pipeline_of(last), OF_NUMBERS[kind], tmp_path, columns)
    assert pa.parquet.read_schema(tmp_path / "out.parquet").field("prediction").type == pa.float64()


LAST = [RidgeClassifier(), RandomForestClassifier(), MultiOutputClassifier(Ridge()), RandomForestRegressor()]


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("last", LAST, ids=repr)
def test_refused_at_fit(kind, last):
    y, message = REFUSED[kind]
    with pytest.raises(ValueError, match=message):
        pipeline_of(last).fit(SOURCE, y, X_target=TARGET)


@pytest.mark.parametrize(
    "model", [PooledClassifier(), CoTrainingClassifier([("one", pipeline_of(LogisticRegression()))])]
)
def test_missing_labels_are_named_without_a_pipeline_too(model):
    rows = SOURCE if isinstance(model, CoTrainingClassifier) else np.eye(60)
    with pytest.raises(ValueError, match=r"Got 1 missing labels.*the first in row 0"):
        model.fit(rows, [None, *np.array(["bad", "good"])[TWO[1:]]])


def test_suspicious_labels_names_missing_ones():
    with pytest.raises(ValueError, match=r"Got 1 missing labels.*the first in row 0"):
        suspicious_labels(pipeline_of(LogisticRegression()), SOURCE, [None, *TWO[1:].tolist()])


def test_suspicious_labels_takes_a_column():
    model, y = pipeline_of(LogisticRegression()), np.where(np.arange(60) < 6, 1 - TWO, TWO)
    expected = suspicious_labels(model, SOURCE, y)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        pd.testing.assert_frame_equal(suspicious_labels(model, SOURCE, y[:, None]), expected)


@pytest.mark.parametrize("column", [TWO[:, None], pd.DataFrame({"y": TWO})], ids=["array", "DataFrame"])
@pytest.mark.parametrize("adapter", [DomainCentering(), JointDistributionAdaptation(2)], ids=repr)
def test_a_column_of_labels(adapter, column):
    model = make_transfer_pipeline(WordEmbedder(), adapter, LogisticRegression())
    expected = model.fit(SOURCE, TWO, X_target=TARGET).predict_proba(TARGET)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        model.fit(SOURCE, column, X_target=TARGET)
    np.testing.assert_array_equal(model.predict_proba(TARGET), expected)


def test_columns_of_arrow_are_labels_of_both_domains():
    y = pa.chunked_array([np.array(["bad", "good"])[TWO].tolist()])
    known = pa.chunked_array([["bad", "good", None] * 10])
    model = make_recipe("words").fit(SOURCE, y, X_target=TARGET, y_target=known)
    assert (model.classes_.tolist(), model[-1].n_target_labels_) == (["bad", "good"], 20)


@pytest.mark.parametrize("y", [NUMBERS, [Decimal("1.5"), Decimal(2)] * 30, [date(2020, 1, 1), None] * 30])
def test_no_classes(y):
    with pytest.raises(ValueError, match=r"Unknown label type|missing labels"):
        pipeline_of(LogisticRegression()).fit(SOURCE, y, X_target=TARGET)


def test_models_of_several_labels_that_are_not_ours(tmp_path):
    pd.DataFrame({"text": TARGET}).to_csv(tmp_path / "in.csv")
    rows = WordEmbedder().fit_transform(SOURCE)
    model = RandomForestClassifier(3).fit(rows, np.column_stack([THREE, TWO]))
    model.transform = None
    with pytest.raises(ValueError, match=r"predicts 2 labels a text\. Expected one, or MultiLabelClassifier"):
        score_file(model, tmp_path / "in.csv", tmp_path / "out.csv")
