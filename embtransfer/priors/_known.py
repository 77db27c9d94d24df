"""Class shares of the target that the user knows, and models that are told them."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import clone

from .._names import first_few
from .._parts import nested
from .._types import Estimator, Labels
from ._target import TargetPriors

_TOLERANCE = 0.01  # of the sum: shares are rounded


def known_priors(shares: Mapping[Any, float] | None, y: Labels) -> np.ndarray | None:
    """Shares by label as an array in the order of the sorted labels, with sum 1; None as it is.

    Parameters
    ----------
    shares : dict of label -> float, or None
        Each label of y once, of the same type; their sum is 1 within a hundredth.
    y : array-like of shape (n_source,)
    """
    if shares is None:
        return None
    labels = np.unique(y).tolist()
    if not isinstance(shares, Mapping):
        raise ValueError(f"Got target_shares={shares!r}. Expected a dict from each label to its share.")
    if unknown := [label for label in shares if label not in labels]:
        raise ValueError(
            f"Got target_shares of {first_few(unknown, form=repr)}, but the source's labels are "
            f"{first_few(labels, form=repr)}. Expected these, of the same type."
        )
    if missing := [label for label in labels if label not in shares]:
        raise ValueError(
            f"Got target_shares without {first_few(missing, form=repr)}. Expected a share of each label of "
            "the source, 0 where the target has none."
        )
    for label, share in shares.items():
        if not isinstance(share, Real) or not 0 <= share <= 1:
            raise ValueError(f"Got target_shares with {share!r} of {label!r}. Expected numbers from 0 to 1.")
    found = np.array([shares[label] for label in labels], np.float64)
    if abs(found.sum() - 1) > _TOLERANCE + 1e-9:
        raise ValueError(
            f"Got target_shares with sum {found.sum():.4g}. Expected 1: each is a share of all target texts."
        )
    return found / found.sum()


def leave_priors_open(fitted: Estimator, unfitted: Estimator, found: TargetPriors) -> None:
    """Let a model that was told an estimate of the shares estimate them itself when it is fitted anew.

    Labels of the target may say more by then. What was told is what it was fitted with: with an interval.
    """
    fitted.set_params(**_open_priors(unfitted))
    for part in nested(fitted):
        if getattr(part, "prior_intervals_", None) is not None:
            part.prior_intervals_ = found.intervals


def with_priors(estimator: Estimator, priors: np.ndarray | None) -> Estimator:
    """A copy told these shares of the target's classes, in every part that has `priors` and no numbers there.

    The estimator itself if no part has, or the shares are None.
    """
    if priors is None or not hasattr(estimator, "get_params"):
        return estimator
    # scikit-learn's NearestCentroid takes no array
    own = {name: np.asarray(priors).tolist() for name in _open_priors(estimator)}
    return clone(estimator).set_params(**own) if own else estimator


def _open_priors(estimator):
    """The parameters named `priors`, of it and its parts, that hold no numbers."""
    return {
        name: value
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "priors" and isinstance(value, str | None)
    }
