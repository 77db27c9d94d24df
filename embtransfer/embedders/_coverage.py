"""Coverage: which tokens of texts a table has, and what is no token."""

from collections import Counter
from itertools import chain

import numpy as np
import pandas as pd


class Coverage:
    """Tokens of texts, and which of them the table has; made by `WordEmbedder.coverage`.

    A token counts as unknown whatever the embedder does with it (`unknown="nearest"`, "subwords").

    Attributes
    ----------
    n_tokens : ndarray of shape (n_texts,), int64
        Tokens of each text.
    n_known : ndarray of shape (n_texts,), int64
        Those that the table has.
    share : float
        Share of all tokens that the table has; NaN without any token.
    n_dropped : ndarray of shape (n_texts,), int64
        Letters, digits and symbols (emoji, currency, arithmetic) of each text that are in no token: with
        "words" the words of one character and all symbols. 0 for a `token_pattern` that is a function.
    n_zero_rows : int
        Texts without any known token.

    Examples
    --------
    >>> from embtransfer import WordEmbedder
    >>> coverage = WordEmbedder().fit(["-"]).coverage(["A fine skillet", "grrreat pans, grrreat lids"])
    >>> coverage.n_known.tolist(), coverage.n_tokens.tolist()
    ([2, 2], [2, 4])
    >>> coverage.unknown(1)
          word  count  share_of_unknown
    0  grrreat      2               1.0
    """

    def __init__(self):
        # tokens, known tokens and dropped characters of texts; joined when asked for
        self._parts = [np.zeros((3, 0), np.int64)]
        self._unknown, self._dropped = Counter(), Counter()

    def add(self, other: "Coverage") -> None:
        """Add the texts of another: for files that are read in parts."""
        self._parts += other._parts
        self._unknown.update(other._unknown)
        self._dropped.update(other._dropped)

    def _add(self, is_known, indptr, unknown, dropped):
        known = np.concatenate([[0], np.cumsum(is_known)])[indptr]
        self._parts.append(np.stack([np.diff(indptr), np.diff(known), [*map(len, dropped)]]))
        self._dropped.update(chain.from_iterable(dropped))
        for count in unknown.value_counts().to_pylist():
            self._unknown[count["values"]] += count["counts"]

    def _counts(self):
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts, axis=1)]
        return self._parts[0]

    @property
    def n_tokens(self) -> np.ndarray:
        return self._counts()[0]

    @property
    def n_known(self) -> np.ndarray:
        return self._counts()[1]

    @property
    def n_dropped(self) -> np.ndarray:
        return self._counts()[2]

    @property
    def share(self) -> float:
        return float(self.n_known.sum() / self.n_tokens.sum()) if self.n_tokens.sum() else float("nan")

    @property
    def n_zero_rows(self) -> int:
        return int(np.count_nonzero(self.n_known == 0))

    def unknown(self, n: int = 20) -> pd.DataFrame:
        """The n most frequent unknown words: columns word, count, share_of_unknown."""
        return _most_frequent(self._unknown, "word", n, "unknown")

    def dropped(self, n: int = 20) -> pd.DataFrame:
        """The n most frequent characters in no token: columns character, count, share_of_dropped."""
        return _most_frequent(self._dropped, "character", n, "dropped")

    def __repr__(self):
        return (
            f"Coverage({self.share:.1%} of {self.n_tokens.sum():,} tokens in {len(self.n_tokens):,} texts; "
            f"{self.n_zero_rows:,} texts without a known word)"
        )


def _most_frequent(counts, name, n, of):
    found = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]
    table = pd.DataFrame(found, columns=[name, "count"])
    return table.assign(**{f"share_of_{of}": table["count"] / max(counts.total(), 1)})
