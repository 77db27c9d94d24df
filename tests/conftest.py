"""Tests keep converted vectors in a folder of their own."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_session(tmp_path_factory):
    before = os.environ.get("EMBTRANSFER_CACHE")
    os.environ["EMBTRANSFER_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["EMBTRANSFER_CACHE"]
    else:
        os.environ["EMBTRANSFER_CACHE"] = before
