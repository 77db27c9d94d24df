"""Words and n-grams, and their rows in any text: of compiled pipelines, and of embedders."""

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any
from unicodedata import normalize

import numpy as np

from .._texts import text_buffers
from ..kernels._unicode import unicode_table_for

_NO_NGRAMS = np.zeros((0, 2), np.int64)


class Remade:
    """A dataclass that pickles as its fields: what is derived is made again, with read-only arrays."""

    def __getstate__(self):
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __setstate__(self, state):
        self.__init__(**state)


@dataclass(eq=False)
class Vocabulary(Remade):
    """Words, n-grams made of them, and the tables that find both.

    Rows are numbered: first the `n_forming` words that form n-grams, then other words, then the n-grams.

    Attributes
    ----------
    words, offsets : uint8, int64 (n_words + 1,): UTF-8 bytes with 16 to spare at the end
    slots : uint64 (a power of two, 4), see `kernels._tokens.build_index`
    ngrams : int64 (n_ngrams, 2), the row of all words but the last, and the row of the last
    longest : words of the longest n-gram
    lowercase : whether texts are lower-cased
    min_length : characters of the shortest token
    marks : whether words are those of `_words`; if not, they are the runs that `re` calls word characters
    """

    words: np.ndarray
    offsets: np.ndarray
    slots: np.ndarray
    lowercase: bool
    min_length: int
    ngrams: Any = None
    longest: int = 1
    n_forming: int = 0
    marks: bool = False

    def __post_init__(self):
        self.ngrams = _NO_NGRAMS if self.ngrams is None else self.ngrams
        arrays = [np.asarray(part).view() for part in (self.words, self.offsets, self.slots)]
        for array in arrays:
            array.flags.writeable = False  # kernels compile for one kind of array
        self._index = tuple(arrays)
        if self.longest > 1:
            from ..kernels import _ngrams

            bits = max(int(2 * len(self.ngrams)).bit_length(), 4)
            self._shift = np.uint64(64 - bits)
            self._ngram_slots = np.zeros((1 << bits, 2), np.uint64)
            _ngrams.build_ngram_index(self.ngrams, self.n_words, self._ngram_slots, self._shift)

    @property
    def n_words(self):
        return len(self.offsets) - 1

    def __len__(self):
        return self.n_words + len(self.ngrams)

    def text_arguments(self, chunk):
        """What the kernels take of a chunk of texts (pyarrow.LargeStringArray) and of the words."""
        data, offsets = text_buffers(chunk)
        how = bool(self.lowercase), bool(self.marks)
        unicode, may_be_apart = unicode_table_for(data[offsets[0] : offsets[-1]], *how)
        if may_be_apart:
            data, offsets = _composed(data, offsets, unicode)
        return data, offsets, unicode, np.uint64(self.lowercase), np.uint64(self.min_length), self._index

    def rows(self, chunk):
        """Rows of the known words and n-grams: ids uint32, indptr int64 (n_texts + 1,)."""
        from ..kernels import _ngrams, _tokens

        ids, indptr = _tokens.text_rows(*self.text_arguments(chunk), self.longest > 1)
        if self.longest == 1:
            return ids, indptr
        return _ngrams.ngram_rows(
            ids, indptr, self.n_forming, self.n_words, self.longest, self._ngram_slots, self._shift
        )

    def check(self):
        """Refuse what would send a kernel outside its arrays: a file may be made to deceive.

        Raises
        ------
        ValueError
        """
        from ..kernels import _scores

        n = self.n_words
        sound = (
            self.slots.shape[1:] == (4,)
            and len(self.slots) > 1  # a shift by 64 bits, for one slot, means nothing to the processor
            and len(self.slots).bit_count() == 1
            and self.offsets.ndim == 1
            and n >= 0
            and self.offsets[0] == 0
            and self.offsets[-1] + 16 <= len(self.words)
            and bool((self.offsets[1:] >= self.offsets[:-1]).all())
            and _scores.check_slots(self._index[1], self._index[2])
            and self.ngrams_are_sound()
        )
        if not sound:
            raise ValueError("the tables of words contradict one another")

    def ngrams_are_sound(self):
        """Whether an n-gram begins with words or with a shorter one, and ends with a word that forms some."""
        ngrams, rows_before = self.ngrams, self.n_words + np.arange(len(self.ngrams))
        return (
            self.n_forming <= self.n_words
            and ngrams.shape[1:] == (2,)
            and bool((ngrams >= 0).all())
            and bool((ngrams[:, 0] < rows_before).all())
            and bool((ngrams[:, 1] < max(self.n_forming, 1)).all())
        )


def _composed(data, offsets, unicode):
    """Bytes and offsets of texts of which those that are not composed (NFC) become so."""
    from ..kernels import _cutting

    changed = {}
    for i in _cutting.uncomposed_texts(data, offsets, unicode).tolist():
        text = data[offsets[i] : offsets[i + 1]].tobytes().decode(errors="replace")  # parts words, as a space
        if (composed := normalize("NFC", text)) != text:
            changed[i] = composed.encode()
    if not changed:
        return data, offsets
    texts = [
        changed[i] if i in changed else data[begin:end].tobytes()
        for i, (begin, end) in enumerate(pairwise(offsets.tolist()))
    ]
    data = np.frombuffer(b"".join(texts), np.uint8)
    offsets = np.cumsum([0, *map(len, texts)])
    offsets.flags.writeable = False  # kernels compile for one kind of array
    return data, offsets
