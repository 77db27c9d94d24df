"""The terminal: talk on stderr, bars, and errors in one line."""

import os
import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import typer
from rich.console import Console

from ..system._escape import visible


class _Talk(Console):
    def print(self, *objects, **options):
        super().print(*(visible(one) if isinstance(one, str) else one for one in objects), **options)


LINE_AFTER = 10.0  # seconds without a word where no bar is seen

talk = _Talk(stderr=True, highlight=False, markup=False, soft_wrap=True)


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


def some_jobs(jobs: int) -> int:
    """What --jobs was given, for all commands that have it, before they begin; 0 is refused."""
    with clear_errors():
        if jobs == 0:
            raise ValueError("Got --jobs 0. Expected a number above 0, or -1 for all processors.")
    return jobs


def say_shares(words, by=""):
    """Print how often each class occurs in the domains, if anything is known of it, and by which model."""
    if words:
        talk.print(f"Class shares{f' by {by}' if by else ''}: {words}")


def command_to_copy(*words, **options) -> str:
    """A command of ours for a shell, with the options that are not empty."""
    return shlex.join(["embtransfer", *map(str, words), *options_as_words(**options)])


def options_as_words(**options) -> list[str]:
    """The options that are not empty, for a shell; of a list each by itself, of True the name alone."""
    words = []
    for name, given in options.items():
        for value in given if isinstance(given, list) else [given]:
            option = f"--{name.replace('_', '-')}"
            words += [option] if value is True else [option, value] if value else []
    return words


def load_vectors(table):
    from ..word_vectors import WordVectors

    if table is None:
        return WordVectors.bundled()
    with progress_bar() as progress:
        return WordVectors.load(table, progress=progress)


@contextmanager
def progress_bar(*columns):
    """A bar, as the `progress` of whatever takes one: a callable (done, total, description).

    Where nobody sees a bar it is a line now and then: after ten seconds, later after a tenth more time.
    """
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
        *columns,
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=talk, transient=True, disable=not talk.is_terminal) as bar:
        task, started = bar.add_task("", total=None, count=""), monotonic()
        due = started + LINE_AFTER

        def progress(done, total, description):
            nonlocal due
            count = f"{done:,}" if total is None else f"{done:,}/{total:,}"
            if bar.disable and (now := monotonic()) >= due:
                talk.print(f"{now - started:,.0f} s: {count} {description}")
                due = now + max(LINE_AFTER, (now - started) / 10)
            bar.update(task, completed=done, total=total, count=count, description=visible(description))

        yield progress
