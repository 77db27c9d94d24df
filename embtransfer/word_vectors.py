"""WordVectors: words and their vectors, one row a word, in order of frequency."""

import hashlib
from collections.abc import Iterable
from functools import cached_property
from importlib.resources import as_file
from pathlib import Path

import numpy as np
import pyarrow as pa

from . import _vector_files
from ._bundle import data_folder
from ._validation import is_text_type, text_buffers

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

    Attributes
    ----------
    words : list of str
    matrix : ndarray of shape (n_words, n_dimensions), float32 or float16, read-only
    name : str

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
    bundled table pickles as a reference, any other with its words and numbers.

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

    _by_reference = False  # whether a pickle holds the checksum only

    def __init__(self, words: Iterable[str], matrix, name: str = "custom"):
        matrix = np.asarray(matrix)
        with np.errstate(over="ignore"):  # infinity is refused below
            matrix = np.ascontiguousarray(matrix, matrix.dtype if matrix.dtype == np.float16 else np.float32)
        words = _as_arrow(words)
        if matrix.ndim != 2 or len(words) != len(matrix) or matrix.size == 0:
            raise ValueError(
                f"Got {len(words):,} words and a matrix of shape {matrix.shape}. "
                "Expected one row of at least one number for each of at least one word."
            )
        with np.errstate(invalid="ignore"):
            finite = np.isfinite(matrix.sum(axis=1, dtype=np.float64))
        if not finite.all():
            row = int(np.argmin(finite))
            raise ValueError(f"Got NaN or infinity in row {row} ({words[row].as_py()!r}). Clean the matrix.")
        self.name = name
        self._words, self._matrix = words, matrix
        duplicates = self._build_index()
        if len(duplicates):
            keep = np.setdiff1d(np.arange(len(words)), duplicates)
            first = words[int(duplicates[0])].as_py()
            _vector_files.warn_duplicates(len(duplicates), first)
            self._words, self._matrix = words.take(pa.array(keep)), matrix[keep]
            self._build_index()
        self._matrix = self._matrix.view()
        self._matrix.flags.writeable = False

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
            _bundled._by_reference = True
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
    def load(cls, path, format: str | None = None, name: str | None = None) -> "WordVectors":
        """Read a file of vectors.

        Parameters
        ----------
        path : str or path
            GloVe text (no header; tokens may hold spaces), word2vec text or word2vec binary.
        format : {"glove", "word2vec", "word2vec-binary"}, default=None
            None looks at the content.
        name : str, default=None
            What the table is called in reports; None takes the file's name.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged or not of the format; the message names the line.
        """
        words, matrix = _vector_files.read(Path(path), format)
        return cls(words, matrix, name=name or Path(path).name)

    def _build_index(self):
        """Hash the words for the kernel; return the rows of words that came before."""
        from . import _kernels  # compiles: not at import

        data, offsets = text_buffers(self._words)
        data = np.append(data, np.zeros(16, np.uint8))  # the kernel reads 16 bytes from each word's start
        slots = np.zeros((1 << int(2 * len(self._words)).bit_length(), 4), np.uint64)
        data.flags.writeable = False
        duplicates = _kernels.build_index(data, offsets, slots)
        slots.flags.writeable = False
        self._index = data, offsets, slots
        return duplicates

    @property
    def words(self) -> list[str]:
        return list(self._row_of)

    @property
    def matrix(self) -> np.ndarray:
        return self._matrix

    @cached_property
    def _row_of(self):
        return {word: row for row, word in enumerate(self._words.to_pylist())}

    @cached_property
    def _table(self):
        """The matrix as the kernel takes it: float32, at least 16 columns, read-only."""
        table = np.ascontiguousarray(self._matrix, np.float32).view(np.ndarray)
        if table.shape[1] < 16:
            table = np.pad(table, ((0, 0), (0, 16 - table.shape[1])))
        table.flags.writeable = False
        return table

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the words and the matrix, in hexadecimal."""
        digest = hashlib.sha256(f"{self._matrix.dtype.str}{self._matrix.shape}".encode())
        for part in (*self._word_bytes(), self._matrix):
            digest.update(np.ascontiguousarray(part))
        return digest.hexdigest()

    def _word_bytes(self):
        """All words as UTF-8 in a row, and where each begins and ends."""
        data, offsets = text_buffers(self._words)
        return data[offsets[0] : offsets[-1]], offsets - offsets[0]

    def __len__(self):
        return len(self._words)

    def __contains__(self, word):
        return word in self._row_of

    def __getitem__(self, word):
        if isinstance(word, str):
            if word not in self._row_of:
                raise KeyError(f"{word!r} is not among the {len(self):,} words of {self.name}")
            return self._matrix[self._row_of[word]].astype(np.float32)
        return np.stack([self[w] for w in word]) if len(word) else np.empty((0, self._matrix.shape[1]), "f4")

    def __repr__(self):
        n, d = self._matrix.shape
        return f"WordVectors({self.name!r}: {n:,} words x {d}, {self._matrix.dtype})"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __getstate__(self):
        if self._by_reference:
            return {"bundled": self.checksum}
        data, offsets = self._word_bytes()
        return {"words": data, "offsets": offsets, "matrix": np.asarray(self._matrix), "name": self.name}

    def __setstate__(self, state):
        if "bundled" in state:
            bundled = type(self).bundled()
            if bundled.checksum != state["bundled"]:
                raise ValueError(
                    f"Got a model made with another bundled table (checksum {state['bundled'][:12]}, "
                    f"this embtransfer has {bundled.checksum[:12]}). Install the embtransfer that made it."
                )
            self.__dict__.update(bundled.__dict__)
        else:
            buffers = pa.py_buffer(state["offsets"]), pa.py_buffer(state["words"])
            words = pa.LargeStringArray.from_buffers(len(state["offsets"]) - 1, *buffers)
            words.validate(full=True)
            self.__init__(words, state["matrix"], state["name"])


_bundled: WordVectors | None = None


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
