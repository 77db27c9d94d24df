"""StaticEmbedder: pooled vectors of subword tokens."""

import json
import re
from collections.abc import Sequence
from threading import Lock

import numpy as np

from .._types import FilePath
from ..word_vectors import WordVectors
from ._pooled import PooledEmbedder, keep_tokens, table_of

_WORDS = re.compile(r"[^ \t\n\r]+")
_SPACED = re.compile(r" +[^ ]*(?: \Z)?")  # one space at the end is no word: it stays with the last
_LOCAL = {"BertNormalizer", "Lowercase", "StripAccents"}  # look at no neighbouring word
_KNOWN_WORDS = 1 << 20  # kept with their tokens; then the memory begins anew


class StaticEmbedder(PooledEmbedder):
    """Embed texts by pooling static vectors of subword tokens, as in model2vec and wordllama.

    Texts are cut by the table's own tokenizer. Where that cuts words one by one (BERT's WordPiece,
    SentencePiece's BPE without pre-tokenizer), each distinct word is cut once and remembered: the same
    tokens several times as fast. Tokens without a vector, and the tokenizer's unknown token, are left out.

    Parameters
    ----------
    vectors : WordVectors, path or name, default="wordllama"
        A table with a tokenizer: a model2vec folder, safetensors with a tokenizer.json, or the name of an
        installed package. A path or name is read at `fit` by `WordVectors.load`.
    pooling : {"mean", "idf", "sif", "usif", "max", "mean_max_min", "power_means"}, default="mean"
        As in WordEmbedder, of tokens instead of words.
    sif_a : float, default=0.1
        The smoothing parameter of "sif". More than for words, as tables trained for the mean weigh tokens
        already: best of 1e-4, 1e-3, 0.01 and 0.1 on the development set of the STS Benchmark.
    powers : sequence of int or +-inf, default=(1, 3, inf, -inf)
        The powers of "power_means".
    n_jobs : int or None, default=None
        Threads as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.

    Attributes
    ----------
    vectors_ : WordVectors
        The table in use.
    weights_, components_, component_strengths_, n_zero_rows_
        As in WordEmbedder.

    See Also
    --------
    WordEmbedder : The same for tables of words.

    Notes
    -----
    The mean is what model2vec's StaticModel gives for texts under its length limit, but for its last step:
    put scikit-learn's Normalizer after it where the model's config.json says `"normalize": true`.

    Examples
    --------
    >>> import numpy as np
    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> from embtransfer import StaticEmbedder, WordVectors
    >>> tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "good": 1, "##ish": 2}, unk_token="[UNK]"))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    >>> vectors = WordVectors(["[UNK]", "good", "##ish"], np.eye(3), tokenizer=tokenizer.to_str())
    >>> StaticEmbedder(vectors).fit_transform(["goodish", "good good", "bad"])
    array([[0. , 0.5, 0.5],
           [0. , 1. , 0. ],
           [0. , 0. , 0. ]], dtype=float32)
    """

    def __init__(
        self,
        vectors: WordVectors | FilePath = "wordllama",
        *,
        pooling: str = "mean",
        sif_a: float = 0.1,
        powers: Sequence[float] = (1, 3, np.inf, -np.inf),
        n_jobs: int | None = None,
    ):
        self.vectors = vectors
        self.pooling = pooling
        self.sif_a = sif_a
        self.powers = powers
        self.n_jobs = n_jobs

    def _load(self):
        if self.vectors is None:
            raise ValueError(
                "Got vectors=None. Expected a table with a tokenizer, such as a model2vec folder."
            )
        vectors = table_of(self.vectors)
        if vectors.tokenizer is None:
            raise ValueError(
                f"Got the table {vectors.name}, which has no tokenizer: its rows are words. Use WordEmbedder."
            )
        self._cutter = _Cutter(vectors)
        return vectors

    def _rows(self, chunk):
        if self._cutter is None:  # after unpickling
            self._cutter = _Cutter(self.vectors_)
        return *self._cutter.rows(chunk.to_pylist()), None

    def __getstate__(self):
        state = super().__getstate__()
        return {**state, "_cutter": None} if "_cutter" in state else state


class _Cutter:
    """Texts -> rows of their tokens."""

    def __init__(self, vectors):
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ImportError('StaticEmbedder needs tokenizers: pip install "embtransfer[static]"') from error
        try:
            self.tokenizer = Tokenizer.from_str(vectors.tokenizer)
        except Exception as error:  # the library raises no other type
            raise ValueError(
                f"Got the table {vectors.name}, whose tokenizer does not load ({error}). Expected the "
                "content of a tokenizer.json that the installed tokenizers reads; a newer one may."
            ) from error
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        config = json.loads(vectors.tokenizer)
        self.words_of = _cuts_words(config)
        added = config.get("added_tokens") or ()
        # those of several words are found in normalised text, across what is cut here
        if any(token.get("normalized") and re.search(r"[\s▁]", token["content"]) for token in added):
            self.words_of = None
        self.added = re.compile("|".join(re.escape(token["content"]) for token in added) or r"(?!)")
        n_ids, n_tokens = self._n_ids(), self.tokenizer.get_vocab_size(with_added_tokens=True)
        if n_ids > 100 * n_tokens + 1_000_000:  # a row is set aside for each number
            raise ValueError(
                f"Got the table {vectors.name}, whose tokenizer numbers {n_tokens:,} tokens up to "
                f"{n_ids - 1:,}. Expected numbers from 0 on with few gaps."
            )
        row_of = vectors.rows_of([self.tokenizer.id_to_token(i) or "" for i in range(n_ids)])
        unknown = config["model"].get("unk_token")
        unknown = (
            self.tokenizer.token_to_id(unknown) if isinstance(unknown, str) else config["model"].get("unk_id")
        )
        if unknown is not None:
            row_of[unknown] = -1
        self.row_of = row_of
        self.lock = Lock()
        self._forget()

    def _n_ids(self):
        return max(self.tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    def _forget(self):
        self.number_of = {}  # word -> its place in `ends`
        self.ends, self.flat = np.zeros(1, np.int64), np.zeros(0, np.int64)

    def rows(self, texts):
        """Rows int64 (n_tokens,), indptr int64 (n_texts + 1,) of texts."""
        if self.words_of is None or self.added.search("\n".join(texts)):
            encoded = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
            return self._joined([item.ids for item in encoded])
        words, counts = [], [0]
        for text in texts:
            words += self.words_of(text)
            counts.append(len(words))
        with self.lock:
            new = list(set(words).difference(self.number_of))
            if len(new) + len(self.number_of) > _KNOWN_WORDS:
                self._forget()
                new = list(set(words))
            if new:
                # one by one: short texts in a batch spend more on its threads than on the work
                ids = [self.tokenizer.encode(word, add_special_tokens=False).ids for word in new]
                rows, ends = self._joined(ids)
                self.number_of.update(
                    zip(new, range(len(self.ends) - 1, len(self.ends) - 1 + len(new)), strict=True)
                )
                self.flat = np.append(self.flat, rows)
                self.ends = np.append(self.ends, self.ends[-1] + ends[1:])
            number_of, flat, ends = self.number_of, self.flat, self.ends
        numbers = np.fromiter(map(number_of.__getitem__, words), np.int64, len(words))
        begin, length = ends[numbers], ends[numbers + 1] - ends[numbers]
        indptr = np.concatenate([[0], np.cumsum(length)])
        rows = flat[np.arange(indptr[-1]) + np.repeat(begin - indptr[:-1], length)]
        return rows, indptr[counts]

    def _joined(self, ids):
        """Lists of token ids -> rows, indptr, without the tokens that have no row."""
        ends = np.concatenate([[0], np.cumsum([len(item) for item in ids], dtype=np.int64)])
        rows = self.row_of[np.fromiter((i for item in ids for i in item), np.int64, int(ends[-1]))]
        return keep_tokens(rows, ends, rows >= 0)


def _cuts_words(config):
    """The function that cuts a text into parts which the tokenizer cuts one by one, or None."""
    normalizers, pre_tokenizer, model = config.get("normalizer"), config.get("pre_tokenizer"), config["model"]
    normalizers = normalizers.get("normalizers", [normalizers]) if normalizers else []
    kinds = [normalizer["type"] for normalizer in normalizers]
    if pre_tokenizer and pre_tokenizer["type"] in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit"):
        return _WORDS.findall if set(kinds) <= _LOCAL else None
    spaces_marked = (
        kinds == ["Prepend", "Replace"]
        and normalizers[0]["prepend"] == "▁"
        and (normalizers[1]["pattern"], normalizers[1]["content"]) == ({"String": " "}, "▁")
    )
    # without a token that holds a mark after another character, no merge crosses the start of a word
    separable = model["type"] == "BPE" and model.get("byte_fallback") and not model.get("dropout")
    separable = separable and not any("▁" in token.lstrip("▁") for token in model["vocab"])
    return _words_after_spaces if pre_tokenizer is None and spaces_marked and separable else None


def _words_after_spaces(text):
    text = text.replace("▁", " ")  # the same to the normalizer
    if "  " in text or text[:1] == " " or text[-1:] == " ":
        return [word[1:] for word in _SPACED.findall(" " + text)] if text else []
    return text.split(" ") if text else []
