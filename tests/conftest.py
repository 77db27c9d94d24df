"""Tests keep converted vectors in a folder of their own, and each of several processes to one thread."""

import os
import sys

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # before NumPy is imported: else each would have a thread a core
    for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(_variable, "1")


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_session(tmp_path_factory):
    before = os.environ.get("EMBTRANSFER_CACHE")
    os.environ["EMBTRANSFER_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["EMBTRANSFER_CACHE"]
    else:
        os.environ["EMBTRANSFER_CACHE"] = before


@pytest.fixture(scope="session")
def gensim():
    """gensim; where it is not installed, as on Python 3.14, the tests that compare with it are skipped."""
    pytest.importorskip("gensim.test.utils")
    return sys.modules["gensim"]


@pytest.fixture(scope="session")
def datapath(gensim):
    """A function from the name of a file that gensim ships to its path."""
    return gensim.test.utils.datapath
