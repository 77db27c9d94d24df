"""Steps that learn from labels before a classifier that holds labels out: a warning, with the way out."""

import warnings

from .._parts import learns_from_labels
from ..adapters import BaseAdapter


def warn_of_labels_seen(steps):
    """Warn of the first such step; of adapters those that use labels are meant to stand there."""
    last = steps[-1][1]
    if not getattr(last, "_holds_labels_out", False):
        return
    for name, step in steps[:-1]:
        if learns_from_labels(step, but=BaseAdapter):
            own, classifier = type(step).__name__, type(last).__name__
            warnings.warn(
                f"Got the step {name!r}, which learns from the labels of all rows, before {classifier}, "
                "which holds some out to find how sure its classifier is: it will be too sure. Put the step "
                f"inside: {classifier}(make_pipeline({own}(...), LogisticRegression())).",
                UserWarning,
                stacklevel=5,
            )
            return
