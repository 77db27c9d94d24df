"""A few target labels: which texts to label, and how good the model is by them."""

from ._estimate import ScoreEstimate, estimate_score
from ._suggest import suggest_labels

__all__ = ["ScoreEstimate", "estimate_score", "suggest_labels"]
