"""Each word's exact share in the scores that a compiled pipeline gives one text."""

import re

import numpy as np

from .._words import composed_spans, read, words_pattern
from ..compiled._program import Dense, TermSums, WordSums


class Reading:
    """The words and n-grams of one text that some vocabularies know.

    Attributes
    ----------
    text : str
    terms : dict, term -> number
    occurrences : list, by number, of the places of a term: each a tuple of its words' (start, end)
    rows : dict, vocabulary -> (rows, counts, numbers of the terms), each row once
    unknown : dict, word -> its places, of the words that no vocabulary knows
    """

    def __init__(self, chunk, vocabularies):
        self.text = chunk[0].as_py()
        self.terms, self.occurrences, self.rows = {}, [], {}
        tokens, words, known = {}, {}, set()
        for vocabulary in vocabularies:
            way = vocabulary.lowercase, vocabulary.min_length, vocabulary.marks
            if way not in tokens:
                tokens[way] = _tokens(self.text, *way)
                words |= {span: word for word, span in reversed(tokens[way])}
            known |= self._read(chunk, vocabulary, tokens[way])
        self.unknown = {}
        for span in sorted(words.keys() - known):
            self.unknown.setdefault(words[span], []).append(span)

    def _read(self, chunk, vocabulary, tokens):
        """Note the rows of one vocabulary; return the places of the words that it knows."""
        from ..kernels import _tokens

        ids, _ = _tokens.text_rows(*vocabulary.text_arguments(chunk), True)
        at = np.flatnonzero(ids < vocabulary.n_words)
        rows = ids[at]
        if vocabulary.longest > 1:  # each known word is followed by the n-grams that end with it
            rows, _ = vocabulary.rows(chunk)
            at = at[np.cumsum(rows < vocabulary.n_words) - 1]
        distinct, inverse, counts = np.unique(rows, return_inverse=True, return_counts=True)
        lengths = [n_words_of(vocabulary, row) for row in distinct.tolist()]
        numbers = np.full(len(distinct), -1)
        for i, last in zip(inverse.tolist(), at.tolist(), strict=True):
            words, spans = zip(*tokens[last + 1 - lengths[i] : last + 1], strict=True)
            if numbers[i] < 0:
                numbers[i] = self.terms.setdefault(" ".join(words), len(self.terms))
                if numbers[i] == len(self.occurrences):
                    self.occurrences.append({})
            self.occurrences[numbers[i]][spans] = None  # a set that keeps its order
        self.rows[vocabulary] = distinct, counts, numbers
        return {tokens[i][1] for i in at.tolist()}


def n_words_of(vocabulary, row):
    """How many words the n-gram of a row has."""
    n = 1
    while row >= vocabulary.n_words:
        row = int(vocabulary.ngrams[row - vocabulary.n_words, 0])
        n += 1
    return n


def _tokens(text, lowercase, min_length, marks):
    r"""(word, (start, end)) of each token, as the kernels cut them; places are those in the text as it is."""
    if marks:
        composed, spans = composed_spans(text)
        cut, pattern = read(composed, lowercase), words_pattern()
    else:
        cut, pattern = text.lower() if lowercase else text, re.compile(rf"\w{{{min_length},}}")
        n_made = [len(c.lower()) if lowercase else 1 for c in text]  # "İ" becomes two
        spans = [(i, i + 1) for i, n in enumerate(n_made) for _ in range(n)]
    found = ((match[0], *match.span()) for match in pattern.finditer(cut))
    return [(word, (spans[start][0], spans[end - 1][1])) for word, start, end in found]


def program_shares(program, reading, spread):
    """Constant, float64 (width,), and shares, float64 (n_terms, width), that add up to a program's scores.

    With spread the constant is averaged with the words where a program averages words.
    """
    constant = np.array(program.constant, np.float64)
    shares = np.zeros((len(reading.terms), program.width))
    for part in program.parts:
        columns = slice(part.first, part.first + part.width)
        if isinstance(part, WordSums | TermSums):
            values = _word_sums(part, reading) if isinstance(part, WordSums) else _term_sums(part, reading)
            shares[reading.rows[part.vocabulary][2], columns] += values
        else:
            more, values = _dense(part, reading, spread)
            constant[columns] += more
            shares[:, columns] += values
    average = averaging(program) if spread else None
    if average is not None:
        rows, counts, numbers = reading.rows[average.vocabulary]
        weights = counts * (average.table[rows, -1] if average.divisor == "weights" else 1.0)
        if weights.sum() > 0:
            shares[numbers] += (weights / weights.sum())[:, None] * constant
            constant = np.zeros_like(constant)
    return constant, shares


def averaging(program):
    """The first part of a program that is an average of words, whose weights add up to 1; or None."""
    for part in program.parts:
        if isinstance(part, WordSums) and part.divisor != "sqrt":
            return part
        if isinstance(part, Dense) and part.step == "none" and (inner := averaging(part.program)):
            return inner
    return None


def _word_sums(part, reading):
    rows, counts, _ = reading.rows[part.vocabulary]
    values = part.table[rows] * counts[:, None].astype(np.float64)
    by = counts.sum()
    by = {"count": by, "sqrt": np.sqrt(by), "weights": values[:, -1].sum()}[part.divisor]
    return values[:, : part.width] / (by if by > 0 else 1)


def _term_sums(part, reading):
    rows, counts, _ = reading.rows[part.vocabulary]
    counted = {"binary": np.ones(len(counts)), "count": counts, "log": 1 + np.log(counts)}[part.counting]
    values = part.table[rows] * counted[:, None]
    lengths = np.sqrt((values[:, part.width :] * counted[:, None]).sum(axis=0))
    by = np.append(lengths, 1.0)[part.norm_of]  # -1, for none, is the last
    return values[:, : part.width] / np.where(by > 0, by, 1)


def _dense(part, reading, spread):
    constant, shares = program_shares(part.program, reading, spread)
    row = constant + shares.sum(axis=0)
    if part.step == "l2":
        length = np.sqrt(row @ row)
        constant, shares = constant / (length or 1), shares / (length or 1)
    elif part.step == "squares":  # a square is the value times the sum of its shares
        constant = np.concatenate([constant, constant * row])
        shares = np.concatenate([shares, shares * row], axis=1)
    return (constant, shares) if part.weight is None else (constant @ part.weight, shares @ part.weight)


def decision_matrix(head, n_columns, n_classes):
    """The decision for each class before calibration, shift and threshold: scores @ this.

    Float64 (n_columns, n_classes). Of two classes it is the one against the other. Of several members it is
    the mean of their decisions; likelihoods, which no decision function gives, count against their mean. Of
    several labels a text it is each label's own; of a number that alone.
    """
    kind = head["kind"]
    if kind == "labels":
        return np.stack([decision_matrix(one, n_columns, 2)[:, 1] for one in head["heads"]], axis=1)
    if kind == "number":
        return np.eye(n_columns)[:, [head["start"]]]
    if kind in ("shift", "threshold"):
        return decision_matrix(head["head"], n_columns, n_classes)
    if kind in ("mean", "calibrated"):
        heads = head["heads"] if kind == "mean" else [member["head"] for member in head["members"]]
        matrices = [decision_matrix(inner, n_columns, n_classes) for inner in heads]
        return np.average(matrices, axis=0, weights=head.get("weights"))
    columns = slice(head["start"], head["stop"])
    matrix = np.zeros((n_columns, n_classes))
    if head["stop"] - head["start"] == 1:
        matrix[columns] = -1, 1
    elif n_classes == 2:
        matrix[columns] = [[1, -1], [-1, 1]]
    else:
        matrix[columns] = np.eye(n_classes) - (0 if head["decision"] else 1 / n_classes)
    return matrix
