"""fastText's .bin: args, dictionary, input matrix; parsed and memory-mapped here, without fastText."""

import struct
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa

from ..._texts import text_buffers
from ._arrays import block_rows, iter_blocks
from ._stored_table import StoredTable, Subwords

_MAGIC = 793712314
_SUPERVISED = 3
LONGEST_NGRAM = 1000  # characters; without a bound a file's one long word has n-grams by the square of it
_NO_ROWS = np.empty(0, np.int64)


def recognise(path: Path) -> bool:
    """Whether the file begins as fastText's models do; those of before 2017 have no magic number."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        head = file.read(64)
    if head[:4] == struct.pack("<i", _MAGIC):
        return True
    return len(head) == 64 and _is_old(head)


def _is_old(head):
    dim, ws, epoch, _, _, n, loss, model, bucket, min_n, max_n, rate = struct.unpack_from("<12i", head)
    small = all(0 < value < 10_000 for value in (dim, ws, epoch, n)) and 0 <= min_n <= max_n < 100
    return small and loss in (1, 2, 3) and model in (1, 2, 3) and bucket >= 0 and rate > 0


def read(path: Path) -> StoredTable:
    """Read the words' vectors, as fastText's getWordVector gives them, and those of the n-grams.

    Parameters
    ----------
    path : Path
        A model of fastText, unsupervised or supervised; labels are left out, and so are, with a warning,
        words that are not UTF-8.

    Returns
    -------
    StoredTable
        With `subwords` (a memory-mapped view) if the model has n-grams of characters.

    Raises
    ------
    ValueError
        If the model is quantised or of another version, or the file is cut short or damaged.

    Notes
    -----
    A word's vector is the mean of its own row and of the rows of its character n-grams; see
    `subword_vectors`. "</s>" has no n-grams.

    References
    ----------
    P. Bojanowski, E. Grave, A. Joulin, T. Mikolov. "Enriching word vectors with subword information."
    TACL 2017.
    """
    data = np.memmap(path, np.uint8, "r").view(np.ndarray) if path.stat().st_size else np.empty(0, np.uint8)
    parse = _Parser(path, data)
    magic, version = parse.take("<2i", "the magic number and the version")
    is_new = magic == _MAGIC
    if is_new and version not in (11, 12):
        raise ValueError(f"{path}: got version {version} of fastText's format. Expected 11 or 12.")
    if not is_new:
        parse.at = 0
    dim, *_, model, bucket, min_n, max_n, _, _ = parse.take("<12id", "the arguments of the training")
    if model == _SUPERVISED and version == 11 and is_new:
        max_n = 0  # as fastText does: the version knew no n-grams for supervised models
    size, n_words, n_labels, _ = parse.take("<3iq", "the sizes of the dictionary")
    (n_pruned,) = parse.take("<q", "the number of pruned n-grams") if is_new else (-1,)
    if min(n_words, n_labels) < 0 or size != n_words + n_labels or dim < 1 or bucket < 0:
        raise ValueError(
            f"{path}: got {size} entries, {n_words} words, {n_labels} labels, {dim} dimensions and {bucket} "
            "buckets in the header. Expected entries to be words plus labels. The file is damaged."
        )
    if max_n > LONGEST_NGRAM:
        raise ValueError(
            f"{path}: got n-grams of up to {max_n:,} characters. Expected at most {LONGEST_NGRAM:,}. The "
            "file is damaged."
        )
    words, ids = parse.dictionary(size, n_words)
    parse.skip(8 * max(n_pruned, 0), "the pruned n-grams")
    if (is_new and parse.take("<?", "whether the model is quantised")[0]) or n_pruned >= 0:
        raise ValueError(
            f"{path}: got a quantised or pruned model (.ftz). "
            "Expected the full one: use the .bin it was made from."
        )
    shape = parse.take("<2q", "the shape of the input matrix")
    if shape != (n_words + bucket, dim):
        raise ValueError(
            f"{path}: got an input matrix of shape {shape}. Expected {(n_words + bucket, dim)}, one row for "
            "each word and bucket. The file is damaged."
        )
    start = parse.skip(4 * shape[0] * dim, f"the input matrix, {shape[0]:,} rows of {dim} numbers")
    matrix = np.ndarray(shape, "<f4", data, start)
    own, rows = matrix[:n_words], matrix[n_words:]
    subwords = Subwords(min_n, max_n, rows) if max_n > 0 and bucket else None
    if subwords is None:
        return StoredTable(dim, iter_blocks(words, own, ids), len(words))
    return StoredTable(dim, iter_pooled(words, own, ids, subwords), len(words), subwords)


def iter_pooled(words, own, ids, subwords, plain_end=True):
    """Blocks of words and the means of own[ids] and of their n-grams' rows."""
    step = block_rows(own.shape[1])
    for start in range(0, len(words), step):
        here = slice(start, start + step)
        yield words[here], _pool(words[here], own, ids[here], subwords, plain_end)[0]


def subword_vectors(words: pa.LargeStringArray, subwords: Subwords) -> tuple[np.ndarray, np.ndarray]:
    r"""Vectors of words that the table lacks, from their character n-grams.

    Parameters
    ----------
    words : LargeStringArray
        Without nulls.
    subwords : Subwords

    Returns
    -------
    vectors : ndarray of shape (n_words, n_dimensions), float32
        Zero where a word has no n-gram.
    n_ngrams : ndarray of shape (n_words,), int32
        How many n-grams each word has; 0 marks the zero vectors.

    Notes
    -----
    :math:`v(w) = \frac{1}{|G|}\sum_{g \in G} Z_{h(g) \bmod B}` over the n-grams :math:`G` of min_n to max_n
    characters of "<w>", without "<" and ">" alone; :math:`h` is 32-bit FNV-1a over the UTF-8 bytes, each
    extended to 32 bits with its sign. "</s>" has no n-grams. The same n-gram twice counts twice.

    References
    ----------
    P. Bojanowski, E. Grave, A. Joulin, T. Mikolov. "Enriching word vectors with subword information."
    TACL 2017.

    Examples
    --------
    >>> import numpy as np
    >>> import pyarrow as pa
    >>> from embtransfer.word_vectors.readers._fasttext import subword_vectors
    >>> from embtransfer.word_vectors.readers._stored_table import Subwords
    >>> subwords = Subwords(min_n=3, max_n=6, rows=np.ones((10, 4), np.float32))
    >>> vectors, n_ngrams = subword_vectors(pa.array(["ab", ""], pa.large_string()), subwords)
    >>> vectors[0], n_ngrams  # <ab ab> <ab>; "<>" is shorter than 3
    (array([1., 1., 1., 1.], dtype=float32), array([3, 0], dtype=int32))
    """
    return _pool(words, subwords.rows[:0], _NO_ROWS, subwords, True)


def _pool(words, own, ids, subwords, plain_end):
    from ...kernels import _subwords  # compiles: not at import

    own, rows = own.view(), subwords.rows.view()
    own.flags.writeable = rows.flags.writeable = False  # the kernel compiles for one kind of array
    out = np.empty((len(words), rows.shape[1]), np.float32)
    counts = np.empty(len(words), np.int32)
    data, offsets = text_buffers(words)
    limits = subwords.min_n, subwords.max_n
    _subwords.pool_ngrams(data, offsets, own, ids, rows, *limits, plain_end, out, counts)
    return out, counts


class _Parser:
    """Walks through the file; every step is checked against its end."""

    def __init__(self, path, data):
        self.path, self.data, self.at = path, data, 0

    def skip(self, n_bytes, what):
        """Return where the next n_bytes begin, and step over them."""
        start, left = self.at, len(self.data) - self.at
        if n_bytes > left or n_bytes < 0:
            raise ValueError(
                f"{self.path}: got {left:,} bytes from byte {start:,} on, expected {n_bytes:,}: {what}. "
                "The file is cut short."
            )
        self.at += n_bytes
        return start

    def take(self, spec, what):
        start = self.skip(struct.calcsize(spec), what)
        return struct.unpack(spec, self.data[start : self.at].tobytes())

    def dictionary(self, size, n_words):
        """Words that are UTF-8, and the row of each."""
        from ...kernels import _subwords

        at = self.at
        self.skip(10 * size, f"the dictionary, {size:,} entries of at least 10")
        starts, ends, kinds = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.uint8)
        n_read, self.at = _subwords.scan_dictionary(self.data, at, starts, ends, kinds)
        if n_read < size:
            raise ValueError(
                f"{self.path}: got {n_read:,} whole entries of the dictionary, the header says "
                f"{size:,}; byte {self.at:,} begins the next. The file is cut short."
            )
        wrong = np.flatnonzero(kinds != (np.arange(size) >= n_words))
        if len(wrong):
            raise ValueError(
                f"{self.path}: got entry {wrong[0]:,} of the dictionary, at byte {starts[wrong[0]]:,}, "
                f"of kind {kinds[wrong[0]]}. Expected words (0), then labels (1). The file is damaged."
            )
        return self._words(starts[:n_words], ends[:n_words])

    def _words(self, starts, ends):
        from ...kernels import _subwords

        offsets = np.concatenate(([0], np.cumsum(ends - starts)))
        out = np.empty(offsets[-1], np.uint8)
        _subwords.copy_words(self.data, starts, ends, offsets, out)
        words = pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(out))
        ids = np.arange(len(starts))
        try:
            words.validate(full=True)
        except pa.ArrowInvalid:
            texts = [_decode(self.data[a:b].tobytes()) for a, b in zip(starts, ends, strict=True)]
            ids = np.array([row for row, text in enumerate(texts) if text is not None], np.int64)
            warnings.warn(
                f"{self.path}: {len(texts) - len(ids):,} words are not UTF-8 and were left out, "
                f"the first in row {next(row for row, text in enumerate(texts) if text is None):,}.",
                UserWarning,
                stacklevel=4,
            )
            words = pa.array([texts[row] for row in ids], pa.large_string())
        return words, ids


def _decode(word):
    try:
        return word.decode()
    except UnicodeDecodeError:
        return None
