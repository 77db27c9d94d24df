"""Fit a pipeline from files that are larger than memory, in passes over batches of their rows."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags

from .._parts import takes
from .._rows import cleans_texts
from .._types import FilePath, Progress
from ..adapters import BaseAdapter
from ..adapters._summing import SummingAdapter
from ..embedders import SentenceEmbedder
from ..embedders._pooled import PooledEmbedder
from ..pipeline import TransferPipeline
from ._passes import Passes

_SKIPPED = (None, "passthrough")


def fit_files(
    pipeline: TransferPipeline,
    source: FilePath,
    target: FilePath | None = None,
    *,
    text_column: str = "text",
    label_column: str = "label",
    target_text_column: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    batch_size: int = 10_000,
    epochs: int = 5,
    max_memory: float = 1e9,
    random_state: int = 0,
    progress: Progress | None = None,
) -> TransferPipeline:
    """Fit a pipeline from files of any size, with the result of `fit` on the texts in memory.

    Each step that learns gets a pass over the rows. Texts are embedded once: the source's vectors, and the
    target's where they are wanted more than once (by a second adapter, or one that estimates class shares),
    wait in temporary files (rows x columns x 4 bytes), which are gone at the end, also after an error.

    Parameters
    ----------
    pipeline : TransferPipeline
        An embedder; adapters that have `partial_fit`, and scikit-learn's transformers that have it or
        learn nothing, such as StandardScaler; a classifier. Fitted copies replace its steps when all is done;
        after an error it is as it was.
    source : str, path or list of these
        Labelled texts: what `score_file` takes, but not stdin, which can be read once.
    target : str, path or list of these, default=None
        Unlabelled texts of the target domain. None: nothing is adapted.
    text_column, label_column : str, default="text", "label"
        The columns with the texts, in both files, and with the labels, in the source.
    target_text_column : str, default=None
        The target's column with the texts, if it has another name.
    delimiter, encoding : str, default=None
        What parts the fields of csv, and the encoding of csv and jsonl, as for `score_file`.
    batch_size : int, default=10_000
        Rows held in memory at a time.
    epochs : int, default=5
        Passes over the source, in random order, of a classifier that learns by steps (`partial_fit`), such as
        SGDClassifier; it settles after about a million rows, and so less than that many files need more.
    max_memory : float, default=1e9
        Bytes that the adapted source vectors may have for a classifier that wants all rows at once, such as
        LogisticRegression, which then reads them from the temporary file.
    random_state : int, default=0
        Seed of the order of rows for `epochs`.
    progress : callable (done, total, description), default=None
        Called with the rows so far of each pass; total is None, as they are not counted before.

    Returns
    -------
    TransferPipeline
        The pipeline, fitted: `predict`, `source_view` and `save_pipeline` take it as any other.

    Raises
    ------
    TypeError
        If a step cannot learn batch by batch; the message names it and what can be done instead.
    ValueError
        If labels are missing or of one class, a column is missing, a file is damaged or has no rows, or a
        classifier wants more than `max_memory`.
    OSError
        If a file cannot be read, or the disk with the temporary files is full.

    See Also
    --------
    score_file : Predicts from files batch by batch.

    Notes
    -----
    RidgeClassifier, LinearDiscriminantAnalysis (solvers "lsqr" and "eigen"), GaussianNB and NearestCentroid
    are solved exactly from sums over the rows. Embedders with pooling "idf", "sif" and "usif" count words in
    a pass of their own.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from embtransfer import (DomainCentering, WordEmbedder, fit_files, make_classifier,
    ...                          make_transfer_pipeline)
    >>> pans, films = Path(mkdtemp()) / "pans.csv", Path(mkdtemp()) / "films.csv"
    >>> _ = pans.write_text("text,label\\ngood pan,+\\nbad pan,-\\nfine pot,+\\npoor lid,-\\n")
    >>> _ = films.write_text("text\\ngood film\\npoor plot\\n")
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("ridge"))
    >>> fit_files(pipeline, pans, films).predict(["good plot", "bad film"])
    array(['+', '-'], dtype='<U1')
    """
    for name, value in (("batch_size", batch_size), ("epochs", epochs)):
        if value < 1:
            raise ValueError(f"Got {name}={value}. Expected at least 1.")
    _check_pipeline(pipeline, target)
    steps = [(name, step if step in _SKIPPED else clone(step)) for name, step in pipeline.steps]
    cleaners = [step for _, step in steps if cleans_texts(step)]
    active = [(name, step) for name, step in steps if step not in _SKIPPED and not cleans_texts(step)]
    report = progress or (lambda done, total, description: None)
    columns = text_column, label_column, target_text_column
    dialect = delimiter, encoding
    with (
        TemporaryDirectory(prefix="embtransfer-") as folder,
        closing(Passes(Path(folder), source, target, columns, dialect, batch_size, report)) as passes,
    ):
        passes.embed(active[0][1], cleaners)
        passes.adapt(active[1:-1])
        name, classifier = active[-1]
        passes.classify(name, classifier, epochs, max_memory, random_state)
    pipeline.steps = steps
    return pipeline


def _check_pipeline(pipeline, target):
    if not isinstance(pipeline, TransferPipeline):
        raise TypeError(
            f"Got {type(pipeline).__name__}. Expected a TransferPipeline, as make_transfer_pipeline makes; "
            "recipes learn from all texts at once: call their fit."
        )
    steps = [(name, step) for name, step in pipeline.steps if not cleans_texts(step)]
    (first, embedder), *middle, (last, classifier) = [("", None), *steps][-max(len(steps), 2) :]
    if not hasattr(embedder, "transform") or not is_classifier(classifier):
        raise TypeError(
            f"Got a pipeline from {embedder!r} to {classifier!r}. Expected an embedder first, a "
            "classifier last."
        )
    by_batches = isinstance(embedder, PooledEmbedder | SentenceEmbedder) and not takes(embedder, "X_target")
    if not (by_batches or _learns_nothing(embedder)):
        _refuse(first, embedder, "Use WordEmbedder, StaticEmbedder or SentenceEmbedder")
    for name, step in middle:
        if step in _SKIPPED or hasattr(step, "partial_fit") or _learns_nothing(step):
            continue
        if isinstance(step, BaseAdapter):
            names = sorted(kind.__name__ for kind in _kinds_of(SummingAdapter))
            _refuse(name, step, f"Use one of {', '.join(names)}")
        _refuse(name, step, "Use a transformer with partial_fit, such as StandardScaler or IncrementalPCA")
    for name, step in pipeline.steps:
        if getattr(step, "_sklearn_output_config", {}).get("transform", "default") != "default":
            raise ValueError(
                f"The step {name!r} gives data frames, but rows on disk have no column names. Call "
                "pipeline.set_output(transform='default')."
            )
    if takes(classifier, "X_target"):
        _refuse(last, classifier, "Use RidgeClassifier or SGDClassifier(loss='log_loss')")
    if target is not None and not any(isinstance(step, BaseAdapter) for _, step in middle):
        raise ValueError(
            "Got a target, but no step of the pipeline takes it. Put an adapter before the classifier: "
            "NoAdaptation() if nothing is to be adapted."
        )


def _learns_nothing(step):
    return not get_tags(step).requires_fit


def _refuse(name, step, instead):
    raise TypeError(
        f"The step {name!r}, {type(step).__name__}, learns from all rows at once, not batch by batch. "
        f"{instead}, or fit in memory: pipeline.fit(texts, labels, X_target)."
    )


def _kinds_of(base):
    return [kind for one in base.__subclasses__() for kind in (one, *_kinds_of(one))]
