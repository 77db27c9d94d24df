"""word_weights: the words that decide, from a compiled pipeline's own tables."""

from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from .._texts import check_texts, iter_text_chunks
from .._types import Estimator, Texts
from ..compiled._program import TermSums, WordSums
from ._explain import explained_classes, folded
from ._shares import averaging, decision_matrix, n_words_of

if TYPE_CHECKING:  # explain, beside it, goes without
    import pandas as pd

_BLOCK = 1 << 14  # terms at a time


def word_weights(model: Estimator, texts: Texts | None = None, top: int = 20) -> "pd.DataFrame":
    r"""List the words and n-grams that speak most for each class.

    Parameters
    ----------
    model : CompiledPipeline, or fitted pipeline that `compile_pipeline` folds
    texts : 1-D sequence of str, default=None
        If given, only words that come in these texts, such as those of the target, ordered by weight times
        rate: what decides there. None is all words that the model knows, however rare.
    top : int, default=20
        Words of each class.

    Returns
    -------
    DataFrame with up to `top` rows a class, and the columns
        label : the class
        word : str
        weight : above 0: how much the word speaks for the class
        count, rate : with texts, how often it comes, and the same as a share of all known words

    Raises
    ------
    ValueError
        If the pipeline does not fold, or top is below 1.
    TypeError, ValueError
        If texts is no 1-D sequence of str.

    See Also
    --------
    explain : The words that decide about one text.
    word_shift : The words that tell two domains apart, without a model.

    Notes
    -----
    Where words are averaged, a word's weight is the decision for a text of this word alone, and a text's
    decision is the mean of its words' (as in `explain`). Otherwise it is what the word changes against an
    empty text; an n-gram's weight comes on top of those of its words. Where rows of weighted counts get
    length 1 (TF-IDF, log-count ratios), a word alone would have length 1 whatever its weight: its row is
    divided by the root mean square of all weights instead. Decisions are those of `explain`: before
    calibration, label shift and thresholds.

    Examples
    --------
    >>> from embtransfer import make_recipe, word_weights
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> model = make_recipe("words").fit(films.data, films.target, X_target=pans.data)
    >>> table = word_weights(model, pans.data, top=2)
    >>> table[["label", "word"]].values.tolist()
    [[0, 'no'], [0, 'the'], [1, 'with'], [1, 'strong']]
    """
    import pandas as pd

    if not isinstance(top, int | np.integer) or top < 1:
        raise ValueError(f"Got top={top!r}. Expected a number of words above 0.")
    model = folded(model)
    program, classes = model._program, explained_classes(model)
    found = program.vocabularies
    numbers, n_terms = _numbered(found)
    rows = {v: _rows_of(v, number, n_terms) for v, number in zip(found, numbers, strict=True)}
    terms, counts = np.arange(n_terms), None
    if texts is not None:
        counts, n_words = _counts(texts, found, numbers, n_terms)
        terms = np.flatnonzero(counts)
    matrix = decision_matrix(model._head, program.width, len(classes))
    weights = np.empty((len(terms), len(classes)), np.float32)
    for start in range(0, len(terms), _BLOCK):
        here = terms[start : start + _BLOCK]
        alone = _alone(program, {v: row[here] for v, row in rows.items()})
        weights[start : start + _BLOCK] = alone @ matrix
    rate: Any = 1.0 if counts is None else counts[terms] / max(n_words, 1)
    parts = []
    for number, label in enumerate(classes):
        weight = weights[:, number]
        best = _largest(weight * rate, top)
        part = {"word": [_name(terms[i], rows) for i in best], "weight": weight[best].astype(np.float64)}
        if counts is not None:
            part |= {"count": counts[terms[best]], "rate": rate[best]}
        parts.append(pd.DataFrame({"label": np.repeat(label, len(best))} | part))
    return pd.concat(parts, ignore_index=True)


def _largest(values, top):
    """Where the largest values above 0 are, the largest first."""
    top = min(top, len(values))
    some = np.argpartition(-values, top - 1)[:top] if top else np.empty(0, np.int64)
    some = some[values[some] > 0]
    return some[np.argsort(-values[some], kind="stable")]


# ---------------------------------------------------------------- one number a term
def _numbered(found):
    """Numbers of the rows of each vocabulary, the same for the same term in all, and how many there are."""
    from ..kernels import _tokens

    numbers, n_terms = [np.full(len(v), -1) for v in found], 0
    for i, vocabulary in enumerate(found):
        own = numbers[i][: vocabulary.n_words]
        for other, known in zip(found[:i], numbers, strict=False):
            row = _tokens.find_words(*vocabulary._index[:2], other._index)
            same = (own < 0) & (row >= 0)
            own[same] = known[row[same]]
        new = np.flatnonzero(own < 0)
        own[new] = n_terms + np.arange(len(new))
        n_terms += len(new)
    for n in range(2, max((v.longest for v in found), default=1) + 1):
        keys, places = [], []
        for vocabulary, number in zip(found, numbers, strict=True):
            at = np.flatnonzero(_lengths(vocabulary) == n)
            prefix, last = vocabulary.ngrams[at].T
            keys.append(number[prefix] << 32 | number[last])
            places.append(vocabulary.n_words + at)
        distinct, inverse = np.unique(np.concatenate(keys), return_inverse=True)
        splits = np.cumsum([len(key) for key in keys])[:-1]
        for number, at, part in zip(numbers, places, np.split(inverse, splits), strict=True):
            number[at] = n_terms + part
        n_terms += len(distinct)
    return numbers, n_terms


def _lengths(vocabulary):
    """Words of each n-gram."""
    lengths = np.ones(len(vocabulary), np.int64)
    for _ in range(1, vocabulary.longest):
        lengths[vocabulary.n_words :] = lengths[vocabulary.ngrams[:, 0]] + 1
    return lengths[vocabulary.n_words :]


def _rows_of(vocabulary, numbers, n_terms):
    """The row of each term, -1 where the vocabulary lacks it or no text is cut into it, such as "U.S."."""
    from ..kernels import _tokens

    buffers = pa.py_buffer(vocabulary.offsets), pa.py_buffer(vocabulary.words)
    words = pa.LargeStringArray.from_buffers(vocabulary.n_words, *buffers)
    ids, indptr = _tokens.text_rows(*vocabulary.text_arguments(words), True)
    once = np.flatnonzero(np.diff(indptr) == 1)
    found = np.zeros(len(vocabulary), bool)
    found[once] = ids[indptr[once]] == once
    for n in range(2, vocabulary.longest + 1):
        at = np.flatnonzero(_lengths(vocabulary) == n)
        found[vocabulary.n_words + at] = found[vocabulary.ngrams[at]].all(axis=1)
    rows = np.full(n_terms, -1)
    rows[numbers[found]] = np.flatnonzero(found)
    return rows


def _name(term, rows):
    vocabulary, row = next((v, int(row[term])) for v, row in rows.items() if row[term] >= 0)
    words = []
    for _ in range(n_words_of(vocabulary, row)):
        row, last = vocabulary.ngrams[row - vocabulary.n_words] if row >= vocabulary.n_words else (-1, row)
        begin, end = vocabulary.offsets[last : last + 2]
        words.append(bytes(vocabulary.words[begin:end]).decode())
    return " ".join(reversed(words))


def _counts(texts, found, numbers, n_terms):
    """How often each term comes in texts, and how many words there are that the model knows."""
    totals = [np.zeros(len(v), np.int64) for v in found]
    for _, chunk in iter_text_chunks(check_texts(texts)):
        for vocabulary, total in zip(found, totals, strict=True):
            total += np.bincount(vocabulary.rows(chunk)[0], minlength=len(total))
    counts = np.zeros(n_terms, np.int64)
    for number, total in zip(numbers, totals, strict=True):
        counts[number] = np.maximum(counts[number], total)
    # of a word that several vocabularies know, once
    words = [number[: v.n_words] for v, number in zip(found, numbers, strict=True)]
    return counts, counts[reduce(np.union1d, words, np.empty(0, np.int64))].sum()


# ---------------------------------------------------------------- the decision for one term alone
def _alone(program, rows):
    """What single terms add to a program's scores: float64 (n_terms, width).

    The constant is in it for the words that the program averages. rows: vocabulary -> rows, -1 for none.
    """
    scores = np.zeros((len(next(iter(rows.values()))), program.width))
    for part in program.parts:
        columns = slice(part.first, part.first + part.width)
        if isinstance(part, WordSums | TermSums):
            at = np.flatnonzero(rows[part.vocabulary] >= 0)
            values = part.table[rows[part.vocabulary][at]].astype(np.float64)
            by = _typical(part, values)
            scores[at, columns] += values[:, : part.width] / np.where(by > 0, by, 1)
        else:
            scores[:, columns] += _alone_through(part, rows)
    return scores + _averaged(program, rows) * program.constant


def _averaged(program, rows):
    """Whether each term is a word that a program averages: bool (n_terms, 1)."""
    average = averaging(program)
    known = (
        np.zeros(len(next(iter(rows.values()))), bool) if average is None else rows[average.vocabulary] >= 0
    )
    return known[:, None]


def _alone_through(part, rows):
    """The same of a Dense part: what its step makes of a term, less what it makes of the constant."""
    values, constant = _alone(part.program, rows), part.program.constant[None].astype(np.float64)
    apart = ~_averaged(part.program, rows)
    values = _step(part.step, values + apart * constant) - apart * _step(part.step, constant)
    return values if part.weight is None else values @ part.weight


def _step(step, rows):
    if step == "squares":
        return np.concatenate([rows, rows * rows], axis=1)
    if step == "none":
        return rows
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def _typical(part, values):
    """What rows of single terms are divided by: broadcasts to (n_terms, width)."""
    if isinstance(part, WordSums):
        return values[:, -1:] if part.divisor == "weights" else np.ones(1)
    squares = part.table[:, part.width :].astype(np.float64)
    n_weighted = np.maximum((squares > 0).sum(axis=0), 1)
    return np.append(np.sqrt(squares.sum(axis=0) / n_weighted), 1.0)[part.norm_of]
