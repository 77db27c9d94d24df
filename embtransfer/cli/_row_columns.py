"""Which columns of a file the rows of a model are made of: texts, vectors, or a table of several."""

from typing import Any, NamedTuple

from ._models import split_names


class RowColumns(NamedTuple):
    """Columns by the names that rows give them: what they hold, and what the file calls them.

    They hold vectors of so many numbers (-1: as many as the first), numbers (0) or texts (None). One alone,
    or all as a table.
    """

    holds: dict[str, int | None]
    in_file: dict[str, str]
    as_table: bool

    @property
    def vectors(self) -> bool:
        """Whether there are vectors."""
        return any(self.holds.values())

    def open(self, name, delimiter=None, encoding=None):
        """A reader of a file, with what lies beside it."""
        from ..tables import TableReader

        return TableReader(name, delimiter, encoding, [one for one, width in self.holds.items() if width])

    def check(self, table, more, *hint, option="text_column") -> None:
        """Refuse a file that lacks a column, or one of `more`, which go by their options."""
        for name, width in self.holds.items():
            by = option if width is None else "vector_column" if width else "column"
            table.check_columns({by: self.in_file.get(name, name)} | more, *hint)

    def read(self, table, names=()) -> list:
        """Rows: texts, a matrix or a DataFrame; and other columns as lists."""
        from ..tables._model_table import ModelTable
        from ..tables._vectors import Vectors

        in_file = {self.in_file.get(name, name): width for name, width in self.holds.items()}
        first, *_ = in_file
        if self.as_table:
            rows, others = table.rows(ModelTable(in_file), names)
            return [rows.rename_columns([*self.holds]).to_pandas(), *others]
        if self.vectors:
            rows, others = table.rows(Vectors(first), names)
            return [rows, *others]
        return table.columns([first, *names], first)


def row_columns(
    text_column: str, vector_columns: list[str] | None, of_file: str | None = None, as_table: bool = False
) -> RowColumns:
    """Columns as options name them, those of texts with commas; `of_file` is what this file calls the texts.

    Raises
    ------
    ValueError
        If several are of vectors, and rows are no table; if this file calls more or fewer of texts.
    """
    several = split_names(text_column) if "," in text_column else [text_column] * bool(text_column)
    texts: dict[str, int | None] = dict.fromkeys(several)  # one has its blanks, which a header may have
    vectors: dict[str, int | None] = dict.fromkeys(vector_columns or (), -1)
    renamed = split_names(of_file) if of_file else []
    if renamed and len(renamed) != len(texts):
        raise ValueError(
            f"Got --text-column {text_column} and --target-text-column {of_file}. Expected as many in both."
        )
    if len(vectors) > 1 and not as_table:
        raise ValueError(
            f"Got --vector-column {', '.join(vectors)}. Expected one: several, and texts beside them, are "
            "for embtransfer choose, compare, curve and fit --recipe columns."
        )
    holds = texts | vectors if as_table or not vectors else vectors
    return RowColumns(holds, dict(zip(texts, renamed, strict=False)), as_table or len(holds) > 1)


def columns_asked(context: Any, columns) -> tuple[RowColumns, RowColumns]:
    """Columns of source and target that a command names; several of vectors, or texts beside, as a table.

    Texts stand beside vectors where the command line names their column.
    """
    named = context.get_parameter_source("text_column").name == "COMMANDLINE"
    vectors = columns.vector_column or []
    as_table = len(vectors) > 1 or (bool(vectors) and named)
    texts = columns.text_column if named or not as_table else ""
    of_source = row_columns(texts, vectors, None, as_table)
    return of_source, row_columns(texts, vectors, columns.target_text_column, as_table)


def columns_of_model(model: Any, text_column: str, vector_columns, of_file: str | None = None) -> RowColumns:
    """The same where a model may know its columns.

    Raises
    ------
    ValueError
        If it knows others, or takes vectors, and no column of them is named.
    """
    from .._rows import columns_of
    from ..scoring._model_rows import row_reader

    row_reader(model, text_column, vector_columns)  # refuses columns that the model does not take
    if not (wanted := columns_of(model)):
        return row_columns(text_column, vector_columns, of_file)
    texts = [name for name, width in wanted.items() if width is None]
    if of_file and len(texts) != 1:
        raise ValueError(
            f"Got --target-text-column {of_file} and a model of the columns {', '.join(wanted)}. Rename "
            "those of the file."
        )
    in_order = sorted(wanted, key=lambda name: wanted[name] is not None)  # texts first: see to_show
    renamed = dict.fromkeys(texts, of_file) if of_file else {}
    return RowColumns({name: wanted[name] for name in in_order}, renamed, True)


def texts_to_show(table, text_column: str, more: dict[str, str], *hint) -> list[list]:
    """Texts as whoever labels sees them, of several columns each on a line; and other columns.

    `more` are names of columns by their options.
    """
    names = [text_column] if text_column in table.schema.names else split_names(text_column)
    for name in names:
        table.check_columns({"text_column": name} | more, *hint)
    columns = table.columns([*names, *more.values()], names[0])
    texts, others = columns[: len(names)], columns[len(names) :]
    if len(texts) == 1:
        return [*texts, *others]
    return [["\n".join(one or "" for one in row) for row in zip(*texts, strict=True)], *others]


def name_of_rows(X) -> str:
    """What rows are called."""
    return "vectors" if hasattr(X, "dtype") else "rows" if hasattr(X, "columns") else "texts"
