"""Coverage: which tokens of texts a table has."""

from collections import Counter

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
        self._parts = [np.zeros((2, 0), np.int64)]  # tokens and known tokens of texts; joined when asked for
        self._unknown = Counter()

    def add(self, other: "Coverage") -> None:
        """Add the texts of another: for files that are read in parts."""
        self._parts += other._parts
        self._unknown.update(other._unknown)

    def _add(self, is_known, indptr, unknown):
        known = np.concatenate([[0], np.cumsum(is_known)])[indptr]
        self._parts.append(np.stack([np.diff(indptr), np.diff(known)]))
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
    def share(self) -> float:
        return float(self.n_known.sum() / self.n_tokens.sum()) if self.n_tokens.sum() else float("nan")

    @property
    def n_zero_rows(self) -> int:
        return int(np.count_nonzero(self.n_known == 0))

    def unknown(self, n: int = 20) -> pd.DataFrame:
        """The n most frequent unknown words: columns word, count, share_of_unknown."""
        words = sorted(self._unknown.items(), key=lambda item: (-item[1], item[0]))[:n]
        table = pd.DataFrame(words, columns=["word", "count"])
        return table.assign(share_of_unknown=table["count"] / max(self._unknown.total(), 1))

    def __repr__(self):
        return (
            f"Coverage({self.share:.1%} of {self.n_tokens.sum():,} tokens in {len(self.n_tokens):,} texts; "
            f"{self.n_zero_rows:,} texts without a known word)"
        )
