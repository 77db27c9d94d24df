"""Names that a user passes or writes: those that there are, and which are one in two spellings."""

from collections import Counter


def spelling(name: str) -> str:
    """A name without case and needless white space: two with the same are one that was written twice."""
    return " ".join(name.casefold().split())


def spellings(y, y_target=None) -> dict:
    """Labels that differ from a more frequent one by case or white space -> that one, the source's first."""
    form: dict[str, str] = {}
    found: dict[str, str] = {}
    for labels in (y, () if y_target is None else y_target):
        for label, _ in Counter(one for one in labels if isinstance(one, str)).most_common():
            first = form.setdefault(spelling(label), label)
            if first != label:
                found[label] = first
    return found


def first_few(names, n: int = 5, form=str) -> str:
    """The first n names for a message, and how many more there are."""
    shown = ", ".join(map(form, names[:n]))
    return f"{shown} and {len(names) - n:,} more" if len(names) > n else shown


def check_name(kind: str, name: str, names) -> None:
    """Refuse a name that is not among the names of its kind.

    Raises
    ------
    ValueError
        Saying which names there are.
    """
    if name not in names:
        raise ValueError(f"Got {kind} {name!r}. Expected one of: {', '.join(names)}.")
