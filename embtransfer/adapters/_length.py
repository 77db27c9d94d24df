"""LengthScaling: rows of a mean squared length of 1, so that views side by side weigh the same."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from ..copies._groups import complete_folds, identical
from ..priors import LEAST, stratified_rows
from ..priors._logistic import held_out_proba
from ._base import are_classes
from ._summing import SummingAdapter

_FOLDS, _ROWS = 3, 4000
_ERRORS = 2  # standard errors by which a longer length must be better


class ScaleMap:
    """Rows, dense or sparse, times a number."""

    def __init__(self, factor):
        self.factor = factor

    def n_outputs(self, n_features):
        return n_features

    def __call__(self, X):
        return X * X.dtype.type(self.factor)


class LengthScaling(SummingAdapter):
    r"""Divide all rows by one number, so that their mean squared length is 1, or what suits the labels.

    The last step of each view that stands beside others in a FeatureUnion, and before a classifier whose
    regularisation is to mean the same whatever the embedding: the vectors of a strong ridge are short. Sparse
    rows stay sparse.

    Parameters
    ----------
    lengths : sequence of float, default=(1.0,)
        Root mean square lengths of the rows, ascending. Of several the first is taken, unless a longer one
        tells held-out source labels better, in their mean log-loss by LogisticRegression(), by more than two
        standard errors: length l with C is length 1 with C times l squared. Without `y`, and in
        `partial_fit`, the first.

    Attributes
    ----------
    length_ : float
    source_map_, target_map_ : ScaleMap
    n_features_in_ : int

    See Also
    --------
    DomainCentering : Goes before it, since a common offset would count as length.

    Notes
    -----
    :math:`x / \sqrt{(\overline{|x_s|^2} + \overline{|x_t|^2}) / 2}` for both domains, with the mean squared
    length of the source's and the target's rows, times `length_`. Rows that are all zero stay so.

    Examples
    --------
    >>> from embtransfer import LengthScaling
    >>> LengthScaling().fit_transform([[3.0, 0.0], [0.0, 3.0]])
    array([[1., 0.],
           [0., 1.]])
    """

    length_: float
    _accepts_sparse = _one_map = True
    _parameter_constraints = {"lengths": ["array-like"]}

    def __init__(self, lengths: Sequence[float] = (1.0,)):
        self.lengths = lengths

    def _learn_from_labels(self, X, y):
        if len(self.lengths) > 1 and are_classes(y):
            first, index = self.length_, np.unique(np.asarray(y), return_inverse=True)[1]
            self.length_ = self._best(self.source_map_(X), index)
            self.source_map_ = self.target_map_ = ScaleMap(self.target_map_.factor * self.length_ / first)

    def _best(self, rows, index):
        """The length at which held-out labels are told best; rows have the first."""
        some = stratified_rows(index, np.bincount(index) / len(index), min(len(index), _ROWS))
        rows, index = rows[some], index[some]
        splits = complete_folds(index, identical(rows), _FOLDS, np.random.RandomState(0))
        if not splits:
            return self.length_

        def losses(length):
            scaled = rows * rows.dtype.type(length / self.length_)
            proba = held_out_proba(LogisticRegression(max_iter=500), scaled, index, splits)
            return -np.log(np.maximum(proba[np.arange(len(index)), index], LEAST))

        best, least = self.length_, losses(self.length_)
        for length in self.lengths[1:]:
            found = losses(length)
            gains = least - found
            if gains.mean() > _ERRORS * gains.std() / np.sqrt(len(gains)):
                best, least = float(length), found
        return best

    def _summarise(self, X):
        values = X.data if sparse.issparse(X) else np.ravel(X)
        return np.array([X.shape[0], np.einsum("i,i->", values, values, dtype=np.float64)])

    def _maps(self, source, target):
        square = (source[1] / source[0] + target[1] / target[0]) / 2
        lengths = np.asarray(self.lengths, np.float64)
        if lengths.ndim != 1 or not len(lengths) or not (np.diff(lengths, prepend=0) > 0).all():
            raise ValueError(
                f"Got lengths={self.lengths!r}. Expected positive numbers, ascending, such as (1.0, 3.0)."
            )
        self.length_ = float(lengths[0])
        factor = self.length_ / float(np.sqrt(square)) if square > 0 else 1.0
        return ScaleMap(factor), ScaleMap(factor)
