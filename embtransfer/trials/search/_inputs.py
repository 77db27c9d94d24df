"""Texts and labels that a search is given: checked, and what is known of the target."""

from collections.abc import Mapping

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from ..._rows import n_rows
from ...embedders import HTMLCleaner
from ...priors._target_labels import unwrap
from .._domains import Domains, known


def check(X, y, X_target, groups, y_target, domain, clean=None) -> Domains:
    """Both domains, of at least ten rows each, and two of each source class."""
    X_target, y_target = unwrap(X_target, y_target)
    if clean is not None:
        X, X_target = map(HTMLCleaner().transform, (X, X_target))
    data = Domains(X, y, X_target, y_target, groups, domain=domain, tables=True)
    check_classification_targets(data.y)
    for name, rows in (("source", data.source), ("target", data.target)):
        if n_rows(rows) < 10:
            raise ValueError(f"Got {n_rows(rows)} {name} {data.kind}. Expected at least 10.")
    data.check_groups(2)
    return data


def told(data, classes, rows) -> np.ndarray | None:
    """Numbers of the classes of the target texts at these rows, -1 elsewhere: (n_target,); None if none."""
    if not len(rows):
        return None
    found = np.full(n_rows(data.target), -1)
    found[rows] = np.searchsorted(classes, known(data.y_target, rows))
    return found


def roles(data, probability):
    """Labelled target rows that judge the candidates, and those that the best learns from.

    All do both, unless it is known which were drawn at random: these judge, the others are learned from.
    """
    if probability is None:
        return data.labelled, data.labelled
    rows = range(n_rows(data.target))
    if isinstance(probability, Mapping):
        if wrong := [row for row in probability if row not in rows]:
            raise ValueError(
                f"Got the probability of row {wrong[0]!r}. Expected positions in X_target, from 0 to "
                f"{rows[-1]:,}."
            )
        drawn = np.array(sorted(probability), int)
    elif len(probability) == len(rows):
        drawn = np.flatnonzero(~np.isnan(np.asarray(probability, float)))
    else:
        raise ValueError(
            f"Got {len(probability):,} probabilities for {len(rows):,} rows. Expected one each, "
            "NaN of rows that were not drawn at random, or a dict of row to probability."
        )
    return np.intersect1d(data.labelled, drawn), np.setdiff1d(data.labelled, drawn)
