"""Tables of tokens: safetensors with a Hugging Face tokenizer.json, such as model2vec's and wordllama's."""

import json
import warnings
from pathlib import Path

import numpy as np

from ...system._safetensors import map_tensors
from ._blocks import as_block, as_words, block_rows
from ._stored_table import StoredTable

_EXPECTED = "Expected model.safetensors and tokenizer.json, as model2vec saves them."


def recognise(path: Path) -> bool:
    """Whether the path is a safetensors file, or a folder that holds one with a tokenizer."""
    table = _table_file(path)
    if table is None:
        return False
    with open(table, "rb") as file:
        head = file.read(9)
    return (
        len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") <= table.stat().st_size - 8
    )


def _table_file(path):
    """The safetensors file that a path stands for."""
    if path.is_file():
        return path
    for pattern in (
        "model.safetensors",
        "0_StaticEmbedding/model.safetensors",
        "*.safetensors",
        "weights/*.safetensors",
    ):
        files = sorted(path.glob(pattern))
        if len(files) == 1 and _tokenizer_file(files[0]):
            return files[0]
    return None


def _tokenizer_file(table):
    """tokenizer.json beside the table, or wordllama's in the folder `tokenizers` next to its folder."""
    if (beside := table.with_name("tokenizer.json")).is_file():
        return beside
    folders = table.parent, table.parent.parent / "tokenizers"
    found = [file for folder in folders for file in sorted(folder.glob("*_tokenizer_config.json"))]
    same = [file for file in found if table.name.startswith(file.name.removesuffix("_tokenizer_config.json"))]
    return same[0] if same else None


def read(path: Path) -> StoredTable:
    """Read the vector of each token, in order of ids.

    Parameters
    ----------
    path : Path
        A folder of model2vec or of a StaticEmbedding of sentence-transformers, wordllama's package, or a
        safetensors file with one matrix and the tokenizer beside it.

    Returns
    -------
    StoredTable
        With `tokenizer`. Ids without a token, and tokens without a row, are left out with a warning.

    Raises
    ------
    ValueError
        If there is no tokenizer or not one matrix, weights or mapping do not fit, or a file is damaged.

    Notes
    -----
    The vector of token i is `embeddings[mapping[i]] * weights[i]`, where the file has `mapping` and
    `weights`, as in model2vec. Whole numbers (int8) are taken as they are, without a scale, as model2vec
    does; bfloat16 becomes float32.

    References
    ----------
    The format safetensors. https://github.com/huggingface/safetensors
    """
    table = _table_file(path)
    if table is None or (tokenizer := _tokenizer_file(table)) is None:
        missing = "table of tokens in it" if table is None else "tokenizer beside it"
        raise ValueError(f"{path}: got no {missing}. {_EXPECTED}")
    try:
        text = tokenizer.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{tokenizer}: got bytes that are not UTF-8 ({error}). {_EXPECTED}") from None
    token_of = _tokens(tokenizer, text)
    tensors = map_tensors(table)
    matrices = [name for name, (_, array) in tensors.items() if array.ndim == 2]
    if len(matrices) != 1 or tensors[matrices[0]][1].size == 0:
        raise ValueError(
            f"{table}: got {len(matrices)} matrices among {', '.join(list(tensors)[:10]) or 'no tensors'}. "
            f"Expected exactly one, with a row a token. {_EXPECTED}"
        )
    kind, matrix = tensors[matrices[0]]
    weights = _vector(table, tensors, "weights", ("F64", "F32", "F16", "BF16"))
    mapping = _vector(table, tensors, "mapping", ("I32", "I64"))
    n_rows = len(matrix) if mapping is None else len(mapping)
    if mapping is not None and not ((mapping >= 0) & (mapping < len(matrix))).all():
        i = int(np.argmax((mapping < 0) | (mapping >= len(matrix))))
        raise ValueError(f"{table}: got mapping[{i}] = {mapping[i]}, but there are {len(matrix):,} rows.")
    if weights is not None and len(weights) != n_rows:
        raise ValueError(f"{table}: got {len(weights):,} weights for {n_rows:,} ids. Expected one an id.")
    ids = np.array([i for i in sorted(token_of) if i < n_rows], np.int64)
    if len(ids) == 0:
        raise ValueError(f"{table}: got no token with a row. The tokenizer belongs to another table.")
    if len(ids) < len(token_of) or len(ids) < n_rows:
        warnings.warn(
            f"{table}: {len(token_of) - len(ids):,} tokens without a row and {n_rows - len(ids):,} "
            "rows without a token were left out.",
            UserWarning,
            stacklevel=2,
        )
    words = as_words([token_of[i] for i in ids.tolist()], tokenizer)
    blocks = _iter_blocks(words, ids, kind, matrix, weights, mapping)
    return StoredTable(matrix.shape[1], blocks, len(words), tokenizer=text, files=(table, tokenizer))


def _iter_blocks(words, ids, kind, matrix, weights, mapping):
    for start in range(0, len(words), step := block_rows(matrix.shape[1])):
        here = ids[start : start + step]
        rows = _numbers(kind, matrix[here if mapping is None else mapping[here]])
        if weights is not None:
            with np.errstate(over="ignore", invalid="ignore"):  # WordVectors refuses infinity
                rows = rows * weights[here][:, None]
        yield words[start : start + step], as_block(rows)


def _numbers(kind, array):
    """bfloat16 is the upper half of float32."""
    return (array.astype(np.uint32) << 16).view(np.float32) if kind == "BF16" else array


def _vector(table, tensors, name, kinds):
    if name not in tensors:
        return None
    kind, array = tensors[name]
    if array.ndim != 1 or kind not in kinds:
        raise ValueError(
            f"{table}: got {name} of shape {array.shape} and {kind}. "
            f"Expected one number an id, of {', '.join(kinds)}."
        )
    return _numbers(kind, array)


# ---------------------------------------------------------------- tokenizer.json
def _tokens(path, text):
    """id -> token: the model's vocabulary, then the tokens that were added."""
    try:
        tokenizer = json.loads(text)
        model, added = tokenizer["model"], tokenizer.get("added_tokens") or []
        vocab = model["vocab"]
        if isinstance(vocab, dict):
            token_of = {i: token for token, i in vocab.items()}
        else:  # Unigram: tokens with their scores, in order of ids
            token_of = {i: token for i, (token, _) in enumerate(vocab)}
        if len(token_of) != len(vocab):
            raise ValueError("two tokens have the same id")
        token_of |= {item["id"]: item["content"] for item in added}
        if not all(type(i) is int and i >= 0 and isinstance(token, str) for i, token in token_of.items()):
            raise ValueError("an id is no whole number, or a token no text")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path}: got no Hugging Face tokenizer ({error!r:.80}). "
            "Expected a tokenizer.json with its vocabulary."
        ) from None
    return token_of
