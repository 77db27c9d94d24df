"""Types that public signatures name."""

from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

FilePath = str | PathLike[str]
Seed = int | np.random.RandomState | None
Labels = ArrayLike  # one a row
Texts = ArrayLike  # 1-D, of str: a list, a NumPy array, a pandas, Arrow or polars column
Estimator = Any  # scikit-learn, which has no types, and whatever behaves like it
Progress = Callable[[int, int | None, str], object]  # (done, total or None, description)

if TYPE_CHECKING:  # SciPy is not imported where it is not needed
    from scipy.sparse import sparray, spmatrix

    Rows = ArrayLike | sparray | spmatrix  # a row a text or vector; DataFrames too
    Matrix = np.ndarray | sparray | spmatrix
else:
    Rows = Matrix = ArrayLike
