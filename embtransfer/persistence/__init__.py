"""Fitted pipelines as folders, without pickle."""

from ._pipelines import (
    check_destination,
    load_model,
    load_pipeline,
    push_to_hub,
    read_about,
    save_pipeline,
    types_to_trust,
)
from ._state import TRUSTED

__all__ = [
    "TRUSTED",
    "check_destination",
    "load_model",
    "load_pipeline",
    "push_to_hub",
    "read_about",
    "save_pipeline",
    "types_to_trust",
]
