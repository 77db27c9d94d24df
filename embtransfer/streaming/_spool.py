"""Rows on disk: written once in order, then read block by block, shuffled, or memory-mapped."""

from contextlib import suppress
from pathlib import Path

import numpy as np

from ..system._folders import clear_when_full

_ADVICE = "Make room, or name a folder with more in the environment variable TMPDIR."


class Spool:
    """A matrix in a temporary file, of which memory holds the rows in hand alone.

    Plain reads instead of a memory map: pages of a map count as memory of the process.

    Parameters
    ----------
    path : path
        The file; whoever made its folder removes it.
    dtype : dtype
    """

    def __init__(self, path, dtype=np.float32):
        self.path, self.dtype = Path(path), np.dtype(dtype)
        self.n_rows, self.n_columns = 0, None
        self._file = open(self.path, "w+b")  # noqa: SIM115 (closed by close)

    def append(self, rows):
        """Write rows (n, d) at the end; every call brings the same d."""
        with self._clear():
            self._file.write(np.ascontiguousarray(rows, self.dtype))
        self.n_rows, self.n_columns = self.n_rows + rows.shape[0], rows.shape[1]

    def rows(self, start, stop):
        """Rows from start to stop, a new array (n, d)."""
        with self._clear():
            self._file.flush()
        out = np.empty((min(stop, self.n_rows) - start, self.n_columns), self.dtype)
        self._file.seek(start * out.strides[0])
        n_bytes = self._file.readinto(out)
        if n_bytes != out.nbytes:
            raise OSError(f"{self.path} gave {n_bytes:,} bytes, expected {out.nbytes:,}: something cut it.")
        self._file.seek(0, 2)
        return out

    def blocks(self, size):
        """Yield all rows in order, `size` at a time."""
        for start in range(0, self.n_rows, size):
            yield self.rows(start, start + size)

    def mapped(self):
        """All rows (n, d) as a read-only memory map."""
        with self._clear():
            self._file.flush()
        return np.memmap(self.path, self.dtype, "r", shape=(self.n_rows, self.n_columns))

    def _clear(self):
        return clear_when_full(f"the temporary file {self.path}", _ADVICE)

    def close(self):
        with suppress(OSError):  # what the disk did not take is not wanted any more
            self._file.close()
        self.path.unlink(missing_ok=True)


def shuffled_blocks(spools, size, rng, pieces=32):
    """Yield rows of spools of equal length, `size` at a time in random order: a tuple of arrays each time.

    Pieces of neighbouring rows are drawn from all over, `pieces` of them to a block, whose rows are then
    shuffled: files sorted by label or topic get mixed, and memory stays that of one block.
    """
    n = spools[0].n_rows
    length = max(size // pieces, 1)
    starts = rng.permutation(np.arange(0, n, length))
    per_block = max(size // length, 1)
    for first in range(0, len(starts), per_block):
        drawn = starts[first : first + per_block]
        parts = [np.concatenate([spool.rows(i, i + length) for i in drawn]) for spool in spools]
        order = rng.permutation(len(parts[0]))
        yield tuple(part[order] for part in parts)
