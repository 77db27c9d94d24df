"""How the tests of readers read, damage and refuse files."""

import re
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from embtransfer.word_vectors.readers import _arrays, _fasttext, _gensim, _spacy, _tokens

READERS = {"fasttext": _fasttext, "gensim": _gensim, "spacy": _spacy, "tokens": _tokens, "arrays": _arrays}

WORDS = ["the", "naïve", "漢字", "a b", "a\u2028b", "NOUN", "root"]

MATRIX = np.arange(28, dtype=np.float32).reshape(7, 4) / 3


def load(path):
    """(StoredTable, words, matrix), by the only reader that recognises the path."""
    path = Path(path)
    names = [name for name, reader in READERS.items() if reader.recognise(path)]
    assert len(names) == 1, names
    found = READERS[names[0]].read(path)
    words, rows = [], []
    for block, matrix in found.blocks:
        block.validate(full=True)
        assert block.type == pa.large_string()
        assert block.null_count == 0
        assert matrix.shape == (len(block), found.n_dimensions)
        assert matrix.dtype in (np.float32, np.float16)
        assert matrix.flags.c_contiguous
        assert type(matrix) is np.ndarray
        words += block.to_pylist()
        rows.append(matrix)
    assert found.n_words in (None, len(words))
    return found, words, np.concatenate(rows)


def refuses(path, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        load(path)
    assert Path(path).name in str(caught.value)


def cut(path, size, tmp_path):
    """A copy of the first `size` bytes, or without the last -size."""
    copy = tmp_path / f"cut{Path(path).suffix}"
    copy.write_bytes(Path(path).read_bytes()[:size])
    return copy


def write(path, data):
    path.write_bytes(data)
    return path


def supervised_model(max_n, n_words_in_ngrams, n_pruned=-1):
    """Bytes of a supervised model: 3 words and 2 labels of 3 dimensions."""
    entries = [("naïve", 0), ("fine", 0), ("</s>", 0), ("__label__a", 1), ("__label__b", 1)]
    bucket = 20 if max_n or n_words_in_ngrams > 1 else 0
    args = 3, 5, 5, 1, 5, n_words_in_ngrams, 3, 3, bucket, 2 if max_n else 0, max_n, 100
    data = struct.pack("<2i12id3iqq", 793712314, 12, *args, 1e-4, 5, 3, 2, 9, n_pruned)
    for word, kind in entries:
        data += word.encode() + b"\0" + struct.pack("<qb", 4, kind)
    rows = np.random.default_rng(0).normal(size=(3 + bucket, 3)).astype("<f4")
    data += struct.pack("<?2q", False, *rows.shape) + rows.tobytes()
    return data + struct.pack("<?2q", False, 2, 3) + bytes(24), rows


def make_tokenizer(n=40):
    tokenizer = Tokenizer(WordLevel({f"tok{i}": i for i in range(n - 1)} | {"[UNK]": n - 1}, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer


def write_parquet(table, path):
    pa.parquet.write_table(table, path, row_group_size=3)


def write_feather(table, path):
    pa.feather.write_feather(table, str(path), compression="lz4", chunksize=3)


def write_arrow(table, path):
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
