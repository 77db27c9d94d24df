"""Names that a user passes or writes: those that there are, and which are one in two spellings."""

import re
from collections import Counter
from collections.abc import Mapping


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


def misspelt(counts: Mapping) -> dict:
    """Rare labels that are a frequent one but for a letter -> that one; `counts`: rows of each.

    A letter may be left out, added, another or moved. Labels are words of three letters or more, of five if
    one alone, and no digits.
    """
    known: dict[str, str] = {}
    found: dict[str, str] = {}
    for label in sorted(counts, key=counts.__getitem__, reverse=True):
        word = label.strip() if isinstance(label, str) else ""
        if len(word) < 5 or not all(map(_is_word, re.split(r"[ _-]", word))):
            continue
        word = spelling(word)
        forms = {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}
        near = [known[form] for form in sorted(forms & known.keys())]
        near = [one for one in near if spelling(one) != word and counts[label] < 0.05 * counts[one]]
        if near:
            found[label] = max(near, key=counts.__getitem__)
        else:
            for form in forms:
                known.setdefault(form, label)
    return found


def _is_word(part):
    """Whether it is one that may be misspelt: classA, the A of "class A", and numbers are none."""
    return len(part) > 2 and part.isalpha() and part[1:] in (part[1:].lower(), part[1:].upper())


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
