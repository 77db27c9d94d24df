"""How often each class occurs in the target: estimates from a classifier's probabilities."""

from ._estimate import LEAST, METHODS, calibrate, estimate, estimate_priors
from ._known import known_priors, leave_priors_open, with_priors
from ._rows import priors_by_rows, shares_found
from ._target import (
    PRIORS,
    ShareView,
    TargetPriors,
    check_priors,
    is_estimated,
    matched,
    rows_for_priors,
    stratified_rows,
    target_priors,
    weights_by_class,
)

__all__ = [
    "LEAST",
    "METHODS",
    "PRIORS",
    "ShareView",
    "TargetPriors",
    "calibrate",
    "check_priors",
    "estimate",
    "estimate_priors",
    "is_estimated",
    "known_priors",
    "leave_priors_open",
    "matched",
    "priors_by_rows",
    "rows_for_priors",
    "shares_found",
    "stratified_rows",
    "target_priors",
    "weights_by_class",
    "with_priors",
]
