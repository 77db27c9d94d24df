"""check_domains: what stands in both domains, and what is probably wrong there, before a fit."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._names import first_few, misspelt, spellings
from .._rows import check_both, check_rows, kind_of_rows, n_rows, take
from .._texts import plain_labels
from .._types import Estimator, Labels, Rows
from ..embedders import Coverage, WordEmbedder, make_embedder
from ..system._html import HTML
from ._domains import Domains
from ._label_kinds import CLASSES, NUMBERS, kind_of

_LOOKED_AT = 20_000  # texts of a domain whose words and HTML are counted
_NAMED = 5  # labels in a sentence
_GONE = "nan", "null", "na", "n/a", "#n/a", "<na>", "nat"  # what programs write of a cell without a value


@dataclass(frozen=True, eq=False)
class DomainCheck:
    """What `check_domains` found; as a string a line of what is there, and one for each kind of problem.

    Parameters
    ----------
    summary : str
    problems : list of str
        Sentences, none where all is well.
    n_source, n_target : int
        Rows.
    classes : DataFrame or None
        A row a class: "source" and "target", its rows; "source_share" and "target_share" of the labelled
        ones. None if a row has several labels or a number.
    spellings : dict
        Labels that differ from a more frequent one by case or white space only -> that one.
    n_unlabelled : int
        Source rows without a label.
    n_empty_source, n_empty_target : int
        Missing and empty texts.
    n_repeated, n_repeated_target, n_in_source : int
        Source rows that repeat one before them, target rows that do, and target rows that stand in the source
        as well. Empty texts are none of these.
    median_words : (float, float)
        Words of a text, source and target; NaN of vectors.
    html : (float, float)
        Share of the texts with HTML tags or entities, source and target.
    coverage : Coverage or None
        Which words of the target the table of the embedder has.

    Examples
    --------
    >>> from embtransfer import check_domains
    >>> found = check_domains(["Good.", "Bad!", "Fine"], ["good", "bad", "Good "], ["A pan", "A lid"])
    >>> found.spellings
    {'Good ': 'good'}
    """

    summary: str
    problems: list[str]
    n_source: int
    n_target: int
    classes: pd.DataFrame | None
    spellings: dict
    n_unlabelled: int
    n_empty_source: int
    n_empty_target: int
    n_repeated: int
    n_repeated_target: int
    n_in_source: int
    median_words: tuple[float, float]
    html: tuple[float, float]
    coverage: Coverage | None

    def __str__(self):
        return "\n".join([self.summary, *(f"- {said}" for said in self.problems)])


def check_domains(
    X: Rows,
    y: Labels,
    X_target: Rows | None = None,
    y_target: Labels | None = None,
    *,
    embedder: Estimator | str | None = "word_mean",
    scoring: str = "accuracy",
) -> DomainCheck:
    """Look at the data before fitting: counts, labels, missing and repeated rows, lengths, HTML.

    Parameters
    ----------
    X : 1-D sequence of str of length n_source, or vectors of shape (n_source, n_features)
    y : array-like of shape (n_source,)
        Labels as `compare` takes them; None, NaN or "" where there is none.
    X_target : 1-D sequence of str of length n_target, or vectors (n_target, n_features), default=None
    y_target : array-like of shape (n_target,), default=None
    embedder : str, embedder or None, default="word_mean"
        Whose table the target's words are looked for in; "word_mean" is that of the bundled English vectors.
        None: they are not looked for.
    scoring : str, default="accuracy"
        As in `compare`: one of numbers, such as "r2", makes the labels numbers.

    Returns
    -------
    DomainCheck
        `print` shows a line, and one for each kind of problem.

    Raises
    ------
    ValueError
        If X and y, or X_target and y_target, differ in length.
    TypeError
        If X and X_target are not both texts or both vectors.

    See Also
    --------
    word_shift : Which words differ between the domains.
    suspicious_labels : Source labels that are probably wrong.

    Notes
    -----
    Words and HTML are counted in at most 20,000 texts of each domain, evenly spaced.

    Examples
    --------
    >>> from embtransfer import check_domains
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> print(check_domains(films.data, films.target, pans.data))
    Data: source 320 texts of 27 words (0: 160, 50 %; 1: 160, 50 %); target 320 texts of 26 words
    """
    y, y_target = _listed(y), _listed(y_target)
    if X_target is None:
        source = check_rows(X, "source rows")
        target = source[:0]
    else:
        source, target = check_both(X, X_target)
    texts, kind = kind_of_rows(source) == "texts", kind_of(y, scoring)
    for name, rows, labels in (("X", source, y), ("X_target", target, y_target)):
        if labels is not None and n_rows(rows) != n_rows(labels):
            got = f"{n_rows(rows)} rows as {name} and {n_rows(labels)} labels"
            raise ValueError(f"Got {got}. Expected a label a row, None where it is not known.")
    data = Domains(source, np.zeros(n_rows(source)), target, of_classes=False)
    n_unlabelled = _n_missing(y)
    classes = _classes(y, y_target) if kind == CLASSES else None
    others = spellings(y, y_target) if kind == CLASSES else {}
    empty = [int(of.sum()) for of in (data.empty, data.target_empty)]
    looked_at = [take(rows, _spaced(len(rows))) if texts else [] for rows in (source, target)]
    words = [_median([len(text.split()) for text in rows]) for rows in looked_at]
    html = [_share([bool(HTML.search(text)) for text in rows]) for rows in looked_at]
    coverage = _coverage(embedder, target) if texts and len(target) and embedder is not None else None
    problems = [
        _said_of_labels(others, y, n_unlabelled, classes),
        _said_of_rows(empty, data),
        _said_of_words(words, coverage, empty[1]),
        _said_of_html(html, n_rows(target)),
    ]
    return DomainCheck(
        _summary(data, classes, kind, words),
        [said for said in problems if said],
        n_rows(source),
        n_rows(target),
        classes,
        others,
        n_unlabelled,
        empty[0],
        empty[1],
        data.n_repeated,
        data.n_repeated_target,
        int(data.in_source.sum()),
        (words[0], words[1]),
        (html[0], html[1]),
        coverage,
    )


def _listed(labels):
    """One label a row as a list; a matrix of several as it is."""
    labels = plain_labels(labels)
    if labels is None or getattr(labels, "ndim", 1) == 2:
        return labels
    return labels.tolist() if hasattr(labels, "tolist") else list(labels)


def _is_missing(label):
    return label is None or label is pd.NA or label != label or (isinstance(label, str) and not label.strip())


def _n_missing(labels):
    return sum(map(_is_missing, labels)) if isinstance(labels, list) else 0


def _classes(y, y_target):
    counts = [Counter(one for one in labels if not _is_missing(one)) for labels in (y, y_target or [])]
    labels = sorted(set().union(*counts), key=lambda one: (str(type(one)), one))
    table = pd.DataFrame(index=pd.Index(labels, name="class", dtype=object))
    for name, count in zip(("source", "target"), counts, strict=True):
        table[name] = [count[one] for one in labels]
    return table.assign(**{f"{name}_share": table[name] / table[name].sum() for name in ("source", "target")})


def _spaced(n):
    return np.linspace(0, n - 1, min(n, _LOOKED_AT)).astype(int)


def _median(counts):
    return float(np.median(counts)) if counts else float("nan")


def _share(found):
    return float(np.mean(found)) if found else 0.0


def _coverage(embedder, texts):
    embedder = make_embedder(embedder) if isinstance(embedder, str) else embedder
    if not isinstance(embedder, WordEmbedder):
        return None
    options = "vectors", "token_pattern", "lowercase", "phrases"
    table = WordEmbedder(**{name: getattr(embedder, name) for name in options})
    return table.fit(texts[:1]).coverage(texts)


def _summary(data, classes, kind, words):
    said = []
    for name, rows, length in zip(("source", "target"), (data.source, data.target), words, strict=True):
        of_words = f" of {length:.0f} words" if length == length else ""
        labels = "" if classes is None else _counts(classes[name])
        if kind != CLASSES and name == "source":
            labels = " (numbers)" if kind == NUMBERS else " (several labels a text)"
        if n_rows(rows):
            said.append(f"{name} {n_rows(rows):,} {data.kind}{of_words}{labels}")
    return f"Data: {'; '.join(said)}"


def _counts(counts):
    """Classes with rows and shares, of many the most frequent and the rarest; "" if there are none."""
    counts = counts[counts > 0]
    if counts.empty:
        return ""
    named = counts if len(counts) <= _NAMED else counts.sort_values(ascending=False, kind="stable")[:_NAMED]
    said = [f"{label}: {n:,}, {100 * n / counts.sum():.0f} %" for label, n in named.items()]
    if more := len(counts) - len(named):
        said.append(f"{more} more classes, the rarest {counts.idxmin()}: {counts.min():,}")
    return f" ({'; '.join(said)})"


def _said_of_labels(others, y, n_unlabelled, classes):
    said, counts = [], {} if classes is None else (classes["source"] + classes["target"]).to_dict()
    n_classes = 0 if classes is None else int((classes["source"] > 0).sum())
    labelled = n_rows(y) - n_unlabelled
    if n_classes > max(labelled / 2, _NAMED):
        said.append(
            f"{n_classes:,} classes in {labelled:,} rows: are these the labels? --label-column names their "
            "column; labels that are numbers are for --numbers of fit and --scoring r2 of compare."
        )
    if others:
        named = first_few([*others.items()], _NAMED, lambda pair: f"{pair[0]!r} beside {pair[1]!r}")
        said.append(
            "Labels that differ by case or white space only are classes of their own: "
            f"{named}. --merge-labels makes one class of them."
        )
    alike = [
        f"{rare!r} ({counts[rare]:,} row{'s' * (counts[rare] > 1)}) looks like {meant!r} ({counts[meant]:,})"
        for rare, meant in misspelt(counts).items()
    ]
    said += [f"{first_few(alike, _NAMED)}: misspelt?"] * bool(alike)
    if gone := [label for label in counts if str(label).strip().lower() in _GONE]:
        said.append(f"{first_few(gone, _NAMED, repr)}: a class, or no label? Then leave the cell empty.")
    if n_unlabelled:
        said.append(f"Without a label: {n_unlabelled:,} of {n_rows(y):,} source rows. Leave them out.")
    return " ".join(said)


def _said_of_rows(empty, data):
    said = [
        f"Missing or empty: {n:,} of {n_rows(rows):,} {name} texts."
        for n, rows, name in zip(empty, (data.source, data.target), ("source", "target"), strict=True)
        if n
    ]
    more = data.repeated(), data.repeated_in_target(), data.overlapping()
    return " ".join(filter(None, [*said, *more]))


def _said_of_words(words, coverage, n_empty):
    said = []
    if words[1] < words[0] / 2:
        said.append(
            f"The target's texts are short: {words[1]:.0f} words in the median, the source's {words[0]:.0f}. "
            "Expect less of them than accuracy on the source promises."
        )
    few = 0.01 * len(coverage.n_tokens) if coverage is not None else 0
    if coverage is not None and (coverage.share < 0.5 or coverage.n_zero_rows - n_empty > few):
        asked = ", ".join(coverage.unknown(5)["word"])
        said.append(f"The target: {coverage}. Most frequent unknown words: {asked}")
    return " ".join(said)


def _said_of_html(html, n_target):
    if max(html) < 0.01:
        return ""
    of_target = f" and {100 * html[1]:.0f} % of the target's" if n_target else ""
    return (
        f"{100 * html[0]:.0f} % of the source's texts{of_target} hold HTML, such as <br> or &#39;, which "
        "counts as words. --html (in Python HTMLCleaner, or clean='html') takes it out, and out of what the "
        "model scores."
    )
