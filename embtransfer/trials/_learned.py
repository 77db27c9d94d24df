"""Target labels that the models of a comparison learn from: no text of theirs is scored."""

import numpy as np
import pandas as pd

from ..model_selection import stratified_order


def check_n_labels(n, data) -> None:
    """Refuse a number that is none, and labels that no model learns from.

    Raises
    ------
    ValueError
    """
    if not (isinstance(n, int | np.integer) and n >= 0):
        raise ValueError(f"Got n_target_labels={n!r}. Expected a whole number, 0 or more.")
    if n and not data.of_classes:
        raise ValueError(f"Got n_target_labels={n} with labels that are no classes. Leave it out.")
    if n and not len(data.labelled):
        raise ValueError(f"Got n_target_labels={n} without labels of the target. Pass y_target.")


def draw_learned(data, seen, scored, n, random_state):
    """Draw labelled seen texts to learn from, in the shares of the classes.

    Parameters
    ----------
    data : Domains
    seen, scored : ndarray of int
        Positions among the target texts, and among those with a label.
    n : int
    random_state : int

    Returns
    -------
    (positions of the drawn target texts, what is left of `scored`)

    Raises
    ------
    ValueError
        If they are too few.
    """
    order = np.intersect1d(seen, data.labelled)
    rng = np.random.default_rng([random_state, 1])  # another stream than that of the split
    learned = np.sort(order[stratified_order(pd.factorize(data.y_target[order])[0], rng)][:n])
    copies = np.isin(data.target_groups, data.target_groups[learned])
    scored = scored[~copies[data.labelled[scored]]]
    if n > len(order) or not len(scored):
        raise ValueError(
            f"Got n_target_labels={n:,} of {len(data.labelled):,} target {data.kind} with a label, of which "
            f"{len(order):,} are seen while adapting. Expected fewer, so that others are scored."
        )
    return learned, scored
