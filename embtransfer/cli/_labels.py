"""Labels as commands read them: of one column, or of several that say whether a text has a label."""

import json
from decimal import Decimal

from .._names import first_few
from ._models import split_names
from ._terminal import talk

_KINDS = {str, int, float, bool, Decimal, list, type(None)}
_MEANING = {
    "1": 1.0,
    "1.0": 1.0,
    "true": 1.0,
    "0": 0.0,
    "0.0": 0.0,
    "false": 0.0,
    "": None,
    "none": None,
    "nan": None,
}


def label_columns(table, given: str) -> list[str]:
    """The one column of that name, or several, with commas between."""
    return [given] if given in table.schema.names else split_names(given)


def read_labels(table, names, values):
    """One column as it is; several as a DataFrame of 0 and 1, and NaN in rows that lack one of them.

    Raises
    ------
    ValueError
        If one of several columns holds anything else.
    """
    if len(names) == 1:
        return values[0]
    import pandas as pd

    frame = pd.DataFrame(
        {name: pd.Series(map(str, column)) for name, column in zip(names, values, strict=True)}
    )
    known = frame.apply(lambda column: column.str.strip().str.lower())
    for name in names:
        wrong = ~known[name].isin(_MEANING)
        if wrong.any():
            row = int(wrong.idxmax())
            raise ValueError(
                f"{table.name} has {frame[name][row]!r} in {name!r}, row {row + 1}. Expected 0 or 1 in "
                f"each of several label columns: {', '.join(names)}."
            )
    found = known.apply(lambda column: column.map(_MEANING).astype(float))
    return found.mask(found.isna().any(axis=1))


def check_labels(table, labels) -> None:
    """Refuse labels that can be no classes, such as dates of parquet and objects of jsonl.

    Raises
    ------
    ValueError
    """
    if odd := {*map(type, labels)} - _KINDS:
        row, label = next((row, one) for row, one in enumerate(labels) if type(one) in odd)
        raise ValueError(
            f"{table.place(row)}, has the label {label!r}. Expected texts, numbers, true or false, or lists "
            "of texts. Write such labels as texts."
        )


def missing_labels(labels) -> list[bool]:
    """Whether each row lacks its label."""
    if hasattr(labels, "isna"):  # a DataFrame
        return labels.isna().any(axis=1).tolist()
    blank = [isinstance(label, str) and not label.strip() for label in labels]
    return [no or label is None or label != label for no, label in zip(blank, labels, strict=True)]  # NaN


def as_text(label) -> str:
    """A label as csv has it: 1 is "1", as 1.0 is, which pandas writes, and true "true"."""
    text = str(label).lower() if isinstance(label, bool) else str(label)
    whole = text.removesuffix(".0")
    return whole if whole.lstrip("-").isdigit() else text


def as_known(labels, known) -> list:
    """Labels as they are among those known, where one of these is the same as a text; None stays."""
    meant = {form(one): one for form in (as_text, str, lambda one: one) for one in known}
    return [
        one if one is None or isinstance(one, list) else meant.get(one, meant.get(as_text(one), one))
        for one in labels
    ]


def of_one_type(labels):
    """All labels as texts where some are, as models take them; they may be a DataFrame, or lists.

    Whole numbers that are decimal in some rows are whole: "1.0" beside "1".
    """
    texts = {one for one in labels if isinstance(one, str)} if isinstance(labels, list) else set()
    if not texts:
        return labels
    no_text = [one for one in labels if not isinstance(one, str)]
    decimal = sorted(one for one in texts if as_text(one) != one and as_text(one) in texts)
    if no_text:
        other, said = no_text[0], "Labels are texts in some rows and not in others"
    elif decimal:
        other, said = decimal[0], "Labels are whole in some rows and decimal in others"
    else:
        return labels
    talk.print(f"{said}: {other!r} is taken for {as_text(other)!r}.", style="yellow")
    return [*map(as_text, labels)]


def parse_shares(text, y) -> dict | None:
    """Label -> share, from "positive=0.2,negative=0.8", or a JSON object.

    The labels are as they are in y, numbers perhaps.
    """
    if text is None:
        return None
    if getattr(y, "ndim", 1) == 2 or (len(y) and isinstance(y[0], list)):
        raise ValueError("Got --target-shares with several labels a text. Leave it out: they have no shares.")
    labels, shares = {str(label): label for label in set(y)}, {}
    for pair in _pairs(text):
        name, _, share = pair.rpartition("=")
        if name not in labels:
            raise ValueError(
                f"Got --target-shares with {pair}. Expected label=share, with commas between, or a "
                f"JSON object, of the source's labels: {first_few(sorted(labels))}."
            )
        if labels[name] in shares:
            raise ValueError(f"Got --target-shares with two shares of {name}. Expected each label once.")
        try:
            shares[labels[name]] = float(share)
        except ValueError:
            raise ValueError(f"Got --target-shares with {pair}. Expected a number after the =.") from None
    return shares


def _pairs(text):
    if not text.lstrip().startswith("{"):
        return split_names(text)
    try:
        return [f"{name}={share}" for name, share in json.loads(text).items()]
    except ValueError as error:
        raise ValueError(
            f"Got --target-shares {text}, which is no JSON ({error}). Expected one object, such as "
            """'{"yes, fully": 0.2, "no": 0.8}'."""
        ) from None
