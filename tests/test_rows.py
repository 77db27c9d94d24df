"""What is texts and what is vectors, decided in one place."""

import numpy as np
import pandas as pd
import polars
import pytest
from scipy import sparse

from embtransfer._rows import check_both, check_rows, kind_of_rows, n_rows, stack_rows, take

VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.mark.parametrize(
    "container", [np.array, pd.DataFrame, polars.DataFrame, sparse.csr_matrix, sparse.coo_array]
)
def test_a_matrix_of_numbers_is_vectors(container):
    rows = check_rows(container(VECTORS))
    assert kind_of_rows(rows) == "vectors"
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows.toarray() if sparse.issparse(rows) else rows, VECTORS)


def test_float32_and_float64_are_not_copied():
    for dtype in (np.float32, np.float64):
        rows = VECTORS.astype(dtype)
        assert check_rows(rows) is rows


@pytest.mark.parametrize(
    ("given", "made"), [("float16", "float32"), ("int64", "float64"), ("bool", "float64")]
)
def test_other_numbers_become_floating(given, made):
    assert check_rows(VECTORS.astype(given)).dtype == made


def test_texts_are_a_list_of_str():
    assert check_rows(pd.Series(["one", None])) == ["one", ""]
    assert kind_of_rows(["one"]) == "texts"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (VECTORS[0], r"Got an array of float32, 3 numbers in one dimension, as X\..* X\.reshape\(-1, 1\)"),
        (VECTORS.astype(object), r"shape \(4, 3\) and dtype object.* Pass X\.astype\(np\.float32\)"),
        (list(VECTORS), r"Got X, a list of ndarray\..* Pass np\.stack\(X\)"),
        (VECTORS.tolist(), r"Got X, a list of list\..* or np\.array\(X\)"),
        (pd.Series(list(VECTORS)), r"Got X, a Series of ndarray\..* Pass np\.stack\(X\)"),
    ],
)
def test_what_is_neither_is_refused_with_what_to_do(rows, message):
    with pytest.raises(TypeError, match=message):
        check_rows(rows)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("container", [np.array, pd.DataFrame, sparse.csr_matrix])
def test_nan_and_infinity_are_refused_with_their_row(container, bad):
    rows = VECTORS.copy()
    rows[2, 1] = bad
    with pytest.raises(
        ValueError, match=r"Got X with NaN or infinity, the first in row 2 \(counted from 0\)"
    ):
        check_rows(container(rows))


def test_large_numbers_whose_sum_overflows_are_finite():
    rows = np.full((2, 3), np.finfo(np.float32).max, np.float32)
    assert check_rows(rows) is rows


def test_two_domains_are_of_one_kind_and_width():
    with pytest.raises(TypeError, match="Got source texts and target vectors"):
        check_both(["a text"], VECTORS)
    with pytest.raises(ValueError, match="source vectors of 3 columns and target vectors of 2"):
        check_both(VECTORS, VECTORS[:, :2])


@pytest.mark.parametrize("rows", [["a", "b", "c", "d"], VECTORS, sparse.csr_matrix(VECTORS)])
def test_rows_are_taken_and_stacked_alike(rows):
    again = stack_rows(take(rows, [2]), take(rows, np.array([0, 1])))
    assert n_rows(again) == 3
    assert n_rows(take(rows, [])) == 0
    if not isinstance(rows, list):
        again = again.toarray() if sparse.issparse(again) else again
        np.testing.assert_array_equal(again, VECTORS[[2, 0, 1]])
