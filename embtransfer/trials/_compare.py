"""compare: every embedder x adapter x classifier on one source and one target, as an honest table."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from .._names import first_few
from .._rows import n_rows
from .._texts import plain_labels
from .._types import Estimator, Labels, Progress, Rows
from ..adapters import NoAdaptation, make_adapter
from ..embedders import NGramVectorizer, make_embedder
from ..pipeline import shares_in_words
from ..priors import known_priors, with_priors
from ._combinations import NAMES, Block, names_of, trials
from ._label_kinds import CLASSES, as_arrays, baselines_of, fit_for, kind_of, makers, score_for
from ._named_estimators import left_out, named, named_for, of_view, recipes_for
from ._progress import Steps
from ._scoring import lacks_classes
from ._sources import names_of_sources, ways
from ._splits import Split

COLUMNS = [
    *NAMES,
    "source_cv",
    "target_score",
    "gain",
    "fit_seconds",
    "texts_per_second",
    "target_texts",
    "error",
]


def compare(
    X_source: Rows,
    y_source: Labels,
    X_target: Rows,
    y_target: Labels | None = None,
    *,
    groups: Labels | None = None,
    domain: Labels | None = None,
    target_shares: Mapping[Any, float] | None = None,
    embedders: Estimator = None,
    adapters: Estimator = ("none", "centering", "coral", "subspace"),
    classifiers: Estimator = None,
    recipes: Estimator = None,
    scoring: str | Callable = "accuracy",
    n_target_labels: int = 0,
    transductive: bool = False,
    test_size: float = 0.5,
    cv: int = 3,
    random_state: int = 0,
    diagnostics: bool = False,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Try combinations of embedder, adapter and classifier, and whole recipes.

    Each text is embedded once by each embedder. The baselines come first: the majority class (on the target
    its own, where its labels are known), and TF-IDF with logistic regression, on the vocabulary of the
    source, and (adapter "joint") on that of the source and the seen target texts together. Of vectors, which
    no TF-IDF can read, it is adapter "none".

    Parameters
    ----------
    X_source : 1-D sequence of str of length n_source, or vectors of shape (n_source, n_features), or a table
        Vectors are a matrix of numbers: of NumPy, SciPy (sparse), pandas or polars. A table, of pandas,
        polars or pyarrow, has columns of texts and of vectors: all its texts are tried, each column of
        vectors, and the recipe "columns" of all.
    y_source : array-like of shape (n_source,)
        Labels of the source: classes; numbers, if `scoring` is of numbers, such as "r2"; or several labels a
        text, as MultiLabelClassifier takes them: lists, or columns of 0 and 1.
    X_target : like X_source, of length n_target
    y_target : array-like of shape (n_target,), default=None
        Labels of the target, if there are any. They give `target_score` and nothing else, but for those of
        `n_target_labels`. Texts without one (None, NaN) are adapted to and never scored. Nor are texts that
        stand in the source as well, but for case and white space: models have learned their labels.
    groups : array-like of shape (n_source,), default=None
        Of each source text, such as its author or product: texts of one group stay in one fold. So do texts
        that are the same, but for case and white space, anyway. None, NaN: a group by itself.
    domain : array-like of shape (n_source,), default=None
        The name of each source text's domain, where there are several. What can map each source by itself has
        two rows then, and TF-IDF has more, of each source alone; column "sources" says which is which.
    target_shares : dict of label -> float, default=None
        How often each class occurs in the target, if that is known, for all parts with a parameter `priors`
        that holds no numbers yet. None: they estimate it.
    embedders, adapters, classifiers : sequence of str or estimator, or dict of name -> str or estimator
        Names are those of make_embedder, make_adapter and make_classifier (of numbers make_regressor); the
        default classifier is "logistic" (of numbers "ridge"). Of several labels a text each is fitted for
        each label. Embedders None: "word_mean", of vectors "vectors", in whose place embedders that need
        texts step aside, with a warning; recipes likewise.
    recipes : sequence of str or model, or dict of name -> str or model, default=None
        Whole models from texts to labels: names of make_recipe, or anything whose `fit` takes X_target.
        They come last, under the embedder "recipe". None: "words", of vectors "vectors", or none for numbers.
    scoring : str or callable, default="accuracy"
        A scorer, as in scikit-learn; or "f1:LABEL", the F1 of one class, such as "f1:positive". A score of
        numbers, such as "r2" or "neg_mean_absolute_error", makes the labels numbers.
    n_target_labels : int, default=0
        So many labels of target texts go to the `fit` of what learns from them: self-training, the recipes
        and others that take y_target. They are drawn at random, the classes in their shares, from the texts
        that are not held back for scoring; of transductive=True from all, which are then not scored.
    transductive : bool, default=False
        False: the target texts are split at random, adapters see one part, without labels, and the other
        part is scored. True: adapters see all target texts, and the same are scored; the table says so.
        Without `y_target` there is nothing to score, and adapters see all.
    test_size : float in (0, 1), default=0.5
        Share of the target texts that is held back for scoring.
    cv : int, default=3
        Folds of the source cross-validation. Held-out source rows go through the source map.
    random_state : int, default=0
        Seed of the split and the folds.
    diagnostics : bool, default=False
        Whether to add the columns of `domain_shift`: how far apart the source and the seen target rows are
        still, as the adapter maps them.
    n_jobs : int or None, default=None
        Processes as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.
        Only the times depend on it; each solves on one thread.
    progress : callable (done, total, description), default=None
        Called before each combination and at the end.

    Returns
    -------
    DataFrame with a row a combination, in the order given, and the columns

        - embedder, adapter, classifier : names
        - sources : "each mapped" by itself, all "pooled" as one, or the name of the one that the row learns
          from; if `domain` is given
        - source_cv : mean score of the folds of the source
        - target_score : score on target texts; NaN without `y_target`
        - gain : target_score minus that of the same embedder and classifier with adapter "none"
        - fit_seconds : embed the source and the seen target texts, adapt, train
        - texts_per_second : embed, adapt and predict the scored target texts
        - target_texts : "unseen" or "seen" while adapting
        - error : what went wrong with this combination, or ""
        - target_labels : how many the combination learned from, if there are `n_target_labels`
        - those of `domain_shift`, if asked for

        Its `attrs` count texts: "source_texts_repeated", "target_texts_scored", and "target_texts_left_out",
        held back and not scored since they stand in the source. "class_shares" says how often each class
        occurs in the domains, as `class_shares` of the model of the best source_cv that estimates it or was
        told; "class_shares_by" names that model. Both "" if no model does. "scoring" is as given.

    Raises
    ------
    ValueError
        If lengths or widths differ, vectors hold NaN or infinity, a domain is too small for the split or the
        folds, a name is unknown, all target rows to score stand in the source, too few target labels are
        left to score, these lack a class that `scoring` sets against others, as "roc_auc" does, or
        `target_shares` are no shares of the source's labels.
    TypeError
        If X_source and X_target are not of one kind, or a table has other columns.

    Warns
    -----
    UserWarning
        If source rows are repeated, target rows are left out, or embedders or recipes that need texts.

    Examples
    --------
    >>> from embtransfer import compare
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> table = compare(films.data, films.target, pans.data, pans.target)
    >>> list(table["adapter"])
    ['none', 'none', 'joint', 'none', 'centering', 'coral', 'subspace', '-']
    """
    y_source, y_target = plain_labels(y_source), plain_labels(y_target)
    kind = kind_of(y_source, scoring)
    y_source, y_target = as_arrays(kind, y_source, y_target)
    split = transductive, test_size, random_state, groups, kind == CLASSES, n_target_labels, domain, True
    data = Split(X_source, y_source, X_target, y_target, *split)
    data.make_folds(cv, random_state)
    score = score_for(kind, scoring, data.y)
    if kind == CLASSES and data.y_scored is not None and lacks_classes(scoring, data.y_scored, data.y):
        raise ValueError(
            f"Got scoring={scoring!r} and target labels to score that lack a class, such as these: "
            f"{first_few(np.unique(data.y_scored))}. Expected some of each class, or another score."
        )
    texts, of_texts = data.views[0][0], data.views[0][1] == "texts"
    baselines = list(_baselines(kind, texts))
    blocks = baselines[: None if of_texts else 1]
    priors = known_priors(target_shares, data.y) if kind == CLASSES else None
    make, make_model, usual, usual_recipes = makers(kind)
    classifiers = usual if classifiers is None else classifiers
    embedders, aside = named_for(data.views, embedders, make_embedder, ("word_mean",))
    make_model, usual_recipes = recipes_for(data.views, make_model, usual_recipes)
    models, more = named_for(data.views, recipes, make_model, usual_recipes, optional=True)
    for said in filter(None, (left_out(aside + more), data.repeated(), data.left_out())):
        warnings.warn(said, UserWarning, stacklevel=2)
    named_adapters = _told(named(adapters, make_adapter), priors)
    if not of_texts and not any(isinstance(step, NoAdaptation) for _, step in named_adapters):
        named_adapters.insert(0, ("none", NoAdaptation()))  # the baseline, as TF-IDF is of texts
    named_classifiers = fit_for(kind, _told(named(classifiers, make), priors))
    for name, embedder in embedders:
        blocks.append(Block(name, embedder, False, ways(named_adapters, data.domain), named_classifiers))
    named_recipes = ways(fit_for(kind, _told(models, priors)), data.domain)
    plain = baselines[1] if of_texts else blocks[1]._replace(adapters=[("none", NoAdaptation(), False)])
    blocks += [plain._replace(source=name) for name in names_of_sources(data.domain)]
    rows = names_of(blocks, named_recipes, data.domain is not None)
    steps = Steps(progress, len(rows))
    results = Parallel(n_jobs, return_as="generator")(
        trials(blocks, named_recipes, data, score, diagnostics, (cv, random_state))
    )
    shares = [(-np.inf, "", "")]  # source_cv, class shares in words, and whose they are
    for row in rows:
        names = [str(name) for name in row.values() if name != "-"]
        steps(" ".join(names) if row["embedder"] == "recipe" else " + ".join(map(str, row.values())))
        figures, found, error = next(results)
        row.update(figures, target_texts=data.target_texts, error=error)
        if found is not None:
            shares.append((figures["source_cv"], shares_in_words(found), ", ".join(names)))
    steps("done")
    if kind == CLASSES and data.y_scored is not None and not rows[0]["error"]:
        rows[0]["target_score"] = _of_its_majority(data, score)
    table = pd.DataFrame(rows)
    first = [*rows[0]][: len(NAMES) + (data.domain is not None)]
    first += [column for column in COLUMNS if column not in first]
    table = table.reindex(columns=[*first, *(column for column in table if column not in first)])
    unadapted = table[table["adapter"] == "none"].set_index(["embedder", "classifier"])["target_score"]
    unadapted = unadapted[~unadapted.index.duplicated()]
    keys = pd.MultiIndex.from_frame(table[["embedder", "classifier"]])
    table["gain"] = table["target_score"] - unadapted.reindex(keys).to_numpy()
    table.attrs.update(source_texts_repeated=data.n_repeated, target_texts_left_out=data.n_left_out)
    table.attrs["target_texts_scored"] = 0 if data.y_scored is None else n_rows(data.scored)
    _, words, by = max(shares, key=lambda one: one[0])
    table.attrs.update(class_shares=words, class_shares_by=by, scoring=scoring)
    return table


def _told(pairs, priors):
    """Named estimators that know the shares of the target's classes."""
    return [(name, with_priors(estimator, priors)) for name, estimator in pairs]


def _baselines(kind, columns):
    """The rows of each baseline; of a table TF-IDF is that of its columns of texts."""
    same = FunctionTransformer()  # sparse rows pass, as they do not through the adapters
    tfidf = of_view(make_pipeline(NGramVectorizer()), columns)  # whose fit takes no target
    constant, learned = baselines_of(kind)
    counts = FunctionTransformer(_constant)
    yield Block("-", counts, False, [("none", same, False)], constant)
    yield Block("tfidf", tfidf, False, [("none", same, False)], learned)
    yield Block("tfidf", tfidf, True, [("joint", same, False)], learned)


def _of_its_majority(data, score):
    """The score of the target's own most frequent class."""
    labels, counts = np.unique(data.y_scored, return_counts=True)
    majority = DummyClassifier(strategy="constant", constant=[labels[counts.argmax()]])
    return score(majority.fit(_constant(data.source), data.y), _constant(data.scored), data.y_scored)


def _constant(texts):
    return np.zeros((n_rows(texts), 1), np.float32)
