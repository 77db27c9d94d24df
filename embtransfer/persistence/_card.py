"""The model card: what README.md of a saved folder tells people and the Hugging Face hub."""

import re
from pathlib import Path

from .._names import first_few
from .._rows import columns_of, unwrapped
from ..pipeline import class_shares, shares_in_words
from ..system._escape import escape_markdown
from ..system._model_folders import CARD_OF

_FRONT = f"""---
license:
{CARD_OF}
pipeline_tag: {{task}}
tags:
- domain-adaptation
---
"""
_USE = """In Python, with the path of this folder, from which no code is run:

```python
from embtransfer import load_pipeline

model = load_pipeline("FOLDER")
model.predict({rows})
```

On the command line:

```
embtransfer score FOLDER texts.csv -o scored.csv{options}
```"""
_NAMED = 20  # classes


def model_card(search, pipeline, about, versions, front=None) -> str:
    """The card of a pipeline, and of the search that chose it, or the pipeline itself again.

    `front` is the front matter of the card that it replaces.
    """
    classes, width = getattr(pipeline, "classes_", None), getattr(pipeline, "n_features_in_", None)
    inner = unwrapped(pipeline)
    made_of = [step for _, step in getattr(inner, "steps", [("", inner)])]
    made_of += [pipeline] * (inner is not pipeline)
    steps = ", ".join(f"`{type(step).__name__}`" for step in made_of)
    of = "texts" if width is None else f"rows of {width:,} numbers"
    rows = '["A text."]' if width is None else "X"
    if columns := columns_of(pipeline):
        kinds = {None: "texts", 0: "numbers"}
        holds = {name: kinds.get(n, f"{n or 0:,} numbers") for name, n in columns.items()}
        named = ", ".join(f"{escape_markdown(name)} ({what})" for name, what in holds.items())
        of, rows = f"rows of the columns {named}", "table"
    use = _USE.format(rows=rows, options=" --proba" if hasattr(pipeline, "predict_proba") else "")
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    sections = {
        "What it is": f"A fitted model for {of} of the target domain, by embtransfer: {steps}. "
        + _predicts(classes),
        "What it was trained on": _trained_on(class_shares(search), about),
        "What to expect": _expected(search, about.get("score")),
        "How to use it": use,
        "Versions": f"Made with {packages}.",
    }
    task = "text-classification" if width is None else "tabular-classification"
    parts = [f"## {title}\n\n{text}\n" for title, text in sections.items()]
    return "\n".join(
        [front or _FRONT.format(task=task), "# A model carried over to another domain\n", *parts]
    )


def front_matter(card: Path) -> str | None:
    """The first lines of a card, between ---, which its user fills in; None where there are none."""
    try:
        found = re.match(r"---\n.*?\n---\n", card.read_text("utf-8"), re.DOTALL)
    except (OSError, ValueError):
        return None
    return found[0] if found else None


def _predicts(classes):
    if classes is None:
        return "It predicts numbers."
    return f"It predicts {len(classes):,} classes: {first_few(classes, _NAMED, escape_markdown)}."


def _trained_on(shares, about):
    lines = [
        f"- {escape_markdown(name)}: {escape_markdown(what)}"
        for name, what in about.items()
        if name != "score"
    ]
    if words := shares_in_words(shares):
        lines.append(f"- class shares: {escape_markdown(words)}")
    return "\n".join(lines) or "Not recorded."


def _expected(search, score):
    measure = (
        "Measure it on labelled texts that it did not learn from: `embtransfer evaluate FOLDER texts.csv`."
    )
    if score:
        return f"{escape_markdown(score)}. {measure}"
    if not hasattr(search, "score_interval_"):
        return f"Not known. {measure}"
    low, high = search.score_interval_
    scoring = search.scoring if isinstance(search.scoring, str) else "worth of its labels"
    return (
        f"Expected {escape_markdown(scoring)} on the target, estimated when it was chosen: "
        f"{search.expected_score_:.2f} ({low:.2f} to {high:.2f}). {measure}"
    )
