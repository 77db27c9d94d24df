"""Embedders and recipes that commands make from names and options."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ._options import Backend, Embedding
from ._terminal import load_vectors, talk

_WITH_MODEL = {"sentence", "distilled"}


def split_names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def load_quickly(folder: Path, trusted: list[str]) -> Any:
    """A model; of a compiled one without packages that numba and pyarrow look for, and it does not need.

    Numba looks for SciPy, whose BLAS no kernel calls, and pyarrow for pandas.
    """
    from ..compiled._files import COMPILED
    from ..persistence import load_model
    from ..system._imports import not_found
    from ..system._model_folders import is_model

    if is_model(folder, COMPILED):
        with not_found("scipy", "pandas"):
            import numba.np.arraymath  # noqa: F401  which asks once
            import pyarrow

            pyarrow.array([0])  # asks once, too
    return load_model(folder, trusted)


def make_models(embedders, recipes, usual, embedding: Embedding, X_target) -> tuple[dict, dict]:
    """Embedders and recipes by name, of names with commas.

    None is `usual`, one for both; of vectors "vectors", of rows of several columns that of these, too.
    """
    from .._rows import is_vectors
    from ..recipes import COLUMNS, make_recipe
    from ..trials._named_estimators import recipes_for, views_of

    if is_vectors(X_target):
        usual = ("vectors", "vectors" if usual[1] else "")
    views = views_of(X_target) if hasattr(X_target, "iloc") else [(None, "")]
    make, by_default = recipes_for(views, make_recipe, split_names(usual[1]))
    wanted = list(by_default) if recipes is None else split_names(recipes)
    if COLUMNS in wanted and len(views) < 2:
        raise ValueError(
            f"Got --recipes {COLUMNS}, which takes several columns. Expected --vector-column as often as "
            "there are such, and --text-column if texts stand beside them."
        )
    names = split_names(usual[0] if embedders is None else embedders)
    made = make_embedders(names, embedding, set(wanted) - {"words", "vectors", COLUMNS})
    plain = recipes_by_name([name for name in wanted if name != COLUMNS], embedding)
    return made, {name: make(name) if name == COLUMNS else plain[name] for name in wanted}


def beside_plain(embedders, X_target) -> dict:
    """Models for curves: embedders beside TF-IDF, which shows when they pay; of vectors these, centred."""
    from .._rows import is_vectors

    if not is_vectors(X_target):
        return {"tfidf": "tfidf", **embedders}
    return {"centering" if name == "vectors" else name: one for name, one in embedders.items()}


def make_embedders(names, embedding: Embedding, recipes=()) -> dict:
    """Name -> embedder; a table of words is for the word embedders, one of tokens for the static ones."""
    from ..embedders import StaticEmbedder, WordEmbedder, make_embedder

    vectors, model = embedding.vectors, embedding.model
    what_is_there = f"the embedder is {', '.join(names)}" if names else "a recipe has its own embedder"
    of_sentences = f"--model {model}" if model else "--backend onnx" * (embedding.backend != Backend.torch)
    if of_sentences and not (set(names) & _WITH_MODEL or recipes):
        raise ValueError(f"Got {of_sentences}, but {what_is_there}. Expected sentence or distilled.")
    table = load_vectors(vectors) if vectors else None
    of_tokens = table is not None and table.tokenizer is not None
    kind = StaticEmbedder if of_tokens else WordEmbedder
    embedders = {name: make_embedder(name) for name in names}
    if table is not None and not any(isinstance(one, kind) for one in embedders.values()):
        what, wanted = ("tokens", "static_") if of_tokens else ("words", "word_, or domain_words")
        raise ValueError(
            f"Got --vectors {vectors}, a table of {what}, but {what_is_there}. Expected one that begins with "
            f"{wanted}."
        )
    usual, asked = asdict(Embedding()), asdict(embedding)
    of_words = [
        f"--{name}" for name in ("unknown", "phrases", "cased", "tokens") if asked[name] != usual[name]
    ]
    if of_words and not any(isinstance(one, WordEmbedder) for one in embedders.values()):
        raise ValueError(
            f"Got {', '.join(of_words)}, but {what_is_there}. Expected one that begins with word_, or "
            "domain_words."
        )
    for name in names:
        fits = table if isinstance(embedders[name], kind) else None
        if table is not None and fits is None and name not in _WITH_MODEL:
            talk.print(f"--vectors {vectors} is not for {name}, which takes its own table.")
        given = model if name in _WITH_MODEL else fits
        if given is not None:
            embedders[name] = make_embedder(name, given)
        if name in _WITH_MODEL:
            teacher = "teacher__" * (name == "distilled")
            embedders[name].set_params(**{f"{teacher}backend": str(embedding.backend)})
        if isinstance(embedders[name], WordEmbedder):
            embedders[name].set_params(
                unknown=str(embedding.unknown),
                phrases=embedding.phrases,
                lowercase=not embedding.cased,
                token_pattern=str(embedding.tokens),
            )
    return embedders


def recipes_by_name(names, embedding: Embedding) -> dict:
    """Name -> recipe; those with a sentence model take the one named."""
    from ..embedders import SentenceEmbedder
    from ..recipes import TAUGHT, make_recipe

    teacher = SentenceEmbedder(by_sentence=True).set_params(backend=str(embedding.backend))
    if embedding.model is not None:
        teacher.set_params(model=embedding.model)
    return {name: make_recipe(name, teacher if name in TAUGHT else None) for name in names}
