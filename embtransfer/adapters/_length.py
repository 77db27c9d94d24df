"""LengthScaling: rows of a mean squared length of 1, so that views side by side weigh the same."""

import numpy as np
from scipy import sparse

from ._summing import SummingAdapter


class ScaleMap:
    """Rows, dense or sparse, times a number."""

    def __init__(self, factor):
        self.factor = factor

    def n_outputs(self, n_features):
        return n_features

    def __call__(self, X):
        return X * X.dtype.type(self.factor)


class LengthScaling(SummingAdapter):
    r"""Divide all rows by one number, so that their mean squared length is 1.

    The last step of each view that stands beside others in a FeatureUnion, and before a classifier whose
    regularisation is to mean the same whatever the embedding: the vectors of a strong ridge are short. Sparse
    rows stay sparse.

    See Also
    --------
    DomainCentering : Goes before it, since a common offset would count as length.

    Notes
    -----
    :math:`x / \sqrt{(\overline{|x_s|^2} + \overline{|x_t|^2}) / 2}` for both domains, with the mean squared
    length of the source's and the target's rows. Rows that are all zero stay so.

    Examples
    --------
    >>> from embtransfer import LengthScaling
    >>> LengthScaling().fit_transform([[3.0, 0.0], [0.0, 3.0]])
    array([[1., 0.],
           [0., 1.]])
    """

    _accepts_sparse = _one_map = True

    def _summarise(self, X):
        values = X.data if sparse.issparse(X) else np.ravel(X)
        return np.array([X.shape[0], np.einsum("i,i->", values, values, dtype=np.float64)])

    def _maps(self, source, target):
        square = (source[1] / source[0] + target[1] / target[0]) / 2
        factor = 1 / float(np.sqrt(square)) if square > 0 else 1.0
        return ScaleMap(factor), ScaleMap(factor)
