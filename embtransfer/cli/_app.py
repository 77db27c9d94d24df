"""The command line: parse, call one function, print. Results go to stdout, talk to stderr."""

import gc
from typing import Annotated

import typer

from .._version import __version__
from ._check_labels import check_labels
from ._choose import choose
from ._commands import Commands, NamingCommand
from ._compare import compare
from ._curve import curve
from ._demo import demo
from ._evaluate import evaluate
from ._explain import explain
from ._fit import fit
from ._label import label
from ._score import compile_model, score
from ._update import update
from ._vectors import vectors_app

app = Commands(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(vectors_app, name="vectors")


def _print_version(asked: bool):
    if asked:
        print(f"embtransfer {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
):
    """Transfer text classifiers between domains with pretrained embeddings, on a CPU."""


app.command()(demo)
app.command(cls=NamingCommand)(compare)
app.command(cls=NamingCommand)(fit)
app.command("compile")(compile_model)
app.command()(score)
app.command()(evaluate)
app.command()(explain)
app.command(cls=NamingCommand)(choose)
app.command(cls=NamingCommand)(curve)
app.command()(label)
app.command()(update)
app.command("check-labels")(check_labels)


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    finally:
        gc.freeze()  # Python looks for cycles as it ends, in all that was imported: a fifth of a short run
