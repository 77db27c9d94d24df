"""(name, estimator) pairs from what a user lists."""

from collections.abc import Iterable, Mapping

import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

from .._parts import first_steps
from .._rows import kind_of_rows
from ..adapters import NoAdaptation
from ..embedders import BaseEmbedder, VectorEmbedder
from ..embedders._columns import as_lists, of_columns
from ..recipes import COLUMNS, make_recipe

_LOOKED_AT = 1_000  # values of a column


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


def views_of(rows) -> list:
    """What models can see of a row: (columns, "texts" or "vectors") each; columns are None but of tables.

    The columns of texts of a table are one view together, each of vectors is one.

    Raises
    ------
    TypeError
        If a table has other columns.
    """
    if kind_of_rows(rows) != "rows":
        return [(None, kind_of_rows(rows))]
    texts, vectors = [], []
    for name in rows:
        if as_lists(rows[name]) is not None:
            vectors.append(name)
        elif all(isinstance(one, str) or pd.isna(one) for one in rows[name].head(_LOOKED_AT)):
            texts.append(name)
        else:
            raise TypeError(
                f"Got rows with a column {name!r} of {rows[name].dtype}. Expected columns of texts and of "
                "vectors alone: pass X[[...]] with their names."
            )
    return [(texts, "texts")] * bool(texts) + [([name], "vectors") for name in vectors]


def of_view(estimator, columns):
    """An estimator for rows of a table that takes these columns; as it is where there is no table."""
    return of_columns(estimator, columns) if columns else estimator


def named_for(views, given, make, usual, *, optional=False):
    """Named embedders or models for what can be seen of rows, and the names that are left out.

    None is `usual` for texts. Of vectors those that need texts are left out, for "vectors" in their place.
    Of a table each is made for each view; what takes its rows as they are stands once, and is last.
    """
    made: list = []
    whole: dict = {}
    aside = []
    for columns, kind in views:
        pairs, others = _named_of(kind, given, make, usual, optional)
        aside.append(others)
        for name, estimator in pairs:
            steps = first_steps(estimator)
            if columns and all(getattr(step, "_takes_column", False) for step in steps):
                whole[name] = estimator
            elif not (columns and kind == "texts" and isinstance(steps[0], VectorEmbedder)):
                of = f" of {columns[0]}" if columns and kind == "vectors" else ""
                made.append((name + of, of_view(estimator, columns)))
    return [*made, *whole.items()], [name for name in aside[0] if all(name in others for others in aside)]


def recipes_for(views, make, usual):
    """What makes a recipe by its name, and the usual ones; of a table the one of all its columns, too."""
    if views[0][0] is None or len(views) < 2 or make is not make_recipe:
        return make, usual
    texts = [name for names, kind in views if kind == "texts" for name in names]
    vectors = [name for names, kind in views if kind == "vectors" for name in names]

    def make_any(name):
        given = {"text_column": texts, "vector_column": vectors} if name == COLUMNS else {}
        return make_recipe(name, **given)

    return make_any, (*usual, *[COLUMNS] * (bool(usual) and len(vectors) > 0))


def _named_of(kind, given, make, usual, optional):
    if given is None:
        given = [name for name in ("vectors", *usual) if name in ("vectors", COLUMNS)]
        given = given if usual and kind == "vectors" else usual
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
