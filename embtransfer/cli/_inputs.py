"""The options that name texts and models, and how commands read them."""

from enum import StrEnum
from typing import Annotated

import typer

from ._terminal import talk


class Dataset(StrEnum):
    amazon = "amazon"
    demo = "demo"


DATASETS = (
    "Source and target are domains of a data set: of amazon books, dvd, electronics, kitchen; "
    "of demo films, kitchenware."
)
ADAPTERS = "none, centering, coral, linear_ot, subspace, gfk, tca, jda, ot, msda, scl"
CLASSIFIERS = (
    "logistic, ridge, svm, lda, naive_bayes, centroid, log_count_ratio, self_training, importance, "
    "label_shift"
)
RECIPES = "words, distilled, sentences"
Source = Annotated[
    str,
    typer.Option(help="Labelled texts: a file, folder, quoted pattern or -, as for score; or a domain."),
]
Target = Annotated[
    str, typer.Option(help="Texts of the target domain: as the source, labels optional.")
]
TextColumn_ = Annotated[str, typer.Option(help="The column with the texts.")]
LabelColumn = Annotated[str, typer.Option(help="The column with the labels.")]
TargetTextColumn = Annotated[
    str | None, typer.Option(help="The target's column with the texts, if it has another name.")
]
TargetLabelColumn = Annotated[
    str | None, typer.Option(help="The target's column with the labels, if it has another name.")
]


def split_names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def recipes_by_name(names, model):
    """Name -> recipe; those with a sentence model take the one named."""
    from ..embedders import SentenceEmbedder
    from ..recipes import make_recipe

    if model is None:
        return {name: make_recipe(name) for name in names}
    teacher = SentenceEmbedder(model, by_sentence=True)
    return {name: make_recipe(name, None if name == "words" else teacher) for name in names}


def load_source(dataset, name, text_column, label_column):
    """Texts and labels of a file or of a domain of a data set."""
    if dataset is not None:
        return _load_domain(dataset, name)
    from ..tables import TableReader

    table = TableReader(name)
    name, wanted = table.name, {"--text-column": text_column, "--label-column": label_column}
    _check_columns(table, wanted, "Name one of these.")
    texts, labels = table.columns([text_column, label_column], text_column)
    missing = sum(label in (None, "") for label in labels)
    if missing:
        raise ValueError(f"{name} has {missing:,} rows without a {label_column!r}. Remove them first.")
    if labels and len(set(labels)) < 2:
        raise ValueError(f"{name} has one class in {label_column!r}: {labels[0]!r}. Expected at least two.")
    return texts, labels


def load_target(dataset, name, text_column, label_column, own_text_column, own_label_column=None):
    """Texts, and labels where there are any: None where a row has none, and where no row has one.

    The target's own columns are None where they have the source's names; `label_column` is None where labels
    are not to be read.
    """
    if dataset is not None:
        return _load_domain(dataset, name)
    from ..tables import TableReader

    table = TableReader(name)
    name = table.name
    wanted = {"--target-text-column" if own_text_column else "--text-column": own_text_column or text_column}
    if own_label_column:
        wanted["--target-label-column"] = own_label_column
    _check_columns(table, wanted, "Name one of these; --target-text-column names the target's alone.")
    text_column, label_column = own_text_column or text_column, own_label_column or label_column
    if label_column not in table.schema.names:
        return table.columns([text_column], text_column)[0], None
    texts, labels = table.columns([text_column, label_column], text_column)
    labels = [None if label == "" else label for label in labels]
    labelled = sum(label is not None for label in labels)
    if labelled < len(labels):
        talk.print(f"{name}: {labelled:,} of {len(labels):,} rows have a {label_column!r}.", style="yellow")
    return texts, labels if labelled or not labels else None


def _load_domain(dataset, name):
    from ..datasets import fetch_amazon_reviews, load_demo_reviews

    bunch = (fetch_amazon_reviews if dataset is Dataset.amazon else load_demo_reviews)(name)
    return bunch.data, bunch.target


def _check_columns(table, wanted, hint):
    name, names = table.name, table.schema.names
    lacking = [f"{option} {column}" for option, column in wanted.items() if column not in names]
    if lacking and names:
        raise ValueError(f"Got {' and '.join(lacking)}, but {name} has columns: {', '.join(names)}. {hint}")
