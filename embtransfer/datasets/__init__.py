"""Labelled texts in several domains: a bundled demo corpus and two published data sets.

The published ones are looked for in ``data_home``, in the folder that ``EMBTRANSFER_DATA`` names
and in the per-user cache, and downloaded only if none of these has them.
"""

from ._amazon import AMAZON_DOMAINS, fetch_amazon_reviews
from ._banking77 import fetch_banking77
from ._demo import DEMO_DOMAINS, load_demo_reviews

__all__ = ["AMAZON_DOMAINS", "DEMO_DOMAINS", "fetch_amazon_reviews", "fetch_banking77", "load_demo_reviews"]
