"""EmbeddingCache: vectors of texts on disk, shared by fits, folds, candidates and processes."""

import os
import secrets
import sqlite3
import time
import warnings
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

_FILE = "embeddings.sqlite3"
_STRIPES = 4  # locks, so that up to four processes encode different texts at the same time
_PIECE = 512  # texts encoded and stored while a lock is held: what a crash loses at most
_HOUR = 3600  # a row's last use is kept to the hour, so that reading hardly ever writes
_OVERHEAD = 100  # bytes of a row beside its vector: key twice, checksum, use, page headers
_PATIENCE = 60  # seconds that a reader or writer waits for another writer
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_SCHEMA = (
    "PRAGMA page_size = 16384",  # a vector of 384 numbers fills a tenth: little is lost at page ends
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 16777216",
    "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS by_use ON vectors (used)",
    "CREATE TABLE IF NOT EXISTS total (bytes INTEGER NOT NULL)",
    "INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM total)",
)


class EmbeddingCache:
    """A bounded table of keys and float32 vectors in one SQLite file.

    A cache never stops the work: if its file is damaged it is moved aside and a new one is begun, and if the
    disk is full or the folder cannot be written the cache is left out, both with a warning. Processes and
    threads may share a folder; each opens its own EmbeddingCache, and a process that dies leaves all that was
    put before. A vector whose checksum is wrong counts as missing.

    Parameters
    ----------
    folder : str or path
        Made with access for its owner alone if it is not there.
    n_columns : int
        Numbers a vector. Rows of another length count as missing.
    size_limit : float
        Bytes of rows to keep, but at least those put last; where more come, the least recently used (to the
        hour) go first.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import numpy as np
    >>> from embtransfer.embedders._cache import EmbeddingCache
    >>> with EmbeddingCache(mkdtemp(), n_columns=2, size_limit=1e6) as cache:
    ...     cache.put([b"key 1"], np.array([[1, 2]], np.float32))
    ...     cache.get([b"key 0", b"key 1"])
    (array([False,  True]), array([[1., 2.]], dtype=float32))
    """

    def __init__(self, folder, n_columns: int, size_limit: float):
        self.folder, self.n_columns, self.size_limit = Path(folder), n_columns, size_limit
        self._connection = None
        self._off = False  # whether the cache is left out, after a warning

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def get(self, keys: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Look keys up.

        Returns
        -------
        found : ndarray of shape (n_keys,), bool
        rows : ndarray of shape (n_found, n_columns), float32
            In the order of the keys.
        """
        vectors = self._attempt(lambda connection: self._select(connection, keys)) or {}
        found = np.array([key in vectors for key in keys], bool)
        rows = np.array([vectors[key] for key in keys if key in vectors], np.float32)
        return found, rows.reshape(-1, self.n_columns)

    def put(self, keys: Sequence[bytes], rows: np.ndarray) -> None:
        """Store rows under keys, in one transaction; keys that are there already keep their rows."""
        if len(keys):
            rows = np.ascontiguousarray(rows, "<f4")
            self._attempt(lambda connection: self._insert(connection, keys, rows))

    def fill(self, keys: Sequence[bytes], rows: np.ndarray, encode: Callable, done: Callable) -> None:
        """Write the vector of each key to its row, and store those that were missing.

        Parameters
        ----------
        keys : sequence of bytes
            Distinct.
        rows : ndarray of shape (n_keys, n_columns), float32
            Written to.
        encode : callable
            From an array of positions in keys to their vectors. While it runs no other process encodes the
            same keys: these wait, and then find them here.
        done : callable
            Called with a number of keys when they are written.
        """
        missing = self._read(keys, rows, np.arange(len(keys)), done)
        stripes = [[i for i in missing if keys[i][0] % _STRIPES == stripe] for stripe in range(_STRIPES)]
        pieces = [
            (stripe, np.array(own[start : start + _PIECE]))
            for stripe, own in enumerate(stripes)
            for start in range(0, len(own), _PIECE)
        ]
        while pieces:
            # what another process is busy with is left for later, the last resort is to wait for it
            waiting = [piece for piece in pieces if not self._fill_piece(keys, rows, encode, done, *piece, 0)]
            if len(waiting) == len(pieces):
                self._fill_piece(keys, rows, encode, done, *waiting.pop(0), -1)
            pieces = waiting

    def _fill_piece(self, keys, rows, encode, done, stripe, piece, timeout):
        """Fill one piece under its lock; return False if that was not free in time."""
        lock = self._lock(stripe, timeout)
        if lock is False:
            return False
        try:
            piece = self._read(keys, rows, piece, done)  # another process may have been faster
            if len(piece):
                rows[piece] = encode(piece)
                self.put([keys[i] for i in piece], rows[piece])
                done(len(piece))
        finally:
            if lock is not None:
                lock.release()
        return True

    def _lock(self, stripe, timeout):
        """A lock that is held; False if it is not free; None if locks do not work here."""
        from filelock import FileLock, Timeout

        if self._off:
            return None
        lock = FileLock(self.folder / f"{stripe}.lock", timeout=timeout, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            self._leave_out(error)
            return None
        return lock

    def _read(self, keys, rows, positions, done):
        """Write what is stored to the rows; return the positions that are missing."""
        found, vectors = self.get([keys[i] for i in positions])
        rows[positions[found]] = vectors
        if len(vectors):
            done(len(vectors))
        return positions[~found]

    def _select(self, connection, keys):
        """Key -> vector, of those that are stored whole."""
        vectors, stale, damaged, hour = {}, [], [], int(time.time() // _HOUR)
        for start in range(0, len(keys), _PIECE):
            some = keys[start : start + _PIECE]
            query = f"SELECT key, value, used FROM vectors WHERE key IN ({','.join('?' * len(some))})"
            for key, value, used in connection.execute(query, some):
                _expect(bytes, key, value)
                _expect(int, used)
                data = value[:-4]
                if len(data) != 4 * self.n_columns or value != _pack(key, data):
                    damaged.append((key, _size(value)))
                    continue
                vectors[key] = np.frombuffer(data, "<f4")
                if used < hour:
                    stale.append((hour, key))
        if stale or damaged:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("UPDATE vectors SET used = ? WHERE key = ?", stale)
                self._delete(connection, damaged)
        return vectors

    def _insert(self, connection, keys, rows):
        hour = int(time.time() // _HOUR)
        values = [(key, _pack(key, row.tobytes()), hour) for key, row in zip(keys, rows, strict=True)]
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            (total,) = connection.execute("SELECT bytes FROM total").fetchone() or (None,)
            _expect(int, total)
            total += len(values) * _size(values[0][1])
            if total > self.size_limit:  # first, so that the new rows take the pages of the old
                self._evict(connection, total - 0.9 * self.size_limit)
            n_new = connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", values).rowcount
            connection.execute("UPDATE total SET bytes = bytes + ?", [n_new * _size(values[0][1])])

    def _evict(self, connection, excess):
        """Delete the rows that were not used for longest, so many that excess bytes go."""
        oldest = []
        for key, size in connection.execute("SELECT key, length(value) FROM vectors ORDER BY used, rowid"):
            if excess <= 0:
                break
            _expect(int, size)
            oldest.append((key, size + _OVERHEAD))
            excess -= size + _OVERHEAD
        self._delete(connection, oldest)

    def _delete(self, connection, keys_and_sizes):
        for key, size in keys_and_sizes:
            n_deleted = connection.execute("DELETE FROM vectors WHERE key = ?", [key]).rowcount
            connection.execute("UPDATE total SET bytes = bytes - ?", [n_deleted * size])

    def _attempt(self, work):
        """The result of work(connection); None, after a warning, if the cache cannot be used."""
        for new_file in (False, True):
            if self._off:
                break
            try:
                if self._connection is None:
                    self._open()
                return work(self._connection)
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                # the low byte is the kind of error, the others say more; names and texts that cannot be
                # decoded have none
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
                if code & 0xFF in _DAMAGED and not new_file:
                    self._move_aside(error)
                else:
                    self._leave_out(error)
            except OSError as error:
                self._leave_out(error)
        return None

    def _open(self):
        from filelock import FileLock

        self.folder.mkdir(0o700, parents=True, exist_ok=True)
        path = self.folder / _FILE
        with FileLock(self.folder / "open.lock", mode=0o600):  # SQLite cannot wait while WAL is switched on
            # its other files take over these rights; a link that somebody put there is not followed
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
            self._inode = path.stat().st_ino
            self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            for statement in _SCHEMA:
                self._connection.execute(statement)

    def _move_aside(self, error):
        from filelock import FileLock

        self._close()
        path = self.folder / _FILE
        with FileLock(self.folder / "open.lock", mode=0o600):
            if not path.exists() or path.stat().st_ino != self._inode:
                return  # another process has done it
            aside = path.with_name(f"{_FILE}.damaged-{secrets.token_hex(4)}")
            path.rename(aside)
            for suffix in ("-wal", "-shm"):
                path.with_name(_FILE + suffix).unlink(missing_ok=True)
        _warn(f"{path} is damaged ({error}). It was moved to {aside.name}, and a new cache was begun.")

    def _leave_out(self, error):
        self._off = True
        self._close()
        _warn(f"The cache in {self.folder} cannot be used ({error}). Texts are encoded without it.")

    def _close(self):
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _pack(key, data):
    """A vector's bytes and their checksum, which covers the key too."""
    return data + zlib.crc32(data, zlib.crc32(key)).to_bytes(4, "little")


def _expect(kind, *values):
    """Take a value of another type than was written for the damage that it is."""
    for value in values:
        if not isinstance(value, kind):
            raise sqlite3.DatabaseError(f"got {type(value).__name__}, expected {kind.__name__}")


def _size(value):
    return len(value) + _OVERHEAD


def _warn(message):
    warnings.warn(message, RuntimeWarning, stacklevel=2)
