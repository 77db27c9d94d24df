"""Two directions of rows: one tells the source's classes apart, the other the domains."""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn import config_context
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

_COLUMNS = 50  # of which sparse or wide rows keep their principal components
_OUTER = 0.01  # share of the rows at each end that are drawn at the edge
_LEAST = 0.5  # standard deviations: groups that are nearer than that are not told apart


@config_context(transform_output="default", array_api_dispatch=False)  # with dispatch arpack is refused
def along(source, target, labels) -> pd.DataFrame:
    """Every second row: its domain, label, and places in standard deviations within the groups.

    The directions are fitted on the other rows, or they would tell apart what only chance does.
    """
    stacked = sp.vstack([source, target]) if sp.issparse(source) else np.vstack([source, target])
    if sp.issparse(stacked) or stacked.shape[1] > _COLUMNS:
        kept = min(_COLUMNS, *(n - 1 for n in stacked.shape))
        solver = "arpack" if sp.issparse(stacked) else "randomized"
        stacked = PCA(kept, svd_solver=solver, random_state=0).fit_transform(stacked)
    rows = np.asarray(stacked, np.float64)
    n_source = source.shape[0]
    domain = np.repeat(["source", "target"], [n_source, target.shape[0]])
    label = np.array([*labels, *[""] * target.shape[0]])
    fits = np.concatenate([np.arange(n_source), np.arange(target.shape[0])]) % 2 == 1
    fits &= len(fits) > 8  # of fewer rows all are drawn, and fit
    fits = fits if fits.any() else np.ones(len(fits), bool)
    drawn = ~fits if not fits.all() else fits
    of_source = domain == "source"
    x, rows = _discriminant(rows, label, fits & of_source)
    y, _ = _discriminant(rows, domain, fits)
    groups = np.where(of_source, label, domain)
    table = pd.DataFrame({"domain": domain, "label": label, "x": _scaled(x, groups, drawn)})
    return table.assign(y=_scaled(y, groups, drawn))[drawn].reset_index(drop=True)


def _discriminant(rows, groups, fits):
    """Places along the direction in which the groups lie farthest apart, and the rows without it."""
    names, counts = np.unique(groups[fits], return_counts=True)
    direction = np.zeros(rows.shape[1])
    some = fits & np.isin(groups, names[counts > 1])
    within = [rows[some & (groups == name)].std(axis=0) for name in names[counts > 1]]
    varies = np.max(within, axis=0, initial=0.0) > 1e-9
    if len(within) > 1 and varies.any():
        model = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.5, n_components=1)
        direction[varies] = model.fit(rows[some][:, varies], groups[some]).scalings_[:, 0]
    places = rows @ direction
    if counts.size == 2 and places[groups == names[0]].mean() > places[groups == names[1]].mean():
        places, direction = -places, -direction  # in the order of the names
    return places, rows - np.outer(places, direction) / max(direction @ direction, 1e-12)


def _scaled(places, groups, drawn):
    """In standard deviations within the groups, the middle at 0."""
    some = pd.Series(places[drawn])
    within = np.sqrt(some.groupby(groups[drawn]).var(ddof=0).mean())
    return (places - some.median()) / (within if within > 1e-9 else 1.0)


def gaps(points) -> tuple[float, float]:
    """How far apart the classes of the source lie along x at most, and the domains along y."""
    classes = points[points["domain"] == "source"].groupby("label")["x"].mean()
    domains = points.groupby("domain")["y"].mean()
    return float(classes.max() - classes.min()), float(domains.max() - domains.min())


def says_nothing(pictures) -> bool:
    """Whether neither classes nor domains are told apart in any picture."""
    return max(max(gaps(points)) for points in pictures.values()) < _LEAST


def limits(pictures) -> dict:
    """Of x and y, the ends of an axis that holds all but the outermost points of all pictures."""
    points = pd.concat(list(pictures.values()))
    ends = {name: points[name].quantile([_OUTER, 1 - _OUTER]).to_numpy() for name in ("x", "y")}
    return {name: (float(low) - 0.5, float(high) + 0.5) for name, (low, high) in ends.items()}
