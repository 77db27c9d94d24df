"""TransferPipeline: embed, adapt, classify as one estimator that also sees unlabelled target data."""

from .._parts import for_source
from ._class_shares import class_shares, shares_in_words
from ._cleaning import CLEANING, with_cleaning
from ._pipeline import TransferPipeline, make_transfer_pipeline
from ._source import source_scorer
from ._target import Target

__all__ = [
    "CLEANING",
    "Target",
    "TransferPipeline",
    "class_shares",
    "for_source",
    "make_transfer_pipeline",
    "shares_in_words",
    "source_scorer",
    "with_cleaning",
]
