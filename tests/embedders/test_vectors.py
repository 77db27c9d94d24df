"""VectorEmbedder: rows that are vectors already."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.utils.estimator_checks import parametrize_with_checks

from embtransfer import VectorEmbedder

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)


@parametrize_with_checks([VectorEmbedder()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_vectors_pass_as_they_are():
    embedder = VectorEmbedder().fit(ROWS)
    assert np.shares_memory(embedder.transform(ROWS), ROWS)
    assert embedder.transform(ROWS.astype(np.float64)).dtype == np.float64
    assert embedder.transform(ROWS.astype(np.float16)).dtype == np.float32
    assert sparse.issparse(embedder.transform(sparse.csr_matrix(ROWS)))


def test_a_table_after_a_matrix_is_taken_by_its_numbers():
    np.testing.assert_array_equal(VectorEmbedder().fit(ROWS).transform(pd.DataFrame(ROWS)), ROWS)


@pytest.mark.parametrize("kind", [list, np.array])
def test_a_column_of_vectors_is_refused_with_what_makes_a_matrix_of_it(kind):
    with pytest.raises(TypeError, match=r"Got a Series of vectors\. Expected a matrix.*: np\.stack\(X\)\."):
        VectorEmbedder().fit(pd.Series([kind(row) for row in ROWS.tolist()]))


def test_texts_are_refused_with_what_is_expected():
    with pytest.raises(TypeError, match=r"Got texts\. Expected vectors, a matrix of numbers"):
        VectorEmbedder().fit(["a text"])
    embedder = VectorEmbedder().fit(ROWS)
    for texts in (["a text"], pd.Series(["a text"]), np.array(["a text"])):
        with pytest.raises(TypeError, match=r"Got texts\. Expected vectors of 3 columns"):
            embedder.transform(texts)


def test_other_width_and_nan_are_refused():
    embedder = VectorEmbedder().fit(ROWS)
    with pytest.raises(ValueError, match="X has 2 features, but VectorEmbedder is expecting 3"):
        embedder.transform(ROWS[:, :2])
    with pytest.raises(ValueError, match="NaN or infinity, the first in row 1"):
        embedder.transform(np.where(np.arange(4)[:, None] == 1, np.nan, ROWS))
