"""The tables of the README, the guide and this folder's README, and the README's picture, made from results/.

    python -m benchmarks.tables

A page says `<!-- table: name -->` where one begins; the lines after it that start with a bar are replaced.
The tests compare the pages with what this makes, so a figure cannot change in one place alone. Sentences that
quote figures are in _sentences.py: the tests look for them on their pages, but only people rewrite them.
"""

import re
from pathlib import Path

from . import (
    _accuracy_tables as accuracy,
    _picture,
    _speed_tables as speed,
    domain_vectors,
    labelling,
    office_caltech,
    probabilities,
    real_targets,
    restaurants,
    scale,
    sentence_models,
    several_sources,
    short_texts,
    unlabelled_rows,
    vector_columns,
)
from ._list import BENCHMARKS, GROUPS
from ._results import markdown_table

ROOT = Path(__file__).parent.parent
PAGES = (
    "README.md",
    "docs/measured.md",
    "docs/adapters.md",
    "docs/across-languages.md",
    "docs/few-labels.md",
    "benchmarks/README.md",
)
PICTURE = ROOT / "docs" / "accuracy-and-speed.svg"
TABLE = re.compile(r"(<!-- table: (.+?) -->\n\n)(?:\|.*\n)*")


def benchmarks():
    rows = []
    for group, about in GROUPS.items():
        rows.append([f"**{group}**", about, ""])
        rows += [[f"`{b.command}`", b.what, b.minutes] for b in BENCHMARKS if b.group == group]
    return markdown_table(["command", "what it measures", "minutes"], rows, texts=(0, 1))


TABLES = {
    "accuracy, in short": accuracy.accuracy_main,
    "accuracy": accuracy.accuracy_all,
    "losses": accuracy.accuracy_losses,
    "adapters": accuracy.accuracy_adapters,
    "BANKING77": accuracy.accuracy_banking77,
    "accuracy of peers": accuracy.accuracy_peers,
    "similarity": accuracy.similarity,
    "scale": scale.on_page,
    "cascade": accuracy.cascade,
    "vector columns": vector_columns.on_page,
    "across languages": restaurants.on_page,
    "sentence models": sentence_models.on_page,
    "probabilities": probabilities.on_page,
    "Office-Caltech": office_caltech.on_page,
    "choosing": accuracy.choosing_all,
    "domain vectors": domain_vectors.on_page,
    "labelling": labelling.on_page,
    "short texts": short_texts.on_page,
    "unlabelled rows": unlabelled_rows.on_page,
    "several sources": several_sources.in_guide,
    "other shares, in short": real_targets.in_short,
    "other shares": real_targets.of_accuracy,
    "other shares, harm": real_targets.of_harm,
    "other shares, search": real_targets.of_choices,
    "scoring": speed.scoring,
    "embedding": speed.embedding,
    "backends": speed.backends,
    "loading": speed.loading,
    "growth": speed.growth,
    "benchmarks": benchmarks,
}


def with_tables(text):
    """The page with every marked table made anew."""
    return TABLE.sub(lambda found: found[1] + TABLES[found[2]]() + "\n", text)


def write_tables():
    """Write the tables into the pages, and the picture; the names of the files that changed."""
    texts = {ROOT / page: with_tables((ROOT / page).read_text("utf-8")) for page in PAGES}
    changed = []
    for path, new in {**texts, PICTURE: _picture.picture()}.items():
        if not path.exists() or path.read_text("utf-8") != new:
            path.write_text(new, "utf-8")
            changed.append(path.relative_to(ROOT).as_posix())
    return changed


if __name__ == "__main__":
    print(*write_tables(), sep="\n")
