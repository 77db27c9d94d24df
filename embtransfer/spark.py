"""Score Spark DataFrames with a compiled pipeline, in Arrow batches."""

import os
import secrets
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pyarrow as pa

from ._types import Estimator
from .compiled import CompiledPipeline
from .scoring._model_columns import ModelColumns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["score"]


def score(
    df: "DataFrame",
    model: Estimator,
    text_column: str = "text",
    *,
    output_column: str = "prediction",
    proba: bool = False,
    top_k: int | None = None,
    margin: bool = False,
    reject_below: float | None = None,
    columns: Sequence[str] | None = None,
    shared: bool = False,
    batch_size: int = 10_000,
) -> "DataFrame":
    """Predict a label for each row of a Spark DataFrame and return it with the predictions added.

    The executors run the kernels of the compiled pipeline on Arrow batches. They need pyspark, pyarrow,
    numpy, numba and embtransfer, and no scikit-learn. The columns are those that `score_file` adds.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
    model : CompiledPipeline, path of its folder, or fitted pipeline
        A fitted pipeline is compiled first. The model goes to each executor once, and each of its Python
        processes maps it into memory once; tasks carry its name and checksum.
    text_column : str, default="text"
        The column with the texts. Null is an empty text.
    output_column : str, default="prediction"
        The column with the labels.
    proba : bool, default=False
        Also add the probability of each class, as `<output_column>_<class>`.
    top_k : int, default=None
        Also add the k most probable labels and their probabilities, as `<output_column>_1`,
        `<output_column>_1_proba`, `<output_column>_2`, ...
    margin, reject_below
        As in `score_file`: also add `confidence` and `margin`; labels that are null below a confidence.
    columns : list of str, default=None
        Columns to carry through: None all, [] none. All of them pass through Python: carry what you need.
    shared : bool, default=False
        Whether `model` is a folder that every executor sees under this path, such as on a shared file system.
        It is read from there, and nothing is shipped.
    batch_size : int, default=10_000
        Rows scored at a time, at most: bounds the memory of a batch's scores. What Spark hands over has
        at most `spark.sql.execution.arrow.maxRecordsPerBatch` rows, 10,000 by default.

    Returns
    -------
    pyspark.sql.DataFrame
        Lazy, with the partitions and the order of rows of `df`. Labels of unsigned integers are int64.

    Raises
    ------
    TypeError
        If `df` is no Spark DataFrame, or the text column holds something else.
    ValueError
        If a column is missing or there already, a step of the pipeline does not fold (`CannotFold`), or the
        model's folder is damaged.
    AttributeError
        If the model lacks the probabilities that are asked for.
    FileNotFoundError
        If there is no model folder.
    RuntimeError
        If the session has no SparkContext (Spark Connect) and `shared` is False.

    See Also
    --------
    embtransfer.score_file : The same for files, on one machine.
    embtransfer.compile_pipeline : Folds a fitted pipeline.

    Notes
    -----
    The model travels by `SparkContext.addArchive`, which also serves executors that start later; `addFile`
    takes a local folder in local mode alone. Numba compiles the kernels in the first task on a machine, which
    takes some seconds, and keeps them beside the package or in the user's cache: where executors may write to
    neither, set `NUMBA_CACHE_DIR` for them.

    Examples
    --------
    >>> from embtransfer import WordEmbedder, make_classifier, make_transfer_pipeline, spark
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), make_classifier("ridge"))
    >>> _ = pipeline.fit(["good pan", "bad pan"], ["+", "-"])
    >>> from pyspark.sql import SparkSession  # doctest: +SKIP
    >>> session = SparkSession.builder.getOrCreate()  # doctest: +SKIP
    >>> df = session.createDataFrame([("good pan",), ("bad pan",)], ["text"])  # doctest: +SKIP
    >>> spark.score(df, pipeline).show()  # doctest: +SKIP
    +--------+----------+
    |    text|prediction|
    +--------+----------+
    |good pan|         +|
    | bad pan|         -|
    +--------+----------+
    <BLANKLINE>
    """
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import CharType, NullType, StringType, StructField, StructType, VarcharType

    if not hasattr(df, "mapInArrow"):
        raise TypeError(f"Got a {type(df).__module__}.{type(df).__qualname__}. Expected a Spark DataFrame.")
    if batch_size < 1:
        raise ValueError(f"Got batch_size={batch_size}. Expected at least 1.")
    from .tables import check_columns
    from .tables._rows import check_added

    names = df.columns
    carried = names if columns is None else list(columns)
    check_columns(Path("the DataFrame"), names, [text_column, *carried])
    kind = df.schema[text_column].dataType
    if not isinstance(kind, StringType | CharType | VarcharType | NullType):
        raise TypeError(
            f"Got column {text_column!r} of {kind.simpleString()}. Expected string: convert it with "
            f"df.withColumn({text_column!r}, df[{text_column!r}].cast('string'))."
        )
    compiled = _compiled(model, shared)
    options = output_column, proba, top_k, False, batch_size, margin, reject_below
    added = _signed(ModelColumns(compiled, *options).schema)
    check_added(carried, added.names)
    fields = [df.schema[name] for name in carried]
    fields += [StructField(field.name, from_arrow_type(field.type)) for field in added]

    place, checksum = (os.path.abspath(model), compiled._checksum) if shared else _ship(df, compiled)
    wanted = list(dict.fromkeys([*carried, text_column]))
    at = [wanted.index(name) for name in carried]
    scorer = _Scorer(place, shared, checksum, wanted.index(text_column), at, carried, options)
    # by position: mapInArrow takes a dot in a column's name for a field of a struct
    numbered = df.toDF(*map(str, range(len(names))))
    numbered = numbered.select([str(names.index(name)) for name in wanted])
    return numbered.mapInArrow(scorer, StructType(fields))


def _compiled(model, shared):
    if isinstance(model, str | os.PathLike):
        return CompiledPipeline.load(model)
    if shared:
        raise ValueError(
            f"Got shared=True with a {type(model).__name__}. Expected the path of a folder that "
            "CompiledPipeline.save made, where every executor sees it."
        )
    if isinstance(model, CompiledPipeline):
        return model
    from .folding import compile_pipeline  # imports scikit-learn

    return compile_pipeline(model)


def _signed(schema):
    """Spark has no unsigned integers."""
    kinds = [pa.int64() if pa.types.is_unsigned_integer(kind) else kind for kind in schema.types]
    return pa.schema(list(zip(schema.names, kinds, strict=True)))


# ---------------------------------------------------------------- the model's way to the executors
# (application, checksum) -> name, folder of the archive: it stays, for executors may start at any time
_SHIPPED: dict = {}


def _ship(df, model):
    """Send a model to all executors, once an application; return its name there and its checksum."""
    context = getattr(df.sparkSession, "sparkContext", None)
    if context is None:
        raise RuntimeError(
            "Got a DataFrame of Spark Connect, whose session cannot ship a model. Save it where all "
            "executors see it (CompiledPipeline.save) and pass that path with shared=True."
        )
    with tempfile.TemporaryDirectory() as folder:
        copy = CompiledPipeline(model._program, model._head, model.classes_)  # the user's keeps its path
        path = copy.save(Path(folder) / "model")
        key = context.applicationId, copy._checksum
        if key not in _SHIPPED:
            name = f"embtransfer-{copy._checksum[:16]}-{secrets.token_hex(4)}"
            kept = tempfile.TemporaryDirectory(prefix="embtransfer-")
            archive = Path(kept.name) / f"{name}.zip"
            with zipfile.ZipFile(archive, "w") as file:  # stored: numbers hardly shrink
                for part in sorted(path.iterdir()):
                    file.write(part, part.name)
            context.addArchive(f"{archive}#{name}")
            _SHIPPED[key] = name, kept
    return _SHIPPED[key][0], key[1]


# ---------------------------------------------------------------- in an executor's Python process
@lru_cache(maxsize=4)
def _load(place, shared, checksum):
    """The model of that checksum, mapped once a process."""
    if not shared:
        from pyspark import SparkFiles

        place = SparkFiles.get(place)
    return CompiledPipeline._load(place, None, checksum)


@dataclass(frozen=True)
class _Scorer:
    """Arrow batches -> the columns carried and those added. Small: it is pickled with every task."""

    place: str
    shared: bool
    checksum: str
    text: int
    carried: list[int]
    names: list[str]
    options: tuple

    def __call__(self, batches):
        for batch in batches:
            columns = ModelColumns(_load(self.place, self.shared, self.checksum), *self.options)
            schema = _signed(columns.schema)
            found = columns(batch.column(self.text), Event())
            arrays = [batch.column(i) for i in self.carried]
            arrays += [found[field.name].cast(field.type) for field in schema]
            yield pa.RecordBatch.from_arrays(arrays, [*self.names, *schema.names])
