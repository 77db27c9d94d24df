"""compare: every embedder x adapter x classifier on one source and one target, as an honest table."""

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import FunctionTransformer

from ._validation import check_texts, iter_text_chunks
from .adapters import NoAdaptation, make_adapter
from .classifiers import make_classifier
from .embedders import BaseEmbedder, make_embedder

COLUMNS = [
    "embedder",
    "adapter",
    "classifier",
    "source_cv",
    "target_score",
    "gain",
    "fit_seconds",
    "texts_per_second",
    "target_texts",
    "error",
]


def compare(
    X_source,
    y_source,
    X_target,
    y_target=None,
    *,
    embedders=("word_mean",),
    adapters=("none", "centering", "coral", "subspace"),
    classifiers=("logistic",),
    scoring="accuracy",
    transductive=False,
    test_size=0.5,
    cv=5,
    random_state=0,
    progress: Callable[[int, int, str], None] | None = None,
) -> pd.DataFrame:
    """Try combinations of embedder, adapter and classifier.

    Each text is embedded once by each embedder. The baselines come first: the majority class, and TF-IDF
    with logistic regression, on the vocabulary of the source, and (adapter "joint") on that of the source
    and the seen target texts together.

    Parameters
    ----------
    X_source : 1-D sequence of str of length n_source
    y_source : array-like of shape (n_source,)
        Labels of the source.
    X_target : 1-D sequence of str of length n_target
    y_target : array-like of shape (n_target,), default=None
        Labels of the target, if there are any. They give `target_score` and nothing else.
    embedders, adapters, classifiers : sequence of str or estimator, or dict of name -> str or estimator
        Names are those of make_embedder, make_adapter and make_classifier.
    scoring : str, default="accuracy"
        A scorer's name, as in scikit-learn.
    transductive : bool, default=False
        False: the target texts are split at random, adapters see one part, without labels, and the other
        part is scored. True: adapters see all target texts, and the same are scored; the table says so.
        Without `y_target` there is nothing to score, and adapters see all.
    test_size : float in (0, 1), default=0.5
        Share of the target texts that is held back for scoring.
    cv : int, default=5
        Folds of the source cross-validation. Held-out source rows go through the source map.
    random_state : int, default=0
        Seed of the split and the folds.
    progress : callable (done, total, description), default=None
        Called before each combination and at the end.

    Returns
    -------
    DataFrame with a row a combination, in the order given, and the columns
        embedder, adapter, classifier : names
        source_cv : mean score of the folds of the source
        target_score : score on target texts; NaN without `y_target`
        gain : target_score minus that of the same embedder and classifier with adapter "none"
        fit_seconds : embed the source and the seen target texts, adapt, train
        texts_per_second : embed, adapt and predict the scored target texts
        target_texts : "unseen" or "seen" while adapting
        error : what went wrong with this combination, or ""

    Raises
    ------
    ValueError
        If lengths differ, a domain is too small for the split or the folds, or a name is unknown.
    TypeError
        If X_source or X_target is not a 1-D sequence of texts.

    Examples
    --------
    >>> from embtransfer import compare
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> table = compare(films.data, films.target, pans.data, pans.target)
    >>> list(table["adapter"])
    ['none', 'none', 'joint', 'none', 'centering', 'coral', 'subspace']
    """
    data = _Split(X_source, y_source, X_target, y_target, transductive, test_size, random_state)
    data.make_folds(cv, random_state)
    data.check_labels_in_common()
    scorer = get_scorer(scoring)
    jobs = list(_baselines())
    named_adapters = _named(adapters, make_adapter)
    named_classifiers = _named(classifiers, make_classifier)
    for name, embedder in _named(embedders, make_embedder):
        jobs.append((name, embedder, False, named_adapters, named_classifiers))
    total = sum(len(job[3]) * len(job[4]) for job in jobs)
    rows: list[dict] = []
    for embedder_name, embedder, joint, job_adapters, job_classifiers in jobs:
        embedded = None
        for adapter_name, adapter in job_adapters:
            for classifier_name, classifier in job_classifiers:
                names = embedder_name, adapter_name, classifier_name
                if progress:
                    progress(len(rows), total, " + ".join(names))
                row = dict(zip(COLUMNS, names, strict=False), target_texts=data.target_texts, error="")
                try:
                    embedded = embedded or _Embedded(embedder, data, joint)
                    row.update(_evaluate(embedded, data, adapter, classifier, scorer))
                except Exception as error:  # a failed combination is a row of the table, not its end
                    row["error"] = f"{type(error).__name__}: {error}".partition("\n")[0]
                rows.append(row)
    if progress:
        progress(total, total, "done")
    table = pd.DataFrame(rows, columns=COLUMNS)
    unadapted = table[table["adapter"] == "none"].set_index(["embedder", "classifier"])["target_score"]
    unadapted = unadapted[~unadapted.index.duplicated()]
    keys = pd.MultiIndex.from_frame(table[["embedder", "classifier"]])
    table["gain"] = table["target_score"] - unadapted.reindex(keys).to_numpy()
    return table


class _Split:
    """The data of a comparison: source, target texts seen while adapting, target texts scored."""

    def __init__(self, X_source, y_source, X_target, y_target, transductive, test_size, random_state):
        self.source, target = _as_list(X_source), _as_list(X_target)
        self.y = np.asarray(y_source)
        _check_labels(self.source, self.y, "source")
        self.target_texts = "seen"
        self.seen = self.scored = target
        self.y_scored = None if y_target is None else np.asarray(y_target)
        if y_target is None:
            return
        _check_labels(target, self.y_scored, "target")
        if transductive:
            return
        if not 0 < test_size < 1:
            raise ValueError(f"Got test_size={test_size!r}. Expected a share between 0 and 1.")
        order = np.random.default_rng(random_state).permutation(len(target))
        n_scored = round(test_size * len(target))
        if not 0 < n_scored < len(target):
            raise ValueError(f"Got {len(target)} target texts, too few to split with test_size={test_size}.")
        scored, seen = np.sort(order[:n_scored]), np.sort(order[n_scored:])
        self.target_texts = "unseen"
        self.seen, self.scored = [target[i] for i in seen], [target[i] for i in scored]
        self.y_scored = self.y_scored[scored]

    def make_folds(self, cv, random_state):
        classes, counts = np.unique(self.y, return_counts=True)
        if len(classes) < 2 or counts.min() < cv:
            smallest = counts.min() if len(classes) else 0
            raise ValueError(
                f"Got {len(classes)} source classes, the smallest with {smallest} texts. "
                f"Expected at least 2 classes of at least cv={cv} texts."
            )
        splitter = StratifiedKFold(cv, shuffle=True, random_state=random_state)
        self.splits = list(splitter.split(self.y, self.y))

    def check_labels_in_common(self):
        if self.y_scored is None:
            return
        known, found = set(self.y.tolist()), set(self.y_scored.tolist())
        if found and not known & found:
            raise ValueError(
                f"Got source labels {_some(known)} and target labels {_some(found)}, none in common. "
                "Give both the same labels, of the same type."
            )


class _Embedded:
    """The matrices of one embedder, and how long they took."""

    def __init__(self, embedder, data, joint):
        if isinstance(embedder, BaseEmbedder):  # kernels and tables are loaded before the clock starts
            clone(embedder).fit(data.source[:1]).transform(data.source[:1])
        embedder = clone(embedder)
        start = perf_counter()
        if joint:
            embedder.fit(data.source + data.seen)
            self.source = embedder.transform(data.source)
        else:
            self.source = embedder.fit_transform(data.source)
        seen_start = perf_counter()
        self.seen = embedder.transform(data.seen)
        end = perf_counter()
        self.fit_seconds, self.score_seconds = end - start, end - seen_start
        self.scored = self.seen
        if data.scored is not data.seen:
            self.scored = embedder.transform(data.scored)
            self.score_seconds = perf_counter() - end


def _evaluate(embedded, data, adapter, classifier, scorer):
    start = perf_counter()
    adapter_, classifier_ = clone(adapter), clone(classifier)
    classifier_.fit(_fit_source(adapter_, embedded.source, data.y, embedded.seen), data.y)
    fit_seconds = embedded.fit_seconds + perf_counter() - start
    start = perf_counter()
    rows = adapter_.transform(embedded.scored)
    classifier_.predict(rows)
    score_seconds = embedded.score_seconds + perf_counter() - start
    scores = []
    for train, test in data.splits:
        fold_adapter, fold_classifier = clone(adapter), clone(classifier)
        fold_rows = _fit_source(fold_adapter, embedded.source[train], data.y[train], embedded.seen)
        fold_classifier.fit(fold_rows, data.y[train])
        to_space = getattr(fold_adapter, "transform_source", fold_adapter.transform)
        scores.append(scorer(fold_classifier, to_space(embedded.source[test]), data.y[test]))
    return {
        "source_cv": float(np.mean(scores)),
        "target_score": np.nan if data.y_scored is None else scorer(classifier_, rows, data.y_scored),
        "fit_seconds": fit_seconds,
        "texts_per_second": len(data.scored) / score_seconds,
    }


def _fit_source(adapter, source, y, seen):
    if hasattr(adapter, "transform_source"):
        return adapter.fit_transform(source, y, X_target=seen)
    return adapter.fit_transform(source, y)


def _baselines():
    """(embedder name, embedder, fitted on both domains, adapters, classifiers) of each baseline."""
    same = FunctionTransformer()  # sparse rows pass, as they do not through the adapters
    # min_df=2: pairs of words seen once carry nothing over; C=10: TF-IDF rows have length 1
    tfidf = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    logistic = [("logistic", LogisticRegression(C=10.0, max_iter=1000))]
    counts = FunctionTransformer(_constant)
    yield "-", counts, False, [("none", same)], [("majority", DummyClassifier(strategy="most_frequent"))]
    yield "tfidf", tfidf, False, [("none", same)], logistic
    yield "tfidf", tfidf, True, [("joint", same)], logistic


def _constant(texts):
    return np.zeros((len(texts), 1), np.float32)


def _named(given, make):
    """(name, estimator) pairs from names, estimators, or a dict of either."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        given = [given]
    pairs = given.items() if isinstance(given, Mapping) else ((None, item) for item in given)
    result = []
    for name, item in pairs:
        if isinstance(item, str):
            result.append((name or item, make(item)))
        elif name is None and isinstance(item, NoAdaptation):
            result.append(("none", item))
        else:
            result.append((name or repr(item), item))
    if not result:
        raise ValueError("Got an empty list of embedders, adapters or classifiers. Expected at least one.")
    return result


def _check_labels(texts, y, domain):
    if y.ndim != 1 or len(y) != len(texts):
        raise ValueError(
            f"Got {len(texts)} {domain} texts and labels of shape {y.shape}. Expected one a text."
        )


def _some(labels):
    """Up to five labels, for a message."""
    return ", ".join(sorted(map(repr, labels))[:5]) + (", ..." if len(labels) > 5 else "")


def _as_list(X):
    return [text for _, chunk in iter_text_chunks(check_texts(X)) for text in chunk.to_pylist()]
