"""How far two domains are apart: distances between rows, and the words that moved."""

from ._distances import covariance_distance, domain_shift, proxy_a_distance
from ._mmd import MMDResult, mmd
from ._word_shift import word_shift

__all__ = ["MMDResult", "covariance_distance", "domain_shift", "mmd", "proxy_a_distance", "word_shift"]
