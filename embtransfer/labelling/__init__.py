"""A few target labels: which texts to label, and how good the model is by them."""

from ._estimate import ScoreEstimate, estimate_score
from ._refit import check_takes_labels, refitted
from ._rounds import COLUMNS, Rounds, check_output, read_rounds, write_round
from ._suggest import suggest_labels
from ._threshold import confidence_threshold

__all__ = [
    "COLUMNS",
    "Rounds",
    "ScoreEstimate",
    "check_output",
    "check_takes_labels",
    "confidence_threshold",
    "estimate_score",
    "read_rounds",
    "refitted",
    "suggest_labels",
    "write_round",
]
