"""learning_curve: the score on target texts against how many source and target texts have labels."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn import config_context
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from threadpoolctl import threadpool_limits

from .._parts import first_steps, takes
from .._rows import stack_rows, take
from .._types import Estimator, Labels, Progress, Rows, Seed
from ..embedders import BaseEmbedder, SentenceEmbedder
from ..pipeline import TransferPipeline, for_source
from ..pipeline._words import words_of
from ..priors import known_priors, with_priors
from ..recipes import make_recipe
from ._curve_models import as_model, make_model, of_column, usual_models
from ._domains import known
from ._named_estimators import left_out, named_for, recipes_for
from ._progress import line
from ._scoring import scorer
from ._splits import Draws
from ._store import learn, target_for
from .search._candidates import EMBEDDERS, RECIPES

COLUMNS = ["model", "labels", "n_source", "n_target", "repeat", "scored", "score", "seconds", "error"]
SIZES, USUAL = [16 * 4**k for k in range(16)], ("tfidf", *EMBEDDERS, *RECIPES)


def learning_curve(
    X_source: Rows,
    y_source: Labels,
    X_target: Rows,
    y_target: Labels | None = None,
    *,
    groups: Labels | None = None,
    target_shares: Mapping[Any, float] | None = None,
    models: Estimator = None,
    source_sizes: Sequence[int] | Literal["all"] | None = None,
    target_sizes: Sequence[int] | Literal["all"] | None = None,
    scoring: str | Callable = "accuracy",
    n_repeats: int = 3,
    test_size: float = 0.5,
    random_state: Seed = 0,
    progress: Progress | None = None,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Score models on held-back target texts, with more and more labels of the source and of the target.

    It shows where pretrained vectors pay, where more source labels stop paying, and how many target labels
    are worth as much.

    Parameters
    ----------
    X_source : 1-D sequence of str of length n_source, or vectors of shape (n_source, n_features)
        Or a table, as in `compare`: models are made for its texts and for each of its columns of vectors.
    y_source : array-like of shape (n_source,)
    X_target : 1-D sequence of str of length n_target, or vectors of shape (n_target, n_features)
    y_target : array-like of shape (n_target,), default=None
        None, NaN or pandas.NA where a label is not known. Texts without a label are never scored, nor are
        those that stand in the source as well, but for case and white space.
    groups : array-like of shape (n_source,), default=None
        As in `compare`: source texts of one group are held back together or not at all.
    target_shares : dict of label -> float, default=None
        As in `compare`: how often each class occurs in the target, if that is known.
    models : sequence of str or model, or dict of name -> str or model
        "tfidf": TF-IDF of words and pairs of words; a name of make_embedder: its rows, each domain centred;
        both with PooledClassifier, a logistic regression that takes labels of both domains. A name of
        make_recipe. An embedder, taken as its name is. Any model to labels. None: "tfidf", "word_mean",
        "domain_words", "words"; of vectors "centering" (these, each domain centred) and the recipe "vectors";
        of a table all of them, and the recipe "columns".
    source_sizes : sequence of int or "all", default=None
        Numbers of source labels, where no target text has one. None: 16, 64, 256, 1024, and so on,
        and all: each four times as many, as curves flatten.
    target_sizes : sequence of int or "all", default=None
        Numbers of labels of the target texts not held back; 0 is the curve of the source. None: 0, 16, 64,
        256 and so on, and all.
    scoring : str or callable, default="accuracy"
        A scorer, as in scikit-learn; or "f1:LABEL", the F1 of one class, such as "f1:positive".
    n_repeats : int, default=3
        How often to draw anew what is held back and which texts have labels.
    test_size : float in (0, 1), default=0.5
        Share of the labelled target texts that is held back for scoring.
    random_state : int, RandomState instance or None, default=0
    progress : callable (done, total, description), default=None
        Called after each repeat of each model.
    n_jobs : int or None, default=None
        Processes as joblib counts them: None is 1 or parallel_config's, -1 all processors, -2 all but one.

    Returns
    -------
    DataFrame with a row a fit, and the columns

        - model : name
        - labels : "source", "target" (those alone, without any source), or "both" (all source labels, and
          n_target target labels)
        - n_source, n_target : labels that the model was fitted with
        - repeat : 0, 1, ..., n_repeats - 1
        - scored : "target"; "source" where y_target is None: held-out source texts, through the source path
        - score : NaN where the fit failed
        - seconds : to adapt and train; embedding is not counted
        - error : what went wrong, or ""

    Raises
    ------
    ValueError
        If lengths differ, a size is larger than there are labels, a name is unknown, or `target_shares` are
        no shares of the source's labels.
    TypeError
        If X_source and X_target are not both texts, both vectors or both tables.

    Warns
    -----
    UserWarning
        If source rows are repeated, target rows stand in the source, or models are left out that need texts.

    See Also
    --------
    summarize_learning_curve : Mean and spread over the repeats.
    plot_learning_curve : Draws it.
    compare : More models, with all source labels.

    Notes
    -----
    Models adapt to the target texts that are not held back, without labels, whatever the sizes. Smaller sets
    of labels are inside larger ones and keep the shares of the classes. An embedder that learns from texts
    learns from all those not held back, and each repeat embeds each text once; the rest of a model sees only
    source texts with a label. Texts that are the same, but for case and white space, are held back together.

    "both" passes y_target to a pipeline that takes it, and adds labelled target texts to the source texts of
    other models.

    Examples
    --------
    >>> from embtransfer import learning_curve, summarize_learning_curve
    >>> from embtransfer.datasets import load_demo_reviews
    >>> films, pans = load_demo_reviews("films"), load_demo_reviews("kitchenware")
    >>> curve = learning_curve(films.data, films.target, pans.data, pans.target, models=["word_mean"],
    ...                        source_sizes=[16, "all"], target_sizes=[0, 16], n_repeats=2)
    >>> summarize_learning_curve(curve)[["labels", "n_source", "n_target", "n_repeats"]]
       labels  n_source  n_target  n_repeats
    0  source        16         0          2
    1  source       320         0          2
    2  target         0        16          2
    3    both       320        16          2
    """
    if n_repeats < 1:
        raise ValueError(f"Got n_repeats={n_repeats}. Expected 1 or more.")
    data = Draws(X_source, y_source, X_target, y_target, test_size, random_state, groups)
    make, usual = recipes_for(data.views, make_recipe, USUAL)
    if models is None:
        models = usual_models({kind for _, kind in data.views}, usual)
    found, aside = named_for(data.views, models, partial(make_model, make=make), usual)
    for said in filter(None, (left_out(aside), data.repeated(), data.left_out())):
        warnings.warn(said, UserWarning, stacklevel=2)
    draws = [data.draw(repeat) for repeat in range(n_repeats)]
    runs = _runs(draws, source_sizes, target_sizes)
    score = scorer(scoring, data.y)
    priors = known_priors(target_shares, data.y)
    pairs = [(name, with_priors(as_model(model), priors)) for name, model in found]
    result: list[dict] = []
    with TemporaryDirectory() as folder:
        tasks = (
            delayed(_curve)(name, _cached(model, folder), data, draw, runs, score, repeat)
            for name, model in pairs
            for repeat, draw in enumerate(draws)
        )
        for done, found in enumerate(Parallel(n_jobs, return_as="generator")(tasks), 1):
            result.extend(found)
            if progress:
                progress(done, n_repeats * len(pairs), found[0]["model"])
    return pd.DataFrame(result, columns=COLUMNS)


def _cached(model, folder):
    """A copy whose sentence models, wherever they are in it, encode each text once."""
    model = clone(model, safe=False)
    parts = model.get_params() if hasattr(model, "get_params") else {}
    for part in parts.values():
        if isinstance(part, SentenceEmbedder) and part.cache_dir is None:
            part.set_params(cache_dir=folder)
    return model


def _split_off_embedder(model, data, draw):
    """Rows of both domains, and the part of the model that takes them."""
    first = model.steps[0][1] if isinstance(model, TransferPipeline) else None
    parts = [of_column(step) for step in first_steps(first)]
    if not all(isinstance(part, BaseEmbedder | CountVectorizer) for part in parts):
        return (data.source, data.target), model
    joint = any(isinstance(part, CountVectorizer) for part in parts)  # their fit takes no target
    embedder = learn(clone(first), take(data.source, draw.source_order), take(data.target, draw.seen), joint)
    rows = embedder.transform(data.source), embedder.transform(data.target)
    return rows, TransferPipeline(model.steps[1:])


@config_context(transform_output="default")  # rows are cut by their numbers
def _curve(name, model, data, draw, runs, score, repeat):
    """A row a run, for one model and one draw."""
    scored = "source" if data.y_target is None else "target"
    result, error, words = [], "", {}
    try:
        rows, model = _split_off_embedder(model, data, draw)
    except Exception as caught:  # a model that fails is rows of the table, not its end
        error = line(caught)
    for labels, n_source, n_target in runs:
        row = dict.fromkeys(COLUMNS, np.nan)
        row.update(
            model=name, labels=labels, n_source=n_source, n_target=n_target, repeat=repeat, scored=scored
        )
        row["error"] = error
        if not error:
            try:
                start = perf_counter()
                with threadpool_limits(1, "blas"):  # many small solves: threads would wait for one another
                    fitted = _fit(clone(model), data, rows, draw, n_source, n_target, words)
                row["seconds"] = perf_counter() - start
                if scored == "source":
                    fitted = for_source(fitted)
                of, y = (rows[0], data.y) if scored == "source" else (rows[1], data.y_target)
                row["score"] = float(score(fitted, take(of, draw.held_back), known(y, draw.held_back)))
            except Exception as caught:
                row["error"] = line(caught)
        result.append(row)
    return result


def _fit(model, data, rows, draw, n_source, n_target, words):
    source, target = draw.source_order[:n_source], draw.target_order[:n_target]
    X, y, labelled = take(rows[0], source), data.y[source], take(rows[1], target)
    if n_source == 0:
        # the target is its own source: nothing shifts
        return model.fit(labelled, known(data.y_target, target))
    seen, texts, key = target_for(model, take(rows[1], draw.seen)), take(data.source, source), (n_source, 0)
    if n_target and takes(model, "y_target"):
        seen["y_target"] = data.labels_at(target)[draw.seen]
    elif n_target:
        X, y = stack_rows(X, labelled), np.concatenate([y, known(data.y_target, target)])
        texts, key = stack_rows(texts, take(data.target, target)), (n_source, n_target)
    if isinstance(model, TransferPipeline):
        if key not in words:  # runs of the same texts share what is made of them
            words[key] = words_of(texts, take(data.target, draw.seen))
        model._words = words[key]
    return model.fit(X, y, **seen)


def _runs(draws, source_sizes, target_sizes):
    """(labels, n_source, n_target) of every point of the curves."""
    # repeats that hold back groups of texts leave more or fewer
    n_source = min(len(draw.source_order) for draw in draws)
    n_target = min(len(draw.target_order) for draw in draws)
    sources = _sizes(source_sizes, n_source, "source", [])
    targets = _sizes(target_sizes, n_target, "target", [0])
    runs = [("source", size, 0) for size in sources if size] if 0 in targets else []
    runs += [("target", 0, size) for size in targets if size]
    runs += [("both", n_source, size) for size in targets if size]
    if not runs:
        raise ValueError("Got no numbers of labels. Expected some in source_sizes or target_sizes.")
    return runs


def _sizes(sizes, n, domain, first):
    if sizes is None:
        sizes = [*first, *(size for size in SIZES if size < n), n]
    sizes = [n if size == "all" else size for size in sizes]
    for size in sizes:
        if not isinstance(size, int | np.integer) or not 0 <= size <= n:
            none = "" if n else f" The {domain} has no labels."
            raise ValueError(
                f"Got {domain}_sizes with {size!r}. Expected numbers up to {n}, as many {domain} "
                f'labels as are not held back, or "all".{none}'
            )
    return sorted(set(sizes))
