"""What a run of scoring says of itself."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ScoreReport:
    """What `score_file` did: `rows_read == rows_written + rows_rejected`.

    Parameters
    ----------
    rows_read, rows_written, rows_rejected : int
    rows_resumed : int
        Of the rows read, how many an earlier run had read.
    bytes_read : int
        Of the input, packed where it is packed.
    bytes_total : int or None
        Size of the input; None where it is not known.
    seconds : float
    rejected : Path or None
        The file of the malformed rows, if there are any.
    rows_without_text : int
        Of the rows written, those whose text is missing or blank: their label is that of no words at all.
    rows_without_label : int
        Of the rows written, those whose label is left empty, for their confidence is below `reject_below`.
    rows_looked_at : int
        Of the rows written, those in which known words were looked for: fifty of every fourth block, at ten
        places of it, or all of a small one, but none that are empty. 0 where a model knows all words, as a
        sentence model does, and of vectors and tables.
    rows_without_known_word : int
        Of the rows looked at, those without any word that the model knows: all get the label of no words at
        all. Where they are many the texts are of another language than the model, or not the texts.

    Examples
    --------
    >>> from embtransfer import ScoreReport
    >>> report = ScoreReport(10, 9, 1, 0, 512, 512, 0.1)
    >>> report.rows_read == report.rows_written + report.rows_rejected
    True
    """

    rows_read: int
    rows_written: int
    rows_rejected: int
    rows_resumed: int
    bytes_read: int
    bytes_total: int | None
    seconds: float
    rejected: Path | None = None
    rows_without_text: int = 0
    rows_without_label: int = 0
    rows_looked_at: int = 0
    rows_without_known_word: int = 0
