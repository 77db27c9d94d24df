"""The command line: parse, call one function, print. Results go to stdout, talk to stderr."""

from typing import Annotated

import typer

from .._version import __version__
from ._check_labels import check_labels
from ._choose import choose
from ._compare import compare
from ._curve import curve
from ._explain import explain
from ._fit import fit
from ._label import label
from ._options import NamingCommand
from ._score import compile_model, score
from ._tables import Output, print_comparison
from ._terminal import progress_bar, talk
from ._update import update
from ._vectors import vectors_app

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
    from ..adapters import DomainCentering
    from ..classifiers import make_classifier
    from ..datasets import load_demo_reviews
    from ..embedders import WordEmbedder
    from ..pipeline import make_transfer_pipeline
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
    pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    pipeline.fit(films.data, films.target, X_target=pans.data)
    print("\nWhat the centred pipeline says of three kitchenware sentences:")
    for text in (
        "The lid fits perfectly and the handle stays cool, a joy to cook with.",
        "Cheap plastic that broke within a week. A complete waste of money.",
        "Sharp, well balanced and easy to clean.",
    ):
        share = pipeline.predict_proba([text])[0, 1]
        print(f"  {'positive' if share >= 0.5 else 'negative'} ({max(share, 1 - share):.0%})  {text}")
    print("\nNext: embtransfer compare --help, embtransfer fit --help, embtransfer score --help")


app.command(cls=NamingCommand)(compare)
app.command(cls=NamingCommand)(fit)
app.command("compile")(compile_model)
app.command()(score)
app.command()(explain)
app.command(cls=NamingCommand)(choose)
app.command(cls=NamingCommand)(curve)
app.command()(label)
app.command()(update)
app.command("check-labels")(check_labels)


def main() -> None:
    """Entry point of the console script."""
    app()
