"""Score Spark DataFrames in Arrow batches, with a compiled pipeline or one that does not fold."""

import os
import secrets
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ._types import Estimator
from .compiled import CompiledPipeline
from .persistence import load_model, save_pipeline, types_to_trust
from .scoring._model_columns import ModelColumns
from .system._folders import checksum
from .system._model_folders import CONFIG

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["score"]


def score(
    df: "DataFrame",
    model: Estimator,
    text_column: str = "text",
    *,
    vector_column: str | None = None,
    output_column: str = "prediction",
    proba: bool = False,
    top_k: int | None = None,
    margin: bool = False,
    reject_below: float | None = None,
    columns: Sequence[str] | None = None,
    shared: bool = False,
    trusted: Sequence[str] = (),
    batch_size: int = 10_000,
) -> "DataFrame":
    """Predict a label for each row of a Spark DataFrame and return it with the predictions added.

    A pipeline that folds is compiled: executors run it on pyspark, pyarrow, numpy, numba and embtransfer,
    without scikit-learn. One that does not goes as a folder of `save_pipeline`: there they need all that
    embtransfer requires. The columns are those that `score_file` adds.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
    model : fitted pipeline, CompiledPipeline, or path of a folder of either
        Of texts, vectors or several columns. The model goes to each executor once, with its word tables, and
        each of its Python processes loads it once, mapped into memory if it is compiled; tasks carry its
        name and checksum.
    text_column : str, default="text"
        The column with the texts. Null is an empty text. A model of several columns knows its own.
    vector_column : str, default=None
        For a model of vectors, instead of the texts: a column of arrays of numbers.
    output_column : str, default="prediction"
        The column with the labels.
    proba, top_k, margin, reject_below
        As in `score_file`: also add the probability of each class; the k most probable labels and theirs;
        `confidence` and `margin`; labels that are null below a confidence.
    columns : list of str, default=None
        Columns to carry through: None all, [] none. All of them pass through Python: carry what you need.
    shared : bool, default=False
        Whether `model` is a folder that every executor sees under this path, such as on a shared file system.
        It is read from there as it is, and nothing is shipped.
    trusted : sequence of str, default=()
        As in `load_pipeline`, of a model that does not fold: types and functions that executors import.
    batch_size : int, default=10_000
        Rows scored at a time, of the `spark.sql.execution.arrow.maxRecordsPerBatch` that Spark hands over.

    Returns
    -------
    pyspark.sql.DataFrame
        Lazy, with the partitions and the order of rows of `df`. Labels of unsigned integers are int64.

    Raises
    ------
    TypeError
        If `df` is no Spark DataFrame, or a column that the model reads holds something else.
    ValueError
        If a column is missing or there already, or the model wants others, holds types that are not trusted,
        or is damaged. In tasks: if a vector is missing, of another length, or holds NaN or infinity.
    AttributeError, FileNotFoundError, RuntimeError
        If the model lacks the probabilities that are asked for; if there is no model folder; if the session
        has no SparkContext (Spark Connect) and `shared` is False.

    See Also
    --------
    embtransfer.score_file : The same for files, on one machine.
    embtransfer.compile_pipeline : Folds a fitted pipeline, or says which step does not fold.

    Notes
    -----
    The model travels by `SparkContext.addArchive`, which also serves executors that start later. Numba keeps
    kernels beside the package or in the user's cache, after some seconds in the first task: set
    `NUMBA_CACHE_DIR` where executors may write to neither.

    Examples
    --------
    >>> from embtransfer import WordEmbedder, make_classifier, make_transfer_pipeline, spark
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), make_classifier("ridge"))
    >>> _ = pipeline.fit(["good pan", "bad pan"], ["+", "-"])
    >>> from pyspark.sql import SparkSession  # doctest: +SKIP
    >>> session = SparkSession.builder.getOrCreate()  # doctest: +SKIP
    >>> df = session.createDataFrame([("good pan",), ("bad pan",)], ["text"])  # doctest: +SKIP
    >>> [row.prediction for row in spark.score(df, pipeline).collect()]  # doctest: +SKIP
    ['+', '-']
    """
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType

    if not hasattr(df, "mapInArrow"):
        raise TypeError(f"Got a {type(df).__module__}.{type(df).__qualname__}. Expected a Spark DataFrame.")
    if batch_size < 1:
        raise ValueError(f"Got batch_size={batch_size}. Expected at least 1.")
    from .scoring._model_rows import check_read, row_reader
    from .tables import check_columns
    from .tables._rows import check_added

    names, table = df.columns, Path("the DataFrame")
    carried, trusted = names if columns is None else list(columns), tuple(trusted)
    scored = _model(model, shared, trusted)
    reader = row_reader(scored, text_column, vector_column)
    read = reader.names if reader else [text_column]
    check_read(table, names, reader, text_column)
    check_columns(table, names, carried)
    _check_types(df.schema, read, reader)
    options = output_column, proba, top_k, False, batch_size, margin, reject_below
    added = _signed(ModelColumns(scored, *options).schema)
    check_added(carried, added.names)
    fields = [df.schema[name] for name in carried]
    fields += [StructField(field.name, from_arrow_type(field.type)) for field in added]

    if shared:
        place, sha256 = os.path.abspath(model), checksum(Path(model) / CONFIG)
    else:
        place, sha256 = _ship(df, scored, trusted)
    wanted = list(dict.fromkeys([*carried, *read]))
    read_at, carried_at = ([wanted.index(name) for name in some] for some in (read, carried))
    scorer = _Scorer((place, shared, sha256, trusted), reader, read_at, carried_at, carried, options)
    # by position: mapInArrow takes a dot in a column's name for a field of a struct
    numbered = df.toDF(*map(str, range(len(names))))
    numbered = numbered.select([str(names.index(name)) for name in wanted])
    return numbered.mapInArrow(scorer, StructType(fields))


def _model(model, shared, trusted):
    """The model that executors run, compiled if it folds; of a shared folder what is in it."""
    if isinstance(model, str | os.PathLike):
        model = load_model(model, trusted)
    elif shared:
        raise ValueError(
            f"Got shared=True with a {type(model).__name__}. Expected the path of a folder that "
            "CompiledPipeline.save or save_pipeline made, where every executor sees it."
        )
    if shared or isinstance(model, CompiledPipeline):
        return model
    from .folding import CannotFold, compile_pipeline  # imports scikit-learn

    try:
        return compile_pipeline(model)
    except CannotFold:
        return model


def _check_types(schema, read, reader):
    """Refuse columns of other types than the model reads."""
    from pyspark.sql import types

    texts = types.StringType | types.CharType | types.VarcharType | types.NullType
    numbers = types.IntegralType | types.FloatType | types.DoubleType
    for name in read:
        kind = schema[name].dataType
        if reader is None or name in reader.texts:
            fits, expected = isinstance(kind, texts), "string"
        elif name in reader.numbers:
            fits, expected = isinstance(kind, numbers | types.BooleanType | texts), "double"
        else:
            expected = "array<float>"
            fits = isinstance(kind, types.ArrayType) and isinstance(kind.elementType, numbers)
        if not fits:
            how = f"df[{name!r}].cast({expected!r})"
            if kind.simpleString() == "vector":  # of Spark ML, which cannot be cast
                how = f"pyspark.ml.functions.vector_to_array(df[{name!r}])"
            raise TypeError(
                f"Got column {name!r} of {kind.simpleString()}. Expected {expected}: convert it with "
                f"df.withColumn({name!r}, {how})."
            )


def _signed(schema):
    """Spark has no unsigned integers."""
    kinds = [pa.int64() if pa.types.is_unsigned_integer(kind) else kind for kind in schema.types]
    return pa.schema(list(zip(schema.names, kinds, strict=True)))


# ---------------------------------------------------------------- the model's way to the executors
# (application, checksum) -> name, folder of the archive: it stays, for executors may start at any time
_SHIPPED: dict = {}


def _ship(df, model, trusted):
    """Send a model to all executors, once an application; return its name there and its checksum."""
    context = getattr(df.sparkSession, "sparkContext", None)
    if context is None:
        raise RuntimeError(
            "Got a DataFrame of Spark Connect, whose session cannot ship a model. Save it where all "
            "executors see it (CompiledPipeline.save, save_pipeline) and pass that path with shared=True."
        )
    with tempfile.TemporaryDirectory() as folder:
        path = _save(model, Path(folder) / "model", trusted)
        key = context.applicationId, checksum(path / CONFIG)
        if key not in _SHIPPED:
            name = f"embtransfer-{key[1][:16]}-{secrets.token_hex(4)}"
            kept = tempfile.TemporaryDirectory(prefix="embtransfer-")
            archive = Path(kept.name) / f"{name}.zip"
            with zipfile.ZipFile(archive, "w") as file:  # stored: numbers hardly shrink
                for part in sorted(path.iterdir()):
                    file.write(part, part.name)
            context.addArchive(f"{archive}#{name}")
            _SHIPPED[key] = name, kept
    return _SHIPPED[key][0], key[1]


def _save(model, path, trusted):
    """Save a model whole, with its word tables, as executors can load it."""
    if isinstance(model, CompiledPipeline):  # a copy: the user's keeps its path
        return CompiledPipeline(model._program, model._head, model.classes_).save(path)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # that types are to be trusted
        save_pipeline(model, path, embed_vectors=True)
    foreign = types_to_trust(path)
    odd = [one for one in foreign if one not in trusted or one.startswith("__main__.") or "<lambda>" in one]
    if odd:
        raise ValueError(
            f"Got a model that holds {', '.join(odd)}. Pass trusted={foreign} if executors can import that. "
            "What __main__ holds and lambdas they cannot: put them into a module for spark.submit.pyFiles."
        )
    return path


# ---------------------------------------------------------------- in an executor's Python process
@lru_cache(maxsize=4)
def _load(place, shared, sha256, trusted):
    """The model of that checksum, loaded once a process."""
    if not shared:
        from pyspark import SparkFiles

        place = SparkFiles.get(place)
    try:
        model = load_model(place, trusted)
    except ModuleNotFoundError as error:
        error.add_note("On executors, too, models that do not fold need all that embtransfer requires.")
        raise
    if checksum(Path(place) / CONFIG) != sha256:
        raise ValueError(f"{place} holds another model than when score was called. Call it again.")
    return model


@dataclass(frozen=True)
class _Scorer:
    """Arrow batches -> the columns carried and those added. Small: it is pickled with every task."""

    model: tuple  # the parameters of _load
    reader: Any  # Vectors, ModelTable, or None for texts
    read: list[int]
    carried: list[int]
    names: list[str]
    options: tuple

    def __call__(self, batches):
        for batch in batches:
            columns = ModelColumns(_load(*self.model), *self.options)
            schema = _signed(columns.schema)
            found = columns(self._rows([batch.column(i) for i in self.read]), Event())
            arrays = [batch.column(i) for i in self.carried]
            arrays += [found[field.name].cast(field.type) for field in schema]
            yield pa.RecordBatch.from_arrays(arrays, [*self.names, *schema.names])

    def _rows(self, arrays):
        """Rows as the model takes them."""
        from .tables._rows import plain_texts  # imports numba

        if self.reader is None:
            return plain_texts(arrays[0])
        rows, wrong = self.reader.read_table(pa.table(arrays, self.reader.names))
        if wrong:
            raise ValueError(
                f"A row of the DataFrame: {wrong[min(wrong)]}. Mend such rows, or leave them out (df.filter)."
            )
        return rows
