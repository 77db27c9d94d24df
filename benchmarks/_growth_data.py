"""What the growth and endurance benchmarks work on: sentences with noise, random tables, random rows."""

import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from embtransfer import WordVectors
from embtransfer.datasets import fetch_amazon_reviews

BLOCK = 100_000  # rows made at a time
TOKENS = 15  # words of a sparse row


@cache
def sentences():
    """Sentences of the reviews, the label and the domain (0, 1) of each; books and DVDs are the source."""
    reviews = fetch_amazon_reviews()
    texts, label, domain = [], [], []
    for text, y, name in zip(reviews.data, reviews.target, reviews.domain, strict=True):
        parts = [part for part in re.split(r"(?<=[.!?])\s+", text) if part]
        texts += parts
        label += [y] * len(parts)
        domain += [name in ("electronics", "kitchen")] * len(parts)
    return pa.array(texts, pa.large_string()), np.array(label), np.array(domain, int)


@cache
def noise_words(n):
    """So many made-up words: x0, x1, ..."""
    return join("x", pc.cast(pa.array(np.arange(n)), pa.large_string()))


def join(*parts):
    """Columns and constants, of large_string or all of large_binary, put together row by row."""
    kind = next(part.type for part in parts if isinstance(part, pa.Array))
    parts = [part if isinstance(part, pa.Array) else pa.scalar(part, kind) for part in parts]
    return pc.binary_join_element_wise(*parts, pa.scalar("" if kind == pa.large_string() else b"", kind))


def texts(rows, words, domain=0):
    """Sentences of a domain, each with a noise word of so many at its end, and their labels."""
    found, label, domains = sentences()
    rng = np.random.default_rng(domain)
    drawn = rng.choice(np.flatnonzero(domains == domain), rows)
    noise = noise_words(words).take(pa.array(rng.integers(words, size=rows)))
    return join(found.take(pa.array(drawn)), " ", noise), label[drawn]


def table_file(folder, words, columns):
    """A .npy file of random vectors: the sentences' words, then noise words, so many in all."""
    known = pc.unique(pc.list_flatten(pc.split_pattern_regex(pc.utf8_lower(sentences()[0]), r"\W+")))
    known = known.filter(pc.not_equal(known, ""))[:words]
    both = pa.concat_arrays([known, noise_words(words - len(known))])
    path = folder / f"{words}_{columns}.npy"
    rng = np.random.default_rng(0)
    matrix = np.lib.format.open_memmap(path, "w+", np.float32, (words, columns))
    for start in range(0, words, BLOCK):
        part = matrix[start : start + BLOCK]
        rng.standard_normal(dtype=np.float32, out=part)
    matrix.flush()
    path.with_suffix(".words.txt").write_text("\n".join(both.to_pylist()) + "\n", "utf-8")
    return path


def table(folder, words, columns):
    """The same, converted and mapped, as `WordVectors.load` does with any file."""
    path = folder / f"{words}_{columns}.npy"
    return WordVectors.load(path if path.exists() else table_file(folder, words, columns))


def dense(rows, columns, classes, domain=0):
    """Random float32 rows of falling variances, moved by class and by domain, and their labels."""
    rng, fixed = np.random.default_rng(domain), np.random.default_rng(7)
    scale = (1 / np.sqrt(np.arange(1, columns + 1))).astype(np.float32)
    means = fixed.standard_normal((classes, columns), np.float32) * scale
    shift = domain * 0.5 * fixed.standard_normal(columns, np.float32) * scale
    y = np.concatenate([np.arange(classes), rng.integers(classes, size=rows)])[:rows]
    X = np.empty((rows, columns), np.float32)
    for start in range(0, rows, BLOCK):
        part = X[start : start + BLOCK]
        rng.standard_normal(dtype=np.float32, out=part)
        part *= scale
        part += means[y[start : start + BLOCK]] + shift
    return X, y


def counts(rows, words, classes, domain=0):
    """Random csr rows of 15 words, of frequencies by rank; words carry the class by their number."""
    rng = np.random.default_rng(domain)
    y = np.concatenate([np.arange(classes), rng.integers(classes, size=rows)])[:rows]
    ranks = (words ** rng.random((rows, TOKENS))).astype(np.int64) - 1
    own = rng.random((rows, TOKENS)) < 0.3
    ranks = np.where(own, ranks // classes * classes + y[:, None], ranks + 3 * domain) % words
    indptr = np.arange(rows + 1) * TOKENS
    found = sparse.csr_matrix((np.ones(rows * TOKENS, np.float32), ranks.ravel(), indptr), (rows, words))
    found.sum_duplicates()
    return found, y
