"""The command line: parse, call one function, print. Results go to stdout, talk to stderr."""

from typing import Annotated

import typer

from .._version import __version__
from ._check_labels import check_labels
from ._choose import choose
from ._compare import compare
from ._curve import curve
from ._evaluate import evaluate
from ._explain import explain
from ._fit import fit
from ._label import label
from ._options import NamingCommand
from ._score import compile_model, score
from ._tables import Output, print_comparison
from ._terminal import progress_bar, talk
from ._update import update
from ._vectors import vectors_app
from ._verdict import name_of, say_comparison, say_next

app = typer.Typer(
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


@app.command()
def demo():
    """Carry a classifier from film reviews over to kitchenware reviews, with bundled vectors and texts."""
    from ..datasets import load_demo_reviews
    from ..trials import compare

    films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    talk.print(
        f"Source: {len(films.data)} labelled film reviews. Target: {len(pans.data)} kitchenware reviews,\n"
        "half of them seen without labels while adapting, the other half scored.\n"
        "Vectors: the bundled GloVe 6B 50d subset."
    )
    with progress_bar() as progress:
        table = compare(
            films.data,
            films.target,
            pans.data,
            pans.target,
            embedders=["word_mean", "word_sif"],
            progress=progress,
        )
    print_comparison(table, Output.table, "films -> kitchenware", "accuracy")
    say_comparison(table, "accuracy")
    words = table[table["embedder"].str.startswith("word_")]
    _explain_one(words.loc[words["target_score"].idxmax()], films, pans)
    say_next(
        "embtransfer choose --dataset demo --source films --target kitchenware -o model",
        'embtransfer explain model "A lovely, well balanced knife."',
    )


def _explain_one(row, films, pans):
    """Fit the model of a row on all demo reviews, and show which words decide."""
    from ..adapters import make_adapter
    from ..classifiers import make_classifier
    from ..embedders import make_embedder
    from ..explaining import explain
    from ..pipeline import make_transfer_pipeline

    parts = make_embedder(row["embedder"]), make_adapter(row["adapter"]), make_classifier(row["classifier"])
    labels = ["positive" if label else "negative" for label in films.target]
    text = "Sharp, well balanced and easy to clean."
    pipeline = make_transfer_pipeline(*parts).fit(films.data, labels, X_target=pans.data)
    print(f'\nWhy {name_of(row)} calls "{text}"\n{explain(pipeline, text).to_text(5)}\n')


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
    app()
