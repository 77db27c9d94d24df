"""Adapters whose maps need only sums over the rows: they learn batch by batch."""

from abc import abstractmethod
from functools import reduce
from operator import add
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array, check_consistent_length

from .._texts import check_domain
from .._types import Rows
from ..priors import weights_by_class
from ._base import BaseAdapter, are_classes

_LEAST_ROWS = 30  # of a source: the mean of fewer is too uncertain to be taken from them


class SummingAdapter(BaseAdapter):
    """An adapter whose maps need only sums over the rows, and so can learn from batches.

    A subclass supplies `_summarise(X)`, an object that adds up with `+`, such as `Moments`, and
    `_maps(source, target)`, the two maps made of such sums. After `partial_fit` the maps are worked out when
    they are first asked for, since that may cost more than a batch. The sums stay, in pickles too, so that a
    loaded adapter can go on.
    """

    _maps_each = False  # whether the target's map hangs on the target alone, so that each source can have one
    # attributes that the sums determine
    _worked_out: tuple[str, ...] = ("source_map_", "target_map_", "_n_features_out")
    _sums: dict[str, tuple[int, Any]]

    __metadata_request__partial_fit = {"X_target": True}

    @abstractmethod
    def _summarise(self, X):
        """Sums over the rows of one domain."""

    @abstractmethod
    def _maps(self, source, target):
        """Return (map of source rows, map of target rows) for the sums of both domains."""

    def _fit(self, source, target, y, weights=None):
        sums = self._weighed(source, weights)
        target_sums = sums if target is source else self._summarise(target)
        self._sums = {"X": (source.shape[0], sums), "X_target": (target.shape[0], target_sums)}
        return self._maps(sums, target_sums)

    def _learn_as_in_target(self, X, y, X_target, index, priors):
        self._set_maps(*self._fit(X, X_target, y, weights_by_class(index, priors)[index]))

    def _learn_each(self, X, y, names):
        """Each source gets a map by itself, of its rows as if it had the target's class shares.

        One of few rows, or that lacks a class, keeps the map of all.
        """
        if not self._maps_each:
            return
        index, shares = None, self.priors_
        if are_classes(y):
            index = np.unique(np.asarray(y), return_inverse=True)[1]
            shares = np.bincount(index) / len(index) if shares is None else shares
        for name in sorted(set(names.tolist()), key=str):
            rows = np.flatnonzero(names == name)
            own = None if index is None else index[rows]
            known = own is None or np.isin(np.flatnonzero(shares), own).all()
            self.source_maps_[name] = self.source_map_
            if known and len(rows) >= _LEAST_ROWS:
                weights = None if own is None else weights_by_class(own, shares)[own]
                sums = self._weighed(X[rows], weights)
                self.source_maps_[name] = self._maps(sums, self._sums["X_target"][1])[0]

    def _map_source(self, X, domain):
        if domain is None or not getattr(self, "source_maps_", None):
            return super()._map_source(X, domain)
        names = check_domain(domain, X.shape[0])
        if unknown := set(names.tolist()) - set(self.source_maps_):
            raise ValueError(
                f"Got rows of the domain {min(unknown, key=str)!r}. Expected one of those that fit was told: "
                f"{', '.join(map(repr, self.source_maps_))}, or domain=None, the map of all together."
            )
        mapped = self.source_map_(X)
        for name in set(names.tolist()):
            mapped[names == name] = self.source_maps_[name](X[names == name])
        return mapped

    def _weighed(self, X, weights):
        """Sums over rows that count by weights, of which there are few; None where none is above 0."""
        if weights is None:
            return self._summarise(X)
        parts = [self._summarise(X[weights == weight]) * weight for weight in np.unique(weights[weights > 0])]
        return reduce(add, parts) if parts else None

    def partial_fit(
        self,
        X: Rows | None = None,
        y: object = None,
        X_target: Rows | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn from more rows of one domain or both, for data that do not fit in memory.

        Rows add to those of earlier calls, and of `fit`. The maps are those of one `fit` on all rows, in
        whatever order and batches they come. Class shares are not estimated here: the source keeps its own,
        unless its rows are weighed. While only one domain has been seen it stands for the other.

        Parameters
        ----------
        X : array-like of shape (n_source, n_features), default=None
            Source rows; may be None if X_target is given.
        y : ignored
        X_target : array-like of shape (n_target, n_features), default=None
            Unlabelled target rows.
        sample_weight : array-like of shape (n_source,), default=None
            How often each source row counts, such as its class's share in the target over that in the
            source. Rows of equal weight are summed together: meant for few values.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If both are None, the rows hold NaN or infinity, or they have other columns than those before.
            If a domain has too few rows for the method, the first use of the maps says so.
        """
        self._validate_params()
        if X is None and X_target is None:
            raise ValueError("Got neither X nor X_target. Expected rows of at least one domain.")
        X, X_target = self._check_domains(X, X_target, first=not hasattr(self, "_sums"))
        weights = None
        if X is not None and sample_weight is not None:
            weights = check_array(
                sample_weight, ensure_2d=False, ensure_non_negative=True, input_name="sample_weight"
            )
            check_consistent_length(X, weights)
        sums = dict(vars(self).get("_sums", {}))
        for name, rows, of_rows in (("X", X, weights), ("X_target", X_target, None)):
            if rows is not None:
                n_rows, before = sums.get(name, (0, None))
                both = [some for some in (before, self._weighed(rows, of_rows)) if some is not None]
                sums[name] = n_rows + rows.shape[0], reduce(add, both) if both else None
        self._sums = sums
        for name in (*self._worked_out, "source_maps_"):
            self.__dict__.pop(name, None)
        return self

    def _learn(self, X, y, X_target):
        super()._learn(X, y, X_target)
        if X_target is None:
            self._sums.pop("X_target")

    def _work_out(self):
        for name, (n_rows, _) in self._sums.items():
            self._check_rows(n_rows, name)
        domains = [self._sums[name][1] for name in ("X", "X_target") if name in self._sums]
        source_map, target_map = self._maps(domains[0], domains[-1])
        self._set_maps(source_map if len(domains) == 2 else target_map, target_map)

    def __getattr__(self, name):
        if name in self._worked_out and "_sums" in vars(self):
            self._work_out()
            return vars(self)[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
