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
Source = Annotated[str, typer.Option(help="Labelled texts: a .csv, .jsonl or .parquet file, or a domain.")]
Target = Annotated[
    str, typer.Option(help="Texts of the target domain: a file, labels optional, or a domain.")
]
TextColumn_ = Annotated[str, typer.Option(help="The column with the texts.")]
LabelColumn = Annotated[str, typer.Option(help="The column with the labels.")]


def split_names(text):
    return [name.strip() for name in text.split(",") if name.strip()]


def recipes_by_name(names, model):
    """Name -> recipe; those with a sentence model take the one named."""
    from .embedders import SentenceEmbedder
    from .recipes import make_recipe

    if model is None:
        return {name: make_recipe(name) for name in names}
    teacher = SentenceEmbedder(model, by_sentence=True)
    return {name: make_recipe(name, None if name == "words" else teacher) for name in names}


def load(dataset, name, text_column, label_column, labels_needed):
    """Texts and labels of a file or of a domain of a data set."""
    if dataset is not None:
        from .datasets import fetch_amazon_reviews, load_demo_reviews

        bunch = (fetch_amazon_reviews if dataset is Dataset.amazon else load_demo_reviews)(name)
        return bunch.data, bunch.target
    from .tables import column_names, read_columns

    names = column_names(name)
    wanted = {"--text-column": text_column} | ({"--label-column": label_column} if labels_needed else {})
    lacking = [f"{option} {column}" for option, column in wanted.items() if column not in names]
    if lacking and names:
        raise ValueError(
            f"Got {' and '.join(lacking)}, but {name} has columns: {', '.join(names)}. Name one of these."
        )
    if not labels_needed and label_column not in names:
        return read_columns(name, [text_column])[0], None
    texts, labels = read_columns(name, [text_column, label_column])
    labels = [None if label == "" else label for label in labels]
    missing = sum(label is None for label in labels)
    if not labels_needed:
        if missing:
            labelled = len(labels) - missing
            talk.print(
                f"{name}: {labelled:,} of {len(labels):,} rows have a {label_column!r}.", style="yellow"
            )
        return texts, None if labels and missing == len(labels) else labels
    if missing:
        raise ValueError(f"{name} has {missing:,} rows without a {label_column!r}. Remove them first.")
    if labels and len(set(labels)) < 2:
        raise ValueError(f"{name} has one class in {label_column!r}: {labels[0]!r}. Expected at least two.")
    return texts, labels
