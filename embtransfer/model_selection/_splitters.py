"""Splitters that train on source rows and score labelled target rows."""

from collections.abc import Iterator
from numbers import Integral
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator, StratifiedKFold

from .._types import Labels, Rows
from ._domains import domains_of, stratified_order

_Folds = Iterator[tuple[np.ndarray, np.ndarray]]


class _TargetSplitter(BaseCrossValidator):
    """Splits whose test part is labelled rows of one domain, and whose training part ends with its others."""

    def get_n_splits(self, X: Rows | None = None, y: Labels | None = None, groups: object = None) -> int:
        """The number of splits."""
        return self.n_splits

    def _target_parts(self, X, y, target):
        """Positions of the labelled rows of other domains, of the labelled target rows, and class numbers."""
        domains = domains_of(X)
        if y is None or len(y) != len(domains):
            got = "no y" if y is None else f"{len(y)} labels for {len(domains)} rows"
            raise ValueError(f"Got {got}. Expected labels, with None or NaN where one is not known.")
        codes = pd.factorize(np.asarray(y))[0]
        is_target = domains == target
        source, scored = (np.flatnonzero(part & (codes >= 0)) for part in (~is_target, is_target))
        for rows, what in ((source, "other domains"), (scored, f"the domain {target!r}")):
            if len(rows) == 0:
                raise ValueError(
                    f"Got no labelled rows of {what}; the domains are {pd.unique(domains).tolist()}. "
                    "Expected labelled rows of the target, to score, and of another domain, to train on."
                )
        return source, scored, codes, np.flatnonzero(is_target)

    def _train(self, source, test, codes, target, rng):
        """Source rows, then as many of the other target rows as `target_rows` says."""
        others = np.setdiff1d(target, test)
        if self.target_rows != "all":
            if not isinstance(self.target_rows, Integral) or self.target_rows < 0:
                raise ValueError(
                    f'Got target_rows={self.target_rows!r}. Expected a number of rows, or "all".'
                )
            others = others[codes[others] >= 0]
            if self.target_rows > len(others):
                raise ValueError(
                    f"Got target_rows={self.target_rows}, but beside the test rows the target has "
                    f"{len(others)} labelled rows. Ask for fewer, or for more folds."
                )
            others = np.sort(others[stratified_order(codes[others], rng)[: self.target_rows]])
        return np.concatenate([source, others])


class TargetKFold(_TargetSplitter):
    """K folds of the labelled target rows: train on the source, score a fold of the target.

    Parameters
    ----------
    n_splits : int, default=5
    target_rows : int or "all", default=0
        How many of the *other* target rows to train on, after the source rows. 0: none; any estimator can
        be scored so. A number: labelled ones, in the shares of their classes. "all": all, also those without
        a label, for StackedDomains, which adapts to them and hides their labels.
    target : str, default="target"
        Which domain is scored. All others are source.
    random_state : int, default=0
        Seed of the folds and of the choice of `target_rows`.

    See Also
    --------
    TargetShuffleSplit : Draws source rows as well.
    LeaveOneDomainOut : Each domain in turn is the target.
    StackedDomains : Adapts to the other target rows.

    Notes
    -----
    Folds are stratified. With a pipeline as it is, `params={"X_target": Target(texts)}` adapts every fold to
    the same texts: honest if these are other texts than the scored ones, transductive if they are the same.

    An estimator outside StackedDomains is trained with the labels of all rows in the training part.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from embtransfer import (DomainCentering, StackedDomains, TargetKFold, WordEmbedder,
    ...                          make_classifier, make_transfer_pipeline, stack_domains)
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> X, y = stack_domains(films.data, films.target, pans.data, pans.target)
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    >>> scores = cross_val_score(StackedDomains(pipeline), X, y, cv=TargetKFold(4, target_rows="all"))
    >>> len(scores)
    4
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        target_rows: int | Literal["all"] = 0,
        target: str = "target",
        random_state: int = 0,
    ):
        self.n_splits = n_splits
        self.target_rows = target_rows
        self.target = target
        self.random_state = random_state

    def split(self, X: Rows, y: Labels | None = None, groups: object = None) -> _Folds:
        """Yield the positions (train, test) of each fold; X is marked, `groups` is ignored."""
        source, scored, codes, target = self._target_parts(X, y, self.target)
        folds = StratifiedKFold(self.n_splits, shuffle=True, random_state=self.random_state)
        rng = np.random.default_rng(self.random_state)
        for _, fold in folds.split(scored, codes[scored]):
            yield self._train(source, scored[fold], codes, target, rng), scored[fold]


class TargetShuffleSplit(_TargetSplitter):
    """Train on random source rows and score random target rows: the spread comes from both domains.

    Parameters
    ----------
    n_splits : int, default=10
    train_size : float in (0, 1], default=0.8
        Share of the source rows to train on. 1 keeps all, and so hides what another source would have given.
    test_size : float in (0, 1], default=0.5
        Share of the labelled target rows to score.
    target_rows : int or "all", default=0
        How many of the other target rows to train on; see TargetKFold.
    target : str, default="target"
    random_state : int, default=0

    See Also
    --------
    TargetKFold : Scores each target row once.

    Examples
    --------
    >>> from embtransfer import TargetShuffleSplit, stack_domains
    >>> X, y = stack_domains([[0.0], [1.0]] * 5, [0, 1] * 5, [[5.0], [6.0]] * 2, [0, 1] * 2)
    >>> for train, test in TargetShuffleSplit(2).split(X, y):
    ...     print(len(train), len(test))
    8 2
    8 2
    """

    def __init__(
        self,
        n_splits: int = 10,
        *,
        train_size: float = 0.8,
        test_size: float = 0.5,
        target_rows: int | Literal["all"] = 0,
        target: str = "target",
        random_state: int = 0,
    ):
        self.n_splits = n_splits
        self.train_size = train_size
        self.test_size = test_size
        self.target_rows = target_rows
        self.target = target
        self.random_state = random_state

    def split(self, X: Rows, y: Labels | None = None, groups: object = None) -> _Folds:
        """Yield the positions (train, test) of each split; X is marked, `groups` is ignored."""
        source, scored, codes, target = self._target_parts(X, y, self.target)
        rng = np.random.default_rng(self.random_state)
        for _ in range(self.n_splits):
            some = self._share(source, codes, self.train_size, "train_size", rng)
            test = self._share(scored, codes, self.test_size, "test_size", rng)
            yield self._train(some, test, codes, target, rng), test

    def _share(self, rows, codes, size, name, rng):
        if not 0 < size <= 1 or round(size * len(rows)) == 0:
            raise ValueError(
                f"Got {name}={size!r} of {len(rows)} rows. Expected a share in (0, 1], of 1 row or more."
            )
        return np.sort(rows[stratified_order(codes[rows], rng)[: round(size * len(rows))]])


class LeaveOneDomainOut(_TargetSplitter):
    """Each domain in turn is the target: train on all other domains, score this one.

    Parameters
    ----------
    n_folds : int, default=1
        1 scores a domain as a whole, and nothing of it can be trained on. More score it fold by fold, so
        that `target_rows` can say how much of the rest is trained on.
    target_rows : int or "all", default=0
        How many of the other rows of the domain to train on, after the other domains; see TargetKFold.
        "all" is for StackedDomains(target=None), which takes the domain of the last rows for its target.
    random_state : int, default=0

    See Also
    --------
    mark_domains : Marks the rows.

    Examples
    --------
    >>> from embtransfer import LeaveOneDomainOut, mark_domains
    >>> X = mark_domains([[0.0], [1.0]] * 3, ["books", "books", "dvd", "dvd", "music", "music"])
    >>> for train, test in LeaveOneDomainOut().split(X, [0, 1] * 3):
    ...     print(train, test)
    [2 3 4 5] [0 1]
    [0 1 4 5] [2 3]
    [0 1 2 3] [4 5]
    """

    def __init__(self, n_folds: int = 1, *, target_rows: int | Literal["all"] = 0, random_state: int = 0):
        self.n_folds = n_folds
        self.target_rows = target_rows
        self.random_state = random_state

    def split(self, X: Rows, y: Labels | None = None, groups: object = None) -> _Folds:
        """Yield the positions (train, test) of each fold; X is marked, `groups` is ignored."""
        if self.n_folds == 1 and self.target_rows != 0:
            raise ValueError(
                f"Got target_rows={self.target_rows!r} with n_folds=1, which scores all rows of a domain. "
                "Pass n_folds=2 or more."
            )
        for target in pd.unique(domains_of(X)):
            if self.n_folds > 1:
                folds = TargetKFold(
                    self.n_folds, target_rows=self.target_rows, target=target, random_state=self.random_state
                )
                yield from folds.split(X, y)
            else:
                yield self._target_parts(X, y, target)[:2]

    def get_n_splits(self, X: Rows | None = None, y: Labels | None = None, groups: object = None) -> int:
        """The number of folds of all domains; X is marked."""
        return self.n_folds * len(pd.unique(domains_of(X)))
