"""Explanation: a decision and the share of each word in it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .._names import first_few

if TYPE_CHECKING:  # a compiled model explains without pandas, whose import takes as long as all the rest
    import pandas as pd

_BAR = 24  # characters of the longest bar: with a word and numbers beside it, a line fits a narrow terminal


@dataclass(eq=False, repr=False)
class Explanation:
    """A decision about one text as a sum over its words; `explain` makes it.

    Prints as a table with bars. In a notebook it shows the text itself, each word shaded by its share.

    Parameters
    ----------
    text : str
        As the model reads it: without HTML, if it takes that out.
    label : object
        The class whose decision is explained.
    predicted : object
        The class that the model predicts; a list of all labels, where a text may have several; or the number.
    runner_up : object
        Of the other classes, the one with the highest probability, or decision where there is none; None
        where a text may have several labels, or a number is predicted.
    labels : ndarray of shape (n_classes,)
        All classes.
    probabilities : ndarray of shape (n_classes,) or None
        The model's own, after calibration and label shift; None if it has none.
    decision : float
        The decision for `label`, before calibration, label shift and thresholds.
    constant : float
        What no word has a share in. With the shares it adds up to `decision`.
    words : list of dict
        The rows of `table`.
    unknown_words : list of dict
        The rows of `unknown`.
    spans : list, a row of `table` each
        Its places in the text, each a tuple of the (start, end) of every word of it.

    Attributes
    ----------
    table : DataFrame
        A row a word or n-gram, as the model reads it, by the size of its share, and the columns

        - word : str
        - count : how often it comes
        - share : what all of them add to the decision
        - contrast : of three classes or more, that less what they add to the decision for `runner_up`
        - positions : list of (start, end) in the text
    unknown : DataFrame
        word, count and positions of the words that the model does not know.

    See Also
    --------
    explain : Makes it, and says what the shares mean.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from embtransfer import explain
    >>> pipeline = make_pipeline(CountVectorizer(), RidgeClassifier())
    >>> _ = pipeline.fit(["good pan", "bad pan", "good lid"], ["+", "-", "+"])
    >>> print(explain(pipeline, "A good lid for a good pan"))
    +: decision +1.27
        +1.07  good (2 times)  ++++++++++++++++++++++++
        +0.13  lid             +++
        -0.13  pan             ---
        +0.20  constant
    Unknown: for
    """

    text: str
    label: object
    predicted: object
    runner_up: object
    labels: np.ndarray
    probabilities: np.ndarray | None
    decision: float
    constant: float
    words: list[dict[str, Any]]
    unknown_words: list[dict[str, Any]]
    spans: list

    @cached_property
    def table(self) -> "pd.DataFrame":
        contrast = ["contrast"] * self._has_contrast
        return _frame(self.words, ["word", "count", "share", *contrast, "positions"])

    @cached_property
    def unknown(self) -> "pd.DataFrame":
        return _frame(self.unknown_words, ["word", "count", "positions"])

    def to_frame(self) -> "pd.DataFrame":
        """One table of words, n-grams, the constant and unknown words, whose shares add up to the decision.

        Returns
        -------
        DataFrame
            The columns of `table`, and kind: "word", "n-gram", "constant" or "unknown".
        """
        import pandas as pd

        kinds = ["word" if len(places[0]) == 1 else "n-gram" for places in self.spans]
        words = self.table.assign(kind=pd.Series(kinds, dtype=object))
        constant = {"word": "", "count": 0, "share": self.constant, "positions": [], "kind": "constant"}
        parts = [words, pd.DataFrame([constant]), self.unknown.assign(share=0.0, kind="unknown")]
        frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
        columns = ["word", "kind", *self.table.columns[1:]]
        return frame.reindex(columns=columns)

    def to_dict(self, top: int | None = None) -> dict:
        """Numbers, strings and lists alone, such as JSON takes; of the words the first `top`, None all."""
        shares = None if self.probabilities is None else self.probabilities.tolist()
        return {
            "text": self.text,
            "label": _plain(self.label),
            "predicted": _plain(self.predicted),
            "probabilities": shares and dict(zip(map(str, self.labels), shares, strict=True)),
            "decision": self.decision,
            "constant": self.constant,
            "words": [{**row} for row in self.words[: _check_top(top)]],
            "unknown": [{**row} for row in self.unknown_words],
        }

    def to_text(self, top: int = 20) -> str:
        """A table with bars for a terminal: the first `top` words, None for all."""
        _check_top(top)
        shares = [row["share"] for row in self.words]
        number = self._format()
        lines = [self._summary()]
        names = [*map(_counted, self.words[:top])]
        width = max(map(len, names), default=0)
        largest = max(map(abs, shares), default=0) or 1
        for name, share in zip(names, shares, strict=False):
            bar = round(abs(share) / largest * _BAR) * ("+" if share > 0 else "-")
            lines.append(f"{number(share):>9}  {name:<{width}}  {bar}".rstrip())
        rest = shares[len(names) :]
        if rest:
            lines.append(f"{number(sum(rest)):>9}  {len(rest):,} more")
        if self.constant:
            lines.append(f"{number(self.constant):>9}  constant")
        if self.unknown_words:
            lines.append(f"Unknown: {first_few([*map(_counted, self.unknown_words)], top)}")
        if self._has_contrast and self.words:
            lines.append(self._contrast(number))
        return "\n".join(lines)

    def to_html(self, top: int = 10) -> str:
        """A fragment of HTML: the text with each word shaded, and a table of the first `top` words.

        Blue speaks for the label, orange against it; a word has the shares of its n-grams, too, evenly among
        their words. The background is see-through, so that both light and dark pages do.
        """
        from ._html import fragment

        return fragment(self, _check_top(top), self._format())

    def _repr_html_(self):
        return self.to_html()

    def __str__(self):
        return self.to_text()

    def __repr__(self):
        return f"Explanation({_plain(self.label)!r}, decision={self.decision:.4g}, {len(self.words)} words)"

    def probability_of(self, label: object) -> float | None:
        """The model's probability of a class, or None if it has none."""
        return None if self.probabilities is None else float(self.probabilities[self.labels == label][0])

    @property
    def _has_contrast(self):
        return self.runner_up is not None and len(self.labels) > 2  # of two it is twice the share

    def _summary(self):
        """The explained class and its decision in one line."""
        number, said = self._format(), ""
        if isinstance(self.predicted, list):
            said = f"; predicted: {', '.join(map(str, self.predicted)) or 'no label'}"
        elif self.runner_up is not None and self.predicted != self.label:
            said = f"; predicted: {self.predicted}"
        return f"{self._with_probability(self.label)}: decision {number(self.decision)}{said}"

    def _with_probability(self, label):
        probability = self.probability_of(label)
        return str(label) + ("" if probability is None else f" (probability {probability:.1%})")

    def _contrast(self, number):
        most = sorted(self.words, key=lambda row: -row["contrast"])[:5]
        words = [f"{row['word']} {number(row['contrast'])}" for row in most if row["contrast"] > 0]
        runner_up = f"Runner-up: {self._with_probability(self.runner_up)}."
        return f"{runner_up} For {self.label} against it: {', '.join(words) or 'no word'}"

    def _format(self):
        """Numbers with a sign and as many decimals as the largest share needs for three digits."""
        values = [row["share"] for row in self.words] or [self.decision, self.constant]
        largest = max(np.abs(values).max(), 1e-12)
        decimals = int(np.clip(2 - np.floor(np.log10(largest)), 1, 8))
        return lambda value: f"{value:+,.{decimals}f}"


def _frame(rows, columns):
    import pandas as pd

    kinds = {"word": object, "count": np.int64, "share": float, "contrast": float, "positions": object}
    return pd.DataFrame(rows, columns=columns).astype({name: kinds[name] for name in columns})


def _counted(row):
    return row["word"] if row["count"] == 1 else f"{row['word']} ({row['count']:,} times)"


def _plain(label):
    return label.item() if isinstance(label, np.generic) else label


def _check_top(top):
    if top is not None and (not isinstance(top, int | np.integer) or top < 1):
        raise ValueError(f"Got top={top!r}. Expected a number of words above 0, or None for all.")
    return top
