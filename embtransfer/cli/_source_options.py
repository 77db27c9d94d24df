"""How a command read the source of a model: kept in its folder, for the command that reads it again."""

import shlex
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Any

from ._options import Cleaning, Columns
from ._terminal import options_as_words

_ENTRY = "read with"  # what the card calls them
_SEVERAL = {"source", "vector_column"}
_VALUES = {"text_column", "label_column", "domain_column", "delimiter", "encoding", "scoring", *_SEVERAL}
_FLAGS = {"merge_labels", "drop_unlabelled"}


def about_source(
    sources: list[str],
    columns: Columns,
    cleaning: Cleaning,
    domain_column: str | None,
    scoring: str = "accuracy",
    texts_beside: bool = False,
) -> dict[str, str]:
    """What the folder says of it; of paths that begin at the root, and may name people, nothing.

    Texts stand beside vectors only where their column is named, "text" too.
    """
    given = {name: one for name, one in asdict(columns).items() if name in _VALUES} | asdict(cleaning)
    given |= {"domain_column": domain_column, "scoring": scoring}
    usual = asdict(Columns(text_column="" if texts_beside else "text")) | {"scoring": "accuracy"}
    options: dict[str, Any] = {name: one for name, one in given.items() if one != usual.get(name)}
    if not any(name == "-" or PurePath(name).is_absolute() for name in sources):
        options["source"] = sources
    words = options_as_words(**options)
    return {_ENTRY: shlex.join(words)} if words else {}


def source_options(model: Path) -> dict[str, Any]:
    """Options by which `update` reads a saved model's source; no others, whoever wrote the folder."""
    from ..persistence import read_about

    try:
        words = shlex.split(read_about(model).get(_ENTRY, ""))
    except ValueError:
        return {}
    found: dict[str, Any] = {}
    while words:
        name = words.pop(0).removeprefix("--").replace("-", "_")
        if name in _FLAGS:
            found[name] = True
        elif name in _VALUES and words:
            word = words.pop(0)
            found[name] = [*found.get(name, []), word] if name in _SEVERAL else word
        else:
            return {}
    return found
