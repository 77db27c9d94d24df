"""Names that a user passes: those that there are, said where one is unknown."""


def check_name(kind: str, name: str, names) -> None:
    """Refuse a name that is not among the names of its kind.

    Raises
    ------
    ValueError
        Saying which names there are.
    """
    if name not in names:
        raise ValueError(f"Got {kind} {name!r}. Expected one of: {', '.join(names)}.")
