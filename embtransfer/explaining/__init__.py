"""Why a model decides as it does: the exact share of each word."""

from ._explain import explain
from ._explanation import Explanation
from ._word_weights import word_weights

__all__ = ["Explanation", "explain", "word_weights"]
