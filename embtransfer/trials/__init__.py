"""Trials: which embedder, adapter and classifier, with target labels or without, and how many labels."""

from ._check import DomainCheck, check_domains
from ._compare import compare
from ._curve_plot import plot_learning_curve, summarize_learning_curve
from ._learning_curve import learning_curve
from .search import CRITERIA, TransferSearch

__all__ = [
    "CRITERIA",
    "DomainCheck",
    "TransferSearch",
    "check_domains",
    "compare",
    "learning_curve",
    "plot_learning_curve",
    "summarize_learning_curve",
]
