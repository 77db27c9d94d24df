"""(name, estimator) pairs from what a user lists."""

from collections.abc import Iterable, Mapping

from ..adapters import NoAdaptation


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
