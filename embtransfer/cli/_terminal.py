"""The terminal: talk on stderr, bars, and errors in one line."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from .._escape import visible


class _Talk(Console):
    def print(self, *objects, **options):
        super().print(*(visible(one) if isinstance(one, str) else one for one in objects), **options)


talk = _Talk(stderr=True, highlight=False, markup=False, soft_wrap=True)
BAR = {"console": talk, "transient": True, "disable": not talk.is_terminal}


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what the user can mend into one line and exit code 2, and warnings into a line each."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = lambda message, *_, **__: talk.print(f"Warning: {message}", style="yellow")
            yield
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except (ValueError, TypeError, OSError, ImportError, AttributeError, MemoryError) as error:
        talk.print(f"Error: {error or 'There is not enough memory.'}", style="red")
        raise typer.Exit(2) from error


def load_vectors(table):
    from ..word_vectors import WordVectors

    if table is None:
        return WordVectors.bundled()
    with bytes_bar(f"Converting {table}") as progress:
        return WordVectors.load(table, progress=progress)


@contextmanager
def bytes_bar(what):
    """A bar that appears with the first progress and counts bytes or words."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, **BAR) as bar:
        task = None

        def progress(done, total):
            nonlocal task
            task = bar.add_task(visible(what)) if task is None else task
            bar.update(task, completed=done, total=total)

        yield progress


@contextmanager
def progress_bar():
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, **BAR) as bar:
        yield bar


def steps(bar):
    task = bar.add_task("")
    return lambda done, total, what: bar.update(task, completed=done, total=total, description=visible(what))
