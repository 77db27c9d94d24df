"""The API reference, HTML made from the docstrings: `python -m docs.reference out/`."""

import sys
from pathlib import Path

import pdoc
import pdoc.render

import embtransfer

MODULES = ("embtransfer", "embtransfer.datasets", "embtransfer.spark")  # the two are not in __all__


def build(folder) -> Path:
    """Write the pages to a folder, and return the first."""
    for name in embtransfer.__all__:
        getattr(embtransfer, name)  # pdoc lists what a module holds, and names are imported at first use
    pdoc.render.configure(
        docformat="numpy",
        math=True,
        show_source=False,
        template_directory=Path(__file__).parent / "templates",
    )
    pdoc.pdoc(*MODULES, output_directory=Path(folder))
    return Path(folder) / "index.html"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"Got {len(sys.argv) - 1} arguments. Expected one, the folder to write to.")
    print(build(sys.argv[1]))
