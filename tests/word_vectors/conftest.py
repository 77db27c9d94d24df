"""Fixtures of the tests beside it."""

import pytest

from embtransfer.word_vectors.readers import _blocks


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few rows: every file here has several."""
    monkeypatch.setattr(_blocks, "_BLOCK", 1000)


@pytest.fixture(scope="module")
def trained(gensim):
    texts = [*gensim.test.utils.common_texts, ["naïve", "漢字", "é", "x", "</s>"]]
    return gensim.models.FastText(
        texts, vector_size=7, min_count=1, bucket=50, min_n=1, max_n=4, epochs=1, workers=1
    )
