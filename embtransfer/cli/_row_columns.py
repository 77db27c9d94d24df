"""Which columns of a file the rows of a model are made of: texts, vectors, or a table of several."""

from typing import Any, NamedTuple


class RowColumns(NamedTuple):
    """Columns of texts, by the names that rows give them, and of vectors; one alone, or all as a table."""

    texts: dict[str, str]
    vectors: list[str]
    as_table: bool

    def check(self, table, more, *hint, option="text_column") -> None:
        """Refuse a file that lacks a column, or one of `more`, which go by their options."""
        texts = self.texts.values() if self.as_table or not self.vectors else ()
        named = [(option, name) for name in texts] + [("vector_column", name) for name in self.vectors]
        for by, name in named:
            table.check_columns({by: name} | more, *hint)

    def read(self, table, names=()) -> list:
        """Rows: texts, a matrix or a DataFrame; and other columns as lists."""
        if not self.as_table:
            if self.vectors:
                rows, others = table.vectors(self.vectors[0], names)
                return [rows, *others]
            (text_column,) = self.texts.values()
            return table.columns([text_column, *names], text_column)
        import pandas as pd

        others, found, more = [], {}, list(names)
        for name, column in self.texts.items():
            found[name], *read = table.columns([column, *more], column)
            others, more = others + read, []  # the first has read them
        for name in self.vectors:
            rows, read = table.vectors(name, more)
            found[name], others, more = list(rows), others + read, []
        return [pd.DataFrame(found), *others]


def row_columns(
    text_column: str, vector_columns: list[str] | None, of_file: str | None = None, as_table: bool = False
) -> RowColumns:
    """Columns as options name them; `of_file` is what this file calls the texts.

    Raises
    ------
    ValueError
        If several are of vectors, and rows are no table.
    """
    vectors = list(dict.fromkeys(vector_columns or ()))
    if len(vectors) > 1 and not as_table:
        raise ValueError(
            f"Got --vector-column {', '.join(vectors)}. Expected one: several, and texts beside them, are "
            "for embtransfer fit --recipe columns, and for its models."
        )
    return RowColumns({text_column: of_file or text_column}, vectors, as_table)


def columns_of_model(model: Any, text_column: str, vector_columns, of_file: str | None = None) -> RowColumns:
    """The same where a model may know its columns.

    Raises
    ------
    ValueError
        If it knows others.
    """
    from .._rows import check_given, columns_of

    if not (wanted := columns_of(model)):
        return row_columns(text_column, vector_columns, of_file)
    check_given(wanted, text_column, vector_columns)
    texts = [name for name, width in wanted.items() if width is None]
    if of_file and len(texts) != 1:
        raise ValueError(
            f"Got --target-text-column {of_file} and a model of the columns {', '.join(wanted)}. Rename "
            "those of the file."
        )
    vectors = [name for name, width in wanted.items() if width is not None]
    return RowColumns({name: of_file or name for name in texts}, vectors, True)


def to_show(X):
    """What people read of rows: of a table the texts, its first column."""
    return X.iloc[:, 0].tolist() if hasattr(X, "iloc") else X


def name_of_rows(X) -> str:
    """What rows are called."""
    return "vectors" if hasattr(X, "dtype") else "rows" if hasattr(X, "columns") else "texts"
