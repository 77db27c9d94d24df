"""How often each class occurs in source and target, as a fitted model reckons, and the same in words."""

import numpy as np
import pandas as pd
from sklearn.base import is_regressor

from .._parts import nested
from .._rows import unwrapped
from .._types import Estimator

_ALL, _MOST = 10, 5  # classes that are said one and all, and those that are said of more


def class_shares(model: Estimator) -> pd.DataFrame | None:
    """How often each class occurs in the source and, as a fitted model estimates or was told, in the target.

    Parameters
    ----------
    model : fitted estimator
        Such as a TransferPipeline, a classifier or adapter of this package, or a TransferSearch.

    Returns
    -------
    DataFrame or None
        A row a class, and the columns "source" and "target", its shares, and "low" and "high", an interval
        of the target's: both equal to it if the share was given, NaN if no interval was asked for. Of several
        steps that have shares the last one speaks; `attrs["step"]` is its class. The index are the labels,
        or their numbers if the model has no `classes_`. None if no step has any: before `fit`, without a
        target, where the parts take the source's, or of a model that predicts numbers.

    See Also
    --------
    LabelShiftClassifier : Estimates them where nothing else differs.

    Examples
    --------
    >>> from embtransfer import class_shares, make_recipe
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> model = make_recipe("words").fit(films.data, films.target, X_target=pans.data)
    >>> list(class_shares(model).columns)
    ['source', 'target', 'low', 'high']
    """
    if hasattr(model, "__sklearn_tags__") and is_regressor(model):
        return None  # an adapter may have taken ratings for classes
    for part in reversed(list(nested(model))):
        source, intervals = (getattr(part, name, None) for name in ("source_priors_", "prior_intervals_"))
        if source is None or intervals is None:
            continue
        # the source's or equal shares, by name or for lack of a target, are no estimate
        if isinstance(getattr(part, "priors", None), str) and (intervals[:, 0] == intervals[:, 1]).all():
            continue
        target = part.target_priors_ if hasattr(part, "target_priors_") else part.priors_
        columns = {"source": source, "target": target, "low": intervals[:, 0], "high": intervals[:, 1]}
        classes = getattr(model, "classes_", range(len(source)))
        table = pd.DataFrame(columns, pd.Index(classes, name="class"))
        table.attrs["step"] = type(part).__name__
        return table
    inner = unwrapped(model)
    return None if inner is model else class_shares(inner)


def shares_in_words(shares: pd.DataFrame | None) -> str:
    """What `class_shares` gives, in words; of more than ten classes the five whose shares differ most."""
    if shares is None:
        return ""
    n_others = 0
    if len(shares) > _ALL:
        apart = (shares["target"] - shares["source"]).abs().to_numpy()
        n_others = len(shares) - _MOST
        shares = shares.iloc[np.sort(np.argsort(-apart, kind="stable")[:_MOST])]
    said = [
        f"{one.Index}: {_percent(one.source)} % in the source, {_percent(one.target)} %"
        f"{_interval(one.low, one.high)} in the target"
        for one in shares.itertuples()
    ]
    return "; ".join([*said, f"the other {n_others:,} classes differ less"] if n_others else said)


def _interval(low, high):
    return f" ({_percent(low)} to {_percent(high)})" if low < high else ""


def _percent(share):
    return f"{100 * share:.0f}" if share >= 0.0195 else f"{100 * share:.1f}".removesuffix(".0")
