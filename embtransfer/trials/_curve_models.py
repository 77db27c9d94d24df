"""Models of learning curves, from names, embedders, or models that are there."""

from .._names import check_name
from .._parts import first_steps
from ..adapters import DomainCentering, NoAdaptation
from ..classifiers import PooledClassifier
from ..embedders import (
    EMBEDDERS,
    BaseEmbedder,
    ColumnEmbedder,
    NGramVectorizer,
    VectorEmbedder,
    make_embedder,
)
from ..pipeline import make_transfer_pipeline
from ..recipes import COLUMNS, RECIPES, make_recipe


def usual_models(kinds, usual):
    """Names, or models by name, for rows that show texts, vectors or both; `usual` are those of a table."""
    if "vectors" not in kinds:
        return usual
    names = [name for name in usual if "texts" in kinds or name == COLUMNS]
    return dict(zip(names, names, strict=True)) | {"centering": VectorEmbedder(), "vectors": "vectors"}


def make_model(name, make=make_recipe):
    if name == "tfidf":
        return make_transfer_pipeline(NGramVectorizer(), NoAdaptation(), PooledClassifier())
    if name in RECIPES:
        return make(name)
    check_name("model", name, ("tfidf", *RECIPES, *EMBEDDERS))
    return make_embedder(name)


def as_model(model):
    """A model from texts to labels; an embedder gets what makes it one."""
    if isinstance(model, type) or not hasattr(model, "fit"):
        raise TypeError(
            f"Got the model {model!r}. Expected a name, an embedder, or a model from texts to labels."
        )
    parts = [of_column(step) for step in first_steps(model)]
    if hasattr(model, "predict") or not all(isinstance(one, BaseEmbedder | VectorEmbedder) for one in parts):
        return model
    # centring would make sparse rows dense
    sparse = any(isinstance(part, NGramVectorizer) for part in parts)
    adapter = NoAdaptation() if sparse else DomainCentering()
    return make_transfer_pipeline(model, adapter, PooledClassifier())


def of_column(step):
    """What embeds, of a step that takes a column of a table or the rows themselves."""
    return step.embedder if isinstance(step, ColumnEmbedder) else step
