"""What is known of some target rows: labels, probabilities of having been drawn."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .._texts import readable


def by_row(given, n_rows, name) -> np.ndarray:
    """One value a row, None where it is not known: (n_rows,) of objects.

    `given` is a mapping from rows to values, or one value a row; None is neither.

    Raises
    ------
    ValueError
    """
    values = np.full(n_rows, None, object)
    if given is None:
        return values
    if isinstance(given, Mapping):
        wrong = [
            row
            for row in given
            if type(row) is bool or not isinstance(row, int | np.integer) or not 0 <= row < n_rows
        ]
        if wrong:
            raise ValueError(
                f"Got {name} of row {wrong[0]!r}. Expected positions in X_target, from 0 to {n_rows - 1:,}."
            )
        places, given = list(given), list(given.values())
    else:
        given = readable(given)
        given = np.ravel(given) if getattr(given, "shape", ())[1:] == (1,) else given
        given = given.tolist() if hasattr(given, "tolist") else list(given)
        places = list(range(n_rows))
        if len(given) != n_rows:
            raise ValueError(
                f"{name} has {len(given):,} values, but X_target has {n_rows:,} rows. Put None where one is "
                "not known, or pass a dict from rows to values."
            )
    for row, value in zip(places, given, strict=True):
        if not pd.isna(value):
            values[row] = value
    return values


def check_classes(labels, classes):
    """Refuse labels that are no class of the model.

    Raises
    ------
    ValueError
    """
    known = set(classes.tolist())
    unknown = [label for label in labels if label not in known]
    if unknown:
        raise ValueError(
            f"y_target holds {unknown[0]!r}, but the classes of the model are {sorted(known, key=str)}. "
            "Put None where a label is not known."
        )
