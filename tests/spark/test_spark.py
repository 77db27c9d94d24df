"""spark.score: in a real local Spark session, every row and column comes out as score_file writes it."""

import datetime
import doctest
import importlib
import os
import shutil
import subprocess
import sys
from functools import reduce
from pathlib import Path
from types import SimpleNamespace

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

import embtransfer.spark
from embtransfer import (
    DomainCentering,
    VectorEmbedder,
    WordEmbedder,
    compile_pipeline,
    make_classifier,
    make_recipe,
    make_transfer_pipeline,
    save_pipeline,
    score_file,
)
from embtransfer.spark import score
from tests.spark.marks import SPARK

pyspark = pytest.importorskip("pyspark")
pytestmark = SPARK

TEXTS = ["a good film", "a bad film", "great plot", "terrible actor", "fine story", "awful script"]


def fit(labels, classifier="logistic", **embedder):
    pipeline = make_transfer_pipeline(
        WordEmbedder(**embedder), DomainCentering(), make_classifier(classifier)
    )
    y = np.resize(np.asarray(labels), len(TEXTS))
    return pipeline.fit(TEXTS, y, X_target=["a good pan", "a bad pan", "great knife"])


MODELS = {
    "three": lambda: fit(["gut", "schlecht", "größer"]),
    "int": lambda: fit([1, 0]),
    "int8": lambda: fit(np.array([3, 7, 5], np.int8)),
    "bool": lambda: fit([True, False]),
    "float": lambda: fit([1.0, 2.0]),
}


@pytest.fixture(scope="module")
def models():
    return {name: compile_pipeline(make()) for name, make in MODELS.items()}


@pytest.fixture(scope="module")
def model(models):
    return models["three"]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    words = "good bad film plot terrible actor fine story awful xyzzy é 日本 👍 Straße İ".split()  # noqa: SIM905
    n = 600
    texts = [" ".join(rng.choice(words, size)) for size in rng.integers(1, 40, n)]
    texts[0], texts[1], texts[2], texts[3], texts[-1] = None, "", 'a\nb, "c"', "film " * 200_000, None
    kind = pa.timestamp("us", "UTC")
    first = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    return pa.table(
        {
            "id": np.arange(n),
            "text": texts,
            "a.b": [None if i % 3 else i / 7 for i in range(n)],
            "time": pa.array([first + datetime.timedelta(hours=i) for i in range(n)], kind),
            "tags": [["x", None], [], None, ["é"]] * (n // 4),
        }
    )


@pytest.fixture(scope="module")
def source(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "in.parquet"
    pq.write_table(table, path, row_group_size=100)
    return path


@pytest.fixture(scope="module")
def df(session, source):
    return session.read.parquet(str(source)).repartition(4).cache()


def arrow(df):
    """A DataFrame's rows by id, as Arrow."""
    from pyspark.sql.pandas.types import to_arrow_type
    from pyspark.sql.types import TimestampType

    rows = df.collect()
    columns = []
    for i, field in enumerate(df.schema):
        is_time = isinstance(field.dataType, TimestampType)
        kind = pa.timestamp("us", "UTC") if is_time else to_arrow_type(field.dataType)
        values = [row[i].astimezone(datetime.UTC) if is_time else row[i] for row in rows]
        columns.append(pa.array(values, kind))
    found = pa.table(columns, df.columns)
    return found.sort_by("id") if "id" in found.schema.names else found


def small(session, texts):
    """A frame of one partition."""
    from pyspark.sql.types import LongType, StringType, StructField, StructType

    schema = StructType([StructField("id", LongType()), StructField("text", StringType())])
    return session.createDataFrame(list(enumerate(texts)), schema).coalesce(1)


def processes(session):
    """Process -> (models loaded, whether scikit-learn was) of the Python processes of the two task slots."""

    def probe(batches):
        import time

        list(batches)
        time.sleep(0.5)  # so that one process cannot serve both partitions
        ours = sys.modules.get("embtransfer.spark")
        misses = ours._load.cache_info().misses if ours else 0
        seen = [os.getpid()], [misses], ["sklearn" in sys.modules]
        yield pa.RecordBatch.from_arrays(list(map(pa.array, seen)), ["pid", "loaded", "sklearn"])

    rows = session.range(0, 2, 1, 2).mapInArrow(probe, "pid long, loaded long, sklearn boolean").collect()
    return {pid: (loaded, sklearn) for pid, loaded, sklearn in rows}


# what comes out


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"proba": True, "top_k": 3, "output_column": "la bel.é"},
        {"columns": ["tags", "id"], "margin": True, "reject_below": 0.7, "top_k": 2, "batch_size": 37},
    ],
    ids=lambda options: ",".join(options) or "label",
)
def test_every_row_and_column_is_that_of_score_file(df, source, model, tmp_path, options):
    score_file(model, source, tmp_path / "out.parquet", model_id="a model", **options)
    expected = pq.read_table(tmp_path / "out.parquet")
    if "id" in expected.schema.names:
        expected = expected.sort_by("id")
    found = arrow(score(df, model, **options))
    assert found.schema.names == expected.schema.names
    assert found.schema.types == expected.schema.types
    assert found.equals(expected)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "three"])  # which the test above has
def test_labels_keep_their_type(session, models, tmp_path, name):
    options = {"columns": ["id"], "top_k": 1}
    pq.write_table(pa.table({"id": range(len(TEXTS)), "text": TEXTS}), tmp_path / "in.parquet")
    score_file(models[name], tmp_path / "in.parquet", tmp_path / "out.parquet", **options)
    found = arrow(score(small(session, TEXTS), models[name], **options))
    expected = pq.read_table(tmp_path / "out.parquet")
    assert found.schema.types == expected.schema.types
    assert found.equals(expected)


def test_unsigned_labels_are_int64(session):
    pipeline = fit(np.array([250, 7], np.uint8))
    found = arrow(score(small(session, TEXTS), pipeline, columns=[]))
    assert found.schema.types == [pa.int64()]
    assert found["prediction"].to_pylist() == pipeline.predict(TEXTS).tolist()


def test_many_and_empty_partitions(session, model):
    n_rows = 13  # partitions of five rows: two are full, one has three, nine have none
    expression = "if(id % 5 = 0, null, concat('a good é ', id)) as text"
    frame = session.range(0, 60, 1, 12).filter(f"id < {n_rows}").selectExpr("id", expression)
    result = score(frame, model)
    assert result.rdd.getNumPartitions() == 12
    texts = [f"a good é {i}" if i % 5 else None for i in range(n_rows)]
    found = arrow(result)
    assert found.schema.names == ["id", "text", "prediction"]
    assert found["text"].to_pylist() == texts
    assert found["prediction"].to_pylist() == model.predict(texts).tolist()


@pytest.mark.parametrize(("rows_a_batch", "batch_size"), [(1, 1_000_000), (7, 3)])
def test_sizes_of_batches_change_nothing(session, model, rows_a_batch, batch_size):
    texts = TEXTS * 5
    name = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = session.conf.get(name)
    session.conf.set(name, rows_a_batch)
    try:
        found = arrow(score(small(session, texts), model, batch_size=batch_size))
    finally:
        session.conf.set(name, before)
    assert found["prediction"].to_pylist() == model.predict(texts).tolist()


def test_order_of_rows_within_partitions(session, model):
    frame = session.range(0, 22_000, 1, 2).selectExpr("id", "cast(id as string) as text")
    rows = score(frame, model).select("id").collect()
    assert [row.id for row in rows] == list(range(22_000))


def test_large_strings(session, model):
    name = "spark.sql.execution.arrow.useLargeVarTypes"
    session.conf.set(name, "true")
    try:
        found = arrow(score(small(session, [*TEXTS, None]), model))
    finally:
        session.conf.set(name, "false")
    assert found["prediction"].to_pylist() == model.predict([*TEXTS, None]).tolist()


def test_a_text_column_of_nothing_but_null(session, model):
    found = arrow(score(session.sql("select id, null as text from range(5)"), model))
    assert found["prediction"].to_pylist() == model.predict([None] * 5).tolist()


def test_the_result_is_an_ordinary_frame(df, model):
    labels = score(df, model, columns=["id"]).groupBy("prediction").count().collect()
    assert sum(row["count"] for row in labels) == 600
    assert {row.prediction for row in labels} <= set(model.classes_.tolist())


# how the model travels


def test_two_processes_serve_and_load_each_model_once(session, df, model):
    for _ in range(2):
        assert len(score(df, model).collect()) == 600
    before = processes(session)
    assert len(before) == 2
    assert min(loaded for loaded, _ in before.values()) >= 1
    score(df, model, proba=True).collect()
    assert processes(session) == before
    assert not any(sklearn for _, sklearn in before.values())


def test_scikit_learn_is_blocked_in_the_processes(session):
    def probe(batches):
        list(batches)
        try:
            importlib.import_module("sklearn")
        except ModuleNotFoundError as error:
            yield pa.RecordBatch.from_pydict({"error": [str(error)]})

    (row,) = session.range(1).coalesce(1).mapInArrow(probe, "error string").collect()
    assert row.error == "No module named 'sklearn': it is blocked"


def test_a_model_is_shipped_once(session, tmp_path):
    pipeline = fit(["once", "twice"])
    frame = small(session, TEXTS)
    before = len(session.sparkContext.listArchives)
    path = compile_pipeline(pipeline).save(tmp_path / "model")
    results = [score(frame, each) for each in (pipeline, compile_pipeline(pipeline), path, str(path))]
    rows = reduce(pyspark.sql.DataFrame.union, results).collect()  # one job
    assert [row.prediction for row in rows] == pipeline.predict(TEXTS).tolist() * 4
    assert len(session.sparkContext.listArchives) == before + 1


def test_a_model_in_memory_stays_there(session):
    compiled = compile_pipeline(fit(["good", "bad"]))
    score(small(session, TEXTS), compiled)
    assert compiled._path is None


def test_a_shipped_model_outlives_its_folder(session, tmp_path):
    pipeline = fit(["here", "gone"])
    path = compile_pipeline(pipeline).save(tmp_path / "model")
    result = score(small(session, TEXTS), path)
    shutil.rmtree(path)
    assert arrow(result)["prediction"].to_pylist() == pipeline.predict(TEXTS).tolist()


def test_what_is_pickled_is_small(session, df, model):
    plan = score(df, model, proba=True, top_k=2)._jdf.queryExecution().logical()
    function = plan.functionExpr().func().command()
    command = bytes(function.toArray(session._jvm.scala.reflect.ClassTag.Byte()))
    assert b"_Scorer" in command
    assert b"sklearn" not in command
    assert len(command) < 10_000


def test_a_shared_folder_is_not_shipped(session, tmp_path, model):
    path = model.save(tmp_path / "model")
    before = session.sparkContext.listArchives
    found = arrow(score(small(session, TEXTS), path, shared=True))
    assert found["prediction"].to_pylist() == model.predict(TEXTS).tolist()
    assert session.sparkContext.listArchives == before


def test_importing_is_light():
    code = (
        "import sys, embtransfer.spark; print({'sklearn', 'pyspark', 'numba', 'pandas'} & set(sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(embtransfer.spark.__file__).parents[1])}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert run.stdout == "set()\n"


# errors


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"text_column": "review"},
            ValueError,
            r"Got text_column .* 'review', but the DataFrame has columns: id, text, a\.b, time, tags",
        ),
        ({"columns": ["id", "nr"]}, ValueError, r"Got column 'nr', but the DataFrame has columns: id, text"),
        ({"output_column": "text"}, ValueError, r"The input has a column 'text' already"),
        ({"output_column": "a.b"}, ValueError, r"The input has a column 'a\.b' already"),
        ({"text_column": "id"}, TypeError, r"Got column 'id' of bigint\. Expected string.*cast\('string'\)"),
        ({"text_column": "tags"}, TypeError, r"Got column 'tags' of array<string>\. Expected string"),
        ({"text_column": "time"}, TypeError, r"Got column 'time' of timestamp\. Expected string"),
        ({"batch_size": 0}, ValueError, r"Got batch_size=0\. Expected at least 1"),
        ({"top_k": 4}, ValueError, r"Got top_k=4. Expected 1 to 3, the number of classes"),
        ({"shared": True}, ValueError, r"Got shared=True with a CompiledPipeline\. Expected the path"),
    ],
)
def test_errors_come_before_any_task(df, model, options, error, message):
    with pytest.raises(error, match=message):
        score(df, model, **options)


def test_a_column_twice(session, model):
    with pytest.raises(ValueError, match="the DataFrame has more than one column named text"):
        score(session.sql("select 'a' as text, 'b' as text"), model)


def test_proba_of_a_model_without(df):
    with pytest.raises(AttributeError, match="no predict_proba"):
        score(df, fit(["good", "bad"], "svm"), proba=True)


@pytest.mark.parametrize("frame", [pd.DataFrame({"text": ["a"]}), "in.parquet"], ids=["pandas", "path"])
def test_no_spark_frame(model, frame):
    with pytest.raises(TypeError, match=r"Got a .*(DataFrame|str)\. Expected a Spark DataFrame"):
        score(frame, model)


def test_no_model_folder(df, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no model folder .*nowhere"):
        score(df, tmp_path / "nowhere")
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match=r"other holds no config\.json"):
        score(df, tmp_path / "other")


def damage(folder):
    tensors = folder / "tensors.safetensors"
    data = bytearray(tensors.read_bytes())
    data[-1] ^= 1
    tensors.write_bytes(data)


def test_damage_before(df, model, tmp_path):
    damage(model.save(tmp_path / "model"))
    with pytest.raises(ValueError, match=r"tensors\.safetensors is not the file that was saved"):
        score(df, tmp_path / "model")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damage, r"tensors\.safetensors is not the file that was saved"),
        (shutil.rmtree, "There is no model folder .*model"),
        (
            lambda path: compile_pipeline(fit(["x", "y"])).save(path, overwrite=True),
            "holds another model",
        ),
    ],
    ids=["damaged", "gone", "another"],
)
def test_a_shared_folder_that_changes_before_the_tasks(session, tmp_path, change, message):
    path = compile_pipeline(fit([str(tmp_path), "other"])).save(tmp_path / "model")  # no process knows it
    result = score(small(session, TEXTS), path, shared=True)
    change(path)
    with pytest.raises(pyspark.errors.PythonException, match=message):
        result.collect()


def test_spark_connect_is_told_what_to_do(df, model):
    """Its sessions have no sparkContext; a session of its own would need grpcio."""
    frame = SimpleNamespace(
        columns=df.columns, schema=df.schema, mapInArrow=df.mapInArrow, sparkSession=SimpleNamespace()
    )
    with pytest.raises(RuntimeError, match=r"Spark Connect.* pass that path with shared=True"):
        score(frame, model)


# models that do not fold

RNG = np.random.default_rng(0)
N = 60
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


def predictions(result):
    return [row.prediction for row in sorted(result.collect(), key=lambda row: row.id)]


def labels(model, name, rows=ROWS):
    """Of predict, which takes no missing texts in steps of scikit-learn."""
    rows = rows.assign(title=rows["title"].fillna(""), body=rows["body"].fillna(""))
    if name in NAMED:
        rows = np.stack(rows["v"]) if name == "vectors" else rows["title"]
    return model.predict(rows).tolist()


@pytest.fixture(scope="module")
def pipelines():
    return {name: make() for name, make in MAKE.items()}


@pytest.fixture(scope="module")
def wide_source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "in.parquet"
    ROWS.to_parquet(path, row_group_size=20)
    return path


@pytest.fixture(scope="module")
def wide(session, wide_source):
    return session.read.parquet(str(wide_source)).repartition(3).cache()


class TestPipelinesThatDoNotFold:
    """Models of several columns, of vectors, of texts pooled otherwise, go as folders of save_pipeline."""

    @pytest.fixture(autouse=True)
    def with_sklearn(self, session):
        session.sparkContext.environment["WITH_SKLEARN"] = "1"
        yield
        session.sparkContext.environment.pop("WITH_SKLEARN", None)

    # what comes out

    @pytest.mark.parametrize("name", MAKE)
    def test_rows_get_what_score_file_and_predict_give(self, wide, wide_source, pipelines, tmp_path, name):
        more = {"proba": True, "top_k": 1, "margin": True, "batch_size": 7}
        options = more | NAMED.get(name, {}) | {"columns": ["id", "body"]}
        score_file(pipelines[name], wide_source, tmp_path / "out.parquet", **options)
        expected = pq.read_table(tmp_path / "out.parquet").to_pandas()
        result = score(wide, pipelines[name], **options)
        assert result.columns == expected.columns.tolist()
        found = pd.DataFrame([row.asDict() for row in result.collect()], columns=result.columns)
        found = found.sort_values("id", ignore_index=True)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)
        assert found["prediction"].tolist() == labels(pipelines[name], name)

    def test_only_columns_that_the_model_wants_or_that_are_carried_are_read(self, wide, pipelines):
        from pyspark.sql.functions import lit, raise_error

        broken = wide.withColumn("more", raise_error(lit("it was read")))
        assert len(score(broken, pipelines["columns"], columns=["id"]).collect()) == N
        with pytest.raises(pyspark.errors.PySparkException, match="it was read"):
            score(broken, pipelines["columns"]).collect()

    @pytest.mark.parametrize("large", ["false", "true"])
    def test_numbers_may_be_of_any_type_and_in_texts(self, session, pipelines, large):
        name = "spark.sql.execution.arrow.useLargeVarTypes"
        rows = session.sql(
            "select 1L as id, 'a good pan' as title, 'it' as body, ' 1.5 ' as price, 'de' as country, "
            "cast(3 as tinyint) as stars union all select 2L, null, null, '', 'fr', cast(1 as tinyint)"
        ).coalesce(1)
        session.conf.set(name, large)
        try:
            found = predictions(score(rows, pipelines["columns"]))
        finally:
            session.conf.set(name, "false")
        parsed = pd.DataFrame(rows.sort("id").collect(), columns=rows.columns).assign(price=[1.5, np.nan])
        assert found == labels(pipelines["columns"], "columns", parsed)

    def test_vectors_of_doubles_and_batches_of_one_row(self, session, pipelines):
        frame = session.createDataFrame([(1, [0.5, 1.0, 2.0, 0.0])], "id long, v array<double>")
        expected = pipelines["vectors"].predict(np.array([[0.5, 1.0, 2.0, 0.0]])).tolist()
        assert predictions(score(frame, pipelines["vectors"], vector_column="v")) == expected

    def test_empty_partitions(self, wide, pipelines):
        none = wide.filter("id < 0")
        results = score(none, pipelines["columns"]), score(none, pipelines["vectors"], vector_column="v")
        assert results[0].union(results[1]).collect() == []

    # how the model travels

    @pytest.mark.parametrize(("name", "shared"), [("columns", False), ("vectors", True)])
    def test_a_folder_of_save_pipeline_goes_as_the_model_does(
        self, session, wide, pipelines, tmp_path, name, shared
    ):
        path = save_pipeline(pipelines[name], tmp_path / "model")
        before = session.sparkContext.listArchives
        found = predictions(score(wide, path, shared=shared, **NAMED.get(name, {})))
        assert found == labels(pipelines[name], name)
        if shared:
            assert session.sparkContext.listArchives == before

    def test_a_folder_of_a_pipeline_that_folds_is_compiled(self, session, wide, tmp_path):
        session.sparkContext.environment.pop("WITH_SKLEARN")
        pipeline = of_texts(pooling="mean")
        path = save_pipeline(pipeline, tmp_path / "model")
        assert predictions(score(wide, path, "title")) == labels(pipeline, "texts")

    def test_executors_without_scikit_learn_are_told_that_the_model_needs_it(self, session, wide, pipelines):
        session.sparkContext.environment.pop("WITH_SKLEARN")
        with pytest.raises(pyspark.errors.PythonException, match=r"No module named .*\n.*that do not fold"):
            score(wide, pipelines["texts"], "title").collect()

    def test_a_model_is_shipped_once_and_loaded_once_a_process(self, session, wide, tmp_path):
        model = of_texts("mean_max_min")
        before = len(session.sparkContext.listArchives)
        for _ in range(2):
            score(wide, model, "title").collect()
        first = processes(session)
        for each in (model, save_pipeline(model, tmp_path / "model")):
            score(wide, each, "title", proba=True).collect()
        assert processes(session) == first
        assert min(loaded for loaded, _ in first.values()) >= 1
        assert len(session.sparkContext.listArchives) == before + 1

    # types of other packages

    def test_functions_of_a_module_go_where_they_are_trusted(self, session, wide, tmp_path, monkeypatch):
        (tmp_path / "own_steps.py").write_text("def title_of(table):\n    return table['title'].fillna('')\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        session.sparkContext.addPyFile(str(tmp_path / "own_steps.py"))
        own = importlib.import_module("own_steps")
        part = ("own", make_pipeline(FunctionTransformer(own.title_of), TfidfVectorizer()), ["title", "body"])
        model = of_columns(part)
        with pytest.raises(ValueError, match=r"holds own_steps\.title_of\..*trusted=\['own_steps"):
            score(wide, model)
        found = predictions(score(wide, model, trusted=["own_steps.title_of"]))
        assert found == labels(model, "columns")

    def test_a_function_of_the_main_module_is_refused_even_if_trusted(self, wide, monkeypatch):
        main = sys.modules["__main__"]
        monkeypatch.setattr(main, "shout", str.upper, raising=False)
        exec("def shout(texts): return [text.upper() for text in texts]", main.__dict__)
        model = make_pipeline(FunctionTransformer(main.shout), TfidfVectorizer(), LogisticRegression())
        model.fit(TABLE["title"], Y)
        for trusted in ((), ["__main__.shout"]):
            with pytest.raises(ValueError, match=r"holds __main__\.shout\..*What __main__ holds"):
                score(wide, model, "title", trusted=trusted)

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
            (
                "vectors",
                {},
                {"vector_column": "w"},
                "Got vector_column .* 'w', but the DataFrame has columns",
            ),
            ("vectors", {}, {"vector_column": "price"}, r"'price' of double\. Expected array<float>"),
            (
                "vectors",
                {"v": "array<string>"},
                {"vector_column": "v"},
                r"'v' of array<string>\. Expected array",
            ),
            ("texts", {}, {"vector_column": "v"}, "vector_column='v' .* and a model of texts"),
        ],
    )
    def test_columns_that_the_schema_shows_to_be_wrong(self, wide, pipelines, name, kinds, options, message):
        taken = [f"cast(null as {kinds[one]}) as {one}" if kinds.get(one) else one for one in wide.columns]
        taken = [one for one in taken if kinds.get(one, "") is not None]
        with pytest.raises((TypeError, ValueError), match=message):
            score(wide.selectExpr(*taken), pipelines[name], **options)

    @pytest.mark.parametrize(
        ("name", "column", "value", "message"),
        [
            ("vectors", "v", "array(1f, 2f)", "got 2 numbers in 'v', expected 4"),
            ("columns", "price", "'4 euros'", r"got '4 euros' in 'price'\. Expected a number"),
        ],
    )
    def test_a_row_that_is_wrong_is_an_error_that_says_why(
        self, wide, pipelines, name, column, value, message
    ):
        rest = "cast(price as string)" if column == "price" else column
        odd = f"if(id = 50, {value}, {rest}) as {column}"
        wide = wide.selectExpr(*(odd if each == column else each for each in wide.columns))
        message = rf"ValueError: A row of the DataFrame: {message}\. Mend such rows"
        with pytest.raises(pyspark.errors.PythonException, match=message):
            score(wide, pipelines[name], **NAMED.get(name, {})).collect()


# documentation


def test_the_example(session):
    (example,) = [test for test in doctest.DocTestFinder().find(score, "score") if test.examples]
    for line in example.examples:
        line.options.clear()  # skipped where modules are collected without Spark
    runner = doctest.DocTestRunner()
    runner.run(example)
    assert runner.summarize().failed == 0
    assert runner.tries == 7
