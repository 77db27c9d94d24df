"""CompiledPipeline: a folded pipeline, which needs numpy, numba and pyarrow to run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from .._texts import check_texts, iter_text_chunks
from .._types import FilePath, Texts
from ..system._threads import n_threads
from . import _heads
from ._files import read_model, write_model
from ._program import Program


class CompiledPipeline:
    """A fitted pipeline folded into tables of scores, one row a word.

    Predicts what the pipeline does, within 1e-5 of its decision function. `compile_pipeline` makes it; saved
    and loaded, it needs numpy, numba and pyarrow alone. It has no state that changes: threads may share it,
    and its kernels release the GIL. A model that was saved or loaded pickles as the path of its folder.

    Parameters
    ----------
    program : Program
        What is computed of a text; see compiled/_program.py.
    head : dict
        What labels and probabilities are made of it; see compiled/_heads.py.
    classes : ndarray of shape (n_classes,)
        Or of the labels, if a text may have several; empty if numbers are predicted.
    n_jobs : int or None, default=None
        Threads as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_jobs : int or None
        May be set at any time.

    See Also
    --------
    compile_pipeline : Folds a pipeline.
    score_file : Scores files with it.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from embtransfer import (CompiledPipeline, DomainCentering, WordEmbedder, compile_pipeline,
    ...                          make_classifier, make_transfer_pipeline)
    >>> pipeline = make_transfer_pipeline(WordEmbedder(), DomainCentering(), make_classifier("logistic"))
    >>> _ = pipeline.fit(["good pan", "bad pan"], ["+", "-"], X_target=["good film", "dull film"])
    >>> folder = compile_pipeline(pipeline).save(mkdtemp() + "/model")
    >>> CompiledPipeline.load(folder).predict(["a good film"])
    array(['+'], dtype='<U1')
    """

    def __init__(self, program: Program, head: dict, classes: np.ndarray, n_jobs: int | None = None):
        self._program, self._head, self.classes_, self.n_jobs = program, head, classes, n_jobs
        self._path: Path | None = None
        self._checksum: str | None = None

    # ---------------------------------------------------------------- scores
    def predict(self, X: Texts) -> np.ndarray:
        """Predict labels of target texts: array of shape (n_texts,).

        Of a model of several labels a text: 0 or 1, array of shape (n_texts, n_labels), int64. Of one of
        numbers: the numbers, float64.

        Parameters
        ----------
        X : 1-D sequence of str
            A list, numpy array, pandas Series, pyarrow or polars column; missing texts are empty.

        Raises
        ------
        TypeError, ValueError
            If X is not a 1-D sequence of texts.
        """
        return self._named(self._of_chunks(X, _heads.predict))

    def _named(self, found):
        return found if self._head["kind"] in ("labels", "number") else self.classes_[found]

    @property
    def multilabel_(self) -> bool:
        """Whether a text may have several labels."""
        return self._head["kind"] == "labels"

    @property
    def decision_function(self) -> Callable[[Texts], np.ndarray]:
        """Function of texts: (n_texts,) for two classes, (n_texts, n_classes) for more, float64."""
        return self._method("decision_function", _heads.has_decision, _heads.decision)

    @property
    def predict_proba(self) -> Callable[[Texts], np.ndarray]:
        """Function of texts: class probabilities, (n_texts, n_classes), float64."""
        return self._method("predict_proba", _heads.has_proba, _heads.proba)

    def _method(self, name, has, function):
        if not has(self._head):  # as scikit-learn's estimators: hasattr tells
            raise AttributeError(f"The classifier of this pipeline has no {name}.")
        return lambda X: self._of_chunks(X, function)

    def predict_all(self, X: Texts) -> tuple[np.ndarray, np.ndarray]:
        """Labels and probabilities in one pass: ((n_texts,), (n_texts, n_classes))."""

        def both(head, scores):
            return _heads.predict(head, scores), _heads.proba(head, scores)

        best, values = self._of_chunks(X, both)
        return self._named(best), values

    def predict_top_k(self, X: Texts, k: int = 3) -> tuple[np.ndarray, np.ndarray]:
        """The k most probable classes, the best first.

        Parameters
        ----------
        X : 1-D sequence of str
        k : int, default=3

        Returns
        -------
        labels : ndarray of shape (n_texts, k)
        values : ndarray of shape (n_texts, k), float64
            Probabilities, or decisions where the classifier has none.

        Raises
        ------
        ValueError
            If k is not between 1 and the number of classes.
        """
        n = len(self.classes_)
        if not 1 <= k <= n:
            raise ValueError(f"Got k={k}. Expected 1 to {n}, the number of classes.")

        def top(head, scores):
            values = (_heads.proba if _heads.has_proba(head) else _heads.decision)(head, scores)
            values = values if values.ndim == 2 else np.stack([-values, values], axis=1)
            best = np.argsort(-values, axis=1, kind="stable")[:, :k]
            return best, np.take_along_axis(values, best, axis=1)

        best, values = self._of_chunks(X, top)
        return self.classes_[best], values

    def _of_chunks(self, X, function):
        """function(head, scores) of all texts, an array or several; by chunks, so that scores stay cached."""

        def of_chunk(item):
            with np.errstate(all="ignore"):  # each thread has its own; a forged model's numbers may overflow
                return function(self._head, self._program(item[1]))

        chunks = iter_text_chunks(check_texts(X))
        if (n := n_threads(self.n_jobs)) == 1:
            found = list(map(of_chunk, chunks))
        else:
            with ThreadPoolExecutor(n) as threads:
                found = list(threads.map(of_chunk, chunks))
        found = found or [function(self._head, np.empty((0, self._program.width)))]
        if isinstance(found[0], tuple):
            return tuple(map(np.concatenate, zip(*found, strict=True)))
        return np.concatenate(found)

    # ---------------------------------------------------------------- files
    def save(self, path: FilePath, *, overwrite: bool = False) -> Path:
        """Save as a folder of config.json and tensors.safetensors.

        Parameters
        ----------
        path : str or path
            The folder to make; it appears when complete.
        overwrite : bool, default=False
            Whether a compiled model that is there already is replaced. Any other folder never is.

        Returns
        -------
        Path

        Raises
        ------
        FileExistsError
            If something is there already.
        ValueError
            If the classes are neither text nor numbers.
        """
        path = Path(path)
        self._checksum = write_model(path, self._program, self._head, self.classes_, overwrite=overwrite)
        self._path = path.resolve()
        return path

    @classmethod
    def load(cls, path: FilePath, n_jobs: int | None = None) -> "CompiledPipeline":
        """Load a folder that `save` made, its tables mapped into memory.

        Parameters
        ----------
        path : str or path
        n_jobs : int or None, default=None
            Threads as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.

        Raises
        ------
        FileNotFoundError
            If there is no folder.
        ValueError
            If a file is no compiled model, was changed, or is damaged.
        """
        return cls._load(path, n_jobs, None)

    @classmethod
    def _load(cls, path, n_jobs, checksum):
        program, head, classes, found = read_model(path)
        if checksum not in (None, found):
            raise ValueError(f"{path} holds another model than the one that was pickled. Pickle it again.")
        model = cls(program, head, classes, n_jobs)
        model._path, model._checksum = Path(path).resolve(), found
        return model

    def __reduce__(self):
        if self._path is None:
            return type(self), (self._program, self._head, self.classes_, self.n_jobs)
        return type(self)._load, (str(self._path), self.n_jobs, self._checksum)

    def __repr__(self):
        where = "" if self._path is None else f", {str(self._path)!r}"
        what = {"number": "numbers", "labels": f"{len(self.classes_)} labels"}
        return f"CompiledPipeline({what.get(self._head['kind'], f'{len(self.classes_)} classes')}{where})"
