"""Options that several commands have, each declared once, and groups of them that a command takes whole."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated

import typer

from ._tables import Output
from ._terminal import some_jobs

TABLE = "A file or folder of vectors, or a name; see `embtransfer vectors list`."
# words in braces are filled with the names of a registry when the help is shown: see _commands.py
EMBEDDER_NAMES = (
    "word_ or static_ with a pooling ({poolings}), as in word_mean; domain_words, learned from the "
    "texts of both domains; sentence; distilled, from a sentence model; ngrams, sparse; or vectors, of "
    "--vector-column."
)


class Backend(StrEnum):
    torch = "torch"
    onnx = "onnx"


class Dataset(StrEnum):
    amazon = "amazon"
    demo = "demo"


class Tokens(StrEnum):
    words = "words"
    characters = "characters"


class UnknownWords(StrEnum):
    skip = "skip"
    subwords = "subwords"
    nearest = "nearest"


Sources = Annotated[
    list[str],
    typer.Option(
        "--source",
        help="Labelled texts: a file, folder, quoted pattern or -, as for score; or a domain. Several, each "
        "with --source, are several sources, named by their files.",
    ),
]
DomainColumn = Annotated[
    str | None,
    typer.Option(help="The source's column that names each text's domain, where one file has several."),
]
Target = Annotated[str, typer.Option(help="Texts of the target domain: as the source, labels optional.")]
Delimiter = Annotated[
    str | None,
    typer.Option(
        help="What parts the fields of csv, such as ; or \\t. By default header and first row tell."
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(help="The encoding of csv and jsonl, such as cp1252. By default UTF-8, or as marked."),
]
TextColumn = Annotated[str, typer.Option(help="The column with the texts; or several, with commas.")]
VectorColumn = Annotated[
    list[str] | None,
    typer.Option(
        help="The column with vectors instead of texts: lists of numbers, in parquet or jsonl; or a file "
        "beside each csv, such as features.npy, or .npy: films.npy of films.csv. Several, each with "
        "--vector-column, and beside --text-column: choose, compare, curve and fit --recipe columns."
    ),
]
GroupColumn = Annotated[
    str | None,
    typer.Option(help="The source's column with groups, say authors: their texts stay in one fold."),
]
TargetShares = Annotated[
    str | None,
    typer.Option(
        help="How often each class occurs in the target, if you know: positive=0.2,negative=0.8, or a JSON "
        "object. Without it that is estimated."
    ),
]
DatasetOption = Annotated[
    Dataset | None,
    typer.Option(
        help="Source and target are domains of a data set: of amazon {amazon_domains}; "
        "of demo {demo_domains}."
    ),
]
Embedders = Annotated[
    str | None,
    typer.Option(
        help=f"Embedders, with commas. {EMBEDDER_NAMES} By default word_mean, of choose and curve "
        "domain_words, too; vectors with --vector-column."
    ),
]
Adapters = Annotated[str, typer.Option(help="Adapters, with commas: {adapters}.")]
Classifiers = Annotated[str, typer.Option(help="Classifiers, with commas: {classifiers}.")]
Recipes = Annotated[
    str | None,
    typer.Option(help="Recipes, with commas: {recipes}. By default words, or vectors with --vector-column."),
]
Vectors = Annotated[str | None, typer.Option(help=f"{TABLE} Without it the bundled GloVe.")]
ModelFolder = Annotated[Path, typer.Argument(help="A model folder, from embtransfer fit or compile.")]
Trusted = Annotated[
    str,
    typer.Option(
        help="Types of other packages that the model may hold, by their full names, with commas, such as "
        "mypackage.MyStep; their modules are imported. Name them if you know where the model comes from."
    ),
]
Phrases = Annotated[bool, typer.Option("--phrases", help='Join words that the table joins by "_".')]
HowTokens = Annotated[
    Tokens,
    typer.Option(
        "--tokens",
        help="What a token is: a word; with characters also each letter of scripts without spaces (Chinese, "
        "Japanese, Thai) and each symbol, such as an emoji.",
    ),
]
Cased = Annotated[bool, typer.Option("--cased", help="Do not lower-case texts: for tables with capitals.")]
MergeLabels = Annotated[
    bool,
    typer.Option(
        "--merge-labels", help="Labels that differ by case or white space only become the most frequent."
    ),
]
Html = Annotated[
    bool,
    typer.Option(
        "--html",
        help="Take HTML out of texts: tags, and entities such as &#39;. A model that is saved then does so "
        "unasked, in score, explain, update and all others.",
    ),
]
Jobs = Annotated[int, typer.Option(callback=some_jobs, help="Processes that try models; -1: all processors.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there.")]
EmbedVectors = Annotated[
    bool, typer.Option("--embed-vectors", help="Save the word vectors in the model, for other machines.")
]
Scoring = Annotated[
    str,
    typer.Option(
        help="What is measured: a scorer of scikit-learn, such as accuracy, balanced_accuracy, f1_macro or "
        "neg_log_loss; or f1:LABEL, the F1 of one class."
    ),
]
Format = Annotated[Output, typer.Option(help="How to print the table.")]


@dataclass(frozen=True)
class Columns:
    """Columns of the files of source and target, and how these are written."""

    text_column: TextColumn = "text"
    vector_column: VectorColumn = None
    label_column: Annotated[
        str,
        typer.Option(
            help="The column with the labels. For several labels a text one with lists of them, in jsonl and "
            "parquet, or columns of 0 and 1, with commas: sports,politics."
        ),
    ] = "label"
    target_text_column: Annotated[
        str | None, typer.Option(help="The target's column with the texts, if it has another name.")
    ] = None
    delimiter: Delimiter = None
    encoding: Encoding = None
    target_delimiter: Annotated[
        str | None, typer.Option(help="What parts the fields of the target, if it is another.")
    ] = None
    target_encoding: Annotated[
        str | None, typer.Option(help="The encoding of the target, if it is another.")
    ] = None

    @property
    def texts_of_target(self) -> str:
        return self.target_text_column or self.text_column

    @property
    def dialect_of_target(self) -> tuple[str | None, str | None]:
        return self.target_delimiter or self.delimiter, self.target_encoding or self.encoding

    def to_read_target(self) -> dict[str, str | list[str] | None]:
        """Options by which a command of one file reads the target as this one did."""
        name, (delimiter, encoding) = self.texts_of_target, self.dialect_of_target
        return {
            "text_column": "" if name == "text" else name,
            "vector_column": self.vector_column,
            "delimiter": delimiter,
            "encoding": encoding,
        }


@dataclass(frozen=True)
class Cleaning:
    """What becomes of labels that the check of the data finds fault with."""

    merge_labels: MergeLabels = False
    drop_unlabelled: Annotated[
        bool, typer.Option("--drop-unlabelled", help="Leave source rows without a label out.")
    ] = False


@dataclass(frozen=True)
class Texts:
    """Texts of source and target, the target's labels wanted, too."""

    source: Sources
    target: Target
    columns: Columns
    cleaning: Cleaning
    target_label_column: Annotated[
        str | None, typer.Option(help="The target's column with the labels, if it has another name.")
    ] = None
    html: Html = False
    group_column: GroupColumn = None
    target_shares: TargetShares = None
    dataset: DatasetOption = None


@dataclass(frozen=True)
class Embedding:
    """What embedders are made of."""

    vectors: Vectors = None
    model: Annotated[
        str | None,
        typer.Option(help="Sentence model of sentence and distilled: a folder, package or hub's name."),
    ] = None
    backend: Annotated[
        Backend,
        typer.Option(help="What runs the sentence model; onnx, a folder's onnx/model.onnx, without torch."),
    ] = Backend.torch
    unknown: Annotated[UnknownWords, typer.Option(help="What becomes of words that the table lacks.")] = (
        UnknownWords.skip
    )
    phrases: Phrases = False
    cased: Cased = False
    tokens: HowTokens = Tokens.words


def with_groups(command: Callable) -> Callable:
    """Let parameters of a command be groups: each field of such a dataclass is an option of its own."""
    options = [option.replace(kind=option.KEYWORD_ONLY) for option in _options_of(command)]

    @wraps(command)
    def run(**given):
        return _call(command, given)

    run.__dict__["__signature__"] = inspect.Signature(options)  # what typer reads
    run.__annotations__ = {option.name: option.annotation for option in options}
    return run


def _options_of(function):
    for parameter in inspect.signature(function).parameters.values():
        group = parameter.annotation
        yield from _options_of(group) if is_dataclass(group) else [parameter]


def _call(function, given):
    parameters = inspect.signature(function).parameters
    groups = {name: one.annotation for name, one in parameters.items() if is_dataclass(one.annotation)}
    return function(
        **{name: _call(groups[name], given) if name in groups else given[name] for name in parameters}
    )
