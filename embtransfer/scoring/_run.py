"""One run of scoring: blocks go through a pool of threads and come out in order."""

import json
import time
import warnings
from base64 import b64decode, b64encode, b85encode
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from threading import Event

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from .._version import __version__
from ..tables import check_columns
from ..tables._blocks import Block, Source
from ..tables._json_lines import jsonl_schema
from ..tables._parquet_footer import move_row_group
from ..tables._partitions import with_partition
from ..tables._rows import Rejected, check_added, plain_texts, read_rows
from ..tables._writers import Writer
from ._journal import PartFile, State
from ._known_words import EVERY, looked_at, word_finder
from ._model_columns import ModelColumns, fingerprint
from ._model_rows import check_read, row_reader
from ._report import ScoreReport

_SWALLOWED = 100  # lines that a quote which never closes may take with it: more is half a file lost
_SECONDS = 2  # between commits: what a crash loses at most


@dataclass(frozen=True)
class _Scored:
    block: Block
    data: memoryview | bytes
    groups: list[dict]
    n_rows: int
    n_empty: int
    n_unlabelled: int
    n_looked_at: int
    n_wordless: int
    n_lines: int
    rejected: list[Rejected]


class _BadRowError(ValueError):
    """A malformed row, where such rows are not to be set aside."""


class ScoreRun:
    """Reads in the calling thread, scores in others, writes in the calling thread.

    The parameters are those of `score_file`, checked; errors as there.
    """

    def __init__(self, model, model_id, source: Source, out, options: dict, skip: bool, n_threads: int):
        self.model, self.model_id, self.source, self.out = model, model_id, source, out
        self.options, self.skip, self.n_threads = options, skip, n_threads
        self.text_column, self.carried = options["text_column"], options["columns"]
        self.vectors = row_reader(model, self.text_column, options["vector_column"])
        if source.schema is not None:
            names, name = source.schema.names, Path(source.name(0))
            check_read(name, names, self.vectors, self.text_column)
            own = [one for one in names if one not in source.beside]
            self.carried = own if self.carried is None else self.carried
            check_columns(name, names, self.carried)
            if self.vectors:
                self.vectors.check_schema(source.schema, str(name))
            else:
                plain_texts(pa.chunked_array([pa.nulls(0, source.schema.field(self.text_column).type)]))
        if self.vectors:
            self.text_column = None
        names = ["output_column", "proba", "top_k", "vectors", "batch_size", "margin", "reject_below"]
        self.columns = ModelColumns(model, **{name: options[name] for name in names})
        check_added(self.carried or (), self.columns.schema.names)
        self.knows_words = None if self.vectors else word_finder(model)
        self.stop = Event()

    def __call__(self, resume, progress, monitor) -> ScoreReport:
        started = time.monotonic()
        state = self._start(resume)
        first = replace(state)

        def report(state, n_bytes, rejected=None):
            read, seconds = state.rows + state.rejected, time.monotonic() - started
            counts = (read, state.rows, state.rejected, first.rows + first.rejected)
            of_rows = state.empty, state.unlabelled, state.looked_at, state.wordless
            return ScoreReport(*counts, n_bytes, self.source.n_bytes, seconds, rejected, *of_rows)

        n_bytes = 0
        self.state = state
        pool = ThreadPoolExecutor(self.n_threads, "score")
        try:
            with threadpool_limits(1, "blas"):  # the same sums whatever n_jobs
                committed = time.monotonic()
                for scored in self._scored(pool):
                    self._write(scored)
                    n_bytes = scored.block.read
                    if progress:
                        progress(self.state.rows + self.state.rejected, None, "Scoring")
                    if monitor:
                        monitor(report(self.state, n_bytes))
                    if not self.source.is_stdin and time.monotonic() - committed >= _SECONDS:
                        self._commit()
                        committed = time.monotonic()
            self.out.write(self.writer.end(self.out.groups + self.state.groups, self.state.rows))
            return report(self.state, n_bytes, self.out.finish())
        except BaseException as error:
            self.stop.set()
            self._keep(error)
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _start(self, resume):
        """The state to begin with; the writer is made, and has written what comes before the first block."""
        if resume:
            self.model_id = self.model_id or fingerprint(self.model)
        old = self.out.resume(self._header(None)) if resume else None
        schema = self._table_schema(old[1]["schema"] if old else None)
        self.table_schema = schema
        self.writer = Writer(*self.options["output_format"], schema, self.columns.schema)
        if old:
            return old[0]
        if resume:
            whole = ". The file that is there is whole, and is replaced at the end: stop this run to keep it"
            there = whole if self.out.path.exists() else ""
            warnings.warn(
                f"Nothing to resume of {self.out.path.name}: began anew{there}.", UserWarning, stacklevel=5
            )
        header = None
        if isinstance(self.out, PartFile) and not self.source.is_stdin:
            header = lambda: self._header(schema)  # noqa: E731  a model's checksum takes a while
        state = self.out.begin(header)
        return replace(state, n_bytes=self.out.write(self.writer.begin()))

    def _table_schema(self, known):
        """Schema of the carried columns as the writer gets them; nothing where objects are carried."""
        kind = self.options["output_format"][0]
        if self.source.kind != ".jsonl":
            return pa.schema([self.source.schema.field(n) for n in self.carried], self.source.schema.metadata)
        partition = self.source.partitions[0]
        if kind == ".jsonl" and not partition:
            return None
        if known is not None:
            return pa.ipc.read_schema(pa.py_buffer(b64decode(known)))
        schema = jsonl_schema((block.data for block in self.source.blocks()), self.text_column)
        schema = with_partition(schema, partition)
        if self.carried is not None:
            check_columns(Path(self.source.name(0)), schema.names, self.carried)
            schema = pa.schema([schema.field(name) for name in self.carried])
        check_added(schema.names, self.columns.schema.names)
        return schema

    def _header(self, schema):
        """What a run to resume must agree in, and what is found out once."""
        try:
            self.model_id = self.model_id or fingerprint(self.model)
        except ValueError:  # no reason to stop: the run cannot be resumed, that is all
            self.model_id = f"unknown {token_hex(8)}"
        run = {"embtransfer": __version__, "pyarrow": pa.__version__, "model": self.model_id, **self.options}
        stamps = self.source.stamps + self.source.stamps_beside
        run |= {f"file {name}": [size, mtime] for name, size, mtime in stamps}
        return {"run": run, "schema": b64encode(schema.serialize()).decode() if schema is not None else None}

    def _scored(self, pool):
        """Yield scored blocks in order; at most 2 * n_threads + 2 are in memory."""
        waiting = deque()
        of_model = self.vectors.names if self.vectors else [self.text_column]
        parquet = list(dict.fromkeys([*(self.carried or ()), *of_model]))
        for i, block in enumerate(self.source.blocks(self.state.file, self.state.at, parquet)):
            waiting.append(pool.submit(self._score, block, i % EVERY == 0))
            while len(waiting) >= 2 * self.n_threads + 2 or (waiting and waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _score(self, block, look_for_words):
        names = self.columns.schema.names
        schema = self.table_schema
        rows = read_rows(self.source, block, self.text_column, self.carried, schema, names, self.vectors)
        if rows.n_read != len(rows.texts) + len(rows.rejected):
            raise ValueError(
                f"Got {len(rows.texts)} texts of {rows.n_read} rows. This is an error of embtransfer."
            )
        data, groups, n_unlabelled, n_words = b"", [], 0, (0, 0)
        if len(rows.texts) and (self.skip or not rows.rejected):
            added = self.columns(rows.texts, self.stop)
            n_unlabelled = added[names[0]].null_count
            data, groups = self.writer.block(rows, added)
            n_words = self._look_for_words(rows.texts) if look_for_words else n_words
        block = replace(block, data=None)  # let go of the input
        n_empty = 0 if self.vectors else _n_blank(rows.texts)
        counts = len(rows.texts), n_empty, n_unlabelled, *n_words, rows.n_lines
        return _Scored(block, data, groups, *counts, rows.rejected)

    def _look_for_words(self, texts):
        """How many texts were looked at, and how many of these hold no word that the model knows."""
        if self.knows_words is None:
            return 0, 0
        some = looked_at(texts)
        return len(some), int(np.count_nonzero(~self.knows_words(some))) if len(some) else 0

    def _write(self, scored):
        state, block = self.state, scored.block
        same_file = block.file == state.file and state.at
        lines = state.lines if same_file else self.source.header_lines[block.file]
        name = self.source.name(block.file)
        if scored.rejected and not self.skip:
            what = self.source.bad_row(block.file, lines, scored.rejected[0])
            raise _BadRowError(f"{what}, or pass on_error='skip' (--on-error skip) to set such rows aside.")
        if block.unclosed and (swallowed := scored.rejected[-1].raw.strip().count(b"\n")) > _SWALLOWED:
            what = self.source.bad_row(block.file, lines, scored.rejected[-1])
            raise ValueError(
                f"{what}. With the {swallowed:,} lines after it that is one row, and not set aside."
            )
        side = sum(self.out.reject(_rejected_line(name, lines, bad)) for bad in scored.rejected)
        groups = [
            move_row_group(group, state.n_bytes - 4, len(self.out.groups) + len(state.groups) + i)
            for i, group in enumerate(scored.groups)
        ]
        n_bytes = self.out.write(scored.data)
        self.state = State(  # at once: an interrupt finds the old state or the new
            block.file,
            block.end,
            lines + scored.n_lines,
            state.rows + scored.n_rows,
            state.rejected + len(scored.rejected),
            state.n_bytes + n_bytes,
            state.side_bytes + side,
            state.groups + groups,
            state.empty + scored.n_empty,
            state.unlabelled + scored.n_unlabelled,
            state.looked_at + scored.n_looked_at,
            state.wordless + scored.n_wordless,
        )

    def _commit(self):
        self.state = self.out.commit(self.state)

    def _keep(self, error):
        """Keep what is written for a run that resumes, or nothing if that cannot be."""
        with suppress(OSError, ValueError):
            if self.state.at and not self.source.is_stdin:
                self._commit()
        if self.out.is_resumable():
            how = "resume=True (--resume) to go on."
            if isinstance(error, _BadRowError):
                how = (
                    "resume=True and on_error='skip' (--resume --on-error skip) to go on without such rows. "
                    "If you mend the input, begin anew."
                )
            error.add_note(
                f"Kept {self.state.rows:,} rows beside {self.out.path}: run the same again with {how}"
            )
        else:
            self.out.remove()


def _rejected_line(name, lines, bad):
    row = {"file": name, "line": lines + bad.line + 1, "reason": bad.reason}
    row["text"] = bad.raw.decode("utf-8", "replace")
    if "\ufffd" in row["text"]:  # not UTF-8: all of it, for what is left of the text is not
        row["base85"] = b85encode(bad.raw).decode()
    return json.dumps(row, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"  # of a file's name


def _n_blank(texts):
    """How many texts are empty, or white space alone."""
    return pc.sum(pc.or_(pc.equal(pc.binary_length(texts), 0), pc.utf8_is_space(texts))).as_py() or 0
