"""How commands read texts and labels."""

import warnings
from collections import Counter
from functools import reduce
from pathlib import PurePath
from typing import Any, NamedTuple

from .._names import first_few, spellings
from ._labels import as_known, check_labels, label_columns, missing_labels, of_one_type, read_labels
from ._options import Cleaning, Columns, Dataset, Texts
from ._row_columns import RowColumns, name_of_rows, row_columns
from ._terminal import talk

_NAMED = 10  # labels


class Labelled(NamedTuple):
    """Source rows, their labels, groups and domains, None where none are named, and places in the file."""

    X: Any
    y: Any
    groups: list | None = None
    domain: list | None = None
    places: list | None = None


def load_domains(texts: Texts, domain_column=None, asked=(None, None)):
    """X, y, X_target and y_target, and the groups and the domains of X, None if none are named.

    `asked`: the columns of both that rows are made of, where they may be several.
    """
    columns, own, cleaning = texts.columns, texts.target_label_column, texts.cleaning
    more = texts.group_column, cleaning, domain_column
    source = load_sources(texts.dataset, texts.source, columns, *more, asked[0])
    X_target, y_target = load_target(
        texts.dataset, texts.target, columns, columns.label_column, own, source.y, cleaning, asked[1]
    )
    X, X_target = cleaned(texts.html, source.X, X_target)
    return (X, source.y, X_target, y_target), source.groups, source.domain


def cleaned(html: bool, *rows):
    """Rows without HTML if that is asked for; None where there are none."""
    if not html:
        return rows
    from .._rows import is_vectors
    from ..embedders import HTMLCleaner

    if any(map(is_vectors, rows)):
        raise ValueError("Got --html with vectors. Expected texts, or no --html.")
    return [None if some is None else HTMLCleaner().transform(some) for some in rows]


def say_check(X, y, X_target=None, y_target=None, *, embedders=(), scoring="accuracy"):
    """Print what stands in the data, and what is probably wrong with it; warnings need not say it again."""
    from .._rows import to_show
    from ..trials import check_domains

    words = next((one for one in embedders if hasattr(one, "coverage")), None)
    X, X_target = to_show(X), to_show(X_target)
    found = check_domains(X, y, X_target, y_target, embedder=words, scoring=scoring)
    talk.print(found.summary)
    for said in found.problems:
        talk.print(f"- {said}", style="yellow")
    repeated = r"[\d,]+ of [\d,]+ source (texts|vectors) repeat another"
    for said in (repeated, "The number of unique classes", "A single label was", "y_pred contains classes"):
        warnings.filterwarnings("ignore", said, UserWarning)


def for_card(source, target, X, y, X_target=None, n_labels=0) -> dict[str, str]:
    """What the model card says of the data: names without folders, counts, and how many have each label.

    `n_labels` is the number of labels of the target that the model learned from.
    """
    kind = name_of_rows(X)
    names = [source] if isinstance(source, str) else source
    about = {"source": f"{', '.join(PurePath(name).name for name in names)}, {len(X):,} labelled {kind}"}
    if X_target is not None:
        labels = f"{n_labels:,} of them labelled" if n_labels else "without labels"
        about["target"] = f"{PurePath(target).name}, {len(X_target):,} {kind}, {labels}"
    if isinstance(y, list) and y and not isinstance(y[0], list):
        counts = Counter(y)
        about["labels of the source"] = first_few(
            counts.most_common(), _NAMED, lambda one: f"{one[0]} {one[1]:,} ({one[1] / len(y):.0%})"
        )
    return about


def load_sources(
    dataset,
    names,
    columns: Columns,
    group_column=None,
    cleaning: Cleaning | None = None,
    domain_column=None,
    of_rows: RowColumns | None = None,
) -> Labelled:
    """One source, or several after one another, named by their files or by a column.

    `of_rows`: the columns that rows are made of, if not those that `columns` names.
    """
    if dataset is not None and (group_column or domain_column):
        option = f"--group-column {group_column}" if group_column else f"--domain-column {domain_column}"
        raise ValueError(f"Got {option} with --dataset, which has no such column. Leave one out.")
    if len(set(names)) < len(names):
        raise ValueError(f"Got --source {', '.join(names)}. Expected each source once.")
    of_rows = of_rows or row_columns(columns.text_column, columns.vector_column)
    asked = columns, of_rows, group_column, cleaning, domain_column
    parts = [_load_source(dataset, name, *asked) for name in names]
    found = Labelled(*map(_joined, zip(*parts, strict=True)))
    if len(parts) > 1 and domain_column is None:
        from .._rows import n_rows

        own = _domain_names(names)
        sizes = (n_rows(part.X) for part in parts)
        found = found._replace(domain=[one for one, n in zip(own, sizes, strict=True) for _ in range(n)])
    _say_apart(names, parts)
    y = of_one_type(found.y)
    y = _merged(y, y, cleaning)
    found = found._replace(y=y)
    if isinstance(y, list) and not (y and isinstance(y[0], list)) and len(set(y)) < 2:
        found_there = f"one class in {columns.label_column!r}: {y[0]!r}" if y else "no row with a label"
        raise ValueError(f"{', '.join(names)} has {found_there}. Expected at least two classes.")
    return found


def _say_apart(names, parts):
    """That a source has no label in common with the first, if neither's are numbers: are they the same?"""
    lists = (part.y if isinstance(part.y, list) else [] for part in parts)
    sets = [{str(one) for one in labels if not isinstance(one, list)} for labels in lists]
    for name, labels in zip(names[1:], sets[1:], strict=True):
        if sets[0] and labels and sets[0].isdisjoint(labels) and not all(map(_is_number, sets[0] | labels)):
            first, other = (first_few(sorted(some)) for some in (sets[0], labels))
            talk.print(
                f"{names[0]} ({first}) and {name} ({other}) have no label in common: if these are other "
                "names of the same classes, make the names alike.",
                style="yellow",
            )


def load_source(name, columns: Columns, of_rows: RowColumns, cleaning: Cleaning):
    """Rows and labels of one source, and the rows of the file that they are."""
    found = load_sources(None, [name], columns, cleaning=cleaning, of_rows=of_rows)
    return found.X, found.y, found.places


def _domain_names(names):
    """Files by their names without folder and endings, where these differ."""
    short = [PurePath(name).name.partition(".")[0] or name for name in names]
    return short if len(set(short)) == len(names) else names


def _joined(parts):
    """Texts, vectors, labels, or None of each source, of all."""
    first, *others = parts
    if first is None:
        return None
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat(parts, ignore_index=True)
    from .._rows import stack_rows

    return reduce(stack_rows, others, first)


def _load_source(dataset, name, columns, of_rows, group_column, cleaning, domain_column):
    if dataset is not None:
        return Labelled(*_load_domain(dataset, name))
    label_column = columns.label_column
    table = of_rows.open(name, columns.delimiter, columns.encoding)
    name, names = table.name, label_columns(table, label_column)
    more = {"group_column": group_column, "domain_column": domain_column}
    more = {option: column for option, column in more.items() if column}
    for column in names:
        of_rows.check(table, {"label_column": column} | more)
    texts, *found = of_rows.read(table, [*names, *more.values()])
    labels, others = read_labels(table, names, found[: len(names)]), found[len(names) :]
    check_labels(table, labels)
    is_missing = missing_labels(labels)
    missing = [row for row, no in enumerate(is_missing) if no]
    kept = [row for row, no in enumerate(is_missing) if not no]
    if missing and cleaning is not None and cleaning.drop_unlabelled:
        talk.print(f"{name}: left out {len(missing):,} of {len(labels):,} rows, without a {label_column!r}.")
        from .._rows import take

        texts, others = take(texts, kept), [take(column, kept) for column in others]
        labels = take(labels, kept) if isinstance(labels, list) else labels.iloc[kept]
    elif missing:
        drop = "Remove them first" if cleaning is None else "Pass --drop-unlabelled to leave them out"
        raise ValueError(
            f"{name} has {len(missing):,} rows without a {label_column!r}, the first is "
            f"{table.place(missing[0])}. {drop}, or write labels there."
        )
    found = {
        option: [None if one == "" else one for one in column]
        for option, column in zip(more, others, strict=True)
    }
    return Labelled(texts, labels, found.get("group_column"), found.get("domain_column"), kept)


def _merged(labels, of_source, cleaning):
    """Labels in the most frequent of their spellings, if that is asked for; those of the source lead."""
    if cleaning is None or not cleaning.merge_labels or not isinstance(labels, list):
        return labels
    other = spellings(of_source, labels)
    return [other.get(one, one) if isinstance(one, str) else one for one in labels]


def load_target(
    dataset,
    name,
    columns: Columns,
    label_column=None,
    own_label_column=None,
    of_source=None,
    cleaning: Cleaning | None = None,
    of_rows: RowColumns | None = None,
):
    """Rows, and labels where there are any: None where a row has none, and where no row has one.

    `label_column` is None where labels are not to be read, the target's own where it has the source's name.
    Of the labels that those of the source lack, the first one's place is said.
    """
    if dataset is not None:
        return _load_domain(dataset, name)
    own_name = columns.target_text_column
    of_rows = of_rows or row_columns(columns.text_column, columns.vector_column, own_name)
    table = of_rows.open(name, *columns.dialect_of_target)
    name = table.name
    own = {}
    if own_label_column and label_columns(table, own_label_column) == [own_label_column]:
        own["target_label_column"] = own_label_column
    hint = "Name one of these; --target-text-column names the target's alone."
    of_rows.check(table, own, hint, option="target_text_column" if own_name else "text_column")
    label_column = own_label_column or label_column
    names = label_columns(table, label_column) if label_column else []
    if not names or not set(names) <= set(table.schema.names):
        if of_source is not None:
            _say_others(table, label_column, of_rows)
        return of_rows.read(table)[0], None
    texts, *found = of_rows.read(table, names)
    labels = read_labels(table, names, found)
    is_missing = missing_labels(labels)
    if len(names) == 1:
        labels = [None if no else label for label, no in zip(labels, is_missing, strict=True)]
    labelled = len(is_missing) - sum(is_missing)
    if labelled < len(texts):
        talk.print(
            f"{name}: {labelled:,} of {len(texts):,} rows have a label in {label_column!r}.", style="yellow"
        )
    if of_source is not None and len(names) == 1:
        labels = as_known(labels, [one for one in of_source if not isinstance(one, list)])
        labels = _merged(labels, of_source, cleaning)
        _say_unknown(table, labels, of_source)
    return texts, labels if labelled or not len(texts) else None


def _say_others(table, label_column, of_rows):
    """That the target's labels may stand in another column, if it has others than those of its rows."""
    own = {of_rows.in_file.get(name, name) for name in of_rows.holds}
    others = [name for name in table.schema.names if name not in own]
    if others:
        talk.print(
            f"{table.name} has no column {label_column!r}. If one of these holds its labels, pass "
            f"--target-label-column with its name: {first_few(others, _NAMED)}.",
            style="yellow",
        )


def _say_unknown(table, labels, of_source):
    """Where the first label is that the source lacks; of numbers every one is new, and right."""
    if not all(isinstance(label, str) for label in of_source) or all(map(_is_number, of_source)):
        return
    known = {None, *of_source}
    unknown = [row for row, label in enumerate(labels) if not isinstance(label, list) and label not in known]
    if unknown:
        talk.print(
            f"{table.place(unknown[0])}: {labels[unknown[0]]!r} is no label of the source, as in "
            f"{len(unknown):,} rows.",
            style="yellow",
        )


def _is_number(label):
    try:
        float(label)
    except ValueError:
        return False
    return True


def _load_domain(dataset, name):
    from ..datasets import fetch_amazon_reviews, load_demo_reviews

    bunch = (fetch_amazon_reviews if dataset is Dataset.amazon else load_demo_reviews)(name)
    return bunch.data, bunch.target
