"""Rounds of labelling as files: what a spreadsheet is given to fill in, and what somebody has filled in."""

import re
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from .._names import first_few, spelling
from ..copies._groups import identical
from ..system._folders import new_files
from ..tables import TableReader
from ..tables._files import find_files

COLUMNS = ["row", "text", "why", "probability", "label"]
_READ = ["row", "text", "probability", "label"]
# what a spreadsheet would run, behind whatever it may overlook
_FORMULA = re.compile(r"['\s]*[=+\-@＝＋－＠]|[\t\r]")
_LONGEST = 32_000  # characters: Excel's cells take 32,767


class Rounds(NamedTuple):
    """Target rows that were given to be labelled, labelled or not; labels; chances of the random ones."""

    rows: list[int]
    labels: dict
    probability: dict[int, float]

    @property
    def learned(self) -> dict:
        """Labels that a model may learn from: the others score it."""
        return {row: label for row, label in self.labels.items() if row not in self.probability}


class _Labelled(NamedTuple):
    row: int
    text: str
    label: object
    probability: float | None
    place: str


def write_round(path: Path, suggested: pd.DataFrame, texts, ids: dict | None = None) -> None:
    """Write what `suggest_labels` gave as csv for a spreadsheet, to be filled in; rows count from 1.

    Texts that a spreadsheet would take for formulas have an apostrophe before them.
    """
    rows = suggested["row"].tolist()
    table = pd.DataFrame({"row": [row + 1 for row in rows]})
    for name, values in (ids or {}).items():
        table[name] = [_shown(values[row]) for row in rows]
    table["text"] = [_shown(texts[row]) for row in rows]
    table["why"], table["probability"] = suggested["why"], suggested["probability"]
    table["label"] = ""
    _write(path, table)


def write_suspicious(path: Path, found: pd.DataFrame, texts, places) -> None:
    """Write what `suspicious_labels` gave as csv for a spreadsheet, with the texts; as `write_round`.

    `places` are the rows of the file, from 0, that the rows are: some may have been left out.
    """
    table = found.assign(row=np.asarray(places, int)[found["row"]] + 1)
    table.insert(1, "text", [_shown(texts[row]) for row in found["row"]])
    for name in ("label", "suggested"):
        table[name] = [label_cell(label) for label in table[name]]
    _write(path, table)


def label_cell(label) -> str:
    """A label as `read_rounds` knows it in a spreadsheet, which would run some as formulas."""
    return _shown(str(label).strip())


def _write(path, table):
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_files(path) as [part]:
        table.to_csv(part, index=False, float_format="%.6g", encoding="utf-8-sig")


def check_csv(path: Path, overwrite: bool) -> None:
    """Refuse a name of no csv, or of a file that is there and not to be replaced.

    Raises
    ------
    ValueError, FileExistsError
    """
    if path.suffix.lower() != ".csv":
        raise ValueError(f"Got {path}. Expected a name that ends in .csv, which spreadsheets open.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} is there already. Choose another name, or pass --overwrite.")


def check_output(path: Path, overwrite: bool) -> None:
    """The same; and refuse, to be replaced or not, a file with labels, and one that is no round.

    Raises
    ------
    ValueError, FileExistsError
    """
    check_csv(path, overwrite)
    if not path.exists():
        return
    try:
        labels = _columns(path)[1][-1]
    except (ValueError, OSError):
        raise FileExistsError(f"{path} is no file of embtransfer label. Choose another name.") from None
    labelled = sum(map(bool, map(_stripped, labels)))
    if labelled:
        raise FileExistsError(f"{path} holds {labelled:,} labels, which are kept. Choose another name.")


def read_rounds(files, texts, classes, but: Path | None = None) -> Rounds:
    """Labels that were filled in, as they are among the classes; checked against the target's texts.

    Case and white space of a label do not matter, unless two classes differ by these alone.

    Parameters
    ----------
    files : str, path or list of these
        Files and folders of the rounds.
    texts : sequence of str
        Of the whole target.
    classes : sequence
        Labels that the source has.
    but : path, default=None
        A file that is not to be read, since it is to be written.

    Raises
    ------
    ValueError
        If columns are missing, a row is none of the target's or its text another, a label is no class or a
        probability no number, or a row has two labels; the message names file and row.
    OSError
        If a file is not there, or cannot be read.
    """
    by_name = {str(one).strip(): one for one in classes}
    by_name = {label_cell(one): one for one in classes} | by_name
    found = []
    for file in find_files(files):
        if but is None or Path(file).resolve() != but.resolve():
            found += _read(file, len(texts), by_name)
    _check_texts(found, texts)
    labels: dict[int, object] = {}
    probability: dict[int, float] = {}
    places: dict[int, str] = {}
    for one in found:
        if one.probability is not None:
            probability.setdefault(one.row, one.probability)
        if one.label is None:
            continue
        if labels.setdefault(one.row, one.label) != one.label:
            raise ValueError(
                f"{one.place}, says {str(one.label)!r} of row {one.row + 1} of the target, but "
                f"{places[one.row]}, says {str(labels[one.row])!r}. Keep one of the two."
            )
        places.setdefault(one.row, one.place)
    rows = list(dict.fromkeys(one.row for one in found))
    return Rounds(rows, labels, probability)


def _read(file, n_rows, by_name):
    table, columns = _columns(file)
    by_spelling, by_number = _alone(by_name, spelling), _alone(by_name, _number)
    result = []
    for i, (row, text, probability, label) in enumerate(zip(*columns, strict=True)):
        row, label = _stripped(row), _stripped(label)
        if not (row or label):
            continue  # an empty line at the end
        place = table.place(i)
        # spreadsheets make TRUE of true, and 7 of 007 and 7.0
        meant = by_name.get(label, by_spelling.get(spelling(label), by_number.get(_number(label))))
        if label and meant is None:
            known = first_few(sorted({str(one).strip() for one in by_name.values()}), 10)
            raise ValueError(
                f"{place}, has the label {label!r}, which the source lacks: {known}. Mend it, or leave it "
                "empty."
            )
        at = _number(row)
        if at is None or at != int(at) or not 1 <= at <= n_rows:
            raise ValueError(
                f"{place}, has {row!r} in the column row. Expected a row of the target, from 1 to "
                f"{n_rows:,}: is this the target that the file was made of?"
            )
        probability = _stripped(probability) if label else ""
        chance = _number(probability.replace(",", "."))  # as spreadsheets of some countries have it
        if probability and not (chance and 0 < chance <= 1):
            raise ValueError(
                f"{place}, has {probability!r} in the column probability. Expected what embtransfer "
                "label wrote there, more than 0 and at most 1. Mend it, or leave the label empty."
            )
        result.append(_Labelled(int(at) - 1, text or "", meant, chance, place))
    return result


def _alone(by_name, key):
    """Classes by what `key` makes of their names, where it makes it of one alone."""
    times = Counter(map(key, by_name))
    return {
        key(name): one for name, one in by_name.items() if times[key(name)] == 1 and key(name) is not None
    }


def _columns(file):
    try:
        with warnings.catch_warnings():  # semicolons between fields: some spreadsheets write them
            warnings.simplefilter("ignore", UserWarning)
            table = TableReader(file)
            lacking = [name for name in _READ if name not in table.schema.names]
            if not lacking:
                return table, table.columns(_READ, "text")
    except ValueError as error:
        if "UTF-8" not in str(error):
            raise
        raise ValueError(f"{file} is not UTF-8. Save it as such: in Excel as CSV UTF-8.") from error
    raise ValueError(
        f"{file} lacks the columns {', '.join(lacking)}. Expected a file of embtransfer label, with "
        f"{', '.join(COLUMNS)}."
    )


def _check_texts(found, texts):
    """Refuse a text that is not the target's, be it as it was written or as it is; case and blanks aside."""
    own = [texts[one.row] or "" for one in found]
    groups = identical([*(one.text for one in found), *map(_shown, own), *own]).reshape(3, -1)
    changed = np.flatnonzero((groups[0] != groups[1]) & (groups[0] != groups[2]))
    if len(changed):
        first = found[changed[0]]
        raise ValueError(
            f"{first.place}, has the text {_beginning(first.text)}, but row {first.row + 1} of the target is "
            f"{_beginning(texts[first.row] or '')}. Pass the target that the file was made of, in the same "
            "order; if the spreadsheet changed the text, mend it."
        )


def _shown(text):
    text = "" if text is None else str(text)
    return ("'" + text if _FORMULA.match(text) else text)[:_LONGEST]


def _beginning(text):
    text = " ".join(text.split())
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _stripped(cell):
    return "" if cell is None or cell != cell else str(cell).strip()  # NaN is not itself


def _number(text):
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
