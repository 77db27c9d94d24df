"""Where the files lie that ship with the package."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def data_folder() -> Traversable:
    """The package embtransfer.data, or the folder data/ of a checkout from which Python was started."""
    try:
        return files("embtransfer.data")
    except ModuleNotFoundError:  # the checkout's embtransfer/ hides the installed one
        return Path(__file__).parents[2] / "data"
