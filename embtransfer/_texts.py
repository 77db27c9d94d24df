"""Checks at the door: texts in any common container, and labels of nullable types."""

import re
import sys
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

_CHUNK = 1 << 20  # bytes of text converted at a time: they stay in the processor's cache
_LONGEST = 1 << 30  # bytes; the kernel counts positions within a text in 32 bits
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_EXPECTED = (
    "Expected a 1-D sequence of str: a list, tuple, numpy array, pandas Series, pyarrow or polars column."
)


def check_texts(X):
    """Return X as a list, a 1-D object array or an Arrow array, all of which slice; refuse what is not texts.

    The elements are checked as they are converted, chunk by chunk, in `iter_text_chunks`.

    Raises
    ------
    TypeError
        If X is a bare string, bytes, a table, numbers or no sequence.
    ValueError
        If X has more than one dimension.
    """
    if isinstance(X, str | bytes | bytearray):
        raise TypeError(f"Got a single {type(X).__name__}. {_EXPECTED} For one text pass [text].")
    if isinstance(X, pa.Array | pa.ChunkedArray):
        return _check_arrow(X)
    pandas = _pandas()
    if pandas and isinstance(X, pandas.Series):
        if isinstance(X.dtype, pandas.CategoricalDtype):
            X = X.astype(object)
        X = X.array
        if hasattr(X, "__arrow_array__"):
            return _check_arrow(pa.array(X, from_pandas=True))
        X = np.asarray(X)
    elif type(X).__module__.partition(".")[0] == "polars":
        if not hasattr(X, "to_arrow") or len(getattr(X, "shape", ())) != 1:
            raise ValueError(f"Got a polars {type(X).__name__}. {_EXPECTED} Pass one column of it.")
        return _check_arrow(X.to_arrow())
    elif isinstance(X, list | tuple):
        return X
    shape = getattr(X, "shape", None)
    if shape is None and isinstance(X, Sequence):  # such as a column of datasets
        return list(X)
    if shape is None or not hasattr(X, "__getitem__"):
        one_by_one = hasattr(X, "__iter__") and not isinstance(X, dict)
        raise TypeError(f"Got {type(X).__name__}. {_EXPECTED}{' Pass list(...) of it.' * one_by_one}")
    if len(shape) != 1:
        raise ValueError(
            f"Got a {type(X).__name__} of shape {tuple(shape)}. {_EXPECTED} "
            "Pass one column of it, such as df['text']. Reshape your data to one dimension."
        )
    X = np.asarray(X)
    if X.dtype.kind == "f" and np.isnan(X).all():  # how pandas reads a column without any text
        return X.astype(object)
    if X.dtype.kind not in "UOT":
        raise TypeError(f"Got an array of {X.dtype}. {_EXPECTED}")
    return X


def _check_arrow(column):
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        if isinstance(column, pa.ChunkedArray):  # combine_chunks of a column past 2 GB
            column = pa.concat_arrays(column.cast(pa.large_string()).chunks)
    if not (is_text_type(column.type) or pa.types.is_null(column.type)):
        raise TypeError(f"Got a column of {column.type}. {_EXPECTED}")
    return column


def is_text_type(kind: pa.DataType) -> bool:
    """Whether a pyarrow type is text: string, large_string, string_view, or a dictionary of these."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def iter_text_chunks(texts) -> Iterator[tuple[int, pa.LargeStringArray]]:
    """Yield (first row, Arrow array without nulls) for the result of `check_texts`; missing is empty.

    Chunks have about 1 MiB of text.

    Raises
    ------
    TypeError
        If an element is neither a str nor missing.
    ValueError
        If a text is 1 GiB or longer.
    """
    start, size = 0, 1024
    while start < len(texts):
        chunk = texts[start : start + size]
        if not isinstance(chunk, pa.Array):
            chunk = _to_arrow(chunk, start)
        elif chunk.type != pa.large_string():
            chunk = chunk.cast(pa.large_string())
        if chunk.null_count:
            chunk = chunk.fill_null("")
        offsets = text_buffers(chunk)[1]
        n_bytes = int(offsets[-1] - offsets[0])
        if n_bytes >= _LONGEST:
            lengths = np.diff(offsets)
            if lengths.max() >= _LONGEST:
                row = start + int(lengths.argmax())
                raise ValueError(f"Text {row} has {lengths.max():,} bytes; the limit is 1 GiB. Split it.")
        yield start, chunk
        start += len(chunk)
        size = min(max(_CHUNK * len(chunk) // max(n_bytes, 1), 128), 1 << 14)


def text_list(texts) -> list[str]:
    """The texts of the result of `check_texts` as a list of str; missing is empty."""
    return [text for _, chunk in iter_text_chunks(texts) for text in chunk.to_pylist()]


def without_text(texts) -> np.ndarray:
    """Whether each of the texts is missing, empty or blank: (n_texts,)."""
    return np.array([not text.strip() for text in text_list(check_texts(texts))], bool)


def _to_arrow(chunk, start):
    if isinstance(chunk, np.ndarray) and chunk.dtype.kind in "UT":
        chunk = chunk.tolist()
    try:
        found = pa.array(chunk, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        found = None
    if isinstance(found, pa.StringArray):  # nothing but str and missing: Arrow looked at every element
        return found.cast(pa.large_string())
    for kind in set(map(type, chunk)):
        if not (issubclass(kind, str) or kind is type(None)):
            _check_missing(chunk, kind, start)
    try:
        return pa.array(chunk, pa.large_string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        # NumPy's float32 NaN; lone surrogates, which are no text and part words, as a space does
        whole = [t.encode("utf-8", "surrogatepass") if isinstance(t, str) else b"" for t in chunk]
        return pa.array([_SURROGATE.sub(b" ", t).decode() for t in whole], pa.large_string())


def _check_missing(chunk, kind, start):
    for i, text in enumerate(chunk):
        if type(text) is kind and not is_missing(text):
            raise TypeError(f"Got {text!r:.80} ({kind.__name__}) as text {start + i}. {_EXPECTED}")


def is_missing(value: object) -> bool:
    """Whether a scalar is NaN, NaT or pandas.NA."""
    if pandas := _pandas():
        return bool(pandas.api.types.is_scalar(value) and pandas.isna(value))
    return np.isscalar(value) and value != value


def readable(column):
    """Columns of Arrow as a list, frames of Arrow and polars as pandas': NumPy misreads them."""
    if not hasattr(column, "to_pandas") or hasattr(column, "__array_ufunc__"):
        return column
    return column.to_pandas() if hasattr(column, "columns") else column.to_pylist()


def plain_labels(y):
    """Labels; of pandas' nullable types and categories, which scikit-learn makes floating, as NumPy's.

    So are numbers and bool that are objects, as in a column that had missing ones: scikit-learn refuses them.
    Those of Arrow, and of several columns of polars, become a list or pandas'.

    Raises
    ------
    ValueError
        If some are texts and others are not, which NumPy would make text of.
    """
    y = readable(y)
    kind, pandas = getattr(y, "dtype", None), _pandas()
    if isinstance(y, list | tuple) or (isinstance(kind, np.dtype) and kind.kind == "O"):
        _check_one_kind(y)
    if pandas and isinstance(kind, np.dtype) and kind.kind == "O":
        found = pandas.api.types.infer_dtype(y, skipna=False)
        return np.array(y.tolist()) if found in ("integer", "boolean", "floating") else y
    if not pandas or not isinstance(kind, pandas.api.extensions.ExtensionDtype):
        return y
    kind = kind.categories.dtype if hasattr(kind, "categories") else kind
    if kind.kind not in "iub" or y.isna().any():
        return y
    kind = getattr(kind, "numpy_dtype", getattr(kind, "subtype", kind))  # the latter of sparse columns
    return np.asarray(y, kind)


def _check_one_kind(y):
    text = next((one for one in y if isinstance(one, str)), None)
    others = (one for one in y if not (one is None or isinstance(one, str) or is_missing(one)))
    if text is not None and (other := next(others, None)) is not None:
        raise ValueError(
            f"Got the label {text!r} (str) beside {other!r} ({type(other).__name__}). Expected labels of one "
            "type. Make all of them text, as str does, or all of them numbers."
        )


def _pandas():
    """pandas, if somebody has imported it: nobody else can hand in what is its own."""
    return sys.modules.get("pandas")


def text_buffers(chunk: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """UTF-8 bytes (uint8) and offsets (int64, n + 1) of an Arrow array, without a copy."""
    _, offsets, data = chunk.buffers()
    if len(chunk) == 0 or offsets is None:
        return np.frombuffer(b"", np.uint8), np.frombuffer(bytes(8 * (len(chunk) + 1)), np.int64)
    offsets = np.frombuffer(offsets, np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
    data = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    data.flags.writeable = offsets.flags.writeable = False  # kernels compile for one kind of array
    return data, offsets


def check_domain(domain, n_rows):
    """The name of each row's domain: ndarray of object of shape (n_rows,).

    Raises
    ------
    ValueError
        If there are not as many names as rows, or one is missing.
    """
    names = np.full(n_rows, domain, object) if np.isscalar(domain) else objects(domain)
    if names.shape != (n_rows,):
        raise ValueError(
            f"Got {n_rows} rows and domains of shape {names.shape}. Expected a name for each row."
        )
    missing = [row for row, name in enumerate(names.tolist()) if name is None or is_missing(name)]
    if missing:
        raise ValueError(
            f"Got {len(missing):,} rows without a domain, the first is row {missing[0] + 1}. Name each row's."
        )
    return names


def objects(values) -> np.ndarray:
    """A column of any container as an array of objects."""
    found = np.empty(len(values), object)
    found[:] = values.tolist() if hasattr(values, "tolist") else list(values)
    return found
