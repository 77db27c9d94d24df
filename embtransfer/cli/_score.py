"""`embtransfer score`: options, a bar, signals."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..system._folders import checksum
from ..system._model_folders import CONFIG
from ._models import load_quickly, split_names
from ._options import Delimiter, Encoding, ModelFolder, Overwrite, TextColumn, Trusted, VectorColumn
from ._terminal import clear_errors, progress_bar, some_jobs, talk


class OnError(StrEnum):
    fail = "fail"
    skip = "skip"


_INPUT = (
    "Files of one format, a folder, a quoted pattern, or - for stdin: .csv, .tsv, .jsonl or .parquet, "
    "all but the last also .gz or .zst."
)


def score(
    model: ModelFolder,
    input: Annotated[list[str], typer.Argument(help=_INPUT)],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            help="The file to write, or to replace; its ending gives the format. - is stdout.",
        ),
    ],
    trusted: Trusted = "",
    text_column: TextColumn = "text",
    vector_column: VectorColumn = None,
    columns: Annotated[
        str | None, typer.Option(help='Columns to carry through, with commas; "" none. By default all.')
    ] = None,
    output_column: Annotated[str, typer.Option(help="The column to add.")] = "prediction",
    proba: Annotated[bool, typer.Option("--proba", help="Also add each class's probability.")] = False,
    top_k: Annotated[
        int | None, typer.Option(help="Also add this many most probable labels, with probabilities.")
    ] = None,
    vectors: Annotated[bool, typer.Option("--vectors", help="Also add the vector of each text.")] = False,
    margin: Annotated[
        bool,
        typer.Option(
            "--margin",
            help="Also add each label's confidence, its margin over others, and of a cascade who answered.",
        ),
    ] = False,
    reject_below: Annotated[
        float | None, typer.Option(help="Leave the label empty where its confidence is below this.")
    ] = None,
    on_error: Annotated[
        OnError, typer.Option(help="Malformed rows: stop, or write them to OUTPUT.rejected.jsonl.")
    ] = OnError.fail,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from where the same command was stopped.")
    ] = False,
    jobs: Annotated[
        int, typer.Option(callback=some_jobs, help="Threads that score; -1 all processors.")
    ] = -1,
    batch_size: Annotated[int, typer.Option(help="Rows given to the model at a time.")] = 10_000,
    block_size: Annotated[
        int | None, typer.Option(help="Bytes of input a block. By default 8 MiB, 1 MiB with --vectors.")
    ] = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    input_format: Annotated[str | None, typer.Option(help="Such as csv or jsonl.gz, for stdin.")] = None,
    output_format: Annotated[str | None, typer.Option(help="Such as csv or jsonl.gz, for stdout.")] = None,
):
    """Predict a label for each row of files of any size; a run that was stopped can be resumed."""
    from ..scoring import score_file

    with clear_errors(), _notes():
        pipeline = _load(model, vectors, split_names(trusted))
        with _stopped_by_signals(), _bar() as monitor:
            report = score_file(
                pipeline,
                input,
                output,
                text_column=text_column,
                vector_column=vector_column,
                columns=None if columns is None else [name for name in columns.split(",") if name],
                output_column=output_column,
                proba=proba,
                top_k=top_k,
                vectors=vectors,
                margin=margin,
                reject_below=reject_below,
                on_error=on_error.value,
                resume=resume,
                n_jobs=jobs,
                batch_size=batch_size,
                block_size=block_size,
                delimiter=delimiter,
                encoding=encoding,
                input_format=input_format,
                output_format=output_format,
                model_id=checksum(model / CONFIG),  # which has that of the file beside it
                monitor=monitor,
            )
        rate = (report.rows_read - report.rows_resumed) / max(report.seconds, 1e-9)
        resumed = f", {report.rows_resumed:,} of them before" if report.rows_resumed else ""
        where = "to stdout" if output == "-" else output
        talk.print(
            f"Scored {report.rows_written:,} rows{resumed}. Wrote {where} ({report.seconds:,.1f} s, "
            f"{rate:,.0f} rows a second)"
        )
        if reject_below is not None:
            talk.print(
                f"{report.rows_without_label:,} of {report.rows_written:,} rows have no label: their "
                f"confidence is below {reject_below:g}."
            )
        if report.rows_without_text:
            n = report.rows_without_text
            rows = "1 row has" if n == 1 else f"{n:,} rows have"
            talk.print(f"{rows} no text: their label is that of no words at all.", style="yellow")
        if report.rows_without_known_word > report.rows_looked_at / 10:
            share = 100 * report.rows_without_known_word / report.rows_looked_at
            talk.print(
                f"{share:.0f} % of the texts ({report.rows_looked_at:,} looked at) hold no word that the "
                f"model knows: their label is that of no words at all. Is {text_column!r} the column of the "
                "texts (--text-column), and is the model of their language?",
                style="yellow",
            )
        if report.rows_rejected:
            talk.print(
                f"Rejected {report.rows_rejected:,} of {report.rows_read:,} rows: see {report.rejected}",
                style="yellow",
            )


def compile_model(
    model: Annotated[Path, typer.Argument(help="A model folder, from embtransfer fit.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to make.")],
    overwrite: Overwrite = False,
    trusted: Trusted = "",
):
    """Fold a model into tables of scores: it scores several times as fast, and without scikit-learn."""
    from ..folding import compile_pipeline
    from ..persistence import load_pipeline

    with clear_errors():
        compile_pipeline(load_pipeline(model, trusted=split_names(trusted))).save(output, overwrite=overwrite)
        talk.print(f"Compiled {model}. Saved to {output}")


def _load(folder, vectors, trusted):
    """The model of a folder, compiled if it can be; vectors, given or wanted, want the pipeline itself."""
    from .._rows import columns_of
    from ..compiled import CompiledPipeline
    from ..scoring._model_columns import takes_vectors

    model = load_quickly(folder, trusted)
    folds_itself = hasattr(model, "answered_by")  # a cascade, of which the fast half folds
    of_rows = takes_vectors(model) or columns_of(model)
    if vectors or isinstance(model, CompiledPipeline) or of_rows or folds_itself:
        return model
    from ..folding import compile_pipeline  # imports scikit-learn

    try:
        return compile_pipeline(model)
    except ValueError as error:
        talk.print(str(error))
        return model


class _Terminated(KeyboardInterrupt):
    """SIGTERM, so that it stops as Ctrl-C does."""


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into exit codes 130 and 143, after what they interrupt has cleaned up."""

    def terminate(*_):
        raise _Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except KeyboardInterrupt as error:
        talk.print("Stopped.", *getattr(error, "__notes__", ["Nothing was kept."]), style="yellow")
        raise typer.Exit(143 if isinstance(error, _Terminated) else 130) from None
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _notes() -> Iterator[None]:
    """Print what an error adds, such as that a run can be resumed."""
    try:
        yield
    except Exception as error:
        for note in getattr(error, "__notes__", ()):
            talk.print(note, style="yellow")
        raise


@contextmanager
def _bar():
    from rich.progress import TimeRemainingColumn

    with progress_bar(TimeRemainingColumn()) as progress:

        def monitor(report):
            rate = (report.rows_read - report.rows_resumed) / max(report.seconds, 1e-9)
            progress(
                report.bytes_read, report.bytes_total, f"bytes: {report.rows_read:,} rows, {rate:,.0f} rows/s"
            )

        yield monitor
