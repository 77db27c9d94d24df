"""Folders such as lang=en, in which Hive, Spark and others keep the rows of one value of a column."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa

from .._types import FilePath

_MISSING = "__HIVE_DEFAULT_PARTITION__"


def files_below(folder: Path) -> Iterator[Path]:
    """Files of a folder and of folders of partitions in it, sorted; without hidden ones."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file():
            yield path
        elif "=" in path.name.strip("=") and path.is_dir():
            yield from files_below(path)


def partition_of(path: FilePath) -> dict[str, str | None]:
    """Columns and their values by the folders of partitions that a file lies in."""
    found = []
    for folder in Path(path).parents:
        name, _, value = folder.name.partition("=")
        if not name or not value:
            break
        found.append((unquote(name), None if value == _MISSING else unquote(value)))
    return dict(found[::-1])


def with_partition(schema: pa.Schema, partition: dict) -> pa.Schema:
    """The schema with columns of texts for those of the partition."""
    for name in partition:
        at = schema.get_field_index(name)
        field = pa.field(name, pa.string())
        schema = schema.append(field) if at < 0 else schema.set(at, field)
    return schema


def add_partition(table: pa.Table, partition: dict, names: list[str], n_rows: int) -> pa.Table:
    """The named columns in their order, those of the partition with one value in all of so many rows."""
    if not partition:
        return table
    fields = [pa.field(n, pa.string()) if n in partition else table.schema.field(n) for n in names]
    columns = [pa.array([partition[n]] * n_rows, pa.string()) if n in partition else table[n] for n in names]
    return pa.table(columns, pa.schema(fields, table.schema.metadata))
