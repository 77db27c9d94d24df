"""Scoring files of any size with a fitted model."""

from ._files import score_file
from ._report import ScoreReport

__all__ = ["ScoreReport", "score_file"]
