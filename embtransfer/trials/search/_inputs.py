"""Texts and labels that a search is given: checked, and what is known of the target."""

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from ..._rows import n_rows
from ..._texts import plain_labels
from ...priors._target_labels import unwrap
from .._splits import Domains, known


def check(X, y, X_target, groups, y_target, domain) -> Domains:
    """Both domains, of at least ten rows each, and two of each source class."""
    X_target, y_target = unwrap(X_target, y_target)
    data = Domains(X, plain_labels(y), X_target, y_target, groups, domain=domain)
    check_classification_targets(data.y)
    for name, rows in (("source", data.source), ("target", data.target)):
        if n_rows(rows) < 10:
            raise ValueError(f"Got {n_rows(rows)} {name} {data.kind}. Expected at least 10.")
    data.check_groups(2)
    return data


def told(data, classes) -> np.ndarray | None:
    """Numbers of the classes of the target texts, -1 where not known; None without any label."""
    if not len(data.labelled):
        return None
    found = np.full(n_rows(data.target), -1)
    found[data.labelled] = np.searchsorted(classes, known(data.y_target, data.labelled))
    return found
