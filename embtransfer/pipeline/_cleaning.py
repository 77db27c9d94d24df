"""A model that cleans the texts before it reads them."""

from copy import copy

from sklearn.pipeline import Pipeline

from .._types import Estimator
from ..embedders import HTMLCleaner
from ._pipeline import TransferPipeline

CLEANING = ("html",)


def with_cleaning(model: Estimator, clean: str | None) -> Estimator:
    """The same model, fitted or not, with a first step that cleans its texts; itself if clean is None."""
    if clean is None:
        return model
    step = "clean", HTMLCleaner()
    if not isinstance(model, Pipeline):
        return TransferPipeline([step, ("classifier", model)])
    made = copy(model)
    made.steps = [step, *model.steps]
    return made
