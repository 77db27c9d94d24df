"""Gigabytes of csv, jsonl and parquet, with malformed rows, made a block at a time by Arrow."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from embtransfer.datasets import fetch_amazon_reviews

from ._growth_data import join, noise_words

KINDS = (".csv", ".jsonl", ".parquet", ".jsonl.zst")
BLOCK = 50_000  # rows made at a time
EVERY = 10_000  # rows, of which one is malformed
NOISE = 1_000_000  # made-up words
BROKEN = {  # what stands in the place of a row
    ".csv": (b'7,"a third field",x\n', b"7\n", b'7,"not UTF-8: \xff"\n', b"no field but one\n"),
    ".jsonl": (b'{"id": 7, "text": "cut sho\n', b"[7]\n", b'{"id": 7, "text": 7}\n', b'{"text": "\xff"}\n'),
}


class Texts:
    """Reviews as the beginnings of values of csv and jsonl, and as they are."""

    def __init__(self):
        reviews = [" ".join(text.splitlines()) for text in fetch_amazon_reviews().data]
        self.of = {
            ".csv": pa.array(['"' + text.replace('"', '""') for text in reviews], pa.large_binary()),
            ".jsonl": pa.array(
                [json.dumps(text, ensure_ascii=False)[:-1] for text in reviews], pa.large_binary()
            ),
            ".parquet": pa.array(reviews, pa.large_string()),
        }
        self.noise = noise_words(NOISE)

    def block(self, kind, first, rng):
        """Rows, as lines or as a table, numbered from the first on, and which of them are malformed."""
        number = pa.array(np.arange(first, first + BLOCK))
        review = self.of[kind].take(pa.array(rng.integers(len(self.of[kind]), size=BLOCK)))
        one, other = (self.noise.take(pa.array(rng.integers(NOISE, size=BLOCK))) for _ in range(2))
        if kind == ".parquet":
            text = join(review, " ", one, " ", other)
            return pa.table({"id": number, "text": text}), np.zeros(BLOCK, bool)
        number = pc.cast(number, pa.large_string())
        number, one, other = (pc.cast(part, pa.large_binary()) for part in (number, one, other))
        before, between, end = b"", b",", b'"\n'
        if kind == ".jsonl":
            before, between, end = b'{"id": ', b', "text": ', b'"}\n'
        lines = join(before, number, between, review, b" ", one, b" ", other, end)
        broken = rng.random(BLOCK) < 1 / EVERY
        instead = [BROKEN[kind][i % 4] for i in range(broken.sum())]
        return pc.replace_with_mask(lines, pa.array(broken), pa.array(instead, pa.large_binary())), broken


def write_file(path, texts, first, n_bytes, rng):
    """Write a file of at least so many bytes, before packing; (bytes, which rows are malformed)."""
    kind = "".join(path.suffixes).removesuffix(".zst")
    packed = path.suffix == ".zst"
    masks, size, writer = [], 0, None
    with pa.CompressedOutputStream(str(path), "zstd") if packed else pa.OSFile(str(path), "wb") as sink:
        if kind == ".csv":
            sink.write(b"id,text\n")
        while size < n_bytes:
            made, broken = texts.block(kind, first + BLOCK * len(masks), rng)
            masks.append(broken)
            if kind == ".parquet":
                writer = writer or pq.ParquetWriter(sink, made.schema)
                writer.write_table(made)
                size += made.nbytes
            else:
                data = made.buffers()[2]
                sink.write(data)
                size += len(data)
        if writer:
            writer.close()
    return size, np.concatenate(masks)
