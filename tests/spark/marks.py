"""Marks of all tests of Spark."""

import shutil

import pytest

SPARK = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is no `java` here"),
    # pyspark leaves the pipes of a session to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning"),  # pyspark 3.5
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]
