"""What each fitted step before the classifier makes of rows."""

from dataclasses import replace

import numpy as np
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import BaseRandomProjection

from ..adapters._base import AffineMap, BaseAdapter, Identity
from ..adapters._length import ScaleMap
from ..adapters._scl import PivotProjection
from ..embedders import DistilledEmbedder, HTMLCleaner, NGramVectorizer, VectorEmbedder, WordEmbedder
from ._rows import CannotFold, Rows, Terms, Words
from ._vectorizers import counted_terms, own_vocabulary


def fold_steps(steps, rows=None):
    """Rows that a list of (name, fitted step) makes of texts, or of rows."""
    for name, step in steps:
        try:
            rows = fold_step(step, rows)
        except CannotFold as error:
            if error.args[0].startswith("step "):  # said by a nested pipeline
                raise
            raise CannotFold(f"step {name!r} ({type(step).__name__}): {error}") from None
    return rows


def fold_step(step, rows):
    """Rows that one fitted step makes of texts (rows is None) or of rows."""
    if isinstance(step, str) or step is None:  # "passthrough"
        return rows
    if isinstance(step, FrozenEstimator):
        return fold_step(step.estimator, rows)
    if isinstance(step, Pipeline):
        return fold_steps(step.steps, rows)
    if isinstance(step, FeatureUnion):
        return _union(step, rows)
    if rows is None:
        return _texts(step)
    if isinstance(step, BaseAdapter):
        return _map(step.target_map_, rows)
    for kinds, fold in _FOLDS:
        if isinstance(step, kinds):
            return fold(step, rows)
    raise CannotFold("it is not among the steps that fold")


def _union(union, rows):
    blocks = []
    for name, step in union.transformer_list:
        if step == "drop":
            continue
        part = fold_steps([(name, step)], rows)
        if part is None:
            raise CannotFold("it passes texts through")
        weight = (union.transformer_weights or {}).get(name)
        blocks += (part if weight is None else part.affine(np.float64(weight))).blocks
    return Rows(blocks)


# ---------------------------------------------------------------- texts -> rows
def _texts(step):
    if isinstance(step, WordEmbedder):
        return _words(step)
    if isinstance(step, DistilledEmbedder):
        n, d = len(step._found), step._n_features_out
        return Rows.of(Words(own_vocabulary(step._found.vocabulary), step._table[:n, :d], "sqrt"))
    if isinstance(step, NGramVectorizer):
        vocabulary, width = own_vocabulary(step._found.vocabulary), len(step._found)
        if step.weighting == "tfidf":
            return Rows.of(Terms(vocabulary, width, "log", step.idf_.astype(np.float64), normalised=True))
        return Rows.of(Terms(vocabulary, width, step.weighting))
    if isinstance(step, CountVectorizer):
        rows = Rows.of(counted_terms(step))
        return _tfidf(step._tfidf, rows) if isinstance(step, TfidfVectorizer) else rows
    if isinstance(step, VectorEmbedder):
        raise CannotFold("it takes vectors, which hold no words to fold")
    if isinstance(step, HTMLCleaner):
        raise CannotFold("it folds as the first step of the whole model alone; put it there")
    raise CannotFold("it makes rows of texts in a way that does not fold; see the list in compile_pipeline")


def _words(step):
    if (shared := step._vocabulary()) is None:
        raise CannotFold(f"its token_pattern={step.token_pattern!r} runs in Python, not in the kernel")
    if step.unknown != "skip" or step.phrases:
        raise CannotFold("unknown='skip' and phrases=False fold; other settings look beyond single words")
    if len(step._powers):
        raise CannotFold(f"pooling={step.pooling!r} is no sum over words; mean, idf, sif and usif fold")
    vocabulary = own_vocabulary(shared)
    divisor = "weights" if step.pooling == "idf" else "count"
    weights = None if step.weights_ is None else np.asarray(step.weights_, np.float32)
    rows = Rows.of(Words(vocabulary, step.vectors_.matrix, divisor, weights))
    if step.components_ is None:
        return rows
    components = step.components_.astype(np.float64)  # v - sum_i s_i (v . c_i) c_i
    return rows.affine(np.eye(components.shape[1]) - components.T * step.component_strengths_ @ components)


# ---------------------------------------------------------------- rows -> rows
def _map(map_, rows):
    if isinstance(map_, Identity):
        return rows
    if isinstance(map_, ScaleMap):
        return rows.affine(np.float64(map_.factor))
    if isinstance(map_, AffineMap):  # LinearMap is one, too
        return rows.affine(map_.weight, before=map_.offset)
    if isinstance(map_, PivotProjection):
        return Rows([*rows.blocks, *rows.affine(map_.weight).blocks])
    raise CannotFold(f"its map, {type(map_).__name__}, is not linear")


def _tfidf(step, rows):
    leaf = rows.plain_terms()
    if step.sublinear_tf:
        if leaf is None or leaf.counting == "log" or leaf.weights is not None:
            raise CannotFold("sublinear_tf folds on counts of words alone")
        counting = {"count": "log", "binary": "binary"}[leaf.counting]
        rows = Rows.of(replace(leaf, counting=counting))
    if step.norm not in ("l2", None):
        raise CannotFold(f"norm={step.norm!r} does not fold; 'l2' and None do")
    rows = rows.affine(step.idf_) if step.use_idf else rows
    return rows.through("l2") if step.norm == "l2" else rows


def _standard(step, rows):
    before = step.mean_ if step.with_mean else None
    return rows.affine(None if step.scale_ is None else 1 / step.scale_, before=before)


def _min_max(step, rows):
    if step.clip:
        raise CannotFold("clip=True does not fold")
    return rows.affine(step.scale_, after=step.min_)


def _robust(step, rows):
    before = step.center_ if step.with_centering else None
    return rows.affine(1 / step.scale_ if step.with_scaling else None, before=before)


def _normalizer(step, rows):
    if step.norm != "l2":
        raise CannotFold(f"norm={step.norm!r} does not fold; 'l2' does")
    return rows.through("l2")


def _pca(step, rows):
    scale = np.sqrt(step.explained_variance_)
    if step.whiten:
        scale = np.maximum(scale, np.finfo(scale.dtype).eps)
    return rows.affine((step.components_ / scale[:, None] if step.whiten else step.components_).T, step.mean_)


def _projection(step, rows):
    components = step.components_
    return rows.affine((components.toarray() if hasattr(components, "toarray") else components).T)


def _function(step, rows):
    if step.func is not None:
        raise CannotFold("a function of its own does not fold")
    return rows


_FOLDS = [
    (StandardScaler, _standard),
    (MaxAbsScaler, lambda step, rows: rows.affine(1 / step.scale_)),
    (MinMaxScaler, _min_max),
    (RobustScaler, _robust),
    (Normalizer, _normalizer),
    (TfidfTransformer, _tfidf),
    ((PCA, IncrementalPCA), _pca),
    ((TruncatedSVD, BaseRandomProjection), _projection),
    (SelectorMixin, lambda step, rows: rows.select(step.get_support(indices=True))),
    (FunctionTransformer, _function),
]
