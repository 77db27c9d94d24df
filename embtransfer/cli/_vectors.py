"""The commands `embtransfer vectors ...`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..system._escape import visible
from ._commands import Commands
from ._options import (
    TABLE,
    Cased,
    Delimiter,
    Encoding,
    Format,
    HowTokens,
    Phrases,
    TextColumn,
    Tokens,
    Vectors,
)
from ._tables import Output, print_table
from ._terminal import clear_errors, load_vectors, progress_bar, talk

vectors_app = Commands(help="Convert, list and look at word vectors.", no_args_is_help=True)


class Dtype(StrEnum):
    float32 = "float32"
    float16 = "float16"


@vectors_app.command("info")
def vectors_info(
    table: Annotated[str | None, typer.Argument(help=f"{TABLE} Without it the bundled table.")] = None,
):
    """Print what a table of vectors holds."""
    with clear_errors():
        vectors = load_vectors(table)
        n, d = vectors.matrix.shape
        print(f"name        {visible(vectors.name)}")
        print(f"words       {n:,}")
        print(f"dimensions  {d}")
        print(f"dtype       {vectors.matrix.dtype}")
        print(f"memory      {vectors.matrix.nbytes / 1e6:.1f} MB")
        print(f"first       {visible(' '.join(vectors.words[:8]))}")
        if vectors.subwords is not None:
            min_n, max_n = vectors.subwords.min_n, vectors.subwords.max_n
            print(f"subwords    {len(vectors.subwords.rows):,} vectors of {min_n} to {max_n} characters")
        if vectors.tokenizer is not None:
            print("tokenizer   the words are its tokens: embed with StaticEmbedder")
        print(f"checksum    sha256:{vectors.checksum}")


@vectors_app.command("coverage")
def vectors_coverage(
    source: Annotated[str, typer.Argument(help="Texts: a file, folder, quoted pattern or -, as for score.")],
    vectors: Vectors = None,
    text_column: TextColumn = "text",
    cased: Cased = False,
    phrases: Phrases = False,
    tokens: HowTokens = Tokens.words,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    top: Annotated[int, typer.Option(help="How many unknown words to print.")] = 20,
    format: Format = Output.table,
):
    """Print which share of the words of a file a table has, and the most frequent that it lacks."""
    from ..embedders import Coverage, WordEmbedder
    from ..tables import TableReader

    with clear_errors():
        embedder = WordEmbedder(
            load_vectors(vectors), token_pattern=str(tokens), lowercase=not cased, phrases=phrases
        ).fit([""])
        found = Coverage()
        table = TableReader(source, delimiter, encoding)
        table.check_columns({"text_column": text_column})
        for batch in table.batches([text_column], text_column=text_column):
            found.add(embedder.coverage(batch.column(text_column)))
        talk.print(str(found))
        if len(characters := found.dropped(5)):
            few = " ".join(characters["character"])
            talk.print(
                f"In no token: {found.n_dropped.sum():,} letters, digits and symbols, most often {few}"
            )
        print_table(found.unknown(top), format, "Unknown words")


@vectors_app.command("convert")
def vectors_convert(
    table: Annotated[str, typer.Argument(help="A file or folder of vectors, or a name.")],
    max_words: Annotated[int | None, typer.Option(help="Take the first words only.")] = None,
    dtype: Annotated[Dtype | None, typer.Option(help="float16 takes half the disk.")] = None,
    format: Annotated[str | None, typer.Option(help="The format, where it is not recognised.")] = None,
):
    """Convert a table now, so that the next load takes milliseconds; other commands do so by themselves."""
    from ..word_vectors import WordVectors
    from ..word_vectors._cache import converted

    with clear_errors():
        with progress_bar() as progress:
            vectors = WordVectors.load(table, format, max_words=max_words, dtype=dtype, progress=progress)
        sizes = {
            made["checksum"]: f"{made['bytes'] / 1e6:,.1f} MB in {made['folder']}" for made in converted()
        }
        talk.print(f"{vectors!r}: {sizes.get(vectors.checksum, 'not kept')}")


@vectors_app.command("download")
def vectors_download(
    name: Annotated[str, typer.Argument(help="A name of gensim's downloader, as glove-wiki-gigaword-100.")],
):
    """Fetch a table by gensim's downloader, check it, and convert it."""
    vectors_convert(name)


@vectors_app.command("list")
def vectors_list(
    format: Format = Output.table,
):
    """List the converted tables, and the installed packages that hold tables."""
    from pandas import DataFrame

    from ..word_vectors._cache import cache_folder, converted
    from ..word_vectors._named_tables import installed

    with clear_errors():
        made, keys = converted(), ("name", "n_words", "n_dimensions", "dtype", "bytes", "source")
        rows = [[table[key] for key in keys] for table in made]
        sources = {table["source"] for table in made}
        for name, path in installed():
            if str(path.resolve()) not in sources:
                rows.append([name, None, None, None, path.stat().st_size, str(path)])
        table = DataFrame(rows, columns=["name", "words", "dimensions", "dtype", "MB", "made of"])
        table = table.astype({"words": "Int64", "dimensions": "Int64"}).assign(MB=table["MB"] / 1e6)
        print_table(table, format, "Tables of vectors")
        talk.print(f"Converted tables are in {cache_folder()}")


@vectors_app.command("remove")
def vectors_remove(
    name: Annotated[str, typer.Argument(help="The name or the source file that `vectors list` gives.")],
):
    """Delete the converted files of a table; the file that it was made of stays."""
    from ..word_vectors._cache import converted, remove

    with clear_errors():
        tables = converted()
        source = str(Path(name).resolve())
        found = [table for table in tables if name == table["name"] or source == table["source"]]
        if len({table["source"] for table in found}) > 1:
            sources = ", ".join(sorted({table["source"] for table in found}))
            raise ValueError(f"Got {name!r}, the name of several tables. Give the file: {sources}.")
        if not found:
            names = ", ".join(sorted({table["name"] for table in tables})) or "none"
            raise ValueError(f"Got {name!r}. Expected a converted table: {names}.")
        for table in found:
            remove(table["folder"])
            talk.print(f"Removed {table['folder']}, {table['bytes'] / 1e6:,.1f} MB")
