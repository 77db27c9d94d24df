"""Several sources in a comparison: all as one, each mapped by itself, and each alone."""

from copy import copy

import numpy as np

from .._parts import children
from .._rows import take

EACH, POOLED = "each mapped", "pooled"


def ways(named, domain):
    """(name, estimator, whether it is told the domains) of each row; both ways where they differ."""
    return [
        (name, estimator, told)
        for name, estimator in named
        for told in ((True, False) if domain is not None and _maps_each(estimator) else (False,))
    ]


def _maps_each(estimator):
    return getattr(estimator, "_maps_each", False) or any(map(_maps_each, children(estimator)))


def names_of_sources(domain) -> list:
    return [] if domain is None else sorted(set(domain.tolist()), key=str)


def alone(data, name, cv, random_state):
    """The data of a comparison with one of its sources, cut into folds.

    Raises
    ------
    ValueError
        If it is too small for the folds.
    """
    found, rows = copy(data), np.flatnonzero(data.domain == name)
    found.source, found.y, found.groups = take(data.source, rows), data.y[rows], data.groups[rows]
    found.domain = None
    found.make_folds(cv, random_state)
    return found
