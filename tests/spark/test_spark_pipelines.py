"""spark.score with models that do not fold: of several columns, of vectors, of texts pooled otherwise."""

import importlib
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from embtransfer import (
    DomainCentering,
    VectorEmbedder,
    WordEmbedder,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
    score_file,
)
from embtransfer.spark import score
from tests.spark.marks import SPARK

pyspark = pytest.importorskip("pyspark")
pytestmark = SPARK

RNG = np.random.default_rng(0)
N = 200
Y = np.array(["bad", "good"])[np.arange(N) % 2]
TABLE = pd.DataFrame(
    {
        "id": range(N),
        "title": [f"a {word} pan" for word in np.where(RNG.random(N) < 0.8, Y, "odd")],
        "body": [f"it is number {i % 7}\nand good" for i in range(N)],
        "price": RNG.normal(size=N) + (Y == "good"),
        "country": RNG.choice(["de", "fr"], N),
        "stars": RNG.integers(1, 5, N),
        "v": list((RNG.normal(size=(N, 4)) + (Y == "good")[:, None]).astype(np.float32)),
    }
)
ROWS = TABLE.copy()  # to score
ROWS.loc[3, "price"] = None
ROWS.loc[[4, 9], ["title", "body"]] = None


def of_columns(*more):
    parts = [
        ("title", TfidfVectorizer(), "title"),
        ("body", WordEmbedder(), "body"),
        ("price", make_pipeline(SimpleImputer(), StandardScaler()), ["price"]),
        ("country", OneHotEncoder(handle_unknown="ignore"), ["country"]),
        ("stars", "passthrough", ["stars"]),
    ]
    return make_transfer_pipeline(ColumnTransformer([*parts, *more]), LogisticRegression()).fit(TABLE, Y)


def of_vectors():
    model = make_transfer_pipeline(VectorEmbedder(), DomainCentering(), LogisticRegression())
    return model.fit(np.stack(TABLE["v"]), Y)


def of_both():
    recipe = make_recipe("columns", text_column="title", vector_column="v")
    return recipe.fit(TABLE, Y, X_target=TABLE)


def of_texts(pooling="max"):
    model = make_transfer_pipeline(WordEmbedder(pooling=pooling), LogisticRegression())
    return model.fit(TABLE["title"], Y)


MAKE = {"columns": of_columns, "vectors": of_vectors, "both": of_both, "texts": of_texts}
NAMED = {"vectors": {"vector_column": "v"}, "texts": {"text_column": "title"}}  # others know their columns


@pytest.fixture(scope="module")
def models():
    return {name: make() for name, make in MAKE.items()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "in.parquet"
    ROWS.to_parquet(path, row_group_size=60)
    return path


@pytest.fixture(scope="module")
def df(session, source):
    return session.read.parquet(str(source)).repartition(3)


@pytest.fixture(autouse=True)
def with_sklearn(session):
    session.sparkContext.environment["WITH_SKLEARN"] = "1"
    yield
    session.sparkContext.environment.pop("WITH_SKLEARN", None)


def predictions(result):
    return [row.prediction for row in sorted(result.collect(), key=lambda row: row.id)]


def labels(model, name, rows=ROWS):
    """Of predict, which takes no missing texts in steps of scikit-learn."""
    rows = rows.assign(title=rows["title"].fillna(""), body=rows["body"].fillna(""))
    if name in NAMED:
        rows = np.stack(rows["v"]) if name == "vectors" else rows["title"]
    return model.predict(rows).tolist()


# what comes out


@pytest.mark.parametrize("options", [{}, {"proba": True, "top_k": 1, "margin": True, "batch_size": 7}])
@pytest.mark.parametrize("name", MAKE)
def test_rows_get_what_score_file_and_predict_give(df, source, models, tmp_path, name, options):
    options = options | NAMED.get(name, {}) | {"columns": ["id", "body"]}
    score_file(models[name], source, tmp_path / "out.parquet", **options)
    expected = pq.read_table(tmp_path / "out.parquet").to_pandas()
    result = score(df, models[name], **options)
    assert result.columns == expected.columns.tolist()
    found = pd.DataFrame([row.asDict() for row in result.collect()], columns=result.columns)
    found = found.sort_values("id", ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)
    assert found["prediction"].tolist() == labels(models[name], name)


def test_only_columns_that_the_model_wants_or_that_are_carried_are_read(df, models):
    from pyspark.sql.functions import lit, raise_error

    broken = df.withColumn("more", raise_error(lit("it was read")))
    assert len(score(broken, models["columns"], columns=["id"]).collect()) == N
    with pytest.raises(pyspark.errors.PySparkException, match="it was read"):
        score(broken, models["columns"]).collect()


@pytest.mark.parametrize("large", ["false", "true"])
def test_numbers_may_be_of_any_type_and_in_texts(session, models, large):
    name = "spark.sql.execution.arrow.useLargeVarTypes"
    rows = session.sql(
        "select 1L as id, 'a good pan' as title, 'it' as body, ' 1.5 ' as price, 'de' as country, "
        "cast(3 as tinyint) as stars union all select 2L, null, null, '', 'fr', cast(1 as tinyint)"
    ).coalesce(1)
    session.conf.set(name, large)
    try:
        found = predictions(score(rows, models["columns"]))
    finally:
        session.conf.set(name, "false")
    parsed = pd.DataFrame(rows.sort("id").collect(), columns=rows.columns).assign(price=[1.5, np.nan])
    assert found == labels(models["columns"], "columns", parsed)


def test_vectors_of_doubles_and_batches_of_one_row(session, models):
    frame = session.createDataFrame([(1, [0.5, 1.0, 2.0, 0.0])], "id long, v array<double>")
    expected = models["vectors"].predict(np.array([[0.5, 1.0, 2.0, 0.0]])).tolist()
    assert predictions(score(frame, models["vectors"], vector_column="v")) == expected


def test_empty_partitions(df, models):
    assert score(df.filter("id < 0"), models["columns"]).collect() == []
    assert score(df.filter("id < 0"), models["vectors"], vector_column="v").collect() == []


# how the model travels


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("name", ["columns", "vectors"])
def test_a_folder_of_save_pipeline_goes_as_the_model_does(session, df, models, tmp_path, name, shared):
    path = save_pipeline(models[name], tmp_path / "model")
    before = session.sparkContext.listArchives
    found = predictions(score(df, path, shared=shared, **NAMED.get(name, {})))
    assert found == labels(models[name], name)
    if shared:
        assert session.sparkContext.listArchives == before


def test_a_folder_of_a_pipeline_that_folds_is_compiled(session, df, tmp_path):
    session.sparkContext.environment.pop("WITH_SKLEARN")
    pipeline = of_texts(pooling="mean")
    path = save_pipeline(pipeline, tmp_path / "model")
    assert predictions(score(df, path, "title")) == labels(pipeline, "texts")


def test_executors_without_scikit_learn_are_told_that_the_model_needs_it(session, df, models):
    session.sparkContext.environment.pop("WITH_SKLEARN")
    with pytest.raises(pyspark.errors.PythonException, match=r"No module named .*\n.*that do not fold"):
        score(df, models["texts"], "title").collect()


def test_a_model_is_shipped_once_and_loaded_once_a_process(session, df, tmp_path):
    def loaded(batches):
        import os
        import time

        list(batches)
        time.sleep(0.5)  # so that one process cannot serve both partitions
        ours = sys.modules.get("embtransfer.spark")
        yield pa.RecordBatch.from_pydict(
            {"pid": [os.getpid()], "loaded": [ours._load.cache_info().misses if ours else 0]}
        )

    def processes():
        rows = session.range(0, 2, 1, 2).mapInArrow(loaded, "pid long, loaded long").collect()
        return dict(map(tuple, rows))

    model = of_texts("mean_max_min")
    before = len(session.sparkContext.listArchives)
    for _ in range(2):
        score(df, model, "title").collect()
    first = processes()
    for each in (model, save_pipeline(model, tmp_path / "model")):
        score(df, each, "title", proba=True).collect()
    assert processes() == first
    assert min(first.values()) >= 1
    assert len(session.sparkContext.listArchives) == before + 1


def test_a_shared_folder_that_holds_another_model_when_the_tasks_run_is_refused(df, tmp_path):
    path = save_pipeline(of_texts(), tmp_path / "model")
    result = score(df, path, "title", shared=True)
    save_pipeline(of_texts("mean_max_min"), path, overwrite=True)
    with pytest.raises(pyspark.errors.PythonException, match="holds another model than when"):
        result.collect()


# types of other packages


def test_functions_of_a_module_go_where_they_are_trusted(session, df, tmp_path, monkeypatch):
    (tmp_path / "own_steps.py").write_text("def title_of(table):\n    return table['title'].fillna('')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    session.sparkContext.addPyFile(str(tmp_path / "own_steps.py"))
    own = importlib.import_module("own_steps")
    part = ("own", make_pipeline(FunctionTransformer(own.title_of), TfidfVectorizer()), ["title", "body"])
    model = of_columns(part)
    with pytest.raises(ValueError, match=r"holds own_steps\.title_of\..*trusted=\['own_steps"):
        score(df, model)
    found = predictions(score(df, model, trusted=["own_steps.title_of"]))
    assert found == labels(model, "columns")


def test_a_function_of_the_main_module_is_refused_even_if_trusted(df, monkeypatch):
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "shout", str.upper, raising=False)
    exec("def shout(texts): return [text.upper() for text in texts]", main.__dict__)
    model = make_pipeline(FunctionTransformer(main.shout), TfidfVectorizer(), LogisticRegression())
    model.fit(TABLE["title"], Y)
    for trusted in ((), ["__main__.shout"]):
        with pytest.raises(ValueError, match=r"holds __main__\.shout\..*What __main__ holds"):
            score(df, model, "title", trusted=trusted)


# errors


@pytest.mark.parametrize(
    ("name", "kinds", "options", "message"),
    [
        ("columns", {"price": None}, {}, "Got column 'price', but the DataFrame has columns: id"),
        ("columns", {"price": "date"}, {}, r"'price' of date\. Expected double.*cast\('double'\)"),
        ("columns", {"price": "decimal(9,2)"}, {}, r"'price' of decimal\(9,2\)\. Expected double"),
        ("columns", {"stars": "array<int>"}, {}, r"'stars' of array<int>\. Expected double"),
        ("columns", {"title": "int"}, {}, r"'title' of int\. Expected string"),
        (
            "columns",
            {},
            {"text_column": "review"},
            "text_column='review' .* model of the columns title",
        ),
        ("both", {}, {"vector_column": "w"}, "Got vector_column='w' .* model of the columns title, v"),
        ("both", {"v": "string"}, {}, r"'v' of string\. Expected array<float>.*cast\('array<float>'\)"),
        ("vectors", {}, {}, "model of vectors of 4 numbers, and no column of them"),
        ("vectors", {}, {"vector_column": "w"}, "Got vector_column .* 'w', but the DataFrame has columns"),
        ("vectors", {}, {"vector_column": "price"}, r"'price' of double\. Expected array<float>"),
        ("vectors", {"v": "array<string>"}, {"vector_column": "v"}, r"'v' of array<string>\. Expected array"),
        ("texts", {}, {"vector_column": "v"}, "vector_column='v' .* and a model of texts"),
    ],
)
def test_columns_that_the_schema_shows_to_be_wrong(df, models, name, kinds, options, message):
    taken = [f"cast(null as {kinds[one]}) as {one}" if kinds.get(one) else one for one in df.columns]
    taken = [one for one in taken if kinds.get(one, "") is not None]
    with pytest.raises((TypeError, ValueError), match=message):
        score(df.selectExpr(*taken), models[name], **options)


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("vectors", "v", "array(1f, 2f)", "got 2 numbers in 'v', expected 4"),
        ("columns", "price", "'4 euros'", r"got '4 euros' in 'price'\. Expected a number"),
    ],
)
def test_a_row_that_is_wrong_is_an_error_that_says_why(df, models, name, column, value, message):
    rest = "cast(price as string)" if column == "price" else column
    odd = f"if(id = 150, {value}, {rest}) as {column}"
    df = df.selectExpr(*(odd if each == column else each for each in df.columns))
    message = rf"ValueError: A row of the DataFrame: {message}\. Mend such rows"
    with pytest.raises(pyspark.errors.PythonException, match=message):
        score(df, models[name], **NAMED.get(name, {})).collect()
