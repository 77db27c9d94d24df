"""A real local Spark session, in whose Python processes scikit-learn cannot be imported."""

import os
import sys
from pathlib import Path

import pytest

import embtransfer

# what executors of compiled models do without: none of it can be imported there, unless WITH_SKLEARN is set
BLOCKER = """
import os
import sys

class Blocker:
    blocked = {"sklearn", "scipy", "gensim", "joblib", "skops", "typer", "rich", "pooch", "platformdirs"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.blocked:
            raise ModuleNotFoundError(f"No module named {name!r}: it is blocked")

if "WITH_SKLEARN" not in os.environ:
    sys.meta_path.insert(0, Blocker())
"""

# Spark's own daemon, which forks each Python process, imports once what they all would
DAEMON = """
import os

import embtransfer.scoring._model_columns
import embtransfer.scoring._model_rows
import embtransfer.spark
import embtransfer.tables._rows
import pandas
from pyspark.daemon import manager

if "WITH_SKLEARN" in os.environ:
    import embtransfer.persistence
    import sklearn.pipeline

if __name__ == "__main__":
    manager()
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("blocker")
    (folder / "sitecustomize.py").write_text(BLOCKER)
    (folder / "daemon_of_tests.py").write_text(DAEMON)
    root = Path(embtransfer.__file__).parents[1]
    paths = [str(folder), str(root), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    options = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "512m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.python.daemon.module": "daemon_of_tests",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.ui.showConsoleProgress": "false",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = SparkSession.builder.master("local[2]").config(map=options).getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        yield session
        session.stop()
