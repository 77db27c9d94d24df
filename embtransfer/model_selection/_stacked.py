"""StackedDomains: an adapting pipeline that takes marked rows of both domains."""

from numbers import Integral
from typing import Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from .._parts import by_domain, for_source
from .._types import Estimator, Labels, Rows
from ._domains import domains_of, is_marked, stratified_order


def _has(method):
    return available_if(lambda self: hasattr(getattr(self, "estimator_", self.estimator), method))


class StackedDomains(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Lets an adapting pipeline be cross-validated: takes marked rows apart into source and target.

    Around a pipeline it is what scikit-learn's tools fit on the rows of a fold. Source rows give labels,
    target rows are what the pipeline adapts to, their labels hidden: so the scored rows were not seen. Where
    there are several sources, the pipeline is told which row is of which (`domain`).

    Parameters
    ----------
    estimator : TransferPipeline or other estimator whose fit takes X_target
    target : str or None, default="target"
        Which domain is the target; all others are source. None: that of the last rows, which is where the
        splitters put it, for LeaveOneDomainOut.
    target_labels : int or "all", default=0
        How many of the target's labels to pass on as `y_target`, in the shares of their classes. 0 hides all.
        For pipelines whose last step takes them, such as PooledClassifier.
    random_state : int, default=0
        Seed of the choice of `target_labels`.

    Attributes
    ----------
    estimator_ : the fitted estimator
    target_ : str
        The domain that it serves.
    source_domains_ : ndarray of str
    classes_ : ndarray of shape (n_classes,)

    See Also
    --------
    stack_domains : Makes marked rows.
    TargetKFold : Splits them; pass it target_rows="all".

    Notes
    -----
    Predictions follow the mark: rows of a source domain go through the source path, rows of the target, or
    without a mark, through the target path. So `KFold` on marked rows is honest as well, and gives the
    partition that cross_val_predict asks for.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from embtransfer import (CORAL, DomainCentering, StackedDomains, TargetKFold,
    ...                          make_transfer_pipeline, stack_domains)
    >>> X, y = stack_domains([[0.0], [1.0]] * 9, [0, 1] * 9, [[5.0], [6.0]] * 9, [0, 1] * 9)
    >>> model = StackedDomains(make_transfer_pipeline(DomainCentering(), LogisticRegression()))
    >>> grid = {"estimator__domaincentering": [DomainCentering(), CORAL()]}
    >>> search = GridSearchCV(model, grid, cv=TargetKFold(3, target_rows="all")).fit(X, y)
    >>> float(search.best_score_), search.predict([[5.1], [5.9]]).tolist()
    (1.0, [0, 1])
    """

    def __init__(
        self,
        estimator: Estimator,
        *,
        target: str | None = "target",
        target_labels: int | Literal["all"] = 0,
        random_state: int = 0,
    ):
        self.estimator = estimator
        self.target = target
        self.target_labels = target_labels
        self.random_state = random_state

    def fit(self, X: pd.Series | pd.DataFrame, y: Labels) -> Self:
        """Fit the estimator on source rows, with the target rows as its X_target.

        Parameters
        ----------
        X : Series or DataFrame, as marked by stack_domains or mark_domains
        y : array-like of shape (n_rows,)
            Labels of all source rows, and of target rows where known.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If the estimator's fit takes no X_target.
        ValueError
            If rows carry no mark, one of the domains has no row, or a source row has no label.
        """
        if not has_fit_parameter(self.estimator, "X_target"):
            raise TypeError(
                f"Got {type(self.estimator).__name__}, whose fit takes no X_target. Expected a pipeline from "
                "make_transfer_pipeline. Voting, stacking and calibration go around StackedDomains; what "
                "does not adapt is scored by TargetKFold() as it is."
            )
        domains, y = domains_of(X), np.asarray(y)
        if len(y) != len(domains):
            raise ValueError(f"Got {len(y)} labels for {len(domains)} rows. Expected one a row.")
        self.target_ = _last_domain(domains) if self.target is None else self.target
        is_target = domains == self.target_
        self.source_domains_ = pd.unique(domains[~is_target])
        if is_target.all() or not is_target.any():
            raise ValueError(
                f"Got rows of {pd.unique(domains).tolist()}. Expected rows of the target "
                f"{self.target_!r} and of another domain. "
                'The splitters train on target rows with target_rows="all".'
            )
        if pd.isna(y[~is_target]).any():
            raise ValueError("Got source rows without a label. Leave them out, or mark them as the target's.")
        known = {}
        if self.target_labels != 0:
            known["y_target"] = self._known_labels(y[is_target])
        if len(self.source_domains_) > 1 and has_fit_parameter(self.estimator, "domain"):
            known["domain"] = domains[~is_target]
        self.estimator_ = clone(self.estimator).fit(
            _rows(X, ~is_target), np.array(y[~is_target].tolist()), X_target=_rows(X, is_target), **known
        )
        return self

    def _known_labels(self, y):
        codes = pd.factorize(y)[0]
        rows = np.flatnonzero(codes >= 0)
        if self.target_labels != "all":
            if not isinstance(self.target_labels, Integral) or not 0 < self.target_labels <= len(rows):
                raise ValueError(
                    f"Got target_labels={self.target_labels!r}. Expected at most {len(rows)}, as many "
                    'target rows have a label here, or "all".'
                )
            order = stratified_order(codes[rows], np.random.default_rng(self.random_state))
            rows = rows[order[: self.target_labels]]
        known = np.full(len(y), None, dtype=object)
        known[rows] = y[rows].tolist()
        return known

    @property
    def classes_(self) -> np.ndarray:
        return self.estimator_.classes_

    def source_view(self, domain: str | None = None) -> Estimator:
        """The fitted estimator for source rows, of one domain; so `source_scorer` works."""
        check_is_fitted(self)
        return for_source(self.estimator_, domain)

    @_has("predict")
    def predict(self, X: Rows) -> np.ndarray:
        """Predict labels: array of shape (n_rows,)."""
        return self._by_domain("predict", X)

    @_has("predict_proba")
    def predict_proba(self, X: Rows) -> np.ndarray:
        """Predict class probabilities: array of shape (n_rows, n_classes)."""
        return self._by_domain("predict_proba", X)

    @_has("decision_function")
    def decision_function(self, X: Rows) -> np.ndarray:
        """Signed distances, shaped as the estimator gives them."""
        return self._by_domain("decision_function", X)

    def _by_domain(self, method, X):
        check_is_fitted(self)
        if not is_marked(X):
            return getattr(self.estimator_, method)(X)
        domains = domains_of(X)
        is_target = domains == self.target_
        unknown = set(domains[~is_target]) - set(self.source_domains_)
        if unknown:
            raise ValueError(
                f"Got rows of {sorted(unknown)}. Expected the target {self.target_!r} or a source, "
                f"{self.source_domains_.tolist()}; rows without a mark are taken for the target's."
            )
        if is_target.all():
            return getattr(self.estimator_, method)(_rows(X, is_target))
        names = domains[~is_target] if len(self.source_domains_) > 1 else None
        from_source = by_domain(
            self.estimator_, lambda view, rows: getattr(view, method)(rows), _rows(X, ~is_target), names
        )
        result = np.empty((len(domains), *from_source.shape[1:]), from_source.dtype)
        result[~is_target] = from_source
        if is_target.any():
            result[is_target] = getattr(self.estimator_, method)(_rows(X, is_target))
        return result


def _last_domain(domains):
    """The domain of the last rows; refused where its rows are not together, as after shuffling."""
    is_last = domains == domains[-1]
    if not is_last[len(domains) - is_last.sum() :].all():
        raise ValueError(
            f"Got target=None, but rows of {domains[-1]!r}, the last ones, stand among others: their "
            "order was changed. Name the target: StackedDomains(estimator, target=...)."
        )
    return domains[-1]


def _rows(X, which):
    return X[which].reset_index(drop=True)
