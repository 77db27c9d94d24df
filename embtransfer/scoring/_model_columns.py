"""What a model says of texts, as Arrow columns."""

import hashlib
import pickle
from threading import Event
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .._rows import a_row, n_rows, unwrapped
from ._confidence import confidences

_SAMPLE = 1_000  # texts looked at to see whether many repeat


class ModelColumns:
    """Columns of labels, probabilities, best labels and vectors for texts.

    Attributes
    ----------
    schema : pyarrow.Schema
        The columns, in the order label, confidence and margin, which model of a cascade answered, each
        class's probability, k best labels with theirs, vector. Of several labels a text a column of 0 and 1
        each, then probabilities; of numbers the number.

    Raises
    ------
    AttributeError
        If the model lacks what is asked of it.
    ValueError
        If two columns have one name, top_k or reject_below is out of range, or margin or reject_below is
        asked of a model of several labels a text or of numbers.
    """

    def __init__(
        self, model, output_column, proba, top_k, vectors, batch_size, margin=False, reject_below=None
    ):
        self.model, self.batch_size = model, batch_size
        self.proba, self.top_k, self.vectors = proba, top_k or 0, vectors
        self.margin, self.reject_below = margin, reject_below
        self.shares = proba or self.top_k or margin or reject_below is not None  # whether they are needed
        self.cascade = hasattr(model, "answered_by")
        self.takes_lists = not _takes_arrow(model)
        self.several, self.classes = _several_labels(model), _classes(model)
        self.kind = label = pa.array(self.classes).type if len(self.classes) else pa.float64()
        if top_k is not None and not 1 <= top_k <= len(self.classes):
            raise ValueError(f"Got top_k={top_k}. Expected 1 to {len(self.classes)}, the number of classes.")
        if margin or reject_below is not None:
            self._check_confidence()
        if self.shares:
            model.predict_proba  # noqa: B018  says itself why it is not there
        if not output_column:
            raise ValueError("Got output_column ''. Expected the column to add (--output-column).")
        fields = [(output_column, label)]
        if margin:
            fields += [("confidence", pa.float64()), ("margin", pa.float64())]
            fields += [("answered_by", pa.string())] if self.cascade else []
        if self.several:
            fields = [(f"{output_column}_{name}", pa.int64()) for name in self.classes]
        if proba:
            after = "_proba" if self.several else ""
            fields += [(f"{output_column}_{name}{after}", pa.float64()) for name in self.classes]
        for k in range(1, self.top_k + 1):
            fields += [(f"{output_column}_{k}", label), (f"{output_column}_{k}_proba", pa.float64())]
        if vectors:
            fields.append(("vector", pa.list_(pa.float32(), self._vectors(a_row(model)).shape[1])))
        self.schema = pa.schema(fields)
        repeated = {name for name in self.schema.names if self.schema.names.count(name) > 1}
        if repeated:
            raise ValueError(
                f"The output would have more than one column {', '.join(sorted(repeated))}. "
                "Choose another output_column (--output-column), or fewer of margin, proba and top_k."
            )

    def _check_confidence(self):
        if self.reject_below is not None and not 0 <= self.reject_below <= 1:
            raise ValueError(f"Got reject_below={self.reject_below}. Expected a probability, from 0 to 1.")
        asked = "margin (--margin)" if self.margin else "reject_below (--reject-below)"
        if self.several or not len(self.classes):
            what = "several labels a text" if self.several else "numbers"
            raise ValueError(
                f"Got {asked} and a model that predicts {what}. Expected one of one label a text, which has "
                "one confidence."
            )
        if not hasattr(self.model, "predict_proba"):
            raise AttributeError(
                f"Got {asked}, but {type(_last_step(self.model)).__name__} has no predict_proba. Fit a "
                "classifier that has, such as --classifier logistic."
            )

    def __call__(self, texts: pa.Array | np.ndarray, stop: Event) -> dict[str, pa.Array]:
        """Columns by name, of texts or vectors; where many texts repeat each is scored once.

        Ends early if `stop` is set.
        """
        rows = None
        if isinstance(texts, pa.Array) and _many_repeat(texts):
            encoded = texts.dictionary_encode()
            texts, rows = encoded.dictionary, encoded.indices.to_numpy()
        parts = []
        for start in range(0, len(texts), self.batch_size):
            if stop.is_set():
                raise InterruptedError("Scoring was stopped.")
            some: Any = texts[start : start + self.batch_size]
            parts.append(self._score(self._as_taken(some)))
        if not parts:
            return {field.name: pa.array([], field.type) for field in self.schema}
        labels, shares, vectors, by = (
            None if part[0] is None else np.concatenate(part) if len(part) > 1 else part[0]
            for part in zip(*parts, strict=True)
        )
        if rows is not None:
            labels, shares, vectors, by = (
                None if x is None else x[rows] for x in (labels, shares, vectors, by)
            )
        return self._columns(labels, shares, vectors, by)

    def _as_taken(self, rows):
        """Rows as the model takes them: of Arrow, or for steps of scikit-learn lists of str, DataFrames."""
        if self.takes_lists and isinstance(rows, pa.Table):
            return rows.to_pandas()
        return rows.to_pylist() if self.takes_lists and isinstance(rows, pa.Array) else rows

    def _score(self, texts):
        model, vectors, shares = self.model, None, None
        if self.vectors:
            vectors = self._vectors(texts)
        if self.shares and hasattr(model, "predict_all"):  # a compiled pipeline
            return *model.predict_all(texts), vectors, None
        if self.shares and self.cascade:
            labels, shares, by = model.answers(texts)
            return labels, shares, vectors, by
        if self.shares and _is_pipeline(model):  # embed once
            texts, model = vectors if vectors is not None else model[:-1].transform(texts), model[-1]
        elif vectors is not None and _is_pipeline(model):
            texts, model = vectors, model[-1]
        if self.shares:
            shares = np.asarray(model.predict_proba(texts))
        labels = np.asarray(model.predict(texts))
        if len(labels) != n_rows(texts):
            raise ValueError(f"The model gave {len(labels)} labels for {n_rows(texts)} texts.")
        if labels.ndim != 1 + self.several:
            raise ValueError(
                f"The model gave labels of shape {labels.shape}. Expected one a text: fit a model for each."
            )
        return labels, shares, vectors, None

    def _vectors(self, texts):
        model = self.model[:-1] if _is_pipeline(self.model) else self.model
        if not hasattr(model, "transform"):
            raise AttributeError(
                f"Got vectors=True (--vectors), but {type(self.model).__name__} has no transform. A compiled "
                "model has no vectors: take the model that it was compiled from."
            )
        vectors = model.transform(texts)
        if not isinstance(vectors, np.ndarray) or vectors.ndim != 2:
            raise ValueError(
                f"Got vectors=True (--vectors), but the model makes a {type(vectors).__name__}. "
                "Expected dense vectors, as word, static and sentence embedders make."
            )
        return vectors

    def _columns(self, labels, shares, vectors, by):
        kind = self.kind
        if self.several:
            arrays = [pa.array(np.ascontiguousarray(column), pa.int64()) for column in labels.T]
        elif len(self.classes):
            arrays = [_labels(labels, self.classes, kind)]
        else:
            arrays = [pa.array(labels, kind)]
        if self.margin or self.reject_below is not None:
            confidence, margin = confidences(labels, shares, self.classes)
            if self.reject_below is not None:
                sure = pa.array(confidence >= self.reject_below)
                arrays[0] = pc.if_else(sure, arrays[0], pa.scalar(None, kind))
            arrays += [pa.array(confidence), pa.array(margin)] if self.margin else []
            arrays += [pa.array(by)] if self.margin and self.cascade else []
        if self.proba:
            arrays += [pa.array(share, pa.float64()) for share in shares.T]
        if self.top_k:
            best = np.argsort(-shares, axis=1, kind="stable")[:, : self.top_k]  # of equals the first class
            for column in best.T:
                arrays.append(_take(self.classes, column, kind))
                arrays.append(pa.array(shares[np.arange(len(shares)), column], pa.float64()))
        if self.vectors:
            numbers = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
            arrays.append(pa.FixedSizeListArray.from_arrays(numbers, vectors.shape[1]))
        return dict(zip(self.schema.names, arrays, strict=True))


def _is_pipeline(model):
    """Whether it is a scikit-learn Pipeline of two or more steps; that need not be installed."""
    return hasattr(model, "named_steps") and len(model.steps) > 1


def takes_vectors(model) -> bool:
    """Whether its first step says that it takes vectors."""
    steps: Any = getattr(unwrapped(model), "steps", ())
    return bool(steps) and getattr(steps[0][1], "_takes_vectors", False)


def _last_step(model):
    """The last step of a pipeline, or of the best one of a search; of others themselves."""
    while hasattr(model, "best_estimator_") or _is_pipeline(model):
        model = model.steps[-1][1] if _is_pipeline(model) else model.best_estimator_
    return model


def _several_labels(model):
    """Whether a text may have several labels; of scikit-learn's OneVsRestClassifier, too."""
    return bool(getattr(_last_step(model), "multilabel_", False))


def _classes(model):
    """The classes or labels; none where the model predicts numbers.

    Raises
    ------
    ValueError
        If it predicts several numbers, or labels of several kinds.
    """
    classes = getattr(model, "classes_", None)
    if classes is None and not _is_regressor(_last_step(model)):
        return np.asarray(model.classes_)  # says itself why it is not there
    if isinstance(classes, list) and np.ndim(classes[0]):
        raise ValueError(
            f"Got a model that predicts {len(classes)} labels a text. Expected one, or MultiLabelClassifier, "
            "for labels that a text has or lacks; others need a model each."
        )
    return np.empty(0) if classes is None else np.asarray(classes)


def _is_regressor(model):
    from sklearn.base import is_regressor  # here, for compiled models run without it

    return is_regressor(model)


def _take(classes, codes, kind):
    return pa.array(classes, kind).take(pa.array(codes))


def _labels(labels, classes, kind):
    if labels.dtype.kind not in "UO" or len(classes) > 64:
        return pa.array(labels, kind)
    codes = np.full(len(labels), -1)  # a comparison a class is much quicker than a str a row
    for code, name in enumerate(classes):
        codes[labels == name] = code
    return pa.array(labels, kind) if (codes < 0).any() else _take(classes, codes, kind)


def _takes_arrow(model):
    """Whether what takes the texts can; scikit-learn's steps get lists of str."""
    if hasattr(model, "predict_all"):  # a compiled pipeline
        return True
    from .._parts import first_steps  # imports scikit-learn, which compiled ones do without

    return not any(type(step).__module__.startswith("sklearn.") for step in first_steps(model))


def _many_repeat(texts):
    if len(texts) < 2 * _SAMPLE:
        return False
    sample = texts.take(pa.array(np.linspace(0, len(texts) - 1, _SAMPLE).astype(np.int64)))
    return pc.count_distinct(sample).as_py() <= _SAMPLE // 2


def fingerprint(model) -> str:
    """A checksum of the model's pickle.

    Raises
    ------
    ValueError
        If it cannot be pickled.
    """
    digest = hashlib.sha256()

    class Sink:
        def write(self, data):
            digest.update(data)
            return memoryview(data).nbytes  # arrays come as they are, without a length

    try:
        pickle.Pickler(Sink(), protocol=5).dump(model)
    except Exception as error:
        raise ValueError(
            f"The model cannot be told from others, for it cannot be pickled ({error}). Pass a model_id."
        ) from error
    return digest.hexdigest()
