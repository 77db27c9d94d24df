"""Vectors in .npy files beside files of csv: columns of these, whose rows are mapped into memory."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from .._rows import as_floats
from ._blocks import Block, Source
from ._files import file_format, stamp

ENDING = ".npy"
_MOST_ROWS = 1 << 16  # of a block


def open_source(
    source, input_format, block_size: int, delimiter=None, encoding=None, vector_columns: Iterable[str] = ()
) -> Source:
    """A Source; of csv with the files that columns of vectors name, if their names end in .npy.

    "features.npy" is the file of this name in the folder of the csv; ".npy" and ".e5.npy", which begin with a
    dot, are films.npy and films.e5.npy of films.csv.
    """
    given = source, input_format, block_size, delimiter, encoding
    names = [name for name in vector_columns if name.endswith(ENDING)]
    return SourceWithVectors(*given, names) if names else Source(*given)


class SourceWithVectors(Source):
    """Files of csv with columns of vectors, which lie in files beside them; their blocks are tables.

    Raises
    ------
    ValueError
        If the files are no csv, or a row is malformed; if a file beside them does not hold vectors, all of
        one kind, a row for each of the csv.
    OSError
        If a file is not there or cannot be read.
    """

    def __init__(self, source, input_format, block_size: int, delimiter, encoding, names: list[str]):
        super().__init__(source, input_format, block_size, delimiter, encoding)
        if self.kind != ".csv" or self.is_stdin:
            raise ValueError(
                f"Got vector_column={names[0]!r} (--vector-column) with {self.name(0)}. Expected a file of "
                "csv, which it lies beside. Parquet and jsonl hold vectors themselves: name their column."
            )
        self.kind, self.beside = ENDING, names
        self._lines, self.header_lines = self.header_lines, [0] * len(self.files)  # places are rows
        self._paths = [{name: _path(Path(file), name) for name in names} for file in self.files]
        for name, path in (pair for paths in self._paths for pair in paths.items()):
            if not path.is_file():
                raise FileNotFoundError(
                    f"Got vector_column={name!r} (--vector-column), but there is no file {path}. Expected it "
                    "in the folder of the csv; one that begins with a dot has the csv's own name before it."
                )
        self._stamps = [[stamp(path) for path in paths.values()] for paths in self._paths]
        self.stamps_beside = [one for stamps in self._stamps for one in stamps]
        self._n_rows = [sum(table.num_rows for table in self._tables(i, [])) for i in range(len(self.files))]
        first = self._matrices(0)
        for name, rows in first.items():
            self.schema = self.schema.append(pa.field(name, _lists(rows[:1]).type))
        for i in range(1, len(self.files)):
            for name, rows in self._matrices(i).items():
                if _about(rows) != _about(first[name]):
                    raise ValueError(
                        f"Got vectors of {_about(rows)} in {self._paths[i][name]}, but of "
                        f"{_about(first[name])} in {self._paths[0][name]}. Pass files of one kind."
                    )

    def check_unchanged(self, i):
        super().check_unchanged(i)
        for path, seen in zip(self._paths[i].values(), self._stamps[i], strict=True):
            if stamp(path) != seen:
                raise ValueError(f"{path} changed while it was read. Leave it in peace, and begin anew.")

    def _file_blocks(self, i, at, before, columns):
        beside = {k: rows for k, rows in self._matrices(i).items() if columns is None or k in columns}
        width = sum(rows.itemsize * rows.shape[1] for rows in beside.values())
        most, done = max(16, min(_MOST_ROWS, self.block_size // max(width, 1))), 0
        for table in self._tables(i, columns):
            for start in range(0, table.num_rows, most):
                part = table.slice(start, most)
                first, done = done, done + part.num_rows
                if done <= at:
                    continue
                for name, rows in beside.items():
                    part = part.append_column(name, _lists(rows[first:done]))
                yield Block(i, first, done, before + self.stamps[i][1] * done // self._n_rows[i], part)

    def _tables(self, i, columns):
        """Columns of the csv itself, at least one of them, block by block."""
        from ..kernels._table_rows import byte_array, count_lines
        from ._csv_rows import read_csv

        names, lines = self.names[i], self._lines[i]
        wanted = [name for name in names if columns is None or name in columns] or names[:1]
        for block in self._byte_blocks(i, 0, 0):
            table, rejected = read_csv(block.data, names, wanted, self.delimiters[i], block.unclosed)
            if rejected:
                bad = rejected[0]
                raise ValueError(
                    f"{self.name(i)}, line {lines + bad.line + 1}: {bad.reason}. Mend the row: it has a "
                    "vector."
                )
            lines += count_lines(byte_array(block.data))
            yield table

    def _matrices(self, i):
        """The vectors of each name beside a file, mapped into memory."""
        found = {name: _open(path, self.files[i]) for name, path in self._paths[i].items()}
        for name, rows in found.items():
            if len(rows) != self._n_rows[i]:
                raise ValueError(
                    f"Got {len(rows):,} vectors in {self._paths[i][name]} and {self._n_rows[i]:,} rows in "
                    f"{self.files[i]}. Expected a vector for each row, in the same order."
                )
        return found


def _path(file: Path, name: str) -> Path:
    """The file that a column names: see `open_source`."""
    if not name.startswith("."):
        return file.parent / name
    kind, _ = file_format(file)
    return file.with_name(file.name[: file.name.lower().rindex(kind)] + name)


def _open(path: Path, file) -> np.ndarray:
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise ValueError(
            f"{path} holds no matrix as np.save writes it ({error}). Save one of float32; objects and "
            "pickles are not read."
        ) from None
    if rows.ndim != 2 or rows.dtype.kind not in "biuf" or not rows.shape[1]:
        raise ValueError(
            f"Got an array of {rows.dtype} and shape {rows.shape} in {path}. Expected vectors, beside {file}"
            ": a matrix of numbers with a row each, float32 or float64."
        )
    return rows


def _lists(rows):
    """Rows of a matrix as Arrow's lists of one length, without a copy of float32 and float64."""
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(as_floats(rows))), rows.shape[1])


def _about(rows):
    return f"{rows.shape[1]:,} numbers, {rows.dtype}"
