"""Rows that users bring: texts, vectors of anything, or tables of both; all are cut and joined alike."""

import numpy as np

from ._texts import check_texts, text_list

_NUMBERS = tuple("biuf")  # kinds of types
_VECTORS = "vectors as a matrix of numbers (float32, float64) with a row each"


def check_rows(X, name: str = "X"):
    """Texts as a list of str; vectors as float32 or float64, a 2-D array or a csr matrix.

    This decides for all who take either: what has two dimensions and holds numbers is vectors.

    Raises
    ------
    TypeError
        If X is neither.
    ValueError
        If it has more dimensions, or a vector holds NaN or infinity.
    """
    if is_vectors(X):
        return check_vectors(X, name)
    if is_table(X):
        raise TypeError(
            f"Got {name}, a table of the columns {', '.join(map(str, column_names(X)))}. Expected texts, or "
            f"{_VECTORS}. Pass one column; rows of several are for compare, TransferSearch, the recipe "
            "'columns' and pipelines that begin with ColumnEmbedder."
        )
    shape, kind = getattr(X, "shape", None), getattr(getattr(X, "dtype", None), "kind", "")
    if shape is not None and len(shape) == 1 and kind in _NUMBERS and not (kind == "f" and np.isnan(X).all()):
        raise TypeError(
            f"Got an array of {X.dtype}, {shape[0]:,} numbers in one dimension, as {name}. Expected texts, "
            f"or {_VECTORS}. If they are one column of numbers, pass X.reshape(-1, 1)."
        )
    if shape is not None and len(shape) == 2 and kind == "O":
        raise TypeError(
            f"Got {name} of shape {tuple(shape)} and dtype object. Expected texts in one dimension, or "
            f"{_VECTORS}. Pass X.astype(np.float32)."
        )
    first = next(iter(X), None) if isinstance(X, list | tuple) or kind == "O" else None
    if isinstance(first, list | tuple | np.ndarray):
        raise TypeError(
            f"Got {name}, a {type(X).__name__} of {type(first).__name__}. Expected texts, or {_VECTORS}. "
            "Pass np.stack(X), or np.array(X)."
        )
    return text_list(check_texts(X))


def is_vectors(X) -> bool:
    """Whether X is a matrix of numbers: of NumPy, SciPy, pandas or polars."""
    if len(getattr(X, "shape", None) or ()) != 2:
        return False
    if hasattr(X, "dtypes"):  # a table, which has one type a column
        return all(_of_numbers(kind) for kind in X.dtypes)
    return getattr(getattr(X, "dtype", None), "kind", "") in _NUMBERS


def are_texts(X) -> bool:
    """Whether X is a list or column of str, as its first element says."""
    in_a_row = not _is_sparse(X) and len(getattr(X, "shape", (1,))) == 1 and hasattr(X, "__len__")
    return in_a_row and isinstance(next(iter(X), None), str)


def is_table(X) -> bool:
    """Whether X has columns of several types: of pandas, polars or pyarrow."""
    return hasattr(X, "columns") and not is_vectors(X)


def column_names(X) -> list:
    """Those of a table."""
    return list(getattr(X, "column_names", X.columns))  # the columns of pyarrow are no names


def check_columns(X_source, X_target) -> None:
    """Refuse tables of two domains whose columns have other names, or come in another order."""
    if not (hasattr(X_source, "columns") and hasattr(X_target, "columns")):
        return
    names = zip(column_names(X_source), column_names(X_target), strict=False)  # who calls asks for the width
    for place, (one, other) in enumerate(names, 1):
        if isinstance(one, str) and isinstance(other, str) and one != other:
            raise ValueError(
                f"Got {other!r} as column {place} of the target, where the source has {one!r}. Expected the "
                "same columns in the same order: pass X_target[list(X_source.columns)]."
            )


def _is_sparse(X):
    return hasattr(X, "tocsr")  # workers that read files do without SciPy


def _of_numbers(kind):
    is_numeric = getattr(kind, "is_numeric", None)  # of polars
    return bool(is_numeric()) if callable(is_numeric) else getattr(kind, "kind", "") in _NUMBERS


def check_vectors(X, name: str = "X"):
    """Rows of numbers as float32 or float64, which are not copied; sparse ones as csr."""
    if _is_sparse(X):
        X = summed(X.tocsr())
    elif not isinstance(X, np.ndarray):
        X = X.to_numpy()
    X = as_floats(X)
    if len(rows := not_finite(X)):
        raise ValueError(
            f"Got {name} with NaN or infinity, the first in row {rows[0]} (counted from 0). Expected finite "
            "numbers. Leave such rows out, or fill them."
        )
    return X


def summed(X):
    """Rows; of csr ones that store an entry in parts a copy with the sum, which norms and counts rest on."""
    if not _is_sparse(X) or X.has_canonical_format:
        return X
    X = X.copy()
    X.sum_duplicates()
    return X


def of_one_kind(source, target):
    """Rows of two domains, both csr where one's are sparse, both without names where one's are of pandas."""
    if hasattr(source, "iloc") != hasattr(target, "iloc"):
        source, target = (X.to_numpy() if hasattr(X, "iloc") else X for X in (source, target))
    if _is_sparse(source) == _is_sparse(target):
        return source, target
    kind = type(source if _is_sparse(source) else target)
    return kind(source), kind(target)


def as_floats(X):
    """Numbers in float32 or float64, of which either is not copied; float16 becomes float32."""
    if X.dtype in (np.float32, np.float64):
        return X
    return X.astype(np.float32 if X.dtype == np.float16 else np.float64)


def not_finite(X) -> np.ndarray:
    """Numbers of the rows of a matrix that hold NaN or infinity."""
    with np.errstate(over="ignore", invalid="ignore"):  # sums: no array of the size of X where all is well
        rows = np.flatnonzero(~np.isfinite(np.asarray(X.sum(axis=1)).ravel()))
    values = (X[[row]].data if _is_sparse(X) else X[row] for row in rows)
    return rows[[not np.isfinite(one).all() for one in values]] if len(rows) else rows


def check_both(X_source, X_target, tables=False):
    """Rows of two domains, both texts or both vectors of one width; or of both tables, if they may be."""
    if tables and is_table(X_source):
        return _check_tables(X_source, X_target)
    check_columns(X_source, X_target)
    source, target = check_rows(X_source, "source rows"), check_rows(X_target, "target rows")
    of_source, of_target = kind_of_rows(source), kind_of_rows(target)
    if of_source != of_target:
        raise TypeError(
            f"Got source {of_source} and target {of_target}. Expected both of one kind. Embed the texts by "
            "what made the vectors, or give texts of both."
        )
    if of_source == "vectors" and source.shape[1] != target.shape[1]:
        raise ValueError(
            f"Got source vectors of {source.shape[1]} columns and target vectors of {target.shape[1]}. "
            "Expected as many in both. Take vectors of both from one embedder."
        )
    return source, target


def _check_tables(X_source, X_target):
    """Both as DataFrames of pandas with the columns of the source."""
    if not is_table(X_target):
        raise TypeError(f"Got source rows of a table and target {type(X_target).__name__}. Expected tables.")
    names = column_names(X_source)
    if lacking := [name for name in names if name not in column_names(X_target)]:
        raise ValueError(
            f"Got target rows without the source's column {lacking[0]!r}. Expected its columns: "
            f"{', '.join(map(str, names))}. Pass the columns that both have."
        )
    source, target = (X if hasattr(X, "iloc") else X.to_pandas() for X in (X_source, X_target))
    return source.reset_index(drop=True), target[names].reset_index(drop=True)


def kind_of_rows(rows) -> str:
    """What the result of `check_rows` is: "texts" or "vectors"; "rows" of a table."""
    if hasattr(rows, "iloc"):
        return "rows"
    return "texts" if isinstance(rows, list) else "vectors"


def n_rows(rows) -> int:
    """How many there are; sparse rows have no len."""
    return rows.shape[0] if hasattr(rows, "shape") else len(rows)


def take(rows, places):
    """The rows at some places: of texts, a table, or an array of NumPy, SciPy or Arrow."""
    places = np.asarray(places, int)
    if hasattr(rows, "iloc"):
        return rows.iloc[places]
    if type(rows).__module__.startswith("pyarrow"):
        return rows.take(places)
    if isinstance(rows, list | tuple):
        return [rows[i] for i in places]
    return (rows.tocsr() if _is_sparse(rows) else rows)[places]


def stack_rows(first, second):
    """Rows of both: a list of texts, dense, or csr where one is sparse; a copy, of the dtype of the first."""
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat([first, second], ignore_index=True)
    if isinstance(first, list):
        return [*first, *second]
    if _is_sparse(first) or _is_sparse(second):
        from scipy import sparse

        return sparse.vstack([first, second], format="csr", dtype=first.dtype)
    return np.concatenate([first, second], dtype=first.dtype, casting="same_kind")


def to_show(rows):
    """What is looked at of rows: of a table the texts, each column on a line, or else the first vectors."""
    if not hasattr(rows, "iloc"):
        return rows
    texts = [name for name in rows if rows[name].map(type).eq(str).any()]
    if not texts:
        return np.stack(rows.iloc[:, 0])
    columns = (rows[name].map(lambda text: text if isinstance(text, str) else "") for name in texts)
    return ["\n".join(row) for row in zip(*columns, strict=True)]


def unwrapped(model):
    """The fitted model within a search, or within a threshold of its probabilities; others as they are."""
    while hasattr(model, "best_estimator_") or hasattr(model, "response_method"):
        model = model.best_estimator_ if hasattr(model, "best_estimator_") else model.estimator_
        if type(model).__name__ == "FrozenEstimator":
            model = model.estimator
    return model


def columns_of(model) -> dict[str, int | None]:
    """The columns of a table that a fitted model takes: how wide vectors are, 0 of numbers, None of texts.

    There are none where its rows are texts or vectors alone.
    """
    model = unwrapped(model)
    if hasattr(model, "transformers_") and hasattr(model, "feature_names_in_"):
        return _of_transformers(model)
    if getattr(model, "_takes_column", False):
        return {model.column: model.width_}
    if hasattr(model, "views_"):
        parts = [model.views_[name] for name in model._weights()]
    else:
        steps = [step for _, step in getattr(model, "steps", []) if not cleans_texts(step)]
        parts = [part for _, part in getattr(model, "transformer_list", [])] or steps[:1]
    found: dict[str, int | None] = {}
    for part in parts:
        found |= columns_of(part)
    return found


def width_of(model) -> int | None:
    """How many columns the vectors have that a model takes; None of a model of texts."""
    return getattr(unwrapped(model), "n_features_in_", None)


def a_row(model):
    """A row as the model takes it, of no words and of zeros."""
    if table := columns_of(model):
        import pandas as pd

        empty = {None: "", 0: 0.0}
        return pd.DataFrame({name: [empty.get(width, [0.0] * (width or 0))] for name, width in table.items()})
    return np.zeros((1, width)) if (width := width_of(model)) else [""]


def cleans_texts(step) -> bool:
    """Whether a step of a pipeline cleans texts, so that its rows are texts still."""
    return getattr(step, "_cleans_texts", False)


def cleaners(model) -> list:
    """The steps of a pipeline that clean its texts; none of other models."""
    return [step for _, step in getattr(unwrapped(model), "steps", ()) if cleans_texts(step)]


def _of_transformers(model):
    """The columns of a fitted ColumnTransformer of scikit-learn, which keeps their names and no types."""
    found = {}
    for name, step, given in model.transformers_:
        if not isinstance(step, str):  # "drop"
            names = model.feature_names_in_[model._transformer_to_input_indices[name]].tolist()
            kinds = [None] if isinstance(given, str | int) else _kinds(step, names)
            found |= columns_of(step) or dict(zip(names, kinds, strict=True))
    return found


def _kinds(step, names):
    """What a step takes of columns given to it together, texts or numbers: it is tried with empty texts."""
    import pandas as pd

    for _, part in getattr(step, "steps", [("", step)]):
        if len(getattr(part, "categories_", ())) == len(names):
            return [None if one.dtype.kind in "OUT" else 0 for one in part.categories_]
        if getattr(part, "func", "") is None:  # a column that is passed through
            return [0] * len(names)
    try:
        step.transform(pd.DataFrame([[""] * len(names)], columns=names))
    except Exception:  # steps of anybody raise what they like
        return [0] * len(names)
    return [None] * len(names)


def check_given(wanted, text_column, vector_columns) -> None:
    """Refuse names of columns, other than the usual one of texts, that a model of several does not know.

    Raises
    ------
    ValueError
    """
    others = [name for name in vector_columns or () if not wanted.get(name)]
    odd = [f"vector_column={name!r} (--vector-column)" for name in others]
    unknown = {*text_column.split(",")} - {"text", *wanted}
    odd += [f"text_column={text_column!r} (--text-column)"] * bool(unknown)
    if odd:
        raise ValueError(
            f"Got {odd[0]} and a model of the columns {', '.join(wanted)}. Leave it out: the model knows its "
            "columns. Rename those of the file, if they have other names."
        )
