"""Score files of any size with a fitted model: in blocks, in parallel, and resumable."""

from collections.abc import Callable, Sequence

from .._rows import columns_of
from .._types import Estimator, FilePath, Progress
from ..system._threads import n_threads
from ..tables._files import STDIN, check_not_read, file_format
from ..tables._npy import open_source
from ._journal import PartFile, StandardOutput
from ._report import ScoreReport

_BLOCK_SIZE = 8 << 20  # bytes: a few milliseconds of reading, and few enough for many in flight
_BLOCK_WITH_VECTORS = 1 << 20  # a row's vector can be a hundred times as large as its text


def score_file(
    model: Estimator,
    source: FilePath | Sequence[FilePath],
    destination: FilePath,
    *,
    text_column: str = "text",
    vector_column: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    output_column: str = "prediction",
    proba: bool = False,
    top_k: int | None = None,
    vectors: bool = False,
    margin: bool = False,
    reject_below: float | None = None,
    on_error: str = "fail",
    resume: bool = False,
    n_jobs: int | None = None,
    batch_size: int = 10_000,
    block_size: int | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    input_format: str | None = None,
    output_format: str | None = None,
    model_id: str | None = None,
    progress: Progress | None = None,
    monitor: Callable[[ScoreReport], None] | None = None,
) -> ScoreReport:
    """Predict a label for each row of a table and write the table with the predictions added.

    The input is cut into blocks, which threads score while others are read and written. Memory stays that of
    a few blocks, whatever the file's size. The destination appears under its name when it is complete.

    Parameters
    ----------
    model : fitted pipeline, or any object with `classes_` and a `predict` that takes texts, or vectors
    source : str, path or list of these
        Files of one format, a folder of such, a pattern such as ``"logs/*.csv"``, or "-" for stdin. The
        endings are .csv, .tsv, .jsonl and .parquet; all but the last may be followed by .gz or .zst. Folders
        such as lang=en that the files lie in are columns.
    destination : str or path
        A file with one of these endings, which is replaced if it is there, or "-" for stdout.
    text_column : str, default="text"
        The column with the texts. A missing value is an empty text.
    vector_column : str or list of str, default=None
        For a model of vectors, instead of the texts: a column of lists of numbers, in parquet or jsonl; or
        such as "features.npy", a file in the folder of the csv, with a row for each of its rows (".npy":
        films.npy beside films.csv), which is mapped into memory. float32 and float64 are kept. A model of
        several columns, such as the recipe "columns", knows which: for it this and text_column can be left
        out.
    columns : list of str, default=None
        Columns to carry through: None all, [] none. Objects of jsonl written to jsonl keep their bytes where
        all are carried.
    output_column : str, default="prediction"
        The column with the labels, or numbers. Of several labels a text: `<output_column>_<label>` of 0 and
        1 for each.
    proba : bool, default=False
        Also add the probability of each class, as `<output_column>_<class>`; of several labels a text as
        `<output_column>_<label>_proba`.
    top_k : int, default=None
        Also add the k most probable labels and their probabilities, as `<output_column>_1`,
        `<output_column>_1_proba`, `<output_column>_2`, ...
    vectors : bool, default=False
        Also add what the model's steps before the last make of the text, as a float32 list `vector` (not in
        csv).
    margin : bool, default=False
        Also add `confidence`, the probability of the label, and `margin`, by how much it exceeds the highest
        probability of another: negative where a tuned threshold gives a label that is not the most probable.
        Of a CascadeClassifier also `answered_by`, "fast" or "slow".
    reject_below : float, default=None
        Leave the label empty (null) where its confidence is below this: "none of these". Other columns stay.
        The confidences are the model's own; `confidence_threshold` finds a number by some labels.
    on_error : {"fail", "skip"}, default="fail"
        What to do with a malformed row: end with an error, or write it, with its file, line and what is
        wrong, to `<destination>.rejected.jsonl`. Rows of csv are malformed with a wrong number of fields, a
        quote that never closes or bytes that are not UTF-8; those of jsonl if they are no object with a text
        or null. Vectors are malformed if they are missing, of another length than the model wants, or hold
        NaN or infinity.
    resume : bool, default=False
        Go on from where an earlier run stopped that was killed, interrupted or met a full disk. The output is
        to the byte that of a run that was not. If there is nothing to resume, it begins anew, with a warning.
    n_jobs : int or None, default=None
        Threads as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.
        The output is the same.
    batch_size : int, default=10_000
        Rows given to the model at a time.
    block_size : int, default=None
        Bytes of input a block, 8 MiB, and 1 MiB with vectors. A longer row makes a longer block.
    delimiter, encoding : str, default=None
        What parts the fields of csv in the input, and the encoding of csv and jsonl there, such as "cp1252".
        None: a mark at the beginning names the encoding, header and first row show the delimiter, or else it
        is UTF-8 with commas (.tsv: tabs). A mark counts more than what is given. The output is UTF-8, with
        commas (.tsv: tabs).
    input_format, output_format : str, default=None
        Such as "csv" or "jsonl.gz", instead of the ending; needed for stdout. Without it stdin is jsonl if it
        begins with "{", else csv.
    model_id : str, default=None
        What tells this model from others when resuming; by default a checksum of its pickle.
    progress : callable (done, total, description), default=None
        Called with the rows read so far; total is None, as they are not counted before.
    monitor : callable (ScoreReport so far), default=None

    Returns
    -------
    ScoreReport

    Raises
    ------
    ValueError
        If a column is missing or there already, a row is malformed, the input is damaged or changes
        meanwhile, a run to resume was begun with something else, or margin or reject_below is asked of a
        model of several labels a text or of numbers.
    AttributeError
        If the model lacks the probabilities or vectors that are asked for.
    OSError
        If a file cannot be read or written, or another process writes the destination.

    See Also
    --------
    confidence_threshold : A `reject_below` at which the labels that are given are right often enough.

    Notes
    -----
    Beside the destination, hidden files whose names begin with ".<name>." hold the part written so far and a
    journal of how far it reaches; they go at the end. After an error, an interrupt or a crash they stay if a
    block is written, so that `resume=True` can go on; a run without it removes them.
    A block of the input becomes one member of a .gz, one frame of a .zst, or row groups of parquet.
    BLAS computes with one thread meanwhile: so the result does not depend on `n_jobs`. Another `batch_size`
    may change probabilities by up to 1e-5, of rounding; those of a compiled model stay.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from embtransfer import WordEmbedder, make_classifier, make_transfer_pipeline, score_file
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), make_classifier("ridge"))
    >>> folder = Path(mkdtemp())
    >>> _ = (folder / "in.csv").write_text("text\\ngood pan\\nbad pan\\n")
    >>> pipeline = pipeline.fit(["good pan", "bad pan"], ["+", "-"])
    >>> score_file(pipeline, folder / "in.csv", folder / "out.csv").rows_written
    2
    >>> print((folder / "out.csv").read_text())
    "text","prediction"
    "good pan","+"
    "bad pan","-"
    <BLANKLINE>
    """
    from ._run import ScoreRun  # imports numba

    for name, value in (("batch_size", batch_size), ("block_size", block_size)):
        if value is not None and value < 1:
            raise ValueError(f"Got {name}={value}. Expected at least 1.")
    if on_error not in ("fail", "skip"):
        raise ValueError(f"Got on_error={on_error!r}. Expected 'fail' or 'skip'.")
    to_stdout = str(destination) == STDIN
    if to_stdout and output_format is None:
        raise ValueError(
            "Got - (stdout) without a format. Pass output_format (--output-format), such as csv."
        )
    kind, codec = file_format(f".{output_format.lstrip('.')}" if output_format else destination)
    if to_stdout and (resume or on_error == "skip"):
        raise ValueError("Got resume or on_error='skip' with stdout. Both need files: name a destination.")
    if vectors and kind in (".csv", ".tsv"):
        raise ValueError(
            f"Got vectors=True (--vectors) and a {kind[1:]} output. Write to .parquet or .jsonl."
        )
    block_size = block_size or (_BLOCK_WITH_VECTORS if vectors else _BLOCK_SIZE)
    if resume and source in (STDIN, [STDIN]):
        raise ValueError("Got resume (--resume) with stdin, which cannot be read again. Put it in a file.")
    given = [vector_column] if isinstance(vector_column, str) else vector_column or ()
    named = [*given, *columns_of(model)]
    read = open_source(source, input_format, block_size, delimiter, encoding, named)
    if read.is_stdin and read.kind == ".jsonl" != kind:
        raise ValueError(
            f"Got jsonl from stdin and {kind[1:]} output: the columns are known only after all rows are "
            "read. Write jsonl, or put the input in a file."
        )
    check_not_read(destination, read.files)
    options = {
        "text_column": text_column,
        "vector_column": vector_column,
        "columns": None if columns is None else list(columns),
        "output_column": output_column,
        "proba": proba,
        "top_k": top_k,
        "vectors": vectors,
        "margin": margin,
        "reject_below": reject_below,
        "batch_size": batch_size,
        "block_size": block_size,
        "delimiter": delimiter,
        "encoding": encoding,
        "input_format": read.kind,
        "output_format": [kind, codec],
    }
    out = StandardOutput() if to_stdout else PartFile(destination)
    try:
        run = ScoreRun(model, model_id, read, out, options, on_error == "skip", n_threads(n_jobs))
        return run(resume, progress, monitor)
    finally:
        out.release()
