"""ColumnEmbedder: one column of a table, handed to an embedder."""

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer

from embtransfer import ColumnEmbedder, NGramVectorizer, VectorEmbedder, WordEmbedder
from embtransfer._rows import columns_of

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)
TABLE = pd.DataFrame({"text": ["good pan", "bad pan", "odd", None], "v": list(ROWS)}, index=[7, 5, 3, 1])


def vectors():
    return ColumnEmbedder("v", VectorEmbedder())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("row", [list, np.asarray])
def test_vectors_become_one_matrix_of_their_type(dtype, row):
    table = TABLE.assign(v=[row(one.astype(dtype)) for one in ROWS])
    found = vectors().fit_transform(table)
    np.testing.assert_array_equal(found, ROWS)
    assert found.dtype == dtype


def test_lists_of_numbers_are_float64_and_float16_becomes_float32():
    assert vectors().fit_transform(TABLE.assign(v=ROWS.astype(int).tolist())).dtype == np.float64
    assert vectors().fit_transform(TABLE.assign(v=list(ROWS.astype(np.float16)))).dtype == np.float32


def test_every_kind_of_table_gives_the_same():
    rows = pa.array(ROWS.tolist(), pa.list_(pa.float32(), 3))
    plain = pa.table({"text": ["good pan", "bad pan", "odd", None], "v": rows})
    tables = TABLE, plain, polars.from_arrow(plain), plain.to_pandas(types_mapper=pd.ArrowDtype)
    words = ColumnEmbedder("text", WordEmbedder()).fit(TABLE)
    for table in tables:
        np.testing.assert_array_equal(vectors().fit(TABLE).transform(table), ROWS)
        np.testing.assert_array_equal(words.transform(table), words.transform(TABLE))


def test_the_target_goes_to_embedders_that_take_it():
    words = ColumnEmbedder("text", NGramVectorizer(min_df=1))
    names = words.fit(TABLE, X_target=TABLE.assign(text="skillet")).get_feature_names_out()
    assert "text__skillet" in names
    assert "text__skillet" not in words.fit(TABLE).get_feature_names_out()
    tfidf = ColumnEmbedder("text", TfidfVectorizer()).fit(TABLE[:3], X_target=TABLE[:2])
    assert tfidf.transform(TABLE[:3]).shape == (3, 4)


def test_it_is_cloned_and_knows_its_column():
    embedder = vectors()
    copied = clone(embedder).fit(TABLE)
    assert not hasattr(embedder, "embedder_")
    assert columns_of(copied) == {"v": 3}
    assert columns_of(ColumnEmbedder("text", NGramVectorizer(min_df=1)).fit(TABLE)) == {"text": None}
    assert copied.get_feature_names_out().tolist() == ["v__x0", "v__x1", "v__x2"]


def test_vectors_of_float32_and_float64_stand_in_one_column():
    mixed = TABLE.assign(v=[ROWS[0], ROWS[1].astype(np.float64), *ROWS[2:]])
    assert np.array_equal(vectors().fit(TABLE).transform(mixed), vectors().fit_transform(TABLE))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, r"Got X with 1 malformed vectors, the first in row 2 \(counted from 0\): no vector in 'v'"),
        (ROWS[0, :2], r"the first in row 2 .*: got 2 numbers in 'v', expected 3"),
        (np.zeros(2), r"the first in row 2 .*: got 2 numbers in 'v', expected 3"),
        (
            np.full(3, np.nan, np.float32),
            r"the first in row 2 .*: NaN, infinity or nothing among the numbers",
        ),
    ],
)
def test_a_malformed_vector_is_refused_with_column_and_row(bad, message):
    table = TABLE.assign(v=[ROWS[0], ROWS[1], bad, ROWS[3]])
    with pytest.raises(ValueError, match=message):
        vectors().fit(table)
    fitted = vectors().fit(TABLE)
    with pytest.raises(ValueError, match=message):
        fitted.transform(table)
    with pytest.raises(ValueError, match=message.replace("Got X ", "Got X_target ")):
        ColumnEmbedder("v", NGramVectorizer()).fit(TABLE, X_target=table)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (TABLE[["text"]], ValueError, "Got X without a column 'v': it has text. Give it that name"),
        (["a text"], TypeError, "Got X, a list. Expected a table with a column 'v'"),
        (TABLE["v"], TypeError, "Got X, a Series. Expected a table"),
        (TABLE.assign(v="a text"), TypeError, "Got texts. Expected vectors"),
        (TABLE.assign(v=ROWS[:, :2].tolist()), ValueError, "got 2 numbers in 'v', expected 3"),
    ],
)
def test_what_lacks_the_column_or_holds_something_else_is_refused(X, error, message):
    fitted = vectors().fit(TABLE)
    with pytest.raises(error, match=message):
        fitted.transform(X)


def test_numbers_are_no_texts():
    with pytest.raises(TypeError, match="int"):
        ColumnEmbedder("n", WordEmbedder()).fit(pd.DataFrame({"n": [1, 2], "text": ["a", "b"]}))
