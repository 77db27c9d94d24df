"""Labels of some target rows, and the holder that they may come in."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from .._texts import objects, plain_labels


class Known(NamedTuple):
    """Target rows whose labels are known: their positions and these labels, each (n_known,)."""

    rows: np.ndarray
    labels: np.ndarray


def known_labels(y_target, n_target, classes) -> Known:
    """The rows with a label, and the labels as they are in `classes`.

    Parameters
    ----------
    y_target : array-like of shape (n_target,), or None
        None, NaN or pandas.NA where not known.
    n_target : int
    classes : ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If there is one label or more, and none is known or one is no class; or there are not n_target.
    """
    if y_target is None:
        return Known(np.empty(0, dtype=int), classes[:0])
    if getattr(y_target, "ndim", 1) != 1:
        raise ValueError(f"y_target has shape {y_target.shape}. Expected one label for each row of X_target.")
    given = objects(y_target)
    if len(given) != n_target:
        raise ValueError(
            f"y_target has {len(given)} labels, but X_target has {n_target} rows. "
            "Put None where a label is not known."
        )
    rows = np.flatnonzero(~pd.isna(given))
    if len(rows) == 0:
        raise ValueError("y_target holds no known label. Give some, or leave y_target out.")
    place = {label: k for k, label in enumerate(classes.tolist())}
    for label in given[rows]:
        if label not in place:
            raise ValueError(
                f"y_target holds {label!r}, but the source labels are {list(place)}. "
                "Put None where a label is not known."
            )
    return Known(rows, classes[[place[label] for label in given[rows]]])


def unwrap(X_target, y_target):
    """Target data and their labels, which a Target may hold.

    Raises
    ------
    ValueError
        If there are labels twice, or without data.
    """
    # no container of rows has an attribute X_target and no shape
    if hasattr(X_target, "X_target") and not hasattr(X_target, "shape"):
        if y_target is not None and X_target.y_target is not None:
            raise ValueError("Got y_target twice: by itself and in Target. Pass one of them.")
        y_target = X_target.y_target if y_target is None else y_target
        X_target = X_target.X_target
    if y_target is not None and X_target is None:
        raise ValueError("Got y_target, but no X_target. Pass the data that the labels are of.")
    return X_target, None if y_target is None else plain_labels(y_target)
