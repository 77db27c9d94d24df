"""Files and folders of vectors through every reader: a table that holds together, or ValueError."""

import json
import struct
import zipfile
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa

from embtransfer import WordVectors
from embtransfer.word_vectors.readers import FORMATS

from ._files import Scratch, pack, read_all, unpack
from ._guard import expect, guarded, refusal
from ._mutate import change_bytes, change_files

MAX_SIZE = 40_000
# the first is what is read; those of a folder are read as the folder
NAMES = [
    *(
        "vectors",
        "words.txt",
        "vectors.vectors.npy",
        "vectors.vectors_vocab.npy",
        "vectors.vectors_ngrams.npy",
    ),
    *("tokenizer.json", "vectors.parquet", "d/vectors", "d/key2row", "d/vectors.cfg", "d/strings.json"),
    *("d/model.safetensors", "d/tokenizer.json"),
]
_WORDS = ["the", "of", "and", "new york", "café", "漢字", "a" * 20]
_scratch = Scratch()


def run(data: bytes) -> str:
    kinds = (None, *FORMATS)
    kind = kinds[data[0] % len(kinds)] if data else None
    files = unpack(data[1:], NAMES)
    folder = _scratch.write(files)
    path = folder / ("d" if any(name.startswith("d/") for name in files) else "vectors")
    with guarded():
        try:
            vectors = WordVectors.load(path, format=kind, cache=False)
        except (ValueError, FileNotFoundError) as error:
            return f"{kind}: {refusal(error)}"
        n, d = vectors.matrix.shape
        expect(len(vectors) == n > 0 and d > 0, "words and rows differ in number")
        expect(bool(np.isfinite(vectors.matrix).all()), "NaN or infinity in the matrix")
        expect(vectors.subwords is None or bool(np.isfinite(vectors.subwords.rows).all()), "NaN in subwords")
        rows = vectors.rows_of(vectors.words)  # the words are text
        expect(bool((rows == np.arange(n)).all()), "a word is not found in its row")
    return f"{kind}: read"


def mutate(data: bytes, rng) -> bytes:
    first = data[:1] if rng.random() < 0.9 else bytes([rng.randrange(32)])
    return first + pack(change_files(unpack(data[1:], NAMES), rng, _change), NAMES)


def _change(data, rng):
    """Numbers in headers of text and binary word2vec, and in .npy headers, become others."""
    head = data[:200]
    digits = [i for i, byte in enumerate(head) if 48 <= byte < 58]
    if digits and rng.random() < 0.2:
        at = rng.choice(digits)
        return (
            data[:at]
            + rng.choice((b"0", b"9", b"-1", b"99999999999", b"", b"1e9", b"9" * 5000))
            + data[at + 1 :]
        )
    return change_bytes(data, rng)


@cache
def seeds() -> dict[str, bytes]:
    import gzip

    matrix = np.random.default_rng(0).normal(size=(len(_WORDS), 4)).astype(np.float32)
    lines = [f"{word} {' '.join(f'{x:.4f}' for x in row)}" for word, row in zip(_WORDS, matrix, strict=True)]
    glove = "\n".join(lines).encode() + b"\n"
    header = f"{len(_WORDS)} 4\n".encode()
    records = b"".join(
        w.encode() + b" " + row.tobytes() + b"\n" for w, row in zip(_WORDS, matrix, strict=True)
    )
    single = {
        "glove": glove,
        "glove_gz": gzip.compress(glove, mtime=0),
        "glove_zip": _zip({"glove.txt": glove}),
        "glove_zip_lzma": _zip({"glove.txt": glove}, zipfile.ZIP_LZMA),
        "glove_zip_bz2": _zip({"glove.txt": glove}, zipfile.ZIP_BZIP2),
        "word2vec": header + glove,
        "binary": header + records,
        "binary_gz": gzip.compress(header + records, mtime=0),
        "fasttext": _fasttext(matrix),
        "fasttext_old": _fasttext(matrix)[8:],
        "npz": _saved(lambda file: np.savez(file, vectors=matrix, words=np.array(_WORDS))),
        "npz_packed": _saved(lambda file: np.savez_compressed(file, matrix=matrix, vocab=np.array(_WORDS))),
        "parquet": _saved(lambda file: _write_parquet(matrix, file)),
        "arrow": _saved(lambda file: _write_arrow(matrix, file)),
    }
    found = {name: b"\0" + pack({"vectors": data}, NAMES) for name, data in single.items()}
    npy, words = _saved(lambda file: np.save(file, matrix)), "\n".join(_WORDS).encode()
    found["npy"] = b"\0" + pack({"vectors": npy, "words.txt": words}, NAMES)
    index = {"vectors": npy, "vectors.parquet": _saved(lambda file: _write_index(file))}
    found["npy_index"] = b"\0" + pack(index, NAMES)
    tokens = {"vectors": _safetensors(matrix), "tokenizer.json": _tokenizer()}
    found["safetensors"] = b"\0" + pack(tokens, NAMES)
    folder = {"d/model.safetensors": _safetensors(matrix), "d/tokenizer.json": _tokenizer()}
    found["model2vec"] = b"\0" + pack(folder, NAMES)
    found["spacy"] = b"\0" + pack(_spacy(npy), NAMES)
    for name, files in _gensim(matrix).items():
        found[f"gensim_{name}"] = b"\0" + pack(files, NAMES)
    return found


def _saved(save):
    file = BytesIO()
    save(file)
    return file.getvalue()


def _zip(members, method=zipfile.ZIP_DEFLATED):
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def _table(matrix):
    return pa.table({"word": _WORDS, "vector": matrix.tolist()})


def _write_parquet(matrix, file):
    import pyarrow.parquet as pq

    pq.write_table(_table(matrix), file)


def _write_index(file):
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"word": _WORDS, "row": list(range(len(_WORDS)))}), file)


def _write_arrow(matrix, file):
    table = _table(matrix)
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _fasttext(matrix):
    """An unsupervised model with n-grams of 2 to 3 characters in 6 buckets."""
    n, dim = matrix.shape
    arguments = struct.pack("<12id", dim, 5, 5, 1, 5, 1, 1, 1, 6, 2, 3, 100, 1e-4)
    entries = b"".join(word.encode() + b"\0" + struct.pack("<qb", 9, 0) for word in _WORDS)
    dictionary = struct.pack("<3iqq", n, n, 0, 63, -1) + entries
    rows = np.concatenate([matrix, matrix[:6]])
    body = b"\0" + struct.pack("<2q", n + 6, dim) + rows.tobytes()
    return struct.pack("<2i", 793712314, 12) + arguments + dictionary + body


def _safetensors(matrix):
    parts = {"embeddings": matrix, "weights": np.ones(len(matrix)), "mapping": np.arange(len(matrix))}
    kinds, header, at = {"float32": "F32", "float64": "F64", "int64": "I64"}, {}, 0
    for name, part in parts.items():
        entry = {"dtype": kinds[part.dtype.name], "shape": list(part.shape)}
        header[name] = entry | {"data_offsets": [at, at + part.nbytes]}
        at += part.nbytes
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(part.tobytes() for part in parts.values())


def _tokenizer():
    vocab = {word: i for i, word in enumerate(_WORDS[:-1])}
    added = [{"id": len(vocab), "content": "[UNK]"}]
    return json.dumps({"model": {"type": "WordPiece", "vocab": vocab}, "added_tokens": added}).encode()


def _spacy(npy):
    from embtransfer._texts import text_buffers
    from embtransfer.kernels import _subwords
    from embtransfer.word_vectors.readers import _spacy

    keys = np.empty(len(_WORDS), np.uint64)
    _subwords.murmur_hashes(*text_buffers(_spacy.as_words(_WORDS, "seed")), 1, keys)
    pairs = b"".join(b"\xcf" + int(key).to_bytes(8, "big") + bytes([row]) for row, key in enumerate(keys))
    return {
        "d/vectors": npy,
        "d/key2row": bytes([0x80 | len(_WORDS)]) + pairs,
        "d/vectors.cfg": b'{"mode": "default"}',
        "d/strings.json": json.dumps(_WORDS).encode(),
    }


def _gensim(matrix):
    """KeyedVectors and a FastText as gensim saves them; nothing where gensim is not installed."""
    try:
        from gensim.models import FastText, KeyedVectors
    except ImportError:
        return {}
    vectors = KeyedVectors(matrix.shape[1])
    vectors.add_vectors(_WORDS, matrix)
    fasttext = FastText([_WORDS] * 2, vector_size=2, bucket=5, min_count=1, epochs=1, workers=1, seed=1)
    with Scratch() as scratch:
        found = {}
        for name, model, options in (
            ("whole", vectors, {}),
            ("protocol_2", vectors, {"pickle_protocol": 2}),
            ("beside", vectors, {"separately": ["vectors"]}),
            ("fasttext", fasttext.wv, {}),
        ):
            folder = scratch.write({})
            model.save(str(folder / "vectors"), **options)
            found[name] = {file: data for file, data in read_all(Path(folder)).items() if file in NAMES}
    return found
