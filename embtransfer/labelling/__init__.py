"""Labels: which target texts to label, how good the model is by them, which source labels may be wrong."""

from ._confusion import scorer_of_labels
from ._estimate import ScoreEstimate, estimate_score
from ._evaluate import Evaluation, evaluate
from ._gain import ExpectedGain, expected_gain
from ._refit import check_takes_labels, refitted
from ._rounds import (
    COLUMNS,
    Rounds,
    check_csv,
    check_output,
    label_cell,
    read_rounds,
    write_round,
    write_suspicious,
)
from ._suggest import suggest_labels
from ._suspicious import suspicious_labels
from ._threshold import confidence_threshold

__all__ = [
    "COLUMNS",
    "Evaluation",
    "ExpectedGain",
    "Rounds",
    "ScoreEstimate",
    "check_csv",
    "check_output",
    "check_takes_labels",
    "confidence_threshold",
    "estimate_score",
    "evaluate",
    "expected_gain",
    "label_cell",
    "read_rounds",
    "refitted",
    "scorer_of_labels",
    "suggest_labels",
    "suspicious_labels",
    "write_round",
    "write_suspicious",
]
