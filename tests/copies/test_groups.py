"""Copies of rows and texts: found whatever holds them, and kept together by folds and draws."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.model_selection import StratifiedKFold

from embtransfer.copies._groups import Groups, complete_folds, identical, joined, stratified_folds

RNG = np.random.default_rng(0)


class TestIdentical:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
    @pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
    def test_rows_are_numbered_as_they_come(self, dtype, container):
        rows = container(np.array([[0, 0], [1, 2], [0, 0], [2, 1], [1, 2], [0, 1]], dtype))
        assert identical(rows).tolist() == [0, 1, 0, 2, 1, 3]

    def test_the_order_of_a_sparse_row_does_not_matter(self):
        indices, ends = [2, 0, 0, 2, 0, 2], [0, 2, 4, 6]
        assert identical(sparse.csr_array(([5, 1, 1, 5, 5, 1], indices, ends))).tolist() == [0, 0, 1]

    @pytest.mark.parametrize("container", [list, np.array, lambda texts: np.array(texts, object)])
    def test_texts_but_for_case_and_white_space(self, container):
        texts = ["A  good\tpan. ", "a good pan.", "a good pan", "", " \n", "A GOOD PAN"]
        assert identical(container(texts)).tolist() == [0, 0, 1, 2, 2, 1]

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_equal_rows_are_equal_after_a_product_that_rounds(self, dtype):
        rows = np.tile(RNG.normal(size=(211, 50)), (3, 1)).astype(dtype)
        rows = (rows - rows.mean(axis=0)) @ RNG.normal(size=(50, 50)).astype(dtype)
        rows += np.spacing(rows) * RNG.integers(-1, 2, rows.shape).astype(dtype)  # on every processor
        np.testing.assert_array_equal(identical(rows), np.tile(np.arange(211), 3))

    def test_near_is_not_equal(self):
        rows = RNG.normal(size=(300, 1))
        assert identical(np.concatenate([rows, rows * (1 + 1e-9)])).max() == 599

    def test_rows_of_a_table_are_copies_where_all_columns_are(self):
        vectors = [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [2.0, 1.0]]
        table = pd.DataFrame({"text": ["a pan", "A  pan", "a lid", "a pan"], "v": vectors})
        assert identical(table).tolist() == [0, 0, 1, 2]

    def test_no_rows(self):
        assert identical([]).size == 0


def test_joined_groups_are_connected():
    assert joined(np.array([0, 1, 2, 0, 3]), np.array([0, 1, 2, 1, 3])).tolist() == [0, 0, 1, 0, 2]


class TestFolds:
    @pytest.mark.parametrize("n_classes", [2, 4])
    def test_without_copies_they_are_those_of_scikit_learn(self, n_classes):
        y = RNG.integers(n_classes, size=101)
        expected = list(StratifiedKFold(5, shuffle=True, random_state=3).split(y, y))
        for folds in (stratified_folds, complete_folds):
            found = folds(y, np.arange(101), 5, 3)
            for pair, wanted in zip(found, expected, strict=True):
                np.testing.assert_array_equal(pair[0], wanted[0])
                np.testing.assert_array_equal(pair[1], wanted[1])

    def test_groups_are_whole_and_classes_in_their_shares(self):
        groups = RNG.permutation(np.concatenate([np.repeat(np.arange(100), 4), np.arange(100, 300)]))
        y = groups % 10 == 0
        tested = []
        for train, test in stratified_folds(y, groups, 5, 0):
            assert not set(groups[train]) & set(groups[test])
            assert np.mean(y[np.unique(groups[test], return_index=True)[1]]) == pytest.approx(0.1, abs=0.11)
            assert set(y[test]) == {True, False}
            tested.extend(test)
        assert sorted(tested) == list(range(600))

    def test_as_many_as_the_rarest_class_has_groups(self):
        y, groups = np.array([0] * 12 + [1] * 12), np.repeat(np.arange(8), 3)
        assert len(complete_folds(y, groups, 5, 0)) == 4
        assert complete_folds(y, np.repeat([0, 1], 12), 5, 0) == []

    def test_few_groups_of_several_classes_each(self):
        y, groups = np.tile([0, 1, 1], 6), np.repeat(np.arange(6), 3)
        assert [set(groups[test]) for _, test in complete_folds(y, groups, 5, 0)]


def test_groups_are_drawn_whole():
    groups = np.array([0, 1, 0, 2, 2, 2])
    assert Groups(groups).rows(np.array([2, 0, 2])).tolist() == [3, 4, 5, 0, 2, 3, 4, 5]
    drawn = groups[Groups(groups).draw(np.random.RandomState(0))]
    assert all(np.sum(drawn == group) % size == 0 for group, size in enumerate([2, 1, 3]))


def test_near_copies_differ_in_links_names_and_a_leading_rt():
    texts = ["Fire near Canyon", "RT @abc: fire near canyon http://t.co/x", "fire NEAR @you canyon..."]
    others = ["http://t.co/1", "http://t.co/2", "Fire near Canyon 2", "Fire near RT Canyon"]
    assert identical([*texts, *others], near=True).tolist() == [0, 0, 0, 1, 2, 3, 4]
    assert len(set(identical([*texts, *others]))) == 7
