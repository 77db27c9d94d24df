"""(name, estimator) pairs from what a user lists."""

from collections.abc import Iterable, Mapping

from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

from .._parts import first_steps
from ..adapters import NoAdaptation
from ..embedders import BaseEmbedder


def named(given, make) -> list:
    """(name, estimator) pairs from names, estimators, or a dict of either; `make` makes one from a name."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        given = [given]
    pairs = given.items() if isinstance(given, Mapping) else ((None, item) for item in given)
    result = []
    for name, item in pairs:
        if isinstance(item, str):
            result.append((name or item, make(item)))
        elif name is None and isinstance(item, NoAdaptation):
            result.append(("none", item))
        else:
            result.append((name or repr(item), item))
    if not result:
        raise ValueError("Got an empty list of embedders, adapters or classifiers. Expected at least one.")
    return result


def named_for(kind, given, make, usual, *, optional=False):
    """Named embedders or models for rows of a kind, texts or vectors, and the names that are left out.

    None is `usual` for texts. Of vectors those that need texts are left out, for "vectors" in their place.
    """
    if given is None:
        given = ("vectors",) if usual and kind == "vectors" else usual
    pairs = [] if optional and not len(given) else named(given, make)
    aside = [name for name, estimator in pairs if kind == "vectors" and needs_texts(estimator)]
    kept = [pair for pair in pairs if pair[0] not in aside]
    if aside and "vectors" not in dict(kept):
        kept.insert(0, ("vectors", make("vectors")))
    return kept, aside


def left_out(names) -> str:
    """Which embedders and models do not take vectors, in a sentence; "" if all do."""
    if not names:
        return ""
    return f"Left out, since they need texts and the rows are vectors: {', '.join(names)}."


def needs_texts(estimator) -> bool:
    """Whether one of its first steps embeds texts."""
    kinds = BaseEmbedder | CountVectorizer | HashingVectorizer
    return any(isinstance(step, kinds) for step in first_steps(estimator))
