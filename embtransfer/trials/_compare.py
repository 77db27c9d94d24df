"""compare: every embedder x adapter x classifier on one source and one target, as an honest table."""

import warnings
from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import product
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import has_fit_parameter

from .._types import Estimator, Labels, Progress, Texts
from ..adapters import make_adapter
from ..classifiers import make_classifier
from ..diagnostics import domain_shift
from ..embedders import BaseEmbedder, make_embedder
from ..pipeline import class_shares, for_source, shares_in_words
from ..priors import known_priors, with_priors
from ..recipes import make_recipe
from ._named_estimators import named
from ._progress import Steps, line
from ._scoring import scorer
from ._splits import Split
from ._store import learn, target_for

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


@config_context(transform_output="default")  # rows are cut by their numbers
def compare(
    X_source: Texts,
    y_source: Labels,
    X_target: Texts,
    y_target: Labels | None = None,
    *,
    groups: Labels | None = None,
    target_shares: Mapping[Any, float] | None = None,
    embedders: Estimator = ("word_mean",),
    adapters: Estimator = ("none", "centering", "coral", "subspace"),
    classifiers: Estimator = ("logistic",),
    recipes: Estimator = ("words",),
    scoring: str | Callable = "accuracy",
    transductive: bool = False,
    test_size: float = 0.5,
    cv: int = 5,
    random_state: int = 0,
    diagnostics: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Try combinations of embedder, adapter and classifier, and whole recipes.

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
        Labels of the target, if there are any. They give `target_score` and nothing else. Texts without one
        (None, NaN) are adapted to and never scored. Nor are texts that stand in the source as well, but for
        case and white space: models have learned their labels.
    groups : array-like of shape (n_source,), default=None
        Of each source text, such as its author or product: texts of one group stay in one fold. So do texts
        that are the same, but for case and white space, anyway. None, NaN: a group by itself.
    target_shares : dict of label -> float, default=None
        How often each class occurs in the target, if that is known, for all parts with a parameter `priors`
        that holds no numbers yet. None: they estimate it.
    embedders, adapters, classifiers : sequence of str or estimator, or dict of name -> str or estimator
        Names are those of make_embedder, make_adapter and make_classifier.
    recipes : sequence of str or model, or dict of name -> str or model, default=("words",)
        Whole models from texts to labels: names of make_recipe, or anything whose `fit` takes X_target.
        They come last, under the embedder "recipe".
    scoring : str or callable, default="accuracy"
        A scorer, as in scikit-learn; or "f1:LABEL", the F1 of one class, such as "f1:positive".
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
    diagnostics : bool, default=False
        Whether to add the columns of `domain_shift`: how far apart the source and the seen target rows are
        still, as the adapter maps them.
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
        and those of `domain_shift`, if asked for.
        Its `attrs` count texts: "source_texts_repeated", and "target_texts_left_out", held back and not
        scored since they stand in the source. "class_shares" says how often each class occurs in the domains,
        as `class_shares` of the model of the best source_cv that estimates it or was told;
        "class_shares_by" names that model. Both "" if no model does.

    Raises
    ------
    ValueError
        If lengths differ, a domain is too small for the split or the folds, a name is unknown, all target
        texts to score stand in the source, or `target_shares` are no shares of the source's labels.
    TypeError
        If X_source or X_target is not a 1-D sequence of texts.

    Warns
    -----
    UserWarning
        If source texts are repeated, or target texts are left out.

    Examples
    --------
    >>> from embtransfer import compare
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> table = compare(films.data, films.target, pans.data, pans.target)
    >>> list(table["adapter"])
    ['none', 'none', 'joint', 'none', 'centering', 'coral', 'subspace', '-']
    """
    data = Split(X_source, y_source, X_target, y_target, transductive, test_size, random_state, groups)
    data.make_folds(cv, random_state)
    for said in filter(None, (data.repeated(), data.left_out())):
        warnings.warn(said, UserWarning, stacklevel=2)
    score = scorer(scoring, data.y)
    jobs = list(_baselines())
    priors = known_priors(target_shares, data.y)
    named_adapters = _told(named(adapters, make_adapter), priors)
    named_classifiers = _told(named(classifiers, make_classifier), priors)
    for name, embedder in named(embedders, make_embedder):
        jobs.append((name, embedder, False, named_adapters, named_classifiers))
    named_recipes = _told(named(recipes, make_recipe), priors) if len(recipes) else []
    steps = Steps(progress, sum(len(job[3]) * len(job[4]) for job in jobs) + len(named_recipes))
    rows: list[dict] = []
    shares = [(-np.inf, "", "")]  # source_cv, class shares in words, and whose they are
    for names, what, evaluate in _trials(jobs, named_recipes, data, score, diagnostics):
        steps(what)
        row = dict(zip(COLUMNS, names, strict=False), target_texts=data.target_texts, error="")
        try:
            figures, found = evaluate()
            row.update(figures)
            if found is not None:
                by = ", ".join(name for name in names if name != "-")
                shares.append((figures["source_cv"], shares_in_words(found), by))
        except Exception as error:  # a failed combination is a row of the table, not its end
            row["error"] = line(error)
        rows.append(row)
    steps("done")
    table = pd.DataFrame(rows)
    table = table.reindex(columns=[*COLUMNS, *(column for column in table if column not in COLUMNS)])
    unadapted = table[table["adapter"] == "none"].set_index(["embedder", "classifier"])["target_score"]
    unadapted = unadapted[~unadapted.index.duplicated()]
    keys = pd.MultiIndex.from_frame(table[["embedder", "classifier"]])
    table["gain"] = table["target_score"] - unadapted.reindex(keys).to_numpy()
    table.attrs.update(source_texts_repeated=data.n_repeated, target_texts_left_out=data.n_left_out)
    _, words, by = max(shares, key=lambda one: one[0])
    table.attrs.update(class_shares=words, class_shares_by=by)
    return table


def _told(pairs, priors):
    """Named estimators that know the shares of the target's classes."""
    return [(name, with_priors(estimator, priors)) for name, estimator in pairs]


def _trials(jobs, named_recipes, data, score, diagnostics):
    """(names, what is tried, a call that gives its figures and class shares) of each row."""
    for embedder_name, embedder, joint, adapters, classifiers in jobs:
        embed = cache(partial(_Embedded, embedder, data, joint))  # at the first combination: it may fail
        for (adapter_name, adapter), (classifier_name, classifier) in product(adapters, classifiers):
            names = embedder_name, adapter_name, classifier_name
            evaluate = partial(_evaluate, embed, data, adapter, classifier, score, diagnostics)
            yield names, " + ".join(names), evaluate
    for name, model in named_recipes:
        yield ("recipe", "-", name), f"recipe {name}", partial(_evaluate_recipe, model, data, score)


class _Embedded:
    """The matrices of one embedder, and how long they took."""

    def __init__(self, embedder, data, joint):
        takes_target = has_fit_parameter(embedder, "X_target")
        if isinstance(embedder, BaseEmbedder) and not takes_target:  # kernels and tables load off the clock
            clone(embedder).fit(data.source[:1]).transform(data.source[:1])
        embedder = clone(embedder)
        start = perf_counter()
        if joint or takes_target:
            self.source = learn(embedder, data.source, data.seen, joint).transform(data.source)
        else:  # TF-IDF reads texts once, to learn and to embed
            self.source = embedder.fit_transform(data.source)
        seen_start = perf_counter()
        self.seen = embedder.transform(data.seen)
        end = perf_counter()
        self.fit_seconds, self.score_seconds = end - start, end - seen_start
        self.scored = self.seen
        if data.scored is not data.seen:
            self.scored = embedder.transform(data.scored)
            self.score_seconds = perf_counter() - end


def _evaluate(embed, data, adapter, classifier, score, diagnostics):
    embedded = embed()
    start = perf_counter()
    adapter_, classifier_, source = _fit(adapter, classifier, embedded.source, data.y, embedded.seen)
    fit_seconds = embedded.fit_seconds + perf_counter() - start
    start = perf_counter()
    rows = adapter_.transform(embedded.scored)
    classifier_.predict(rows)
    score_seconds = embedded.score_seconds + perf_counter() - start
    scores = []
    for train, test in data.splits:
        fold = _fit(adapter, classifier, embedded.source[train], data.y[train], embedded.seen)
        to_space = getattr(fold[0], "transform_source", fold[0].transform)
        scores.append(score(for_source(fold[1]), to_space(embedded.source[test]), data.y[test]))
    shift = domain_shift(source, adapter_.transform(embedded.seen)).to_dict() if diagnostics else {}
    target_score = np.nan if data.y_scored is None else score(classifier_, rows, data.y_scored)
    figures = _figures(scores, target_score, fit_seconds, len(data.scored) / score_seconds) | shift
    return figures, class_shares(Pipeline([("adapter", adapter_), ("classifier", classifier_)]))


def _fit(adapter, classifier, source, y, seen):
    """The fitted adapter and classifier, and the source rows as the adapter maps them."""
    adapter, classifier = clone(adapter), clone(classifier)
    rows = adapter.fit_transform(source, y, **target_for(adapter, seen))
    takes_target = has_fit_parameter(classifier, "X_target")
    target = {"X_target": adapter.transform(seen)} if takes_target else {}
    return adapter, classifier.fit(rows, y, **target), rows


def _evaluate_recipe(model, data, score):
    start = perf_counter()
    fitted = clone(model).fit(data.source, data.y, **target_for(model, data.seen))
    fit_seconds = perf_counter() - start
    start = perf_counter()
    fitted.predict(data.scored)
    score_seconds = perf_counter() - start
    scores = []
    for train, test in data.splits:
        some, held_out = ([data.source[i] for i in part] for part in (train, test))
        fold = clone(model).fit(some, data.y[train], **target_for(model, data.seen))
        scores.append(score(for_source(fold), held_out, data.y[test]))
    target_score = np.nan if data.y_scored is None else score(fitted, data.scored, data.y_scored)
    figures = _figures(scores, target_score, fit_seconds, len(data.scored) / score_seconds)
    return figures, class_shares(fitted)


def _figures(source_scores, *others):
    """What a row of the table says, by column."""
    columns = "source_cv", "target_score", "fit_seconds", "texts_per_second"
    return dict(zip(columns, (float(np.mean(source_scores)), *others), strict=True))


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
