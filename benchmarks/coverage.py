"""Share of the Amazon reviews' tokens that the bundled and the full GloVe table know.

EMBTRANSFER_DATA=... python -m benchmarks.coverage
"""

import re

from embtransfer import WordVectors
from embtransfer.datasets import fetch_amazon_reviews

from .accuracy_amazon import full_glove


def main():
    tokens = [t for text in fetch_amazon_reviews().data for t in re.findall(r"\b\w\w+\b", text.lower())]
    for vectors in (full_glove(), WordVectors.bundled()):
        known = sum(token in vectors for token in tokens)
        print(f"{vectors.name}: {known:,} of {len(tokens):,} tokens known, {known / len(tokens):.2%}")


if __name__ == "__main__":
    main()
