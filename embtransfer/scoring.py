"""Stream a table through a fitted pipeline, batch by batch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from sklearn.pipeline import Pipeline

from .tables import append_columns, column_texts, iter_batches, open_writer


def score_file(
    pipeline,
    source,
    destination,
    *,
    text_column: str = "text",
    output_column: str = "prediction",
    proba: bool = False,
    batch_size: int = 10_000,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Predict a label for each row of a file and write the file with the predictions added.

    Parameters
    ----------
    pipeline : fitted pipeline whose `predict` takes texts
    source, destination : str or path
        Files ending in .csv, .jsonl or .parquet; the two may differ in format. The destination appears
        under its name when it is complete.
    text_column : str, default="text"
        The column with the texts. A missing value is an empty text.
    output_column : str, default="prediction"
        The column that is added.
    proba : bool, default=False
        Also add the probability of each class, as `<output_column>_<class>`.
    batch_size : int, default=10_000
        Rows held in memory at a time.
    progress : callable (rows so far), default=None

    Returns
    -------
    int
        Number of rows, as many as the source has, in its order.

    Raises
    ------
    ValueError
        If a column is missing or there already, the files are the same, or the source is damaged.
    AttributeError
        If `proba` is asked of a classifier without probabilities.
    OSError
        If a file cannot be read or written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from embtransfer import WordEmbedder, make_classifier, make_transfer_pipeline, score_file
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), make_classifier("ridge"))
    >>> folder = Path(mkdtemp())
    >>> _ = (folder / "in.csv").write_text("text\\ngood pan\\nbad pan\\n")
    >>> pipeline = pipeline.fit(["good pan", "bad pan"], ["+", "-"])
    >>> score_file(pipeline, folder / "in.csv", folder / "out.csv")
    2
    >>> print((folder / "out.csv").read_text())
    "text","prediction"
    "good pan","+"
    "bad pan","-"
    <BLANKLINE>
    """
    if batch_size < 1:
        raise ValueError(f"Got batch_size={batch_size}. Expected at least 1.")
    if Path(source).resolve() == Path(destination).resolve():
        raise ValueError(f"Got {destination} as input and output. Choose another name for the output.")
    n = 0
    with open_writer(destination) as write:
        for batch in iter_batches(source, batch_size, [text_column]):
            columns = _predict(pipeline, column_texts(batch, text_column), output_column, proba)
            write(append_columns(batch, columns))
            n += batch.num_rows
            if progress:
                progress(n)
    return n


def _predict(pipeline, texts, output_column, proba):
    classes = pipeline.classes_
    labels, shares = classes[:0], np.empty((0, len(classes)))
    if len(texts):
        if proba and isinstance(pipeline, Pipeline) and len(pipeline) > 1:  # embed once for both
            texts, pipeline = pipeline[:-1].transform(texts), pipeline[-1]
        shares = pipeline.predict_proba(texts) if proba else shares
        labels = pipeline.predict(texts)
    columns = {output_column: pa.array(labels, pa.array(classes).type)}
    if proba:
        for label, share in zip(classes, shares.T, strict=True):
            columns[f"{output_column}_{label}"] = pa.array(share, pa.float64())
    return columns
