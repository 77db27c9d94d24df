"""`embtransfer check-labels`: source labels that are probably wrong, for a spreadsheet."""

from pathlib import Path
from typing import Annotated

import typer

from ._inputs import load_source
from ._models import split_names
from ._options import Cleaning, Columns, Delimiter, Encoding, TextColumn, Trusted, VectorColumn, with_groups
from ._row_columns import columns_of_model, texts_to_show
from ._terminal import clear_errors, talk


@with_groups
def check_labels(
    model: Annotated[Path, typer.Argument(help="A model folder, from embtransfer fit.")],
    source: Annotated[
        str, typer.Argument(help="Labelled texts: a file, folder, quoted pattern or -, as for score.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .csv to make, for a spreadsheet.")],
    text_column: TextColumn = "text",
    vector_column: VectorColumn = None,
    label_column: Annotated[str, typer.Option(help="The column with the labels.")] = "label",
    *,
    cleaning: Cleaning,
    random_state: Annotated[int, typer.Option(help="Seed of the folds.")] = 0,
    trusted: Trusted = "",
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
):
    """Write the labelled texts whose label is probably wrong, with another, the most suspicious first."""
    from .._rows import to_show
    from ..labelling import check_csv, suspicious_labels, write_suspicious
    from ..persistence import load_pipeline
    from ..tables import TableReader
    from ..tables._files import check_not_read, find_files
    from ..trials._label_kinds import SEVERAL, kind_of

    with clear_errors():
        check_csv(output, overwrite)  # before the work, not after it
        check_not_read(output, find_files(source))
        loaded = load_pipeline(model, trusted=split_names(trusted))
        of_rows = columns_of_model(loaded, text_column, vector_column)
        columns = Columns(text_column, vector_column, label_column, delimiter=delimiter, encoding=encoding)
        X, y, places = load_source(source, columns, of_rows, cleaning)
        if kind_of(y, "accuracy") == SEVERAL:
            raise ValueError("Got several labels a text. Expected one in the label column.")
        shown = to_show(X)
        if of_rows.vectors and not of_rows.as_table:
            hint = "Whoever reads the labels of vectors must see what they are of: name that column."
            texts = texts_to_show(TableReader(source, delimiter, encoding), text_column, {}, hint)[0]
            shown = [texts[place] for place in places]
        with talk.status("Fitting in folds"):
            found = suspicious_labels(loaded, X, y, random_state=random_state)
        write_suspicious(output, found, shown, places)
        said = f"None of {len(X):,} labels stands out as wrong."
        if len(found):
            sure = (found["suspicion"] > 0.5).sum()
            said = (
                f"About {len(found):,} of {len(X):,} labels are expected to be wrong; {sure:,} of those "
                "listed are so more probably than not."
            )
        talk.print(f"{said} Wrote {output}")
