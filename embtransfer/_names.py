"""Names that a user passes: those that there are, said where one is unknown."""


def spelling(name: str) -> str:
    """A name without case and needless white space: two with the same are one that was written twice."""
    return " ".join(name.casefold().split())


def check_name(kind: str, name: str, names) -> None:
    """Refuse a name that is not among the names of its kind.

    Raises
    ------
    ValueError
        Saying which names there are.
    """
    if name not in names:
        raise ValueError(f"Got {kind} {name!r}. Expected one of: {', '.join(names)}.")
