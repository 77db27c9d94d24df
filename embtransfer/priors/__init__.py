"""How often each class occurs in the target: estimates from a classifier's probabilities."""

from ._estimate import LEAST, METHODS, calibrate, estimate, estimate_priors
from ._target import TargetPriors, check_priors, stratified_rows, target_priors

__all__ = [
    "LEAST",
    "METHODS",
    "TargetPriors",
    "calibrate",
    "check_priors",
    "estimate",
    "estimate_priors",
    "stratified_rows",
    "target_priors",
]
