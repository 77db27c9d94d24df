"""The options from which commands make embedders."""

from enum import StrEnum
from typing import Annotated

import typer

from ._terminal import load_vectors, talk
from ._vectors import TABLE

EMBEDDER_NAMES = (
    "word_ or static_ with a pooling (mean, idf, sif, usif, max, mean_max_min, power_means), as in "
    "word_mean; sentence; distilled, from a sentence model; or ngrams, sparse."
)
_WITH_MODEL = {"sentence", "distilled"}


class UnknownWords(StrEnum):
    skip = "skip"
    subwords = "subwords"
    nearest = "nearest"


Vectors = Annotated[str | None, typer.Option(help=f"{TABLE} Without it the bundled GloVe.")]
Model = Annotated[
    str | None,
    typer.Option(help="Sentence model of sentence and distilled: a folder, package or hub's name."),
]
Unknown = Annotated[UnknownWords, typer.Option(help="What becomes of words that the table lacks.")]
Phrases = Annotated[bool, typer.Option("--phrases", help='Join words that the table joins by "_".')]
Cased = Annotated[bool, typer.Option("--cased", help="Do not lower-case texts: for tables with capitals.")]


def make_embedders(names, vectors, model, unknown, phrases, cased, recipes=()) -> dict:
    """Name -> embedder; a table of words is for the word embedders, one of tokens for the static ones."""
    from ..embedders import WordEmbedder, make_embedder

    if model and not (set(names) & _WITH_MODEL or recipes):
        raise ValueError(
            f"Got --model {model}, but the embedder is {', '.join(names)}. Expected sentence or distilled."
        )
    table = load_vectors(vectors) if vectors else None
    of_tokens = table is not None and table.tokenizer is not None
    kind = "static_" if of_tokens else "word_"
    if table is not None and not any(name.startswith(kind) for name in names):
        what = "tokens" if of_tokens else "words"
        raise ValueError(
            f"Got --vectors {vectors}, a table of {what}, but the embedder is {', '.join(names)}. Expected "
            f"one that begins with {kind}."
        )
    embedders = {}
    for name in names:
        fits = table if name.startswith(kind) else None
        if table is not None and fits is None and name not in _WITH_MODEL:
            talk.print(f"--vectors {vectors} is not for {name}, which takes its own table.")
        embedders[name] = make_embedder(name, model if name in _WITH_MODEL else fits)
        if isinstance(embedders[name], WordEmbedder):
            embedders[name].set_params(unknown=str(unknown), phrases=phrases, lowercase=not cased)
    return embedders


def say_what_is_unknown(embedders, texts):
    """Print how many tokens of the target's texts the table has, where these are less than half of them."""
    from sklearn.base import clone

    words = next((one for one in embedders.values() if hasattr(one, "coverage")), None)
    if words is not None and len(texts):
        found = clone(words).set_params(pooling="mean", unknown="skip").fit(texts[:1]).coverage(texts)
        if found.share < 0.5:
            asked = ", ".join(found.unknown(5)["word"])
            talk.print(f"The target: {found}. Most frequent unknown words: {asked}", style="yellow")
